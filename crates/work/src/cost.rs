//! What simulation costs, as consensus data: picoseconds of one core of the reference CPU.
//!
//! The reference is one core of an AMD EPYC of the Zen 3 family (25, model 1) with AVX2, running the kernels of this
//! repository. `cargo run --release -p hysteron-work --example cost_fit` measures instance families, fits the constants
//! below and prints both; a change of them is a change of consensus, and of [`COST_VERSION`].
//!
//! ```text
//! fixed chips:    cost(step) = sum over terms of constant * count           (one step of a bank of 64 chips)
//!                 steps      = (W_LEG - load) / cost(step)                    at least 1
//! metered chips:  cost(run)  = visits * a + updates * b + switches * c + steps * d + far updates * e
//!                 the leg goes on, round after round, until its cost reaches W_LEG - load
//! ```
//! Terms are a problem's counts: rows that a sweep reads, and how many of them lie further apart than caches hold.

use crate::kernel::Kernel;
use crate::size::Sizes;
use crate::types::CHIPS_PER_BANK;

/// The version of the constants below.
pub const COST_VERSION: u32 = 1;
/// Cost of one try of the pre-hash, in picoseconds.
pub const PRE_TRY_PICOSECONDS: u64 = 12_600;
/// Terms of the cost of a step.
pub const TERMS: usize = 12;
/// Terms of the cost of starting and ending a run.
pub const LOAD_TERMS: usize = 3;

/// The constants of a kernel, in picoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// One for each of [`terms`].
    pub step: [u64; TERMS],
    /// One for each of [`load_terms`].
    pub load: [u64; LOAD_TERMS],
}

/// The names of [`terms`], for reports.
pub const TERM_NAMES: [&str; TERMS] = [
    "pair",
    "pair L2",
    "pair L3",
    "literal",
    "clause",
    "variable",
    "step",
    "hard literal",
    "weighted literal",
    "wide literal",
    "variable L2",
    "variable L3",
];

/// Bytes of state that stay in a first-level cache while a sweep goes through them.
const NEAR_BYTES: u64 = 1 << 15;
/// Bytes that stay in a second-level cache.
const MIDDLE_BYTES: u64 = 1 << 19;
/// Bytes of a matrix that stay in a share of a third-level cache.
const FAR_BYTES: u64 = 1 << 23;

/// A variable in more clauses than this makes memcomputing chips sum forces in 32 bits.
const NARROW_DEGREE_MAX: u64 = 64;

/// What the constants of a fixed kernel's step are multiplied with; for metered kernels see [`metered_terms`].
pub fn terms(kernel: Kernel, sizes: &Sizes) -> [u64; TERMS] {
    let bytes = state_bytes(kernel, sizes);
    let (middle, near) = sizes.pairs_far(bytes);
    [
        sizes.pairs,
        // Beyond the first-level cache, and beyond the second.
        near - middle,
        middle,
        sizes.literals,
        sizes.clauses,
        sizes.variables,
        1,
        if sizes.hard_clauses > 0 { sizes.literals - sizes.weighted_literals } else { 0 },
        sizes.weighted_literals,
        if sizes.degree_max > NARROW_DEGREE_MAX { sizes.literals } else { 0 },
        // A sweep walks through the state even where neighbours lie near.
        if bytes > NEAR_BYTES { sizes.variables } else { 0 },
        if bytes > MIDDLE_BYTES { sizes.variables } else { 0 },
    ]
}

/// What the constants of a run's start and end are multiplied with.
pub fn load_terms(sizes: &Sizes) -> [u64; LOAD_TERMS] {
    [sizes.variables, sizes.clauses, 1]
}

/// The terms of a metered run: visits of spins, updates of fields, switches, steps; updates again if what they read (of a
/// matrix) or touch (by lists) lies beyond the second-level cache (lists: the first), and beyond the third (the second).
pub fn metered_terms(kernel: Kernel, sizes: &Sizes, steps: u64, row_updates: u64) -> [u64; TERMS] {
    let n = sizes.variables;
    // A matrix is added row by row whatever is in it; lists go wherever the row leads among fields and spins.
    let (row, far, farther) = match kernel {
        Kernel::AnnealLists | Kernel::TabuLists => {
            (sizes.row_mean(), 6 * n > NEAR_BYTES, 6 * n > MIDDLE_BYTES)
        }
        Kernel::AnnealBytes | Kernel::TabuBytes => (n, n * n > MIDDLE_BYTES, n * n > FAR_BYTES),
        Kernel::AnnealWords | Kernel::TabuWords => (n, 2 * n * n > MIDDLE_BYTES, 2 * n * n > FAR_BYTES),
        _ => (n, 4 * n * n > MIDDLE_BYTES, 4 * n * n > FAR_BYTES),
    };
    let mut terms = [0; TERMS];
    terms[0] = steps.saturating_mul(sizes.variables);
    terms[1] = row_updates;
    terms[2] = row_updates / row.max(1);
    terms[3] = steps;
    terms[4] = if far { row_updates } else { 0 };
    terms[5] = if farther { row_updates } else { 0 };
    terms
}

/// Bytes of the state that a sweep of a bank goes through.
fn state_bytes(kernel: Kernel, sizes: &Sizes) -> u64 {
    let row = CHIPS_PER_BANK;
    match kernel {
        Kernel::Table => 2 * sizes.variables * row,
        Kernel::Memory => (2 * sizes.variables + sizes.clauses) * row,
        Kernel::General => (2 * sizes.variables + sizes.hard_clauses) * row,
        // Sixteen chips at a time.
        Kernel::Memcomputing | Kernel::MemcomputingWeighted => (6 * sizes.variables + 4 * sizes.clauses) * 16,
        _ => sizes.variables * row,
    }
}

fn weigh(constants: &[u64], counts: &[u64]) -> u64 {
    let sum: u128 = constants.iter().zip(counts).map(|(&a, &b)| u128::from(a) * u128::from(b)).sum();
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// The constants of a kernel.
pub fn cost(kernel: Kernel) -> &'static Cost {
    &COSTS[kernel as usize]
}

/// What one step of a bank of a fixed kernel costs; at least 1.
pub fn step_picoseconds(kernel: Kernel, sizes: &Sizes) -> u64 {
    weigh(&cost(kernel).step, &terms(kernel, sizes)).max(1)
}

/// What a metered run has cost after so many steps and updates of fields.
pub fn metered_picoseconds(kernel: Kernel, sizes: &Sizes, steps: u64, row_updates: u64) -> u64 {
    weigh(&cost(kernel).step, &metered_terms(kernel, sizes, steps, row_updates)).max(1)
}

/// What the start and the end of a run cost, the problem being compiled.
pub fn load_picoseconds(kernel: Kernel, sizes: &Sizes) -> u64 {
    weigh(&cost(kernel).load, &load_terms(sizes))
}

/// Steps of a leg of a fixed kernel: `(W_LEG - load) / cost`, at least 1. `leg_work` is in nanoseconds.
pub fn steps(kernel: Kernel, sizes: &Sizes, leg_work: u64) -> u32 {
    let work = leg_work.saturating_mul(1000).saturating_sub(load_picoseconds(kernel, sizes));
    u32::try_from(work / step_picoseconds(kernel, sizes)).unwrap_or(u32::MAX).max(1)
}

include!("cost_table.rs");
