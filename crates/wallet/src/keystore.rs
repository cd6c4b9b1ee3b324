//! The keystore, format version 1: an age file, encrypted to a passphrase (scrypt, ChaCha20-Poly1305). Inside is a line of JSON,
//! `{"version":1,"network":"…","words":"…","accounts":1}`, so that `age -d` and any BIP-39 wallet can rescue it without this program.
//! Bytes in, bytes out; the file itself is [`crate::file`]'s.

use age::scrypt;
use age::secrecy::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::WalletError;
use crate::key::Key;
use crate::words::{ACCOUNTS_MAX, Words};

/// The format's version.
pub const KEYSTORE_VERSION: u32 = 1;
/// The longest keystore that is read, in bytes.
pub const KEYSTORE_BYTES_MAX: usize = 16 << 10;
/// The shortest passphrase that a new keystore accepts, in characters.
pub const PASSPHRASE_CHARACTERS_MIN: usize = 8;
/// scrypt's work, as a power of two: 2^16 takes 64 MiB and some tenths of a second for each guess.
const WORK_FACTOR: u8 = 16;
/// A file that asks for more work than this is refused: 2^20 takes a GiB.
const WORK_FACTOR_MAX: u8 = 20;

/// A wallet: its words, its network, and how many accounts it uses.
#[derive(Debug)]
pub struct Wallet {
    network: String,
    words: Words,
    accounts: u32,
}

/// What is encrypted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    network: String,
    words: String,
    accounts: u32,
}

impl Drop for Content {
    fn drop(&mut self) {
        self.words.zeroize();
    }
}

