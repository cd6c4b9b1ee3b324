#![no_main]

use hysteron_problem::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hysteron_fuzz::check(bytes, Some(Format::Rudy)));
