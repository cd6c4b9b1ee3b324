//! [`solve`]: normalise, split into components, share the cores among them, put the answer together.

mod learner;
mod order;
mod teller;
mod threads;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hysteron_problem::Problem;

use crate::Source;
use crate::exact::cdcl::InTurns;
use crate::portfolio::{self, Learning};
use order::{Beside, Order};
use teller::Teller;
use threads::Wake;

/// What bounds a search and what it depends on.
#[derive(Clone, Debug)]
pub struct Options {
    /// Wall-clock limit.
    pub time: Option<Duration>,
    /// Limit on chip-steps: steps of one 64-chip bank of the whole problem, other methods
    /// charged by the same cost; for each thread.
    pub steps: Option<u64>,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// All randomness is a function of it.
    pub seed: u64,
    /// Stop when a feasible assignment has at most this canonical energy.
    pub target: Option<i64>,
}

/// Where an answer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A CNF, satisfied.
    Satisfiable,
    /// The (hard) clauses are proven contradictory.
    Unsatisfiable,
    /// Proven best.
    Optimal,
    /// All hard clauses hold; nothing is proven.
    Feasible,
    /// No assignment that satisfies the (hard) clauses was found.
    Unknown,
}

/// A new best, as it happens.
#[derive(Clone, Copy, Debug)]
pub struct Improvement {
    /// Canonical energy of the whole problem.
    pub energy: i64,
    /// Unsatisfied hard clauses; 0 is feasible.
    pub hard_unsatisfied: u64,
    /// Who found it.
    pub source: Source,
    /// Since [`solve`] began.
    pub elapsed: Duration,
}

/// How far a search is, told a few times a second.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Since [`solve`] began.
    pub elapsed: Duration,
    /// Elementary circuit updates so far.
    pub ecu: u64,
    /// Greatest proven lower bound on the canonical energy, if any is known.
    pub lower_bound: Option<i64>,
}

/// Follows a search. Calls come from several threads, one at a time, and must be quick.
pub trait Observer: Sync {
    /// There is a new best.
    fn improved(&self, _improvement: &Improvement) {}
    /// Time went by.
    fn progress(&self, _progress: &Progress) {}
    /// A proven answer is known. Told at most once, before threads are waited for and what they hold is given back, which may take
    /// longer than the search did: who has no other use for the process may end it here.
    fn answered(&self, _answer: &Answer) {}
}

/// Watches nothing.
impl Observer for () {}

/// What [`solve`] found.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where it stands.
    pub status: Status,
    /// One value a variable of the canonical problem; `None` only when it is proven unsatisfiable.
    pub assignment: Option<Vec<bool>>,
    /// Who found the assignment (of the component that improved last).
    pub source: Source,
    /// Elementary circuit updates simulated.
    pub ecu: u64,
    /// Wall time.
    pub elapsed: Duration,
}

/// What [`search`] found: the answer, and further good assignments.
#[derive(Clone, Debug)]
pub struct Found {
    /// The best.
    pub answer: Answer,
    /// Assignments besides it that the search kept, all distinct, the best first: at most what was
    /// asked for. Where there are several components, each differs from the answer in one of them.
    pub others: Vec<Vec<bool>>,
}

/// Searches for the best assignment of `problem` until a limit of `options` or `interrupt` ends it,
/// or nothing better exists.
///
/// With one thread, a step limit and no time limit the answer is a function of (problem, options).
pub fn solve(
    problem: &Problem,
    options: &Options,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Answer {
    search(problem, options, &[], 0, observer, interrupt).answer
}

/// [`solve`], from given assignments: each is a candidate from the beginning and an elite while it is
/// good enough, so the answer is at least as good as the best of them. Returns up to `others` further
/// assignments besides the answer.
///
/// # Panics
/// If a start does not have one value a variable.
pub fn search(
    problem: &Problem,
    options: &Options,
    starts: &[Vec<bool>],
    others: usize,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Found {
    let effort_limit =
        options.steps.map_or(u64::MAX, |steps| steps.saturating_mul(portfolio::step_effort(problem)));
    let teller = Teller { observer, is_over: Mutex::new(false) };
    let order =
        Order { problem, options, effort_limit, starts, others, teller, interrupt, begin: Instant::now() };
    let Problem::Cnf(cnf) = problem else { return order.search(Beside::Nobody, None, Arc::default()) };
    match portfolio::learning(cnf, options.threads) {
        Learning::First => order.learn_first(cnf),
        // Before anything else, so that nobody is worse off than with clause learning alone.
        Learning::Beside { .. } if options.threads == 1 => {
            let learner = order.learner(InTurns::new(cnf), 0);
            order.search(Beside::Nobody, Some(learner), Arc::default())
        }
        Learning::Beside { at_once: true } => {
            let wake = Arc::new(Wake::default());
            let background = order.start(cnf, &wake);
            order.search(background.map_or(Beside::Nobody, Beside::Running), None, wake)
        }
        Learning::Beside { at_once: false } => {
            order.sprint(cnf).unwrap_or_else(|| order.search(Beside::Supervised(cnf), None, Arc::default()))
        }
        Learning::Among => {
            order.sprint(cnf).unwrap_or_else(|| order.search(Beside::Nobody, None, Arc::default()))
        }
    }
}

/// Unsatisfied hard clauses and canonical energy.
pub fn score(problem: &Problem, assignment: &[bool]) -> (u64, i64) {
    match problem {
        Problem::Cnf(cnf) => (0, cnf.unsatisfied(assignment) as i64),
        Problem::Wcnf(wcnf) => (wcnf.hard_unsatisfied(assignment), wcnf.cost(assignment)),
        Problem::Ising(ising) => (0, ising.energy(assignment)),
    }
}
