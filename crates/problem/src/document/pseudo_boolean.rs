//! Linear pseudo-Boolean documents: their scores and their exact translation to clauses.

use super::{Canonical, Score};
use crate::canonical::{ClauseList, Cnf, Literal, Problem, WEIGHT_SUM_MAX, Wcnf};
use crate::encode::Encoder;
use crate::error::BuildError;
use crate::objective::{Objective, ObjectiveMap};

/// How the sum of a constraint relates to its bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relation {
    AtLeast,
    AtMost,
    Equal,
}

impl Relation {
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
            Self::Equal => "=",
        }
    }
}

/// `min:` or `max:` of a sum of weighted literals, in units of `10^-decimals`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LinearObjective {
    pub maximise: bool,
    pub terms: Vec<(i64, Literal)>,
    pub decimals: u32,
}

/// Constraints and, perhaps, an objective, as the file lists them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PseudoBoolean {
    pub variables: u32,
    pub objective: Option<LinearObjective>,
    /// The weighted literals of all constraints, one after the other.
    terms: Vec<(i64, Literal)>,
    /// For each constraint where its terms end, its relation and its bound.
    ends: Vec<(usize, Relation, i64)>,
}

impl PseudoBoolean {
    pub fn push(&mut self, terms: &[(i64, Literal)], relation: Relation, bound: i64) {
        self.terms.extend_from_slice(terms);
        self.ends.push((self.terms.len(), relation, bound));
    }
    /// The number of constraints.
    pub fn constraints(&self) -> usize {
        self.ends.len()
    }
    /// The constraints in order: terms, relation, bound.
    pub fn iter(&self) -> impl Iterator<Item = (&[(i64, Literal)], Relation, i64)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|e| e.0));
        starts
            .zip(&self.ends)
            .map(|(start, &(end, relation, bound))| (&self.terms[start..end], relation, bound))
    }
    /// The objective (without one, the number of violated constraints) and the violated
    /// constraints of `assignment`.
    pub fn score(&self, assignment: &[bool]) -> Score {
        let sum = |terms: &[(i64, Literal)]| -> i128 {
            let holds = terms.iter().filter(|(_, l)| l.holds(assignment[l.variable() as usize]));
            holds.map(|&(weight, _)| i128::from(weight)).sum()
        };
        let violated = self.iter().filter(|&(terms, relation, bound)| match relation {
            Relation::AtLeast => sum(terms) < bound.into(),
            Relation::AtMost => sum(terms) > bound.into(),
            Relation::Equal => sum(terms) != bound.into(),
        });
        let hard_unsatisfied = violated.count() as u64;
        let objective = match &self.objective {
            Some(objective) => Objective::new(sum(&objective.terms), objective.decimals),
            None => Objective::integer(hard_unsatisfied.into()),
        };
        Score { objective, hard_unsatisfied }
    }

    /// The clauses that hold exactly for the assignments that satisfy all constraints (for some
    /// values of auxiliary variables), and the objective as weighted unit clauses.
    pub fn canonical(&self) -> Result<Canonical, BuildError> {
        let mut encoder = Encoder::new(self.variables);
        for (index, (terms, relation, bound)) in self.iter().enumerate() {
            let bound = i128::from(bound);
            let one = |encoder: &mut Encoder, sign: i128| {
                encoder.at_least(terms.iter().map(|&(w, l)| (sign * i128::from(w), l)), sign * bound)
            };
            let encoded = match relation {
                Relation::AtLeast => one(&mut encoder, 1),
                Relation::AtMost => one(&mut encoder, -1),
                Relation::Equal => one(&mut encoder, 1).and_then(|()| one(&mut encoder, -1)),
            };
            encoded.map_err(|most| BuildError::ConstraintTooLarge { constraint: index + 1, most })?;
        }
        let (variables, hard) = encoder.finish();
        let Some(objective) = &self.objective else {
            let cnf = Cnf { variables, clauses: hard };
            return Ok(Canonical { problem: Problem::Cnf(cnf), objective: ObjectiveMap::IDENTITY });
        };
        let (soft, weights, offset) = objective.soft_clauses()?;
        let wcnf = Wcnf { variables, hard, soft, weights, offset };
        let sign = if objective.maximise { -1 } else { 1 };
        let map = ObjectiveMap::new(sign, 0, objective.decimals);
        Ok(Canonical { problem: Problem::Wcnf(wcnf), objective: map })
    }
}

impl LinearObjective {
    /// One unit clause for each variable that matters, its weight, and the offset, such that the
    /// cost is the objective (negated if it is maximised).
    fn soft_clauses(&self) -> Result<(ClauseList, Vec<u64>, i64), BuildError> {
        let sign = if self.maximise { -1 } else { 1 };
        let mut offset = 0i128;
        // The cost of a variable's being true rather than false.
        let mut costs: Vec<(u32, i128)> = Vec::with_capacity(self.terms.len());
        for &(weight, literal) in &self.terms {
            let weight = sign * i128::from(weight);
            offset += if literal.is_negative() { weight } else { 0 };
            costs.push((literal.variable(), if literal.is_negative() { -weight } else { weight }));
        }
        costs.sort_by_key(|c| c.0);
        let (mut soft, mut weights, mut total) = (ClauseList::new(), Vec::new(), 0u128);
        for group in costs.chunk_by(|a, b| a.0 == b.0) {
            let cost: i128 = group.iter().map(|c| c.1).sum();
            offset += cost.min(0);
            total += cost.unsigned_abs();
            if cost != 0 {
                soft.push(&[Literal::new(group[0].0, cost > 0)]);
                weights.push(u64::try_from(cost.unsigned_abs()).unwrap_or(u64::MAX));
            }
        }
        let total = total + offset.unsigned_abs();
        if total > WEIGHT_SUM_MAX as u128 {
            return Err(BuildError::WeightsTooLarge { sum: total as i128, decimals: self.decimals });
        }
        Ok((soft, weights, offset as i64))
    }
}
