//! Floods, foreign networks, crowds, lying frames.

use std::time::Duration;

use hysteron_net::{Answer, Identity, Request};

use crate::model::{Model, Node, config, genesis, identity, until_true};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_requests_is_limited_and_then_banned() {
    let mut limited = config();
    limited.limits.request_units_per_second = 1;
    limited.limits.request_units_burst = 64;
    limited.limits.requests_busy_per_second = 1;
    let node = Node::start(limited, Model::new(&[genesis()])).await;
    let flooder = Node::start(config(), Model::new(&[genesis()])).await;
    flooder.handle.dial(node.address().await).await.unwrap();
    until_true("the meeting", async || !flooder.ready_peers().await.is_empty()).await;
    let mut answered = 0;
    for _ in 0..500 {
        if let Ok(Answer::Problem(None)) =
            flooder.handle.ask(node.handle.peer(), Request::Problem([1; 32])).await
        {
            answered += 1;
        }
    }
    // 64 units and what dripped in meanwhile, 8 a request.
    assert!((1..=30).contains(&answered), "{answered} answers");
    assert!(node.counter("requests_limited") > 0);
    until_true("the ban", async || node.log.lock().unwrap().banned.contains(&flooder.handle.peer())).await;
    assert_eq!(node.counter("answer_bytes_in_flight"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_of_another_genesis_or_network_is_dropped() {
    let node = Node::start(config(), Model::new(&[genesis()])).await;
    let others =
        [Identity { genesis: [3; 32], ..identity() }, Identity { network: "other".into(), ..identity() }];
    for (count, other) in (1..).zip(others) {
        let stranger = Node::start_as(config(), other, Model::new(&[genesis()])).await;
        stranger.handle.dial(node.address().await).await.unwrap();
        until_true("the recognition", async || {
            node.counter("peers_of_other_networks") + stranger.counter("peers_of_other_networks") >= count
        })
        .await;
        until_true("the parting", async || node.handle.peers().await.unwrap().is_empty()).await;
        assert!(node.log.lock().unwrap().ready.is_empty() && stranger.log.lock().unwrap().ready.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_gets_few_places() {
    let mut narrow = config();
    narrow.limits.connections_per_address_max = 2;
    let node = Node::start(narrow, Model::new(&[genesis()])).await;
    let mut guests = Vec::new();
    for _ in 0..4 {
        let guest = Node::start(config(), Model::new(&[genesis()])).await;
        guest.handle.dial(node.address().await).await.unwrap();
        guests.push(guest);
    }
    until_true("two refusals", async || node.counter("connections_refused") >= 2).await;
    until_true("two guests", async || node.ready_peers().await.len() == 2).await;
    assert_eq!(node.handle.peers().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_silent_after_connecting_is_dropped() {
    let mut hasty = config();
    hasty.timing.handshake_ms_max = 300;
    let node = Node::start(hasty, Model::new(&[genesis()])).await;
    let mute = crate::model::mute_swarm(node.address().await).await;
    until_true("the connection", async || node.counter("connections") > 0).await;
    until_true("the end", async || node.counter("handshakes_missed") == 1).await;
    until_true("the place", async || node.counter("connections") == 0).await;
    drop(mute);
    // The listener still serves others.
    let guest = Node::start(config(), Model::new(&[genesis()])).await;
    guest.handle.dial(node.address().await).await.unwrap();
    until_true("the guest", async || node.ready_peers().await.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_protocol_are_survived() {
    use tokio::io::AsyncWriteExt;
    let node = Node::start(config(), Model::new(&[genesis()])).await;
    let address = node.address().await;
    let port = address.iter().find_map(|part| match part {
        libp2p::multiaddr::Protocol::Tcp(port) => Some(port),
        _ => None,
    });
    for length in [1usize, 100, 100_000] {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port.unwrap())).await.unwrap();
        // The node may close before all is written.
        let _ = stream.write_all(&vec![0xff; length]).await;
    }
    let guest = Node::start(config(), Model::new(&[genesis()])).await;
    guest.handle.dial(address).await.unwrap();
    until_true("the guest", async || node.ready_peers().await.len() == 1).await;
    tokio::time::timeout(Duration::from_secs(10), node.handle.shutdown()).await.unwrap();
}
