//! Temperatures and the noise tables that go with them, each made once a process when first used.

use std::sync::OnceLock;

use crate::rom::{ROM_LENGTH, ROM_WRAP, exponential_q12, ln_q60, mix64};

/// Bytes of a noise table: [`ROM_LENGTH`] places to start reading 64 lanes from.
pub(super) const TABLE_BYTES: usize = ROM_LENGTH + ROM_WRAP;
/// A noise table.
pub(super) type Table = [u8; TABLE_BYTES];

/// The highest temperature, in 1/1024: that of the last [`Level`].
pub const TEMPERATURE_MAX_Q10: u32 = Level(u8::MAX).q10();

/// A temperature of the grid: steps of 1/1024 up to 32/1024, then sixteen to the octave. The
/// circuit's unit is one clause (T, B) or one unit of weight (W).
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub(super) struct Level(pub u8);

impl Level {
    /// The temperature in 1/1024.
    pub const fn q10(self) -> u32 {
        let (octave, step) = (self.0 as u32 / 16, self.0 as u32 % 16);
        if octave == 0 { step } else { (16 + step) << (octave - 1) }
    }
    /// The highest level that is not hotter than `q10`.
    pub const fn at_most(q10: u32) -> Self {
        if q10 < 16 {
            return Self(q10 as u8);
        }
        let octave = 28 - q10.leading_zeros();
        if octave > 15 {
            return Self(u8::MAX);
        }
        Self((octave * 16 + (q10 >> (octave - 1)) - 16) as u8)
    }

    /// Metropolis thresholds: `min(255, floor(T * E))` with `E` exponentially distributed. A cost of
    /// `d` is accepted where `d <= threshold`, so with probability `exp(-d / T)`.
    pub fn thresholds(self) -> &'static Table {
        static TABLES: [OnceLock<Box<Table>>; 256] = [const { OnceLock::new() }; 256];
        TABLES[self.0 as usize].get_or_init(|| {
            let mut table = Box::new([0u8; TABLE_BYTES]);
            for (entry, &noise) in table.iter_mut().zip(exponential_q12()) {
                *entry = ((u64::from(noise) * u64::from(self.q10())) >> 22).min(255) as u8;
            }
            table
        })
    }

    /// 65 536 bits of which `65 536 exp(-cost / T)` are ones, for `cost` 1, 2 and 4.
    pub fn bernoulli(self) -> &'static [Table; 3] {
        static TABLES: [OnceLock<Box<[Table; 3]>>; 256] = [const { OnceLock::new() }; 256];
        TABLES[self.0 as usize].get_or_init(|| {
            let mut tables = Box::new([[0u8; TABLE_BYTES]; 3]);
            for (exponent, table) in tables.iter_mut().enumerate() {
                let ones = ones_of_boltzmann(1 << exponent, self.q10());
                for k in 0..ones {
                    let bit = scatter(k as u16, exponent as u16);
                    table[usize::from(bit / 8)] |= 1 << (bit % 8);
                }
                table.copy_within(..ROM_WRAP, ROM_LENGTH);
            }
            tables
        })
    }
}

/// How many of the `u = (2 k + 1) / 2^17`, `k < 65 536`, are at most `exp(-cost / T)`.
fn ones_of_boltzmann(cost: u32, q10: u32) -> u32 {
    if q10 == 0 {
        return 0;
    }
    let exponent = (i128::from(cost) << 70) / i128::from(q10);
    let accepted = |k: u32| ln_q60(1 << 17) - ln_q60(2 * u64::from(k) + 1) >= exponent;
    let (mut low, mut high) = (0, 65_536);
    while low < high {
        let middle = (low + high) / 2;
        if accepted(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// A bijection of 16 bits that scatters neighbours, another for each `salt`.
fn scatter(value: u16, salt: u16) -> u16 {
    let mut z = value.wrapping_add(salt.wrapping_mul(0x9e37)) ^ 0x5bd1;
    for multiplier in [0x2c1b_u16, 0x7a35, 0xb5c9] {
        z = (z ^ (z >> 7)).wrapping_mul(multiplier);
        z ^= z >> 9;
    }
    z
}

/// Uniform bytes: what the trace's linear hash takes its coefficients from.
pub(super) fn uniform_bytes() -> &'static Table {
    static TABLE: OnceLock<Box<Table>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = Box::new([0u8; TABLE_BYTES]);
        for (at, word) in table[..ROM_LENGTH].chunks_exact_mut(8).enumerate() {
            word.copy_from_slice(&mix64(3 << 32 | at as u64).to_le_bytes());
        }
        table.copy_within(..ROM_WRAP, ROM_LENGTH);
        table
    })
}

/// `-1` bytes with probability `per_8192 / 8192`, zero bytes else.
pub(super) fn chances(per_8192: u16) -> Box<Table> {
    let mut table = Box::new([0u8; TABLE_BYTES]);
    for (entry, &noise) in table.iter_mut().zip(crate::rom::uniform_u16()) {
        *entry = if noise / 8 < per_8192 { 0xff } else { 0 };
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_cover_the_range_without_gaps() {
        for level in 0..=255 {
            assert_eq!(Level::at_most(Level(level).q10()), Level(level));
            if level > 0 {
                assert!(Level(level).q10() > Level(level - 1).q10());
                assert_eq!(Level::at_most(Level(level).q10() - 1), Level(level - 1));
            }
        }
        assert_eq!(Level::at_most(u32::MAX), Level(255));
    }

    #[test]
    fn scatter_is_a_bijection() {
        for salt in 0..3 {
            let mut seen = vec![false; 1 << 16];
            (0..=u16::MAX).for_each(|v| seen[usize::from(scatter(v, salt))] = true);
            assert!(seen.iter().all(|&s| s));
        }
    }

    #[test]
    fn tables_have_boltzmann_probabilities() {
        for q10 in [50, 205, 512, 1024, 4096] {
            let level = Level::at_most(q10);
            let temperature = f64::from(level.q10()) / 1024.0;
            for cost in 1..=4u8 {
                let exact = (-f64::from(cost) / temperature).exp();
                let met = level.thresholds()[..ROM_LENGTH].iter().filter(|&&t| t >= cost).count();
                assert!((met as f64 / 8192.0 - exact).abs() < 0.0003, "{q10} {cost} {met} {exact}");
            }
            for (table, cost) in level.bernoulli().iter().zip([1.0, 2.0, 4.0]) {
                let exact = (-cost / temperature).exp();
                let ones: u32 = table[..ROM_LENGTH].iter().map(|b| b.count_ones()).sum();
                assert!((f64::from(ones) / 65_536.0 - exact).abs() < 0.00002, "{q10} {cost} {ones} {exact}");
            }
        }
        assert!(Level(0).thresholds().iter().all(|&t| t == 0));
        assert!(Level(0).bernoulli().iter().flatten().all(|&t| t == 0));
    }
}
