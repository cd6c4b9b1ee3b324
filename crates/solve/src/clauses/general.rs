//! The switching chip's general kernel as a searcher on weighted partial MaxSAT: legs that grow longer, with light,
//! plain and heavy hard clauses in turn, at random or from the elites.

use hysteron_circuit::general::{Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Error, Request, Start};
use hysteron_problem::Wcnf;

use crate::{Context, Outcome, Searcher, Source};

/// Nanoseconds of one update of one chip, in 1/256.
const UPDATE_COST: u64 = 40;
/// The sweeps of the first leg and of the longest.
const SWEEPS_MIN: u64 = 200;
const SWEEPS_MAX: u64 = 20_000;

/// General switching chips.
pub struct General {
    circuit: Circuit,
    sets: Vec<Parameters>,
    backend: Cpu,
    seed: u64,
    legs: u64,
    /// Effort that a leg took beyond what it was given.
    debt: u64,
}

impl General {
    /// A searcher of `wcnf`.
    ///
    /// # Errors
    /// As [`Circuit::compile`].
    pub fn new(wcnf: &Wcnf, seed: u64) -> Result<Self, Error> {
        let circuit = Circuit::compile(wcnf)?;
        let classes: &[&str] = if circuit.hard_clauses() == 0 {
            &["weighted"]
        } else {
            &["partial_light", "partial", "partial_heavy"]
        };
        let sets = classes.iter().map(|class| Parameters::of_class(class)).collect();
        Ok(Self { circuit, sets, backend: Cpu::detect(), seed, legs: 0, debt: 0 })
    }
}

impl Searcher for General {
    fn source(&self) -> Source {
        Source::Switching('G')
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        let sweep_cost = (self.circuit.ecu_per_step() * 64 * UPDATE_COST >> 8).max(1);
        let paid = effort.min(self.debt);
        self.debt -= paid;
        let mut left = effort - paid;
        while left > 0 && !context.stopped() {
            let round = self.legs / (2 * self.sets.len() as u64);
            let steps = (SWEEPS_MIN << round.min(16)).min(SWEEPS_MAX) as u32;
            let mut parameters = self.sets[(self.legs % self.sets.len() as u64) as usize];
            // Every other round refines what is known, from a lower temperature.
            let states: Vec<Vec<bool>> = if self.legs / self.sets.len() as u64 % 2 == 1 {
                context.elites().into_iter().map(|e| e.assignment).collect()
            } else {
                Vec::new()
            };
            let start = if states.is_empty() {
                Start::Random
            } else {
                parameters.temperature_start /= 2;
                Start::From { states: &states, kick_per_mille: 20 }
            };
            let target = context.target();
            let request = Request {
                seed: mix64(self.seed ^ mix64(self.legs)),
                steps,
                start,
                target,
                stop_at_target: target.is_some(),
                interrupt: Some(context.stop_flag()),
            };
            self.legs += 1;
            let Ok(report) = self.backend.run(&self.circuit, &parameters, &request) else {
                return Outcome::Exhausted;
            };
            context.add_ecu(report.ecu);
            let best = &report.lanes[report.best_lane()];
            if (u64::from(best.hard_unsatisfied), best.energy)
                < context.best().map_or((u64::MAX, i64::MAX), |b| b.key())
            {
                context.offer(&best.assignment, Source::Switching('G'));
            }
            let cost = u64::from(report.steps) * sweep_cost;
            self.debt += cost.saturating_sub(left);
            left = left.saturating_sub(cost);
        }
        Outcome::Continue
    }
}

#[cfg(test)]
mod tests;
