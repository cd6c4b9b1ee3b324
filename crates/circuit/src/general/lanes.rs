//! 64 chips at once: every row has one byte a lane, 0xff where a literal is false.

use hysteron_problem::{ClauseList, Literal};

use crate::columns::{assignments, columns, rows, spread};
use crate::literals::{COUNT_MAX, all_false, count_false, of_width};
use crate::rom;
use crate::simd::{LANES, Level, Simd};

use super::Circuit;
use super::parameters::Sweep;
use super::run::Chips;

/// 64 lanes of 8 bits, a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Row([u8; LANES]);

/// 64 chips.
pub(super) struct Bank {
    level: Level,
    /// Per literal code, where it is false.
    falses: Vec<Row>,
    /// Per hard clause, its memories.
    memory: Vec<Row>,
    /// Per variable, where it is false in the best of each lane.
    best: Vec<Row>,
    folds: Vec<u8>,
}

impl Bank {
    /// Chips with these values.
    pub fn new(circuit: &Circuit, level: Level, starts: &[Vec<bool>]) -> Self {
        let variables = circuit.variables as usize;
        let mut falses = vec![Row([0; LANES]); 2 * variables];
        rows(variables, starts.iter().map(Vec::as_slice), |variable, row| {
            falses[2 * variable] = Row(row.map(|value| value.wrapping_sub(1)));
            falses[2 * variable + 1] = Row(row.map(|value| value.wrapping_neg()));
        });
        Self {
            level,
            falses,
            memory: vec![Row([1; LANES]); circuit.hard.len()],
            best: vec![Row([0; LANES]); circuit.variables as usize],
            folds: (0..circuit.variables).map(Circuit::fold).collect(),
        }
    }
}

/// A sweep of all variables, then of all hard clauses' memories. Returns the folded state.
#[inline(always)]
fn sweep_with<S: Simd>(bank: &mut Bank, circuit: &Circuit, sweep: &Sweep) -> [u8; LANES] {
    let falses = bank.falses.as_mut_ptr().cast::<u8>();
    let memory = bank.memory.as_mut_ptr().cast::<u8>();
    let noise = rom::exponential_q12();
    // Literal codes are below 2 variables, hard numbers below the number of hard clauses: both index whole
    // rows. The table of noise is 64 longer than any offset.
    let load = |code: u32| {
        // SAFETY: see above.
        unsafe { S::load8(falses.add(code as usize * LANES)) }
    };
    let ones = S::splat8(0xff);
    let mut others = circuit.others.as_ptr();
    let mut values = circuit.values.as_ptr();
    let mut groups = circuit.groups.iter();
    let mut group_at = 0;
    for element in &circuit.elements {
        let mut hard = S::splat16(0);
        let mut count = S::splat16(0);
        let mut soft = S::splat32(0);
        let groups_here = (element.groups_end - group_at) as usize;
        group_at = element.groups_end;
        for group in groups.by_ref().take(groups_here) {
            let n = group.count;
            // SAFETY: a group's literals and values follow those of the group before.
            unsafe {
                if group.is_hard {
                    let sum = of_width!(group.others, width =>
                        memories::<S>(falses, memory, &mut others, &mut values, width, n));
                    hard = if group.negative { S::sub16(hard, sum) } else { S::add16(hard, sum) };
                } else if circuit.uniform.is_some() {
                    let sum = of_width!(group.others, width => counts::<S>(falses, &mut others, width, n));
                    values = values.add(n as usize);
                    count = if group.negative { S::sub16(count, sum) } else { S::add16(count, sum) };
                } else {
                    soft = of_width!(group.others, width =>
                        weights::<S>(falses, &mut others, &mut values, width, n, soft));
                }
            }
        }
        if let Some(weight) = circuit.uniform {
            soft = S::mul32(S::widen_i16(count), S::splat32(weight));
        }
        let balance = S::add32(soft, S::mul32(S::widen_i16(hard), S::splat32(sweep.penalty)));
        // What being true is worth is lost by a true variable and won by a false one.
        let variable = element.variable;
        let negated = load(2 * variable);
        let sign = S::widen_i16(S::widen_i8(negated));
        let cost = S::sub32(S::xor32(balance, sign), sign);
        let offset = (rom::element_hash(sweep.key, variable) & rom::OFFSET_MASK) as usize;
        // SAFETY: see above.
        let exponential = unsafe { S::load16(noise.as_ptr().add(offset)) };
        let threshold =
            S::shr_u32(S::mul32(S::widen_u16(exponential), S::splat32(sweep.mantissa)), sweep.shift);
        let stays = S::narrow_i16(S::narrow_i32(S::gt_i32(cost, threshold)));
        let switches = S::xor(stays, ones);
        // SAFETY: see above.
        unsafe {
            S::store8(falses.add(2 * variable as usize * LANES), S::xor(negated, switches));
            let positive = S::xor(load(2 * variable + 1), switches);
            S::store8(falses.add((2 * variable as usize + 1) * LANES), positive);
        }
    }
    let mut clauses = circuit.hard_by_length.clauses.as_ptr();
    let mut literals = circuit.hard_by_length.literals.as_ptr();
    for run in &circuit.hard_by_length.runs {
        // SAFETY: a run's clauses follow those of the run before.
        unsafe {
            of_width!(run.length, width =>
                remember::<S>(falses, memory, &mut clauses, &mut literals, width, run.count, sweep));
        }
    }
    let mut fold = S::splat8(0);
    for (variable, &factor) in bank.folds.iter().enumerate() {
        fold = S::add8(fold, S::and(load(2 * variable as u32), S::splat8(factor)));
    }
    let mut out = [0; LANES];
    // SAFETY: 64 bytes.
    unsafe { S::store8(out.as_mut_ptr(), fold) };
    out
}

