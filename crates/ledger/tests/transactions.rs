//! Transactions one by one: who may do what, and what it costs.

mod common;

use common::*;
use ed25519_dalek::Signer;
use hysteron_ledger::{
    Account, Authorisation, Body, Committee, LedgerError, Multisig, PublicKey, Sender, Signature,
    SignedTransaction, State, Transaction, committee_change_message, emission, fee_floor,
};
use proptest::prelude::*;

fn transfer(amount: u64) -> Body {
    Body::Transfer { to: address(BOB), amount, memo: b"for the fish".to_vec() }
}

#[test]
fn transfers_and_fees() {
    let mut world = World::new(&genesis());
    let (alice, bob) = (world.balance(ALICE), world.balance(BOB));
    let signed = world.sign(ALICE, transfer(5));
    let issued = world.state.supply().issued;
    world.block(std::slice::from_ref(&signed), &[]);
    let fee = signed.transaction.fee;
    assert_eq!((world.balance(ALICE), world.balance(BOB)), (alice - 5 - fee, bob + 5));
    assert_eq!(world.state.account(&address(ALICE)).nonce, 1);
    let reward = emission(issued);
    assert_eq!(world.state.supply().issued, issued + reward);
    let miner = world.balance(MINER);
    assert_eq!(
        world.state.immature(&address(MINER)),
        vec![(1 + world.state.rules().maturity_blocks, reward + fee)]
    );
    world.mine(world.state.rules().maturity_blocks - 1);
    assert_eq!(world.balance(MINER), miner, "not yet");
    world.mine(1);
    assert_eq!(world.balance(MINER), miner + reward + fee);

    // The same transaction never counts twice.
    assert!(matches!(world.refusal(&signed, &[]), LedgerError::Nonce { found: 0, expected: 1 }));
}

#[test]
fn refusals() {
    let mut world = World::new(&genesis());
    let good = world.sign(ALICE, transfer(5));
    let mut change = |change: &dyn Fn(&mut Transaction)| {
        let mut transaction = good.transaction.clone();
        change(&mut transaction);
        world.refusal(&sign_raw(ALICE, transaction), &[])
    };
    assert!(matches!(change(&|t| t.fee -= 1), LedgerError::Fee { .. }));
    assert!(matches!(change(&|t| t.network ^= 1), LedgerError::Network { .. }));
    assert!(matches!(change(&|t| t.nonce = 1), LedgerError::Nonce { .. }));
    assert!(matches!(change(&|t| t.fee = u64::MAX), LedgerError::Balance { .. }));
    assert!(matches!(change(&|t| t.body = transfer(u64::MAX)), LedgerError::Balance { .. }));
    assert!(matches!(change(&|t| t.body = transfer(0)), LedgerError::Malformed { .. }));
    assert!(matches!(change(&|t| t.sender = Sender::Key(public(BOB))), LedgerError::Signature { .. }));
    let overflow = Body::MultiTransfer { outputs: vec![(address(BOB), u64::MAX); 3], memo: vec![] };
    let overflow = world.sign(ALICE, overflow);
    assert!(matches!(world.refusal(&overflow, &[]), LedgerError::Balance { .. }));
    let memo = Body::Transfer { to: address(BOB), amount: 1, memo: vec![0; 257] };
    let memo = world.sign(ALICE, memo);
    assert!(matches!(world.refusal(&memo, &[]), LedgerError::Malformed { .. }));
    let quote = world.sign(ALICE, Body::OracleQuote { microcents_per_hys: 1000 });
    assert!(matches!(world.refusal(&quote, &[]), LedgerError::Forbidden { .. }), "the rate is fixed");
}

#[test]
fn what_waits_may_be_ahead() {
    let world = World::new(&genesis());
    let check = |signed: &SignedTransaction| world.state.check_transaction(signed, None, &world.checker);
    let now = check(&world.sign(ALICE, transfer(5))).unwrap();
    assert_eq!((now.nonce, now.next_nonce, now.floor), (0, 0, now.fee));
    assert_eq!(now.spends, 5 + now.fee);
    assert_eq!(check(&world.sign_ahead(ALICE, transfer(5), 64)).unwrap().nonce, 64);
    assert!(matches!(check(&world.sign_ahead(ALICE, transfer(5), 65)), Err(LedgerError::Nonce { .. })));
    assert_eq!(
        world.state.account(&address(ALICE)),
        Account { nonce: 0, ..world.state.account(&address(ALICE)) }
    );
}

