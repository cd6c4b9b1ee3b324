//! What kernels T and W share: passes over literal rows in which each chip is one byte.

use crate::literals::{count_false, of_width};
use crate::simd::{LANES, Simd};

use super::Circuit;
use super::bank::Rows;

/// Unsatisfied clauses of each chip, those without literals included.
#[inline(always)]
pub(super) fn unsatisfied<S: Simd>(circuit: &Circuit, rows: &Rows) -> [i64; LANES] {
    let mut totals = [i64::from(circuit.empty); LANES];
    let mut literals = circuit.by_length.literals.as_ptr();
    for run in &circuit.by_length.runs {
        // SAFETY: the literals are of the circuit that the rows were made for; a run's follow those of the run before.
        let count = unsafe {
            of_width!(run.length, width => count_false::<S>(rows.as_ptr(), &mut literals, width, run.count))
        };
        flush_unsigned::<S>(&mut totals, count);
    }
    totals
}

/// Adds a row of unsigned bytes to the totals.
#[inline(always)]
pub(super) fn flush_unsigned<S: Simd>(totals: &mut [i64; LANES], row: S::R8) {
    let mut bytes = [0u8; LANES];
    // SAFETY: 64 bytes.
    unsafe { S::store8(bytes.as_mut_ptr(), row) };
    for (total, byte) in totals.iter_mut().zip(bytes) {
        *total += i64::from(byte);
    }
}

/// Adds a row of signed bytes to the totals.
#[inline(always)]
pub(super) fn flush_signed<S: Simd>(totals: &mut [i64; LANES], row: S::R8) {
    let mut bytes = [0u8; LANES];
    // SAFETY: 64 bytes.
    unsafe { S::store8(bytes.as_mut_ptr(), row) };
    for (total, byte) in totals.iter_mut().zip(bytes) {
        *total += i64::from(byte as i8);
    }
}

/// Adds a row of signed 16-bit values to the totals.
#[inline(always)]
pub(super) fn flush_wide<S: Simd>(totals: &mut [i64; LANES], row: S::R16) {
    let mut values = [0u16; LANES];
    // SAFETY: 64 values.
    unsafe { S::store16(values.as_mut_ptr(), row) };
    for (total, value) in totals.iter_mut().zip(values) {
        *total += i64::from(value as i16);
    }
}
