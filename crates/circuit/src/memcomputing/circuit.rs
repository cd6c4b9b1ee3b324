//! A problem compiled for simulation.

use hysteron_problem::{ClauseList, Cnf, Literal, Wcnf};

use crate::columns::{self, pack_row};
use crate::rom;
use crate::run::Error;
use crate::simd::LANES;

/// The most clauses of a circuit: their positions, padded, are element numbers of noise hashes.
pub const CLAUSES_MAX: usize = 1 << 28;
/// Variables of at most this degree everywhere: forces are summed in 16 bits.
const NARROW_DEGREE_MAX: usize = 64;
/// The bound of the sum of all tracking weights, so that energies are tracked in 32 bits.
const TRACKED_SUM_MAX: u128 = (1 << 31) - 1;
/// Ones of [`Weights::ratio`]: a weight equal to the mean.
pub const RATIO_ONE: u32 = 256;

/// Clauses of one length, which lie side by side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// Literals a clause, at least 1.
    pub length: usize,
    /// The first clause.
    pub first: usize,
    /// The number of clauses.
    pub count: usize,
    /// The position of the first clause when every group is padded to a multiple of 64.
    pub padded_first: usize,
}

/// Weights of clauses, for problems where they differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weights {
    /// One a clause: 0 for a hard clause.
    pub soft: Vec<u64>,
    /// What an unsatisfied clause adds to the tracked energy: the weight, scaled down if the sum of all
    /// would not fit 32 bits; a hard clause outweighs all soft ones as far as that fits.
    pub tracked: Vec<i32>,
    /// Weight over mean weight, in 1/256; `u32::MAX` for a hard clause.
    pub ratio: Vec<u32>,
}

/// A CNF or weighted CNF for memcomputing chips. Tautologies and repeated literals are gone, clauses are
/// sorted by length (stably), and empty clauses have become part of the energy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Circuit {
    variables: u32,
    clauses: ClauseList,
    groups: Vec<Group>,
    /// `None` if every clause counts 1.
    weights: Option<Weights>,
    /// The energy that every assignment pays.
    offset: i64,
    /// Hard clauses that nothing satisfies.
    hard_empty: u32,
    /// Per variable, its number of negative literals.
    negatives: Vec<u32>,
    /// The most clauses that a variable is in.
    degree_max: usize,
    /// Per variable, the odd factor of its voltage in the trace.
    folds: Vec<u16>,
}

impl Circuit {
    /// Compiles a CNF: every clause counts 1.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there are more than 2^28 clauses.
    pub fn from_cnf(cnf: &Cnf) -> Result<Self, Error> {
        Self::build(cnf.variables, cnf.clauses.iter().map(|c| (c, Some(1))), 0)
    }

    /// Compiles a weighted CNF. If there is no hard clause and all weights are 1, it is as a CNF.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there are more than 2^28 clauses.
    pub fn from_wcnf(wcnf: &Wcnf) -> Result<Self, Error> {
        let hard = wcnf.hard.iter().map(|c| (c, None));
        let soft = wcnf.soft.iter().zip(&wcnf.weights).map(|(c, &w)| (c, Some(w)));
        Self::build(wcnf.variables, hard.chain(soft), wcnf.offset)
    }

    fn build<'a>(
        variables: u32,
        given: impl Iterator<Item = (&'a [Literal], Option<u64>)>,
        mut offset: i64,
    ) -> Result<Self, Error> {
        let mut kept: Vec<(Vec<Literal>, Option<u64>)> = Vec::new();
        let mut hard_empty = 0;
        for (clause, weight) in given {
            let mut literals = clause.to_vec();
            literals.sort_unstable();
            literals.dedup();
            if literals.windows(2).any(|w| w[0] == !w[1]) {
                continue;
            }
            match (literals.is_empty(), weight) {
                (true, None) => hard_empty += 1,
                (true, Some(weight)) => offset += weight as i64,
                (false, _) => kept.push((literals, weight)),
            }
        }
        if kept.len() > CLAUSES_MAX {
            return Err(Error::Unsupported {
                family: "memcomputing",
                reason: format!("{} clauses are more than {CLAUSES_MAX}", kept.len()),
            });
        }
        kept.sort_by_key(|(literals, _)| literals.len());
        let mut clauses = ClauseList::new();
        let mut groups: Vec<Group> = Vec::new();
        let mut degrees = vec![0usize; variables as usize];
        let mut negatives = vec![0u32; variables as usize];
        for (index, (literals, _)) in kept.iter().enumerate() {
            clauses.push(literals);
            for literal in literals {
                degrees[literal.variable() as usize] += 1;
                negatives[literal.variable() as usize] += u32::from(literal.is_negative());
            }
            match groups.last_mut() {
                Some(group) if group.length == literals.len() => group.count += 1,
                last => {
                    let padded_first = last.map_or(0, |g| g.padded_first + g.count.next_multiple_of(64));
                    groups.push(Group { length: literals.len(), first: index, count: 1, padded_first });
                }
            }
        }
        let weights: Vec<Option<u64>> = kept.iter().map(|(_, w)| *w).collect();
        Ok(Self {
            variables,
            clauses,
            groups,
            weights: Weights::of(&weights),
            offset,
            hard_empty,
            negatives,
            degree_max: degrees.into_iter().max().unwrap_or(0),
            folds: (0..variables).map(|v| rom::element_hash(0x666f_6c64, v) as u16 | 1).collect(),
        })
    }

