//! Server-sent events over a real socket.

use crate::common::{TestNode, wait_until};
use hysteron_api::types::Event;

#[test]
fn blocks_come_as_events_and_a_stop_ends_the_stream() {
    let mut node = TestNode::new();
    let mut events = node.client.events(None).expect("a stream");
    let first = events.next().expect("an event").expect("a good one");
    assert!(matches!(&first, Event::Block(header) if header.height == 0), "{first:?}");
    let mined = node.mine("miner");
    let second = events.next().expect("an event").expect("a good one");
    assert!(matches!(&second, Event::Block(header) if header.hash == mined.hash), "{second:?}");
    let reader = std::thread::spawn(move || events.map(|event| event.map(|_| ())).collect::<Vec<_>>());
    node.stop();
    let rest = reader.join().expect("the reader ends");
    assert!(rest.iter().all(Result::is_ok), "the stream ends in order: {rest:?}");
}

#[test]
fn streams_are_counted_and_given_back() {
    let node = TestNode::new();
    let open = |count: &str| {
        node.client.metrics().expect("metrics").contains(&format!("\nhysteron_event_streams {count}\n"))
    };
    let streams: Vec<_> = (0..5).map(|_| node.client.events(None).expect("a stream")).collect();
    wait_until("five are open", || open("5"));
    drop(streams);
    // A stream that nobody reads is noticed when something is sent.
    wait_until("none is open", || {
        node.mine("miner");
        open("0")
    });
}
