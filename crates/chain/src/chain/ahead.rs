//! Work that is run before a block or a claim is handed in. A block's legs take a good part of a second, and while the chain
//! judges a block nobody else can use it. So the chain gives out what a run needs, whoever drives the chain runs it elsewhere,
//! and the result comes back with the block. It is only ever a shortcut: what comes without a result is run by the chain.

use std::collections::BTreeMap;
use std::sync::Arc;

use hysteron_ledger::{LedgerError, SignedTransaction};
use hysteron_work::types::Hash;
use hysteron_work::{Claim, LegRunner, Table, WorkRules};

use super::{Chain, SubmitError};
use crate::archive::Archive;
use crate::block::Block;
use crate::claims::{Claims, Rerun, Verdicts, claims_in};
use crate::error::ChainError;
use crate::header::Header;
use crate::mempool::Candidate;
use crate::pipeline;
use crate::storage::Storage;
use crate::sync::ImportPlan;

/// What the legs of some claims are run with.
struct ClaimsAhead<S> {
    tables: BTreeMap<Hash, (u64, Arc<Table>)>,
    transactions: Vec<SignedTransaction>,
    limit: usize,
    rules: WorkRules,
    runner: Arc<dyn LegRunner>,
    problems: Archive<S>,
    verdicts: Arc<Verdicts>,
}

impl<S: Storage> ClaimsAhead<S> {
    fn run(self) {
        let claims = Claims {
            tables: self.tables,
            rules: &self.rules,
            runner: &*self.runner,
            problems: &self.problems,
            verdicts: &self.verdicts,
            rerun: Rerun::Here,
        };
        claims.run_ahead(&self.transactions, self.limit);
    }
}

/// The work of a block that passed every check that needs no simulation: [`Self::run`] it on any thread, and hand the result in
/// with the block.
pub struct WorkAhead<S> {
    hash: Hash,
    header: Header,
    total_work: u128,
    table: Arc<Table>,
    /// Whether the block's own legs are run: not where a release vouches for them.
    runs_legs: bool,
    claims: ClaimsAhead<S>,
}

impl<S> std::fmt::Debug for WorkAhead<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkAhead").field("height", &self.header.height).finish_non_exhaustive()
    }
}

impl<S: Storage> WorkAhead<S> {
    /// Cumulative work up to and including the block, as its header claims.
    pub fn total_work(&self) -> u128 {
        self.total_work
    }

    /// Runs the block's legs, and if they hold those of the claims in it. Takes up to half a second, and several threads.
    pub fn run(self) -> WorkDone {
        let ClaimsAhead { rules, runner, .. } = &self.claims;
        let result = match self.runs_legs {
            true => pipeline::check_work(&self.header, &self.table, rules, &**runner),
            false => Ok(()),
        };
        if result.is_ok() {
            self.claims.run();
        }
        WorkDone { hash: self.hash, result }
    }
}

/// What became of a [`WorkAhead`]. Only a run makes one, so it can be trusted.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkDone {
    hash: Hash,
    result: Result<(), ChainError>,
}

impl WorkDone {
    /// Whether the work held.
    pub fn held(&self) -> bool {
        self.result.is_ok()
    }
    /// The result, if it is of this block.
    pub(super) fn of(&self, hash: &Hash) -> Option<Result<(), ChainError>> {
        (self.hash == *hash).then(|| self.result.clone())
    }
}

/// The leg of a claim that waits to become part of a block.
pub struct ClaimAhead<S>(ClaimsAhead<S>);

impl<S> std::fmt::Debug for ClaimAhead<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimAhead").finish_non_exhaustive()
    }
}

impl<S: Storage> ClaimAhead<S> {
    /// Runs the leg; the chain remembers what came of it.
    pub fn run(self) {
        self.0.run();
    }
}

