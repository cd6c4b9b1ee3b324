//! Several nodes in one process, over loopback sockets: they sync, gossip, and agree after a fork.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::{TestNode, wait_until};
use hysteron_api::Hex32;
use hysteron_chain::testing::StubRunner;
use hysteron_work::{Leg, LegOutput, LegRunner, Table, WorkError};

fn tip(node: &TestNode) -> Hex32 {
    node.client.status().expect("a status").tip
}

/// The second node calls the first.
pub fn connect(from: &TestNode, to: &TestNode) {
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

/// Runs legs only while it may.
pub struct Gated(pub StubRunner, pub Arc<AtomicBool>);

impl LegRunner for Gated {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        let begin = std::time::Instant::now();
        while !self.1.load(Ordering::Relaxed) && begin.elapsed().as_secs() < crate::common::PATIENCE_S {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        self.0.run(table, leg, stop)
    }
}

#[test]
fn a_block_is_passed_on_before_its_legs_are_run_and_the_node_answers_meanwhile() {
    let open = Arc::new(AtomicBool::new(false));
    let gate = open.clone();
    let middle =
        TestNode::with_runner(Box::new(move |problems, _| Arc::new(Gated(StubRunner::new(problems), gate))));
    let (first, last) = (TestNode::new(), TestNode::new());
    connect(&middle, &first);
    connect(&middle, &last);
    let genesis = tip(&middle);
    first.mine("miner");
    wait_until("the block came through", || tip(&last) == tip(&first));
    // The one in between has not taken it, and is not stopped by it.
    assert_eq!(tip(&middle), genesis);
    assert!(middle.client.account(&crate::common::address("customer")).expect("an account").balance.0 > 0);
    let sent = middle.send("customer", "bob", 5);
    wait_until("a transaction comes through", || first.client.transaction(Hex32(sent.id())).is_ok());
    open.store(true, Ordering::Relaxed);
    wait_until("it follows", || tip(&middle) == tip(&first));
}

/// Digests that nobody else gets.
struct Forger(StubRunner);

impl LegRunner for Forger {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        let mut output = self.0.run(table, leg, stop)?;
        output.digest[0] ^= 1;
        Ok(output)
    }
}

#[test]
fn a_forged_block_is_followed_by_nobody_and_who_passed_it_on_is_not_banned() {
    let liar = TestNode::with_runner(Box::new(|problems, _| Arc::new(Forger(StubRunner::new(problems)))));
    let (near, far) = (TestNode::new(), TestNode::new());
    connect(&near, &liar);
    connect(&far, &near);
    // It believes its own block: made through the template's header with its own digests.
    let forged = crate::common::mine_with(&liar, "bob", &Forger(StubRunner::without_problems()));
    assert_eq!(tip(&liar), forged.hash);
    // One such block in gossip costs its sender points, not yet a ban: it might have passed it on in good faith.
    let banned = |node: &TestNode| node.runtime.block_on(node.handle().banned());
    near.mine("alice");
    wait_until("the honest agree", || tip(&far) == tip(&near));
    assert_ne!(tip(&near), forged.hash);
    assert!(banned(&far).iter().all(|peer| *peer != near.handle().peer()), "it passed on in good faith");
    assert!(banned(&near).iter().all(|peer| *peer != far.handle().peer()));
}
