//! The reference: 64 chips one after the other, written to be read. It defines the truth.

use hysteron_problem::Literal;

use crate::rom;
use crate::simd::LANES;

use super::Circuit;
use super::parameters::Sweep;
use super::run::Chips;

/// A clause as one of its variables sees it.
struct Wire {
    is_negative: bool,
    others: Vec<Literal>,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Its number.
    Hard(usize),
    /// Its simulated weight.
    Soft(i32),
}

/// 64 chips.
pub(super) struct Reference {
    /// Per variable.
    wires: Vec<Vec<Wire>>,
    chips: Vec<Chip>,
    /// The values with which each was best.
    best: Vec<Vec<bool>>,
}

/// One chip.
#[derive(Clone)]
struct Chip {
    values: Vec<bool>,
    /// Per hard clause, 1..=cap.
    memory: Vec<u8>,
}

impl Reference {
    /// Chips with these values.
    pub fn new(circuit: &Circuit, starts: &[Vec<bool>]) -> Self {
        let mut wires: Vec<Vec<Wire>> = Vec::new();
        wires.resize_with(circuit.variables as usize, Vec::new);
        let hard = circuit.hard.iter().enumerate().map(|(index, clause)| (clause, Kind::Hard(index)));
        let weights = circuit.weights.iter().map(|&weight| Kind::Soft(circuit.simulated(weight)));
        for (clause, kind) in hard.chain(circuit.soft.iter().zip(weights)) {
            for literal in clause {
                let others = clause.iter().copied().filter(|other| other != literal).collect();
                let wire = Wire { is_negative: literal.is_negative(), others, kind };
                wires[literal.variable() as usize].push(wire);
            }
        }
        let memory = vec![1; circuit.hard.len()];
        let chip = |s: &Vec<bool>| Chip { values: s.clone(), memory: memory.clone() };
        Self { wires, chips: starts.iter().map(chip).collect(), best: starts.to_vec() }
    }
}

impl Chip {
    fn holds(&self, literal: Literal) -> bool {
        self.values[literal.variable() as usize] != literal.is_negative()
    }

    fn sweep(&mut self, circuit: &Circuit, wires: &[Vec<Wire>], sweep: &Sweep, lane: usize) {
        for element in &circuit.elements {
            let value = self.values[element.variable as usize];
            // What being true saves.
            let (mut soft, mut hard) = (0i32, 0i32);
            for wire in &wires[element.variable as usize] {
                if wire.others.iter().any(|&literal| self.holds(literal)) {
                    continue;
                }
                let sign = if wire.is_negative { -1 } else { 1 };
                match wire.kind {
                    Kind::Hard(clause) => hard += sign * i32::from(self.memory[clause]),
                    Kind::Soft(weight) => soft += sign * weight,
                }
            }
            let saved = soft.wrapping_add(hard.wrapping_mul(sweep.penalty));
            let cost = if value { saved } else { saved.wrapping_neg() };
            let offset = (rom::element_hash(sweep.key, element.variable) & rom::OFFSET_MASK) as usize;
            let noise = i32::from(rom::exponential_q12()[offset + lane]) * sweep.mantissa >> sweep.shift;
            if cost <= noise {
                self.values[element.variable as usize] = !value;
            }
        }
        for (clause, literals) in circuit.hard.iter().enumerate() {
            let satisfied = literals.iter().any(|&literal| self.holds(literal));
            let memory = &mut self.memory[clause];
            if !satisfied {
                *memory = (*memory + 1).min(sweep.memory_cap);
            } else if sweep.forgets(clause) {
                *memory = (*memory - 1).max(1);
            }
        }
    }
}

impl Chips for Reference {
    fn sweep(&mut self, circuit: &Circuit, sweep: &Sweep) -> [u8; LANES] {
        std::array::from_fn(|lane| {
            let chip = &mut self.chips[lane];
            chip.sweep(circuit, &self.wires, sweep, lane);
            // The sum of the factors of false variables.
            let falses = (0..circuit.variables).filter(|&v| !chip.values[v as usize]);
            falses.fold(0u8, |sum, v| sum.wrapping_add(Circuit::fold(v)))
        })
    }
    fn count(&mut self, circuit: &Circuit) -> ([u32; LANES], [i64; LANES]) {
        let scores: Vec<(u32, i64)> = self.chips.iter().map(|c| circuit.score(&c.values)).collect();
        (std::array::from_fn(|l| scores[l].0), std::array::from_fn(|l| scores[l].1))
    }
    fn keep(&mut self, lanes: u64) {
        for (lane, best) in self.best.iter_mut().enumerate().filter(|(lane, _)| lanes >> lane & 1 == 1) {
            best.clone_from(&self.chips[lane].values);
        }
    }
    fn kept(&self) -> Vec<Vec<bool>> {
        self.best.to_vec()
    }
    fn state(&self) -> Vec<u8> {
        let of_chip = |chip: &Chip| {
            let values: Vec<u8> = chip.values.iter().map(|&value| u8::from(value)).collect();
            [values, chip.memory.clone()].concat()
        };
        self.chips.iter().flat_map(of_chip).collect()
    }
    fn permute(&mut self, ancestors: &[u8; LANES]) {
        self.chips = ancestors.iter().map(|&a| self.chips[usize::from(a)].clone()).collect();
    }
}
