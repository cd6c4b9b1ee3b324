//! Crossbar chips as a searcher.
//!
//! Mode A works in epochs. An epoch begins with a leg from noise, or from the elites of all searchers, and goes on with legs
//! that reheat its pool of good and mutually distant states (thermal cycling: Möbius et al. 1997), until some legs bring nothing.
//! Lanes are folded by partition crossover after every leg. Epochs become longer only when short ones no longer
//! reach the best: where many starts are what it takes, they are many. Mode B goes on from where its lanes were.

use std::sync::Arc;

use hysteron_circuit::crossbar::crossover::Graph;
use hysteron_circuit::crossbar::{Circuit, Class, Mode, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Report, Request, Start};

use super::pool::Pool;
use crate::{Context, Outcome, Searcher, Source};

/// Fewest and most sweeps of a leg.
const SWEEPS: std::ops::RangeInclusive<u64> = 30..=1_000_000;
/// Sweeps of the first legs of mode A, and what they may cost at most.
const FIRST_SWEEPS: u64 = 800;
const FIRST_COST: u64 = 500_000_000;
/// Units that the first leg of mode B costs, and the most.
const EXCHANGE_LEG: std::ops::RangeInclusive<u64> = 50_000_000..=1_000_000_000;
/// Highest temperatures of legs that reheat, in thousandths of sigma, in turn.
const REHEATS: [u32; 4] = [300, 350, 250, 320];
/// Legs of an epoch that bring nothing before it ends, and the most legs of an epoch.
const STALE_LEGS: u32 = 2;
const LEGS_MAX: u32 = 12;
/// One epoch in so many begins from the elites.
const ELITE_EPOCHS: u64 = 4;
/// Epochs in a row that end above the best before legs become twice as long.
const FAILURES: u32 = 2;

/// Crossbar chips in one mode.
pub(super) struct Chips {
    circuit: Arc<Circuit>,
    backend: Cpu,
    mode: Mode,
    /// The parameter sets of the class; epochs take turns with them.
    sets: Vec<Parameters>,
    seed: u64,
    legs: u64,
    epochs: u64,
    /// Sweeps of a leg.
    sweeps: u64,
    failures: u32,
    /// Least energy of any epoch.
    least: i64,
    /// Legs of this epoch, those at its end that brought nothing, and its least energy.
    epoch_legs: u32,
    stale: u32,
    epoch_least: i64,
    pool: Pool,
    /// Units that were given and not yet used; negative when a leg cost more than there was.
    credit: i64,
}

impl Chips {
    /// Mode A.
    pub fn annealing(circuit: Arc<Circuit>, graph: Arc<Graph>, seed: u64) -> Self {
        let class = if Parameters::class_of(&circuit) == "dense" { "dense" } else { "sparse" };
        let sets = Parameters::sets(class).cloned().collect();
        let mut chips = Self::new(circuit, graph, sets, seed);
        chips.sweeps = (FIRST_COST / chips.sweep_cost()).clamp(*SWEEPS.start(), FIRST_SWEEPS);
        chips
    }

    /// Mode B.
    pub fn exchanging(circuit: Arc<Circuit>, graph: Arc<Graph>, seed: u64) -> Self {
        let sets = Parameters::sets("lattice").cloned().collect();
        let mut chips = Self::new(circuit, graph, sets, seed);
        chips.sweeps = (EXCHANGE_LEG.start() / chips.sweep_cost()).clamp(*SWEEPS.start(), *SWEEPS.end());
        chips
    }

    fn new(circuit: Arc<Circuit>, graph: Arc<Graph>, sets: Vec<Parameters>, seed: u64) -> Self {
        Self {
            circuit,
            backend: Cpu::detect(),
            mode: sets[0].mode,
            sets,
            seed,
            legs: 0,
            epochs: 0,
            sweeps: *SWEEPS.start(),
            failures: 0,
            least: i64::MAX,
            epoch_legs: 0,
            stale: 0,
            epoch_least: i64::MAX,
            pool: Pool::new(graph),
            credit: 0,
        }
    }

    /// Units that a sweep of a bank costs: measured constants of one core, in nanoseconds.
    fn sweep_cost(&self) -> u64 {
        // Picoseconds a coupling's row of lanes and a spin's.
        let (coupling, spin) = match self.circuit.class() {
            Class::UnitBytes | Class::UnitWords => (900, 7_000),
            Class::Bytes => (1_300, 7_000),
            Class::Words => (3_000, 14_000),
            Class::Longs => (6_000, 25_000),
            Class::Wides => (25_000, 60_000),
        };
        // Cluster moves and a multiplication for every threshold.
        let spin = if self.mode == Mode::Exchange { 5 * spin / 2 } else { spin };
        ((self.circuit.ecu_per_step() * coupling + self.circuit.spins() as u64 * spin) / 1000).max(1)
    }

