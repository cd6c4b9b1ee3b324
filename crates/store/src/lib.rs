//! What the chain persists: redb, crash-safe. A data directory holds one file of the database and one that names
//! its version; both are checked before anything is read. A batch is one write transaction, on the disk before
//! [`Storage::commit`] returns.

mod directory;

use std::path::Path;

use hysteron_chain::storage::{Batch, Column, Pairs, Storage, StorageError};
use redb::{Database, ReadableDatabase, TableDefinition};

pub use directory::{DATABASE_FILE, DIRECTORY_VERSION, VERSION_FILE};

/// Bytes of the database's page cache.
pub const CACHE_BYTES: usize = 64 << 20;

type Bytes = &'static [u8];

fn table(column: Column) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(column.name())
}

fn failed(error: impl std::fmt::Display) -> StorageError {
    StorageError::Failed(error.to_string())
}

/// A data directory, opened by this process alone.
#[derive(Debug)]
pub struct RedbStorage {
    database: Database,
}

impl RedbStorage {
    /// Opens a data directory, or makes one where nothing is yet.
    ///
    /// # Errors
    /// If another process has it open, another version wrote it, or the disk fails.
    pub fn open(directory: &Path) -> Result<Self, StorageError> {
        directory::prepare(directory)?;
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(directory.join(DATABASE_FILE))
            .map_err(|error| match error {
                redb::DatabaseError::DatabaseAlreadyOpen => StorageError::Failed(format!(
                    "another process has {} open; stop it, or name another data directory",
                    directory.display()
                )),
                other => failed(other),
            })?;
        let write = database.begin_write().map_err(failed)?;
        for column in Column::ALL {
            write.open_table(table(column)).map_err(failed)?;
        }
        write.commit().map_err(failed)?;
        Ok(Self { database })
    }
}

impl Storage for RedbStorage {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        let read = self.database.begin_read().map_err(failed)?;
        let table = read.open_table(table(column)).map_err(failed)?;
        Ok(table.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }
    fn range(&self, column: Column, from: &[u8], count_max: usize) -> Result<Pairs, StorageError> {
        let read = self.database.begin_read().map_err(failed)?;
        let table = read.open_table(table(column)).map_err(failed)?;
        let mut pairs = Vec::new();
        for pair in table.range::<&[u8]>(from..).map_err(failed)?.take(count_max) {
            let (key, value) = pair.map_err(failed)?;
            pairs.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(pairs)
    }
    fn commit(&self, batch: &Batch) -> Result<(), StorageError> {
        // The default durability: the transaction is on the disk when `commit` returns, and dropping the
        // transaction on an error aborts it.
        let write = self.database.begin_write().map_err(failed)?;
        for column in Column::ALL {
            let mut changes = batch.changes.iter().filter(|change| change.0 == column).peekable();
            if changes.peek().is_none() {
                continue;
            }
            let mut table = write.open_table(table(column)).map_err(failed)?;
            for (_, key, value) in changes {
                match value {
                    Some(value) => table.insert(key.as_slice(), value.as_slice()).map_err(failed)?,
                    None => table.remove(key.as_slice()).map_err(failed)?,
                };
            }
        }
        write.commit().map_err(failed)
    }
}
