//! What the wallet builds, a node takes; what a node would refuse, the wallet does not build.

use hysteron_ledger::{
    ATOMS_PER_HYS, Address, BlockContext, BlockInput, Body, Genesis, LedgerError, Multisig, NoClaims, Sender,
    State,
};
use hysteron_problem::{ClauseList, Cnf, Literal, Problem};
use hysteron_wallet::{Account, Booking, Fee, Key, WalletError, combine, devnet_key};
use proptest::prelude::*;

fn genesis() -> Genesis {
    Genesis::devnet()
}

fn account<'a>(genesis: &'a Genesis, state: &State, key: &Key) -> Account<'a> {
    let found = state.account(&key.address());
    Account { genesis, nonce: found.nonce, balance: found.balance }
}

/// A random 3-CNF of 60 variables.
fn problem(seed: u64) -> Problem {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let mut clauses = ClauseList::new();
    while clauses.len() < 250 {
        let mut picked = [next() % 60, next() % 60, next() % 60];
        picked.sort_unstable();
        if picked[0] != picked[1] && picked[1] != picked[2] {
            clauses.push(&picked.map(|variable| Literal::new(variable, next() & 1 == 1)));
        }
    }
    Problem::Cnf(Cnf { variables: 60, clauses })
}

fn apply(state: &mut State, transactions: &[hysteron_ledger::SignedTransaction], problems: &[Vec<u8>]) {
    let head = state.head();
    let context = BlockContext {
        height: head.height + 1,
        parent: [head.height as u8; 32],
        time: head.clock + 5,
        miner: Address([1; 32]),
        post_target: state.rules().post_target,
        parent_legs: &[],
        work: &NoClaims,
    };
    state.apply(&BlockInput { context, transactions, problems }).unwrap();
    state.audit().unwrap();
}

#[test]
fn a_job_is_booked_and_cancelled() {
    let genesis = genesis();
    let mut state = State::genesis(&genesis).unwrap();
    let customer = devnet_key("customer");
    let quote = state.quote(640, 10, 500).unwrap();
    let booking = Booking {
        chips: 640,
        blocks: 10,
        target: None,
        bounty_per_mille: 500,
        quoted_at: quote.quoted_at,
        price: quote.total,
        price_max: u64::MAX,
        review_blocks: 10,
    };
    let here = account(&genesis, &state, &customer);
    let opened = here.open_job(&customer, &problem(1), false, &booking, Fee::Floor).unwrap();
    let data = opened.data.clone().unwrap();
    state.check_transaction(&opened.transaction, Some(&data), &NoClaims).unwrap();
    apply(&mut state, std::slice::from_ref(&opened.transaction), &[data]);
    let job = state.job(&opened.id()).unwrap();
    assert_eq!(job.escrow(), quote.total);
    let here = account(&genesis, &state, &customer);
    let known = here.open_job(&customer, &problem(1), true, &booking, Fee::Floor);
    assert!(matches!(known, Err(WalletError::Refused(LedgerError::Quote { .. }))) || known.is_ok());
    let top_up = here.top_up(&customer, opened.id(), (5, 100), state.head().height, quote.total).unwrap();
    apply(&mut state, &[top_up], &[]);
    let cancel = account(&genesis, &state, &customer).cancel_job(&customer, opened.id()).unwrap();
    apply(&mut state, &[cancel], &[]);
    assert!(state.job(&opened.id()).unwrap().status.ending().is_some());
}

#[test]
fn an_empty_account_claims_without_a_bond() {
    let genesis = genesis();
    let state = State::genesis(&genesis).unwrap();
    let newcomer = devnet_key("newcomer");
    let claim = hysteron_work::Claim {
        header: vec![1; 300],
        nonce: 1,
        leg: 1,
        digests: vec![[2; 32]],
        lane: 0,
        assignment: hysteron_work::Assignment::pack(&[true; 60]),
    };
    // Whatever the account's nonce is.
    let here = Account { nonce: 7, ..account(&genesis, &state, &newcomer) };
    assert!(matches!(here.claim(&newcomer, claim.clone(), Fee::Floor), Err(WalletError::Balance { .. })));
    let signed = here.claim_without_bond(&newcomer, claim).unwrap();
    assert_eq!((signed.transaction.nonce, signed.transaction.spends_at_most()), (0, 0));
    // A node's checks up to the claim itself.
    let checked = state.check_transaction(&signed, None, &NoClaims);
    assert!(matches!(checked, Err(LedgerError::ClaimUnchecked { .. })), "{checked:?}");
}

