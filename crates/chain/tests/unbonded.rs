//! Claims without a bond, from accounts without coins: in the mempool, in blocks, across reorganisations.

mod common;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use common::{
    Counting, EVERYTHING, MemoryChain, NOW, address, find_claim, fresh, mine_on, next_block, open_job,
    transfer, unbonded,
};
use hysteron_chain::mempool::{Candidate, SelectionLimits};
use hysteron_chain::testing::{StubRunner, easy_genesis, mine};
use hysteron_chain::{
    Archive, BAN_SCORE, Block, Chain, ChainError, MemoryStorage, Mempool, MempoolError, MempoolLimits,
    Outcome, SubmitError, TemplateLimits,
};
use hysteron_ledger::{Body, Finding, LedgerError, Score, SignedTransaction};
use hysteron_work::Claim;
use hysteron_work::types::JobId;
use proptest::prelude::*;

const NEWCOMER: &str = "newcomer";

/// A chain with a job that runs.
fn with_job() -> (MemoryChain, StubRunner, JobId, Vec<Block>) {
    let (mut chain, _, runner) = fresh();
    let mut blocks = vec![mine_on(&mut chain, &runner, "miner", 5)];
    let job = open_job(&mut chain);
    blocks.extend((0..4).map(|_| mine_on(&mut chain, &runner, "miner", 5)));
    (chain, runner, job, blocks)
}

fn balance(chain: &MemoryChain, name: &str) -> u64 {
    chain.state().account(&address(name)).balance
}

fn energy(chain: &MemoryChain, job: &JobId) -> Option<i64> {
    chain.state().job(job).expect("is open").best.map(|best| best.score.energy)
}

/// The same claim with another digest: the leg does not give it.
fn falsified(claim: &Claim) -> Claim {
    let mut lie = claim.clone();
    lie.digests.last_mut().expect("has one")[0] ^= 1;
    lie
}

#[test]
fn a_newcomer_is_paid_and_a_reorganisation_brings_the_claim_back() {
    let (mut chain, runner, job, mut blocks) = with_job();
    let claim = unbonded(NEWCOMER, find_claim(&mut chain, &runner, job, NEWCOMER, i64::MAX));
    assert_eq!(balance(&chain, NEWCOMER), 0);
    let fork = chain.tip().clone();
    chain.submit_transaction(claim.clone(), None).expect("is true");
    assert!(matches!(
        chain.submit_transaction(claim.clone(), None),
        Err(SubmitError::Mempool(MempoolError::Known))
    ));
    assert_eq!(chain.mempool().next_nonce(&address(NEWCOMER), 0), 0, "it has no nonce");
    assert!(!chain.keep_waiting(&claim.id()).expect("the disk is well"), "claims are made anew");
    blocks.push(mine_on(&mut chain, &runner, "miner", 5));
    let paid = balance(&chain, NEWCOMER);
    assert!(paid > 0 && chain.mempool().is_empty());
    let again = chain.submit_transaction(claim.clone(), None).expect_err("it improves nothing now");
    assert_eq!(again.ban_score(), 0);
    // With the first coins the newcomer does what everybody does, in one block with the next claim.
    let better = energy(&chain, &job).expect("was improved");
    let second = unbonded(NEWCOMER, find_claim(&mut chain, &runner, job, NEWCOMER, better));
    chain
        .submit_transaction(transfer(&easy_genesis(), NEWCOMER, "bob", 1, 0, 1_000_000), None)
        .expect("is fine");
    chain.submit_transaction(second.clone(), None).expect("is true");
    let block = mine_on(&mut chain, &runner, "miner", 5);
    assert_eq!(block.transactions.len(), 2);
    blocks.push(block);

    // Another node judges all of it from the blocks.
    let (mut follower, _, _) = fresh();
    for block in &blocks {
        follower.submit_block(block.clone(), NOW).expect("is valid");
    }
    assert_eq!(follower.state().root(), chain.state().root());

    // A longer branch from before the claims takes them back. The first returns and is mined again; the second is not true there,
    // since its parent is a block that is gone.
    let (mut other, _, _) = fresh();
    for block in &blocks[..fork.height as usize] {
        other.submit_block(block.clone(), NOW).expect("is valid");
    }
    let mut returned = Vec::new();
    for _ in 0..5 {
        let block = mine_on(&mut other, &runner, "bob", 4);
        returned.extend(chain.submit_block(block, NOW).expect("is valid").returned);
    }
    assert_eq!(chain.tip(), other.tip());
    assert_eq!((balance(&chain, NEWCOMER), energy(&chain, &job)), (0, None));
    assert_eq!(returned, [claim.id()]);
    let block = mine_on(&mut chain, &runner, "miner", 5);
    assert_eq!(block.transactions, std::slice::from_ref(&claim));
    assert_eq!(balance(&chain, NEWCOMER), paid);
    other.submit_block(block, NOW).expect("is valid");
    assert_eq!(other.state().root(), chain.state().root());
}

