//! Temperatures: 16-bit mantissas over one shift a run, so that thresholds are a product and a shift.

use super::Parameters;
use crate::simd::LANES;

/// Sweeps for which mode A keeps a temperature: the kernels tabulate the thresholds of one.
pub(super) const HOLD: u32 = 4;

/// Temperatures of mode B.
pub(super) const TEMPERATURES: usize = LANES / 2;

/// `ln 2` inverted, Q32.
const LOG2_E_Q32: u128 = 6_196_328_018;

/// The scale of a run's temperatures: `T / 2 = mantissa * 2^(12 - shift)`, in reduced weights.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Scale {
    /// `threshold = (NOISE * mantissa) >> shift`, negative shifts to the left. NOISE is Q12.
    pub shift: i32,
    /// The mantissa of the highest temperature.
    pub hot: u16,
    /// The mantissa of the lowest.
    pub cold: u16,
}

/// What one sweep compares with: thresholds of lane `l` are `(NOISE * mantissas[l]) >> shift`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Thresholds {
    pub mantissas: [u16; LANES],
    pub shift: i32,
    /// All lanes have the first one's mantissa.
    pub uniform: bool,
}

impl Scale {
    /// For temperatures in thousandths of `sigma` (Q16, at least 1). The hottest mantissa has its top bit set.
    pub fn new(sigma_q16: u128, parameters: &Parameters) -> Self {
        // T / 2 in Q16 is sigma * milli / 2000. Sigma is below 2^78, so the product is below 2^89; as many more bits as fit
        // keep the division exact enough.
        let product = (sigma_q16 * u128::from(parameters.hot_milli)).max(1);
        let bits = 40.min(product.leading_zeros() as i32 - 1);
        let half = |milli: u32| ((sigma_q16 * u128::from(milli)) << bits) / 2000;
        // The highest gets exactly 16 bits.
        let drop = 128 - half(parameters.hot_milli).max(1).leading_zeros() as i32 - 16;
        let mantissa = |milli: u32| {
            let value = half(milli);
            let value = if drop >= 0 { value >> drop } else { value << -drop };
            value.clamp(1, 65_535) as u16
        };
        // T/2 = mantissa * 2^(drop - bits - 16), and equals mantissa * 2^(12 - shift).
        Self {
            shift: 12 + 16 + bits - drop,
            hot: mantissa(parameters.hot_milli),
            cold: mantissa(parameters.cold_milli),
        }
    }

    /// The mantissa of mode A in sweep `step` of `cooling` sweeps: linear from hot to cold, in steps of [`HOLD`] sweeps.
    pub fn cooling(&self, step: u32, cooling: u32) -> u16 {
        let step = u64::from(step / HOLD * HOLD);
        let last = u64::from(cooling.max(2)) - 1;
        let drop = u64::from(self.hot - self.cold) * step.min(last) / last;
        self.hot - drop as u16
    }

    /// The mantissas of mode B, coldest first, geometric from cold to hot.
    pub fn ladder(&self) -> [u16; TEMPERATURES] {
        // The greatest ratio in Q40 whose powers, each rounded down, still lead from hot to cold.
        let powers = |ratio: u64| {
            let mut value = u64::from(self.hot) << 40;
            std::array::from_fn::<u64, TEMPERATURES, _>(|k| {
                if k > 0 {
                    value = ((u128::from(value) * u128::from(ratio)) >> 40) as u64;
                }
                value
            })
        };
        let (mut low, mut high) = (0u64, 1 << 40);
        while low + 1 < high {
            let ratio = (low + high) / 2;
            if powers(ratio)[TEMPERATURES - 1] <= u64::from(self.cold) << 40 {
                low = ratio;
            } else {
                high = ratio;
            }
        }
        let mut ladder = powers(low).map(|value| ((value + (1 << 39)) >> 40).max(1) as u16);
        ladder.reverse();
        ladder
    }

    /// `2^60 log2(e) / T`, in inverse reduced weights times a power of two that [`Self::log2_q8`] knows.
    pub fn inverse(mantissa: u16) -> u64 {
        ((LOG2_E_Q32 << 28) / u128::from(mantissa.max(1))) as u64
    }

    /// `-log2` in Q8 of the Boltzmann factor of `energy` (reduced, not negative) between two temperatures whose
    /// [`Self::inverse`]s differ by `inverses`.
    pub fn log2_q8(&self, energy: i64, inverses: u64) -> u64 {
        // 1/T = 2^(shift - 13) / mantissa, and the energy counts in Q60: drop 60 - 8 - (shift - 13) bits.
        let product = u128::from(energy.unsigned_abs()) * u128::from(inverses);
        let drop = 60 - 8 - (self.shift - 13);
        let value = match drop {
            128.. => 0,
            0.. => product >> drop,
            _ if product.leading_zeros() as i32 > -drop => product << -drop,
            _ => u128::MAX,
        };
        u64::try_from(value).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crossbar::Parameters;

    fn scale(sigma: f64, hot_milli: u32, cold_milli: u32) -> Scale {
        let mut parameters = Parameters::of_class("sparse");
        (parameters.hot_milli, parameters.cold_milli) = (hot_milli, cold_milli);
        Scale::new((sigma * 65536.0) as u128, &parameters)
    }

    #[test]
    fn mantissas_are_temperatures() {
        for sigma in [1.0, 2.5, 100.0, 3.7e6, 1.2e18] {
            for (hot, cold) in [(600, 100), (2000, 1), (1, 1), (800, 50)] {
                let scale = scale(sigma, hot, cold);
                let value = |m: u16| f64::from(m) * 2f64.powi(13 - scale.shift);
                let close = |m: u16, milli: u32| {
                    let exact = sigma * f64::from(milli) / 1000.0;
                    // One unit of the mantissa is the error that must be expected.
                    assert!((value(m) - exact).abs() <= 2f64.powi(13 - scale.shift) * 1.01 + exact * 1e-4);
                };
                close(scale.hot, hot);
                close(scale.cold, cold);
                assert!(scale.hot >= 1 << 15);
                let ladder = scale.ladder();
                assert!(ladder.windows(2).all(|w| w[0] <= w[1]));
                assert!(ladder[0].abs_diff(scale.cold) <= 1 && ladder[TEMPERATURES - 1] == scale.hot);
            }
        }
    }

    #[test]
    fn boltzmann_factors_are_right() {
        let scale = scale(10.0, 600, 100);
        let temperature = |m: u16| f64::from(m) * 2f64.powi(13 - scale.shift);
        let (a, b) = (scale.hot, scale.hot - 1000);
        let inverses = Scale::inverse(b) - Scale::inverse(a);
        for energy in [0, 1, 10, 1000, 1_000_000] {
            let exact = energy as f64 * (1.0 / temperature(b) - 1.0 / temperature(a)) / 2f64.ln() * 256.0;
            let ours = scale.log2_q8(energy, inverses) as f64;
            assert!((exact - ours).abs() <= 1.0 + exact * 1e-6, "{exact} {ours}");
        }
        assert_eq!(scale.log2_q8(i64::MAX, u64::MAX), u64::MAX);
    }
}
