//! What goes wrong, in sentences.

use hysteron_work::Refusal;
use hysteron_work::types::{JobId, ProblemId};

use crate::amount::format_hys;

/// Why a transaction, a block, a text or a record is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LedgerError {
    /// A text is no amount.
    #[error("\"{text}\" is not an amount of HYS: {reason}.")]
    AmountText {
        /// The text, shortened.
        text: String,
        /// Why not.
        reason: &'static str,
    },
    /// A text is no address of this network.
    #[error("\"{text}\" is not an address: {reason}.")]
    AddressText {
        /// The text, shortened.
        text: String,
        /// Why not.
        reason: String,
    },
    /// A multisig account or a committee breaks a rule.
    #[error("The group of keys is refused: {reason}.")]
    Members {
        /// The rule.
        reason: &'static str,
    },
    /// The genesis breaks a rule.
    #[error("The genesis is refused: {reason}.")]
    Genesis {
        /// The rule.
        reason: &'static str,
    },
    /// A number of the genesis is out of its bounds.
    #[error("The genesis is refused: {name} is {found}; it must be {least} to {most}.")]
    GenesisNumber {
        /// Which, as the files of `hysteron network` call it.
        name: &'static str,
        /// What it is.
        found: u64,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// A rule of the work is out of its bounds.
    #[error("The genesis is refused: work.{name} is out of its bounds, which WorkRules::check states.")]
    GenesisWork {
        /// Which.
        name: &'static str,
    },
    /// A transaction breaks a rule that needs no state.
    #[error("The transaction is malformed: {reason}.")]
    Malformed {
        /// The rule.
        reason: &'static str,
    },
    /// The transaction is for another network.
    #[error("The transaction is for network {found:08x}, this is {expected:08x}.")]
    Network {
        /// What it says.
        found: u32,
        /// What it should say.
        expected: u32,
    },
    /// A signature is wrong or missing.
    #[error("The transaction is not authorised: {reason}.")]
    Signature {
        /// What is wrong.
        reason: &'static str,
    },
    /// The nonce is not the next one.
    #[error("The transaction has nonce {found}, the account's next is {expected}.")]
    Nonce {
        /// What it says.
        found: u64,
        /// What it should say.
        expected: u64,
    },
    /// The fee is below the floor.
    #[error("The fee is {} HYS; a transaction like this needs at least {}.", format_hys(*found), format_hys(*floor))]
    Fee {
        /// Atoms offered.
        found: u64,
        /// Atoms needed.
        floor: u64,
    },
    /// A claim without a bond offers another fee than the floor.
    #[error(
        "The fee is {} HYS; a claim without a bond pays exactly {}, since its finder pays, whoever sends it.",
        format_hys(*found), format_hys(*floor)
    )]
    UnbondedFee {
        /// Atoms offered.
        found: u64,
        /// Atoms to offer.
        floor: u64,
    },
    /// A claim without a bond earns less than its fee.
    #[error(
        "The claim earns a bounty of {} HYS, and its fee is {}; send it with a bond, from an account that can pay both.",
        format_hys(*bounty), format_hys(*fee)
    )]
    BountyBelowFee {
        /// Atoms that it would earn.
        bounty: u64,
        /// Atoms that it costs.
        fee: u64,
    },
    /// A claim without a bond is false.
    #[error("The claim has no bond, and its leg was run and gives something else.")]
    ClaimFalse,
    /// A claim without a bond contradicts itself, on whatever branch.
    #[error("The claim is forged: {reason}.")]
    ClaimForged {
        /// What shows it.
        reason: String,
    },
    /// The account cannot pay.
    #[error("The account has {} HYS to spend; {} are needed.", format_hys(*found), format_hys(*needed))]
    Balance {
        /// Atoms there.
        found: u64,
        /// Atoms needed.
        needed: u64,
    },
    /// The price is above the customer's limit.
    #[error("The price is {} HYS, more than the limit of {}.", format_hys(*price), format_hys(*limit))]
    Price {
        /// Atoms that the job would escrow; `u64::MAX` if more than any account can hold.
        price: u64,
        /// Atoms that the customer allows.
        limit: u64,
    },
    /// The quote is too old, or of a block that is yet to come.
    #[error("The quote of block {quoted_at} does not hold any more (or yet); ask for a new one.")]
    Quote {
        /// The block that was named.
        quoted_at: u64,
    },
    /// Quotes are stale: no job is opened until there is a price again.
    #[error("The price of HYS is stale, so nothing can be booked until the oracle quotes again.")]
    PriceIsStale,
    /// There is no such job.
    #[error("There is no job {0}.")]
    JobUnknown(JobId),
    /// The job is not in a state for this.
    #[error("Job {job} {reason}.")]
    JobState {
        /// The job.
        job: JobId,
        /// What stands in the way.
        reason: &'static str,
    },
    /// The network has as many jobs as it can.
    #[error("The network has as many open jobs as it can hold; try again when some are settled.")]
    TooManyJobs,
    /// The problem's data is neither here nor on the chain.
    #[error("Problem {0} is not on the chain, so its data must come with the job.")]
    ProblemMissing(ProblemId),
    /// The data is not what the transaction says it is.
    #[error("The data of problem {problem} is wrong: {reason}.")]
    ProblemData {
        /// The problem.
        problem: ProblemId,
        /// What is wrong.
        reason: &'static str,
    },
    /// The problem is not admitted.
    #[error("The problem is refused. {0}")]
    ProblemRefused(#[from] Refusal),
    /// The problem is solved by doing nothing.
    #[error(
        "The assignment of all variables to false already reaches the target; there is nothing to search."
    )]
    NothingToSearch,
    /// A claim or a reveal is refused without running anything.
    #[error("The claim is refused: {reason}.")]
    Claim {
        /// Why.
        reason: String,
    },
    /// What is needed to check a claim is not here; it says nothing about the claim.
    #[error("The claim cannot be checked here: {reason}.")]
    ClaimUnchecked {
        /// What is missing.
        reason: String,
    },
    /// The sender may not do this.
    #[error("The sender may not do this: {reason}.")]
    Forbidden {
        /// Why not.
        reason: &'static str,
    },
    /// Something exists already.
    #[error("It exists already: {what}.")]
    Exists {
        /// What.
        what: &'static str,
    },
    /// The block breaks a rule of blocks.
    #[error("The block is refused: {reason}.")]
    Block {
        /// The rule.
        reason: &'static str,
    },
    /// A transaction of a block is refused.
    #[error("Transaction {index} of the block is refused: {error}")]
    BlockTransaction {
        /// Which, from 0.
        index: usize,
        /// Why.
        error: Box<Self>,
    },
    /// Amounts do not add up: a fault of the program, which is found before it does harm.
    #[error("An amount is out of its range: {what}. This is a fault of the program.")]
    Arithmetic {
        /// Which.
        what: &'static str,
    },
    /// A record of the state does not decode.
    #[error("A record of the state is damaged: {what}.")]
    Corrupt {
        /// Which.
        what: &'static str,
    },
    /// A receipt or a proof does not hold.
    #[error("The receipt does not hold: {reason}.")]
    Receipt {
        /// Why not.
        reason: &'static str,
    },
}

impl LedgerError {
    /// Whether the sender of such a transaction or block must have known better: reason enough to think less of a peer.
    /// What depends on the state may be valid on another branch, or have been valid a moment ago. Peers pass on transactions whose
    /// nonce is ahead after [`State::check_transaction`](crate::State::check_transaction) has looked at what needs no other
    /// transaction; so nothing that only applying shows is malicious, but for claims without a bond, which are never ahead.
    pub fn is_malicious(&self) -> bool {
        match self {
            Self::Malformed { .. } | Self::Network { .. } | Self::Signature { .. } | Self::Members { .. } => {
                true
            }
            // A claim names its parent, so what its leg gives depends on nothing else. Nobody passes it on in good faith.
            Self::UnbondedFee { .. } | Self::ClaimFalse | Self::ClaimForged { .. } => true,
            Self::BlockTransaction { error, .. } => !matches!(**error, Self::ClaimUnchecked { .. }),
            Self::Block { .. } => true,
            _ => false,
        }
    }
}
