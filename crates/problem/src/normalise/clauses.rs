//! CNF and WCNF: unit propagation over the hard clauses, pure literals, and the order in which the
//! rules are applied.

use super::components::{self, Sets};
use super::equivalent;
use super::parity;
use super::restore::{RestoreMap, Step};
use super::subsumption;
use super::{Decided, NormaliseOptions, NormaliseStatistics, Normalised, SUBSUMPTION_WORK_FLOOR};
use crate::canonical::{ClauseList, Cnf, Literal, Problem, Wcnf};

/// The weight of a hard clause; soft weights are smaller.
pub(super) const HARD: u64 = u64::MAX;
/// Rounds of propagation, merging of equivalent literals, and what parities add.
const ROUNDS_MAX: usize = 8;

/// Clauses with weights, [`HARD`] for hard ones and 0 for removed ones; literals sorted and distinct.
#[derive(Default)]
pub(super) struct Store {
    offsets: Vec<u32>,
    literals: Vec<Literal>,
    pub weight: Vec<u64>,
}

impl Store {
    fn with_capacity(clauses: usize, literals: usize) -> Self {
        let mut store = Self {
            offsets: Vec::with_capacity(clauses + 1),
            literals: Vec::with_capacity(literals),
            weight: Vec::with_capacity(clauses),
        };
        store.offsets.push(0);
        store
    }

    /// Appends a clause, sorted and without duplicate literals; leaves out tautologies.
    fn push(
        &mut self,
        clause: impl Iterator<Item = Literal>,
        weight: u64,
        statistics: &mut NormaliseStatistics,
    ) {
        let start = self.literals.len();
        self.literals.extend(clause);
        let pushed = self.literals.len() - start;
        self.literals[start..].sort_unstable();
        let mut end = start;
        for read in start..self.literals.len() {
            let literal = self.literals[read];
            if end > start && self.literals[end - 1] == literal {
                continue;
            }
            if end > start && self.literals[end - 1] == !literal {
                statistics.tautologies += 1;
                self.literals.truncate(start);
                return;
            }
            self.literals[end] = literal;
            end += 1;
        }
        statistics.duplicate_literals += (pushed - (end - start)) as u64;
        self.literals.truncate(end);
        self.offsets.push(end as u32);
        self.weight.push(weight);
    }

    /// Appends a hard clause of distinct variables.
    pub fn push_hard(&mut self, clause: &[Literal]) {
        self.push(clause.iter().copied(), HARD, &mut NormaliseStatistics::default());
    }

    pub fn len(&self) -> usize {
        self.weight.len()
    }

    pub fn clause(&self, index: usize) -> &[Literal] {
        &self.literals[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }

    /// The indices of the clauses that are still there.
    pub fn live(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&c| self.weight[c] != 0)
    }
}

/// What is known of a variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Set(bool),
    /// Another literal took its place.
    Replaced,
}

pub(super) struct Reducer {
    pub variables: u32,
    pub store: Store,
    pub state: Vec<State>,
    pub steps: Vec<Step>,
    pub statistics: NormaliseStatistics,
    /// Weight of soft clauses that no assignment satisfies.
    constant: u64,
    pub contradiction: bool,
}

pub(super) fn normalise_cnf(cnf: &Cnf, options: &NormaliseOptions) -> Normalised {
    let mut store = Store::with_capacity(cnf.clauses.len(), cnf.clauses.literals().len());
    let mut statistics = NormaliseStatistics::default();
    for clause in cnf.clauses.iter() {
        store.push(clause.iter().copied(), HARD, &mut statistics);
    }
    statistics.constraints_before = cnf.clauses.len() as u64;
    statistics.elements_before = cnf.clauses.literals().len() as u64;
    Reducer::new(cnf.variables, store, statistics).run(options, 0, false)
}

