//! Transactions.

use serde::{Deserialize, Serialize};

use crate::{Atoms, Hex32};

/// Where a transaction is.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TransactionStatus {
    /// In the mempool.
    Waiting,
    /// In a block of the best chain.
    Included,
}

/// `GET /v1/transactions/{id}`, and the items of blocks and of the mempool.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Transaction {
    /// Its id.
    pub id: Hex32,
    /// Where it is.
    pub status: TransactionStatus,
    /// Whose account pays.
    pub sender: String,
    /// The number of transactions that the account had sent before.
    pub nonce: u64,
    /// For the miner.
    pub fee: Atoms,
    /// Bytes of its encoding.
    pub bytes: u64,
    /// What it asks for: `transfer`, `multi-transfer`, `job-open`, `job-top-up`, `job-cancel`, `claim`, `claim-commit`,
    /// `claim-reveal`, `review-vote`, `oracle-quote`, `committee-change`, `multisig-create`.
    pub kind: String,
    /// The kind's fields.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub fields: serde_json::Value,
    /// The height of its block.
    pub height: Option<u64>,
    /// Its block.
    pub block: Option<Hex32>,
    /// Its place in the block, from 0.
    pub position: Option<u32>,
    /// Blocks from its block to the best chain's last one, its block counted; 0 while it waits.
    pub confirmations: u64,
}

/// `POST /v1/transactions`, accepted: it waits in the mempool.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Submitted {
    /// The transaction's id; of a job's opening also the job's.
    pub id: Hex32,
}

/// `GET /v1/mempool`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mempool {
    /// How many wait.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The best paying, at most 100.
    pub transactions: Vec<Transaction>,
}
