//! Headers and blocks.

use serde::{Deserialize, Serialize};

use super::Transaction;
use crate::{Atoms, Hex32};

/// A header, with what the chain says about it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Header {
    /// Number of blocks before it.
    pub height: u64,
    /// Its hash: the block's name.
    pub hash: Hex32,
    /// Version of the format.
    pub version: u16,
    /// Hash of the block before.
    pub parent: Hex32,
    /// Merkle root over the transactions.
    pub transaction_root: Hex32,
    /// Root of the state after the block.
    pub state_root: Hex32,
    /// Merkle root over the problem data.
    pub data_root: Hex32,
    /// Who is rewarded.
    pub miner: String,
    /// Unix time, seconds.
    pub time: u64,
    /// The threshold that the attempt met.
    pub post_target: Hex32,
    /// Attempts that one expects to need for it, a decimal number.
    pub expected_attempts: String,
    /// The attempt's nonce.
    pub nonce: u64,
    /// The digests of its four legs.
    pub digests: Vec<Hex32>,
    /// Blocks from it to the best chain's last one, itself counted; 0 when it is not on the best chain.
    pub confirmations: u64,
}

/// `GET /v1/headers`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct HeaderQuery {
    /// Height of the first; without it the newest headers are given.
    pub from: Option<u64>,
    /// How many at most, 1 to 100; 20 without it.
    pub count: Option<u32>,
}

/// Headers of the best chain, in order of height.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeaderList {
    /// The headers.
    pub headers: Vec<Header>,
}

/// `GET /v1/blocks`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct BlockQuery {
    /// Only blocks below this height.
    pub before: Option<u64>,
    /// How many at most, 1 to 100; 20 without it.
    pub count: Option<u32>,
}

/// Headers of the best chain's blocks, newest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockList {
    /// The headers.
    pub blocks: Vec<Header>,
    /// The next page's `before`; nothing when this is the last.
    pub next: Option<u64>,
}

/// `GET /v1/blocks/{id}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Block {
    /// Its header.
    pub header: Header,
    /// Its transactions.
    pub transactions: Vec<Transaction>,
    /// Content ids of the problems whose data it carries.
    pub problems: Vec<Hex32>,
    /// Bytes of the whole block.
    pub bytes: u64,
    /// What its miner earned: new coins, fees and the pot's share. Nothing when the block is not on the best chain.
    pub reward: Option<Atoms>,
}
