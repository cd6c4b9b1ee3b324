//! The committee: reviewers of held jobs, who also appoint the oracle's keys and their own successors.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::LedgerError;
use crate::keys::{PublicKey, check_members};
use crate::limits::ORACLE_KEYS_MAX;

/// Who reviews and who quotes.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Committee {
    /// Keys of the reviewers, strictly increasing, 1 to [`crate::MEMBERS_MAX`].
    pub reviewers: Vec<PublicKey>,
    /// How many must approve a held job, and sign a change of the committee.
    pub threshold: u8,
    /// Keys that quote the price of HYS, strictly increasing, at most [`ORACLE_KEYS_MAX`]. None: miners quote.
    pub oracles: Vec<PublicKey>,
}

impl Committee {
    /// Checks the bounds of the fields.
    ///
    /// # Errors
    /// [`LedgerError::Members`] with the rule that is broken.
    pub fn check(&self) -> Result<(), LedgerError> {
        check_members(&self.reviewers, self.threshold)?;
        let refuse = |reason| Err(LedgerError::Members { reason });
        if self.oracles.len() > ORACLE_KEYS_MAX {
            return refuse("it may appoint at most 64 oracle keys");
        }
        if !self.oracles.is_sorted_by(|a, b| a < b) || !self.oracles.iter().all(PublicKey::is_usable) {
            return refuse("the oracle keys must be distinct usable keys in increasing order");
        }
        Ok(())
    }
    /// Refusals from which on approval can no longer be reached.
    pub fn blocking(&self) -> usize {
        self.reviewers.len() + 1 - usize::from(self.threshold)
    }
}

/// The committee in office, and the one that is to follow.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Office {
    /// In office.
    pub committee: Committee,
    /// Changes so far: part of what the next change signs.
    pub serial: u64,
    /// The next committee and the height from which on it is in office. A later change replaces an earlier one.
    pub next: Option<(Committee, u64)>,
}
