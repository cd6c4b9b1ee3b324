//! The scalar reference: one chip after the other, written to be read. It defines what the lanes
//! kernels compute, bit for bit.

use hysteron_problem::Literal;

use crate::rom::{OFFSET_MASK, element_hash};
use crate::run::{LaneBest, Request};
use crate::simd::LANES;

use super::bank::{ROW, random_word, start_value};
use super::drive::Machine;
use super::population::ancestors;
use super::tables::{Level, Table, chances, uniform_bytes};
use super::{Circuit, Kernel, Parameters};

/// A bank of any kernel: `CHIPS` is 64 for T and W, 512 for B.
pub(super) struct Reference<'a, const CHIPS: usize> {
    circuit: &'a Circuit,
    parameters: &'a Parameters,
    /// The clauses with each literal, by its code.
    clauses_of: Vec<Vec<usize>>,
    /// `values[chip][variable]`.
    values: Vec<Vec<bool>>,
    /// `weights[chip][clause]`, kernel W.
    weights: Vec<Vec<u8>>,
    energies: Vec<i64>,
    best: Vec<LaneBest>,
    solved: Vec<bool>,
    gain: Box<Table>,
    loss: Box<Table>,
}

impl<'a, const CHIPS: usize> Reference<'a, CHIPS> {
    pub fn new(circuit: &'a Circuit, parameters: &'a Parameters, request: &Request<'_>) -> Self {
        let values: Vec<Vec<bool>> = (0..CHIPS as u32)
            .map(|chip| (0..circuit.variables).map(|v| start_value(request, v, chip)).collect())
            .collect();
        let remembers = parameters.kernel == Kernel::W;
        let weights = vec![parameters.weight_floor; if remembers { circuit.clauses() } else { 0 }];
        let mut clauses_of = vec![Vec::new(); 2 * circuit.variables as usize];
        for clause in 0..circuit.clauses() {
            for literal in circuit.clause(clause) {
                clauses_of[literal.code() as usize].push(clause);
            }
        }
        let none = LaneBest {
            energy: i64::MAX,
            hard_unsatisfied: 0,
            assignment: vec![false; circuit.variables as usize],
        };
        let mut chips = Self {
            circuit,
            parameters,
            clauses_of,
            values,
            weights: vec![weights; CHIPS],
            energies: vec![0; CHIPS],
            best: vec![none; CHIPS],
            solved: vec![false; CHIPS],
            gain: chances(parameters.gain),
            loss: chances(parameters.loss),
        };
        chips.recount();
        chips
    }

    fn recount(&mut self) {
        for chip in 0..CHIPS {
            let values = &self.values[chip];
            let failed =
                (0..self.circuit.clauses()).filter(|&c| all_false(self.circuit.clause(c), values, None));
            self.energies[chip] = i64::from(self.circuit.empty) + failed.count() as i64;
        }
    }

    fn start(&mut self, chip: usize, key: u64) {
        for variable in 0..self.circuit.variables {
            let word = random_word(key, variable, chip as u32 / 64);
            self.values[chip][variable as usize] = word >> (chip % 64) & 1 == 1;
        }
        self.weights[chip].fill(self.parameters.weight_floor);
    }

    /// The weight of the clauses that only `literal` satisfies, or that none does and it would:
    /// what breaks if it holds, what is made if it does not.
    fn critical(&self, chip: usize, literal: Literal) -> i64 {
        let values = &self.values[chip];
        let mut sum = 0;
        for &clause in &self.clauses_of[literal.code() as usize] {
            if all_false(self.circuit.clause(clause), values, Some(literal)) {
                sum += self.weights[chip].get(clause).map_or(1, |&w| i64::from(w));
            }
        }
        if self.parameters.kernel == Kernel::W { sum.min(255) } else { sum }
    }

    /// Whether a cost is accepted by the noise at `hash`.
    fn accepts(&self, level: Level, hash: u64, chip: usize, cost: i64) -> bool {
        if self.parameters.kernel != Kernel::B {
            return cost <= i64::from(level.thresholds()[(hash & OFFSET_MASK) as usize + chip]);
        }
        // Costs of 1, 2 and 4 are accepted each by a bit of its own, so that 3 is by two, and above
        // 7 none is.
        let bit = |exponent: u32| {
            let offset = (hash >> (13 * exponent) & OFFSET_MASK) as usize;
            level.bernoulli()[exponent as usize][offset + chip / 8] >> (chip % 8) & 1 == 1
        };
        cost <= 0 || cost < 8 && (0..3).all(|exponent| cost >> exponent & 1 == 0 || bit(exponent))
    }

    /// Kernel W: the weights of unsatisfied clauses rise, those of satisfied ones fall.
    fn learn(&mut self, key: u64) {
        for clause in 0..self.circuit.clauses() {
            let hash = element_hash(!key, clause as u32);
            for chip in 0..CHIPS {
                let failed = all_false(self.circuit.clause(clause), &self.values[chip], None);
                let gains = self.gain[(hash & OFFSET_MASK) as usize + chip] != 0;
                let loses = self.loss[(hash >> 13 & OFFSET_MASK) as usize + chip] != 0;
                let weight = &mut self.weights[chip][clause];
                if failed && gains {
                    *weight = weight.saturating_add(1).min(self.parameters.weight_cap);
                }
                if !failed && loses {
                    *weight = weight.saturating_sub(1).max(self.parameters.weight_floor);
                }
            }
        }
    }
}

