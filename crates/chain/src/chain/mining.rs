//! Block templates: what a miner works on.

use std::collections::BTreeSet;
use std::sync::Arc;

use hysteron_ledger::{Address, BlockContext, BlockInput, LedgerError, SignedTransaction};
use hysteron_work::types::{Hash, ProblemId, Target};
use hysteron_work::{Proof, Table};

use super::Chain;
use super::cursor::misfit;
use crate::block::{Block, PROBLEM_BYTES_MAX, PROBLEMS_MAX, TRANSACTION_BYTES_MAX};
use crate::claims::{Claims, Rerun};
use crate::error::ChainError;
use crate::header::{HEADER_VERSION, HeaderBase};
use crate::mempool::{Candidate, SelectionLimits};
use crate::storage::Storage;

/// How often a template is tried with one failing transaction less, before it is made without any.
const ATTEMPTS_MAX: usize = 64;
/// Room that is left below the limit on transaction bytes: the list's length prefix.
const PREFIX_BYTES: usize = 4;

/// What a template may hold, if less than a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TemplateLimits {
    /// Bytes of transactions.
    pub transaction_bytes_max: usize,
    /// Bytes of problem data.
    pub problem_bytes_max: usize,
}

impl Default for TemplateLimits {
    fn default() -> Self {
        Self { transaction_bytes_max: TRANSACTION_BYTES_MAX, problem_bytes_max: PROBLEM_BYTES_MAX }
    }
}

/// A block without its proof, and what its legs draw from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// What the seed binds.
    pub header: HeaderBase,
    /// The block's transactions.
    pub transactions: Vec<SignedTransaction>,
    /// The data of the problems that they bring.
    pub problems: Vec<Vec<u8>>,
    /// The job table after the parent.
    pub table: Arc<Table>,
    /// Fees of all transactions, atoms.
    pub fees: u64,
}

impl Template {
    /// `th`: what attempts on this template are seeded by.
    pub fn seed(&self) -> Hash {
        self.header.seed()
    }
    /// The target that the post-hash must meet.
    pub fn post_target(&self) -> &Target {
        &self.header.post_target
    }
    /// The block that a winning proof completes.
    pub fn complete(self, proof: &Proof) -> Block {
        let Self { header, transactions, problems, .. } = self;
        Block { header: header.with(proof), transactions, problems }
    }
}

