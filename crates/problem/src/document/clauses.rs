//! Scores of documents that are made of clauses.

use super::{Canonical, Score};
use crate::canonical::{Problem, is_satisfied};
use crate::objective::Objective;

/// The score of `assignment`; the canonical problem holds exactly the file's clauses.
pub(super) fn score(canonical: &Canonical, assignment: &[bool]) -> Score {
    match &canonical.problem {
        Problem::Cnf(cnf) => {
            let unsatisfied = cnf.unsatisfied(assignment);
            Score { objective: Objective::integer(unsatisfied.into()), hard_unsatisfied: unsatisfied }
        }
        Problem::Wcnf(wcnf) => {
            let unsatisfied =
                wcnf.soft.iter().zip(&wcnf.weights).filter(|(clause, _)| !is_satisfied(clause, assignment));
            let cost = i128::from(wcnf.offset) + unsatisfied.map(|(_, &w)| i128::from(w)).sum::<i128>();
            Score {
                objective: Objective::new(cost, canonical.objective.decimals()),
                hard_unsatisfied: wcnf.hard_unsatisfied(assignment),
            }
        }
        Problem::Ising(_) => unreachable!("a document of clauses has a clausal problem"),
    }
}
