//! Jobs: what a customer asks, and what the chain keeps about it.
//!
//! ```text
//! open -> (held ->) waiting -> running -> solved | exhausted | cancelled | refused | starved -> settled
//! ```
//! *Open* lasts no longer than its transaction: the same block finds the job held or waiting.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::Class;
use hysteron_work::types::{Hash, ProblemId};

use crate::LedgerError;
use crate::keys::Address;
use crate::limits::{
    BLOCK_PROBLEM_BYTES_MAX, BLOCKS_MAX, BOUNTY_PER_MILLE_MAX, CHIPS_MAX, PENDING_REVEALS_MAX, REVIEW_BLOCKS,
};
use crate::score::Score;

/// Delivered work is counted in parts of a chip-block, so that small jobs lose nothing to rounding.
pub const CREDIT_UNITS: u64 = 1 << 16;
/// Due legs are counted in parts of a leg, see [`Job::due`].
pub const LEG_UNITS: u64 = 1 << 16;

/// What a customer asks for.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct JobTerms {
    /// The problem's content id.
    pub problem: ProblemId,
    /// Bytes of the problem, which travel beside the transaction, in the block's data section. 0 if the chain has the
    /// problem already.
    pub data_bytes: u32,
    /// Chips that search side by side, 1 to [`CHIPS_MAX`].
    pub chips: u64,
    /// Blocks for which they are booked, 1 to [`BLOCKS_MAX`].
    pub blocks: u32,
    /// The energy, in the problem's canonical units and with all hard clauses satisfied, that ends the job. A problem's own
    /// bound ends it always: no unsatisfied clause, for instance.
    pub target: Option<i64>,
    /// The bounty as thousandths of the block fee, at most [`BOUNTY_PER_MILLE_MAX`].
    pub bounty_per_mille: u16,
    /// The height whose quote the customer was shown: its rate counts if it is at most half an hour old.
    pub quoted_at: u64,
    /// The most atoms, block fee and bounty together, that may be escrowed.
    pub price_max: u64,
    /// Blocks within which a held job must be approved; else it is refused and everything returns.
    pub review_blocks: u32,
}

impl JobTerms {
    /// Checks the bounds of the fields.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] with the rule that is broken.
    pub fn check_form(&self) -> Result<(), LedgerError> {
        let refuse = |reason| Err(LedgerError::Malformed { reason });
        if self.data_bytes as usize > BLOCK_PROBLEM_BYTES_MAX {
            return refuse("a problem may have at most 4 MiB");
        }
        if self.chips == 0 || self.chips > CHIPS_MAX {
            return refuse("a job must book 1 to 2^32 chips");
        }
        if self.blocks == 0 || self.blocks > BLOCKS_MAX {
            return refuse("a job must book 1 to 2^18 blocks");
        }
        if self.bounty_per_mille > BOUNTY_PER_MILLE_MAX {
            return refuse("a bounty may be at most ten times the block fee");
        }
        if !REVIEW_BLOCKS.contains(&self.review_blocks) {
            return refuse("a review must have 1 to 2^16 blocks");
        }
        Ok(())
    }
}

/// How a job ended.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Its target, or its problem's bound, was reached.
    Solved,
    /// All booked chip-blocks were delivered.
    Exhausted,
    /// Its owner ended it.
    Cancelled,
    /// The committee refused it, or did not approve it in time.
    Refused,
    /// The network's miners avoided it: less was proven than chance explains. The block fee returns too.
    Starved,
}

/// Where a job stands.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub enum Status {
    /// The committee decides before this height.
    Held {
        /// The first height at which it is too late.
        until: u64,
    },
    /// Its problem's data spreads; it runs from this height on.
    Waiting {
        /// The first height whose block can be credited to it.
        until: u64,
    },
    /// In the schedule.
    Running,
    /// Out of the schedule; claims for earlier legs may still come, except when it is solved or refused.
    Ended {
        /// Why.
        ending: Ending,
        /// In which block.
        height: u64,
    },
    /// All of its escrow is paid out.
    Settled {
        /// Why it ended.
        ending: Ending,
        /// The block that settled it.
        height: u64,
    },
}

impl Status {
    /// How it ended, if it did.
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Self::Ended { ending, .. } | Self::Settled { ending, .. } => Some(*ending),
            _ => None,
        }
    }
    /// Whether a claim may still improve it.
    pub fn takes_claims(&self) -> bool {
        match self {
            Self::Running => true,
            Self::Ended { ending, .. } => !matches!(ending, Ending::Solved | Ending::Refused),
            _ => false,
        }
    }
}

