//! One register of 16-bit lanes, for kernels with many values alive at once.
//!
//! A row of 64 lanes of [`Simd`](super::Simd) is four AVX2 registers; a kernel that keeps twenty rows
//! alive would spend its time spilling them. Such a kernel works on one register at a time instead, on
//! [`Native::WIDTH`] chips (or clauses), and is run once for each part of the 64. What a chip does must
//! therefore not depend on which part it is in.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::Portable;
#[cfg(target_arch = "x86_64")]
use super::{Avx2, Avx512};

/// The most lanes that a register of any backend has.
pub const WIDTH_MAX: usize = 32;

/// Operations on one register of 16-bit lanes. Arithmetic wraps unless the name says otherwise.
///
/// # Safety
/// A type that implements this may be used only on a machine that has its instructions; the methods
/// are safe to call because only [`dispatch!`](crate::dispatch) hands out the types.
pub unsafe trait Native: Copy + Send + Sync + 'static {
    /// Lanes of a register: 16 or 32.
    const WIDTH: usize;
    /// `WIDTH` lanes of 16 bits.
    type R: Copy;
    /// The same lanes with 32 bits.
    type W: Copy;
    /// One truth value a lane.
    type Mask: Copy;

    /// Loads `WIDTH` values.
    ///
    /// # Safety
    /// `from` must be readable for `WIDTH` values; no alignment is needed.
    unsafe fn load(from: *const u16) -> Self::R;
    /// Stores `WIDTH` values.
    ///
    /// # Safety
    /// `to` must be writable for `WIDTH` values; no alignment is needed.
    unsafe fn store(to: *mut u16, row: Self::R);
    /// Loads `WIDTH` 32-bit values.
    ///
    /// # Safety
    /// `from` must be readable for `WIDTH` values; no alignment is needed.
    unsafe fn load_wide(from: *const i32) -> Self::W;
    /// Stores `WIDTH` 32-bit values.
    ///
    /// # Safety
    /// `to` must be writable for `WIDTH` values; no alignment is needed.
    unsafe fn store_wide(to: *mut i32, row: Self::W);
    /// Every lane `value`.
    fn splat(value: u16) -> Self::R;
    /// Every lane `value`.
    fn splat_wide(value: i32) -> Self::W;
    /// The low 16 bits of `pair` in every lane; both halves of `pair` must be equal.
    fn splat_pair(pair: u32) -> Self::R;
    /// `a + b`.
    fn add(a: Self::R, b: Self::R) -> Self::R;
    /// `a - b`.
    fn sub(a: Self::R, b: Self::R) -> Self::R;
    /// Signed saturating `a + b`.
    fn adds_i(a: Self::R, b: Self::R) -> Self::R;
    /// Unsigned saturating `a + b`.
    fn adds_u(a: Self::R, b: Self::R) -> Self::R;
    /// The low 16 bits of `a * b`.
    fn mul(a: Self::R, b: Self::R) -> Self::R;
    /// `(a * b) >> 16`, unsigned.
    fn mulhi_u(a: Self::R, b: Self::R) -> Self::R;
    /// `(a * b) >> 16`, signed.
    fn mulhi_i(a: Self::R, b: Self::R) -> Self::R;
    /// `(a * b + 2^14) >> 15`, signed.
    fn mulhrs(a: Self::R, b: Self::R) -> Self::R;
    /// Signed minimum.
    fn min_i(a: Self::R, b: Self::R) -> Self::R;
    /// Signed maximum.
    fn max_i(a: Self::R, b: Self::R) -> Self::R;
    /// Unsigned minimum.
    fn min_u(a: Self::R, b: Self::R) -> Self::R;
    /// `a ^ b`.
    fn xor(a: Self::R, b: Self::R) -> Self::R;
    /// `a << count`, `count < 16`, the same for all lanes.
    fn shl(a: Self::R, count: u32) -> Self::R;
    /// `a >> count`, unsigned, `count < 16`, the same for all lanes.
    fn shr_u(a: Self::R, count: u32) -> Self::R;
    /// `a == b`.
    fn eq(a: Self::R, b: Self::R) -> Self::Mask;
    /// Signed `a > b`.
    fn gt_i(a: Self::R, b: Self::R) -> Self::Mask;
    /// `mask ? a : b`.
    fn select(mask: Self::Mask, a: Self::R, b: Self::R) -> Self::R;
    /// `a + 1` where the mask holds, else `a`.
    fn increment(a: Self::R, mask: Self::Mask) -> Self::R;
    /// `a + b` where the mask holds, else `a`.
    fn add_where(a: Self::W, mask: Self::Mask, b: Self::W) -> Self::W;
    /// `a + b`.
    fn add_wide(a: Self::W, b: Self::W) -> Self::W;
    /// Each lane sign-extended.
    fn widen(row: Self::R) -> Self::W;
    /// Each lane saturated to 16 bits signed.
    fn narrow(row: Self::W) -> Self::R;
}

