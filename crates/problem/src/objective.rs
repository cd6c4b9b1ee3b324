//! Exact objectives: decimals, and the affine map between canonical energies and a file's objective.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;

/// The most decimal digits after the point that an [`Objective`] may have: those of a weight, and
/// two for the quarters of a QUBO in Ising form.
pub const OBJECTIVE_DECIMALS_MAX: u32 = crate::decimal::DECIMALS_MAX + 2;

/// An exact decimal: `numerator / 10^decimals`, kept with as few decimals as it can.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Objective {
    numerator: i128,
    decimals: u32,
}

impl Objective {
    /// `numerator / 10^decimals`.
    pub const fn new(mut numerator: i128, mut decimals: u32) -> Self {
        while decimals > 0 && numerator % 10 == 0 {
            numerator /= 10;
            decimals -= 1;
        }
        Self { numerator, decimals }
    }
    /// A whole number.
    pub const fn integer(value: i128) -> Self {
        Self { numerator: value, decimals: 0 }
    }
    /// The numerator over `10^`[`Self::decimals`].
    pub const fn numerator(self) -> i128 {
        self.numerator
    }
    /// The number of digits after the decimal point, as few as the value needs.
    pub const fn decimals(self) -> u32 {
        self.decimals
    }
    /// The nearest double, for displays and charts.
    pub fn to_f64(self) -> f64 {
        self.numerator as f64 / 10f64.powi(self.decimals as i32)
    }
    /// The integer that this is in units of `10^-decimals`, rounded down; `None` if it overflows.
    fn floor_in_units(self, decimals: u32) -> Option<i128> {
        if decimals >= self.decimals {
            self.numerator.checked_mul(10i128.checked_pow(decimals - self.decimals)?)
        } else {
            Some(self.numerator.div_euclid(10i128.checked_pow(self.decimals - decimals)?))
        }
    }
    fn ceil_in_units(self, decimals: u32) -> Option<i128> {
        Self { numerator: self.numerator.checked_neg()?, ..self }.floor_in_units(decimals)?.checked_neg()
    }
}

impl Ord for Objective {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |o: &Self| {
            let unit = 10i128.pow(o.decimals);
            let fraction = o.numerator.rem_euclid(unit);
            // At most 20 decimals, so both fractions fit when brought to 20 digits.
            (o.numerator.div_euclid(unit), fraction * 10i128.pow(OBJECTIVE_DECIMALS_MAX - o.decimals))
        };
        parts(self).cmp(&parts(other))
    }
}

impl PartialOrd for Objective {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decimals == 0 {
            return write!(f, "{}", self.numerator);
        }
        let unit = 10u128.pow(self.decimals);
        let magnitude = self.numerator.unsigned_abs();
        let sign = if self.numerator < 0 { "-" } else { "" };
        let width = self.decimals as usize;
        write!(f, "{sign}{}.{:0width$}", magnitude / unit, magnitude % unit)
    }
}

/// Why a text is no objective.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("`{0}` is not a decimal number with at most 18 digits after the point and a 64-bit numerator.")]
pub struct ObjectiveParseError(String);

impl FromStr for Objective {
    type Err = ObjectiveParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let decimal = crate::decimal::Decimal::parse(text.trim().as_bytes())
            .map_err(|_| ObjectiveParseError(text.chars().take(40).collect()))?;
        Ok(Self::new(decimal.mantissa.into(), decimal.decimals))
    }
}

/// Serialises as a JSON number with all its digits.
impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.decimals == 0 {
            match i64::try_from(self.numerator) {
                Ok(small) => serializer.serialize_i64(small),
                Err(_) => serializer.serialize_i128(self.numerator),
            }
        } else {
            let raw = RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
            raw.serialize(serializer)
        }
    }
}

/// The exact map between the energy of a canonical problem and the objective of the file:
/// `objective = (multiplier * energy + constant) / 10^decimals`.
///
/// The multiplier is positive when the file minimises and negative when it maximises, so a lower
/// energy is a better objective either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectiveMap {
    multiplier: i128,
    constant: i128,
    decimals: u32,
}

