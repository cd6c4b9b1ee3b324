//! One process of chain, store, network, HTTP API and worker hub.
//!
//! ```text
//!            peers                         customers, markets             workers
//!              │                                   │                         │
//!        network (tasks)                   http (axum)                hub (tasks)
//!              └────────────► chain task ◄─────────┴─────────────────────────┘
//!                       the only writer, one thread
//!                                  │ events
//!                     history (thread), event streams, hub
//! ```
//! [`Node::start`] opens the data directory and starts all of it; [`NodeHandle::shutdown`] ends it in order. Everybody
//! but the chain task reads blocks through a shared [`hysteron_chain::Archive`] and asks the chain task for what only
//! the state knows. Each queue has a bound, in [`limits`].

mod accounts;
mod chain_task;
mod claims;
pub mod config;
mod convert;
mod directory;
mod error;
mod history;
mod http;
mod hub;
mod inside;
mod intake;
pub mod limits;
pub mod logs;
mod metrics;
mod network;
mod node;
pub mod parcel;
mod relay;
mod stop;
mod uploads;

pub use config::{Config, Flags};
pub use error::NodeError;
pub use http::openapi;
pub use node::{MakeRunner, Node, NodeHandle, Options};
