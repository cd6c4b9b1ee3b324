//! Exact MaxSAT: [`CoreGuided`] raises the lower bound core by core, [`ModelImproving`] lowers the
//! upper bound model by model. Each proves the optimum when it meets the other's bound.
//!
//! A plain CNF is the problem whose clauses are all soft with weight 1.

mod core_guided;
mod exclusive;
mod improving;

mod propagator;
mod strata;

use hysteron_problem::{ClauseList, Literal, Problem, Wcnf};

use super::cadical::Cadical;
use super::light::Light;
use super::strand::{Pace, Strand, Verdict};
use crate::{Context, Outcome, Searcher, Source};

/// A MaxSAT problem with one literal a soft clause.
struct Instance {
    /// Variables of the problem.
    variables: u32,
    /// Hard clauses, and the soft clauses of more than one literal with their relaxation variable.
    clauses: Vec<Vec<Literal>>,
    /// Literals that should hold, each variable at most once, and what each costs if it does not.
    wishes: Vec<(Literal, u64)>,
    /// Variables of the problem and of relaxations.
    variables_extended: u32,
    /// What every assignment costs.
    offset: i64,
    /// The soft clauses and weights, to score models by.
    soft: ClauseList,
    weights: Vec<u64>,
    /// The offset that the problem states.
    stated_offset: i64,
}

impl Instance {
    fn new(problem: &Problem) -> Option<Self> {
        match problem {
            Problem::Cnf(cnf) => {
                let weights = vec![1; cnf.clauses.len()];
                Some(Self::from_parts(cnf.variables, &ClauseList::new(), &cnf.clauses, weights, 0))
            }
            Problem::Wcnf(Wcnf { variables, hard, soft, weights, offset }) => {
                Some(Self::from_parts(*variables, hard, soft, weights.clone(), *offset))
            }
            Problem::Ising(_) => None,
        }
    }

    fn from_parts(
        variables: u32,
        hard: &ClauseList,
        soft: &ClauseList,
        weights: Vec<u64>,
        mut offset: i64,
    ) -> Self {
        let stated_offset = offset;
        let mut clauses: Vec<Vec<Literal>> = hard.iter().map(<[Literal]>::to_vec).collect();
        let mut variables_extended = variables;
        // What each literal of the problem costs when it does not hold.
        let mut costs = vec![0u64; 2 * variables as usize];
        let mut relaxations = Vec::new();
        for (clause, &weight) in soft.iter().zip(&weights) {
            match clause {
                [] => offset += weight as i64,
                [literal] => costs[literal.code() as usize] += weight,
                _ => {
                    let relaxation = Literal::new(variables_extended, false);
                    variables_extended += 1;
                    let mut clause = clause.to_vec();
                    clause.push(relaxation);
                    clauses.push(clause);
                    relaxations.push((!relaxation, weight));
                }
            }
        }
        let mut wishes = Vec::new();
        for variable in 0..variables {
            let literal = Literal::new(variable, false);
            let (positive, negative) = (costs[literal.code() as usize], costs[(!literal).code() as usize]);
            // One of the two is paid for in any case.
            offset += positive.min(negative) as i64;
            if positive != negative {
                let wish = if positive > negative { literal } else { !literal };
                wishes.push((wish, positive.abs_diff(negative)));
            }
        }
        wishes.append(&mut relaxations);
        let soft = soft.clone();
        Self { variables, clauses, wishes, variables_extended, offset, soft, weights, stated_offset }
    }

    /// The energy of an assignment that satisfies the hard clauses.
    fn energy(&self, assignment: &[bool]) -> i64 {
        let violated = self
            .soft
            .iter()
            .zip(&self.weights)
            .filter(|(clause, _)| !clause.iter().any(|l| l.holds(assignment[l.variable() as usize])));
        self.stated_offset + violated.map(|(_, &weight)| weight as i64).sum::<i64>()
    }
}

/// Offers a model if it is better than the best that the context has. Returns the energy of the
/// best.
fn offer(instance: &Instance, pace: &Pace, model: Vec<bool>, source: Source) -> i64 {
    let energy = instance.energy(&model);
    let best = pace.look().best_energy;
    if energy < best { pace.offer(model, source).best_energy } else { best }
}

/// What to answer when no model is better than the best: it is optimal, if there is one.
fn closed(best_energy: i64) -> Verdict {
    if best_energy == i64::MAX {
        Outcome::Unsatisfiable.into()
    } else {
        Verdict { outcome: Outcome::Optimal, model: None, bound: Some(best_energy) }
    }
}

/// Core-guided search: unsatisfiable cores raise the lower bound until the problem, relaxed by what
/// the cores cost, has a model. It offers every better model on the way.
pub struct CoreGuided {
    strand: Strand,
}

impl CoreGuided {
    /// A search on `problem`, or `None` if that is an Ising problem.
    pub fn new(problem: &Problem) -> Option<Self> {
        let instance = Instance::new(problem)?;
        let body = move |pace: &Pace| core_guided::search(instance, Light::new(), pace);
        Some(Self { strand: Strand::new(Box::new(body)) })
    }

    /// The same search with CaDiCaL in place of the light solver.
    pub fn with_cadical(problem: &Problem) -> Option<Self> {
        let instance = Instance::new(problem)?;
        let body = move |pace: &Pace| core_guided::search(instance, Cadical::new(), pace);
        Some(Self { strand: Strand::new(Box::new(body)) })
    }
}

impl Searcher for CoreGuided {
    fn source(&self) -> Source {
        core_guided::SOURCE
    }
    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.strand.work(context, effort)
    }
}

/// Model-improving search: every model is followed by the question for a cheaper one, so that it
/// gives good answers early, and proves the last one optimal if it can.
pub struct ModelImproving {
    strand: Strand,
}

impl ModelImproving {
    /// A search on `problem`, or `None` if that is an Ising problem.
    pub fn new(problem: &Problem) -> Option<Self> {
        let instance = Instance::new(problem)?;
        let body = move |pace: &Pace| improving::search(instance, Cadical::new(), pace);
        Some(Self { strand: Strand::new(Box::new(body)) })
    }
}

impl Searcher for ModelImproving {
    fn source(&self) -> Source {
        improving::SOURCE
    }
    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.strand.work(context, effort)
    }
}
