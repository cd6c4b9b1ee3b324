//! Literals that the binary hard clauses make equal: the strongly connected components of the
//! implication graph (Aspvall, Plass, Tarjan 1979), found by Tarjan's algorithm without recursion.

use super::clauses::{HARD, Reducer, State};
use super::restore::Step;
use crate::canonical::Literal;

const UNSEEN: u32 = u32::MAX;

/// Replaces equal literals by one of them. Returns whether there were any; the store may then hold
/// new units. Finds a contradiction where a literal equals its negation.
pub(super) fn merge(reducer: &mut Reducer) -> bool {
    let literals = 2 * reducer.variables as usize;
    let Some((starts, implied)) = implications(reducer, literals) else { return false };

    let mut order = vec![UNSEEN; literals];
    let mut low = vec![0u32; literals];
    let mut on_stack = vec![false; literals];
    let mut stack: Vec<u32> = Vec::new();
    let mut calls: Vec<(u32, u32)> = Vec::new();
    let mut clock = 0u32;
    // The literal that stands for each; itself at first.
    let mut representative: Vec<Literal> = (0..literals as u32).map(Literal::from_code).collect();
    let mut replaced = 0u64;

    for root in 0..literals as u32 {
        if order[root as usize] != UNSEEN || starts[root as usize] == starts[root as usize + 1] {
            continue;
        }
        calls.push((root, starts[root as usize]));
        while let Some((node, edge)) = calls.pop() {
            let n = node as usize;
            if order[n] == UNSEEN {
                order[n] = clock;
                low[n] = clock;
                clock += 1;
                stack.push(node);
                on_stack[n] = true;
            }
            if edge < starts[n + 1] {
                calls.push((node, edge + 1));
                let target = implied[edge as usize].code();
                if order[target as usize] == UNSEEN {
                    calls.push((target, starts[target as usize]));
                } else if on_stack[target as usize] {
                    low[n] = low[n].min(order[target as usize]);
                }
                continue;
            }
            if low[n] == order[n] {
                let first = stack.iter().rposition(|&l| l == node).unwrap_or(0);
                let members = &stack[first..];
                for &member in members {
                    on_stack[member as usize] = false;
                }
                if members.len() > 1 {
                    match choose(members, &mut representative) {
                        Some(count) => replaced += count,
                        None => {
                            reducer.contradiction = true;
                            return false;
                        }
                    }
                }
                stack.truncate(first);
            }
            if let Some(&(parent, _)) = calls.last() {
                low[parent as usize] = low[parent as usize].min(low[n]);
            }
        }
    }
    if replaced == 0 {
        return false;
    }
    for variable in 0..reducer.variables {
        let stands = representative[Literal::new(variable, false).code() as usize];
        if stands.variable() != variable {
            reducer.state[variable as usize] = State::Replaced;
            reducer.steps.push(Step::Copied {
                variable,
                from: stands.variable(),
                opposite: stands.is_negative(),
            });
            reducer.statistics.equivalent += 1;
        }
    }
    reducer.rewrite(|literal| representative[literal.code() as usize]);
    true
}

/// Lets the smallest variable of a component stand for it, in both signs (the mirrored component has
/// the same variables). Returns how many variables were newly replaced, `None` for a contradiction.
fn choose(members: &[u32], representative: &mut [Literal]) -> Option<u64> {
    let least = members.iter().copied().min().map(Literal::from_code)?;
    let mut count = 0;
    for &member in members {
        let member = Literal::from_code(member);
        if member == !least {
            return None;
        }
        if member.variable() == least.variable() {
            continue;
        }
        // The mirrored component chooses the mirrored literal: minimal variables agree.
        if representative[member.code() as usize] == member {
            count += 1;
        }
        representative[member.code() as usize] = least;
        representative[(!member).code() as usize] = !least;
    }
    Some(count)
}

/// For each literal code, the literals that it implies by one binary hard clause; `None` if no
/// such clause exists.
fn implications(reducer: &Reducer, literals: usize) -> Option<(Vec<u32>, Vec<Literal>)> {
    let store = &reducer.store;
    let binary = || {
        store.live().filter(|&c| store.weight[c] == HARD).filter_map(|c| match *store.clause(c) {
            [a, b] => Some((a, b)),
            _ => None,
        })
    };
    let mut starts = vec![0u32; literals + 1];
    for (a, b) in binary() {
        starts[(!a).code() as usize + 1] += 1;
        starts[(!b).code() as usize + 1] += 1;
    }
    for code in 0..literals {
        starts[code + 1] += starts[code];
    }
    if starts[literals] == 0 {
        return None;
    }
    let mut fill = starts.clone();
    let mut implied = vec![Literal::from_code(0); starts[literals] as usize];
    for (a, b) in binary() {
        for (from, to) in [(!a, b), (!b, a)] {
            let slot = &mut fill[from.code() as usize];
            implied[*slot as usize] = to;
            *slot += 1;
        }
    }
    Some((starts, implied))
}