/// Reads only the version, so that a newer format is named as such.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl Wallet {
    /// A wallet of these words with one account.
    pub fn new(network: &str, words: Words) -> Self {
        Self { network: network.into(), words, accounts: 1 }
    }
    /// The name of its network, [`hysteron_ledger::Genesis::network`].
    pub fn network(&self) -> &str {
        &self.network
    }
    /// Its words.
    pub fn words(&self) -> &Words {
        &self.words
    }
    /// How many accounts it uses; they are derived in order.
    pub fn accounts(&self) -> u32 {
        self.accounts
    }
    /// Uses one more account, and gives its index. `None` at the limit.
    pub fn add_account(&mut self) -> Option<u32> {
        let index = self.accounts;
        (index < ACCOUNTS_MAX).then(|| {
            self.accounts += 1;
            index
        })
    }
    /// The key of one of its accounts.
    pub fn key(&self, account: u32) -> Option<Key> {
        (account < self.accounts).then(|| self.words.key(account))
    }
    /// Checks that it is meant for this network.
    ///
    /// # Errors
    /// [`WalletError::Network`].
    pub fn check_network(&self, network: &str) -> Result<(), WalletError> {
        if self.network == network {
            return Ok(());
        }
        Err(WalletError::Network { found: self.network.clone(), expected: network.into() })
    }

    /// The encrypted bytes.
    ///
    /// # Errors
    /// [`WalletError::PassphraseTooShort`].
    pub fn encrypt(&self, passphrase: &str) -> Result<Vec<u8>, WalletError> {
        if passphrase.chars().count() < PASSPHRASE_CHARACTERS_MIN {
            return Err(WalletError::PassphraseTooShort { least: PASSPHRASE_CHARACTERS_MIN });
        }
        let content = Content {
            version: KEYSTORE_VERSION,
            network: self.network.clone(),
            words: self.words.text().to_string(),
            accounts: self.accounts,
        };
        let plain = Zeroizing::new(serde_json::to_vec(&content).expect("plain fields become JSON"));
        let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.to_owned()));
        recipient.set_work_factor(WORK_FACTOR);
        age::encrypt(&recipient, &plain).map_err(|_| WalletError::Format { reason: "encrypting it failed" })
    }

    /// Opens encrypted bytes.
    ///
    /// # Errors
    /// [`WalletError::Passphrase`], [`WalletError::Format`], [`WalletError::Version`], [`WalletError::Words`].
    pub fn decrypt(bytes: &[u8], passphrase: &str) -> Result<Self, WalletError> {
        let refuse = |reason| WalletError::Format { reason };
        if bytes.len() > KEYSTORE_BYTES_MAX {
            return Err(refuse("it is too long"));
        }
        let mut identity = scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
        identity.set_max_work_factor(WORK_FACTOR_MAX);
        let plain = age::decrypt(&identity, bytes).map_err(|error| match error {
            age::DecryptError::InvalidHeader | age::DecryptError::UnknownFormat => {
                refuse("it is no age file")
            }
            age::DecryptError::NoMatchingKeys => refuse("it is not encrypted to a passphrase"),
            age::DecryptError::ExcessiveWork { .. } => refuse("opening it would take too much work"),
            _ => WalletError::Passphrase,
        })?;
        let plain = Zeroizing::new(plain);
        let Versioned { version } =
            serde_json::from_slice(&plain).map_err(|_| refuse("its content has no version"))?;
        if version != KEYSTORE_VERSION {
            return Err(WalletError::Version { found: version, known: KEYSTORE_VERSION });
        }
        let content: Content =
            serde_json::from_slice(&plain).map_err(|_| refuse("its content is not that of version 1"))?;
        if !(1..=ACCOUNTS_MAX).contains(&content.accounts) {
            return Err(refuse("its number of accounts is out of range"));
        }
        let words = Words::parse(&content.words)?;
        Ok(Self { network: content.network.clone(), words, accounts: content.accounts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSPHRASE: &str = "correct horse";

    fn wallet() -> Wallet {
        Wallet::new("hysteron-devnet", Words::from_entropy(&[3; 32]))
    }

    #[test]
    fn opens_with_the_passphrase_alone() {
        let mut wallet = wallet();
        assert_eq!(wallet.add_account(), Some(1));
        let bytes = wallet.encrypt(PASSPHRASE).unwrap();
        assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
        let opened = Wallet::decrypt(&bytes, PASSPHRASE).unwrap();
        assert_eq!((opened.network(), opened.accounts()), ("hysteron-devnet", 2));
        assert_eq!(opened.key(1).unwrap().address(), wallet.key(1).unwrap().address());
        assert!(opened.key(2).is_none());
        assert!(matches!(Wallet::decrypt(&bytes, "correct horsf"), Err(WalletError::Passphrase)));
        assert!(opened.check_network("hysteron-main").is_err());
        for at in (0..bytes.len()).step_by(37) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            // The last bytes of the work factor may ask for less; whatever is changed, it does not open.
            assert!(Wallet::decrypt(&damaged, PASSPHRASE).is_err(), "byte {at}");
        }
    }

    #[test]
    fn bad_input_is_named() {
        assert!(matches!(wallet().encrypt("short"), Err(WalletError::PassphraseTooShort { .. })));
        assert!(matches!(Wallet::decrypt(b"hello", PASSPHRASE), Err(WalletError::Format { .. })));
        assert!(matches!(
            Wallet::decrypt(&vec![0; KEYSTORE_BYTES_MAX + 1], PASSPHRASE),
            Err(WalletError::Format { .. })
        ));
        let seal = |content: &str| {
            let mut recipient = scrypt::Recipient::new(SecretString::from(PASSPHRASE.to_owned()));
            recipient.set_work_factor(2);
            age::encrypt(&recipient, content.as_bytes()).unwrap()
        };
        let open = |content: &str| Wallet::decrypt(&seal(content), PASSPHRASE).unwrap_err();
        assert!(matches!(open("{}"), WalletError::Format { .. }));
        assert!(matches!(open(r#"{"version":2}"#), WalletError::Version { found: 2, .. }));
        assert!(matches!(open(r#"{"version":1}"#), WalletError::Format { .. }));
        let words = wallet().words.text().to_string();
        let content = |accounts: u32, words: &str| {
            format!(r#"{{"version":1,"network":"n","words":"{words}","accounts":{accounts}}}"#)
        };
        assert!(matches!(open(&content(0, &words)), WalletError::Format { .. }));
        assert!(matches!(open(&content(1, "no words")), WalletError::Words { .. }));
        assert!(Wallet::decrypt(&seal(&content(1, &words)), PASSPHRASE).is_ok());
    }

    /// A keystore that an earlier build wrote opens for ever.
    #[test]
    fn golden_keystore() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/keystore-1.age");
        if std::env::var("HYSTERON_GOLDEN").as_deref() == Ok("write") {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/golden")).unwrap();
            std::fs::write(path, wallet().encrypt(PASSPHRASE).unwrap()).unwrap();
        }
        let opened = Wallet::decrypt(&std::fs::read(path).unwrap(), PASSPHRASE).unwrap();
        assert_eq!(*opened.words().text(), *wallet().words().text());
        assert_eq!(
            opened.key(0).unwrap().address().encode("hysd"),
            wallet().key(0).unwrap().address().encode("hysd")
        );
    }
}
