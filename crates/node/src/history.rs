//! The history of accounts and jobs: an index of the node's own in its own file, derived from the chain's archive. It
//! follows the best chain block by block, takes back what a reorganisation abandons, and is built anew if it is missing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use borsh::BorshDeserialize;
use hysteron_api::{Atoms, Hex32, types as api};
use hysteron_chain::Block;
use hysteron_ledger::{Address, Event};
use hysteron_work::{Hash, JobId};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use tokio::sync::watch;

use crate::NodeError;
use crate::accounts::{self, Entry};
use crate::chain_task::{NodeArchive, Standing, job_of};
use crate::convert::{Convert, ending_name};
use crate::limits::{HISTORY_BATCH_BLOCKS, HISTORY_CACHE_BYTES};

/// The file in the data directory. Deleting it costs nothing but the time to build it again.
pub(crate) const HISTORY_FILE: &str = "history.redb";
/// Raised when the records change; a history of another version is built anew.
const HISTORY_VERSION: u64 = 1;

type Bytes = &'static [u8];
/// Address, height, number in the block (the last two big-endian) -> [`Entry`].
const ACCOUNTS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("accounts");
/// Job, height, number in the block -> ledger event.
const JOBS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("jobs");
/// Job -> owner's address.
const OWNERS: TableDefinition<'static, Bytes, Bytes> = TableDefinition::new("owners");
/// Height -> hash, block by block of what is indexed.
const BLOCKS: TableDefinition<'static, u64, Bytes> = TableDefinition::new("blocks");
/// Height, number -> table (0 accounts, 1 jobs, 2 owners) and key: what to take back.
const KEYS: TableDefinition<'static, (u64, u32), (u8, Bytes)> = TableDefinition::new("keys");
const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");

/// Something went wrong with the index; the chain is not concerned.
#[derive(Debug, thiserror::Error)]
#[error("The history cannot be read or written: {0}.")]
pub(crate) struct HistoryError(String);

fn failed(error: impl std::fmt::Display) -> HistoryError {
    HistoryError(error.to_string())
}

/// The index. Shared by the thread that writes it and by readers.
pub(crate) struct History {
    database: Database,
    archive: NodeArchive,
    convert: Convert,
}

/// What identifies an entry within an account or job: height and number.
type Position = (u64, u32);

/// Entries with their heights, newest first, and where the next page begins.
pub(crate) type Page = (Vec<(u64, Entry)>, Option<Position>);

impl History {
    /// Opens or makes the index.
    pub(crate) fn open(directory: &Path, archive: NodeArchive, convert: Convert) -> Result<Self, NodeError> {
        let path = directory.join(HISTORY_FILE);
        let refuse = |reason: String| NodeError::File { path: path.clone(), reason };
        let open = || Database::builder().set_cache_size(HISTORY_CACHE_BYTES).create(&path);
        let database = match open() {
            Ok(database) => database,
            // Derived data that cannot be read are made again; a lock cannot be the reason, as the directory is ours.
            Err(error) => {
                tracing::warn!(%error, "the history is damaged and is built anew");
                std::fs::remove_file(&path).map_err(|e| refuse(e.to_string()))?;
                open().map_err(|e| refuse(e.to_string()))?
            }
        };
        let history = Self { database, archive, convert };
        history.prepare().map_err(|e| refuse(e.to_string()))?;
        Ok(history)
    }

    fn prepare(&self) -> Result<(), HistoryError> {
        let write = self.database.begin_write().map_err(failed)?;
        let version = {
            let meta = write.open_table(META).map_err(failed)?;
            meta.get("version").map_err(failed)?.map(|version| version.value())
        };
        if version != Some(HISTORY_VERSION) {
            for table in [ACCOUNTS, JOBS, OWNERS] {
                write.delete_table(table).map_err(failed)?;
            }
            write.delete_table(BLOCKS).map_err(failed)?;
            write.delete_table(KEYS).map_err(failed)?;
            write.open_table(META).map_err(failed)?.insert("version", HISTORY_VERSION).map_err(failed)?;
        }
        for table in [ACCOUNTS, JOBS, OWNERS] {
            write.open_table(table).map_err(failed)?;
        }
        write.open_table(BLOCKS).map_err(failed)?;
        write.open_table(KEYS).map_err(failed)?;
        write.commit().map_err(failed)
    }

    /// Blocks that are indexed: the height of the last one, `None` before the first.
    pub(crate) fn height(&self) -> Result<Option<u64>, HistoryError> {
        let read = self.database.begin_read().map_err(failed)?;
        let blocks = read.open_table(BLOCKS).map_err(failed)?;
        Ok(blocks.last().map_err(failed)?.map(|(height, _)| height.value()))
    }

    /// Follows the best chain to its end. Gives up between two batches when `stop` is set.
    pub(crate) fn catch_up(&self, stop: &AtomicBool) -> Result<(), HistoryError> {
        while !stop.load(Ordering::Relaxed) && self.batch()? {}
        Ok(())
    }

