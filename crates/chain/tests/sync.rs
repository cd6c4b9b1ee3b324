//! Headers first, sampled re-running of work, imports of long branches.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::{MemoryChain, address, fresh, next_block};
use hysteron_chain::storage::{Batch, Column, Pairs};
use hysteron_chain::sync::SAMPLES_MIN;
use hysteron_chain::testing::{StubRunner, easy_genesis, mine};
use hysteron_chain::{
    Block, Chain, ChainError, ChainOptions, Checkpoint, HeaderSync, ImportPlan, MemoryStorage, Outcome,
    Storage, StorageError,
};
use hysteron_work::{Leg, LegOutput, LegRunner, Table, WorkError};

const NOW: u64 = u64::MAX / 2;

fn grown(blocks: usize, miner: &str, after_s: u64) -> (MemoryChain, Vec<Block>) {
    let (mut chain, _, runner) = fresh();
    let blocks = (0..blocks)
        .map(|_| {
            let block = next_block(&mut chain, &runner, miner, after_s);
            chain.submit_block(block.clone(), NOW).expect("is valid");
            block
        })
        .collect();
    (chain, blocks)
}

/// Counts runs, and lies about none.
struct Counting(StubRunner, AtomicUsize);

impl LegRunner for Counting {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.run(table, leg, stop)
    }
}

/// A runner whose digests nobody else gets: for making forged work that passes every cheap check.
struct Forger(StubRunner);

impl LegRunner for Forger {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        let mut output = self.0.run(table, leg, stop)?;
        output.digest[0] ^= 1;
        Ok(output)
    }
}

fn counted(options: ChainOptions) -> (Chain<MemoryStorage>, Arc<Counting>) {
    let counting = Arc::new(Counting(StubRunner::without_problems(), AtomicUsize::new(0)));
    let storage = Arc::new(MemoryStorage::default());
    let chain = Chain::open(easy_genesis(), storage, counting.clone(), options).expect("opens");
    (chain, counting)
}

/// Drives a synchronisation as a network layer would.
fn fetch_headers(chain: &MemoryChain, peer: &MemoryChain) -> HeaderSync {
    let locator = chain.locator().expect("reads");
    let first = peer.headers_after(&locator, 10).expect("reads");
    let mut sync = chain.header_sync(&first[0].parent).expect("the parent is known");
    let mut answer = first;
    while !answer.is_empty() {
        sync.accept(answer, NOW).expect("headers hold");
        answer = peer.headers_after(&[*sync.last()], 50).expect("reads");
    }
    assert_eq!(sync.last(), &peer.tip().hash);
    assert_eq!(sync.total_work(), peer.tip().total_work);
    sync
}

fn import_all(chain: &mut MemoryChain, peer: &MemoryChain, plan: &mut ImportPlan) {
    while !plan.is_done() {
        let wanted = plan.wanted(0, 32).to_vec();
        let blocks: Vec<Block> =
            wanted.iter().map(|hash| peer.archive().block(hash).expect("reads").expect("has it")).collect();
        let imported = chain.import(plan, blocks, NOW);
        assert_eq!(imported.refused, None);
        assert_eq!(imported.submissions.len(), wanted.len());
    }
}

#[test]
fn a_fresh_node_catches_up() {
    let (peer, _) = grown(300, "miner", 5);
    let (mut chain, counting) = counted(ChainOptions::default());
    let sync = fetch_headers(&chain, &peer);
    let mut plan = chain.plan_import(sync, &[3; 32]).expect("it is more work");
    assert_eq!(plan.verified(), 300, "without a checkpoint everything is run again");
    import_all(&mut chain, &peer, &mut plan);
    assert_eq!(chain.tip(), peer.tip());
    assert_eq!(chain.state().root(), peer.state().root());
    assert_eq!(counting.1.load(Ordering::Relaxed), 4 * 300);
}