/// Applies a function of the lanes' values to rows of the portable backend.
macro_rules! lanes {
    ($type:ty, |$l:ident| $body:expr) => {{
        let mut out = [0 as $type; 16];
        let mut $l = 0;
        while $l < 16 {
            out[$l] = $body;
            $l += 1;
        }
        out
    }};
}

// SAFETY: plain Rust runs everywhere.
unsafe impl Native for Portable {
    const WIDTH: usize = 16;
    type R = [u16; 16];
    type W = [i32; 16];
    type Mask = [u16; 16];

    #[inline(always)]
    unsafe fn load(from: *const u16) -> Self::R {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<Self::R>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut u16, row: Self::R) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<Self::R>().write_unaligned(row) }
    }
    #[inline(always)]
    unsafe fn load_wide(from: *const i32) -> Self::W {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<Self::W>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store_wide(to: *mut i32, row: Self::W) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<Self::W>().write_unaligned(row) }
    }
    #[inline(always)]
    fn splat(value: u16) -> Self::R {
        [value; 16]
    }
    #[inline(always)]
    fn splat_wide(value: i32) -> Self::W {
        [value; 16]
    }
    #[inline(always)]
    fn splat_pair(pair: u32) -> Self::R {
        [pair as u16; 16]
    }
    #[inline(always)]
    fn add(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| a[l].wrapping_add(b[l]))
    }
    #[inline(always)]
    fn sub(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| a[l].wrapping_sub(b[l]))
    }
    #[inline(always)]
    fn adds_i(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| (a[l] as i16).saturating_add(b[l] as i16) as u16)
    }
    #[inline(always)]
    fn adds_u(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| a[l].saturating_add(b[l]))
    }
    #[inline(always)]
    fn mul(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| a[l].wrapping_mul(b[l]))
    }
    #[inline(always)]
    fn mulhi_u(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| ((u32::from(a[l]) * u32::from(b[l])) >> 16) as u16)
    }
    #[inline(always)]
    fn mulhi_i(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| ((i32::from(a[l] as i16) * i32::from(b[l] as i16)) >> 16) as u16)
    }
    #[inline(always)]
    fn mulhrs(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| ((i32::from(a[l] as i16) * i32::from(b[l] as i16) + (1 << 14)) >> 15) as u16)
    }
    #[inline(always)]
    fn min_i(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| (a[l] as i16).min(b[l] as i16) as u16)
    }
    #[inline(always)]
    fn max_i(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| (a[l] as i16).max(b[l] as i16) as u16)
    }
    #[inline(always)]
    fn min_u(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| a[l].min(b[l]))
    }
    #[inline(always)]
    fn xor(a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| a[l] ^ b[l])
    }
    #[inline(always)]
    fn shl(a: Self::R, count: u32) -> Self::R {
        lanes!(u16, |l| a[l] << (count & 15))
    }
    #[inline(always)]
    fn shr_u(a: Self::R, count: u32) -> Self::R {
        lanes!(u16, |l| a[l] >> (count & 15))
    }
    #[inline(always)]
    fn eq(a: Self::R, b: Self::R) -> Self::Mask {
        lanes!(u16, |l| 0u16.wrapping_sub(u16::from(a[l] == b[l])))
    }
    #[inline(always)]
    fn gt_i(a: Self::R, b: Self::R) -> Self::Mask {
        lanes!(u16, |l| 0u16.wrapping_sub(u16::from(a[l] as i16 > b[l] as i16)))
    }
    #[inline(always)]
    fn select(mask: Self::Mask, a: Self::R, b: Self::R) -> Self::R {
        lanes!(u16, |l| (mask[l] & a[l]) | (!mask[l] & b[l]))
    }
    #[inline(always)]
    fn increment(a: Self::R, mask: Self::Mask) -> Self::R {
        lanes!(u16, |l| a[l].wrapping_sub(mask[l]))
    }
    #[inline(always)]
    fn add_where(a: Self::W, mask: Self::Mask, b: Self::W) -> Self::W {
        lanes!(i32, |l| a[l].wrapping_add(b[l] & i32::from(mask[l] as i16)))
    }
    #[inline(always)]
    fn add_wide(a: Self::W, b: Self::W) -> Self::W {
        lanes!(i32, |l| a[l].wrapping_add(b[l]))
    }
    #[inline(always)]
    fn widen(row: Self::R) -> Self::W {
        lanes!(i32, |l| i32::from(row[l] as i16))
    }
    #[inline(always)]
    fn narrow(row: Self::W) -> Self::R {
        lanes!(u16, |l| row[l].clamp(-32768, 32767) as u16)
    }
}

