//! Jobs from open to settled, each ending once, with exact amounts.

mod common;

use common::*;
use hysteron_ledger::{
    BURNED_PER_CENT, Body, CREDIT_UNITS, Ending, Event, Job, LedgerError, Settlement, Status, is_starved,
};
use hysteron_work::types::{Assignment, JobId};

/// Opens a job of 60 variables, and mines until it runs.
fn running(world: &mut World, terms_of: hysteron_ledger::JobTerms) -> (JobId, Vec<bool>) {
    let (problem, hidden) = planted(60, 250, 7);
    let (transaction, data) = world.open(CUSTOMER, &problem, terms_of);
    world.block(std::slice::from_ref(&transaction), &data);
    let id = JobId(transaction.id());
    while world.state.job(&id).unwrap().status != Status::Running {
        world.mine(1);
        assert!(world.height() < 20, "it runs soon");
    }
    (id, hidden)
}

fn job(world: &World, id: &JobId) -> Job {
    world.state.job(id).unwrap()
}

#[test]
fn exhausted_and_settled_exactly() {
    let mut world = World::new(&genesis());
    let before = world.balance(CUSTOMER);
    let (id, _) = running(&mut world, terms(640, 10));
    let opened = job(&world, &id);
    let escrow = opened.block_fee + opened.bounty;
    assert_eq!(opened.block_fee, opened.bounty, "the bounty is 1000 per mille");
    let fee = before - world.balance(CUSTOMER) - escrow;
    assert!(fee > 0);
    assert_eq!(world.state.table().entries.len(), 1);
    // The target stands for 60 attempts, 240 legs, 15,360 chips; the capacity is the same, so each block credits what was
    // booked.
    for block in 1..=10u64 {
        assert!(world.state.table().entries.len() == 1, "block {block}");
        let applied = world.block(&[], &[]);
        let credit = 640 * u128::from(CREDIT_UNITS);
        assert!(applied.events.contains(&Event::JobCredited { job: id, units: credit }));
        assert_eq!(job(&world, &id).delivered, u128::from(block) * credit);
    }
    assert!(matches!(job(&world, &id).status, Status::Ended { ending: Ending::Exhausted, .. }));
    assert!(world.state.table().entries.is_empty(), "it left the schedule");
    world.mine(world.state.rules().confirmation_blocks);
    let settled = job(&world, &id);
    assert!(matches!(settled.status, Status::Settled { ending: Ending::Exhausted, .. }));
    let burned = settled.block_fee * BURNED_PER_CENT / 100;
    let settlement = Settlement { to_pot: settled.block_fee - burned, burned, refunded: settled.bounty };
    assert_eq!(settled.settlement, Some(settlement));
    assert_eq!(world.balance(CUSTOMER), before - fee - settled.block_fee);
    assert_eq!(world.state.pot().balance, settlement.to_pot);
    assert_eq!(world.state.active_jobs(), vec![]);
    // The pot pays it out over 720 blocks, to the last atom but the dust.
    world.mine(720);
    assert_eq!(world.state.pot().balance, world.state.pot().dust);
    assert_eq!(world.state.pot().rate, settlement.to_pot / 720);
    world.mine(1);
    assert_eq!(world.state.pot().rate, 0);
}

#[test]
fn cancelled_pays_for_what_was_delivered() {
    let mut world = World::new(&genesis());
    let (id, _) = running(&mut world, terms(640, 100));
    world.mine(24);
    let refused = world.sign(ALICE, Body::JobCancel { job: id });
    assert!(matches!(world.refusal(&refused, &[]), LedgerError::Forbidden { .. }));
    let cancel = world.sign(CUSTOMER, Body::JobCancel { job: id });
    world.block(std::slice::from_ref(&cancel), &[]);
    assert_eq!(job(&world, &id).delivered_chip_blocks(), 640 * 25, "the block of the cancellation counts");
    let again = world.sign(CUSTOMER, Body::JobCancel { job: id });
    assert!(matches!(world.refusal(&again, &[]), LedgerError::JobState { .. }));
    world.mine(3);
    let settled = job(&world, &id);
    let settlement = settled.settlement.unwrap();
    assert_eq!(settlement.to_pot + settlement.burned, settled.block_fee / 4);
    assert_eq!(settlement.refunded, settled.block_fee - settled.block_fee / 4 + settled.bounty);
}

