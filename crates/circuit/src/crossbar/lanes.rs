//! The lanes kernels: 64 chips side by side, a row of bytes a spin, 0xff where it is +1 and 0 where it is -1.
//!
//! With `u = 0` or `-1` for spins down and up, `s = -1 - 2 u`, so `g = field - sum J - 2 sum J u`: an addition or
//! subtraction of a row for a unit coupling, an `and` and an addition for a weighted one. Since `x` is an integer,
//! Metropolis's rule needs only the integer part of the threshold, in as few bits as the row's weights need: where all
//! lanes have one temperature, a table of them is computed once for some sweeps and read at the hashed offsets.

use super::Circuit;
use super::circuit::{Class, Weights};
use super::drive::Lanes;
use super::schedule::Thresholds;
use crate::columns::{pack_row, spread};
use crate::dispatch;
use crate::rom::{OFFSET_MASK, ROM_LENGTH, ROM_WRAP, element_hash, exponential_q12};
use crate::simd::{LANES, Level, Simd};

mod bytes;
mod longs;
mod recount;
mod wides;
mod words;

use bytes::{sweep_bytes, sweep_mixed, sweep_unit_bytes, tabulate};
use longs::{sweep_longs, tabulate_longs};
use recount::{recount_longs, recount_units, recount_wides, recount_words};
use wides::sweep_wides;
use words::{sweep_unit_words, sweep_words, tabulate_words};

/// A row of lanes, one cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Row([u8; LANES]);

/// The largest entry of the noise table.
const NOISE_MAX: u16 = 39_748;

/// Entries of a table of thresholds.
const TABLE: usize = ROM_LENGTH + ROM_WRAP;

/// `threshold + 1` for every entry of the noise table, so that a flip is `table > x`.
enum Tables {
    Bytes(Vec<u8>),
    /// For [`Class::UnitWords`]: bytes while no threshold exceeds them, as is usual in sparse graphs with a few long rows.
    Either(Vec<u8>, Vec<u16>),
    Words(Vec<u16>),
    Longs(Vec<i32>),
    Wides(Vec<i64>),
}

/// 64 chips.
pub(super) struct Bank<'a> {
    circuit: &'a Circuit,
    level: Level,
    rows: Vec<Row>,
    /// Scratch of cluster moves: where two lanes differ, and what was reached.
    clusters: Vec<Row>,
    tables: Tables,
    /// What [`Self::tables`] was made for.
    tabulated: Option<(u16, i32)>,
}

impl<'a> Bank<'a> {
    pub fn new(circuit: &'a Circuit, level: Level) -> Self {
        let tables = match circuit.class() {
            Class::UnitBytes | Class::Bytes => Tables::Bytes(vec![0; TABLE]),
            Class::UnitWords => Tables::Either(vec![0; TABLE], vec![0; TABLE]),
            Class::Words => Tables::Words(vec![0; TABLE]),
            Class::Longs => Tables::Longs(vec![0; TABLE]),
            Class::Wides => Tables::Wides(vec![0; TABLE]),
        };
        let rows = vec![Row([0; LANES]); circuit.spins()];
        Self { circuit, level, rows, clusters: Vec::new(), tables, tabulated: None }
    }

    fn tabulate(&mut self, mantissa: u16, shift: i32) {
        if self.tabulated == Some((mantissa, shift)) {
            return;
        }
        self.tabulated = Some((mantissa, shift));
        let most = self.circuit.class().row_max();
        let entry = |noise: u16| threshold(noise, mantissa, shift).min(most) + 1;
        let noise = exponential_q12();
        let level = self.level;
        match &mut self.tables {
            Tables::Bytes(table) | Tables::Either(table, _)
                if (16..32).contains(&shift) && (most < 127 || fits_bytes(mantissa, shift)) =>
            {
                dispatch!(level, tabulate(t: &mut [u8], m: u16, s: i32), table, mantissa, shift);
            }
            // What exceeds bytes is not read, and what is tabulated in bytes is not read in words.
            Tables::Either(_, table) | Tables::Words(table) if (1..32).contains(&shift) => {
                dispatch!(level, tabulate_words(t: &mut [u16], m: u16, s: i32), table, mantissa, shift);
            }
            Tables::Longs(table) if (1..32).contains(&shift) => {
                dispatch!(level, tabulate_longs(t: &mut [i32], m: u16, s: i32), table, mantissa, shift);
            }
            Tables::Bytes(table) => table.iter_mut().zip(noise).for_each(|(t, &r)| *t = entry(r) as u8),
            Tables::Either(bytes, table) => {
                bytes.iter_mut().zip(noise).for_each(|(t, &r)| *t = entry(r).min(127) as u8);
                table.iter_mut().zip(noise).for_each(|(t, &r)| *t = entry(r) as u16);
            }
            Tables::Words(table) => table.iter_mut().zip(noise).for_each(|(t, &r)| *t = entry(r) as u16),
            Tables::Longs(table) => table.iter_mut().zip(noise).for_each(|(t, &r)| *t = entry(r) as i32),
            Tables::Wides(table) => table.iter_mut().zip(noise).for_each(|(t, &r)| *t = entry(r)),
        }
    }
}

