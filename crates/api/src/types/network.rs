//! The node and its network.

use serde::{Deserialize, Serialize};

use crate::{Atoms, Hex32};

/// `GET /v1/status`: where the node stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Status {
    /// The network's name.
    pub network: String,
    /// Hash of the genesis block.
    pub genesis: Hex32,
    /// The node's program and version, `hysteron 0.1.0`.
    pub agent: String,
    /// Height of the best chain's last block.
    pub height: u64,
    /// Its hash.
    pub tip: Hex32,
    /// Its time, Unix seconds.
    pub tip_time: u64,
    /// Work of the best chain, a decimal number: nanoseconds of one core of the reference CPU.
    pub work: String,
    /// Hash of its state.
    pub state_root: Hex32,
    /// Whether the node believes that it has the network's best chain.
    pub is_synced: bool,
    /// Connected peers.
    pub peers: u32,
    /// Connected workers.
    pub workers: u32,
    /// Transactions that wait.
    pub mempool_transactions: u64,
    /// Their bytes.
    pub mempool_bytes: u64,
    /// Seconds since the node started.
    pub uptime_s: u64,
}

/// `GET /v1/network`: what nodes of the network agree on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Network {
    /// The name, such as `hysteron-main` or `hysteron-devnet`.
    pub name: String,
    /// The number that transactions are signed for.
    pub id: u32,
    /// Hash of the genesis block.
    pub genesis: Hex32,
    /// Time of the genesis, Unix seconds.
    pub genesis_time: u64,
    /// Human-readable part of addresses, `hys` or `hysd`.
    pub address_prefix: String,
    /// Seconds between blocks that difficulty aims at.
    pub spacing_s: u64,
    /// Blocks until a reward may be spent.
    pub maturity_blocks: u64,
    /// Blocks after which a job that ended settles.
    pub settlement_blocks: u64,
    /// The most coins that will ever be.
    pub cap: Atoms,
    /// Least fee of a transaction, atoms a byte.
    pub fee_per_byte: Atoms,
    /// Work of a leg, nanoseconds of one core of the reference CPU.
    pub leg_work_ns: u64,
    /// Hashes that one expects to try before the first leg.
    pub pre_tries: u64,
    /// The most variables of a problem.
    pub variables_max: u32,
    /// The most literals or couplings of a problem.
    pub elements_max: u32,
    /// The most bytes of a problem.
    pub problem_bytes_max: u64,
    /// Chips that a leg simulates side by side.
    pub chips_per_bank: u64,
}

/// `GET /v1/supply`: where all coins are after a block.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Supply {
    /// The height.
    pub height: u64,
    /// In accounts.
    pub balances: Atoms,
    /// Rewards that may not be spent yet.
    pub immature: Atoms,
    /// In escrow for jobs.
    pub escrow: Atoms,
    /// Block fees on their way to miners.
    pub pot: Atoms,
    /// In bonds of commitments.
    pub bonds: Atoms,
    /// Burned.
    pub burned: Atoms,
    /// Ever issued.
    pub issued: Atoms,
    /// Whether the others add up to what was issued, as they must.
    pub is_conserved: bool,
}

/// `GET /v1/peers`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeerList {
    /// The node's own peer id.
    pub peer: String,
    /// Where it listens, multiaddresses.
    pub listening: Vec<String>,
    /// Those connected.
    pub peers: Vec<Peer>,
}

/// A connected peer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Peer {
    /// The peer's id.
    pub peer: String,
    /// Its address.
    pub address: String,
    /// Whether it called us.
    pub is_inbound: bool,
    /// Its height as it last said, if it said.
    pub height: Option<u64>,
    /// Its penalty score; at the limit it is banned.
    pub score: u32,
}

/// `GET /health/live`, `GET /health/ready`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// Whether it is so.
    pub ok: bool,
    /// Why not, or how it stands.
    pub detail: String,
}