pub(super) fn normalise_wcnf(wcnf: &Wcnf, options: &NormaliseOptions) -> Normalised {
    let literals = wcnf.hard.literals().len() + wcnf.soft.literals().len();
    let mut store = Store::with_capacity(wcnf.hard.len() + wcnf.soft.len(), literals);
    let mut statistics = NormaliseStatistics::default();
    for clause in wcnf.hard.iter() {
        store.push(clause.iter().copied(), HARD, &mut statistics);
    }
    for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
        if weight != 0 {
            store.push(clause.iter().copied(), weight, &mut statistics);
        }
    }
    statistics.constraints_before = (wcnf.hard.len() + wcnf.soft.len()) as u64;
    statistics.elements_before = literals as u64;
    Reducer::new(wcnf.variables, store, statistics).run(options, wcnf.offset, true)
}

impl Reducer {
    fn new(variables: u32, store: Store, mut statistics: NormaliseStatistics) -> Self {
        statistics.variables_before = variables;
        Self {
            variables,
            store,
            state: vec![State::Open; variables as usize],
            steps: Vec::new(),
            statistics,
            constant: 0,
            contradiction: false,
        }
    }

    fn run(mut self, options: &NormaliseOptions, offset: i64, weighted: bool) -> Normalised {
        self.reduce(options);
        // The constant is at most the sum of all soft weights and the offset is an energy of the
        // problem, so the sum is one too.
        let constant = offset.saturating_add_unsigned(self.constant);
        self.finish(options, constant, weighted)
    }

    fn reduce(&mut self, options: &NormaliseOptions) {
        self.propagate(options.pure_literals);
        for _ in 0..ROUNDS_MAX {
            let merged = !self.contradiction && options.equivalences && equivalent::merge(self);
            let added = !self.contradiction && !merged && options.parities && parity::merge(self);
            if !merged && !added {
                break;
            }
            self.propagate(options.pure_literals);
        }
        if self.contradiction {
            return;
        }
        let merged = subsumption::merge_duplicates(&mut self.store);
        self.statistics.duplicate_clauses += merged.duplicates;
        self.statistics.soft_implied += merged.soft_implied;
        self.statistics.opposite_units += merged.opposite_units;
        self.constant += merged.constant;
        let mut removed_any = merged.duplicates + merged.soft_implied + merged.opposite_units > 0;
        if options.subsumption {
            let work_max = SUBSUMPTION_WORK_FLOOR
                + options.subsumption_work_per_literal.saturating_mul(self.store.literals.len() as u64);
            let removed = subsumption::remove_supersets(&mut self.store, self.variables, work_max);
            self.statistics.subsumed += removed.hard;
            self.statistics.soft_implied += removed.soft;
            self.statistics.subsumption_cut = removed.cut;
            removed_any |= removed.hard + removed.soft > 0;
        }
        if removed_any {
            // Removed clauses can leave pure literals. They remove whole clauses, so no unit appears.
            self.propagate(options.pure_literals);
        }
    }

    /// Writes the store anew with each literal replaced by `map`, without what is settled.
    pub fn rewrite(&mut self, map: impl Fn(Literal) -> Literal) {
        // What vanishes here is counted by the rule that made it vanish.
        let mut uncounted = NormaliseStatistics::default();
        let old = std::mem::take(&mut self.store);
        let mut new = Store::with_capacity(old.len(), old.literals.len());
        let state = &self.state;
        for clause in old.live() {
            let literals = old.clause(clause).iter().map(|&l| map(l));
            let open = literals.filter(|l| state[l.variable() as usize] == State::Open);
            new.push(open, old.weight[clause], &mut uncounted);
        }
        self.store = new;
    }

    /// Sets literals that hard clauses imply, and pure ones, until there are none; then rewrites the
    /// store without them.
    fn propagate(&mut self, pure_literals: bool) {
        let count = self.literal_counts();
        let short = |c: usize| self.store.clause(c).len() <= usize::from(self.store.weight[c] == HARD);
        let mut signs = count.chunks_exact(2);
        let nothing_pure = !pure_literals || signs.all(|c| (c[0] == 0) == (c[1] == 0));
        if nothing_pure && !self.store.live().any(short) {
            return;
        }
        let mut propagation = Propagation::new(&self.store, count);
        propagation.run(self, pure_literals);
        if !self.contradiction {
            self.rewrite(|literal| literal);
        }
    }

