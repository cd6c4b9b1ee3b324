//! What simulation costs, as consensus data: picoseconds of one core of the reference CPU.
//!
//! The reference is one core of an AMD EPYC of the Zen 3 family (25, model 1) with AVX2, running the kernels of this
//! repository. `cargo run --release -p hysteron-work --example cost_fit` measures instance families, fits the constants
//! below and prints both; a change of them is a change of consensus, and of [`COST_VERSION`].
//!
//! ```text
//! fixed chips:    cost(step) = sum over terms of constant * count           (one step of a bank of 64 chips)
//!                 steps      = (W_LEG - load) / cost(step)                    at least 1
//! metered chips:  cost(run)  = visits * a + row updates * b + switches * c + steps * d
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
pub const TERMS: usize = 10;
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
];

/// A variable in more clauses than this makes memcomputing chips sum forces in 32 bits.
const NARROW_DEGREE_MAX: u64 = 64;

/// What the constants of a step are multiplied with; a metered kernel's are visits, row updates, switches and steps (the
/// first four, of a whole run).
pub fn terms(kernel: Kernel, sizes: &Sizes) -> [u64; TERMS] {
    let (middle, near) = sizes.pairs_far(state_bytes(kernel, sizes));
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
    ]
}

/// What the constants of a run's start and end are multiplied with.
pub fn load_terms(sizes: &Sizes) -> [u64; LOAD_TERMS] {
    [sizes.variables, sizes.clauses, 1]
}

/// The terms of a metered run: visits of spins, updates of fields, switches, steps.
pub fn metered_terms(kernel: Kernel, sizes: &Sizes, steps: u64, row_updates: u64) -> [u64; TERMS] {
    // A matrix is added row by row whatever is in it.
    let row = match kernel {
        Kernel::AnnealLists | Kernel::TabuLists => sizes.row_mean(),
        _ => sizes.variables,
    };
    let mut terms = [0; TERMS];
    terms[0] = steps.saturating_mul(sizes.variables);
    terms[1] = row_updates;
    terms[2] = row_updates / row.max(1);
    terms[3] = steps;
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
