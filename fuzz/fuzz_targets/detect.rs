#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hysteron_fuzz::check(bytes, None));
