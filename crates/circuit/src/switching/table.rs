//! Kernel T: Metropolis by a table of thresholds, one byte a chip and literal.

use crate::dispatch;
use crate::literals::{COUNT_MAX, count_false, of_width};
use crate::rom::{OFFSET_MASK, element_hash};
use crate::run::{LaneBest, Request};
use crate::simd::{LANES, Level as Instructions, Simd};

use super::Circuit;
use super::bank::{self, BestBytes, ROW, Rows};
use super::bytes::{flush_signed, flush_wide, unsatisfied};
use super::drive::Machine;
use super::population::ancestors;
use super::tables::{Level, Table, uniform_bytes};

/// The most occurrences of a variable for which a difference of two counts fits a signed byte.
const NARROW_MAX: u32 = 127;

/// A bank of kernel T.
pub(super) struct TableLanes<'a> {
    circuit: &'a Circuit,
    instructions: Instructions,
    rows: Rows,
    energies: [i64; LANES],
    best: BestBytes,
    solved: u64,
}

impl<'a> TableLanes<'a> {
    pub fn new(circuit: &'a Circuit, instructions: Instructions, request: &Request<'_>) -> Self {
        let rows = bank::byte_rows(circuit, request);
        let best = BestBytes::new(circuit);
        let mut lanes = Self { circuit, instructions, rows, energies: [0; LANES], best, solved: 0 };
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
}

impl Machine for TableLanes<'_> {
    const CHIPS: u64 = LANES as u64;

    fn restart(&mut self, key: u64) {
        bank::randomise_bytes(&mut self.rows, self.circuit.variables, key, u64::MAX);
        self.recount();
    }

    fn sweep(&mut self, level: Level, key: u64) -> [u8; ROW] {
        dispatch!(
            self.instructions,
            sweep(circuit: &Circuit, rows: &mut Rows, thresholds: &Table, key: u64, energies: &mut [i64; LANES]) -> [u8; ROW],
            self.circuit,
            &mut self.rows,
            level.thresholds(),
            key,
            &mut self.energies,
        )
    }

    fn look(&mut self, _: u32, record: bool, goal: i64) -> bool {
        self.solved = (0..LANES).fold(0, |mask, lane| mask | u64::from(self.energies[lane] <= goal) << lane);
        if record || self.solved != 0 {
            self.best.note(&self.rows, &self.energies);
        }
        self.solved != 0
    }

    fn renew(&mut self, key: u64) {
        bank::randomise_bytes(&mut self.rows, self.circuit.variables, key, self.solved);
        self.recount();
    }

    fn resample(&mut self, rise_q16: u64, noise: u64) {
        let ancestors = ancestors(&self.energies, rise_q16, noise);
        self.energies = ancestors.map(|a| self.energies[usize::from(a)]);
        dispatch!(
            self.instructions,
            permute(variables: u32, rows: &mut Rows, ancestors: &[u8; LANES]),
            self.circuit.variables,
            &mut self.rows,
            &ancestors
        );
    }

    fn finish(self) -> (Vec<u8>, Vec<LaneBest>) {
        (bank::packed_state(&self.rows, self.circuit.variables), self.best.into_lanes())
    }
}

/// Makes every lane a copy of its ancestor.
#[inline(always)]
fn permute<S: Simd>(variables: u32, rows: &mut Rows, ancestors: &[u8; LANES]) {
    let rows = rows.as_mut_ptr();
    // SAFETY: there are two rows a variable.
    unsafe {
        let index = S::load8(ancestors.as_ptr());
        for variable in 0..variables as usize {
            let at = rows.add(2 * variable * ROW);
            let is_false = S::permute8(S::load8(at), index);
            S::store8(at, is_false);
            S::store8(at.add(ROW), S::xor(is_false, S::splat8(0xff)));
        }
    }
}