/// The best result of a job.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Best {
    /// Its score.
    pub score: Score,
    /// [`assignment_hash`] of the assignment, which is in the job's checkpoints until it settles, and longer.
    pub assignment: Hash,
    /// Who was paid for it.
    pub finder: Address,
    /// The block with the claim.
    pub height: u64,
}

/// What a settled job's escrow became; the sum is what was escrowed.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Settlement {
    /// Atoms to the pot that pays miners.
    pub to_pot: u64,
    /// Atoms that burned.
    pub burned: u64,
    /// Atoms that returned to the owner.
    pub refunded: u64,
}

/// A job as the state keeps it; it stays after the settlement, for receipts.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Who booked and pays.
    pub owner: Address,
    /// The problem.
    pub problem: ProblemId,
    /// The problem's class.
    pub class: Class,
    /// Chips booked.
    pub chips: u64,
    /// Blocks booked, top-ups included.
    pub blocks: u32,
    /// The energy that ends it.
    pub target: Option<i64>,
    /// Atoms of block fee in escrow, for all booked chip-blocks.
    pub block_fee: u64,
    /// Atoms of bounty in escrow at first, top-ups included.
    pub bounty: u64,
    /// Atoms of the bounty that were paid.
    pub bounty_paid: u64,
    /// Credited work in [`CREDIT_UNITS`] of a chip-block; at most `chips * blocks * CREDIT_UNITS`.
    pub delivered: u128,
    /// Legs of winning attempts that chance would have given the job, in [`LEG_UNITS`] of a leg.
    pub due: u64,
    /// Legs of winning attempts that drew it.
    pub proven: u64,
    /// The block that opened it.
    pub opened: u64,
    /// The first block that was credited to it.
    pub started: Option<u64>,
    /// Where it stands.
    pub status: Status,
    /// The best result so far.
    pub best: Option<Best>,
    /// What became of the escrow.
    pub settlement: Option<Settlement>,
}

impl Job {
    /// Booked chip-blocks in [`CREDIT_UNITS`].
    pub fn booked_units(&self) -> u128 {
        u128::from(self.chips) * u128::from(self.blocks) * u128::from(CREDIT_UNITS)
    }
    /// Whole chip-blocks delivered.
    pub fn delivered_chip_blocks(&self) -> u64 {
        u64::try_from(self.delivered / u128::from(CREDIT_UNITS)).unwrap_or(u64::MAX)
    }
    /// Atoms of the block fee that the delivered work has earned, rounded down.
    pub fn earned(&self) -> u64 {
        // block_fee < 2^57, delivered <= booked < 2^66: the product fits.
        let earned = u128::from(self.block_fee) * self.delivered / self.booked_units().max(1);
        u64::try_from(earned).unwrap_or(u64::MAX).min(self.block_fee)
    }
    /// Atoms of bounty that are still in escrow.
    pub fn bounty_left(&self) -> u64 {
        self.bounty - self.bounty_paid
    }
    /// Atoms in escrow.
    pub fn escrow(&self) -> u64 {
        match self.status {
            Status::Settled { .. } => 0,
            _ => self.block_fee + self.bounty_left(),
        }
    }
}

/// A checkpoint's place in a job's board; the assignment itself is a record of its own.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Its score.
    pub score: Score,
    /// Its [`assignment_hash`].
    pub assignment: Hash,
    /// The slot of its record, below [`hysteron_work::CHECKPOINTS_MAX`].
    pub slot: u8,
}

/// A reveal that waits until no claim can come before it any more.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct PendingReveal {
    /// Its score.
    pub score: Score,
    /// The block with the commitment.
    pub committed: u64,
}

/// What else the state keeps about a job that is not settled.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug, Default)]
pub struct Board {
    /// The best distinct assignments, best first, at most [`hysteron_work::CHECKPOINTS_MAX`].
    pub checkpoints: Vec<Checkpoint>,
    /// Reveals that wait, at most [`PENDING_REVEALS_MAX`].
    pub reveals: Vec<PendingReveal>,
}

impl Board {
    /// Whether another reveal may wait.
    pub fn has_room(&self) -> bool {
        self.reveals.len() < PENDING_REVEALS_MAX
    }
}

/// What identifies an assignment in records: the hash of its canonical bytes.
pub fn assignment_hash(assignment: &hysteron_work::types::Assignment) -> Hash {
    hysteron_work::types::hash(
        "assignment",
        &[&borsh::to_vec(assignment).expect("writing to memory does not fail")],
    )
}
