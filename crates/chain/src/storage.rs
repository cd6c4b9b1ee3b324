//! What a chain needs of a disk: an ordered map a column, and batches that are written whole or not at all. The typed
//! view of it is [`crate::archive::Archive`]; [`MemoryStorage`] serves tests and simulations, the `store` crate a disk.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use thiserror::Error;

/// A named ordered map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Column {
    /// Schema version, genesis, tip.
    Meta,
    /// Block hash -> header, cumulative work.
    Entries,
    /// Block hash -> transactions and the ids of its problems.
    Bodies,
    /// Block hash -> what its application changed, for undo and redo.
    Deltas,
    /// Block hash -> what happened in it.
    Events,
    /// Height (8 bytes, big-endian) -> hash of the block of the best chain.
    Canonical,
    /// Transaction hash -> block and position, for the best chain.
    Transactions,
    /// Problem id -> canonical bytes.
    Problems,
    /// Record key -> record, the state after the tip.
    State,
    /// Transaction hash -> a transaction that was handed in here and waits for a block, with its problem's bytes.
    Waiting,
}

impl Column {
    /// Every column, in a fixed order.
    pub const ALL: [Self; 10] = [
        Self::Meta,
        Self::Entries,
        Self::Bodies,
        Self::Deltas,
        Self::Events,
        Self::Canonical,
        Self::Transactions,
        Self::Problems,
        Self::State,
        Self::Waiting,
    ];
    /// The column's name on a disk.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Entries => "entries",
            Self::Bodies => "bodies",
            Self::Deltas => "deltas",
            Self::Events => "events",
            Self::Canonical => "canonical",
            Self::Transactions => "transactions",
            Self::Problems => "problems",
            Self::State => "state",
            Self::Waiting => "waiting",
        }
    }
}

/// A column, a key in it, and its new value or `None` for removal.
pub type RecordChange = (Column, Vec<u8>, Option<Vec<u8>>);

/// Changes that belong together: later ones win over earlier ones at the same key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// In the order in which they were added.
    pub changes: Vec<RecordChange>,
}

impl Batch {
    /// Adds a write.
    pub fn put(&mut self, column: Column, key: &[u8], value: Vec<u8>) {
        self.changes.push((column, key.to_vec(), Some(value)));
    }
    /// Adds a removal (of a key that need not exist).
    pub fn remove(&mut self, column: Column, key: &[u8]) {
        self.changes.push((column, key.to_vec(), None));
    }
}

/// Why a storage could not do its work. Nothing of a failed batch is written.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum StorageError {
    /// The device or its file system failed.
    #[error("The storage failed: {0}.")]
    Failed(String),
    /// What was read is not what was written.
    #[error("The storage is damaged: {0}.")]
    Damaged(String),
    /// The data were written by another version or network.
    #[error("The data directory does not fit: {0}.")]
    Foreign(String),
}

/// Ordered maps with atomic batches. Shared by threads: one writes, many read.
pub trait Storage: Send + Sync {
    /// The value at a key.
    ///
    /// # Errors
    /// If the device fails.
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError>;
    /// At most `count_max` pairs with keys at or behind `from`, in the order of their bytes.
    ///
    /// # Errors
    /// If the device fails.
    fn range(&self, column: Column, from: &[u8], count_max: usize) -> Result<Pairs, StorageError>;
    /// Writes all of a batch or nothing. When it returns, the batch survives the death of the process and of the machine.
    ///
    /// # Errors
    /// If the device fails.
    fn commit(&self, batch: &Batch) -> Result<(), StorageError>;
}

/// Keys with their values.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// One column in memory.
type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// A storage that lives as long as its process.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    columns: RwLock<BTreeMap<Column, Records>>,
}

impl Storage for MemoryStorage {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let columns = self.columns.read().unwrap_or_else(PoisonError::into_inner);
        Ok(columns.get(&column).and_then(|map| map.get(key)).cloned())
    }
    fn range(&self, column: Column, from: &[u8], count_max: usize) -> Result<Pairs, StorageError> {
        let columns = self.columns.read().unwrap_or_else(PoisonError::into_inner);
        let Some(map) = columns.get(&column) else { return Ok(Vec::new()) };
        let pairs = map.range(from.to_vec()..).take(count_max);
        Ok(pairs.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
    fn commit(&self, batch: &Batch) -> Result<(), StorageError> {
        let mut columns = self.columns.write().unwrap_or_else(PoisonError::into_inner);
        for (column, key, value) in &batch.changes {
            let map = columns.entry(*column).or_default();
            match value {
                Some(value) => map.insert(key.clone(), value.clone()),
                None => map.remove(key),
            };
        }
        Ok(())
    }
}

impl<S: Storage + ?Sized> Storage for std::sync::Arc<S> {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        (**self).get(column, key)
    }
    fn range(&self, column: Column, from: &[u8], count_max: usize) -> Result<Pairs, StorageError> {
        (**self).range(column, from, count_max)
    }
    fn commit(&self, batch: &Batch) -> Result<(), StorageError> {
        (**self).commit(batch)
    }
}
