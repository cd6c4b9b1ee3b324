//! The typed view of a [`Storage`]: what is kept of each block, and how. Readers on other threads (an API, a server of
//! peers, a miner's cache of problems) share it with the one writer.

use std::sync::Arc;

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_ledger::{Applied, Delta, Event, SignedTransaction};
use hysteron_work::types::{Hash, JobId, ProblemId, hash};

use crate::block::Block;
use crate::header::Header;
use crate::storage::{Batch, Column, Pairs, Storage, StorageError};

/// Version of the columns' contents.
pub const SCHEMA_VERSION: u32 = 1;
/// State records that one read fetches while a chain is opened.
const STATE_PAGE_RECORDS: usize = 4096;

const META: &[u8] = b"chain";

/// What every other record hangs on.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Meta {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Hash of the genesis block.
    pub genesis: Hash,
    /// Hash of the tip of the best chain: the state in storage is the one after it.
    pub tip: Hash,
}

/// What is known of a stored block. Every stored block was validated in full (below a release's checkpoint: by the
/// sample), so the fork choice never has to take anything back.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    /// The header.
    pub header: Header,
    /// Work of this block and of all its ancestors.
    pub total_work: u128,
    /// Jobs that the legs of its attempt drew, public ones left out: what the next block credits.
    pub legs: Vec<JobId>,
}

#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
struct Body {
    transactions: Vec<SignedTransaction>,
    problems: Vec<ProblemId>,
}

/// Where a transaction of the best chain is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct TransactionPlace {
    /// The block.
    pub block: Hash,
    /// Position in the block, from 0.
    pub index: u32,
}

/// Reads and batches over a shared storage.
#[derive(Debug)]
pub struct Archive<S> {
    storage: Arc<S>,
}

impl<S> Clone for Archive<S> {
    fn clone(&self) -> Self {
        Self { storage: self.storage.clone() }
    }
}

/// A transaction's id, the bytes of its record, and, if that can be read, the transaction with the bytes of the problem that it brings.
pub(crate) type Waiting = (Hash, usize, Option<(SignedTransaction, Option<Vec<u8>>)>);

fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).expect("memory takes every byte")
}

fn decode<T: BorshDeserialize>(column: Column, bytes: &[u8]) -> Result<T, StorageError> {
    borsh::from_slice(bytes).map_err(|e| {
        StorageError::Damaged(format!("a record of column {} does not decode: {e}", column.name()))
    })
}

impl<S: Storage> Archive<S> {
    /// Over a storage.
    pub fn new(storage: Arc<S>) -> Self {
        Self { storage }
    }

    fn read<T: BorshDeserialize>(&self, column: Column, key: &[u8]) -> Result<Option<T>, StorageError> {
        self.storage.get(column, key)?.map(|bytes| decode(column, &bytes)).transpose()
    }

    /// The root record, `None` in an empty storage.
    ///
    /// # Errors
    /// As of [`Storage::get`]; so for all reads here, and a record that does not decode is
    /// [`StorageError::Damaged`].
    pub fn meta(&self) -> Result<Option<Meta>, StorageError> {
        let Some(bytes) = self.storage.get(Column::Meta, META)? else { return Ok(None) };
        let schema = bytes.first_chunk().map(|word| u32::from_le_bytes(*word));
        if schema != Some(SCHEMA_VERSION) {
            return Err(StorageError::Foreign(format!(
                "its records have schema version {schema:?}, this program reads {SCHEMA_VERSION}"
            )));
        }
        decode(Column::Meta, &bytes).map(Some)
    }
    /// Header and cumulative work of a block.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn entry(&self, block: &Hash) -> Result<Option<Entry>, StorageError> {
        self.read(Column::Entries, block)
    }
    /// The header of a block.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn header(&self, block: &Hash) -> Result<Option<Header>, StorageError> {
        Ok(self.entry(block)?.map(|entry| entry.header))
    }
    /// A whole block, of the best chain or of a side branch.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn block(&self, hash: &Hash) -> Result<Option<Block>, StorageError> {
        let Some(header) = self.header(hash)? else { return Ok(None) };
        let Some(body) = self.read::<Body>(Column::Bodies, hash)? else { return Ok(None) };
        let missing = || StorageError::Damaged("the data of a stored block's problem are missing".into());
        let data = |id: &ProblemId| self.problem_bytes(id)?.ok_or_else(missing);
        let problems = body.problems.iter().map(data).collect::<Result<_, StorageError>>()?;
        Ok(Some(Block { header, transactions: body.transactions, problems }))
    }
    /// What the application of a block changed.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn delta(&self, block: &Hash) -> Result<Option<Delta>, StorageError> {
        self.read(Column::Deltas, block)
    }
    /// What happened in a block.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn events(&self, block: &Hash) -> Result<Vec<Event>, StorageError> {
        Ok(self.read(Column::Events, block)?.unwrap_or_default())
    }
    /// The best chain's block at a height.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn canonical(&self, height: u64) -> Result<Option<Hash>, StorageError> {
        self.read(Column::Canonical, &height.to_be_bytes())
    }
    /// Where the best chain has a transaction.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn transaction_place(&self, transaction: &Hash) -> Result<Option<TransactionPlace>, StorageError> {
        self.read(Column::Transactions, transaction)
    }
    /// A transaction of the best chain.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn transaction(
        &self,
        transaction: &Hash,
    ) -> Result<Option<(TransactionPlace, SignedTransaction)>, StorageError> {
        let Some(place) = self.transaction_place(transaction)? else { return Ok(None) };
        let body: Option<Body> = self.read(Column::Bodies, &place.block)?;
        let found = body.and_then(|body| body.transactions.into_iter().nth(place.index as usize));
        Ok(found.map(|transaction| (place, transaction)))
    }
    /// The canonical bytes of a problem that some stored block brought.
    ///
    /// # Errors
    /// As of [`Self::meta`].
    pub fn problem_bytes(&self, id: &ProblemId) -> Result<Option<Vec<u8>>, StorageError> {
        self.storage.get(Column::Problems, &id.0)
    }

    /// All records of the state, for opening.
    pub(crate) fn state(&self) -> Result<Pairs, StorageError> {
        let mut records = Vec::new();
        let mut from = Vec::new();
        loop {
            let page = self.storage.range(Column::State, &from, STATE_PAGE_RECORDS)?;
            let Some((last, _)) = page.last() else { return Ok(records) };
            // The key that follows a key directly has a zero byte more.
            from = [last.as_slice(), &[0]].concat();
            records.extend(page);
        }
    }
    /// Transactions that were kept while they wait, at most `most`. They are a convenience: what cannot be read has no
    /// transaction, and stops nobody.
    pub(crate) fn waiting(&self, most: usize) -> Result<Vec<Waiting>, StorageError> {
        let pairs = self.storage.range(Column::Waiting, &[], most)?;
        let read = |(id, value): (Vec<u8>, Vec<u8>)| {
            let id = Hash::try_from(id.as_slice()).ok()?;
            Some((id, value.len(), decode(Column::Waiting, &value).ok()))
        };
        Ok(pairs.into_iter().filter_map(read).collect())
    }
    pub(crate) fn commit(&self, batch: &Batch) -> Result<(), StorageError> {
        self.storage.commit(batch)
    }
}

