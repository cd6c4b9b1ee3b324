//! Mines: threads that make attempts on what a node orders, until it orders something else. The same loop runs inside
//! a node ([`Miner`]) and in a program of its own that talks to one ([`run`]).

mod best;
mod figures;
mod library;
mod miner;
mod notice;
mod order;
mod session;
mod wire;

pub use best::{Bests, Quality};
pub use figures::Figures;
pub use library::{LIBRARY_BYTES_MAX, Library, Source, decode};
pub use miner::{FINDINGS_MAX, Miner};
pub use notice::{Notice, Report};
pub use order::{Finding, Order};
pub use session::{Options, run};
pub use wire::{Endpoint, Wire};
