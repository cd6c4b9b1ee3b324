//! Which lanes draw a variable anew when they start from known states: as many hashes as lanes for each variable.

use crate::dispatch;
use crate::rom::mix64;
use crate::simd::{LANES, Level, Simd};

/// Where in a hash of 64 bits the 32 are that decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    Low,
    High,
}

/// What the hashes of some words say: whether the half is below so many thousandths, and the top bit; 1 or 0 a lane.
pub(crate) fn kicks(words: &[u64; LANES], half: Half, per_mille: u32) -> [[u8; LANES]; 2] {
    let shift = if half == Half::High { 32 } else { 0 };
    dispatch!(
        Level::detect(),
        draw(words: &[u64; LANES], shift: u32, per_mille: u64) -> [[u8; LANES]; 2],
        words, shift, per_mille.into()
    )
}

/// Plain arithmetic, for the compiler to do it in the registers that `S` has.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters, reason = "kernels that are dispatched have one")]
fn draw<S: Simd>(words: &[u64; LANES], shift: u32, per_mille: u64) -> [[u8; LANES]; 2] {
    let (mut kicked, mut tops) = ([0; LANES], [0; LANES]);
    for (lane, &word) in words.iter().enumerate() {
        let hash = mix64(word);
        kicked[lane] = u8::from(((hash >> shift & 0xffff_ffff) * 1000) >> 32 < per_mille);
        tops[lane] = (hash >> 63) as u8;
    }
    [kicked, tops]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_kicked_as_asked_for() {
        for (half, per_mille) in [(Half::Low, 100), (Half::High, 100), (Half::Low, 0), (Half::High, 1000)] {
            let mut counts = [0u64; 2];
            for round in 0..1000 {
                let words = std::array::from_fn(|lane| round * LANES as u64 + lane as u64);
                let draws = kicks(&words, half, per_mille);
                for (count, draws) in counts.iter_mut().zip(&draws) {
                    *count += draws.iter().map(|&draw| u64::from(draw)).sum::<u64>();
                }
            }
            assert!(counts[0].abs_diff(64 * u64::from(per_mille)) < 400, "{half:?} {per_mille}: {counts:?}");
            assert!(counts[1].abs_diff(32_000) < 800, "{counts:?}");
        }
    }
}
