//! Gossip over several hops, verdicts, orphans.

use crate::model::{Model, Node, block, config, extend, genesis, hash, until_true};

/// `count` nodes, each connected with the one before.
async fn line(count: usize) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for index in 0..count {
        let mut config = config();
        config.outbound_target = 0;
        if let Some(before) = nodes.last() {
            config.seeds = vec![before.address().await];
        }
        nodes.push(Node::start(config, Model::new(&[genesis()])).await);
        if index > 0 {
            let (this, before) = (&nodes[index], &nodes[index - 1]);
            until_true("the neighbour", async || this.ready_peers().await.contains(&before.handle.peer()))
                .await;
        }
    }
    nodes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_and_transactions_reach_the_end_of_a_line_of_five() {
    let nodes = line(5).await;
    // The first message may come before the router knows its neighbours' topics: sync brings a block in that case, so it
    // is transactions, published until the far end has one, that show the gossip itself.
    let attempt = std::sync::atomic::AtomicU32::new(1);
    until_true("a transaction at the end", async || {
        let number = attempt.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let transaction = [&[1][..], &number.to_le_bytes()].concat();
        nodes[0].handle.publish_transaction(transaction).await.unwrap();
        !nodes[4].log.lock().unwrap().transactions.is_empty()
    })
    .await;
    let received = nodes[4].log.lock().unwrap().transactions[0].clone();
    assert_eq!(received.0, nodes[3].handle.peer(), "it came hop by hop");
    assert_eq!(received.1[0], 1);
    let large = block(&genesis(), 1, true, 3 << 20);
    nodes[0].model.take(&large).unwrap();
    nodes[0].handle.publish_block(large.clone()).await.unwrap();
    let tip = hash(&large[..49]);
    until_true("the block at the end", async || nodes[4].model.tip_hash() == tip).await;
    assert!(nodes[2].counter("gossip_accepted") > 0);
    let too_large = vec![1; hysteron_net::limits::BLOCK_BYTES_MAX + 1];
    assert!(nodes[0].handle.publish_block(too_large).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gossips_rubbish_is_banned_and_the_next_hop_never_sees_it() {
    let nodes = line(3).await;
    let first = nodes[0].handle.peer();
    let number = std::sync::atomic::AtomicU32::new(0);
    until_true("the ban", async || {
        let rubbish =
            [&[0][..], &number.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_le_bytes()].concat();
        nodes[0].handle.publish_transaction(rubbish).await.unwrap();
        nodes[1].log.lock().unwrap().banned.contains(&first)
    })
    .await;
    until_true("the end of the connection", async || !nodes[1].ready_peers().await.contains(&first)).await;
    assert!(nodes[2].log.lock().unwrap().transactions.is_empty());
    assert!(nodes[2].log.lock().unwrap().banned.is_empty());
    let bans = nodes[1].handle.bans().await.unwrap();
    assert!(
        bans.len() == 1 && bans[0].1.reason.contains("signature"),
        "loopback is not banned by address: {bans:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orphan_brings_its_ancestors() {
    let nodes = line(2).await;
    let chain = extend(vec![genesis()], 6, 1, 100);
    // The first node gets six blocks without a word to anybody and gossips the last.
    for block in &chain[1..] {
        nodes[0].model.take(block).unwrap();
    }
    nodes[0].handle.publish_block(chain[6].clone()).await.unwrap();
    until_true("the ancestors", async || nodes[1].model.height() == 6).await;
    assert_eq!(nodes[1].model.tip_hash(), nodes[0].model.tip_hash());
}
