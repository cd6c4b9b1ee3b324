#![no_main]

use hysteron_api::worker::{FromNode, FromWorker, read_frame};

// Frames of the worker protocol, as they come over a WebSocket and over plain TCP. What decodes has one encoding.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = FromWorker::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    if let Ok(message) = FromNode::decode(bytes) {
        assert_eq!(message.encode(), bytes);
    }
    let mut wire = bytes;
    while let Ok(frame) = read_frame(&mut wire) {
        let _ = FromWorker::decode(&frame);
    }
});
