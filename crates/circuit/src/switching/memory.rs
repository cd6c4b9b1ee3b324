//! Kernel W: each chip has a weight a clause, a memristor that rises while its clause is unsatisfied.

use hysteron_problem::Literal;

use crate::columns::spread;
use crate::dispatch;
use crate::literals::{all_false, of_width};
use crate::rom::{OFFSET_MASK, element_hash};
use crate::run::{LaneBest, Request};
use crate::simd::{LANES, Level as Instructions, Simd};

use super::bank::{self, BestBytes, ROW, Rows};
use super::bytes::{flush_unsigned, unsatisfied};
use super::drive::Machine;
use super::tables::{Level, Table, chances, uniform_bytes};
use super::{Circuit, Parameters};

/// What the weights follow.
struct Learning {
    floor: u8,
    cap: u8,
    gain: Box<Table>,
    loss: Box<Table>,
}

/// A bank of kernel W.
pub(super) struct MemoryLanes<'a> {
    circuit: &'a Circuit,
    instructions: Instructions,
    learning: Learning,
    rows: Rows,
    /// One row a clause.
    weights: Rows,
    energies: [i64; LANES],
    /// Whether the energies are those of states that chips no longer have.
    is_stale: bool,
    best: BestBytes,
    solved: u64,
}

impl<'a> MemoryLanes<'a> {
    pub fn new(
        circuit: &'a Circuit,
        instructions: Instructions,
        parameters: &Parameters,
        request: &Request<'_>,
    ) -> Self {
        let mut lanes = Self {
            circuit,
            instructions,
            learning: Learning {
                floor: parameters.weight_floor,
                cap: parameters.weight_cap,
                gain: chances(parameters.gain),
                loss: chances(parameters.loss),
            },
            rows: bank::byte_rows(circuit, request),
            weights: Rows::new(circuit.clauses(), parameters.weight_floor),
            energies: [0; LANES],
            is_stale: false,
            best: BestBytes::new(circuit),
            solved: 0,
        };
        lanes.recount();
        lanes
    }
    fn recount(&mut self) {
        self.energies = dispatch!(
            self.instructions,
            unsatisfied(circuit: &Circuit, rows: &Rows) -> [i64; LANES],
            self.circuit,
            &self.rows
        );
    }
    fn renew_lanes(&mut self, key: u64, lanes: u64) {
        bank::randomise_bytes(&mut self.rows, self.circuit.variables, key, lanes);
        let mask = spread(lanes);
        for clause in 0..self.weights.len() {
            let row = self.weights.row_mut(clause);
            for lane in 0..LANES {
                row[lane] = self.learning.floor & mask[lane] | row[lane] & !mask[lane];
            }
        }
        // The next sweep counts them anyway.
        self.is_stale = true;
    }
}

impl Machine for MemoryLanes<'_> {
    const CHIPS: u64 = LANES as u64;

    fn restart(&mut self, key: u64) {
        self.renew_lanes(key, u64::MAX);
    }

    fn sweep(&mut self, level: Level, key: u64) -> [u8; ROW] {
        let fold = dispatch!(
            self.instructions,
            sweep(circuit: &Circuit, rows: &mut Rows, weights: &Rows, thresholds: &Table, key: u64) -> [u8; ROW],
            self.circuit,
            &mut self.rows,
            &self.weights,
            level.thresholds(),
            key,
        );
        self.energies = dispatch!(
            self.instructions,
            learn(circuit: &Circuit, rows: &Rows, weights: &mut Rows, learning: &Learning, key: u64) -> [i64; LANES],
            self.circuit,
            &self.rows,
            &mut self.weights,
            &self.learning,
            key,
        );
        self.is_stale = false;
        fold
    }

    fn look(&mut self, _: u32, record: bool, goal: i64) -> bool {
        if std::mem::take(&mut self.is_stale) {
            self.recount();
        }
        self.solved = (0..LANES).fold(0, |mask, lane| mask | u64::from(self.energies[lane] <= goal) << lane);
        if record || self.solved != 0 {
            self.best.note(&self.rows, &self.energies);
        }
        self.solved != 0
    }

    fn renew(&mut self, key: u64) {
        self.renew_lanes(key, self.solved);
    }

    // Chips with a memory are not copied.
    fn resample(&mut self, _: u64, _: u64) {}

    fn finish(self) -> (Vec<u8>, Vec<LaneBest>) {
        let mut state = bank::packed_state(&self.rows, self.circuit.variables);
        for clause in 0..self.weights.len() {
            state.extend_from_slice(self.weights.row(clause));
        }
        (state, self.best.into_lanes())
    }
}

