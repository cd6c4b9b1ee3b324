#![no_main]

use futures::executor::block_on;
use futures::io::Cursor;
use hysteron_net::wire::codec::read_frame;

// A stream of any bytes: a frame is as long as it says and no longer than allowed.
libfuzzer_sys::fuzz_target!(|input: (u16, &[u8])| {
    let (bytes_max, bytes) = (usize::from(input.0), input.1);
    if let Ok(frame) = block_on(read_frame(&mut Cursor::new(bytes), bytes_max)) {
        assert!(frame.len() <= bytes_max && frame == bytes[4..4 + frame.len()]);
    }
});
