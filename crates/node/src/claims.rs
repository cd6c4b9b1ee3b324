//! Claims of workers, wrapped into transactions of the node's own account: a worker has an address and no key. Since a false
//! claim burns its bond, the node runs the leg before it puts its own coins at stake.

use ed25519_dalek::{Signer, SigningKey};
use hysteron_chain::SubmitError;
use hysteron_ledger::{
    Address, Authorisation, Body, PublicKey, Sender, Signature, SignedTransaction, Transaction, fee_floor,
};
use hysteron_work::Claim;

use crate::chain_task::Writer;

/// Gaps that are filled at one time.
const GAPS_MAX: usize = 16;

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

    /// Fills gaps in the account's nonces, which claims leave that others overtook: what waits behind a gap would wait for
    /// ever. Gives what was sent, which also must be gossiped.
    pub(crate) fn fill_gaps(&self, writer: &mut Writer) -> Vec<SignedTransaction> {
        let mut sent = Vec::new();
        for _ in 0..GAPS_MAX {
            let chain = &mut writer.chain;
            let (address, genesis) = (self.address(), chain.genesis());
            let nonce = chain.mempool().next_nonce(&address, chain.state().account(&address).nonce);
            let waiting = chain.mempool().of_sender(&address).last();
            if waiting.is_none_or(|last| last.transaction.transaction.nonce < nonce) {
                break;
            }
            // The cheapest transaction there is, to ourselves.
            let body = Body::Transfer { to: address, amount: 1, memo: Vec::new() };
            let sender = Sender::Key(self.public());
            let mut transaction = Transaction { network: genesis.network_id(), sender, nonce, fee: 0, body };
            transaction.fee = fee_floor(&genesis.fees, &self.sign(transaction.clone()));
            let signed = self.sign(transaction);
            if let Err(error) = chain.submit_transaction(signed.clone(), None) {
                tracing::warn!(%error, nonce, "a gap in the nonces of the node's account could not be filled");
                break;
            }
            writer.mempool_changed();
            sent.push(signed);
        }
        sent
    }

    /// Hands in a claim whose leg was run. Gives the transaction, which also must be gossiped.
    pub(crate) fn claim(&self, writer: &mut Writer, claim: Claim) -> Result<SignedTransaction, SubmitError> {
        let chain = &mut writer.chain;
        chain.vouch_for_claim(&claim);
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
