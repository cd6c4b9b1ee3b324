//! The switching chip's general kernel G: weighted partial MaxSAT with clauses of mixed lengths.
//!
//! 64 chips a bank. In a sweep each variable, in canonical order, sees what its switching would cost in the
//! weights of soft clauses and in the *memories* of hard clauses, and switches if that is at most its
//! thermal noise (Metropolis):
//! ```text
//! t_c     = 1 where all other literals of clause c are false
//! cost(v) = sum of a_c t_c over clauses that v's value satisfies - sum over those that it does not
//! a_c     = soft: the weight; hard: penalty * memory, memory in 1..=cap
//! v switches  iff  cost <= floor(T E),  E exponentially distributed
//! after the sweep, hard: memory + 1 where unsatisfied; now and then memory - 1 where satisfied
//! ```
//! Every few sweeps exact energies are counted, each lane's best is kept, and lanes are resampled by their
//! Boltzmann weights (population annealing). `reference` defines what a bank does; [`lanes`] does it faster.

mod circuit;
mod lanes;
mod parameters;
mod population;
mod reference;
mod run;
#[cfg(test)]
mod tests;
mod walk;

pub use circuit::{CLAUSE_LENGTH_MAX, Circuit};
pub use parameters::Parameters;
