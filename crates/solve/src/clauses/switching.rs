//! The switching chip as searchers: which kernels with which parameters, for how long, in which order.

use std::sync::Arc;

use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Report, Request, Start};
use hysteron_circuit::switching::{
    Circuit, Kernel, Parameters, SLICED_LENGTH_MAX, TEMPERATURE_MAX_Q10, bank_bytes,
};
use hysteron_problem::{Cnf, Wcnf};

use crate::{Context, Outcome, Searcher, Source};

/// The most variables for which constant-temperature searches by kernel B are worth their time.
const SMALL_VARIABLES_MAX: u32 = 2000;
/// The most variables for which chips with memory find planted solutions alone.
const PLANTED_VARIABLES_MAX: u32 = 3000;
/// The most bytes that a bank may take here: every thread has one.
const BANK_BYTES_MAX: u64 = 1 << 30;
/// Mean occurrences of a variable for which the MaxSAT temperatures are given; the hot one grows with the
/// square root.
const MAXSAT_OCCURRENCES: u64 = 15;

/// Searchers for satisfiability, most promising first; none if the chip cannot hold the problem.
pub fn switching_searchers(cnf: &Cnf, seed: u64) -> Vec<Box<dyn Searcher>> {
    let Ok(circuit) = Circuit::compile(cnf) else { return Vec::new() };
    if circuit.clauses() == 0 || bank_bytes(&circuit, Kernel::W) > BANK_BYTES_MAX {
        return Vec::new();
    }
    let circuit = Arc::new(circuit);
    let energy = Energy { scale: 1, offset: 0 };
    let leg = |class: &str, steps| Leg { parameters: Parameters::of_class(class), steps, chained: false };
    let mut searchers: Vec<Box<dyn Searcher>> = Vec::new();
    let mut add = |legs: Vec<Leg>| {
        let salt = searchers.len() as u64 + 1;
        searchers.push(Box::new(Chips::new(&circuit, legs, energy, mix64(seed ^ salt << 48))));
    };
    if circuit.longest() <= SLICED_LENGTH_MAX && circuit.variables() <= SMALL_VARIABLES_MAX {
        // Cooling takes longer the more there is to order.
        let cooling = circuit.variables().max(250);
        add(vec![leg("small-3sat", 256), leg("small-3sat-anneal", cooling)]);
    }
    let is_large = circuit.variables() > PLANTED_VARIABLES_MAX;
    if !is_large {
        add(vec![leg("planted-3sat", 1000)]);
    }
    // A large problem's first legs are short, so that the others' turn comes within a second.
    let steps = if is_large { 300 } else { 1000 };
    if circuit.longest() <= SLICED_LENGTH_MAX {
        add(vec![leg("uniform-anneal", steps), Leg { chained: true, ..leg("uniform-finish", 4 * steps) }]);
    } else {
        add(vec![leg("uniform-long-anneal", steps)]);
    }
    searchers
}

/// Clauses may be repeated so often on average, to give those that were equal their weight back.
const REPEATS_MAX: u64 = 3;

