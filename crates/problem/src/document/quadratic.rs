//! Quadratic terms: QUBO, Ising and Max-Cut documents, their scores and their Ising form.

use super::{Canonical, Kind};
use crate::canonical::{ELEMENTS_MAX, Ising, Problem, VARIABLES_MAX, WEIGHT_SUM_MAX};
use crate::error::BuildError;
use crate::objective::{Objective, ObjectiveMap};

/// A 0-based term `(i, j, weight)`. `i == j` is a linear term of a QUBO, a field of an Ising
/// model, and a loop, which no cut contains, of a graph.
pub(crate) type Term = (u32, u32, i64);

/// Terms as a file lists them, each counted once, in units of `10^-decimals`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Quadratic {
    pub variables: u32,
    pub terms: Vec<Term>,
    pub offset: i64,
    pub decimals: u32,
}

/// Couplings and fields before their common factor is taken out.
struct Raw {
    couplings: Vec<Term>,
    fields: Vec<i128>,
    offset: i128,
}

impl Quadratic {
    /// Checks that the terms name variables below `variables` and that there are not too many.
    pub fn new(variables: u32, terms: Vec<Term>, offset: i64, decimals: u32) -> Result<Self, BuildError> {
        let too_many = |what, count, most| Err(BuildError::TooMany { what, count, most });
        if variables > VARIABLES_MAX {
            return too_many("variables", variables.into(), VARIABLES_MAX.into());
        }
        if terms.len() > ELEMENTS_MAX as usize {
            return too_many("terms", terms.len() as u64, ELEMENTS_MAX.into());
        }
        // i64::MIN has no negation.
        if offset == i64::MIN || terms.iter().any(|t| t.2 == i64::MIN) {
            return Err(BuildError::WeightsTooLarge { sum: 1 << 63, decimals });
        }
        match terms.iter().map(|&(i, j, _)| i.max(j)).find(|&v| v >= variables) {
            Some(variable) => Err(BuildError::VariableOutOfRange { variable, variables }),
            None => Ok(Self { variables, terms, offset, decimals }),
        }
    }
    pub fn from_ising(ising: Ising) -> Self {
        let mut terms = ising.couplings;
        let fields = (0..).zip(&ising.fields).filter(|(_, h)| **h != 0);
        terms.extend(fields.map(|(i, &h)| (i, i, h)));
        Self { variables: ising.spins, terms, offset: ising.offset, decimals: 0 }
    }

    /// The objective of `assignment`, from the terms as the file lists them. At most 2^30 terms of
    /// 64 bits each cannot overflow 128 bits.
    pub fn objective(&self, kind: Kind, assignment: &[bool]) -> Objective {
        let mut sum = i128::from(self.offset);
        for &(i, j, weight) in &self.terms {
            let (first, second) = (assignment[i as usize], assignment[j as usize]);
            let weight = i128::from(weight);
            sum += match kind {
                Kind::Ising if i == j => {
                    if first {
                        weight
                    } else {
                        -weight
                    }
                }
                Kind::Ising => {
                    if first == second {
                        weight
                    } else {
                        -weight
                    }
                }
                Kind::MaxCut => {
                    if first != second {
                        weight
                    } else {
                        0
                    }
                }
                _ => {
                    if first && second {
                        weight
                    } else {
                        0
                    }
                }
            };
        }
        Objective::new(sum, self.decimals)
    }

    /// The Ising form, with all weights divided by their greatest common divisor.
    pub fn canonical(&self, kind: Kind, maximise: bool) -> Result<Canonical, BuildError> {
        let raw = self.raw(kind, maximise)?;
        let couplings = raw.couplings.iter().map(|c| c.2.unsigned_abs());
        let fields = raw.fields.iter().map(|h| h.unsigned_abs());
        let mut divisor = 0u128;
        for weight in couplings.map(u128::from).chain(fields) {
            divisor = greatest_common_divisor(divisor, weight);
            if divisor == 1 {
                break;
            }
        }
        let divisor = divisor.max(1) as i128;
        let whole = raw.offset % divisor == 0;
        // An offset that the divisor does not divide cannot stay in the problem: the map has it.
        let (offset, rest) = if whole { (raw.offset / divisor, 0) } else { (0, raw.offset) };
        let total = raw.couplings.iter().map(|c| i128::from(c.2.unsigned_abs()) / divisor).sum::<i128>()
            + raw.fields.iter().map(|h| h.abs() / divisor).sum::<i128>()
            + offset.abs();
        if total > i128::from(WEIGHT_SUM_MAX) {
            return Err(BuildError::WeightsTooLarge { sum: total, decimals: self.decimals });
        }
        // The total bounds each part, so every cast below keeps its value.
        let mut couplings = raw.couplings;
        for coupling in &mut couplings {
            coupling.2 = (i128::from(coupling.2) / divisor) as i64;
        }
        let fields = raw.fields.iter().map(|h| (h / divisor) as i64).collect();
        let ising = Ising { spins: self.variables, couplings, fields, offset: offset as i64 };
        let sign = if maximise { -1 } else { 1 };
        let objective = match kind {
            // cut = (sum of weights - energy) / 2
            Kind::MaxCut => {
                let edges = self.terms.iter().filter(|(i, j, _)| i != j);
                let all: i128 = edges.map(|t| i128::from(t.2)).sum();
                ObjectiveMap::new(-5 * divisor, 5 * all + 10 * i128::from(self.offset), self.decimals + 1)
            }
            Kind::Ising => ObjectiveMap::new(sign * divisor, sign * rest, self.decimals),
            // The raw couplings are four times the QUBO.
            _ => ObjectiveMap::new(sign * 25 * divisor, sign * 25 * rest, self.decimals + 2),
        };
        Ok(Canonical { problem: Problem::Ising(ising), objective })
    }

