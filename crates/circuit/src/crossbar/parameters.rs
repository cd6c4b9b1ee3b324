//! Parameter sets: integers only, kept as a table of sets per problem class.

use serde::{Deserialize, Serialize};

use super::Circuit;
use crate::run::Error;
use crate::simd::LANES;

/// What lanes do to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A: all lanes cool together; the population is resampled within groups of lanes.
    Anneal,
    /// B: 32 temperatures times two chains; neighbours exchange, and the chains of one temperature exchange clusters.
    Exchange,
}

/// How a bank of crossbar chips runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// What lanes do to each other.
    pub mode: Mode,
    /// Highest temperature, in thousandths of sigma: the root of the mean over spins of the sum of squared couplings.
    pub hot_milli: u32,
    /// Lowest temperature, likewise.
    pub cold_milli: u32,
    /// Sweeps between two looks at the lanes (bests are recorded, and in mode A lanes resampled).
    pub look_period: u32,
    /// Lanes of a group that is resampled together: a power of two up to 64; 1 leaves lanes alone. Mode A.
    pub group_lanes: u32,
    /// Sweeps at zero temperature that end a run.
    pub quench_sweeps: u32,
    /// Sweeps between exchanges of neighbouring temperatures. Mode B.
    pub exchange_period: u32,
    /// Sweeps between cluster moves; 0 for none. Mode B.
    pub cluster_period: u32,
    /// Passes, forwards and backwards, that a cluster has to grow in. Mode B.
    pub cluster_passes: u32,
    /// How many of the 32 temperatures, the coldest, make cluster moves. Mode B.
    pub cluster_temperatures: u32,
}

impl Parameters {
    /// Whether every value is in its range.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name, value: u32, low: u32, high: u32, reason| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::Parameter { name, value: value.into(), reason })
            }
        };
        within("hot_milli", self.hot_milli, 1, 2000, "it must be 1..=2000")?;
        within("cold_milli", self.cold_milli, 1, self.hot_milli, "it must be 1..=hot_milli")?;
        within("look_period", self.look_period, 1, 1 << 20, "it must be 1..=2^20")?;
        within("group_lanes", self.group_lanes, 1, LANES as u32, "it must be 1..=64")?;
        if !self.group_lanes.is_power_of_two() {
            return Err(Error::Parameter {
                name: "group_lanes",
                value: self.group_lanes.into(),
                reason: "it must be a power of two",
            });
        }
        within("exchange_period", self.exchange_period, 1, 1 << 20, "it must be 1..=2^20")?;
        within("cluster_passes", self.cluster_passes, 0, 1000, "it must be at most 1000")?;
        within("cluster_temperatures", self.cluster_temperatures, 0, 32, "it must be at most 32")
    }

    /// The sets of `parameters/crossbar.toml`, by the problem class of [`Self::class_of`], several for each.
    pub const TABLE: &'static [(&'static str, Self)] = include!(concat!(env!("OUT_DIR"), "/crossbar.rs"));

    /// The problem class of `circuit`, by structure alone. `lattice`: at most 6 couplings a spin, none with more than 3 fewer
    /// than another, at least 3 for two spins in the mean; `sparse`: on average a spin is coupled to less than a tenth of the others; `dense`: the rest.
    pub fn class_of(circuit: &Circuit) -> &'static str {
        let spins = circuit.spins() as u64;
        let longest = circuit.rows.windows(2).map(|r| r[1] - r[0]).max().unwrap_or(0);
        let narrow = longest <= 6 && 2 * circuit.couplings() as u64 >= 3 * spins;
        let shortest = circuit.rows.windows(2).map(|r| r[1] - r[0]).min().unwrap_or(0);
        if narrow && shortest + 3 >= longest {
            "lattice"
        } else if 20 * circuit.couplings() as u64 <= spins * spins {
            "sparse"
        } else {
            "dense"
        }
    }

    /// The sets for a problem class; none if there is no such class.
    pub fn sets(class: &str) -> impl Iterator<Item = &'static Self> {
        Self::TABLE.iter().filter(move |(name, _)| *name == class).map(|(_, set)| set)
    }

    /// The first set for a problem class.
    ///
    /// # Panics
    /// If there is no such class: the names are part of this crate.
    pub fn of_class(class: &str) -> Self {
        crate::run::set_of_class(Self::TABLE, class)
    }

    /// The first set for the circuit's class.
    pub fn for_circuit(circuit: &Circuit) -> Self {
        Self::of_class(Self::class_of(circuit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for class in ["lattice", "sparse", "dense"] {
            assert!(Parameters::sets(class).count() > 0);
        }
        for (_, set) in Parameters::TABLE {
            set.check().unwrap();
        }
    }
}
