//! The reference: 64 chips one after the other, written to be read. It defines the truth.

use crate::rom;
use crate::simd::LANES;

use super::Circuit;
use super::parameters::Sweep;
use super::run::Chips;

/// 64 chips.
pub(super) struct Reference {
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
        let memory = vec![1; circuit.hard.len()];
        let chip = |s: &Vec<bool>| Chip { values: s.clone(), memory: memory.clone() };
        Self { chips: starts.iter().map(chip).collect(), best: starts.to_vec() }
    }
}

impl Chip {
    fn holds(&self, code: u32) -> bool {
        self.values[(code >> 1) as usize] != (code & 1 == 1)
    }

    fn sweep(&mut self, circuit: &Circuit, sweep: &Sweep, lane: usize) {
        let mut begin = 0;
        for element in &circuit.elements {
            let value = self.values[element.variable as usize];
            let (mut soft, mut hard) = (0i32, 0i32);
            for occurrence in &circuit.occurrences[begin..element.end as usize] {
                let others = &circuit.others[occurrence.others as usize..][..usize::from(occurrence.count)];
                if others.iter().any(|&code| self.holds(code)) {
                    continue;
                }
                // What the clause costs if the variable stops, or saves if it begins, to satisfy it.
                let sign = if value != occurrence.negative { 1 } else { -1 };
                match self.memory.get(occurrence.hard as usize) {
                    Some(&memory) => hard += sign * i32::from(memory),
                    None => soft += sign * occurrence.weight,
                }
            }
            let cost = soft.wrapping_add(hard.wrapping_mul(sweep.penalty));
            let offset = (rom::element_hash(sweep.key, element.variable) & rom::OFFSET_MASK) as usize;
            let noise = i32::from(rom::exponential_q12()[offset + lane]) * sweep.mantissa >> sweep.shift;
            if cost <= noise {
                self.values[element.variable as usize] = !value;
            }
            begin = element.end as usize;
        }
        for (clause, literals) in circuit.hard.iter().enumerate() {
            let satisfied = literals.iter().any(|l| self.holds(l.code()));
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
            chip.sweep(circuit, sweep, lane);
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
