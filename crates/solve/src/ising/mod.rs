//! Searchers for Ising problems.

pub mod dense;
