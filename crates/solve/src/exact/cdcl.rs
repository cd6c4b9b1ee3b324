//! Satisfiability by conflict-driven clause learning: CaDiCaL, unchanged, on a strand.

use hysteron_problem::Cnf;

use super::cadical::Cadical;
use super::oracle::{Answer, Oracle};
use super::strand::{Pace, Strand, Verdict};
use crate::{Context, Outcome, Searcher, Source};

/// Decides a CNF: a model is offered to the context, *unsatisfiable* is answered as the outcome.
///
/// The search is the same however it is sliced, and the same as that of CaDiCaL alone.
pub struct Cdcl {
    strand: Strand,
}

impl Cdcl {
    /// A solver that has read `problem`. Its memory is about [`Self::memory_bytes`].
    pub fn new(problem: &Cnf) -> Self {
        let mut solver = Cadical::new();
        solver.reserve(problem.variables);
        for clause in problem.clauses.iter() {
            solver.add_clause(clause);
        }
        let variables = problem.variables;
        let body = move |pace: &Pace| {
            let mut solver = solver;
            match solver.solve(pace, &[], None) {
                Answer::Satisfiable => {
                    let model = Some((solver.model(variables), Source::Cdcl));
                    Verdict { outcome: Outcome::Optimal, model, bound: None }
                }
                Answer::Unsatisfiable => Outcome::Unsatisfiable.into(),
                Answer::Unknown => Outcome::Exhausted.into(),
            }
        };
        Self { strand: Strand::new(Box::new(body)) }
    }

    /// About how many bytes a search on `problem` needs: measured on uniform 3-SAT and structured
    /// files, learnt clauses included for a search of minutes.
    pub fn memory_bytes(problem: &Cnf) -> u64 {
        Cadical::memory_bytes(
            u64::from(problem.variables),
            problem.clauses.len() as u64,
            problem.clauses.literals().len() as u64,
        )
    }
}

impl Searcher for Cdcl {
    fn source(&self) -> Source {
        Source::Cdcl
    }
    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.strand.work(context, effort)
    }
}
