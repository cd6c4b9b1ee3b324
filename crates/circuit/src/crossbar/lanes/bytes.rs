//! Rows of at most 126: everything in bytes. Also longer rows of unit couplings, while thresholds fit into bytes.

use std::marker::PhantomData;

use super::words::{Words, flip_word};
use super::{Couplings, Sum, Sweep, TABLE, Tables, add_changes, offset};
use crate::rom::exponential_q12;
use crate::simd::{LANES, Simd};

/// Thresholds are clamped to this, the largest row, and incremented.
const MOST: u16 = 126;

/// Stretches whose changes are summed up in 16 bits before they go to the energies: 255 * 127 < 2^15.
const STRETCHES: usize = 255;

/// `min(126, (noise * mantissa) >> shift) + 1` in bytes, for `16 <= shift < 32`.
#[inline(always)]
pub(super) fn tabulate<S: Simd>(table: &mut [u8], mantissa: u16, shift: i32) {
    let noise = exponential_q12();
    let mantissa = S::splat16(mantissa);
    assert!(table.len() == TABLE && TABLE.is_multiple_of(LANES));
    for at in (0..TABLE).step_by(LANES) {
        // SAFETY: both tables have TABLE entries, a multiple of 64.
        unsafe {
            let row = thresholds::<S>(S::load16(noise.as_ptr().add(at)), mantissa, shift - 16);
            S::store8(table.as_mut_ptr().add(at), row);
        }
    }
}

/// The thresholds, incremented, of 64 noise values and mantissas; `shift` beyond the 16 of the high product.
#[inline(always)]
fn thresholds<S: Simd>(noise: S::R16, mantissa: S::R16, shift: i32) -> S::R8 {
    let high = S::mulhi_u16(noise, mantissa);
    let row = S::min_u16(S::shr_u16_by(high, shift as u32), S::splat16(MOST));
    S::add8(S::narrow_i16(row), S::splat8(1))
}

/// Unit couplings.
#[inline(always)]
pub(super) fn sweep_unit_bytes<S: Simd>(sweep: Sweep<'_>) {
    let couplings = Couplings::<true> { circuit: sweep.circuit, rows: sweep.rows };
    run::<S, _>(sweep, &couplings);
}

/// Weighted couplings.
#[inline(always)]
pub(super) fn sweep_bytes<S: Simd>(sweep: Sweep<'_>) {
    let couplings = Couplings::<false> { circuit: sweep.circuit, rows: sweep.rows };
    run::<S, _>(sweep, &couplings);
}

/// Unit couplings, some rows longer than 126: those are summed in words.
#[inline(always)]
pub(super) fn sweep_mixed<S: Simd>(sweep: Sweep<'_>) {
    let couplings = Couplings::<true> { circuit: sweep.circuit, rows: sweep.rows };
    run::<S, _>(sweep, &couplings);
}

/// The sums of a class of bytes.
struct Bytes<'a, S, const UNIT: bool>(&'a Couplings<'a, UNIT>, PhantomData<S>);

impl<S: Simd, const UNIT: bool> Sum<S::R8> for Bytes<'_, S, UNIT> {
    #[inline(always)]
    unsafe fn sum(&self, position: usize, start: usize, end: usize) -> S::R8 {
        let mut sum = S::splat8(0);
        // SAFETY: the caller's promise.
        unsafe {
            if UNIT {
                let middle = *self.0.circuit.middles.get_unchecked(position) as usize;
                for k in start..middle {
                    sum = S::add8(sum, S::load8(self.0.neighbour(k)));
                }
                for k in middle..end {
                    sum = S::sub8(sum, S::load8(self.0.neighbour(k)));
                }
            } else {
                for k in start..end {
                    // `w & u` is `-w u`, since u is 0 or -1.
                    let weight = S::splat8(self.0.word(k) as u8);
                    sum = S::sub8(sum, S::and(weight, S::load8(self.0.neighbour(k))));
                }
            }
        }
        sum
    }
}

/// The sweep.
#[inline(always)]
fn run<S: Simd, const UNIT: bool>(sweep: Sweep<'_>, couplings: &Couplings<'_, UNIT>) {
    let sums = Bytes::<S, UNIT>(couplings, PhantomData);
    let Sweep { circuit, rows, key, thresholds: current, tables, energies } = sweep;
    let (Tables::Bytes(table) | Tables::Either(table, _)) = tables else {
        unreachable!("the class says what the tables are")
    };
    let noise = exponential_q12();
    // SAFETY: 64 values.
    let mantissas = unsafe { S::load16(current.mantissas.as_ptr()) };
    let uniform = current.uniform;
    let shift = current.shift - 16;
    let words = Words::<S, UNIT>::new(couplings);
    let mut start = 0;
    let mut position = 0;
    for stretches in circuit.byte_stretches.chunks(STRETCHES) {
        let mut total = S::splat16(0);
        for &(stretch, long) in stretches {
            if long {
                // SAFETY: as below; a long stretch is one row.
                unsafe {
                    let at = offset(key, position);
                    let bars = if uniform {
                        S::load8(table.as_ptr().add(at))
                    } else {
                        thresholds::<S>(S::load16(noise.as_ptr().add(at)), mantissas, shift)
                    };
                    let end = *circuit.rows.get_unchecked(position + 1) as usize;
                    let sum = words.sum(position, start, end);
                    start = end;
                    let base = *circuit.bases.get_unchecked(position) as u16;
                    let change = flip_word::<S>(rows.add(position * LANES), sum, base, S::widen_u8(bars));
                    add_changes::<S>(change, energies);
                }
                position += 1;
                continue;
            }
            let mut changes = S::splat8(0);
            while position < stretch as usize {
                // SAFETY: positions are below the number of spins, offsets below the tables' lengths less 64.
                unsafe {
                    let at = offset(key, position);
                    let bars = if uniform {
                        S::load8(table.as_ptr().add(at))
                    } else {
                        thresholds::<S>(S::load16(noise.as_ptr().add(at)), mantissas, shift)
                    };
                    let end = *circuit.rows.get_unchecked(position + 1) as usize;
                    let sum = sums.sum(position, start, end);
                    start = end;
                    let base = S::splat8(*circuit.bases.get_unchecked(position) as u8);
                    let g = S::sub8(base, S::add8(sum, sum));
                    let row = rows.add(position * LANES);
                    let u = S::load8(row);
                    // x = -s g: -g where u = -1, g where u = 0.
                    let x = S::sub8(S::xor(g, u), u);
                    let flip = S::gt_i8(bars, x);
                    S::store8(row, S::xor(u, flip));
                    changes = S::add8(changes, S::and(x, flip));
                }
                position += 1;
            }
            total = S::add16(total, S::widen_i8(changes));
        }
        add_changes::<S>(total, energies);
    }
}
