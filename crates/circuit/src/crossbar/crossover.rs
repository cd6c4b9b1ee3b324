//! Partition crossover (Whitley et al. 2009, for Ising problems): the spins in which two states differ fall into connected
//! components; flipping one of them in the first state changes the energy independently of the others, so
//! the best of all `2^components` children is found exactly, by flipping every component that gains.

use hysteron_problem::Ising;

/// Rows of couplings by spin, of a problem in its own order and units: what crossover and local search walk on.
#[derive(Clone, Debug)]
pub struct Graph {
    starts: Vec<u32>,
    entries: Vec<(u32, i64)>,
    fields: Vec<i64>,
}

impl Graph {
    /// The rows of `problem`.
    pub fn new(problem: &Ising) -> Self {
        let spins = problem.spins as usize;
        let mut starts = vec![0u32; spins + 1];
        for &(i, j, _) in &problem.couplings {
            starts[i as usize + 1] += 1;
            starts[j as usize + 1] += 1;
        }
        for i in 0..spins {
            starts[i + 1] += starts[i];
        }
        let mut fill = starts.clone();
        let mut entries = vec![(0, 0); 2 * problem.couplings.len()];
        for &(i, j, weight) in &problem.couplings {
            for (a, b) in [(i, j), (j, i)] {
                entries[fill[a as usize] as usize] = (b, weight);
                fill[a as usize] += 1;
            }
        }
        Self { starts, entries, fields: problem.fields.clone() }
    }

    /// The number of spins.
    pub fn spins(&self) -> usize {
        self.fields.len()
    }

    /// The field of a spin.
    pub fn field(&self, spin: usize) -> i64 {
        self.fields[spin]
    }

    /// Neighbours of a spin and their couplings.
    #[inline]
    pub fn row(&self, spin: usize) -> &[(u32, i64)] {
        &self.entries[self.starts[spin] as usize..self.starts[spin + 1] as usize]
    }

    /// What the spin's couplings and field add to the energy in this state, times the spin's own sign: flipping
    /// the spin changes the energy by minus twice this.
    #[inline]
    pub fn tension(&self, state: &[bool], spin: usize) -> i64 {
        let up = state[spin];
        let signed = |weight: i64, same: bool| if same { weight } else { -weight };
        self.row(spin).iter().map(|&(j, w)| signed(w, state[j as usize] == up)).sum::<i64>()
            + signed(self.fields[spin], up)
    }
}

/// Buffers of a crossover, kept between calls.
#[derive(Clone, Debug, Default)]
pub struct Crossover {
    mark: Vec<u32>,
    component: Vec<u32>,
}

impl Crossover {
    /// Flips in `state` every connected component of its difference from `other` whose flip lowers the energy, and those that
    /// leave it equal if `drift`. Returns by how much the energy changed (0 or less), and how many components there were.
    pub fn fold(&mut self, graph: &Graph, state: &mut [bool], other: &[bool], drift: bool) -> (i64, usize) {
        let spins = graph.spins();
        self.mark.clear();
        self.mark.resize(spins, 0);
        let (mut change, mut components) = (0, 0);
        for root in 0..spins {
            if state[root] == other[root] || self.mark[root] != 0 {
                continue;
            }
            components += 1;
            // The component, breadth first, and what its border and fields say against the flip.
            self.component.clear();
            self.component.push(root as u32);
            self.mark[root] = components as u32;
            let mut tension = 0i64;
            let mut at = 0;
            while at < self.component.len() {
                let i = self.component[at] as usize;
                at += 1;
                tension += if state[i] { graph.field(i) } else { -graph.field(i) };
                for &(j, weight) in graph.row(i) {
                    let j = j as usize;
                    if state[j] != other[j] || self.mark[j] == components as u32 {
                        // Inside: flips along. (A spin that an earlier component flipped is not adjacent to this one.)
                        if self.mark[j] == 0 {
                            self.mark[j] = components as u32;
                            self.component.push(j as u32);
                        }
                    } else {
                        tension += if state[i] == state[j] { weight } else { -weight };
                    }
                }
            }
            if tension > 0 || (drift && tension == 0) {
                change -= 2 * tension;
                for &i in &self.component {
                    state[i as usize] ^= true;
                }
            }
        }
        (change, components)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rom::mix64;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_child_is_at_least_as_good_as_both_parents(seed: u64, spins in 1u32..40, density in 1u64..6) {
            let mut couplings = Vec::new();
            for i in 0..spins {
                for j in i + 1..spins {
                    let h = mix64(seed ^ u64::from(i << 8 | j));
                    if h % u64::from(spins) < density {
                        couplings.push((i, j, (h >> 40) as i64 % 7 - 3));
                    }
                }
            }
            couplings.retain(|c| c.2 != 0);
            let fields = (0..spins).map(|i| (mix64(seed ^ u64::from(i) << 20) % 5) as i64 - 2).collect();
            let problem = Ising { spins, couplings, fields, offset: 3 };
            let state = |salt: u64| -> Vec<bool> {
                (0..spins).map(|i| mix64(seed ^ salt << 30 ^ u64::from(i)) & 1 == 1).collect()
            };
            let graph = Graph::new(&problem);
            let (mut child, other) = (state(1), state(2));
            let (before, against) = (problem.energy(&child), problem.energy(&other));
            for i in 0..spins as usize {
                let mut flipped = child.clone();
                flipped[i] ^= true;
                prop_assert_eq!(problem.energy(&flipped) - before, -2 * graph.tension(&child, i));
            }
            let (change, _) = Crossover::default().fold(&graph, &mut child, &other, seed & 1 == 1);
            prop_assert_eq!(problem.energy(&child), before + change);
            prop_assert!(problem.energy(&child) <= before.min(against));
        }
    }
}
