//! A key that signs.

use ed25519_dalek::{Signer, SigningKey};
use hysteron_ledger::{
    Address, Authorisation, Multisig, PublicKey, Sender, Signature, SignedTransaction, Transaction,
};

use crate::WalletError;

/// An ed25519 key; wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Key {
    secret: SigningKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key(secret of {:?})", self.public())
    }
}

impl Key {
    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { secret: SigningKey::from_bytes(seed) }
    }
    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.secret.verifying_key().to_bytes())
    }
    /// The account's address.
    pub fn address(&self) -> Address {
        self.public().address()
    }
    /// Signs a message.
    pub fn sign_message(&self, message: &[u8]) -> Signature {
        Signature(self.secret.sign(message).to_bytes())
    }
    /// Signs a transaction of the account of this key alone.
    ///
    /// # Errors
    /// [`WalletError::NotAMember`] if another account sends it.
    pub fn sign(&self, transaction: Transaction) -> Result<SignedTransaction, WalletError> {
        if transaction.sender != Sender::Key(self.public()) {
            return Err(WalletError::NotAMember { of: "the sending account" });
        }
        let authorisation = Authorisation::Single(self.sign_message(&transaction.id()));
        Ok(SignedTransaction { transaction, authorisation })
    }
    /// This key's signature of a multisig account's transaction: its index among the members, and the signature.
    ///
    /// # Errors
    /// [`WalletError::NotAMember`] if the key is no member, or the descriptor is not the sender's.
    pub fn sign_as_member(
        &self,
        account: &Multisig,
        transaction: &Transaction,
    ) -> Result<(u8, Signature), WalletError> {
        if transaction.sender != Sender::Multisig(account.address()) {
            return Err(WalletError::NotAMember { of: "the sending account" });
        }
        let place = account.members.iter().position(|member| *member == self.public());
        let index = place.and_then(|i| u8::try_from(i).ok());
        let index = index.ok_or(WalletError::NotAMember { of: "the multisig account" })?;
        Ok((index, self.sign_message(&transaction.id())))
    }
}

/// A multisig account's transaction with the signatures that members gave.
///
/// # Errors
/// [`WalletError::Refused`] if they are too few, or one is wrong.
pub fn combine(
    account: &Multisig,
    transaction: Transaction,
    mut signatures: Vec<(u8, Signature)>,
) -> Result<SignedTransaction, WalletError> {
    signatures.sort_by_key(|signature| signature.0);
    signatures.dedup_by_key(|signature| signature.0);
    account.verify(&transaction.id(), &signatures)?;
    Ok(SignedTransaction { transaction, authorisation: Authorisation::Multisig(signatures) })
}
