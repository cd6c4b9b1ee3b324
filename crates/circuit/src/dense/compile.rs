//! From an [`Ising`] problem to rows of couplings that a switch can add to all fields.

use std::sync::Arc;

use hysteron_problem::Ising;

use crate::run::Error;
use crate::simd::LANES;

/// What the chips of a circuit do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Mode {
    /// C: one-flip tabu search; a step is one switch.
    Tabu,
    /// D: Metropolis annealing in a fixed order; a step is one sweep.
    Anneal,
}

/// Row sums of absolute weights below this are simulated in 32 bits.
pub(super) const NARROW_SUM_MAX: i64 = 1 << 26;
/// The bound on row sums of absolute weights.
const WIDE_SUM_MAX: i128 = 1 << 60;
/// Weights up to this may be doubled in 16 bits.
const DOUBLED_I16_MAX: i64 = 16_383;
/// The most bytes that a matrix of all rows may take; larger problems keep lists.
const MATRIX_BYTES_MAX: u64 = 1 << 28;
/// The most bytes that lists of couplings may take.
const LIST_BYTES_MAX: u64 = 1 << 33;
/// A matrix is kept where at least one coupling of this many is there: adding a whole row costs
/// about a quarter of a cycle an element, walking a list about two.
const MATRIX_DENSITY_INVERSE: u64 = 16;

/// The couplings, symmetric, the diagonal zero.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    /// A matrix whose rows are padded to whole blocks.
    I8(Vec<i8>),
    /// The same, absolute values up to 16 383.
    I16(Vec<i16>),
    /// The same.
    I32(Vec<i32>),
    /// Lists of `(neighbour, weight)`.
    List(Lists<i32>),
    /// The same, for weights that need more than 32 bits.
    WideList(Lists<i64>),
}

/// Adjacency lists in one allocation.
#[derive(Clone, Debug)]
pub(super) struct Lists<W> {
    /// One more than there are spins.
    pub offsets: Vec<usize>,
    /// Neighbours, ascending in each list.
    pub targets: Vec<u32>,
    /// One a neighbour.
    pub weights: Vec<W>,
}

/// An Ising problem made ready for the chips of one [`Mode`].
#[derive(Clone, Debug)]
pub struct Circuit {
    mode: Mode,
    spins: u32,
    couplings: u64,
    unit: i64,
    offset: i64,
    sigma_q8: u64,
    pub(super) rows: Arc<Rows>,
    /// The field of each spin when all are up, in units.
    pub(super) up_fields: Arc<[i64]>,
    /// The energy when all are up, in units, without the offset.
    pub(super) up_energy: i64,
}

