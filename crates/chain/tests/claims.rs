//! The way of a job through blocks: opened, drawn, claimed, and a reorganisation across the claim.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::{
    Counting, FEE, MemoryChain, NOW, address, find_claim, fresh, mine_on, next_block, open_job, problem,
    transaction, transfer,
};
use hysteron_chain::testing::{StubRunner, easy_genesis};
use hysteron_chain::{Archive, Block, Chain, ChainError, MemoryStorage, MempoolError, Outcome, SubmitError};
use hysteron_ledger::{Body, LedgerError, SignedTransaction, Status};
use hysteron_work::types::{JobId, ProblemId};
use hysteron_work::{Claim, LEGS, WorkError};

/// Tries nonces on the tip until a leg finds what would improve the job, and claims it with a bond.
fn find(chain: &mut MemoryChain, runner: &StubRunner, job: JobId, nonce: u64) -> SignedTransaction {
    let claim = find_claim(chain, runner, job, "alice", i64::MAX);
    let bond = chain.genesis().market.claim_bond;
    transaction(&easy_genesis(), "alice", nonce, FEE, Body::Claim { claim: Box::new(claim), bond })
}

#[test]
fn claims_are_checked_paid_and_reorganised() {
    let (mut chain, _, runner) = fresh();
    let mut blocks = vec![mine_on(&mut chain, &runner, "miner", 5)];
    let job = open_job(&mut chain);
    // The second node that follows by blocks alone.
    for _ in 0..4 {
        blocks.push(mine_on(&mut chain, &runner, "miner", 5));
    }
    assert_eq!(chain.state().job(&job).expect("is open").status, Status::Running);
    let claim = find(&mut chain, &runner, job, 0);
    let id = claim.id();
    chain.submit_transaction(claim.clone(), None).expect("is true");
    // A few blocks later it is still young enough.
    let fork = chain.tip().clone();
    let before = chain.state().root();
    blocks.push(mine_on(&mut chain, &runner, "miner", 5));
    assert!(blocks.last().expect("was mined").transactions.iter().any(|t| t.id() == id));
    let improved = chain.state().job(&job).expect("is open").best.expect("was improved");
    assert_eq!(improved.finder, address("alice"));
    assert!(chain.state().best_assignment(&job).is_some());
    blocks.push(mine_on(&mut chain, &runner, "miner", 5));

    // Another node judges all of it from the blocks.
    let (mut follower, _, _) = fresh();
    for block in &blocks {
        follower.submit_block(block.clone(), NOW).expect("is valid");
    }
    assert_eq!(follower.state().root(), chain.state().root());
    assert_eq!(
        follower.archive().problem_bytes(&ProblemId::of(&problem())).expect("reads").map(|b| b.len()),
        { Some(borsh::to_vec(&problem()).expect("encodes").len()) }
    );

    // A longer branch from before the claim takes it back; it returns to the mempool, and is true there too.
    let (mut other, _, _) = fresh();
    for block in &blocks[..fork.height as usize] {
        other.submit_block(block.clone(), NOW).expect("is valid");
    }
    assert_eq!(other.state().root(), before);
    let mut reorganised = None;
    for _ in 0..4 {
        let block = mine_on(&mut other, &runner, "bob", 4);
        let submission = chain.submit_block(block, NOW).expect("is valid");
        if matches!(submission.outcome, Outcome::Reorganised { .. }) {
            reorganised = Some(submission);
        }
    }
    assert_eq!(chain.tip(), other.tip());
    assert_eq!(chain.state().root(), other.state().root());
    assert_eq!(chain.state().job(&job).expect("is open").best, None);
    assert_eq!(reorganised.expect("it reorganised").returned, [id]);
    let block = mine_on(&mut chain, &runner, "miner", 5);
    assert_eq!(block.transactions, std::slice::from_ref(&claim));
    other.submit_block(block, NOW).expect("is valid");
    assert_eq!(chain.state().root(), other.state().root());
    assert_eq!(chain.state().job(&job).expect("is open").best.map(|best| best.score), Some(improved.score));
    let again = chain.submit_transaction(claim, None).expect_err("its nonce was used");
    assert_eq!(again.ban_score(), 0);
}

