//! Population annealing: lanes are copied in proportion to the Boltzmann weights that a fall of
//! temperature gives them (Hukushima and Iba 2003; Machta 2010), by systematic resampling, in integers.

use crate::rom::mix64;
use crate::simd::LANES;

use super::tables::Level;

/// `2^(-i / 64)` in Q40.
const POWERS: [u64; 64] = powers();

const fn powers() -> [u64; 64] {
    // Six square roots of 1/2, in Q62, are 2^(-1/64).
    let mut root: u128 = 1 << 61;
    let mut i = 0;
    while i < 6 {
        root = (root << 62).isqrt();
        i += 1;
    }
    let mut table = [0; 64];
    let mut power: u128 = 1 << 62;
    let mut i = 0;
    while i < 64 {
        table[i] = (power >> 22) as u64;
        power = (power * root) >> 62;
        i += 1;
    }
    table
}

/// `1 / cold - 1 / hot` in Q16; 0 if either is no temperature to divide by.
pub(super) fn rise_q16(hot: Level, cold: Level) -> u64 {
    if cold.q10() == 0 || hot <= cold {
        return 0;
    }
    (1 << 26) / u64::from(cold.q10()) - (1 << 26) / u64::from(hot.q10())
}

/// The lane that each lane becomes a copy of, for a rise of the inverse temperature (Q16). A pure
/// function of its arguments.
pub(super) fn ancestors(energies: &[i64; LANES], rise_q16: u64, noise: u64) -> [u8; LANES] {
    let least = energies.iter().min().copied().unwrap_or(0);
    // log2(e) in Q16; an excess of 2^20 clauses is weight 0 at any rise that matters.
    let weights: [u64; LANES] = std::array::from_fn(|lane| {
        let excess = (energies[lane] - least).min(1 << 20) as u64;
        let halvings_q16 = ((excess * rise_q16.min(1 << 24)).min(1 << 44) * 94_548) >> 16;
        let shift = halvings_q16 >> 16;
        if shift >= 40 { 0 } else { POWERS[(halvings_q16 >> 10 & 63) as usize] >> shift }
    });
    let total: u64 = weights.iter().sum();
    // Lane i points at (i + u) / 64 of the total, u in [0, 1) common to all.
    let offset = ((u128::from(mix64(noise)) * u128::from(total)) >> 64) as u64;
    let mut ancestors = [0; LANES];
    let mut ancestor = 0;
    let mut reached = weights[0];
    for (lane, out) in ancestors.iter_mut().enumerate() {
        let pointer = lane as u64 * total + offset;
        while reached * LANES as u64 <= pointer && ancestor + 1 < LANES {
            ancestor += 1;
            reached += weights[ancestor];
        }
        *out = ancestor as u8;
    }
    ancestors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_right() {
        for (i, &power) in POWERS.iter().enumerate() {
            let exact = 2f64.powf(-(i as f64) / 64.0);
            assert!((power as f64 / 2f64.powi(40) - exact).abs() < 1e-11);
        }
    }

    #[test]
    fn copies_are_proportional_to_weights() {
        let energies: [i64; LANES] = std::array::from_fn(|lane| lane as i64 % 5);
        let rise = rise_q16(Level::at_most(2048), Level::at_most(1024));
        assert_eq!(rise, 1 << 15);
        let total: f64 = energies.iter().map(|&e| (-0.5 * e as f64).exp()).sum();
        for noise in 0..100 {
            let ancestors = ancestors(&energies, rise, noise);
            assert!(ancestors.is_sorted());
            for (lane, &energy) in energies.iter().enumerate() {
                let copies = ancestors.iter().filter(|&&a| usize::from(a) == lane).count() as f64;
                let expected = 64.0 * (-0.5 * energy as f64).exp() / total;
                assert!((copies - expected).abs() < 1.05, "{lane} {copies} {expected}");
            }
        }
    }

    #[test]
    fn equal_energies_keep_every_lane() {
        let identity: [u8; LANES] = std::array::from_fn(|lane| lane as u8);
        assert_eq!(ancestors(&[7; LANES], 1 << 20, 3), identity);
        assert_eq!(ancestors(&[i64::MAX >> 1; LANES], 1 << 30, 99), identity);
    }
}
