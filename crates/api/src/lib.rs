//! What crosses HTTP and the worker protocol.
//!
//! - [`types`]: requests and answers of the node's HTTP API, version 1. Amounts are decimal strings of atoms
//!   ([`Atoms`]), since JSON numbers of many readers end at 2^53; hashes are hexadecimal ([`Hex32`]); addresses are
//!   bech32m. Binary bodies (transactions, problems, tables, blocks, genesis) are borsh as `application/octet-stream`.
//! - [`worker`]: the three messages between a worker and a node, and their frames.
//! - [`Client`]: one blocking method an endpoint, with time-outs and bounded bodies.

mod client;
mod error;
mod events;
pub mod limits;
pub mod types;
mod units;
pub mod worker;

pub use client::Client;
pub use error::{ClientError, Refusal};
pub use events::Events;
pub use units::{Atoms, Hex32, HexBytes, ParseError};
