//! What the scalar reference and the vector kernels share: seeds, starts, draws, temperatures, and how
//! the chips' results become a report.

use super::{Circuit, Parameters};
use crate::rom::{mix64, step_key};
use crate::run::{Error, LaneBest, Report, Request, Start, digest};
use crate::simd::LANES;

/// A multiplier for the trace accumulators: odd, with no pattern (the golden ratio's bits).
const TRACE_MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
/// What visiting one spin of a sweep costs, in elementary circuit updates.
pub(super) const VISIT_WORK: u64 = 4;
/// What choosing a spin to switch costs: one update for this many spins.
pub(super) const SCAN_INVERSE: u64 = 4;

/// Folds a switch into a trace.
#[inline(always)]
pub(super) fn fold(trace: u64, spin: usize, energy: i64) -> u64 {
    (trace.rotate_left(7) ^ energy as u64 ^ (spin as u64) << 38).wrapping_mul(TRACE_MULTIPLIER)
}

/// Refuses requests that do not fit the circuit.
pub(super) fn check(circuit: &Circuit, request: &Request<'_>) -> Result<(), Error> {
    if let Start::From { states, kick_per_mille } = request.start {
        let n = circuit.spins() as usize;
        if states.is_empty() || states.iter().any(|s| s.len() != n) {
            return Err(Error::Parameter {
                name: "start",
                value: states.len() as i64,
                reason: "at least one state, each with one value a spin",
            });
        }
        if kick_per_mille > 1000 {
            return Err(Error::Parameter {
                name: "kick_per_mille",
                value: kick_per_mille.into(),
                reason: "0 to 1000 thousandths",
            });
        }
    }
    Ok(())
}

/// How one chip ended.
pub(super) struct Ended {
    /// Its last state.
    pub state: Vec<bool>,
    /// The fields of that state, in units.
    pub fields: Vec<i64>,
    /// The least energy it met, in units.
    pub best_energy: i64,
    /// Where it met it.
    pub best: Vec<bool>,
    /// Its trace.
    pub trace: u64,
    /// Steps that it took.
    pub steps: u32,
    /// Its work.
    pub ecu: u64,
    /// Whether the whole run is to end.
    pub is_over: bool,
}

/// A run in progress: chips that ended, and how those to come begin.
pub(super) struct Bank<'a> {
    circuit: &'a Circuit,
    request: &'a Request<'a>,
    chips: u32,
    state: Vec<u8>,
    trace: u64,
    lanes: Vec<LaneBest>,
    steps: u32,
    ecu: u64,
}

impl<'a> Bank<'a> {
    pub(super) fn new(circuit: &'a Circuit, parameters: &Parameters, request: &'a Request<'a>) -> Self {
        let chips = parameters.chips;
        Self { circuit, request, chips, state: Vec::new(), trace: 0, lanes: Vec::new(), steps: 0, ecu: 0 }
    }

    /// The seed of all noise of a chip.
    pub(super) fn seed(&self, chip: u32) -> u64 {
        mix64(self.request.seed ^ mix64(u64::from(chip) << 32 | 0xd5))
    }

    /// The state in which a chip begins.
    pub(super) fn start(&self, chip: u32) -> Vec<bool> {
        let seed = mix64(self.seed(chip));
        let n = self.circuit.spins() as usize;
        match self.request.start {
            Start::Random => {
                (0..n).map(|i| mix64(seed ^ (i as u64 / 64) << 8) >> (i % 64) & 1 != 0).collect()
            }
            Start::From { states, kick_per_mille } => {
                let mut state = states[chip as usize % states.len()].clone();
                if kick_per_mille > 0 {
                    for (i, value) in state.iter_mut().enumerate() {
                        let draw = mix64(seed ^ (i as u64) << 8);
                        if (draw & 0xffff) * 1000 >> 16 < u64::from(kick_per_mille) {
                            *value = draw >> 32 & 1 != 0;
                        }
                    }
                }
                state
            }
        }
    }

