//! The reference: one chip after the other, written to be read. It defines the truth.

use crate::rom;
use crate::run::Start;

use super::circuit::RATIO_ONE;
use super::parameters::LongMemory;
use super::{Arrangement, Circuit, Parameters};

/// The voltage of a literal at which it is fully true; a variable's voltage is in `-VOLTAGE - 1..=VOLTAGE`.
pub const VOLTAGE: i16 = 16383;

/// One chip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chip {
    /// Which chip of the bank.
    pub index: u32,
    /// Voltage of each variable; true from 0 on.
    pub v: Vec<i16>,
    /// Short memory of each clause, 0..=32767.
    pub xs: Vec<u16>,
    /// Long memory of each clause, in 1/16.
    pub xl: Vec<u16>,
    /// The least tracked energy so far.
    pub best: i32,
    /// The voltages that had it.
    pub best_v: Vec<i16>,
    /// What every step folds its state into.
    pub trace: u64,
}

/// `(a * b) >> 16`.
fn mulhi(a: u16, b: u16) -> u16 {
    ((u32::from(a) * u32::from(b)) >> 16) as u16
}

/// `a * b / 2^15`, rounded.
fn mulhrs(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + (1 << 14)) >> 15) as i16
}

/// The voltage of a literal: a negation's is the bitwise complement, so that both have the same range.
pub(super) fn literal_voltage(literal: hysteron_problem::Literal, v: &[i16]) -> i16 {
    let voltage = v[literal.variable() as usize];
    if literal.is_negative() { !voltage } else { voltage }
}

/// The voltages that chip `index` begins with.
pub(super) fn start_voltages(circuit: &Circuit, seed: u64, start: &Start<'_>, index: u32) -> Vec<i16> {
    let key = rom::step_key(seed, u64::MAX - u64::from(index));
    let random = |variable: u32| rom::element_hash(key, variable);
    (0..circuit.variables())
        .map(|variable| {
            let draw = random(variable);
            let anywhere = (draw >> 48) as i16 >> 1;
            match start {
                Start::Random => anywhere,
                Start::From { states, kick_per_mille } => {
                    let kicked = (draw & 0xffff) * 1000 < u64::from(*kick_per_mille) << 16;
                    let state = &states[index as usize % states.len()];
                    match (kicked, state[variable as usize]) {
                        (true, _) => anywhere,
                        (false, true) => VOLTAGE / 2,
                        (false, false) => !(VOLTAGE / 2),
                    }
                }
            }
        })
        .collect()
}

/// The noise of a clause in a step: 16 uniform bits. Chips side by side read neighbouring entries of the
/// table at an offset that four clauses' hash gives; in the flat arrangement 64 neighbouring clauses do.
fn noise(parameters: &Parameters, key: u64, chip: u32, clause: usize, padded: usize) -> u16 {
    let (hash, lane) = match parameters.arrangement {
        Arrangement::Lanes => {
            (rom::element_hash(key, (clause / 4) as u32) >> (16 * (clause % 4)), chip as usize)
        }
        Arrangement::Flat => {
            (rom::element_hash(rom::step_key(key, u64::from(chip)), (padded / 64) as u32), padded % 64)
        }
    };
    rom::uniform_u16()[(hash & rom::OFFSET_MASK) as usize + lane]
}

impl Chip {
    /// Chip `index` at the start of a run.
    pub fn new(circuit: &Circuit, parameters: &Parameters, seed: u64, start: &Start<'_>, index: u32) -> Self {
        let v = start_voltages(circuit, seed, start, index);
        let count = circuit.clauses().len();
        let xl = (0..count).map(|clause| long_memory(circuit, parameters, clause).floor).collect();
        Self { index, best_v: v.clone(), v, xs: vec![0; count], xl, best: i32::MAX, trace: 0 }
    }

