//! What a run of the switching chip can be set to, and the table of sets in `parameters/switching.toml`.

use serde::{Deserialize, Serialize};

use super::tables::{Level, TEMPERATURE_MAX_Q10};
use crate::run::Error;

/// The kernel: which elements a chip has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub enum Kernel {
    /// Table: switches by Metropolis' rule at a temperature; 64 chips a bank; may resample lanes.
    T,
    /// Bit-sliced: the same rule, 512 chips a bank, clauses of at most three literals.
    B,
    /// Memory: one weight a clause and chip, which grows while the clause is unsatisfied.
    W,
}

/// A parameter set: integers only, plain data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Which elements.
    pub kernel: Kernel,
    /// Temperature at the start of a period, in 1/1024 of a clause (T, B) or of a unit of weight (W).
    pub hot: u32,
    /// Temperature at the end of a period, in 1/1024.
    pub cold: u32,
    /// Steps of a period, in which the temperature falls linearly; 0 is the whole run.
    #[serde(default)]
    pub period: u32,
    /// The last steps of each period are at temperature 0.
    #[serde(default)]
    pub frozen: u32,
    /// T: resample the lanes by their Boltzmann weights after each so many steps of a period; 0 never.
    #[serde(default)]
    pub resample: u32,
    /// T, B: look for new best states after each so many steps, and after the last. (A chip that
    /// reaches 0 unsatisfied clauses is noticed after every step, in B after every second.)
    #[serde(default = "one")]
    pub record: u32,
    /// Notice that a chip reached the goal only in the steps in which new best states are looked for: its fresh start
    /// is then as rare as they are, so that a circuit which is solved all the time costs hardly more than another. Else
    /// it is noticed at once.
    #[serde(default)]
    pub patient: bool,
    /// All chips start from noise again each so many steps; 0 never.
    #[serde(default)]
    pub restart: u32,
    /// W: the least weight, which all clauses begin with; 1..=255.
    #[serde(default)]
    pub weight_floor: u8,
    /// W: the greatest weight, at least the least.
    #[serde(default)]
    pub weight_cap: u8,
    /// W: probability in 1/8192 that an unsatisfied clause gains 1 after a step; 0..=8192.
    #[serde(default)]
    pub gain: u16,
    /// W: probability in 1/8192 that a satisfied clause loses 1 after a step; 0..=8192.
    #[serde(default)]
    pub loss: u16,
}

fn one() -> u32 {
    1
}

impl Parameters {
    /// Whether every number is in its range.
    ///
    /// # Errors
    /// [`Error::Parameter`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let refuse =
            |name, value: u32, reason| Err(Error::Parameter { name, value: i64::from(value), reason });
        if self.hot > TEMPERATURE_MAX_Q10 {
            return refuse("hot", self.hot, "at most 507904, a temperature of 496");
        }
        if self.cold > self.hot {
            return refuse("cold", self.cold, "at most hot");
        }
        if self.record == 0 {
            return refuse("record", 0, "at least 1");
        }
        if self.kernel == Kernel::W {
            if self.weight_floor == 0 {
                return refuse("weight_floor", 0, "at least 1");
            }
            if self.weight_cap < self.weight_floor {
                return refuse("weight_cap", self.weight_cap.into(), "at least weight_floor");
            }
            if self.gain > 8192 {
                return refuse("gain", self.gain.into(), "at most 8192, which is always");
            }
            if self.loss > 8192 {
                return refuse("loss", self.loss.into(), "at most 8192, which is always");
            }
        }
        Ok(())
    }

    /// What a set of the table need not say, as `serde` has it; kernel and temperatures it must say.
    pub(super) const LEFT_OUT: Self = Self {
        kernel: Kernel::T,
        hot: 0,
        cold: 0,
        period: 0,
        frozen: 0,
        resample: 0,
        record: 1,
        patient: false,
        restart: 0,
        weight_floor: 0,
        weight_cap: 0,
        gain: 0,
        loss: 0,
    };

    /// The sets of `parameters/switching.toml`, by problem class.
    pub const TABLE: &'static [(&'static str, Self)] = include!(concat!(env!("OUT_DIR"), "/switching.rs"));

    /// The set for a problem class of [`Self::TABLE`].
    ///
    /// # Panics
    /// If there is no such class: the names are part of this crate.
    pub fn of_class(class: &str) -> Self {
        crate::run::set_of_class(Self::TABLE, class)
    }

    /// The place of `step` in its period, and the period's length.
    fn place(&self, step: u32, steps: u32) -> (u32, u32) {
        let period = if self.period == 0 { steps.max(1) } else { self.period };
        (step % period, period)
    }

    /// The temperature of a step.
    pub(super) fn level(&self, step: u32, steps: u32) -> Level {
        let (place, period) = self.place(step, steps);
        let cooling = period.saturating_sub(self.frozen);
        if place >= cooling {
            return Level(0);
        }
        let fall = u64::from(self.hot - self.cold) * u64::from(place) / u64::from((cooling - 1).max(1));
        Level::at_most(self.hot - fall as u32)
    }

    /// Whether lanes are resampled after `step`: between two temperatures of one period.
    pub(super) fn resamples_after(&self, step: u32, steps: u32) -> bool {
        let (place, period) = self.place(step, steps);
        self.resample != 0 && (place + 1).is_multiple_of(self.resample) && place + 1 < period
    }

    /// Whether new best states are looked for after `step`.
    pub(super) fn records_after(&self, step: u32, steps: u32) -> bool {
        let (place, period) = self.place(step, steps);
        (step + 1).is_multiple_of(self.record) || place + 1 == period || step + 1 == steps
    }

    /// Whether all chips start again before `step`.
    pub(super) fn restarts_before(&self, step: u32) -> bool {
        self.restart != 0 && step != 0 && step.is_multiple_of(self.restart)
    }
}
