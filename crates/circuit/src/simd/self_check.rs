//! Every level against [`Portable`], on pseudorandom rows, operation by operation: a test, and a check at run
//! time of levels that the build machines cannot run.

use super::{LANES, Level, Simd};
use crate::rom::mix64;

/// The bytes that every operation gives on pseudorandom rows drawn from `seed`.
#[inline(always)]
fn transcript<S: Simd>(seed: u64, out: &mut Vec<u8>) {
    let mut counter = seed << 20;
    let mut byte = || {
        counter += 1;
        let h = mix64(counter);
        // Extremes as often as plain values.
        match h >> 60 {
            0 => 0,
            1 => 0x7f,
            2 => 0x80,
            3 => 0xff,
            _ => h as u8,
        }
    };
    let mut row8 = || -> [u8; LANES] { std::array::from_fn(|_| byte()) };
    let (b0, b1, b2) = (row8(), row8(), row8());
    let mut wide = [0u16; 3 * LANES];
    wide.fill_with(|| u16::from_le_bytes([byte(), byte()]));
    let mut quad = [0i32; 2 * LANES];
    quad.fill_with(|| i32::from_le_bytes([byte(), byte(), byte(), byte()]));
    let mut put8 = |row: S::R8| {
        let mut bytes = [0u8; LANES];
        // SAFETY: 64 bytes.
        unsafe { S::store8(bytes.as_mut_ptr(), row) };
        out.extend_from_slice(&bytes);
    };
    // SAFETY: 64 bytes each.
    let (a, b, c) = unsafe { (S::load8(b0.as_ptr()), S::load8(b1.as_ptr()), S::load8(b2.as_ptr())) };

    put8(S::add8(a, b));
    put8(S::sub8(a, b));
    put8(S::adds_u8(a, b));
    put8(S::subs_u8(a, b));
    put8(S::min_u8(a, b));
    put8(S::max_u8(a, b));
    put8(S::and(a, b));
    put8(S::or(a, b));
    put8(S::xor(a, b));
    put8(S::and_not(a, b));
    put8(S::eq8(a, b));
    put8(S::gt_i8(a, b));
    put8(S::permute8(a, b));
    put8(S::xor3(a, b, c));
    put8(S::majority(a, b, c));
    put8(S::select(a, b, c));
    put8(S::eq8(a, a));
    put8(S::splat8(b0[0]));
    let bits = S::bits8(a).to_le_bytes();
    // SAFETY: 64 values each.
    let (d, e, f) = unsafe {
        (S::load16(wide.as_ptr()), S::load16(wide[LANES..].as_ptr()), S::load16(wide[2 * LANES..].as_ptr()))
    };
    put8(S::narrow_i16(d));
    out.extend_from_slice(&bits);
    let mut put16 = |row: S::R16| {
        let mut values = [0u16; LANES];
        // SAFETY: 64 values.
        unsafe { S::store16(values.as_mut_ptr(), row) };
        out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    };
    put16(S::widen_i8(a));
    put16(S::widen_u8(a));
    put16(S::add16(d, e));
    put16(S::sub16(d, e));
    put16(S::adds_i16(d, e));
    put16(S::subs_i16(d, e));
    put16(S::adds_u16(d, e));
    put16(S::subs_u16(d, e));
    put16(S::mul16(d, e));
    put16(S::mulhi_u16(d, e));
    put16(S::mulhi_i16(d, e));
    put16(S::mulhrs16(d, e));
    put16(S::min_i16(d, e));
    put16(S::max_i16(d, e));
    put16(S::min_u16(d, e));
    put16(S::max_u16(d, e));
    put16(S::and16(d, e));
    put16(S::or16(d, e));
    put16(S::xor16(d, e));
    put16(S::eq16(d, e));
    put16(S::gt_i16(d, e));
    put16(S::select16(d, e, f));
    put16(S::eq16(d, d));
    put16(S::splat16(wide[0]));
    put16(S::shl16::<0>(d));
    put16(S::shr_u16::<0>(d));
    put16(S::shr_i16::<0>(d));
    put16(S::shl16::<1>(d));
    put16(S::shr_u16::<1>(d));
    put16(S::shr_i16::<1>(d));
    put16(S::shl16::<7>(d));
    put16(S::shr_u16::<7>(d));
    put16(S::shr_i16::<7>(d));
    put16(S::shl16::<15>(d));
    put16(S::shr_u16::<15>(d));
    put16(S::shr_i16::<15>(d));
    for count in [0, 1, 7, 15, 16, 40] {
        put16(S::shr_u16_by(d, count));
    }
    // SAFETY: 64 bytes.
    put16(unsafe { S::load_i8_as_16(b0.as_ptr()) });
    // SAFETY: 64 values each.
    let (g, h) = unsafe { (S::load32(quad.as_ptr()), S::load32(quad[LANES..].as_ptr())) };
    put16(S::narrow_i32(g));
    let mut put32 = |row: S::R32| {
        let mut values = [0i32; LANES];
        // SAFETY: 64 values.
        unsafe { S::store32(values.as_mut_ptr(), row) };
        out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    };
    put32(S::add32_where(g, S::eq8(a, b), quad[LANES]));
    put32(S::add32_where(g, S::gt_i8(a, b), quad[LANES]));
    put32(S::widen_i16(d));
    put32(S::widen_u16(d));
    put32(S::add32(g, h));
    put32(S::sub32(g, h));
    put32(S::mul32(g, h));
    put32(S::and32(g, h));
    put32(S::xor32(g, h));
    put32(S::min_i32(g, h));
    put32(S::max_i32(g, h));
    put32(S::gt_i32(g, h));
    put32(S::splat32(quad[0]));
    put32(S::shl32(g, 0));
    put32(S::shr_u32(g, 0));
    put32(S::shl32(g, 1));
    put32(S::shr_u32(g, 1));
    put32(S::shl32(g, 13));
    put32(S::shr_u32(g, 13));
    put32(S::shl32(g, 31));
    put32(S::shr_u32(g, 31));
    // SAFETY: 64 bytes.
    put32(unsafe { S::load_i8_as_32(b0.as_ptr()) });
    let mut put_bits = |operation: fn(S::Bits, S::Bits, S::Bits) -> S::Bits| {
        let mut bytes = [0u8; LANES];
        for at in (0..LANES).step_by(S::BITS_BYTES) {
            // SAFETY: `at + BITS_BYTES` is at most 64.
            unsafe {
                let (a, b, c) = (
                    S::bits_load(b0[at..].as_ptr()),
                    S::bits_load(b1[at..].as_ptr()),
                    S::bits_load(b2[at..].as_ptr()),
                );
                S::bits_store(bytes[at..].as_mut_ptr(), operation(a, b, c));
            }
        }
        out.extend_from_slice(&bytes);
    };
    put_bits(|a, b, _| S::bits_and(a, b));
    put_bits(|a, b, _| S::bits_or(a, b));
    put_bits(|a, b, _| S::bits_xor(a, b));
    put_bits(|a, b, _| S::bits_and_not(a, b));
    put_bits(|a, b, c| S::bits_full_add(a, b, c).0);
    put_bits(|a, b, c| S::bits_full_add(a, b, c).1);
}

/// About as many bytes as a transcript has.
const TRANSCRIPT_BYTES: usize = 1 << 14;

fn of(level: Level, seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(TRANSCRIPT_BYTES);
    crate::dispatch!(level, transcript(seed: u64, out: &mut Vec<u8>), seed, &mut out);
    out
}

/// Whether every operation of `level` gives what [`Portable`] gives, on the rows of a few seeds. About 20 us.
pub fn agrees(level: Level) -> bool {
    (0..3).all(|seed| of(level, seed) == of(Level::Portable, seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    #[test]
    fn every_level_matches_portable() {
        for seed in 0..200 {
            let mut expected = Vec::new();
            transcript::<Portable>(seed, &mut expected);
            for level in Level::available() {
                assert!(of(level, seed) == expected, "{} differs on seed {seed}", level.name());
            }
        }
    }

    #[test]
    fn the_detected_level_agrees() {
        assert!(agrees(Level::detect()));
    }
}