#[test]
fn false_and_foreign_claims() {
    let (mut chain, _, runner) = fresh();
    mine_on(&mut chain, &runner, "miner", 5);
    let job = open_job(&mut chain);
    for _ in 0..3 {
        mine_on(&mut chain, &runner, "miner", 5);
    }
    let signed = find(&mut chain, &runner, job, 0);
    let Body::Claim { claim, bond } = signed.transaction.body.clone() else { panic!("it is a claim") };
    let resign = |claim: Claim| {
        let body = Body::Claim { claim: Box::new(claim), bond };
        transaction(&easy_genesis(), "alice", 0, FEE, body)
    };
    // Another parent than the branch has.
    let mut foreign = hysteron_chain::HeaderBase::decode(&claim.header).expect("is a header");
    foreign.parent = [9; 32];
    let error = chain
        .submit_transaction(resign(Claim { header: foreign.encode(), ..(*claim).clone() }), None)
        .expect_err("the parent is unknown");
    assert!(matches!(error, SubmitError::Ledger(LedgerError::Claim { .. })), "{error}");
    // A header of no chain.
    let error = chain
        .submit_transaction(resign(Claim { header: vec![1; 100], ..(*claim).clone() }), None)
        .expect_err("is no header");
    assert!(matches!(error, SubmitError::Ledger(LedgerError::Claim { .. })), "{error}");
    // A digest that the leg does not give: the block may hold it, and the bond burns.
    let mut lie = (*claim).clone();
    lie.digests.last_mut().expect("has one")[0] ^= 1;
    let burned = chain.state().supply().burned;
    chain.submit_transaction(resign(lie), None).expect("whoever ran it may include it");
    let block = mine_on(&mut chain, &runner, "miner", 5);
    assert_eq!(block.transactions.len(), 1);
    assert!(chain.state().supply().burned >= burned + bond);
    assert_eq!(chain.state().job(&job).expect("is open").best, None);
}

#[test]
fn old_claims_need_tables_of_the_past() {
    let (mut chain, storage, runner) = fresh();
    mine_on(&mut chain, &runner, "miner", 5);
    let job = open_job(&mut chain);
    for _ in 0..3 {
        mine_on(&mut chain, &runner, "miner", 5);
    }
    let claim = find(&mut chain, &runner, job, 0);
    let age = chain.rules().work.claim_age_blocks;
    for _ in 1..age {
        mine_on(&mut chain, &runner, "miner", 5);
    }
    // A node that was restarted has no tables in memory; it makes them by undoing blocks.
    drop(chain);
    let mut chain =
        Chain::open(easy_genesis(), storage, Arc::new(runner.clone()), Default::default()).expect("opens");
    let root = chain.state().root();
    chain.submit_transaction(claim.clone(), None).expect("is as old as it may be");
    assert_eq!(chain.state().root(), root);
    mine_on(&mut chain, &runner, "miner", 5);
    assert!(chain.archive().transaction(&claim.id()).expect("reads").is_some());
}

#[test]
fn work_that_was_run_ahead_is_not_run_again() {
    let (mut chain, storage, runner) = fresh();
    let mut blocks = vec![mine_on(&mut chain, &runner, "miner", 5)];
    let job = open_job(&mut chain);
    blocks.extend((0..4).map(|_| mine_on(&mut chain, &runner, "miner", 5)));
    drop(storage);
    // Another node, which hears of the claim first in the mempool and then in a block.
    let storage = Arc::new(MemoryStorage::default());
    let counting = Arc::new(Counting::new(StubRunner::new(Arc::new(Archive::new(storage.clone())))));
    let mut other =
        Chain::open(easy_genesis(), storage, counting.clone(), Default::default()).expect("opens");
    let runs = || counting.runs.swap(0, Ordering::Relaxed);
    for block in &blocks {
        let work = other.work_ahead(block, NOW).expect("passes").expect("is new");
        assert_eq!(runs(), 0, "nothing is run before it is asked for");
        let done = work.run();
        assert!(done.held() && runs() == LEGS);
        other.submit_block_with(block.clone(), Some(&done), NOW).expect("is valid");
        assert_eq!(runs(), 0);
        assert!(other.work_ahead(block, NOW).expect("is known").is_none());
    }
    let claim = find(&mut chain, &runner, job, 0);
    let ahead = other.claim_ahead(&claim).expect("passes the cheap checks").expect("has a leg to run");
    assert_eq!(runs(), 0);
    ahead.run();
    assert_eq!(runs(), 1);
    other.submit_transaction(claim.clone(), None).expect("is fine");
    assert_eq!(runs(), 0);
    assert!(other.claim_ahead(&claim).expect("is known").is_none());
    // A claim that somebody else vouches for is not run at all.
    chain.submit_transaction(claim, None).expect("is fine");
    let block = mine_on(&mut chain, &runner, "miner", 5);
    let done = other.work_ahead(&block, NOW).expect("passes").expect("is new").run();
    assert_eq!(runs(), LEGS, "the claim's verdict is known");
    other.submit_block_with(block.clone(), Some(&done), NOW).expect("is valid");
    assert_eq!(other.state().root(), chain.state().root());
    // A result of another block says nothing about this one.
    let next = mine_on(&mut chain, &runner, "miner", 5);
    other.submit_block_with(next, Some(&done), NOW).expect("is valid");
    assert_eq!(runs(), LEGS);
}

