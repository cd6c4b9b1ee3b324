//! Sixty-four lanes: the vector operations that the kernels are written in.
//!
//! A kernel is a function generic over [`Simd`] and marked `#[inline(always)]`; a thin wrapper with
//! `#[target_feature]` instantiates it for an instruction set, and [`Level::detect`] chooses at run
//! time. [`Portable`] is plain Rust on arrays: it defines what every operation means, and is what
//! runs where neither AVX-512 nor AVX2 exists (LLVM turns it into NEON on 64-bit Arm).
//!
//! All rows have 64 lanes whatever the register width, so that chips are the same everywhere:
//! [`Simd::R8`] is one cache line, [`Simd::R16`] two, [`Simd::R32`] four.

pub mod native;
mod portable;
mod self_check;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use native::Native;
pub use portable::Portable;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// Lanes of a row.
pub const LANES: usize = 64;

/// An instruction set that kernels can be instantiated for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust.
    Portable,
    /// x86-64 with AVX2 and what came with it.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL, DQ and VBMI.
    Avx512,
}

impl Level {
    /// The levels that this machine can run, slowest first.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt") {
                levels.push(Self::Avx2);
            }
            if levels.contains(&Self::Avx2)
                && std::arch::is_x86_feature_detected!("avx512f")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx512vl")
                && std::arch::is_x86_feature_detected!("avx512dq")
                && std::arch::is_x86_feature_detected!("avx512vbmi")
            {
                levels.push(Self::Avx512);
            }
        }
        levels
    }

    /// The fastest level that this machine can run and that gives the bits of [`Portable`] on it: levels above
    /// AVX2, which the build machines lack, are checked operation by operation when first asked for.
    pub fn detect() -> Self {
        static DETECTED: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
        *DETECTED.get_or_init(|| {
            let fastest_first = Self::available().into_iter().rev();
            let trusted = |level: &Level| *level <= Self::Avx2 || self_check::agrees(*level);
            fastest_first.into_iter().find(trusted).unwrap_or(Self::Portable)
        })
    }

    /// The name, as the command line and the benchmarks print it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// Vector operations on rows of 64 lanes. Lane `l` of a result depends on lane `l` of the
