//! One transaction: who pays, whether they may, and what it does.

use crate::LedgerError;
use crate::block::Finding;
use crate::event::Event;
use crate::genesis::FeeRules;
use crate::keys::Address;
use crate::limits::SIGNED_TRANSACTION_BYTES_MAX;
use crate::state::keys::{self, Kind};
use crate::state::view::View;
use crate::transaction::{Authorisation, Body, Sender, SignedTransaction, Transaction};
use hysteron_work::types::JobId;

use super::{Execution, add};

/// Bytes of a problem that count as one unit of scoring.
const SCORED_BYTES: u64 = 1024;

/// The least fee of a transaction, in atoms: for its bytes, the data that comes with it, and what checking it costs every
/// node. Saturates.
pub fn fee_floor(rules: &FeeRules, transaction: &SignedTransaction) -> u64 {
    let own_bytes = borsh::object_length(transaction).map_or(u64::MAX, |bytes| bytes as u64);
    let (data, legs, scores) = match &transaction.transaction.body {
        Body::JobOpen(terms) => {
            (terms.data_bytes.into(), 0, u64::from(terms.data_bytes).div_ceil(SCORED_BYTES))
        }
        Body::Claim { .. } => (0, 1, 1),
        Body::ClaimReveal { .. } => (0, 0, 1),
        _ => (0u64, 0u64, 0u64),
    };
    let parts = [
        (own_bytes.saturating_add(data), rules.atoms_per_byte),
        (transaction.signatures(), rules.atoms_per_signature),
        (legs, rules.atoms_per_leg),
        (scores, rules.atoms_per_score),
    ];
    parts.iter().fold(0u64, |sum, (count, atoms)| sum.saturating_add(count.saturating_mul(*atoms)))
}

/// What is known of a transaction that was checked.
pub(super) struct Checked {
    pub(super) floor: u64,
    pub(super) bytes: u64,
    /// What a claim without a bond has found.
    pub(super) finding: Option<Finding>,
}

