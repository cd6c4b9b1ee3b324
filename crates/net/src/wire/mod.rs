//! What goes over the wire: bounded types, messages, frames.

pub mod bounded;
pub mod codec;
pub mod message;
