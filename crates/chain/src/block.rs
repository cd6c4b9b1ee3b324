//! Blocks: a header, transactions, and the data of the problems that they bring. The limits on bytes are checked
//! before anything is decoded.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_ledger::SignedTransaction;
use hysteron_work::types::Hash;

use crate::error::DecodeError;
use crate::header::{HEADER_BYTES, Header};
use crate::merkle;

/// Most bytes of a block's encoded transactions (their length prefix included).
pub const TRANSACTION_BYTES_MAX: usize = hysteron_ledger::limits::BLOCK_TRANSACTION_BYTES_MAX;
/// Most bytes of a block's problem data, all problems together.
pub const PROBLEM_BYTES_MAX: usize = hysteron_ledger::limits::BLOCK_PROBLEM_BYTES_MAX;
/// Most problems in a block.
pub const PROBLEMS_MAX: usize = 256;
/// Most bytes of an encoded block.
pub const BLOCK_BYTES_MAX: usize =
    HEADER_BYTES + TRANSACTION_BYTES_MAX + 4 + PROBLEM_BYTES_MAX + 4 * PROBLEMS_MAX;

/// A block.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// What the work binds.
    pub header: Header,
    /// In the order in which they are applied.
    pub transactions: Vec<SignedTransaction>,
    /// Canonical borsh of each problem that the transactions bring, in the order of the transactions.
    pub problems: Vec<Vec<u8>>,
}

impl Block {
    /// The block's name: its header's hash.
    pub fn hash(&self) -> Hash {
        self.header.hash()
    }
    /// Borsh.
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("memory takes every byte")
    }
    /// Reads a block from outside.
    ///
    /// # Errors
    /// If the bytes are too many, no block, or a block beyond a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(DecodeError::TooLong { what: "block", found: bytes.len(), limit: BLOCK_BYTES_MAX });
        }
        let block: Self = borsh::from_slice(bytes)
            .map_err(|e| DecodeError::Malformed { what: "block", reason: e.to_string() })?;
        block.check_limits()?;
        Ok(block)
    }
    /// Whether the parts keep their limits.
    ///
    /// # Errors
    /// The first limit that is exceeded.
    pub fn check_limits(&self) -> Result<(), DecodeError> {
        let within = |what, found: usize, limit: usize| {
            if found > limit { Err(DecodeError::TooLong { what, found, limit }) } else { Ok(()) }
        };
        within("list of problems", self.problems.len(), PROBLEMS_MAX)?;
        within("problem data of a block", self.problems.iter().map(Vec::len).sum(), PROBLEM_BYTES_MAX)?;
        let bytes = borsh::object_length(&self.transactions)
            .map_err(|e| DecodeError::Malformed { what: "block", reason: e.to_string() })?;
        within("transactions of a block", bytes, TRANSACTION_BYTES_MAX)
    }
    /// Leaf hashes of the transactions, for [`merkle::root`] and [`merkle::prove`].
    pub fn transaction_leaves(transactions: &[SignedTransaction]) -> Vec<Hash> {
        transactions
            .iter()
            .map(|t| merkle::leaf(&borsh::to_vec(t).expect("memory takes every byte")))
            .collect()
    }
    /// The root that a header over these transactions must have.
    pub fn transaction_root(transactions: &[SignedTransaction]) -> Hash {
        merkle::root(&Self::transaction_leaves(transactions))
    }
    /// The root that a header over these problems must have.
    pub fn data_root(problems: &[Vec<u8>]) -> Hash {
        merkle::root(&problems.iter().map(|bytes| merkle::leaf(bytes)).collect::<Vec<_>>())
    }
}
