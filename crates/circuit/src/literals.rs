//! Rows of literals: one byte a chip, all ones where the literal is false. What all kernels of switching chips but the
//! bit-sliced one read.

use hysteron_problem::Literal;

use crate::simd::{LANES, Simd};

/// The row where `literal` is false.
///
/// # Safety
/// `rows` must be the literal rows of the circuit that `literal` is of.
#[inline(always)]
unsafe fn row<S: Simd>(rows: *const u8, literal: Literal) -> S::R8 {
    // SAFETY: the caller's promise.
    unsafe { S::load8(rows.add(literal.code() as usize * LANES)) }
}

/// All ones in the chips where all of `count` literals at `literals` are false.
///
/// # Safety
/// `rows` must be the literal rows of the circuit that the literals are of, and `literals` readable for `count` values.
#[inline(always)]
pub(crate) unsafe fn all_false<S: Simd>(rows: *const u8, literals: *const Literal, count: usize) -> S::R8 {
    // SAFETY: the caller's promise.
    let at = |i: usize| unsafe { row::<S>(rows, *literals.add(i)) };
    // Up to four literals without a loop, whose end would be foreseen badly where lengths differ.
    match count {
        0 => S::splat8(0xff),
        1 => at(0),
        2 => S::and(at(0), at(1)),
        3 => S::and(S::and(at(0), at(1)), at(2)),
        _ => {
            let mut all = S::and(S::and(at(0), at(1)), S::and(at(2), at(3)));
            for i in 4..count {
                all = S::and(all, at(i));
            }
            all
        }
    }
}

/// What a byte counts to.
pub(crate) const COUNT_MAX: u32 = 255;

/// Of the next `count` lists of `width` literals, at most [`COUNT_MAX`], those that are all false.
///
/// # Safety
/// `literals` must point at them, and be of the circuit of `rows`.
#[inline(always)]
pub(crate) unsafe fn count_false<S: Simd>(
    rows: *const u8,
    literals: &mut *const Literal,
    width: usize,
    count: u32,
) -> S::R8 {
    debug_assert!(count <= COUNT_MAX);
    if width == 0 {
        return S::splat8(count as u8);
    }
    let mut sum = S::splat8(0);
    for _ in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            sum = S::sub8(sum, all_false::<S>(rows, *literals, width));
            *literals = literals.add(width);
        }
    }
    sum
}

/// Clauses by their length: a loop over those of one length foresees its ends, one over clauses as they come does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ByLength {
    pub runs: Vec<Run>,
    /// The numbers of the clauses, run after run, ascending in each.
    pub clauses: Vec<u32>,
    /// Their literals.
    pub literals: Vec<Literal>,
}

/// Consecutive clauses of one length, at most [`COUNT_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Run {
    pub length: u32,
    pub count: u32,
}

impl ByLength {
    /// Clauses `0..count`.
    pub fn new<'a>(count: usize, clause: impl Fn(u32) -> &'a [Literal]) -> Self {
        let length = |&number: &u32| clause(number).len();
        let mut clauses: Vec<u32> = (0..count as u32).collect();
        // Stable; clauses of one length alone are in order.
        clauses.sort_by_key(length);
        let alike = clauses.chunk_by(|a, b| length(a) == length(b));
        let runs = alike.flat_map(|clauses| clauses.chunks(COUNT_MAX as usize));
        let runs = runs.map(|run| Run { length: length(&run[0]) as u32, count: run.len() as u32 }).collect();
        let mut literals = Vec::with_capacity(clauses.iter().map(length).sum());
        clauses.iter().for_each(|&number| literals.extend_from_slice(clause(number)));
        Self { runs, clauses, literals }
    }
}

/// `of_width!(width, known => body)`: the body with a `known` that is a constant for widths up to 4, so that nothing but the count
/// of occurrences ends its loops. The most frequent is asked for first.
macro_rules! of_width {
    ($width:expr, $known:ident => $body:expr) => {{
        let width = $width as usize;
        if width == 2 {
            let $known = 2;
            $body
        } else {
            match width {
                0 => {
                    let $known = 0;
                    $body
                }
                1 => {
                    let $known = 1;
                    $body
                }
                3 => {
                    let $known = 3;
                    $body
                }
                4 => {
                    let $known = 4;
                    $body
                }
                $known => $body,
            }
        }
    }};
}
pub(crate) use of_width;
