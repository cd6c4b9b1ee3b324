//! Bounds that no network changes. What networks may choose is in [`crate::Genesis`].

/// Bytes of an encoded [`crate::SignedTransaction`], at most: a claim with 2^20 variables fits.
pub const SIGNED_TRANSACTION_BYTES_MAX: usize = 192 << 10;
/// Bytes of all transactions of a block, at most.
pub const BLOCK_TRANSACTION_BYTES_MAX: usize = 1 << 20;
/// Bytes of all problems of a block, at most; hence of one problem too.
pub const BLOCK_PROBLEM_BYTES_MAX: usize = 4 << 20;
/// Transactions of a block, at most. The smallest has about 140 bytes.
pub const BLOCK_TRANSACTIONS_MAX: usize = 8192;
/// Bytes of a transfer's memo, at most.
pub const MEMO_BYTES_MAX: usize = 256;
/// Outputs of a multi-transfer, at most.
pub const OUTPUTS_MAX: usize = 1024;
/// Bytes of the reason of a reviewer's vote, at most.
pub const REASON_BYTES_MAX: usize = 1024;
/// Chips that one job may book, at most.
pub const CHIPS_MAX: u64 = 1 << 32;
/// Blocks that one job may book, top-ups included, at most: a year of two-minute blocks.
pub const BLOCKS_MAX: u32 = 1 << 18;
/// Bounty of a job as thousandths of its block fee, at most.
pub const BOUNTY_PER_MILLE_MAX: u16 = 10_000;
/// Jobs that are not settled, at most: every block walks them.
pub const ACTIVE_JOBS_MAX: u64 = 1024;
/// Reveals of one job that wait for their turn, at most.
pub const PENDING_REVEALS_MAX: usize = 4;
/// Blocks between a job's opening and the end of its review, at least and at most.
pub const REVIEW_BLOCKS: std::ops::RangeInclusive<u32> = 1..=1 << 16;
/// Blocks whose miners may quote when no oracle key does.
pub const QUOTING_BLOCKS: u64 = 1001;
/// Blocks over which the pot pays what flows into it, and whose median of proven legs is the network's capacity.
pub const POT_BLOCKS: u64 = 720;
/// Oracle keys that a committee may appoint, at most.
pub const ORACLE_KEYS_MAX: usize = 64;
/// Bytes of a [`crate::Receipt`], at most.
pub const RECEIPT_BYTES_MAX: usize = 1 << 20;
/// Headers of a receipt that link its state to the block that is trusted, at most.
pub const RECEIPT_HEADERS_MAX: usize = 1024;
