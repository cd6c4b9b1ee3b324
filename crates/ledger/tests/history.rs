//! Random histories with reorganisations: coins are conserved, an error changes nothing, undoing is exact. The little chain of
//! `common` checks all of that at every block.

mod common;

use common::*;
use hysteron_ledger::{Body, Ending, Event, JobTerms, Multisig, PublicKey, SignedTransaction, State};
use hysteron_work::types::{Assignment, JobId};
use proptest::prelude::*;

/// What happens next. Numbers are choices, scaled to what there is to choose from.
#[derive(Clone, Debug)]
enum Act {
    Transfer { from: usize, to: usize, amount: u64, outputs: usize },
    Open { who: usize, problem: u64, chips: u64, blocks: u32, bounty: u16, held: bool },
    TopUp { job: usize, blocks: u32, bounty: u64 },
    Cancel { job: usize },
    Claim { who: usize, job: usize, wrong: u32, age: u64, is_true: bool, has_bond: bool },
    Commit { who: usize, job: usize, wrong: u32 },
    Reveal { commit: usize },
    Vote { who: usize, job: usize, approve: bool },
    Quote { who: usize, rate: u64 },
    Multisig { members: usize },
    Mine { blocks: u64, miner: usize, legs: bool },
    Reorganise { depth: u64 },
}

fn act() -> impl Strategy<Value = Act> {
    let who = 0..NAMES.len();
    prop_oneof![
        2 => (who.clone(), who.clone(), 1u64..20_000_000_000_000, 1usize..4)
            .prop_map(|(from, to, amount, outputs)| Act::Transfer { from, to, amount, outputs }),
        3 => (0usize..4, 0u64..4, prop::sample::select(vec![1u64, 64, 1000, 20_000]), 1u32..12, 0u16..3000, any::<bool>())
            .prop_map(|(who, problem, chips, blocks, bounty, held)| Act::Open { who, problem, chips, blocks, bounty, held }),
        1 => (any::<usize>(), 0u32..5, 0u64..1000).prop_map(|(job, blocks, bounty)| Act::TopUp { job, blocks, bounty }),
        1 => any::<usize>().prop_map(|job| Act::Cancel { job }),
        6 => (who.clone(), any::<usize>(), 0u32..20, 1u64..12, prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(who, job, wrong, age, is_true, has_bond)| Act::Claim { who, job, wrong, age, is_true, has_bond }),
        1 => (who.clone(), any::<usize>(), 0u32..8).prop_map(|(who, job, wrong)| Act::Commit { who, job, wrong }),
        1 => any::<usize>().prop_map(|commit| Act::Reveal { commit }),
        2 => (4usize..7, any::<usize>(), any::<bool>()).prop_map(|(who, job, approve)| Act::Vote { who, job, approve }),
        1 => (who.clone(), 100u64..100_000_000).prop_map(|(who, rate)| Act::Quote { who, rate }),
        1 => (1usize..4).prop_map(|members| Act::Multisig { members }),
        4 => (1u64..6, 0usize..4, any::<bool>()).prop_map(|(blocks, miner, legs)| Act::Mine { blocks, miner, legs }),
        1 => (1u64..15).prop_map(|depth| Act::Reorganise { depth }),
    ]
}

/// A history in the making.
struct History {
    world: World,
    jobs: Vec<(JobId, Vec<bool>)>,
    commits: Vec<(usize, JobId, Vec<bool>)>,
    /// Transactions and problems for the next block.
    waiting: Vec<SignedTransaction>,
    data: Vec<Vec<u8>>,
    accepted: usize,
    refused: usize,
    /// How jobs ended, on branches that were given up too.
    ended: Vec<Ending>,
    /// Claims without a bond that were paid.
    unbonded: usize,
}

impl History {
    fn job(&self, index: usize) -> Option<&(JobId, Vec<bool>)> {
        // Older ones are settled, mostly.
        let recent = &self.jobs[self.jobs.len().saturating_sub(3)..];
        recent.get(index.checked_rem(recent.len())?)
    }

    /// Who opened a job, or somebody who did not.
    fn owner(&self, job: &JobId) -> usize {
        let owner = self.world.state.job(job).map(|job| job.owner);
        (0..NAMES.len()).find(|&who| Some(address(who)) == owner).unwrap_or(CUSTOMER)
    }

