//! The generators' source of random integers: SplitMix64 from a key, the same everywhere and forever.

use crate::mix::mix64;

/// A seeded stream of integers. Draws are exact (no rounding, no modulo bias), in order.
pub(super) struct Random {
    key: u64,
    counter: u64,
}

impl Random {
    /// Streams of different `purpose` are unrelated, also for one `seed`.
    pub fn new(seed: u64, purpose: u64) -> Self {
        Self { key: mix64(seed ^ mix64(purpose)), counter: 0 }
    }

    pub fn next(&mut self) -> u64 {
        self.counter += 1;
        mix64(self.key.wrapping_add(self.counter.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// Uniform in `0..bound`, for `bound >= 1` (Lemire 2019, "Fast random integer generation in an
    /// interval").
    pub fn below(&mut self, bound: u64) -> u64 {
        let mut product = u128::from(self.next()) * u128::from(bound);
        if (product as u64) < bound {
            let threshold = bound.wrapping_neg() % bound;
            while (product as u64) < threshold {
                product = u128::from(self.next()) * u128::from(bound);
            }
        }
        (product >> 64) as u64
    }

    /// Uniform in `0..bound`.
    pub fn index(&mut self, bound: u32) -> u32 {
        self.below(u64::from(bound)) as u32
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low);
        match span.checked_add(1) {
            Some(count) => low.wrapping_add_unsigned(self.below(count)),
            None => self.next() as i64,
        }
    }

    pub fn bit(&mut self) -> bool {
        self.next() >> 63 == 1
    }

    /// -1 or +1.
    pub fn sign(&mut self) -> i64 {
        if self.bit() { 1 } else { -1 }
    }

    /// True with probability `numerator / denominator`.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// Nearly Gaussian with mean 0 and standard deviation `deviation`, rounded to the nearest integer:
    /// twelve uniform draws added up (Irwin-Hall), so that nothing lies beyond six deviations.
    pub fn gaussian(&mut self, deviation: u32) -> i64 {
        let mut sum = 0i64; // in units of 2^-32 deviations
        for _ in 0..6 {
            let draw = self.next();
            sum += (draw >> 32) as i64 + (draw & 0xffff_ffff) as i64;
        }
        // Twelve draws of mean 2^31 - 1/2.
        let centred = i128::from(2 * (sum - (6 << 32)) + 12) * i128::from(deviation);
        ((centred + (1 << 32)) >> 33) as i64
    }

    pub fn assignment(&mut self, variables: u32) -> Vec<bool> {
        (0..variables).map(|_| self.bit()).collect()
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }

    /// `count` different numbers below `bound`, in the order drawn; `count <= bound`, and small.
    pub fn distinct(&mut self, count: usize, bound: u32, into: &mut Vec<u32>) {
        into.clear();
        while into.len() < count {
            let draw = self.index(bound);
            if !into.contains(&draw) {
                into.push(draw);
            }
        }
    }
}
