//! BLAKE3 of eight nonces at once: the one place of the proof of work, beside the chips, where vector instructions pay.
//!
//! A message is one block: 32 bytes that stay, a nonce of 8 bytes little-endian, hashed in key-derivation mode under the
//! key of a context (O'Connor, Aumasson, Neves, Wilcox-O'Hearn 2020, section 2).

use crate::simd::Level;

/// Nonces of a batch.
pub const BATCH: u64 = 8;

const IV: [u32; 4] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a];
/// First, last and only chunk, derived key: one block that is the root.
const FLAGS: u32 = 1 | 2 | 8 | 64;
/// Bytes of a message.
const BLOCK_BYTES: u32 = 40;
/// Which word of the message each place of each round takes.
const SCHEDULE: [[usize; 16]; 7] = {
    const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
    let mut schedule = [[0; 16]; 7];
    let mut i = 0;
    while i < 16 {
        schedule[0][i] = i;
        i += 1;
    }
    let mut round = 1;
    while round < 7 {
        let mut i = 0;
        while i < 16 {
            schedule[round][i] = schedule[round - 1][PERMUTATION[i]];
            i += 1;
        }
        round += 1;
    }
    schedule
};

/// What all nonces share.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// The context key, as words.
    pub key: [u32; 8],
    /// The first 32 bytes of the message, as words.
    pub words: [u32; 8],
}

/// The first eight words of the hashes of [`BATCH`] nonces from `first` on: word by word, nonce by nonce.
pub fn hashes(header: &Header, first: u64) -> [[u32; 8]; 8] {
    let mut out = [[0; 8]; 8];
    for lane in 0..8 {
        let hash = one(header, first.wrapping_add(lane as u64));
        for word in 0..8 {
            out[word][lane] = hash[word];
        }
    }
    out
}

/// The first nonce of the first of `batches` batches from `first` on in which some hash's first four bytes are, as a
/// big-endian number, at most `bound`.
pub fn search(level: Level, header: &Header, bound: u32, first: u64, batches: u64) -> Option<u64> {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a Level above Portable is made by detection alone, and includes AVX2.
        Level::Avx2 | Level::Avx512 => unsafe { avx2::search(header, bound, first, batches) },
        _ => (0..batches)
            .map(|batch| first.wrapping_add(batch * BATCH))
            .find(|&nonce| hashes(header, nonce)[0].iter().any(|word| word.swap_bytes() <= bound)),
    }
}

/// The reference: one nonce.
fn one(header: &Header, nonce: u64) -> [u32; 8] {
    let mut message = [0; 16];
    message[..8].copy_from_slice(&header.words);
    (message[8], message[9]) = (nonce as u32, (nonce >> 32) as u32);
    let mut v = [0; 16];
    v[..8].copy_from_slice(&header.key);
    v[8..12].copy_from_slice(&IV);
    (v[14], v[15]) = (BLOCK_BYTES, FLAGS);
    for order in SCHEDULE {
        let m = |i: usize| message[order[i]];
        for (k, [a, b, c, d]) in QUARTERS.into_iter().enumerate() {
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(m(2 * k));
            v[d] = (v[d] ^ v[a]).rotate_right(16);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(12);
            v[a] = v[a].wrapping_add(v[b]).wrapping_add(m(2 * k + 1));
            v[d] = (v[d] ^ v[a]).rotate_right(8);
            v[c] = v[c].wrapping_add(v[d]);
            v[b] = (v[b] ^ v[c]).rotate_right(7);
        }
    }
    std::array::from_fn(|i| v[i] ^ v[i + 8])
}

/// Columns, then diagonals.
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

#[cfg(target_arch = "x86_64")]
mod avx2 {
    //! Plain arrays of lanes do not become vectors here (they were eleven times slower), hence intrinsics.

    use std::arch::x86_64::*;

