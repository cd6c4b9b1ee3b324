//! Solving one problem on this machine. Several *searchers* (chips with their population steps,
//! local searches, exact methods) share the cores; a [`Context`] collects their candidates, scores
//! each again, keeps the elites, and says when to stop.

pub mod clauses;
pub mod context;
pub mod searcher;

pub use context::{Candidate, Context, Source};
pub use searcher::{Outcome, Searcher};