impl Circuit {
    /// Compiles `ising`. The couplings are kept as a matrix (1, 2 or 4 bytes an entry by the largest
    /// weight) if the problem is dense enough and the matrix fits, else as lists.
    ///
    /// # Errors
    /// [`Error::Range`] when a row's sum of absolute weights, after dividing by the greatest common
    /// divisor of all, reaches 2^60; [`Error::Memory`] when the lists would not fit.
    pub fn compile(ising: &Ising, mode: Mode) -> Result<Self, Error> {
        let n = ising.spins as usize;
        let weights = || ising.couplings.iter().map(|c| c.2).chain(ising.fields.iter().copied());
        let unit = match weights().fold(0, |g, w| gcd(g, w.unsigned_abs())) {
            0 => 1,
            // Only -2^63 could not be a unit, and weights that large are refused below.
            g => i64::try_from(g).unwrap_or(1),
        };
        let mut sums = vec![0i128; n];
        let mut up_fields = vec![0i128; n];
        let mut up_energy = 0i128;
        let mut square_sum = 0u128;
        let mut largest = 0u64;
        for &(i, j, weight) in &ising.couplings {
            let weight = i128::from(weight / unit);
            for spin in [i as usize, j as usize] {
                sums[spin] += weight.abs();
                up_fields[spin] += weight;
            }
            up_energy += weight;
            square_sum = square_sum.saturating_add(2 * weight.unsigned_abs().pow(2).min(1 << 122));
            largest = largest.max(weight.unsigned_abs() as u64);
        }
        for (spin, &field) in ising.fields.iter().enumerate() {
            let field = i128::from(field / unit);
            sums[spin] += field.abs();
            up_fields[spin] += field;
            up_energy += field;
            // A field is a coupling to a spin that is always up.
            square_sum = square_sum.saturating_add(field.unsigned_abs().pow(2).min(1 << 122));
        }
        let sum_max = sums.iter().copied().max().unwrap_or(0);
        if sum_max >= WIDE_SUM_MAX {
            return Err(Error::Range(format!(
                "a row sums to {sum_max} in units of {unit}; dense chips take less than {WIDE_SUM_MAX}"
            )));
        }
        let rows = rows(ising, unit, i64::try_from(largest).unwrap_or(i64::MAX), sum_max)?;
        let mean_square_q16 = (square_sum / n.max(1) as u128).min(1 << 111) << 16;
        Ok(Self {
            mode,
            spins: ising.spins,
            couplings: ising.couplings.len() as u64,
            unit,
            offset: ising.offset,
            sigma_q8: u64::try_from(mean_square_q16.isqrt()).unwrap_or(u64::MAX),
            rows: Arc::new(rows),
            up_fields: up_fields.into_iter().map(|f| f as i64).collect(),
            up_energy: i64::try_from(up_energy)
                .map_err(|_| Error::Range("the energy of a state exceeds 64 bits".into()))?,
        })
    }