    /// One transaction's worth of following; says whether there may be more.
    fn batch(&self) -> Result<bool, HistoryError> {
        if self.is_at_the_end()? {
            return Ok(false);
        }
        let write = self.database.begin_write().map_err(failed)?;
        let mut last = self.take_back(&write)?;
        let mut added = 0;
        while added < HISTORY_BATCH_BLOCKS {
            let next = last.map_or(0, |(height, _)| height + 1);
            let Some(hash) = self.archive.canonical(next).map_err(failed)? else { break };
            let Some(block) = self.archive.block(&hash).map_err(failed)? else { break };
            if last.is_some_and(|(_, hash)| hash != block.header.parent) {
                // The chain was reorganised since; the next batch takes back.
                added = HISTORY_BATCH_BLOCKS;
                break;
            }
            let events = self.archive.events(&hash).map_err(failed)?;
            add(&write, &hash, &block, &events)?;
            last = Some((next, hash));
            added += 1;
        }
        write.commit().map_err(failed)?;
        Ok(added == HISTORY_BATCH_BLOCKS)
    }

    /// Whether the last block that is indexed is the best chain's last one.
    fn is_at_the_end(&self) -> Result<bool, HistoryError> {
        let read = self.database.begin_read().map_err(failed)?;
        let blocks = read.open_table(BLOCKS).map_err(failed)?;
        let Some((height, hash)) = blocks.last().map_err(failed)? else { return Ok(false) };
        let height = height.value();
        let here = self.archive.canonical(height).map_err(failed)?;
        let next = self.archive.canonical(height + 1).map_err(failed)?;
        Ok(here.is_some_and(|here| here == hash.value()) && next.is_none())
    }

    /// Removes indexed blocks that are not on the best chain any more. Gives the last that is.
    fn take_back(&self, write: &WriteTransaction) -> Result<Option<(u64, Hash)>, HistoryError> {
        loop {
            let last = {
                let blocks = write.open_table(BLOCKS).map_err(failed)?;
                let last = blocks.last().map_err(failed)?;
                last.map(|(height, hash)| (height.value(), Hash::try_from(hash.value()).unwrap_or_default()))
            };
            let Some((height, hash)) = last else { return Ok(None) };
            if self.archive.canonical(height).map_err(failed)? == Some(hash) {
                return Ok(Some((height, hash)));
            }
            remove(write, height)?;
        }
    }

    /// A page of an account's entries, newest first, below `before`. The position is the next page's.
    pub(crate) fn account(
        &self,
        address: &Address,
        before: Option<Position>,
        count: usize,
    ) -> Result<Page, HistoryError> {
        let read = self.database.begin_read().map_err(failed)?;
        let table = read.open_table(ACCOUNTS).map_err(failed)?;
        let (height, number) = before.unwrap_or((u64::MAX, u32::MAX));
        let (from, to) = (key(&address.0, 0, 0), key(&address.0, height, number));
        let mut entries = Vec::new();
        let mut next = None;
        for pair in table.range(from.as_slice()..to.as_slice()).map_err(failed)?.rev() {
            let (key, value) = pair.map_err(failed)?;
            if entries.len() == count {
                break;
            }
            let position = position(key.value());
            entries.push((position.0, decode(value.value())?));
            next = Some(position);
        }
        // A full page may have another behind it.
        let next = next.filter(|_| entries.len() == count);
        Ok((entries, next))
    }

    /// What happened to a job, oldest first, at most `count`.
    pub(crate) fn job(&self, job: &JobId, count: usize) -> Result<Vec<api::JobEvent>, HistoryError> {
        let read = self.database.begin_read().map_err(failed)?;
        let table = read.open_table(JOBS).map_err(failed)?;
        let (from, to) = (key(&job.0, 0, 0), key(&job.0, u64::MAX, u32::MAX));
        let mut events = Vec::new();
        for pair in table.range(from.as_slice()..=to.as_slice()).map_err(failed)?.take(count) {
            let (key, value) = pair.map_err(failed)?;
            let (height, _) = position(key.value());
            let hash = self.archive.canonical(height).map_err(failed)?.unwrap_or_default();
            events.extend(self.job_event(height, hash, &decode(value.value())?));
        }
        Ok(events)
    }

