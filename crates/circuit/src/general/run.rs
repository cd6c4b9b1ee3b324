//! Runs of a bank: sweeps, counts, resampling.

use std::sync::atomic::Ordering;

use crate::rom::{element_hash, mix64, step_key};
use crate::run::{Backend, Cpu, Error, LaneBest, Report, Request, Start, digest};
use crate::simd::LANES;

use super::lanes::Bank;
use super::parameters::Sweep;
use super::population::ancestors;
use super::reference::Reference;
use super::{Circuit, Parameters};

/// The most bytes that a bank may take.
const BANK_BYTES_MAX: u64 = 4 << 30;

/// 64 chips, however they are kept.
pub(super) trait Chips {
    /// Sweeps once; returns the folded state of each lane.
    fn sweep(&mut self, circuit: &Circuit, sweep: &Sweep) -> [u8; LANES];
    /// Unsatisfied hard clauses and exact energy of each lane.
    fn count(&mut self, circuit: &Circuit) -> ([u32; LANES], [i64; LANES]);
    /// The lanes of `lanes` are the best of theirs so far.
    fn keep(&mut self, lanes: u64);
    /// The values of each lane when it was best.
    fn kept(&self) -> Vec<Vec<bool>>;
    /// Of each lane, one after the other, the values, then the memories.
    fn state(&self) -> Vec<u8>;
    /// Lane `l` becomes a copy of lane `ancestors[l]`.
    fn permute(&mut self, ancestors: &[u8; LANES]);
}

impl Backend<Circuit, Parameters> for Cpu {
    fn name(&self) -> &'static str {
        Cpu::name(*self)
    }

    fn run(
        &self,
        circuit: &Circuit,
        parameters: &Parameters,
        request: &Request<'_>,
    ) -> Result<Report, Error> {
        parameters.check()?;
        let needed = circuit.bank_bytes();
        if needed > BANK_BYTES_MAX {
            return Err(Error::Memory { needed, limit: BANK_BYTES_MAX });
        }
        let starts = starts(circuit, request);
        Ok(match self {
            Self::Scalar => drive(Reference::new(circuit, &starts), circuit, parameters, request),
            Self::Lanes(level) => drive(Bank::new(circuit, *level, &starts), circuit, parameters, request),
        })
    }
}

/// The values that each lane begins with.
fn starts(circuit: &Circuit, request: &Request<'_>) -> Vec<Vec<bool>> {
    (0..LANES as u64)
        .map(|lane| {
            let key = step_key(request.seed, u64::MAX - lane);
            (0..circuit.variables)
                .map(|variable| {
                    let draw = element_hash(key, variable);
                    match request.start {
                        Start::From { states, kick_per_mille }
                            if (draw & 0xffff) * 1000 >= u64::from(kick_per_mille) << 16 =>
                        {
                            states[lane as usize % states.len()][variable as usize]
                        }
                        _ => draw >> 63 == 1,
                    }
                })
                .collect()
        })
        .collect()
}

/// Counts energies and keeps the lanes that are better than their best so far, which are in `bests`.
fn update(
    chips: &mut impl Chips,
    circuit: &Circuit,
    bests: &mut [(u32, i64); LANES],
) -> ([u32; LANES], [i64; LANES]) {
    let (hard, energy) = chips.count(circuit);
    let mut better = 0;
    for (lane, best) in bests.iter_mut().enumerate() {
        if (hard[lane], energy[lane]) < *best {
            *best = (hard[lane], energy[lane]);
            better |= 1 << lane;
        }
    }
    if better != 0 {
        chips.keep(better);
    }
    (hard, energy)
}

fn drive(mut chips: impl Chips, circuit: &Circuit, parameters: &Parameters, request: &Request<'_>) -> Report {
    let mut bests = [(u32::MAX, i64::MAX); LANES];
    update(&mut chips, circuit, &mut bests);
    let mut trace = 0;
    let mut steps = 0;
    let mut last_temperature = parameters.temperature(0, request.steps);
    while steps < request.steps {
        if request.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            break;
        }
        let sweep = Sweep::new(circuit, parameters, request.seed, steps, request.steps);
        let fold = chips.sweep(circuit, &sweep);
        for part in fold.chunks_exact(8) {
            trace = mix64(trace ^ u64::from_le_bytes(part.try_into().expect("eight")));
        }
        steps += 1;
        let is_cold = steps + parameters.cold_sweeps > request.steps;
        if !steps.is_multiple_of(parameters.interval) && !is_cold && steps != request.steps {
            continue;
        }
        let (hard, energy) = update(&mut chips, circuit, &mut bests);
        if request.stop_at_target
            && request.target.is_some_and(|t| bests.iter().any(|&(h, e)| h == 0 && e <= t))
        {
            break;
        }
        let temperature = parameters.temperature(steps, request.steps);
        if parameters.resample && !is_cold && temperature < last_temperature {
            // In 1/256 of the mean simulated weight.
            let least = energy.iter().copied().min().unwrap_or(0);
            let costs: [i64; LANES] = std::array::from_fn(|lane| {
                let excess = i128::from(energy[lane] - least) << 8;
                let scaled =
                    if circuit.scale >= 0 { excess << circuit.scale } else { excess >> -circuit.scale };
                let soft = scaled / i128::from(circuit.mean);
                (soft.min(1 << 40) as i64) + i64::from(hard[lane]) * i64::from(parameters.penalty)
            });
            let list = ancestors(&costs, last_temperature, temperature, sweep.key ^ 0x0070_6f70);
            chips.permute(&list);
        }
        last_temperature = temperature;
    }
    update(&mut chips, circuit, &mut bests);
    report(chips, circuit, &bests, trace, steps)
}

fn report(
    chips: impl Chips,
    circuit: &Circuit,
    bests: &[(u32, i64); LANES],
    trace: u64,
    steps: u32,
) -> Report {
    let lanes: Vec<LaneBest> = bests
        .iter()
        .zip(chips.kept())
        .map(|(&(hard_unsatisfied, energy), assignment)| LaneBest { energy, hard_unsatisfied, assignment })
        .collect();
    let ecu = circuit.ecu_per_step() * u64::from(steps) * LANES as u64;
    Report { digest: digest(&chips.state(), trace, &lanes), trace, lanes, steps, ecu }
}
