//! Headers first: how a node learns of a longer history than single blocks tell. Pure state machines that a network
//! layer drives; randomness and time are handed in.
//!
//! 1. [`HeaderSync`] takes a peer's headers in order and checks each as the pipeline does (linkage, time, target,
//!    post- and pre-hash), in constant memory a header.
//! 2. If the chain claims more work than ours, [`HeaderSync::plan`] draws which of its blocks will have their work run
//!    again: all that no release vouches for; below a release's checkpoint that the chain contains, a sample that
//!    the peer cannot foresee, as the draw is made after the headers are in.
//! 3. Bodies are fetched in the plan's order, from any peer, and handed to [`crate::Chain::import`]. A leg can be run
//!    only where the job table is known, that is, after the blocks before; so the first false block ends the import,
//!    nothing behind it was kept, and the peer is banned.

use hysteron_work::types::{Hash, hash};

use crate::context::{HeaderContext, HeaderRules};
use crate::error::ChainError;
use crate::header::Header;
use crate::pipeline;

/// Headers in one answer of a peer, at most.
pub const HEADERS_PER_ANSWER_MAX: usize = 2000;
/// Headers of one synchronisation, at most (about four years of two-minute blocks; 32 bytes are kept of each). A longer
/// history is fetched in several.
pub const SYNC_HEADERS_MAX: usize = 1 << 20;
/// Blocks below a checkpoint whose work is run again, at least (all, if there are fewer).
pub const SAMPLES_MIN: usize = 100;

/// A chain of headers while a peer shows it.
#[derive(Clone, Debug)]
pub struct HeaderSync {
    rules: HeaderRules,
    context: HeaderContext,
    first_height: u64,
    hashes: Vec<Hash>,
    has_checkpoint: bool,
    work_at_start: u128,
}

impl HeaderSync {
    /// Starts after a known block: see [`crate::Chain::header_sync`].
    pub(crate) fn new(rules: HeaderRules, context: HeaderContext) -> Self {
        let first_height = context.parent().height + 1;
        let work_at_start = context.total_work();
        Self { rules, context, first_height, hashes: Vec::new(), has_checkpoint: false, work_at_start }
    }
    /// The block after which the peer's headers begin.
    pub fn first_height(&self) -> u64 {
        self.first_height
    }
    /// Hash of the last header: what to ask the peer to continue from.
    pub fn last(&self) -> &Hash {
        self.context.parent_hash()
    }
    /// Height of the last header.
    pub fn height(&self) -> u64 {
        self.context.parent().height
    }
    /// Work that the chain claims, up to the last header.
    pub fn total_work(&self) -> u128 {
        self.context.total_work()
    }
    /// Headers taken.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }
    /// Whether no header was taken.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
    /// Whether no more will be taken: plan, import, and begin again behind.
    pub fn is_full(&self) -> bool {
        self.hashes.len() >= SYNC_HEADERS_MAX
    }
    /// Takes the next headers, at Unix time `now` seconds. Those before a refused one stay taken.
    ///
    /// # Errors
    /// The first refusal, with the sender's ban score; more headers than [`HEADERS_PER_ANSWER_MAX`] are
    /// [`ChainError::Decode`].
    pub fn accept(&mut self, headers: Vec<Header>, now: u64) -> Result<(), ChainError> {
        if headers.len() > HEADERS_PER_ANSWER_MAX {
            return Err(crate::error::DecodeError::TooLong {
                what: "list of headers",
                found: headers.len(),
                limit: HEADERS_PER_ANSWER_MAX,
            }
            .into());
        }
        for header in headers {
            if self.is_full() {
                break;
            }
            let hash = header.hash();
            pipeline::check_header_alone(&header)?;
            pipeline::check_header_on(&header, &hash, &self.context, &self.rules, now)?;
            self.has_checkpoint |= self.rules.checkpoint.is_some_and(|c| c.hash == hash);
            self.hashes.push(hash);
            self.context.push(header, hash, &self.rules);
        }
        Ok(())
    }
    /// Draws the sample and gives the plan of the import; `randomness` must be fresh and secret.
    /// `None` if the chain claims no more work than `tip_work`, that of the node's tip.
    pub fn plan(self, tip_work: u128, randomness: &Hash) -> Option<ImportPlan> {
        if self.total_work() <= tip_work || self.hashes.is_empty() {
            return None;
        }
        let vouched = match self.rules.checkpoint {
            Some(checkpoint) if self.has_checkpoint => {
                (checkpoint.height + 1).saturating_sub(self.first_height) as usize
            }
            _ => 0,
        };
        let vouched = vouched.min(self.hashes.len());
        Some(ImportPlan {
            first_height: self.first_height,
            total_work: self.total_work(),
            work_at_start: self.work_at_start,
            samples: sample(vouched, SAMPLES_MIN, randomness),
            hashes: self.hashes,
            vouched,
            next: 0,
        })
    }
}

