//! What is mined on: a template an address, and recent works by their ids.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hysteron_chain::{Block, HeaderBase, Template};
use hysteron_ledger::{Address, Score, SignedTransaction};
use hysteron_work::{Hash, JobId, Proof, Table};

use crate::limits::{PAYEES_MAX, WORKS_MAX};

/// Blocks for which a work is remembered, for claims. Results for older works come too late for any network's rules
/// that is in use, and are refused.
const WORK_AGE_BLOCKS: u64 = 12;
/// Blocks after which a claim that is not in one is taken for lost.
const CLAIM_BLOCKS: u64 = 6;

/// A work that was given out.
pub(crate) struct Made {
    /// Its number.
    pub(crate) id: u64,
    /// Height of the block to come.
    pub(crate) height: u64,
    /// The header without its proof.
    pub(crate) header: HeaderBase,
    /// Its encoding.
    pub(crate) header_bytes: Arc<Vec<u8>>,
    /// What seeds draw from.
    pub(crate) table: Arc<Table>,
    /// The table's content id.
    pub(crate) table_id: Hash,
    /// Bytes of its encoding.
    pub(crate) table_bytes: u32,
    /// Fees of its transactions, atoms.
    pub(crate) fees: u64,
    content: Content,
}

/// A block's content. Templates of different addresses share it.
#[derive(Clone, Default)]
struct Content {
    transactions: Arc<Vec<SignedTransaction>>,
    problems: Arc<Vec<Vec<u8>>>,
}

impl Made {
    /// The block that a proof completes.
    pub(crate) fn complete(&self, proof: &Proof) -> Block {
        Block {
            header: self.header.clone().with(proof),
            transactions: self.content.transactions.to_vec(),
            problems: self.content.problems.to_vec(),
        }
    }
    /// Transactions in the block.
    pub(crate) fn transactions(&self) -> usize {
        self.content.transactions.len()
    }
}

#[derive(Default)]
struct Payee {
    sessions: u32,
    present: Option<Arc<Made>>,
}

/// The best claims that were sent on and may not be in a block yet. A worse one would be refused when both are, and one with a
/// bond leave a gap in the nonces of the node's account.
#[derive(Default)]
pub(super) struct Claimed(BTreeMap<JobId, (Score, u64)>);

impl Claimed {
    /// Notes a claim at this height, if it improves what was claimed of the job in the last blocks.
    pub(super) fn improves(&mut self, job: JobId, score: Score, height: u64) -> bool {
        self.0.retain(|_, (_, since)| *since + CLAIM_BLOCKS > height);
        if self.0.get(&job).is_some_and(|(best, _)| *best <= score) {
            return false;
        }
        self.0.insert(job, (score, height));
        true
    }
    /// A claim of this job did not reach the mempool.
    pub(super) fn forget(&mut self, job: &JobId) {
        self.0.remove(job);
    }
}

/// See the [module](self).
#[derive(Default)]
pub(crate) struct Board {
    payees: BTreeMap<Address, Payee>,
    works: BTreeMap<u64, Arc<Made>>,
    seeds: BTreeMap<Hash, u64>,
    order: VecDeque<u64>,
    next: u64,
    /// What was claimed.
    pub(super) claims: Claimed,
    /// The last content, with its roots.
    content: Option<(Hash, Hash, Content)>,
}

impl Board {
    /// Counts a session for an address; refuses when there are too many addresses.
    pub(super) fn join(&mut self, payee: &Address) -> bool {
        if !self.payees.contains_key(payee) && self.payees.len() >= PAYEES_MAX {
            return false;
        }
        self.payees.entry(*payee).or_default().sessions += 1;
        true
    }
    /// Ends a session for an address.
    pub(super) fn leave(&mut self, payee: &Address) {
        if let Some(entry) = self.payees.get_mut(payee) {
            entry.sessions -= 1;
            if entry.sessions == 0 {
                self.payees.remove(payee);
            }
        }
    }
    pub(super) fn payees(&self) -> Vec<Address> {
        self.payees.keys().copied().collect()
    }
    pub(super) fn present(&self, payee: &Address) -> Option<Arc<Made>> {
        self.payees.get(payee)?.present.clone()
    }
    /// A work by its number.
    pub(super) fn work(&self, id: u64) -> Option<Arc<Made>> {
        self.works.get(&id).cloned()
    }
    /// A work by the hash of its header.
    pub(super) fn by_seed(&self, seed: &Hash) -> Option<Arc<Made>> {
        self.work(*self.seeds.get(seed)?)
    }

    /// Takes a template that was made for an address.
    pub(super) fn put(
        &mut self,
        payee: Address,
        template: Template,
        table_id: Hash,
        table_bytes: u32,
    ) -> Arc<Made> {
        let Template { header, transactions, problems, table, fees } = template;
        let content = match &self.content {
            Some((transaction_root, data_root, content))
                if (*transaction_root, *data_root) == (header.transaction_root, header.data_root) =>
            {
                content.clone()
            }
            _ => {
                let content = Content { transactions: transactions.into(), problems: problems.into() };
                self.content = Some((header.transaction_root, header.data_root, content.clone()));
                content
            }
        };
        self.next += 1;
        let made = Arc::new(Made {
            id: self.next,
            height: header.height,
            header_bytes: header.encode().into(),
            header,
            table,
            table_id,
            table_bytes,
            fees,
            content,
        });
        self.works.insert(made.id, made.clone());
        self.seeds.insert(made.header.seed(), made.id);
        self.order.push_back(made.id);
        if self.order.len() > WORKS_MAX {
            self.forget_oldest();
        }
        if let Some(entry) = self.payees.get_mut(&payee) {
            entry.present = Some(made.clone());
        }
        made
    }

    /// The chain has a new tip: works that are too old are forgotten.
    pub(super) fn moved(&mut self, tip_height: u64) {
        while let Some(oldest) = self.order.front().and_then(|id| self.works.get(id)) {
            if oldest.height + WORK_AGE_BLOCKS > tip_height {
                break;
            }
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(made) = self.order.pop_front().and_then(|id| self.works.remove(&id)) {
            self.seeds.remove(&made.header.seed());
        }
    }
}
