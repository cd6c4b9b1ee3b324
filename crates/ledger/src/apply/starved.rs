//! Whether miners avoided a job: the one-in-a-million tail, in integers.

use crate::job::LEG_UNITS;

/// A job is starved if what was proven for it has a probability below one in so many.
const ODDS: u128 = 1_000_000;
/// Terms are relative to the one at `proven`, which gets this value.
const ONE: u128 = 1 << 40;
/// More due legs than this are counted as this.
const DUE_LEGS_MAX: u64 = 1 << 22;

/// Whether `proven` legs or fewer are less likely than one in a million, when `due` (in [`LEG_UNITS`] of a leg) were to be
/// expected.
///
/// Winning legs are independent draws, each with its own small probability. For counts below the mean such a sum has no more
/// probability in its lower tail than the Poisson distribution of the same mean (Hoeffding 1956, theorem 5; Anderson and
/// Samuels 1967), so the Poisson tail never calls a job starved that is not. It is
/// `sum_(i <= k) m^i / i!  /  sum_i m^i / i!`, and the test multiplies it out: is a million times the sum up to `k` less than
/// the whole? Terms are taken relative to the `k`-th, downwards and upwards, until they no longer count.
pub fn is_starved(proven: u64, due: u64) -> bool {
    let mean = u128::from(due.min(DUE_LEGS_MAX * LEG_UNITS));
    let unit = u128::from(LEG_UNITS);
    if u128::from(proven) * unit >= mean {
        return false;
    }
    // Terms up to `proven`, from the largest: t_(i-1) = t_i i / m. They shrink, as i < m.
    let (mut term, mut below) = (ONE, ONE);
    let mut i = u128::from(proven);
    while i > 0 && term > 0 {
        term = term * i * unit / mean;
        below += term;
        i -= 1;
    }
    // All terms, upwards: t_(i+1) = t_i m / (i+1). Below 2^62 terms sum to below 2^64; a million times that ends the
    // loop, so a term is below 2^85 and its product with the mean below 2^123.
    let threshold = below * ODDS;
    let (mut term, mut all) = (ONE, below);
    let mut i = u128::from(proven);
    while all <= threshold && term > 0 {
        i += 1;
        term = term * mean / (i * unit);
        all += term;
    }
    all > threshold
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The Poisson distribution function, in floats, by logarithms.
    fn tail(k: u64, mean: f64) -> f64 {
        let mut log_factorial = 0.0;
        let mut sum = 0.0;
        for i in 0..=k {
            if i > 0 {
                log_factorial += (i as f64).ln();
            }
            sum += (i as f64 * mean.ln() - mean - log_factorial).exp();
        }
        sum
    }

    #[test]
    fn known_values() {
        let legs = |n: f64| (n * LEG_UNITS as f64) as u64;
        // exp(-13.8155) is one in a million.
        assert!(!is_starved(0, legs(13.81)));
        assert!(is_starved(0, legs(13.82)));
        assert!(!is_starved(0, 0));
        assert!(!is_starved(5, legs(4.0)));
        assert!(is_starved(0, u64::MAX), "huge means are clamped");
        assert!(!is_starved(u64::MAX, u64::MAX));
    }

    proptest! {
        #[test]
        fn agrees_with_floats(k in 0u64..3000, excess in 0.0f64..12.0) {
            let mean = k as f64 + excess * (k as f64 + 4.0).sqrt();
            prop_assume!(mean > 0.01);
            let exact = tail(k, mean);
            // Not within a relative 10^-4 of the boundary, where the float or the unit of `due` decide.
            prop_assume!((exact / 1e-6 - 1.0).abs() > 1e-3);
            prop_assert_eq!(is_starved(k, (mean * LEG_UNITS as f64) as u64), exact < 1e-6, "{} {}", mean, exact);
        }

        #[test]
        fn more_proven_never_starves(k in 0u64..100_000, due in any::<u32>()) {
            let due = u64::from(due) << 6;
            prop_assert!(!is_starved(k + 1, due) || is_starved(k, due));
        }
    }
}
