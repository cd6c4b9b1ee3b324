//! The protocol between a worker and a node: three messages.
//!
//! ```text
//! worker                                node
//!   Ready(who earns, how many threads)  ──►
//!                                       ◄──  Work(header, rules, where nonces begin, the table's id, tally)
//!   Result(found | claim | progress)    ──►        a new Work whenever the chain or the schedule moves
//! ```
//!
//! The transport is a WebSocket at `/v1/worker` (a binary message is a frame) or a plain TCP connection (a frame follows its
//! length, four bytes, little-endian). A frame is a version byte, a kind byte, and the message's borsh. Frames have at
//! most [`FRAME_BYTES_MAX`] bytes; only a claim, which carries an assignment, may be longer, and the kind byte says so
//! before anything is allocated. Tables and problems are fetched over HTTP by content id, see [`crate::Client`].
//!
//! A worker need not trust its node with its earnings: it decodes [`Work::header`] and sees who is rewarded.

mod frame;
mod message;

pub use frame::{
    CLAIM_FRAME_BYTES_MAX, FRAME_BYTES_MAX, FRAME_HEAD_BYTES, FrameError, PROTOCOL_VERSION, frame_bytes_max,
    length_of, read_frame, write_frame,
};
pub use message::{
    AGENT_BYTES_MAX, Figures, FromNode, FromWorker, HEADER_BYTES_MAX, LegClaim, REASON_BYTES_MAX, Ready,
    Tally, Text, Work, WorkResult,
};

/// Nonces that a connection has for each work: the worker's threads share `nonce_start .. nonce_start + 2^40`.
pub const NONCES_PER_CONNECTION: u64 = 1 << 40;
/// The nonces of one thread within its connection's.
pub const NONCES_PER_THREAD: u64 = 1 << 30;
/// The most threads of a connection.
pub const THREADS_MAX: u16 = 1 << 10;
/// Seconds after which a node that has heard nothing of a worker closes the connection; workers report at least each
/// [`REPORT_S`].
pub const SILENCE_S_MAX: u64 = 180;
/// Seconds between a worker's reports of progress.
pub const REPORT_S: u64 = 20;
