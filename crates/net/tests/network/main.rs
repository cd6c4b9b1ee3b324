//! Whole nodes over loopback sockets, with opaque blocks. Every wait is a poll with a bound.

mod discovery;
mod gossip;
mod limits;
mod model;
mod sync;
