//! Errors of the network.

use std::io;
use std::path::PathBuf;

/// The network could not be started, or could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A configured value is out of range.
    #[error("The network's configuration is wrong: {0}")]
    Configuration(String),
    /// The key file is there and is not a key.
    #[error("The file {path} holds no ed25519 key of this node: {reason}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("The file {path} could not be read or written: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// libp2p refused the set-up.
    #[error("The transport could not be set up: {0}")]
    Transport(String),
    /// No socket could be opened at this address.
    #[error("The node cannot listen on {address}: {reason}")]
    Listen {
        /// The configured address.
        address: libp2p::Multiaddr,
        /// Why.
        reason: String,
    },
    /// The network task has ended.
    #[error("The network has stopped.")]
    Stopped,
    /// What should be published is over its limit.
    #[error("A message of {bytes} bytes cannot be published, the limit is {bytes_max}.")]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Gossip was refused by the router.
    #[error("The message was not published: {0}")]
    Publish(String),
    /// The peer is not connected, or did not answer, or answered with something else.
    #[error("The peer did not answer: {0}")]
    NoAnswer(String),
    /// Nobody who is connected has it.
    #[error("None of the {asked} peers asked has it.")]
    NotFound {
        /// How many were asked.
        asked: usize,
    },
}
