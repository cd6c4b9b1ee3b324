//! The chain: the one writer. It judges blocks by the pipeline, keeps every valid one, follows the branch of most work,
//! and keeps a mempool beside. It reads no clock: times are arguments.
//!
//! The state of the ledger is in memory, *at* one block. It is moved along stored blocks by their deltas, down to a
//! fork and up a branch, so that a block on any branch is judged on the state and the job table after its own parent
//! before it is stored. What is stored is therefore valid, and a reorganisation can only fail with the disk.

mod accept;
mod ahead;
mod cursor;
mod import;
mod lookup;
mod mining;
mod pool;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hysteron_ledger::{Event, Genesis, State};
use hysteron_work::LegRunner;
use hysteron_work::types::Hash;

use crate::archive::{Archive, Entry, Meta, Records, SCHEMA_VERSION};
use crate::asert::Asert;
use crate::block::Block;
use crate::claims::Verdicts;
use crate::context::{Checkpoint, HeaderRules};
use crate::error::ChainError;
use crate::mempool::{Mempool, MempoolLimits};
use crate::orphans::Orphans;
use crate::storage::{Batch, Storage, StorageError};

pub use ahead::{ClaimAhead, WorkAhead, WorkDone};
pub use import::Imported;
pub use lookup::LOCATOR_MAX;
pub use mining::{Template, TemplateLimits};
pub use pool::{Admitted, SubmitError};

use cursor::Tables;

/// Blocks that a reorganisation may abandon: two weeks of the main network. A node that was apart for longer needs its
/// owner's decision (a new data directory).
pub const REORGANISATION_DEPTH_MAX: u64 = 10_080;
/// How far below the tip a block that comes alone may leave the best chain. Branches from further below come through
/// [`Chain::import`], which looks at the work that they claim first.
pub const SIDE_DEPTH_MAX: u64 = 100;
/// Hashes of invalid blocks that are remembered.
pub const INVALID_MAX: usize = 4096;

/// How a chain is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChainOptions {
    /// The release's checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Bounds of the mempool.
    pub mempool: MempoolLimits,
    /// At most [`REORGANISATION_DEPTH_MAX`] is sensible; tests use less.
    pub reorganisation_depth_max: u64,
    /// See [`SIDE_DEPTH_MAX`].
    pub side_depth_max: u64,
}

impl Default for ChainOptions {
    fn default() -> Self {
        Self {
            checkpoint: None,
            mempool: MempoolLimits::default(),
            reorganisation_depth_max: REORGANISATION_DEPTH_MAX,
            side_depth_max: SIDE_DEPTH_MAX,
        }
    }
}

/// The end of the best chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tip {
    /// Its hash.
    pub hash: Hash,
    /// Its height.
    pub height: u64,
    /// Work up to and including it.
    pub total_work: u128,
    /// Its time, Unix seconds.
    pub time: u64,
    /// The root of the state after it.
    pub state_root: Hash,
}

impl Tip {
    fn of(hash: Hash, entry: &Entry) -> Self {
        let Entry { header, total_work, .. } = entry;
        let (height, time, state_root) = (header.height, header.time, header.state_root);
        Self { hash, height, total_work: *total_work, time, state_root }
    }
}

/// What became of a block that was handed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It is the new tip, on the old one.
    Extended,
    /// It is the new tip, of another branch than the old one.
    Reorganised {
        /// The last block that both branches have.
        fork: Hash,
        /// Blocks of the old branch that were abandoned.
        depth: u64,
    },
    /// It is valid, and its branch has not more work than the best.
    SideBranch,
    /// It was here.
    Known,
    /// It waits for an ancestor.
    Orphan {
        /// The ancestor to ask peers for.
        missing: Hash,
    },
}

/// A block that became part of the best chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connected {
    /// Its hash.
    pub hash: Hash,
    /// Its height.
    pub height: u64,
    /// What the ledger did in it.
    pub events: Vec<Event>,
}

/// All that a handed-in block caused. Blocks were first disconnected, then connected, in the orders given.
#[derive(Clone, PartialEq, Debug)]
pub struct Submission {
    /// The block.
    pub hash: Hash,
    /// What became of it.
    pub outcome: Outcome,
    /// Blocks that left the best chain, the former tip first.
    pub disconnected: Vec<Hash>,
    /// Blocks that joined the best chain, the lowest first.
    pub connected: Vec<Connected>,
    /// Orphans that waited for it, and what became of them.
    pub orphans: Vec<(Hash, Result<Outcome, ChainError>)>,
    /// Transactions that came back to the mempool from abandoned blocks.
    pub returned: Vec<Hash>,
    /// Transactions that left the mempool without being in a block.
    pub dropped: Vec<Hash>,
}

impl Submission {
    fn new(hash: Hash, outcome: Outcome) -> Self {
        Self {
            hash,
            outcome,
            disconnected: Vec::new(),
            connected: Vec::new(),
            orphans: Vec::new(),
            returned: Vec::new(),
            dropped: Vec::new(),
        }
    }
}

/// Hashes of blocks that can never be valid, the last [`INVALID_MAX`] of them.
#[derive(Debug, Default)]
struct Invalid {
    hashes: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

impl Invalid {
    fn contains(&self, hash: &Hash) -> bool {
        self.hashes.contains(hash)
    }
    fn add(&mut self, hash: Hash) {
        if self.hashes.insert(hash) {
            self.order.push_back(hash);
            if self.order.len() > INVALID_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.hashes.remove(&oldest);
            }
        }
    }
}

