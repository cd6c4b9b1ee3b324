//! The crossbar chip: Ising, QUBO and Max-Cut problems as a stochastic Hopfield network in a memristor crossbar.
//!
//! A crossbar computes `g = W s` in its wires; every neuron compares what its column says about itself with its
//! own thermal noise and switches (Mahmoodi, Prezioso, Strukov 2019; Cai et al. 2020). In integers, for spin `i`
//! of one lane, with fields as couplings to a fixed spin:
//! ```text
//! g    = field_i + sum_j J_ij s_j              the energy falls by 2 x when i flips and x = -s_i g < 0
//! x    = -s_i g
//! thr  = (NOISE[offset + lane] * M_t) >> shift  NOISE: exponential, Q12; M_t: temperature, 16-bit mantissa
//! s_i := -s_i  where  x <= thr                  Metropolis, since x is an integer and the shift rounds down
//! ```
//! [`Circuit`] is the compiled problem, [`Parameters`] the schedule, `schedule` its temperatures, `drive` the run
//! that both the scalar reference (`scalar`) and the lanes kernels (`lanes`) go through, `population` and `exchange` what
//! lanes do to each other. [`crossover`] recombines finished states.

mod circuit;
pub mod crossover;
mod drive;
mod exchange;
mod lanes;
mod parameters;
mod population;
mod scalar;
mod schedule;
mod walk;

pub use circuit::{BANK_BYTES_MAX, Circuit, Class};
pub use parameters::{Mode, Parameters};

use crate::run::{Backend, Cpu, Error, Report, Request};

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
        parameters.check()?;
        drive::check(circuit, request)?;
        Ok(match *self {
            Self::Scalar => drive::drive(circuit, parameters, request, &mut scalar::Bank::new(circuit)),
            Self::Lanes(level) => {
                drive::drive(circuit, parameters, request, &mut lanes::Bank::new(circuit, level))
            }
        })
    }
}
