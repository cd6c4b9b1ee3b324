//! What a problem looks like: sizes, degrees, weights, the arithmetic it needs, what normalising takes
//! away, and the [`Structure`] by which a portfolio chooses. Nothing here reaches anything hashed, so
//! shares and means are floats.

mod report;
mod structure;
#[cfg(test)]
mod tests;

pub use structure::Structure;

use serde::Serialize;

use crate::canonical::{ClauseList, Ising, Problem, Wcnf};
use crate::normalise::{Decided, NormaliseOptions, NormaliseStatistics, normalise};

/// The form of a problem.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// Satisfiability.
    Cnf,
    /// Weighted partial MaxSAT.
    Wcnf,
    /// Ising, QUBO and Max-Cut.
    Ising,
}

impl ProblemKind {
    /// The form of `problem`.
    pub fn of(problem: &Problem) -> Self {
        match problem {
            Problem::Cnf(_) => Self::Cnf,
            Problem::Wcnf(_) => Self::Wcnf,
            Problem::Ising(_) => Self::Ising,
        }
    }
}

/// How often a count between `from` and `to` occurs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Bucket {
    /// The least count of the bucket.
    pub from: u32,
    /// The largest.
    pub to: u32,
    /// How many things have such a count.
    pub count: u64,
}

/// The distribution of a count (a clause's length, a variable's degree) over all things that have it.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Distribution {
    /// The least, 0 if there is nothing.
    pub least: u32,
    /// The largest.
    pub most: u32,
    /// The mean.
    pub mean: f64,
    /// The variance divided by the mean: 0 if all are equal, 1 for a Poisson distribution, large for
    /// heavy tails.
    pub dispersion: f64,
    /// Every count up to 8 by itself, then ranges that double: 9-16, 17-32 and so on. Empty buckets are left out.
    pub histogram: Vec<Bucket>,
}

impl Distribution {
    /// The distribution of `counts`.
    pub fn of(counts: impl Iterator<Item = u32>) -> Self {
        let (mut things, mut sum, mut squares) = (0u64, 0u64, 0u128);
        let (mut least, mut most) = (u32::MAX, 0);
        let mut buckets = [0u64; 9 + 29];
        for count in counts {
            things += 1;
            sum += u64::from(count);
            squares += u128::from(count) * u128::from(count);
            least = least.min(count);
            most = most.max(count);
            buckets[bucket_of(count)] += 1;
        }
        if things == 0 {
            return Self::default();
        }
        let mean = sum as f64 / things as f64;
        let variance = (squares as f64 / things as f64 - mean * mean).max(0.0);
        let histogram = (buckets.iter().enumerate().filter(|(_, count)| **count > 0))
            .map(|(bucket, &count)| match bucket {
                0..=8 => Bucket { from: bucket as u32, to: bucket as u32, count },
                _ => {
                    let from = (8u64 << (bucket - 9)) + 1;
                    let to = (8u64 << (bucket - 8)).min(u64::from(u32::MAX));
                    Bucket { from: from as u32, to: to as u32, count }
                }
            })
            .collect();
        let dispersion = if mean > 0.0 { variance / mean } else { 0.0 };
        Self { least, most, mean, dispersion, histogram }
    }
}

fn bucket_of(count: u32) -> usize {
    if count <= 8 { count as usize } else { 9 + (((count - 1) >> 3).ilog2()) as usize }
}

/// The magnitudes of weights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct WeightRange {
    /// The least magnitude that is not 0.
    pub least: u64,
    /// The largest magnitude.
    pub most: u64,
    /// The greatest common divisor of all.
    pub divisor: u64,
    /// The sum of all magnitudes; saturates.
    pub sum: u64,
}

