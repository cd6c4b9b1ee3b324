//! The mempool's side of the chain: admission, and what a new tip does to what waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use hysteron_ledger::{Address, Admission, Body, LedgerError, SignedTransaction, fee_floor};
use hysteron_work::Table;
use hysteron_work::types::Hash;
use thiserror::Error;

use super::{Chain, Submission};
use crate::block::{Block, PROBLEM_BYTES_MAX};
use crate::claims::{Claims, Rerun};
use crate::error::{BAN_SCORE, ChainError};
use crate::mempool::{AccountView, Candidate, Inserted, MempoolError};
use crate::storage::{Batch, Column, Storage};

/// Transactions that are kept on the disk while they wait; further ones wait in memory alone.
pub const KEPT_MAX: usize = 4096;
/// Bytes of all of them, problems included.
pub const KEPT_BYTES_MAX: usize = 64 << 20;

/// A transaction that waits now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Admitted {
    /// Its id.
    pub id: Hash,
    /// Whom it replaced, and who made room.
    pub inserted: Inserted,
}

/// Why a transaction was not taken.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum SubmitError {
    /// The ledger refuses it.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
    /// It finds no place.
    #[error("{0}")]
    Mempool(#[from] MempoolError),
    /// The problem that came with it is not the one it names, or is too long.
    #[error("The problem that came with the transaction is refused: {0}.")]
    Problem(&'static str),
    /// The chain could not judge it.
    #[error("{0}")]
    Chain(#[from] ChainError),
}

impl SubmitError {
    /// What the score of the peer that relayed it rises by. What depends on the state may have been fine a moment ago.
    pub fn ban_score(&self) -> u32 {
        match self {
            Self::Ledger(error) if error.is_malicious() => BAN_SCORE,
            Self::Problem(_) => BAN_SCORE / 2,
            Self::Ledger(_) | Self::Mempool(_) | Self::Chain(_) => 0,
        }
    }
}

/// What blocks that joined and left the best chain mean for the mempool, until the state is at the new tip.
#[derive(Debug, Default)]
pub(super) struct Pending {
    confirmed: Vec<Hash>,
    returning: Vec<Candidate>,
    reorganised: bool,
    moved: bool,
}

impl Pending {
    pub(super) fn connected(&mut self, block: &Block) {
        self.moved = true;
        self.confirmed.extend(block.transactions.iter().map(SignedTransaction::id));
    }
    /// Called for the former tip first.
    pub(super) fn disconnected(&mut self, block: Block) {
        self.moved = true;
        self.reorganised = true;
        let Block { transactions, problems, .. } = block;
        let problems: BTreeMap<_, _> =
            problems.into_iter().map(|bytes| (crate::archive::problem_id(&bytes), bytes)).collect();
        let candidates = transactions.into_iter().map(|transaction| {
            let problem = transaction.transaction.problem().and_then(|id| problems.get(&id).cloned());
            Candidate::new(transaction, problem)
        });
        // Lower blocks come later but their transactions earlier.
        let mut candidates: Vec<Candidate> = candidates.collect();
        candidates.append(&mut self.returning);
        self.returning = candidates;
    }
}

impl<S: Storage> Chain<S> {
    /// Judges a transaction on the state after the tip, and keeps it for a block. `problem` is the canonical encoding of the
    /// problem that it brings, if it brings one.
    ///
    /// # Errors
    /// Why not; see [`SubmitError::ban_score`].
    pub fn submit_transaction(
        &mut self,
        transaction: SignedTransaction,
        problem: Option<Vec<u8>>,
    ) -> Result<Admitted, SubmitError> {
        if self.mempool.contains(&transaction.id()) {
            return Err(MempoolError::Known.into());
        }
        if let Some(bytes) = &problem {
            if bytes.len() > PROBLEM_BYTES_MAX {
                return Err(SubmitError::Problem("it is longer than a block may hold"));
            }
            // Nobody pays for bytes that the transaction does not name, and they would be kept and passed on.
            if transaction.transaction.problem() != Some(crate::archive::problem_id(bytes)) {
                return Err(SubmitError::Problem("it is not the one that the transaction names"));
            }
        }
        self.admit(Candidate::new(transaction, problem))
    }

    /// Puts a waiting transaction on the disk, so that it still waits after a restart, however this process ends: for those
    /// that were handed in here, which perhaps nobody else has. Once it is in a block or has lost its place it is forgotten; if a
    /// reorganisation brings it back it is kept again. Claims are not kept: they are made anew, and judging them takes a leg. Says
    /// whether it is on the disk.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn keep_waiting(&mut self, id: &Hash) -> Result<bool, ChainError> {
        self.forget_kept()?;
        let Some(candidate) = self.mempool.get(id) else { return Ok(false) };
        let body = &candidate.transaction.transaction.body;
        if self.kept.contains_key(id) || matches!(body, Body::Claim { .. } | Body::ClaimReveal { .. }) {
            return Ok(self.kept.contains_key(id));
        }
        let value = borsh::to_vec(&(&candidate.transaction, &candidate.problem));
        let value = value.expect("writing to memory does not fail");
        let bytes = value.len() + self.kept.values().sum::<usize>();
        if self.kept.len() >= KEPT_MAX || bytes > KEPT_BYTES_MAX {
            return Ok(false);
        }
        let bytes = value.len();
        let mut batch = Batch::default();
        batch.put(Column::Waiting, id, value);
        self.archive.commit(&batch)?;
        self.kept.insert(*id, bytes);
        Ok(true)
    }

    /// Takes back what [`Self::keep_waiting`] left on the disk: once, after opening. What no longer finds a place is forgotten, and
    /// what cannot be read. Gives how many wait again.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn readmit_kept(&mut self) -> Result<usize, ChainError> {
        let mut candidates = Vec::new();
        for (id, bytes, waiting) in self.archive.waiting(KEPT_MAX)? {
            self.kept.insert(id, bytes);
            if let Some((transaction, problem)) = waiting {
                candidates.push(Candidate::new(transaction, problem));
            }
        }
        // A sender's nonces one after the other.
        candidates.sort_by_key(|candidate| candidate.transaction.transaction.nonce);
        for candidate in candidates {
            // Whatever else refuses it: the chain has moved on without it.
            if let Err(SubmitError::Chain(error)) = self.admit(candidate) {
                return Err(error);
            }
        }
        self.forget_kept()?;
        Ok(self.kept.len())
    }

    /// What [`Self::keep_waiting`] has on the disk and still waits, from the first id behind `after` on and round, as many as `most`.
    pub fn kept(&self, after: &Hash, most: usize) -> Vec<(Hash, Candidate)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let behind = self.kept.range((Excluded(*after), Unbounded));
        let ids = behind.chain(self.kept.range(..=*after)).map(|(id, _)| id);
        ids.filter_map(|id| Some((*id, self.mempool.get(id)?.clone()))).take(most).collect()
    }

    /// Removes from the disk what waits no more.
    fn forget_kept(&mut self) -> Result<(), ChainError> {
        let gone: Vec<Hash> = self.kept.keys().filter(|id| !self.mempool.contains(id)).copied().collect();
        if gone.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for id in &gone {
            batch.remove(Column::Waiting, id);
        }
        self.archive.commit(&batch)?;
        for id in gone {
            self.kept.remove(&id);
            self.kept_before.push_back(id);
        }
        let most = self.kept_before.len().saturating_sub(KEPT_MAX);
        self.kept_before.drain(..most);
        Ok(())
    }

    /// Keeps again what a reorganisation has brought back, and forgets what waits no more. The chain has moved already: where
    /// the disk fails here, the next tip brings another try.
    fn settle_kept(&mut self, returned: &[Hash]) {
        for id in returned.iter().filter(|id| self.kept_before.contains(id)).copied().collect::<Vec<_>>() {
            if self.keep_waiting(&id).is_err() {
                return;
            }
        }
        let _ = self.forget_kept();
    }

    /// A sender's account in the state after the tip.
    pub fn account_view(&self, sender: &Address) -> AccountView {
        let account = self.state().account(sender);
        AccountView { nonce: account.nonce, balance: account.balance }
    }

    fn admit(&mut self, mut candidate: Candidate) -> Result<Admitted, SubmitError> {
        let id = candidate.transaction.id();
        let account = self.account_view(&candidate.transaction.transaction.sender.address());
        if candidate.problem.is_none()
            && let Some(problem) = candidate.transaction.transaction.problem()
            && self.state().problem(&problem).is_none()
        {
            // Perhaps another branch brought the data.
            candidate.problem = self.archive.problem_bytes(&problem).map_err(ChainError::from)?;
        }
        let admission = self.judge_newcomer(&candidate, Rerun::Here)?;
        candidate.weight = admission.floor;
        candidate.finding = admission.finding;
        let inserted = self.mempool.insert(candidate, account, self.tip.height)?;
        Ok(Admitted { id, inserted })
    }

    /// The ledger's checks for a block on the tip, of what does not wait yet.
    pub(super) fn judge_newcomer(
        &mut self,
        candidate: &Candidate,
        rerun: Rerun,
    ) -> Result<Admission, SubmitError> {
        let tip = self.tip.hash;
        let tables = self.claim_tables(&tip, [&candidate.transaction])?;
        let claims = self.checker(tables.clone(), rerun);
        // No leg is run for a claim that finds no place then: its sender would lose nothing.
        if let Some(finding) = self.state.finding(&candidate.transaction, &claims)? {
            self.mempool.check_finding(&finding)?;
        } else if matches!(candidate.transaction.transaction.body, Body::Claim { .. }) {
            let cheap = self.checker(tables, Rerun::Elsewhere);
            match self.state.check_transaction(&candidate.transaction, None, &cheap) {
                Err(LedgerError::ClaimUnchecked { .. }) => {
                    let weight = fee_floor(&self.genesis.fees, &candidate.transaction);
                    let account = self.account_view(&candidate.transaction.transaction.sender.address());
                    self.mempool.check(&Candidate { weight, ..candidate.clone() }, account)?;
                }
                judged => return Ok(judged?),
            }
        }
        Ok(self.state.check_transaction(&candidate.transaction, candidate.problem.as_deref(), &claims)?)
    }

    /// What checks claims with these tables.
    pub(super) fn checker(&self, tables: BTreeMap<Hash, (u64, Arc<Table>)>, rerun: Rerun) -> Claims<'_> {
        Claims {
            tables,
            rules: &self.rules.work,
            runner: &*self.runner,
            problems: &self.archive,
            verdicts: &self.verdicts,
            rerun,
        }
    }

    /// Brings the state back to the tip. Only after [`Self::import_next`] and [`Self::import_ahead`] it can be elsewhere; nothing
    /// else than those and what reads only the archive may be called before.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn return_to_tip(&mut self) -> Result<(), ChainError> {
        let tip = self.tip.hash;
        self.move_to(&tip)
    }

    /// Brings the mempool after a tip that has moved, and the state to it; where the tip did not move the state stays where it is.
    pub(super) fn settle(&mut self, submission: &mut Submission) -> Result<(), ChainError> {
        let pending = std::mem::take(&mut self.pending);
        if !pending.moved {
            return Ok(());
        }
        self.return_to_tip()?;
        for id in &pending.confirmed {
            self.mempool.remove(id);
        }
        for candidate in pending.returning {
            let id = candidate.transaction.id();
            // Those that the new branch has too, or that it made impossible, fail here.
            if self.archive.transaction_place(&id)?.is_none() && self.admit(candidate).is_ok() {
                submission.returned.push(id);
            }
        }
        if pending.reorganised {
            self.judge_all(submission)?;
        }
        let state = &self.state;
        let view = |sender: &Address| {
            let account = state.account(sender);
            AccountView { nonce: account.nonce, balance: account.balance }
        };
        submission.dropped.extend(self.mempool.settle(self.tip.height, view));
        submission.dropped.extend(self.mempool.settle_findings(|finding| state.awaits(finding)));
        self.settle_kept(&submission.returned);
        Ok(())
    }

    /// Judges everything that waits again: the state has not only moved forward.
    fn judge_all(&mut self, submission: &mut Submission) -> Result<(), ChainError> {
        let ids: Vec<Hash> = self.mempool.ids().copied().collect();
        for id in ids {
            let Some(candidate) = self.mempool.get(&id).cloned() else { continue };
            let tip = self.tip.hash;
            let tables = self.claim_tables(&tip, [&candidate.transaction])?;
            let claims = self.checker(tables, Rerun::Here);
            match self.state.check_transaction(&candidate.transaction, candidate.problem.as_deref(), &claims)
            {
                Ok(_) | Err(LedgerError::ClaimUnchecked { .. }) => {}
                Err(_) => {
                    self.mempool.remove(&id);
                    submission.dropped.push(id);
                }
            }
        }
        Ok(())
    }
}
