//! What runs a leg, and what a leg gives.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hysteron_problem::Problem;

use crate::error::WorkError;
use crate::table::{Leg, Table, Task};
use crate::types::{Hash, ProblemId};

/// Problems by id: what a node, a worker or a simulator keeps. Public instances are not asked for.
pub trait Problems: Send + Sync {
    /// The problem, if its data is here.
    fn problem(&self, id: &ProblemId) -> Option<Arc<Problem>>;
}

impl Problems for std::collections::BTreeMap<ProblemId, Arc<Problem>> {
    fn problem(&self, id: &ProblemId) -> Option<Arc<Problem>> {
        self.get(id).cloned()
    }
}

impl<P: Problems + ?Sized> Problems for Arc<P> {
    fn problem(&self, id: &ProblemId) -> Option<Arc<Problem>> {
        (**self).problem(id)
    }
}

/// What a leg gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegOutput {
    /// The digest of the run: final state, trace, every lane's best.
    pub digest: Hash,
    /// The best lane: fewest unsatisfied hard clauses, then least energy, then the first.
    pub lane: u8,
    /// Its energy in the problem's canonical units.
    pub energy: i64,
    /// Its unsatisfied hard clauses.
    pub hard_unsatisfied: u32,
    /// Its assignment.
    pub assignment: Vec<bool>,
    /// Elementary circuit updates that were simulated.
    pub ecu: u64,
    /// What was worked on.
    pub task: Task,
}

/// How legs are run: chips on a CPU or a GPU, or a stub in a simulator.
pub trait LegRunner: Send + Sync {
    /// Runs `leg` of `table`. Every runner gives the same output for the same arguments.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`] if `stop` was set before the run was done; [`WorkError::ProblemMissing`] and
    /// [`WorkError::Problem`].
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError>;
}
