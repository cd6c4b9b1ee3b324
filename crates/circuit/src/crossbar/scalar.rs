//! The reference: one lane after the other, in the words of the equations. It defines the truth.

use super::Circuit;
use super::drive::Lanes;
use super::schedule::Thresholds;
use crate::rom::{OFFSET_MASK, element_hash, exponential_q12};
use crate::simd::LANES;

/// 64 chips, `spins[lane][position]` -1 or +1.
pub(super) struct Bank<'a> {
    circuit: &'a Circuit,
    spins: Vec<Vec<i8>>,
}

impl<'a> Bank<'a> {
    pub fn new(circuit: &'a Circuit) -> Self {
        Self { circuit, spins: vec![vec![-1; circuit.spins()]; LANES] }
    }

    /// `g` of a position in a lane: its field and what its neighbours say.
    fn local_field(&self, lane: usize, position: usize) -> i64 {
        let circuit = self.circuit;
        let mut g = circuit.fields[position];
        for k in circuit.rows[position] as usize..circuit.rows[position + 1] as usize {
            let neighbour = circuit.neighbours[k] as usize / LANES;
            g += circuit.weight(position, k) * i64::from(self.spins[lane][neighbour]);
        }
        g
    }
}

impl Lanes for Bank<'_> {
    fn set(&mut self, position: usize, up: u64) {
        for lane in 0..LANES {
            self.spins[lane][position] = if up >> lane & 1 == 1 { 1 } else { -1 };
        }
    }

    fn get(&self, position: usize) -> u64 {
        (0..LANES).fold(0, |bits, lane| bits | u64::from(self.spins[lane][position] > 0) << lane)
    }

    fn sweep(&mut self, key: u64, thresholds: &Thresholds, energies: &mut [i64; LANES]) {
        let noise = exponential_q12();
        for position in 0..self.circuit.spins() {
            let offset = (element_hash(key, position as u32) & OFFSET_MASK) as usize;
            for lane in 0..LANES {
                let product = u128::from(noise[offset + lane]) * u128::from(thresholds.mantissas[lane]);
                let threshold = if thresholds.shift >= 0 {
                    product >> thresholds.shift
                } else {
                    product << -thresholds.shift
                };
                let x = -i64::from(self.spins[lane][position]) * self.local_field(lane, position);
                if i128::from(x) <= threshold as i128 {
                    self.spins[lane][position] *= -1;
                    energies[lane] += 2 * x;
                }
            }
        }
    }

    fn permute(&mut self, source: &[u8; LANES]) {
        self.spins = source.iter().map(|&s| self.spins[usize::from(s)].clone()).collect();
    }

    fn exchange_clusters(
        &mut self,
        partner: &[u8; LANES],
        moving: u64,
        seeds: &[(u32, u64)],
        passes: u32,
    ) -> u64 {
        let circuit = self.circuit;
        let n = circuit.spins();
        let mut moved = 0;
        let before = self.spins.clone();
        for lane in (0..LANES).filter(|l| moving >> l & 1 == 1) {
            let differs: Vec<bool> =
                (0..n).map(|p| before[lane][p] != before[usize::from(partner[lane])][p]).collect();
            let mut reached = vec![false; n];
            for &(position, lanes) in seeds {
                reached[position as usize] |= lanes >> lane & 1 == 1 && differs[position as usize];
            }
            let touched = |reached: &[bool], p: usize| {
                let row = circuit.rows[p] as usize..circuit.rows[p + 1] as usize;
                differs[p]
                    && (reached[p]
                        || row.into_iter().any(|k| reached[circuit.neighbours[k] as usize / LANES]))
            };
            for _ in 0..passes {
                for &p in &circuit.by_spin {
                    reached[p as usize] = touched(&reached, p as usize);
                }
                for &p in circuit.by_spin.iter().rev() {
                    reached[p as usize] = touched(&reached, p as usize);
                }
            }
            // A cluster that has not finished growing is not one: the lane stays.
            if (0..n).all(|p| touched(&reached, p) == reached[p]) {
                moved |= 1 << lane;
                for p in 0..n {
                    if reached[p] {
                        self.spins[lane][p] *= -1;
                    }
                }
            }
        }
        moved
    }

    fn recount(&self) -> [i64; LANES] {
        std::array::from_fn(|lane| {
            (0..self.circuit.spins())
                .map(|p| {
                    // Every coupling is seen from both sides, a field from one.
                    let s = i64::from(self.spins[lane][p]);
                    s * (self.local_field(lane, p) + self.circuit.fields[p])
                })
                .sum::<i64>()
                / 2
        })
    }
}