/// See the [module](self).
pub struct Chain<S> {
    archive: Archive<S>,
    runner: Arc<dyn LegRunner>,
    genesis: Genesis,
    rules: HeaderRules,
    options: ChainOptions,
    tip: Tip,
    /// The state after block `at`.
    state: State,
    at: Hash,
    tables: Tables,
    verdicts: Arc<Verdicts>,
    orphans: Orphans,
    invalid: Invalid,
    mempool: Mempool,
    pending: pool::Pending,
    /// Ids in [`crate::storage::Column::Waiting`], with the bytes of their records.
    kept: BTreeMap<Hash, usize>,
    /// Ids that were there, the last [`pool::KEPT_MAX`].
    kept_before: VecDeque<Hash>,
}

impl<S> std::fmt::Debug for Chain<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("tip", &self.tip)
            .field("mempool", &self.mempool.len())
            .finish_non_exhaustive()
    }
}

impl<S: Storage> Chain<S> {
    /// Opens the chain of a network in a storage, which becomes this network's if it is empty. `runner` runs legs; it
    /// finds problems through an [`Archive`] over the same storage.
    ///
    /// # Errors
    /// If the genesis is refused, the storage belongs to another network or version, is damaged, or fails.
    pub fn open(
        genesis: Genesis,
        storage: Arc<S>,
        runner: Arc<dyn LegRunner>,
        options: ChainOptions,
    ) -> Result<Self, ChainError> {
        let archive = Archive::new(storage);
        let mut state = State::genesis(&genesis).map_err(ChainError::Ledger)?;
        let first = genesis_block(&genesis, state.root());
        let genesis_hash = first.hash();
        if archive.meta()?.is_none() {
            start(&archive, &first, &state)?;
        }
        let damaged = |what: &str| StorageError::Damaged(what.into());
        let meta = archive.meta()?.ok_or_else(|| damaged("what was written is not there"))?;
        if meta.genesis != genesis_hash {
            return Err(StorageError::Foreign("it belongs to a network with another genesis".into()).into());
        }
        let entry = archive.entry(&meta.tip)?.ok_or_else(|| damaged("the tip's header is missing"))?;
        if meta.tip != genesis_hash {
            state = State::from_entries(&genesis, archive.state()?)
                .map_err(|error| damaged(&error.to_string()))?;
        }
        if state.root() != entry.header.state_root {
            return Err(damaged("the state's root is not the one in the tip's header").into());
        }
        let rules = HeaderRules {
            genesis: genesis_hash,
            work: genesis.work.clone(),
            asert: Asert { spacing_s: genesis.spacing_seconds, half_life_blocks: genesis.half_life_blocks },
            checkpoint: options.checkpoint,
        };
        Ok(Self {
            archive,
            runner,
            rules,
            options,
            tip: Tip::of(meta.tip, &entry),
            state,
            at: meta.tip,
            tables: Tables::default(),
            verdicts: Arc::default(),
            orphans: Orphans::default(),
            invalid: Invalid::default(),
            mempool: Mempool::new(options.mempool),
            pending: pool::Pending::default(),
            kept: BTreeMap::new(),
            kept_before: VecDeque::new(),
            genesis,
        })
    }

    /// The end of the best chain.
    pub fn tip(&self) -> &Tip {
        &self.tip
    }
    /// The state after the tip.
    pub fn state(&self) -> &State {
        debug_assert_eq!(self.at, self.tip.hash, "only an import leaves the state elsewhere: return_to_tip");
        &self.state
    }
    /// The network.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }
    /// The network's rules of headers.
    pub fn rules(&self) -> &HeaderRules {
        &self.rules
    }
    /// Blocks and records, for readers on this or other threads.
    pub fn archive(&self) -> &Archive<S> {
        &self.archive
    }
    /// Transactions that wait.
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }
    /// Blocks that wait for ancestors.
    pub fn orphans(&self) -> usize {
        self.orphans.len()
    }
}

/// The block that every node of a network knows from the start: no transactions, nobody's key, no work.
pub fn genesis_block(genesis: &Genesis, state_root: Hash) -> Block {
    let header = crate::header::Header {
        version: crate::header::HEADER_VERSION,
        height: 0,
        parent: genesis.hash(),
        transaction_root: Block::transaction_root(&[]),
        state_root,
        data_root: Block::data_root(&[]),
        miner: hysteron_ledger::Address([0; 32]),
        time: genesis.time,
        post_target: genesis.post_target,
        local_pool_root: [0; 32],
        nonce: 0,
        digests: Default::default(),
    };
    Block { header, transactions: Vec::new(), problems: Vec::new() }
}

/// Writes the genesis into an empty storage.
fn start<S: Storage>(archive: &Archive<S>, block: &Block, state: &State) -> Result<(), StorageError> {
    let hash = block.hash();
    let mut batch = Batch::default();
    // Nobody worked for it, so it counts nothing.
    let entry = Entry { header: block.header.clone(), total_work: 0, legs: Vec::new() };
    let applied = hysteron_ledger::Applied { delta: Default::default(), events: Vec::new() };
    batch.put_block(&hash, block, &entry, &applied);
    batch.connect(&hash, 0, &[]);
    for (key, value) in state.entries() {
        batch.put_state(key, Some(value));
    }
    batch.put_meta(&Meta { schema: SCHEMA_VERSION, genesis: hash, tip: hash });
    archive.commit(&batch)
}
