//! Public keys, signatures, addresses.

use std::fmt;

use bech32::{Bech32m, Hrp};
use borsh::{BorshDeserialize, BorshSerialize};
use ed25519_dalek::VerifyingKey;
use hysteron_work::types::{Hash, hash};

use crate::LedgerError;

/// The longest address text that is looked at, in bytes.
const ADDRESS_TEXT_BYTES_MAX: usize = 90;
/// Members of a multisig account or a committee, at most.
pub const MEMBERS_MAX: usize = 16;

/// An ed25519 public key: 32 bytes that need not be a point of the curve until a signature is checked.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// An ed25519 signature.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl PublicKey {
    /// The address of the account that this key alone spends from.
    pub fn address(&self) -> Address {
        Address(hash("address", &[&self.0]))
    }
    /// Whether `signature` is this key's over `message`, by the strict rules: no small-order keys, canonical encodings.
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
        })
    }
    /// Whether the bytes are a key that can sign at all: a point of the curve, not of small order.
    pub fn is_usable(&self) -> bool {
        VerifyingKey::from_bytes(&self.0).is_ok_and(|key| !key.is_weak())
    }
}

/// An account: the hash of its public key, or of its multisig descriptor.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address(pub Hash);

impl Address {
    /// The text of the address: bech32m with the network's human-readable part, `hys1…` or `hysd1…`.
    ///
    /// # Panics
    /// If `prefix` is not a legal human-readable part; [`crate::Genesis::check`] refuses such networks.
    pub fn encode(&self, prefix: &str) -> String {
        let prefix = Hrp::parse(prefix).expect("the genesis has a legal address prefix");
        bech32::encode::<Bech32m>(prefix, &self.0).expect("32 bytes fit a bech32m string")
    }
    /// Reads the text of an address of the network with this prefix.
    ///
    /// # Errors
    /// [`LedgerError::AddressText`] that says what is wrong: the checksum, the network, the length.
    pub fn decode(prefix: &str, text: &str) -> Result<Self, LedgerError> {
        let refuse = |reason: String| LedgerError::AddressText {
            text: text.chars().take(ADDRESS_TEXT_BYTES_MAX).collect(),
            reason,
        };
        if text.len() > ADDRESS_TEXT_BYTES_MAX {
            return Err(refuse("it is too long".into()));
        }
        let parsed = bech32::primitives::decode::CheckedHrpstring::new::<Bech32m>(text)
            .map_err(|e| refuse(format!("a character is wrong or missing ({e})")))?;
        let found = parsed.hrp().to_lowercase();
        if found != prefix {
            return Err(refuse(format!("it belongs to another network ({found}, not {prefix})")));
        }
        let bytes: Vec<u8> = parsed.byte_iter().collect();
        let bytes = bytes.try_into().map_err(|_| refuse("it is not of 32 bytes".into()))?;
        let address = Self(bytes);
        // One address, one text: padding bits and capitals are the other ways to write it.
        if address.encode(prefix) != text.to_lowercase() {
            return Err(refuse("it is not the one way to write this address".into()));
        }
        Ok(address)
    }
}

/// Who may spend from a multisig account: `threshold` of `members`.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Multisig {
    /// The keys, strictly increasing, 1 to [`MEMBERS_MAX`].
    pub members: Vec<PublicKey>,
    /// How many of them must sign, 1 to the number of members.
    pub threshold: u8,
}

impl Multisig {
    /// The account's address.
    pub fn address(&self) -> Address {
        let bytes = borsh::to_vec(self).expect("writing to memory does not fail");
        Address(hash("multisig", &[&bytes]))
    }
    /// Checks the bounds of the fields.
    ///
    /// # Errors
    /// [`LedgerError::Members`] with the rule that is broken.
    pub fn check(&self) -> Result<(), LedgerError> {
        check_members(&self.members, self.threshold)
    }
    /// Whether `signatures` (member's index, signature; strictly increasing) are at least `threshold` valid ones.
    ///
    /// # Errors
    /// [`LedgerError::Signature`] if any is missing, out of order, or wrong.
    pub fn verify(&self, message: &[u8], signatures: &[(u8, Signature)]) -> Result<(), LedgerError> {
        verify_threshold(&self.members, self.threshold, message, signatures)
    }
}

/// Checks a list of keys with a threshold: see [`Multisig`].
pub(crate) fn check_members(members: &[PublicKey], threshold: u8) -> Result<(), LedgerError> {
    let refuse = |reason| Err(LedgerError::Members { reason });
    if members.is_empty() || members.len() > MEMBERS_MAX {
        return refuse("it must have 1 to 16 members");
    }
    if !members.is_sorted_by(|a, b| a < b) {
        return refuse("its members must be distinct and in increasing order");
    }
    if threshold == 0 || usize::from(threshold) > members.len() {
        return refuse("its threshold must be 1 to the number of members");
    }
    if !members.iter().all(PublicKey::is_usable) {
        return refuse("a member's key is not a usable ed25519 key");
    }
    Ok(())
}

/// Checks `threshold` signatures of `members` over `message`.
pub(crate) fn verify_threshold(
    members: &[PublicKey],
    threshold: u8,
    message: &[u8],
    signatures: &[(u8, Signature)],
) -> Result<(), LedgerError> {
    let refuse = |reason| Err(LedgerError::Signature { reason });
    if signatures.len() < usize::from(threshold) {
        return refuse("there are fewer signatures than the threshold asks for");
    }
    if signatures.len() > members.len() || !signatures.is_sorted_by(|a, b| a.0 < b.0) {
        return refuse("the signatures are not of distinct members in increasing order");
    }
    for (index, signature) in signatures {
        let Some(member) = members.get(usize::from(*index)) else {
            return refuse("a signature names a member that does not exist");
        };
        if !member.verifies(message, signature) {
            return refuse("a member's signature is wrong");
        }
    }
    Ok(())
}

/// Writes bytes as hexadecimal.
fn hexadecimal(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        hexadecimal(&self.0, f)?;
        f.write_str(")")
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        hexadecimal(&self.0[..8], f)?;
        f.write_str("…)")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(")?;
        hexadecimal(&self.0, f)?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn address_text_round_trips(bytes in any::<[u8; 32]>()) {
            let address = Address(bytes);
            let text = address.encode("hysd");
            prop_assert!(text.starts_with("hysd1"));
            prop_assert_eq!(Address::decode("hysd", &text).unwrap(), address);
            prop_assert_eq!(Address::decode("hysd", &text.to_uppercase()).unwrap(), address);
            prop_assert!(Address::decode("hys", &text).is_err());
        }

        #[test]
        fn one_wrong_character_is_found(bytes in any::<[u8; 32]>(), at in 5usize..60, to in 0usize..32) {
            let text = Address(bytes).encode("hysd");
            let letter = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"[to] as char;
            let at = at.min(text.len() - 1);
            let mut changed: Vec<char> = text.chars().collect();
            prop_assume!(changed[at] != letter);
            changed[at] = letter;
            let changed: String = changed.into_iter().collect();
            prop_assert!(Address::decode("hysd", &changed).is_err());
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Address::decode("hys", &text);
        }
    }

    #[test]
    fn zero_is_no_key() {
        assert!(!PublicKey([0; 32]).is_usable());
        assert!(!PublicKey([0; 32]).verifies(b"x", &Signature([0; 64])));
    }
}
