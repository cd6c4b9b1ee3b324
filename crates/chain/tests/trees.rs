//! Random trees of blocks, delivered in random orders: every order ends in the same tip and the same state.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{MemoryChain, address, fresh, transfer};
use hysteron_chain::mempool::Candidate;
use hysteron_chain::storage::{Column, Storage};
use hysteron_chain::testing::{StubRunner, easy_genesis, mine};
use hysteron_chain::{Block, Chain, ChainOptions, MemoryStorage, Outcome};
use hysteron_work::types::Hash;
use proptest::prelude::*;

const NAMES: [&str; 4] = ["alice", "bob", "customer", "miner"];

/// One step of growth: which block to build on, who mines, when, what is sent.
#[derive(Clone, Debug)]
struct Step {
    parent: prop::sample::Index,
    depth_bias: u8,
    miner: usize,
    after_s: u64,
    transfers: Vec<(usize, usize, u64)>,
}

fn step() -> impl Strategy<Value = Step> {
    let transfers = prop::collection::vec((0usize..4, 0usize..4, 1u64..1000), 0..4);
    (any::<prop::sample::Index>(), any::<u8>(), 0usize..4, 1u64..20, transfers).prop_map(
        |(parent, depth_bias, miner, after_s, transfers)| Step {
            parent,
            depth_bias,
            miner,
            after_s,
            transfers,
        },
    )
}

/// Grows a tree by the steps on one chain, which judges every block too.
fn grow(steps: &[Step]) -> (MemoryChain, StubRunner, Vec<Block>) {
    let (mut chain, _, runner) = fresh();
    let genesis = easy_genesis();
    let rules = genesis.work.clone();
    let mut blocks: Vec<Block> = Vec::new();
    let mut nonces: BTreeMap<Hash, [u64; 4]> = BTreeMap::from([(chain.tip().hash, [0; 4])]);
    let mut hashes = vec![chain.tip().hash];
    for step in steps {
        // Three in four build on one of the last blocks, so that branches get long.
        let parent = if step.depth_bias < 192 {
            let last = &hashes[hashes.len().saturating_sub(3)..];
            *step.parent.get(last)
        } else {
            *step.parent.get(&hashes)
        };
        let mut next = nonces[&parent];
        let candidates = step.transfers.iter().map(|&(from, to, amount)| {
            let transaction =
                transfer(&genesis, NAMES[from], NAMES[to], amount, next[from], 100_000_000 + amount);
            next[from] += 1;
            Candidate::new(transaction, None)
        });
        let candidates: Vec<_> = candidates.collect();
        let time = chain.archive().header(&parent).unwrap().unwrap().time + step.after_s;
        let template =
            chain.template_on(&parent, address(NAMES[step.miner]), time, candidates).expect("a template");
        assert_eq!(template.transactions.len(), step.transfers.len(), "transfers are valid");
        let block = mine(template, &rules, &runner);
        let hash = block.hash();
        let submission = chain.submit_block(block.clone(), time + 1000).expect("is valid");
        if submission.outcome == Outcome::Known {
            continue;
        }
        nonces.insert(hash, next);
        hashes.push(hash);
        blocks.push(block);
    }
    // One best branch: where two have the most work, what comes first wins, and orders may differ.
    loop {
        let total = |hash: &Hash| chain.archive().entry(hash).unwrap().unwrap().total_work;
        let most = hashes.iter().map(total).max().unwrap();
        let best: Vec<Hash> = hashes.iter().filter(|hash| total(hash) == most).copied().collect();
        if best.len() == 1 {
            assert_eq!(chain.tip().hash, best[0]);
            return (chain, runner, blocks);
        }
        let time = chain.archive().header(&best[0]).unwrap().unwrap().time + 5;
        let template = chain.template_on(&best[0], address("miner"), time, vec![]).expect("a template");
        let block = mine(template, &rules, &runner);
        hashes.push(block.hash());
        chain.submit_block(block.clone(), time + 1000).expect("is valid");
        blocks.push(block);
    }
}

