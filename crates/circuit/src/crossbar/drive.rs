//! A run, as the scalar reference and the lanes kernels share it: start, sweeps, looks, resampling, exchange, report.

use std::sync::atomic::Ordering;

use super::exchange::Ladder;
use super::population::resample;
use super::schedule::{HOLD, Scale, Thresholds};
use super::{Circuit, Mode, Parameters};
use crate::columns::{assignments, pack_row, rows, spread};
use crate::kick::{Half, kicks};
use crate::rom::{element_hash, mix64, step_key};
use crate::run::{Error, LaneBest, Report, Request, Start, digest};
use crate::simd::LANES;

/// Salts that keep the noise of different purposes apart.
const START_SALT: u64 = 0x6372_6f73_7374_6172;
const LOOK_SALT: u64 = 0x6372_6f73_6c6f_6f6b;

/// 64 chips of a circuit. Bit `l` of a `u64` is lane `l`, set where the spin is +1.
pub(super) trait Lanes {
    /// Sets the spins of a position.
    fn set(&mut self, position: usize, up: u64);
    /// The spins of a position.
    fn get(&self, position: usize) -> u64;
    /// One sweep in canonical order. `energies` (reduced) are kept up to date.
    fn sweep(&mut self, key: u64, thresholds: &Thresholds, energies: &mut [i64; LANES]);
    /// Lane `l` becomes a copy of lane `source[l]`.
    fn permute(&mut self, source: &[u8; LANES]);
    /// Cluster moves (Houdayer 2001) between lanes and their partners, which mirror each other in `partner`,
    /// `moving` and the lanes of `seeds`. From the positions of `seeds` in which the two differ, connected clusters of difference grow
    /// for `passes` passes forwards and backwards in spin order; lanes whose clusters closed flip them. Returns those lanes.
    fn exchange_clusters(
        &mut self,
        partner: &[u8; LANES],
        moving: u64,
        seeds: &[(u32, u64)],
        passes: u32,
    ) -> u64;
    /// The reduced energies, counted anew.
    fn recount(&self) -> [i64; LANES];
}

/// Whether a request can run on a circuit.
pub(super) fn check(circuit: &Circuit, request: &Request<'_>) -> Result<(), Error> {
    if let Start::From { states, kick_per_mille } = request.start {
        if states.is_empty() || states.iter().any(|s| s.len() != circuit.spins()) {
            let value = states.first().map_or(0, |s| s.len() as i64);
            return Err(Error::Parameter {
                name: "start",
                value,
                reason: "it needs states of one value a spin",
            });
        }
        if kick_per_mille > 1000 {
            let value = i64::from(kick_per_mille);
            return Err(Error::Parameter {
                name: "kick_per_mille",
                value,
                reason: "it must be at most 1000",
            });
        }
    }
    Ok(())
}

/// The best that each lane showed at a look.
struct Bests {
    energies: [i64; LANES],
    /// Bits by position.
    spins: Vec<u64>,
}

impl Bests {
    fn look(&mut self, bank: &impl Lanes, energies: &[i64; LANES]) {
        let mut better = 0u64;
        for l in 0..LANES {
            better |= u64::from(energies[l] < self.energies[l]) << l;
            self.energies[l] = self.energies[l].min(energies[l]);
        }
        for (position, best) in self.spins.iter_mut().enumerate() {
            *best = (*best & !better) | (bank.get(position) & better);
        }
    }
}

