//! Who takes part in a search, and with which share: decided by the structure of the problem.

use hysteron_problem::{Cnf, Ising, Problem, Wcnf};

use crate::exact::cdcl::Cdcl;
use crate::exact::ising::Elimination;
use crate::exact::maxsat::{CoreGuided, ModelImproving};
use crate::schedule::{Entry, SHARE, Schedule};
use crate::{Searcher, clauses, ising, shape};

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
    let entries = match problem {
        Problem::Cnf(cnf) => clauses_of_cnf(problem, cnf, team),
        Problem::Wcnf(wcnf) => clauses_of_wcnf(problem, wcnf, team),
        Problem::Ising(ising) => entries_of(spins(ising, team)),
    };
    Schedule::new(entries)
}

/// Random clauses above this many variables are beyond clause learning, below it they are not.
const RANDOM_LEARNABLE_VARIABLES_MAX: u32 = 600;

fn clauses_of_cnf(problem: &Problem, cnf: &Cnf, team: Team) -> Vec<Entry> {
    let seed = team.thread_seed();
    let looks_random = shape::looks_random(cnf.variables, cnf.clauses.iter());
    let learnable = !looks_random || cnf.variables <= RANDOM_LEARNABLE_VARIABLES_MAX;
    let mut entries = Vec::new();
    // On a thread of its own, clause learning costs the chips nothing and loses nothing to slices.
    if team.thread == 0 && team.threads > 1 && learnable {
        entries.push(Entry::new(Box::new(Cdcl::new(cnf)), SHARE));
        return entries;
    }
    for searcher in clauses::switching_searchers(cnf, seed) {
        entries.push(Entry::new(searcher, SHARE));
    }
    if let Some(searcher) = clauses::focused_searcher(cnf, seed) {
        entries.push(Entry::new(searcher, SHARE));
    }
    if let Ok(searcher) = clauses::Memcomputing::new(problem, seed) {
        entries.push(Entry::new(Box::new(searcher), SHARE));
    }
    if let Some(searcher) = clauses::Beliefs::new(problem, seed) {
        entries.push(Entry::new(Box::new(searcher), SHARE));
    }
    if team.thread == 0 {
        let share = if looks_random { SHARE / 4 } else { entries.len() as u64 * 2 * SHARE };
        entries.push(Entry::new(Box::new(Cdcl::new(cnf)), share));
    }
    entries
}

fn clauses_of_wcnf(problem: &Problem, wcnf: &Wcnf, team: Team) -> Vec<Entry> {
    let seed = team.thread_seed();
    let mut entries = Vec::new();
    if team.thread == 0 {
        if let Some(exact) = CoreGuided::new(problem) {
            entries.push(Entry::new(Box::new(exact), 3 * SHARE));
        }
        if let Some(exact) = ModelImproving::new(problem) {
            entries.push(Entry::new(Box::new(exact), SHARE));
        }
        if team.threads > 1 && !wcnf.hard.is_empty() {
            return entries;
        }
    }
    for searcher in clauses::unweighted_searchers(wcnf, seed) {
        entries.push(Entry::new(searcher, SHARE));
    }
    entries.extend(entries_of(clauses::pair_searcher(wcnf, |ising| spins(ising, team))));
    if let Some(searcher) = clauses::Partial::new(problem, seed) {
        entries.push(Entry::new(Box::new(searcher), SHARE));
    }
    if wcnf.hard.is_empty()
        && let Ok(searcher) = clauses::Memcomputing::new(problem, seed)
    {
        entries.push(Entry::new(Box::new(searcher), SHARE / 4));
    }
    entries
}

fn entries_of(searchers: Vec<(Box<dyn Searcher>, u64)>) -> Vec<Entry> {
    searchers.into_iter().map(|(searcher, share)| Entry::new(searcher, share)).collect()
}

fn spins(ising: &Ising, team: Team) -> Vec<(Box<dyn Searcher>, u64)> {
    let seed = team.thread_seed();
    let is_dense = ising::dense::is_dense(ising);
    let dense =
        ising::dense::dense_searchers(ising, seed).into_iter().enumerate().map(|(index, searcher)| {
            let share = match (is_dense, index) {
                (true, 0) => 4 * SHARE,
                (true, _) => SHARE,
                (false, _) => SHARE / 4,
            };
            (searcher, share)
        });
    let sparse_share = if is_dense { SHARE / 4 } else { SHARE };
    let sparse = ising::searchers(ising, seed)
        .into_iter()
        .map(|(searcher, sixteenths)| (searcher, (sixteenths * sparse_share / 16).max(1)));
    // With equal virtual time the first goes first.
    let mut searchers: Vec<_> =
        if is_dense { dense.chain(sparse).collect() } else { sparse.chain(dense).collect() };
    if team.thread == 0
        && let Some(exact) = Elimination::new(ising)
    {
        searchers.insert(0, (Box::new(exact), 2 * SHARE));
    }
    searchers
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
