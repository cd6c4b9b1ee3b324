//! Starts of the local search by unit propagation (Cai, Luo, Zhang 2017, "From decimation to local search and back"):
//! assign what a hard clause forces, else what a soft unit clause asks, else something.

use hysteron_circuit::rom::mix64;

use super::partial::Clauses;
use crate::permutation::permutation;

/// An assignment made by propagation. Free variables take the value of `hint`, if there is one, else one at
/// random. Conflicts are passed over.
pub(super) fn propagate(clauses: &Clauses, hint: Option<&[bool]>, seed: u64) -> Vec<bool> {
    let mut state = seed;
    let mut draw = |below: usize| {
        state = state.wrapping_add(1);
        ((u128::from(mix64(state)) * below as u128) >> 64) as usize
    };
    let n = clauses.variables;
    let mut assigned = vec![false; n];
    let mut values = vec![false; n];
    // Per clause, its free literals, or MAX once satisfied.
    let mut free: Vec<u32> = clauses.offsets.windows(2).map(|w| w[1] - w[0]).collect();
    let mut hard_units: Vec<u32> = Vec::new();
    let mut soft_units: Vec<u32> = Vec::new();
    for (clause, &count) in free.iter().enumerate() {
        if count == 1 {
            if clause < clauses.hard_count { &mut hard_units } else { &mut soft_units }.push(clause as u32);
        }
    }
    let mut order = permutation(n as u32, &mut draw);
    let free_code = |clause: u32, assigned: &[bool]| {
        clauses.codes[clauses.range(clause as usize)].iter().copied().find(|&c| !assigned[(c >> 1) as usize])
    };
    loop {
        let code = if !hard_units.is_empty() {
            let clause = hard_units.swap_remove(draw(hard_units.len()));
            if free[clause as usize] != 1 {
                continue;
            }
            free_code(clause, &assigned)
        } else if !soft_units.is_empty() {
            // The heavier of two.
            let (a, b) = (draw(soft_units.len()), draw(soft_units.len()));
            let weight = |i: usize| clauses.weights[soft_units[i] as usize - clauses.hard_count];
            let clause = soft_units.swap_remove(if weight(a) >= weight(b) { a } else { b });
            if free[clause as usize] != 1 {
                continue;
            }
            free_code(clause, &assigned)
        } else {
            match order.pop() {
                None => break,
                Some(variable) if assigned[variable as usize] => continue,
                Some(variable) => {
                    let value = hint.map_or_else(|| draw(2) == 1, |h| h[variable as usize]);
                    Some(variable << 1 | u32::from(!value))
                }
            }
        };
        let Some(code) = code else { continue };
        let variable = (code >> 1) as usize;
        (assigned[variable], values[variable]) = (true, code & 1 == 0);
        for i in clauses.occurrence_range(code) {
            free[clauses.occurrences[i] as usize] = u32::MAX;
        }
        for i in clauses.occurrence_range(code ^ 1) {
            let clause = clauses.occurrences[i] as usize;
            if free[clause] != u32::MAX {
                free[clause] -= 1;
                if free[clause] == 1 {
                    if clause < clauses.hard_count { &mut hard_units } else { &mut soft_units }
                        .push(clause as u32);
                }
            }
        }
    }
    values
}