/// `min(most, (noise * mantissa) >> shift) + 1` of 64 noise values, for `1 <= shift < 32`.
#[inline(always)]
fn thresholds<S: Simd>(noise: S::R16, mantissa: u16, shift: i32, most: i32) -> S::R32 {
    let product = S::mul32(S::widen_u16(noise), S::splat32(i32::from(mantissa)));
    S::add32(S::min_i32(S::shr_u32(product, shift as u32), S::splat32(most)), S::splat32(1))
}

/// `(noise * mantissa) >> shift`, at most 2^62.
fn threshold(noise: u16, mantissa: u16, shift: i32) -> i64 {
    let product = u64::from(noise) * u64::from(mantissa);
    match shift {
        64.. => 0,
        0.. => (product >> shift) as i64,
        _ if product == 0 => 0,
        _ if product.leading_zeros() as i32 > 1 - shift => (product << -shift) as i64,
        _ => 1 << 62,
    }
}

/// Whether no threshold exceeds the largest row that is summed in bytes.
fn fits_bytes(mantissa: u16, shift: i32) -> bool {
    threshold(NOISE_MAX, mantissa, shift) <= Class::UnitBytes.row_max()
}

/// Where a position's noise begins.
#[inline(always)]
fn offset(key: u64, position: usize) -> usize {
    (element_hash(key, position as u32) & OFFSET_MASK) as usize
}

/// `sum_j J_ij u_j` of a position, in the word `R` of the class.
trait Sum<R> {
    /// Over the couplings `start..end`, which are the row of `position`.
    ///
    /// # Safety
    /// They must be.
    unsafe fn sum(&self, position: usize, start: usize, end: usize) -> R;
}

/// What the sums of all classes read.
struct Couplings<'a, const UNIT: bool> {
    circuit: &'a Circuit,
    rows: *const u8,
}

impl<const UNIT: bool> Couplings<'_, UNIT> {
    /// Where the row of the neighbour of coupling `k` begins.
    ///
    /// # Safety
    /// There must be such a coupling.
    #[inline(always)]
    unsafe fn neighbour(&self, k: usize) -> *const u8 {
        // SAFETY: neighbours are byte offsets of rows.
        unsafe { self.rows.add(*self.circuit.neighbours.get_unchecked(k) as usize) }
    }
    /// The weight of coupling `k`, for the classes that keep 16 bits.
    ///
    /// # Safety
    /// There must be such a coupling, and the class one of those.
    #[inline(always)]
    unsafe fn word(&self, k: usize) -> i16 {
        match &self.circuit.weights {
            // SAFETY: one weight a neighbour.
            Weights::Words(weights) => unsafe { *weights.get_unchecked(k) },
            // SAFETY: the caller's promise.
            _ => unsafe { std::hint::unreachable_unchecked() },
        }
    }
}

/// What the kernels of all classes read and write. The invariants of [`Circuit`] make every access sound: neighbours
/// are below `64 * spins`, offsets below the tables' lengths.
struct Sweep<'a> {
    circuit: &'a Circuit,
    rows: *mut u8,
    key: u64,
    thresholds: &'a Thresholds,
    tables: &'a Tables,
    energies: &'a mut [i64; LANES],
}

