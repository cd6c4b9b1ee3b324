//! Words that a wallet can be restored from, and the keys that follow from them.

use bip39::{Language, Mnemonic};
use hysteron_ledger::devnet_seed;
use zeroize::Zeroizing;

use crate::WalletError;
use crate::key::Key;

/// Bytes of entropy of a new wallet: 24 words.
const ENTROPY_BYTES: usize = 32;
/// The longest text of words that is looked at, in bytes.
const WORDS_BYTES_MAX: usize = 1024;
/// SLIP-44 purpose of the derivation path.
const PURPOSE: u32 = 44;
/// The coin type of the path `m/44'/8921'/account'`. It is not registered.
const COIN_TYPE: u32 = 8921;
/// Accounts that a wallet derives, at most.
pub const ACCOUNTS_MAX: u32 = 1 << 16;

/// The words of a wallet, in English. They are the wallet: who has them has the coins. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Words {
    mnemonic: Mnemonic,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words(secret)")
    }
}

impl Words {
    /// Twenty-four new words, from the operating system's entropy.
    ///
    /// # Errors
    /// [`WalletError::Entropy`].
    pub fn generate() -> Result<Self, WalletError> {
        let mut entropy = Zeroizing::new([0u8; ENTROPY_BYTES]);
        getrandom::fill(&mut *entropy).map_err(|e| WalletError::Entropy(e.to_string()))?;
        Ok(Self::from_entropy(&entropy))
    }

    /// The words of this entropy.
    pub fn from_entropy(entropy: &[u8; ENTROPY_BYTES]) -> Self {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, entropy).expect("32 bytes are 24 words");
        Self { mnemonic }
    }

    /// Reads words as somebody typed them: any case, any white space.
    ///
    /// # Errors
    /// [`WalletError::Words`] that says which word is wrong, by its place, or that the checksum is.
    pub fn parse(text: &str) -> Result<Self, WalletError> {
        let refuse = |reason: String| WalletError::Words { reason };
        if text.len() > WORDS_BYTES_MAX {
            return Err(refuse("the text is too long".into()));
        }
        let lower = Zeroizing::new(text.to_lowercase());
        let plain = Zeroizing::new(lower.split_whitespace().collect::<Vec<_>>().join(" "));
        let mnemonic = Mnemonic::parse_in(Language::English, plain.as_str()).map_err(|error| {
            refuse(match error {
                bip39::Error::BadWordCount(count) => {
                    format!("there are {count} of them, and there must be 12, 15, 18, 21 or 24")
                }
                bip39::Error::UnknownWord(index) => format!("word {} is not in the list", index + 1),
                bip39::Error::InvalidChecksum => {
                    "the checksum is wrong; a word is mistaken or out of place".into()
                }
                other => other.to_string(),
            })
        })?;
        Ok(Self { mnemonic })
    }

    /// The words with single spaces.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.mnemonic.to_string())
    }

    /// The key of an account: BIP-39 seed without passphrase, SLIP-10 path `m/44'/8921'/account'`.
    ///
    /// # Panics
    /// If `account` is not below [`ACCOUNTS_MAX`].
    pub fn key(&self, account: u32) -> Key {
        assert!(account < ACCOUNTS_MAX, "a wallet has at most {ACCOUNTS_MAX} accounts");
        let seed = Zeroizing::new(self.mnemonic.to_seed_normalized(""));
        let path = [PURPOSE, COIN_TYPE, account];
        let secret = Zeroizing::new(slip10_ed25519::derive_ed25519_private_key(&*seed, &path));
        Key::from_seed(&secret)
    }
}

/// A key that everybody knows: devnet's funded accounts (`customer`, `miner`, `alice`, `bob`) and reviewers.
pub fn devnet_key(name: &str) -> Key {
    Key::from_seed(&devnet_seed(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hexadecimal(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn vectors_of_the_standards() {
        // BIP-39, the second test vector of 32 bytes (with the passphrase that all of its vectors use).
        let words = Words::from_entropy(&[0x7f; 32]);
        assert!(words.text().starts_with("legal winner thank year wave sausage worth useful"));
        assert!(words.text().ends_with("worth title"));
        assert_eq!(
            hexadecimal(&words.mnemonic.to_seed_normalized("TREZOR")),
            "bc09fca1804f7e69da93c2f2028eb238c227f2e9dda30cd63699232578480a40\
             21b146ad717fbb7e451ce9eb835f43620bf5c514db0f8add49f5d121449d3e87"
        );
        // SLIP-10, test vector 1 for ed25519, chain m/0'/1'.
        let seed: Vec<u8> = (0..16).collect();
        assert_eq!(
            hexadecimal(&slip10_ed25519::derive_ed25519_private_key(&seed, &[0, 1])),
            "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2"
        );
    }

    #[test]
    fn mistakes_are_told_apart() {
        let words = Words::from_entropy(&[1; 32]);
        let text = words.text();
        let error = |text: &str| Words::parse(text).unwrap_err().to_string();
        assert!(error("abandon ability").contains("there are 2"));
        let list: Vec<&str> = text.split(' ').collect();
        let mut typo = list.clone();
        typo[4] = "hysteron";
        assert!(error(&typo.join(" ")).contains("word 5"), "{}", error(&typo.join(" ")));
        let mut swapped = list.clone();
        swapped.swap(0, 5);
        assert!(error(&swapped.join(" ")).contains("checksum"));
        assert_eq!(Words::parse(&text.to_uppercase().replace(' ', " \n ")).unwrap(), words);
    }

    proptest! {
        #[test]
        fn words_restore_the_same_keys(entropy in any::<[u8; 32]>(), account in 0u32..100) {
            let words = Words::from_entropy(&entropy);
            let restored = Words::parse(&words.text()).unwrap();
            prop_assert_eq!(restored.key(account).address(), words.key(account).address());
            prop_assert_ne!(words.key(account).address(), words.key(account + 1).address());
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = Words::parse(&text);
        }
    }
}