/// One sweep: every variable in canonical order sees what its switch would cost, and switches where
/// the cost is at most its threshold. Keeps the energies.
#[inline(always)]
fn sweep<S: Simd>(
    circuit: &Circuit,
    rows: &mut Rows,
    thresholds: &Table,
    key: u64,
    energies: &mut [i64; LANES],
) -> [u8; ROW] {
    let coefficients = uniform_bytes();
    let rows = rows.as_mut_ptr();
    let mut others = circuit.others.as_ptr();
    let mut groups = circuit.groups.iter();
    let mut group_at = 0;
    let mut fold = S::splat8(0);
    // The costs of switches since the last flush, and the most that they can sum to.
    let mut paid = S::splat8(0);
    let mut paid_max = 0;
    for element in &circuit.elements {
        let hash = element_hash(key, element.variable);
        // SAFETY: offsets are below ROM_LENGTH, tables have 64 entries more.
        let (threshold, coefficient) = unsafe {
            (
                S::load8(thresholds.as_ptr().add((hash & OFFSET_MASK) as usize)),
                S::load8(coefficients.as_ptr().add((hash >> 13 & OFFSET_MASK) as usize)),
            )
        };
        // SAFETY: there are two rows a variable.
        let at = unsafe { rows.add(2 * element.variable as usize * ROW) };
        // SAFETY: as above.
        let (is_false, is_true) = unsafe { (S::load8(at), S::load8(at.add(ROW))) };
        let count = (element.groups_end - group_at) as usize;
        group_at = element.groups_end;
        let degree = element.positive + element.negative;
        let stay;
        if degree <= NARROW_MAX {
            // A true variable breaks its positive occurrences and makes its negative ones.
            let mut if_true = S::splat8(0);
            for group in groups.by_ref().take(count) {
                // SAFETY: a group's literals follow those of the group before.
                let sum = unsafe {
                    of_width!(group.others, width => count_false::<S>(rows, &mut others, width, group.count))
                };
                let sign = S::splat8(0u8.wrapping_sub(group.negative.into()));
                if_true = S::add8(if_true, S::sub8(S::xor(sum, sign), sign));
            }
            let cost = S::sub8(S::xor(if_true, is_false), is_false);
            stay = S::gt_i8(cost, S::min_u8(threshold, S::splat8(NARROW_MAX as u8)));
            if paid_max + degree > NARROW_MAX {
                flush_signed::<S>(energies, paid);
                paid = S::splat8(0);
                paid_max = 0;
            }
            paid = S::add8(paid, S::and_not(stay, cost));
            paid_max += degree;
        } else {
            let mut if_true = S::splat16(0);
            for group in groups.by_ref().take(count) {
                let mut left = group.count;
                while left != 0 {
                    let part = left.min(COUNT_MAX);
                    left -= part;
                    // SAFETY: as above.
                    let sum = unsafe {
                        of_width!(group.others, width => count_false::<S>(rows, &mut others, width, part))
                    };
                    let sum = S::widen_u8(sum);
                    if_true = if group.negative { S::sub16(if_true, sum) } else { S::add16(if_true, sum) };
                }
            }
            let sign = S::widen_i8(is_false);
            let cost = S::sub16(S::xor16(if_true, sign), sign);
            let wide = S::gt_i16(cost, S::widen_u8(threshold));
            flush_wide::<S>(energies, S::select16(wide, S::splat16(0), cost));
            stay = S::narrow_i16(wide);
        }
        let is_true_now = S::xor(is_false, stay);
        // SAFETY: as above.
        unsafe {
            S::store8(at, S::xor(is_true, stay));
            S::store8(at.add(ROW), is_true_now);
        }
        fold = S::xor(fold, S::and(is_true_now, coefficient));
    }
    flush_signed::<S>(energies, paid);
    let mut out = [0; ROW];
    // SAFETY: 64 bytes.
    unsafe { S::store8(out.as_mut_ptr(), fold) };
    out
}
