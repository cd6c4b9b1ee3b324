//! Exact decimal weights: parsed from text, and scaled together to integers.

/// The most digits after the decimal point that a weight may need.
pub const DECIMALS_MAX: u32 = 18;

/// A number `mantissa / 10^decimals`, with no more decimals than it needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Decimal {
    pub mantissa: i64,
    pub decimals: u32,
}

/// Why a text is no weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DecimalError {
    /// It is no number at all.
    NotANumber,
    /// It is a number, but does not fit 64 bits with at most [`DECIMALS_MAX`] decimals.
    TooPrecise,
}

impl Decimal {
    /// Doubles the number; `None` if it does not fit any more.
    pub fn double(&mut self) -> Option<()> {
        if self.decimals > 0 && self.mantissa % 5 == 0 {
            *self = Self { mantissa: self.mantissa / 5, decimals: self.decimals - 1 };
        } else {
            self.mantissa = self.mantissa.checked_mul(2)?;
        }
        Some(())
    }
    /// Parses `[+-] digits [. digits] [e [+-] digits]`, exactly.
    pub fn parse(text: &[u8]) -> Result<Self, DecimalError> {
        let (negative, mut rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut mantissa: u128 = 0;
        let mut exponent: i64 = 0;
        let (mut digits, mut pointed, mut overflow) = (0u32, false, false);
        // Zeros at the end of a fraction are held back until a digit follows: "2.000000" is 2.
        let mut zeros: i64 = 0;
        while let [byte, tail @ ..] = rest {
            match byte {
                b'0' if pointed => {
                    zeros += 1;
                    digits = digits.saturating_add(1);
                }
                b'0'..=b'9' => {
                    for _ in 0..=zeros.min(40) {
                        (mantissa, overflow) = match mantissa.checked_mul(10) {
                            Some(more) => (more, overflow),
                            None => (mantissa, true),
                        };
                    }
                    mantissa = mantissa.saturating_add(u128::from(byte - b'0'));
                    exponent -= if pointed { zeros + 1 } else { 0 };
                    zeros = 0;
                    digits = digits.saturating_add(1);
                }
                b'.' if !pointed => pointed = true,
                _ => break,
            }
            rest = tail;
        }
        if digits == 0 {
            return Err(DecimalError::NotANumber);
        }
        if let [b'e' | b'E', tail @ ..] = rest {
            exponent += parse_exponent(tail)?;
        } else if !rest.is_empty() {
            return Err(DecimalError::NotANumber);
        }
        if mantissa == 0 && !overflow {
            return Ok(Self::default());
        }
        if overflow {
            return Err(DecimalError::TooPrecise);
        }
        while exponent < 0 && mantissa.is_multiple_of(10) {
            mantissa /= 10;
            exponent += 1;
        }
        if !(-i64::from(DECIMALS_MAX)..=20).contains(&exponent) {
            return Err(DecimalError::TooPrecise);
        }
        if exponent > 0 {
            mantissa = mantissa.checked_mul(10u128.pow(exponent as u32)).ok_or(DecimalError::TooPrecise)?;
        }
        // i64::MIN is left out, so that every weight can be negated.
        let magnitude = i64::try_from(mantissa).map_err(|_| DecimalError::TooPrecise)?;
        let mantissa = if negative { -magnitude } else { magnitude };
        Ok(Self { mantissa, decimals: exponent.min(0).unsigned_abs() as u32 })
    }
}

fn parse_exponent(text: &[u8]) -> Result<i64, DecimalError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecimalError::NotANumber);
    }
    let mut value: i64 = 0;
    for digit in digits {
        value = (value * 10 + i64::from(digit - b'0')).min(1 << 40);
    }
    Ok(if negative { -value } else { value })
}

/// A weight does not fit 64 bits in the unit that another weight of the file needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ScaleError;

/// Weights of one file in a common unit `10^-decimals`, which shrinks as finer weights arrive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scale {
    pub decimals: u32,
}

impl Scale {
    /// The factor by which numbers in the old unit must be multiplied before `decimal` joins
    /// them; `None` if the unit stays.
    fn refine(&mut self, decimal: Decimal) -> Option<i64> {
        if decimal.decimals <= self.decimals {
            return None;
        }
        let factor = 10i64.pow(decimal.decimals - self.decimals);
        self.decimals = decimal.decimals;
        Some(factor)
    }
    /// `decimal` in the common unit. When the unit shrinks, `rescale` is given the factor and has
    /// to multiply every earlier weight.
    pub fn join(
        &mut self,
        decimal: Decimal,
        rescale: impl FnOnce(i64) -> Result<(), ScaleError>,
    ) -> Result<i64, ScaleError> {
        if let Some(factor) = self.refine(decimal) {
            rescale(factor)?;
        }
        let factor = 10i64.pow(self.decimals - decimal.decimals);
        decimal.mantissa.checked_mul(factor).filter(|&w| w != i64::MIN).ok_or(ScaleError)
    }
}

/// Multiplies `weight` by `factor`.
pub(crate) fn rescale(weight: &mut i64, factor: i64) -> Result<(), ScaleError> {
    *weight = weight.checked_mul(factor).filter(|&w| w != i64::MIN).ok_or(ScaleError)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let parse = |t: &str| Decimal::parse(t.as_bytes()).map(|d| (d.mantissa, d.decimals));
        assert_eq!(parse("0.000000"), Ok((0, 0)));
        assert_eq!(parse("2.000000"), Ok((2, 0)));
        assert_eq!(parse("-1.50"), Ok((-15, 1)));
        assert_eq!(parse("1.05e1"), Ok((105, 1)));
        assert_eq!(parse("1e3"), Ok((1000, 0)));
        assert_eq!(parse("100e-2"), Ok((1, 0)));
        assert_eq!(parse(".5"), Ok((5, 1)));
        assert_eq!(parse("5."), Ok((5, 0)));
        assert_eq!(parse("0.30000000000000004"), Ok((30000000000000004, 17)));
        assert_eq!(parse("9223372036854775807"), Ok((i64::MAX, 0)));
        assert_eq!(parse("9223372036854775808"), Err(DecimalError::TooPrecise));
        assert_eq!(parse("1e-19"), Err(DecimalError::TooPrecise));
        assert_eq!(parse("1e999999999999999999999"), Err(DecimalError::TooPrecise));
        assert_eq!(parse("0e999999999999999999999"), Ok((0, 0)));
        for text in ["", "-", ".", "1e", "0x10", "1.2.3", "inf", "NaN", "--1", "1 "] {
            assert_eq!(parse(text), Err(DecimalError::NotANumber), "{text}");
        }
    }
}
