//! Keys of a devnet, which everybody knows.

use hysteron_wallet::{Key, devnet_key};

use crate::error::Failure;

/// The names that [`hysteron_ledger::Genesis::devnet`] funds.
pub const DEVNET_ACCOUNTS: [&str; 4] = ["customer", "miner", "alice", "bob"];

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
    fn they_are_those_of_the_genesis() {
        let genesis = hysteron_ledger::Genesis::devnet();
        for name in DEVNET_ACCOUNTS {
            let address = devnet_account(name).expect("a known name").address();
            assert!(genesis.allocations.iter().any(|(funded, _)| *funded == address), "{name}");
        }
        assert!(devnet_account("mallory").is_err());
    }
}