fn records(storage: &MemoryStorage) -> Vec<(Vec<u8>, Vec<u8>)> {
    storage.range(Column::State, b"", usize::MAX).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_order_ends_the_same(
        steps in prop::collection::vec(step(), 1..28),
        orders in prop::collection::vec(any::<u64>(), 3),
    ) {
        let (maker, _, blocks) = grow(&steps);
        let now = u64::MAX / 2;
        for order in orders {
            let mut shuffled = blocks.clone();
            let mut random = order | 1;
            for i in (1..shuffled.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(i, (random >> 33) as usize % (i + 1));
            }
            let (mut chain, storage, runner) = fresh();
            let mut connected: Vec<Hash> = vec![chain.tip().hash];
            for block in shuffled {
                let submission = chain.submit_block(block, now).unwrap();
                // What a listener hears is a walk along the tree.
                for hash in &submission.disconnected {
                    prop_assert_eq!(connected.pop(), Some(*hash));
                }
                connected.extend(submission.connected.iter().map(|c| c.hash));
                prop_assert_eq!(connected.last(), Some(&chain.tip().hash));
                prop_assert_eq!(chain.state().root(), chain.archive().header(&chain.tip().hash).unwrap().unwrap().state_root);
            }
            prop_assert_eq!(chain.tip(), maker.tip());
            prop_assert_eq!(chain.state().root(), maker.state().root());
            prop_assert_eq!(chain.orphans(), 0);
            // What is stored is what is in memory, and opens again.
            let stored = records(&storage);
            let in_memory: Vec<_> = chain.state().entries().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
            prop_assert_eq!(stored, in_memory);
            for height in 0..=chain.tip().height {
                let hash = chain.archive().canonical(height).unwrap().unwrap();
                prop_assert_eq!(hash, connected[height as usize]);
                let block = chain.archive().block(&hash).unwrap().unwrap();
                for (index, transaction) in block.transactions.iter().enumerate() {
                    let (place, found) = chain.archive().transaction(&transaction.id()).unwrap().unwrap();
                    prop_assert_eq!((place.block, place.index as usize, &found), (hash, index, transaction));
                }
            }
            prop_assert_eq!(chain.archive().canonical(chain.tip().height + 1).unwrap(), None);
            let tip = chain.tip().clone();
            drop(chain);
            let again = Chain::open(easy_genesis(), storage, Arc::new(runner), ChainOptions::default()).unwrap();
            prop_assert_eq!(again.tip(), &tip);
            prop_assert_eq!(again.state().root(), maker.state().root());
        }
    }
}

/// A reorganisation of many blocks at once, and back, with coins where they were.
#[test]
fn deep_reorganisation_and_back() {
    let (mut a, _, runner) = fresh();
    let (mut b, _, _) = fresh();
    let mut blocks_a = Vec::new();
    let mut blocks_b = Vec::new();
    for i in 0..60 {
        let block = common::next_block(&mut a, &runner, "alice", 4);
        a.submit_block(block.clone(), u64::MAX / 2).expect("is valid");
        blocks_a.push(block);
        if i < 50 {
            let block = common::next_block(&mut b, &runner, "bob", 5);
            b.submit_block(block.clone(), u64::MAX / 2).expect("is valid");
            blocks_b.push(block);
        }
    }
    let before = b.state().account(&address("alice"));
    for block in blocks_a {
        b.submit_block(block, u64::MAX / 2).expect("is valid");
    }
    let work_a = a.tip().total_work;
    assert_eq!(b.tip(), a.tip(), "work {work_a}");
    assert_eq!(b.state().root(), a.state().root());
    assert_ne!(b.state().account(&address("alice")), before);
    for block in blocks_b {
        a.submit_block(block, u64::MAX / 2).expect("is valid");
    }
    assert_eq!(a.tip().total_work, work_a, "less work changes nothing");
    assert_eq!(b.state().root(), a.state().root());
}
