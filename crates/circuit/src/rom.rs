//! Counter-based noise: a mixing function and read-only tables, all integers.
//!
//! A chip never draws from a sequential generator. An element's noise at a step is
//! `rom[mix64(key(seed, step, element)) & MASK + lane]`, so that any backend may compute elements
//! in any order and get the same bits.

/// Entries of the noise tables that an offset may point to; a power of two.
pub const ROM_LENGTH: usize = 8192;
/// Entries behind [`ROM_LENGTH`] that repeat the table's start, so that 64 lanes can be read from any offset.
pub const ROM_WRAP: usize = 64;
/// `OFFSET_MASK & hash` is an offset.
pub const OFFSET_MASK: u64 = ROM_LENGTH as u64 - 1;

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number
/// generators", with Stafford's constants, mix 13): a bijection of u64 whose outputs look independent.
#[inline(always)]
pub const fn mix64(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The key of a step: every element of that step hashes `step_key + (element << 24)`.
#[inline(always)]
pub const fn step_key(seed: u64, step: u64) -> u64 {
    mix64(seed ^ mix64(step))
}

/// The hash of an element in the step whose [`step_key`] is `key`.
#[inline(always)]
pub const fn element_hash(key: u64, element: u32) -> u64 {
    mix64(key ^ ((element as u64) << 24))
}

/// A noise table: [`ROM_LENGTH`] entries and their wrap.
pub type Rom = [u16; ROM_LENGTH + ROM_WRAP];

/// `-ln(u)` in Q12 at `u = (k + 1/2) / 8192`, in a pseudorandom order: 8192 entries and their wrap.
/// Exponentially distributed noise for Metropolis thresholds. Largest value 39 748, mean 4096.
pub fn exponential_q12() -> &'static Rom {
    // Made by the compiler: at run time it would cost more than a whole small search.
    static TABLE: Rom = {
        let mut table = [0u16; ROM_LENGTH + ROM_WRAP];
        // u = (2 k + 1) / 2^14
        let mut ln_odd_q60 = 0;
        let mut k = 0;
        while k < ROM_LENGTH {
            let value = 14 * LN_2_Q60 - ln_odd_q60;
            table[k] = ((value + (1 << 47)) >> 48) as u16;
            ln_odd_q60 += ln_ratio_q60(2 * k as u64 + 2);
            k += 1;
        }
        shuffled(table, 1)
    };
    &TABLE
}

/// Uniform 16-bit noise: each value 0..65536 in steps of 8 (`8 k + 4`), in a pseudorandom order.
pub fn uniform_u16() -> &'static Rom {
    static TABLE: Rom = {
        let mut table = [0u16; ROM_LENGTH + ROM_WRAP];
        let mut k = 0;
        while k < ROM_LENGTH {
            table[k] = 8 * k as u16 + 4;
            k += 1;
        }
        shuffled(table, 2)
    };
    &TABLE
}

/// `ln((middle + 1) / (middle - 1))` in Q60 for `middle >= 2`: twice the area hyperbolic tangent of `1 / middle`,
/// by its Taylor series; exact to about 2^-56.
const fn ln_ratio_q60(middle: u64) -> i128 {
    let mut power = (1u64 << 61) / middle;
    let (mut sum, mut odd) = (0, 1);
    while power > 0 {
        sum += power / odd;
        power = power / middle / middle;
        odd += 2;
    }
    sum as i128
}

/// `ln 2` in Q60.
const LN_2_Q60: i128 = 799_144_290_325_165_979;

/// `ln(value)` in Q60 for `1 <= value < 2^63`, by repeated squaring of the mantissa (integers only, so that
/// every machine has the same tables); exact to about 2^-40.
pub fn ln_q60(value: u64) -> i128 {
    assert!(value >= 1 && value >> 63 == 0);
    let exponent = 63 - value.leading_zeros();
    // Mantissa in [1, 2) as Q62.
    let mut mantissa = (u128::from(value)) << (62 - exponent);
    let mut log2_q60 = i128::from(exponent) << 60;
    for bit in (12..60).rev() {
        mantissa = (mantissa * mantissa) >> 62;
        if mantissa >> 63 != 0 {
            mantissa >>= 1;
            log2_q60 += 1 << bit;
        }
    }
    // log2 in Q60 times ln 2 in Q60, both below 2^67: split so that the product fits.
    ((log2_q60 >> 20) * LN_2_Q60) >> 40
}

/// Fisher-Yates with [`mix64`] as the source, a fixed permutation for each `salt`; then the wrap.
const fn shuffled(mut table: Rom, salt: u64) -> Rom {
    let mut i = ROM_LENGTH - 1;
    while i > 0 {
        let draw = mix64(salt << 32 | i as u64);
        let j = (draw as u128 * (i as u128 + 1)) >> 64;
        table.swap(i, j as usize);
        i -= 1;
    }
    while i < ROM_WRAP {
        table[ROM_LENGTH + i] = table[i];
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_right() {
        for value in [1u64, 2, 3, 7, 10, 8191, 16383, 1 << 40, (1 << 62) + 12345] {
            let exact = (value as f64).ln();
            let ours = ln_q60(value) as f64 / 2f64.powi(60);
            assert!((exact - ours).abs() < 1e-10, "{value}: {exact} {ours}");
        }
    }

    #[test]
    fn tables_are_pinned() {
        let hash = |t: &[u16]| {
            let bytes: Vec<u8> = t.iter().flat_map(|v| v.to_le_bytes()).collect();
            blake3::hash(&bytes).to_hex().to_string()
        };
        let exponential = exponential_q12();
        let mean: f64 = exponential[..ROM_LENGTH].iter().map(|&v| f64::from(v)).sum::<f64>() / 8192.0;
        assert!((mean - 4096.0).abs() < 4.0, "{mean}");
        assert_eq!(exponential.iter().max(), Some(&39_748));
        assert_pinned(&hash(exponential), "exponential");
        assert_pinned(&hash(uniform_u16()), "uniform");
    }

    fn assert_pinned(hash: &str, name: &str) {
        let pinned = match name {
            "exponential" => "76f88f3a9426353734cfbf18b485e4e6ec696af4d45b63bb66905ff97858668c",
            _ => "7654d723d75aa2b898e155d39ef38118e62d13f94de92fc8cf7808beb222e469",
        };
        assert_eq!(hash, pinned, "the {name} table changed: every golden vector would");
    }
}