/// The soft clauses with equal weights, each as often as its weight says, and that weight; none where
/// there are hard clauses or it would be too many.
fn with_equal_weights(wcnf: &Wcnf) -> Option<(Cnf, u64)> {
    let scale = wcnf.weights.iter().copied().reduce(gcd)?;
    let total = wcnf.weights.iter().try_fold(0u64, |sum, &w| sum.checked_add(w / scale))?;
    if !wcnf.hard.is_empty() || total > REPEATS_MAX * wcnf.weights.len() as u64 {
        return None;
    }
    let mut cnf = Cnf { variables: wcnf.variables, ..Cnf::default() };
    for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
        for _ in 0..weight / scale {
            cnf.clauses.push(clause);
        }
    }
    Some((cnf, scale))
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Searchers for MaxSAT without hard clauses whose soft clauses weigh the same or nearly so; none for others.
pub fn unweighted_searchers(wcnf: &Wcnf, seed: u64) -> Vec<Box<dyn Searcher>> {
    let Some((cnf, scale)) = with_equal_weights(wcnf) else { return Vec::new() };
    let Ok(circuit) = Circuit::compile(&cnf) else { return Vec::new() };
    if circuit.clauses() == 0 || bank_bytes(&circuit, Kernel::T) > BANK_BYTES_MAX {
        return Vec::new();
    }
    let circuit = Arc::new(circuit);
    let energy = Energy { scale: scale as i64, offset: wcnf.offset };
    let mut searchers: Vec<Box<dyn Searcher>> = Vec::new();
    let occurrences = circuit.literals() as u64 / u64::from(circuit.variables().max(1));
    let heat_q8 = (occurrences.max(MAXSAT_OCCURRENCES) * (1 << 16) / MAXSAT_OCCURRENCES).isqrt();
    let mut add = |class: &str, steps| {
        let salt = searchers.len() as u64 + 1;
        let mut parameters = Parameters::of_class(class);
        parameters.hot =
            ((u64::from(parameters.hot) * heat_q8) >> 8).min(u64::from(TEMPERATURE_MAX_Q10)) as u32;
        let legs = vec![Leg { parameters, steps, chained: false }];
        searchers.push(Box::new(Chips::new(&circuit, legs, energy, mix64(seed ^ salt << 48))));
    };
    if circuit.longest() <= SLICED_LENGTH_MAX {
        add("maxsat-sliced", 250);
    }
    add("maxsat-anneal", 250);
    searchers
}

/// From unsatisfied clauses to the problem's energy.
#[derive(Clone, Copy)]
struct Energy {
    scale: i64,
    offset: i64,
}

/// One run of a bank.
#[derive(Clone)]
struct Leg {
    parameters: Parameters,
    steps: u32,
    /// Whether lanes start from the best of the leg before.
    chained: bool,
}

/// A sequence of legs, repeated with other seeds and with steps by Luby's sequence.
struct Chips {
    circuit: Arc<Circuit>,
    legs: Vec<Leg>,
    energy: Energy,
    seed: u64,
    /// Legs that were run.
    runs: u64,
    /// The best of each lane of the last leg.
    states: Vec<Vec<bool>>,
    /// Effort that was taken in advance.
    debt: u64,
    best: i64,
}

impl Chips {
    fn new(circuit: &Arc<Circuit>, legs: Vec<Leg>, energy: Energy, seed: u64) -> Self {
        Self {
            circuit: Arc::clone(circuit),
            legs,
            energy,
            seed,
            runs: 0,
            states: Vec::new(),
            debt: 0,
            best: i64::MAX,
        }
    }

    /// The next leg, with the steps that its round gives it.
    fn next(&self) -> Leg {
        let legs = self.legs.len() as u64;
        let mut leg = self.legs[(self.runs % legs) as usize].clone();
        let factor = super::luby(self.runs / legs + 1).min(1 << 12) as u32;
        leg.steps = leg.steps.saturating_mul(factor);
        leg
    }

    /// Offers the best lanes of a report if they are better than all before, or as good as the best.
    fn offer(&mut self, context: &Context, report: &Report) {
        let best = &report.lanes[report.best_lane()];
        let energy = best.energy.saturating_mul(self.energy.scale).saturating_add(self.energy.offset);
        if energy < self.best || energy <= context.best_energy() {
            self.best = self.best.min(energy);
            context.offer(&best.assignment, self.source());
        }
    }
}

/// Effort, in 1/1024, of one update of one chip.
fn update_effort_q10(kernel: Kernel, literals: usize) -> u64 {
    // Measured on AVX2: fits the caches, does not.
    match (kernel, literals <= 8192) {
        (Kernel::B, true) => 8,
        (Kernel::B, false) => 10,
        (Kernel::T, true) => 36,
        (Kernel::T, false) => 72,
        (Kernel::W, true) => 80,
        (Kernel::W, false) => 140,
    }
}

