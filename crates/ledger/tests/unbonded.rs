//! Claims without a bond: their fee comes out of the bounty, they must be true, and they touch nobody's account but the finder's.

mod common;

use common::*;
use hysteron_ledger::{Body, Event, JobTerms, LedgerError, Multisig, Sender, SignedTransaction, UNBONDED};
use hysteron_work::types::{Assignment, JobId};
use proptest::prelude::*;

/// A job that runs, and the solution of its problem.
fn running(world: &mut World, asked: JobTerms) -> (JobId, Vec<bool>) {
    let (problem, hidden) = planted(60, 250, 7);
    let (open, data) = world.open(CUSTOMER, &problem, asked);
    world.block(std::slice::from_ref(&open), &data);
    world.mine(3);
    (JobId(open.id()), hidden)
}

/// The solution with its first variables wrong.
fn near(hidden: &[bool], wrong: usize) -> Vec<bool> {
    hidden.iter().enumerate().map(|(i, &value)| value ^ (i < wrong)).collect()
}

fn block_of(world: &mut World, signed: &SignedTransaction) -> Vec<Event> {
    world.block(std::slice::from_ref(signed), &[]).events
}

#[test]
fn a_newcomer_earns_from_the_first_find() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    let bounty = world.state.job(&id).unwrap().bounty;
    let claim = world.sign(NEWCOMER, world.unbonded_body(id, &hidden, NEWCOMER, 1, true));
    assert_eq!(world.balance(NEWCOMER), 0);

    let admission = world.state.check_transaction(&claim, None, &world.checker).unwrap();
    let finding = world.state.finding(&claim, &world.checker).unwrap().unwrap();
    assert_eq!((admission.spends, admission.finding), (0, Some(finding)));
    assert_eq!((finding.job, finding.score.energy), (id, 0));
    assert!(world.state.awaits(&finding));

    let events = block_of(&mut world, &claim);
    let fee = claim.transaction.fee;
    assert_eq!(world.balance(NEWCOMER), bounty - fee);
    assert_eq!(world.state.account(&address(NEWCOMER)).nonce, 0, "it used no nonce");
    assert!(events.contains(&Event::ClaimFeePaid { finder: address(NEWCOMER), fee }));
    assert!(events.iter().any(|e| matches!(e, Event::JobImproved { bounty: paid, .. } if *paid == bounty)));
    assert!(events.iter().any(|e| matches!(e, Event::Mined { fees, .. } if *fees == fee)));
    assert!(!world.state.awaits(&finding), "the job has it");
    // With these coins the newcomer can do what everybody can.
    let transfer = world.sign(NEWCOMER, Body::Transfer { to: address(BOB), amount: 1, memo: vec![] });
    world.block(std::slice::from_ref(&transfer), &[]);
}

#[test]
fn a_false_one_is_in_no_block() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    let claim = world.sign(NEWCOMER, world.unbonded_body(id, &hidden, NEWCOMER, 1, false));
    assert_eq!(world.refusal(&claim, &[]), LedgerError::ClaimFalse);
    let error = world.state.check_transaction(&claim, None, &world.checker).unwrap_err();
    assert!(error == LedgerError::ClaimFalse && error.is_malicious());
    assert!(world.state.finding(&claim, &world.checker).is_ok(), "nothing was run");
    // The rich get no other treatment.
    let claim = world.sign(ALICE, world.unbonded_body(id, &hidden, ALICE, 1, false));
    assert_eq!(world.refusal(&claim, &[]), LedgerError::ClaimFalse);
}

#[test]
fn the_bounty_must_pay_the_fee() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, JobTerms { bounty_per_mille: 0, ..terms(640, 100) });
    let claim = world.sign(NEWCOMER, world.unbonded_body(id, &hidden, NEWCOMER, 1, true));
    let fee = claim.transaction.fee;
    let error = world.refusal(&claim, &[]);
    assert_eq!(error, LedgerError::BountyBelowFee { bounty: 0, fee });
    assert!(!error.is_malicious() && error.to_string().contains("with a bond"), "{error}");
    let bonded = world.sign(ALICE, world.claim_body(id, &hidden, NEWCOMER, 1, true));
    world.block(std::slice::from_ref(&bonded), &[]);
    assert_eq!(world.state.job(&id).unwrap().best.unwrap().finder, address(NEWCOMER));
}

#[test]
fn nobody_can_make_the_finder_pay_more() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    let body = world.unbonded_body(id, &hidden, NEWCOMER, 1, true);
    let good = world.sign(BOB, body);
    let changed = |change: &dyn Fn(&mut hysteron_ledger::Transaction)| {
        let mut transaction = good.transaction.clone();
        change(&mut transaction);
        sign_raw(BOB, transaction)
    };
    for fee in [good.transaction.fee - 1, good.transaction.fee + 1, u64::MAX] {
        let error = world.refusal(&changed(&|t| t.fee = fee), &[]);
        assert_eq!(error, LedgerError::UnbondedFee { found: fee, floor: good.transaction.fee });
        assert!(error.is_malicious());
    }
    // Nor make two of one, or one that is longer and so costs more.
    let multisig = Multisig { members: vec![public(BOB)], threshold: 1 };
    for signed in [changed(&|t| t.nonce = 1), changed(&|t| t.sender = Sender::Multisig(multisig.address()))] {
        assert!(matches!(world.refusal(&signed, &[]), LedgerError::Malformed { .. }));
        assert!(SignedTransaction::decode(&signed.encode()).is_err());
    }
    // Another bond than the network's is still none.
    let odd = changed(&|t| {
        let Body::Claim { bond, .. } = &mut t.body else { panic!("it is a claim") };
        *bond = 1;
    });
    assert!(matches!(world.refusal(&odd, &[]), LedgerError::Nonce { .. } | LedgerError::Claim { .. }));
    // Somebody else may send it: the finder is paid the same.
    let (before, bounty) = (world.state.account(&address(BOB)), world.state.job(&id).unwrap().bounty);
    world.block(std::slice::from_ref(&good), &[]);
    assert_eq!(world.balance(NEWCOMER), bounty - good.transaction.fee);
    assert_eq!(world.state.account(&address(BOB)), before);
}

