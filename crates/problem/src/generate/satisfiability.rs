//! Random clauses of one length.

use super::random::Random;
use super::{
    Content, GENERATED_VARIABLES_MAX, GenerateError, Made, PlantedSat, RandomMaxsat, UniformSat, bounded,
    within,
};
use crate::canonical::{ClauseList, Cnf, Literal, Wcnf, is_satisfied};

/// The most literals of a random clause.
const LENGTH_MAX: u64 = 64;

fn check_sizes(variables: u32, clauses: u32, length: u32) -> Result<(), GenerateError> {
    within("the clauses' length", length, 1, LENGTH_MAX)?;
    within("the number of variables", variables, u64::from(length), GENERATED_VARIABLES_MAX)?;
    bounded(u64::from(clauses) * u64::from(length))
}

/// Draws clauses of different variables.
struct Clauses {
    random: Random,
    variables: u32,
    chosen: Vec<u32>,
    clause: Vec<Literal>,
}

impl Clauses {
    fn new(random: Random, variables: u32) -> Self {
        Self { random, variables, chosen: Vec::new(), clause: Vec::new() }
    }

    fn uniform(&mut self, length: u32) -> &[Literal] {
        self.random.distinct(length as usize, self.variables, &mut self.chosen);
        self.clause.clear();
        for &variable in &self.chosen {
            self.clause.push(Literal::new(variable, self.random.bit()));
        }
        &self.clause
    }
}

pub(super) fn uniform(p: &UniformSat, seed: u64) -> Made {
    check_sizes(p.variables, p.clauses, p.length)?;
    let mut draw = Clauses::new(Random::new(seed, 1), p.variables);
    let mut clauses = ClauseList::new();
    for _ in 0..p.clauses {
        clauses.push(draw.uniform(p.length));
    }
    Ok((Content::Cnf(Cnf { variables: p.variables, clauses }), None))
}

pub(super) fn planted(p: &PlantedSat, seed: u64) -> Made {
    check_sizes(p.variables, p.clauses, 3)?;
    within("the share of clauses with all literals true, in thousandths", p.all_true_per_mille, 0, 250)?;
    let mut random = Random::new(seed, 2);
    let solution = random.assignment(p.variables);
    // In 2000ths: p0, and the three ways of two true literals together; the rest has one.
    let all_true = 2 * u64::from(p.all_true_per_mille);
    let two_true = 1000 - 2 * all_true;
    let mut clauses = ClauseList::new();
    let mut chosen = Vec::new();
    for _ in 0..p.clauses {
        random.distinct(3, p.variables, &mut chosen);
        let draw = random.below(2000);
        let true_literals = if draw < all_true {
            3
        } else if draw < all_true + two_true {
            2
        } else {
            1
        };
        // Their order in the clause must not show which are true.
        let mut clause = [0, 1, 2].map(|k| {
            let variable = chosen[k];
            let holds = k < true_literals;
            Literal::new(variable, solution[variable as usize] != holds)
        });
        random.shuffle(&mut clause);
        clauses.push(&clause);
    }
    Ok((Content::Cnf(Cnf { variables: p.variables, clauses }), Some(solution)))
}

pub(super) fn random_maxsat(p: &RandomMaxsat, seed: u64) -> Made {
    check_sizes(p.variables, p.clauses, p.length)?;
    within("the largest weight", p.weight_max, 1, u64::from(u32::MAX))?;
    within("the share of hard clauses, in thousandths", p.hard_per_mille, 0, 1000)?;
    let mut random = Random::new(seed, 3);
    let hidden = random.assignment(p.variables);
    let mut draw = Clauses::new(random, p.variables);
    let mut wcnf = Wcnf { variables: p.variables, ..Wcnf::default() };
    for _ in 0..p.clauses {
        if p.hard_per_mille > 0 && draw.random.chance(u64::from(p.hard_per_mille), 1000) {
            while !is_satisfied(draw.uniform(p.length), &hidden) {}
            wcnf.hard.push(&draw.clause);
        } else {
            wcnf.soft.push(draw.uniform(p.length));
            wcnf.weights.push(draw.random.between(1, i64::from(p.weight_max)) as u64);
        }
    }
    let planted = (p.hard_per_mille > 0).then_some(hidden);
    Ok((Content::Wcnf(wcnf), planted))
}
