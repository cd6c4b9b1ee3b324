//! Claims of workers, wrapped into transactions of the node's own account: a worker has an address and no key. Since a false
//! claim burns its bond, the node runs the leg before it puts its own coins at stake.

use ed25519_dalek::{Signer, SigningKey};
use hysteron_chain::SubmitError;
use hysteron_ledger::{
    Address, Authorisation, Body, LedgerError, PublicKey, Sender, Signature, SignedTransaction, Transaction,
};
use hysteron_work::Claim;

use crate::chain_task::Writer;

/// The node's own account.
#[derive(Clone)]
pub(crate) struct Account {
    key: SigningKey,
}

impl Account {
    pub(crate) fn new(key: SigningKey) -> Self {
        Self { key }
    }
    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }
    pub(crate) fn address(&self) -> Address {
        self.public().address()
    }

    fn sign(&self, transaction: Transaction) -> SignedTransaction {
        let signature = Signature(self.key.sign(&transaction.id()).to_bytes());
        SignedTransaction { transaction, authorisation: Authorisation::Single(signature) }
    }

    /// Hands in a claim whose leg was run. Gives the transaction, which also must be gossiped.
    pub(crate) fn claim(&self, writer: &mut Writer, claim: Claim) -> Result<SignedTransaction, SubmitError> {
        let chain = &mut writer.chain;
        let (address, genesis) = (self.address(), chain.genesis());
        let fees = &genesis.fees;
        let transaction = Transaction {
            network: genesis.network_id(),
            sender: Sender::Key(self.public()),
            nonce: chain.mempool().next_nonce(&address, chain.state().account(&address).nonce),
            fee: 0,
            body: Body::Claim { bond: genesis.market.claim_bond, claim: Box::new(claim) },
        };
        let mut signed = self.sign(transaction);
        // The encoding's length does not depend on the fee.
        signed.transaction.fee = (signed.encode().len() as u64)
            .saturating_mul(fees.atoms_per_byte)
            .saturating_add(fees.atoms_per_signature)
            .saturating_add(fees.atoms_per_leg)
            .saturating_add(fees.atoms_per_score);
        for _ in 0..2 {
            signed = self.sign(signed.transaction);
            match chain.submit_transaction(signed.clone(), None) {
                // The ledger knows the floor better than our sum.
                Err(SubmitError::Ledger(LedgerError::Fee { floor, .. })) => signed.transaction.fee = floor,
                Err(error) => return Err(error),
                Ok(_) => break,
            }
        }
        writer.mempool_changed();
        Ok(signed)
    }
}
