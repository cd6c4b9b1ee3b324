//! The switching chip: stochastically switching elements for SAT and MaxSAT.
//!
//! Every variable is an element that is either true or false. In a step each element in turn, in the
//! canonical order, sees which clauses its switch would break and which it would make, compares the
//! difference with its own thermal noise, and switches or stays (Metropolis et al. 1953, sequential
//! sweeps). Three kernels:
//!
//! - **T**, table: 64 chips a bank, one byte each; clauses of any length; population annealing.
//! - **B**, bit-sliced: 512 chips a bank, one bit each; clauses of at most three literals.
//! - **W**, memory: 64 chips with a weight per clause, a memristor that rises while the clause is
//!   unsatisfied (the discrete sibling of the memcomputing machine).
//!
//! With `F_l` = 1 where literal `l` is false, `t_c` the product of `F` over the other literals of clause
//! `c`, and `w_c` its weight (1 in T and B):
//! ```text
//! break(v) = sum of w_c t_c over clauses with the literal of v that holds
//! make(v)  = sum of w_c t_c over clauses with the literal of v that does not hold
//! v switches  iff  break(v) - make(v) <= floor(T E),  E exponentially distributed, fresh each time
//! W, after the sweep:  w_c = min(w_c + 1, cap)   with probability gain, where c is unsatisfied
//!                      w_c = max(w_c - 1, floor) with probability loss, where c is satisfied
//! ```
//! In W sums saturate at 255 and a negative difference counts as 0. In B a difference above 7 is never
//! accepted.

mod bank;
mod bytes;
mod circuit;
mod drive;
mod memory;
mod parameters;
mod population;
mod reference;
mod sliced;
mod table;
mod tables;
#[cfg(test)]
mod tests;
mod walk;

pub use bank::BANK_BYTES_MAX;
pub use circuit::{CLAUSE_LENGTH_MAX, Circuit, LITERAL_OCCURRENCES_MAX, SLICED_LENGTH_MAX};
pub use parameters::{Kernel, Parameters};
pub use sliced::SLICED_CHIPS;
pub use tables::TEMPERATURE_MAX_Q10;

use crate::run::{Backend, Cpu, Error, Report, Request};
use drive::drive;

/// Rows of 64 bytes that a bank takes, beside its circuit.
fn rows(circuit: &Circuit, kernel: Kernel) -> u64 {
    let n = u64::from(circuit.variables);
    match kernel {
        Kernel::T => 3 * n + 2,
        Kernel::B => 3 * n + 2 + sliced::ENERGY_PLANES as u64,
        Kernel::W => 3 * n + 2 + circuit.clauses() as u64,
    }
}

/// Bytes of a bank's state, without the circuit.
pub fn bank_bytes(circuit: &Circuit, kernel: Kernel) -> u64 {
    rows(circuit, kernel) * bank::ROW as u64
}

/// [`Report::lanes`] has 64 entries: the chips of T and W; of B, entry `l` is the best of the eight
/// chips `8 l .. 8 l + 8`.
impl Backend<Circuit, Parameters> for Cpu {
    fn name(&self) -> &'static str {
        Self::name(*self)
    }

    fn run(
        &self,
        circuit: &Circuit,
        parameters: &Parameters,
        request: &Request<'_>,
    ) -> Result<Report, Error> {
        drive::check(circuit, parameters, request, rows(circuit, parameters.kernel))?;
        if parameters.kernel == Kernel::B {
            sliced::check_length(circuit)?;
        }
        Ok(match (*self, parameters.kernel) {
            (Self::Scalar, Kernel::B) => {
                let chips = reference::Reference::<SLICED_CHIPS>::new(circuit, parameters, request);
                drive(circuit, parameters, request, chips)
            }
            (Self::Scalar, _) => {
                let chips = reference::Reference::<{ crate::simd::LANES }>::new(circuit, parameters, request);
                drive(circuit, parameters, request, chips)
            }
            (Self::Lanes(level), Kernel::T) => {
                drive(circuit, parameters, request, table::TableLanes::new(circuit, level, request))
            }
            (Self::Lanes(level), Kernel::B) => {
                drive(circuit, parameters, request, sliced::SlicedLanes::new(circuit, level, request))
            }
            (Self::Lanes(level), Kernel::W) => drive(
                circuit,
                parameters,
                request,
                memory::MemoryLanes::new(circuit, level, parameters, request),
            ),
        })
    }
}
