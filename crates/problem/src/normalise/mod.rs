//! Makes a problem smaller without losing its optimum, splits it into connected components, and
//! keeps the way back.
//!
//! [`normalise`] is deterministic and takes time near-linear in the size of the problem. What holds
//! between a problem and what comes out of it, for every choice of the components' assignments:
//!
//! * CNF: [`RestoreMap::restore`] satisfies the problem if every component is satisfied; the problem
//!   is satisfiable if and only if every component is.
//! * WCNF: the restored assignment satisfies the hard clauses if and only if the components' do, and
//!   then its cost is `RestoreMap::energy(sum of the components' costs)`.
//! * Ising: the restored energy is `RestoreMap::energy(sum of the components' energies)`, always.
//!
//! In each case an optimum of all components restores to an optimum of the problem.

mod clauses;
mod components;
mod equivalent;
mod parity;
mod restore;
mod spins;
mod subsumption;
#[cfg(test)]
mod tests;

pub use restore::RestoreMap;

use crate::canonical::Problem;

/// What [`normalise`] may do. The default does everything that never hurts a search.
#[derive(Clone, Debug)]
pub struct NormaliseOptions {
    /// CNF, WCNF: set literals whose negation occurs nowhere.
    pub pure_literals: bool,
    /// CNF, WCNF: remove clauses that a hard clause implies.
    pub subsumption: bool,
    /// CNF, WCNF: the most literal visits that subsumption may make for each literal of the problem
    /// (and [`SUBSUMPTION_WORK_FLOOR`] besides). Clauses not reached are kept.
    pub subsumption_work_per_literal: u64,
    /// CNF, WCNF: replace literals that binary hard clauses make equal.
    pub equivalences: bool,
    /// CNF, WCNF: find sums modulo two that hard clauses spell out, and solve them by elimination.
    pub parities: bool,
    /// Ising: fix dominated spins, merge spins whose coupling dominates (which includes every spin with
    /// one neighbour, and every spin with two and no field).
    pub spin_merging: bool,
    /// Ising: when all couplings have one magnitude, refrain from what would give some another one:
    /// small arithmetic is worth more than a few spins.
    pub keep_unit_couplings: bool,
    /// Ising: how far to eliminate spins that no neighbour dominates.
    pub spin_elimination: SpinElimination,
    /// Whether to split into connected components.
    pub split: bool,
    /// The most components; when there are more, the smallest share the last one. At least 1.
    pub components_max: usize,
}

/// How far [`normalise`] goes in replacing spins by couplings among their neighbours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpinElimination {
    /// Not at all.
    Off,
    /// Spins with two neighbours and a field: exact, with all weights doubled where halves arise.
    DegreeTwo,
    /// Also spins with three neighbours and no field (the star-triangle replacement).
    DegreeThree,
}

impl Default for NormaliseOptions {
    fn default() -> Self {
        Self {
            pure_literals: true,
            subsumption: true,
            subsumption_work_per_literal: 20,
            equivalences: true,
            parities: true,
            spin_merging: true,
            keep_unit_couplings: true,
            spin_elimination: SpinElimination::DegreeTwo,
            split: true,
            components_max: 64,
        }
    }
}

impl NormaliseOptions {
    /// Nothing but the renumbering into components.
    pub fn split_only() -> Self {
        Self {
            pure_literals: false,
            subsumption: false,
            equivalences: false,
            parities: false,
            spin_merging: false,
            spin_elimination: SpinElimination::Off,
            ..Self::default()
        }
    }
}

/// Literal visits that subsumption may make however small the problem is.
pub const SUBSUMPTION_WORK_FLOOR: u64 = 1_000_000;

/// What is known without a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decided {
    /// The (hard) clauses contradict each other; there is nothing to search, `restore` is not a solution.
    Unsatisfiable,
    /// No component is left: `restore(&[])` is an optimal solution.
    Solved,
}

/// Counts of what [`normalise`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct NormaliseStatistics {
    /// Variables or spins before.
    pub variables_before: u32,
    /// Variables or spins in all components.
    pub variables_after: u32,
    /// Clauses or couplings before.
    pub constraints_before: u64,
    /// Clauses or couplings in all components.
    pub constraints_after: u64,
    /// Literals or couplings before.
    pub elements_before: u64,
    /// Literals or couplings in all components.
    pub elements_after: u64,
    /// Connected components, before the smallest were packed together.
    pub components: u64,
    /// Components that share the last problem, 0 if each has its own.
    pub components_packed: u64,
    /// Variables of components that were set because hard clauses imply them.
    pub implied: u64,
    /// Variables that were set because they occur with one sign only.
    pub pure: u64,
    /// Variables that no clause or coupling holds any more: their value does not matter.
    pub unused: u64,
    /// Variables that were replaced by an equal or opposite literal.
    pub equivalent: u64,
    /// Sums modulo two that hard clauses spell out, of all rounds together.
    pub parities: u64,
    /// Values and equivalences that follow from those sums.
    pub parity_facts: u64,
    /// Literals that repeated another of their clause.
    pub duplicate_literals: u64,
    /// Clauses that contained a literal and its negation.
    pub tautologies: u64,
    /// Clauses equal to another: hard ones dropped, soft ones added up.
    pub duplicate_clauses: u64,
    /// Soft clauses that equal or contain a hard clause.
    pub soft_implied: u64,
    /// Hard clauses that contain another.
    pub subsumed: u64,
    /// Pairs of soft unit clauses `x`, `not x` that were settled against each other.
    pub opposite_units: u64,
    /// Whether subsumption stopped at its work bound.
    pub subsumption_cut: bool,
    /// Spins whose field outweighs their couplings.
    pub spins_fixed: u64,
    /// Spins merged with a neighbour.
    pub spins_merged: u64,
    /// Spins replaced by couplings among their neighbours.
    pub spins_eliminated: u64,
    /// Whether the spins' reductions stopped at their work bound.
    pub spins_cut: bool,
}

/// A problem made smaller.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// The connected components, largest first, each with its own variables from 0 and offset 0.
    pub components: Vec<Problem>,
    /// The way back.
    pub restore: RestoreMap,
    /// What was done.
    pub statistics: NormaliseStatistics,
    /// What is known already, `None` if components remain to be searched.
    pub decided: Option<Decided>,
}

/// Makes `problem` smaller; see the module's text for what is kept.
pub fn normalise(problem: &Problem, options: &NormaliseOptions) -> Normalised {
    match problem {
        Problem::Cnf(cnf) => clauses::normalise_cnf(cnf, options),
        Problem::Wcnf(wcnf) => clauses::normalise_wcnf(wcnf, options),
        Problem::Ising(ising) => spins::normalise_ising(ising, options),
    }
}