/// Whether all literals of `clause`, but `except`, are false.
fn all_false(clause: &[Literal], values: &[bool], except: Option<Literal>) -> bool {
    clause.iter().all(|&l| Some(l) == except || !l.holds(values[l.variable() as usize]))
}

impl<const CHIPS: usize> Machine for Reference<'_, CHIPS> {
    const CHIPS: u64 = CHIPS as u64;

    fn restart(&mut self, key: u64) {
        (0..CHIPS).for_each(|chip| self.start(chip, key));
        self.recount();
    }

    fn sweep(&mut self, level: Level, key: u64) -> [u8; ROW] {
        let coefficients = uniform_bytes();
        let mut fold = [0; ROW];
        // Kernel B folds bits of a chip, the others bytes: a byte is eight chips or one.
        let chips_a_byte = CHIPS / ROW;
        for element in &self.circuit.elements {
            let variable = element.variable;
            let hash = element_hash(key, variable);
            for chip in 0..CHIPS {
                let value = self.values[chip][variable as usize];
                let literal = Literal::new(variable, !value);
                let breaks = self.critical(chip, literal);
                let makes = self.critical(chip, !literal);
                if self.accepts(level, hash, chip, breaks - makes) {
                    self.values[chip][variable as usize] = !value;
                }
            }
            let shift = if self.parameters.kernel == Kernel::B { 39 } else { 13 };
            let offset = (hash >> shift & OFFSET_MASK) as usize;
            for (byte, fold) in fold.iter_mut().enumerate() {
                for chip in byte * chips_a_byte..(byte + 1) * chips_a_byte {
                    let mask = if chips_a_byte == 1 { 0xff } else { 1 << (chip % 8) };
                    if self.values[chip][variable as usize] {
                        *fold ^= coefficients[offset + byte] & mask;
                    }
                }
            }
        }
        if self.parameters.kernel == Kernel::W {
            self.learn(key);
        }
        self.recount();
        fold
    }

    fn look(&mut self, step: u32, record: bool, goal: i64) -> bool {
        // Kernel B sees energies when it records, and else, after every second step, only whether
        // every clause holds.
        let sees = self.parameters.kernel != Kernel::B
            || record
            || step % 2 == 1 && goal == i64::from(self.circuit.empty);
        for chip in 0..CHIPS {
            self.solved[chip] = sees && self.energies[chip] <= goal;
        }
        let any = self.solved.contains(&true);
        for chip in 0..CHIPS {
            // Where chips are bytes a solved one is the occasion to look at all.
            let looked = record || if CHIPS == LANES { any } else { self.solved[chip] };
            if looked && self.energies[chip] < self.best[chip].energy {
                self.best[chip].energy = self.energies[chip];
                self.best[chip].assignment.clone_from(&self.values[chip]);
            }
        }
        any
    }

    fn renew(&mut self, key: u64) {
        (0..CHIPS)
            .filter(|&chip| self.solved[chip])
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|c| self.start(c, key));
        self.recount();
    }

    fn resample(&mut self, rise_q16: u64, noise: u64) {
        if self.parameters.kernel == Kernel::T {
            let energies = std::array::from_fn(|lane| self.energies[lane]);
            let ancestors = ancestors(&energies, rise_q16, noise);
            self.values = ancestors.iter().map(|&a| self.values[usize::from(a)].clone()).collect();
            self.recount();
        }
    }

    fn finish(self) -> (Vec<u8>, Vec<LaneBest>) {
        let mut state = Vec::new();
        for variable in 0..self.circuit.variables as usize {
            for chips in self.values.chunks(8) {
                state.push((0..8).fold(0u8, |byte, i| byte | u8::from(chips[i][variable]) << i));
            }
        }
        for clause in 0..self.weights[0].len() {
            state.extend(self.weights.iter().map(|weights| weights[clause]));
        }
        if CHIPS == LANES {
            return (state, self.best);
        }
        let energies: Vec<i64> = self.best.iter().map(|b| b.energy).collect();
        let value = |chip: usize, variable: usize| self.best[chip].assignment[variable];
        (state, best_of_eight(&energies, value, self.circuit.variables))
    }
}

/// Of 512 chips, 64 to report: the first of the best of each eight.
pub(super) fn best_of_eight(
    energies: &[i64],
    value: impl Fn(usize, usize) -> bool,
    variables: u32,
) -> Vec<LaneBest> {
    (0..LANES)
        .map(|lane| {
            let chip = (8 * lane..8 * lane + 8).min_by_key(|&c| energies[c]).expect("eight chips");
            LaneBest {
                energy: energies[chip],
                hard_unsatisfied: 0,
                assignment: (0..variables as usize).map(|v| value(chip, v)).collect(),
            }
        })
        .collect()
}