/// arguments alone, except in [`Simd::permute8`] and the bit masks. Comparisons give all ones or
/// zero in each lane. Arithmetic wraps unless the name says otherwise.
///
/// # Safety
/// A type that implements this may be used only on a machine that has its instructions; the
/// methods are safe to call because only [`dispatch!`](crate::dispatch) hands out the types.
pub unsafe trait Simd: Copy + Send + Sync + 'static {
    /// 64 lanes of 8 bits (also 512 plain bits).
    type R8: Copy;
    /// 64 lanes of 16 bits.
    type R16: Copy;
    /// 64 lanes of 32 bits.
    type R32: Copy;

    /// Loads 64 bytes from the start of `from`.
    ///
    /// # Safety
    /// `from` must be readable for 64 bytes; no alignment is needed.
    unsafe fn load8(from: *const u8) -> Self::R8;
    /// Stores 64 bytes.
    ///
    /// # Safety
    /// `to` must be writable for 64 bytes; no alignment is needed.
    unsafe fn store8(to: *mut u8, row: Self::R8);
    /// Every lane `value`.
    fn splat8(value: u8) -> Self::R8;
    /// `a + b`.
    fn add8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// `a - b`.
    fn sub8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// Unsigned saturating `a + b`.
    fn adds_u8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// Unsigned saturating `a - b`.
    fn subs_u8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// Unsigned minimum.
    fn min_u8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// Unsigned maximum.
    fn max_u8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// `a & b`.
    fn and(a: Self::R8, b: Self::R8) -> Self::R8;
    /// `a | b`.
    fn or(a: Self::R8, b: Self::R8) -> Self::R8;
    /// `a ^ b`.
    fn xor(a: Self::R8, b: Self::R8) -> Self::R8;
    /// `!a & b`.
    fn and_not(a: Self::R8, b: Self::R8) -> Self::R8;
    /// `a ^ b ^ c`, the sum bit of a full adder.
    fn xor3(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8;
    /// The majority of each bit, the carry of a full adder.
    fn majority(a: Self::R8, b: Self::R8, c: Self::R8) -> Self::R8;
    /// `mask ? a : b` for each bit.
    fn select(mask: Self::R8, a: Self::R8, b: Self::R8) -> Self::R8;
    /// `a == b`.
    fn eq8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// Signed `a > b`.
    fn gt_i8(a: Self::R8, b: Self::R8) -> Self::R8;
    /// The top bit of each lane, lane 0 in bit 0.
    fn bits8(row: Self::R8) -> u64;
    /// Lane `l` of the result is lane `index[l] & 63` of `row`.
    fn permute8(row: Self::R8, index: Self::R8) -> Self::R8;
    /// Each lane sign-extended.
    fn widen_i8(row: Self::R8) -> Self::R16;
    /// Each lane zero-extended.
    fn widen_u8(row: Self::R8) -> Self::R16;

    /// Loads 64 16-bit values.
    ///
    /// # Safety
    /// `from` must be readable for 128 bytes; no alignment is needed.
    unsafe fn load16(from: *const u16) -> Self::R16;
    /// Stores 64 16-bit values.
    ///
    /// # Safety
    /// `to` must be writable for 128 bytes; no alignment is needed.
    unsafe fn store16(to: *mut u16, row: Self::R16);
    /// Every lane `value`.
    fn splat16(value: u16) -> Self::R16;
    /// `a + b`.
    fn add16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `a - b`.
    fn sub16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Signed saturating `a + b`.
    fn adds_i16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Signed saturating `a - b`.
    fn subs_i16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Unsigned saturating `a + b`.
    fn adds_u16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Unsigned saturating `a - b`.
    fn subs_u16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// The low 16 bits of `a * b`.
    fn mul16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `(a * b) >> 16`, unsigned.
    fn mulhi_u16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `(a * b) >> 16`, signed.
    fn mulhi_i16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `(a * b + 2^14) >> 15`, signed (`-32768 * -32768` wraps to `-32768`).
    fn mulhrs16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `a << N`.
    fn shl16<const N: i32>(a: Self::R16) -> Self::R16;
    /// `a >> N`, unsigned.
    fn shr_u16<const N: i32>(a: Self::R16) -> Self::R16;
    /// `a >> N`, signed.
    fn shr_i16<const N: i32>(a: Self::R16) -> Self::R16;
    /// Signed minimum.
    fn min_i16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Signed maximum.
    fn max_i16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Unsigned minimum.
    fn min_u16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Unsigned maximum.
    fn max_u16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `a & b`.
    fn and16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `a | b`.
    fn or16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `a ^ b`.
    fn xor16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// `mask ? a : b` for each bit.
    fn select16(mask: Self::R16, a: Self::R16, b: Self::R16) -> Self::R16;
    /// `a == b`.
    fn eq16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Signed `a > b`.
    fn gt_i16(a: Self::R16, b: Self::R16) -> Self::R16;
    /// Each lane, saturated to -128..=127; masks stay masks.
    fn narrow_i16(row: Self::R16) -> Self::R8;
    /// Each lane sign-extended.
    fn widen_i16(row: Self::R16) -> Self::R32;
    /// Each lane zero-extended.
    fn widen_u16(row: Self::R16) -> Self::R32;

    /// Loads 64 32-bit values.
    ///
    /// # Safety
    /// `from` must be readable for 256 bytes; no alignment is needed.
    unsafe fn load32(from: *const i32) -> Self::R32;
    /// Stores 64 32-bit values.
    ///
    /// # Safety
    /// `to` must be writable for 256 bytes; no alignment is needed.
    unsafe fn store32(to: *mut i32, row: Self::R32);
    /// Every lane `value`.
    fn splat32(value: i32) -> Self::R32;
    /// `a + b`.
    fn add32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// `a + value` where `mask` is all ones, `a` where it is 0.
    #[inline(always)]
    fn add32_where(a: Self::R32, mask: Self::R8, value: i32) -> Self::R32 {
        let mask = Self::widen_i16(Self::widen_i8(mask));
        Self::add32(a, Self::and32(mask, Self::splat32(value)))
    }
    /// `a - b`.
    fn sub32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// The low 32 bits of `a * b`.
    fn mul32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// `a & b`.
    fn and32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// `a ^ b`.
    fn xor32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// `a << count` for all lanes, `count < 32`.
    fn shl32(a: Self::R32, count: u32) -> Self::R32;
    /// `a >> count` for all lanes, unsigned, `count < 32`.
    fn shr_u32(a: Self::R32, count: u32) -> Self::R32;
    /// Signed minimum.
    fn min_i32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// Signed maximum.
    fn max_i32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// Signed `a > b`.
    fn gt_i32(a: Self::R32, b: Self::R32) -> Self::R32;
    /// Each lane, saturated to 16 bits signed; masks stay masks.
    fn narrow_i32(row: Self::R32) -> Self::R16;
    /// `a >> count` for all lanes, unsigned; 0 for `count > 15`.
    fn shr_u16_by(a: Self::R16, count: u32) -> Self::R16;
    /// Loads 64 bytes, each sign-extended to 16 bits.
    ///
    /// # Safety
    /// `from` must be readable for 64 bytes; no alignment is needed.
    unsafe fn load_i8_as_16(from: *const u8) -> Self::R16;
    /// Loads 64 bytes, each sign-extended to 32 bits.
    ///
    /// # Safety
    /// `from` must be readable for 64 bytes; no alignment is needed.
    unsafe fn load_i8_as_32(from: *const u8) -> Self::R32;

    /// One register of plain bits: [`Simd::BITS_BYTES`] consecutive bytes of a 64-byte row. For
    /// kernels whose lanes are bits, with more values alive than whole rows would leave registers for.
    type Bits: Copy;
    /// Bytes of a [`Simd::Bits`]; divides 64.
    const BITS_BYTES: usize;
    /// Loads [`Simd::BITS_BYTES`] bytes.
    ///
    /// # Safety
    /// `from` must be readable for as many bytes; no alignment is needed.
    unsafe fn bits_load(from: *const u8) -> Self::Bits;
    /// Stores [`Simd::BITS_BYTES`] bytes.
    ///
    /// # Safety
    /// `to` must be writable for as many bytes; no alignment is needed.
    unsafe fn bits_store(to: *mut u8, bits: Self::Bits);
    /// `a & b`.
    fn bits_and(a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// `a | b`.
    fn bits_or(a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// `a ^ b`.
    fn bits_xor(a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// `!a & b`.
    fn bits_and_not(a: Self::Bits, b: Self::Bits) -> Self::Bits;
    /// `(a ^ b ^ c, majority)`: a full adder's sum and carry.
    fn bits_full_add(a: Self::Bits, b: Self::Bits, c: Self::Bits) -> (Self::Bits, Self::Bits);
}

/// Calls a kernel for a [`Level`]: `dispatch!(level, kernel(name: Type, …) -> Result, value, …)`
/// where `kernel` is `#[inline(always)] fn kernel<S: Simd>(name: Type, …) -> Result`.
///
/// The wrapper functions carry the `#[target_feature]` attributes; without them the kernel's
/// intrinsics could not be inlined and would be function calls.
#[macro_export]
macro_rules! dispatch {
    ($level:expr, $kernel:ident($($argument:ident : $type:ty),* $(,)?) $(-> $result:ty)?, $($value:expr),* $(,)?) => {{
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,bmi1,bmi2,popcnt,lzcnt,fma")]
        fn with_avx2($($argument: $type),*) $(-> $result)? {
            $kernel::<$crate::simd::Avx2>($($argument),*)
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx2,bmi1,bmi2,popcnt,lzcnt,fma")]
        fn with_avx512($($argument: $type),*) $(-> $result)? {
            $kernel::<$crate::simd::Avx512>($($argument),*)
        }
        match $level {
            $crate::simd::Level::Portable => $kernel::<$crate::simd::Portable>($($value),*),
            // SAFETY: a Level above Portable is made by detection alone.
            #[cfg(target_arch = "x86_64")]
            $crate::simd::Level::Avx2 => unsafe { with_avx2($($value),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            $crate::simd::Level::Avx512 => unsafe { with_avx512($($value),*) },
            #[cfg(not(target_arch = "x86_64"))]
            _ => $kernel::<$crate::simd::Portable>($($value),*),
        }
    }};
}