#[test]
fn claims_share_the_bounty_and_solve() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    world.mine(3);
    let bounty = job(&world, &id).bounty;
    let mut near = hidden.clone();
    (0..5).for_each(|i| near[i] = !near[i]);
    let miner_before = world.balance(BOB);
    let claim = world.sign(ALICE, world.claim_body(id, &near, BOB, 1, true));
    world.block(std::slice::from_ref(&claim), &[]);
    let best = job(&world, &id).best.unwrap();
    assert_eq!(best.finder, address(BOB), "the miner of the header is paid, whoever sends the claim");
    let first = world.balance(BOB) - miner_before;
    assert!(first > bounty / 2 && first < bounty, "most of the way: {first} of {bounty}");
    assert_eq!(world.state.best_assignment(&id).unwrap().unpack(), near);
    assert_eq!(world.state.table().entries[0].checkpoints.len(), 1);

    let copied = world.sign(ALICE, world.claim_body(id, &near, ALICE, 1, true));
    assert!(matches!(world.refusal(&copied, &[]), LedgerError::Claim { .. }), "no improvement");
    let late = world.sign(ALICE, world.claim_body(id, &hidden, BOB, 4, true));
    world.mine(8);
    let too_old = world.refusal(&late, &[]);
    assert!(too_old.to_string().contains("too old"), "{too_old}");

    let solving = world.sign(ALICE, world.claim_body(id, &hidden, BOB, 3, true));
    world.block(std::slice::from_ref(&solving), &[]);
    assert_eq!(world.balance(BOB) - miner_before, bounty, "who reaches the target gets the rest");
    assert!(matches!(job(&world, &id).status, Status::Ended { ending: Ending::Solved, .. }));
    world.mine(3);
    let settled = job(&world, &id);
    assert_eq!(settled.bounty_paid, bounty);
    let settlement = settled.settlement.unwrap();
    assert_eq!(settlement.refunded, settled.block_fee - settled.earned());
    assert_eq!(world.state.best_assignment(&id).unwrap().unpack(), hidden, "the result stays");
}

#[test]
fn a_false_claim_loses_its_bond() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 100));
    let (before, burned) = (world.balance(ALICE), world.state.supply().burned);
    let claim = world.sign(ALICE, world.claim_body(id, &hidden, BOB, 1, false));
    world.block(std::slice::from_ref(&claim), &[]);
    let bond = world.state.rules().market.claim_bond;
    assert_eq!(world.balance(ALICE), before - bond - claim.transaction.fee);
    assert_eq!(world.state.supply().burned, burned + bond);
    assert!(job(&world, &id).best.is_none());
    let of_other_branch = world.claim_body(id, &hidden, BOB, 1, true);
    world.undo_block();
    world.mine(1);
    let claim = world.sign(ALICE, of_other_branch);
    assert!(world.refusal(&claim, &[]).to_string().contains("branch"));
}

#[test]
fn commit_then_reveal_pays_half_and_yields() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 200));
    world.mine(12);
    let bounty = job(&world, &id).bounty;
    let commit = world.sign(ALICE, world.commit_body(ALICE, id, &hidden, [1; 32]));
    world.block(std::slice::from_ref(&commit), &[]);
    let reveal = Body::ClaimReveal { job: id, assignment: Assignment::pack(&hidden), salt: [1; 32] };
    let too_soon = world.sign(ALICE, reveal.clone());
    assert!(world.refusal(&too_soon, &[]).to_string().contains("just now"));
    world.mine(1);
    let stolen = world.sign(BOB, reveal.clone());
    assert!(matches!(world.refusal(&stolen, &[]), LedgerError::Claim { .. }), "it binds the sender");
    let before = world.balance(ALICE);
    let reveal = world.sign(ALICE, reveal);
    world.block(std::slice::from_ref(&reveal), &[]);
    let bond = world.state.rules().market.claim_bond;
    assert_eq!(world.balance(ALICE), before + bond - reveal.transaction.fee, "the bond returns at once");
    assert!(job(&world, &id).best.is_none(), "it waits");

    // A claim with a younger seed must beat it, which is impossible here; one with an older seed comes first.
    let younger = world.sign(BOB, world.claim_body(id, &hidden, BOB, 1, true));
    assert!(world.refusal(&younger, &[]).to_string().contains("committed"));
    let undo_to = world.height();
    let older = world.sign(BOB, world.claim_body(id, &hidden, BOB, 5, true));
    let bob = world.balance(BOB);
    world.block(std::slice::from_ref(&older), &[]);
    assert_eq!(world.balance(BOB) + older.transaction.fee, bob + bounty);
    world.mine(12);
    assert_eq!(job(&world, &id).bounty_paid, bounty, "the reveal came too late");
    while world.height() > undo_to {
        world.undo_block();
    }

    // Without such a claim it is paid, half, when none can come any more.
    let before = world.balance(ALICE);
    world.mine(7);
    assert_eq!(world.balance(ALICE), before);
    world.mine(1);
    assert_eq!(world.balance(ALICE), before + bounty / 2);
    assert!(matches!(job(&world, &id).status, Status::Ended { ending: Ending::Solved, .. }));
}

