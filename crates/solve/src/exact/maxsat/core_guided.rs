//! The core-guided search: OLL with soft cardinality constraints on incremental totalizers,
//! weight-aware core extraction, stratification, core exhaustion and minimisation, hardening.
//!
//! OLL: Morgado, Dodaro, Marques-Silva, *Core-guided MaxSAT with soft cardinality constraints*, CP
//! 2014. Weight-aware extraction: Berg, Jarvisalo, CP 2017. The rest as in RC2 (see `exclusive`).

use std::collections::BTreeMap;

use hysteron_problem::Literal;
use rustsat::encodings::card::{BoundUpper, BoundUpperIncremental, Totalizer};
use rustsat::instances::{BasicVarManager, ManageVars};
use rustsat::types::Var;

use super::super::oracle::{Answer, Oracle, Sink, from_rustsat, to_rustsat};
use super::super::strand::{Pace, Verdict};
use super::{Instance, closed, exclusive, offer, strata};
use crate::{Outcome, Source};

/// Who found what this search offers.
pub const SOURCE: Source = Source::Exact("core-guided");
/// Repeated calls on a core alone, as long as it shrinks.
const TRIMS_MAX: usize = 5;
/// Conflicts that a try to remove one literal of a core may take.
const MINIMISE_CONFLICTS: u32 = 1000;
/// Cores of more literals are not minimised literal by literal.
const MINIMISE_LITERALS_MAX: usize = 1500;
/// Conflicts that a try to raise the bound of a sum may take.
const EXHAUST_CONFLICTS: u32 = 2000;

/// A sum of violated wishes of one core.
struct Sum {
    totalizer: Totalizer,
    inputs: usize,
    /// What every violation but the first costs.
    weight: u64,
}

/// A core whose sum is still to be built.
struct Pending {
    core: Vec<Literal>,
    weight: u64,
}

/// Why the search ends.
enum End {
    Verdict(Verdict),
    /// The strand should return.
    Abandoned,
}

struct Search<'a, O: Oracle> {
    instance: Instance,
    oracle: O,
    pace: &'a Pace,
    variables: BasicVarManager,
    /// By literal code: what it costs if the literal does not hold, beyond what is already paid.
    weights: Vec<u64>,
    /// Literals with a weight, in the order in which they came; some may have lost it.
    wishes: Vec<Literal>,
    sums: Vec<Sum>,
    /// The sum of a wish, and how many violations it allows.
    outputs: BTreeMap<Literal, (usize, usize)>,
    pending: Vec<Pending>,
    /// Energy that every assignment that is better than the best has.
    lower_bound: i64,
    /// Energy of the context's best.
    best_energy: i64,
    level: u64,
}

/// Runs the search to its end.
pub fn search<O: Oracle>(instance: Instance, mut oracle: O, pace: &Pace) -> Verdict {
    oracle.reserve(instance.variables_extended);
    for clause in &instance.clauses {
        oracle.add_clause(clause);
    }
    match oracle.solve(pace, &[], None) {
        Answer::Unsatisfiable => return Outcome::Unsatisfiable.into(),
        Answer::Unknown => return Outcome::Exhausted.into(),
        Answer::Satisfiable => {}
    }
    let best_energy = offer(&instance, pace, oracle.model(instance.variables), SOURCE);
    let mut instance = instance;
    let known = instance.clauses.len();
    pace.spend(exclusive::merge_exclusive(&mut instance));
    oracle.reserve(instance.variables_extended);
    for clause in &instance.clauses[known..] {
        oracle.add_clause(clause);
    }
    let mut search = Search {
        variables: BasicVarManager::from_next_free(Var::new(instance.variables_extended)),
        weights: vec![0; 2 * instance.variables_extended as usize],
        wishes: Vec::new(),
        sums: Vec::new(),
        outputs: BTreeMap::new(),
        pending: Vec::new(),
        lower_bound: instance.offset,
        best_energy,
        level: u64::MAX,
        oracle,
        pace,
        instance,
    };
    for (wish, weight) in std::mem::take(&mut search.instance.wishes) {
        search.add_wish(wish, weight);
    }
    match search.run() {
        End::Verdict(verdict) => verdict,
        End::Abandoned => Outcome::Exhausted.into(),
    }
}

