//! Satisfiability by conflict-driven clause learning: CaDiCaL, unchanged, on a strand.

use hysteron_problem::{ClauseList, Cnf};

use super::cadical::Cadical;
use super::oracle::{Answer, Oracle};
use super::strand::{OnEnd, Pace, Standing, Strand, Verdict};
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
        let solver = read(problem.variables, &problem.clauses);
        let variables = problem.variables;
        Self { strand: Strand::new(Box::new(move |pace: &Pace| decide(solver, variables, pace))) }
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

/// Clause learning on a whole formula as it was given, on a thread of its own and from the start: what CaDiCaL alone
/// would do, whatever else goes on. On a normalised formula, whose literals are in another order, it searches
/// differently, and not always as fast.
pub struct Background {
    strand: Strand,
}

impl Background {
    /// Starts the search, for at most `effort`; `on_end` is called on its thread when it is over. `None` where the
    /// system gives no thread.
    pub fn start(problem: &Cnf, effort: u64, on_end: OnEnd) -> Option<Self> {
        let (variables, clauses) = (problem.variables, problem.clauses.clone());
        let body = move |pace: &Pace| {
            let solver = read(variables, &clauses);
            drop(clauses);
            decide(solver, variables, pace)
        };
        let mut strand = Strand::new(Box::new(body));
        strand.launch(effort, on_end).ok()?;
        Some(Self { strand })
    }

    /// How it stands; the verdict is told once.
    pub fn standing(&mut self) -> Standing {
        self.strand.standing()
    }
}

fn read(variables: u32, clauses: &ClauseList) -> Cadical {
    let mut solver = Cadical::new();
    solver.reserve(variables);
    for clause in clauses.iter() {
        solver.add_clause(clause);
    }
    solver
}

fn decide(mut solver: Cadical, variables: u32, pace: &Pace) -> Verdict {
    match solver.solve(pace, &[], None) {
        Answer::Satisfiable => {
            let model = Some((solver.model(variables), Source::Cdcl));
            Verdict { outcome: Outcome::Optimal, model, bound: None }
        }
        Answer::Unsatisfiable => Outcome::Unsatisfiable.into(),
        Answer::Unknown => Outcome::Exhausted.into(),
    }
}