impl ObjectiveMap {
    /// The objective is the energy.
    pub const IDENTITY: Self = Self { multiplier: 1, constant: 0, decimals: 0 };

    /// The map with these numbers; `multiplier` must not be 0.
    pub(crate) fn new(multiplier: i128, constant: i128, decimals: u32) -> Self {
        assert!(multiplier != 0, "a map that forgets the energy");
        assert!(decimals <= OBJECTIVE_DECIMALS_MAX);
        Self { multiplier, constant, decimals }
    }
    /// The factor of the energy, in units of `10^-decimals`.
    pub fn multiplier(&self) -> i128 {
        self.multiplier
    }
    /// The part of the objective that no energy has, in units of `10^-decimals`.
    pub fn constant(&self) -> i128 {
        self.constant
    }
    /// The number of decimal digits of the unit.
    pub fn decimals(&self) -> u32 {
        self.decimals
    }
    /// Whether a lower energy is a higher objective.
    pub fn maximises(&self) -> bool {
        self.multiplier < 0
    }
    /// The objective of a state with this canonical energy.
    pub fn to_objective(&self, energy: i64) -> Objective {
        Objective::new(self.multiplier * i128::from(energy) + self.constant, self.decimals)
    }
    /// The highest energy whose objective is at least as good as `target`: the target is reached
    /// at this energy or below. Saturates at the ends of `i64`, beyond which there are no energies.
    pub fn to_energy_target(&self, target: &Objective) -> i64 {
        // Best objective first: minimising, objective <= target <=> multiplier * energy <= floor(target) - constant.
        let in_units = if self.maximises() {
            target.ceil_in_units(self.decimals).and_then(i128::checked_neg)
        } else {
            target.floor_in_units(self.decimals)
        };
        let constant = if self.maximises() { -self.constant } else { self.constant };
        let Some(room) = in_units.and_then(|units| units.checked_sub(constant)) else {
            let good_enough_always = (target.numerator > 0) != self.maximises();
            return if good_enough_always { i64::MAX } else { i64::MIN };
        };
        let energy = room.div_euclid(self.multiplier.abs());
        energy.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_print_all_their_digits_and_compare_exactly() {
        for (text, shown) in [
            ("-0.50", "-0.5"),
            ("12", "12"),
            ("0.000", "0"),
            ("-3.07", "-3.07"),
            ("+7.5e1", "75"),
            ("25e-3", "0.025"),
        ] {
            let objective: Objective = text.parse().unwrap();
            assert_eq!(objective.to_string(), shown);
            assert_eq!(serde_json::to_string(&objective).unwrap(), shown);
        }
        let ordered: Vec<Objective> =
            ["-3", "-2.5", "-2.49", "0", "0.000000000000000001", "1"].map(|t| t.parse().unwrap()).into();
        assert!(ordered.is_sorted());
        for text in ["", "x", "1.2.3", "1e99", "0.0000000000000000001", "99999999999999999999"] {
            assert!(text.parse::<Objective>().is_err(), "{text}");
        }
    }

    #[test]
    fn targets_are_the_last_energy_that_is_good_enough() {
        let maps = [
            ObjectiveMap::IDENTITY,
            ObjectiveMap::new(-5, 35, 1),
            ObjectiveMap::new(25, -75, 2),
            ObjectiveMap::new(-3, 1, 0),
        ];
        for map in maps {
            for target in -40..40 {
                let target = Objective::new(target, 1);
                let energy = map.to_energy_target(&target);
                let good = |o: Objective| if map.maximises() { o >= target } else { o <= target };
                assert!(good(map.to_objective(energy)), "{map:?} {target}");
                assert!(!good(map.to_objective(energy + 1)), "{map:?} {target}");
            }
        }
        let huge = Objective::integer(i128::MAX / 4);
        assert_eq!(ObjectiveMap::new(25, 0, 2).to_energy_target(&huge), i64::MAX);
        assert_eq!(ObjectiveMap::new(-25, 0, 2).to_energy_target(&huge), i64::MIN);
    }
}
