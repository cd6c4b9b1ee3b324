//! The grind of the pre-hash, as fast as we can write it: what a miner saves here it would otherwise save alone, and
//! draws again more cheaply than `T_pre` is meant to allow.
//!
//! A pre-hash is one BLAKE3 compression: 40 bytes (`th`, nonce) under the context key of `hysteron/pre/1`; eight nonces are
//! tried at once by [`hysteron_circuit::nonces`], and what looks good is hashed again plainly.

use std::sync::atomic::{AtomicBool, Ordering};

use hysteron_circuit::nonces::{BATCH, Header, search};
use hysteron_circuit::simd::Level;

use crate::proof::pre_hash;
use crate::types::{Hash, Target};

/// Batches between two looks at the stop flag.
const STOP_BATCHES: u64 = 256;

/// What is the same for all nonces of a header.
pub struct Grinder {
    header: Header,
    th: Hash,
    target: Target,
    level: Level,
}

impl Grinder {
    /// For the header whose hash is `th`.
    pub fn new(th: &Hash, target: &Target) -> Self {
        let key = blake3::hazmat::hash_derive_key_context("hysteron/pre/1");
        let header = Header { key: words(&key), words: words(th) };
        Self { header, th: *th, target: *target, level: Level::detect() }
    }

    /// The first nonce from `start` on whose hash meets the target, in order; `None` if `stop` was set or nonces ran out.
    pub fn grind(&self, start: u64, stop: &AtomicBool) -> Option<u64> {
        // Only the target's first word decides nearly always.
        let bound = u32::from_be_bytes(self.target.0[..4].try_into().expect("four bytes"));
        let mut first = start;
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            // The last nonces of all make no whole stretch.
            let left = u64::MAX - first;
            let batches = STOP_BATCHES.min(left / BATCH);
            if batches == 0 {
                return (first..=u64::MAX).find(|&n| self.target.is_met_by(&pre_hash(&self.th, n)));
            }
            first = match search(self.level, &self.header, bound, first, batches) {
                None => first + batches * BATCH,
                Some(batch) => {
                    let tried = batch..batch + BATCH;
                    match tried.clone().find(|&n| self.target.is_met_by(&pre_hash(&self.th, n))) {
                        Some(found) => return Some(found),
                        None => tried.end,
                    }
                }
            };
        }
    }
}

fn words(bytes: &Hash) -> [u32; 8] {
    std::array::from_fn(|i| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().expect("four bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_nonce_is_found() {
        let stop = AtomicBool::new(false);
        for byte in 0..20 {
            let th = [byte; 32];
            for tries in [1, 3, 100, 5000] {
                let target = Target::from_expected_tries(tries);
                let start = u64::from(byte) << 40;
                let expected = (start..).find(|&n| target.is_met_by(&pre_hash(&th, n)));
                assert_eq!(Grinder::new(&th, &target).grind(start, &stop), expected);
            }
        }
    }

    #[test]
    fn it_ends() {
        let stop = AtomicBool::new(false);
        let nothing = Grinder::new(&[1; 32], &Target([0; 32]));
        assert_eq!(nothing.grind(u64::MAX - 5000, &stop), None, "nonces ran out");
        stop.store(true, Ordering::Relaxed);
        assert_eq!(nothing.grind(0, &stop), None, "stopped");
    }
}
