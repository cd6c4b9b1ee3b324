//! Graphs for Max-Cut, in the manner of Rinaldi's generator rudy, from which the Gset comes.

use std::collections::HashSet;

use super::random::Random;
use super::spins::torus;
use super::{
    Content, GENERATED_VARIABLES_MAX, GenerateError, PlanarUnion, RandomGraph, RegularGraph, ToroidalGrid,
    Weights, bounded, within,
};

impl Weights {
    pub(super) fn check(self) -> Result<(), GenerateError> {
        match self {
            Self::One | Self::Signs => Ok(()),
            Self::Uniform(most) => within("the largest weight", most, 1, 1 << 31),
            Self::Gaussian(deviation) => {
                within("the standard deviation of the weights", deviation, 1, 1 << 28)
            }
        }
    }
}

/// A weight, 0 only where a Gaussian one rounds to it.
pub(super) fn draw_weight(weights: Weights, random: &mut Random) -> i64 {
    match weights {
        Weights::One => 1,
        Weights::Signs => random.sign(),
        Weights::Uniform(most) => {
            let magnitude = random.between(1, i64::from(most));
            magnitude * random.sign()
        }
        Weights::Gaussian(deviation) => random.gaussian(deviation),
    }
}

/// Sorts the edges and gives them weights.
fn weighted(mut pairs: Vec<(u32, u32)>, vertices: u32, weights: Weights, random: &mut Random) -> Content {
    pairs.sort_unstable();
    let edges = pairs.into_iter().map(|(u, v)| (u, v, draw_weight(weights, random)));
    Content::Graph { vertices, edges: edges.filter(|e| e.2 != 0).collect() }
}

fn ordered(u: u32, v: u32) -> (u32, u32) {
    (u.min(v), u.max(v))
}

/// `count` different pairs of different vertices, uniformly; not sorted.
pub(super) fn random_pairs(
    vertices: u32,
    count: u32,
    random: &mut Random,
) -> Result<Vec<(u32, u32)>, GenerateError> {
    let n = u64::from(vertices);
    within("the number of vertices", n, 2, GENERATED_VARIABLES_MAX)?;
    let all = n * (n - 1) / 2;
    within("the number of edges", count, 0, all)?;
    bounded(u64::from(count))?;
    let mut pairs = Vec::with_capacity(count as usize);
    if u64::from(count) > all / 8 {
        // Each pair in turn is among the chosen with the chance that makes all choices alike.
        let mut missing = u64::from(count);
        let mut left = all;
        for u in 0..vertices {
            for v in u + 1..vertices {
                if random.below(left) < missing {
                    pairs.push((u, v));
                    missing -= 1;
                }
                left -= 1;
            }
        }
    } else {
        let mut seen = HashSet::with_capacity(count as usize);
        while pairs.len() < count as usize {
            let (u, v) = (random.index(vertices), random.index(vertices));
            if u != v && seen.insert(ordered(u, v)) {
                pairs.push(ordered(u, v));
            }
        }
    }
    Ok(pairs)
}

pub(super) fn random(p: &RandomGraph, seed: u64) -> Result<Content, GenerateError> {
    p.weights.check()?;
    let mut random = Random::new(seed, 7);
    let pairs = random_pairs(p.vertices, p.edges, &mut random)?;
    Ok(weighted(pairs, p.vertices, p.weights, &mut random))
}

pub(super) fn toroidal(p: &ToroidalGrid, seed: u64) -> Result<Content, GenerateError> {
    p.weights.check()?;
    within("the number of rows", p.rows, 3, GENERATED_VARIABLES_MAX)?;
    within("the number of columns", p.columns, 3, GENERATED_VARIABLES_MAX)?;
    let vertices = u64::from(p.rows) * u64::from(p.columns);
    within("the number of vertices", vertices, 9, GENERATED_VARIABLES_MAX)?;
    let edges = torus(&[p.rows, p.columns], p.weights, Random::new(seed, 8));
    Ok(Content::Graph { vertices: vertices as u32, edges })
}

