//! Population annealing: when the temperature falls, lanes with little energy are copied over lanes with much, as the
//! Boltzmann distribution of the new temperature asks (Hukushima, Iba 2003; Machta 2010). Integers, systematic
//! resampling, within groups of lanes so that one lane cannot take over the bank.

use std::sync::OnceLock;

use super::schedule::Scale;
use crate::rom::mix64;
use crate::simd::LANES;

/// `2^(16 - k / 256)`, rounded.
fn powers() -> &'static [u32; 256] {
    static TABLE: OnceLock<[u32; 256]> = OnceLock::new();
    TABLE.get_or_init(|| {
        /// `2^(-1 / 256)` in Q62.
        const STEP_Q62: u128 = 4_599_216_278_082_138_665;
        let mut value = 1u128 << 62;
        std::array::from_fn(|_| {
            let entry = ((value + (1 << 45)) >> 46) as u32;
            value = (value * STEP_Q62) >> 62;
            entry
        })
    })
}

/// The lane that each lane becomes a copy of, when the mantissa falls from `from` to `to`.
pub(super) fn resample(
    energies: &[i64; LANES],
    scale: &Scale,
    from: u16,
    to: u16,
    group_lanes: usize,
    key: u64,
) -> [u8; LANES] {
    let inverses = Scale::inverse(to).saturating_sub(Scale::inverse(from));
    let mut source = std::array::from_fn(|l| l as u8);
    for group in (0..LANES).step_by(group_lanes) {
        let lanes = group..group + group_lanes;
        let least = energies[lanes.clone()].iter().copied().min().expect("a group has lanes");
        let weights: [u64; LANES] = std::array::from_fn(|l| {
            if !lanes.contains(&l) {
                return 0;
            }
            let exponent = scale.log2_q8(energies[l] - least, inverses);
            if exponent >> 8 >= 32 {
                0
            } else {
                u64::from(powers()[(exponent & 255) as usize] >> (exponent >> 8))
            }
        });
        let total: u64 = weights.iter().sum();
        // Slot k takes the lane in whose stretch of the cumulated weights (k + u) / lanes of the total lies.
        let u = mix64(key ^ group as u64) >> 48;
        let within = (u * total) >> 16;
        let (mut lane, mut cumulated) = (group, weights[group]);
        for k in 0..group_lanes {
            while k as u64 * total + within >= cumulated * group_lanes as u64 && lane + 1 < lanes.end {
                lane += 1;
                cumulated += weights[lane];
            }
            source[group + k] = lane as u8;
        }
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossbar::Parameters;

    #[test]
    fn copies_follow_the_weights() {
        let scale = Scale::new(4 << 16, &Parameters::of_class("sparse"));
        let mut energies = [0i64; LANES];
        // A group in which lane 5 is far better takes it everywhere; equal lanes stay as they are.
        for (l, energy) in energies.iter_mut().enumerate().take(8) {
            *energy = if l == 5 { -1_000_000 } else { 0 };
        }
        let (from, to) = (scale.hot, scale.hot - scale.hot / 10);
        let source = resample(&energies, &scale, from, to, 8, 1);
        assert_eq!(source[..8], [5; 8]);
        assert!((8..LANES).all(|l| source[l] == l as u8));
        // The same temperature changes nothing.
        assert!((0..LANES).all(|l| resample(&energies, &scale, to, to, 64, 9)[l] == l as u8));
        // On average a lane is copied as often as its weight says.
        let energies: [i64; LANES] = std::array::from_fn(|l| (l as i64 % 8) * 3);
        let t = |m: u16| f64::from(m) * 2f64.powi(13 - scale.shift);
        let delta = 1.0 / t(to) - 1.0 / t(from);
        let weights: Vec<f64> = (0..8).map(|l| (-3.0 * l as f64 * delta).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mut counts = [0f64; 8];
        for key in 0..2000 {
            for &s in &resample(&energies, &scale, from, to, 8, mix64(key)) {
                counts[usize::from(s) % 8] += 1.0;
            }
        }
        for l in 0..8 {
            let expected = weights[l] / total * 2000.0 * 64.0;
            assert!((counts[l] - expected).abs() < 0.02 * expected + 50.0, "{l}: {} {expected}", counts[l]);
        }
    }
}
