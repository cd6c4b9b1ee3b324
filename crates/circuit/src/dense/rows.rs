//! What a switch does to all fields, or gains, at once. Nothing here may be a closure: closures do not
//! have the instruction set of the kernel that they are in.

use super::compile::Lists;
use super::vector::{Block, Weight};
use crate::simd::LANES;

/// Rows that can be added to gains and fields.
pub(super) trait Adder<S: Block> {
    /// Subtracts `2 s_j turn` times the row of `spin` from the gains, where `turn` is its old sign, and
    /// finds the maxima of all blocks and of all.
    fn turn(
        &self,
        spin: usize,
        turn: i16,
        doubled: &[i16],
        gains: &mut [i32],
        maxima: &mut [S::Maxima],
    ) -> i32;
    /// Adds `factor` times the row of `spin` to the fields.
    fn add(&self, spin: usize, factor: i16, fields: &mut [i32]);
}

/// A matrix with rows of whole blocks.
pub(super) struct Matrix<'a, W>(pub &'a [W]);

impl<S: Block, W: Weight> Adder<S> for Matrix<'_, W> {
    #[inline(always)]
    fn turn(
        &self,
        spin: usize,
        turn: i16,
        doubled: &[i16],
        gains: &mut [i32],
        maxima: &mut [S::Maxima],
    ) -> i32 {
        let stride = gains.len();
        let row = &self.0[spin * stride..][..stride];
        assert!(doubled.len() == stride && maxima.len() * LANES == stride);
        let mut greatest = S::least();
        for (block, maximum) in maxima.iter_mut().enumerate() {
            let first = block * LANES;
            // SAFETY: the slices have `stride` elements, which is a whole number of blocks.
            *maximum = unsafe {
                S::turn(
                    gains.as_mut_ptr().add(first),
                    row.as_ptr().add(first),
                    doubled.as_ptr().add(first),
                    turn,
                )
            };
            greatest = S::greater(greatest, *maximum);
        }
        S::greatest(greatest)
    }
    #[inline(always)]
    fn add(&self, spin: usize, factor: i16, fields: &mut [i32]) {
        let stride = fields.len();
        let row = &self.0[spin * stride..][..stride];
        assert!(stride.is_multiple_of(LANES));
        for first in (0..stride).step_by(LANES) {
            // SAFETY: both have 64 elements from here.
            unsafe { S::add(fields.as_mut_ptr().add(first), row.as_ptr().add(first), factor) };
        }
    }
}

impl<S: Block> Adder<S> for Lists<i32> {
    #[inline(always)]
    fn turn(
        &self,
        spin: usize,
        turn: i16,
        doubled: &[i16],
        gains: &mut [i32],
        maxima: &mut [S::Maxima],
    ) -> i32 {
        let list = self.of(spin);
        for (&j, &weight) in self.targets[list.clone()].iter().zip(&self.weights[list]) {
            gains[j as usize] -= weight * i32::from(doubled[j as usize] * turn);
        }
        scan::<S>(gains, maxima)
    }
    #[inline(always)]
    fn add(&self, spin: usize, factor: i16, fields: &mut [i32]) {
        let list = self.of(spin);
        for (&j, &weight) in self.targets[list.clone()].iter().zip(&self.weights[list]) {
            fields[j as usize] += weight * i32::from(factor);
        }
    }
}

/// The maxima of all blocks, and of all.
#[inline(always)]
pub(super) fn scan<S: Block>(gains: &[i32], maxima: &mut [S::Maxima]) -> i32 {
    assert!(maxima.len() * LANES == gains.len());
    let mut greatest = S::least();
    for (block, maximum) in maxima.iter_mut().enumerate() {
        // SAFETY: 64 gains from here.
        *maximum = unsafe { S::scan(gains.as_ptr().add(block * LANES)) };
        greatest = S::greater(greatest, *maximum);
    }
    S::greatest(greatest)
}
