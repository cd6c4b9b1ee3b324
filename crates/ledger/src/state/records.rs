//! The smaller records of the state. Jobs are in [`crate::job`], the committee in [`crate::committee`].

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::Class;
use hysteron_work::types::{Assignment, Hash, JobId};

use crate::keys::Address;
use crate::score::{Scale, Score};

/// An account.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Atoms that may be spent.
    pub balance: u64,
    /// Transactions that it has sent.
    pub nonce: u64,
}

/// Where the chain stands.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// Height of the last block.
    pub height: u64,
    /// The latest time of any block so far, unix seconds.
    pub clock: u64,
    /// Jobs that are not settled.
    pub active_jobs: u64,
    /// The median of proven legs a block over the last [`crate::limits::POT_BLOCKS`] blocks.
    pub legs_per_block: u64,
}

/// All coins there are.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Supply {
    /// Atoms ever issued, the genesis' allocations included; at most [`crate::CAP_ATOMS`].
    pub issued: u64,
    /// Atoms that burned.
    pub burned: u64,
}

/// A block's coinbase that is not mature.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Coinbase {
    /// Whose it will be.
    pub miner: Address,
    /// Atoms: issued, fees, and the pot's payment.
    pub amount: u64,
}

/// Block fees on their way to miners.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Pot {
    /// Atoms in it.
    pub balance: u64,
    /// Atoms that it pays each block at present.
    pub rate: u64,
    /// Atoms, below [`crate::limits::POT_BLOCKS`], that wait for the next inflow, as they cannot be divided evenly.
    pub dust: u64,
}

/// A problem on the chain; its data is in the block that brought it.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct ProblemRecord {
    /// The block that brought it.
    pub height: u64,
    /// Bytes of its data.
    pub bytes: u32,
    /// Variables.
    pub variables: u32,
    /// Literals or couplings.
    pub elements: u64,
    /// Its class.
    pub class: Class,
    /// The scale of its scores.
    pub scale: Scale,
}

/// A commitment that is not revealed.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Commitment {
    /// Who committed.
    pub sender: Address,
    /// In which block.
    pub height: u64,
    /// Atoms in escrow.
    pub bond: u64,
}

/// A reveal that waits; its assignment is public.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Reveal {
    /// The job.
    pub job: JobId,
    /// Who revealed.
    pub sender: Address,
    /// The block with the commitment.
    pub committed: u64,
    /// Its score.
    pub score: Score,
    /// The assignment.
    pub assignment: Assignment,
}

/// A reviewer's vote.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Vote {
    /// For or against.
    pub approve: bool,
    /// The hash of the reason, which is in the transaction.
    pub reason: Hash,
    /// In which block.
    pub height: u64,
}

/// The price of HYS.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Oracle {
    /// Millionths of a euro cent for one HYS.
    pub rate: u64,
    /// When the rate was last allowed to move, unix seconds.
    pub moved: u64,
    /// When the newest quote that counts was made, unix seconds.
    pub quoted: u64,
}

/// Somebody's quote.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Millionths of a euro cent for one HYS.
    pub rate: u64,
    /// When, unix seconds.
    pub time: u64,
}
