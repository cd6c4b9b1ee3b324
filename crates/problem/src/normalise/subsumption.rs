//! Finds clauses that another one implies: equal clauses by hashing, supersets by one-watch forward
//! subsumption (Zhang 2005; Bayardo and Panda 2011), with signatures and a bound on the work.

use super::clauses::{HARD, Store};
use crate::canonical::Literal;

/// What [`merge_duplicates`] did.
#[derive(Default)]
pub(super) struct Merged {
    pub duplicates: u64,
    pub soft_implied: u64,
    pub opposite_units: u64,
    /// The weight that every assignment pays for settled pairs of opposite soft units.
    pub constant: u64,
}

/// Drops equal hard clauses and soft clauses equal to a hard one, adds up equal soft clauses, settles
/// opposite soft units. Clauses must have sorted literals.
pub(super) fn merge_duplicates(store: &mut Store) -> Merged {
    let mut merged = Merged::default();
    let slots = (2 * store.len()).next_power_of_two().max(2);
    let mask = slots as u64 - 1;
    let mut table = vec![u32::MAX; slots];
    for clause in 0..store.len() {
        if store.weight[clause] == 0 {
            continue;
        }
        let mut slot = hash(store.clause(clause)) & mask;
        loop {
            let entry = table[slot as usize];
            if entry == u32::MAX {
                table[slot as usize] = clause as u32;
                break;
            }
            let first = entry as usize;
            if store.clause(first) == store.clause(clause) {
                let (a, b) = (store.weight[first], store.weight[clause]);
                match (a == HARD, b == HARD) {
                    (false, false) => {
                        merged.duplicates += 1;
                        store.weight[first] = a + b; // at most the sum of all, so it fits
                    }
                    (true, true) => merged.duplicates += 1,
                    _ => {
                        merged.soft_implied += 1;
                        store.weight[first] = HARD;
                    }
                }
                store.weight[clause] = 0;
                break;
            }
            slot = (slot + 1) & mask;
        }
    }
    // Opposite soft units: both orders of the pair are met; the one whose literal is positive settles.
    for clause in 0..store.len() {
        let weight = store.weight[clause];
        let &[literal] = store.clause(clause) else { continue };
        if weight == 0 || weight == HARD || literal.is_negative() {
            continue;
        }
        let mut slot = hash(&[!literal]) & mask;
        while table[slot as usize] != u32::MAX {
            let other = table[slot as usize] as usize;
            if store.clause(other) == [!literal] {
                if store.weight[other] != HARD && store.weight[other] != 0 {
                    let settled = weight.min(store.weight[other]);
                    store.weight[clause] -= settled;
                    store.weight[other] -= settled;
                    merged.constant += settled;
                    merged.opposite_units += 1;
                }
                break;
            }
            slot = (slot + 1) & mask;
        }
    }
    merged
}

fn hash(clause: &[Literal]) -> u64 {
    let mut hash = clause.len() as u64;
    for literal in clause {
        hash = crate::mix::mix64(hash ^ u64::from(literal.code()));
    }
    hash
}

/// What [`remove_supersets`] did.
pub(super) struct Removed {
    pub hard: u64,
    pub soft: u64,
    /// Whether the work bound stopped it.
    pub cut: bool,
}

/// A hard clause in the list of one of its literals.
struct Watched {
    signature: u64,
    clause: u32,
    next: u32,
}

const END: u32 = u32::MAX;

/// Removes every clause that contains a hard clause, unless `work_max` literal visits are used up
/// before. Clauses must have sorted, distinct literals, and no two equal clauses may exist.
pub(super) fn remove_supersets(store: &mut Store, variables: u32, work_max: u64) -> Removed {
    let mut removed = Removed { hard: 0, soft: 0, cut: false };
    let mut order: Vec<u32> = store.live().map(|c| c as u32).collect();
    // Shorter clauses first: a clause's subsets are shorter, since no two are equal.
    order.sort_by_key(|&c| store.clause(c as usize).len());
    let length = |clause: Option<&u32>| clause.map_or(0, |&c| store.clause(c as usize).len());
    if length(order.first()) == length(order.last()) {
        return removed;
    }
    let mut occurrences = vec![0u32; 2 * variables as usize];
    for &clause in &order {
        for literal in store.clause(clause as usize) {
            occurrences[literal.code() as usize] += 1;
        }
    }
    let mut heads = vec![END; 2 * variables as usize];
    let mut watched: Vec<Watched> = Vec::new();
    let mut dead: Vec<usize> = Vec::new();
    let mut work = 0u64;
    let mut rest = &order[..];
    while let Some(&first) = rest.first() {
        let group_length = store.clause(first as usize).len();
        let (group, longer) =
            rest.split_at(rest.partition_point(|&c| store.clause(c as usize).len() == group_length));
        rest = longer;
        for &clause in group {
            let literals = store.clause(clause as usize);
            if !watched.is_empty() && contains_watched(store, literals, &heads, &watched, &mut work) {
                dead.push(clause as usize);
            }
            if work > work_max {
                removed.cut = true;
                break;
            }
        }
        for clause in dead.drain(..) {
            if store.weight[clause] == HARD {
                removed.hard += 1;
            } else {
                removed.soft += 1;
            }
            store.weight[clause] = 0;
        }
        if removed.cut || rest.is_empty() {
            break;
        }
        for &clause in group.iter().filter(|&&c| store.weight[c as usize] == HARD) {
            let literals = store.clause(clause as usize);
            let Some(rarest) = literals.iter().min_by_key(|l| occurrences[l.code() as usize]) else {
                continue;
            };
            let head = &mut heads[rarest.code() as usize];
            watched.push(Watched { signature: signature(literals), clause, next: *head });
            *head = watched.len() as u32 - 1;
        }
    }
    removed
}

/// Whether some watched clause is a subset of `literals`.
fn contains_watched(
    store: &Store,
    literals: &[Literal],
    heads: &[u32],
    watched: &[Watched],
    work: &mut u64,
) -> bool {
    let bits = signature(literals);
    for literal in literals {
        let mut node = heads[literal.code() as usize];
        *work += 1;
        while node != END {
            let candidate = &watched[node as usize];
            *work += 1;
            if candidate.signature & !bits == 0 {
                let subset = store.clause(candidate.clause as usize);
                *work += subset.len() as u64;
                if subset.iter().all(|l| literals.binary_search(l).is_ok()) {
                    return true;
                }
            }
            node = candidate.next;
        }
    }
    false
}

/// One of 64 bits for each literal: a subset has a subset of the bits.
fn signature(clause: &[Literal]) -> u64 {
    clause.iter().fold(0, |bits, l| bits | 1 << (l.code().wrapping_mul(0x9e37_79b9) >> 26))
}
