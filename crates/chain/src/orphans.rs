//! Blocks whose parent has not come yet. They passed the checks that need no parent (so each cost its maker some
//! hashing), and the pool is bounded in count and bytes; the oldest goes first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hysteron_work::types::Hash;

use crate::block::Block;

/// Most orphans.
pub const ORPHANS_MAX: usize = 64;
/// Most bytes of all orphans together.
pub const ORPHAN_BYTES_MAX: usize = 32 << 20;

/// The pool.
#[derive(Debug, Default)]
pub(crate) struct Orphans {
    blocks: BTreeMap<Hash, (Block, usize)>,
    children: BTreeMap<Hash, BTreeSet<Hash>>,
    arrivals: VecDeque<Hash>,
    bytes: usize,
}

impl Orphans {
    /// Whether the block is here.
    pub(crate) fn contains(&self, hash: &Hash) -> bool {
        self.blocks.contains_key(hash)
    }
    /// Number of blocks.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }
    /// Adds a block of `bytes` encoded bytes; older ones make room.
    pub(crate) fn add(&mut self, hash: Hash, block: Block, bytes: usize) {
        if self.contains(&hash) || bytes > ORPHAN_BYTES_MAX {
            return;
        }
        while self.blocks.len() >= ORPHANS_MAX || self.bytes + bytes > ORPHAN_BYTES_MAX {
            let Some(oldest) = self.arrivals.pop_front() else { break };
            self.remove(&oldest);
        }
        self.children.entry(block.header.parent).or_default().insert(hash);
        self.blocks.insert(hash, (block, bytes));
        self.arrivals.push_back(hash);
        self.bytes += bytes;
    }
    fn remove(&mut self, hash: &Hash) -> Option<Block> {
        let (block, bytes) = self.blocks.remove(hash)?;
        self.bytes -= bytes;
        if let Some(siblings) = self.children.get_mut(&block.header.parent) {
            siblings.remove(hash);
            if siblings.is_empty() {
                self.children.remove(&block.header.parent);
            }
        }
        Some(block)
    }
    /// Takes out the blocks that wait for `parent`, in the order of their hashes.
    pub(crate) fn take_children(&mut self, parent: &Hash) -> Vec<Block> {
        let hashes: Vec<Hash> = self.children.get(parent).into_iter().flatten().copied().collect();
        self.arrivals.retain(|hash| !hashes.contains(hash));
        hashes.iter().filter_map(|hash| self.remove(hash)).collect()
    }
    /// The first ancestor that is not an orphan itself: what to ask peers for.
    pub(crate) fn missing_ancestor(&self, parent: &Hash) -> Hash {
        let mut missing = *parent;
        // Hashes cannot form a cycle, but the bound costs nothing.
        for _ in 0..=ORPHANS_MAX {
            match self.blocks.get(&missing) {
                Some((block, _)) => missing = block.header.parent,
                None => break,
            }
        }
        missing
    }
}
