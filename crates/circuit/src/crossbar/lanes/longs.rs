//! Rows below 2^27: sums in 32 bits.

use super::{Circuit, Sweep, TABLE, Tables, offset, thresholds};
use crate::crossbar::circuit::Weights;
use crate::rom::exponential_q12;
use crate::simd::{LANES, Simd};

/// The largest row, to which thresholds are clamped before they are incremented.
const MOST: i32 = (1 << 27) - 1;

/// The table of [`thresholds`].
#[inline(always)]
pub(super) fn tabulate_longs<S: Simd>(table: &mut [i32], mantissa: u16, shift: i32) {
    let noise = exponential_q12();
    assert!(table.len() == TABLE && TABLE.is_multiple_of(LANES));
    for at in (0..TABLE).step_by(LANES) {
        // SAFETY: both tables have TABLE entries, a multiple of 64.
        unsafe {
            let row = thresholds::<S>(S::load16(noise.as_ptr().add(at)), mantissa, shift, MOST);
            S::store32(table.as_mut_ptr().add(at), row);
        }
    }
}

/// `sum_j J_ij u_j` over couplings `start..end`.
///
/// # Safety
/// There must be these couplings, and `weights` and `rows` be the circuit's and its bank's.
#[inline(always)]
pub(super) unsafe fn sum<S: Simd>(
    circuit: &Circuit,
    weights: &[i32],
    rows: *const u8,
    start: usize,
    end: usize,
) -> S::R32 {
    let mut sum = S::splat32(0);
    for k in start..end {
        // SAFETY: the caller's promise; neighbours are byte offsets of rows.
        unsafe {
            let weight = S::splat32(*weights.get_unchecked(k));
            let u = S::load_i8_as_32(rows.add(*circuit.neighbours.get_unchecked(k) as usize));
            sum = S::sub32(sum, S::and32(weight, u));
        }
    }
    sum
}

/// The sweep.
#[inline(always)]
pub(super) fn sweep_longs<S: Simd>(sweep: Sweep<'_>) {
    let Sweep { circuit, rows, key, thresholds, tables, energies } = sweep;
    let Tables::Longs(table) = tables else { unreachable!("the class says what the tables are") };
    let Weights::Longs(weights) = &circuit.weights else {
        unreachable!("the class says what the weights are")
    };
    let noise = exponential_q12();
    // SAFETY: 64 values.
    let mantissas = S::widen_u16(unsafe { S::load16(thresholds.mantissas.as_ptr()) });
    let uniform = thresholds.uniform;
    // Rows of this class keep T/2 = mantissa * 2^(12 - shift), whose highest mantissa has its top bit set, below 2^27,
    // so the shift is at least 1. The product has 32 bits: it is gone after 32.
    let (shift, last) = (thresholds.shift.clamp(1, 31) as u32, u32::from(thresholds.shift > 31));
    let mut position = 0;
    for &stretch in &circuit.stretches {
        let mut changes = S::splat32(0);
        while position < stretch as usize {
            // SAFETY: positions are below the number of spins, neighbours are byte offsets of rows, offsets are below the
            // tables' lengths less 64.
            unsafe {
                let at = offset(key, position);
                let bars = if uniform {
                    S::load32(table.as_ptr().add(at))
                } else {
                    let product = S::mul32(S::widen_u16(S::load16(noise.as_ptr().add(at))), mantissas);
                    S::add32(S::shr_u32(S::shr_u32(product, shift), last), S::splat32(1))
                };
                let start = *circuit.rows.get_unchecked(position) as usize;
                let end = *circuit.rows.get_unchecked(position + 1) as usize;
                let sum = sum::<S>(circuit, weights, rows, start, end);
                let base = S::splat32(*circuit.bases.get_unchecked(position) as i32);
                let g = S::sub32(base, S::add32(sum, sum));
                let row = rows.add(position * LANES);
                let bytes = S::load8(row);
                let u = S::load_i8_as_32(row);
                let x = S::sub32(S::xor32(g, u), u);
                let flip = S::gt_i32(bars, x);
                S::store8(row, S::xor(bytes, S::narrow_i16(S::narrow_i32(flip))));
                changes = S::add32(changes, S::and32(x, flip));
            }
            position += 1;
        }
        let mut values = [0i32; LANES];
        // SAFETY: 64 values.
        unsafe { S::store32(values.as_mut_ptr(), changes) };
        for (energy, &value) in energies.iter_mut().zip(&values) {
            *energy += 2 * i64::from(value);
        }
    }
}
