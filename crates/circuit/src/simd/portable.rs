//! Plain Rust on arrays: what every operation means.

use super::{LANES, Simd};

/// The backend that needs no instruction set.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// Applies a function of the lanes' values to rows.
macro_rules! lanes {
    ($type:ty, |$l:ident| $body:expr) => {{
        let mut out = [0 as $type; LANES];
        let mut $l = 0;
        while $l < LANES {
            out[$l] = $body;
            $l += 1;
        }
        out
    }};
}

// SAFETY: plain Rust runs everywhere.
unsafe impl Simd for Portable {
    type R8 = [u8; LANES];
    type R16 = [u16; LANES];
    type R32 = [i32; LANES];
    #[inline(always)]
    unsafe fn load8(from: *const u8) -> Self::R8 {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[u8; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store8(to: *mut u8, row: Self::R8) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[u8; LANES]>().write_unaligned(row) }
    }
    #[inline(always)]
    fn splat8(value: u8) -> Self::R8 {
        [value; LANES]
    }
    #[inline(always)]
    fn add8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l].wrapping_add(b[l]))
    }
    #[inline(always)]
    fn sub8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l].wrapping_sub(b[l]))
    }
    #[inline(always)]
    fn adds_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l].saturating_add(b[l]))
    }
    #[inline(always)]
    fn subs_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l].saturating_sub(b[l]))
    }
    #[inline(always)]
    fn min_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l].min(b[l]))
    }
    #[inline(always)]
    fn max_u8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l].max(b[l]))
    }
    #[inline(always)]
    fn and(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l] & b[l])
    }
    #[inline(always)]
    fn or(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l] | b[l])
    }
    #[inline(always)]
    fn xor(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l] ^ b[l])
    }
    #[inline(always)]
    fn and_not(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| !a[l] & b[l])
    }
    #[inline(always)]
    fn xor3(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8 {
        lanes!(u8, |l| a[l] ^ b[l] ^ c[l])
    }
    #[inline(always)]
    fn majority(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8 {
        lanes!(u8, |l| (a[l] & b[l]) | (c[l] & (a[l] | b[l])))
    }
    #[inline(always)]
    fn select(mask: Self::R8, a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| (mask[l] & a[l]) | (!mask[l] & b[l]))
    }
    #[inline(always)]
    fn eq8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| 0u8.wrapping_sub(u8::from(a[l] == b[l])))
    }
    #[inline(always)]
    fn gt_i8(a: Self::R8, b: Self::R8) -> Self::R8 {
        lanes!(u8, |l| 0u8.wrapping_sub(u8::from(a[l] as i8 > b[l] as i8)))
    }
    #[inline(always)]
    fn bits8(row: Self::R8) -> u64 {
        let mut bits = 0;
        let mut l = 0;
        while l < LANES {
            bits |= u64::from(row[l] >> 7) << l;
            l += 1;
        }
        bits
    }
    #[inline(always)]
    fn permute8(row: Self::R8, index: Self::R8) -> Self::R8 {
        lanes!(u8, |l| row[usize::from(index[l] & 63)])
    }
    #[inline(always)]
    fn widen_i8(row: Self::R8) -> Self::R16 {
        lanes!(u16, |l| row[l] as i8 as u16)
    }
    #[inline(always)]
    fn widen_u8(row: Self::R8) -> Self::R16 {
        lanes!(u16, |l| u16::from(row[l]))
    }
    #[inline(always)]
    unsafe fn load16(from: *const u16) -> Self::R16 {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[u16; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store16(to: *mut u16, row: Self::R16) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[u16; LANES]>().write_unaligned(row) }
    }
    #[inline(always)]
    fn splat16(value: u16) -> Self::R16 {
        [value; LANES]
    }
    #[inline(always)]
    fn add16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l].wrapping_add(b[l]))
    }
    #[inline(always)]
    fn sub16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l].wrapping_sub(b[l]))
    }
    #[inline(always)]
    fn adds_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| (a[l] as i16).saturating_add(b[l] as i16) as u16)
    }
    #[inline(always)]
    fn subs_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| (a[l] as i16).saturating_sub(b[l] as i16) as u16)
    }
    #[inline(always)]
    fn adds_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l].saturating_add(b[l]))
    }
    #[inline(always)]
    fn subs_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l].saturating_sub(b[l]))
    }
    #[inline(always)]
    fn mul16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l].wrapping_mul(b[l]))
    }
    #[inline(always)]
    fn mulhi_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| ((u32::from(a[l]) * u32::from(b[l])) >> 16) as u16)
    }
    #[inline(always)]
    fn mulhi_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| ((i32::from(a[l] as i16) * i32::from(b[l] as i16)) >> 16) as u16)
    }
    #[inline(always)]
    fn mulhrs16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| ((i32::from(a[l] as i16) * i32::from(b[l] as i16) + (1 << 14)) >> 15) as u16)
    }
    #[inline(always)]
    fn shl16<const N: i32>(a: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l] << N)
    }
    #[inline(always)]
    fn shr_u16<const N: i32>(a: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l] >> N)
    }
    #[inline(always)]
    fn shr_i16<const N: i32>(a: Self::R16) -> Self::R16 {
        lanes!(u16, |l| ((a[l] as i16) >> N) as u16)
    }
    #[inline(always)]
    fn min_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| (a[l] as i16).min(b[l] as i16) as u16)
    }
    #[inline(always)]
    fn max_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| (a[l] as i16).max(b[l] as i16) as u16)
    }
    #[inline(always)]
    fn min_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l].min(b[l]))
    }
    #[inline(always)]
    fn max_u16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l].max(b[l]))
    }
    #[inline(always)]
    fn and16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l] & b[l])
    }
    #[inline(always)]
    fn or16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l] | b[l])
    }
    #[inline(always)]
    fn xor16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| a[l] ^ b[l])
    }
    #[inline(always)]
    fn select16(mask: Self::R16, a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| (mask[l] & a[l]) | (!mask[l] & b[l]))
    }
    #[inline(always)]
    fn eq16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| 0u16.wrapping_sub(u16::from(a[l] == b[l])))
    }
    #[inline(always)]
    fn gt_i16(a: Self::R16, b: Self::R16) -> Self::R16 {
        lanes!(u16, |l| 0u16.wrapping_sub(u16::from(a[l] as i16 > b[l] as i16)))
    }
    #[inline(always)]
    fn narrow_i16(row: Self::R16) -> Self::R8 {
        lanes!(u8, |l| (row[l] as i16).clamp(-128, 127) as u8)
    }
    #[inline(always)]
    fn widen_i16(row: Self::R16) -> Self::R32 {
        lanes!(i32, |l| i32::from(row[l] as i16))
    }
    #[inline(always)]
    fn widen_u16(row: Self::R16) -> Self::R32 {
        lanes!(i32, |l| i32::from(row[l]))
    }
    #[inline(always)]
    unsafe fn load32(from: *const i32) -> Self::R32 {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[i32; LANES]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store32(to: *mut i32, row: Self::R32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[i32; LANES]>().write_unaligned(row) }
    }
    #[inline(always)]
    fn splat32(value: i32) -> Self::R32 {
        [value; LANES]
    }
    #[inline(always)]
    fn add32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| a[l].wrapping_add(b[l]))
    }
    #[inline(always)]
    fn sub32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| a[l].wrapping_sub(b[l]))
    }
    #[inline(always)]
    fn mul32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| a[l].wrapping_mul(b[l]))
    }
    #[inline(always)]
    fn and32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| a[l] & b[l])
    }
    #[inline(always)]
    fn xor32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| a[l] ^ b[l])
    }
    #[inline(always)]
    fn shl32(a: Self::R32, count: u32) -> Self::R32 {
        lanes!(i32, |l| a[l] << (count & 31))
    }
    #[inline(always)]
    fn shr_u32(a: Self::R32, count: u32) -> Self::R32 {
        lanes!(i32, |l| (a[l] as u32 >> (count & 31)) as i32)
    }
    #[inline(always)]
    fn min_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| a[l].min(b[l]))
    }
    #[inline(always)]
    fn max_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| a[l].max(b[l]))
    }
    #[inline(always)]
    fn gt_i32(a: Self::R32, b: Self::R32) -> Self::R32 {
        lanes!(i32, |l| -i32::from(a[l] > b[l]))
    }
    #[inline(always)]
    fn narrow_i32(row: Self::R32) -> Self::R16 {
        lanes!(u16, |l| row[l].clamp(-32768, 32767) as u16)
    }
    #[inline(always)]
    fn shr_u16_by(a: Self::R16, count: u32) -> Self::R16 {
        lanes!(u16, |l| if count > 15 { 0 } else { a[l] >> count })
    }
    #[inline(always)]
    unsafe fn load_i8_as_16(from: *const u8) -> Self::R16 {
        // SAFETY: the caller's promise.
        let row = unsafe { from.cast::<[i8; LANES]>().read_unaligned() };
        lanes!(u16, |l| i16::from(row[l]) as u16)
    }
    #[inline(always)]
    unsafe fn load_i8_as_32(from: *const u8) -> Self::R32 {
        // SAFETY: the caller's promise.
        let row = unsafe { from.cast::<[i8; LANES]>().read_unaligned() };
        lanes!(i32, |l| i32::from(row[l]))
    }
    type Bits = [u64; 2];
    const BITS_BYTES: usize = 16;
    #[inline(always)]
    unsafe fn bits_load(from: *const u8) -> Self::Bits {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<[u64; 2]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn bits_store(to: *mut u8, bits: Self::Bits) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[u64; 2]>().write_unaligned(bits) }
    }
    #[inline(always)]
    fn bits_and(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        [a[0] & b[0], a[1] & b[1]]
    }
    #[inline(always)]
    fn bits_or(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        [a[0] | b[0], a[1] | b[1]]
    }
    #[inline(always)]
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        [a[0] ^ b[0], a[1] ^ b[1]]
    }
    #[inline(always)]
    fn bits_and_not(a: Self::Bits, b: Self::Bits) -> Self::Bits {
        [!a[0] & b[0], !a[1] & b[1]]
    }
    #[inline(always)]
    fn bits_full_add(a: Self::Bits, b: Self::Bits, c: Self::Bits) -> (Self::Bits, Self::Bits) {
        let half = Self::bits_xor(a, b);
        (Self::bits_xor(half, c), Self::bits_or(Self::bits_and(a, b), Self::bits_and(half, c)))
    }
}
