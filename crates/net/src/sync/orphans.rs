//! Blocks that came before their parents. Sync fetches the parents and takes these as if they had
//! been asked for. Bounded in number and bytes; the oldest goes first.

use std::collections::{BTreeMap, VecDeque};

use crate::limits::{ORPHAN_BYTES_MAX, ORPHANS_MAX};
use crate::{Hash, PeerId};

/// The pool.
#[derive(Debug, Default)]
pub struct Orphans {
    blocks: BTreeMap<Hash, (PeerId, Vec<u8>)>,
    order: VecDeque<Hash>,
    bytes: usize,
}

impl Orphans {
    /// Keeps a block; false if it is there already.
    pub fn insert(&mut self, hash: Hash, peer: PeerId, bytes: Vec<u8>) -> bool {
        if self.blocks.contains_key(&hash) || bytes.len() > ORPHAN_BYTES_MAX {
            return false;
        }
        self.bytes += bytes.len();
        self.blocks.insert(hash, (peer, bytes));
        self.order.push_back(hash);
        while self.blocks.len() > ORPHANS_MAX || self.bytes > ORPHAN_BYTES_MAX {
            let Some(oldest) = self.order.front().copied() else { break };
            self.take(&oldest);
        }
        true
    }

    /// Takes a block out, with the peer that sent it.
    pub fn take(&mut self, hash: &Hash) -> Option<(PeerId, Vec<u8>)> {
        let block = self.blocks.remove(hash)?;
        self.order.retain(|other| other != hash);
        self.bytes -= block.1.len();
        Some(block)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.blocks.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_bytes_are_bounded() {
        let mut orphans = Orphans::default();
        let peer = PeerId::random();
        let hash = |index: usize| *blake3::hash(&index.to_le_bytes()).as_bytes();
        for index in 0..ORPHANS_MAX + 5 {
            assert!(orphans.insert(hash(index), peer, vec![0; 10]));
        }
        assert_eq!(orphans.count(), ORPHANS_MAX);
        assert!(orphans.take(&hash(4)).is_none() && orphans.take(&hash(5)).is_some());
        assert!(orphans.insert(hash(1000), peer, vec![0; ORPHAN_BYTES_MAX]));
        assert_eq!(orphans.count(), 1);
        assert!(!orphans.insert(hash(1001), peer, vec![0; ORPHAN_BYTES_MAX + 1]));
    }
}
