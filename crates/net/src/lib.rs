//! The peer-to-peer network: gossip, sync, discovery, limits. This crate knows frames, hashes,
//! heights and verdicts; what a block means is decided by the node behind [`View`] and [`Judge`].
//!
//! [`start`] gives a [`Handle`] to command it and a receiver of [`Event`]s. One task drives the
//! sockets (`service`); the node's methods run on blocking threads; headers-first sync is a state
//! machine without sockets (`sync`). Every queue, frame and cache has its bound in [`limits`].

mod address;
pub mod address_book;
pub mod bans;
mod behaviour;
pub mod config;
pub mod counters;
mod dialer;
mod error;
mod event;
mod files;
mod gate;
pub mod gossip;
mod handle;
pub mod limits;
mod nat;
mod peers;
mod service;
mod sync;
mod view;
pub mod wire;

pub use address::Origin;
pub use bans::{Ban, Banned};
pub use config::{Config, Identity, Nat, Timing};
pub use counters::Counters;
pub use error::NetError;
pub use event::{Event, GossipId, Verdict};
pub use files::load_or_create_key;
pub use handle::{Handle, start};
pub use libp2p::identity::Keypair;
pub use libp2p::{Multiaddr, PeerId};
pub use limits::Limits;
pub use peers::PeerInfo;
pub use view::{CheckedHeader, Fault, HeaderSummary, Imported, Judge, View};
pub use wire::message::{Answer, Request, Status, Tip};

/// A BLAKE3 hash, or an id made of one.
pub type Hash = [u8; 32];
