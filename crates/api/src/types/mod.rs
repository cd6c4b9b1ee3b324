//! Requests and answers of the HTTP API, version 1.

mod account;
mod chain;
mod event;
mod job;
mod mining;
mod network;
mod transaction;

pub use account::{Account, HistoryEntry, HistoryPage, HistoryQuery};
pub use chain::{Block, BlockList, BlockQuery, Header, HeaderList, HeaderQuery};
pub use event::{Event, EventQuery};
pub use job::{
    Job, JobAssignment, JobEvent, JobList, JobProgress, JobQuery, JobState, ProblemReport, Quote, QuoteQuery,
    Receipt, Schedule, ScheduleEntry,
};
pub use mining::{ClaimUpload, Mining, Template, TemplateQuery};
pub use network::{Health, Network, Peer, PeerList, Status, Supply};
pub use transaction::{Mempool, Submitted, Transaction, TransactionStatus};
