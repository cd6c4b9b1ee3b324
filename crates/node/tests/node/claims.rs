//! Claims of workers: wrapped by the node's account, paid to the worker's address, and never false.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::worker::{Worker, base, ready, ready_for};
use crate::common::{
    NEWCOMER, TestNode, address, open_job, open_job_with, problem, refusal, sign, wait_until,
};
use crate::network::{Gated, connect};
use hysteron_api::Hex32;
use hysteron_api::types::{HistoryEntry, HistoryQuery};
use hysteron_api::worker::{FromWorker, LegClaim, Tally, Work, WorkResult};
use hysteron_chain::testing::StubRunner;
use hysteron_ledger::{Body, UNBONDED};
use hysteron_problem::Problem;
use hysteron_work::{Claim, Leg, LegOutput, LegRunner, Meter, ProblemId, Table, Task, WorkError, WorkRules};

/// A leg on a job that is better than the assignment of all variables to false.
fn search(node: &TestNode, header: &[u8], table: Hex32, rules: &WorkRules, nonce_start: u64) -> Claim {
    let bytes = node.client.table(table).expect("the table");
    let table = Table::decode(&bytes).expect("a table");
    let (problem, _) = problem();
    let least = hysteron_ledger::Scale::of(&problem).baseline.energy;
    let problems: BTreeMap<ProblemId, Arc<Problem>> = [(ProblemId::of(&problem), Arc::new(problem))].into();
    let runner = StubRunner::new(Arc::new(problems));
    let (stop, meter) = (AtomicBool::new(false), Meter::off());
    let seed = hysteron_work::hash("header", &[header]);
    let mut nonce = nonce_start;
    loop {
        let attempt = hysteron_work::attempt(&seed, &table, rules, &runner, nonce, &stop, &meter)
            .expect("a leg runs")
            .expect("nobody stops it");
        let leg = attempt
            .outputs
            .iter()
            .position(|output| matches!(output.task, Task::Job(_)) && output.energy < least);
        if let Some(leg) = leg {
            return Claim::of_attempt(header.to_vec(), &attempt, leg as u8 + 1);
        }
        nonce = attempt.proof.nonce + 1;
    }
}

/// The same for a worker.
fn claim(node: &TestNode, work: &Work) -> LegClaim {
    search(node, &work.header, Hex32(work.table), &work.rules, work.nonce_start).into()
}

/// What the node says of the first claim that it has judged.
fn judged(worker: &mut Worker) -> Tally {
    let judged = |t: &Tally| t.claims_accepted + t.claims_refused > 0;
    std::iter::repeat_with(|| worker.work().tally).find(judged).expect("a tally")
}

/// The first entry of a kind in an account's history, once it is there.
fn entry(node: &TestNode, name: &str, kind: &str) -> HistoryEntry {
    let mut found = None;
    wait_until("the history has it", || {
        let page = node.client.history(&address(name), &HistoryQuery::default()).expect("a history");
        found = page.entries.into_iter().find(|entry| entry.kind == kind);
        found.is_some()
    });
    found.expect("it was just found")
}