#[test]
fn multisig_accounts() {
    let mut world = World::new(&genesis());
    let mut members: Vec<(PublicKey, usize)> = [ALICE, BOB, CUSTOMER].map(|who| (public(who), who)).to_vec();
    members.sort_unstable();
    let descriptor = Multisig { members: members.iter().map(|m| m.0).collect(), threshold: 2 };
    let account = descriptor.address();
    let fund = world.sign(ALICE, Body::Transfer { to: account, amount: 1_000_000_000, memo: vec![] });
    world.block(std::slice::from_ref(&fund), &[]);

    let spend = |world: &World, signers: &[u8]| {
        let network = world.state.network_id();
        let nonce = world.state.account(&account).nonce;
        let body = transfer(7);
        let mut transaction = Transaction { network, sender: Sender::Multisig(account), nonce, fee: 0, body };
        let blank = Authorisation::Multisig(signers.iter().map(|&i| (i, Signature([0; 64]))).collect());
        let model = SignedTransaction { transaction: transaction.clone(), authorisation: blank };
        transaction.fee = fee_floor(&world.state.rules().fees, &model);
        let sign = |&i: &u8| {
            let who = members[usize::from(i).min(2)].1;
            (i, Signature(secret(who).sign(&transaction.id()).to_bytes()))
        };
        let authorisation = Authorisation::Multisig(signers.iter().map(sign).collect());
        SignedTransaction { transaction, authorisation }
    };
    let early = spend(&world, &[0, 1]);
    let error = world.refusal(&early, &[]);
    assert!(matches!(error, LedgerError::Forbidden { .. }), "it was not created");
    assert!(!error.is_malicious(), "others may have the block that creates it");
    let create = world.sign(BOB, Body::MultisigCreate(descriptor.clone()));
    world.block(std::slice::from_ref(&create), &[]);
    assert_eq!(world.state.multisig(&account), Some(descriptor.clone()));
    let again = world.sign(BOB, Body::MultisigCreate(descriptor));
    assert!(matches!(world.refusal(&again, &[]), LedgerError::Exists { .. }));
    for signers in [&[0u8][..], &[1, 0], &[1, 1], &[0, 3], &[0, 1, 2, 3]] {
        let bad = spend(&world, signers);
        assert!(matches!(world.refusal(&bad, &[]), LedgerError::Signature { .. }), "{signers:?}");
    }
    let good = spend(&world, &[0, 2]);
    world.block(std::slice::from_ref(&good), &[]);
    assert_eq!(world.state.account(&account).balance, 1_000_000_000 - 7 - good.transaction.fee);
}

#[test]
fn the_committee_appoints_its_successors() {
    let mut world = World::new(&genesis());
    let present = world.state.office().committee;
    let next = Committee { reviewers: vec![public(ALICE)], threshold: 1, oracles: vec![public(BOB)] };
    let sign = |world: &World, serial, who: &[usize]| {
        let message = committee_change_message(world.state.network_id(), serial, &next);
        let mut signatures: Vec<(u8, Signature)> = who
            .iter()
            .map(|&who| {
                let index = present.reviewers.iter().position(|key| *key == public(who)).unwrap_or(0);
                (index as u8, Signature(secret(who).sign(&message).to_bytes()))
            })
            .collect();
        signatures.sort_by_key(|s| s.0);
        world.sign(CUSTOMER, Body::CommitteeChange { committee: next.clone(), signatures })
    };
    let one = sign(&world, 0, &[4]);
    assert!(matches!(world.refusal(&one, &[]), LedgerError::Forbidden { .. }));
    let other_serial = sign(&world, 1, &[4, 5]);
    assert!(matches!(world.refusal(&other_serial, &[]), LedgerError::Forbidden { .. }));
    let good = sign(&world, 0, &[4, 5]);
    world.block(std::slice::from_ref(&good), &[]);
    let replayed = sign(&world, 0, &[4, 5]);
    let error = world.refusal(&replayed, &[]);
    assert!(matches!(error, LedgerError::Forbidden { .. }), "signatures count once");
    assert!(!error.is_malicious(), "they held a block ago");
    world.mine(9);
    assert_eq!(world.state.office().committee, present, "there is a delay");
    world.mine(1);
    assert_eq!(world.state.office().committee, next);
}

