//! `cargo +nightly fuzz run duration`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oracles::duration::check(input));