#[test]
fn a_true_claim_pays_the_worker() {
    let node = TestNode::new();
    let job = open_job(&node);
    let mut worker = Worker::connect(&node);
    worker.send(&FromWorker::Ready(ready(&node)));
    let work = worker.work();
    let claim = claim(&node, &work);
    worker.send(&FromWorker::Result(WorkResult::Claim { work: work.id, claim: claim.clone() }));
    let tally =
        std::iter::repeat_with(|| worker.work().tally).find(|t| t.claims_accepted + t.claims_refused > 0);
    assert_eq!(tally.map(|t| (t.claims_accepted, t.reason.as_str().to_owned())), Some((1, String::new())));
    // The same again is no improvement, and nobody's fault.
    worker.send(&FromWorker::Result(WorkResult::Claim { work: work.id, claim: claim.clone() }));
    let tally =
        std::iter::repeat_with(|| worker.work().tally).find(|t| t.claims_refused > 0).expect("a tally");
    assert!(tally.reason.as_str().contains("no improvement"), "{}", tally.reason.as_str());
    wait_until("the claim is in a block", || {
        node.mine("miner");
        node.client.job_assignment(job).is_ok()
    });
    let best = node.client.job_assignment(job).expect("the best");
    assert_eq!(best.values().expect("values"), claim.assignment.unpack());
    let (problem, _) = problem();
    let score = hysteron_ledger::Score::of(&problem, &best.values().expect("values")).expect("a score");
    assert_eq!(score.energy, best.energy, "the answer is scored again from the problem");
    let bob = address("bob");
    let bounty = |node: &TestNode| {
        let page = node.client.history(&bob, &HistoryQuery::default()).expect("a history");
        page.entries.into_iter().find(|entry| entry.kind == "bounty" && entry.job == Some(job))
    };
    wait_until("the bounty is in the history", || bounty(&node).is_some());
    assert!(bounty(&node).expect("a bounty").received.0 > 0);
}

#[test]
fn a_false_claim_costs_the_node_nothing() {
    let node = TestNode::new();
    let job = open_job(&node);
    let account = node.handle().address();
    let mut worker = Worker::connect(&node);
    worker.send(&FromWorker::Ready(ready(&node)));
    let work = worker.work();
    assert!(base(&work).height > 1);
    let mut claim = claim(&node, &work);
    claim.digests.last_mut().expect("a digest")[0] ^= 1;
    worker.send(&FromWorker::Result(WorkResult::Claim { work: work.id, claim }));
    assert!(worker.is_sent_away());
    assert_eq!(node.client.account(&account).expect("an account").next_nonce, 0, "nothing was sent");
    let mining = node.client.mining().expect("figures");
    assert_eq!(mining.claims_refused, 1);
    assert_eq!(mining.claims_account, account, "whoever runs a node sees where its claims are paid from");
    assert_eq!(mining.claims_balance, node.client.account(&account).expect("an account").balance);
    assert_eq!(refusal(node.client.job_assignment(job)).status, 404);
}

#[test]
fn a_node_without_coins_earns_from_its_first_find() {
    let node = TestNode::without_coins();
    let job = open_job(&node);
    let account = node.handle().address();
    assert_eq!(account, address(NEWCOMER));
    assert_eq!(node.client.mining().expect("figures").claims_balance.0, 0);
    let mut worker = Worker::connect(&node);
    worker.send(&FromWorker::Ready(ready_for(&node, NEWCOMER)));
    let work = worker.work();
    let claim = claim(&node, &work);
    worker.send(&FromWorker::Result(WorkResult::Claim { work: work.id, claim: claim.clone() }));
    let tally = judged(&mut worker);
    assert_eq!((tally.claims_accepted, tally.reason.as_str()), (1, ""));
    let waiting = node.client.mempool().expect("the mempool").transactions;
    assert_eq!(waiting[0].fields["bond"], "0");
    wait_until("the claim is in a block", || {
        node.mine("miner");
        node.client.job_assignment(job).is_ok()
    });
    let (bounty, fee) =
        (entry(&node, NEWCOMER, "bounty").received.0, entry(&node, NEWCOMER, "claim-fee").spent.0);
    assert_eq!(fee, waiting[0].fee.0);
    let paid = node.client.account(&account).expect("an account");
    assert!(paid.balance.0 > 0 && paid.nonce == 0, "{paid:?}");
    assert_eq!(paid.balance.0, bounty - fee);
    assert_eq!(entry(&node, NEWCOMER, "claim").spent.0, 0, "its sender paid nothing");
}

