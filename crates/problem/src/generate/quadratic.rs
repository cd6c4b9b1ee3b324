//! QUBO instances.

use super::random::Random;
use super::{Content, GENERATED_VARIABLES_MAX, GenerateError, Palubeckis, RandomQubo, bounded, within};

/// The most pairs of variables that a dense generator looks at.
const PAIRS_MAX: u64 = 1 << 32;

fn check_sizes(variables: u32, share: u64, whole: u64) -> Result<(), GenerateError> {
    let n = u64::from(variables);
    within("the number of variables", n, 1, GENERATED_VARIABLES_MAX)?;
    let pairs = n * (n - 1) / 2;
    if pairs > PAIRS_MAX {
        return Err(GenerateError::TooLarge { elements: pairs });
    }
    bounded(n + pairs * share / whole)
}

pub(super) fn random(p: &RandomQubo, seed: u64) -> Result<Content, GenerateError> {
    within("the density in thousandths", p.density_per_mille, 0, 1000)?;
    within("the largest linear coefficient", p.linear_max, 0, 1 << 31)?;
    within("the largest coefficient of a pair", p.pair_max, 0, 1 << 31)?;
    check_sizes(p.variables, u64::from(p.density_per_mille), 1000)?;
    let mut random = Random::new(seed, 4);
    let mut terms = Vec::new();
    let mut add = |i, j, weight| {
        if weight != 0 {
            terms.push((i, j, weight));
        }
    };
    let (linear, pair) = (i64::from(p.linear_max), i64::from(p.pair_max));
    for i in 0..p.variables {
        add(i, i, random.between(-linear, linear));
        for j in i + 1..p.variables {
            if random.chance(u64::from(p.density_per_mille), 1000) {
                add(i, j, 2 * random.between(-pair, pair));
            }
        }
    }
    Ok(Content::Qubo { variables: p.variables, terms })
}

/// The recipe's numbers `s / 2^31`, of which only `s` is needed: all its uses are exact in integers.
struct Recipe {
    state: u64,
}

impl Recipe {
    fn next(&mut self) -> u64 {
        self.state = self.state * 16_807 % 0x7fff_ffff;
        self.state
    }
    /// `floor(201 r - 100)`.
    fn coefficient(&mut self) -> i64 {
        ((self.next() * 201) >> 31) as i64 - 100
    }
}

/// The recipe maximises `sum q_ii x_i + 2 sum q_ij x_i x_j`; the terms here are to be minimised.
pub(super) fn palubeckis(p: &Palubeckis) -> Result<Content, GenerateError> {
    within("the density in percent", p.density_percent, 0, 100)?;
    within("the recipe's seed", p.seed, 1, 0x7fff_fffe)?;
    check_sizes(p.variables, u64::from(p.density_percent), 100)?;
    let mut recipe = Recipe { state: u64::from(p.seed) };
    let mut terms = Vec::new();
    for i in 0..p.variables {
        let linear = recipe.coefficient();
        if linear != 0 {
            terms.push((i, i, -linear));
        }
        for j in i + 1..p.variables {
            if recipe.next() * 100 <= u64::from(p.density_percent) << 31 {
                let pair = recipe.coefficient();
                if pair != 0 {
                    terms.push((i, j, -2 * pair));
                }
            }
        }
    }
    Ok(Content::Qubo { variables: p.variables, terms })
}