/// One sweep over the variables: costs are sums of weights.
#[inline(always)]
fn sweep<S: Simd>(
    circuit: &Circuit,
    rows: &mut Rows,
    weights: &Rows,
    thresholds: &Table,
    key: u64,
) -> [u8; ROW] {
    let coefficients = uniform_bytes();
    let rows = rows.as_mut_ptr();
    let weights = weights.as_ptr();
    let mut others = circuit.others.as_ptr();
    let mut clauses = circuit.occurrence_clauses.as_ptr();
    let mut groups = circuit.groups.iter();
    let mut group_at = 0;
    let mut fold = S::splat8(0);
    for element in &circuit.elements {
        let hash = element_hash(key, element.variable);
        // SAFETY: offsets are below ROM_LENGTH, tables have 64 entries more.
        let (threshold, coefficient) = unsafe {
            (
                S::load8(thresholds.as_ptr().add((hash & OFFSET_MASK) as usize)),
                S::load8(coefficients.as_ptr().add((hash >> 13 & OFFSET_MASK) as usize)),
            )
        };
        let count = (element.groups_end - group_at) as usize;
        group_at = element.groups_end;
        let (mut positive, mut negative) = (S::splat8(0), S::splat8(0));
        for group in groups.by_ref().take(count) {
            // SAFETY: a group's literals and clauses follow those of the group before.
            let sum = unsafe {
                of_width!(group.others, width =>
                    weigh::<S>(rows, weights, &mut others, &mut clauses, width, group.count))
            };
            let is_negative = S::splat8(0u8.wrapping_sub(group.negative.into()));
            positive = S::adds_u8(positive, S::and_not(is_negative, sum));
            negative = S::adds_u8(negative, S::and(is_negative, sum));
        }
        // SAFETY: there are two rows a variable.
        unsafe {
            let at = rows.add(2 * element.variable as usize * ROW);
            let (is_false, is_true) = (S::load8(at), S::load8(at.add(ROW)));
            let breaks = S::select(is_true, positive, negative);
            let makes = S::select(is_true, negative, positive);
            let cost = S::subs_u8(breaks, makes);
            let switches = S::eq8(S::subs_u8(cost, threshold), S::splat8(0));
            let is_true_now = S::xor(is_true, switches);
            S::store8(at, S::xor(is_false, switches));
            S::store8(at.add(ROW), is_true_now);
            fold = S::xor(fold, S::and(is_true_now, coefficient));
        }
    }
    let mut out = [0; ROW];
    // SAFETY: 64 bytes.
    unsafe { S::store8(out.as_mut_ptr(), fold) };
    out
}

/// The weights, saturating at 255, of those of the next `count` occurrences whose `width` other
/// literals are all false.
///
/// # Safety
/// `others` and `clauses` must point at the literals and clauses of these occurrences, and be of the
/// circuit of `rows` and `weights`.
#[inline(always)]
unsafe fn weigh<S: Simd>(
    rows: *const u8,
    weights: *const u8,
    others: &mut *const Literal,
    clauses: &mut *const u32,
    width: usize,
    count: u32,
) -> S::R8 {
    let mut sum = S::splat8(0);
    for _ in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            let weight = S::load8(weights.add(**clauses as usize * ROW));
            sum = S::adds_u8(sum, S::and(weight, all_false::<S>(rows, *others, width)));
            *clauses = clauses.add(1);
            *others = others.add(width);
        }
    }
    sum
}

/// One pass over the clauses: unsatisfied ones may gain weight, satisfied ones may lose it. Returns
/// the energies.
#[inline(always)]
fn learn<S: Simd>(
    circuit: &Circuit,
    rows: &Rows,
    weights: &mut Rows,
    learning: &Learning,
    key: u64,
) -> [i64; LANES] {
    let mut totals = [i64::from(circuit.empty); LANES];
    let mut clauses = circuit.by_length.clauses.as_ptr();
    let mut literals = circuit.by_length.literals.as_ptr();
    let weights = weights.as_mut_ptr();
    for run in &circuit.by_length.runs {
        // SAFETY: the literals are of the circuit that the rows were made for, there is one weight row a clause, and a run's
        // clauses follow those of the run before.
        let failed = unsafe {
            of_width!(run.length, width => learn_run::<S>(
                rows.as_ptr(), weights, &mut clauses, &mut literals, width, run.count, learning, key))
        };
        flush_unsigned::<S>(&mut totals, failed);
    }
    totals
}

/// [`learn`] of the next `count` clauses, at most [`COUNT_MAX`](crate::literals::COUNT_MAX), of `width` literals. Returns how many are unsatisfied.
///
/// # Safety
/// `clauses` and `literals` must point at these clauses, which are of the circuit of `rows` and `weights`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one loop's state")]
unsafe fn learn_run<S: Simd>(
    rows: *const u8,
    weights: *mut u8,
    clauses: &mut *const u32,
    literals: &mut *const Literal,
    width: usize,
    count: u32,
    learning: &Learning,
    key: u64,
) -> S::R8 {
    let (floor, cap, one) = (S::splat8(learning.floor), S::splat8(learning.cap), S::splat8(1));
    let mut sum = S::splat8(0);
    for _ in 0..count {
        // SAFETY: the caller's promise; offsets are below ROM_LENGTH.
        unsafe {
            let clause = **clauses;
            let hash = element_hash(!key, clause);
            let failed = all_false::<S>(rows, *literals, width);
            let gain = S::load8(learning.gain.as_ptr().add((hash & OFFSET_MASK) as usize));
            let loss = S::load8(learning.loss.as_ptr().add((hash >> 13 & OFFSET_MASK) as usize));
            let at = weights.add(clause as usize * ROW);
            let weight = S::load8(at);
            let risen = S::min_u8(S::adds_u8(weight, S::and(S::and(failed, gain), one)), cap);
            let fallen = S::subs_u8(risen, S::and(S::and_not(failed, loss), one));
            S::store8(at, S::max_u8(fallen, floor));
            sum = S::sub8(sum, failed);
            *clauses = clauses.add(1);
            *literals = literals.add(width);
        }
    }
    sum
}
