//! What kernels T and W share: passes over literal rows in which each chip is one byte.

use hysteron_problem::Literal;

use crate::simd::{LANES, Simd};

use super::Circuit;
use super::bank::{ROW, Rows};

/// The row where `literal` is false.
///
/// # Safety
/// `rows` must be the literal rows of the circuit that `literal` is of.
#[inline(always)]
pub(super) unsafe fn row<S: Simd>(rows: *const u8, literal: Literal) -> S::R8 {
    // SAFETY: the caller's promise.
    unsafe { S::load8(rows.add(literal.code() as usize * ROW)) }
}

/// All ones in the chips where all of `count` literals at `literals` are false.
///
/// # Safety
/// As [`row`], and `literals` must be readable for `count` values.
#[inline(always)]
pub(super) unsafe fn all_false<S: Simd>(rows: *const u8, literals: *const Literal, count: usize) -> S::R8 {
    // SAFETY: the caller's promise.
    unsafe {
        match count {
            0 => S::splat8(0xff),
            1 => row::<S>(rows, *literals),
            2 => S::and(row::<S>(rows, *literals), row::<S>(rows, *literals.add(1))),
            3 => S::and(
                S::and(row::<S>(rows, *literals), row::<S>(rows, *literals.add(1))),
                row::<S>(rows, *literals.add(2)),
            ),
            _ => {
                let mut all = row::<S>(rows, *literals);
                for i in 1..count {
                    all = S::and(all, row::<S>(rows, *literals.add(i)));
                }
                all
            }
        }
    }
}

/// Unsatisfied clauses of each chip, those without literals included.
#[inline(always)]
pub(super) fn unsatisfied<S: Simd>(circuit: &Circuit, rows: &Rows) -> [i64; LANES] {
    let mut totals = [i64::from(circuit.empty); LANES];
    let mut count = S::splat8(0);
    let mut pending = 0;
    let mut begin = 0;
    for &end in &circuit.clause_ends {
        let end = end as usize;
        // SAFETY: the literals of a clause are of the circuit that the rows were made for.
        let failed = unsafe {
            all_false::<S>(rows.as_ptr(), circuit.clause_literals.as_ptr().add(begin), end - begin)
        };
        begin = end;
        count = S::sub8(count, failed);
        pending += 1;
        if pending == 255 {
            flush_unsigned::<S>(&mut totals, count);
            count = S::splat8(0);
            pending = 0;
        }
    }
    flush_unsigned::<S>(&mut totals, count);
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