    /// Takes over how a chip ended. Returns whether the run is over.
    pub(super) fn keep(&mut self, ended: Ended) -> bool {
        self.state.extend(
            ended
                .state
                .chunks(8)
                .map(|bits| bits.iter().enumerate().fold(0u8, |byte, (i, &bit)| byte | u8::from(bit) << i)),
        );
        self.state.extend(ended.fields.iter().flat_map(|f| f.to_le_bytes()));
        self.trace = mix64(self.trace ^ ended.trace);
        self.steps = self.steps.max(ended.steps);
        self.ecu += ended.ecu;
        let energy = self.circuit.canonical(ended.best_energy);
        self.lanes.push(LaneBest { energy, hard_unsatisfied: 0, assignment: ended.best });
        ended.is_over
    }

    /// The report; chips that were never run have their start as their best.
    pub(super) fn report(mut self) -> Report {
        for chip in self.lanes.len() as u32..self.chips {
            let start = self.start(chip);
            let energy = self.circuit.canonical(self.circuit.energy_of(&start));
            self.lanes.push(LaneBest { energy, hard_unsatisfied: 0, assignment: start });
        }
        Report {
            digest: digest(&self.state, self.trace, &self.lanes),
            trace: self.trace,
            lanes: self.lanes,
            steps: self.steps,
            ecu: self.ecu,
        }
    }
}

/// What chance decides in a step of a tabu chip.
#[derive(Clone, Copy)]
pub(super) struct Draw(u64);

impl Draw {
    #[inline(always)]
    pub(super) fn new(seed: u64, step: u32) -> Self {
        Self(step_key(seed, step.into()))
    }
    /// Among equals, blocks are preferred in cyclic order from this one,
    #[inline(always)]
    pub(super) fn block(self, blocks: usize) -> usize {
        ((self.0 & 0xffff_ffff) * blocks as u64 >> 32) as usize
    }
    /// and spins of a block in cyclic order from this one.
    #[inline(always)]
    pub(super) fn rotation(self) -> u32 {
        (self.0 >> 32) as u32 & 63
    }
    /// `0..range`.
    #[inline(always)]
    pub(super) fn tenure(self, range: u32) -> u32 {
        ((self.0 >> 38 & 0xffff) * u64::from(range) >> 16) as u32
    }
    /// The spin that a kick switches.
    #[inline(always)]
    pub(super) fn spin(self, spins: usize) -> usize {
        ((mix64(self.0) >> 32) * spins as u64 >> 32) as usize
    }
    /// The rank of a spin among those with equal gains: the least is chosen.
    #[inline(always)]
    pub(super) fn rank(self, spin: usize, blocks: usize) -> usize {
        let block = (spin / LANES + blocks - self.block(blocks)) % blocks;
        block * LANES + (spin % LANES + LANES - self.rotation() as usize) % LANES
    }
}

/// The constants of a tabu chip, from its parameters and its circuit.
#[derive(Clone, Copy)]
pub(super) struct Tenures {
    fixed: u32,
    range: u32,
    most: u32,
    /// Steps without progress until a kick; `u64::MAX`: never.
    pub patience: u64,
    /// Spins that a kick switches.
    pub kick: u32,
}

impl Tenures {
    pub(super) fn new(circuit: &Circuit, parameters: &Parameters) -> Self {
        let n = circuit.spins();
        Self {
            fixed: parameters.tenure_base + n / parameters.tenure_divisor,
            range: parameters.tenure_range,
            // So that at least half of the spins are always free.
            most: n.saturating_sub(1) / 2,
            patience: match parameters.patience {
                0 => u64::MAX,
                factor => u64::from(factor) * u64::from(n),
            },
            kick: ((u64::from(n) * u64::from(parameters.kick_per_mille) / 1000) as u32).max(2),
        }
    }
    /// For how many further steps the spin that switches now is tabu.
    #[inline(always)]
    pub(super) fn draw(&self, draw: Draw) -> u32 {
        (self.fixed + draw.tenure(self.range)).min(self.most)
    }
}

/// When a chip is kicked: counts the steps of a round that brought nothing.
pub(super) struct Rounds {
    best: i64,
    stale: u64,
    kicks_left: u32,
    tenures: Tenures,
}

