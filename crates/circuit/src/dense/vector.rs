//! The vector operations of the dense kernels, on blocks of 64 neighbouring spins of *one* chip (the
//! rows of [`crate::simd`] hold one spin of 64 chips instead).

use crate::simd::{LANES, Portable, Simd};

/// An entry of a matrix of couplings.
pub(super) trait Weight: Copy + Into<i32> + 'static {}
impl Weight for i8 {}
impl Weight for i16 {}
impl Weight for i32 {}

/// Operations on one block.
///
/// Spins come as `doubled`: +2 for up, -2 for down, 16 bits. All pointers must be readable (and
/// `gains`, `fields` writable) for 64 elements; no alignment is needed. Entries of the type `i16` are
/// at most 16 383 in absolute value. Sums must not leave 32 bits.
///
/// # Safety
/// As for [`Simd`].
pub(super) unsafe trait Block: Simd {
    /// Maxima of several gains at once.
    type Maxima: Copy;

    /// Less than every gain.
    fn least() -> Self::Maxima;
    /// The maximum in each place.
    fn greater(a: Self::Maxima, b: Self::Maxima) -> Self::Maxima;
    /// The greatest of all places.
    fn greatest(maxima: Self::Maxima) -> i32;
    /// Whether `value` is in a place.
    fn contains(maxima: Self::Maxima, value: i32) -> bool;

    /// `gains[j] -= row[j] * doubled[j] * turn`; returns their maxima.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn turn<W: Weight>(gains: *mut i32, row: *const W, doubled: *const i16, turn: i16)
    -> Self::Maxima;
    /// The maxima of `gains`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn scan(gains: *const i32) -> Self::Maxima;
    /// Which gains equal `value`, the first in bit 0.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn equal(gains: *const i32, value: i32) -> u64;
    /// `fields[j] += row[j] * factor`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn add<W: Weight>(fields: *mut i32, row: *const W, factor: i16);
    /// Which spins switch: bit `j` iff `-s_j fields[j] <= min(noise[j] * mantissa >> shift, 2^29)`,
    /// with `mantissa < 2^15` and `1 <= shift < 32`.
    ///
    /// # Safety
    /// See the trait.
    unsafe fn accept(
        fields: *const i32,
        doubled: *const i16,
        noise: *const u16,
        mantissa: i32,
        shift: i32,
    ) -> u64;
}

/// The cap on thresholds: above every narrow field, and such that sums stay in 32 bits.
const THRESHOLD_MAX: i32 = 1 << 29;

// SAFETY: plain Rust runs everywhere.
unsafe impl Block for Portable {
    type Maxima = [i32; 8];

    #[inline(always)]
    fn least() -> Self::Maxima {
        [i32::MIN; 8]
    }
    #[inline(always)]
    fn greater(a: Self::Maxima, b: Self::Maxima) -> Self::Maxima {
        std::array::from_fn(|k| a[k].max(b[k]))
    }
    #[inline(always)]
    fn greatest(maxima: Self::Maxima) -> i32 {
        maxima.iter().fold(i32::MIN, |m, &v| m.max(v))
    }
    #[inline(always)]
    fn contains(maxima: Self::Maxima, value: i32) -> bool {
        maxima.contains(&value)
    }
    #[inline(always)]
    unsafe fn turn<W: Weight>(
        gains: *mut i32,
        row: *const W,
        doubled: *const i16,
        turn: i16,
    ) -> Self::Maxima {
        // SAFETY: the caller's promise.
        let (gains, row, doubled) = unsafe {
            (
                &mut *gains.cast::<[i32; LANES]>(),
                &*row.cast::<[W; LANES]>(),
                doubled.cast::<[i16; LANES]>().read_unaligned(),
            )
        };
        let mut maxima = Self::least();
        for k in 0..LANES {
            let weight: i32 = row[k].into();
            gains[k] -= weight * i32::from(doubled[k] * turn);
            maxima[k % 8] = maxima[k % 8].max(gains[k]);
        }
        maxima
    }
    #[inline(always)]
    unsafe fn scan(gains: *const i32) -> Self::Maxima {
        // SAFETY: the caller's promise.
        let gains = unsafe { &*gains.cast::<[i32; LANES]>() };
        let mut maxima = Self::least();
        for k in 0..LANES {
            maxima[k % 8] = maxima[k % 8].max(gains[k]);
        }
        maxima
    }
    #[inline(always)]
    unsafe fn equal(gains: *const i32, value: i32) -> u64 {
        // SAFETY: the caller's promise.
        let gains = unsafe { &*gains.cast::<[i32; LANES]>() };
        (0..LANES).fold(0, |bits, k| bits | u64::from(gains[k] == value) << k)
    }
    #[inline(always)]
    unsafe fn add<W: Weight>(fields: *mut i32, row: *const W, factor: i16) {
        // SAFETY: the caller's promise.
        let (fields, row) = unsafe { (&mut *fields.cast::<[i32; LANES]>(), &*row.cast::<[W; LANES]>()) };
        for k in 0..LANES {
            let weight: i32 = row[k].into();
            fields[k] += weight * i32::from(factor);
        }
    }
    #[inline(always)]
    unsafe fn accept(
        fields: *const i32,
        doubled: *const i16,
        noise: *const u16,
        mantissa: i32,
        shift: i32,
    ) -> u64 {
        // SAFETY: the caller's promise.
        let (fields, doubled, noise) = unsafe {
            (
                &*fields.cast::<[i32; LANES]>(),
                &*doubled.cast::<[i16; LANES]>(),
                &*noise.cast::<[u16; LANES]>(),
            )
        };
        (0..LANES).fold(0, |bits, k| {
            let gain = if doubled[k] > 0 { fields[k] } else { -fields[k] };
            let threshold = (i32::from(noise[k]) * mantissa >> shift).min(THRESHOLD_MAX);
            bits | u64::from(gain + threshold >= 0) << k
        })
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Block, THRESHOLD_MAX, Weight};
    use crate::simd::{Avx2, Avx512};

