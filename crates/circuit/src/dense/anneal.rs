//! Mode D on vectors: the switches of a block of 64 spins are found at once. A cold chip refuses nearly
//! all, so that a visit costs a fraction of a cycle; where one is accepted, its row is added to all
//! fields and the rest of the block is looked at again, which gives what visiting one by one gives.

use std::sync::atomic::Ordering;

use super::compile::Rows;
use super::rows::{Adder, Matrix};
use super::rules::{Ended, Temperature, VISIT_WORK, fold};
use super::vector::Block;
use super::{Circuit, Parameters};
use crate::rom::{OFFSET_MASK, element_hash, exponential_q12, step_key};
use crate::run::Request;
use crate::simd::{LANES, Level};

/// One chip of a narrow circuit.
pub(super) fn run(
    level: Level,
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    seed: u64,
    start: &[bool],
) -> Ended {
    let padded = circuit.blocks() * LANES;
    let mut chip = Chip {
        circuit,
        parameters,
        request,
        seed,
        doubled: vec![2; padded],
        // Padding that refuses every switch.
        fields: vec![-(1 << 30); padded],
        energy: circuit.up_energy,
        best_energy: 0,
        best: start.to_vec(),
        trace: 0,
        steps: request.steps,
        ecu: 0,
        is_over: false,
    };
    crate::dispatch!(level, search(chip: &mut Chip<'_>, start: &[bool]), &mut chip, start);
    Ended {
        state: chip.doubled[..start.len()].iter().map(|&d| d > 0).collect(),
        fields: chip.fields[..start.len()].iter().map(|&f| f.into()).collect(),
        best_energy: chip.best_energy,
        best: chip.best,
        trace: chip.trace,
        steps: chip.steps,
        ecu: chip.ecu,
        is_over: chip.is_over,
    }
}

#[inline(always)]
fn search<S: Block>(chip: &mut Chip<'_>, start: &[bool]) {
    let circuit = chip.circuit;
    match &*circuit.rows {
        Rows::I8(matrix) => chip.search::<S, _>(start, &Matrix::<i8>(matrix)),
        Rows::I16(matrix) => chip.search::<S, _>(start, &Matrix::<i16>(matrix)),
        Rows::I32(matrix) => chip.search::<S, _>(start, &Matrix::<i32>(matrix)),
        Rows::List(lists) => chip.search::<S, _>(start, lists),
        Rows::WideList(_) => unreachable!("wide circuits run on the scalar reference"),
    }
}

struct Chip<'a> {
    circuit: &'a Circuit,
    parameters: &'a Parameters,
    request: &'a Request<'a>,
    seed: u64,
    /// +2 or -2 for each spin, padded to whole blocks.
    doubled: Vec<i16>,
    fields: Vec<i32>,
    energy: i64,
    best_energy: i64,
    best: Vec<bool>,
    trace: u64,
    steps: u32,
    ecu: u64,
    is_over: bool,
}

impl Chip<'_> {
    #[inline(always)]
    fn search<S: Block, A: Adder<S>>(&mut self, start: &[bool], rows: &A) {
        let n = start.len();
        for (field, &up) in self.fields.iter_mut().zip(self.circuit.up_fields.iter()) {
            *field = up as i32;
        }
        for spin in (0..n).filter(|&i| !start[i]) {
            self.switch(spin, rows);
        }
        // What it took to set the start is no work of the chip's.
        (self.trace, self.ecu, self.best_energy) = (0, 0, self.energy);
        let noise = exponential_q12();
        for step in 0..self.request.steps {
            if self.reached() || self.request.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                (self.steps, self.is_over) = (step, true);
                break;
            }
            let temperature = Temperature::of(self.circuit, self.parameters, step, self.request.steps);
            // Narrow circuits are not that hot; see the bound on their sums.
            let shift = temperature.shift.max(1);
            let key = step_key(self.seed, step.into());
            for block in 0..self.circuit.blocks() {
                let offset = (element_hash(key, block as u32) & OFFSET_MASK) as usize;
                let first = block * LANES;
                let mut ahead = u64::MAX;
                loop {
                    assert!(first + LANES <= self.fields.len() && first + LANES <= self.doubled.len());
                    // SAFETY: 64 fields and spins from here, and a table with 64 entries behind its last offset.
                    let accepted = unsafe {
                        S::accept(
                            self.fields.as_ptr().add(first),
                            self.doubled.as_ptr().add(first),
                            noise.as_ptr().add(offset),
                            temperature.mantissa as i32,
                            shift,
                        )
                    } & ahead;
                    if accepted == 0 {
                        break;
                    }
                    let place = accepted.trailing_zeros();
                    self.switch(first + place as usize, rows);
                    ahead = u64::MAX << place << 1;
                }
            }
            self.ecu += VISIT_WORK * n as u64;
            self.trace = fold(self.trace, n, self.energy);
            if self.energy < self.best_energy {
                self.best_energy = self.energy;
                for (value, &doubled) in self.best.iter_mut().zip(&self.doubled) {
                    *value = doubled > 0;
                }
            }
        }
        self.is_over |= self.reached();
    }

    #[inline(always)]
    fn switch<S: Block, A: Adder<S>>(&mut self, spin: usize, rows: &A) {
        let sign = self.doubled[spin] >> 1;
        self.energy -= 2 * i64::from(sign) * i64::from(self.fields[spin]);
        rows.add(spin, -self.doubled[spin], &mut self.fields);
        self.doubled[spin] = -self.doubled[spin];
        self.trace = fold(self.trace, spin, self.energy);
        self.ecu += self.circuit.row_work(spin);
    }

    fn reached(&self) -> bool {
        self.request.stop_at_target
            && self.request.target.is_some_and(|t| self.circuit.canonical(self.best_energy) <= t)
    }
}
