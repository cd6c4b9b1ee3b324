//! Searchers for Ising, QUBO and Max-Cut problems.
//!
//! Sparse problems: crossbar chips whose finished lanes are folded by partition crossover (`anneal`), and exact optimisation of
//! random subgraphs of small treewidth (`subgraph`), both composing over the elites of the context.

mod anneal;
pub mod dense;
pub mod subgraph;

use std::sync::Arc;

use hysteron_circuit::crossbar::crossover::Graph;
use hysteron_circuit::crossbar::{Circuit, Table};
use hysteron_problem::Ising;

use crate::Searcher;
use anneal::Chips;
use subgraph::Subgraphs;

/// The searchers that fit a sparse (or any) Ising problem, the most promising first, chosen by structure: size, degrees,
/// weights. Problems too large for a bank of chips get local methods only.
pub fn searchers(problem: &Ising, seed: u64) -> Vec<Box<dyn Searcher>> {
    let graph = Arc::new(Graph::new(problem));
    let mut searchers: Vec<Box<dyn Searcher>> = Vec::new();
    if let Ok(circuit) = Circuit::compile(problem) {
        let lattice = Table::class_of(&circuit) == "lattice";
        let circuit = Arc::new(circuit);
        searchers.push(Box::new(Chips::annealing(circuit.clone(), graph.clone(), seed)));
        if lattice {
            searchers.push(Box::new(Chips::exchanging(circuit, graph.clone(), seed ^ 0xb)));
        }
    }
    if subgraph::suits(&graph) {
        searchers.push(Box::new(Subgraphs::new(graph, seed ^ 0x5)));
    }
    searchers
}
pub mod dense_groups;
pub mod dense_merge;
pub mod dense_swap;