/// Methods that are one intrinsic of their arguments.
#[cfg(target_arch = "x86_64")]
macro_rules! intrinsics {
    ($($name:ident = $intrinsic:ident),* $(,)?) => {$(
        #[inline(always)]
        fn $name(a: Self::R, b: Self::R) -> Self::R {
            // SAFETY: this backend is handed out only where its instructions exist.
            unsafe { $intrinsic(a, b) }
        }
    )*};
}

// SAFETY: the methods use only the instructions that the type's name promises.
#[cfg(target_arch = "x86_64")]
unsafe impl Native for Avx2 {
    const WIDTH: usize = 16;
    type R = __m256i;
    type W = [__m256i; 2];
    type Mask = __m256i;

    #[inline(always)]
    unsafe fn load(from: *const u16) -> Self::R {
        // SAFETY: the caller's promise.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut u16, row: Self::R) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_si256(to.cast(), row) }
    }
    #[inline(always)]
    unsafe fn load_wide(from: *const i32) -> Self::W {
        // SAFETY: the caller's promise.
        unsafe { [_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(8).cast())] }
    }
    #[inline(always)]
    unsafe fn store_wide(to: *mut i32, row: Self::W) {
        // SAFETY: the caller's promise.
        unsafe {
            _mm256_storeu_si256(to.cast(), row[0]);
            _mm256_storeu_si256(to.add(8).cast(), row[1]);
        }
    }
    #[inline(always)]
    fn splat(value: u16) -> Self::R {
        // SAFETY: handed out only where AVX2 exists; so for all of this implementation.
        unsafe { _mm256_set1_epi16(value as i16) }
    }
    #[inline(always)]
    fn splat_wide(value: i32) -> Self::W {
        // SAFETY: as above.
        unsafe { [_mm256_set1_epi32(value); 2] }
    }
    #[inline(always)]
    fn splat_pair(pair: u32) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm256_set1_epi32(pair as i32) }
    }
    intrinsics!(
        add = _mm256_add_epi16,
        sub = _mm256_sub_epi16,
        adds_i = _mm256_adds_epi16,
        adds_u = _mm256_adds_epu16,
        mul = _mm256_mullo_epi16,
        mulhi_u = _mm256_mulhi_epu16,
        mulhi_i = _mm256_mulhi_epi16,
        mulhrs = _mm256_mulhrs_epi16,
        min_i = _mm256_min_epi16,
        max_i = _mm256_max_epi16,
        min_u = _mm256_min_epu16,
        xor = _mm256_xor_si256,
        eq = _mm256_cmpeq_epi16,
        gt_i = _mm256_cmpgt_epi16,
        increment = _mm256_sub_epi16,
    );
    #[inline(always)]
    fn shl(a: Self::R, count: u32) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm256_sll_epi16(a, _mm_cvtsi32_si128((count & 15) as i32)) }
    }
    #[inline(always)]
    fn shr_u(a: Self::R, count: u32) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm256_srl_epi16(a, _mm_cvtsi32_si128((count & 15) as i32)) }
    }
    #[inline(always)]
    fn select(mask: Self::Mask, a: Self::R, b: Self::R) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm256_blendv_epi8(b, a, mask) }
    }
    #[inline(always)]
    fn add_where(a: Self::W, mask: Self::Mask, b: Self::W) -> Self::W {
        let wide = Self::widen(mask);
        // SAFETY: as above.
        unsafe {
            [
                _mm256_add_epi32(a[0], _mm256_and_si256(wide[0], b[0])),
                _mm256_add_epi32(a[1], _mm256_and_si256(wide[1], b[1])),
            ]
        }
    }
    #[inline(always)]
    fn add_wide(a: Self::W, b: Self::W) -> Self::W {
        // SAFETY: as above.
        unsafe { [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])] }
    }
    #[inline(always)]
    fn widen(row: Self::R) -> Self::W {
        // SAFETY: as above.
        unsafe {
            [
                _mm256_cvtepi16_epi32(_mm256_castsi256_si128(row)),
                _mm256_cvtepi16_epi32(_mm256_extracti128_si256::<1>(row)),
            ]
        }
    }
    #[inline(always)]
    fn narrow(row: Self::W) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(row[0], row[1])) }
    }
}

