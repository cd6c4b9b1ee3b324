//! The grind of the pre-hash, as fast as we can write it: what a miner saves here it would otherwise save alone, and
//! draws again more cheaply than `T_pre` is meant to allow.
//!
//! A pre-hash is one BLAKE3 compression: 40 bytes (`th`, nonce) under the context key of `hysteron/pre/1`. Lanes are
//! nonces; the arrays below become vectors where [`hysteron_circuit::dispatch!`] instantiates them for an instruction set.

use std::sync::atomic::{AtomicBool, Ordering};

use hysteron_circuit::dispatch;
use hysteron_circuit::simd::{Level, Simd};

use crate::types::{Hash, Target};

/// Nonces that are tried side by side.
const LANES: usize = 8;
/// Batches between two looks at the stop flag.
const STOP_BATCHES: u64 = 256;

/// BLAKE3's initial words and message schedule (O'Connor, Aumasson, Neves, Wilcox-O'Hearn 2020, section 2).
const IV: [u32; 4] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a];
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
/// First, last and only chunk, derived key: one block that is the root.
const FLAGS: u32 = 1 | 2 | 8 | 64;
/// Bytes of `th` and a nonce.
const BLOCK_BYTES: u32 = 40;

type Row = [u32; LANES];

/// What is the same for all nonces of a header.
pub struct Grinder {
    key: [u32; 8],
    words: [u32; 8],
    target: Target,
    level: Level,
}

impl Grinder {
    /// For the header whose hash is `th`.
    pub fn new(th: &Hash, target: &Target) -> Self {
        let key = blake3::hazmat::hash_derive_key_context("hysteron/pre/1");
        Self { key: words(&key), words: words(th), target: *target, level: Level::detect() }
    }

    /// The first nonce from `start` on whose hash meets the target, in order; `None` if `stop` was set or nonces ran out.
    pub fn grind(&self, start: u64, stop: &AtomicBool) -> Option<u64> {
        let mut first = start;
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            // A stretch is whole batches, but for the last of all nonces.
            let last = first.saturating_add(STOP_BATCHES * LANES as u64 - 1);
            let found = dispatch!(
                self.level,
                search(grinder: &Grinder, first: u64, last: u64) -> Option<u64>,
                self, first, last
            );
            if found.is_some() {
                return found;
            }
            first = last.checked_add(1)?;
        }
    }
}

fn words(bytes: &Hash) -> [u32; 8] {
    std::array::from_fn(|i| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().expect("four bytes")))
}

/// The first nonce of `first..=last` that meets the target.
#[inline(always)]
fn search<S: Simd>(grinder: &Grinder, first: u64, last: u64) -> Option<u64> {
    // Only the target's first word decides nearly always: bytes are big-endian there, words little-endian here.
    let bound = u32::from_be_bytes(grinder.target.0[..4].try_into().expect("four bytes"));
    let mut nonce = first;
    loop {
        let hashes = compress(&grinder.key, &grinder.words, nonce);
        if hashes[0].iter().any(|word| word.swap_bytes() <= bound) {
            for lane in 0..LANES {
                let mut hash = [0u8; 32];
                for (bytes, word) in hash.chunks_exact_mut(4).zip(&hashes) {
                    bytes.copy_from_slice(&word[lane].to_le_bytes());
                }
                let tried = nonce.checked_add(lane as u64).filter(|&tried| tried <= last)?;
                if grinder.target.is_met_by(&hash) {
                    return Some(tried);
                }
            }
        }
        nonce = nonce.checked_add(LANES as u64).filter(|&next| next <= last)?;
    }
}

#[inline(always)]
fn add(a: Row, b: Row) -> Row {
    std::array::from_fn(|l| a[l].wrapping_add(b[l]))
}

#[inline(always)]
fn xor_rotate<const RIGHT: u32>(a: Row, b: Row) -> Row {
    std::array::from_fn(|l| (a[l] ^ b[l]).rotate_right(RIGHT))
}

#[inline(always)]
fn mix(v: &mut [Row; 16], [a, b, c, d]: [usize; 4], x: Row, y: Row) {
    v[a] = add(add(v[a], v[b]), x);
    v[d] = xor_rotate::<16>(v[d], v[a]);
    v[c] = add(v[c], v[d]);
    v[b] = xor_rotate::<12>(v[b], v[c]);
    v[a] = add(add(v[a], v[b]), y);
    v[d] = xor_rotate::<8>(v[d], v[a]);
    v[c] = add(v[c], v[d]);
    v[b] = xor_rotate::<7>(v[b], v[c]);
}

/// The first eight words of the hashes of `LANES` nonces from `first` on.
#[inline(always)]
fn compress(key: &[u32; 8], words: &[u32; 8], first: u64) -> [Row; 8] {
    let mut message = [[0; LANES]; 16];
    for (row, &word) in message.iter_mut().zip(words) {
        *row = [word; LANES];
    }
    message[8] = std::array::from_fn(|l| first.wrapping_add(l as u64) as u32);
    message[9] = std::array::from_fn(|l| (first.wrapping_add(l as u64) >> 32) as u32);
    let mut v = [[0; LANES]; 16];
    for i in 0..8 {
        v[i] = [key[i]; LANES];
    }
    for i in 0..4 {
        v[8 + i] = [IV[i]; LANES];
    }
    v[14] = [BLOCK_BYTES; LANES];
    v[15] = [FLAGS; LANES];
    let mut order: [usize; 16] = std::array::from_fn(|i| i);
    for _ in 0..7 {
        let m = |i: usize| message[order[i]];
        mix(&mut v, [0, 4, 8, 12], m(0), m(1));
        mix(&mut v, [1, 5, 9, 13], m(2), m(3));
        mix(&mut v, [2, 6, 10, 14], m(4), m(5));
        mix(&mut v, [3, 7, 11, 15], m(6), m(7));
        mix(&mut v, [0, 5, 10, 15], m(8), m(9));
        mix(&mut v, [1, 6, 11, 12], m(10), m(11));
        mix(&mut v, [2, 7, 8, 13], m(12), m(13));
        mix(&mut v, [3, 4, 9, 14], m(14), m(15));
        order = PERMUTATION.map(|i| order[i]);
    }
    std::array::from_fn(|i| std::array::from_fn(|l| v[i][l] ^ v[i + 8][l]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::pre_hash;

    #[test]
    fn lanes_are_the_hash() {
        let th: Hash = std::array::from_fn(|i| (7 * i + 3) as u8);
        let key = words(&blake3::hazmat::hash_derive_key_context("hysteron/pre/1"));
        for first in [0u64, 1, u64::from(u32::MAX) - 3, u64::MAX - 7] {
            let rows = compress(&key, &words(&th), first);
            for lane in 0..LANES {
                let expected = words(&pre_hash(&th, first + lane as u64));
                let got: [u32; 8] = std::array::from_fn(|i| rows[i][lane]);
                assert_eq!(got, expected, "{first} + {lane}");
            }
        }
    }

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