#[test]
fn forged_work_is_refused_though_it_was_run_ahead() {
    let (mut chain, _, runner) = fresh();
    let block = next_block(&mut chain, &runner, "miner", 5);
    let rules = easy_genesis().work;
    // Digests are invented until the cheap checks pass: targets here are easy.
    let mut forged = block.clone();
    let cheap = |block: &Block| {
        let header = &block.header;
        hysteron_work::check_cheap(&header.seed(), &header.proof(), &rules, &header.post_target).is_ok()
    };
    let mut word = 0u64;
    while forged == block || !cheap(&forged) {
        word += 1;
        forged.header.digests[3][..8].copy_from_slice(&word.to_le_bytes());
    }
    let done = chain.work_ahead(&forged, NOW).expect("passes the cheap checks").expect("is new").run();
    assert!(!done.held());
    let error = chain.submit_block_with(forged.clone(), Some(&done), NOW).expect_err("is forged");
    assert!(matches!(error, ChainError::Work(WorkError::Digest { leg: 4 })), "{error}");
    assert!(error.is_found_late() && error.ban_score() > 0);
    assert!(matches!(chain.work_ahead(&forged, NOW), Err(ChainError::KnownInvalid)));
    chain.submit_block(block, NOW).expect("is valid");
}

/// Nonces that are ahead are not looked into, so whoever passes on what then proves to be forged is honest.
#[test]
fn who_passes_on_a_forged_claim_with_a_bond_is_not_banned() {
    let (mut chain, _, runner) = fresh();
    let mut blocks = vec![mine_on(&mut chain, &runner, "miner", 5)];
    let job = open_job(&mut chain);
    blocks.extend((0..4).map(|_| mine_on(&mut chain, &runner, "miner", 5)));
    let (mut behind, _, _) = fresh();
    for block in &blocks {
        behind.submit_block(block.clone(), NOW).expect("is valid");
    }
    let mut claim = find_claim(&mut chain, &runner, job, "alice", i64::MAX);
    let rules = easy_genesis().work;
    let cheap = |claim: &Claim| {
        let seed = hysteron_work::hash("header", &[&claim.header]);
        hysteron_work::check_claim_cheap(&seed, claim, &Default::default(), &rules).is_ok()
    };
    while cheap(&claim) {
        claim.nonce += 1;
    }
    let body = Body::Claim { claim: Box::new(claim), bond: chain.genesis().market.claim_bond };
    let forged = transaction(&easy_genesis(), "alice", 1, FEE, body);
    // A node that has not seen the block with the nonce before passes it on; one that has seen it knows.
    behind.submit_transaction(forged.clone(), None).expect("waits for its nonce");
    chain.submit_transaction(transfer(&easy_genesis(), "alice", "bob", 1, 0, FEE), None).expect("is fine");
    mine_on(&mut chain, &runner, "miner", 5);
    let error = chain.submit_transaction(forged, None).expect_err("is forged");
    assert_eq!(error.ban_score(), 0, "{error}");
}

#[test]
fn no_leg_is_run_for_a_claim_that_finds_no_place() {
    let (mut chain, _, runner) = fresh();
    let mut blocks = vec![mine_on(&mut chain, &runner, "miner", 5)];
    let job = open_job(&mut chain);
    blocks.extend((0..4).map(|_| mine_on(&mut chain, &runner, "miner", 5)));
    let storage = Arc::new(MemoryStorage::default());
    let counting = Arc::new(Counting::new(StubRunner::new(Arc::new(Archive::new(storage.clone())))));
    let mut node = Chain::open(easy_genesis(), storage, counting.clone(), Default::default()).expect("opens");
    for block in &blocks {
        node.submit_block(block.clone(), NOW).expect("is valid");
    }
    let true_one = find(&mut chain, &runner, job, 0);
    let Body::Claim { claim, bond } = true_one.transaction.body.clone() else { panic!("it is a claim") };
    let lie = |variant: u8| {
        let mut lie = claim.clone();
        lie.digests.last_mut().expect("has one")[0] ^= variant;
        transaction(&easy_genesis(), "alice", 0, FEE, Body::Claim { claim: lie, bond })
    };
    counting.runs.store(0, Ordering::Relaxed);
    node.submit_transaction(lie(1), None).expect("its bond burns");
    assert_eq!(counting.runs.load(Ordering::Relaxed), 1);
    // One account with one bond would have a node run a leg for each of these.
    for variant in 2..10 {
        let error = node.claim_ahead(&lie(variant)).expect_err("pays no more than what waits");
        assert!(matches!(error, SubmitError::Mempool(MempoolError::Underpriced { .. })), "{error}");
        assert!(node.submit_transaction(lie(variant), None).is_err());
    }
    assert_eq!(counting.runs.load(Ordering::Relaxed), 1);
}