    /// For each literal, the clauses that hold it.
    fn literal_counts(&self) -> Vec<u32> {
        let mut count = vec![0u32; 2 * self.variables as usize];
        for clause in self.store.live() {
            for literal in self.store.clause(clause) {
                count[literal.code() as usize] += 1;
            }
        }
        count
    }

    fn finish(mut self, options: &NormaliseOptions, constant: i64, weighted: bool) -> Normalised {
        let mut restore = RestoreMap {
            variables: self.variables,
            kept: Vec::new(),
            steps: Vec::new(),
            constant,
            divisor: 1,
        };
        if self.contradiction {
            restore.steps = self.steps;
            return Normalised {
                components: Vec::new(),
                restore,
                statistics: self.statistics,
                decided: Some(Decided::Unsatisfiable),
            };
        }
        let mut used = vec![false; self.variables as usize];
        let mut sets = Sets::new(self.variables);
        for clause in self.store.live() {
            let literals = self.store.clause(clause);
            for literal in literals {
                used[literal.variable() as usize] = true;
                if options.split {
                    sets.join(literals[0].variable(), literal.variable());
                }
            }
        }
        for variable in 0..self.variables {
            if self.state[variable as usize] == State::Open && !used[variable as usize] {
                self.steps.push(Step::Fixed { variable, value: false });
                self.statistics.unused += 1;
            }
        }
        let components_max = if options.split { options.components_max } else { 1 };
        let placement = components::place(&mut sets, |v| used[v as usize], self.variables, components_max);
        let mut parts: Vec<Wcnf> = placement
            .kept
            .iter()
            .map(|kept| Wcnf { variables: kept.len() as u32, ..Wcnf::default() })
            .collect();
        let mut renumbered = Vec::new();
        for clause in self.store.live() {
            let literals = self.store.clause(clause);
            let part = &mut parts[placement.component[literals[0].variable() as usize] as usize];
            renumbered.clear();
            renumbered.extend(
                literals
                    .iter()
                    .map(|l| Literal::new(placement.index[l.variable() as usize], l.is_negative())),
            );
            if self.store.weight[clause] == HARD {
                part.hard.push(&renumbered);
            } else {
                part.soft.push(&renumbered);
                part.weights.push(self.store.weight[clause]);
            }
        }
        let statistics = &mut self.statistics;
        statistics.components = placement.found;
        statistics.components_packed = placement.packed;
        for part in &parts {
            statistics.variables_after += part.variables;
            statistics.constraints_after += (part.hard.len() + part.soft.len()) as u64;
            statistics.elements_after += elements(&part.hard) + elements(&part.soft);
        }
        restore.kept = placement.kept;
        restore.steps = self.steps;
        let decided = parts.is_empty().then_some(Decided::Solved);
        let components = parts
            .into_iter()
            .map(|part| match weighted {
                true => Problem::Wcnf(part),
                false => Problem::Cnf(Cnf { variables: part.variables, clauses: part.hard }),
            })
            .collect();
        Normalised { components, restore, statistics: self.statistics, decided }
    }
}

fn elements(clauses: &ClauseList) -> u64 {
    clauses.literals().len() as u64
}

/// The tables of one run of [`Reducer::propagate`].
struct Propagation {
    /// The clauses of literal code `l`: `occurrences[starts[l]..starts[l + 1]]`.
    starts: Vec<u32>,
    occurrences: Vec<u32>,
    /// For each literal, the clauses still there that hold it.
    count: Vec<u32>,
    /// For each clause, its literals that are not false.
    open: Vec<u32>,
    /// Literals to be made true.
    queue: Vec<Literal>,
    /// Variables that may have become pure.
    candidates: Vec<u32>,
}

