//! The crossbar chip on dense circuits, one chip at a time (modes C and D of the crossbar family).
//!
//! Where every neuron is wired to nearly every other, recomputing a neuron's current costs a whole row,
//! so both modes keep the currents ("local fields") of all neurons and update them when one switches:
//! the row of the neuron that switched is added to all fields at once. **C** switches, at each step, the
//! neuron that lowers the energy most and has not switched recently (tabu search, one step = one
//! switch). **D** visits the neurons in order and switches them with thermal noise (Metropolis
//! annealing, one step = one sweep); most visits of a cold chip switch nothing, so its work is metered.
//!
//! Energies inside are in units of [`Circuit::unit`]. [`scalar`] defines the trajectories; the vector
//! kernels give the same bits.

mod anneal;
mod compile;
mod parameters;
mod rows;
mod rules;
mod scalar;
mod tabu;
#[cfg(test)]
mod tests;
mod vector;

pub use compile::{Circuit, Mode};
pub use parameters::Parameters;

use crate::run::{self, Backend, Cpu, Report, Request};

/// The most chips of a run.
pub const CHIPS_MAX: u32 = 64;

impl Backend<Circuit, Parameters> for Cpu {
    fn name(&self) -> &'static str {
        (*self).name()
    }

    fn run(
        &self,
        circuit: &Circuit,
        parameters: &Parameters,
        request: &Request<'_>,
    ) -> Result<Report, run::Error> {
        parameters.check()?;
        rules::check(circuit, request)?;
        let mut bank = rules::Bank::new(circuit, parameters, request);
        for chip in 0..parameters.chips {
            let ended = match (*self, circuit.mode()) {
                (Self::Lanes(level), Mode::Tabu) if circuit.has_kernels() => {
                    tabu::run(level, circuit, parameters, request, bank.seed(chip), &bank.start(chip))
                }
                (Self::Lanes(level), Mode::Anneal) if circuit.has_kernels() => {
                    anneal::run(level, circuit, parameters, request, bank.seed(chip), &bank.start(chip))
                }
                (_, Mode::Tabu) => {
                    scalar::tabu(circuit, parameters, request, bank.seed(chip), &bank.start(chip))
                }
                (_, Mode::Anneal) => {
                    scalar::anneal(circuit, parameters, request, bank.seed(chip), &bank.start(chip))
                }
            };
            if bank.keep(ended) {
                break;
            }
        }
        Ok(bank.report())
    }
}
