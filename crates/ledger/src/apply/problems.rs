//! Problems come to the chain: decoded within bounds, checked, normalised, scaled.

use hysteron_problem::{ClauseList, Problem, canonical};
use hysteron_work::types::{Hash, ProblemId};
use hysteron_work::{Refusal, WorkRules, normalisation_check};

use crate::LedgerError;
use crate::limits::BLOCK_PROBLEM_BYTES_MAX;
use crate::score::Scale;
use crate::state::keys;
use crate::state::records::ProblemRecord;
use crate::state::view::View;

use super::Execution;

/// Decodes the canonical bytes of a problem from outside: at most [`BLOCK_PROBLEM_BYTES_MAX`] of them, within a network's
/// bounds on variables and elements, and in the one canonical form.
///
/// # Errors
/// [`LedgerError::ProblemRefused`] that says what is wrong.
pub fn decode_problem(bytes: &[u8], rules: &WorkRules) -> Result<Problem, LedgerError> {
    let refuse = |reason: &str| Err(Refusal::NotCanonical(reason.into()).into());
    if bytes.len() > BLOCK_PROBLEM_BYTES_MAX {
        return refuse("it has more than 4 MiB");
    }
    let Ok(problem) = borsh::from_slice::<Problem>(bytes) else {
        return refuse("its bytes do not decode");
    };
    if problem.variables() > rules.variables_max {
        let (variables, most) = (problem.variables(), rules.variables_max);
        return Err(Refusal::Variables { variables, most }.into());
    }
    // The offsets of clauses come from outside too, and everything below walks them.
    let lists: &[&ClauseList] = match &problem {
        Problem::Cnf(cnf) => &[&cnf.clauses],
        Problem::Wcnf(wcnf) => &[&wcnf.hard, &wcnf.soft],
        Problem::Ising(_) => &[],
    };
    let fits = |list: &&ClauseList| {
        list.offsets().first() == Some(&0)
            && list.offsets().is_sorted()
            && list.offsets().last().is_some_and(|last| *last as usize == list.literals().len())
    };
    if !lists.iter().all(fits) {
        return refuse("the boundaries of its clauses do not fit its literals");
    }
    if let Err(reason) = canonical::check(&problem) {
        return refuse(&reason);
    }
    let elements = elements(&problem);
    if elements > rules.elements_max.into() {
        return Err(Refusal::Elements { elements, most: rules.elements_max }.into());
    }
    Ok(problem)
}

/// Literals or couplings.
pub(super) fn elements(problem: &Problem) -> u64 {
    let elements = match problem {
        Problem::Cnf(cnf) => cnf.clauses.literals().len(),
        Problem::Wcnf(wcnf) => wcnf.hard.literals().len() + wcnf.soft.literals().len(),
        Problem::Ising(ising) => ising.couplings.len(),
    };
    elements as u64
}

/// The content id of canonical bytes.
fn content_id(bytes: &[u8]) -> Hash {
    blake3::derive_key("hysteron/problem/1", bytes)
}

impl Execution<'_> {
    /// The record of a job's problem; if the chain does not have it, the data that came with the job makes it.
    pub(super) fn problem_of(
        &mut self,
        id: &ProblemId,
        data_bytes: u32,
        data: Option<&[u8]>,
    ) -> Result<ProblemRecord, LedgerError> {
        if let Some(known) = self.overlay.problem(id) {
            return Ok(known);
        }
        let refuse = |reason| Err(LedgerError::ProblemData { problem: *id, reason });
        let Some(data) = data.filter(|_| data_bytes > 0) else {
            return Err(LedgerError::ProblemMissing(*id));
        };
        if data.len() != data_bytes as usize {
            return refuse("it is not as long as the transaction says");
        }
        if content_id(data) != id.0 {
            return refuse("it has another content id");
        }
        let problem = decode_problem(data, &self.rules.work)?;
        let class = normalisation_check(&problem, &self.rules.work)?;
        let record = ProblemRecord {
            height: self.height,
            bytes: data_bytes,
            variables: problem.variables(),
            elements: elements(&problem),
            class,
            scale: Scale::of(&problem),
        };
        self.overlay.write(keys::problem(id), &record);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn content_ids_are_those_of_the_problem_crate() {
        let problem = Problem::Cnf(hysteron_problem::Cnf::default());
        assert_eq!(content_id(&borsh::to_vec(&problem).unwrap()), problem.content_id());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(0u8..4, 0..120)) {
            let _ = decode_problem(&bytes, &WorkRules::devnet());
        }

        #[test]
        fn damaged_problems_are_refused_or_canonical(at in 0usize..400, byte in any::<u8>()) {
            let mut clauses = ClauseList::new();
            for i in 0..20u32 {
                let literal = |k: u32| hysteron_problem::Literal::new((i + k) % 10, (i ^ k) & 1 == 1);
                clauses.push(&[literal(0), literal(3), literal(5)]);
            }
            let problem = Problem::Cnf(hysteron_problem::Cnf { variables: 10, clauses });
            let mut bytes = borsh::to_vec(&problem).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(decoded) = decode_problem(&bytes, &WorkRules::devnet()) {
                prop_assert_eq!(borsh::to_vec(&decoded).unwrap(), bytes);
                let _ = Scale::of(&decoded);
            }
        }
    }
}
