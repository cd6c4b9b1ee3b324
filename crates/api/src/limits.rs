//! Bounds of what crosses the API, as named constants.

const MIB: u64 = 1024 * 1024;

/// The most bytes of a problem's canonical encoding.
pub const PROBLEM_BYTES_MAX: u64 = 4 * MIB;
/// The most bytes of a signed transaction; the data of a problem travel apart.
pub const TRANSACTION_BYTES_MAX: u64 = 192 * 1024;
/// The most bytes of an encoded schedule table that a client reads: some hundred large jobs with their checkpoints.
pub const TABLE_BYTES_MAX: u64 = 256 * MIB;
/// The most bytes of an encoded block.
pub const BLOCK_BYTES_MAX: u64 = 5 * MIB + 64 * 1024;
/// The most bytes of a JSON answer that a client reads.
pub const ANSWER_BYTES_MAX: u64 = 16 * MIB;
/// The most items of one page of a list.
pub const PAGE_ITEMS_MAX: u32 = 100;
/// The items of a page when the request does not say.
pub const PAGE_ITEMS_DEFAULT: u32 = 20;
/// The most bytes of a line of a stream of server-sent events.
pub const EVENT_LINE_BYTES_MAX: u64 = 64 * 1024;
/// The longest life of a stream of events on the client's side, seconds; then it ends with an error and is opened anew,
/// so that a peer that vanished without a word is noticed.
pub const EVENTS_S_MAX: u64 = 900;
/// Seconds between the comments that keep a stream of events alive.
pub const EVENTS_KEEP_ALIVE_S: u64 = 10;
/// Seconds that a client waits for a connection.
pub const CONNECT_S_MAX: u64 = 5;
/// Seconds that a client waits for a whole answer.
pub const ANSWER_S_MAX: u64 = 60;
