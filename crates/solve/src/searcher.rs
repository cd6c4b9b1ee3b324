//! The interface between the portfolio and the methods that it shares the time among.

use crate::{Context, Source};

/// What a slice of work ended with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The searcher can go on.
    Continue,
    /// The searcher has nothing left to do, and proved nothing.
    Exhausted,
    /// The best candidate of the context is proven optimal (for CNF: satisfying).
    Optimal,
    /// The problem (its hard clauses) is proven unsatisfiable.
    Unsatisfiable,
}

/// A method of search on one canonical problem (one component, already normalised).
///
/// A searcher is deterministic: what it does is a function of its construction (problem, seed), of
/// the sequence of efforts it is given, and of what it reads from the context. It reads no clock.
pub trait Searcher: Send {
    /// Who is working: chip family and mode, or the method.
    fn source(&self) -> Source;

    /// Works for about `effort` units and returns. A unit is about one nanosecond of one core of a
    /// 2020s server, by the searcher's own constants (cost of an update times updates), so that
    /// shares of time are fair and yet reproducible. It must look at [`Context::stopped`] at least
    /// every few milliseconds and return soon after, and offer its improvements as they come.
    fn work(&mut self, context: &Context, effort: u64) -> Outcome;
}