/// The memories of those of the next `count` occurrences whose `width` other literals are all false, in 16 bits.
///
/// # Safety
/// `others` and `values` must point at the literals and hard clauses of these occurrences, and be of the circuit of the rows.
#[inline(always)]
unsafe fn memories<S: Simd>(
    falses: *const u8,
    memory: *const u8,
    others: &mut *const Literal,
    values: &mut *const i32,
    width: usize,
    count: u32,
) -> S::R16 {
    let mut sum = S::splat16(0);
    // Memories are at most 100: two fit in a byte.
    let mut left = count;
    while left > 1 {
        // SAFETY: the caller's promise.
        let (a, b) = unsafe {
            (
                memory_where::<S>(falses, memory, others, values, width),
                memory_where::<S>(falses, memory, others, values, width),
            )
        };
        sum = S::add16(sum, S::widen_u8(S::add8(a, b)));
        left -= 2;
    }
    if left == 1 {
        // SAFETY: as above.
        sum = S::add16(sum, S::widen_u8(unsafe { memory_where::<S>(falses, memory, others, values, width) }));
    }
    sum
}

/// The memory of the next occurrence where its other literals are all false, else 0.
///
/// # Safety
/// As [`memories`].
#[inline(always)]
unsafe fn memory_where<S: Simd>(
    falses: *const u8,
    memory: *const u8,
    others: &mut *const Literal,
    values: &mut *const i32,
    width: usize,
) -> S::R8 {
    // SAFETY: the caller's promise.
    unsafe {
        let row = S::load8(memory.add(**values as usize * LANES));
        let critical = all_false::<S>(falses, *others, width);
        *values = values.add(1);
        *others = others.add(width);
        S::and(row, critical)
    }
}

/// The memories of the next `count` hard clauses, of `width` literals: up where one is unsatisfied, down where it is forgotten.
///
/// # Safety
/// `clauses` and `literals` must point at these clauses, and be of the circuit of the rows.
#[inline(always)]
unsafe fn remember<S: Simd>(
    falses: *const u8,
    memory: *mut u8,
    clauses: &mut *const u32,
    literals: &mut *const Literal,
    width: usize,
    count: u32,
    sweep: &Sweep,
) {
    let (one, cap) = (S::splat8(1), S::splat8(sweep.memory_cap));
    for _ in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            let clause = **clauses as usize;
            let unsatisfied = all_false::<S>(falses, *literals, width);
            let loss = if sweep.forgets(clause) { one } else { S::splat8(0) };
            let at = memory.add(clause * LANES);
            let row = S::load8(at);
            let row = S::adds_u8(row, S::and(unsatisfied, one));
            let row = S::subs_u8(row, S::and_not(unsatisfied, loss));
            S::store8(at, S::max_u8(S::min_u8(row, cap), one));
            *clauses = clauses.add(1);
            *literals = literals.add(width);
        }
    }
}

