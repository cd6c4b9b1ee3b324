//! Accounts.

use serde::{Deserialize, Serialize};

use crate::{Atoms, Hex32};

/// `GET /v1/accounts/{address}`. An address that was never used has an account with nothing in it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Account {
    /// The address.
    pub address: String,
    /// What can be spent now.
    pub balance: Atoms,
    /// Rewards that are not yet ripe.
    pub immature: Atoms,
    /// Transactions that the account has sent in blocks.
    pub nonce: u64,
    /// The nonce that the account's next transaction must have, those counted that wait.
    pub next_nonce: u64,
    /// The height of the state that this is read from.
    pub height: u64,
}

/// `GET /v1/accounts/{address}/history`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct HistoryQuery {
    /// The `next` of the page before.
    pub before: Option<String>,
    /// How many at most, 1 to 100; 20 without it.
    pub count: Option<u32>,
}

/// What happened to an account, newest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryPage {
    /// The entries.
    pub entries: Vec<HistoryEntry>,
    /// The next page's `before`; nothing when this is the last.
    pub next: Option<String>,
}

/// One change of an account.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryEntry {
    /// The block's height.
    pub height: u64,
    /// The block.
    pub block: Hex32,
    /// The block's time, Unix seconds.
    pub time: u64,
    /// What happened: `sent`, `received`, `reward`, `bounty`, `claim-fee`, `refund`, `job-open`, …
    pub kind: String,
    /// Atoms that came in.
    pub received: Atoms,
    /// Atoms that went out, the fee included.
    pub spent: Atoms,
    /// The transaction, if one did it.
    pub transaction: Option<Hex32>,
    /// The job, if it has to do with one.
    pub job: Option<Hex32>,
    /// The other account, where there is one.
    pub other: Option<String>,
}
