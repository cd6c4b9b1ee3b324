//! What may be tuned without changing the equations.

use serde::{Deserialize, Serialize};

use crate::run::Error;

/// How the chips of a bank share a core.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrangement {
    /// Chips side by side in vector lanes: most updates a second.
    Lanes,
    /// One chip after the other, clauses in the lanes: least time for one chip.
    Flat,
}

/// The constants of the equations in [`super::scalar`], integers only. Voltages are in 1/16384, short
/// memories in 1/32768, long memories in 1/16, forces in `dt / 16`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Chips of the bank: 1 to 64.
    pub chips: u32,
    /// How they share a core.
    pub arrangement: Arrangement,
    /// Voltage per unit of force and step, `1024 dt`: 1 to 32767.
    pub voltage_rate: i16,
    /// Rate of the short memory, `beta dt` in 1/8192: 0 to 32767.
    pub short_rate: i16,
    /// Rate of the long memory, `32 alpha dt`: 0 to 32767.
    pub long_rate: i16,
    /// Threshold of the short memory, in 1/32768: 0 to 32767.
    pub gamma: i16,
    /// Threshold of the long memory, in 1/32768: 0 to 32767.
    pub delta: i16,
    /// What keeps the short memory from staying 0, in 1/32768: 0 to 32767.
    pub epsilon: i16,
    /// `zeta = 2^-(7 + zeta_shift)`: -15 to 15.
    pub zeta_shift: i8,
    /// The most that a long memory reaches, in 1/16: 16 to 65535. With weights, times weight over mean weight.
    pub long_cap: u16,
    /// Amplitude of the noise on the short memory at the start of a period, in 1/32768: 0 to 32767.
    pub noise: u16,
    /// Amplitude at the end of a period.
    pub noise_end: u16,
    /// Steps of a period of the saw-tooth; 0 for constant noise.
    pub noise_period: u32,
    /// What a hard clause weighs, in 1/256 of the mean soft weight: 1 to 2^20.
    pub hard_ratio: u32,
}

impl Parameters {
    /// The sets of `parameters/memcomputing.toml`, by problem class.
    pub const TABLE: &'static [(&'static str, Self)] = include!(concat!(env!("OUT_DIR"), "/memcomputing.rs"));

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
            ("chips", i64::from(self.chips), 1, 64, "1 to 64"),
            ("voltage_rate", i64::from(self.voltage_rate), 1, 32767, "1 to 32767"),
            ("short_rate", i64::from(self.short_rate), 0, 32767, "0 to 32767"),
            ("long_rate", i64::from(self.long_rate), 0, 32767, "0 to 32767"),
            ("gamma", i64::from(self.gamma), 0, 32767, "0 to 32767"),
            ("delta", i64::from(self.delta), 0, 32767, "0 to 32767"),
            ("epsilon", i64::from(self.epsilon), 0, 32767, "0 to 32767"),
            ("zeta_shift", i64::from(self.zeta_shift), -15, 15, "-15 to 15"),
            ("long_cap", i64::from(self.long_cap), 16, 65535, "16 to 65535"),
            ("noise", i64::from(self.noise), 0, 32767, "0 to 32767"),
            ("noise_end", i64::from(self.noise_end), 0, 32767, "0 to 32767"),
            ("hard_ratio", i64::from(self.hard_ratio), 1, 1 << 20, "1 to 2^20"),
        ];
        for (name, value, least, most, reason) in ranges {
            if value < least || value > most {
                return Err(Error::Parameter { name, value, reason });
            }
        }
        Ok(())
    }

    /// The amplitude of the noise at `step`.
    pub fn noise_at(&self, step: u32) -> i16 {
        if self.noise_period == 0 {
            return self.noise as i16;
        }
        let (start, end) = (i64::from(self.noise), i64::from(self.noise_end));
        let place = i64::from(step % self.noise_period);
        (start + (end - start) * place / i64::from(self.noise_period)) as i16
    }
    /// The largest force that a voltage follows: more would leave 16 bits.
    pub fn force_limit(&self) -> i16 {
        32767 / self.voltage_rate
    }
}

/// The constants of one clause's long memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LongMemory {
    /// Where it starts and the least that it is.
    pub floor: u16,
    /// The most that it is.
    pub cap: u16,
    /// Its rate.
    pub rate: i16,
}

impl Parameters {
    /// The long memory of a clause whose weight is `ratio / 256` of the mean (`u32::MAX`: hard).
    pub fn long_memory(&self, ratio: u32) -> LongMemory {
        let ratio = u64::from(if ratio == u32::MAX { self.hard_ratio } else { ratio });
        let scale = |value: u64, most: u64| (value * ratio >> 8).min(most);
        let floor = scale(16, 32767) as u16;
        LongMemory {
            floor,
            cap: (scale(u64::from(self.long_cap), 65535) as u16).max(floor),
            rate: scale(self.long_rate as u64, 32767) as i16,
        }
    }
}