impl Execution<'_> {
    /// The checks that need no other transaction: form, network, fee, signatures, and whether the account could pay now.
    pub(super) fn check_alone(&self, signed: &SignedTransaction) -> Result<Checked, LedgerError> {
        let transaction = &signed.transaction;
        transaction.check_form()?;
        let expected = self.state.network_id();
        if transaction.network != expected {
            return Err(LedgerError::Network { found: transaction.network, expected });
        }
        let own_bytes = borsh::object_length(signed).unwrap_or(usize::MAX);
        if own_bytes > SIGNED_TRANSACTION_BYTES_MAX {
            return Err(LedgerError::Malformed { reason: "a transaction may have at most 192 KiB" });
        }
        let floor = fee_floor(&self.rules.fees, signed);
        if transaction.unbonded_claim().is_none() {
            self.check_account(transaction, floor)?;
        } else if transaction.fee != floor {
            // More would let whoever sends it spend its finder's bounty.
            return Err(LedgerError::UnbondedFee { found: transaction.fee, floor });
        }
        self.check_signatures(signed)?;
        let data_bytes = match &transaction.body {
            Body::JobOpen(terms) => terms.data_bytes.into(),
            _ => 0,
        };
        Ok(Checked { floor, bytes: own_bytes as u64 + data_bytes, finding: None })
    }

    /// That the fee is high enough, the nonce not used, and the fee there.
    fn check_account(&self, transaction: &Transaction, floor: u64) -> Result<(), LedgerError> {
        if transaction.fee < floor {
            return Err(LedgerError::Fee { found: transaction.fee, floor });
        }
        let account = self.overlay.account(&transaction.sender.address());
        if transaction.nonce < account.nonce {
            return Err(LedgerError::Nonce { found: transaction.nonce, expected: account.nonce });
        }
        if account.balance < transaction.fee {
            return Err(LedgerError::Balance { found: account.balance, needed: transaction.fee });
        }
        Ok(())
    }

    fn check_signatures(&self, signed: &SignedTransaction) -> Result<(), LedgerError> {
        let refuse = |reason| Err(LedgerError::Signature { reason });
        let message = signed.transaction.id();
        match (&signed.transaction.sender, &signed.authorisation) {
            (Sender::Key(key), Authorisation::Single(signature)) => {
                if key.verifies(&message, signature) {
                    Ok(())
                } else {
                    refuse("the signature is wrong")
                }
            }
            (Sender::Multisig(address), Authorisation::Multisig(signatures)) => {
                match self.overlay.multisig(address) {
                    Some(descriptor) => descriptor.verify(&message, signatures),
                    // It may be in a block that others have already.
                    None => Err(LedgerError::Forbidden {
                        reason: "no multisig account was created at this address",
                    }),
                }
            }
            _ => refuse("it is signed in another way than its sender signs"),
        }
    }

    /// Checks and applies a transaction; on error nothing of it stays.
    pub(super) fn transaction(
        &mut self,
        signed: &SignedTransaction,
        data: Option<&[u8]>,
    ) -> Result<Checked, LedgerError> {
        let (mark, events, claims) = (self.overlay.mark(), self.events.len(), self.claims);
        let result = self.try_transaction(signed, data);
        if result.is_err() {
            self.overlay.roll_back(mark);
            self.events.truncate(events);
            self.claims = claims;
        }
        result
    }

    fn try_transaction(
        &mut self,
        signed: &SignedTransaction,
        data: Option<&[u8]>,
    ) -> Result<Checked, LedgerError> {
        let mut checked = self.check_alone(signed)?;
        let transaction = &signed.transaction;
        let fees = add(self.fees, transaction.fee, "the fees")?;
        match transaction.unbonded_claim() {
            Some(claim) => checked.finding = Some(self.unbonded_claim(claim, transaction.fee)?),
            None => {
                let sender = transaction.sender.address();
                self.charge(transaction, &sender)?;
                self.effect(signed, &sender, data)?;
            }
        }
        self.fees = fees;
        Ok(checked)
    }

    /// Uses the sender's nonce and takes the fee.
    fn charge(&mut self, transaction: &Transaction, sender: &Address) -> Result<(), LedgerError> {
        let mut account = self.overlay.account(sender);
        if transaction.nonce != account.nonce {
            return Err(LedgerError::Nonce { found: transaction.nonce, expected: account.nonce });
        }
        account.nonce = add(account.nonce, 1, "a nonce")?;
        self.overlay.write(keys::of_account(Kind::Account, sender), &account);
        self.take(sender, transaction.fee)
    }

    fn effect(
        &mut self,
        signed: &SignedTransaction,
        sender: &Address,
        data: Option<&[u8]>,
    ) -> Result<(), LedgerError> {
        match &signed.transaction.body {
            Body::Transfer { to, amount, memo } => self.transfer(signed, sender, &[(*to, *amount)], memo),
            Body::MultiTransfer { outputs, memo } => self.transfer(signed, sender, outputs, memo),
            Body::JobOpen(terms) => self.open_job(JobId(signed.id()), *sender, terms, data),
            Body::JobTopUp { job, blocks, bounty, quoted_at, price_max } => {
                self.top_up(job, sender, (*blocks, *bounty), *quoted_at, *price_max)
            }
            Body::JobCancel { job } => self.cancel_job(job, sender),
            Body::Claim { claim, bond } => self.claim(sender, claim, *bond),
            Body::ClaimCommit { commitment, bond } => self.commit(sender, commitment, *bond),
            Body::ClaimReveal { job, assignment, salt } => self.reveal(sender, job, assignment, salt),
            Body::ReviewVote { job, approve, reason } => self.vote(signed, job, *approve, reason),
            Body::OracleQuote { microcents_per_hys } => self.quote(sender, *microcents_per_hys),
            Body::CommitteeChange { committee, signatures } => self.appoint(committee, signatures),
            Body::MultisigCreate(descriptor) => {
                let key = keys::of_account(Kind::Multisig, &descriptor.address());
                if self.overlay.bytes(&key).is_some() {
                    return Err(LedgerError::Exists { what: "this multisig account" });
                }
                self.overlay.write(key, descriptor);
                Ok(())
            }
        }
    }

    fn transfer(
        &mut self,
        signed: &SignedTransaction,
        from: &Address,
        outputs: &[(Address, u64)],
        memo: &[u8],
    ) -> Result<(), LedgerError> {
        let total = outputs.iter().fold(0u64, |sum, output| sum.saturating_add(output.1));
        self.take(from, total)?;
        let transaction = signed.id();
        for &(to, amount) in outputs {
            self.pay(&to, amount)?;
            let memo = memo.to_vec();
            self.events.push(Event::Transferred { transaction, from: *from, to, amount, memo });
        }
        Ok(())
    }
}