    /// The same circuit for chips of another mode; the couplings are shared.
    pub fn for_mode(&self, mode: Mode) -> Self {
        Self { mode, ..self.clone() }
    }
    /// What its chips do.
    pub fn mode(&self) -> Mode {
        self.mode
    }
    /// The number of spins.
    pub fn spins(&self) -> u32 {
        self.spins
    }
    /// The greatest common divisor of all weights: energies of the chips are multiples of it.
    pub fn unit(&self) -> i64 {
        self.unit
    }
    /// The root of the mean row sum of squared weights, in units, Q8: the scale of temperatures.
    pub fn sigma_q8(&self) -> u64 {
        self.sigma_q8
    }
    /// Whether all couplings are kept as a matrix, so that a switch adds a whole row.
    pub fn is_matrix(&self) -> bool {
        matches!(*self.rows, Rows::I8(_) | Rows::I16(_) | Rows::I32(_))
    }
    /// Whether the vector kernels can run it: not where fields need 64 bits, nor where there is nothing.
    pub fn has_kernels(&self) -> bool {
        self.spins > 0 && !matches!(*self.rows, Rows::WideList(_))
    }
    /// The mean number of couplings of a spin, rounded up.
    pub fn mean_degree(&self) -> u64 {
        (2 * self.couplings).div_ceil(u64::from(self.spins).max(1))
    }
    /// Blocks of 64 spins.
    pub(super) fn blocks(&self) -> usize {
        (self.spins as usize).div_ceil(LANES)
    }
    /// The canonical energy of an energy in units.
    pub(super) fn canonical(&self, energy: i64) -> i64 {
        // Checked in i128: both are bounded by what the problem's own energies are bounded by.
        (i128::from(energy) * i128::from(self.unit) + i128::from(self.offset))
            .clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
    /// The work of adding the row of `spin` to all fields, in elementary circuit updates.
    pub(super) fn row_work(&self, spin: usize) -> u64 {
        match &*self.rows {
            Rows::I8(_) | Rows::I16(_) | Rows::I32(_) => u64::from(self.spins),
            Rows::List(lists) => lists.of(spin).len() as u64,
            Rows::WideList(lists) => lists.of(spin).len() as u64,
        }
    }
    /// Calls `visit` with every neighbour of `spin` and the weight of the coupling, in units.
    pub(super) fn for_row(&self, spin: usize, mut visit: impl FnMut(usize, i64)) {
        let n = self.spins as usize;
        let start = spin * self.blocks() * LANES;
        match &*self.rows {
            Rows::I8(m) => {
                m[start..start + n].iter().enumerate().for_each(|(j, &w)| visit(j, i64::from(w)));
            }
            Rows::I16(m) => {
                m[start..start + n].iter().enumerate().for_each(|(j, &w)| visit(j, i64::from(w)));
            }
            Rows::I32(m) => {
                m[start..start + n].iter().enumerate().for_each(|(j, &w)| visit(j, i64::from(w)));
            }
            Rows::List(lists) => {
                for place in lists.of(spin) {
                    visit(lists.targets[place] as usize, i64::from(lists.weights[place]));
                }
            }
            Rows::WideList(lists) => {
                for place in lists.of(spin) {
                    visit(lists.targets[place] as usize, lists.weights[place]);
                }
            }
        }
    }
}

impl<W> Lists<W> {
    /// Where the list of `spin` is.
    #[inline(always)]
    pub fn of(&self, spin: usize) -> std::ops::Range<usize> {
        self.offsets[spin]..self.offsets[spin + 1]
    }
}

fn rows(ising: &Ising, unit: i64, largest: i64, sum_max: i128) -> Result<Rows, Error> {
    let n = u64::from(ising.spins);
    let couplings = ising.couplings.len() as u64;
    if sum_max >= i128::from(NARROW_SUM_MAX) {
        return Ok(Rows::WideList(lists(ising, unit, 12, |w| w)?));
    }
    let bytes = match largest {
        0..=127 => 1,
        128..=DOUBLED_I16_MAX => 2,
        _ => 4,
    };
    let padded = n.div_ceil(LANES as u64) * LANES as u64;
    let is_dense = 2 * couplings >= n * n / MATRIX_DENSITY_INVERSE;
    if !is_dense || n * padded * bytes > MATRIX_BYTES_MAX {
        return Ok(Rows::List(lists(ising, unit, 8, |w| w as i32)?));
    }
    Ok(match bytes {
        1 => Rows::I8(matrix(ising, unit, |w| w as i8)),
        2 => Rows::I16(matrix(ising, unit, |w| w as i16)),
        _ => Rows::I32(matrix(ising, unit, |w| w as i32)),
    })
}

fn matrix<W: Copy + Default>(ising: &Ising, unit: i64, narrow: impl Fn(i64) -> W) -> Vec<W> {
    let stride = (ising.spins as usize).div_ceil(LANES) * LANES;
    let mut matrix = vec![W::default(); ising.spins as usize * stride];
    for &(i, j, weight) in &ising.couplings {
        let weight = narrow(weight / unit);
        matrix[i as usize * stride + j as usize] = weight;
        matrix[j as usize * stride + i as usize] = weight;
    }
    matrix
}

fn lists<W: Copy + Default>(
    ising: &Ising,
    unit: i64,
    bytes: u64,
    narrow: impl Fn(i64) -> W,
) -> Result<Lists<W>, Error> {
    let needed = 2 * ising.couplings.len() as u64 * bytes;
    if needed > LIST_BYTES_MAX {
        return Err(Error::Memory { needed, limit: LIST_BYTES_MAX });
    }
    let mut offsets = vec![0usize; ising.spins as usize + 2];
    for &(i, j, _) in &ising.couplings {
        offsets[i as usize + 2] += 1;
        offsets[j as usize + 2] += 1;
    }
    for k in 2..offsets.len() {
        offsets[k] += offsets[k - 1];
    }
    let mut targets = vec![0u32; 2 * ising.couplings.len()];
    let mut weights = vec![W::default(); 2 * ising.couplings.len()];
    // The couplings come in ascending order, so lower neighbours are placed before higher ones.
    for &(i, j, weight) in &ising.couplings {
        for (from, to) in [(i, j), (j, i)] {
            let place = &mut offsets[from as usize + 1];
            targets[*place] = to;
            weights[*place] = narrow(weight / unit);
            *place += 1;
        }
    }
    offsets.pop();
    Ok(Lists { offsets, targets, weights })
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