#[test]
fn without_coins_and_bounty_the_node_says_which_address_needs_some() {
    let node = TestNode::without_coins();
    open_job_with(&node, 0);
    let mut worker = Worker::connect(&node);
    worker.send(&FromWorker::Ready(ready_for(&node, NEWCOMER)));
    let work = worker.work();
    let claim = claim(&node, &work);
    worker.send(&FromWorker::Result(WorkResult::Claim { work: work.id, claim: claim.clone() }));
    let tally = judged(&mut worker);
    let reason = tally.reason.as_str();
    assert_eq!(tally.claims_refused, 1);
    assert!(reason.contains("bounty") && reason.contains(&address(NEWCOMER)), "{reason}");
    // With coins it goes with a bond.
    node.send("customer", NEWCOMER, 1_000_000_000);
    wait_until("the node has coins", || {
        node.mine("miner");
        node.client.account(&address(NEWCOMER)).expect("an account").balance.0 > 0
    });
    worker.send(&FromWorker::Result(WorkResult::Claim { work: work.id, claim }));
    let accepted = std::iter::repeat_with(|| worker.work().tally).find(|t| t.claims_accepted > 0);
    assert!(accepted.is_some());
    let bond = crate::common::genesis().market.claim_bond;
    assert_eq!(node.client.mempool().expect("the mempool").transactions[0].fields["bond"], bond.to_string());
}

#[test]
fn money_does_not_wait_for_the_legs_of_claims() {
    let open = Arc::new(AtomicBool::new(true));
    let gate = open.clone();
    let slow =
        TestNode::with_runner(Box::new(move |problems, _| Arc::new(Gated(StubRunner::new(problems), gate))));
    let other = TestNode::new();
    open_job(&other);
    connect(&slow, &other);
    wait_until("it follows", || slow.height() == other.height());
    let template = other.client.template(&address(NEWCOMER)).expect("a template");
    let rules: WorkRules = borsh::from_slice(&template.rules.0).expect("rules");
    let claim = search(&other, &template.header.0, template.table, &rules, 0);
    let signed = sign(NEWCOMER, 0, Body::Claim { claim: Box::new(claim), bond: UNBONDED });
    open.store(false, Ordering::Relaxed);
    other.client.submit(&signed.encode()).expect("is true");
    let sent = other.send("alice", "bob", 5);
    let has = |id| slow.client.transaction(Hex32(id)).is_ok();
    wait_until("the money comes through", || has(sent.id()));
    assert!(!has(signed.id()), "its leg is not run yet");
    open.store(true, Ordering::Relaxed);
    wait_until("the claim comes after it", || has(signed.id()));
}

/// Legs that are honest until they are told to lie.
struct Turncoat(StubRunner, Arc<AtomicBool>);

impl LegRunner for Turncoat {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        let mut output = self.0.run(table, leg, stop)?;
        output.digest[0] ^= u8::from(self.1.load(Ordering::Relaxed));
        Ok(output)
    }
}

#[test]
fn who_passes_on_a_false_claim_without_a_bond_is_banned() {
    let lies = Arc::new(AtomicBool::new(false));
    let told = lies.clone();
    let liar = TestNode::with_runner(Box::new(move |problems, _| {
        Arc::new(Turncoat(StubRunner::new(problems), told))
    }));
    let honest = TestNode::new();
    open_job(&honest);
    connect(&liar, &honest);
    wait_until("the liar follows", || liar.height() == honest.height());
    let template = honest.client.template(&address(NEWCOMER)).expect("a template");
    let rules: WorkRules = borsh::from_slice(&template.rules.0).expect("rules");
    let mut claim = search(&honest, &template.header.0, template.table, &rules, 0);
    claim.digests.last_mut().expect("a digest")[0] ^= 1;
    let body = Body::Claim { claim: Box::new(claim), bond: UNBONDED };
    let signed = sign(NEWCOMER, 0, body).encode();
    // Over HTTP it is refused, and nothing waits.
    let refused = refusal(honest.client.submit(&signed));
    assert!(refused.status == 422 && refused.detail.contains("gives something else"), "{refused:?}");
    lies.store(true, Ordering::Relaxed);
    liar.client.submit(&signed).expect("it believes it");
    let banned = || honest.runtime.block_on(honest.handle().banned());
    wait_until("the liar is banned", || banned() == [liar.handle().peer()]);
    assert!(honest.client.mempool().expect("the mempool").transactions.is_empty());
}
