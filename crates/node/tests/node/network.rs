//! Several nodes in one process, over loopback sockets: they sync, gossip, and agree after a fork.

use crate::common::{TestNode, wait_until};
use hysteron_api::Hex32;

fn tip(node: &TestNode) -> Hex32 {
    node.client.status().expect("a status").tip
}

/// The second node calls the first.
fn connect(from: &TestNode, to: &TestNode) {
    let address = to.runtime.block_on(to.handle().listeners()).into_iter().next().expect("it listens");
    from.runtime.block_on(from.handle().dial(address));
    let peer = to.handle().peer().to_string();
    wait_until("the nodes are connected", || {
        from.client.peers().expect("peers").peers.iter().any(|p| p.peer == peer && p.height.is_some())
    });
}

#[test]
fn a_fresh_node_syncs_and_both_follow_each_other() {
    let old = TestNode::new();
    for _ in 0..30 {
        old.mine("miner");
    }
    let fresh = TestNode::new();
    connect(&fresh, &old);
    wait_until("the fresh node has the chain", || tip(&fresh) == tip(&old));
    assert_eq!(fresh.height(), 30);
    // Blocks go both ways by gossip, transactions too.
    fresh.mine("alice");
    wait_until("the old node follows", || tip(&fresh) == tip(&old));
    let sent = old.send("customer", "bob", 77);
    let id = Hex32(sent.id());
    wait_until("the transaction comes over", || fresh.client.transaction(id).is_ok());
    old.mine("alice");
    wait_until("the fresh node follows", || tip(&fresh) == tip(&old));
    let status = |node: &TestNode| node.client.status().expect("a status");
    assert_eq!(status(&fresh).state_root, status(&old).state_root);
    assert_eq!(status(&fresh).peers, 1);
}

#[test]
fn three_nodes_agree_after_a_fork() {
    let (first, second, third) = (TestNode::new(), TestNode::new(), TestNode::new());
    // Two branches that know nothing of each other, and a transaction on the shorter one.
    let sent = first.send("customer", "bob", 99);
    let id = Hex32(sent.id());
    wait_until("the transaction is in a block", || {
        first.mine("alice");
        first.client.transaction(id).is_ok_and(|transaction| transaction.block.is_some())
    });
    wait_until("the other branch is longer", || {
        second.mine("bob");
        second.height() >= first.height() + 4
    });
    let stream = first.client.events(None).expect("a stream");
    connect(&third, &first);
    wait_until("the third has the first branch", || tip(&third) == tip(&first));
    connect(&second, &third);
    wait_until("all have the longer branch", || tip(&first) == tip(&second) && tip(&third) == tip(&second));
    let reorganised = stream
        .map(|event| event.expect("a good event"))
        .find(|event| matches!(event, hysteron_api::types::Event::Reorganised { .. }));
    assert!(
        matches!(reorganised, Some(hysteron_api::types::Event::Reorganised { fork_height: 0, .. })),
        "{reorganised:?}"
    );
    // The abandoned transaction waits again where it came from, and is not lost.
    let transaction = first.client.transaction(id).expect("it is not lost");
    assert_eq!(transaction.block, None);
    // The history has forgotten the abandoned blocks' rewards.
    wait_until("the history follows", || {
        let page =
            first.client.history(&crate::common::address("alice"), &Default::default()).expect("a history");
        page.entries.is_empty()
    });
    wait_until("the transaction is included again", || {
        first.mine("alice");
        first.client.transaction(id).is_ok_and(|transaction| transaction.block.is_some())
    });
    wait_until("all agree", || tip(&first) == tip(&second) && tip(&third) == tip(&second));
}
