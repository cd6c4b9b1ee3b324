//! A problem as its file states it: [`Document`], with its own variable order, terms and
//! objective, beside the canonical form that everything else works on.

mod clauses;
mod convert;
pub(crate) mod pseudo_boolean;
pub(crate) mod quadratic;
mod transform;

pub use convert::AffineMap;

use crate::canonical::{self, Cnf, Problem, Wcnf};
use crate::error::BuildError;
use crate::formats::Format;
use crate::objective::{Objective, ObjectiveMap};
use pseudo_boolean::PseudoBoolean;
use quadratic::Quadratic;

/// What a document asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Satisfiability.
    Cnf,
    /// A CNF file read as unweighted MaxSAT.
    MaxSat,
    /// Weighted partial MaxSAT.
    Wcnf,
    /// Linear pseudo-Boolean constraints, with or without an objective.
    PseudoBoolean,
    /// Quadratic unconstrained binary optimisation, variables of 0 and 1.
    Qubo,
    /// Ising, spins of -1 and +1.
    Ising,
    /// Max-Cut of a weighted graph.
    MaxCut,
}

impl Kind {
    /// The kind in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cnf => "CNF",
            Self::MaxSat => "MaxSAT",
            Self::Wcnf => "WCNF",
            Self::PseudoBoolean => "pseudo-Boolean",
            Self::Qubo => "QUBO",
            Self::Ising => "Ising",
            Self::MaxCut => "Max-Cut",
        }
    }
}

/// What is a better objective.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sense {
    /// Lower is better.
    Minimise,
    /// Higher is better.
    Maximise,
    /// The objective counts what is violated; only 0 is an answer.
    Satisfy,
}

/// How good an assignment is, in the terms of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Score {
    /// The file's objective: the cut for Max-Cut, the energy for QUBO and Ising, the weight of
    /// unsatisfied soft clauses for MaxSAT and WCNF, the value of `min:` for pseudo-Boolean
    /// files, and the number of unsatisfied clauses or constraints where the sense is
    /// [`Sense::Satisfy`].
    pub objective: Objective,
    /// How many hard clauses or constraints are violated (all of them are hard in a CNF).
    pub hard_unsatisfied: u64,
}

/// The canonical form of a document, and how its energies are read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Canonical {
    /// The problem. Its first variables are those of the document, in order; pseudo-Boolean
    /// encodings append auxiliary ones.
    pub problem: Problem,
    /// The map from energies (cost, unsatisfied clauses) to the file's objective.
    pub objective: ObjectiveMap,
}

/// The terms of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Body {
    /// CNF, MaxSAT and WCNF: the terms are those of the canonical problem, in the file's order.
    Clauses,
    /// QUBO, Ising and Max-Cut.
    Quadratic(Quadratic),
    /// Linear constraints and objective.
    PseudoBoolean(PseudoBoolean),
}

/// A problem as its file states it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    pub(crate) format: Format,
    pub(crate) kind: Kind,
    pub(crate) maximise: bool,
    pub(crate) body: Body,
    pub(crate) canonical: Canonical,
    pub(crate) labels: Option<Vec<serde_json::Value>>,
    pub(crate) notes: Vec<String>,
}