#[test]
fn below_a_checkpoint_a_sample_is_enough() {
    let (peer, blocks) = grown(300, "miner", 5);
    let checkpoint = Checkpoint { height: 250, hash: blocks[249].hash() };
    let options = ChainOptions { checkpoint: Some(checkpoint), ..ChainOptions::default() };
    let (mut chain, counting) = counted(options);
    let sync = fetch_headers(&chain, &peer);
    let mut plan = chain.plan_import(sync, &[3; 32]).expect("it is more work");
    assert_eq!(plan.verified(), SAMPLES_MIN + 50);
    import_all(&mut chain, &peer, &mut plan);
    assert_eq!(chain.tip(), peer.tip());
    assert_eq!(counting.1.load(Ordering::Relaxed), 4 * (SAMPLES_MIN + 50));
    // Headers that do not reach the checkpoint are vouched for by nobody.
    let (mut chain, _) = counted(options);
    let (short, _) = grown(120, "miner", 5);
    let sync = fetch_headers(&chain, &short);
    let plan = chain.plan_import(sync, &[3; 32]).expect("it is more work");
    assert_eq!(plan.verified(), 120);
    // And another block at its height is refused.
    let (other, others) = grown(260, "bob", 5);
    let mut sync = chain.header_sync(&chain.tip().hash).expect("the tip is known");
    let headers = others.iter().map(|block| block.header.clone()).collect();
    assert!(matches!(sync.accept(headers, NOW), Err(ChainError::Checkpoint { height: 250 })));
    assert_eq!(sync.len(), 249);
    for block in others.into_iter().take(249) {
        chain.submit_block(block, NOW).expect("is valid so far");
    }
    let contradicting = other.archive().canonical(250).expect("reads").expect("is there");
    let block = other.archive().block(&contradicting).expect("reads").expect("is there");
    let error = chain.submit_block(block, NOW).expect_err("contradicts the release");
    assert!(matches!(error, ChainError::Checkpoint { .. }));
}

#[test]
fn forged_work_ends_an_import_where_it_stands() {
    // The peer's node believes its own forger; its headers pass all cheap checks.
    let runner = StubRunner::without_problems();
    let forger = Arc::new(Forger(runner.clone()));
    let storage = Arc::new(MemoryStorage::default());
    let (_, honest) = grown(20, "miner", 5);
    let (mut ours, blocks_ours) = grown(25, "alice", 5);
    let options = ChainOptions::default();
    let mut liar: Chain<MemoryStorage> =
        Chain::open(easy_genesis(), storage.clone(), Arc::new(runner), options).expect("opens");
    for block in honest {
        liar.submit_block(block, NOW).expect("is valid");
    }
    drop(liar);
    let mut liar: Chain<MemoryStorage> =
        Chain::open(easy_genesis(), storage, forger.clone(), options).expect("opens");
    for _ in 0..30 {
        let now = liar.tip().time + 2;
        let template = liar.template(address("bob"), now, Default::default()).expect("a template");
        let block = mine(template, &easy_genesis().work, &*forger);
        liar.submit_block(block, NOW).expect("it believes itself");
    }
    let sync = fetch_headers(&ours, &liar);
    assert!(sync.total_work() > ours.tip().total_work);
    let mut plan = ours.plan_import(sync, &[3; 32]).expect("it claims more work");
    let tip = ours.tip().clone();
    let mut refused = None;
    while refused.is_none() && !plan.is_done() {
        let blocks: Vec<Block> = plan
            .wanted(0, 8)
            .iter()
            .map(|hash| liar.archive().block(hash).expect("reads").expect("has it"))
            .collect();
        refused = ours.import(&mut plan, blocks, NOW).refused;
    }
    let (_, error) = refused.expect("the forgery is found");
    assert!(matches!(error, ChainError::Work(WorkError::Digest { leg: 1 })), "{error}");
    assert!(error.ban_score() >= hysteron_chain::BAN_SCORE);
    assert_eq!(plan.progress().0, 20, "the honest blocks were taken, as a side branch or the best");
    assert_eq!(ours.tip(), &tip);
    // The node is as it was: it goes on, and ends where one that never met the liar does.
    let block = next_block(&mut ours, &StubRunner::without_problems(), "alice", 5);
    assert_eq!(ours.submit_block(block.clone(), NOW).expect("is valid").outcome, Outcome::Extended);
    let (mut never, _, _) = fresh();
    for block in blocks_ours.into_iter().chain([block]) {
        never.submit_block(block, NOW).expect("is valid");
    }
    assert_eq!(never.tip(), ours.tip());
    assert_eq!(never.state().root(), ours.state().root());
}

#[test]
fn a_long_branch_comes_by_import_only() {
    let options =
        ChainOptions { side_depth_max: 10, reorganisation_depth_max: 40, ..ChainOptions::default() };
    let (peer, blocks) = grown(60, "miner", 5);
    let (mut chain, _) = counted(options);
    let runner = StubRunner::without_problems();
    for _ in 0..30 {
        let block = next_block(&mut chain, &runner, "alice", 9);
        chain.submit_block(block, NOW).expect("is valid");
    }
    let error = chain.submit_block(blocks[0].clone(), NOW).expect_err("is too deep alone");
    assert!(matches!(error, ChainError::TooDeep { depth: 30, limit: 10 }), "{error}");
    let sync = fetch_headers(&chain, &peer);
    let mut plan = chain.plan_import(sync, &[9; 32]).expect("it is more work");
    import_all(&mut chain, &peer, &mut plan);
    assert_eq!(chain.tip(), peer.tip());
    assert_eq!(chain.state().root(), peer.state().root());
    // Beyond the deepest reorganisation even headers are refused.
    let genesis = chain.archive().canonical(0).expect("reads").expect("is there");
    assert!(matches!(chain.header_sync(&genesis), Err(ChainError::TooDeep { depth: 60, limit: 40 })));
    // No work, no plan.
    let sync = chain.header_sync(&chain.tip().hash).expect("the tip is known");
    assert!(chain.plan_import(sync, &[0; 32]).is_none());
}

