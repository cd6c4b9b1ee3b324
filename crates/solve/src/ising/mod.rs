//! Searchers for Ising, QUBO and Max-Cut problems.
//!
//! Sparse problems: crossbar chips whose finished lanes are folded by partition crossover (`anneal`), and exact optimisation of
//! random subgraphs of small treewidth (`subgraph`), both composing over the elites of the context.

mod anneal;
pub mod dense;
mod dense_groups;
mod dense_merge;
mod dense_swap;
mod pool;
pub mod subgraph;

use std::sync::Arc;

use hysteron_circuit::crossbar::crossover::Graph;
use hysteron_circuit::crossbar::{Circuit, Parameters};
use hysteron_problem::Ising;

use crate::Searcher;
use anneal::Chips;
use subgraph::Subgraphs;

/// The searchers that fit a sparse (or any) Ising problem with the shares of time that they deserve at first, in
/// sixteenths, the largest first, chosen by structure: size, degrees, weights. Problems too large for a bank of chips get local methods only.
pub fn searchers(problem: &Ising, seed: u64) -> Vec<(Box<dyn Searcher>, u64)> {
    let graph = Arc::new(Graph::new(problem));
    let mut searchers: Vec<(Box<dyn Searcher>, u64)> = Vec::new();
    if let Ok(circuit) = Circuit::compile(problem) {
        let lattice = Parameters::class_of(&circuit) == "lattice";
        let circuit = Arc::new(circuit);
        let share = if lattice { 4 } else { 16 };
        searchers.push((Box::new(Chips::annealing(circuit.clone(), graph.clone(), seed)), share));
        if lattice {
            searchers.push((Box::new(Chips::exchanging(circuit, graph.clone(), seed ^ 0xb)), 16));
        }
    }
    if subgraph::suits(&graph) {
        searchers.push((Box::new(Subgraphs::new(graph, seed ^ 0x5)), 4));
    }
    searchers.sort_by_key(|(_, share)| std::cmp::Reverse(*share));
    searchers
}