pub(super) fn planar_union(p: &PlanarUnion, seed: u64) -> Result<Content, GenerateError> {
    p.weights.check()?;
    within("the number of vertices", p.vertices, 4, GENERATED_VARIABLES_MAX)?;
    within("the density in percent", p.density_percent, 0, 100)?;
    let mut random = Random::new(seed, 9);
    let mut pairs = triangulation(p.vertices, p.density_percent, &mut random);
    pairs.extend(triangulation(p.vertices, p.density_percent, &mut random));
    pairs.sort_unstable();
    pairs.dedup();
    Ok(weighted(pairs, p.vertices, p.weights, &mut random))
}

/// A maximal planar graph on randomly named vertices, grown from a triangle by putting each vertex into
/// a random face; of its `3 n - 6` edges, `density` percent are kept.
fn triangulation(vertices: u32, density: u32, random: &mut Random) -> Vec<(u32, u32)> {
    let mut names: Vec<u32> = (0..vertices).collect();
    random.shuffle(&mut names);
    // Both sides of the first triangle are faces.
    let mut faces = vec![[names[0], names[1], names[2]]; 2];
    let mut pairs =
        vec![ordered(names[0], names[1]), ordered(names[1], names[2]), ordered(names[0], names[2])];
    for &vertex in &names[3..] {
        let chosen = random.index(faces.len() as u32) as usize;
        let [a, b, c] = faces[chosen];
        faces[chosen] = [a, b, vertex];
        faces.extend([[a, c, vertex], [b, c, vertex]]);
        pairs.extend([a, b, c].map(|corner| ordered(corner, vertex)));
    }
    random.shuffle(&mut pairs);
    pairs.truncate((pairs.len() as u64 * u64::from(density) / 100) as usize);
    pairs
}

/// Swaps that the repair of a pairing may try, for each edge.
const REPAIRS_PER_EDGE: u64 = 1000;

pub(super) fn regular(p: &RegularGraph, seed: u64) -> Result<Content, GenerateError> {
    p.weights.check()?;
    within("the degree", p.degree, 1, 16)?;
    within("the number of vertices", p.vertices, 2 * u64::from(p.degree), GENERATED_VARIABLES_MAX)?;
    let stubs = u64::from(p.vertices) * u64::from(p.degree);
    if stubs % 2 == 1 {
        return Err(GenerateError::OddEnds);
    }
    bounded(stubs / 2)?;
    let mut random = Random::new(seed, 10);
    // The configuration model: pair the stubs at random, then swap ends of loops and double edges with
    // those of random other edges.
    let mut ends: Vec<u32> =
        (0..p.vertices).flat_map(|v| std::iter::repeat_n(v, p.degree as usize)).collect();
    random.shuffle(&mut ends);
    let mut pairs: Vec<(u32, u32)> = ends.chunks_exact(2).map(|c| ordered(c[0], c[1])).collect();
    let mut seen = HashSet::with_capacity(pairs.len());
    let mut bad: Vec<usize> = Vec::new();
    for (index, &pair) in pairs.iter().enumerate() {
        if pair.0 == pair.1 || !seen.insert(pair) {
            bad.push(index);
        }
    }
    let tries_max = REPAIRS_PER_EDGE * pairs.len() as u64;
    let mut tries = 0;
    while let Some(&index) = bad.last() {
        tries += 1;
        if tries > tries_max {
            return Err(GenerateError::Unlucky { tries });
        }
        let other = random.below(pairs.len() as u64) as usize;
        let (a, b) = pairs[index];
        let (c, d) = if random.bit() { pairs[other] } else { (pairs[other].1, pairs[other].0) };
        let (first, second) = (ordered(a, c), ordered(b, d));
        let fits = |pair: (u32, u32)| pair.0 != pair.1 && !seen.contains(&pair);
        if bad.contains(&other) || first == second || !fits(first) || !fits(second) {
            continue;
        }
        seen.remove(&pairs[other]);
        seen.extend([first, second]);
        (pairs[index], pairs[other]) = (first, second);
        bad.pop();
    }
    Ok(weighted(pairs, p.vertices, p.weights, &mut random))
}
