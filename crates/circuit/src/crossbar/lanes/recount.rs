//! Energies counted anew: the sweeps' arithmetic without flips, half of what every spin's couplings and twice its field say.

use super::longs;
use super::words::Words;
use super::{Circuit, Couplings, Row, Sum};
use crate::crossbar::circuit::Weights;
use crate::simd::{LANES, Simd};

/// Unit couplings.
#[inline(always)]
pub(super) fn recount_units<S: Simd>(circuit: &Circuit, rows: &[Row]) -> [i64; LANES] {
    count_words::<S, true>(circuit, rows)
}

/// Weights of 16 bits.
#[inline(always)]
pub(super) fn recount_words<S: Simd>(circuit: &Circuit, rows: &[Row]) -> [i64; LANES] {
    count_words::<S, false>(circuit, rows)
}

/// Sums in 16 bits.
#[inline(always)]
fn count_words<S: Simd, const UNIT: bool>(circuit: &Circuit, rows: &[Row]) -> [i64; LANES] {
    let couplings = Couplings::<UNIT> { circuit, rows: rows.as_ptr().cast() };
    let words = Words::<S, UNIT>::new(&couplings);
    // SAFETY: these are the couplings of the position.
    count::<S>(circuit, rows, |position, start, end| S::widen_i16(unsafe { words.sum(position, start, end) }))
}

/// Weights of 32 bits.
#[inline(always)]
pub(super) fn recount_longs<S: Simd>(circuit: &Circuit, rows: &[Row]) -> [i64; LANES] {
    let Weights::Longs(weights) = &circuit.weights else {
        unreachable!("the class says what the weights are")
    };
    let bytes = rows.as_ptr().cast();
    // SAFETY: these are the couplings of a position, its bank's rows, and the circuit's weights.
    count::<S>(circuit, rows, |_, start, end| unsafe { longs::sum::<S>(circuit, weights, bytes, start, end) })
}

/// Positions whose terms are summed in 32 bits: twice a row of less than 2^27 each.
const STRETCH: usize = 7;

/// Of all positions, with `sum(position, start, end)` of the couplings' weights over neighbours that are +1, negated.
#[inline(always)]
fn count<S: Simd>(
    circuit: &Circuit,
    rows: &[Row],
    sum: impl Fn(usize, usize, usize) -> S::R32,
) -> [i64; LANES] {
    assert_eq!(rows.len(), circuit.spins());
    let mut energies = [0i64; LANES];
    for first in (0..rows.len()).step_by(STRETCH) {
        let mut terms = S::splat32(0);
        for position in first..rows.len().min(first + STRETCH) {
            let (start, end) = (circuit.rows[position] as usize, circuit.rows[position + 1] as usize);
            let sum = sum(position, start, end);
            let base = S::splat32((circuit.fields[position] + circuit.bases[position]) as i32);
            let local = S::sub32(base, S::add32(sum, sum));
            // Taken as it is where the spin is +1, negated where it is -1.
            // SAFETY: a row of 64 bytes.
            let down = S::xor32(unsafe { S::load_i8_as_32(rows[position].0.as_ptr()) }, S::splat32(-1));
            terms = S::add32(terms, S::sub32(S::xor32(local, down), down));
        }
        let mut values = [0i32; LANES];
        // SAFETY: 64 values.
        unsafe { S::store32(values.as_mut_ptr(), terms) };
        energies.iter_mut().zip(values).for_each(|(energy, value)| *energy += i64::from(value));
    }
    energies.map(|energy| energy / 2)
}

/// Weights of 64 bits.
pub(super) fn recount_wides(circuit: &Circuit, rows: &[Row]) -> [i64; LANES] {
    let mut energies = [0; LANES];
    let mut sums = [0i64; LANES];
    for position in 0..circuit.spins() {
        sums.fill(circuit.fields[position] + circuit.bases[position]);
        for k in circuit.rows[position] as usize..circuit.rows[position + 1] as usize {
            let weight = circuit.weight(position, k);
            let row = &rows[circuit.neighbours[k] as usize / LANES].0;
            for (sum, &u) in sums.iter_mut().zip(row) {
                *sum -= 2 * weight * i64::from(u as i8);
            }
        }
        for ((energy, &sum), &u) in energies.iter_mut().zip(&sums).zip(&rows[position].0) {
            *energy += if u == 0 { -sum } else { sum };
        }
    }
    energies.map(|energy| energy / 2)
}
