//! Claims of workers, wrapped into transactions of the node's own account: a worker has an address and no key. Since a false
//! claim burns its bond, the node runs the leg before it puts its own coins at stake.

use ed25519_dalek::{Signer, SigningKey};
use hysteron_chain::SubmitError;
use hysteron_ledger::{
    Address, Authorisation, Body, PublicKey, Sender, Signature, SignedTransaction, Transaction, fee_floor,
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
        let mut transaction = Transaction {
            network: genesis.network_id(),
            sender: Sender::Key(self.public()),
            nonce: chain.mempool().next_nonce(&address, chain.state().account(&address).nonce),
            fee: 0,
            body: Body::Claim { bond: genesis.market.claim_bond, claim: Box::new(claim) },
        };
        // The encoding's length, and so the floor, does not depend on the fee.
        transaction.fee = fee_floor(fees, &self.sign(transaction.clone()));
        let signed = self.sign(transaction);
        chain.submit_transaction(signed.clone(), None)?;
        writer.mempool_changed();
        Ok(signed)
    }
}
