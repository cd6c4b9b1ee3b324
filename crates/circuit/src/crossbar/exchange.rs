//! Mode B: replica exchange over 32 temperatures with two chains each, and cluster moves between the two.

use super::Parameters;
use super::drive::Lanes;
use super::schedule::{Scale, TEMPERATURES, Thresholds};
use crate::rom::{OFFSET_MASK, exponential_q12, mix64};
use crate::simd::LANES;

/// `2^20 / ln 2 / 2^4`: turns exponential noise in Q12 into binary digits in Q8 after a shift by 20.
const Q12_TO_LOG2_Q8: u64 = 94_548;

/// Which lane is where on the ladder of temperatures. Temperatures move, spins stay.
pub(super) struct Ladder {
    scale: Scale,
    /// Mantissas, coldest first.
    mantissas: [u16; TEMPERATURES],
    inverses: [u64; TEMPERATURES],
    /// `lanes[chain][temperature]`.
    lanes: [[u8; TEMPERATURES]; 2],
    thresholds: Thresholds,
    exchanges: u64,
}

impl Ladder {
    pub fn new(scale: &Scale) -> Self {
        let mantissas = scale.ladder();
        let mut ladder = Self {
            scale: *scale,
            mantissas,
            inverses: mantissas.map(Scale::inverse),
            lanes: std::array::from_fn(|c| std::array::from_fn(|k| (2 * k + c) as u8)),
            thresholds: Thresholds { mantissas: [0; LANES], shift: scale.shift, uniform: false },
            exchanges: 0,
        };
        ladder.write_thresholds();
        ladder
    }

    /// What the next sweep compares with.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    fn write_thresholds(&mut self) {
        for chain in &self.lanes {
            for (k, &lane) in chain.iter().enumerate() {
                self.thresholds.mantissas[usize::from(lane)] = self.mantissas[k];
            }
        }
    }

    /// Neighbouring temperatures exchange lanes with probability `min(1, exp((1/T - 1/T')(E - E')))`: even pairs and
    /// odd pairs in turn.
    pub fn exchange(&mut self, energies: &[i64; LANES], key: u64) {
        let noise = exponential_q12();
        let first = (self.exchanges % 2) as usize;
        self.exchanges += 1;
        for chain in 0..2 {
            for k in (first..TEMPERATURES - 1).step_by(2) {
                let (cold, warm) = (self.lanes[chain][k], self.lanes[chain][k + 1]);
                // What the exchange would cost: positive where the colder lane has less energy.
                let loss = energies[usize::from(warm)] - energies[usize::from(cold)];
                let inverses = self.inverses[k] - self.inverses[k + 1];
                let draw = noise[(mix64(key ^ (2 * k + chain) as u64) & OFFSET_MASK) as usize];
                let bar = (u64::from(draw) * Q12_TO_LOG2_Q8) >> 20;
                if loss <= 0 || self.scale.log2_q8(loss, inverses) <= bar {
                    self.lanes[chain].swap(k, k + 1);
                }
            }
        }
        self.write_thresholds();
    }

    /// One cluster move at each of the coldest temperatures.
    pub fn clusters(&self, parameters: &Parameters, spins: usize, key: u64, bank: &mut impl Lanes) {
        if spins == 0 {
            return;
        }
        let mut partner = std::array::from_fn(|l| l as u8);
        let mut moving = 0u64;
        let mut seeds = Vec::with_capacity(TEMPERATURES * SEEDS);
        for k in 0..parameters.cluster_temperatures as usize {
            let (a, b) = (self.lanes[0][k], self.lanes[1][k]);
            partner[usize::from(a)] = b;
            partner[usize::from(b)] = a;
            let both = 1u64 << a | 1u64 << b;
            moving |= both;
            for s in 0..SEEDS {
                let draw = mix64(key ^ 1 << 63 ^ (SEEDS * k + s) as u64);
                seeds.push((((u128::from(draw) * spins as u128) >> 64) as u32, both));
            }
        }
        bank.exchange_clusters(&partner, moving, &seeds, parameters.cluster_passes);
    }
}

/// Spins of each pair of lanes that a cluster is tried from; those in which the two lanes agree give none.
const SEEDS: usize = 4;