#[test]
fn a_false_one_costs_its_sender_the_connection_and_is_in_no_block() {
    let (mut chain, runner, job, _) = with_job();
    let claim = find_claim(&mut chain, &runner, job, NEWCOMER, i64::MAX);
    let lie = unbonded(NEWCOMER, falsified(&claim));
    let error = chain.submit_transaction(lie.clone(), None).expect_err("is false");
    assert_eq!((error.clone(), error.ban_score()), (SubmitError::Ledger(LedgerError::ClaimFalse), BAN_SCORE));
    // One whose nonce was never ground does not reach the run.
    let mut forged = claim.clone();
    let rules = easy_genesis().work;
    let cheap = |claim: &Claim| {
        let seed = hysteron_work::hash("header", &[&claim.header]);
        let table = Default::default();
        hysteron_work::check_claim_cheap(&seed, claim, &table, &rules).is_ok()
    };
    while cheap(&forged) {
        forged.nonce += 1;
    }
    let error = chain.submit_transaction(unbonded(NEWCOMER, forged), None).expect_err("is forged");
    assert!(matches!(error, SubmitError::Ledger(LedgerError::ClaimForged { .. })), "{error}");
    assert_eq!(error.ban_score(), BAN_SCORE);
    assert!(chain.mempool().is_empty());
    // A miner who includes it has worked for nothing.
    chain.submit_transaction(unbonded(NEWCOMER, claim), None).expect("is true");
    let mut template =
        chain.template(address("bob"), chain.tip().time + 5, TemplateLimits::default()).expect("a template");
    assert_eq!(template.transactions.len(), 1);
    template.transactions = vec![lie];
    template.header.transaction_root = Block::transaction_root(&template.transactions);
    let before = chain.state().root();
    let block = mine(template, &rules, &runner);
    let error = chain.submit_block(block.clone(), NOW).expect_err("is invalid");
    let ChainError::Ledger(LedgerError::BlockTransaction { error: inner, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!(**inner, LedgerError::ClaimFalse);
    assert!(error.ban_score() == BAN_SCORE && error.condemns_header() && error.is_found_late());
    assert_eq!(chain.state().root(), before);
    assert_eq!(chain.submit_block(block, NOW), Err(ChainError::KnownInvalid));
}

#[test]
fn the_best_of_a_job_waits_and_no_leg_is_run_for_the_others() {
    let (mut chain, runner, job, blocks) = with_job();
    let storage = Arc::new(MemoryStorage::default());
    let counting = Arc::new(Counting::new(StubRunner::new(Arc::new(Archive::new(storage.clone())))));
    let mut node = Chain::open(easy_genesis(), storage, counting.clone(), Default::default()).expect("opens");
    for block in &blocks {
        node.submit_block(block.clone(), NOW).expect("is valid");
    }
    let runs = || counting.runs.swap(0, Ordering::Relaxed);
    runs();
    let score = |chain: &MemoryChain, signed: &SignedTransaction| {
        chain.mempool().get(&signed.id()).and_then(|c| c.finding).expect("it waits").score.energy
    };
    let first = find_claim(&mut chain, &runner, job, NEWCOMER, i64::MAX);
    let worse = unbonded(NEWCOMER, first.clone());
    node.submit_transaction(worse.clone(), None).expect("is true");
    assert_eq!(runs(), 1);
    // Copies of it by other keys: nothing is run, nothing waits.
    for name in ["alice", "bob", "nobody"] {
        let copy = unbonded(name, first.clone());
        assert!(matches!(node.claim_ahead(&copy), Err(SubmitError::Mempool(MempoolError::Overtaken))));
        assert!(matches!(
            node.submit_transaction(copy, None),
            Err(SubmitError::Mempool(MempoolError::Overtaken))
        ));
    }
    // Lies about as much, too.
    let lie = unbonded("nobody", falsified(&first));
    assert!(matches!(node.submit_transaction(lie, None), Err(SubmitError::Mempool(MempoolError::Overtaken))));
    assert_eq!((runs(), node.mempool().len()), (0, 1));
    // A better one takes the place.
    let found = find_claim(&mut chain, &runner, job, "nobody", score(&node, &worse));
    let better = unbonded("nobody", found);
    node.claim_ahead(&better).expect("passes").expect("has a leg").run();
    let admitted = node.submit_transaction(better.clone(), None).expect("is better");
    assert_eq!((admitted.inserted.replaced, node.mempool().len()), (Some(worse.id()), 1));
    assert_eq!(runs(), 1);
    assert!(node.submit_transaction(worse, None).is_err());
    // Once a block has as much, it is gone.
    let best = score(&node, &better);
    let claim = unbonded("alice", find_claim(&mut chain, &runner, job, "alice", best));
    chain.submit_transaction(claim, None).expect("is true");
    let block = next_block(&mut chain, &runner, "miner", 5);
    assert_eq!(block.transactions.len(), 1);
    let submission = node.submit_block(block, NOW).expect("is valid");
    assert_eq!((submission.outcome, submission.dropped), (Outcome::Extended, vec![better.id()]));
    assert!(node.mempool().is_empty());
}

#[test]
fn one_that_no_block_takes_in_time_is_forgotten() {
    let (mut chain, runner, job, _) = with_job();
    let claim = unbonded(NEWCOMER, find_claim(&mut chain, &runner, job, NEWCOMER, i64::MAX));
    chain.submit_transaction(claim, None).expect("is true");
    let age = chain.rules().work.claim_age_blocks;
    for block in 1..=age {
        assert_eq!(chain.mempool().len(), 1, "before block {block}");
        let template = chain
            .template_on(&chain.tip().hash.clone(), address("miner"), chain.tip().time + 5, vec![])
            .expect("a template");
        let block = mine(template, &easy_genesis().work, &runner);
        chain.submit_block(block, NOW).expect("is valid");
    }
    assert!(chain.mempool().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Beside the transactions of accounts, of the same senders: one waits for each job, the best that came, and the bounds hold.
    #[test]
    fn findings_wait_apart(
        operations in prop::collection::vec((0usize..4, 0u64..4, 0u8..3, 0i64..30, 1u64..40, any::<bool>()), 1..80),
    ) {
        let genesis = easy_genesis();
        let names = ["alice", "bob", "customer", "miner"];
        let limits = MempoolLimits { count_max: 8, ..MempoolLimits::default() };
        let account = hysteron_chain::mempool::AccountView { nonce: 0, balance: u64::MAX };
        let mut pool = Mempool::new(limits);
        for (who, nonce, job, energy, fee, is_finding) in operations {
            let signed = transfer(&genesis, names[who], "bob", 1 + energy as u64, nonce, fee);
            let score = Score { hard_unsatisfied: 0, energy };
            let finding = is_finding.then_some(Finding { job: JobId([job; 32]), score, last_height: 9 });
            let candidate = Candidate { finding, ..Candidate::new(signed.clone(), None) };
            let waiting = |pool: &Mempool, job: &JobId| {
                pool.ids().filter_map(|id| pool.get(id)?.finding).find(|finding| finding.job == *job)
            };
            let before = finding.and_then(|finding| waiting(&pool, &finding.job));
            match (pool.insert(candidate, account, 0), finding) {
                (Ok(_), Some(finding)) => {
                    prop_assert_eq!(waiting(&pool, &finding.job), Some(finding));
                    prop_assert!(before.is_none_or(|before| finding.score < before.score));
                }
                (Err(MempoolError::Overtaken), Some(finding)) => {
                    prop_assert!(before.is_some_and(|before| before.score <= finding.score));
                }
                (Err(error), _) => prop_assert!(!matches!(error, MempoolError::Overtaken)),
                (Ok(_), None) => prop_assert!(pool.contains(&signed.id())),
            }
            prop_assert!(pool.len() <= 8);
            let ids: Vec<_> = pool.ids().copied().collect();
            let findings: Vec<_> = ids.iter().filter_map(|id| pool.get(id).expect("is here").finding).collect();
            let in_sequence: usize = names.iter().map(|name| pool.of_sender(&address(name)).count()).sum();
            prop_assert_eq!(findings.len() + in_sequence, pool.len());
            let bytes: usize = ids.iter().map(|id| pool.get(id).expect("is here").transaction.encode().len()).sum();
            prop_assert_eq!(bytes, pool.bytes());
            // All findings are chosen, whatever gaps their senders' nonces have.
            let chosen = pool.select(EVERYTHING, |_| 0);
            prop_assert_eq!(chosen.iter().filter(|c| c.finding.is_some()).count(), findings.len());
            let two = pool.select(SelectionLimits { transactions_max: 2, ..EVERYTHING }, |_| 0);
            prop_assert!(two.len() == chosen.len().min(2));
        }
        let gone = pool.settle_findings(|finding| finding.score.energy < 10);
        prop_assert!(gone.iter().all(|id| !pool.contains(id)));
        prop_assert!(pool.ids().filter_map(|id| pool.get(id)?.finding).all(|finding| finding.score.energy < 10));
        for id in pool.ids().copied().collect::<Vec<_>>() {
            pool.remove(&id);
        }
        prop_assert!(pool.is_empty() && pool.bytes() == 0);
    }
}

/// Claims with a bond of the same account go on as ever, and one that fails takes none without a bond along.
#[test]
fn both_kinds_in_one_block() {
    let (mut chain, runner, job, _) = with_job();
    let genesis = easy_genesis();
    let found = find_claim(&mut chain, &runner, job, "alice", i64::MAX);
    let bond = genesis.market.claim_bond;
    let bonded = |claim: &Claim, nonce| {
        let body = Body::Claim { claim: Box::new(claim.clone()), bond };
        common::transaction(&genesis, "alice", nonce, common::FEE, body)
    };
    // The same find with and without: the one that comes first counts, by its fee the bonded one.
    chain.submit_transaction(bonded(&found, 0), None).expect("is fine");
    chain.submit_transaction(unbonded("alice", found.clone()), None).expect("waits as well");
    chain.submit_transaction(transfer(&genesis, "alice", "bob", 1, 1, 1_000_000), None).expect("is fine");
    let block = mine_on(&mut chain, &runner, "miner", 5);
    assert_eq!(block.transactions.len(), 2, "the bonded claim and the transfer behind it");
    assert!(chain.mempool().is_empty());
    assert_eq!(chain.state().account(&address("alice")).nonce, 2);
}