impl Lanes for Bank<'_> {
    fn set(&mut self, position: usize, up: u64) {
        self.rows[position] = Row(spread(up));
    }

    fn get(&self, position: usize) -> u64 {
        pack_row(&self.rows[position].0)
    }

    fn sweep(&mut self, key: u64, thresholds: &Thresholds, energies: &mut [i64; LANES]) {
        if thresholds.uniform {
            self.tabulate(thresholds.mantissas[0], thresholds.shift);
        }
        let sweep = Sweep {
            circuit: self.circuit,
            rows: self.rows.as_mut_ptr().cast(),
            key,
            thresholds,
            tables: &self.tables,
            energies,
        };
        match self.circuit.class() {
            Class::UnitBytes => dispatch!(self.level, sweep_unit_bytes(s: Sweep<'_>), sweep),
            Class::Bytes => dispatch!(self.level, sweep_bytes(s: Sweep<'_>), sweep),
            Class::UnitWords
                if thresholds.shift >= 16
                    && thresholds.mantissas.iter().all(|&m| fits_bytes(m, thresholds.shift)) =>
            {
                dispatch!(self.level, sweep_mixed(s: Sweep<'_>), sweep)
            }
            Class::UnitWords => dispatch!(self.level, sweep_unit_words(s: Sweep<'_>), sweep),
            Class::Words => dispatch!(self.level, sweep_words(s: Sweep<'_>), sweep),
            Class::Longs => dispatch!(self.level, sweep_longs(s: Sweep<'_>), sweep),
            Class::Wides => dispatch!(self.level, sweep_wides(s: Sweep<'_>), sweep),
        }
    }

    fn permute(&mut self, source: &[u8; LANES]) {
        dispatch!(self.level, permute(rows: &mut [Row], source: &[u8; LANES]), &mut self.rows, source);
    }

    fn exchange_clusters(
        &mut self,
        partner: &[u8; LANES],
        moving: u64,
        seeds: &[(u32, u64)],
        passes: u32,
    ) -> u64 {
        let n = self.circuit.spins();
        self.clusters.resize(2 * n, Row([0; LANES]));
        let (differs, reached) = self.clusters.split_at_mut(n);
        reached.fill(Row([0; LANES]));
        for &(position, lanes) in seeds {
            let seeded = spread(lanes);
            reached[position as usize].0.iter_mut().zip(seeded).for_each(|(byte, seed)| *byte |= seed);
        }
        let circuit = self.circuit;
        dispatch!(
            self.level,
            clusters(c: &Circuit, rows: &mut [Row], d: &mut [Row], r: &mut [Row], partner: &[u8; LANES], moving: u64, passes: u32) -> u64,
            circuit, &mut self.rows, differs, reached, partner, moving, passes
        )
    }

    fn recount(&self) -> [i64; LANES] {
        let (circuit, rows) = (self.circuit, &self.rows);
        match circuit.class() {
            Class::UnitBytes | Class::UnitWords => {
                dispatch!(self.level, recount_units(c: &Circuit, rows: &[Row]) -> [i64; LANES], circuit, rows)
            }
            Class::Bytes | Class::Words => {
                dispatch!(self.level, recount_words(c: &Circuit, rows: &[Row]) -> [i64; LANES], circuit, rows)
            }
            Class::Longs => {
                dispatch!(self.level, recount_longs(c: &Circuit, rows: &[Row]) -> [i64; LANES], circuit, rows)
            }
            Class::Wides => recount_wides(circuit, rows),
        }
    }
}

#[inline(always)]
fn permute<S: Simd>(rows: &mut [Row], source: &[u8; LANES]) {
    // SAFETY: 64 bytes everywhere.
    unsafe {
        let index = S::load8(source.as_ptr());
        for row in rows {
            S::store8(row.0.as_mut_ptr(), S::permute8(S::load8(row.0.as_ptr()), index));
        }
    }
}

/// One step of growth of a position: what differs there and is reached there or in a neighbour.
#[inline(always)]
fn grown<S: Simd>(circuit: &Circuit, differs: &[Row], reached: &[Row], position: usize) -> S::R8 {
    // SAFETY: rows of 64 bytes; neighbours are below 64 times the number of spins, which is the length of both.
    unsafe {
        let mut any = S::load8(reached[position].0.as_ptr());
        for k in circuit.rows[position] as usize..circuit.rows[position + 1] as usize {
            any = S::or(any, S::load8(reached.as_ptr().cast::<u8>().add(circuit.neighbours[k] as usize)));
        }
        S::and(any, S::load8(differs[position].0.as_ptr()))
    }
}

#[inline(always)]
fn clusters<S: Simd>(
    circuit: &Circuit,
    rows: &mut [Row],
    differs: &mut [Row],
    reached: &mut [Row],
    partner: &[u8; LANES],
    moving: u64,
    passes: u32,
) -> u64 {
    // SAFETY: rows of 64 bytes.
    unsafe {
        let index = S::load8(partner.as_ptr());
        for position in 0..rows.len() {
            let row = S::load8(rows[position].0.as_ptr());
            let d = S::xor(row, S::permute8(row, index));
            S::store8(differs[position].0.as_mut_ptr(), d);
            let seed = S::and(d, S::load8(reached[position].0.as_ptr()));
            S::store8(reached[position].0.as_mut_ptr(), seed);
        }
        for _ in 0..passes {
            for &p in &circuit.by_spin {
                let row = grown::<S>(circuit, differs, reached, p as usize);
                S::store8(reached[p as usize].0.as_mut_ptr(), row);
            }
            for &p in circuit.by_spin.iter().rev() {
                let row = grown::<S>(circuit, differs, reached, p as usize);
                S::store8(reached[p as usize].0.as_mut_ptr(), row);
            }
        }
        let mut open = S::splat8(0);
        for position in 0..rows.len() {
            let row = grown::<S>(circuit, differs, reached, position);
            open = S::or(open, S::xor(row, S::load8(reached[position].0.as_ptr())));
        }
        let moved = moving & !S::bits8(open);
        let mask = S::load8(spread(moved).as_ptr());
        for position in 0..rows.len() {
            let flip = S::and(S::load8(reached[position].0.as_ptr()), mask);
            let row = S::xor(S::load8(rows[position].0.as_ptr()), flip);
            S::store8(rows[position].0.as_mut_ptr(), row);
        }
        moved
    }
}

/// Adds the changes that a stretch of positions made to energies, one 16-bit value a lane: a flip changes by `2 x`.
#[inline(always)]
fn add_changes<S: Simd>(changes: S::R16, energies: &mut [i64; LANES]) {
    let mut values = [0u16; LANES];
    // SAFETY: 64 values.
    unsafe { S::store16(values.as_mut_ptr(), changes) };
    for (energy, &value) in energies.iter_mut().zip(&values) {
        *energy += 2 * i64::from(value as i16);
    }
}