impl Searcher for Chips {
    fn source(&self) -> Source {
        let last = self.legs.last().map_or(Kernel::T, |leg| leg.parameters.kernel);
        Source::Switching(match last {
            Kernel::T => 'T',
            Kernel::B => 'B',
            Kernel::W => 'W',
        })
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        if self.debt >= effort {
            self.debt -= effort;
            return Outcome::Continue;
        }
        if self.runs == 0 {
            // Nothing is below all clauses satisfied but the empty ones.
            context.prove_lower_bound(self.energy.offset + self.circuit.floor() * self.energy.scale);
        }
        let mut left = effort - self.debt;
        self.debt = 0;
        while !context.stopped() {
            let leg = self.next();
            let start = if leg.chained && !self.states.is_empty() {
                Start::From { states: &self.states, kick_per_mille: 0 }
            } else {
                Start::Random
            };
            let target =
                context.target().map(|t| t.saturating_sub(self.energy.offset).div_euclid(self.energy.scale));
            let request = Request {
                seed: mix64(self.seed.wrapping_add(self.runs)),
                steps: leg.steps,
                start,
                target,
                stop_at_target: target.is_some(),
                interrupt: Some(context.stop_flag()),
            };
            let Ok(report) = Cpu::detect().run(&*self.circuit, &leg.parameters, &request) else {
                return Outcome::Exhausted;
            };
            self.runs += 1;
            context.add_ecu(report.ecu);
            self.offer(context, &report);
            self.states = report.lanes.into_iter().map(|lane| lane.assignment).collect();
            let cost = report.ecu * update_effort_q10(leg.parameters.kernel, self.circuit.literals()) / 1024;
            if cost >= left {
                self.debt = cost - left;
                break;
            }
            left -= cost;
        }
        Outcome::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::{ClauseList, Literal, Problem};

    /// Clauses of `length` literals, at least one of which holds if all variables are true when `planted`.
    fn random(variables: u32, clauses: u64, length: u64, planted: bool) -> ClauseList {
        let mut list = ClauseList::new();
        let mut counter = length << 40;
        for _ in 0..clauses {
            let mut clause: Vec<Literal> = (0..length)
                .map(|_| {
                    counter += 1;
                    let draw = mix64(counter);
                    Literal::new((((draw >> 32) * u64::from(variables)) >> 32) as u32, draw & 1 == 1)
                })
                .collect();
            if planted {
                clause[0] = Literal::new(clause[0].variable(), false);
            }
            list.push(&clause);
        }
        list
    }

    #[test]
    fn every_searcher_solves_easy_clauses() {
        for length in [2, 3, 5] {
            let problem = Problem::Cnf(Cnf { variables: 80, clauses: random(80, 60 * length, length, true) });
            let Problem::Cnf(cnf) = &problem else { unreachable!() };
            for mut searcher in switching_searchers(cnf, 1) {
                let context = Context::new(&problem, None, None);
                assert_eq!(searcher.work(&context, 2_000_000_000), Outcome::Continue);
                assert_eq!(context.best_energy(), 0, "{} at length {length}", searcher.source());
                assert_eq!(context.best().map(|b| b.source), Some(searcher.source()));
            }
        }
    }

    #[test]
    fn maxsat_energies_are_scaled_and_shifted() {
        let soft = random(30, 300, 2, false);
        let wcnf =
            Wcnf { variables: 30, weights: vec![7; soft.len()], soft, offset: -100, ..Wcnf::default() };
        let problem = Problem::Wcnf(wcnf.clone());
        let mut found = Vec::new();
        for mut searcher in unweighted_searchers(&wcnf, 1) {
            let context = Context::new(&problem, None, None);
            searcher.work(&context, 50_000_000);
            found.push(context.best_energy());
        }
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|&f| f == found[0] && (f + 100) % 7 == 0), "{found:?}");
        assert!(unweighted_searchers(&Wcnf { weights: vec![7, 8], ..wcnf }, 1).is_empty());
    }
}
