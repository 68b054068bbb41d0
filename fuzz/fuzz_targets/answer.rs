//! `cargo +nightly fuzz run answer`
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| oracles::answer::check(input));
