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
    #[error("The answer has {found} values, but the booked problem has {expected} variables: it belongs to another file.")]
    Length {
        /// Values that it has.
        found: usize,
        /// Values that it should have.
        expected: u32,
    },
}

/// What becomes of a file.
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
                return Ok(Preparation::Ready(Prepared { problem, id, bytes, class, rest_variables, rounds }));
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
        let energy = self.rounds.iter().rev().fold(energy, |energy, round| {
            round.restore.energy(energy.saturating_add(round.rest_energy))
        });
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
