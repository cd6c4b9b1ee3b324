//! What is known of the jobs' best answers, so that only strict improvements are claimed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hysteron_work::{Assignment, ENTRIES_MAX, Entry, JobId, LegOutput, Problems, Table, score};

/// Unsatisfied hard clauses, then energy: less is better.
pub type Quality = (u64, i64);

/// Blocks for which a claim of ours is believed to be under way. If the chain does not have it by then it was lost,
/// and something worse is worth claiming again.
const CLAIM_BLOCKS: u64 = 6;

#[derive(Clone, Debug, Default)]
struct Known {
    /// The best checkpoint that was scored (nothing: all variables false), and its quality.
    chain: Option<(Option<Assignment>, Option<Quality>)>,
    /// The best that was claimed here, and at which height.
    own: Option<(Quality, u64)>,
}

/// The best of each job, by the chain's state and by what was claimed here. Shared by the threads of a miner.
#[derive(Debug, Default)]
pub struct Bests {
    known: Mutex<BTreeMap<JobId, Known>>,
}

impl Bests {
    /// Whether `output`, of a leg for the block of this height, strictly improves what is known of the entry's job,
    /// and is then remembered as claimed. A job without an answer stands where all variables are false, as the ledger
    /// measures improvements from there.
    pub fn improves(
        &self,
        height: u64,
        table: &Table,
        entry: &Entry,
        output: &LegOutput,
        problems: &dyn Problems,
    ) -> bool {
        let quality = (u64::from(output.hard_unsatisfied), output.energy);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > 2 * ENTRIES_MAX {
            // Jobs come and go; those of the present table are scored again when they are asked for.
            known.retain(|job, _| table.entries.iter().any(|e| e.job == *job));
        }
        let state = known.entry(entry.job).or_default();
        let checkpoint = entry.checkpoints.first();
        if state.chain.as_ref().is_none_or(|(best, _)| best.as_ref() != checkpoint) {
            let scored = problems.problem(&entry.problem).and_then(|problem| {
                let none = vec![false; problem.variables() as usize];
                score(&problem, &checkpoint.map_or(none, Assignment::unpack))
            });
            state.chain = Some((checkpoint.cloned(), scored));
        }
        let own = state.own.filter(|&(_, claimed)| height <= claimed + CLAIM_BLOCKS).map(|(best, _)| best);
        let chain = state.chain.as_ref().and_then(|(_, quality)| *quality);
        if own.into_iter().chain(chain).any(|best| best <= quality) {
            return false;
        }
        state.own = Some((quality, height));
        true
    }

    /// Forgets what was claimed of a job here: the claim went nowhere, so another may be needed.
    pub fn forget(&self, job: &JobId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = known.get_mut(job) {
            state.own = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hysteron_problem::{Ising, Problem};
    use hysteron_work::{Class, ProblemId, Task};

    use super::*;

    fn output(energy: i64, hard_unsatisfied: u32) -> LegOutput {
        let assignment = vec![true, false];
        LegOutput {
            digest: [0; 32],
            lane: 0,
            energy,
            hard_unsatisfied,
            assignment,
            ecu: 1,
            task: Task::Job(0),
        }
    }

    #[test]
    fn only_strict_improvements_are_claimed() {
        let ising = Ising { spins: 2, couplings: vec![(0, 1, 3)], fields: vec![0, 1], offset: 0 };
        let problem = Arc::new(Problem::Ising(ising));
        let id = ProblemId::of(&problem);
        let problems: BTreeMap<ProblemId, Arc<Problem>> = [(id, problem)].into();
        let entry = |checkpoints| Entry {
            job: JobId([1; 32]),
            problem: id,
            class: Class::SparseSpins,
            chips: 64,
            target: None,
            checkpoints,
        };
        let table = Table::default();
        let bests = Bests::default();
        let improves = |height, entry: &Entry, energy, hard| {
            bests.improves(height, &table, entry, &output(energy, hard), &problems)
        };
        let fresh = entry(vec![]);
        // Down, down: 3 - 1.
        assert!(!improves(1, &fresh, 2, 0), "no better than doing nothing");
        assert!(!improves(1, &fresh, -9, 1), "hard clauses come first");
        assert!(improves(1, &fresh, 1, 0));
        assert!(!improves(1, &fresh, 1, 0), "equal is no improvement");
        // Up, up: 3 + 1.
        let worse = entry(vec![Assignment::pack(&[true, true])]);
        assert!(!improves(2, &worse, 1, 0), "our own claim is still the best");
        // Up, down: -3 - 1.
        let better = entry(vec![Assignment::pack(&[true, false])]);
        assert!(!improves(2, &better, -4, 0), "the chain has it");
        assert!(improves(2, &better, -5, 0));
        assert!(!improves(8, &worse, 0, 0), "a claim may be under way");
        assert!(improves(9, &worse, 0, 0), "it was lost");
        bests.forget(&JobId([1; 32]));
        assert!(improves(9, &worse, 3, 0), "only the chain counts");
    }
}