impl Document {
    /// A CNF document.
    pub(crate) fn cnf(cnf: Cnf) -> Self {
        Self::clauses(Format::DimacsCnf, Kind::Cnf, Problem::Cnf(cnf), 0)
    }
    /// A document of clauses. `decimals` is the unit of the weights and the offset, if any.
    pub(crate) fn clauses(format: Format, kind: Kind, problem: Problem, decimals: u32) -> Self {
        let objective = ObjectiveMap::new(1, 0, decimals);
        let canonical = Canonical { problem, objective };
        let body = Body::Clauses;
        Self { format, kind, maximise: false, body, canonical, labels: None, notes: Vec::new() }
    }
    /// A document of quadratic terms.
    pub(crate) fn quadratic(
        format: Format,
        kind: Kind,
        maximise: bool,
        terms: Quadratic,
    ) -> Result<Self, BuildError> {
        let canonical = terms.canonical(kind, maximise)?;
        let body = Body::Quadratic(terms);
        Ok(Self { format, kind, maximise, body, canonical, labels: None, notes: Vec::new() })
    }
    /// A document of pseudo-Boolean constraints.
    pub(crate) fn pseudo_boolean(terms: PseudoBoolean) -> Result<Self, BuildError> {
        let canonical = terms.canonical()?;
        let maximise = terms.objective.as_ref().is_some_and(|o| o.maximise);
        let (format, kind, body) = (Format::Opb, Kind::PseudoBoolean, Body::PseudoBoolean(terms));
        Ok(Self { format, kind, maximise, body, canonical, labels: None, notes: Vec::new() })
    }

    /// A document that states a canonical problem: a CNF, WCNF or Ising document.
    ///
    /// # Errors
    /// If the problem breaks an invariant that the documentation of its type states.
    pub fn from_problem(problem: Problem) -> Result<Self, BuildError> {
        canonical::check(&problem).map_err(BuildError::NotCanonical)?;
        match problem {
            Problem::Cnf(cnf) => Ok(Self::cnf(cnf)),
            Problem::Wcnf(_) => Ok(Self::clauses(Format::WcnfNew, Kind::Wcnf, problem, 0)),
            Problem::Ising(ising) => {
                Self::quadratic(Format::IsingCoo, Kind::Ising, false, Quadratic::from_ising(ising))
            }
        }
    }
    /// A Max-Cut document of `vertices` vertices and 0-based weighted edges. Edges that occur
    /// more than once count as often as they occur.
    ///
    /// # Errors
    /// If an edge names a missing vertex or the weights are too large.
    pub fn max_cut(vertices: u32, edges: Vec<(u32, u32, i64)>) -> Result<Self, BuildError> {
        let terms = Quadratic::new(vertices, edges, 0, 0)?;
        Self::quadratic(Format::Rudy, Kind::MaxCut, true, terms)
    }
    /// A QUBO document: minimise `offset + sum of w x_i x_j` over its 0-based terms `(i, j, w)`,
    /// each counted once; `i == j` is a linear term.
    ///
    /// # Errors
    /// If a term names a missing variable or the weights are too large.
    pub fn qubo(variables: u32, terms: Vec<(u32, u32, i64)>, offset: i64) -> Result<Self, BuildError> {
        let terms = Quadratic::new(variables, terms, offset, 0)?;
        Self::quadratic(Format::Qubo, Kind::Qubo, false, terms)
    }
    /// The CNF document read as MaxSAT instead, every clause a soft one of weight 1.
    pub(crate) fn into_max_sat(self) -> Self {
        let Problem::Cnf(cnf) = self.canonical.problem else { return self };
        let weights = vec![1; cnf.clauses.len()];
        let wcnf = Wcnf { variables: cnf.variables, soft: cnf.clauses, weights, ..Wcnf::default() };
        let notes = self.notes;
        Self { notes, ..Self::clauses(Format::DimacsCnf, Kind::MaxSat, Problem::Wcnf(wcnf), 0) }
    }

