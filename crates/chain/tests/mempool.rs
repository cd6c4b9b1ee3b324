//! The mempool alone (bounds, order, replacement) and with the chain (templates, reorganisations).

mod common;

use common::{EVERYTHING, address, chain_of, fresh, next_block, transfer};
use hysteron_chain::mempool::{AccountView, Candidate, SelectionLimits};
use hysteron_chain::testing::{easy_genesis, mine};
use hysteron_chain::{
    Chain, ChainOptions, Mempool, MempoolError, MempoolLimits, Outcome, SubmitError, TemplateLimits,
};
use hysteron_ledger::Genesis;
use proptest::prelude::*;

const NAMES: [&str; 4] = ["alice", "bob", "customer", "miner"];
const RICH: AccountView = AccountView { nonce: 0, balance: u64::MAX };

fn candidate(genesis: &Genesis, from: &str, nonce: u64, fee: u64, weight: u64) -> Candidate {
    Candidate { weight, ..Candidate::new(transfer(genesis, from, "bob", 1 + nonce, nonce, fee), None) }
}

fn small(count_max: usize) -> MempoolLimits {
    MempoolLimits { count_max, per_sender_max: 4, ..MempoolLimits::default() }
}

#[test]
fn better_paid_first_and_nonces_in_order() {
    let genesis = easy_genesis();
    let mut pool = Mempool::new(MempoolLimits::default());
    // By fee over weight: bob 30/1, alice 10 then 50, customer 40/2.
    for (name, nonce, fee, weight) in
        [("alice", 1, 50, 1), ("alice", 0, 10, 1), ("bob", 0, 30, 1), ("customer", 0, 40, 2)]
    {
        pool.insert(candidate(&genesis, name, nonce, fee, weight), RICH, 0).expect("finds a place");
    }
    let order: Vec<u64> =
        pool.select(EVERYTHING, |_| 0).iter().map(|c| c.transaction.transaction.fee).collect();
    assert_eq!(order, [30, 40, 10, 50]);
    let two = SelectionLimits { transactions_max: 2, ..EVERYTHING };
    assert_eq!(pool.select(two, |_| 0).len(), 2);
    // A gap holds back what is behind it.
    let ids: Vec<_> = pool.of_sender(&address("alice")).map(|c| c.transaction.id()).collect();
    pool.remove(&ids[0]);
    assert_eq!(pool.select(EVERYTHING, |_| 0).len(), 2);
    assert_eq!(pool.next_nonce(&address("alice"), 0), 0);
    assert_eq!(pool.next_nonce(&address("alice"), 1), 2);
}

#[test]
fn replacement_needs_a_tenth_more() {
    let genesis = easy_genesis();
    let mut pool = Mempool::new(MempoolLimits::default());
    let first = candidate(&genesis, "alice", 0, 1000, 10);
    let id = first.transaction.id();
    pool.insert(first.clone(), RICH, 0).expect("finds a place");
    assert_eq!(pool.insert(first, RICH, 0), Err(MempoolError::Known));
    let refused = pool.insert(candidate(&genesis, "alice", 0, 1099, 10), RICH, 0);
    assert_eq!(refused, Err(MempoolError::Underpriced { fee_min: 1100 }));
    // More fee for much more weight is no better.
    assert!(pool.insert(candidate(&genesis, "alice", 0, 1500, 20), RICH, 0).is_err());
    let inserted = pool.insert(candidate(&genesis, "alice", 0, 1100, 10), RICH, 0).expect("pays enough");
    assert_eq!(inserted.replaced, Some(id));
    assert_eq!(pool.len(), 1);
}

#[test]
fn a_full_pool_keeps_the_better_paid() {
    let genesis = easy_genesis();
    let mut pool = Mempool::new(small(3));
    for (name, nonce, fee) in [("alice", 0, 20), ("alice", 1, 90), ("bob", 0, 50)] {
        pool.insert(candidate(&genesis, name, nonce, fee, 1), RICH, 0).expect("finds a place");
    }
    let refused = pool.insert(candidate(&genesis, "customer", 0, 20, 1), RICH, 0);
    assert_eq!(refused, Err(MempoolError::Full { fee_min: 21 }));
    // Alice's first is the worst paid, and her second cannot stay without it.
    let inserted = pool.insert(candidate(&genesis, "customer", 0, 21, 1), RICH, 0).expect("pays more");
    assert_eq!(inserted.evicted.len(), 2);
    assert_eq!(pool.len(), 2);
    // Nobody evicts what his own transaction stands on.
    let mut pool = Mempool::new(small(1));
    pool.insert(candidate(&genesis, "alice", 0, 20, 1), RICH, 0).expect("finds a place");
    assert!(matches!(
        pool.insert(candidate(&genesis, "alice", 1, 90, 1), RICH, 0),
        Err(MempoolError::Full { .. })
    ));
}

