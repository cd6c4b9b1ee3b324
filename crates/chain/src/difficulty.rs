//! The work that a block stands for, and the rule of time.

use hysteron_work::types::Target;

/// Blocks whose median time a new block must exceed.
pub const MEDIAN_TIME_BLOCKS: usize = 11;
/// Seconds that a block may be ahead of the receiver's clock.
pub const FUTURE_S_MAX: u64 = 120;

/// Expected cost units behind a block: those of an attempt (pre-hash included) times the expected number of
/// attempts. Saturates (targets are bounded far below that).
pub fn block_work(attempt_ecu: u64, target: &Target) -> u128 {
    u128::from(attempt_ecu).saturating_mul(target.expected_tries())
}

/// The median of the times of the last blocks (at most [`MEDIAN_TIME_BLOCKS`] are given; of an even number, the
/// later middle). 0 if there are none.
pub fn median_time(times: &[u64]) -> u64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median_time(&[]), 0);
        assert_eq!(median_time(&[7]), 7);
        assert_eq!(median_time(&[9, 1]), 9);
        assert_eq!(median_time(&[3, 1, 2]), 2);
    }

    #[test]
    fn work_is_cost_times_tries() {
        assert_eq!(block_work(1000, &Target::easiest()), 1000);
        assert_eq!(block_work(1000, &Target::from_expected_tries(1 << 20)), 1000 << 20);
        assert_eq!(block_work(u64::MAX, &Target([0; 32])), u128::MAX);
    }
}