impl<S: Storage> Chain<S> {
    /// A block on the tip for `miner`, at Unix time `now` seconds, with the best paid transactions. Transactions that do not
    /// apply any more leave the mempool.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn template(
        &mut self,
        miner: Address,
        now: u64,
        limits: TemplateLimits,
    ) -> Result<Template, ChainError> {
        let chosen = self.choose(limits);
        let tip = self.tip.hash;
        self.template_on(&tip, miner, now, chosen)
    }

    /// A block for `miner` on any stored block, with the transactions given that apply there: what a miner on a side branch
    /// would work on.
    ///
    /// # Errors
    /// [`ChainError::ParentUnknown`], or the storage's.
    pub fn template_on(
        &mut self,
        parent: &Hash,
        miner: Address,
        now: u64,
        chosen: Vec<Candidate>,
    ) -> Result<Template, ChainError> {
        let result = self.build(parent, miner, now, chosen);
        let tip = self.tip.hash;
        self.move_to(&tip)?;
        result
    }

    fn build(
        &mut self,
        on: &Hash,
        miner: Address,
        now: u64,
        mut chosen: Vec<Candidate>,
    ) -> Result<Template, ChainError> {
        let parent = self.archive.entry(on)?.ok_or(ChainError::ParentUnknown { parent: *on })?;
        let context = self.context_after(on, &parent)?;
        let table = self.table_after(on)?;
        let time = now.max(context.median_time() + 1);
        let post_target = context.next_target(&self.rules);
        let tables = self.claim_tables(on, chosen.iter().map(|candidate| &candidate.transaction))?;
        for attempt in 0..=ATTEMPTS_MAX {
            if attempt == ATTEMPTS_MAX {
                chosen.clear();
            }
            let transactions: Vec<_> = chosen.iter().map(|candidate| candidate.transaction.clone()).collect();
            let problems = self.problems_of(&chosen);
            let claims = Claims {
                tables: tables.clone(),
                rules: &self.rules.work,
                runner: &*self.runner,
                problems: &self.archive,
                verdicts: &self.verdicts,
                rerun: Rerun::Here,
            };
            let input = BlockInput {
                context: BlockContext {
                    height: parent.header.height + 1,
                    parent: *on,
                    time,
                    miner,
                    post_target,
                    parent_legs: &parent.legs,
                    work: &claims,
                },
                transactions: &transactions,
                problems: &problems,
            };
            let applied = match self.state.apply(&input) {
                Ok(applied) => applied,
                Err(LedgerError::BlockTransaction { index, error }) if index < chosen.len() => {
                    self.leave_out(&mut chosen, index, &error);
                    continue;
                }
                Err(error) if chosen.is_empty() => return Err(ChainError::Ledger(error)),
                Err(_) => {
                    chosen.clear();
                    continue;
                }
            };
            let state_root = self.state.root();
            self.state.revert(&applied.delta).map_err(misfit)?;
            let header = HeaderBase {
                version: HEADER_VERSION,
                height: parent.header.height + 1,
                parent: *on,
                transaction_root: Block::transaction_root(&transactions),
                state_root,
                data_root: Block::data_root(&problems),
                miner,
                time,
                post_target,
                local_pool_root: [0; 32],
            };
            let fees = transactions.iter().map(|signed| signed.transaction.fee).fold(0, u64::saturating_add);
            return Ok(Template { header, transactions, problems, table, fees });
        }
        Err(ChainError::Stale("no template could be made"))
    }

    fn choose(&self, limits: TemplateLimits) -> Vec<Candidate> {
        let limits = SelectionLimits {
            transaction_bytes_max: limits.transaction_bytes_max.min(TRANSACTION_BYTES_MAX) - PREFIX_BYTES,
            transactions_max: hysteron_ledger::limits::BLOCK_TRANSACTIONS_MAX,
            problem_bytes_max: limits.problem_bytes_max.min(PROBLEM_BYTES_MAX),
            problems_max: PROBLEMS_MAX,
            heavy_max: self.genesis.market.claims_per_block as usize,
        };
        let nonce = |sender: &_| self.state().account(sender).nonce;
        self.mempool.select(limits, nonce).into_iter().cloned().collect()
    }

    /// Drops a transaction that does not apply, and what follows it from its sender in this template. Nothing follows a claim without a
    /// bond.
    fn leave_out(&mut self, chosen: &mut Vec<Candidate>, index: usize, error: &LedgerError) {
        let failed = chosen.remove(index);
        if !matches!(error, LedgerError::ClaimUnchecked { .. }) {
            self.mempool.remove(&failed.transaction.id());
        }
        let sequence = |candidate: &Candidate| {
            let transaction = &candidate.transaction.transaction;
            transaction.unbonded_claim().is_none().then(|| transaction.sender.address())
        };
        let Some(sender) = sequence(&failed) else { return };
        let mut at = 0;
        chosen.retain(|candidate| {
            at += 1;
            at <= index || sequence(candidate) != Some(sender)
        });
    }

    /// The data that a block with these transactions must carry: each problem once, and none that the chain has.
    fn problems_of(&self, chosen: &[Candidate]) -> Vec<Vec<u8>> {
        let mut seen: BTreeSet<ProblemId> = BTreeSet::new();
        let brings = |candidate: &Candidate| {
            let id = candidate.transaction.transaction.problem()?;
            let is_new = self.state.problem(&id).is_none() && seen.insert(id);
            if is_new { candidate.problem.clone() } else { None }
        };
        chosen.iter().filter_map(brings).collect()
    }
}
