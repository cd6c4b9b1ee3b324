//! A file made ready for the network: the problem that is booked, and the way back to the file's own variables.
//!
//! The network refuses what its normaliser would shrink, so the client normalises first and books the largest
//! connected component alone. What else there is, is smaller; it is searched here, with one thread, a fixed seed and
//! a fixed number of steps, so that whoever prepares the file again gets the same problem and the same rest.

use std::sync::atomic::AtomicBool;

use hysteron_problem::normalise::{Decided, NormaliseOptions, RestoreMap, normalise};
use hysteron_problem::{Document, Objective, Problem, Score, Sense};
use hysteron_work::Class;
use hysteron_work::types::ProblemId;
use hysteron_work::{Refusal, WorkRules};

/// Times that a component may be normalised again until nothing shrinks any more.
const ROUNDS_MAX: usize = 6;
/// Literals or couplings, times steps, that the search of a component that is not booked may take: seconds.
const REST_ELEMENT_STEPS: u64 = 1 << 27;
/// The seed of that search: fixed, so that it can be repeated.
const REST_SEED: u64 = 1;

/// Why a file is not booked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PrepareError {
    /// The network would refuse it.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The hard clauses contradict each other.
    #[error("The file has no answer: simplifying it shows that its (hard) clauses contradict each other.")]
    Unsatisfiable,
    /// A component that is not booked was searched here and has no answer within the bound.
    #[error(
        "The file falls into parts that share no variable. One that would not be booked, of {variables} variables, \
         could not be satisfied here. Book its parts as files of their own."
    )]
    Rest {
        /// Variables of the part.
        variables: u32,
    },
    /// An answer of another length than the booked problem has variables.
    #[error(
        "The answer has {found} values, but the booked problem has {expected} variables: it belongs to another file."
    )]
    Length {
        /// Values that it has.
        found: usize,
        /// Values that it should have.
        expected: u32,
    },
}

/// What becomes of a file.
// One is made a file: a box would save nothing.
#[expect(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Preparation {
    /// Simplifying it solved it: there is nothing to book. One value a variable of the file.
    Solved(Vec<bool>),
    /// This is to be booked.
    Ready(Prepared),
}

/// A problem ready to be booked.
#[derive(Debug)]
pub struct Prepared {
    /// What is booked.
    pub problem: Problem,
    /// Its content id.
    pub id: ProblemId,
    /// Its canonical bytes, as they are uploaded.
    pub bytes: Vec<u8>,
    /// The class of chips that will search it.
    pub class: Class,
    /// Variables of the components that are not booked, and were searched here.
    pub rest_variables: u64,
    /// From the file inwards.
    rounds: Vec<Round>,
}

/// One normalisation, of which the first component went on.
#[derive(Debug)]
struct Round {
    restore: RestoreMap,
    /// Assignments of the other components, and the sum of their energies.
    rest: Vec<Vec<bool>>,
    rest_energy: i64,
}

