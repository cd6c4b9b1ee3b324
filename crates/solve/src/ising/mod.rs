//! Searchers for Ising problems.

pub mod dense;
pub mod dense_groups;
pub mod dense_merge;
pub mod dense_swap;