#[test]
fn it_counts_once_whoever_sends_it() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    let found = near(&hidden, 4);
    let body = world.unbonded_body(id, &found, NEWCOMER, 1, true);
    let (first, copy) = (world.sign(NEWCOMER, body.clone()), world.sign(ALICE, body));
    let both = [first.clone(), copy.clone()];
    let error = world.try_block(MINER, &both, &[]).unwrap_err();
    assert!(matches!(error, LedgerError::BlockTransaction { index: 1, .. }), "{error}");
    block_of(&mut world, &first);
    for again in both {
        assert!(matches!(world.refusal(&again, &[]), LedgerError::Claim { .. }));
    }
    // On another branch it counts again.
    world.undo_block();
    let claim = world.sign(NEWCOMER, world.unbonded_body(id, &found, NEWCOMER, 2, true));
    world.mine(1);
    world.undo_block();
    block_of(&mut world, &claim);
    assert!(world.balance(NEWCOMER) > 0);
}

#[test]
fn a_finding_has_its_time() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    let claim = world.sign(NEWCOMER, world.unbonded_body(id, &hidden, NEWCOMER, 1, true));
    let finding = world.state.finding(&claim, &world.checker).unwrap().unwrap();
    while world.state.awaits(&finding) {
        world.mine(1);
    }
    assert_eq!(world.height(), finding.last_height);
    assert!(world.refusal(&claim, &[]).to_string().contains("too old"));
    world.undo_block();
    block_of(&mut world, &claim);
}

#[test]
fn a_finding_yields_to_what_was_committed_to_before() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    let claim = |world: &World| {
        let claim = world.sign(NEWCOMER, world.unbonded_body(id, &near(&hidden, 1), NEWCOMER, 1, true));
        (world.state.finding(&claim, &world.checker).unwrap().unwrap(), claim)
    };
    let (older, older_claim) = claim(&world);
    let commit = world.sign(BOB, world.commit_body(BOB, id, &hidden, [1; 32]));
    world.block(std::slice::from_ref(&commit), &[]);
    world.mine(1);
    let (younger, younger_claim) = claim(&world);
    let reveal = Body::ClaimReveal { job: id, assignment: Assignment::pack(&hidden), salt: [1; 32] };
    let reveal = world.sign(BOB, reveal);
    world.block(std::slice::from_ref(&reveal), &[]);
    // In a pool the younger would keep the older out until it is too old itself.
    assert!(world.state.awaits(&older) && !world.state.awaits(&younger));
    assert!(world.refusal(&younger_claim, &[]).to_string().contains("committed"));
    block_of(&mut world, &older_claim);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Whatever the order of finds, each pays its finder the bounty, less exactly the floor where there is no bond; what the miner of the
    /// block gets is the same either way.
    #[test]
    fn a_bond_changes_who_pays_the_fee_and_nothing_else(
        finds in prop::collection::vec((0usize..12, any::<bool>(), any::<bool>()), 1..8)
    ) {
        let mut world = World::new(&genesis());
        let (id, hidden) = running(&mut world, terms(640, 100));
        for (wrong, has_bond, is_own) in finds {
            let (found, sender) = (near(&hidden, wrong), if is_own { NEWCOMER } else { ALICE });
            let body = match has_bond {
                true => world.claim_body(id, &found, NEWCOMER, 1, true),
                false => world.unbonded_body(id, &found, NEWCOMER, 1, true),
            };
            let is_unbonded = matches!(body, Body::Claim { bond: UNBONDED, .. });
            let signed = world.sign(sender, body);
            let fee = signed.transaction.fee;
            let before = (world.balance(NEWCOMER), world.balance(ALICE), world.state.account(&address(sender)).nonce);
            let Ok(applied) = world.try_block(MINER, std::slice::from_ref(&signed), &[]) else { continue };
            let bounty = applied.events.iter().find_map(|e| match e {
                Event::JobImproved { bounty, .. } => Some(*bounty),
                _ => None,
            }).expect("it improved");
            let finders_part = if is_unbonded || is_own { fee } else { 0 };
            prop_assert_eq!(world.balance(NEWCOMER) + finders_part, before.0 + bounty);
            let senders_part = if is_unbonded || is_own { 0 } else { fee };
            prop_assert_eq!(world.balance(ALICE) + senders_part, before.1);
            prop_assert_eq!(world.state.account(&address(sender)).nonce, before.2 + u64::from(!is_unbonded));
            let of_miner = applied.events.iter().any(|e| matches!(e, Event::Mined { fees, .. } if *fees == fee));
            prop_assert!(of_miner);
        }
    }
}
