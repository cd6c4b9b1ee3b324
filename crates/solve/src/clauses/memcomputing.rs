//! Memcomputing chips as a searcher: one leg after the other, each from its own seed, the parameter sets of
//! the problem's classes in turn.

use std::sync::atomic::AtomicBool;

use hysteron_circuit::memcomputing::{Arrangement, Bank, CHECK_STEPS, Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Cpu, Error, Request, Start};
use hysteron_problem::Problem;

use crate::{Context, Outcome, Searcher, Source};

/// Nanoseconds of one clause update of one chip side by side with others, in 1/256.
const LANES_COST: u64 = 160;
/// The same in the flat arrangement.
const FLAT_COST: u64 = 900;
/// Legs are at most so long: an old chip heats up, and a new one is as good.
const LEG_STEPS_MAX: u32 = 40_000;

/// Memcomputing chips.
pub struct Memcomputing {
    circuit: Circuit,
    sets: Vec<Parameters>,
    backend: Cpu,
    seed: u64,
    legs: u64,
    leg: Option<Leg>,
}

/// A leg that is under way.
struct Leg {
    bank: Bank,
    parameters: Parameters,
    seed: u64,
    /// The best that was offered.
    offered: i32,
}

/// The parameter sets that a problem of this structure is given, in turn.
fn sets(circuit: &Circuit, satisfiability: bool) -> Vec<Parameters> {
    let clauses = circuit.clauses().len() as u64;
    let variables = u64::from(circuit.variables()).max(1);
    let longest = circuit.clauses().longest();
    if !satisfiability {
        let class = if circuit.weights().is_some() { "weighted" } else { "maxsat" };
        return vec![Parameters::of_class(class)];
    }
    let mut classes = Vec::new();
    if longest > 3 {
        classes.extend(["long_clauses", "planted"]);
    } else if clauses >= 5 * variables {
        classes.extend(["overconstrained", "planted"]);
    } else {
        classes.extend(["planted", "planted", "uniform"]);
    }
    classes.into_iter().map(Parameters::of_class).collect()
}

impl Memcomputing {
    /// A searcher of `problem`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it is not made of clauses, or too large.
    pub fn new(problem: &Problem, seed: u64) -> Result<Self, Error> {
        let circuit = match problem {
            Problem::Cnf(cnf) => Circuit::from_cnf(cnf)?,
            Problem::Wcnf(wcnf) => Circuit::from_wcnf(wcnf)?,
            Problem::Ising(_) => {
                return Err(Error::Unsupported {
                    family: "memcomputing",
                    reason: "it has no clauses".into(),
                });
            }
        };
        let sets = sets(&circuit, matches!(problem, Problem::Cnf(_)));
        Ok(Self { circuit, sets, backend: Cpu::detect(), seed, legs: 0, leg: None })
    }

    /// Begins the next leg.
    fn begin(&mut self) -> Option<Leg> {
        let parameters = self.sets[(self.legs % self.sets.len() as u64) as usize];
        let seed = mix64(self.seed ^ mix64(self.legs));
        self.legs += 1;
        let request = request(seed, None);
        let bank = Bank::new(self.backend, &self.circuit, &parameters, &request).ok()?;
        Some(Leg { bank, parameters, seed, offered: i32::MAX })
    }
}

/// A request that a leg's bank is advanced with.
fn request(seed: u64, interrupt: Option<&AtomicBool>) -> Request<'_> {
    Request {
        seed,
        steps: LEG_STEPS_MAX,
        start: Start::Random,
        target: None,
        stop_at_target: false,
        interrupt,
    }
}

/// The cost of a step of a bank, in nanoseconds.
fn step_cost(circuit: &Circuit, parameters: &Parameters) -> u64 {
    let cost = match parameters.arrangement {
        Arrangement::Lanes => LANES_COST * u64::from(parameters.chips.next_multiple_of(16)),
        Arrangement::Flat => FLAT_COST * u64::from(parameters.chips),
    };
    let updates = circuit.ecu_per_step() / 3 + u64::from(circuit.variables()) / 4;
    (updates * cost >> 8).max(1)
}

impl Searcher for Memcomputing {
    fn source(&self) -> Source {
        Source::Memcomputing
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        let mut left = effort;
        while left > 0 && !context.stopped() {
            let leg = match self.leg.take() {
                Some(leg) if leg.bank.steps() < LEG_STEPS_MAX => Some(leg),
                _ => self.begin(),
            };
            let Some(mut leg) = leg else {
                return Outcome::Exhausted;
            };
            let request = request(leg.seed, Some(context.stop_flag()));
            let done = leg.bank.advance(&self.circuit, &request, CHECK_STEPS);
            context.add_ecu(self.circuit.ecu_per_step() * u64::from(done * leg.parameters.chips));
            left = left.saturating_sub(u64::from(done) * step_cost(&self.circuit, &leg.parameters));
            let (best, chip) = leg.bank.best();
            if best < leg.offered {
                leg.offered = best;
                let assignment = leg.bank.assignment(chip);
                let (hard, energy) = self.circuit.score(&assignment);
                if (u64::from(hard), energy) < context.best().map_or((u64::MAX, i64::MAX), |b| b.key()) {
                    context.offer(&assignment, Source::Memcomputing);
                }
            }
            // An interrupted bank's chips are at different steps.
            if done == CHECK_STEPS {
                self.leg = Some(leg);
            }
        }
        Outcome::Continue
    }
}
