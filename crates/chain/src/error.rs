//! Every refusal of the chain, typed, in sentences, with the score that its sender's peer record gets.

use hysteron_ledger::LedgerError;
use hysteron_work::WorkError;
use hysteron_work::types::Hash;
use thiserror::Error;

use crate::storage::StorageError;

/// A peer whose score reaches this is banned.
pub const BAN_SCORE: u32 = 100;

/// Why bytes are no header, block or transaction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DecodeError {
    /// Another length than this thing always has.
    #[error("There are {found} bytes where there must be {expected}.")]
    Length {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// Above a limit, in bytes or items.
    #[error("The {what} measures {found}, more than the limit of {limit}.")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Not the encoding of anything.
    #[error("The bytes are no {what}: {reason}.")]
    Malformed {
        /// What they should be.
        what: &'static str,
        /// What the decoder met.
        reason: String,
    },
}

/// Why a header or block was not taken. The variants stand in the order of the pipeline.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum ChainError {
    /// Syntax or bounds.
    #[error("The block is malformed. {0}")]
    Decode(#[from] DecodeError),
    /// A version that this program does not know.
    #[error("The header has version {found}; this program knows version {known}.")]
    Version {
        /// The version in the header.
        found: u16,
        /// The version known.
        known: u16,
    },
    /// The field has no meaning yet.
    #[error("The header's local pool root must be zero.")]
    LocalPool,
    /// It, or an ancestor, was found invalid before.
    #[error("The block, or one of its ancestors, is known to be invalid.")]
    KnownInvalid,
    /// The parent is not here. In `submit` this is an outcome, not an error.
    #[error("The parent of the header is not known.")]
    ParentUnknown {
        /// The missing parent.
        parent: Hash,
    },
    /// Not the parent's height plus one.
    #[error("The header has height {found} on a parent that makes it {expected}.")]
    Height {
        /// The height in the header.
        found: u64,
        /// Parent's height plus one.
        expected: u64,
    },
    /// A branch that leaves the best chain too far below the tip to be judged block by block.
    #[error("The branch leaves the best chain {depth} blocks below its tip; the limit is {limit}.")]
    TooDeep {
        /// Blocks from the fork to the tip.
        depth: u64,
        /// The limit that applied.
        limit: u64,
    },
    /// The release knows another block at this height.
    #[error("The header contradicts the release's checkpoint at height {height}.")]
    Checkpoint {
        /// The checkpoint's height.
        height: u64,
    },
    /// Not above the median time past.
    #[error("The header's time {time} is not above the median {median} of the last blocks.")]
    TimeTooOld {
        /// The header's time, Unix seconds.
        time: u64,
        /// The median, Unix seconds.
        median: u64,
    },
    /// More ahead of the clock than allowed; it may become valid later.
    #[error("The header's time {time} is more than the allowed {ahead_s_max} s ahead of the clock's {now}.")]
    TimeTooNew {
        /// The header's time, Unix seconds.
        time: u64,
        /// The receiver's clock, Unix seconds.
        now: u64,
        /// Seconds allowed.
        ahead_s_max: u64,
    },
    /// Not the target that ASERT gives.
    #[error("The header has another target than the difficulty rule gives.")]
    Target,
    /// Post-hash, pre-hash or a leg.
    #[error("The proof of work does not hold: {0}.")]
    Work(WorkError),
    /// The transactions are not those of the header.
    #[error("The transactions do not give the header's transaction root.")]
    TransactionRoot,
    /// The problem data are not those of the header.
    #[error("The problem data do not give the header's data root.")]
    DataRoot,
    /// The content is no legal transition of the state.
    #[error("The block's content is refused: {0}")]
    Ledger(LedgerError),
    /// The state after the block is another one.
    #[error("The state after the block has another root than the header says.")]
    StateRoot,
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// In an import: not the block that the plan has next. Perhaps an honest peer's answer to another question.
    #[error("The block is not the next one of the import.")]
    Unplanned,
    /// A caller used a handle that the chain has left behind.
    #[error("The chain has moved on: {0}.")]
    Stale(&'static str),
}

impl ChainError {
    /// What the sender's score rises by; [`BAN_SCORE`] bans at once. Honest peers can cause those of a low score
    /// (clocks differ, the network forks), so they count little or nothing.
    pub fn ban_score(&self) -> u32 {
        match self {
            Self::Storage(_) | Self::Stale(_) | Self::ParentUnknown { .. } => 0,
            Self::Work(error) if !error.is_forgery() => 0,
            Self::Ledger(error) if is_ours(error) => 0,
            Self::TooDeep { .. } => 5,
            Self::TimeTooNew { .. } => 10,
            Self::KnownInvalid | Self::Unplanned => 20,
            Self::Decode(_)
            | Self::Version { .. }
            | Self::LocalPool
            | Self::Height { .. }
            | Self::Checkpoint { .. }
            | Self::TimeTooOld { .. }
            | Self::Target
            | Self::Work(_)
            | Self::TransactionRoot
            | Self::DataRoot
            | Self::Ledger(_)
            | Self::StateRoot => BAN_SCORE,
        }
    }

    /// Whether it is found only after the checks that need no simulation, so that a peer that passes blocks on after those can
    /// have sent the block in good faith.
    pub fn is_found_late(&self) -> bool {
        match self {
            Self::Work(WorkError::PostHash | WorkError::PreHash) => false,
            Self::Work(_) | Self::Ledger(_) | Self::StateRoot => true,
            _ => false,
        }
    }

    /// Whether the header can never be part of a valid chain, whatever body or sender comes with it.
    pub fn condemns_header(&self) -> bool {
        match self {
            Self::Work(error) => error.is_forgery(),
            Self::Ledger(error) => !is_ours(error),
            Self::KnownInvalid
            | Self::Version { .. }
            | Self::LocalPool
            | Self::Height { .. }
            | Self::TimeTooOld { .. }
            | Self::Target
            | Self::StateRoot => true,
            // A wrong body can be sent with a good header; the others depend on the receiver.
            Self::Decode(_)
            | Self::ParentUnknown { .. }
            | Self::TooDeep { .. }
            | Self::Checkpoint { .. }
            | Self::TimeTooNew { .. }
            | Self::TransactionRoot
            | Self::DataRoot
            | Self::Storage(_)
            | Self::Unplanned
            | Self::Stale(_) => false,
        }
    }
}

/// Whether a refusal of a block's content shows a lack or a fault of this node, and nothing of the block.
fn is_ours(error: &LedgerError) -> bool {
    match error {
        LedgerError::BlockTransaction { error, .. } => is_ours(error),
        LedgerError::ClaimUnchecked { .. } | LedgerError::Corrupt { .. } | LedgerError::Arithmetic { .. } => {
            true
        }
        _ => false,
    }
}
