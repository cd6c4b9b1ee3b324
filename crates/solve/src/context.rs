//! What the searchers of one problem share: the best candidate, the elites, the stop flag.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use hysteron_problem::Problem;

/// Distinct good candidates that are kept for crossover and restarts.
pub const ELITES_MAX: usize = 16;

/// Who found a candidate; printed in answers, so it is honest and specific.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Source {
    /// The normaliser left nothing to search.
    Presolve,
    /// The caller, who gave it as a start.
    Given,
    /// The crossbar chip, with its mode: `A`, `B`, `C` or `D`.
    Crossbar(char),
    /// The switching chip, with its kernel: `T`, `B`, `W` or `G`.
    Switching(char),
    /// The memcomputing chip.
    Memcomputing,
    /// Recombination of elites: partition crossover or path relinking.
    Crossover,
    /// Local search on one assignment: the method's name.
    LocalSearch(&'static str),
    /// Conflict-driven clause learning.
    Cdcl,
    /// An exact MaxSAT method: its name.
    Exact(&'static str),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Presolve => write!(f, "presolve"),
            Self::Given => write!(f, "given start"),
            Self::Crossbar(mode) => write!(f, "chip crossbar {mode}"),
            Self::Switching(kernel) => write!(f, "chip switching {kernel}"),
            Self::Memcomputing => write!(f, "chip memcomputing"),
            Self::Crossover => write!(f, "crossover"),
            Self::LocalSearch(name) => write!(f, "polish {name}"),
            Self::Cdcl => write!(f, "cdcl"),
            Self::Exact(name) => write!(f, "exact {name}"),
        }
    }
}

/// An assignment with its score, checked by the context itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// One value a variable of the canonical problem.
    pub assignment: Vec<bool>,
    /// Unsatisfied hard clauses; 0 is feasible.
    pub hard_unsatisfied: u64,
    /// Canonical energy: unsatisfied clauses, cost of soft clauses, Ising energy.
    pub energy: i64,
    /// Who found it.
    pub source: Source,
}

impl Candidate {
    /// The order of merit: feasibility, then energy. Less is better.
    pub fn key(&self) -> (u64, i64) {
        (self.hard_unsatisfied, self.energy)
    }
}

/// Called with every improvement, under the context's lock: it must be quick.
pub type Listener<'a> = Box<dyn Fn(&Candidate) + Send + Sync + 'a>;

/// A context's own stop flag, or that of the context it works for.
enum StopFlag<'a> {
    Own(AtomicBool),
    Shared(&'a AtomicBool),
}

/// The shared state of a search on one canonical problem.
pub struct Context<'a> {
    problem: &'a Problem,
    /// Energy at which the search is over; for CNF 0.
    target: Option<i64>,
    stop: StopFlag<'a>,
    ecu: AtomicU64,
    /// Energy of the best feasible candidate, `i64::MAX` if none: a cheap first look.
    best_energy: AtomicI64,
    /// Sorted by merit, distinct, at most [`ELITES_MAX`].
    elites: Mutex<Vec<Candidate>>,
    /// Proven lower bound on the energy.
    lower_bound: AtomicI64,
    listener: Option<Listener<'a>>,
}

impl<'a> Context<'a> {
    /// A context for `problem`. The search stops when a feasible candidate has at most `target`
    /// energy; for CNF the target is 0 whatever is given.
    pub fn new(problem: &'a Problem, target: Option<i64>, listener: Option<Listener<'a>>) -> Self {
        let target = if matches!(problem, Problem::Cnf(_)) { Some(0) } else { target };
        Self {
            problem,
            target,
            stop: StopFlag::Own(AtomicBool::new(false)),
            ecu: AtomicU64::new(0),
            best_energy: AtomicI64::new(i64::MAX),
            elites: Mutex::new(Vec::new()),
            lower_bound: AtomicI64::new(i64::MIN),
            listener,
        }
    }

    /// A context for another form of `outer`'s problem, that stops when `outer` does. It has no
    /// target: `outer` watches its own through the candidates that the listener forwards.
    pub fn within(problem: &'a Problem, outer: &'a Context<'_>, listener: Option<Listener<'a>>) -> Self {
        Self { stop: StopFlag::Shared(outer.stop_flag()), ..Self::new(problem, None, listener) }
    }

