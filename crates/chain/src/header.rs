//! Headers: 378 bytes, borsh, frozen by `golden/header.json`. What the seed of an attempt binds ([`HeaderBase`])
//! stands first, so its bytes are a prefix of the header's.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_ledger::Address;
use hysteron_work::Proof;
use hysteron_work::types::{Hash, LEGS, Target, hash};

use crate::error::DecodeError;

/// The only version of headers.
pub const HEADER_VERSION: u16 = 1;
/// Bytes of an encoded [`HeaderBase`].
pub const HEADER_BASE_BYTES: usize = 2 + 8 + 4 * 32 + 32 + 8 + 32 + 32;
/// Bytes of an encoded [`Header`].
pub const HEADER_BYTES: usize = HEADER_BASE_BYTES + 8 + LEGS * 32;

/// A header without nonce and digests: what the seed of an attempt binds, hence what a claim of a losing
/// attempt shows.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct HeaderBase {
    /// [`HEADER_VERSION`].
    pub version: u16,
    /// Number of blocks before this one; the genesis has 0.
    pub height: u64,
    /// Hash of the parent's header; of the genesis, the hash of its configuration.
    pub parent: Hash,
    /// Merkle root over the transactions.
    pub transaction_root: Hash,
    /// Root of the state after this block.
    pub state_root: Hash,
    /// Merkle root over the problem data.
    pub data_root: Hash,
    /// Who is rewarded, and whose seeds these are: an address, so that a worker needs no key to mine.
    pub miner: Address,
    /// Unix time, seconds.
    pub time: u64,
    /// An attempt wins if its post-hash is below this.
    pub post_target: Target,
    /// Zero for now (miner-local continuations may be committed here).
    pub local_pool_root: Hash,
}

/// A whole header.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Header {
    /// [`HEADER_VERSION`].
    pub version: u16,
    /// Number of blocks before this one; the genesis has 0.
    pub height: u64,
    /// Hash of the parent's header; of the genesis, the hash of its configuration.
    pub parent: Hash,
    /// Merkle root over the transactions.
    pub transaction_root: Hash,
    /// Root of the state after this block.
    pub state_root: Hash,
    /// Merkle root over the problem data.
    pub data_root: Hash,
    /// Who is rewarded, and whose seeds these are: an address, so that a worker needs no key to mine.
    pub miner: Address,
    /// Unix time, seconds.
    pub time: u64,
    /// An attempt wins if its post-hash is below this.
    pub post_target: Target,
    /// Zero for now (miner-local continuations may be committed here).
    pub local_pool_root: Hash,
    /// Nonce of the pre-hash.
    pub nonce: u64,
    /// Digests of the four legs.
    pub digests: [Hash; LEGS],
}

impl HeaderBase {
    /// `th`: the hash that seeds the attempt.
    pub fn seed(&self) -> Hash {
        hash("header", &[&self.encode()])
    }
    /// The header that an attempt's proof completes.
    pub fn with(self, proof: &Proof) -> Header {
        let Self {
            version,
            height,
            parent,
            transaction_root,
            state_root,
            data_root,
            miner,
            time,
            post_target,
            local_pool_root,
        } = self;
        Header {
            version,
            height,
            parent,
            transaction_root,
            state_root,
            data_root,
            miner,
            time,
            post_target,
            local_pool_root,
            nonce: proof.nonce,
            digests: proof.digests,
        }
    }
    /// [`HEADER_BASE_BYTES`] bytes.
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("memory takes every byte")
    }
    /// Reads exactly [`HEADER_BASE_BYTES`] bytes.
    ///
    /// # Errors
    /// If there are more or fewer.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        exact(bytes, HEADER_BASE_BYTES)
    }
}

impl Header {
    /// The block's name: hash of all of the header.
    pub fn hash(&self) -> Hash {
        hash("block", &[&self.encode()])
    }
    /// What the seed binds.
    pub fn base(&self) -> HeaderBase {
        HeaderBase {
            version: self.version,
            height: self.height,
            parent: self.parent,
            transaction_root: self.transaction_root,
            state_root: self.state_root,
            data_root: self.data_root,
            miner: self.miner,
            time: self.time,
            post_target: self.post_target,
            local_pool_root: self.local_pool_root,
        }
    }
    /// `th`: the hash that seeds the attempt.
    pub fn seed(&self) -> Hash {
        self.base().seed()
    }
    /// The part that `work` checks.
    pub fn proof(&self) -> Proof {
        Proof { nonce: self.nonce, digests: self.digests }
    }
    /// [`HEADER_BYTES`] bytes.
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("memory takes every byte")
    }
    /// Reads exactly [`HEADER_BYTES`] bytes.
    ///
    /// # Errors
    /// If there are more or fewer.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        exact(bytes, HEADER_BYTES)
    }
}

fn exact<T: BorshDeserialize>(bytes: &[u8], expected: usize) -> Result<T, DecodeError> {
    if bytes.len() != expected {
        return Err(DecodeError::Length { found: bytes.len(), expected });
    }
    borsh::from_slice(bytes).map_err(|e| DecodeError::Malformed { what: "header", reason: e.to_string() })
}
