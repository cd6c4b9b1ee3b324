//! Wishes of which at most one can be granted: all but one of a group are paid for at once, and
//! the group becomes one wish, that one of its members holds.
//!
//! After the intrinsic at-most-one constraints of Ignatiev, Morgado, Marques-Silva, *RC2: an
//! efficient MaxSAT solver*, JSAT 11 (2019), section 3.

use hysteron_problem::Literal;

use super::Instance;
use super::propagator::Propagator;

/// Watchers that may be looked at for finding exclusive pairs.
const VISITS_MAX: u64 = 50_000_000;
/// Exclusive pairs that may be kept.
const PAIRS_MAX: usize = 4_000_000;

/// Replaces groups of exclusive wishes. Returns a number of work units of about a nanosecond.
pub fn merge_exclusive(instance: &mut Instance) -> u64 {
    let variables = instance.variables_extended;
    let mut weights = vec![0u64; 2 * variables as usize];
    for &(wish, weight) in &instance.wishes {
        weights[wish.code() as usize] = weight;
    }
    let mut propagator = Propagator::new(variables, &instance.clauses);
    // For each wish, the places of the wishes that it rules out.
    let mut places = vec![u32::MAX; 2 * variables as usize];
    for (place, &(wish, _)) in instance.wishes.iter().enumerate() {
        places[wish.code() as usize] = place as u32;
    }
    let mut excluded: Vec<Vec<u32>> = vec![Vec::new(); instance.wishes.len()];
    let mut refuted = Vec::new();
    let mut pairs = 0;
    for place in 0..instance.wishes.len() {
        if propagator.visits > VISITS_MAX || pairs > PAIRS_MAX {
            break;
        }
        let (wish, weight) = instance.wishes[place];
        let Some(implied) = propagator.implied(wish) else {
            refuted.push(!wish);
            instance.offset += weight as i64;
            weights[wish.code() as usize] = 0;
            continue;
        };
        for literal in implied {
            let other = places[(!literal).code() as usize];
            if other != u32::MAX && other as usize != place {
                excluded[place].push(other);
                excluded[other as usize].push(place as u32);
                pairs += 2;
            }
        }
    }
    let cost = propagator.visits * 5 + instance.clauses.len() as u64 * 20;
    for list in &mut excluded {
        list.sort_unstable();
        list.dedup();
    }
    instance.clauses.extend(refuted.into_iter().map(|literal| vec![literal]));
    let merged = merge_groups(instance, &mut weights, &excluded);
    instance.wishes = instance
        .wishes
        .iter()
        .map(|&(wish, _)| (wish, weights[wish.code() as usize]))
        .filter(|&(_, weight)| weight > 0)
        .chain(merged)
        .collect();
    cost
}

/// Greedily takes groups in which every two exclude each other, until there is none.
fn merge_groups(instance: &mut Instance, weights: &mut [u64], excluded: &[Vec<u32>]) -> Vec<(Literal, u64)> {
    let mut merged = Vec::new();
    let mut order: Vec<u32> = (0..excluded.len() as u32).collect();
    order.sort_by_key(|&place| excluded[place as usize].len());
    let weight_of = |weights: &[u64], instance: &Instance, place: u32| {
        weights[instance.wishes[place as usize].0.code() as usize]
    };
    for &first in &order {
        while weight_of(weights, instance, first) > 0 {
            let mut group = vec![first];
            let mut candidates: Vec<u32> = excluded[first as usize]
                .iter()
                .copied()
                .filter(|&place| weight_of(weights, instance, place) > 0)
                .collect();
            candidates.sort_by_key(|&place| (excluded[place as usize].len(), place));
            for candidate in candidates {
                let fits = |&member: &u32| excluded[candidate as usize].binary_search(&member).is_ok();
                if group.iter().all(fits) {
                    group.push(candidate);
                }
            }
            if group.len() < 2 {
                break;
            }
            let members: Vec<Literal> = group.iter().map(|&p| instance.wishes[p as usize].0).collect();
            let least = members.iter().map(|l| weights[l.code() as usize]).min().unwrap_or(0);
            for member in &members {
                weights[member.code() as usize] -= least;
            }
            instance.offset += least as i64 * (members.len() as i64 - 1);
            let wish = Literal::new(instance.variables_extended, false);
            instance.variables_extended += 1;
            let mut clause = members;
            clause.push(!wish);
            instance.clauses.push(clause);
            merged.push((wish, least));
        }
    }
    merged
}
