//! What the ledger is told about a block, and what it gives back.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::Claim;
use hysteron_work::types::{Assignment, Hash, JobId, ProblemId, Target};

use crate::event::Event;
use crate::keys::Address;
use crate::score::Score;
use crate::transaction::SignedTransaction;

/// What a block says of itself, known before its transactions and before its proof.
#[derive(Copy, Clone)]
pub struct BlockContext<'a> {
    /// One more than the parent's.
    pub height: u64,
    /// The hash of the parent's header.
    pub parent: Hash,
    /// Unix time of the block, seconds; the chain checks it against its median.
    pub time: u64,
    /// Who gets the coinbase.
    pub miner: Address,
    /// The block's target: an attempt of four legs wins with probability `1 / expected_tries`, so the block stands for so
    /// many proven legs.
    pub post_target: Target,
    /// The jobs that the legs of the *parent's* winning attempt drew, one entry a leg, public ones left out. (The state
    /// root of a block is fixed before its own legs are run, so they count one block later.)
    pub parent_legs: &'a [JobId],
    /// How claims are checked.
    pub work: &'a dyn ClaimChecker,
}

/// A whole block, as the state needs it.
#[derive(Copy, Clone)]
pub struct BlockInput<'a> {
    /// The block's own facts.
    pub context: BlockContext<'a>,
    /// Its transactions in order.
    pub transactions: &'a [SignedTransaction],
    /// The data of the problems that its transactions bring to the chain, canonical borsh, in the order of the
    /// transactions, each once.
    pub problems: &'a [Vec<u8>],
}

/// What a claim says, as far as it is known without running its leg.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimSite {
    /// The parent that its header names.
    pub parent: Hash,
    /// The height of that parent.
    pub parent_height: u64,
    /// The account of the miner that its header names: who is paid.
    pub miner: Address,
    /// The job that its leg drew, `None` if the leg was the public pool's.
    pub job: Option<JobId>,
    /// The parameter set that its leg drew.
    pub parameter_set: u8,
}

/// What a claim without a bond has found. It is of use until the job has something as good.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The job.
    pub job: JobId,
    /// The score of the assignment, better than the job's best.
    pub score: Score,
    /// The last height whose block may hold the claim.
    pub last_height: u64,
}

/// What re-running a claim's leg gave.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum ClaimVerdict {
    /// The leg gives just what the claim says.
    True,
    /// It gives something else.
    False,
}

/// Why a claim could not be located, scored or re-run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClaimError {
    /// The claim is wrong in a way that shows without running it: header, unknown parent, number of variables.
    Refused(String),
    /// The claim contradicts itself on whatever branch, which shows without running it: form, pre-hash.
    Forged(String),
    /// Something is missing here (a table, a problem's data), which says nothing about the claim.
    Unchecked(String),
}

/// How claims are checked; the chain implements it, since it knows headers, tables and problems.
///
/// Answers must be functions of the claim and the branch of the block alone, except for [`ClaimError::Unchecked`].
pub trait ClaimChecker {
    /// Decodes the claim's header, finds the table at its parent, checks the pre-hash, draws the leg. Runs nothing. The
    /// ledger checks parent and age.
    ///
    /// # Errors
    /// [`ClaimError`].
    fn locate(&self, claim: &Claim) -> Result<ClaimSite, ClaimError>;
    /// The score of an assignment for a problem of the chain; `Refused` if it has another number of variables.
    ///
    /// # Errors
    /// [`ClaimError`].
    fn score(&self, problem: &ProblemId, assignment: &Assignment) -> Result<Score, ClaimError>;
    /// Runs the claim's leg again. Called last, and only for claims that would be worth something.
    ///
    /// # Errors
    /// [`ClaimError::Unchecked`] only.
    fn rerun(&self, claim: &Claim) -> Result<ClaimVerdict, ClaimError>;
}

/// A checker for places without claims: it says that it cannot.
pub struct NoClaims;

impl ClaimChecker for NoClaims {
    fn locate(&self, _: &Claim) -> Result<ClaimSite, ClaimError> {
        Err(ClaimError::Unchecked("claims are not checked here".into()))
    }
    fn score(&self, _: &ProblemId, _: &Assignment) -> Result<Score, ClaimError> {
        Err(ClaimError::Unchecked("claims are not checked here".into()))
    }
    fn rerun(&self, _: &Claim) -> Result<ClaimVerdict, ClaimError> {
        Err(ClaimError::Unchecked("claims are not checked here".into()))
    }
}

/// One record's change.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// The record's key.
    pub key: Vec<u8>,
    /// Its value before, if there was one.
    pub old: Option<Vec<u8>>,
    /// Its value after, if there is one.
    pub new: Option<Vec<u8>>,
}

/// All changes of a block, keys strictly increasing: what undoes it, and what a store writes.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug, Default)]
pub struct Delta {
    /// The changes.
    pub changes: Vec<Change>,
}

/// What applying a block gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// What changed.
    pub delta: Delta,
    /// What happened.
    pub events: Vec<Event>,
}

/// What a node learns about a transaction before it takes it into its pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admission {
    /// The transaction's id.
    pub id: Hash,
    /// Whose account pays.
    pub sender: Address,
    /// Its nonce, and the account's next one: a later nonce waits for those between.
    pub nonce: u64,
    /// The account's next nonce.
    pub next_nonce: u64,
    /// Atoms of fee.
    pub fee: u64,
    /// The floor of the fee, in atoms.
    pub floor: u64,
    /// Bytes of the transaction, and of the problem that must come with it.
    pub bytes: u64,
    /// Atoms that it takes from the account at most.
    pub spends: u64,
    /// What it has found, if it is a claim without a bond.
    pub finding: Option<Finding>,
}