impl WeightRange {
    fn of(magnitudes: impl Iterator<Item = u64>) -> Option<Self> {
        let mut range: Option<Self> = None;
        for weight in magnitudes.filter(|&w| w != 0) {
            let known = range.get_or_insert(Self { least: weight, most: weight, divisor: weight, sum: 0 });
            known.least = known.least.min(weight);
            known.most = known.most.max(weight);
            known.divisor = greatest_common_divisor(known.divisor, weight);
            known.sum = known.sum.saturating_add(weight);
        }
        range
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The integers that a crossbar chip needs for its column currents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArithmeticClass {
    /// Couplings of one magnitude, rows (with fields) up to 127 of it.
    I8,
    /// Couplings of one magnitude, rows up to 32 767.
    I16,
    /// Rows below 2^30.
    I32,
    /// Everything else.
    I64,
}

impl ArithmeticClass {
    /// The class by exact row sums after dividing by the greatest common divisor.
    pub fn of(ising: &Ising) -> Self {
        let fields = ising.fields.iter().map(|h| h.unsigned_abs());
        let Some(range) = WeightRange::of(ising.couplings.iter().map(|c| c.2.unsigned_abs()).chain(fields))
        else {
            return Self::I8;
        };
        let mut rows: Vec<u64> = ising.fields.iter().map(|h| h.unsigned_abs()).collect();
        for &(i, j, weight) in &ising.couplings {
            for spin in [i as usize, j as usize] {
                rows[spin] = rows[spin].saturating_add(weight.unsigned_abs());
            }
        }
        let row = rows.into_iter().max().unwrap_or(0) / range.divisor;
        let units = ising.couplings.iter().all(|c| c.2.unsigned_abs() == range.divisor);
        match row {
            0..=127 if units => Self::I8,
            0..=32_767 if units => Self::I16,
            _ if row < 1 << 30 => Self::I32,
            _ => Self::I64,
        }
    }
}

/// What normalising did to the problem.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Reduction {
    /// What is known without a search.
    pub decided: Option<Decided>,
    /// Variables of the largest component.
    pub largest_component: u32,
    /// Counts by rule.
    pub statistics: NormaliseStatistics,
}

/// The report on a problem. Text by `Display`, JSON by serde.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Inspection {
    /// The form.
    pub kind: ProblemKind,
    /// The content id in hexadecimal.
    pub content_id: String,
    /// Variables or spins.
    pub variables: u32,
    /// Clauses or couplings.
    pub constraints: u64,
    /// Of these, hard clauses (all, for CNF).
    pub hard: u64,
    /// Of these, soft clauses.
    pub soft: u64,
    /// Literals or couplings.
    pub elements: u64,
    /// Literals of each clause.
    pub clause_lengths: Option<Distribution>,
    /// Clauses or couplings of each variable.
    pub degrees: Distribution,
    /// Weights of soft clauses or couplings.
    pub weights: Option<WeightRange>,
    /// Fields of spins.
    pub fields: Option<WeightRange>,
    /// Energy or cost that every assignment has.
    pub offset: i64,
    /// The crossbar chip's arithmetic; Ising only.
    pub arithmetic: Option<ArithmeticClass>,
    /// Elementary circuit updates of one chip in one step: literals, or couplings seen from both ends.
    pub updates_per_step: u64,
    /// By what a portfolio chooses.
    pub structure: Structure,
    /// What normalising removes.
    pub reduction: Reduction,
    /// Bytes that solving will take, filled in by the solver.
    pub memory_bytes: Option<u64>,
}

/// Inspects a problem; normalises it to see what that removes.
pub fn inspect(problem: &Problem) -> Inspection {
    let normalised = normalise(problem, &NormaliseOptions::default());
    let reduction = Reduction {
        decided: normalised.decided,
        largest_component: normalised.components.iter().map(Problem::variables).max().unwrap_or(0),
        statistics: normalised.statistics,
    };
    inspect_reduced(problem, reduction)
}

/// As [`inspect`], for a problem whose reduction is known already.
pub fn inspect_reduced(problem: &Problem, reduction: Reduction) -> Inspection {
    let structure = Structure::of(problem);
    let content_id = problem.content_id().iter().map(|byte| format!("{byte:02x}")).collect();
    let none = ClauseList::new();
    let (hard, soft, weights, offset) = match problem {
        Problem::Cnf(cnf) => (&cnf.clauses, &none, None, 0),
        Problem::Wcnf(Wcnf { hard, soft, weights, offset, .. }) => {
            (hard, soft, WeightRange::of(weights.iter().copied()), *offset)
        }
        Problem::Ising(ising) => {
            (&none, &none, WeightRange::of(ising.couplings.iter().map(|c| c.2.unsigned_abs())), ising.offset)
        }
    };
    let mut inspection = Inspection {
        kind: ProblemKind::of(problem),
        content_id,
        variables: problem.variables(),
        constraints: (hard.len() + soft.len()) as u64,
        hard: hard.len() as u64,
        soft: soft.len() as u64,
        elements: (hard.literals().len() + soft.literals().len()) as u64,
        clause_lengths: None,
        degrees: Distribution::of(structure::degrees(problem).into_iter()),
        weights,
        fields: None,
        offset,
        arithmetic: None,
        updates_per_step: 0,
        structure,
        reduction,
        memory_bytes: None,
    };
    if let Problem::Ising(ising) = problem {
        inspection.constraints = ising.couplings.len() as u64;
        inspection.elements = inspection.constraints;
        inspection.updates_per_step = 2 * inspection.elements;
        inspection.fields = WeightRange::of(ising.fields.iter().map(|h| h.unsigned_abs()));
        inspection.arithmetic = Some(ArithmeticClass::of(ising));
    } else {
        inspection.updates_per_step = inspection.elements;
        let clauses = hard.iter().chain(soft.iter());
        inspection.clause_lengths = Some(Distribution::of(clauses.map(|c| c.len() as u32)));
    }
    inspection
}
