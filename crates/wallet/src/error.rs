//! What goes wrong with wallets, in sentences.

use std::path::PathBuf;

use hysteron_ledger::{LedgerError, format_hys};

/// Why a wallet, its file, or a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The words are no BIP-39 mnemonic.
    #[error("These are not the words of a wallet: {reason}.")]
    Words {
        /// What is wrong, without the words themselves.
        reason: String,
    },
    /// The passphrase is too short to protect anything.
    #[error("A passphrase must have at least {least} characters.")]
    PassphraseTooShort {
        /// How many it must have.
        least: usize,
    },
    /// The keystore does not open.
    #[error("The passphrase is wrong, or the file is damaged.")]
    Passphrase,
    /// The file is no keystore.
    #[error("This is not a keystore of this program: {reason}.")]
    Format {
        /// What is wrong.
        reason: &'static str,
    },
    /// The keystore is newer than the program.
    #[error("The keystore has version {found}; this program reads version {known}.")]
    Version {
        /// The file's.
        found: u32,
        /// The program's.
        known: u32,
    },
    /// The keystore is of another network.
    #[error("The keystore is for the network {found}, not for {expected}.")]
    Network {
        /// The file's.
        found: String,
        /// The one that was asked for.
        expected: String,
    },
    /// There is a file already, and it is not overwritten.
    #[error("{} exists already; a wallet is never overwritten. Move it away first.", path.display())]
    FileExists {
        /// Which.
        path: PathBuf,
    },
    /// Reading or writing a file failed.
    #[error("{} cannot be {doing}: {source}.", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("The operating system gives no random numbers: {0}.")]
    Entropy(String),
    /// A node would refuse the transaction.
    #[error("{0}")]
    Refused(#[from] LedgerError),
    /// The account cannot pay.
    #[error(
        "The account has {} HYS to spend; this needs {}, of which {} are the fee.",
        format_hys(*found), format_hys(*needed), format_hys(*fee)
    )]
    Balance {
        /// Atoms there.
        found: u64,
        /// Atoms needed, fee included.
        needed: u64,
        /// Atoms of fee.
        fee: u64,
    },
    /// The key is none of those that must sign.
    #[error("This wallet holds no key of {of}.")]
    NotAMember {
        /// Of what.
        of: &'static str,
    },
}
