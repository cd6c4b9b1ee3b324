//! Bounds of the node, as named constants. What an operator may choose is in [`crate::Config`].

/// Questions that wait for the chain task. When it is full the API answers 503, and gossip is ignored.
pub const CHAIN_QUEUE_MAX: usize = 1024;
/// Blocks of gossip that wait for their work to be run. More are ignored.
pub const BLOCKS_IN_HAND_MAX: usize = 64;
/// Transactions of gossip that wait to be judged. More are ignored.
pub const TRANSACTIONS_IN_HAND_MAX: usize = 1024;
/// Claims of gossip that wait to be judged: a queue of their own, as each may take a leg. More are ignored.
pub const CLAIMS_IN_HAND_MAX: usize = 256;
/// Events that a slow reader of a stream may fall behind before some are left out.
pub const EVENTS_BEHIND_MAX: usize = 1024;
/// Streams of events that are open at a time.
pub const EVENT_STREAMS_MAX: usize = 1024;
/// HTTP connections at a time; WebSockets of workers are counted by the hub.
pub const HTTP_CONNECTIONS_MAX: usize = 8192;
/// Seconds for a request's headers to come in.
pub const HEADERS_S_MAX: u64 = 10;
/// Seconds for a request to be answered (streams and WebSockets excepted).
pub const REQUEST_S_MAX: u64 = 30;
/// Bytes of a request's body where nothing else is said.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Addresses whose rate is remembered.
pub const RATE_ADDRESSES_MAX: usize = 65_536;
/// Units that an upload costs of an address's rate; other requests cost 1.
pub const UPLOAD_UNITS: u32 = 8;
/// Units that a transaction costs which makes the node run a leg for nothing but the sender's word.
pub const LEG_UNITS: u32 = 400;
/// Seconds for which claims of a peer that was banned for one are not looked at: longer than what it left in the queues waits, and
/// shorter than a ban.
pub const LIAR_S: u64 = 600;
/// Bytes of uploaded problems that wait for their transaction; the oldest go first.
pub const UPLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of encoded tables that are kept for workers (one is kept whatever its size).
pub const TABLE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Tables that are kept for workers.
pub const TABLES_MAX: usize = 32;
/// Different addresses that workers mine for at a time: each has a block template of its own.
pub const PAYEES_MAX: usize = 4096;
/// Templates that are made in one go, before the chain task looks at other questions.
pub const TEMPLATES_PER_GO: usize = 32;
/// Works whose results are still taken.
pub const WORKS_MAX: usize = 65_536;
/// Seconds that a connection has for its first message.
pub const READY_S_MAX: u64 = 10;
/// Bytes of a text in the configuration.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
/// Blocks that the history takes in one transaction of its database.
pub const HISTORY_BATCH_BLOCKS: u64 = 256;
/// Bytes of the history's page cache.
pub const HISTORY_CACHE_BYTES: usize = 16 * 1024 * 1024;
/// Candidate chains of headers whose check is remembered between two of a peer's answers.
pub const HEADER_SYNCS_MAX: usize = 16;
/// Claims of one connection in a minute.
pub const CLAIMS_PER_MINUTE: u32 = 240;
/// Transactions that were handed in here, wait, and are passed on again with a new tip.
pub(crate) const REPEATED_MAX: usize = 16;
/// Bytes of them, problems included, beyond the first.
pub(crate) const REPEATED_BYTES_MAX: usize = 1 << 20;
