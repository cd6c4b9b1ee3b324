//! Moving the state along stored blocks, and the job tables of recent blocks.
//!
//! Claims name tables of up to ten blocks back, on the branch of the block that holds them. Tables of recent
//! blocks are kept; one that is not is made again by moving the state to its block and back, at the cost of that many
//! deltas. So nothing but the deltas need be stored, and memory has a bound.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hysteron_ledger::{Delta, LedgerError, SignedTransaction};
use hysteron_work::Table;
use hysteron_work::types::Hash;

use super::Chain;
use crate::archive::Entry;
use crate::claims::{claims_in, parent_of};
use crate::context::HeaderContext;
use crate::difficulty::MEDIAN_TIME_BLOCKS;
use crate::error::ChainError;
use crate::header::Header;
use crate::storage::{Storage, StorageError};

/// Tables that are kept.
pub const TABLES_MAX: usize = 64;
/// Bytes of assignments in all kept tables together, at most (one table is kept whatever its size).
pub const TABLE_BYTES_MAX: usize = 256 << 20;

/// Job tables by the block after which they hold, oldest use first out.
#[derive(Debug, Default)]
pub(super) struct Tables {
    tables: BTreeMap<Hash, Arc<Table>>,
    order: VecDeque<Hash>,
    bytes: usize,
}

fn bytes_of(table: &Table) -> usize {
    let assignments = table.entries.iter().flat_map(|entry| &entry.checkpoints);
    assignments.map(|assignment| assignment.bytes().len()).sum::<usize>() + table.entries.len() * 128 + 1024
}

impl Tables {
    fn get(&mut self, block: &Hash) -> Option<Arc<Table>> {
        let table = self.tables.get(block)?.clone();
        self.order.retain(|hash| hash != block);
        self.order.push_back(*block);
        Some(table)
    }
    fn put(&mut self, block: Hash, table: Arc<Table>) {
        let bytes = bytes_of(&table);
        while self.tables.len() >= TABLES_MAX
            || (self.bytes + bytes > TABLE_BYTES_MAX && !self.tables.is_empty())
        {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(old) = self.tables.remove(&oldest) {
                self.bytes -= bytes_of(&old);
            }
        }
        if self.tables.insert(block, table).is_none() {
            self.order.push_back(block);
            self.bytes += bytes;
        }
    }
}

/// A stored delta that does not fit the state it was stored for.
pub(super) fn misfit(error: LedgerError) -> ChainError {
    StorageError::Damaged(error.to_string()).into()
}

/// Two blocks' ways to their last common ancestor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Paths {
    /// The common ancestor.
    pub(super) fork: Hash,
    /// From the first block down to the fork, both ends: the first included, the fork not.
    pub(super) down: Vec<Hash>,
    /// From behind the fork up to the second block, included.
    pub(super) up: Vec<Hash>,
}

impl<S: Storage> Chain<S> {
    /// The entry of a block that must be there.
    pub(super) fn stored(&self, hash: &Hash) -> Result<Entry, ChainError> {
        let missing = || StorageError::Damaged("an ancestor of a stored block is missing".into());
        Ok(self.archive.entry(hash)?.ok_or_else(missing)?)
    }

    /// The ways from two stored blocks to their fork.
    pub(super) fn paths(&self, from: &Hash, to: &Hash) -> Result<Paths, ChainError> {
        let mut paths = Paths { fork: *from, down: Vec::new(), up: Vec::new() };
        let mut upper = *to;
        let (mut a, mut b) = (self.stored(from)?.header, self.stored(to)?.header);
        while paths.fork != upper {
            // The higher one goes down; at equal heights both do, one after the other.
            if a.height >= b.height {
                paths.down.push(paths.fork);
                paths.fork = a.parent;
                a = self.stored(&paths.fork)?.header;
            } else {
                paths.up.push(upper);
                upper = b.parent;
                b = self.stored(&upper)?.header;
            }
        }
        paths.up.reverse();
        Ok(paths)
    }

    fn stored_delta(&self, hash: &Hash) -> Result<Delta, ChainError> {
        let missing = || StorageError::Damaged("the changes of a stored block are missing".into());
        Ok(self.archive.delta(hash)?.ok_or_else(missing)?)
    }

    /// Moves the state to after a stored block. On an error it is after some block on the way.
    pub(super) fn move_to(&mut self, to: &Hash) -> Result<(), ChainError> {
        if self.at == *to {
            return Ok(());
        }
        let Paths { down, up, .. } = self.paths(&self.at, to)?;
        for hash in down {
            debug_assert_eq!(self.at, hash);
            let delta = self.stored_delta(&hash)?;
            let parent = self.stored(&hash)?.header.parent;
            self.state.revert(&delta).map_err(misfit)?;
            self.at = parent;
        }
        for hash in up {
            let delta = self.stored_delta(&hash)?;
            self.state.replay(&delta).map_err(misfit)?;
            self.at = hash;
        }
        debug_assert_eq!(self.state.root(), self.stored(to)?.header.state_root);
        Ok(())
    }

    /// The table after a stored block; the state may be moved.
    pub(super) fn table_after(&mut self, block: &Hash) -> Result<Arc<Table>, ChainError> {
        if let Some(table) = self.tables.get(block) {
            return Ok(table);
        }
        self.move_to(block)?;
        let table = Arc::new(self.state.table());
        self.tables.put(*block, table.clone());
        Ok(table)
    }

    /// The tables that the claims among `transactions` name, for a block on `parent`: those of ancestors that claims may be
    /// as old as. The state ends at `parent`.
    pub(super) fn claim_tables<'a>(
        &mut self,
        parent: &Hash,
        transactions: impl IntoIterator<Item = &'a SignedTransaction>,
    ) -> Result<BTreeMap<Hash, (u64, Arc<Table>)>, ChainError> {
        let named: std::collections::BTreeSet<Hash> = transactions
            .into_iter()
            .flat_map(|transaction| claims_in(std::slice::from_ref(transaction)))
            .filter_map(parent_of)
            .collect();
        let mut tables = BTreeMap::new();
        if !named.is_empty() {
            let mut hash = *parent;
            for _ in 0..=self.rules.work.claim_age_blocks {
                let header = self.stored(&hash)?.header;
                if named.contains(&hash) {
                    tables.insert(hash, (header.height, self.table_after(&hash)?));
                }
                if header.height == 0 {
                    break;
                }
                hash = header.parent;
            }
        }
        self.move_to(parent)?;
        Ok(tables)
    }

    /// The context of a block on a stored parent.
    pub(super) fn context_after(&self, parent: &Hash, entry: &Entry) -> Result<HeaderContext, ChainError> {
        let mut times = VecDeque::from([entry.header.time]);
        let mut oldest: Header = entry.header.clone();
        while times.len() < MEDIAN_TIME_BLOCKS && oldest.height > 0 {
            oldest = self.stored(&oldest.parent)?.header;
            times.push_front(oldest.time);
        }
        Ok(HeaderContext::new(entry.header.clone(), *parent, times, entry.total_work))
    }
}