    /// The format that the document was read from, or would be written in by default.
    pub fn format(&self) -> Format {
        self.format
    }
    /// What the document asks.
    pub fn kind(&self) -> Kind {
        self.kind
    }
    /// What is a better objective.
    pub fn sense(&self) -> Sense {
        match &self.body {
            Body::Clauses if self.kind == Kind::Cnf => Sense::Satisfy,
            Body::PseudoBoolean(terms) if terms.objective.is_none() => Sense::Satisfy,
            _ if self.maximise => Sense::Maximise,
            _ => Sense::Minimise,
        }
    }
    /// The number of variables of the file: the length of an assignment.
    pub fn variables(&self) -> u32 {
        match &self.body {
            Body::Clauses => self.canonical.problem.variables(),
            Body::Quadratic(terms) => terms.variables,
            Body::PseudoBoolean(terms) => terms.variables,
        }
    }
    /// The number of clauses, constraints, terms or edges that the file lists.
    pub fn elements(&self) -> u64 {
        let count = match (&self.body, &self.canonical.problem) {
            (Body::Quadratic(terms), _) => terms.terms.len(),
            (Body::PseudoBoolean(terms), _) => terms.constraints(),
            (Body::Clauses, Problem::Cnf(cnf)) => cnf.clauses.len(),
            (Body::Clauses, Problem::Wcnf(wcnf)) => wcnf.hard.len() + wcnf.soft.len(),
            (Body::Clauses, Problem::Ising(_)) => 0,
        };
        count as u64
    }
    /// What was odd about the file, yet accepted: one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
    /// The names of the variables, where the format has names (dimod's BQM).
    pub fn variable_labels(&self) -> Option<&[serde_json::Value]> {
        self.labels.as_deref()
    }
    /// The canonical form and the map of its energies.
    pub fn canonical(&self) -> &Canonical {
        &self.canonical
    }
    /// The canonical problem.
    pub fn problem(&self) -> &Problem {
        &self.canonical.problem
    }
    /// The document's part of an assignment of the canonical problem: auxiliary variables of
    /// encodings are left out.
    ///
    /// # Panics
    /// If `assignment` is shorter than the document's variables.
    pub fn assignment_from_canonical(&self, assignment: &[bool]) -> Vec<bool> {
        assignment[..self.variables() as usize].to_vec()
    }
    /// The score of `assignment`, computed from the file's own terms in 128-bit integers, which
    /// the bounds on weights and elements keep from overflowing.
    ///
    /// # Panics
    /// If `assignment` does not have one value a variable.
    pub fn score(&self, assignment: &[bool]) -> Score {
        assert_eq!(assignment.len(), self.variables() as usize, "one value a variable");
        match &self.body {
            Body::Clauses => clauses::score(&self.canonical, assignment),
            Body::Quadratic(terms) => {
                Score { objective: terms.objective(self.kind, assignment), hard_unsatisfied: 0 }
            }
            Body::PseudoBoolean(terms) => terms.score(assignment),
        }
    }
    /// `assignment` in the numbers that files of this kind use, in the file's own order: DIMACS
    /// literals for CNF, MaxSAT, WCNF and pseudo-Boolean files, 0 and 1 for QUBO, -1 and +1 for
    /// Ising and Max-Cut.
    pub fn assignment_values(&self, assignment: &[bool]) -> Vec<i64> {
        let value = |(index, &value): (usize, &bool)| match self.kind {
            Kind::Qubo => i64::from(value),
            Kind::Ising | Kind::MaxCut => 2 * i64::from(value) - 1,
            _ if value => index as i64 + 1,
            _ => -(index as i64 + 1),
        };
        assignment.iter().enumerate().map(value).collect()
    }
    /// The assignment that [`Self::assignment_values`] writes as `values`; `None` if they are not
    /// one value a variable in this kind's numbers. DIMACS literals may come in any order.
    pub fn assignment_from_values(&self, values: &[i64]) -> Option<Vec<bool>> {
        let variables = self.variables() as usize;
        if values.len() != variables {
            return None;
        }
        let bit = |value: &i64| match (self.kind, value) {
            (_, 1) => Some(true),
            (Kind::Qubo, 0) | (Kind::Ising | Kind::MaxCut, -1) => Some(false),
            _ => None,
        };
        if matches!(self.kind, Kind::Qubo | Kind::Ising | Kind::MaxCut) {
            return values.iter().map(bit).collect();
        }
        let mut assignment = vec![None; variables];
        for value in values {
            let index = usize::try_from(value.unsigned_abs()).ok()?.checked_sub(1)?;
            let slot = assignment.get_mut(index)?;
            if slot.replace(*value > 0).is_some() {
                return None;
            }
        }
        assignment.into_iter().collect()
    }
}
