//! Keys of records: a byte for the table, then the id; numbers big-endian, so that their order is the keys' order.

use hysteron_work::types::{Hash, JobId, ProblemId};

use crate::keys::Address;

/// Tables of the state. A code is never used again for something else.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Head = 0x01,
    Supply = 0x02,
    Account = 0x03,
    Multisig = 0x04,
    BlockHash = 0x05,
    Coinbase = 0x06,
    Pot = 0x07,
    PotEnd = 0x08,
    ProvenLegs = 0x09,
    Problem = 0x0a,
    Job = 0x0b,
    ActiveJob = 0x0c,
    Board = 0x0d,
    Checkpoint = 0x0e,
    Commitment = 0x0f,
    CommitmentEnd = 0x10,
    Reveal = 0x11,
    Vote = 0x12,
    Office = 0x13,
    Oracle = 0x14,
    Rate = 0x15,
    Quote = 0x16,
    Miner = 0x17,
    MinedBlocks = 0x18,
    Tuning = 0x19,
}

impl Kind {
    pub(crate) const ALL: [Self; 25] = [
        Self::Head,
        Self::Supply,
        Self::Account,
        Self::Multisig,
        Self::BlockHash,
        Self::Coinbase,
        Self::Pot,
        Self::PotEnd,
        Self::ProvenLegs,
        Self::Problem,
        Self::Job,
        Self::ActiveJob,
        Self::Board,
        Self::Checkpoint,
        Self::Commitment,
        Self::CommitmentEnd,
        Self::Reveal,
        Self::Vote,
        Self::Office,
        Self::Oracle,
        Self::Rate,
        Self::Quote,
        Self::Miner,
        Self::MinedBlocks,
        Self::Tuning,
    ];

    /// The table of a key, `None` if there is no such table.
    pub(crate) fn of(key: &[u8]) -> Option<Self> {
        let code = *key.first()?;
        Self::ALL.into_iter().find(|kind| *kind as u8 == code)
    }
}

fn key(kind: Kind, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = vec![kind as u8];
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// The key of a table's only record, and the prefix of all its keys.
pub(crate) fn table(kind: Kind) -> Vec<u8> {
    vec![kind as u8]
}
/// The key of a record by height.
pub(crate) fn at_height(kind: Kind, height: u64) -> Vec<u8> {
    key(kind, &[&height.to_be_bytes()])
}
/// The key of a record by account.
pub(crate) fn of_account(kind: Kind, address: &Address) -> Vec<u8> {
    key(kind, &[&address.0])
}
/// The key of a record by job.
pub(crate) fn of_job(kind: Kind, job: &JobId) -> Vec<u8> {
    key(kind, &[&job.0])
}
/// The key of a problem's record.
pub(crate) fn problem(problem: &ProblemId) -> Vec<u8> {
    key(Kind::Problem, &[&problem.0])
}
/// The key of a checkpoint's assignment.
pub(crate) fn checkpoint(job: &JobId, slot: u8) -> Vec<u8> {
    key(Kind::Checkpoint, &[&job.0, &[slot]])
}
/// The key of a commitment.
pub(crate) fn commitment(commitment: &Hash) -> Vec<u8> {
    key(Kind::Commitment, &[commitment])
}
/// The key of what is due at a height, by a hash: ends of commitments, reveals.
pub(crate) fn due(kind: Kind, height: u64, id: &Hash) -> Vec<u8> {
    key(kind, &[&height.to_be_bytes(), id])
}
/// The key of a reviewer's vote.
pub(crate) fn vote(job: &JobId, reviewer: &Address) -> Vec<u8> {
    key(Kind::Vote, &[&job.0, &reviewer.0])
}
/// The last 32 bytes of a key as an id.
///
/// # Panics
/// If the key is shorter.
pub(crate) fn tail(key: &[u8]) -> Hash {
    key[key.len() - 32..].try_into().expect("32 bytes")
}
