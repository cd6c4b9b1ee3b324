//! A light incremental solver for core extraction: thousands of small calls under assumptions.
//!
//! CaDiCaL sets up and tears down much for each call; MiniSat's clause activities keep the wrong
//! clauses on problems with many cores. This one keeps clauses by the number of decision levels
//! that they join (Audemard and Simon, *Predicting learnt clauses quality in modern SAT solvers*,
//! IJCAI 2009), restarts by the same measure, and keeps the assumptions over a restart.

mod analysis;
mod database;
mod heap;

use hysteron_problem::Literal;

use self::database::{Database, Reference, Watch};
use self::heap::Heap;
use super::oracle::{Answer, Oracle};
use super::strand::Pace;

/// Conflicts over which the recent quality of learnt clauses is averaged.
const RECENT: usize = 50;
/// A restart is due when the recent average, times this, is above the average of all.
const RESTART_MARGIN: f64 = 0.8;
/// Conflicts before the first reduction of learnt clauses, and by how much more each time.
const REDUCE_FIRST: u64 = 2000;
const REDUCE_MORE: u64 = 300;
/// Activity decay at first, at last, and conflicts between two steps of 0.01.
const DECAY_FIRST: f64 = 0.80;
const DECAY_LAST: f64 = 0.95;
const DECAY_CONFLICTS: u64 = 5000;
/// Nanoseconds for a visited watch, and for a conflict beyond its propagation.
const VISIT_COST: u64 = 4;
const CONFLICT_COST: u64 = 2_000;
/// Costs are added up to about this before they are reported.
const REPORT_COST: u64 = 50_000;

/// Sums for the decision when to restart.
#[derive(Default)]
struct Quality {
    /// The last levels counted, as a ring.
    recent: Vec<u32>,
    next: usize,
    recent_sum: u64,
    sum: u64,
    count: u64,
}

impl Quality {
    fn push(&mut self, levels: u32) {
        self.sum += u64::from(levels);
        self.count += 1;
        self.recent_sum += u64::from(levels);
        if self.recent.len() < RECENT {
            self.recent.push(levels);
            return;
        }
        self.recent_sum -= u64::from(std::mem::replace(&mut self.recent[self.next], levels));
        self.next = (self.next + 1) % RECENT;
    }

    fn is_poor(&self) -> bool {
        self.recent.len() == RECENT
            && self.recent_sum as f64 / RECENT as f64 * RESTART_MARGIN > self.sum as f64 / self.count as f64
    }

    fn restart(&mut self) {
        self.recent.clear();
        self.recent_sum = 0;
        self.next = 0;
    }
}

/// The light solver.
#[derive(Default)]
pub struct Light {
    database: Database,
    /// By literal code: 1 true, -1 false, 0 open.
    values: Vec<i8>,
    /// By variable.
    levels: Vec<u32>,
    reasons: Vec<Reference>,
    phases: Vec<bool>,
    activities: Vec<f64>,
    heap: Heap,
    trail: Vec<Literal>,
    /// Where each decision level begins on the trail.
    limits: Vec<usize>,
    head: usize,
    increment: f64,
    decay: f64,
    quality: Quality,
    conflicts: u64,
    reduce_at: u64,
    reductions: u64,
    /// Assumptions of the last call: as far as the levels go, level `i + 1` is of the `i`-th.
    assumed: Vec<Literal>,
    /// Units of level 0 when satisfied clauses were last removed.
    cleaned: usize,
    is_contradictory: bool,
    model: Vec<i8>,
    core: Vec<Literal>,
    analysis: analysis::Scratch,
    /// Cost since the last report.
    cost: u64,
}

impl Light {
    /// An empty solver.
    pub fn new() -> Self {
        Self { increment: 1.0, decay: DECAY_FIRST, reduce_at: REDUCE_FIRST, ..Self::default() }
    }

    #[inline]
    fn value(&self, literal: Literal) -> i8 {
        self.values[literal.code() as usize]
    }

    fn level(&self) -> usize {
        self.limits.len()
    }

    fn enqueue(&mut self, literal: Literal, reason: Reference) {
        let variable = literal.variable() as usize;
        self.values[literal.code() as usize] = 1;
        self.values[(!literal).code() as usize] = -1;
        self.levels[variable] = self.limits.len() as u32;
        self.reasons[variable] = reason;
        self.trail.push(literal);
    }

