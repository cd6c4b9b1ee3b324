//! Searchers for clauses: chips and local searches on CNF and weighted CNF.

pub mod beliefs;
pub mod focused;
pub mod memcomputing;
pub mod partial;
mod partial_start;
