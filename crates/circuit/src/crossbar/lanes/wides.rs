//! Rows below 2^62: plain loops over the lanes, which the compiler vectorises where it can. Rare problems come here.

use super::{Sweep, Tables, offset, threshold};
use crate::crossbar::circuit::Weights;
use crate::rom::exponential_q12;
use crate::simd::{LANES, Simd};

/// The sweep. The instruction set is only what the compiler may use.
#[inline(always)]
#[allow(
    clippy::extra_unused_type_parameters,
    reason = "`dispatch!` names the instruction set of every kernel"
)]
pub(super) fn sweep_wides<S: Simd>(sweep: Sweep<'_>) {
    let Sweep { circuit, rows, key, thresholds, tables, energies } = sweep;
    let Tables::Wides(table) = tables else { unreachable!("the class says what the tables are") };
    let Weights::Wides(weights) = &circuit.weights else {
        unreachable!("the class says what the weights are")
    };
    let noise = exponential_q12();
    // SAFETY: as many rows as spins, and nothing else points to them during the sweep.
    let rows = unsafe { std::slice::from_raw_parts_mut(rows.cast::<[u8; LANES]>(), circuit.spins()) };
    for position in 0..circuit.spins() {
        let at = offset(key, position);
        let mut g = [circuit.bases[position]; LANES];
        for k in circuit.rows[position] as usize..circuit.rows[position + 1] as usize {
            let weight = 2 * weights[k];
            let neighbour = &rows[circuit.neighbours[k] as usize / LANES];
            for (g, &u) in g.iter_mut().zip(neighbour) {
                *g = g.wrapping_add(weight & i64::from(u as i8));
            }
        }
        for (lane, u) in rows[position].iter_mut().enumerate() {
            let bar = if thresholds.uniform {
                table[at + lane]
            } else {
                threshold(noise[at + lane], thresholds.mantissas[lane], thresholds.shift) + 1
            };
            let mask = i64::from(*u as i8);
            let x = (g[lane] ^ mask) - mask;
            let flip = -i64::from(bar > x);
            *u ^= flip as u8;
            energies[lane] += 2 * (x & flip);
        }
    }
}
