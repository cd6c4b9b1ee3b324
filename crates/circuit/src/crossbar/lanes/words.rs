//! Rows of at most 32 766: sums in 16 bits; unit couplings are first summed in bytes.

use std::marker::PhantomData;

use super::{Couplings, Sum, Sweep, TABLE, Tables, offset, thresholds};
use crate::rom::exponential_q12;
use crate::simd::{LANES, Simd};

/// Unit couplings that are summed in bytes before they are widened.
const BYTES: usize = 120;

/// The largest row, to which thresholds are clamped before they are incremented.
const MOST: i32 = 32_766;

/// The table of [`thresholds`].
#[inline(always)]
pub(super) fn tabulate_words<S: Simd>(table: &mut [u16], mantissa: u16, shift: i32) {
    let noise = exponential_q12();
    assert!(table.len() == TABLE && TABLE.is_multiple_of(LANES));
    for at in (0..TABLE).step_by(LANES) {
        // SAFETY: both tables have TABLE entries, a multiple of 64.
        unsafe {
            let row = thresholds::<S>(S::load16(noise.as_ptr().add(at)), mantissa, shift, MOST);
            S::store16(table.as_mut_ptr().add(at), S::narrow_i32(row));
        }
    }
}

/// Unit couplings.
#[inline(always)]
pub(super) fn sweep_unit_words<S: Simd>(sweep: Sweep<'_>) {
    let couplings = Couplings::<true> { circuit: sweep.circuit, rows: sweep.rows };
    run::<S, _>(sweep, &couplings);
}

/// Weighted couplings.
#[inline(always)]
pub(super) fn sweep_words<S: Simd>(sweep: Sweep<'_>) {
    let couplings = Couplings::<false> { circuit: sweep.circuit, rows: sweep.rows };
    run::<S, _>(sweep, &couplings);
}

/// The sums of a class of words.
pub(super) struct Words<'a, S, const UNIT: bool>(&'a Couplings<'a, UNIT>, PhantomData<S>);

impl<'a, S: Simd, const UNIT: bool> Words<'a, S, UNIT> {
    pub fn new(couplings: &'a Couplings<'a, UNIT>) -> Self {
        Self(couplings, PhantomData)
    }

    /// The sum of the rows of some neighbours.
    ///
    /// # Safety
    /// There must be couplings `from..to`.
    #[inline(always)]
    unsafe fn plain(&self, mut from: usize, to: usize) -> S::R16 {
        let mut sum = S::splat16(0);
        while from < to {
            let end = to.min(from + BYTES);
            let mut part = S::splat8(0);
            while from < end {
                // SAFETY: the caller's promise.
                part = unsafe { S::add8(part, S::load8(self.0.neighbour(from))) };
                from += 1;
            }
            sum = S::add16(sum, S::widen_i8(part));
        }
        sum
    }
}

impl<S: Simd, const UNIT: bool> Sum<S::R16> for Words<'_, S, UNIT> {
    #[inline(always)]
    unsafe fn sum(&self, position: usize, start: usize, end: usize) -> S::R16 {
        // SAFETY: the caller's promise.
        unsafe {
            if UNIT {
                let middle = *self.0.circuit.middles.get_unchecked(position) as usize;
                return S::sub16(self.plain(start, middle), self.plain(middle, end));
            }
            let mut sum = S::splat16(0);
            for k in start..end {
                let weight = S::splat16(self.0.word(k) as u16);
                sum = S::sub16(sum, S::and16(weight, S::load_i8_as_16(self.0.neighbour(k))));
            }
            sum
        }
    }
}

/// Flips the lanes of a row where `x` is below the bar, and returns `x` there and 0 elsewhere.
///
/// # Safety
/// `row` must be writable for 64 bytes.
#[inline(always)]
pub(super) unsafe fn flip_word<S: Simd>(row: *mut u8, sum: S::R16, base: u16, bars: S::R16) -> S::R16 {
    let g = S::sub16(S::splat16(base), S::add16(sum, sum));
    // SAFETY: the caller's promise.
    unsafe {
        let bytes = S::load8(row);
        let u = S::widen_i8(bytes);
        let x = S::sub16(S::xor16(g, u), u);
        let flip = S::gt_i16(bars, x);
        S::store8(row, S::xor(bytes, S::narrow_i16(flip)));
        S::and16(x, flip)
    }
}

/// The sweep.
#[inline(always)]
fn run<S: Simd, const UNIT: bool>(sweep: Sweep<'_>, couplings: &Couplings<'_, UNIT>) {
    let sums = Words::<S, UNIT>::new(couplings);
    let Sweep { circuit, rows, key, thresholds, tables, energies } = sweep;
    let (Tables::Words(table) | Tables::Either(_, table)) = tables else {
        unreachable!("the class says what the tables are")
    };
    let noise = exponential_q12();
    // SAFETY: 64 values.
    let mantissas = S::widen_u16(unsafe { S::load16(thresholds.mantissas.as_ptr()) });
    let uniform = thresholds.uniform;
    // Rows of this class keep T/2 = mantissa * 2^(12 - shift), whose highest mantissa has its top bit set, below 2^15,
    // so the shift is at least 12. The product has 32 bits: it is gone after a shift by 32.
    let (shift, last) = (thresholds.shift.clamp(1, 31) as u32, u32::from(thresholds.shift > 31));
    let mut position = 0;
    for &stretch in &circuit.stretches {
        let mut changes = S::splat16(0);
        while position < stretch as usize {
            // SAFETY: positions are below the number of spins, offsets below the tables' lengths less 64.
            unsafe {
                let at = offset(key, position);
                let bars = if uniform {
                    S::load16(table.as_ptr().add(at))
                } else {
                    let product = S::mul32(S::widen_u16(S::load16(noise.as_ptr().add(at))), mantissas);
                    let bar = S::min_i32(S::shr_u32(S::shr_u32(product, shift), last), S::splat32(MOST));
                    S::narrow_i32(S::add32(bar, S::splat32(1)))
                };
                let start = *circuit.rows.get_unchecked(position) as usize;
                let end = *circuit.rows.get_unchecked(position + 1) as usize;
                let sum = sums.sum(position, start, end);
                let base = *circuit.bases.get_unchecked(position) as u16;
                let change = flip_word::<S>(rows.add(position * LANES), sum, base, bars);
                changes = S::add16(changes, change);
            }
            position += 1;
        }
        super::add_changes::<S>(changes, energies);
    }
}
