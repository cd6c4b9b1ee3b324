//! Kademlia, QUIC, NAT traversal.

use hysteron_net::{Config, Nat};

use crate::model::{Model, Node, config, genesis, until_true};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_learns_of_others_from_its_only_seed() {
    let findable = || {
        let mut config = config();
        config.kademlia = true;
        config.listen_is_external = true;
        config
    };
    let seed = Node::start(findable(), Model::new(&[genesis()])).await;
    let mut guests = Vec::new();
    for _ in 0..2 {
        let mut config = findable();
        config.seeds = vec![seed.address().await];
        guests.push(Node::start(config, Model::new(&[genesis()])).await);
    }
    let [first, second] = &guests[..] else { unreachable!() };
    until_true("the acquaintance", async || first.ready_peers().await.contains(&second.handle.peer())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quic_connects_too() {
    let mut over_quic = config();
    over_quic.listen = vec!["/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap()];
    let node = Node::start(over_quic.clone(), Model::new(&[genesis()])).await;
    over_quic.seeds = vec![node.address().await];
    let guest = Node::start(over_quic, Model::new(&[genesis()])).await;
    until_true("the connection", async || node.ready_peers().await.contains(&guest.handle.peer())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_cannot_be_dialled_is_reached_through_a_relay() {
    let with_nat = |nat: Nat| Config { nat, ..config() };
    let mut relay_config = with_nat(Nat { relay_server: true, ..Nat::default() });
    relay_config.listen_is_external = true;
    let relay = Node::start(relay_config, Model::new(&[genesis()])).await;
    let relay_address = relay.address().await;
    // It listens nowhere but at the relay.
    let mut hidden_config = with_nat(Nat { relays: vec![relay_address.clone()], ..Nat::default() });
    hidden_config.listen.clear();
    let hidden = Node::start(hidden_config, Model::new(&[genesis()])).await;
    until_true("the reservation", async || {
        hidden
            .handle
            .listeners()
            .await
            .unwrap()
            .iter()
            .any(|address| address.to_string().contains("p2p-circuit"))
    })
    .await;
    let guest = Node::start(with_nat(Nat::default()), Model::new(&[genesis()])).await;
    let circuit = format!("{relay_address}/p2p-circuit/p2p/{}", hidden.handle.peer());
    guest.handle.dial(circuit.parse().unwrap()).await.unwrap();
    until_true("the connection through the relay", async || {
        guest.ready_peers().await.contains(&hidden.handle.peer())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_switched_on_starts_and_stops() {
    let config = Config {
        listen: vec![
            "/ip4/127.0.0.1/tcp/0".parse().unwrap(),
            "/ip4/127.0.0.1/udp/0/quic-v1".parse().unwrap(),
        ],
        mdns: true,
        kademlia: true,
        nat: Nat { relay_server: true, ..Nat::default() },
        ..config()
    };
    let node = Node::start(config, Model::new(&[genesis()])).await;
    until_true("both sockets", async || node.handle.listeners().await.unwrap().len() == 2).await;
    node.handle.shutdown().await;
}