    /// The hidden solution with some variables wrong.
    fn near(hidden: &[bool], wrong: u32) -> Vec<bool> {
        hidden.iter().enumerate().map(|(i, &v)| if (i as u32) < wrong { !v } else { v }).collect()
    }

    /// Puts a transaction into the next block, with the nonce that it has there.
    fn send(&mut self, who: usize, body: Body) -> JobId {
        let in_sequence = |t: &&SignedTransaction| {
            t.transaction.sender.address() == address(who) && t.transaction.unbonded_claim().is_none()
        };
        let ahead = self.waiting.iter().filter(in_sequence).count();
        let signed = self.world.sign_ahead(who, body, ahead as u64);
        let id = JobId(signed.id());
        self.waiting.push(signed);
        id
    }

    /// Makes the block, leaving out what is refused.
    fn mine(&mut self, miner: usize) {
        loop {
            let (waiting, data) = (self.waiting.clone(), self.data.clone());
            match self.world.try_block(miner, &waiting, &data) {
                Ok(applied) => {
                    self.ended.extend(applied.events.iter().filter_map(|event| match event {
                        Event::JobEnded { ending, .. } => Some(*ending),
                        _ => None,
                    }));
                    for signed in waiting.iter().filter(|t| t.transaction.unbonded_claim().is_some()) {
                        self.unbonded += 1;
                        assert!(applied.events.iter().any(
                            |e| matches!(e, Event::ClaimFeePaid { fee, .. } if *fee == signed.transaction.fee)
                        ));
                    }
                    self.accepted += waiting.len();
                    break;
                }
                Err(hysteron_ledger::LedgerError::BlockTransaction { index, .. }) => {
                    let gone = self.waiting.remove(index);
                    self.refused += 1;
                    let alone = self.world.state.check_transaction(&gone, None, &self.world.checker);
                    // Whatever the pool's check says, it says it without harm.
                    let _ = alone;
                    if let Some(problem) = gone.transaction.problem() {
                        let id =
                            |bytes: &Vec<u8>| blake3::derive_key("hysteron/problem/1", bytes) == problem.0;
                        let others = self.waiting.iter().any(|t| t.transaction.problem() == Some(problem));
                        if !others {
                            self.data.retain(|bytes| !id(bytes));
                        }
                    }
                }
                Err(error) => panic!("a block of valid transactions is refused: {error}"),
            }
        }
        self.waiting.clear();
        self.data.clear();
    }

    fn step(&mut self, act: Act) {
        match act {
            Act::Transfer { from, to, amount, outputs: 1 } => {
                self.send(from, Body::Transfer { to: address(to), amount, memo: b"memo".to_vec() });
            }
            Act::Transfer { from, to, amount, outputs } => {
                let outputs =
                    (0..outputs).map(|i| (address((to + i) % NAMES.len()), amount / 3 + 1)).collect();
                self.send(from, Body::MultiTransfer { outputs, memo: vec![] });
            }
            Act::Open { who, problem, chips, blocks, bounty, held } => {
                let size = if held { 260 } else { 250 };
                let (problem, hidden) = planted(60, size, problem);
                let asked = JobTerms { bounty_per_mille: bounty, review_blocks: 6, ..terms(chips, blocks) };
                let (signed, data) = self.world.open(who, &problem, asked);
                let id = self.send(who, signed.transaction.body);
                if data.iter().all(|bytes| !self.data.contains(bytes)) {
                    self.data.extend(data);
                }
                self.jobs.push((id, hidden));
            }
            Act::TopUp { job, blocks, bounty } => {
                let Some(&(job, _)) = self.job(job) else { return };
                let (quoted_at, owner) = (self.world.height(), self.owner(&job));
                self.send(
                    owner,
                    Body::JobTopUp { job, blocks, bounty: bounty + 1, quoted_at, price_max: 1 << 40 },
                );
            }
            Act::Cancel { job } => {
                // What waits comes first, so that there is a job to cancel.
                self.mine(MINER);
                let Some(&(job, _)) = self.job(job) else { return };
                self.send(self.owner(&job), Body::JobCancel { job });
            }
            Act::Claim { who, job, wrong, age, is_true, has_bond } => {
                let Some((id, hidden)) = self.job(job) else { return };
                let age = age.min(self.world.undo.len() as u64 + 1);
                let found = Self::near(hidden, wrong);
                let body = if has_bond {
                    self.world.claim_body(*id, &found, who, age, is_true)
                } else {
                    self.world.unbonded_body(*id, &found, who, age, is_true)
                };
                self.send(who, body);
            }
            Act::Commit { who, job, wrong } => {
                let Some((id, hidden)) = self.job(job) else { return };
                let (id, found) = (*id, Self::near(hidden, wrong));
                let body = self.world.commit_body(who, id, &found, [7; 32]);
                self.send(who, body);
                self.commits.push((who, id, found));
            }
            Act::Reveal { commit } => {
                let Some(at) = commit.checked_rem(self.commits.len()) else { return };
                let (who, job, found) = self.commits[at].clone();
                self.send(
                    who,
                    Body::ClaimReveal { job, assignment: Assignment::pack(&found), salt: [7; 32] },
                );
            }
            Act::Vote { who, job, approve } => {
                let Some(&(job, _)) = self.job(job) else { return };
                self.send(who, Body::ReviewVote { job, approve, reason: "because".into() });
            }
            Act::Quote { who, rate } => {
                self.send(who, Body::OracleQuote { microcents_per_hys: rate });
            }
            Act::Multisig { members } => {
                let mut members: Vec<PublicKey> = (0..members).map(public).collect();
                members.sort_unstable();
                self.send(ALICE, Body::MultisigCreate(Multisig { members, threshold: 1 }));
            }
            Act::Mine { blocks, miner, legs } => {
                for _ in 0..blocks {
                    if legs {
                        self.world.legs = self.jobs.iter().rev().take(4).map(|job| job.0).collect();
                    }
                    self.mine(miner);
                }
            }
            Act::Reorganise { depth } => {
                self.waiting.clear();
                self.data.clear();
                (0..depth).for_each(|_| _ = self.world.undo_block());
            }
        }
    }
}