impl Propagation {
    fn new(store: &Store, count: Vec<u32>) -> Self {
        let mut starts = Vec::with_capacity(count.len() + 1);
        let mut total = 0u32;
        starts.push(0);
        for &c in &count {
            total += c;
            starts.push(total);
        }
        let mut fill = starts.clone();
        let mut occurrences = vec![0u32; total as usize];
        for clause in store.live() {
            for literal in store.clause(clause) {
                let slot = &mut fill[literal.code() as usize];
                occurrences[*slot as usize] = clause as u32;
                *slot += 1;
            }
        }
        let open = (0..store.len()).map(|c| store.clause(c).len() as u32).collect();
        Self { starts, occurrences, count, open, queue: Vec::new(), candidates: Vec::new() }
    }

    fn run(&mut self, reducer: &mut Reducer, pure_literals: bool) {
        for clause in 0..reducer.store.len() {
            if reducer.store.weight[clause] != 0 {
                self.settle_if_short(reducer, clause);
            }
        }
        self.candidates.extend((0..reducer.variables).rev());
        loop {
            while let Some(literal) = self.queue.pop() {
                match reducer.state[literal.variable() as usize] {
                    State::Open => {
                        reducer.statistics.implied += 1;
                        self.assign(reducer, literal);
                    }
                    State::Set(value) if literal.holds(value) => {}
                    _ => reducer.contradiction = true,
                }
                if reducer.contradiction {
                    return;
                }
            }
            if !pure_literals {
                return;
            }
            let Some(variable) = self.candidates.pop() else { return };
            if reducer.state[variable as usize] != State::Open {
                continue;
            }
            let positive = self.count[Literal::new(variable, false).code() as usize];
            let negative = self.count[Literal::new(variable, true).code() as usize];
            if (positive == 0) != (negative == 0) {
                reducer.statistics.pure += 1;
                self.assign(reducer, Literal::new(variable, positive == 0));
            }
        }
    }

    fn assign(&mut self, reducer: &mut Reducer, literal: Literal) {
        let value = !literal.is_negative();
        reducer.state[literal.variable() as usize] = State::Set(value);
        reducer.steps.push(Step::Fixed { variable: literal.variable(), value });
        for slot in self.clauses_of(literal) {
            let clause = self.occurrences[slot] as usize;
            if reducer.store.weight[clause] != 0 {
                self.remove(reducer, clause);
            }
        }
        for slot in self.clauses_of(!literal) {
            let clause = self.occurrences[slot] as usize;
            if reducer.store.weight[clause] != 0 {
                self.open[clause] -= 1;
                self.settle_if_short(reducer, clause);
            }
        }
    }

    fn clauses_of(&self, literal: Literal) -> std::ops::Range<usize> {
        let code = literal.code() as usize;
        self.starts[code] as usize..self.starts[code + 1] as usize
    }

    /// Acts on a clause that has at most one literal left.
    fn settle_if_short(&mut self, reducer: &mut Reducer, clause: usize) {
        let hard = reducer.store.weight[clause] == HARD;
        match self.open[clause] {
            0 if hard => reducer.contradiction = true,
            0 => {
                reducer.constant += reducer.store.weight[clause];
                self.remove(reducer, clause);
            }
            1 if hard => {
                let literals = reducer.store.clause(clause).iter();
                let mut open = literals.filter(|l| reducer.state[l.variable() as usize] == State::Open);
                if let Some(&unit) = open.next() {
                    self.queue.push(unit);
                }
            }
            _ => {}
        }
    }

    fn remove(&mut self, reducer: &mut Reducer, clause: usize) {
        reducer.store.weight[clause] = 0;
        for literal in reducer.store.clause(clause) {
            let count = &mut self.count[literal.code() as usize];
            *count -= 1;
            if *count == 0 && reducer.state[literal.variable() as usize] == State::Open {
                self.candidates.push(literal.variable());
            }
        }
    }
}
