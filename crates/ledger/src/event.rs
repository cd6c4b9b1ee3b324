//! What a block did, for logs, watchers and indexes. Nothing depends on events.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::types::{Hash, JobId};

use crate::job::{Ending, Settlement};
use crate::keys::Address;
use crate::score::Score;

/// Something that a block did.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Coins moved between accounts.
    Transferred {
        /// The transaction.
        transaction: Hash,
        /// From whom.
        from: Address,
        /// To whom.
        to: Address,
        /// Atoms.
        amount: u64,
        /// What the sender wrote.
        memo: Vec<u8>,
    },
    /// The block's coinbase was booked, to be spent when it is mature.
    Mined {
        /// The miner.
        miner: Address,
        /// Atoms that were issued.
        issued: u64,
        /// Atoms of fees.
        fees: u64,
        /// Atoms from the pot.
        pot: u64,
    },
    /// An earlier coinbase may be spent now.
    Matured {
        /// The miner.
        miner: Address,
        /// Atoms.
        amount: u64,
    },
    /// A job was opened.
    JobOpened {
        /// The job.
        job: JobId,
        /// Its owner.
        owner: Address,
        /// Atoms in escrow.
        escrow: u64,
        /// Whether the committee must decide first.
        held: bool,
    },
    /// A job got more blocks or bounty.
    JobToppedUp {
        /// The job.
        job: JobId,
        /// Atoms added to its escrow.
        escrow: u64,
    },
    /// The committee approved a held job.
    JobApproved {
        /// The job.
        job: JobId,
    },
    /// A job entered the schedule.
    JobStarted {
        /// The job.
        job: JobId,
    },
    /// A job was credited with proven work.
    JobCredited {
        /// The job.
        job: JobId,
        /// In [`crate::CREDIT_UNITS`] of a chip-block.
        units: u128,
    },
    /// A job's best result improved.
    JobImproved {
        /// The job.
        job: JobId,
        /// The new best score.
        score: Score,
        /// Who found it.
        finder: Address,
        /// Atoms of bounty paid.
        bounty: u64,
    },
    /// A job left the schedule, or never entered it.
    JobEnded {
        /// The job.
        job: JobId,
        /// Why.
        ending: Ending,
    },
    /// A job's escrow was paid out.
    JobSettled {
        /// The job.
        job: JobId,
        /// To whom.
        settlement: Settlement,
    },
    /// The leg of a claim with a bond was run and gave something else: the bond burned.
    ClaimFalse {
        /// Who claimed.
        sender: Address,
        /// Atoms burned.
        bond: u64,
    },
    /// A commitment was not revealed in time: its bond burned.
    CommitmentExpired {
        /// Who committed.
        sender: Address,
        /// Atoms burned.
        bond: u64,
    },
    /// A reviewer voted.
    Voted {
        /// The job.
        job: JobId,
        /// The reviewer.
        reviewer: Address,
        /// For or against.
        approve: bool,
        /// Why.
        reason: String,
    },
    /// The rate changed.
    RateChanged {
        /// Millionths of a euro cent for one HYS.
        microcents_per_hys: u64,
    },
    /// Another committee is in office.
    CommitteeChanged,
    /// The fee of a claim without a bond was taken out of the bounty of the last [`Self::JobImproved`].
    ClaimFeePaid {
        /// Who found it.
        finder: Address,
        /// Atoms.
        fee: u64,
    },
}
