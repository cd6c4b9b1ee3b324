//! Keys and what they sign: words, derivation, the encrypted keystore, transactions with the checks that a node would make. Only
//! [`mod@file`] touches the disk.

mod build;
mod error;
pub mod file;
mod key;
mod keystore;
mod words;

pub use build::{Account, Booking, Fee, OpenedJob};
pub use error::WalletError;
pub use key::{Key, combine};
pub use keystore::{KEYSTORE_BYTES_MAX, KEYSTORE_VERSION, PASSPHRASE_CHARACTERS_MIN, Wallet};
pub use words::{ACCOUNTS_MAX, Words, devnet_key};
