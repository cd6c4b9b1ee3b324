//! Who takes part in a search, and with which share: decided by the structure of the problem.

use hysteron_problem::Problem;

use crate::Searcher;
use crate::schedule::{Entry, SHARE, Schedule};

/// The place of a thread among its fellows.
#[derive(Clone, Copy, Debug)]
pub struct Team {
    /// This thread, from 0.
    pub thread: usize,
    /// All threads of the search.
    pub threads: usize,
    /// The seed of the search; each thread derives its own.
    pub seed: u64,
}

impl Team {
    /// The seed of this thread's searchers.
    pub fn thread_seed(self) -> u64 {
        hysteron_circuit::rom::mix64(self.seed ^ ((self.thread as u64) << 40))
    }
}

/// Effort of one chip-step: one step of a 64-chip bank, by the mean cost of the kernels
/// (0.03 ns an update).
pub fn step_effort(problem: &Problem) -> u64 {
    2 * elements(problem).max(1)
}

/// Literals or couplings (each counted once from each side).
fn elements(problem: &Problem) -> u64 {
    match problem {
        Problem::Cnf(cnf) => cnf.clauses.literals().len() as u64,
        Problem::Wcnf(wcnf) => (wcnf.hard.literals().len() + wcnf.soft.literals().len()) as u64,
        Problem::Ising(ising) => 2 * ising.couplings.len() as u64 + u64::from(ising.spins),
    }
}

/// The searchers of a thread for one component, with their shares.
pub fn schedule(problem: &Problem, team: Team) -> Schedule {
    let mut entries = Vec::new();
    let mut add = |searcher: Box<dyn Searcher>, share: u64| entries.push(Entry::new(searcher, share * SHARE));
    if let Problem::Cnf(cnf) = problem
        && team.thread == 0
    {
        add(Box::new(crate::exact::cdcl::Cdcl::new(cnf)), 1);
    }
    Schedule::new(entries)
}

/// About how many bytes a search on `problem` with this many threads needs, beside the problem itself.
pub fn memory_estimate(problem: &Problem, threads: usize) -> u64 {
    // TODO
    elements(problem) * 100 * threads as u64
}

/// How many bytes a search may use: most of what the machine has free.
pub fn memory_limit() -> u64 {
    8 << 30
}