    /// One step of size `dt`: all clauses see the voltages as they were, then all voltages move.
    pub fn step(&mut self, circuit: &Circuit, parameters: &Parameters, seed: u64, step: u32) {
        let key = rom::step_key(seed, u64::from(step));
        let amplitude = i32::from(parameters.noise_at(step));
        let force_max = circuit.force_max();
        let mut force = vec![0i32; self.v.len()];
        let mut energy = 0i32;
        for group in circuit.groups() {
            for m in group.first..group.first + group.count {
                let clause = circuit.clauses().clause(m);
                // c = (1 - q v) / 2, a literal's distance from true; c1 <= c2 the least two.
                let c = |j: usize| (VOLTAGE as u16).wrapping_sub(literal_voltage(clause[j], &self.v) as u16);
                let (mut c1, mut c2) = (32767, 32767);
                for j in 0..clause.len() {
                    c2 = c2.min(c1.max(c(j)));
                    c1 = c1.min(c(j));
                }
                if c1 > VOLTAGE as u16 {
                    energy = energy.wrapping_add(circuit.tracked_weight(m));
                }
                let (xs, xl) = (self.xs[m], self.xl[m]);
                let long = long_memory(circuit, parameters, m);
                let r = noise(parameters, key, self.index, m, group.padded_first + m - group.first);

                // Forces: gradient-like, x_l x_s G, and rigidity, (1 + zeta x_l)(1 - x_s) R.
                let g = mulhi(xl, 2 * xs);
                let h = 2048 + rigidity(xl, parameters.zeta_shift);
                let rigid = (mulhi(mulhi(h, 2 * (32767 - xs)), 2 * c1) + 64) >> 7;
                let force_nearest = (u32::from(mulhi(g, 2 * c2)) + u32::from(rigid)).min(force_max.into());
                let force_other = mulhi(g, 2 * c1).min(force_max);
                for (j, literal) in clause.iter().enumerate() {
                    let f = if c(j) == c1 { force_nearest as i32 } else { i32::from(force_other) };
                    force[literal.variable() as usize] += if literal.is_negative() { -f } else { f };
                }

                // Short memory: beta (x_s + epsilon)(C - gamma), and noise.
                let p = mulhrs((xs as i16).saturating_add(parameters.epsilon), c1 as i16 - parameters.gamma);
                let change = mulhrs(p, parameters.short_rate);
                let change = change.saturating_add(change);
                let change = change.saturating_add(change);
                let shake = (i32::from((r << 5) as i16) * amplitude >> 16) as i16;
                self.xs[m] = (xs as i16).saturating_add(change).saturating_add(shake).max(0) as u16;

                // Long memory: alpha (C - delta), rounded up or down by chance.
                let t = (i32::from(c1) - i32::from(parameters.delta)) * i32::from(long.rate);
                let carry = (t as u16).checked_add(r).is_none();
                let xl = i32::from(xl) + (t >> 16) + i32::from(carry);
                self.xl[m] = xl.clamp(long.floor.into(), long.cap.into()) as u16;
            }
        }
        if energy < self.best {
            self.best = energy;
            self.best_v.copy_from_slice(&self.v);
        }
        let limit = i32::from(parameters.force_limit());
        let mut fold = 0u16;
        for (variable, v) in self.v.iter_mut().enumerate() {
            let f = force[variable].clamp(-limit, limit);
            let moved = i32::from(*v) + f * i32::from(parameters.voltage_rate);
            *v = moved.clamp(!VOLTAGE as i32, VOLTAGE as i32) as i16;
            fold = fold.wrapping_add((*v as u16).wrapping_mul(circuit.folds()[variable]));
        }
        self.trace = fold_step(self.trace, fold, energy);
    }
}

/// `2048 zeta x_l`, bounded so that nothing after it overflows.
fn rigidity(xl: u16, zeta_shift: i8) -> u16 {
    let (left, right) = zeta_shifts(zeta_shift);
    (xl.min(RIGIDITY_MAX >> left) << left) >> right
}

/// The bound of [`rigidity`].
pub(super) const RIGIDITY_MAX: u16 = 61440;

/// A signed shift as one to the left, then one to the right.
pub(super) fn zeta_shifts(zeta_shift: i8) -> (u32, u32) {
    ((-i32::from(zeta_shift)).max(0) as u32, i32::from(zeta_shift).max(0) as u32)
}

/// How a step enters a chip's trace: the folded voltages and the tracked energy.
pub(super) fn fold_step(trace: u64, fold: u16, energy: i32) -> u64 {
    rom::mix64(trace ^ u64::from(fold) ^ u64::from(energy as u32) << 16)
}

/// The constants of a clause's long memory.
pub(super) fn long_memory(circuit: &Circuit, parameters: &Parameters, clause: usize) -> LongMemory {
    parameters.long_memory(circuit.weights().map_or(RATIO_ONE, |w| w.ratio[clause]))
}