    /// The problem.
    pub fn problem(&self) -> &'a Problem {
        self.problem
    }
    /// The energy at which the search is over, if any.
    pub fn target(&self) -> Option<i64> {
        self.target
    }
    /// Whether searchers should return.
    pub fn stopped(&self) -> bool {
        self.stop_flag().load(Ordering::Relaxed)
    }
    /// The flag behind [`Self::stopped`], for [`hysteron_circuit::run::Request::interrupt`].
    pub fn stop_flag(&self) -> &AtomicBool {
        match &self.stop {
            StopFlag::Own(flag) => flag,
            StopFlag::Shared(flag) => flag,
        }
    }
    /// Ends the search.
    pub fn stop(&self) {
        self.stop_flag().store(true, Ordering::Relaxed);
    }
    /// Counts simulated elementary circuit updates.
    pub fn add_ecu(&self, ecu: u64) {
        self.ecu.fetch_add(ecu, Ordering::Relaxed);
    }
    /// Elementary circuit updates so far.
    pub fn ecu(&self) -> u64 {
        self.ecu.load(Ordering::Relaxed)
    }
    /// The energy of the best feasible candidate, `i64::MAX` if there is none yet.
    pub fn best_energy(&self) -> i64 {
        self.best_energy.load(Ordering::Relaxed)
    }
    /// The best candidate so far, feasible or not.
    pub fn best(&self) -> Option<Candidate> {
        self.lock().first().cloned()
    }
    /// The elites, best first, at most [`ELITES_MAX`], all distinct.
    pub fn elites(&self) -> Vec<Candidate> {
        self.lock().clone()
    }
    /// The greatest proven lower bound, `i64::MIN` if none.
    pub fn lower_bound(&self) -> i64 {
        self.lower_bound.load(Ordering::Relaxed)
    }
    /// Whether nothing can be better than the best candidate.
    pub fn is_settled(&self) -> bool {
        let least = if matches!(self.problem, Problem::Cnf(_)) { 0 } else { i64::MIN };
        self.best_energy() != i64::MAX && self.best_energy() <= self.lower_bound().max(least)
    }
    /// Tells of a proven lower bound on the energy; the search ends when the best meets it.
    pub fn prove_lower_bound(&self, bound: i64) {
        self.lower_bound.fetch_max(bound, Ordering::Relaxed);
        if self.best_energy() <= self.lower_bound() {
            self.stop();
        }
    }

    /// Scores an assignment of the whole problem and keeps it if it is good. Returns whether it
    /// is a new best. Cost: one pass over the problem, so searchers offer only what may be one.
    pub fn offer(&self, assignment: &[bool], source: Source) -> bool {
        assert_eq!(assignment.len(), self.problem.variables() as usize, "an assignment of this problem");
        let (hard_unsatisfied, energy) = crate::score(self.problem, assignment);
        let candidate = Candidate { assignment: assignment.to_vec(), hard_unsatisfied, energy, source };
        let mut elites = self.lock();
        let place = elites.partition_point(|e| e.key() <= candidate.key());
        let is_best = place == 0;
        let is_known = elites[..place]
            .iter()
            .rev()
            .take_while(|e| e.key() == candidate.key())
            .any(|e| e.assignment == candidate.assignment);
        if is_known || place >= ELITES_MAX {
            return false;
        }
        if is_best {
            if let Some(listener) = &self.listener {
                listener(&candidate);
            }
            if hard_unsatisfied == 0 {
                self.best_energy.store(energy, Ordering::Relaxed);
                if self.target.is_some_and(|t| energy <= t) || energy <= self.lower_bound() {
                    self.stop();
                }
            }
        }
        elites.insert(place, candidate);
        elites.truncate(ELITES_MAX);
        is_best
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Candidate>> {
        // A panicking listener leaves the list itself sound.
        self.elites.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::Ising;

    #[test]
    fn offers_are_scored_sorted_and_distinct() {
        let problem =
            Problem::Ising(Ising { spins: 2, couplings: vec![(0, 1, 1)], fields: vec![0, -2], offset: 0 });
        let context = Context::new(&problem, Some(-3), None);
        assert!(context.offer(&[true, true], Source::Presolve));
        assert_eq!(context.best_energy(), -1);
        assert!(!context.offer(&[true, true], Source::Presolve));
        assert!(!context.offer(&[true, false], Source::Presolve));
        assert_eq!(context.elites().len(), 2);
        assert!(!context.stopped());
        assert!(context.offer(&[false, true], Source::Cdcl));
        assert_eq!((context.best_energy(), context.stopped()), (-3, true));
    }
}