    fn backtrack(&mut self, level: usize) {
        if self.level() <= level {
            return;
        }
        let start = self.limits[level];
        for place in (start..self.trail.len()).rev() {
            let literal = self.trail[place];
            self.values[literal.code() as usize] = 0;
            self.values[(!literal).code() as usize] = 0;
            self.phases[literal.variable() as usize] = !literal.is_negative();
            self.heap.insert(literal.variable(), &self.activities);
        }
        self.trail.truncate(start);
        self.limits.truncate(level);
        self.head = start;
    }

    /// Propagates what is on the trail. Returns a clause that became false, if any.
    fn propagate(&mut self) -> Option<Reference> {
        let mut conflict = None;
        while conflict.is_none() && self.head < self.trail.len() {
            let falsified = !self.trail[self.head];
            self.head += 1;
            let mut list = std::mem::take(&mut self.database.watches[falsified.code() as usize]);
            self.cost += VISIT_COST * list.len() as u64 + 10;
            let (mut read, mut write) = (0, 0);
            while read < list.len() {
                let watch = list[read];
                read += 1;
                let blocked = self.value(watch.blocker);
                if blocked == 1 {
                    list[write] = watch;
                    write += 1;
                    continue;
                }
                let mut unit = watch.blocker;
                if !watch.is_binary() {
                    let values = &self.values;
                    match self.database.rewatch(watch.clause(), falsified, values) {
                        database::Rewatch::Moved(place, blocker) => {
                            let moved = Watch { blocker, ..watch };
                            self.database.watches[place.code() as usize].push(moved);
                            continue;
                        }
                        database::Rewatch::Satisfied(blocker) => {
                            list[write] = Watch { blocker, ..watch };
                            write += 1;
                            continue;
                        }
                        database::Rewatch::Unit(literal) => unit = literal,
                    }
                }
                list[write] = Watch { blocker: unit, ..watch };
                write += 1;
                if self.value(unit) == -1 {
                    conflict = Some(watch.clause());
                    while read < list.len() {
                        list[write] = list[read];
                        write += 1;
                        read += 1;
                    }
                } else {
                    self.enqueue(unit, watch.clause());
                }
            }
            list.truncate(write);
            self.database.watches[falsified.code() as usize] = list;
        }
        conflict
    }

    fn bump(&mut self, variable: u32) {
        let activity = &mut self.activities[variable as usize];
        *activity += self.increment;
        if *activity > 1e100 {
            for activity in &mut self.activities {
                *activity *= 1e-100;
            }
            self.increment *= 1e-100;
        }
        self.heap.rise(variable, &self.activities);
    }

    /// Learns from a conflict above level 0.
    fn learn(&mut self, conflict: Reference) {
        self.conflicts += 1;
        let learnt = self.analyse(conflict);
        self.backtrack(learnt.level);
        self.quality.push(learnt.quality);
        match *learnt.clause {
            [unit] => self.enqueue(unit, Reference::NONE),
            ref clause => {
                let unit = clause[0];
                let reference = self.database.add(clause, Some(learnt.quality));
                self.enqueue(unit, reference);
            }
        }
        self.analysis.clause = learnt.clause;
        self.increment /= self.decay;
        if self.conflicts.is_multiple_of(DECAY_CONFLICTS) && self.decay < DECAY_LAST {
            self.decay += 0.01;
        }
    }

    /// Removes clauses that are satisfied, and the worse half of the learnt ones.
    fn reduce(&mut self) {
        self.backtrack(0);
        self.reductions += 1;
        self.reduce_at = self.conflicts + REDUCE_FIRST + REDUCE_MORE * self.reductions;
        self.cost += 10 * self.database.reduce(&self.values, true);
        self.cleaned = self.trail.len();
    }

    /// The next decision after the assumptions, or `None` if everything is decided.
    fn decide(&mut self) -> Option<Literal> {
        loop {
            let variable = self.heap.pop(&self.activities)?;
            let literal = Literal::new(variable, false);
            if self.value(literal) == 0 {
                return Some(if self.phases[variable as usize] { literal } else { !literal });
            }
        }
    }

