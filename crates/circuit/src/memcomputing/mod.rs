//! The memcomputing chip: a digital memcomputing machine (Bearden, Pei, Di Ventra 2020, Sci. Rep.
//! 10:19741, equations 2 to 5) in fixed point. Every variable is a voltage, every clause has a short
//! and a long memory; clauses that stay unsatisfied remember it and pull harder.
//!
//! A bank has 1 to 64 chips, in one of two [`Arrangement`]s: side by side in vector lanes (throughput), or one
//! after the other with clauses in the lanes (latency, when one chip fills the cache). [`scalar`] defines
//! what a chip does; [`lanes`] and [`flat`] do the same faster.

mod circuit;
mod flat;
mod kernel;
mod lanes;
mod parameters;
mod run;
pub mod scalar;
#[cfg(test)]
mod tests;
mod walk;

pub use circuit::Circuit;
pub use parameters::{Arrangement, Parameters};
pub use run::{BANK_BYTES_MAX, Bank, CHECK_STEPS};