/// Counts the deltas that are read: each is a step of the state.
#[derive(Default)]
struct CountingStorage(MemoryStorage, AtomicUsize);

impl Storage for CountingStorage {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        if column == Column::Deltas {
            self.1.fetch_add(1, Ordering::Relaxed);
        }
        self.0.get(column, key)
    }
    fn range(&self, column: Column, from: &[u8], count_max: usize) -> Result<Pairs, StorageError> {
        self.0.range(column, from, count_max)
    }
    fn commit(&self, batch: &Batch) -> Result<(), StorageError> {
        self.0.commit(batch)
    }
}

#[test]
fn a_long_side_branch_costs_a_step_a_block() {
    let (peer, _) = grown(100, "miner", 5);
    let storage = Arc::new(CountingStorage::default());
    let runner = Arc::new(StubRunner::without_problems());
    let mut chain =
        Chain::open(easy_genesis(), storage.clone(), runner.clone(), ChainOptions::default()).expect("opens");
    for _ in 0..90 {
        let now = chain.tip().time + 5;
        let template = chain.template(address("alice"), now, Default::default()).expect("a template");
        let block = mine(template, &easy_genesis().work, &*runner);
        chain.submit_block(block, NOW).expect("is valid");
    }
    let genesis = chain.archive().canonical(0).expect("reads").expect("is there");
    let mut sync = chain.header_sync(&genesis).expect("is within the deepest reorganisation");
    sync.accept(peer.headers_after(&[genesis], 200).expect("reads"), NOW).expect("headers hold");
    let mut plan = chain.plan_import(sync, &[1; 32]).expect("it is more work");
    storage.1.store(0, Ordering::Relaxed);
    while !plan.is_done() {
        // As a node drives it: one block at a time, its work run in between.
        let block = peer.archive().block(&plan.wanted(0, 1)[0]).expect("reads").expect("has it");
        let work = chain.import_ahead(&plan, &block, NOW).expect("passes").expect("is new").run();
        chain.import_next(&mut plan, &block, Some(&work), NOW).expect("is valid");
    }
    chain.return_to_tip().expect("moves");
    assert_eq!(chain.tip(), peer.tip());
    assert_eq!(chain.state().root(), peer.state().root());
    let steps = storage.1.load(Ordering::Relaxed);
    // Down the 90 blocks once, and what the change of tip reads of both branches once; to and fro would be 90 * 90.
    assert!(steps < 400, "{steps} steps");
}

#[test]
fn blocks_out_of_plan_are_refused_softly() {
    let (peer, blocks) = grown(5, "miner", 5);
    let (mut chain, _) = counted(ChainOptions::default());
    let sync = fetch_headers(&chain, &peer);
    let mut plan = chain.plan_import(sync, &[3; 32]).expect("it is more work");
    let imported = chain.import(&mut plan, vec![blocks[1].clone()], NOW);
    assert!(matches!(imported.refused, Some((_, ChainError::Unplanned))));
    assert!(plan.wanted(3, 10).len() == 2 && plan.wanted(9, 10).is_empty());
    // A block that came by gossip meanwhile is simply counted.
    chain.submit_block(blocks[0].clone(), NOW).expect("is valid");
    let imported = chain.import(&mut plan, blocks.clone(), NOW);
    assert_eq!(imported.refused, None);
    assert_eq!(imported.submissions[0].outcome, Outcome::Known);
    assert!(plan.is_done());
    assert_eq!(chain.tip(), peer.tip());
}

#[test]
fn locators_find_the_fork() {
    let (peer, blocks) = grown(100, "miner", 5);
    let (mut chain, _) = counted(ChainOptions::default());
    for block in &blocks[..70] {
        chain.submit_block(block.clone(), NOW).expect("is valid");
    }
    let runner = StubRunner::without_problems();
    for _ in 0..3 {
        let block = next_block(&mut chain, &runner, "bob", 6);
        chain.submit_block(block, NOW).expect("is valid");
    }
    let locator = chain.locator().expect("reads");
    assert!(locator.len() <= hysteron_chain::LOCATOR_MAX);
    assert_eq!(locator[0], chain.tip().hash);
    assert_eq!(locator.last(), chain.archive().canonical(0).expect("reads").as_ref());
    let headers = peer.headers_after(&locator, 5).expect("reads");
    assert_eq!(headers.len(), 5);
    assert_eq!(headers[0].parent, blocks[69].hash());
    assert_eq!(peer.headers_after(&[[9; 32]], 2000).expect("reads").len(), 100, "else from the genesis");
}
