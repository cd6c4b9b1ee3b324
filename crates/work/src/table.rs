//! The schedule without a server: what a seed draws from, and what it draws.
//!
//! A seed gives eight words. The first is scaled to `u` in `0..C`, `C` the network's capacity in chips but never
//! less than what is booked; the entry into whose cumulative chips `u` falls is the job, beyond the last the public
//! pool. The others choose the start, the parameter set and the seed of the run.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::pool::{self, PublicPool};
use crate::tuning::Tuning;
use crate::types::{Assignment, Hash, JobId, ProblemId};

/// The most jobs that a table holds: draws walk it, and blocks state none of it.
pub const ENTRIES_MAX: usize = 4096;
/// The most checkpoints of a job: its best distinct assignments.
pub const CHECKPOINTS_MAX: usize = 16;
/// Kicks that a start from a checkpoint may get, in thousandths of its variables.
pub const KICKS_PER_MILLE: [u16; 8] = [5, 10, 20, 30, 50, 80, 120, 200];

/// The class of a problem: which chips may simulate it, and which parameter sets there are.
#[derive(
    BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default,
)]
pub enum Class {
    /// CNF, clauses of at most three literals.
    #[default]
    ShortClauses,
    /// CNF with longer clauses.
    LongClauses,
    /// Weighted partial MaxSAT.
    WeightedClauses,
    /// Ising with few couplings a spin: a fixed cost a sweep.
    SparseSpins,
    /// Ising with many couplings a spin: event-driven chips with a meter.
    DenseSpins,
}

impl Class {
    /// All classes, in the order of their codes.
    pub const ALL: [Self; 5] =
        [Self::ShortClauses, Self::LongClauses, Self::WeightedClauses, Self::SparseSpins, Self::DenseSpins];

    /// The name in data files and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShortClauses => "short-clauses",
            Self::LongClauses => "long-clauses",
            Self::WeightedClauses => "weighted-clauses",
            Self::SparseSpins => "sparse-spins",
            Self::DenseSpins => "dense-spins",
        }
    }
}

/// A job in the schedule.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The job.
    pub job: JobId,
    /// Its problem.
    pub problem: ProblemId,
    /// The class that [`crate::admit`] gave the problem.
    pub class: Class,
    /// Chips that it booked: its weight.
    pub chips: u64,
    /// The energy that ends it, if any (for CNF 0 unsatisfied clauses always does).
    pub target: Option<i64>,
    /// Its best distinct assignments, best first, at most [`CHECKPOINTS_MAX`].
    pub checkpoints: Vec<Assignment>,
}

/// What seeds draw from: the ledger makes it from the state after the parent block.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// Running jobs in the order of their ids.
    pub entries: Vec<Entry>,
    /// The network's capacity: 64 times the median of proven legs a block.
    pub capacity_chips: u64,
    /// What the rest of the capacity works on.
    pub pool: PublicPool,
    /// The weights of parameter sets.
    pub tuning: Tuning,
}

/// What a leg works on.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Hash, Debug)]
pub enum Task {
    /// The entry of this index.
    Job(u32),
    /// The public pool's instance of this index, below [`pool::INSTANCES`].
    Public(u32),
}

/// How the chips of a leg begin.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub enum LegStart {
    /// Each from noise.
    Random,
    /// From a checkpoint of the entry, each with its own kick.
    Checkpoint {
        /// Index into [`Entry::checkpoints`].
        index: u8,
        /// Thousandths of the variables that are drawn anew.
        kick_per_mille: u16,
    },
}

/// What a seed draws.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Leg {
    /// The job or public instance.
    pub task: Task,
    /// The start of its chips.
    pub start: LegStart,
    /// Which of the class's parameter sets.
    pub parameter_set: u8,
    /// The seed of the chips' noise.
    pub run_seed: u64,
}

impl Table {
    /// Reads a table that came from a node.
    ///
    /// # Errors
    /// A sentence, if the bytes are no table within the bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        // Borsh allocates no more than what the bytes can hold.
        let table: Self = borsh::from_slice(bytes).map_err(|e| format!("The bytes are no table: {e}."))?;
        if table.is_bounded() {
            Ok(table)
        } else {
            Err("The table has more entries than a table may.".into())
        }
    }

    /// Chips that all jobs booked together.
    pub fn booked_chips(&self) -> u128 {
        self.entries.iter().map(|e| u128::from(e.chips)).sum()
    }

    /// What draws are scaled to: the capacity, or what is booked if that is more; at least 1.
    pub fn drawn_chips(&self) -> u128 {
        self.booked_chips().max(u128::from(self.capacity_chips)).max(1)
    }

    /// The chips that a job is credited with when `legs` legs were proven: `legs * 64 * chips / C`, rounded down.
    pub fn credit_chips(&self, entry: &Entry, legs: u128) -> u64 {
        let due = legs.saturating_mul(u128::from(crate::types::CHIPS_PER_BANK));
        // Both factors may be large: divide with the remainder kept.
        let all = self.drawn_chips();
        let chips = u128::from(entry.chips);
        let whole = (due / all).saturating_mul(chips);
        let rest = (due % all).checked_mul(chips).map_or(u128::MAX, |product| product / all);
        u64::try_from(whole.saturating_add(rest)).unwrap_or(u64::MAX)
    }

    /// The class of a task, `None` if there is no such entry or instance.
    pub fn class_of(&self, task: Task) -> Option<Class> {
        match task {
            Task::Job(index) => self.entries.get(index as usize).map(|e| e.class),
            Task::Public(index) => pool::class_of(index),
        }
    }

    /// Whether the bounds hold that draws rely on; the ledger makes only such tables.
    pub fn is_bounded(&self) -> bool {
        self.entries.len() <= ENTRIES_MAX
            && self.entries.iter().all(|e| e.checkpoints.len() <= CHECKPOINTS_MAX)
    }
}

/// `0..range` from a uniform word; `range` at least 1.
fn scale(word: u64, range: u64) -> u64 {
    ((u128::from(word) * u128::from(range)) >> 64) as u64
}

/// What `seed` draws: a function of its arguments alone.
pub fn draw(table: &Table, seed: &Hash) -> Leg {
    let mut bytes = [0u8; 64];
    let mut hasher = blake3::Hasher::new_derive_key("hysteron/draw/1");
    hasher.update(seed);
    hasher.finalize_xof().fill(&mut bytes);
    let word = |i: usize| u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("eight bytes"));
    // More chips than 2^64 cannot be booked, as there are not so many coins.
    let u = u128::from(scale(word(0), u64::try_from(table.drawn_chips()).unwrap_or(u64::MAX)));
    let mut sum = 0u128;
    let job = table.entries.iter().position(|entry| {
        sum += u128::from(entry.chips);
        u < sum
    });
    let (task, class, checkpoints) = match job {
        Some(index) => {
            let entry = &table.entries[index];
            (Task::Job(index as u32), entry.class, entry.checkpoints.len())
        }
        None => {
            let index = scale(word(1), pool::INSTANCES.into()) as u32;
            (Task::Public(index), pool::class_of(index).expect("below INSTANCES"), 0)
        }
    };
    let start = if checkpoints == 0 || word(2) >> 63 == 0 {
        LegStart::Random
    } else {
        LegStart::Checkpoint {
            index: scale(word(3), checkpoints.min(CHECKPOINTS_MAX) as u64) as u8,
            kick_per_mille: KICKS_PER_MILLE[scale(word(4), KICKS_PER_MILLE.len() as u64) as usize],
        }
    };
    Leg { task, start, parameter_set: table.tuning.draw(class, word(5)), run_seed: word(6) }
}