// SAFETY: the methods use only the instructions that the type's name promises.
#[cfg(target_arch = "x86_64")]
unsafe impl Native for Avx512 {
    const WIDTH: usize = 32;
    type R = __m512i;
    type W = [__m512i; 2];
    type Mask = __mmask32;

    #[inline(always)]
    unsafe fn load(from: *const u16) -> Self::R {
        // SAFETY: the caller's promise.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn store(to: *mut u16, row: Self::R) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_si512(to.cast(), row) }
    }
    #[inline(always)]
    unsafe fn load_wide(from: *const i32) -> Self::W {
        // SAFETY: the caller's promise.
        unsafe { [_mm512_loadu_si512(from.cast()), _mm512_loadu_si512(from.add(16).cast())] }
    }
    #[inline(always)]
    unsafe fn store_wide(to: *mut i32, row: Self::W) {
        // SAFETY: the caller's promise.
        unsafe {
            _mm512_storeu_si512(to.cast(), row[0]);
            _mm512_storeu_si512(to.add(16).cast(), row[1]);
        }
    }
    #[inline(always)]
    fn splat(value: u16) -> Self::R {
        // SAFETY: handed out only where AVX-512 exists; so for all of this implementation.
        unsafe { _mm512_set1_epi16(value as i16) }
    }
    #[inline(always)]
    fn splat_wide(value: i32) -> Self::W {
        // SAFETY: as above.
        unsafe { [_mm512_set1_epi32(value); 2] }
    }
    #[inline(always)]
    fn splat_pair(pair: u32) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm512_set1_epi32(pair as i32) }
    }
    intrinsics!(
        add = _mm512_add_epi16,
        sub = _mm512_sub_epi16,
        adds_i = _mm512_adds_epi16,
        adds_u = _mm512_adds_epu16,
        mul = _mm512_mullo_epi16,
        mulhi_u = _mm512_mulhi_epu16,
        mulhi_i = _mm512_mulhi_epi16,
        mulhrs = _mm512_mulhrs_epi16,
        min_i = _mm512_min_epi16,
        max_i = _mm512_max_epi16,
        min_u = _mm512_min_epu16,
        xor = _mm512_xor_si512,
    );
    #[inline(always)]
    fn shl(a: Self::R, count: u32) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm512_sll_epi16(a, _mm_cvtsi32_si128((count & 15) as i32)) }
    }
    #[inline(always)]
    fn shr_u(a: Self::R, count: u32) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm512_srl_epi16(a, _mm_cvtsi32_si128((count & 15) as i32)) }
    }
    #[inline(always)]
    fn eq(a: Self::R, b: Self::R) -> Self::Mask {
        // SAFETY: as above.
        unsafe { _mm512_cmpeq_epi16_mask(a, b) }
    }
    #[inline(always)]
    fn gt_i(a: Self::R, b: Self::R) -> Self::Mask {
        // SAFETY: as above.
        unsafe { _mm512_cmpgt_epi16_mask(a, b) }
    }
    #[inline(always)]
    fn select(mask: Self::Mask, a: Self::R, b: Self::R) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm512_mask_blend_epi16(mask, b, a) }
    }
    #[inline(always)]
    fn increment(a: Self::R, mask: Self::Mask) -> Self::R {
        // SAFETY: as above.
        unsafe { _mm512_mask_add_epi16(a, mask, a, _mm512_set1_epi16(1)) }
    }
    #[inline(always)]
    fn add_where(a: Self::W, mask: Self::Mask, b: Self::W) -> Self::W {
        // SAFETY: as above.
        unsafe {
            [
                _mm512_mask_add_epi32(a[0], mask as u16, a[0], b[0]),
                _mm512_mask_add_epi32(a[1], (mask >> 16) as u16, a[1], b[1]),
            ]
        }
    }
    #[inline(always)]
    fn add_wide(a: Self::W, b: Self::W) -> Self::W {
        // SAFETY: as above.
        unsafe { [_mm512_add_epi32(a[0], b[0]), _mm512_add_epi32(a[1], b[1])] }
    }
    #[inline(always)]
    fn widen(row: Self::R) -> Self::W {
        // SAFETY: as above.
        unsafe {
            [
                _mm512_cvtepi16_epi32(_mm512_castsi512_si256(row)),
                _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64::<1>(row)),
            ]
        }
    }
    #[inline(always)]
    fn narrow(row: Self::W) -> Self::R {
        // SAFETY: as above.
        unsafe {
            _mm512_inserti64x4::<1>(
                _mm512_castsi256_si512(_mm512_cvtsepi32_epi16(row[0])),
                _mm512_cvtsepi32_epi16(row[1]),
            )
        }
    }
}
