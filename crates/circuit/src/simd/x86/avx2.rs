//! The operations with AVX2.

use std::arch::x86_64::*;

use super::super::Simd;

/// AVX2: a row of bytes is two registers.
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

// SAFETY: the methods use only the instructions that the type's name promises.
unsafe impl Simd for Avx2 {
    type R8 = [__m256i; 2];
    type R16 = [__m256i; 4];
    type R32 = [__m256i; 8];
    #[inline(always)]
    unsafe fn load8(from: *const u8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_loadu_si256(from.cast::<__m256i>().add(r)))
    }
    #[inline(always)]
    unsafe fn store8(to: *mut u8, row: Self::R8) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut r = 0;
            while r < 2 {
                _mm256_storeu_si256(to.cast::<__m256i>().add(r), row[r]);
                r += 1;
            }
        }
    }
    #[inline(always)]
    fn splat8(value: u8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_set1_epi8(value as i8))
    }
    #[inline(always)]
    fn add8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_add_epi8(a[r], b[r]))
    }
    #[inline(always)]
    fn sub8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_sub_epi8(a[r], b[r]))
    }
    #[inline(always)]
    fn adds_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_adds_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn subs_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_subs_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn min_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_min_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn max_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_max_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn and(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_and_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn or(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_or_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn xor(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_xor_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn and_not(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_andnot_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn xor3(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_xor_si256(_mm256_xor_si256(a[r], b[r]), c[r]))
    }
    #[inline(always)]
    fn majority(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_or_si256(
            _mm256_and_si256(a[r], b[r]),
            _mm256_and_si256(c[r], _mm256_or_si256(a[r], b[r]))
        ))
    }
    #[inline(always)]
    fn select(mask: Self::R8, a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_or_si256(
            _mm256_and_si256(mask[r], a[r]),
            _mm256_andnot_si256(mask[r], b[r])
        ))
    }
    #[inline(always)]
    fn eq8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_cmpeq_epi8(a[r], b[r]))
    }
    #[inline(always)]
    fn gt_i8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(2, _mm256_setzero_si256(), |r| _mm256_cmpgt_epi8(a[r], b[r]))
    }
    #[inline(always)]
    fn bits8(row: Self::R8) -> u64 {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe {
            let low = _mm256_movemask_epi8(row[0]) as u32;
            let high = _mm256_movemask_epi8(row[1]) as u32;
            u64::from(low) | u64::from(high) << 32
        }
    }
    #[inline(always)]
    fn permute8(row: Self::R8, index: Self::R8) -> Self::R8 {
        // Each 16-byte quarter of the row is looked up in turn; `pshufb` gives zero where the
        // top bit of the index is set, which the saturating additions arrange for lanes whose
        // index lies in another quarter.
        registers!(2, _mm256_setzero_si256(), |r| {
            let index = _mm256_and_si256(index[r], _mm256_set1_epi8(63));
            let mut out = _mm256_setzero_si256();
            let mut quarter = 0;
            while quarter < 4 {
                let half = row[quarter / 2];
                let table = if quarter % 2 == 0 {
                    _mm256_permute2x128_si256::<0x00>(half, half)
                } else {
                    _mm256_permute2x128_si256::<0x11>(half, half)
                };
                let relative = _mm256_xor_si256(index, _mm256_set1_epi8((quarter << 4) as i8));
                // 0..=15 where the quarter is right, 16..=63 elsewhere: + 112 sets the top bit there.
                let selector = _mm256_adds_epu8(relative, _mm256_set1_epi8(112));
                out = _mm256_or_si256(out, _mm256_shuffle_epi8(table, selector));
                quarter += 1;
            }
            out
        })
    }
    #[inline(always)]
    fn widen_i8(row: Self::R8) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_cvtepi8_epi16(if r % 2 == 0 {
            _mm256_castsi256_si128(row[r / 2])
        } else {
            _mm256_extracti128_si256::<1>(row[r / 2])
        }))
    }
    #[inline(always)]
    fn widen_u8(row: Self::R8) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_cvtepu8_epi16(if r % 2 == 0 {
            _mm256_castsi256_si128(row[r / 2])
        } else {
            _mm256_extracti128_si256::<1>(row[r / 2])
        }))
    }
    #[inline(always)]
    unsafe fn load16(from: *const u16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_loadu_si256(from.cast::<__m256i>().add(r)))
    }
    #[inline(always)]
    unsafe fn store16(to: *mut u16, row: Self::R16) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut r = 0;
            while r < 4 {
                _mm256_storeu_si256(to.cast::<__m256i>().add(r), row[r]);
                r += 1;
            }
        }
    }
    #[inline(always)]
    fn splat16(value: u16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_set1_epi16(value as i16))
    }
    #[inline(always)]
    fn add16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_add_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn sub16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_sub_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn adds_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_adds_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn subs_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_subs_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn adds_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_adds_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn subs_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_subs_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn mul16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_mullo_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn mulhi_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_mulhi_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn mulhi_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_mulhi_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn mulhrs16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_mulhrs_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn min_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_min_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn max_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_max_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn min_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_min_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn max_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_max_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn and16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_and_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn or16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_or_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn xor16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_xor_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn select16(mask: Self::R16, a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_or_si256(
            _mm256_and_si256(mask[r], a[r]),
            _mm256_andnot_si256(mask[r], b[r])
        ))
    }
    #[inline(always)]
    fn eq16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_cmpeq_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn gt_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_cmpgt_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn shl16<const N: i32>(a: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_sll_epi16(a[r], _mm_cvtsi32_si128(N)))
    }
    #[inline(always)]
    fn shr_u16<const N: i32>(a: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_srl_epi16(a[r], _mm_cvtsi32_si128(N)))
    }
    #[inline(always)]
    fn shr_i16<const N: i32>(a: Self::R16) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_sra_epi16(a[r], _mm_cvtsi32_si128(N)))
    }
    #[inline(always)]
    fn narrow_i16(row: Self::R16) -> Self::R8 {
        // `packs` works on 128-bit halves: 0 2 1 3 puts the quarters back in order.
        registers!(2, _mm256_setzero_si256(), |r| _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi16(
            row[2 * r],
            row[2 * r + 1]
        )))
    }
    #[inline(always)]
    fn widen_i16(row: Self::R16) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_cvtepi16_epi32(if r % 2 == 0 {
            _mm256_castsi256_si128(row[r / 2])
        } else {
            _mm256_extracti128_si256::<1>(row[r / 2])
        }))
    }
    #[inline(always)]
    fn widen_u16(row: Self::R16) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_cvtepu16_epi32(if r % 2 == 0 {
            _mm256_castsi256_si128(row[r / 2])
        } else {
            _mm256_extracti128_si256::<1>(row[r / 2])
        }))
    }
    #[inline(always)]
    unsafe fn load32(from: *const i32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_loadu_si256(from.cast::<__m256i>().add(r)))
    }
    #[inline(always)]
    unsafe fn store32(to: *mut i32, row: Self::R32) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut r = 0;
            while r < 8 {
                _mm256_storeu_si256(to.cast::<__m256i>().add(r), row[r]);
                r += 1;
            }
        }
    }
    #[inline(always)]
    fn splat32(value: i32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_set1_epi32(value))
    }
    #[inline(always)]
    fn add32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_add_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn sub32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_sub_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn mul32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_mullo_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn and32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_and_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn xor32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_xor_si256(a[r], b[r]))
    }
    #[inline(always)]
    fn min_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_min_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn max_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_max_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn gt_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_cmpgt_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn shl32(a: Self::R32, count: u32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_sll_epi32(
            a[r],
            _mm_cvtsi32_si128((count & 31) as i32)
        ))
    }
    #[inline(always)]
    fn shr_u32(a: Self::R32, count: u32) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_srl_epi32(
            a[r],
            _mm_cvtsi32_si128((count & 31) as i32)
        ))
    }
    #[inline(always)]
    fn narrow_i32(row: Self::R32) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi32(
            row[2 * r],
            row[2 * r + 1]
        )))
    }
    #[inline(always)]
    fn shr_u16_by(a: Self::R16, count: u32) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_srl_epi16(a[r], _mm_cvtsi32_si128(count as i32)))
    }
    #[inline(always)]
    unsafe fn load_i8_as_16(from: *const u8) -> Self::R16 {
        registers!(4, _mm256_setzero_si256(), |r| _mm256_cvtepi8_epi16(_mm_loadu_si128(
            from.cast::<__m128i>().add(r)
        )))
    }
    #[inline(always)]
    unsafe fn load_i8_as_32(from: *const u8) -> Self::R32 {
        registers!(8, _mm256_setzero_si256(), |r| _mm256_cvtepi8_epi32(_mm_loadl_epi64(
            from.add(8 * r).cast::<__m128i>()
        )))
    }
    type Bits = __m256i;
    const BITS_BYTES: usize = 32;
    #[inline(always)]
    unsafe fn bits_load(from: *const u8) -> Self::Bits {
        // SAFETY: the caller's promise.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn bits_store(to: *mut u8, bits: Self::Bits) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_si256(to.cast(), bits) }
    }
    #[inline(always)]
    fn bits_and(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm256_and_si256(a, b) }
    }
    #[inline(always)]
    fn bits_or(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm256_or_si256(a, b) }
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm256_xor_si256(a, b) }
    }
    #[inline(always)]
    fn bits_and_not(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm256_andnot_si256(a, b) }
    }
    #[inline(always)]
    fn bits_full_add(a: Self::Bits, b: Self::Bits, c: Self::Bits) -> (Self::Bits, Self::Bits) {
        let half = Self::bits_xor(a, b);
        (Self::bits_xor(half, c), Self::bits_or(Self::bits_and(a, b), Self::bits_and(half, c)))
    }
}
