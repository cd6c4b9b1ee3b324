//! Nodes over real sockets. One program for all of it, as linking a node takes long.

mod api;
mod claims;
mod common;
mod directory;
mod events;
mod kill;
mod network;
mod openapi;
mod sync;
mod workers;