    fn job_event(&self, height: u64, block: Hash, event: &Event) -> Option<api::JobEvent> {
        let plain = |kind: &str| api::JobEvent {
            height,
            block: Hex32(block),
            kind: kind.into(),
            energy: None,
            amount: None,
            address: None,
        };
        Some(match event {
            Event::JobOpened { owner, escrow, held, .. } => api::JobEvent {
                amount: Some(Atoms(*escrow)),
                address: Some(self.convert.address(owner)),
                ..plain(if *held { "held" } else { "opened" })
            },
            Event::JobToppedUp { escrow, .. } => {
                api::JobEvent { amount: Some(Atoms(*escrow)), ..plain("topped-up") }
            }
            Event::JobApproved { .. } => plain("approved"),
            Event::JobStarted { .. } => plain("started"),
            Event::JobImproved { score, finder, bounty, .. } => api::JobEvent {
                energy: Some(score.energy),
                amount: Some(Atoms(*bounty)),
                address: Some(self.convert.address(finder)),
                ..plain("improved")
            },
            Event::JobEnded { ending, .. } => plain(ending_name(*ending)),
            Event::JobSettled { settlement, .. } => {
                api::JobEvent { amount: Some(Atoms(settlement.refunded)), ..plain("settled") }
            }
            Event::Voted { reviewer, approve, .. } => api::JobEvent {
                address: Some(self.convert.address(reviewer)),
                ..plain(if *approve { "vote-for" } else { "vote-against" })
            },
            _ => return None,
        })
    }
}

fn key(id: &Hash, height: u64, number: u32) -> Vec<u8> {
    [id.as_slice(), &height.to_be_bytes(), &number.to_be_bytes()].concat()
}

/// Height and number, of a key that [`key`] made.
fn position(key: &[u8]) -> Position {
    let height = key.get(32..40).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
    let number = key.get(40..44).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    (height, number)
}

fn decode<T: BorshDeserialize>(bytes: &[u8]) -> Result<T, HistoryError> {
    borsh::from_slice(bytes).map_err(failed)
}

fn encode<T: borsh::BorshSerialize>(value: &T) -> Result<Vec<u8>, HistoryError> {
    borsh::to_vec(value).map_err(failed)
}

fn add(write: &WriteTransaction, hash: &Hash, block: &Block, events: &[Event]) -> Result<(), HistoryError> {
    let height = block.header.height;
    let mut records: Vec<(u8, Vec<u8>, Vec<u8>)> = Vec::new();
    {
        let owners = write.open_table(OWNERS).map_err(failed)?;
        let owner = |job: &JobId| {
            let value = owners.get(job.0.as_slice()).ok()??;
            value.value().try_into().ok().map(Address)
        };
        for (number, (address, entry)) in (0u32..).zip(accounts::entries(block, events, &owner)) {
            records.push((0, key(&address.0, height, number), encode(&entry)?));
        }
    }
    for (number, event) in (0u32..).zip(events) {
        if let Event::JobOpened { job, owner, .. } = event {
            records.push((2, job.0.to_vec(), owner.0.to_vec()));
        }
        // Credits come with every block, and the job itself says their sum.
        if let (Some(job), false) = (job_of(event), matches!(event, Event::JobCredited { .. })) {
            records.push((1, key(&job.0, height, number), encode(event)?));
        }
    }
    let mut keys = write.open_table(KEYS).map_err(failed)?;
    for (number, (table, key, value)) in (0u32..).zip(&records) {
        let mut open = write.open_table(table_of(*table)).map_err(failed)?;
        open.insert(key.as_slice(), value.as_slice()).map_err(failed)?;
        keys.insert((height, number), (*table, key.as_slice())).map_err(failed)?;
    }
    write.open_table(BLOCKS).map_err(failed)?.insert(height, hash.as_slice()).map_err(failed)?;
    Ok(())
}

fn remove(write: &WriteTransaction, height: u64) -> Result<(), HistoryError> {
    let mut keys = write.open_table(KEYS).map_err(failed)?;
    let mut records = Vec::new();
    for pair in keys.range((height, 0)..=(height, u32::MAX)).map_err(failed)? {
        let (number, record) = pair.map_err(failed)?;
        let (table, key) = record.value();
        records.push((number.value(), table, key.to_vec()));
    }
    for (number, table, key) in records {
        write.open_table(table_of(table)).map_err(failed)?.remove(key.as_slice()).map_err(failed)?;
        keys.remove(number).map_err(failed)?;
    }
    write.open_table(BLOCKS).map_err(failed)?.remove(height).map_err(failed)?;
    Ok(())
}

fn table_of(number: u8) -> TableDefinition<'static, Bytes, Bytes> {
    match number {
        0 => ACCOUNTS,
        1 => JOBS,
        _ => OWNERS,
    }
}

/// Keeps the index at the best chain's end until the watch closes or `stop` is set.
pub(crate) async fn follow(
    history: Arc<History>,
    mut watch: watch::Receiver<Standing>,
    stop: Arc<AtomicBool>,
) {
    loop {
        let (history, stopped) = (history.clone(), stop.clone());
        let done = tokio::task::spawn_blocking(move || history.catch_up(&stopped)).await;
        if let Ok(Err(error)) = done {
            tracing::error!(%error, "the history stands still");
        }
        if stop.load(Ordering::Relaxed) || watch.changed().await.is_err() {
            return;
        }
    }
}