    /// The number of variables.
    pub fn variables(&self) -> u32 {
        self.variables
    }
    /// The clauses that are simulated, in canonical order: by length, then as given.
    pub fn clauses(&self) -> &ClauseList {
        &self.clauses
    }
    /// The runs of clauses of equal length.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
    /// The weights, if not every clause counts 1.
    pub fn weights(&self) -> Option<&Weights> {
        self.weights.as_ref()
    }
    /// Per variable, in how many clauses it is negative.
    pub(super) fn negatives(&self) -> &[u32] {
        &self.negatives
    }
    /// Per variable, the odd factor of its voltage in the trace.
    pub(super) fn folds(&self) -> &[u16] {
        &self.folds
    }
    /// Whether forces are summed in 16 bits: no variable is in more than 64 clauses.
    pub fn is_narrow(&self) -> bool {
        self.degree_max <= NARROW_DEGREE_MAX
    }
    /// The bound of one clause's force on one variable: no sum of forces overflows.
    pub fn force_max(&self) -> u16 {
        let sum_max = if self.is_narrow() { i32::from(i16::MAX) } else { i32::MAX };
        (sum_max as usize / self.degree_max.max(1)).min(32767) as u16
    }
    /// Elementary circuit updates of one step of one chip: the number of literals.
    pub fn ecu_per_step(&self) -> u64 {
        self.clauses.literals().len() as u64
    }
    /// What an unsatisfied clause adds to the tracked energy.
    pub fn tracked_weight(&self, clause: usize) -> i32 {
        self.weights.as_ref().map_or(1, |w| w.tracked[clause])
    }
    /// [`Self::score`] of an assignment with `count` unsatisfied clauses, where every clause counts 1.
    pub(super) fn score_of_count(&self, count: i32) -> (u32, i64) {
        (self.hard_empty, self.offset + i64::from(count))
    }
    /// `(unsatisfied hard clauses, energy)` of an assignment, exactly.
    pub fn score(&self, assignment: &[bool]) -> (u32, i64) {
        let mut hard = self.hard_empty;
        let mut energy = self.offset;
        for (index, clause) in self.clauses.iter().enumerate() {
            if !hysteron_problem::canonical::is_satisfied(clause, assignment) {
                match &self.weights {
                    None => energy += 1,
                    Some(weights) if weights.ratio[index] == u32::MAX => hard += 1,
                    Some(weights) => energy += weights.soft[index] as i64,
                }
            }
        }
        (hard, energy)
    }
    /// [`Self::score`] of several assignments, 64 at a time.
    pub(super) fn scores(&self, assignments: &[Vec<bool>]) -> Vec<(u32, i64)> {
        let n = self.variables as usize;
        let mut scores = vec![(self.hard_empty, self.offset); assignments.len()];
        let mut values = vec![0u64; n];
        for (lanes, scores) in assignments.chunks(LANES).zip(scores.chunks_mut(LANES)) {
            columns::rows(n, lanes.iter().map(Vec::as_slice), |variable, row| {
                values[variable] = pack_row(row)
            });
            let used = u64::MAX >> (LANES - lanes.len());
            for (index, clause) in self.clauses.iter().enumerate() {
                let satisfied = clause.iter().fold(0, |satisfied, literal| {
                    let value = values[literal.variable() as usize];
                    satisfied | if literal.is_negative() { !value } else { value }
                });
                let (hard, energy) = match &self.weights {
                    None => (0, 1),
                    Some(weights) if weights.ratio[index] == u32::MAX => (1, 0),
                    Some(weights) => (0, weights.soft[index] as i64),
                };
                let mut unsatisfied = !satisfied & used;
                while unsatisfied != 0 {
                    let score = &mut scores[unsatisfied.trailing_zeros() as usize];
                    (score.0, score.1) = (score.0 + hard, score.1 + energy);
                    unsatisfied &= unsatisfied - 1;
                }
            }
        }
        scores
    }
}

impl Weights {
    fn of(weights: &[Option<u64>]) -> Option<Self> {
        if weights.iter().all(|w| *w == Some(1)) {
            return None;
        }
        let soft: Vec<u64> = weights.iter().map(|w| w.unwrap_or(0)).collect();
        let sum: u128 = soft.iter().map(|&w| u128::from(w)).sum();
        let hard_count = weights.iter().filter(|w| w.is_none()).count() as u128;
        let soft_count = weights.len() as u128 - hard_count;
        // Soft weights are scaled so that a hard clause can outweigh them all.
        let mut shift = 0;
        while ((sum >> shift) + soft_count + 1) * (hard_count + 1) > TRACKED_SUM_MAX && sum >> shift > 0 {
            shift += 1;
        }
        let scaled = |w: u64| (w >> shift).max(1) as i32;
        let scaled_sum: i64 = weights.iter().flatten().map(|&w| i64::from(scaled(w))).sum();
        let hard = (scaled_sum + 1).min(TRACKED_SUM_MAX as i64 / (hard_count as i64 + 1)).max(1) as i32;
        let tracked = weights.iter().map(|w| w.map_or(hard, scaled)).collect();
        let ratio = weights
            .iter()
            .map(|w| match w {
                None => u32::MAX,
                Some(w) => {
                    let ratio = u128::from(*w) * u128::from(RATIO_ONE) * soft_count / sum.max(1);
                    ratio.min(u128::from(u32::MAX - 1)) as u32
                }
            })
            .collect();
        Some(Self { soft, tracked, ratio })
    }
}
