//! `cargo +nightly fuzz run stored`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oracles::stored::check(input));