/// How many of the next `count` occurrences have `width` other literals that are all false.
///
/// # Safety
/// `others` must point at the literals of these occurrences, and be of the circuit of the rows.
#[inline(always)]
unsafe fn counts<S: Simd>(
    falses: *const u8,
    others: &mut *const Literal,
    width: usize,
    count: u32,
) -> S::R16 {
    let mut sum = S::splat16(0);
    let mut left = count;
    while left > 0 {
        let part = left.min(COUNT_MAX);
        left -= part;
        // SAFETY: the caller's promise.
        let bytes = unsafe { count_false::<S>(falses, others, width, part) };
        sum = S::add16(sum, S::widen_u8(bytes));
    }
    sum
}

/// `sum` and the signed weights of those of the next `count` occurrences whose `width` other literals are all false.
///
/// # Safety
/// As [`memories`], with weights for hard clauses.
#[inline(always)]
unsafe fn weights<S: Simd>(
    falses: *const u8,
    others: &mut *const Literal,
    values: &mut *const i32,
    width: usize,
    count: u32,
    mut sum: S::R32,
) -> S::R32 {
    for _ in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            sum = S::add32_where(sum, all_false::<S>(falses, *others, width), **values);
            *values = values.add(1);
            *others = others.add(width);
        }
    }
    sum
}

/// Where a clause is unsatisfied.
#[inline(always)]
fn unsatisfied<S: Simd>(bank: &Bank, literals: &[Literal]) -> S::R8 {
    // SAFETY: a literal of the circuit is a row of the bank.
    unsafe { all_false::<S>(bank.falses.as_ptr().cast(), literals.as_ptr(), literals.len()) }
}

/// In each lane the unsatisfied clauses.
#[inline(always)]
fn count_clauses<S: Simd>(bank: &Bank, clauses: &ClauseList) -> [u32; LANES] {
    let mut counts = [0; LANES];
    let mut clauses = clauses.iter();
    while clauses.len() > 0 {
        let mut sum = S::splat8(0);
        for literals in clauses.by_ref().take(COUNT_MAX as usize) {
            sum = S::sub8(sum, unsatisfied::<S>(bank, literals));
        }
        let mut bytes = [0u8; LANES];
        // SAFETY: 64 bytes.
        unsafe { S::store8(bytes.as_mut_ptr(), sum) };
        counts.iter_mut().zip(bytes).for_each(|(count, byte)| *count += u32::from(byte));
    }
    counts
}

/// Unsatisfied hard clauses, and the weight of unsatisfied soft ones.
#[inline(always)]
fn count_with<S: Simd>(bank: &Bank, circuit: &Circuit) -> ([u32; LANES], [i64; LANES]) {
    let hard = count_clauses::<S>(bank, &circuit.hard);
    let first = circuit.weights.first().copied().unwrap_or(0);
    if circuit.weights.iter().all(|&w| w == first) {
        let counts = count_clauses::<S>(bank, &circuit.soft);
        return (hard, counts.map(|count| first * i64::from(count)));
    }
    let mut weights = [0i64; LANES];
    // Weights are summed in 32 bits as long as they fit, and those that never do one by one.
    let (mut sum, mut most) = (S::splat32(0), 0);
    let mut flush = |sum: S::R32| {
        let mut values = [0i32; LANES];
        // SAFETY: 64 values.
        unsafe { S::store32(values.as_mut_ptr(), sum) };
        weights.iter_mut().zip(values).for_each(|(all, value)| *all += i64::from(value));
    };
    let mut large = [0i64; LANES];
    for (literals, &weight) in circuit.soft.iter().zip(&circuit.weights) {
        let row = unsatisfied::<S>(bank, literals);
        let Ok(narrow) = i32::try_from(weight) else {
            let lanes = S::bits8(row);
            for (lane, all) in large.iter_mut().enumerate() {
                *all += weight & ((lanes >> lane & 1) as i64).wrapping_neg();
            }
            continue;
        };
        if most + weight > i64::from(i32::MAX) {
            flush(sum);
            (sum, most) = (S::splat32(0), 0);
        }
        most += weight;
        sum = S::add32(sum, S::and32(S::widen_i16(S::widen_i8(row)), S::splat32(narrow)));
    }
    flush(sum);
    (hard, std::array::from_fn(|lane| weights[lane] + large[lane]))
}

