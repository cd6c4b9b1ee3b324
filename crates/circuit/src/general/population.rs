//! Population annealing: lanes are copied in proportion to the Boltzmann weights that a fall of temperature
//! gives them (Hukushima, Iba 2003), by systematic resampling, in integers.

use crate::rom::mix64;
use crate::simd::LANES;

/// The lane that each lane becomes a copy of, for costs in 1/256 of the mean weight and a fall from `hot` to `cold`
/// (in 1/1024 of it). Lane `i` keeps its place when all costs are equal.
pub(super) fn ancestors(costs: &[i64; LANES], hot: u32, cold: u32, noise: u64) -> [u8; LANES] {
    let least = costs.iter().copied().min().unwrap_or(0);
    // (1 / cold - 1 / hot) log2(e) in Q16, per mean weight; at temperature 0 as at 1/1024.
    let (hot, cold) = (u64::from(hot.max(1)), u64::from(cold.max(1)));
    let rise = (((1u64 << 26) / cold).saturating_sub((1 << 26) / hot) * 94_548) >> 16;
    let weights: [u64; LANES] = std::array::from_fn(|lane| {
        let excess = (costs[lane] - least).clamp(0, 1 << 30) as u64;
        let halvings = (u128::from(excess) * u128::from(rise)) >> 8;
        let (whole, part) = ((halvings >> 16) as u64, halvings as u64 & 0xffff);
        // Between powers of two the chord: 2^-x = 1 - x / 2.
        if whole >= 40 { 0 } else { ((1 << 40) - (part << 23)) >> whole }
    });
    let total: u64 = weights.iter().sum();
    let offset = ((u128::from(mix64(noise)) * u128::from(total)) >> 64) as u64;
    let mut ancestors = [0; LANES];
    let (mut ancestor, mut reached) = (0, weights[0]);
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
    fn copies_follow_weights() {
        let identity: [u8; LANES] = std::array::from_fn(|lane| lane as u8);
        assert_eq!(ancestors(&[5; LANES], 400, 200, 9), identity);
        let costs: [i64; LANES] = std::array::from_fn(|lane| 256 * (lane as i64 % 3));
        for noise in 0..50 {
            let list = ancestors(&costs, 1024, 512, noise);
            let weight = |c: i64| (-(c as f64) / 256.0).exp();
            let total: f64 = costs.iter().map(|&c| weight(c)).sum();
            for lane in 0..LANES {
                let copies = list.iter().filter(|&&a| usize::from(a) == lane).count() as f64;
                assert!((copies - 64.0 * weight(costs[lane]) / total).abs() < 1.2);
            }
        }
    }
}
