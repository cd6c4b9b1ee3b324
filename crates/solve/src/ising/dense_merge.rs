//! Recombination of several elites by merging: spins that stand to each other in the same way in all
//! elites become one, and the small problem that is left is solved by itself. Where good states differ
//! by whole domains that no single switch can turn, this finds the best combination of domains
//! (Houdayer and Martin's genetic renormalisation, 1999, with a chip at each level).

use hysteron_circuit::dense::{Circuit, Mode, Parameters};
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_problem::Ising;

/// The most elites that are merged at once: a signature is one bit for each.
pub const ELITES_MAX: usize = 32;
/// The most spins of a merged problem; with more, merging saves nothing.
const MERGED_MAX: usize = 4096;

/// The best combination of the domains of `elites` (at least one, all of the problem's length), and the
/// work that it took. None if there are too many or too few domains, or if the best is an elite itself.
pub fn combine(ising: &Ising, elites: &[&[bool]], seed: u64, backend: Cpu) -> Option<(Vec<bool>, u64)> {
    let (reference, others) = elites.split_first()?;
    let n = reference.len();
    let signature = |i: usize| {
        let bits = others.iter().take(ELITES_MAX - 1).enumerate();
        bits.fold(0u32, |bits, (k, elite)| bits | u32::from(elite[i] != reference[i]) << k)
    };
    let signatures: Vec<u32> = (0..n).map(signature).collect();
    let block_of = blocks(ising, &signatures);
    let count = block_of.iter().max().map_or(0, |&b| b as usize + 1);
    if !(3..=MERGED_MAX).contains(&count) {
        return None;
    }
    let merged = merge(ising, reference, &block_of, count);
    let circuit = Circuit::compile(&merged, Mode::Tabu).ok()?;
    let parameters = Parameters { chips: 2, ..Parameters::of_class("merged") };
    let states = vec![vec![true; count], (0..count).map(|b| b % 2 == 0).collect()];
    let request = Request {
        seed,
        steps: 30 * count as u32 + 200,
        start: Start::From { states: &states, kick_per_mille: 0 },
        target: None,
        stop_at_target: false,
        interrupt: None,
    };
    let report = backend.run(&circuit, &parameters, &request).ok()?;
    let best = &report.lanes[report.best_lane()].assignment;
    let child: Vec<bool> = (0..n).map(|i| reference[i] == best[block_of[i] as usize]).collect();
    let is_old = |elite: &&&[bool]| {
        let apart = elite.iter().zip(&child).filter(|(a, b)| a != b).count();
        apart == 0 || apart == n
    };
    if elites.iter().any(|elite| is_old(&elite)) {
        return None;
    }
    Some((child, report.ecu + ising.couplings.len() as u64))
}

/// The domain of each spin: equal signatures, and connected by couplings.
fn blocks(ising: &Ising, signatures: &[u32]) -> Vec<u32> {
    let n = signatures.len();
    let mut parent: Vec<u32> = (0..n as u32).collect();
    fn root(parent: &mut [u32], mut i: u32) -> u32 {
        while parent[i as usize] != i {
            parent[i as usize] = parent[parent[i as usize] as usize];
            i = parent[i as usize];
        }
        i
    }
    // Fields couple to a spin that all elites share, so that what agrees with it is one domain too; but
    // turning a domain over stays possible, as its own spin.
    for &(i, j, _) in &ising.couplings {
        if signatures[i as usize] == signatures[j as usize] {
            let (a, b) = (root(&mut parent, i), root(&mut parent, j));
            parent[a.max(b) as usize] = a.min(b);
        }
    }
    let mut names = vec![u32::MAX; n];
    let mut count = 0;
    (0..n as u32)
        .map(|i| {
            let name = &mut names[root(&mut parent, i) as usize];
            if *name == u32::MAX {
                *name = count;
                count += 1;
            }
            *name
        })
        .collect()
}

/// The problem on domains: up means as in the reference.
fn merge(ising: &Ising, reference: &[bool], block_of: &[u32], count: usize) -> Ising {
    let sign = |i: u32| if reference[i as usize] { 1 } else { -1 };
    let mut fields = vec![0i64; count];
    for (i, &field) in ising.fields.iter().enumerate() {
        fields[block_of[i] as usize] += sign(i as u32) * field;
    }
    let mut offset = ising.offset;
    let mut pairs: Vec<(u32, u32, i64)> = Vec::new();
    // A table where it is small, else pairs that are sorted and added up.
    let mut table = if count <= 512 { vec![0i64; count * count] } else { Vec::new() };
    for &(i, j, weight) in &ising.couplings {
        let weight = sign(i) * sign(j) * weight;
        let (a, b) = (block_of[i as usize], block_of[j as usize]);
        let (a, b) = (a.min(b), a.max(b));
        if a == b {
            offset += weight;
        } else if table.is_empty() {
            pairs.push((a, b, weight));
        } else {
            table[a as usize * count + b as usize] += weight;
        }
    }
    for (k, &weight) in table.iter().enumerate().filter(|p| *p.1 != 0) {
        pairs.push(((k / count) as u32, (k % count) as u32, weight));
    }
    pairs.sort_unstable_by_key(|p| (p.0, p.1));
    let mut couplings: Vec<(u32, u32, i64)> = Vec::with_capacity(pairs.len());
    for (a, b, weight) in pairs {
        match couplings.last_mut() {
            Some(last) if (last.0, last.1) == (a, b) => last.2 += weight,
            _ => couplings.push((a, b, weight)),
        }
    }
    couplings.retain(|c| c.2 != 0);
    Ising { spins: count as u32, couplings, fields, offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_two_states_are_recombined() {
        // Three pairs of strongly bound spins; the reference has the first right, the other the rest.
        let couplings = vec![(0, 1, -50), (0, 5, 1), (2, 3, -50), (3, 4, 1), (4, 5, -50)];
        let ising = Ising { spins: 6, couplings, fields: vec![-3, -3, 0, -9, 0, 0], offset: 2 };
        let a = [true, true, false, false, false, false];
        let b = [false, false, true, true, false, false];
        let (child, _) = combine(&ising, &[&a, &b], 1, Cpu::Scalar).expect("three domains");
        assert_eq!(child, [true, true, true, true, false, false]);
    }

    #[test]
    fn merged_energies_are_energies() {
        let couplings = vec![(0, 1, 3), (0, 2, -5), (1, 2, 7), (1, 3, 11), (2, 3, -13)];
        let ising = Ising { spins: 4, couplings, fields: vec![1, -2, 4, 0], offset: 100 };
        let reference = [true, false, false, true];
        let block_of = [0, 1, 1, 2];
        let merged = merge(&ising, &reference, &block_of, 3);
        for bits in 0..8 {
            let blocks: Vec<bool> = (0..3).map(|b| bits >> b & 1 != 0).collect();
            let state: Vec<bool> = (0..4).map(|i| reference[i] == blocks[block_of[i] as usize]).collect();
            assert_eq!(merged.energy(&blocks), ising.energy(&state));
        }
    }
}