fn history(rate_is_fixed: bool, acts: Vec<Act>) -> History {
    let mut genesis = genesis();
    genesis.market.rate_is_fixed = rate_is_fixed;
    genesis.market.stale_seconds = 200;
    // Problems of 260 clauses are held, those of 250 are not.
    genesis.market.held_from_elements = 3 * 255;
    let world = World::new(&genesis);
    let (jobs, commits, waiting, data) = (vec![], vec![], vec![], vec![]);
    let mut history =
        History { world, jobs, commits, waiting, data, accepted: 0, refused: 0, ended: vec![], unbonded: 0 };
    for act in acts {
        history.step(act);
    }
    history.mine(MINER);
    history
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn coins_are_conserved(rate_is_fixed in any::<bool>(), acts in prop::collection::vec(act(), 1..60)) {
        let mut history = history(rate_is_fixed, acts);
        let state = &history.world.state;
        // A node that starts from the records has the same state.
        let entries = state.entries().map(|(k, v)| (k.to_vec(), v.to_vec()));
        let again = State::from_entries(state.rules(), entries).unwrap();
        prop_assert_eq!(again.root(), state.root());
        // Every job that ended is settled in the end, and nothing is left in escrow.
        for _ in 0..60 {
            let open = history.world.state.active_jobs();
            history.world.legs = open.into_iter().take(4).collect();
            history.mine(MINER);
        }
        for (id, job) in history.world.state.jobs() {
            let cap = u128::from(job.chips) * u128::from(job.blocks) * u128::from(hysteron_ledger::CREDIT_UNITS);
            prop_assert!(job.delivered <= cap && job.bounty_paid <= job.bounty);
            if let Some(s) = job.settlement {
                prop_assert_eq!(s.to_pot + s.burned + s.refunded + job.bounty_paid, job.block_fee + job.bounty, "{}", id);
            }
        }
        // Back to the genesis, exactly.
        while history.world.undo_block() {}
        let genesis = history.world.state.rules().clone();
        prop_assert_eq!(history.world.state.root(), State::genesis(&genesis).unwrap().root());
    }
}

/// The generator reaches what it is for.
#[test]
fn histories_are_eventful() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let acts = prop::collection::vec(act(), 600).new_tree(&mut runner).unwrap().current();
    let history = history(true, acts);
    let count = |ending: &Ending| history.ended.iter().filter(|other| *other == ending).count();
    let endings = [Ending::Solved, Ending::Exhausted, Ending::Cancelled, Ending::Refused, Ending::Starved]
        .map(|e| count(&e));
    assert!(endings.iter().all(|count| *count > 0), "{endings:?}");
    assert!(history.unbonded > 5, "{}", history.unbonded);
    assert!(history.accepted > 100 && history.refused > 50, "{} {}", history.accepted, history.refused);
}