/// Some lanes become their best.
#[inline(always)]
fn keep_with<S: Simd>(bank: &mut Bank, lanes: &[u8; LANES]) {
    // SAFETY: rows are 64 bytes.
    unsafe {
        let lanes = S::load8(lanes.as_ptr());
        for (best, pair) in bank.best.iter_mut().zip(bank.falses.chunks_exact(2)) {
            let row = S::select(lanes, S::load8(pair[0].0.as_ptr()), S::load8(best.0.as_ptr()));
            S::store8(best.0.as_mut_ptr(), row);
        }
    }
}

/// Every row with its lanes permuted.
#[inline(always)]
fn permute_with<S: Simd>(bank: &mut Bank, ancestors: &[u8; LANES]) {
    // SAFETY: rows are 64 bytes.
    unsafe {
        let index = S::load8(ancestors.as_ptr());
        for row in bank.falses.iter_mut().chain(&mut bank.memory) {
            S::store8(row.0.as_mut_ptr(), S::permute8(S::load8(row.0.as_ptr()), index));
        }
    }
}

impl Chips for Bank {
    fn sweep(&mut self, circuit: &Circuit, sweep: &Sweep) -> [u8; LANES] {
        crate::dispatch!(
            self.level,
            sweep_with(bank: &mut Bank, circuit: &Circuit, sweep: &Sweep) -> [u8; LANES],
            self, circuit, sweep
        )
    }

    fn count(&mut self, circuit: &Circuit) -> ([u32; LANES], [i64; LANES]) {
        let (hard, soft) = crate::dispatch!(
            self.level,
            count_with(bank: &Bank, circuit: &Circuit) -> ([u32; LANES], [i64; LANES]),
            self, circuit
        );
        (hard.map(|count| count + circuit.hard_empty), soft.map(|weight| weight + circuit.offset))
    }

    fn keep(&mut self, lanes: u64) {
        let lanes = spread(lanes);
        crate::dispatch!(self.level, keep_with(bank: &mut Bank, lanes: &[u8; LANES]), self, &lanes);
    }

    fn kept(&self) -> Vec<Vec<bool>> {
        assignments(self.best.len(), |variable| self.best[variable].0.map(|byte| !byte))
    }

    fn state(&self) -> Vec<u8> {
        let (variables, clauses) = (self.falses.len() / 2, self.memory.len());
        let mut state = vec![0; (variables + clauses) * LANES];
        let place = |lane: usize| lane * (variables + clauses);
        columns(
            variables,
            |variable| self.falses[2 * variable].0,
            |lane, first, bytes| {
                let values = &mut state[place(lane) + first..][..bytes.len()];
                values.iter_mut().zip(bytes).for_each(|(value, &byte)| *value = !byte & 1);
            },
        );
        columns(
            clauses,
            |clause| self.memory[clause].0,
            |lane, first, bytes| {
                state[place(lane) + variables + first..][..bytes.len()].copy_from_slice(bytes);
            },
        );
        state
    }

    fn permute(&mut self, ancestors: &[u8; LANES]) {
        crate::dispatch!(
            self.level,
            permute_with(bank: &mut Bank, ancestors: &[u8; LANES]),
            self, ancestors
        );
    }
}
