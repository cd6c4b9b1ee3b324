//! The price: what a chip-block costs in atoms, and how quotes move the rate.

use std::ops::RangeInclusive;

use crate::amount::ATOMS_PER_HYS;
use crate::genesis::Genesis;
use crate::state::Oracle;

/// Rates that may be quoted, in millionths of a euro cent for one HYS.
pub const RATES: RangeInclusive<u64> = 100..=10_000_000_000_000_000;
/// The rate moves at most by this part of itself in an hour: 1 %.
const SLEW_DIVISOR: u64 = 100;
const SECONDS_PER_HOUR: u64 = 3_600;

/// The rate that the genesis fixes.
pub(crate) fn genesis_rate(genesis: &Genesis) -> u64 {
    genesis.market.euro_cents_per_hys.saturating_mul(1_000_000)
}

/// Whether quotes are so old that jobs pause.
pub(crate) fn is_stale(genesis: &Genesis, oracle: &Oracle, clock: u64) -> bool {
    let market = &genesis.market;
    !market.rate_is_fixed && clock.saturating_sub(oracle.quoted) > market.stale_seconds
}

/// The block fee, in atoms rounded up, of `chips` chips for `blocks` blocks; `None` if it is more than 2^64 - 1.
pub fn block_fee(genesis: &Genesis, rate: u64, chips: u64, blocks: u32) -> Option<u64> {
    // 2^32 chips x 2^18 blocks x 2^40 microcents x 2^30 atoms = 2^120.
    let microcents = u128::from(chips)
        .checked_mul(blocks.into())?
        .checked_mul(genesis.market.microcents_per_chip_block.into())?;
    let atoms = microcents.checked_mul(ATOMS_PER_HYS.into())?.div_ceil(rate.max(1).into());
    u64::try_from(atoms).ok()
}

/// The median of rates with weights: the least rate at or below which at least half of the weight is. `None` without weight.
pub(crate) fn median(mut quotes: Vec<(u64, u64)>) -> Option<u64> {
    quotes.sort_unstable();
    let total: u128 = quotes.iter().map(|q| u128::from(q.1)).sum();
    let mut below = 0u128;
    quotes.iter().find_map(|&(rate, weight)| {
        below += u128::from(weight);
        (weight > 0 && 2 * below >= total).then_some(rate)
    })
}

/// The rate after a move towards `goal` at time `clock`. Steps that round to nothing wait until they do not; a long silence
/// earns no more than an hour's move.
pub(crate) fn moved(oracle: &Oracle, goal: u64, clock: u64) -> Oracle {
    let seconds = clock.saturating_sub(oracle.moved).min(SECONDS_PER_HOUR);
    let step = u128::from(oracle.rate) * u128::from(seconds) / u128::from(SECONDS_PER_HOUR * SLEW_DIVISOR);
    let step = u64::try_from(step).unwrap_or(u64::MAX);
    if step == 0 {
        return *oracle;
    }
    let rate = goal.clamp(oracle.rate.saturating_sub(step), oracle.rate.saturating_add(step));
    Oracle { rate: rate.clamp(*RATES.start(), *RATES.end()), moved: clock, ..*oracle }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices() {
        let genesis = Genesis::devnet();
        // 1000 chips x 100 blocks x 100 microcents = 10 cents = 1 HYS at 10 cents.
        assert_eq!(block_fee(&genesis, 10_000_000, 1000, 100), Some(ATOMS_PER_HYS));
        assert_eq!(block_fee(&genesis, 10_000_001, 1, 1), Some(10_000), "rounded up");
        let largest =
            block_fee(&genesis, *RATES.start(), crate::limits::CHIPS_MAX, crate::limits::BLOCKS_MAX);
        assert_eq!(largest, None, "too much for any account, but no overflow");
    }

    #[test]
    fn medians() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![(5, 0)]), None);
        assert_eq!(median(vec![(3, 1), (1, 1), (2, 1)]), Some(2));
        assert_eq!(median(vec![(1, 5), (9, 4)]), Some(1));
        assert_eq!(median(vec![(1, 4), (9, 5)]), Some(9));
    }

    proptest! {
        #[test]
        fn the_rate_moves_at_most_one_per_cent_an_hour(
            goals in prop::collection::vec((RATES, 0u64..600), 1..40), rate in 10_000u64..1 << 50
        ) {
            let start = Oracle { rate, moved: 0, quoted: 0 };
            let (mut oracle, mut clock) = (start, 0u64);
            for (goal, seconds) in goals {
                clock += seconds;
                let next = moved(&oracle, goal, clock);
                let allowed = oracle.rate / 100;
                prop_assert!(next.rate.abs_diff(oracle.rate) <= allowed);
                prop_assert!(next.rate.abs_diff(goal) <= oracle.rate.abs_diff(goal), "never away from the goal");
                oracle = next;
            }
            // Compounded hourly steps bound the whole way.
            let hours = clock as f64 / 3600.0;
            let most = (hours * 1.01 * 0.01).exp();
            let ratio = oracle.rate as f64 / rate as f64;
            prop_assert!(ratio <= most + 1e-3 && ratio >= 1.0 / most - 1e-3, "{ratio} in {hours} h");
        }
    }
}
