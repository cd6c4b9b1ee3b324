//! Keys as signers: a wallet's own, and those of a devnet, which everybody knows.

use hysteron_ledger::{PublicKey, Signature};
use hysteron_wallet::{Key, devnet_key};
use hysteron_work::types::Hash;

use crate::connection::Signer;
use crate::error::Failure;

/// The names that [`hysteron_ledger::Genesis::devnet`] funds.
pub const DEVNET_ACCOUNTS: [&str; 4] = ["customer", "miner", "alice", "bob"];

impl Signer for Key {
    fn public_key(&self) -> PublicKey {
        self.public()
    }
    fn sign(&self, message: &Hash) -> Signature {
        self.sign_message(message)
    }
}

/// The key of a devnet's account.
///
/// # Errors
/// [`Failure::Request`] if there is none of this name.
pub fn devnet_account(name: &str) -> Result<Key, Failure> {
    if !DEVNET_ACCOUNTS.contains(&name) {
        let what = format!("A devnet has no account \"{name}\".");
        return Err(Failure::request(what, format!("Its accounts are {}.", DEVNET_ACCOUNTS.join(", "))));
    }
    Ok(devnet_key(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_sign_for_their_address() {
        for name in DEVNET_ACCOUNTS {
            let account = devnet_account(name).expect("a known name");
            assert_eq!(account.public_key(), hysteron_ledger::devnet_key(name));
            assert!(account.public_key().verifies(&[7; 32], &Signer::sign(&account, &[7; 32])));
        }
        assert!(devnet_account("mallory").is_err());
    }
}