/// Runs a bank. The arguments have been checked.
pub(super) fn drive(
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    bank: &mut impl Lanes,
) -> Report {
    let n = circuit.spins();
    begin(circuit, request, bank);
    let mut energies = bank.recount();
    let mut bests = Bests { energies: [i64::MAX; LANES], spins: vec![0; n] };
    let scale = Scale::new(circuit.sigma_q16(), parameters);
    let cooling = request.steps.saturating_sub(parameters.quench_sweeps);
    let mut ladder = Ladder::new(&scale);
    let frozen = Thresholds { mantissas: [0; LANES], shift: scale.shift, uniform: true };
    let mut thresholds = frozen.clone();
    // The mantissa at which the population was last in balance.
    let mut balanced = scale.hot;
    let mut trace = 0u64;
    let mut done = 0;
    while done < request.steps {
        if request.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            break;
        }
        let t = done;
        if t >= cooling {
            thresholds.clone_from(&frozen);
        } else {
            match parameters.mode {
                Mode::Anneal if t.is_multiple_of(HOLD) => {
                    let mantissas = [scale.cooling(t, cooling); LANES];
                    thresholds = Thresholds { mantissas, shift: scale.shift, uniform: true };
                }
                Mode::Anneal => {}
                Mode::Exchange => thresholds.clone_from(ladder.thresholds()),
            }
        }
        let key = step_key(request.seed, u64::from(t));
        bank.sweep(key, &thresholds, &mut energies);
        trace = fold(trace, key, &energies, bank, n);
        done += 1;

        let look_key = step_key(request.seed ^ LOOK_SALT, u64::from(t));
        if parameters.mode == Mode::Exchange && done < cooling {
            if done.is_multiple_of(parameters.exchange_period) {
                ladder.exchange(&energies, look_key);
            }
            if parameters.cluster_period > 0 && done.is_multiple_of(parameters.cluster_period) {
                ladder.clusters(parameters, n, look_key, bank);
                energies = bank.recount();
            }
        }
        if done.is_multiple_of(parameters.look_period) || done == request.steps {
            bests.look(bank, &energies);
            if request.stop_at_target
                && request
                    .target
                    .is_some_and(|target| bests.energies.iter().any(|&e| circuit.energy(e) <= target))
            {
                break;
            }
            if parameters.mode == Mode::Anneal && parameters.group_lanes > 1 && done < cooling {
                let next = scale.cooling(done, cooling);
                let source =
                    resample(&energies, &scale, balanced, next, parameters.group_lanes as usize, look_key);
                balanced = next;
                bank.permute(&source);
                energies = source.map(|s| energies[usize::from(s)]);
            }
        }
    }
    if bests.energies[0] == i64::MAX {
        bests.look(bank, &energies);
    }
    report(circuit, bank, &bests, trace, done)
}

/// The step's fold: every lane's energy, which every flip changes, and one row of spins.
fn fold(trace: u64, key: u64, energies: &[i64; LANES], bank: &impl Lanes, n: usize) -> u64 {
    let mut sum = 0u64;
    for (l, &energy) in energies.iter().enumerate() {
        sum = sum.wrapping_add(mix64(energy as u64 ^ (l as u64) << 58));
    }
    if n > 0 {
        let position = (u128::from(mix64(key)) * n as u128) >> 64;
        sum ^= bank.get(position as usize);
    }
    mix64(trace ^ sum)
}

fn begin(circuit: &Circuit, request: &Request<'_>, bank: &mut impl Lanes) {
    let key = step_key(request.seed ^ START_SALT, 0);
    let Start::From { states, kick_per_mille } = request.start else {
        for (position, &spin) in circuit.order.iter().enumerate() {
            bank.set(position, element_hash(key, spin));
        }
        return;
    };
    let lanes = states.iter().cycle().take(LANES).map(Vec::as_slice);
    rows(circuit.spins(), lanes, |spin, row| {
        let mut up = pack_row(row);
        if kick_per_mille > 0 {
            let noise = element_hash(key, spin as u32);
            let words = std::array::from_fn(|lane| noise.wrapping_add(lane as u64));
            let [kicked, drawn] = kicks(&words, Half::Low, kick_per_mille).map(|row| pack_row(&row));
            up = up & !kicked | drawn & kicked;
        }
        bank.set(circuit.by_spin[spin] as usize, up);
    });
}

/// The digest's state is one `u64` a spin, in the problem's order: bit `l` is lane `l`, little endian.
fn report(circuit: &Circuit, bank: &impl Lanes, bests: &Bests, trace: u64, steps: u32) -> Report {
    let n = circuit.spins();
    let mut state = vec![0u8; 8 * n];
    for (word, &position) in state.as_chunks_mut::<8>().0.iter_mut().zip(&circuit.by_spin) {
        *word = bank.get(position as usize).to_le_bytes();
    }
    let assignments = assignments(n, |spin| spread(bests.spins[circuit.by_spin[spin] as usize]));
    let lanes: Vec<LaneBest> = bests
        .energies
        .iter()
        .zip(assignments)
        .map(|(&e, assignment)| LaneBest { energy: circuit.energy(e), hard_unsatisfied: 0, assignment })
        .collect();
    Report {
        digest: digest(&state, trace, &lanes),
        trace,
        lanes,
        steps,
        ecu: u64::from(steps) * LANES as u64 * circuit.ecu_per_step(),
    }
}