    fn raw(&self, kind: Kind, maximise: bool) -> Result<Raw, BuildError> {
        let sign = if maximise && kind != Kind::MaxCut { -1 } else { 1 };
        let couplings = merged_couplings(&self.terms, sign)
            .ok_or(BuildError::WeightsTooLarge { sum: i128::MAX, decimals: self.decimals })?;
        let mut fields = vec![0i128; self.variables as usize];
        let mut offset = i128::from(sign) * i128::from(self.offset);
        if kind == Kind::MaxCut {
            return Ok(Raw { couplings, fields, offset: 0 });
        }
        let linear = self.terms.iter().filter(|(i, j, _)| i == j);
        if kind == Kind::Ising {
            for &(i, _, weight) in linear {
                fields[i as usize] += i128::from(sign * weight);
            }
            return Ok(Raw { couplings, fields, offset });
        }
        // x = (1 + s) / 2: four times w x_i x_j is w (1 + s_i + s_j + s_i s_j), and four times
        // w x_i is w (2 + 2 s_i).
        offset *= 4;
        for &(i, _, weight) in linear {
            let weight = 2 * i128::from(sign * weight);
            fields[i as usize] += weight;
            offset += weight;
        }
        for &(i, j, weight) in &couplings {
            fields[i as usize] += i128::from(weight);
            fields[j as usize] += i128::from(weight);
            offset += i128::from(weight);
        }
        Ok(Raw { couplings, fields, offset })
    }

    /// How many terms, in whichever order of their two variables, repeat an earlier one.
    pub fn repeated(&self) -> usize {
        let keys = sorted_keys(&self.terms, |_| true);
        keys.windows(2).filter(|w| w[0].0 == w[1].0).count()
    }
}

fn key(i: u32, j: u32) -> u64 {
    u64::from(i.min(j)) << 32 | u64::from(i.max(j))
}

/// Terms by their two variables, smaller first, in increasing order.
fn sorted_keys(terms: &[Term], keep: impl Fn(&Term) -> bool) -> Vec<(u64, i64)> {
    let kept = terms.iter().filter(|t| keep(t));
    let mut keys: Vec<(u64, i64)> = kept.map(|&(i, j, weight)| (key(i, j), weight)).collect();
    if !keys.is_sorted_by_key(|k| k.0) {
        keys.sort_unstable_by_key(|k| k.0);
    }
    keys
}

/// The off-diagonal terms, repeated ones summed, zeros left out; `None` if a sum exceeds 64 bits.
pub(super) fn merged_couplings(terms: &[Term], sign: i64) -> Option<Vec<Term>> {
    let keys = sorted_keys(terms, |(i, j, _)| i != j);
    let mut couplings = Vec::with_capacity(keys.len());
    for group in keys.chunk_by(|a, b| a.0 == b.0) {
        let sum: i128 = group.iter().map(|g| i128::from(g.1)).sum();
        let weight = i64::try_from(sum).ok().filter(|&w| w != i64::MIN)?;
        if weight != 0 {
            couplings.push(((group[0].0 >> 32) as u32, group[0].0 as u32, sign * weight));
        }
    }
    Some(couplings)
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = match (u64::try_from(a), u64::try_from(b)) {
            // Division of 128 bits is slow, and weights rarely need it.
            (Ok(a), Ok(b)) => (b.into(), (a % b).into()),
            _ => (b, a % b),
        };
    }
    a
}
