//! Proof of useful work: attempts, seeds, the schedule, costs, verification, claims. Pure code: it reads no clock,
//! disk or socket.

mod claim;
pub mod cost;
mod error;
mod meter;
pub mod pool;
mod prehash;
mod proof;
mod rules;
mod runner;
mod table;
mod tuning;
pub mod types;

pub use claim::{CLAIM_HEADER_BYTES_MAX, Claim, check_claim_cheap, score, verify_claim};
pub use error::{Refusal, WorkError};
pub use meter::{Meter, Reading};
pub use pool::PublicPool;
pub use prehash::Grinder;
pub use proof::{Attempt, Proof, attempt, check_cheap, leg_seed, next_hash, post_hash, pre_hash, verify};
pub use rules::WorkRules;
pub use runner::{LegOutput, LegRunner, Problems};
pub use table::{
    CHECKPOINTS_MAX, Class, ENTRIES_MAX, Entry, KICKS_PER_MILLE, Leg, LegStart, Table, Task, draw,
};
pub use tuning::{SETS, Tuning};
pub use types::{
    Assignment, CHIPS_PER_BANK, ELEMENTS_LIMIT, Hash, JobId, LEGS, ProblemId, Target, U256, VARIABLES_LIMIT,
    hash,
};
