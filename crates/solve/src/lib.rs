//! Solving one problem on this machine. Several *searchers* (chips with their population steps,
//! local searches, exact methods) share the cores; a [`Context`] collects their candidates, scores
//! each again, keeps the elites, and says when to stop.

pub mod clauses;
pub mod context;
pub mod exact;
pub mod ising;
mod memory;
mod permutation;
mod portfolio;
pub mod schedule;
pub mod searcher;
mod shape;
mod solve;

pub use context::{Candidate, Context, Source};
pub use memory::{memory_estimate, memory_limit};
pub use searcher::{Outcome, Searcher};
pub use solve::{Answer, Found, Improvement, Observer, Options, Progress, Status, score, search, solve};