#[test]
fn accounts_bound_what_waits() {
    let genesis = easy_genesis();
    let mut pool = Mempool::new(small(100));
    let account = AccountView { nonce: 2, balance: 230 };
    let used = pool.insert(candidate(&genesis, "alice", 1, 100, 1), account, 0);
    assert_eq!(used, Err(MempoolError::NonceUsed { found: 1, next: 2 }));
    let far = pool.insert(candidate(&genesis, "alice", 6, 100, 1), account, 0);
    assert_eq!(far, Err(MempoolError::NonceFar { found: 6, next: 2, limit: 4 }));
    // Each spends its fee and 1 + nonce.
    pool.insert(candidate(&genesis, "alice", 2, 100, 1), account, 0).expect("can pay");
    pool.insert(candidate(&genesis, "alice", 3, 100, 1), account, 0).expect("can pay");
    let poor = pool.insert(candidate(&genesis, "alice", 4, 100, 1), account, 0);
    assert_eq!(poor, Err(MempoolError::Balance { spends: 312, balance: 230 }));
    let gone = pool.settle(1, |_| AccountView { nonce: 3, balance: 104 });
    assert_eq!((gone.len(), pool.len()), (1, 1));
    let gone = pool.settle(1, |_| AccountView { nonce: 3, balance: 103 });
    assert_eq!((gone.len(), pool.len()), (1, 0));
    pool.insert(candidate(&genesis, "alice", 2, 100, 1), account, 7).expect("can pay");
    let age = MempoolLimits::default().age_blocks_max;
    assert_eq!(pool.settle(7 + age, |_| account).len(), 0);
    assert_eq!(pool.settle(8 + age, |_| account).len(), 1, "the old are forgotten");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bounds_hold_whatever_comes(
        operations in prop::collection::vec((0usize..4, 0u64..6, 1u64..500, 1u64..20, any::<bool>()), 1..80),
    ) {
        let genesis = easy_genesis();
        let bytes = borsh::to_vec(&candidate(&genesis, "alice", 0, 1, 1).transaction).unwrap().len();
        let limits = MempoolLimits { count_max: 9, bytes_max: 8 * bytes + 20, per_sender_max: 5, ..MempoolLimits::default() };
        let mut pool = Mempool::new(limits);
        for (who, nonce, fee, weight, removes) in operations {
            let before: Vec<_> = pool.ids().copied().collect();
            if removes && !before.is_empty() {
                pool.remove(&before[fee as usize % before.len()]);
            } else {
                let item = candidate(&genesis, NAMES[who], nonce, fee, weight);
                let id = item.transaction.id();
                match pool.insert(item, RICH, 0) {
                    Ok(inserted) => {
                        prop_assert!(pool.contains(&id));
                        for gone in inserted.evicted.iter().chain(&inserted.replaced) {
                            prop_assert!(before.contains(gone) && !pool.contains(gone));
                        }
                        prop_assert_eq!(pool.len(), before.len() + 1 - inserted.evicted.len() - usize::from(inserted.replaced.is_some()));
                    }
                    Err(_) => prop_assert_eq!(pool.ids().copied().collect::<Vec<_>>(), before),
                }
            }
            prop_assert!(pool.len() <= 9 && pool.bytes() <= 8 * bytes + 20);
            let sum: usize = NAMES.iter().flat_map(|name| pool.of_sender(&address(name))).map(|c| c.transaction.encode().len()).sum();
            prop_assert_eq!(sum, pool.bytes());
            let selected = pool.select(EVERYTHING, |_| 0);
            for name in NAMES {
                let nonces: Vec<u64> = selected.iter().map(|c| &c.transaction.transaction).filter(|t| t.sender.address() == address(name)).map(|t| t.nonce).collect();
                prop_assert_eq!(&nonces, &(0..nonces.len() as u64).collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn templates_take_what_waits_and_blocks_clear_it() {
    let genesis = easy_genesis();
    let (mut chain, _, runner) = fresh();
    let fee = 100_000_000;
    for (name, nonce) in [("alice", 0), ("alice", 1), ("bob", 0)] {
        chain.submit_transaction(transfer(&genesis, name, "miner", 5, nonce, fee), None).expect("is fine");
    }
    let again = chain.submit_transaction(transfer(&genesis, "bob", "miner", 5, 0, fee), None);
    assert!(matches!(again, Err(SubmitError::Mempool(MempoolError::Known))));
    let cheap = chain.submit_transaction(transfer(&genesis, "customer", "miner", 5, 0, 1), None);
    assert!(matches!(cheap, Err(SubmitError::Ledger(_))), "below the floor: {cheap:?}");
    let mut forged = transfer(&genesis, "customer", "miner", 5, 0, fee);
    forged.transaction.fee += 1;
    let error = chain.submit_transaction(forged, None).expect_err("the signature is of another");
    assert_eq!(error.ban_score(), hysteron_chain::BAN_SCORE);
    // Bytes that no transaction names would be kept and passed on for nothing.
    let laden = transfer(&genesis, "customer", "miner", 5, 0, fee);
    let error = chain.submit_transaction(laden, Some(vec![0; 1 << 20])).expect_err("it brings no problem");
    assert!(matches!(error, SubmitError::Problem(_)) && error.ban_score() > 0, "{error}");
    let template = chain
        .template(address("miner"), chain.tip().time + 5, TemplateLimits::default())
        .expect("a template");
    assert_eq!((template.transactions.len(), template.fees), (3, 3 * fee));
    let block = mine(template, &genesis.work, &runner);
    let submission = chain.submit_block(block, u64::MAX / 2).expect("is valid");
    assert_eq!(submission.outcome, Outcome::Extended);
    assert!(submission.dropped.is_empty());
    assert!(chain.mempool().is_empty());
    assert_eq!(chain.state().account(&address("alice")).nonce, 2);
    let replay = chain.submit_transaction(transfer(&genesis, "bob", "miner", 5, 0, fee), None);
    assert!(replay.is_err());
}

#[test]
fn transactions_of_abandoned_blocks_return() {
    let genesis = easy_genesis();
    let (mut chain, _, runner) = chain_of(&genesis, ChainOptions::default());
    let (mut other, _, _) = fresh();
    let fee = 100_000_000;
    let of_alice: Vec<_> =
        (0..3).map(|nonce| transfer(&genesis, "alice", "miner", 5 + nonce, nonce, fee)).collect();
    let of_bob = transfer(&genesis, "bob", "miner", 5, 0, fee);
    let bob_elsewhere = transfer(&genesis, "bob", "miner", 6, 0, fee);
    // Our branch: alice's three over two blocks, bob's one.
    chain.submit_transaction(of_alice[0].clone(), None).expect("is fine");
    chain.submit_transaction(of_bob.clone(), None).expect("is fine");
    let block = next_block(&mut chain, &runner, "miner", 5);
    chain.submit_block(block, u64::MAX / 2).expect("is valid");
    chain.submit_transaction(of_alice[1].clone(), None).expect("is fine");
    chain.submit_transaction(of_alice[2].clone(), None).expect("is fine");
    let block = next_block(&mut chain, &runner, "miner", 5);
    chain.submit_block(block, u64::MAX / 2).expect("is valid");
    assert!(chain.mempool().is_empty());
    // The other branch, longer: alice's first too, and another of bob's with the same nonce.
    other.submit_transaction(of_alice[0].clone(), None).expect("is fine");
    other.submit_transaction(bob_elsewhere, None).expect("is fine");
    let mut last = None;
    for _ in 0..4 {
        let block = next_block(&mut other, &runner, "customer", 4);
        other.submit_block(block.clone(), u64::MAX / 2).expect("is valid");
        let submission = chain.submit_block(block, u64::MAX / 2).expect("is valid");
        if !submission.disconnected.is_empty() {
            last = Some(submission);
        }
    }
    let submission = last.expect("it reorganised");
    assert!(matches!(submission.outcome, Outcome::Reorganised { depth: 2, .. }), "{:?}", submission.outcome);
    assert_eq!(submission.returned, [of_alice[1].id(), of_alice[2].id()]);
    assert_eq!(chain.mempool().len(), 2);
    assert_eq!(chain.tip(), other.tip());
    // They are mined again.
    let block = next_block(&mut chain, &runner, "miner", 5);
    assert_eq!(block.transactions, of_alice[1..]);
    chain.submit_block(block, u64::MAX / 2).expect("is valid");
    assert_eq!(chain.archive().transaction_place(&of_bob.id()).expect("reads"), None);
}

#[test]
fn what_was_handed_in_here_waits_again_after_a_restart() {
    let genesis = easy_genesis();
    let (first, storage, runner) = chain_of(&genesis, ChainOptions::default());
    drop(first);
    let open = || {
        let runner = std::sync::Arc::new(runner.clone());
        Chain::open(genesis.clone(), storage.clone(), runner, ChainOptions::default()).expect("it opens")
    };
    let mut chain = open();
    let mine_here = [("alice", 1), ("alice", 0), ("bob", 0)]
        .map(|(n, nonce)| candidate(&genesis, n, nonce, 1_000_000, 1));
    for candidate in &mine_here {
        let admitted = chain.submit_transaction(candidate.transaction.clone(), None).expect("taken");
        assert!(chain.keep_waiting(&admitted.id).expect("kept"));
    }
    // Somebody else's: others have it.
    let theirs = candidate(&genesis, "customer", 0, 1_000_000, 1);
    chain.submit_transaction(theirs.transaction.clone(), None).expect("taken");
    drop(chain);

    let mut chain = open();
    assert_eq!(chain.mempool().len(), 0);
    assert_eq!(chain.readmit_kept().expect("read"), 3);
    let mut waiting: Vec<_> = chain.mempool().ids().copied().collect();
    let mut expected: Vec<_> = mine_here.iter().map(|c| c.transaction.id()).collect();
    waiting.sort();
    expected.sort();
    assert_eq!(waiting, expected);
    assert_eq!(chain.kept(&[0; 32], 2).len(), 2);
    // Round, from anywhere.
    let second = expected[1];
    let round: Vec<_> = chain.kept(&second, 9).into_iter().map(|(id, _)| id).collect();
    assert_eq!(round, [expected[2], expected[0], second]);

    // In a block they are forgotten, on the disk too.
    let block = next_block(&mut chain, &runner, "miner", 10);
    assert_eq!(block.transactions.len(), 3);
    let now = block.header.time;
    chain.submit_block(block, now).expect("it holds");
    assert_eq!(chain.kept(&[0; 32], 9).len(), 0);
    drop(chain);
    let mut chain = open();
    assert_eq!(chain.readmit_kept().expect("read"), 0);
    assert_eq!(chain.mempool().len(), 0);
}

#[test]
fn what_was_kept_and_comes_back_from_an_abandoned_block_is_kept_again() {
    let genesis = easy_genesis();
    let (mut chain, _, runner) = chain_of(&genesis, ChainOptions::default());
    let (mut other, _, _) = chain_of(&genesis, ChainOptions::default());
    let id = chain
        .submit_transaction(transfer(&genesis, "alice", "bob", 5, 0, 1_000_000), None)
        .expect("taken")
        .id;
    assert!(chain.keep_waiting(&id).expect("kept"));
    let block = next_block(&mut chain, &runner, "miner", 10);
    let now = block.header.time + 1000;
    chain.submit_block(block, now).expect("it holds");
    assert_eq!(chain.kept(&[0; 32], 9).len(), 0);
    // Two blocks of somebody else, without it.
    for _ in 0..2 {
        let block = next_block(&mut other, &runner, "customer", 10);
        other.submit_block(block.clone(), now).expect("it holds");
        chain.submit_block(block, now).expect("it holds");
    }
    assert_eq!(chain.tip().hash, other.tip().hash);
    assert!(chain.mempool().contains(&id));
    assert_eq!(chain.kept(&[0; 32], 9).len(), 1);
}

#[test]
fn a_kept_record_that_cannot_be_read_stops_nobody() {
    use hysteron_chain::storage::{Batch, Column, Storage};
    let genesis = easy_genesis();
    let (mut chain, storage, _) = chain_of(&genesis, ChainOptions::default());
    let mut batch = Batch::default();
    batch.put(Column::Waiting, &[7; 32], vec![1, 2, 3]);
    storage.commit(&batch).expect("memory");
    assert_eq!(chain.readmit_kept().expect("read"), 0);
    assert_eq!(storage.get(Column::Waiting, &[7; 32]).expect("memory"), None, "it is removed");
}
