//! Floating-point biases as integers: exactly, or as the caller says.
//!
//! A bias is a double. It is read as the shortest decimal that names this double, which is what a user wrote (`0.1`), or,
//! where that takes larger numbers, as the binary fraction that it is (`0.375`). All biases of a problem get one scale.

/// The most decimals that are tried: a double holds 15 digits for sure.
const DECIMALS_MAX: i32 = 15;
/// Integers up to here are doubles, all of them.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// Scaled biases stay below this; their sum is checked where the problem is built.
const SCALED_MAX: f64 = 4e18;
/// The largest bias in integers, where the caller leaves the scale to us: six digits, and chips with short arithmetic.
const AUTO_LARGEST_LOG2: i32 = 20;

/// Why biases are refused that no integers of 62 bits hold, and the way out.
pub const TOO_MANY_DIGITS: &str = "The biases cannot be scaled to 62-bit integers exactly: they, or all of them together, have too \
     many digits (often the trace of binary rounding, as in 0.1 + 0.2). Round them, or pass scale=\"auto\" (keeps about six digits of the \
     largest bias) or scale=F (each bias is multiplied by F and rounded to the nearest integer).";

/// What the caller wants.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Want {
    /// Exactly, or not at all.
    Exact,
    /// A power of two that keeps about six digits of the largest bias; rounding to the nearest.
    Auto,
    /// This factor; rounding to the nearest.
    By(f64),
}

/// The common factor of all biases.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Factor {
    /// A power of ten: biases were read as decimals.
    Ten(u32),
    /// A power of two: biases were taken as binary fractions.
    Two(i32),
    /// The caller's.
    By(f64),
}

/// What became of the biases.
#[derive(Clone, Debug)]
pub struct Scaled {
    /// What each bias was multiplied by.
    pub factor: Factor,
    /// By how much the energy of a state can differ for rounding, in the biases' own unit: 0 where it is exact.
    pub error: f64,
}

impl Factor {
    /// As a double, for reports.
    pub fn value(self) -> f64 {
        match self {
            Self::Ten(decimals) => 10f64.powi(decimals as i32),
            Self::Two(exponent) => 2f64.powi(exponent),
            Self::By(factor) => factor,
        }
    }
    /// The integer that `bias` becomes; within `SCALED_MAX` by construction.
    pub fn apply(self, bias: f64) -> i64 {
        (bias * self.value()).round() as i64
    }
}

/// The factor for these biases.
///
/// # Errors
/// A full sentence, where a bias is not finite or cannot be scaled as wanted.
pub fn factor(biases: impl Iterator<Item = f64> + Clone, want: Want) -> Result<Scaled, String> {
    let mut largest = 0f64;
    for bias in biases.clone() {
        if !bias.is_finite() {
            return Err(format!("A bias is {bias}, which is no number that can be minimised."));
        }
        largest = largest.max(bias.abs());
    }
    let factor = match want {
        Want::Exact => exact(biases.clone(), largest)?,
        Want::Auto if largest == 0.0 => Factor::Ten(0),
        Want::Auto => match exact(biases.clone(), largest) {
            // Nothing needs to be rounded.
            Ok(factor) if factor.value() * largest <= 2f64.powi(AUTO_LARGEST_LOG2) => factor,
            _ => Factor::Two((AUTO_LARGEST_LOG2 - 1 - exponent(largest)).clamp(-1000, 1000)),
        },
        Want::By(by) if by.is_finite() && by > 0.0 => Factor::By(by),
        Want::By(by) => return Err(format!("scale is {by}: it must be a positive finite number.")),
    };
    if largest * factor.value() > SCALED_MAX {
        if want == Want::Exact {
            return Err(TOO_MANY_DIGITS.to_owned());
        }
        return Err(format!(
            "A bias of {largest:e} times the scale {:e} exceeds 62 bits: choose a smaller scale.",
            factor.value()
        ));
    }
    let error = match want {
        Want::Exact => 0.0,
        _ => biases.map(|bias| (bias - factor.apply(bias) as f64 / factor.value()).abs()).sum(),
    };
    Ok(Scaled { factor, error })
}

/// The exponent of the binary digit that leads.
fn exponent(value: f64) -> i32 {
    value.log2().floor() as i32
}

fn exact(biases: impl Iterator<Item = f64> + Clone, largest: f64) -> Result<Factor, String> {
    let decimal = decimals(biases.clone(), largest);
    if decimal == Some(0) {
        return Ok(Factor::Ten(0));
    }
    let binary = biases.filter(|b| *b != 0.0).map(last_bit).min().unwrap_or(0);
    let binary = (largest == 0.0 || exponent(largest) - binary < 62).then_some(-binary.min(0));
    match (decimal, binary) {
        (Some(decimals), Some(bits)) if 10f64.powi(decimals as i32) <= 2f64.powi(bits) => {
            Ok(Factor::Ten(decimals))
        }
        (_, Some(bits)) => Ok(Factor::Two(bits)),
        (Some(decimals), None) => Ok(Factor::Ten(decimals)),
        (None, None) => Err(TOO_MANY_DIGITS.to_owned()),
    }
}

/// The exponent of the last binary digit of `value`, which is not 0.
fn last_bit(value: f64) -> i32 {
    let bits = value.to_bits();
    let field = (bits >> 52 & 0x7ff) as i32;
    let mantissa = bits & (1 << 52) - 1;
    let (mantissa, exponent) =
        if field == 0 { (mantissa, -1074) } else { (mantissa | 1 << 52, field - 1075) };
    exponent + mantissa.trailing_zeros() as i32
}

/// The decimals that all biases need to be read as what their shortest decimal says.
fn decimals(biases: impl Iterator<Item = f64> + Clone, largest: f64) -> Option<u32> {
    let mut decimals = 0;
    for bias in biases.clone() {
        while !is_decimal(bias, decimals) {
            decimals += 1;
            if decimals > DECIMALS_MAX || largest * 10f64.powi(decimals) >= EXACT_MAX {
                return None;
            }
        }
    }
    biases.into_iter().all(|bias| is_decimal(bias, decimals)).then_some(decimals as u32)
}

/// Whether `bias` is the double nearest to a decimal with so many digits after the point. Both numbers of the division are
/// exact and a division rounds correctly, so this is no guess.
fn is_decimal(bias: f64, decimals: i32) -> bool {
    let unit = 10f64.powi(decimals);
    let scaled = (bias * unit).round();
    scaled.abs() < EXACT_MAX && scaled / unit == bias
}
