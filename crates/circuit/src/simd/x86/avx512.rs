//! The operations with AVX-512.

use std::arch::x86_64::*;

use super::super::Simd;

/// AVX-512 F, BW, VL, DQ, VBMI: a row of bytes is one register.
#[derive(Clone, Copy, Debug)]
pub struct Avx512;

// SAFETY: the methods use only the instructions that the type's name promises.
unsafe impl Simd for Avx512 {
    type R8 = [__m512i; 1];
    type R16 = [__m512i; 2];
    type R32 = [__m512i; 4];
    #[inline(always)]
    unsafe fn load8(from: *const u8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_loadu_si512(from.cast::<__m512i>().add(r)))
    }
    #[inline(always)]
    unsafe fn store8(to: *mut u8, row: Self::R8) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut r = 0;
            while r < 1 {
                _mm512_storeu_si512(to.cast::<__m512i>().add(r), row[r]);
                r += 1;
            }
        }
    }
    #[inline(always)]
    fn splat8(value: u8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_set1_epi8(value as i8))
    }
    #[inline(always)]
    fn add8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_add_epi8(a[r], b[r]))
    }
    #[inline(always)]
    fn sub8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_sub_epi8(a[r], b[r]))
    }
    #[inline(always)]
    fn adds_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_adds_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn subs_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_subs_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn min_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_min_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn max_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_max_epu8(a[r], b[r]))
    }
    #[inline(always)]
    fn and(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_and_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn or(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_or_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn xor(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_xor_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn and_not(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_andnot_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn xor3(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_ternarylogic_epi64::<0x96>(a[r], b[r], c[r]))
    }
    #[inline(always)]
    fn majority(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_ternarylogic_epi64::<0xe8>(a[r], b[r], c[r]))
    }
    #[inline(always)]
    fn select(mask: Self::R8, a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_ternarylogic_epi64::<0xca>(mask[r], a[r], b[r]))
    }
    #[inline(always)]
    fn eq8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(a[r], b[r])))
    }
    #[inline(always)]
    fn gt_i8(a: Self::R8, b: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_movm_epi8(_mm512_cmpgt_epi8_mask(a[r], b[r])))
    }
    #[inline(always)]
    fn bits8(row: Self::R8) -> u64 {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm512_movepi8_mask(row[0]) }
    }
    #[inline(always)]
    fn permute8(row: Self::R8, index: Self::R8) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_permutexvar_epi8(index[r], row[0]))
    }
    #[inline(always)]
    fn widen_i8(row: Self::R8) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_cvtepi8_epi16(if r == 0 {
            _mm512_castsi512_si256(row[0])
        } else {
            _mm512_extracti64x4_epi64::<1>(row[0])
        }))
    }
    #[inline(always)]
    fn widen_u8(row: Self::R8) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_cvtepu8_epi16(if r == 0 {
            _mm512_castsi512_si256(row[0])
        } else {
            _mm512_extracti64x4_epi64::<1>(row[0])
        }))
    }
    #[inline(always)]
    unsafe fn load16(from: *const u16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_loadu_si512(from.cast::<__m512i>().add(r)))
    }
    #[inline(always)]
    unsafe fn store16(to: *mut u16, row: Self::R16) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut r = 0;
            while r < 2 {
                _mm512_storeu_si512(to.cast::<__m512i>().add(r), row[r]);
                r += 1;
            }
        }
    }
    #[inline(always)]
    fn splat16(value: u16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_set1_epi16(value as i16))
    }
    #[inline(always)]
    fn add16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_add_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn sub16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_sub_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn adds_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_adds_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn subs_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_subs_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn adds_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_adds_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn subs_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_subs_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn mul16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_mullo_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn mulhi_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_mulhi_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn mulhi_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_mulhi_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn mulhrs16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_mulhrs_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn min_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_min_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn max_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_max_epi16(a[r], b[r]))
    }
    #[inline(always)]
    fn min_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_min_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn max_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_max_epu16(a[r], b[r]))
    }
    #[inline(always)]
    fn and16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_and_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn or16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_or_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn xor16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_xor_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn select16(mask: Self::R16, a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_ternarylogic_epi64::<0xca>(mask[r], a[r], b[r]))
    }
    #[inline(always)]
    fn eq16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_movm_epi16(_mm512_cmpeq_epi16_mask(a[r], b[r])))
    }
    #[inline(always)]
    fn gt_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_movm_epi16(_mm512_cmpgt_epi16_mask(a[r], b[r])))
    }
    #[inline(always)]
    fn shl16<const N: i32>(a: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_sll_epi16(a[r], _mm_cvtsi32_si128(N)))
    }
    #[inline(always)]
    fn shr_u16<const N: i32>(a: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_srl_epi16(a[r], _mm_cvtsi32_si128(N)))
    }
    #[inline(always)]
    fn shr_i16<const N: i32>(a: Self::R16) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_sra_epi16(a[r], _mm_cvtsi32_si128(N)))
    }
    #[inline(always)]
    fn narrow_i16(row: Self::R16) -> Self::R8 {
        registers!(1, _mm512_setzero_si512(), |r| _mm512_inserti64x4::<1>(
            _mm512_castsi256_si512(_mm512_cvtsepi16_epi8(row[r])),
            _mm512_cvtsepi16_epi8(row[r + 1])
        ))
    }
    #[inline(always)]
    fn widen_i16(row: Self::R16) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_cvtepi16_epi32(if r % 2 == 0 {
            _mm512_castsi512_si256(row[r / 2])
        } else {
            _mm512_extracti64x4_epi64::<1>(row[r / 2])
        }))
    }
    #[inline(always)]
    fn widen_u16(row: Self::R16) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_cvtepu16_epi32(if r % 2 == 0 {
            _mm512_castsi512_si256(row[r / 2])
        } else {
            _mm512_extracti64x4_epi64::<1>(row[r / 2])
        }))
    }
    #[inline(always)]
    unsafe fn load32(from: *const i32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_loadu_si512(from.cast::<__m512i>().add(r)))
    }
    #[inline(always)]
    unsafe fn store32(to: *mut i32, row: Self::R32) {
        // SAFETY: the caller's promise.
        unsafe {
            let mut r = 0;
            while r < 4 {
                _mm512_storeu_si512(to.cast::<__m512i>().add(r), row[r]);
                r += 1;
            }
        }
    }
    #[inline(always)]
    fn splat32(value: i32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_set1_epi32(value))
    }
    #[inline(always)]
    fn add32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_add_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn add32_where(a: Self::R32, mask: Self::R8, value: i32) -> Self::R32 {
        let lanes = Self::bits8(mask);
        registers!(4, _mm512_setzero_si512(), |r| _mm512_mask_add_epi32(
            a[r],
            (lanes >> (16 * r)) as u16,
            a[r],
            _mm512_set1_epi32(value)
        ))
    }
    #[inline(always)]
    fn sub32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_sub_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn mul32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_mullo_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn and32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_and_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn xor32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_xor_si512(a[r], b[r]))
    }
    #[inline(always)]
    fn min_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_min_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn max_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_max_epi32(a[r], b[r]))
    }
    #[inline(always)]
    fn gt_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_movm_epi32(_mm512_cmpgt_epi32_mask(a[r], b[r])))
    }
    #[inline(always)]
    fn shl32(a: Self::R32, count: u32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_sll_epi32(
            a[r],
            _mm_cvtsi32_si128((count & 31) as i32)
        ))
    }
    #[inline(always)]
    fn shr_u32(a: Self::R32, count: u32) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_srl_epi32(
            a[r],
            _mm_cvtsi32_si128((count & 31) as i32)
        ))
    }
    #[inline(always)]
    fn narrow_i32(row: Self::R32) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_inserti64x4::<1>(
            _mm512_castsi256_si512(_mm512_cvtsepi32_epi16(row[2 * r])),
            _mm512_cvtsepi32_epi16(row[2 * r + 1])
        ))
    }
    #[inline(always)]
    fn shr_u16_by(a: Self::R16, count: u32) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_srl_epi16(a[r], _mm_cvtsi32_si128(count as i32)))
    }
    #[inline(always)]
    unsafe fn load_i8_as_16(from: *const u8) -> Self::R16 {
        registers!(2, _mm512_setzero_si512(), |r| _mm512_cvtepi8_epi16(_mm256_loadu_si256(
            from.cast::<__m256i>().add(r)
        )))
    }
    #[inline(always)]
    unsafe fn load_i8_as_32(from: *const u8) -> Self::R32 {
        registers!(4, _mm512_setzero_si512(), |r| _mm512_cvtepi8_epi32(_mm_loadu_si128(
            from.cast::<__m128i>().add(r)
        )))
    }
    type Bits = __m512i;
    const BITS_BYTES: usize = 64;
    #[inline(always)]
    unsafe fn bits_load(from: *const u8) -> Self::Bits {
        // SAFETY: the caller's promise.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn bits_store(to: *mut u8, bits: Self::Bits) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_si512(to.cast(), bits) }
    }
    #[inline(always)]
    fn bits_and(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm512_and_si512(a, b) }
    }
    #[inline(always)]
    fn bits_or(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm512_or_si512(a, b) }
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm512_xor_si512(a, b) }
    }
    #[inline(always)]
    fn bits_and_not(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { _mm512_andnot_si512(a, b) }
    }
    #[inline(always)]
    fn bits_full_add(a: Self::Bits, b: Self::Bits, c: Self::Bits) -> (Self::Bits, Self::Bits) {
        // SAFETY: this backend is handed out only where its instructions exist.
        unsafe { (_mm512_ternarylogic_epi64::<0x96>(a, b, c), _mm512_ternarylogic_epi64::<0xe8>(a, b, c)) }
    }
}
