//! What the header checks need to know of the ancestors: a window that slides along a chain of headers, whether that
//! chain is stored, or only shown by a peer.

use std::collections::VecDeque;

use hysteron_work::WorkRules;
use hysteron_work::types::{Hash, Target};

use crate::asert::Asert;
use crate::difficulty::{MEDIAN_TIME_BLOCKS, block_work, median_time};
use crate::header::Header;

/// What a network fixes about headers; part of its genesis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderRules {
    /// Hash of the genesis block.
    pub genesis: Hash,
    /// Rules of work: pre-hash target, cost of an attempt.
    pub work: WorkRules,
    /// The difficulty rule.
    pub asert: Asert,
    /// A block of a release, which no branch may contradict.
    pub checkpoint: Option<Checkpoint>,
}

/// A block that a release vouches for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Its height.
    pub height: u64,
    /// Its hash.
    pub hash: Hash,
}

/// The end of a chain of headers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderContext {
    parent: Header,
    parent_hash: Hash,
    /// Times of the last blocks, the newest last, at most [`MEDIAN_TIME_BLOCKS`].
    times: VecDeque<u64>,
    total_work: u128,
}

impl HeaderContext {
    /// The context after `parent`; `times` are those of the last blocks up to and including it, the newest last.
    pub(crate) fn new(parent: Header, parent_hash: Hash, times: VecDeque<u64>, total_work: u128) -> Self {
        debug_assert_eq!(times.back(), Some(&parent.time));
        debug_assert!(times.len() <= MEDIAN_TIME_BLOCKS);
        Self { parent, parent_hash, times, total_work }
    }
    /// The last header.
    pub fn parent(&self) -> &Header {
        &self.parent
    }
    /// Its hash.
    pub fn parent_hash(&self) -> &Hash {
        &self.parent_hash
    }
    /// Cumulative work up to and including the last header.
    pub fn total_work(&self) -> u128 {
        self.total_work
    }
    /// The next block's time must exceed this, Unix seconds.
    pub fn median_time(&self) -> u64 {
        let times: Vec<u64> = self.times.iter().copied().collect();
        median_time(&times)
    }
    /// The target that the next block must have. The genesis' own time says nothing about how long anyone mined, so the
    /// first two blocks keep its target.
    pub fn next_target(&self, rules: &HeaderRules) -> Target {
        let grandparent = self.times.len().checked_sub(2).map(|at| self.times[at]);
        match grandparent {
            Some(grandparent_time) if self.parent.height >= 2 => {
                let solve_s = i128::from(self.parent.time) - i128::from(grandparent_time);
                let bounded = solve_s.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                rules.asert.next(self.parent.post_target, bounded)
            }
            _ => self.parent.post_target,
        }
    }
    /// Work of a chain that ends in `header` on this parent.
    pub fn total_work_with(&self, header: &Header, rules: &HeaderRules) -> u128 {
        self.total_work.saturating_add(block_work(rules.work.attempt_work(), &header.post_target))
    }
    /// Slides on: `header`, of this hash, was checked and becomes the parent.
    pub fn push(&mut self, header: Header, hash: Hash, rules: &HeaderRules) {
        debug_assert_eq!(header.parent, self.parent_hash);
        self.total_work = self.total_work_with(&header, rules);
        self.times.push_back(header.time);
        if self.times.len() > MEDIAN_TIME_BLOCKS {
            self.times.pop_front();
        }
        self.parent = header;
        self.parent_hash = hash;
    }
}
