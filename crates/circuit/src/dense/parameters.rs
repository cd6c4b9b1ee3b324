//! Parameter sets: data, one table a class of problems.

use serde::{Deserialize, Serialize};

use super::CHIPS_MAX;
use crate::run::Error;

/// What the chips of a run share. Fields of the other mode are ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Chips that are simulated one after the other, 1..=64: lanes of the report.
    pub chips: u32,
    /// C: a spin that switched may not switch back for `tenure_base + spins / tenure_divisor + r`
    /// steps (at most half the spins), `r` drawn from `0..tenure_range`. 0..=65 535.
    pub tenure_base: u32,
    /// C: see [`Self::tenure_base`]; 1..=65 535.
    pub tenure_divisor: u32,
    /// C: see [`Self::tenure_base`]; 1..=65 535.
    pub tenure_range: u32,
    /// C: after this many times the number of spins steps without a new best of the round, the chip is kicked and a
    /// new round begins; 0: never. At most 65 535.
    pub patience: u32,
    /// C: the size of a kick, thousandths of the spins (at least two spins); 1..=1000.
    pub kick_per_mille: u32,
    /// D: temperature of the first sweep, thousandths of [`super::Circuit::sigma_q8`]; 0..=2000.
    pub start_temperature: u32,
    /// D: temperature of the last sweep before the two cold ones; 0..=2000.
    pub end_temperature: u32,
}

impl Parameters {
    /// The sets of `parameters/dense.toml`, by problem class.
    pub const TABLE: &'static [(&'static str, Self)] = include!(concat!(env!("OUT_DIR"), "/dense.rs"));

    /// The set for a problem class of [`Self::TABLE`].
    ///
    /// # Panics
    /// If there is no such class: the names are part of this crate.
    pub fn of_class(class: &str) -> Self {
        crate::run::set_of_class(Self::TABLE, class)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let check = |name, value: u32, range: std::ops::RangeInclusive<u32>, reason| {
            let value_is_fine = range.contains(&value);
            value_is_fine.then_some(()).ok_or(Error::Parameter { name, value: value.into(), reason })
        };
        check("chips", self.chips, 1..=CHIPS_MAX, "1 to 64 chips")?;
        check("tenure_base", self.tenure_base, 0..=65_535, "0 to 65535 steps")?;
        check("tenure_divisor", self.tenure_divisor, 1..=65_535, "1 to 65535")?;
        check("tenure_range", self.tenure_range, 1..=65_535, "1 to 65535 steps")?;
        check("patience", self.patience, 0..=65_535, "0 to 65535 times the spins")?;
        check("kick_per_mille", self.kick_per_mille, 1..=1000, "1 to 1000 thousandths")?;
        check("start_temperature", self.start_temperature, 0..=2000, "0 to 2000 thousandths of sigma")?;
        check("end_temperature", self.end_temperature, 0..=2000, "0 to 2000 thousandths of sigma")
    }
}