impl<O: Oracle> Search<'_, O> {
    fn run(&mut self) -> End {
        self.lower_level();
        loop {
            if let Some(end) = self.meet_bounds() {
                return end;
            }
            let assumptions = self.assumptions();
            match self.oracle.solve(self.pace, &assumptions, None) {
                Answer::Unknown => return End::Abandoned,
                Answer::Satisfiable => {
                    let model = self.oracle.model(self.instance.variables);
                    self.best_energy = offer(&self.instance, self.pace, model, SOURCE);
                    let is_relaxed = self.pending.is_empty();
                    if let Err(end) = self.build_pending() {
                        return end;
                    }
                    if is_relaxed && !self.lower_level() {
                        // Every wish that is left was granted: the model costs what was paid for.
                        debug_assert!(self.best_energy <= self.lower_bound);
                        return self.meet_bounds().unwrap_or(End::Abandoned);
                    }
                }
                Answer::Unsatisfiable => {
                    let core = self.oracle.core(&assumptions);
                    if core.is_empty() {
                        return End::Verdict(closed(self.best_energy));
                    }
                    match self.shrink(core) {
                        None => return End::Abandoned,
                        Some(core) if core.is_empty() => return End::Verdict(closed(self.best_energy)),
                        Some(core) => self.pay(core),
                    }
                }
            }
        }
    }

    /// Tells of the lower bound, learns of better candidates and makes wishes hard that are too
    /// dear to refuse. An assignment that is no better than the best is of no interest.
    fn meet_bounds(&mut self) -> Option<End> {
        let view = self.pace.prove_lower_bound(self.lower_bound.min(self.best_energy));
        self.best_energy = self.best_energy.min(view.best_energy);
        if self.best_energy <= self.lower_bound {
            return Some(End::Verdict(closed(self.best_energy)));
        }
        if self.best_energy < i64::MAX {
            let gap = self.best_energy.abs_diff(self.lower_bound);
            for place in 0..self.wishes.len() {
                let wish = self.wishes[place];
                if self.weights[wish.code() as usize] >= gap {
                    self.oracle.add_clause(&[wish]);
                    // It stays a wish of no weight: its sum need not grow any more.
                    self.weights[wish.code() as usize] = 0;
                }
            }
        }
        None
    }

    /// The wishes of the present level.
    fn assumptions(&mut self) -> Vec<Literal> {
        let weights = &self.weights;
        self.wishes.retain(|wish| weights[wish.code() as usize] > 0);
        self.wishes.iter().copied().filter(|w| weights[w.code() as usize] >= self.level).collect()
    }

    /// Goes to the next level; whether there is one.
    fn lower_level(&mut self) -> bool {
        let mut weights: Vec<u64> = self.wishes.iter().map(|w| self.weights[w.code() as usize]).collect();
        self.level = strata::next_level(&mut weights, self.level);
        self.level > 0
    }

    fn add_wish(&mut self, wish: Literal, weight: u64) {
        let codes = 2 * (wish.variable() as usize + 1);
        if self.weights.len() < codes {
            self.weights.resize(codes, 0);
        }
        let held = &mut self.weights[wish.code() as usize];
        if *held == 0 {
            self.wishes.push(wish);
            self.oracle.prefer(wish);
        }
        *held += weight;
    }

    /// A smaller core within `core`, or `None` if the strand should return.
    fn shrink(&mut self, mut core: Vec<Literal>) -> Option<Vec<Literal>> {
        for _ in 0..TRIMS_MAX {
            if core.len() <= 1 {
                return Some(core);
            }
            match self.oracle.solve(self.pace, &core, Some(MINIMISE_CONFLICTS)) {
                Answer::Unsatisfiable => {}
                _ if self.pace.is_abandoned() => return None,
                _ => break,
            }
            let trimmed = self.oracle.core(&core);
            let is_same = trimmed.len() == core.len();
            core = trimmed;
            if is_same {
                break;
            }
        }
        if core.len() > MINIMISE_LITERALS_MAX {
            return Some(core);
        }
        // Wishes of little weight first: without them the core pays more.
        core.sort_by_key(|wish| (self.weights[wish.code() as usize], *wish));
        let mut place = 0;
        while place < core.len() && core.len() > 1 {
            let mut rest = core.clone();
            rest.remove(place);
            match self.oracle.solve(self.pace, &rest, Some(MINIMISE_CONFLICTS)) {
                Answer::Unsatisfiable => {
                    let smaller = self.oracle.core(&rest);
                    // Those before `place` have been found necessary, or too hard to tell.
                    core = smaller;
                }
                _ if self.pace.is_abandoned() => return None,
                _ => place += 1,
            }
            place = place.min(core.len());
        }
        Some(core)
    }

    /// Pays for a core: at least one of its wishes is violated.
    fn pay(&mut self, core: Vec<Literal>) {
        let weight = core.iter().map(|w| self.weights[w.code() as usize]).min().unwrap_or(0);
        for wish in &core {
            self.weights[wish.code() as usize] -= weight;
        }
        self.lower_bound = self.lower_bound.saturating_add_unsigned(weight);
        let clause: Vec<Literal> = core.iter().map(|&w| !w).collect();
        self.oracle.add_clause(&clause);
        self.pending.push(Pending { core, weight });
    }

    /// Builds the sums of the cores that were paid for, so that what else they cost is counted.
    fn build_pending(&mut self) -> Result<(), End> {
        for Pending { core, weight } in std::mem::take(&mut self.pending) {
            for wish in &core {
                if let Some(&(sum, allowed)) = self.outputs.get(wish) {
                    self.grant(sum, allowed + 1);
                }
            }
            if core.len() > 1 {
                self.build_sum(&core, weight)?;
            }
        }
        Ok(())
    }

    fn build_sum(&mut self, core: &[Literal], weight: u64) -> Result<(), End> {
        let totalizer: Totalizer = core.iter().map(|&wish| to_rustsat(!wish)).collect();
        self.sums.push(Sum { totalizer, inputs: core.len(), weight });
        let sum = self.sums.len() - 1;
        for allowed in 1..core.len() {
            let Some(wish) = self.output(sum, allowed) else { return Ok(()) };
            match self.oracle.solve(self.pace, &[wish], Some(EXHAUST_CONFLICTS)) {
                Answer::Unsatisfiable => {
                    self.lower_bound = self.lower_bound.saturating_add_unsigned(weight);
                    self.oracle.add_clause(&[!wish]);
                }
                _ if self.pace.is_abandoned() => return Err(End::Abandoned),
                _ => {
                    self.grant(sum, allowed);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Wishes that no more than `allowed` inputs of a sum are violated, if that is new.
    fn grant(&mut self, sum: usize, allowed: usize) {
        if let Some(wish) = self.output(sum, allowed)
            && self.outputs.insert(wish, (sum, allowed)).is_none()
        {
            self.add_wish(wish, self.sums[sum].weight);
        }
    }

    /// The literal that says that no more than `allowed` inputs of a sum are violated, encoded now
    /// if it was not yet; `None` if all may be.
    fn output(&mut self, sum: usize, allowed: usize) -> Option<Literal> {
        let Sum { totalizer, inputs, .. } = &mut self.sums[sum];
        if allowed >= *inputs {
            return None;
        }
        let mut sink = Sink::new(&mut self.oracle);
        totalizer.encode_ub_change(allowed..=allowed, &mut sink, &mut self.variables).ok()?;
        self.oracle.reserve(self.variables.n_used());
        totalizer.enforce_ub(allowed).ok()?.first().map(|&literal| from_rustsat(literal))
    }
}
