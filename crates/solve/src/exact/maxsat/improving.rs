//! The model-improving search: ask for a model that costs less than the best, until there is none.
//! The cost is counted by a totalizer if all wishes weigh the same, else by a dynamic polynomial
//! watchdog (Paxian, Reimer, Becker, SAT 2018); both from rustsat, extended bound by bound.

use hysteron_problem::Literal;
use rustsat::encodings::card::{BoundUpper, BoundUpperIncremental, Totalizer};
use rustsat::encodings::pb::{
    BoundUpper as BoundWeight, BoundUpperIncremental as BoundWeightIncremental, DynamicPolyWatchdog,
};
use rustsat::instances::{BasicVarManager, ManageVars};
use rustsat::types::Var;

use super::super::oracle::{Answer, Oracle, Sink, from_rustsat, to_rustsat};
use super::super::strand::{Pace, Verdict};
use super::{Instance, closed, exclusive, offer};
use crate::{Outcome, Source};

/// Who found what this search offers.
pub const SOURCE: Source = Source::Exact("model-improving");
/// Clauses that counting the cost may take; beyond, only a first model is looked for.
const CLAUSES_MAX: u64 = 12_000_000;

/// What counts the cost of violated wishes.
enum Counter {
    /// All wishes weigh the same: that weight, and their number.
    Equal(Totalizer, u64),
    Weighted(DynamicPolyWatchdog),
}

impl Counter {
    fn new(wishes: &[(Literal, u64)]) -> Self {
        let first = wishes.first().map_or(1, |&(_, weight)| weight);
        if wishes.iter().all(|&(_, weight)| weight == first) {
            return Self::Equal(wishes.iter().map(|&(wish, _)| to_rustsat(!wish)).collect(), first);
        }
        let inputs = wishes.iter().map(|&(wish, weight)| (to_rustsat(!wish), weight as usize));
        Self::Weighted(inputs.collect())
    }

    /// About how many clauses bounding the cost by `bound` takes.
    fn clauses(wishes: &[(Literal, u64)], bound: u64) -> u64 {
        let (count, least) = (wishes.len() as u64, wishes.iter().map(|w| w.1).min().unwrap_or(1));
        let greatest = wishes.iter().map(|w| w.1).max().unwrap_or(1);
        let outputs = (bound / least).saturating_add(1);
        let mut clauses = 0u64;
        let (mut nodes, mut inputs) = (1, count);
        while inputs > 1 {
            let side = (inputs / 2).min(outputs);
            clauses = clauses.saturating_add(side.saturating_mul(side).saturating_mul(nodes));
            nodes *= 2;
            inputs /= 2;
        }
        // A watchdog has a totalizer for each binary digit of the weights, and sums of them.
        let digits = u64::from((greatest / least).max(1).ilog2()) + 1;
        clauses.saturating_mul(digits.min(4))
    }

    /// Assumptions under which the cost is at most `bound`, or `None` if that cannot be encoded.
    fn bound<O: Oracle>(
        &mut self,
        bound: u64,
        oracle: &mut O,
        variables: &mut BasicVarManager,
    ) -> Option<Vec<Literal>> {
        let mut sink = Sink::new(oracle);
        let literals = match self {
            Self::Equal(totalizer, weight) => {
                let bound = (bound / *weight) as usize;
                totalizer.encode_ub_change(bound..=bound, &mut sink, variables).ok()?;
                totalizer.enforce_ub(bound).ok()?
            }
            Self::Weighted(watchdog) => {
                let bound = bound as usize;
                watchdog.encode_ub_change(bound..=bound, &mut sink, variables).ok()?;
                watchdog.enforce_ub(bound).ok()?
            }
        };
        oracle.reserve(variables.n_used());
        Some(literals.into_iter().map(from_rustsat).collect())
    }
}

/// Runs the search to its end.
pub fn search<O: Oracle>(mut instance: Instance, mut oracle: O, pace: &Pace) -> Verdict {
    oracle.reserve(instance.variables_extended);
    for clause in &instance.clauses {
        oracle.add_clause(clause);
    }
    match oracle.solve(pace, &[], None) {
        Answer::Unsatisfiable => return Outcome::Unsatisfiable.into(),
        Answer::Unknown => return Outcome::Exhausted.into(),
        Answer::Satisfiable => {}
    }
    let mut best_energy = offer(&instance, pace, oracle.model(instance.variables), SOURCE);
    let known = instance.clauses.len();
    pace.spend(exclusive::merge_exclusive(&mut instance));
    oracle.reserve(instance.variables_extended);
    for clause in &instance.clauses[known..] {
        oracle.add_clause(clause);
    }
    let mut variables = BasicVarManager::from_next_free(Var::new(instance.variables_extended));
    let mut counter = Counter::new(&instance.wishes);
    let mut is_sized = false;
    loop {
        let view = pace.look();
        best_energy = best_energy.min(view.best_energy);
        if best_energy <= view.lower_bound.max(instance.offset) {
            return closed(best_energy);
        }
        let bound = (best_energy - 1).abs_diff(instance.offset);
        if !is_sized && Counter::clauses(&instance.wishes, bound) > CLAUSES_MAX {
            return Outcome::Exhausted.into();
        }
        is_sized = true;
        let Some(assumptions) = counter.bound(bound, &mut oracle, &mut variables) else {
            return Outcome::Exhausted.into();
        };
        match oracle.solve(pace, &assumptions, None) {
            Answer::Satisfiable => {
                let model = oracle.model(instance.variables);
                best_energy = best_energy.min(offer(&instance, pace, model, SOURCE));
            }
            Answer::Unsatisfiable => return closed(best_energy),
            Answer::Unknown => return Outcome::Exhausted.into(),
        }
    }
}
