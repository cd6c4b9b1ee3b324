//! Claims of workers: wrapped by the node's account, paid to the worker's address, and never false.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::common::worker::{Worker, base, ready};
use crate::common::{TestNode, address, open_job, problem, wait_until};
use hysteron_api::Hex32;
use hysteron_api::types::HistoryQuery;
use hysteron_api::worker::{FromWorker, LegClaim, Work, WorkResult};
use hysteron_chain::testing::StubRunner;
use hysteron_problem::Problem;
use hysteron_work::{Claim, Meter, ProblemId, Table, Task};

/// A leg on a job that is better than the assignment of all variables to false, as a claim.
fn claim(node: &TestNode, work: &Work) -> LegClaim {
    let bytes = node.client.table(Hex32(work.table)).expect("the table");
    let table = Table::decode(&bytes).expect("a table");
    let (problem, _) = problem();
    let least = hysteron_ledger::Scale::of(&problem).baseline.energy;
    let problems: BTreeMap<ProblemId, Arc<Problem>> = [(ProblemId::of(&problem), Arc::new(problem))].into();
    let runner = StubRunner::new(Arc::new(problems));
    let (stop, meter) = (AtomicBool::new(false), Meter::off());
    let mut nonce = work.nonce_start;
    loop {
        let attempt =
            hysteron_work::attempt(&work.seed(), &table, &work.rules, &runner, nonce, &stop, &meter)
                .expect("a leg runs")
                .expect("nobody stops it");
        let leg = attempt
            .outputs
            .iter()
            .position(|output| matches!(output.task, Task::Job(_)) && output.energy < least);
        if let Some(leg) = leg {
            return Claim::of_attempt(work.header.clone(), &attempt, leg as u8 + 1).into();
        }
        nonce = attempt.proof.nonce + 1;
    }
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
    assert_eq!(crate::common::refusal(node.client.job_assignment(job)).status, 404);
}
