//! Why a node does not start, in sentences that say what to do.

use std::path::PathBuf;

use hysteron_chain::{ChainError, StorageError};
use hysteron_ledger::LedgerError;
use hysteron_net::NetError;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A file of the configuration.
    #[error("The configuration {} is not usable: {reason}.", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A value of the configuration, from the file or a flag.
    #[error("The setting {name} is not usable: {reason}.")]
    Setting {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the data directory.
    #[error("{} cannot be used: {reason}.", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// The data directory is in use.
    #[error("Another node runs on the data directory {}. Stop it, or name another directory with --data.", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory or its database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The genesis.
    #[error("The network's genesis is refused: {0}")]
    Genesis(#[from] LedgerError),
    /// An address cannot be listened on.
    #[error(
        "The address {address} of the {what} cannot be listened on: {reason}. Choose another in the configuration."
    )]
    Listen {
        /// What listens there.
        what: &'static str,
        /// The address.
        address: String,
        /// What the operating system says.
        reason: String,
    },
    /// The network.
    #[error(transparent)]
    Network(#[from] NetError),
    /// The operating system.
    #[error("The operating system refuses {what}: {reason}.")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// What it says.
        reason: String,
    },
}
