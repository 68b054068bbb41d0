//! `cargo +nightly fuzz run schedule`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oracles::schedule::check(input));
