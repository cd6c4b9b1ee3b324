//! Difficulty: ASERT (exponential moving target) in its step form, integers only.
//!
//! The target of a block is its parent's, times 2^((solve time of the parent - spacing) / half-life). Products of such
//! steps telescope, so between the bounds this equals the absolutely scheduled form (Lundeberg, "Static difficulty
//! adjustments, with absolutely scheduled exponentially rising targets", 2020, equation 1). The step form forgets
//! time in which nobody mined: after a halt the target meets its bound and the chain needs some half-lives, not as
//! many quick blocks as were missed (`docs/decisions/0008-asert-in-steps.md`). Rounding of a step is below 2^-31 of
//! the target, so its drift over a half-life is far below a second.

use hysteron_work::types::{Target, U256};
use ruint::Uint;

/// No target is below this: one win in about 2^96 attempts, far beyond any network, and cumulative work stays far
/// below its type's end.
pub const HARDEST_TRIES: u128 = 1 << 96;

/// `2^(2^-(i+1))` in units of 2^-63, rounded to nearest.
const ROOTS: [u64; 32] = [
    0xb504f333f9de6484,
    0x9837f0518db8a96f,
    0x8b95c1e3ea8bd6e7,
    0x85aac367cc487b15,
    0x82cd8698ac2ba1d7,
    0x8164d1f3bc030773,
    0x80b1ed4fd999ab6c,
    0x8058d7d2d5e5f6b1,
    0x802c6436d0e04f51,
    0x8016302f17467628,
    0x800b179c82028fd1,
    0x80058baf7fee3b5d,
    0x8002c5d00fdcfcb7,
    0x800162e61bed4a49,
    0x8000b17292f702a4,
    0x800058b92abbae02,
    0x80002c5c8dade4d7,
    0x8000162e44eaf636,
    0x80000b1721fa7c19,
    0x8000058b90de7e4d,
    0x800002c5c8678f37,
    0x80000162e431dba0,
    0x800000b1721872d1,
    0x80000058b90c1aa9,
    0x8000002c5c8605a4,
    0x800000162e4300e6,
    0x8000000b17217ff8,
    0x800000058b90bfdd,
    0x80000002c5c85fe7,
    0x8000000162e42ff2,
    0x80000000b17217f8,
    0x8000000058b90bfc,
];

/// What the rule needs of a network's rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asert {
    /// Wanted seconds between blocks.
    pub spacing_s: u64,
    /// Blocks after which a lasting factor of two in speed is answered by a factor of two in difficulty (of the error,
    /// half is left).
    pub half_life_blocks: u64,
}

impl Asert {
    /// The target that follows `target`, whose block came `solve_s` seconds after its parent (may be negative).
    pub fn next(&self, target: Target, solve_s: i64) -> Target {
        let half_life_s = (i128::from(self.spacing_s) * i128::from(self.half_life_blocks)).max(1);
        let error_s = i128::from(solve_s) - i128::from(self.spacing_s);
        // In units of 2^-32, rounded down; the magnitude is below 2^97.
        let exponent = (error_s << 32).div_euclid(half_life_s);
        scale(target, exponent).clamp(Target::from_expected_tries(HARDEST_TRIES), Target::easiest())
    }
}

/// `target * 2^(exponent / 2^32)`, rounded down, between 0 and the easiest target.
fn scale(target: Target, exponent: i128) -> Target {
    let whole = exponent >> 32;
    let fraction = (exponent & 0xffff_ffff) as u32;
    if whole >= 256 {
        return if target.to_u256().is_zero() { target } else { Target::easiest() };
    }
    if whole < -320 {
        return Target([0; 32]);
    }
    // Below 2^320: 256 bits times a factor in [2^63, 2^64).
    let product: Uint<320, 5> = Uint::from(target.to_u256()) * Uint::from(power(fraction));
    let shift = whole - 63;
    if shift <= 0 {
        let scaled: Uint<320, 5> = product >> (-shift) as usize;
        return if scaled.bit_len() > 256 {
            Target::easiest()
        } else {
            Target::from_u256(U256::from(scaled))
        };
    }
    let shift = shift as usize;
    if product.bit_len() + shift > 256 {
        return Target::easiest();
    }
    Target::from_u256(U256::from(product << shift))
}

/// `2^(fraction / 2^32)` in units of 2^-63; the error is below 33 units.
fn power(fraction: u32) -> u64 {
    let mut factor = 1u64 << 63;
    for (i, root) in ROOTS.iter().enumerate() {
        if fraction >> (31 - i) & 1 == 1 {
            factor = ((u128::from(factor) * u128::from(*root)) >> 63) as u64;
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAIN: Asert = Asert { spacing_s: 120, half_life_blocks: 60 };

    #[test]
    fn a_block_in_time_changes_nothing() {
        let target = Target::from_expected_tries(12_345_678_901);
        assert_eq!(MAIN.next(target, 120), target);
    }

    #[test]
    fn a_half_life_late_doubles_and_early_halves() {
        let target = Target::from_expected_tries(1 << 40);
        assert_eq!(MAIN.next(target, 7200 + 120).expected_tries(), 1 << 39);
        assert_eq!(MAIN.next(target, 120 - 7200).expected_tries(), 1 << 41);
    }

    #[test]
    fn extremes_meet_the_bounds() {
        let target = Target::from_expected_tries(1 << 40);
        assert_eq!(MAIN.next(target, i64::MAX), Target::easiest());
        assert_eq!(MAIN.next(target, i64::MIN), Target::from_expected_tries(HARDEST_TRIES));
        let frozen = Asert { spacing_s: 0, half_life_blocks: 0 };
        assert_eq!(frozen.next(target, 0), target, "a zero half-life divides by nothing");
    }

    #[test]
    fn steps_telescope() {
        // 600 blocks at random times that together take exactly their due time end where they began.
        let start = Target::from_expected_tries(1 << 50);
        let mut target = start;
        for i in 0..600i64 {
            let solve = 120 + [90, -100, 35, -60, 35, 0][(i % 6) as usize];
            target = MAIN.next(target, solve);
        }
        let (a, b) = (target.to_u256() >> 128, start.to_u256() >> 128);
        let ratio = f64::from(a) / f64::from(b);
        assert!((ratio - 1.0).abs() < 1e-6, "{ratio}");
    }

    proptest! {
        #[test]
        fn follows_the_real_exponential(tries in 1u128..1 << 80, solve in -20_000i64..20_000) {
            let target = Target::from_expected_tries(tries);
            let next = f64::from(MAIN.next(target, solve).to_u256());
            let real = f64::from(target.to_u256()) * ((solve - 120) as f64 / 7200.0).exp2();
            let real = real.min(f64::from(Target::easiest().to_u256()));
            prop_assert!((next / real - 1.0).abs() < 1e-9, "{} {}", next, real);
        }

        #[test]
        fn slower_is_never_harder(tries in 1u128..1 << 80, solve in -20_000i64..20_000, later in 0i64..1000) {
            let target = Target::from_expected_tries(tries);
            prop_assert!(MAIN.next(target, solve) <= MAIN.next(target, solve + later));
        }
    }
}
