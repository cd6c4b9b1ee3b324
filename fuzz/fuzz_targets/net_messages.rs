#![no_main]

use hysteron_net::{Answer, Request};

// What decodes has one encoding and keeps the bounds of its kind.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = Request::decode(bytes) {
        assert_eq!(borsh::to_vec(&request).expect("memory takes every byte"), bytes);
        assert!(request.cost() > 0 && request.answer_bytes_max() <= hysteron_net::limits::ANSWER_BYTES_MAX);
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(borsh::to_vec(&answer).expect("memory takes every byte"), bytes);
    }
});
