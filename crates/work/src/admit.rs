//! Which problems the chain admits, and as what class: bounds, the normalisation check, chips.

use std::sync::Arc;

use hysteron_circuit::walk::Walk;
use hysteron_problem::canonical::{self, ClauseList, Problem};
use hysteron_problem::normalise::{NormaliseOptions, normalise};

use crate::chips::Compiled;
use crate::cost;
use crate::error::Refusal;
use crate::kernel::{Kernel, classify};
use crate::parameters::sets;
use crate::rules::WorkRules;
use crate::size::Sizes;
use crate::table::Class;

/// The most rows that a sweep may read for each variable, on average: above, chips that update only what a switch
/// touches would be much faster than chips of fixed cost.
pub const ROW_MEAN_MAX: u64 = 512;

/// The most bytes that a step of a bank may go through, or the matrix of a metered chip have: what a core may hope for of a
/// third-level cache. Legs that go through more fetch each other's rows out of it, and no constant says what they cost, since
/// it depends on who runs beside them (`docs/decisions/0005-work-chips.md`).
pub const STEP_BYTES_MAX: u64 = 8 << 20;

/// The most bytes of a problem in canonical encoding: what one block's data section takes.
pub const PROBLEM_BYTES_MAX: usize = 4 << 20;

/// Reads a problem from its canonical borsh bytes, as they travel in blocks, and checks every invariant of its type.
///
/// # Errors
/// [`Refusal::NotCanonical`], [`Refusal::Bytes`].
pub fn decode_problem(bytes: &[u8]) -> Result<Problem, Refusal> {
    if bytes.len() > PROBLEM_BYTES_MAX {
        return Err(Refusal::Bytes { bytes: bytes.len(), most: PROBLEM_BYTES_MAX });
    }
    let problem: Problem = borsh::from_slice(bytes).map_err(|e| Refusal::NotCanonical(e.to_string()))?;
    check_canonical(&problem)?;
    Ok(problem)
}

/// The invariants of a canonical problem, those first that others rely on.
fn check_canonical(problem: &Problem) -> Result<(), Refusal> {
    let lists: &[&ClauseList] = match problem {
        Problem::Cnf(cnf) => &[&cnf.clauses],
        Problem::Wcnf(wcnf) => &[&wcnf.hard, &wcnf.soft],
        Problem::Ising(_) => &[],
    };
    for list in lists {
        let offsets = list.offsets();
        let is_sound = offsets.first() == Some(&0)
            && offsets.is_sorted()
            && offsets.last().is_some_and(|&end| end as usize == list.literals().len());
        if !is_sound {
            return Err(Refusal::NotCanonical(
                "the boundaries of its clauses contradict its literals".into(),
            ));
        }
    }
    canonical::check(problem).map_err(Refusal::NotCanonical)
}

/// Decides whether a problem may be booked: it is canonical and within bounds; normalising does not shrink it, nor its
/// largest component, by more than the rules allow; all chips of its class can simulate it and a leg holds enough steps.
///
/// # Errors
/// The first reason against it, in that order.
pub fn normalisation_check(problem: &Problem, rules: &WorkRules) -> Result<Class, Refusal> {
    check_canonical(problem)?;
    if problem.variables() > rules.variables_max {
        return Err(Refusal::Variables { variables: problem.variables(), most: rules.variables_max });
    }
    let sizes = Sizes::of(problem);
    if sizes.elements() > u64::from(rules.elements_max) {
        return Err(Refusal::Elements { elements: sizes.elements(), most: rules.elements_max });
    }
    check_shrinking(problem, &sizes, rules)?;
    if sizes.row_mean() > ROW_MEAN_MAX && !matches!(problem, Problem::Ising(_)) {
        return Err(Refusal::NoChip(format!(
            "its clauses couple a variable to {} others on average, and the limit is {ROW_MEAN_MAX}",
            sizes.row_mean()
        )));
    }
    let class = classify(problem, &sizes)?;
    let compiled = Compiled::new(Arc::new(problem.clone()));
    // What costs too much even with everything near, or is too large by its lists alone, is not compiled.
    for kernel in sets(class).iter().filter_map(|set| Kernel::of(set, &sizes)) {
        let bytes = least_bytes(kernel, &sizes);
        if bytes > STEP_BYTES_MAX {
            return Err(Refusal::TooFar { bytes, most: STEP_BYTES_MAX });
        }
        if kernel.is_metered() {
            continue;
        }
        let rows = if is_memcomputing(kernel) { 0 } else { sizes.pairs };
        let near = Walk { elements: sizes.variables, rows, ..Walk::default() };
        let steps = cost::steps(kernel, &sizes, &near, rules.leg_work);
        if steps < rules.steps_min {
            return Err(Refusal::TooCostly { steps: steps.into(), least: rules.steps_min });
        }
    }
    for set in sets(class) {
        compiled.prepare(set).map_err(Refusal::NoChip)?;
        let kernel =
            Kernel::of(set, &sizes).ok_or_else(|| Refusal::NoChip("its weights are too large".into()))?;
        let bytes = compiled.step_bytes(kernel).map_err(Refusal::NoChip)?;
        if bytes > STEP_BYTES_MAX {
            return Err(Refusal::TooFar { bytes, most: STEP_BYTES_MAX });
        }
        let steps = compiled.steps(kernel, rules.leg_work).map_err(Refusal::NoChip)?;
        if steps < rules.steps_min {
            return Err(Refusal::TooCostly { steps: steps.into(), least: rules.steps_min });
        }
    }
    Ok(class)
}

fn is_memcomputing(kernel: Kernel) -> bool {
    matches!(kernel, Kernel::Memcomputing | Kernel::MemcomputingWeighted)
}

/// Bytes that a step goes through at least: of a metered kernel its matrix or lists, else rows of chips and what lists the rows
/// that are read. Clauses with a literal twice, which compiling mends, count as they are.
fn least_bytes(kernel: Kernel, sizes: &Sizes) -> u64 {
    if kernel.is_metered() {
        return cost::matrix_bytes(kernel, sizes);
    }
    let rows = if is_memcomputing(kernel) { sizes.literals } else { sizes.pairs };
    64 * sizes.variables + 4 * rows
}

fn check_shrinking(problem: &Problem, sizes: &Sizes, rules: &WorkRules) -> Result<(), Refusal> {
    let normalised = normalise(problem, &NormaliseOptions::default());
    if normalised.decided.is_some() {
        return Err(Refusal::Decided);
    }
    let largest = normalised
        .components
        .iter()
        .map(|c| (Sizes::of(c).elements(), u64::from(c.variables())))
        .max()
        .ok_or(Refusal::Decided)?;
    let kept = 1000 - u64::from(rules.shrink_per_mille_max.min(1000));
    for (what, before, after) in
        [("variables", sizes.variables, largest.1), ("literals or couplings", sizes.elements(), largest.0)]
    {
        if after * 1000 < before * kept {
            return Err(Refusal::Shrinks { what, before, after });
        }
    }
    Ok(())
}
