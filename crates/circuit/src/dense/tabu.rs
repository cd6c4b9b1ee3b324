//! Mode C on vectors.
//!
//! Three things make a step cheap. Gains carry the spin's own sign, so that the best switch is their
//! maximum. A tabu spin's gain is lowered by [`BIAS`], more than any gain, so that the maximum passes
//! it by without a mask, while updates keep it exact. And for a matrix, adding the row and finding the
//! maximum for the next step is one pass over the gains.

use std::sync::atomic::Ordering;

use super::compile::Rows;
use super::rows::{Adder, Matrix, scan};
use super::rules::{Draw, Ended, Rounds, SCAN_INVERSE, Tenures, fold};
use super::vector::Block;
use super::{Circuit, Parameters};
use crate::run::Request;
use crate::simd::{LANES, Level};

/// What a tabu spin's gain is lowered by; four times any sum of a narrow circuit, twice over.
const BIAS: i32 = 1 << 29;
/// Below every gain of a free spin, above every gain of a tabu one.
const FREE_MIN: i32 = -(1 << 28);

/// One chip of a narrow circuit with at least one spin.
pub(super) fn run(
    level: Level,
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    seed: u64,
    start: &[bool],
) -> Ended {
    let mut chip = Chip::new(circuit, parameters, request, seed, start);
    crate::dispatch!(level, search(chip: &mut Chip<'_>), &mut chip);
    chip.end()
}

#[inline(always)]
fn search<S: Block>(chip: &mut Chip<'_>) {
    let circuit = chip.circuit;
    match &*circuit.rows {
        Rows::I8(matrix) => chip.search::<S, _>(&Matrix::<i8>(matrix)),
        Rows::I16(matrix) => chip.search::<S, _>(&Matrix::<i16>(matrix)),
        Rows::I32(matrix) => chip.search::<S, _>(&Matrix::<i32>(matrix)),
        Rows::List(lists) => chip.search::<S, _>(lists),
        Rows::WideList(_) => unreachable!("wide circuits run on the scalar reference"),
    }
}

struct Chip<'a> {
    circuit: &'a Circuit,
    request: &'a Request<'a>,
    tenures: Tenures,
    seed: u64,
    start: &'a [bool],
    /// +2 or -2 for each spin, padded to whole blocks.
    doubled: Vec<i16>,
    /// The spin times its field, less [`BIAS`] if tabu; the padding far below.
    gains: Vec<i32>,
    /// The last step at which a spin is tabu.
    tabu_until: Vec<u32>,
    /// The tabu spins, in any order.
    tabu: Vec<u32>,
    energy: i64,
    best_energy: i64,
    best: Vec<bool>,
    trace: u64,
    steps: u32,
    ecu: u64,
    is_over: bool,
}

impl<'a> Chip<'a> {
    fn new(
        circuit: &'a Circuit,
        parameters: &Parameters,
        request: &'a Request<'a>,
        seed: u64,
        start: &'a [bool],
    ) -> Self {
        let padded = circuit.blocks() * LANES;
        Self {
            circuit,
            request,
            tenures: Tenures::new(circuit, parameters),
            seed,
            start,
            doubled: vec![2; padded],
            gains: vec![0; padded],
            tabu_until: vec![0; start.len()],
            tabu: Vec::new(),
            energy: circuit.up_energy,
            best_energy: 0,
            best: start.to_vec(),
            trace: 0,
            steps: request.steps,
            ecu: 0,
            is_over: false,
        }
    }

    /// Sets spins, gains and energy to the start: all spins up, then one after the other goes down.
    #[inline(always)]
    fn begin<S: Block, A: Adder<S>>(&mut self, rows: &A) {
        let n = self.start.len();
        for (gain, &field) in self.gains.iter_mut().zip(self.circuit.up_fields.iter()) {
            *gain = field as i32;
        }
        for spin in (0..n).filter(|&i| !self.start[i]) {
            self.doubled[spin] = -2;
            self.energy -= 2 * i64::from(self.gains[spin]);
            rows.add(spin, -2, &mut self.gains);
        }
        for spin in 0..n {
            if self.doubled[spin] < 0 {
                self.gains[spin] = -self.gains[spin];
            }
        }
        self.gains[n..].fill(2 * FREE_MIN);
        self.best_energy = self.energy;
    }

    #[inline(always)]
    fn search<S: Block, A: Adder<S>>(&mut self, rows: &A) {
        self.begin(rows);
        let n = self.start.len();
        let mut rounds = Rounds::new(self.energy, self.tenures);
        let mut maxima = vec![S::least(); self.gains.len() / LANES];
        let mut greatest = scan::<S>(&self.gains, &mut maxima);
        // Whether the present state is the best and `best` does not have it yet.
        let mut is_unsaved = false;
        for step in 0..self.request.steps {
            if self.reached() || (step % 256 == 0 && self.interrupted()) {
                (self.steps, self.is_over) = (step, true);
                break;
            }
            let draw = Draw::new(self.seed, step);
            let spin = if rounds.is_kick() {
                draw.spin(n)
            } else if let Some(aspirant) = self.aspirant(greatest, draw) {
                aspirant
            } else {
                self.first_of::<S>(&maxima, greatest, draw)
            };

            let is_tabu = self.gains[spin] < FREE_MIN;
            let gain = self.gains[spin] + if is_tabu { BIAS } else { 0 };
            if is_unsaved && gain <= 0 {
                self.save();
                is_unsaved = false;
            }
            self.energy -= 2 * i64::from(gain);
            self.trace = fold(self.trace, spin, self.energy);
            if self.energy < self.best_energy {
                self.best_energy = self.energy;
                is_unsaved = true;
            }
            rounds.after(self.energy);

            let tenure = self.tenures.draw(draw);
            // One that was tabu and draws no tenure is released at once, below.
            let bias = if tenure > 0 || is_tabu { BIAS } else { 0 };
            self.gains[spin] = -gain - bias;
            self.tabu_until[spin] = step + tenure;
            if tenure > 0 && !is_tabu {
                self.tabu.push(spin as u32);
            }
            self.release(step);

            let sign = self.doubled[spin] >> 1;
            self.doubled[spin] = -self.doubled[spin];
            // The row holds nothing for the spin itself.
            greatest = rows.turn(spin, sign, &self.doubled, &mut self.gains, &mut maxima);
            self.ecu += self.circuit.row_work(spin) + n as u64 / SCAN_INVERSE;
        }
        if is_unsaved {
            self.save();
        }
        self.is_over |= self.reached();
    }

    /// Lifts the tabus that end with `step`.
    #[inline(always)]
    fn release(&mut self, step: u32) {
        let mut k = 0;
        while k < self.tabu.len() {
            let spin = self.tabu[k] as usize;
            if self.tabu_until[spin] <= step {
                self.gains[spin] += BIAS;
                self.tabu.swap_remove(k);
            } else {
                k += 1;
            }
        }
    }

    /// The tabu spin to switch after all, because that gives a new best and more than any free spin.
    #[inline(always)]
    fn aspirant(&self, greatest: i32, draw: Draw) -> Option<usize> {
        let mut most = i32::MIN;
        for &spin in &self.tabu {
            most = most.max(self.gains[spin as usize]);
        }
        // Biased by less than the least integer: cannot wrap.
        let gain = most.saturating_add(BIAS);
        if gain <= greatest || self.energy - 2 * i64::from(gain) >= self.best_energy {
            return None;
        }
        let blocks = self.circuit.blocks();
        let equals = self.tabu.iter().map(|&s| s as usize).filter(|&s| self.gains[s] == most);
        equals.min_by_key(|&s| draw.rank(s, blocks))
    }

    /// Of the spins with the greatest gain, the first in the step's order.
    #[inline(always)]
    fn first_of<S: Block>(&self, maxima: &[S::Maxima], greatest: i32, draw: Draw) -> usize {
        // Loops, not iterators: closures would not have the instruction set of the kernel.
        let from = draw.block(maxima.len());
        let mut block = from;
        while !S::contains(maxima[block], greatest) {
            block = if block + 1 == maxima.len() { 0 } else { block + 1 };
            debug_assert!(block != from, "the greatest of the maxima is one of them");
        }
        let first = block * LANES;
        assert!(first + LANES <= self.gains.len());
        // SAFETY: 64 gains from here.
        let equal = unsafe { S::equal(self.gains.as_ptr().add(first), greatest) };
        let rotation = draw.rotation();
        first + ((equal.rotate_right(rotation).trailing_zeros() + rotation) as usize) % LANES
    }

    fn save(&mut self) {
        for (value, &doubled) in self.best.iter_mut().zip(&self.doubled) {
            *value = doubled > 0;
        }
    }

    #[inline(always)]
    fn reached(&self) -> bool {
        self.request.stop_at_target
            && self.request.target.is_some_and(|t| self.circuit.canonical(self.best_energy) <= t)
    }

    fn interrupted(&self) -> bool {
        self.request.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    fn end(self) -> Ended {
        let state: Vec<bool> = self.doubled[..self.start.len()].iter().map(|&d| d > 0).collect();
        let fields = state.iter().zip(&self.gains).map(|(&up, &gain)| {
            let gain = i64::from(if gain < FREE_MIN { gain + BIAS } else { gain });
            if up { gain } else { -gain }
        });
        Ended {
            fields: fields.collect(),
            state,
            best_energy: self.best_energy,
            best: self.best,
            trace: self.trace,
            steps: self.steps,
            ecu: self.ecu,
            is_over: self.is_over,
        }
    }
}
