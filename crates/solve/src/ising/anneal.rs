//! Crossbar chips as a searcher: legs that grow, from noise and from elites, their lanes folded by partition crossover.

use std::sync::Arc;

use hysteron_circuit::crossbar::crossover::{Crossover, Graph};
use hysteron_circuit::crossbar::{Circuit, Class, Mode, Parameters, Table};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Report, Request, Start};

use crate::{Context, Outcome, Searcher, Source};

/// Units that the first leg costs.
const FIRST_LEG: u64 = 30_000_000;
/// Fewest and most sweeps of a leg.
const SWEEPS: std::ops::RangeInclusive<u64> = 200..=4_000_000;
/// Lanes that begin from the same elite in a leg from elites.
const LANES_PER_ELITE: usize = 8;
/// Highest temperatures of legs from elites, in thousandths of sigma, in turn.
const REHEATS: [u32; 5] = [300, 400, 250, 350, 450];

/// Crossbar chips in one mode.
pub(super) struct Chips {
    circuit: Arc<Circuit>,
    graph: Arc<Graph>,
    backend: Cpu,
    parameters: Parameters,
    seed: u64,
    /// Legs done.
    legs: u64,
    /// Units that a leg from noise costs now.
    leg_cost: u64,
    /// Units that were given and not yet used; negative when a leg cost more than there was.
    credit: i64,
    crossover: Crossover,
    /// Mode B goes on from what its lanes found: their bests, least energy first.
    lanes: Vec<(i64, Vec<bool>)>,
}

impl Chips {
    /// Mode A.
    pub fn annealing(circuit: Arc<Circuit>, graph: Arc<Graph>, seed: u64) -> Self {
        let class = Table::class_of(&circuit);
        let class = if class == "dense" { "dense" } else { "sparse" };
        let parameters = Table::built_in().sets(class)[0].clone();
        Self::new(circuit, graph, parameters, seed)
    }

    /// Mode B.
    pub fn exchanging(circuit: Arc<Circuit>, graph: Arc<Graph>, seed: u64) -> Self {
        let parameters = Table::built_in().sets("lattice")[0].clone();
        Self::new(circuit, graph, parameters, seed)
    }

    fn new(circuit: Arc<Circuit>, graph: Arc<Graph>, parameters: Parameters, seed: u64) -> Self {
        Self {
            circuit,
            graph,
            backend: Cpu::detect(),
            parameters,
            seed,
            legs: 0,
            leg_cost: FIRST_LEG,
            credit: 0,
            crossover: Crossover::default(),
            lanes: Vec::new(),
        }
    }

    /// Units that a sweep of a bank costs: measured constants of one core, in nanoseconds.
    fn sweep_cost(&self) -> u64 {
        // Picoseconds a coupling's row of lanes and a spin's.
        let (coupling, spin) = match self.circuit.class() {
            Class::UnitBytes => (700, 9_000),
            Class::Bytes => (1_000, 9_000),
            Class::UnitWords => (700, 14_000),
            Class::Words => (2_600, 14_000),
            Class::Longs => (6_000, 25_000),
            Class::Wides => (25_000, 60_000),
        };
        let spin = if self.parameters.mode == Mode::Exchange { 2 * spin } else { spin };
        ((self.circuit.ecu_per_step() * coupling + self.circuit.spins() as u64 * spin) / 1000).max(1)
    }

    fn leg(&mut self, context: &Context) -> u64 {
        let elites = context.elites();
        // Every other leg begins from elites, when there are some.
        let warm = self.parameters.mode == Mode::Anneal && self.legs % 2 == 1 && !elites.is_empty();
        let mut parameters = self.parameters.clone();
        let mut states = Vec::new();
        let mut cost = self.leg_cost;
        if warm {
            parameters.hot_milli = REHEATS[(self.legs / 2) as usize % REHEATS.len()];
            cost /= 2;
            for k in 0..64 / LANES_PER_ELITE {
                // The best, and others drawn with preference for the front.
                let draw = mix64(self.seed ^ self.legs << 8 ^ k as u64);
                let rank = if k < 2 { k } else { ((draw >> 32) * (elites.len() as u64) >> 32) as usize };
                let rank = rank.min(elites.len() - 1).min((draw & 0xff) as usize % elites.len() + 1);
                states.extend(std::iter::repeat_n(
                    elites[rank.min(elites.len() - 1)].assignment.clone(),
                    LANES_PER_ELITE,
                ));
            }
        }
        if self.parameters.mode == Mode::Exchange && !self.lanes.is_empty() {
            // The coldest lanes begin with the least energy, the very first with what all searchers found best.
            states.extend(self.lanes.iter().map(|l| l.1.clone()));
            if let Some(elite) = elites.first().filter(|e| e.energy < self.lanes[0].0) {
                states[0] = elite.assignment.clone();
            }
        }
        let sweeps = (cost / self.sweep_cost()).clamp(*SWEEPS.start(), *SWEEPS.end()) as u32;
        let request = Request {
            seed: mix64(self.seed ^ self.legs << 32),
            steps: sweeps,
            start: if states.is_empty() {
                Start::Random
            } else {
                Start::From { states: &states, kick_per_mille: 0 }
            },
            target: context.target(),
            stop_at_target: true,
            interrupt: Some(context.stop_flag()),
        };
        self.legs += 1;
        let report = self
            .backend
            .run(&*self.circuit, &parameters, &request)
            .expect("the parameters are of the table and the states of the problem");
        context.add_ecu(report.ecu);
        self.fold(context, &report);
        if self.parameters.mode == Mode::Exchange {
            self.lanes = report.lanes.iter().map(|l| (l.energy, l.assignment.clone())).collect();
            self.lanes.sort_by_key(|l| l.0);
        }
        if !warm {
            // Legs grow by a half: a cut last one loses a bounded part of the time.
            self.leg_cost = self.leg_cost.saturating_mul(3) / 2;
        }
        u64::from(report.steps) * self.sweep_cost() + 64 * self.circuit.ecu_per_step() * 3
    }

    /// Folds all lanes into the best of them, and that with the best of the context.
    fn fold(&mut self, context: &Context, report: &Report) {
        let best = report.best_lane();
        let mut child = report.lanes[best].assignment.clone();
        let source = self.source();
        if report.lanes[best].energy < context.best_energy() {
            context.offer(&child, source);
        }
        let mut gained = 0;
        for (l, lane) in report.lanes.iter().enumerate() {
            if l != best {
                gained += self.crossover.fold(&self.graph, &mut child, &lane.assignment, false).0;
            }
        }
        // Distinct good children feed the legs from elites.
        context.offer(&child, if gained < 0 { Source::Crossover } else { source });
        if let Some(elite) = context.best() {
            let (gain, parts) = self.crossover.fold(&self.graph, &mut child, &elite.assignment, false);
            if gain < 0 && parts > 1 {
                context.offer(&child, Source::Crossover);
            }
        }
    }
}

impl Searcher for Chips {
    fn source(&self) -> Source {
        Source::Crossbar(if self.parameters.mode == Mode::Anneal { 'A' } else { 'B' })
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.credit = self.credit.saturating_add(i64::try_from(effort).unwrap_or(i64::MAX));
        while self.credit > 0 && !context.stopped() {
            let cost = self.leg(context);
            self.credit -= i64::try_from(cost).unwrap_or(i64::MAX);
        }
        Outcome::Continue
    }
}