#[test]
fn a_commitment_that_is_not_revealed_burns() {
    let mut world = World::new(&genesis());
    let (id, hidden) = running(&mut world, terms(640, 200));
    let commit = world.sign(ALICE, world.commit_body(ALICE, id, &hidden, [1; 32]));
    world.block(std::slice::from_ref(&commit), &[]);
    let bond = world.state.rules().market.claim_bond;
    assert_eq!(world.state.audit().unwrap().bonds, bond);
    let burned = world.state.supply().burned;
    world.mine(world.state.rules().market.reveal_within_blocks);
    assert_eq!(world.state.audit().unwrap().bonds, bond);
    world.mine(1);
    assert_eq!(world.state.audit().unwrap().bonds, 0);
    assert_eq!(world.state.supply().burned, burned + bond);
}

#[test]
fn starved_jobs_cost_nothing() {
    let mut world = World::new(&genesis());
    // Half of the capacity: two of four winning legs a block are due.
    let (id, _) = running(&mut world, terms(7_680, 12));
    let before = world.balance(CUSTOMER);
    world.mine(12);
    let ended = job(&world, &id);
    assert!(matches!(ended.status, Status::Ended { ending: Ending::Exhausted, .. }));
    assert!(is_starved(ended.proven, ended.due));
    world.mine(1);
    assert!(matches!(job(&world, &id).status, Status::Ended { ending: Ending::Starved, .. }));
    world.mine(2);
    let settled = job(&world, &id);
    let all = settled.block_fee + settled.bounty;
    assert_eq!(settled.settlement, Some(Settlement { to_pot: 0, burned: 0, refunded: all }));
    assert_eq!(world.balance(CUSTOMER), before + all);

    // The same with its legs.
    while world.height() > ended.started.unwrap() - 1 {
        world.undo_block();
    }
    for _ in 0..13 {
        world.legs = vec![id, id];
        world.mine(1);
    }
    let ended = job(&world, &id);
    assert_eq!(ended.proven, 26);
    assert!(matches!(ended.status, Status::Ended { ending: Ending::Exhausted, .. }));
}

#[test]
fn held_jobs_wait_for_the_committee() {
    let mut genesis = genesis();
    genesis.market.held_from_elements = 1;
    let mut world = World::new(&genesis);
    let (problem, _) = planted(60, 250, 7);
    let before = world.balance(CUSTOMER);
    let (open, data) = world.open(CUSTOMER, &problem, terms(640, 10));
    world.block(std::slice::from_ref(&open), &data);
    let id = JobId(open.id());
    assert!(matches!(job(&world, &id).status, Status::Held { .. }));
    let vote = |approve| Body::ReviewVote { job: id, approve, reason: "a timetable".into() };
    let outsider = world.sign(ALICE, vote(true));
    assert!(matches!(world.refusal(&outsider, &[]), LedgerError::Forbidden { .. }));
    let one = world.sign(4, vote(true));
    world.block(std::slice::from_ref(&one), &[]);
    let twice = world.sign(4, vote(true));
    assert!(matches!(world.refusal(&twice, &[]), LedgerError::Exists { .. }));
    assert_eq!(world.state.votes(&id).len(), 1);
    let fork = world.height();

    // Two of three approve.
    let two = world.sign(5, vote(true));
    let applied = world.block(std::slice::from_ref(&two), &[]);
    assert!(applied.events.contains(&Event::JobApproved { job: id }));
    world.mine(2);
    assert_eq!(job(&world, &id).status, Status::Running);
    while world.height() > fork {
        world.undo_block();
    }

    // Two refuse: approval cannot be reached any more.
    let (two, three) = (world.sign(5, vote(false)), world.sign(6, vote(false)));
    world.block(&[two, three], &[]);
    assert!(matches!(job(&world, &id).status, Status::Ended { ending: Ending::Refused, .. }));
    world.mine(3);
    assert_eq!(world.balance(CUSTOMER), before - open.transaction.fee, "everything but the fee returns");
    assert_eq!(world.state.votes(&id).len(), 0);
    while world.height() > fork {
        world.undo_block();
    }

    // Nobody else votes: refused at the deadline.
    world.mine(20);
    assert!(matches!(job(&world, &id).status, Status::Settled { ending: Ending::Refused, .. }));
    assert_eq!(world.balance(CUSTOMER), before - open.transaction.fee);
}