/// Prepares a file for a network with these rules.
///
/// # Errors
/// [`PrepareError`]: nothing that a node would refuse is ever prepared.
pub fn prepare(document: &Document, rules: &WorkRules) -> Result<Preparation, PrepareError> {
    let mut problem = document.problem().clone();
    let mut rounds: Vec<Round> = Vec::new();
    let mut rest_variables = 0;
    loop {
        let normalised = normalise(&problem, &NormaliseOptions::default());
        match normalised.decided {
            Some(Decided::Unsatisfiable) => return Err(PrepareError::Unsatisfiable),
            Some(Decided::Solved) => {
                let mut assignment = normalised.restore.restore(&[]);
                for round in rounds.iter().rev() {
                    assignment = round.restore(assignment);
                }
                return Ok(Preparation::Solved(document.assignment_from_canonical(&assignment)));
            }
            None => {}
        }
        let mut components = normalised.components.into_iter();
        problem = components.next().expect("undecided, so there is a component");
        let mut round = Round { restore: normalised.restore, rest: Vec::new(), rest_energy: 0 };
        for component in components {
            rest_variables += u64::from(component.variables());
            let (assignment, energy) = search_rest(&component)?;
            round.rest.push(assignment);
            round.rest_energy = round.rest_energy.saturating_add(energy);
        }
        rounds.push(round);
        match hysteron_work::normalisation_check(&problem, rules) {
            Ok(class) => {
                let bytes = borsh::to_vec(&problem).expect("writing to memory does not fail");
                let id = ProblemId::of(&problem);
                return Ok(Preparation::Ready(Prepared {
                    problem,
                    id,
                    bytes,
                    class,
                    rest_variables,
                    rounds,
                }));
            }
            Err(Refusal::Shrinks { .. } | Refusal::Decided) if rounds.len() < ROUNDS_MAX => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
}

/// The best assignment of a component that is not booked, found here, and its energy.
fn search_rest(component: &Problem) -> Result<(Vec<bool>, i64), PrepareError> {
    let elements = match component {
        Problem::Cnf(cnf) => cnf.clauses.literals().len(),
        Problem::Wcnf(wcnf) => wcnf.hard.literals().len() + wcnf.soft.literals().len(),
        Problem::Ising(ising) => ising.couplings.len() + ising.spins as usize,
    } as u64;
    let options = hysteron_solve::Options {
        time: None,
        steps: Some((REST_ELEMENT_STEPS / elements.max(1)).clamp(100, 20_000)),
        threads: 1,
        seed: REST_SEED,
        target: None,
    };
    let answer = hysteron_solve::solve(component, &options, &(), &AtomicBool::new(false));
    let none = || PrepareError::Rest { variables: component.variables() };
    if answer.status == hysteron_solve::Status::Unsatisfiable {
        return Err(PrepareError::Unsatisfiable);
    }
    let assignment = answer.assignment.ok_or_else(none)?;
    match hysteron_work::score(component, &assignment) {
        // The booked component's answer would be worth nothing beside a part that does not hold.
        Some((0, energy)) if energy == 0 || !matches!(component, Problem::Cnf(_)) => Ok((assignment, energy)),
        _ => Err(none()),
    }
}

impl Round {
    /// The assignment before this round, from that of the first component after it.
    fn restore(&self, first: Vec<bool>) -> Vec<bool> {
        let mut components = Vec::with_capacity(1 + self.rest.len());
        components.push(first);
        components.extend_from_slice(&self.rest);
        self.restore.restore(&components)
    }
}

impl Prepared {
    /// The energy of the booked problem that ends the job, for a target in the file's own objective. Of a CNF file it
    /// is always 0 unsatisfied clauses.
    pub fn energy_target(&self, document: &Document, target: &Objective) -> i64 {
        if matches!(self.problem, Problem::Cnf(_)) {
            return 0;
        }
        self.rounds.iter().fold(document.canonical().objective.to_energy_target(target), |target, round| {
            round.restore.component_target(target).saturating_sub(round.rest_energy)
        })
    }

    /// The file's objective for an energy of the booked problem; `None` for CNF, where only the number of open
    /// clauses of the booked problem is known.
    pub fn objective(&self, document: &Document, energy: i64) -> Option<Objective> {
        if matches!(self.problem, Problem::Cnf(_)) {
            return None;
        }
        let energy = self
            .rounds
            .iter()
            .rev()
            .fold(energy, |energy, round| round.restore.energy(energy.saturating_add(round.rest_energy)));
        Some(document.canonical().objective.to_objective(energy))
    }

    /// The file's assignment for one of the booked problem, scored from the file's own terms.
    ///
    /// # Errors
    /// [`PrepareError::Length`].
    pub fn answer(&self, document: &Document, booked: &[bool]) -> Result<FileAnswer, PrepareError> {
        if booked.len() != self.problem.variables() as usize {
            return Err(PrepareError::Length { found: booked.len(), expected: self.problem.variables() });
        }
        let canonical = self.rounds.iter().rev().fold(booked.to_vec(), |inner, round| round.restore(inner));
        Ok(FileAnswer::of(document, document.assignment_from_canonical(&canonical)))
    }
}

/// An answer in the file's own terms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileAnswer {
    /// One value a variable of the file.
    pub assignment: Vec<bool>,
    /// Scored from the file.
    pub score: Score,
    /// Whether it is an answer: no hard clause is open, and none at all where every clause must hold.
    pub holds: bool,
}

impl FileAnswer {
    /// Scores an assignment of the file's variables.
    pub fn of(document: &Document, assignment: Vec<bool>) -> Self {
        let score = document.score(&assignment);
        let is_satisfying = document.sense() != Sense::Satisfy || score.objective == Objective::integer(0);
        Self { holds: score.hard_unsatisfied == 0 && is_satisfying, assignment, score }
    }
}

#[cfg(test)]
mod tests {
    use hysteron_problem::generate::{Content, Kind, generate};

    use super::*;

    /// A document of the generator's kind of this name with its usual parameters.
    fn document(name: &str, seed: u64) -> Document {
        let built = match generate(&kind_of(name), seed).expect("usual parameters").content {
            Content::Cnf(cnf) => Document::from_problem(Problem::Cnf(cnf)),
            Content::Wcnf(wcnf) => Document::from_problem(Problem::Wcnf(wcnf)),
            Content::Ising(ising) => Document::from_problem(Problem::Ising(ising)),
            Content::Graph { vertices, edges } => Document::max_cut(vertices, edges),
            Content::Qubo { variables, terms } => Document::qubo(variables, terms, 0),
        };
        built.expect("generated problems are in order")
    }

    fn ready(document: &Document) -> Prepared {
        match prepare(document, &WorkRules::devnet()).expect("it can be booked") {
            Preparation::Ready(prepared) => prepared,
            Preparation::Solved(_) => panic!("something is left to search"),
        }
    }

    /// For any assignment of the booked problem: the file's score is what the map of energies says.
    #[test]
    fn energies_map_exactly() {
        for name in ["toroidal-grid", "random-qubo", "random-graph"] {
            let document = document(name, 3);
            let prepared = ready(&document);
            let variables = prepared.problem.variables() as usize;
            for pattern in [1u64, 2, 3, 5, 7] {
                let booked: Vec<bool> = (0..variables).map(|i| (i as u64 * pattern) % 11 < 5).collect();
                let (hard, energy) = hysteron_work::score(&prepared.problem, &booked).expect("it fits");
                let answer = prepared.answer(&document, &booked).expect("it fits");
                assert_eq!(hard, 0);
                assert_eq!(prepared.objective(&document, energy), Some(answer.score.objective), "{name}");
                assert!(prepared.energy_target(&document, &answer.score.objective) >= energy, "{name}");
            }
            let short = prepared.answer(&document, &vec![false; variables - 1]);
            assert!(matches!(short, Err(PrepareError::Length { .. })));
        }
    }

    /// Two parts that share nothing: the larger is booked, the other is searched here, and the answer has both.
    #[test]
    fn parts_come_together() {
        let Content::Cnf(large) = generate(&kind_of("planted-sat"), 1).expect("usual parameters").content
        else {
            panic!("a CNF")
        };
        let mut both = large.clone();
        // A part that can be satisfied: at least one of each pair, never both.
        let first = both.variables;
        for pair in 0..20 {
            let [a, b] = [0, 1].map(|i| hysteron_problem::Literal::new(first + 2 * pair + i, false));
            let next = hysteron_problem::Literal::new(first + (2 * pair + 2) % 40, false);
            both.clauses.push(&[a, b, next]);
            both.clauses.push(&[!a, !b, !next]);
        }
        both.variables += 40;
        let together = Document::from_problem(Problem::Cnf(both)).expect("in order");
        let alone = ready(&Document::from_problem(Problem::Cnf(large)).expect("in order"));
        let prepared = ready(&together);
        assert_eq!(prepared.id, alone.id, "the large part is what is booked");
        assert_eq!(ready(&together).id, prepared.id, "preparing repeats");
        let answer =
            prepared.answer(&together, &vec![false; prepared.problem.variables() as usize]).expect("it fits");
        assert_eq!(answer.assignment.len(), together.variables() as usize);
        // What is too large is refused with its limit.
        let mut rules = WorkRules::devnet();
        rules.variables_max = 10;
        assert!(matches!(prepare(&together, &rules), Err(PrepareError::Refused(Refusal::Variables { .. }))));
    }

    fn kind_of(name: &str) -> Kind {
        Kind::catalogue().into_iter().find(|(n, _, _)| *n == name).expect("a known kind").2
    }

    #[test]
    fn what_needs_no_search_is_not_booked() {
        let read = |text: &str| {
            hysteron_problem::read(text.as_bytes(), None, &hysteron_problem::ReadOptions::default())
                .expect("a file")
        };
        let solved = prepare(&read("p cnf 3 2\n1 -2 0\n2 3 0\n"), &WorkRules::devnet());
        assert!(matches!(solved, Ok(Preparation::Solved(assignment)) if assignment.len() == 3));
        let contradiction = prepare(&read("p cnf 1 2\n1 0\n-1 0\n"), &WorkRules::devnet());
        assert!(matches!(contradiction, Err(PrepareError::Unsatisfiable)));
    }
}