/// The id under which a problem's canonical bytes are kept: [`hysteron_problem::Problem::content_id`] without
/// decoding them.
pub fn problem_id(bytes: &[u8]) -> ProblemId {
    ProblemId(hash("problem", &[bytes]))
}

/// Composes the batches of the chain.
pub(crate) trait Records {
    fn put_meta(&mut self, meta: &Meta);
    fn put_block(&mut self, hash: &Hash, block: &Block, entry: &Entry, applied: &Applied);
    fn connect(&mut self, hash: &Hash, height: u64, transactions: &[SignedTransaction]);
    fn disconnect(&mut self, height: u64, transactions: &[SignedTransaction]);
    fn put_state(&mut self, key: &[u8], value: Option<&[u8]>);
}

impl Records for Batch {
    fn put_meta(&mut self, meta: &Meta) {
        self.put(Column::Meta, META, encode(meta));
    }
    fn put_block(&mut self, hash: &Hash, block: &Block, entry: &Entry, applied: &Applied) {
        let problems: Vec<ProblemId> = block.problems.iter().map(|bytes| problem_id(bytes)).collect();
        for (id, bytes) in problems.iter().zip(&block.problems) {
            self.put(Column::Problems, &id.0, bytes.clone());
        }
        let body = Body { transactions: block.transactions.clone(), problems };
        self.put(Column::Entries, hash, encode(entry));
        self.put(Column::Bodies, hash, encode(&body));
        self.put(Column::Deltas, hash, encode(&applied.delta));
        self.put(Column::Events, hash, encode(&applied.events));
    }
    fn connect(&mut self, hash: &Hash, height: u64, transactions: &[SignedTransaction]) {
        self.put(Column::Canonical, &height.to_be_bytes(), encode(hash));
        for (index, transaction) in transactions.iter().enumerate() {
            let place = TransactionPlace { block: *hash, index: index as u32 };
            self.put(Column::Transactions, &transaction.id(), encode(&place));
        }
    }
    fn disconnect(&mut self, height: u64, transactions: &[SignedTransaction]) {
        self.remove(Column::Canonical, &height.to_be_bytes());
        for transaction in transactions {
            self.remove(Column::Transactions, &transaction.id());
        }
    }
    fn put_state(&mut self, key: &[u8], value: Option<&[u8]>) {
        match value {
            Some(value) => self.put(Column::State, key, value.to_vec()),
            None => self.remove(Column::State, key),
        }
    }
}

impl<S: Storage> hysteron_work::Problems for Archive<S> {
    fn problem(&self, id: &ProblemId) -> Option<Arc<hysteron_problem::Problem>> {
        // Bytes in storage were checked when their block was; a failing disk is met again, and reported, by the chain.
        let bytes = self.problem_bytes(id).ok()??;
        borsh::from_slice(&bytes).ok().map(Arc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_content_ids() {
        let problem = hysteron_problem::Problem::Ising(hysteron_problem::Ising {
            spins: 2,
            couplings: vec![(0, 1, -3)],
            fields: vec![0, 1],
            offset: 5,
        });
        assert_eq!(problem_id(&encode(&problem)).0, problem.content_id());
    }
}
