//! A transaction as it travels between nodes: with the data of the problem that it brings.

use borsh::BorshSerialize;
use hysteron_chain::PROBLEM_BYTES_MAX;
use hysteron_ledger::SignedTransaction;
use hysteron_ledger::limits::SIGNED_TRANSACTION_BYTES_MAX;

/// A transaction and its problem's canonical bytes, if it brings a problem.
#[derive(BorshSerialize, Clone, PartialEq, Eq, Debug)]
pub struct Parcel {
    /// The transaction.
    pub transaction: SignedTransaction,
    /// The problem's canonical bytes.
    pub problem: Option<Vec<u8>>,
}

impl Parcel {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// Reads what a peer sent. The form of the transaction is checked, the problem is not looked into.
    ///
    /// # Errors
    /// A sentence.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > SIGNED_TRANSACTION_BYTES_MAX + PROBLEM_BYTES_MAX + 8 {
            return Err("The transaction is longer than any may be.".into());
        }
        // Borsh allocates no more than what the bytes can hold.
        let (transaction, problem): (SignedTransaction, Option<Vec<u8>>) =
            borsh::from_slice(bytes).map_err(|e| format!("The bytes are no transaction: {e}."))?;
        if problem.as_ref().is_some_and(|problem| problem.len() > PROBLEM_BYTES_MAX) {
            return Err("The problem is longer than a block may hold.".into());
        }
        // The ledger's own limit on the transaction alone.
        let transaction = SignedTransaction::decode(&transaction.encode()).map_err(|e| e.to_string())?;
        Ok(Self { transaction, problem })
    }
}
