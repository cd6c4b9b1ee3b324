//! Weighted partial MaxSAT with structure.

use super::graphs::random_pairs;
use super::random::Random;
use super::{Auction, Content, GENERATED_VARIABLES_MAX, Made, SoftColouring, VertexCover, bounded, within};
use crate::canonical::{Literal, Wcnf};

/// Items that a bid asks for, at most.
const BID_ITEMS_MAX: u64 = 6;
/// Regions into which the items fall; a bid mostly asks for items of one.
const REGIONS: u32 = 4;

pub(super) fn auction(p: &Auction, seed: u64) -> Made {
    within("the number of items", p.items, REGIONS.into(), 1 << 16)?;
    within("the number of bids", p.bids, 1, 1 << 16)?;
    let mut random = Random::new(seed, 13);
    let worth: Vec<i64> = (0..p.items).map(|_| random.between(10, 100)).collect();
    let mut wanted_by: Vec<Vec<u32>> = vec![Vec::new(); p.items as usize];
    let mut wcnf = Wcnf { variables: p.bids, ..Wcnf::default() };
    for bid in 0..p.bids {
        let region = random.index(REGIONS);
        let count = 1 + random.below(BID_ITEMS_MAX.min(u64::from(p.items)));
        let mut price = 0;
        let mut items = Vec::new();
        for _ in 0..count {
            let near = random.chance(4, 5);
            let item = random.index(p.items);
            // The items of a region are those with its remainder.
            let item = if near { item / REGIONS * REGIONS + region } else { item }.min(p.items - 1);
            if !items.contains(&item) {
                items.push(item);
                price += worth[item as usize];
            }
        }
        // Bidders value a bundle up to a fifth below or above its items.
        let price = (price * random.between(80, 120) / 100).max(1);
        wcnf.soft.push(&[Literal::new(bid, false)]);
        wcnf.weights.push(price as u64);
        items.iter().for_each(|&item| wanted_by[item as usize].push(bid));
    }
    let conflicts: u64 = wanted_by.iter().map(|b| b.len() as u64 * (b.len() as u64).saturating_sub(1)).sum();
    bounded(conflicts)?;
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for bids in &wanted_by {
        for (k, &second) in bids.iter().enumerate() {
            pairs.extend(bids[..k].iter().map(|&first| (first, second)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    for (first, second) in pairs {
        wcnf.hard.push(&[Literal::new(first, true), Literal::new(second, true)]);
    }
    Ok((Content::Wcnf(wcnf), None))
}

pub(super) fn vertex_cover(p: &VertexCover, seed: u64) -> Made {
    within("the largest weight", p.weight_max, 1, u64::from(u32::MAX))?;
    bounded(2 * u64::from(p.edges) + u64::from(p.vertices))?;
    let mut random = Random::new(seed, 14);
    let mut pairs = random_pairs(p.vertices, p.edges, &mut random)?;
    pairs.sort_unstable();
    let mut wcnf = Wcnf { variables: p.vertices, ..Wcnf::default() };
    for (u, v) in pairs {
        wcnf.hard.push(&[Literal::new(u, false), Literal::new(v, false)]);
    }
    for vertex in 0..p.vertices {
        wcnf.soft.push(&[Literal::new(vertex, true)]);
        wcnf.weights.push(random.between(1, i64::from(p.weight_max)) as u64);
    }
    Ok((Content::Wcnf(wcnf), None))
}

pub(super) fn soft_colouring(p: &SoftColouring, seed: u64) -> Made {
    within("the number of colours", p.colours, 2, 64)?;
    within("the number of vertices", p.vertices, 2, GENERATED_VARIABLES_MAX / 64)?;
    within("the vertices of a cluster", p.cluster, 2, u64::from(p.vertices))?;
    within("the largest weight", p.weight_max, 1, u64::from(u32::MAX))?;
    let colours = u64::from(p.colours);
    bounded(u64::from(p.vertices) * colours * colours + 2 * u64::from(p.edges) * colours)?;
    // Within clusters alone there is room for this many; half of it keeps the drawing quick.
    let room = u64::from(p.vertices / p.cluster) * u64::from(p.cluster) * u64::from(p.cluster - 1) / 2;
    within("the number of edges", p.edges, 0, room / 2 + u64::from(p.vertices))?;
    let mut random = Random::new(seed, 15);
    let mut seen = std::collections::BTreeSet::new();
    let wanted = p.edges as usize;
    let mut tries = 0u64;
    while seen.len() < wanted {
        tries += 1;
        if tries > 1000 * (1 + u64::from(p.edges)) {
            return Err(super::GenerateError::Unlucky { tries });
        }
        let u = random.index(p.vertices);
        let v = if random.chance(9, 10) {
            let start = u / p.cluster * p.cluster;
            start + random.index(p.cluster.min(p.vertices - start))
        } else {
            random.index(p.vertices)
        };
        if u != v {
            seen.insert((u.min(v), u.max(v)));
        }
    }
    let has = |vertex, colour, negative| Literal::new(vertex * p.colours + colour, negative);
    let mut wcnf = Wcnf { variables: p.vertices * p.colours, ..Wcnf::default() };
    for vertex in 0..p.vertices {
        let some: Vec<_> = (0..p.colours).map(|c| has(vertex, c, false)).collect();
        wcnf.hard.push(&some);
        for second in 1..p.colours {
            for first in 0..second {
                wcnf.hard.push(&[has(vertex, first, true), has(vertex, second, true)]);
            }
        }
    }
    for (u, v) in seen {
        let weight = random.between(1, i64::from(p.weight_max)) as u64;
        for colour in 0..p.colours {
            wcnf.soft.push(&[has(u, colour, true), has(v, colour, true)]);
            wcnf.weights.push(weight);
        }
    }
    Ok((Content::Wcnf(wcnf), None))
}