impl<S: Storage> Chain<S> {
    /// The work to run before a block is handed in by [`Self::submit_block_with`]; `None` where there is none to run now: the
    /// block is known, or its parent is not. The block has then passed all cheap checks, its body's roots included.
    ///
    /// # Errors
    /// As of [`Self::submit_block`], without the work and the state.
    pub fn work_ahead(&mut self, block: &Block, now: u64) -> Result<Option<WorkAhead<S>>, ChainError> {
        let hash = block.hash();
        if self.archive.entry(&hash)?.is_some()
            || self.orphans.contains(&hash)
            || self.archive.entry(&block.header.parent)?.is_none()
        {
            return Ok(None);
        }
        let work = self.prepare(block, hash, self.options.side_depth_max, true, now);
        self.return_to_tip()?;
        work.map(Some)
    }

    /// The same for the next block of an import. The state stays on the import's branch.
    ///
    /// # Errors
    /// As of [`Self::import_next`], without the work and the state.
    pub fn import_ahead(
        &mut self,
        plan: &ImportPlan,
        block: &Block,
        now: u64,
    ) -> Result<Option<WorkAhead<S>>, ChainError> {
        let hash = block.hash();
        if plan.next() != Some(&hash) {
            return Err(ChainError::Unplanned);
        }
        if self.archive.entry(&hash)?.is_some() {
            return Ok(None);
        }
        let depth_max = self.options.reorganisation_depth_max;
        self.prepare(block, hash, depth_max, plan.verifies_next(), now).map(Some)
    }

    fn prepare(
        &mut self,
        block: &Block,
        hash: Hash,
        depth_max: u64,
        runs_legs: bool,
        now: u64,
    ) -> Result<WorkAhead<S>, ChainError> {
        let checked = self.check_before_work(block, hash, depth_max, now);
        if let Err(error) = &checked
            && error.condemns_header()
        {
            self.invalid.add(hash);
        }
        let (_, context) = checked?;
        let parent = block.header.parent;
        self.move_to(&parent)?;
        let table = self.table_after(&parent)?;
        Ok(WorkAhead {
            hash,
            header: block.header.clone(),
            total_work: context.total_work_with(&block.header, &self.rules),
            table,
            runs_legs,
            claims: self.claims_ahead(&parent, &block.transactions)?,
        })
    }

    fn claims_ahead(
        &mut self,
        parent: &Hash,
        transactions: &[SignedTransaction],
    ) -> Result<ClaimsAhead<S>, ChainError> {
        let has_claim =
            |transaction: &&SignedTransaction| claims_in(std::slice::from_ref(*transaction)).next().is_some();
        Ok(ClaimsAhead {
            tables: self.claim_tables(parent, transactions)?,
            transactions: transactions.iter().filter(has_claim).cloned().collect(),
            limit: self.genesis.market.claims_per_block as usize,
            rules: self.rules.work.clone(),
            runner: self.runner.clone(),
            problems: self.archive.clone(),
            verdicts: self.verdicts.clone(),
        })
    }

    /// The leg to run before a claim is handed in by [`Self::submit_transaction`], once it has passed the ledger's checks that
    /// need none; `None` for what has no leg to run.
    ///
    /// # Errors
    /// As of [`Self::submit_transaction`].
    pub fn claim_ahead(
        &mut self,
        transaction: &SignedTransaction,
    ) -> Result<Option<ClaimAhead<S>>, SubmitError> {
        let has_claim = claims_in(std::slice::from_ref(transaction)).next().is_some();
        if !has_claim || self.mempool.contains(&transaction.id()) {
            return Ok(None);
        }
        match self.judge_newcomer(&Candidate::new(transaction.clone(), None), Rerun::Elsewhere) {
            Ok(_) => Ok(None),
            Err(SubmitError::Ledger(LedgerError::ClaimUnchecked { .. })) => {
                let parent = self.tip.hash;
                let ahead = self.claims_ahead(&parent, std::slice::from_ref(transaction))?;
                Ok(Some(ClaimAhead(ahead)))
            }
            Err(error) => Err(error),
        }
    }

    /// Notes that the caller has run a claim's leg, on the table after the parent that its header names, and that it held.
    pub fn vouch_for_claim(&mut self, claim: &Claim) {
        self.verdicts.vouch(claim);
    }
}
