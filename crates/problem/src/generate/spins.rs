//! Spin glasses.

use super::graphs::draw_weight;
use super::random::Random;
use super::{
    Content, GENERATED_VARIABLES_MAX, GenerateError, Lattice, SherringtonKirkpatrick, Weights, bounded,
    within,
};
use crate::canonical::Ising;

pub(super) fn sherrington_kirkpatrick(
    p: &SherringtonKirkpatrick,
    seed: u64,
) -> Result<Content, GenerateError> {
    let n = u64::from(p.spins);
    within("the number of spins", n, 2, GENERATED_VARIABLES_MAX)?;
    bounded(n * (n - 1) / 2)?;
    let mut random = Random::new(seed, 5);
    let mut couplings = Vec::with_capacity((n * (n - 1) / 2) as usize);
    for i in 0..p.spins {
        for j in i + 1..p.spins {
            couplings.push((i, j, random.sign()));
        }
    }
    Ok(Content::Ising(Ising { spins: p.spins, couplings, fields: vec![0; p.spins as usize], offset: 0 }))
}

pub(super) fn lattice(p: &Lattice, seed: u64) -> Result<Content, GenerateError> {
    within("the number of dimensions", p.dimensions, 2, 3)?;
    within("the side of the lattice", p.side, 3, 1 << 12)?;
    let spins = u64::from(p.side).pow(p.dimensions);
    within("the number of spins", spins, 1, GENERATED_VARIABLES_MAX)?;
    bounded(spins * u64::from(p.dimensions))?;
    p.weights.check()?;
    let couplings = torus(&vec![p.side; p.dimensions as usize], p.weights, Random::new(seed, 6));
    let spins = spins as u32;
    Ok(Content::Ising(Ising { spins, couplings, fields: vec![0; spins as usize], offset: 0 }))
}

/// The couplings of a periodic lattice with these sides (each at least 3), sorted. Vertex numbers run
/// along the last side first.
pub(super) fn torus(sides: &[u32], weights: Weights, mut random: Random) -> Vec<(u32, u32, i64)> {
    let vertices: u32 = sides.iter().product();
    let mut couplings = Vec::with_capacity(vertices as usize * sides.len());
    for vertex in 0..vertices {
        let mut stride = 1;
        for &side in sides.iter().rev() {
            let position = vertex / stride % side;
            let next = if position + 1 == side { vertex - position * stride } else { vertex + stride };
            let weight = draw_weight(weights, &mut random);
            if weight != 0 {
                couplings.push((vertex.min(next), vertex.max(next), weight));
            }
            stride *= side;
        }
    }
    couplings.sort_unstable();
    couplings
}