#[test]
fn what_cannot_be_opened() {
    let mut world = World::new(&genesis());
    let (problem, hidden) = planted(60, 250, 7);
    let mut refused = |terms, data: Option<Vec<u8>>| {
        let (transaction, own) = world.open(CUSTOMER, &problem, terms);
        world.refusal(&transaction, &data.map_or(own, |data| vec![data]))
    };
    assert!(matches!(
        refused(hysteron_ledger::JobTerms { price_max: 1, ..terms(1, 1) }, None),
        LedgerError::Price { .. }
    ));
    let rich = hysteron_ledger::JobTerms { price_max: u64::MAX, ..terms(1 << 32, 1 << 18) };
    assert!(matches!(refused(rich, None), LedgerError::Balance { .. } | LedgerError::Price { .. }));
    let trivial = hysteron_ledger::JobTerms { target: Some(250), ..terms(1, 1) };
    assert_eq!(refused(trivial, None), LedgerError::NothingToSearch);
    assert!(matches!(refused(terms(1, 1), Some(vec![1, 2, 3])), LedgerError::ProblemData { .. }));
    let (transaction, _) = world.open(CUSTOMER, &problem, terms(1, 1));
    assert!(matches!(world.refusal(&transaction, &[]), LedgerError::ProblemMissing(_)));
    let spare = world.try_block(MINER, &[], &[vec![1]]);
    assert!(matches!(spare, Err(LedgerError::Block { .. })));
    // A unit clause: the client should have normalised.
    let mut clauses = hysteron_problem::ClauseList::new();
    (0..60).for_each(|v| clauses.push(&[hysteron_problem::Literal::new(v, !hidden[v as usize])]));
    let decided = hysteron_problem::Problem::Cnf(hysteron_problem::Cnf { variables: 60, clauses });
    let (transaction, data) = world.open(CUSTOMER, &decided, terms(1, 1));
    assert!(matches!(world.refusal(&transaction, &data), LedgerError::ProblemRefused(_)));
}

#[test]
fn top_ups_prolong() {
    let mut world = World::new(&genesis());
    let (id, _) = running(&mut world, terms(640, 10));
    world.mine(8);
    let before = job(&world, &id);
    let body =
        Body::JobTopUp { job: id, blocks: 5, bounty: 7, quoted_at: world.height(), price_max: 1 << 40 };
    let top_up = world.sign(CUSTOMER, body);
    world.block(std::slice::from_ref(&top_up), &[]);
    let after = job(&world, &id);
    assert_eq!((after.blocks, after.bounty), (15, before.bounty + 7));
    assert_eq!(after.block_fee, before.block_fee + before.block_fee / 2);
    let quoted_at = world.height();
    let body = Body::JobTopUp { job: id, blocks: (1 << 18) - 14, bounty: 0, quoted_at, price_max: 1 << 40 };
    let error = world.refusal(&world.sign(CUSTOMER, body), &[]);
    assert!(matches!(error, LedgerError::JobState { .. }), "{error}");
    assert!(!error.is_malicious(), "whoever passed it on may not have had the first top-up yet");
    world.mine(6);
    assert!(matches!(job(&world, &id).status, Status::Ended { ending: Ending::Exhausted, .. }));
    let late = world
        .sign(CUSTOMER, Body::JobTopUp { job: id, blocks: 5, bounty: 0, quoted_at: 9, price_max: 1 << 40 });
    assert!(matches!(world.refusal(&late, &[]), LedgerError::JobState { .. }));
}
