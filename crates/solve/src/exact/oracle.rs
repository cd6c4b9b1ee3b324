//! What the MaxSAT methods ask of an incremental SAT solver, and rustsat's encodings written to it.

use hysteron_problem::Literal;
use rustsat::OutOfMemory;
use rustsat::encodings::CollectClauses;
use rustsat::types::{Clause, Lit};

use super::strand::Pace;

/// Answer of a SAT call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// There is a model under the assumptions.
    Satisfiable,
    /// There is none; [`Oracle::core`] says which assumptions were to blame.
    Unsatisfiable,
    /// The conflict limit was reached, or the strand should return.
    Unknown,
}

/// An incremental SAT solver.
pub trait Oracle {
    /// Makes the variables below `variables` known.
    fn reserve(&mut self, variables: u32);
    /// Adds a clause of known variables.
    fn add_clause(&mut self, clause: &[Literal]);
    /// Solves under assumptions, with at most about `conflicts_max` conflicts.
    fn solve(&mut self, pace: &Pace, assumptions: &[Literal], conflicts_max: Option<u32>) -> Answer;
    /// Whether a literal holds in the model of the last call, which was satisfiable.
    fn holds(&self, literal: Literal) -> bool;
    /// After an unsatisfiable call under `assumptions`: those that the refutation used, in their
    /// order. Empty if the clauses alone are unsatisfiable.
    fn core(&self, assumptions: &[Literal]) -> Vec<Literal>;

    /// Prefers a literal in decisions from now on, where the solver can be told.
    fn prefer(&mut self, _literal: Literal) {}

    /// The values of the variables below `variables` in the model.
    fn model(&self, variables: u32) -> Vec<bool> {
        (0..variables).map(|v| self.holds(Literal::new(v, false))).collect()
    }
}

/// The literal as rustsat has it.
pub fn to_rustsat(literal: Literal) -> Lit {
    Lit::new(literal.variable(), literal.is_negative())
}

/// The literal as this workspace has it.
pub fn from_rustsat(literal: Lit) -> Literal {
    Literal::new(literal.vidx32(), literal.is_neg())
}

/// Writes the clauses of rustsat's encodings to an oracle.
pub struct Sink<'a, O: Oracle> {
    oracle: &'a mut O,
    clauses: usize,
    scratch: Vec<Literal>,
}

impl<'a, O: Oracle> Sink<'a, O> {
    /// A sink into `oracle`.
    pub fn new(oracle: &'a mut O) -> Self {
        Self { oracle, clauses: 0, scratch: Vec::new() }
    }
}

impl<O: Oracle> CollectClauses for Sink<'_, O> {
    fn n_clauses(&self) -> usize {
        self.clauses
    }

    fn extend_clauses<T>(&mut self, clauses: T) -> Result<(), OutOfMemory>
    where
        T: IntoIterator<Item = Clause>,
    {
        for clause in clauses {
            self.scratch.clear();
            self.scratch.extend(clause.iter().map(|&l| from_rustsat(l)));
            // Encodings define their variables on the way.
            let above = self.scratch.iter().map(|l| l.variable() + 1).max().unwrap_or(0);
            self.oracle.reserve(above);
            self.oracle.add_clause(&self.scratch);
            self.clauses += 1;
        }
        Ok(())
    }
}
