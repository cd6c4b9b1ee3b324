//! The reference: both modes written to be read, in 64 bits throughout.

use std::sync::atomic::Ordering;

use super::rules::{Draw, Ended, Rounds, SCAN_INVERSE, Temperature, Tenures, VISIT_WORK, fold};
use super::{Circuit, Parameters};
use crate::rom::{OFFSET_MASK, element_hash, exponential_q12, step_key};
use crate::run::Request;
use crate::simd::LANES;

/// One chip: its spins, the fields on them, its energy.
struct Chip<'a> {
    circuit: &'a Circuit,
    state: Vec<bool>,
    fields: Vec<i64>,
    energy: i64,
    best: Vec<bool>,
    best_energy: i64,
    trace: u64,
    ecu: u64,
}

impl<'a> Chip<'a> {
    fn new(circuit: &'a Circuit, start: &[bool]) -> Self {
        let (fields, energy) = circuit.fields_of(start);
        let state = start.to_vec();
        Self { circuit, best: state.clone(), state, fields, energy, best_energy: energy, trace: 0, ecu: 0 }
    }

    /// By how much, halved, switching lowers the energy: E = ... + s_i f_i, and s_i changes its sign.
    fn gain(&self, spin: usize) -> i64 {
        if self.state[spin] { self.fields[spin] } else { -self.fields[spin] }
    }

    fn switch(&mut self, spin: usize) {
        self.energy -= 2 * self.gain(spin);
        let turn = if self.state[spin] { -2 } else { 2 };
        let fields = &mut self.fields;
        self.circuit.for_row(spin, |j, w| fields[j] += turn * w);
        self.state[spin] = !self.state[spin];
        self.trace = fold(self.trace, spin, self.energy);
        self.ecu += self.circuit.row_work(spin);
    }

    fn keep_if_best(&mut self) {
        if self.energy < self.best_energy {
            self.best_energy = self.energy;
            self.best.copy_from_slice(&self.state);
        }
    }

    fn reached(&self, request: &Request<'_>) -> bool {
        request.stop_at_target
            && request.target.is_some_and(|t| self.circuit.canonical(self.best_energy) <= t)
    }

    fn end(self, steps: u32, is_over: bool) -> Ended {
        Ended {
            state: self.state,
            fields: self.fields,
            best_energy: self.best_energy,
            best: self.best,
            trace: self.trace,
            steps,
            ecu: self.ecu,
            is_over,
        }
    }
}

fn interrupted(request: &Request<'_>) -> bool {
    request.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Mode C.
pub(super) fn tabu(
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    seed: u64,
    start: &[bool],
) -> Ended {
    let n = circuit.spins() as usize;
    let tenures = Tenures::new(circuit, parameters);
    let mut chip = Chip::new(circuit, start);
    let mut rounds = Rounds::new(chip.energy, tenures);
    // A spin may switch at step t iff free_at <= t.
    let mut free_at = vec![0u64; n];
    for step in 0..request.steps {
        if n == 0 || chip.reached(request) || (step % 256 == 0 && interrupted(request)) {
            return chip.end(step, true);
        }
        let draw = Draw::new(seed, step);
        let spin = if rounds.is_kick() {
            draw.spin(n)
        } else {
            let is_free = |i: &usize| free_at[*i] <= u64::from(step);
            let best_of = |candidates: &mut dyn Iterator<Item = usize>| {
                candidates.min_by_key(|&i| (-chip.gain(i), draw.rank(i, circuit.blocks())))
            };
            let free = best_of(&mut (0..n).filter(is_free)).expect("at most half of the spins are tabu");
            // Aspiration: a tabu spin may switch if that gives a new best.
            best_of(&mut (0..n).filter(|i| !is_free(i)))
                .filter(|&i| {
                    chip.energy - 2 * chip.gain(i) < chip.best_energy && chip.gain(i) > chip.gain(free)
                })
                .unwrap_or(free)
        };
        chip.switch(spin);
        chip.ecu += n as u64 / SCAN_INVERSE;
        free_at[spin] = u64::from(step) + 1 + u64::from(tenures.draw(draw));
        chip.keep_if_best();
        rounds.after(chip.energy);
    }
    let is_over = chip.reached(request);
    chip.end(request.steps, is_over)
}

/// Mode D.
pub(super) fn anneal(
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    seed: u64,
    start: &[bool],
) -> Ended {
    let n = circuit.spins() as usize;
    let noise = exponential_q12();
    let mut chip = Chip::new(circuit, start);
    for step in 0..request.steps {
        if chip.reached(request) || interrupted(request) {
            return chip.end(step, true);
        }
        let temperature = Temperature::of(circuit, parameters, step, request.steps);
        let key = step_key(seed, step.into());
        for spin in 0..n {
            let offset = (element_hash(key, (spin / LANES) as u32) & OFFSET_MASK) as usize;
            if -chip.gain(spin) <= temperature.threshold(noise[offset + spin % LANES]) {
                chip.switch(spin);
            }
        }
        chip.ecu += VISIT_WORK * n as u64;
        chip.trace = fold(chip.trace, n, chip.energy);
        chip.keep_if_best();
    }
    let is_over = chip.reached(request);
    chip.end(request.steps, is_over)
}
