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

/// Removes every clause that contains a hard clause, unless `work_max` literal visits are used up
/// before. Clauses must have sorted, distinct literals, and no two equal clauses may exist.
pub(super) fn remove_supersets(store: &mut Store, variables: u32, work_max: u64) -> Removed {
    let mut removed = Removed { hard: 0, soft: 0, cut: false };
    let literals = 2 * variables as usize;
    let mut occurrences = vec![0u32; literals];
    let mut order: Vec<u32> = Vec::with_capacity(store.len());
    for clause in (0..store.len()).filter(|&c| store.weight[c] != 0) {
        order.push(clause as u32);
        for literal in store.clause(clause) {
            occurrences[literal.code() as usize] += 1;
        }
    }
    // Shorter clauses first, so that a clause's subsets stand in the lists already.
    order.sort_by_key(|&c| (store.clause(c as usize).len(), c));

    let mut head = vec![u32::MAX; literals];
    let mut next = vec![u32::MAX; store.len()];
    let mut signature = vec![0u64; store.len()];
    let mut marked = vec![false; literals];
    let mut work = 0u64;
    for clause in order.into_iter().map(|c| c as usize) {
        let mut bits = 0u64;
        for literal in store.clause(clause) {
            bits |= 1 << (literal.code().wrapping_mul(0x9e37_79b9) >> 26);
            marked[literal.code() as usize] = true;
        }
        signature[clause] = bits;
        let mut subsumed = false;
        'search: for literal in store.clause(clause) {
            let mut candidate = head[literal.code() as usize];
            while candidate != u32::MAX {
                let other = candidate as usize;
                work += 1;
                if signature[other] & !bits == 0 {
                    let subset = store.clause(other);
                    work += subset.len() as u64;
                    if subset.iter().all(|l| marked[l.code() as usize]) {
                        subsumed = true;
                        break 'search;
                    }
                }
                candidate = next[other];
            }
        }
        for literal in store.clause(clause) {
            marked[literal.code() as usize] = false;
        }
        if subsumed {
            if store.weight[clause] == HARD {
                removed.hard += 1;
            } else {
                removed.soft += 1;
            }
            store.weight[clause] = 0;
        } else if store.weight[clause] == HARD
            && let Some(rarest) = store.clause(clause).iter().min_by_key(|l| occurrences[l.code() as usize])
        {
            let rarest = rarest.code() as usize;
            next[clause] = head[rarest];
            head[rarest] = clause as u32;
        }
        if work > work_max {
            removed.cut = true;
            break;
        }
    }
    removed
}