    /// Runs chips and folds what they found into the pool; returns the cost.
    fn leg(&mut self, context: &Context, parameters: &Parameters, states: &[Vec<bool>], sweeps: u64) -> u64 {
        let request = Request {
            seed: mix64(self.seed ^ self.legs << 32),
            steps: sweeps as u32,
            start: if states.is_empty() { Start::Random } else { Start::From { states, kick_per_mille: 0 } },
            target: context.target(),
            stop_at_target: true,
            interrupt: Some(context.stop_flag()),
        };
        self.legs += 1;
        let report = self
            .backend
            .run(&*self.circuit, parameters, &request)
            .expect("the parameters are of the table and the states of the problem");
        context.add_ecu(report.ecu);
        self.offer(context, &report);
        u64::from(report.steps) * self.sweep_cost() + 200 * self.circuit.ecu_per_step()
    }

    fn offer(&mut self, context: &Context, report: &Report) {
        let best = report.best_lane();
        if report.lanes[best].energy < context.best_energy() {
            context.offer(&report.lanes[best].assignment, self.source());
        }
        if context.stopped() {
            // Folding reads every coupling once a lane: too long for one who waits for the answer.
            return;
        }
        let folded = self
            .pool
            .absorb(report.lanes.iter().map(|l| (l.energy, l.assignment.as_slice())), context.stop_flag());
        if let Some((energy, state)) = self.pool.best()
            && (energy <= context.best_energy() || self.stale == 0)
        {
            context.offer(state, if folded { Source::Crossover } else { self.source() });
        }
    }

    /// Mode A: one leg of the present epoch, or the first of the next.
    fn anneal(&mut self, context: &Context) -> u64 {
        let mut parameters = self.sets[(self.epochs % self.sets.len() as u64) as usize].clone();
        let mut states = Vec::new();
        let mut sweeps = self.sweeps;
        if self.epoch_legs == 0 {
            self.pool.clear();
            self.stale = 0;
            self.epoch_least = i64::MAX;
            let elites = context.elites();
            if self.epochs % ELITE_EPOCHS == ELITE_EPOCHS - 1 && elites.len() > 1 {
                self.pool
                    .absorb(elites.iter().map(|e| (e.energy, e.assignment.as_slice())), context.stop_flag());
            }
        }
        if !self.pool.is_empty() {
            parameters.hot_milli =
                REHEATS[(self.legs % REHEATS.len() as u64) as usize].min(parameters.hot_milli);
            parameters.cold_milli = parameters.cold_milli.min(parameters.hot_milli);
            // Reheated lanes stay apart: resampling would leave copies of one.
            parameters.group_lanes = 1;
            states = self.pool.lanes();
            sweeps /= 2;
        }
        let cost = self.leg(context, &parameters, &states, sweeps);
        let least = self.pool.best().map_or(i64::MAX, |b| b.0);
        self.epoch_legs += 1;
        if least < self.epoch_least {
            self.epoch_least = least;
            self.stale = 0;
        } else {
            self.stale += 1;
        }
        if self.stale >= STALE_LEGS || self.epoch_legs >= LEGS_MAX {
            self.end_epoch(context);
        }
        cost
    }

    fn end_epoch(&mut self, context: &Context) {
        if let Some((energy, state)) = self.pool.best()
            && energy > context.best_energy()
        {
            // An elite of its own, and perhaps one half of a better one.
            context.offer(state, self.source());
            if let Some(best) = context.best()
                && let Some(child) = self.pool.fold_into(&best.assignment)
            {
                context.offer(&child, Source::Crossover);
            }
        }
        // Epochs from elites say nothing about what an epoch of this length can do.
        if self.epochs % ELITE_EPOCHS != ELITE_EPOCHS - 1 {
            self.failures = if self.epoch_least > self.least { self.failures + 1 } else { 0 };
            self.least = self.least.min(self.epoch_least);
        }
        if self.failures >= FAILURES {
            self.failures = 0;
            self.sweeps = (self.sweeps * 2).min(*SWEEPS.end());
        }
        self.epochs += 1;
        self.epoch_legs = 0;
    }

    /// Mode B: one leg, from the lanes of the one before; the coldest begin with the least energy, the very first with what all
    /// searchers found best.
    fn exchange(&mut self, context: &Context) -> u64 {
        let mut states = self.pool.all();
        if let (Some(first), Some(elite)) = (states.first_mut(), context.best())
            && self.pool.best().is_some_and(|b| elite.energy < b.0)
        {
            *first = elite.assignment;
        }
        self.pool.clear();
        let parameters = self.sets[(self.legs % self.sets.len() as u64) as usize].clone();
        let cost = self.leg(context, &parameters, &states, self.sweeps);
        if self.sweeps * self.sweep_cost() * 2 <= *EXCHANGE_LEG.end() {
            self.sweeps = (self.sweeps * 3 / 2).min(*SWEEPS.end());
        }
        cost
    }
}

impl Searcher for Chips {
    fn source(&self) -> Source {
        Source::Crossbar(if self.mode == Mode::Anneal { 'A' } else { 'B' })
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.credit = self.credit.saturating_add(i64::try_from(effort).unwrap_or(i64::MAX));
        while self.credit > 0 && !context.stopped() {
            let cost = match self.mode {
                Mode::Anneal => self.anneal(context),
                Mode::Exchange => self.exchange(context),
            };
            self.credit -= i64::try_from(cost).unwrap_or(i64::MAX);
        }
        Outcome::Continue
    }
}
