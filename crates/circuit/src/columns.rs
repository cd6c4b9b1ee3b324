//! Rows of lanes as columns, and back. A report wants what each lane holds one after the other, while kernels keep what
//! all lanes hold side by side; going through rows once for each lane would read them from far caches 64 times.

use crate::simd::LANES;

/// 64 rows of 64 bytes.
type Block = [[u8; LANES]; LANES];

/// Byte `j` of word `i` goes to byte `i` of word `j`: three exchanges of halves, as bit matrices are transposed in
/// Warren, Hacker's Delight, 7-3.
#[inline(always)]
fn transpose_words(words: &mut [u64; 8]) {
    const KEPT: [u64; 3] = [0x00ff_00ff_00ff_00ff, 0x0000_ffff_0000_ffff, 0x0000_0000_ffff_ffff];
    for (level, kept) in KEPT.into_iter().enumerate() {
        let (apart, shift) = (1 << level, 8 << level);
        for low in (0..8).filter(|i| i & apart == 0) {
            let (a, b) = (words[low], words[low + apart]);
            words[low] = a & kept | (b & kept) << shift;
            words[low + apart] = (a & !kept) >> shift | b & !kept;
        }
    }
}

/// Byte `j` of row `i` goes to byte `i` of row `j`.
fn transpose(from: &Block, to: &mut Block) {
    for i in (0..LANES).step_by(8) {
        for j in (0..LANES).step_by(8) {
            let mut words: [u64; 8] = std::array::from_fn(|k| {
                u64::from_le_bytes(from[i + k][j..j + 8].try_into().expect("eight bytes"))
            });
            transpose_words(&mut words);
            for (k, word) in words.into_iter().enumerate() {
                to[j + k][i..i + 8].copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// Calls `take(lane, first, bytes)` with what each lane has in rows `first..first + bytes.len()`, for all of `count` rows in
/// ascending order.
pub(crate) fn columns(
    count: usize,
    row: impl Fn(usize) -> [u8; LANES],
    mut take: impl FnMut(usize, usize, &[u8]),
) {
    let (mut block, mut turned) = ([[0; LANES]; LANES], [[0; LANES]; LANES]);
    for first in (0..count).step_by(LANES) {
        let rows = LANES.min(count - first);
        for (index, to) in block[..rows].iter_mut().enumerate() {
            *to = row(first + index);
        }
        transpose(&block, &mut turned);
        for (lane, column) in turned.iter().enumerate() {
            take(lane, first, &column[..rows]);
        }
    }
}

/// The values of each of 64 lanes, true where a byte of the rows is not 0.
pub(crate) fn assignments(count: usize, row: impl Fn(usize) -> [u8; LANES]) -> Vec<Vec<bool>> {
    let mut lanes: Vec<Vec<bool>> = (0..LANES).map(|_| Vec::with_capacity(count)).collect();
    columns(count, row, |lane, _, bytes| lanes[lane].extend(bytes.iter().map(|&byte| byte != 0)));
    lanes
}

/// Calls `put(index, row)` with a row of 0 and 1 for each of `count` values of all lanes, of which there are at most 64; others are 0.
pub(crate) fn rows<'a>(
    count: usize,
    lanes: impl Iterator<Item = &'a [bool]> + Clone,
    mut put: impl FnMut(usize, &[u8; LANES]),
) {
    let (mut block, mut turned) = ([[0; LANES]; LANES], [[0; LANES]; LANES]);
    for first in (0..count).step_by(LANES) {
        let rows = LANES.min(count - first);
        for (to, lane) in block.iter_mut().zip(lanes.clone()) {
            to.iter_mut().zip(&lane[first..first + rows]).for_each(|(to, &value)| *to = u8::from(value));
        }
        transpose(&block, &mut turned);
        turned[..rows].iter().enumerate().for_each(|(index, row)| put(first + index, row));
    }
}

/// The lowest bit of each of eight bytes, that of the first lowest.
#[inline(always)]
pub(crate) fn pack(bytes: [u8; 8]) -> u8 {
    // The product moves them to the top byte, each to a place of its own.
    let bits = u64::from_le_bytes(bytes) & 0x0101_0101_0101_0101;
    (bits.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
}

/// The lowest bit of each byte of a row, lane 0 lowest.
#[inline(always)]
pub(crate) fn pack_row(row: &[u8; LANES]) -> u64 {
    let mut bits = [0; 8];
    for (byte, chunk) in bits.iter_mut().zip(row.chunks_exact(8)) {
        *byte = pack(chunk.try_into().expect("eight bytes"));
    }
    u64::from_le_bytes(bits)
}

/// Each bit as a byte of all ones or zeros.
#[inline(always)]
pub(crate) fn spread(word: u64) -> [u8; LANES] {
    let mut out = [0u8; LANES];
    for (byte, out) in word.to_le_bytes().iter().zip(out.chunks_exact_mut(8)) {
        // Byte i keeps bit i; adding 0x7f carries it into the top bit, without leaving the byte.
        let kept = u64::from(*byte).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
        let tops = ((kept + 0x7f7f_7f7f_7f7f_7f7f) | kept) & 0x8080_8080_8080_8080;
        out.copy_from_slice(&((tops >> 7) * 0xff).to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rom::mix64;

    fn noise_row(index: usize) -> [u8; LANES] {
        std::array::from_fn(|lane| mix64((index * LANES + lane) as u64) as u8)
    }

    #[test]
    fn columns_are_what_lanes_have() {
        for count in [0, 1, 7, 63, 64, 65, 200] {
            let mut lanes = vec![Vec::new(); LANES];
            columns(count, noise_row, |lane, first, bytes| {
                assert_eq!(lanes[lane].len(), first, "in ascending order");
                lanes[lane].extend_from_slice(bytes);
            });
            for (lane, column) in lanes.iter().enumerate() {
                let expected: Vec<u8> = (0..count).map(|index| noise_row(index)[lane]).collect();
                assert_eq!(*column, expected, "{count} rows, lane {lane}");
            }
        }
    }

    #[test]
    fn rows_undo_columns() {
        for count in [1, 64, 130] {
            let bits = |index| noise_row(index).map(|byte| byte & 1);
            let lanes = assignments(count, bits);
            let mut seen = 0;
            rows(count, lanes.iter().map(Vec::as_slice), |index, row| {
                assert_eq!((index, *row), (seen, bits(seen)));
                seen += 1;
            });
            assert_eq!(seen, count);
        }
    }

    #[test]
    fn bits_are_packed_and_spread() {
        for index in 0..100 {
            let word = mix64(index);
            let row = spread(word);
            for (lane, byte) in row.into_iter().enumerate() {
                assert_eq!(byte, if word >> lane & 1 == 1 { 0xff } else { 0 });
            }
            assert_eq!(pack_row(&row), word);
        }
    }
}