/// `count` distinct indices below `below`, sorted (all, if there are not more): Floyd's algorithm on a keyed stream.
fn sample(below: usize, count: usize, randomness: &Hash) -> Vec<usize> {
    let mut drawn = std::collections::BTreeSet::new();
    for (step, top) in (below.saturating_sub(count)..below).enumerate() {
        let word = hash("sync-sample", &[randomness, &(step as u64).to_le_bytes()]);
        let word = u64::from_le_bytes(*word.first_chunk().expect("a hash has eight bytes"));
        // Multiply-shift: the bias is below 2^-40 for any length here.
        let index = ((u128::from(word) * (top as u128 + 1)) >> 64) as usize;
        if !drawn.insert(index) {
            drawn.insert(top);
        }
    }
    drawn.into_iter().collect()
}

/// Which blocks to import, in which order, and whose work to run again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportPlan {
    first_height: u64,
    total_work: u128,
    work_at_start: u128,
    hashes: Vec<Hash>,
    /// The first so many blocks lead to the release's checkpoint.
    vouched: usize,
    /// Sorted indices below `vouched`.
    samples: Vec<usize>,
    next: usize,
}

impl ImportPlan {
    /// The next blocks to fetch and import, at most `count_max`, beginning `skip` blocks behind the next import.
    pub fn wanted(&self, skip: usize, count_max: usize) -> &[Hash] {
        let from = self.next.saturating_add(skip).min(self.hashes.len());
        &self.hashes[from..self.hashes.len().min(from.saturating_add(count_max))]
    }
    /// Blocks imported, and blocks in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.hashes.len())
    }
    /// Whether every block was imported.
    pub fn is_done(&self) -> bool {
        self.next == self.hashes.len()
    }
    /// Work that the whole chain claims.
    pub fn total_work(&self) -> u128 {
        self.total_work
    }
    /// Work that the plan's own blocks claim.
    pub fn claimed_work(&self) -> u128 {
        self.total_work - self.work_at_start
    }
    /// Height of the first block.
    pub fn first_height(&self) -> u64 {
        self.first_height
    }
    /// Blocks whose work will be run again.
    pub fn verified(&self) -> usize {
        self.hashes.len() - self.vouched + self.samples.len()
    }
    /// Whether the work of the next block is to be run again.
    pub fn verifies_next(&self) -> bool {
        self.next >= self.vouched || self.samples.binary_search(&self.next).is_ok()
    }
    pub(crate) fn next(&self) -> Option<&Hash> {
        self.hashes.get(self.next)
    }
    pub(crate) fn advance(&mut self) {
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_distinct_and_within() {
        for (below, count) in [(0, 100), (5, 100), (100, 100), (101, 100), (100_000, 100)] {
            let drawn = sample(below, count, &[9; 32]);
            assert_eq!(drawn.len(), below.min(count));
            assert!(drawn.is_sorted_by(|a, b| a < b) && drawn.iter().all(|&i| i < below));
        }
        assert_ne!(sample(10_000, 100, &[1; 32]), sample(10_000, 100, &[2; 32]), "randomness matters");
    }

    #[test]
    fn samples_reach_everywhere() {
        let mut seen = [0u32; 10];
        for i in 0..200u8 {
            for index in sample(1000, 100, &[i; 32]) {
                seen[index / 100] += 1;
            }
        }
        // 20,000 draws over ten tenths: 2000 each, standard deviation 42 (less, without replacement).
        assert!(seen.iter().all(|&count| (1800..2200).contains(&count)), "{seen:?}");
    }
}