    use super::{BATCH, BLOCK_BYTES, FLAGS, Header, IV, SCHEDULE};

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotate<const RIGHT: i32, const LEFT: i32>(a: __m256i, b: __m256i) -> __m256i {
        let x = _mm256_xor_si256(a, b);
        _mm256_or_si256(_mm256_srli_epi32::<RIGHT>(x), _mm256_slli_epi32::<LEFT>(x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn round<const R: usize>(v: &mut [__m256i; 16], message: &[__m256i; 16]) {
        let by_16 = _mm256_set1_epi64x(0x0504_0706_0100_0302);
        let by_16 =
            _mm256_add_epi8(by_16, _mm256_setr_epi64x(0, 0x0808_0808_0808_0808, 0, 0x0808_0808_0808_0808));
        let by_8 = _mm256_set1_epi64x(0x0407_0605_0003_0201);
        let by_8 =
            _mm256_add_epi8(by_8, _mm256_setr_epi64x(0, 0x0808_0808_0808_0808, 0, 0x0808_0808_0808_0808));
        // A loop over the quarters would keep `v` in memory: written out, it stays in registers.
        macro_rules! quarter {
            ($k:literal: $a:literal, $b:literal, $c:literal, $d:literal) => {
                let (x, y) = (message[SCHEDULE[R][2 * $k]], message[SCHEDULE[R][2 * $k + 1]]);
                v[$a] = _mm256_add_epi32(_mm256_add_epi32(v[$a], v[$b]), x);
                v[$d] = _mm256_shuffle_epi8(_mm256_xor_si256(v[$d], v[$a]), by_16);
                v[$c] = _mm256_add_epi32(v[$c], v[$d]);
                v[$b] = rotate::<12, 20>(v[$b], v[$c]);
                v[$a] = _mm256_add_epi32(_mm256_add_epi32(v[$a], v[$b]), y);
                v[$d] = _mm256_shuffle_epi8(_mm256_xor_si256(v[$d], v[$a]), by_8);
                v[$c] = _mm256_add_epi32(v[$c], v[$d]);
                v[$b] = rotate::<7, 25>(v[$b], v[$c]);
            };
        }
        quarter!(0: 0, 4, 8, 12);
        quarter!(1: 1, 5, 9, 13);
        quarter!(2: 2, 6, 10, 14);
        quarter!(3: 3, 7, 11, 15);
        quarter!(4: 0, 5, 10, 15);
        quarter!(5: 1, 6, 11, 12);
        quarter!(6: 2, 7, 8, 13);
        quarter!(7: 3, 4, 9, 14);
    }

    /// The first words of the hashes of a batch.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn first_words(header: &Header, first: u64) -> __m256i {
        let splat = |word: u32| _mm256_set1_epi32(word as i32);
        let mut message = [splat(0); 16];
        for i in 0..8 {
            message[i] = splat(header.words[i]);
        }
        let low: [u32; 8] = std::array::from_fn(|l| first.wrapping_add(l as u64) as u32);
        let high: [u32; 8] = std::array::from_fn(|l| (first.wrapping_add(l as u64) >> 32) as u32);
        // SAFETY: 32 bytes each.
        (message[8], message[9]) =
            unsafe { (_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast())) };
        let mut v = [splat(0); 16];
        for i in 0..8 {
            v[i] = splat(header.key[i]);
        }
        for i in 0..4 {
            v[8 + i] = splat(IV[i]);
        }
        (v[14], v[15]) = (splat(BLOCK_BYTES), splat(FLAGS));
        round::<0>(&mut v, &message);
        round::<1>(&mut v, &message);
        round::<2>(&mut v, &message);
        round::<3>(&mut v, &message);
        round::<4>(&mut v, &message);
        round::<5>(&mut v, &message);
        round::<6>(&mut v, &message);
        _mm256_xor_si256(v[0], v[8])
    }

    /// See [`super::search`].
    #[target_feature(enable = "avx2")]
    pub fn search(header: &Header, bound: u32, first: u64, batches: u64) -> Option<u64> {
        let mut nonce = first;
        for _ in 0..batches {
            let mut words = [0u32; 8];
            // SAFETY: 32 bytes.
            unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), first_words(header, nonce)) };
            if words.iter().any(|word| word.swap_bytes() <= bound) {
                return Some(nonce);
            }
            nonce = nonce.wrapping_add(BATCH);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            key: std::array::from_fn(|i| 0x1234_5678 * i as u32),
            words: std::array::from_fn(|i| 77 * i as u32),
        }
    }

    #[test]
    fn lanes_are_blake3() {
        let key = blake3::hazmat::hash_derive_key_context("hysteron/test/1");
        let words = |bytes: &[u8]| -> [u32; 8] {
            std::array::from_fn(|i| u32::from_le_bytes(bytes[4 * i..4 * i + 4].try_into().unwrap()))
        };
        let message = [9u8; 32];
        for first in [0u64, u64::from(u32::MAX) - 3, u64::MAX - 4] {
            let hashes = hashes(&Header { key: words(&key), words: words(&message) }, first);
            for lane in 0..8 {
                let mut hasher = blake3::Hasher::new_derive_key("hysteron/test/1");
                hasher.update(&message).update(&first.wrapping_add(lane as u64).to_le_bytes());
                let expected = words(hasher.finalize().as_bytes());
                assert_eq!(std::array::from_fn(|word| hashes[word][lane]), expected);
            }
        }
    }

    #[test]
    fn every_level_finds_the_same() {
        for bound in [u32::MAX, u32::MAX >> 5, u32::MAX >> 12, 0] {
            for first in [0, 12_345, u64::from(u32::MAX) - 100] {
                let found: Vec<_> = Level::available()
                    .into_iter()
                    .map(|level| search(level, &header(), bound, first, 2000))
                    .collect();
                assert!(found.iter().all(|f| *f == found[0]), "{found:?}");
            }
        }
    }
}