    /// `row[0..16] * factors`, where factors are 16 values of 16 bits: two registers of 32 bits.
    ///
    /// # Safety
    /// AVX2; `row` readable for 16 elements.
    #[inline(always)]
    unsafe fn products_256<W: Weight>(row: *const W, factors: __m256i) -> (__m256i, __m256i) {
        // SAFETY: the caller's promise.
        unsafe {
            let narrow = match size_of::<W>() {
                1 => _mm256_cvtepi8_epi16(_mm_loadu_si128(row.cast())),
                2 => _mm256_loadu_si256(row.cast()),
                _ => {
                    let low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(factors));
                    let high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256::<1>(factors));
                    let row = row.cast::<__m256i>();
                    return (
                        _mm256_mullo_epi32(_mm256_loadu_si256(row), low),
                        _mm256_mullo_epi32(_mm256_loadu_si256(row.add(1)), high),
                    );
                }
            };
            let products = _mm256_mullo_epi16(narrow, factors);
            (
                _mm256_cvtepi16_epi32(_mm256_castsi256_si128(products)),
                _mm256_cvtepi16_epi32(_mm256_extracti128_si256::<1>(products)),
            )
        }
    }

    /// The same for 32 elements.
    ///
    /// # Safety
    /// AVX-512 F and BW; `row` readable for 32 elements.
    #[inline(always)]
    unsafe fn products_512<W: Weight>(row: *const W, factors: __m512i) -> (__m512i, __m512i) {
        // SAFETY: the caller's promise.
        unsafe {
            let narrow = match size_of::<W>() {
                1 => _mm512_cvtepi8_epi16(_mm256_loadu_si256(row.cast())),
                2 => _mm512_loadu_si512(row.cast()),
                _ => {
                    let low = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(factors));
                    let high = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64::<1>(factors));
                    let row = row.cast::<__m512i>();
                    return (
                        _mm512_mullo_epi32(_mm512_loadu_si512(row), low),
                        _mm512_mullo_epi32(_mm512_loadu_si512(row.add(1)), high),
                    );
                }
            };
            let products = _mm512_mullo_epi16(narrow, factors);
            (
                _mm512_cvtepi16_epi32(_mm512_castsi512_si256(products)),
                _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64::<1>(products)),
            )
        }
    }

    // SAFETY: the methods use only the instructions that the type's name promises.
    unsafe impl Block for Avx2 {
        type Maxima = __m256i;

        #[inline(always)]
        fn least() -> Self::Maxima {
            // SAFETY: this backend is handed out only where its instructions exist; so below.
            unsafe { _mm256_set1_epi32(i32::MIN) }
        }
        #[inline(always)]
        fn greater(a: Self::Maxima, b: Self::Maxima) -> Self::Maxima {
            // SAFETY: as above.
            unsafe { _mm256_max_epi32(a, b) }
        }
        #[inline(always)]
        fn greatest(maxima: Self::Maxima) -> i32 {
            // SAFETY: as above.
            unsafe {
                let four =
                    _mm_max_epi32(_mm256_castsi256_si128(maxima), _mm256_extracti128_si256::<1>(maxima));
                let two = _mm_max_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
                _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
            }
        }
        #[inline(always)]
        fn contains(maxima: Self::Maxima, value: i32) -> bool {
            // SAFETY: as above.
            unsafe { _mm256_movemask_epi8(_mm256_cmpeq_epi32(maxima, _mm256_set1_epi32(value))) != 0 }
        }
        #[inline(always)]
        unsafe fn turn<W: Weight>(
            gains: *mut i32,
            row: *const W,
            doubled: *const i16,
            turn: i16,
        ) -> Self::Maxima {
            // SAFETY: the caller's promise.
            unsafe {
                let turn = _mm256_set1_epi16(turn);
                let mut maxima = [Self::least(); 2];
                let mut k = 0;
                while k < 64 {
                    let factors = _mm256_mullo_epi16(_mm256_loadu_si256(doubled.add(k).cast()), turn);
                    let (low, high) = products_256(row.add(k), factors);
                    let place = gains.add(k).cast::<__m256i>();
                    let low = _mm256_sub_epi32(_mm256_loadu_si256(place), low);
                    let high = _mm256_sub_epi32(_mm256_loadu_si256(place.add(1)), high);
                    _mm256_storeu_si256(place, low);
                    _mm256_storeu_si256(place.add(1), high);
                    maxima = [_mm256_max_epi32(maxima[0], low), _mm256_max_epi32(maxima[1], high)];
                    k += 16;
                }
                _mm256_max_epi32(maxima[0], maxima[1])
            }
        }
        #[inline(always)]
        unsafe fn scan(gains: *const i32) -> Self::Maxima {
            // SAFETY: the caller's promise.
            unsafe {
                let mut maxima = [Self::least(); 2];
                let mut k = 0;
                while k < 64 {
                    let place = gains.add(k).cast::<__m256i>();
                    maxima[0] = _mm256_max_epi32(maxima[0], _mm256_loadu_si256(place));
                    maxima[1] = _mm256_max_epi32(maxima[1], _mm256_loadu_si256(place.add(1)));
                    k += 16;
                }
                _mm256_max_epi32(maxima[0], maxima[1])
            }
        }
        #[inline(always)]
        unsafe fn equal(gains: *const i32, value: i32) -> u64 {
            // SAFETY: the caller's promise.
            unsafe {
                let value = _mm256_set1_epi32(value);
                let mut bits = 0;
                let mut k = 0;
                while k < 64 {
                    let equal = _mm256_cmpeq_epi32(_mm256_loadu_si256(gains.add(k).cast()), value);
                    bits |= (_mm256_movemask_ps(_mm256_castsi256_ps(equal)) as u64) << k;
                    k += 8;
                }
                bits
            }
        }
        #[inline(always)]
        unsafe fn add<W: Weight>(fields: *mut i32, row: *const W, factor: i16) {
            // SAFETY: the caller's promise.
            unsafe {
                let factor = _mm256_set1_epi16(factor);
                let mut k = 0;
                while k < 64 {
                    let (low, high) = products_256(row.add(k), factor);
                    let place = fields.add(k).cast::<__m256i>();
                    _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), low));
                    let place = place.add(1);
                    _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), high));
                    k += 16;
                }
            }
        }
        #[inline(always)]
        unsafe fn accept(
            fields: *const i32,
            doubled: *const i16,
            noise: *const u16,
            mantissa: i32,
            shift: i32,
        ) -> u64 {
            // SAFETY: the caller's promise.
            unsafe {
                let mantissa = _mm256_set1_epi32(mantissa);
                let shift = _mm_cvtsi32_si128(shift);
                let cap = _mm256_set1_epi32(THRESHOLD_MAX);
                let mut refused = 0;
                let mut k = 0;
                while k < 64 {
                    let noise = _mm256_cvtepu16_epi32(_mm_loadu_si128(noise.add(k).cast()));
                    let threshold =
                        _mm256_min_epi32(_mm256_sra_epi32(_mm256_mullo_epi32(noise, mantissa), shift), cap);
                    let spins = _mm256_cvtepi16_epi32(_mm_loadu_si128(doubled.add(k).cast()));
                    let gains = _mm256_sign_epi32(_mm256_loadu_si256(fields.add(k).cast()), spins);
                    let sum = _mm256_add_epi32(gains, threshold);
                    refused |= (_mm256_movemask_ps(_mm256_castsi256_ps(sum)) as u64) << k;
                    k += 8;
                }
                !refused
            }
        }
    }

    // SAFETY: the methods use only the instructions that the type's name promises.
    unsafe impl Block for Avx512 {
        type Maxima = __m512i;

        #[inline(always)]
        fn least() -> Self::Maxima {
            // SAFETY: this backend is handed out only where its instructions exist; so below.
            unsafe { _mm512_set1_epi32(i32::MIN) }
        }
        #[inline(always)]
        fn greater(a: Self::Maxima, b: Self::Maxima) -> Self::Maxima {
            // SAFETY: as above.
            unsafe { _mm512_max_epi32(a, b) }
        }
        #[inline(always)]
        fn greatest(maxima: Self::Maxima) -> i32 {
            // SAFETY: as above.
            unsafe { _mm512_reduce_max_epi32(maxima) }
        }
        #[inline(always)]
        fn contains(maxima: Self::Maxima, value: i32) -> bool {
            // SAFETY: as above.
            unsafe { _mm512_cmpeq_epi32_mask(maxima, _mm512_set1_epi32(value)) != 0 }
        }
        #[inline(always)]
        unsafe fn turn<W: Weight>(
            gains: *mut i32,
            row: *const W,
            doubled: *const i16,
            turn: i16,
        ) -> Self::Maxima {
            // SAFETY: the caller's promise.
            unsafe {
                let turn = _mm512_set1_epi16(turn);
                let mut maxima = [Self::least(); 2];
                let mut k = 0;
                while k < 64 {
                    let factors = _mm512_mullo_epi16(_mm512_loadu_si512(doubled.add(k).cast()), turn);
                    let (low, high) = products_512(row.add(k), factors);
                    let place = gains.add(k).cast::<__m512i>();
                    let low = _mm512_sub_epi32(_mm512_loadu_si512(place), low);
                    let high = _mm512_sub_epi32(_mm512_loadu_si512(place.add(1)), high);
                    _mm512_storeu_si512(place, low);
                    _mm512_storeu_si512(place.add(1), high);
                    maxima = [_mm512_max_epi32(maxima[0], low), _mm512_max_epi32(maxima[1], high)];
                    k += 32;
                }
                _mm512_max_epi32(maxima[0], maxima[1])
            }
        }
        #[inline(always)]
        unsafe fn scan(gains: *const i32) -> Self::Maxima {
            // SAFETY: the caller's promise.
            unsafe {
                let mut maxima = [Self::least(); 2];
                let mut k = 0;
                while k < 64 {
                    let place = gains.add(k).cast::<__m512i>();
                    maxima[0] = _mm512_max_epi32(maxima[0], _mm512_loadu_si512(place));
                    maxima[1] = _mm512_max_epi32(maxima[1], _mm512_loadu_si512(place.add(1)));
                    k += 32;
                }
                _mm512_max_epi32(maxima[0], maxima[1])
            }
        }
        #[inline(always)]
        unsafe fn equal(gains: *const i32, value: i32) -> u64 {
            // SAFETY: the caller's promise.
            unsafe {
                let value = _mm512_set1_epi32(value);
                let mut bits = 0;
                let mut k = 0;
                while k < 64 {
                    let equal = _mm512_cmpeq_epi32_mask(_mm512_loadu_si512(gains.add(k).cast()), value);
                    bits |= u64::from(equal) << k;
                    k += 16;
                }
                bits
            }
        }
        #[inline(always)]
        unsafe fn add<W: Weight>(fields: *mut i32, row: *const W, factor: i16) {
            // SAFETY: the caller's promise.
            unsafe {
                let factor = _mm512_set1_epi16(factor);
                let mut k = 0;
                while k < 64 {
                    let (low, high) = products_512(row.add(k), factor);
                    let place = fields.add(k).cast::<__m512i>();
                    _mm512_storeu_si512(place, _mm512_add_epi32(_mm512_loadu_si512(place), low));
                    let place = place.add(1);
                    _mm512_storeu_si512(place, _mm512_add_epi32(_mm512_loadu_si512(place), high));
                    k += 32;
                }
            }
        }
        #[inline(always)]
        unsafe fn accept(
            fields: *const i32,
            doubled: *const i16,
            noise: *const u16,
            mantissa: i32,
            shift: i32,
        ) -> u64 {
            // SAFETY: the caller's promise.
            unsafe {
                let mantissa = _mm512_set1_epi32(mantissa);
                let shift = _mm_cvtsi32_si128(shift);
                let cap = _mm512_set1_epi32(THRESHOLD_MAX);
                let zero = _mm512_setzero_si512();
                let mut refused = 0;
                let mut k = 0;
                while k < 64 {
                    let noise = _mm512_cvtepu16_epi32(_mm256_loadu_si256(noise.add(k).cast()));
                    let threshold =
                        _mm512_min_epi32(_mm512_sra_epi32(_mm512_mullo_epi32(noise, mantissa), shift), cap);
                    let down = _mm256_movepi16_mask(_mm256_loadu_si256(doubled.add(k).cast()));
                    let fields = _mm512_loadu_si512(fields.add(k).cast());
                    let gains = _mm512_mask_sub_epi32(fields, down, zero, fields);
                    let sum = _mm512_add_epi32(gains, threshold);
                    refused |= u64::from(_mm512_movepi32_mask(sum)) << k;
                    k += 16;
                }
                !refused
            }
        }
    }
}
