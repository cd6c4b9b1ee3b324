//! Exact optimisation of random subgraphs of small treewidth (after Hamze, de Freitas 2004 and Selby 2014), composed by
//! partition crossover.
//!
//! Spins are eliminated in an order of small degree; where the least degree exceeds the width, a spin is fixed
//! to its value instead. What was eliminated is then set to its joint optimum given the fixed ones, by dynamic programming over
//! tables of `2^width` entries: most spins of a sparse graph move at once, and never to more energy.

use std::sync::Arc;

use hysteron_circuit::crossbar::crossover::{Crossover, Graph};
use hysteron_circuit::rom::mix64;

use crate::{Context, Outcome, Searcher, Source};

mod eliminate;

pub use eliminate::Eliminator;

/// The widest tables: `2^WIDTH_MAX` entries.
pub const WIDTH_MAX: usize = 12;

/// Whether enough spins of the graph can move at once for this to pay.
pub fn suits(graph: &Graph) -> bool {
    let entries: usize = (0..graph.spins()).map(|i| graph.row(i).len()).sum();
    graph.spins() > 1 && entries <= 24 * graph.spins()
}

/// Iterated: kick the best state in many places, optimise subgraphs, keep of the result the components that gained.
pub(super) struct Subgraphs {
    graph: Arc<Graph>,
    eliminator: Eliminator,
    crossover: Crossover,
    seed: u64,
    rounds: u64,
    credit: i64,
    best: Vec<bool>,
    /// Energy of `best` relative to the problem's zero, and of the context's best that it was taken from.
    known: i64,
}

impl Subgraphs {
    /// A searcher; seeds give different orders.
    pub fn new(graph: Arc<Graph>, seed: u64) -> Self {
        Self {
            eliminator: Eliminator::new(&graph),
            graph,
            crossover: Crossover::default(),
            seed,
            rounds: 0,
            credit: 0,
            best: Vec::new(),
            known: i64::MAX,
        }
    }

    fn draw(&self, salt: u64) -> u64 {
        mix64(self.seed ^ mix64(self.rounds) ^ salt)
    }

    /// One round; returns its cost.
    fn round(&mut self, context: &Context) -> u64 {
        let n = self.graph.spins();
        if self.best.is_empty() || context.best_energy() < self.known {
            match context.best() {
                Some(elite) => {
                    self.best = elite.assignment;
                    self.known = elite.energy;
                }
                None => self.best = (0..n).map(|i| self.draw(i as u64) & 1 == 1).collect(),
            }
        }
        self.rounds += 1;
        let mut state = self.best.clone();
        let mut cost = 0;
        // Kicks of regions of a few spins, in so many places that a few per cent of all spins move.
        let share = [0, 20, 50, 100][(self.rounds % 4) as usize];
        let region = 1 + (self.draw(1) % 24) as usize;
        let places = n * share / 1000 / region;
        for k in 0..places {
            let mut at = (u128::from(self.draw(2 + k as u64)) * n as u128 >> 64) as usize;
            for step in 0..region {
                state[at] ^= true;
                let row = self.graph.row(at);
                if row.is_empty() {
                    break;
                }
                at = row[(self.draw((k as u64) << 20 | 1 << 60 | step as u64) % row.len() as u64) as usize].0
                    as usize;
            }
        }
        // Narrow tables often, wide ones sometimes: the work doubles with each.
        let width = [6, 8, 7, 10][(self.rounds / 4 % 4) as usize].min(WIDTH_MAX);
        for pass in 0..3 {
            if context.stopped() {
                break;
            }
            cost +=
                self.eliminator.optimise(&self.graph, &mut state, width, mix64(self.draw(1 << 40 | pass)));
        }
        let (change, _) = self.crossover.fold(&self.graph, &mut self.best, &state, true);
        cost += 6 * n as u64;
        if change < 0 || self.known == i64::MAX {
            context.offer(&self.best, self.source());
            self.known = context.best_energy();
        }
        cost
    }
}

impl Searcher for Subgraphs {
    fn source(&self) -> Source {
        Source::LocalSearch("subgraphs")
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.credit = self.credit.saturating_add(i64::try_from(effort).unwrap_or(i64::MAX));
        while self.credit > 0 && !context.stopped() {
            let cost = self.round(context);
            self.credit -= i64::try_from(cost).unwrap_or(i64::MAX);
        }
        Outcome::Continue
    }
}