#[test]
fn quotes_move_the_rate_and_silence_pauses_jobs() {
    let mut genesis = genesis();
    genesis.market.rate_is_fixed = false;
    genesis.market.stale_seconds = 600;
    genesis.spacing_seconds = 60;
    let mut world = World::new(&genesis);
    let first = world.state.oracle().rate;
    let (problem, _) = planted(60, 250, 1);
    let (open, data) = world.open(CUSTOMER, &problem, terms(64, 1000));
    world.block(std::slice::from_ref(&open), &data);
    world.mine(2);
    assert_eq!(world.state.table().entries.len(), 1);
    let outsider = world.sign(ALICE, Body::OracleQuote { microcents_per_hys: first * 2 });
    assert!(matches!(world.refusal(&outsider, &[]), LedgerError::Forbidden { .. }), "it mined nothing");
    world.mine(10);
    assert_eq!(world.state.table().entries.len(), 0, "stale: jobs pause");
    assert!(matches!(world.state.quote(1, 1, 0), Err(LedgerError::PriceIsStale)));
    let paused = world.state.jobs().next().unwrap().1;
    let quote = world.sign(MINER, Body::OracleQuote { microcents_per_hys: first * 2 });
    world.block(std::slice::from_ref(&quote), &[]);
    world.mine(1);
    assert_eq!(world.state.table().entries.len(), 1, "and go on");
    assert_eq!(world.state.jobs().next().unwrap().1.delivered, paused.delivered);
    world.mine(4);
    let after = world.state.oracle().rate;
    // A silence earns at most an hour's move; here it was a quarter of an hour, and ten minutes follow.
    assert!(after > first && after <= first + first / 100, "{first} to {after}");

    // A quote that a customer was shown holds, at its rate, for half an hour.
    let (old, _) = world.open(CUSTOMER, &problem, terms(64, 10));
    let shown = world.state.quote(64, 10, 1000).unwrap();
    world.mine(3);
    assert!(world.state.oracle().rate > after);
    let mut transaction = old.transaction.clone();
    transaction.nonce = world.state.account(&address(CUSTOMER)).nonce;
    let before = world.balance(CUSTOMER);
    let signed = sign_raw(CUSTOMER, transaction);
    world.block(std::slice::from_ref(&signed), &[]);
    assert_eq!(before - world.balance(CUSTOMER), shown.total + signed.transaction.fee);
    let requote = world.sign(MINER, Body::OracleQuote { microcents_per_hys: first * 2 });
    world.block(std::slice::from_ref(&requote), &[]);
    world.mine(30);
    let mut transaction = old.transaction.clone();
    transaction.nonce = world.state.account(&address(CUSTOMER)).nonce;
    world.mine(0);
    let late = world.refusal(&sign_raw(CUSTOMER, transaction), &[]);
    assert!(matches!(late, LedgerError::Quote { .. } | LedgerError::PriceIsStale), "{late}");
}

#[test]
fn damaged_records_are_found() {
    let world = World::new(&genesis());
    let entries: Vec<(Vec<u8>, Vec<u8>)> =
        world.state.entries().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
    for index in 0..entries.len() {
        let mut damaged = entries.clone();
        damaged[index].1.push(0);
        assert!(State::from_entries(world.state.rules(), damaged).is_err());
        let mut damaged = entries.clone();
        damaged[index].0[0] = 0xee;
        assert!(State::from_entries(world.state.rules(), damaged).is_err());
    }
    let mut other = World::new(&genesis());
    let applied = other.block(&[], &[]);
    let root = other.state.root();
    assert!(other.state.replay(&applied.delta).is_err(), "it is of another state");
    assert_eq!(other.state.root(), root);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = SignedTransaction::decode(&bytes);
        let _ = hysteron_ledger::Receipt::decode(&bytes);
        let _ = hysteron_ledger::Genesis::decode(&bytes);
    }

    #[test]
    fn transactions_round_trip(amount in 1u64.., fee in any::<u64>(), nonce in any::<u64>(), memo in prop::collection::vec(any::<u8>(), 0..256), at in any::<usize>()) {
        let body = Body::Transfer { to: address(BOB), amount, memo };
        let transaction = Transaction { network: 7, sender: Sender::Key(public(ALICE)), nonce, fee, body };
        let signed = sign_raw(ALICE, transaction);
        let bytes = signed.encode();
        prop_assert_eq!(SignedTransaction::decode(&bytes).unwrap(), signed.clone());
        let mut longer = bytes.clone();
        longer.push(0);
        prop_assert!(SignedTransaction::decode(&longer).is_err());
        // One flipped bit gives another transaction or none.
        let mut flipped = bytes.clone();
        let at = at % (8 * flipped.len());
        flipped[at / 8] ^= 1 << (at % 8);
        if let Ok(other) = SignedTransaction::decode(&flipped) {
            prop_assert_eq!(other.encode(), flipped);
            prop_assert!(other != signed);
        }
    }
}
