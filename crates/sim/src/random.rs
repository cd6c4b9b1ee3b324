//! Random numbers that a seed fixes, and the distributions that the simulator draws from.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A stream of random numbers.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream `stream` of a seed: streams of one seed are independent.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }
    /// A uniform word.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }
    /// Uniform in `0.0..1.0`.
    pub fn uniform(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// Uniform in `0..below`; `below` at least 1.
    pub fn index(&mut self, below: usize) -> usize {
        ((u128::from(self.word()) * below as u128) >> 64) as usize
    }
    /// Exponential of mean 1.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }
    /// Normal of mean 0 and variance 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
    /// Log-normal with this median; `sigma` is the standard deviation of its logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }
    /// A Poisson count, as a float; above a mean of 50 the rounded normal of the same mean and variance.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 50.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let (mut count, mut sum) = (0.0, self.exponential());
        while sum < mean {
            count += 1.0;
            sum += self.exponential();
        }
        count
    }
    /// An index with probability proportional to its weight; `total` is their sum. The last of positive weight if rounding
    /// leaves something over.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64>, total: f64) -> usize {
        let mut left = self.uniform() * total;
        let mut last = 0;
        for (index, weight) in weights.enumerate() {
            if weight > 0.0 {
                last = index;
                if left < weight {
                    return index;
                }
                left -= weight;
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_fixes_the_stream() {
        let draw = |seed, stream| Random::new(seed, stream).word();
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(2, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
    }

    #[test]
    fn moments_are_right() {
        let mut random = Random::new(7, 0);
        let n = 100_000;
        let mean = |f: &mut dyn FnMut() -> f64| (0..n).map(|_| f()).sum::<f64>() / f64::from(n);
        assert!((mean(&mut || random.exponential()) - 1.0).abs() < 0.02);
        assert!(mean(&mut || random.normal()).abs() < 0.02);
        assert!((mean(&mut || random.normal().powi(2)) - 1.0).abs() < 0.03);
        assert!((mean(&mut || random.poisson(3.5)) - 3.5).abs() < 0.04);
        assert!((mean(&mut || random.poisson(80.0)) - 80.0).abs() < 0.2);
        let mut counts = [0i32; 3];
        for _ in 0..n {
            counts[random.weighted([1.0, 0.0, 3.0].into_iter(), 4.0)] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((counts[0] - n / 4).abs() < 600);
    }
}
