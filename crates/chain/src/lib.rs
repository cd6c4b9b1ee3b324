//! Headers, blocks, validation, difficulty, fork choice, mempool. Pure: bytes and times come in, verdicts and batches of
//! changes go out.
//!
//! Begin with [`Chain`] (what a node drives), then `pipeline.rs` (every check, by cost), then [`sync`].

pub mod archive;
pub mod asert;
mod block;
mod chain;
mod claims;
pub mod conformance;
mod context;
pub mod difficulty;
mod error;
mod header;
pub mod mempool;
pub mod merkle;
mod orphans;
mod pipeline;
pub mod storage;
pub mod sync;
pub mod testing;

pub use archive::Archive;
pub use block::{BLOCK_BYTES_MAX, Block, PROBLEM_BYTES_MAX, PROBLEMS_MAX, TRANSACTION_BYTES_MAX};
pub use chain::{
    Admitted, Chain, ChainOptions, ClaimAhead, Connected, INVALID_MAX, Imported, LOCATOR_MAX, Outcome,
    REORGANISATION_DEPTH_MAX, SIDE_DEPTH_MAX, Submission, SubmitError, Template, TemplateLimits, Tip,
    WorkAhead, WorkDone, genesis_block,
};
pub use claims::VERDICTS_MAX;
pub use context::{Checkpoint, HeaderContext, HeaderRules};
pub use error::{BAN_SCORE, ChainError, DecodeError};
pub use header::{HEADER_BASE_BYTES, HEADER_BYTES, HEADER_VERSION, Header, HeaderBase};
pub use mempool::{Mempool, MempoolError, MempoolLimits};
pub use orphans::{ORPHAN_BYTES_MAX, ORPHANS_MAX};
pub use storage::{MemoryStorage, Storage, StorageError};
pub use sync::{HeaderSync, ImportPlan};