    fn search(&mut self, pace: &Pace, assumptions: &[Literal], conflicts_end: u64) -> Answer {
        loop {
            if let Some(conflict) = self.propagate() {
                if self.level() == 0 {
                    self.is_contradictory = true;
                    self.core.clear();
                    return Answer::Unsatisfiable;
                }
                self.learn(conflict);
                self.cost += CONFLICT_COST;
                continue;
            }
            if self.cost >= REPORT_COST && pace.spend(std::mem::take(&mut self.cost)) {
                return Answer::Unknown;
            }
            if self.conflicts >= conflicts_end {
                return Answer::Unknown;
            }
            if self.quality.is_poor() {
                self.quality.restart();
                self.backtrack(assumptions.len());
                if self.conflicts >= self.reduce_at {
                    self.reduce();
                }
            }
            let mut decision = None;
            while let Some(&assumption) = assumptions.get(self.level()) {
                match self.value(assumption) {
                    1 => self.limits.push(self.trail.len()),
                    -1 => {
                        self.blame(assumption);
                        return Answer::Unsatisfiable;
                    }
                    _ => {
                        decision = Some(assumption);
                        break;
                    }
                }
            }
            let Some(decision) = decision.or_else(|| self.decide()) else {
                self.model.clone_from(&self.values);
                return Answer::Satisfiable;
            };
            self.limits.push(self.trail.len());
            self.enqueue(decision, Reference::NONE);
        }
    }
}

impl Oracle for Light {
    fn reserve(&mut self, variables: u32) {
        let known = self.levels.len() as u32;
        if variables <= known {
            return;
        }
        self.values.resize(2 * variables as usize, 0);
        self.levels.resize(variables as usize, 0);
        self.reasons.resize(variables as usize, Reference::NONE);
        self.phases.resize(variables as usize, false);
        self.activities.resize(variables as usize, 0.0);
        self.database.watches.resize(2 * variables as usize, Vec::new());
        self.analysis.seen.resize(variables as usize, false);
        for variable in known..variables {
            self.heap.insert(variable, &self.activities);
        }
    }

    fn add_clause(&mut self, clause: &[Literal]) {
        self.backtrack(0);
        let mut literals = clause.to_vec();
        literals.sort_unstable();
        literals.dedup();
        let is_tautology = literals.windows(2).any(|pair| pair[0] == !pair[1]);
        if is_tautology || self.is_contradictory || literals.iter().any(|&l| self.value(l) == 1) {
            return;
        }
        literals.retain(|&l| self.value(l) == 0);
        match *literals {
            [] => self.is_contradictory = true,
            [unit] => {
                self.enqueue(unit, Reference::NONE);
                self.is_contradictory = self.propagate().is_some();
            }
            _ => {
                self.database.add(&literals, None);
            }
        }
    }

    fn solve(&mut self, pace: &Pace, assumptions: &[Literal], conflicts_max: Option<u32>) -> Answer {
        self.core.clear();
        // What the calls have in common stays decided.
        let common = self.assumed.iter().zip(assumptions).take_while(|(a, b)| a == b).count();
        self.backtrack(common);
        self.assumed.clear();
        self.assumed.extend_from_slice(assumptions);
        if self.is_contradictory {
            return Answer::Unsatisfiable;
        }
        let units = self.limits.first().copied().unwrap_or(self.trail.len());
        if units > self.cleaned {
            self.backtrack(0);
            self.is_contradictory = self.propagate().is_some();
            if self.is_contradictory {
                return Answer::Unsatisfiable;
            }
            self.cost += 5 * self.database.reduce(&self.values, false);
            self.cleaned = self.trail.len();
        }
        let conflicts_end = conflicts_max.map_or(u64::MAX, |c| self.conflicts + u64::from(c));
        self.search(pace, assumptions, conflicts_end)
    }

    fn holds(&self, literal: Literal) -> bool {
        self.model.get(literal.code() as usize) == Some(&1)
    }

    fn core(&self, assumptions: &[Literal]) -> Vec<Literal> {
        let mut used = self.core.clone();
        used.sort_unstable();
        assumptions.iter().copied().filter(|l| used.binary_search(l).is_ok()).collect()
    }

    fn prefer(&mut self, literal: Literal) {
        self.phases[literal.variable() as usize] = !literal.is_negative();
    }
}
