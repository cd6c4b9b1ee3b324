//! What may be tuned without changing the equations.

use serde::{Deserialize, Serialize};

use crate::run::Error;

use super::Circuit;

/// Parameters of a run, integers only. Temperatures are in 1/1024 of the mean soft weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The temperature of the first sweep: 0 to 16384.
    pub temperature_start: u32,
    /// The temperature that the linear schedule falls to: 0 to 16384.
    pub temperature_end: u32,
    /// Sweeps at the end at temperature 0.
    pub cold_sweeps: u32,
    /// Sweeps between two counts of energies, each followed by resampling: 1 to 1000.
    pub interval: u32,
    /// Whether lanes are resampled.
    pub resample: bool,
    /// What one unit of a hard clause's memory costs, in 1/256 of the mean soft weight: 1 to 65536.
    pub penalty: u32,
    /// The most that a memory reaches: 1 to 100.
    pub memory_cap: u8,
    /// Sweeps between two losses of memory: 1 to 1000.
    pub memory_interval: u32,
}

impl Parameters {
    /// The sets of `parameters/general.toml`, by problem class.
    pub const TABLE: &'static [(&'static str, Self)] = include!(concat!(env!("OUT_DIR"), "/general.rs"));

    /// The set for a problem class of [`Self::TABLE`].
    ///
    /// # Panics
    /// If there is no such class: the names are part of this crate.
    pub fn of_class(class: &str) -> Self {
        crate::run::set_of_class(Self::TABLE, class)
    }

    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the first that is out of its range.
    pub fn check(&self) -> Result<(), Error> {
        let ranges = [
            ("temperature_start", i64::from(self.temperature_start), 0, 16384, "0 to 16384"),
            ("temperature_end", i64::from(self.temperature_end), 0, 16384, "0 to 16384"),
            ("interval", i64::from(self.interval), 1, 1000, "1 to 1000"),
            ("penalty", i64::from(self.penalty), 1, 65536, "1 to 65536"),
            ("memory_cap", i64::from(self.memory_cap), 1, 100, "1 to 100"),
            ("memory_interval", i64::from(self.memory_interval), 1, 1000, "1 to 1000"),
        ];
        for (name, value, least, most, reason) in ranges {
            if value < least || value > most {
                return Err(Error::Parameter { name, value, reason });
            }
        }
        Ok(())
    }

    /// The temperature of sweep `step` of `steps`, in 1/1024 of the mean weight.
    pub(super) fn temperature(&self, step: u32, steps: u32) -> u32 {
        let warm = steps.saturating_sub(self.cold_sweeps);
        if step >= warm {
            return 0;
        }
        let (start, end) = (i64::from(self.temperature_start), i64::from(self.temperature_end));
        (start + (end - start) * i64::from(step) / i64::from(warm.max(2) - 1)) as u32
    }
}

/// The constants of a sweep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sweep {
    /// The key of the sweep's noise.
    pub key: u64,
    /// `T E` is `(exponential_q12 * mantissa) >> shift`; the mantissa is below 2^15.
    pub mantissa: i32,
    /// See above.
    pub shift: u32,
    /// What a unit of memory costs: below 2^16.
    pub penalty: i32,
    /// The most that a memory reaches.
    pub memory_cap: u8,
    /// Whether memories may be lost in this sweep.
    pub forgets: bool,
}

impl Sweep {
    /// Sweep `step` of `steps`.
    pub fn new(circuit: &Circuit, parameters: &Parameters, seed: u64, step: u32, steps: u32) -> Self {
        let temperature = i64::from(circuit.mean) * i64::from(parameters.temperature(step, steps));
        let (mut mantissa, mut shift) = (temperature, 22);
        while mantissa >= 1 << 15 {
            mantissa >>= 1;
            shift -= 1;
        }
        Self {
            key: crate::rom::step_key(seed, u64::from(step)),
            mantissa: mantissa as i32,
            shift,
            penalty: (i64::from(circuit.mean) * i64::from(parameters.penalty) / 256).clamp(1, 65535) as i32,
            memory_cap: parameters.memory_cap.min(circuit.memory_max),
            forgets: step.is_multiple_of(parameters.memory_interval),
        }
    }
    /// Whether hard clause `clause` may lose memory in this sweep.
    pub fn forgets(&self, clause: usize) -> bool {
        self.forgets && crate::rom::element_hash(self.key ^ 0x666f_7267, clause as u32) & 1 == 0
    }
}
