//! What simulation costs, as consensus data: picoseconds of one core of the reference CPU.
//!
//! The reference is one core of an AMD EPYC of the Zen 4 family (25, model 17) with AVX-512, running the kernels of this
//! repository. `cargo run --release -p hysteron-work --example cost_fit` measures instance families, fits the constants
//! below and prints both; a change of them is a change of consensus, and of [`COST_VERSION`].
//!
//! ```text
//! fixed chips:    cost(step) = sum over terms of constant * count           (one step of a bank of 64 chips)
//!                 steps      = (W_LEG - load) / cost(step)                    at least 1
//! metered chips:  cost(run)  = sum over terms of constant * count, its start included
//!                 the leg goes on, round after round, until its cost reaches W_LEG - load
//! ```
//! Counts of fixed chips are those of [`Walk`]: what a sweep walks through, from the compiled circuit, with what a model of
//! two caches and of a branch predictor misses. Those of metered chips follow from sizes and from what happened in the run.

use hysteron_circuit::walk::Walk;

use crate::kernel::Kernel;
use crate::size::Sizes;

/// The version of the constants below.
pub const COST_VERSION: u32 = 5;
/// Cost of one try of the pre-hash, in picoseconds.
pub const PRE_TRY_PICOSECONDS: u64 = 11_800;
/// Terms of the cost of a step.
pub const TERMS: usize = 18;
/// Terms of the cost of starting and ending a run.
pub const LOAD_TERMS: usize = 4;

/// The constants of a kernel, in picoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// One for each of [`terms`], or of [`metered_terms`].
    pub step: [u64; TERMS],
    /// One for each of [`load_terms`].
    pub load: [u64; LOAD_TERMS],
}

/// The names of [`terms`], for reports.
pub const TERM_NAMES: [&str; TERMS] = [
    "step",
    "element",
    "group",
    "occurrence",
    "row",
    "clause",
    "long literal",
    "wide",
    "other",
    "turn",
    "turn unlearnt",
    "row beyond L1",
    "row beyond L2",
    "line beyond L1",
    "line beyond L2",
    "row beyond pages",
    "long occurrence",
    "stall",
];

/// The names of [`metered_terms`]; the last are of none.
pub const METERED_TERM_NAMES: [&str; TERMS] = [
    "step",
    "visit",
    "update",
    "switch",
    "matrix beyond L2",
    "field beyond L1",
    "field beyond L2",
    "list beyond L2",
    "visit beyond L1",
    "tabu spin",
    "switch beyond L2",
    "run",
    "spin of a run",
    "",
    "",
    "",
    "",
    "",
];

/// Turns that a branch predictor learns by heart from sweep to sweep.
const TURNS_LEARNT: u64 = 1 << 14;
/// Bytes that a first-level cache holds, and a second-level one. What misses both is in the third level: the chain admits
/// nothing larger ([`crate::STEP_BYTES_MAX`]).
const CACHES: [u64; 2] = [1 << 15, 1 << 20];

/// What of `count` accesses all over `bytes` misses a cache of `holds` bytes.
fn beyond(count: u64, bytes: u64, holds: u64) -> u64 {
    if bytes <= holds {
        return 0;
    }
    (u128::from(count) * u128::from(bytes - holds) / u128::from(bytes)) as u64
}

/// What the constants of a fixed kernel's step are multiplied with.
pub fn terms(walk: &Walk) -> [u64; TERMS] {
    [
        1,
        walk.elements,
        walk.groups,
        walk.occurrences,
        walk.rows,
        walk.clauses,
        walk.long_literals,
        walk.wide,
        walk.other,
        walk.turns,
        walk.turns.saturating_sub(TURNS_LEARNT),
        walk.random_misses[0],
        walk.random_misses[1],
        walk.stream_misses[0],
        walk.stream_misses[1],
        walk.page_misses,
        walk.long_occurrences,
        walk.stalls,
    ]
}

/// What the constants of a run's start and end are multiplied with.
pub fn load_terms(sizes: &Sizes) -> [u64; LOAD_TERMS] {
    [sizes.variables, sizes.clauses, sizes.literals, 1]
}

/// What happened in a metered run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Events {
    /// Steps.
    pub steps: u64,
    /// Fields that were updated, those of the start not counted.
    pub updates: u64,
    /// Spins that are tabu at a time.
    pub tabu: u64,
}

/// Bytes of the matrix whose rows a metered kernel adds, or of its lists.
pub fn matrix_bytes(kernel: Kernel, sizes: &Sizes) -> u64 {
    let list = 8 * sizes.literals;
    kernel.entry_bytes().map_or(list, |bytes| sizes.variables * sizes.variables.next_multiple_of(64) * bytes)
}

/// The terms of a metered run. At its start half of all spins are switched, as far as that costs; every step visits all
/// spins, or looks for the greatest among them.
pub fn metered_terms(kernel: Kernel, sizes: &Sizes, events: &Events) -> [u64; TERMS] {
    let n = sizes.variables;
    let padded = n.next_multiple_of(64);
    // A matrix is added row by row whatever is in it.
    let row = if kernel.entry_bytes().is_none() { sizes.row_mean() } else { n }.max(1);
    let updates = events.updates.saturating_add(n / 2 * row);
    let switches = updates / row;
    let visits = events.steps.saturating_mul(padded);
    let field_bytes = 6 * padded;
    let mut terms = [0; TERMS];
    (terms[11], terms[12]) = (1, n);
    terms[0] = events.steps;
    terms[1] = visits;
    terms[3] = switches;
    terms[8] = beyond(visits, field_bytes, CACHES[0]);
    terms[9] = events.steps.saturating_mul(events.tabu);
    let bytes = matrix_bytes(kernel, sizes);
    if kernel.entry_bytes().is_some() {
        terms[2] = switches.saturating_mul(padded);
        terms[4] = beyond(terms[2], bytes, CACHES[1]);
        terms[5] = beyond(terms[2], field_bytes, CACHES[0]);
    } else {
        terms[2] = updates;
        terms[5] = beyond(updates, field_bytes, CACHES[0]);
        terms[6] = beyond(updates, field_bytes, CACHES[1]);
        terms[7] = beyond(updates, bytes, CACHES[1]);
        terms[10] = beyond(switches, bytes, CACHES[1]);
    }
    terms
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
pub fn step_picoseconds(kernel: Kernel, walk: &Walk) -> u64 {
    weigh(&cost(kernel).step, &terms(walk)).max(1)
}

/// What a metered run costs, its start and end included, but not what [`load_picoseconds`] says; at least 1.
pub fn metered_picoseconds(kernel: Kernel, sizes: &Sizes, events: &Events) -> u64 {
    weigh(&cost(kernel).step, &metered_terms(kernel, sizes, events)).max(1)
}

/// What the start and the end of a run cost, the problem being compiled.
pub fn load_picoseconds(kernel: Kernel, sizes: &Sizes) -> u64 {
    weigh(&cost(kernel).load, &load_terms(sizes))
}

/// Steps of a leg of a fixed kernel: `(W_LEG - load) / cost`, at least 1. `leg_work` is in nanoseconds.
pub fn steps(kernel: Kernel, sizes: &Sizes, walk: &Walk, leg_work: u64) -> u32 {
    let work = leg_work.saturating_mul(1000).saturating_sub(load_picoseconds(kernel, sizes));
    u32::try_from(work / step_picoseconds(kernel, walk)).unwrap_or(u32::MAX).max(1)
}

include!("cost_table.rs");
