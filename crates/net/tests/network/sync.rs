//! Sync from several peers, honest and not; restarts; problems by content id.

use hysteron_net::{Banned, NetError, PeerId};

use crate::model::{Model, Node, block, config, directory, extend, genesis, hash, until_true};

async fn node_with_seeds(model: std::sync::Arc<Model>, seeds: &[&Node]) -> Node {
    let mut config = config();
    for seed in seeds {
        config.seeds.push(seed.address().await);
    }
    Node::start(config, model).await
}

fn is_banned(bans: &[(Banned, hysteron_net::Ban)], peer: PeerId) -> bool {
    bans.iter().any(|(banned, _)| *banned == Banned::Peer(peer))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_node_syncs_with_the_honest_peer_and_bans_the_forger() {
    let good = extend(vec![genesis()], 1_200, 1, 300);
    let mut forged = good[..1_100].to_vec();
    let bad = block(forged.last().unwrap(), 1, false, 300);
    forged.push(bad);
    let forged = extend(forged, 300, 5, 300);
    let honest = Node::start(config(), Model::new(&good)).await;
    let forger = Node::start(config(), Model::new(&forged)).await;
    let fresh = node_with_seeds(Model::new(&[genesis()]), &[&forger, &honest]).await;
    until_true("the chain", async || fresh.model.tip_hash() == honest.model.tip_hash()).await;
    until_true("the ban", async || is_banned(&fresh.handle.bans().await.unwrap(), forger.handle.peer()))
        .await;
    assert!(!is_banned(&fresh.handle.bans().await.unwrap(), honest.handle.peer()));
    assert!(fresh.counter("sync_blocks") >= 1_200 && fresh.counter("sync_headers") >= 1_200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_other_blocks_is_banned_and_sync_ends_with_the_other() {
    let chain = extend(vec![genesis()], 200, 1, 2_000);
    let honest = Node::start(config(), Model::new(&chain)).await;
    let liar = Node::start(config(), Model::new(&chain)).await;
    liar.model.lie();
    let fresh = node_with_seeds(Model::new(&[genesis()]), &[&liar, &honest]).await;
    until_true("the ban", async || is_banned(&fresh.handle.bans().await.unwrap(), liar.handle.peer())).await;
    until_true("the chain", async || fresh.model.tip_hash() == honest.model.tip_hash()).await;
    assert!(fresh.counter("sync_reassigned") > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_blocks_stay_within_the_bytes_of_sync() {
    let chain = extend(vec![genesis()], 12, 1, 4 << 20);
    let honest = Node::start(config(), Model::new(&chain)).await;
    let mut config = config();
    config.limits.sync_bytes_max = 12 << 20;
    config.seeds = vec![honest.address().await];
    let fresh = Node::start(config, Model::new(&[genesis()])).await;
    until_true("the chain", async || fresh.model.height() == 12).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_find_each_other_again_after_a_restart() {
    let home = directory("restart");
    let first = Node::start(config(), Model::new(&[genesis()])).await;
    let mut second_config = config();
    second_config.directory = Some(home.clone());
    second_config.seeds = vec![first.address().await];
    let second = Node::start(second_config.clone(), Model::new(&[genesis()])).await;
    let name = second.handle.peer();
    until_true("the first meeting", async || first.ready_peers().await.contains(&name)).await;
    until_true("the handshake of the other", async || !second.ready_peers().await.is_empty()).await;
    second.handle.shutdown().await;
    assert!(matches!(second.handle.peers().await, Err(NetError::Stopped)));
    until_true("its leave", async || first.ready_peers().await.is_empty()).await;
    // The second node has a key file and an address book now: it needs no seed.
    second_config.seeds.clear();
    let again = Node::start(second_config, Model::new(&[genesis()])).await;
    assert_eq!(again.handle.peer(), name);
    until_true("the second meeting", async || first.ready_peers().await.contains(&name)).await;
    again.handle.shutdown().await;
    std::fs::remove_dir_all(home).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ban_outlives_a_restart() {
    let home = directory("ban");
    let mut kept = config();
    kept.directory = Some(home.clone());
    let node = Node::start(kept.clone(), Model::new(&[genesis()])).await;
    let other = node_with_seeds(Model::new(&[genesis()]), &[&node]).await;
    let name = other.handle.peer();
    until_true("the meeting", async || node.ready_peers().await.contains(&name)).await;
    node.handle.ban(Banned::Peer(name), 3_600, "For a test.").await.unwrap();
    until_true("the end", async || node.ready_peers().await.is_empty()).await;
    node.handle.shutdown().await;
    let again = Node::start(kept, Model::new(&[genesis()])).await;
    assert!(is_banned(&again.handle.bans().await.unwrap(), name));
    other.handle.dial(again.address().await).await.unwrap();
    until_true("the refusal", async || again.counter("connections_refused") > 0).await;
    assert!(again.ready_peers().await.is_empty());
    assert!(again.handle.unban(Banned::Peer(name)).await.unwrap());
    other.handle.dial(again.address().await).await.unwrap();
    until_true("the peace", async || again.ready_peers().await.contains(&name)).await;
    std::fs::remove_dir_all(home).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_problem_is_checked_against_its_id_before_it_is_handed_on() {
    let liar = Node::start(config(), Model::new(&[genesis()])).await;
    liar.model.lie();
    let honest = Node::start(config(), Model::new(&[genesis()])).await;
    let id = honest.model.add_problem(&vec![5; 3 << 20]);
    let node = node_with_seeds(Model::new(&[genesis()]), &[&liar, &honest]).await;
    until_true("both peers", async || node.ready_peers().await.len() == 2).await;
    let problem = node.handle.problem(id).await.unwrap();
    assert_eq!(hash(&problem), id);
    // Nobody has the next: the liar, if it was not asked yet, is banned now.
    assert!(matches!(node.handle.problem([9; 32]).await, Err(NetError::NotFound { .. })));
    until_true("the ban", async || is_banned(&node.handle.bans().await.unwrap(), liar.handle.peer())).await;
}