#[test]
fn what_a_node_would_refuse_is_not_built() {
    let genesis = genesis();
    let state = State::genesis(&genesis).unwrap();
    let (alice, bob) = (devnet_key("alice"), devnet_key("bob").address());
    let here = account(&genesis, &state, &alice);
    let balance = here.balance;
    assert!(matches!(here.transfer(&alice, bob, balance, "", Fee::Floor), Err(WalletError::Balance { .. })));
    assert!(matches!(
        here.transfer(&alice, bob, 0, "", Fee::Floor),
        Err(WalletError::Refused(LedgerError::Malformed { .. }))
    ));
    assert!(matches!(
        here.transfer(&alice, bob, 1, &"x".repeat(257), Fee::Floor),
        Err(WalletError::Refused(LedgerError::Malformed { .. }))
    ));
    assert!(matches!(
        here.transfer(&alice, bob, 1, "", Fee::Atoms(1)),
        Err(WalletError::Refused(LedgerError::Fee { .. }))
    ));
    assert!(matches!(here.quote(&alice, 1000), Err(WalletError::Refused(LedgerError::Forbidden { .. }))));
    let mut booking = Booking {
        chips: 1,
        blocks: 1,
        target: Some(250),
        bounty_per_mille: 0,
        quoted_at: 0,
        price: 5,
        price_max: 10,
        review_blocks: 10,
    };
    let trivial = here.open_job(&alice, &problem(1), false, &booking, Fee::Floor);
    assert!(matches!(trivial, Err(WalletError::Refused(LedgerError::NothingToSearch))));
    booking.target = None;
    booking.price = 11;
    let dear = here.open_job(&alice, &problem(1), false, &booking, Fee::Floor);
    assert!(matches!(dear, Err(WalletError::Refused(LedgerError::Price { price: 11, limit: 10 }))));
    let mut clauses = ClauseList::new();
    clauses.push(&[Literal::new(0, false)]);
    let decided = Problem::Cnf(Cnf { variables: 1, clauses });
    booking.price = 1;
    let refused = here.open_job(&alice, &decided, false, &booking, Fee::Floor);
    assert!(matches!(refused, Err(WalletError::Refused(LedgerError::ProblemRefused(_)))));
}

#[test]
fn emptied_to_the_last_atom() {
    let genesis = genesis();
    let mut state = State::genesis(&genesis).unwrap();
    let (alice, bob) = (devnet_key("alice"), devnet_key("bob"));
    let all = account(&genesis, &state, &alice).transfer_all(&alice, bob.address(), "all").unwrap();
    apply(&mut state, &[all], &[]);
    assert_eq!(state.account(&alice.address()).balance, 0);
    let here = account(&genesis, &state, &alice);
    assert!(matches!(here.transfer_all(&alice, bob.address(), ""), Err(WalletError::Balance { .. })));
}

#[test]
fn members_sign_together() {
    let genesis = genesis();
    let mut state = State::genesis(&genesis).unwrap();
    let keys = ["alice", "bob", "customer"].map(devnet_key);
    let mut members: Vec<_> = keys.iter().map(Key::public).collect();
    members.sort_unstable();
    let descriptor = Multisig { members, threshold: 2 };
    let here = account(&genesis, &state, &keys[0]);
    let create = here.create_multisig(&keys[0], descriptor.clone()).unwrap();
    let then = Account { nonce: here.nonce + 1, ..here };
    let fund = then.transfer(&keys[0], descriptor.address(), ATOMS_PER_HYS, "", Fee::PerCent(150)).unwrap();
    apply(&mut state, &[create, fund], &[]);
    let found = state.account(&descriptor.address());
    let shared = Account { genesis: &genesis, nonce: found.nonce, balance: found.balance };
    let body = Body::Transfer { to: keys[1].address(), amount: 7, memo: vec![] };
    let transaction =
        shared.transaction(Sender::Multisig(descriptor.address()), 2, body, Fee::Floor).unwrap();
    let one = keys[2].sign_as_member(&descriptor, &transaction).unwrap();
    let two = keys[0].sign_as_member(&descriptor, &transaction).unwrap();
    assert!(devnet_key("miner").sign_as_member(&descriptor, &transaction).is_err());
    assert!(combine(&descriptor, transaction.clone(), vec![one]).is_err());
    let signed = combine(&descriptor, transaction, vec![one, two, one]).unwrap();
    apply(&mut state, &[signed], &[]);
    assert!(state.account(&descriptor.address()).balance < ATOMS_PER_HYS - 7);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_built_is_taken(
        amount in any::<u64>(), scale in 0u32..64, memo in "[a-zà-ü ]{0,80}", per_cent in 0u32..500,
        outputs in 1usize..6
    ) {
        let genesis = genesis();
        let state = State::genesis(&genesis).unwrap();
        let (alice, bob) = (devnet_key("alice"), devnet_key("bob").address());
        let here = account(&genesis, &state, &alice);
        let amount = amount >> scale;
        let one = here.transfer(&alice, bob, amount, &memo, Fee::PerCent(per_cent));
        let many = here.multi_transfer(&alice, vec![(bob, amount); outputs], &memo, Fee::Floor);
        for built in [one, many] {
            match built {
                Ok(signed) => {
                    let admitted = state.check_transaction(&signed, None, &NoClaims);
                    prop_assert!(admitted.is_ok(), "{:?}", admitted);
                }
                Err(error) => {
                    let impossible = amount == 0 || amount > here.balance / outputs as u64 / 2 || memo.len() > 256;
                    prop_assert!(impossible, "{error}");
                }
            }
        }
    }
}
