//! Every bound of the network, as a named constant (what peers must agree on) or a field of
//! [`Limits`] (what each operator chooses).

use serde::{Deserialize, Serialize};

/// One encoded header. A header takes about 400 bytes.
pub const HEADER_BYTES_MAX: usize = 1024;
/// One encoded block: 1 MiB of transactions, 4 MiB of problem data, header and lengths.
pub const BLOCK_BYTES_MAX: usize = 5 * MIB + 64 * 1024;
/// One encoded problem.
pub const PROBLEM_BYTES_MAX: usize = 4 * MIB;
/// One encoded transaction with the problem data that it brings along.
pub const TRANSACTION_BYTES_MAX: usize = 4 * MIB + 64 * 1024;
/// Bytes of the network's name.
pub const NETWORK_NAME_BYTES_MAX: usize = 32;
/// Hashes of a locator: the newest blocks one by one, then in doubling distances.
pub const LOCATOR_HASHES_MAX: usize = 64;
/// Headers of one answer.
pub const HEADERS_PER_ANSWER_MAX: usize = 512;
/// Blocks of one answer; fewer when their bytes would exceed [`ANSWER_BYTES_MAX`].
pub const BLOCKS_PER_ANSWER_MAX: usize = 16;
/// Transactions of one answer; fewer when their bytes would exceed [`ANSWER_BYTES_MAX`].
pub const TRANSACTIONS_PER_ANSWER_MAX: usize = 64;
/// One encoded request, its length prefix not counted.
pub const REQUEST_BYTES_MAX: usize = 4 * 1024;
/// One encoded answer of any kind, its length prefix not counted.
pub const ANSWER_BYTES_MAX: usize = 6 * MIB;

/// Headers of one candidate chain in one round of sync: 91 days of the main network. A fork deeper
/// than this is not followed.
pub const CANDIDATE_HEADERS_MAX: usize = 1 << 16;
/// Headers before a run that its checks may look at (median time past needs 11).
pub const HEADER_CONTEXT: usize = 32;
/// Peers whose headers are collected at the same time.
pub const HEADER_SOURCES_MAX: usize = 3;
/// Hashes of blocks found invalid that are remembered.
pub const INVALID_HASHES_MAX: usize = 1024;
/// Blocks whose parent is unknown that are kept.
pub const ORPHANS_MAX: usize = 64;
/// Their bytes.
pub const ORPHAN_BYTES_MAX: usize = 32 * MIB;
/// Peers, connected or not, whose score and rate are remembered.
pub const PEER_RECORDS_MAX: usize = 4096;
/// Addresses kept per peer.
pub const ADDRESSES_PER_PEER_MAX: usize = 8;
/// Addresses in the book of peers that were good before.
pub const ADDRESS_BOOK_MAX: usize = 256;
/// Entries of the ban list; the one that ends first goes when it is full.
pub const BANS_MAX: usize = 4096;
/// The ban list's or the address book's file.
pub const FILE_BYTES_MAX: usize = MIB;
/// Commands from the node that wait.
pub const COMMANDS_MAX: usize = 1024;
/// Gossip messages whose verdict is awaited.
pub const PENDING_VERDICTS_MAX: usize = 4096;

const MIB: usize = 1024 * 1024;

/// What an operator may choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Established connections, both directions.
    pub connections_max: u32,
    /// Of these, inbound. Below [`Self::connections_max`], so that strangers cannot fill every place.
    pub connections_inbound_max: u32,
    /// Connections with one peer.
    pub connections_per_peer_max: u32,
    /// Inbound connections from one IPv4 address or one IPv6 /64.
    pub connections_per_address_max: u32,
    /// Connections being set up, each direction.
    pub connections_pending_max: u32,
    /// Inbound connections from one address in one minute.
    pub connections_per_address_minute_max: u32,
    /// Share of the machine's memory, in percent, above which no connection is accepted.
    pub memory_percent_max: u8,
    /// Request units a second that one peer may spend (a status costs 1, see `Request::cost`).
    pub request_units_per_second: u32,
    /// Request units that a quiet peer may spend at once. At least 64.
    pub request_units_burst: u32,
    /// Requests above its allowance that a peer may make in a second before they count against it. A peer that waits
    /// when it is told `Busy` makes fewer.
    pub requests_busy_per_second: u32,
    /// Requests that are being answered at one time, all peers together.
    pub requests_serving_max: u32,
    /// Of these, one peer's.
    pub requests_serving_per_peer_max: u32,
    /// Bytes of answers on their way out, all peers together.
    pub answer_bytes_in_flight_max: u64,
    /// Gossip messages a second from one peer.
    pub gossip_messages_per_second: u32,
    /// Gossip messages at once from one peer that was quiet.
    pub gossip_messages_burst: u32,
    /// Bytes of gossip that wait for the node's verdict, all peers together.
    pub gossip_bytes_pending_max: u64,
    /// Events that wait for the node.
    pub events_max: u32,
    /// Bytes of blocks that sync has asked for or holds.
    pub sync_bytes_max: u64,
    /// Score at which a peer is banned.
    pub ban_score: u32,
    /// Score that is forgiven in a minute.
    pub score_forgiven_per_minute: u32,
    /// Length of a ban, seconds.
    pub ban_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 128,
            connections_inbound_max: 96,
            connections_per_peer_max: 3,
            connections_per_address_max: 16,
            connections_pending_max: 32,
            connections_per_address_minute_max: 60,
            memory_percent_max: 90,
            request_units_per_second: 512,
            request_units_burst: 2048,
            requests_busy_per_second: 8,
            requests_serving_max: 32,
            requests_serving_per_peer_max: 4,
            answer_bytes_in_flight_max: 64 * MIB as u64,
            gossip_messages_per_second: 64,
            gossip_messages_burst: 1024,
            gossip_bytes_pending_max: 64 * MIB as u64,
            events_max: 1024,
            sync_bytes_max: 64 * MIB as u64,
            ban_score: 100,
            score_forgiven_per_minute: 5,
            ban_s: 3600,
        }
    }
}