impl Rounds {
    pub(super) fn new(energy: i64, tenures: Tenures) -> Self {
        Self { best: energy, stale: 0, kicks_left: 0, tenures }
    }
    /// Whether the coming step is part of a kick.
    #[inline(always)]
    pub(super) fn is_kick(&self) -> bool {
        self.kicks_left > 0
    }
    /// Tells of the energy after a step.
    #[inline(always)]
    pub(super) fn after(&mut self, energy: i64) {
        if self.kicks_left > 0 {
            self.kicks_left -= 1;
            self.best = i64::MAX;
        } else if energy < self.best {
            self.best = energy;
            self.stale = 0;
        } else {
            self.stale += 1;
            if self.stale >= self.tenures.patience {
                self.stale = 0;
                self.kicks_left = self.tenures.kick;
            }
        }
    }
}

/// A temperature made ready for integers: a switch that raises the energy by `2 d` units is accepted
/// iff `d <= (noise * mantissa) >> shift` (a left shift if negative), `noise` exponential in Q12.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Temperature {
    /// Below 2^15.
    pub mantissa: u32,
    /// At least 1 for narrow circuits.
    pub shift: i32,
}

impl Temperature {
    /// Of sweep `step` of `steps`: linear from start to end, then two cold sweeps.
    pub(super) fn of(circuit: &Circuit, parameters: &Parameters, step: u32, steps: u32) -> Self {
        let warm = u64::from(steps.saturating_sub(2));
        let step = u64::from(step);
        if step >= warm {
            return Self { mantissa: 0, shift: 1 };
        }
        let (start, end) = (u64::from(parameters.start_temperature), u64::from(parameters.end_temperature));
        // Thousandths of sigma, Q16.
        let per_mille = (start << 16) * (warm - step) / warm + (end << 16) * step / warm;
        // Half the temperature, Q8 units: per_mille / 1000 * sigma / 2.
        let half_q8 = u128::from(circuit.sigma_q8()) * u128::from(per_mille) / (2000 << 16);
        let bits = 128 - half_q8.leading_zeros() as i32;
        let excess = (bits - 15).max(0);
        Self { mantissa: (half_q8 >> excess) as u32, shift: 20 - excess }
    }
    /// The threshold for one value of noise.
    #[inline(always)]
    pub(super) fn threshold(self, noise: u16) -> i64 {
        let product = i64::from(noise) * i64::from(self.mantissa);
        if self.shift >= 0 { product >> self.shift } else { product << -self.shift }
    }
}

impl Circuit {
    /// The energy of a state, in units, without the offset.
    pub(super) fn energy_of(&self, state: &[bool]) -> i64 {
        let (_, energy) = self.fields_of(state);
        energy
    }

    /// The fields and the energy of a state, in units: from the state with all spins up, one after the
    /// other goes down.
    pub(super) fn fields_of(&self, state: &[bool]) -> (Vec<i64>, i64) {
        let mut fields = self.up_fields.to_vec();
        let mut energy = self.up_energy;
        for (i, _) in state.iter().enumerate().filter(|s| !*s.1) {
            energy -= 2 * fields[i];
            self.for_row(i, |j, w| fields[j] -= 2 * w);
        }
        (fields, energy)
    }

    /// Path relinking: from `from`, switches one after the other the spins in which `to` differs,
    /// each time the one that gains most, and returns the best state of the path's middle third
    /// (its middle state if the path is too short for that). Cost: a row for each spin that differs.
    pub fn relink(&self, from: &[bool], to: &[bool]) -> Vec<bool> {
        let mut apart: Vec<usize> = (0..from.len()).filter(|&i| from[i] != to[i]).collect();
        let length = apart.len();
        let (mut fields, mut energy) = self.fields_of(from);
        let mut state = from.to_vec();
        let mut best: Option<(i64, Vec<bool>)> = None;
        for walked in 1..=length * 2 / 3 {
            let gain = |&i: &usize| if state[i] { fields[i] } else { -fields[i] };
            let Some(place) = (0..apart.len()).max_by_key(|&k| gain(&apart[k])) else { break };
            let spin = apart.swap_remove(place);
            energy -= 2 * gain(&spin);
            let turn = if state[spin] { -2 } else { 2 };
            self.for_row(spin, |j, w| fields[j] += turn * w);
            state[spin] = !state[spin];
            if walked >= length / 3 && best.as_ref().is_none_or(|b| energy < b.0) {
                best = Some((energy, state.clone()));
            }
        }
        best.map_or(state, |b| b.1)
    }
}
