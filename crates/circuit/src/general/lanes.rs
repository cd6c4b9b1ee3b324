//! 64 chips at once: every row has one byte a lane, 0xff where a literal is false.

use hysteron_problem::{ClauseList, Literal};

use crate::columns::{assignments, columns, rows, spread};
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
    let mut begin = 0;
    for element in &circuit.elements {
        let mut hard = S::splat16(0);
        let mut count = S::splat16(0);
        let mut soft = S::splat32(0);
        for occurrence in &circuit.occurrences[begin..element.end as usize] {
            let others = &circuit.others[occurrence.others as usize..][..usize::from(occurrence.count)];
            let critical = others.iter().fold(ones, |row, &code| S::and(row, load(code)));
            if occurrence.hard != u32::MAX {
                // SAFETY: see above.
                let weights = unsafe { S::load8(memory.add(occurrence.hard as usize * LANES)) };
                let weights = S::widen_u8(S::and(weights, critical));
                hard = if occurrence.negative { S::sub16(hard, weights) } else { S::add16(hard, weights) };
            } else if circuit.uniform.is_some() {
                let minus = S::widen_i8(critical);
                count = if occurrence.negative { S::add16(count, minus) } else { S::sub16(count, minus) };
            } else {
                let mask = S::widen_i16(S::widen_i8(critical));
                let weights = S::and32(mask, S::splat32(occurrence.weight));
                soft = if occurrence.negative { S::sub32(soft, weights) } else { S::add32(soft, weights) };
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
        begin = element.end as usize;
    }
    let (one, cap) = (S::splat8(1), S::splat8(sweep.memory_cap));
    for (clause, literals) in circuit.hard.iter().enumerate() {
        let unsatisfied = literals.iter().fold(ones, |row, literal| S::and(row, load(literal.code())));
        let loss = if sweep.forgets(clause) { one } else { S::splat8(0) };
        // SAFETY: see above.
        unsafe {
            let at = memory.add(clause * LANES);
            let row = S::load8(at);
            let row = S::adds_u8(row, S::and(unsatisfied, one));
            let row = S::subs_u8(row, S::and_not(unsatisfied, loss));
            S::store8(at, S::max_u8(S::min_u8(row, cap), one));
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

/// Clauses whose rows are summed in bytes.
const BYTES: usize = 255;

/// Where a clause is unsatisfied.
#[inline(always)]
fn unsatisfied<S: Simd>(bank: &Bank, literals: &[Literal]) -> S::R8 {
    literals.iter().fold(S::splat8(0xff), |row, literal| {
        // SAFETY: a literal of the circuit is a row of the bank.
        S::and(row, unsafe { S::load8(bank.falses[literal.code() as usize].0.as_ptr()) })
    })
}

/// In each lane the unsatisfied clauses.
#[inline(always)]
fn count_clauses<S: Simd>(bank: &Bank, clauses: &ClauseList) -> [u32; LANES] {
    let mut counts = [0; LANES];
    let mut clauses = clauses.iter();
    while clauses.len() > 0 {
        let mut sum = S::splat8(0);
        for literals in clauses.by_ref().take(BYTES) {
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
