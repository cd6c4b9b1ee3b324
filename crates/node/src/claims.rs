//! Claims of workers, wrapped into transactions that the node's own account signs: a worker has an address and no key. Since a
//! false claim burns its bond, the node runs the leg before it puts its own coins at stake. Where it has none, claims go without
//! a bond, and their fee is taken out of the bounty.

use ed25519_dalek::{Signer, SigningKey};
use hysteron_chain::{MempoolError, SubmitError};
use hysteron_ledger::{
    Address, Authorisation, Body, Genesis, LedgerError, PublicKey, Sender, Signature, SignedTransaction,
    Transaction, UNBONDED, fee_floor,
};
use hysteron_work::Claim;

use crate::chain_task::{NodeChain, Writer};

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

    /// A transaction that pays the floor.
    fn wrap(&self, genesis: &Genesis, nonce: u64, body: Body) -> SignedTransaction {
        let sender = Sender::Key(self.public());
        let mut transaction = Transaction { network: genesis.network_id(), sender, nonce, fee: 0, body };
        // The encoding's length, and so the floor, does not depend on the fee.
        transaction.fee = fee_floor(&genesis.fees, &self.sign(transaction.clone()));
        self.sign(transaction)
    }

    fn next_nonce(&self, chain: &NodeChain) -> u64 {
        let address = self.address();
        chain.mempool().next_nonce(&address, chain.state().account(&address).nonce)
    }

    /// Fills gaps in the account's nonces, which claims with a bond leave that others overtook: what waits behind a gap would wait
    /// for ever. Such a claim's fee and bond are free again, which pays the filler many times over; claims without a bond have no
    /// nonce and leave no gap. Gives what was sent, which also must be gossiped.
    pub(crate) fn fill_gaps(&self, writer: &mut Writer) -> Vec<SignedTransaction> {
        let mut sent = Vec::new();
        for _ in 0..GAPS_MAX {
            let chain = &mut writer.chain;
            let (address, nonce) = (self.address(), self.next_nonce(chain));
            let waiting = chain.mempool().of_sender(&address).last();
            if waiting.is_none_or(|last| last.transaction.transaction.nonce < nonce) {
                break;
            }
            // The cheapest transaction there is, to ourselves.
            let body = Body::Transfer { to: address, amount: 1, memo: Vec::new() };
            let signed = self.wrap(chain.genesis(), nonce, body);
            if let Err(error) = chain.submit_transaction(signed.clone(), None) {
                tracing::warn!(%error, nonce, "a gap in the nonces of the node's account could not be filled");
                break;
            }
            writer.mempool_changed();
            sent.push(signed);
        }
        sent
    }

    /// Hands in a claim whose leg was run: with a bond if the account can pay that and the fee, else without. Gives the transaction,
    /// which also must be gossiped.
    pub(crate) fn claim(&self, writer: &mut Writer, claim: Claim) -> Result<SignedTransaction, SubmitError> {
        let chain = &mut writer.chain;
        chain.vouch_for_claim(&claim);
        let (nonce, bond) = (self.next_nonce(chain), chain.genesis().market.claim_bond);
        let claim = Box::new(claim);
        let mut signed = self.wrap(chain.genesis(), nonce, Body::Claim { claim: claim.clone(), bond });
        match chain.submit_transaction(signed.clone(), None) {
            Err(error) if cannot_pay(&error) => {
                signed = self.wrap(chain.genesis(), 0, Body::Claim { claim, bond: UNBONDED });
                chain.submit_transaction(signed.clone(), None)?;
            }
            result => _ = result?,
        }
        writer.mempool_changed();
        Ok(signed)
    }
}

/// Whether nothing but coins is missing.
fn cannot_pay(error: &SubmitError) -> bool {
    matches!(
        error,
        SubmitError::Ledger(LedgerError::Balance { .. }) | SubmitError::Mempool(MempoolError::Balance { .. })
    )
}
