//! Mining.

use serde::{Deserialize, Serialize};

use crate::{Atoms, Hex32, HexBytes};

/// `GET /v1/mining`: figures of the node's workers, since it started.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mining {
    /// Workers that are connected.
    pub workers: u32,
    /// Of them, those inside the node.
    pub threads_inside: u32,
    /// Attempts that workers reported.
    pub attempts: u64,
    /// Legs that workers reported.
    pub legs: u64,
    /// Time spent on pre-hashes, of all that was reported, in thousandths.
    pub hashing_per_mille: Option<u64>,
    /// Blocks that workers found and the chain took.
    pub blocks_accepted: u64,
    /// Blocks that it did not take.
    pub blocks_refused: u64,
    /// Claims that were sent on.
    pub claims_accepted: u64,
    /// Claims that were not.
    pub claims_refused: u64,
    /// The node's own account, which signs its workers' claims, and pays their fees and puts up their bonds while it can.
    pub claims_account: String,
    /// What it has now. Below the bond of a claim and its fee, claims go without a bond, and the fee is taken out of the bounty that
    /// they earn; claims whose bounty does not pay it are refused then.
    pub claims_balance: Atoms,
    /// Attempts that one expects to need for the next block, a decimal number.
    pub expected_attempts: String,
    /// What the next block's miner gets, fees not counted.
    pub reward: Atoms,
}

/// `GET /v1/mining/template`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct TemplateQuery {
    /// Who is to be rewarded.
    pub address: String,
}

/// What to mine on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Template {
    /// The block's height.
    pub height: u64,
    /// The header without nonce and digests, borsh.
    pub header: HexBytes,
    /// Its hash, which seeds attempts.
    pub seed: Hex32,
    /// An attempt wins below this.
    pub post_target: Hex32,
    /// Content id of the table that seeds draw from, see `GET /v1/tables/{id}`.
    pub table: Hex32,
    /// The network's rules of work, borsh.
    pub rules: HexBytes,
    /// Transactions in the block.
    pub transactions: u32,
    /// Their fees.
    pub fees: Atoms,
}

/// What a claim is, for programs that mine without the worker protocol; `POST /v1/mining/claims` takes the claim's
/// borsh and answers this.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClaimUpload {
    /// The transaction that the node wrapped it into.
    pub transaction: Hex32,
}
