//! Local search on weighted partial MaxSAT by weighting clauses, in the line of SATLike (Lei, Cai 2018) and NuWLS
//! (Chu, Cai, Luo 2023): greedy flips by dynamic weights; where none helps, clauses that are not satisfied
//! grow heavier, soft ones only while all hard ones hold. Starts come from unit propagation, from the best
//! candidate of the context, or from the search's own best.

use hysteron_circuit::rom::mix64;
use hysteron_problem::{Problem, Wcnf};

use super::partial_start;
use crate::{Context, Outcome, Searcher, Source};

/// Nanoseconds of a flip's fixed part and of each score that it changes.
const FLIP_COST: u64 = 80;
const SCORE_COST: u64 = 4;
/// Flips without improvement after which the search starts anew.
const PATIENCE: u64 = 400_000;
/// Flips between two looks at the context.
const LOOK_FLIPS: u64 = 2_000;
/// Good variables of which the best is taken.
const SAMPLE: usize = 40;
/// The dynamic weight of a soft clause of mean weight, and of a hard clause, at the start.
const SOFT_UNIT: i64 = 64;
const HARD_UNIT: i64 = 64;
/// What the weight of a hard clause grows by.
const HARD_STEP: i64 = 96;
/// A soft clause's dynamic weight is at most so many times its first.
const SOFT_GROWTH_MAX: i64 = 500;

/// Clauses by literal: hard ones first.
pub(super) struct Clauses {
    pub variables: usize,
    pub hard_count: usize,
    pub offsets: Vec<u32>,
    pub codes: Vec<u32>,
    /// Per literal code, the clauses that it is in: `occurrences[starts[code]..starts[code + 1]]`.
    pub starts: Vec<u32>,
    pub occurrences: Vec<u32>,
    /// Per soft clause its weight.
    pub weights: Vec<u64>,
}

impl Clauses {
    /// Without tautologies and repeated literals; empty clauses stay, and are never satisfied.
    fn new(wcnf: &Wcnf) -> Self {
        let (mut offsets, mut codes, mut weights) = (vec![0u32], Vec::new(), Vec::new());
        let mut hard_count = 0;
        let hard = wcnf.hard.iter().map(|c| (c, None));
        let soft = wcnf.soft.iter().zip(&wcnf.weights).map(|(c, &w)| (c, Some(w)));
        for (clause, weight) in hard.chain(soft) {
            let mut literals = clause.to_vec();
            literals.sort_unstable();
            literals.dedup();
            if literals.windows(2).any(|w| w[0] == !w[1]) {
                continue;
            }
            codes.extend(literals.iter().map(|l| l.code()));
            offsets.push(codes.len() as u32);
            match weight {
                Some(weight) => weights.push(weight),
                None => hard_count += 1,
            }
        }
        let variables = wcnf.variables as usize;
        let mut starts = vec![0u32; 2 * variables + 1];
        for &code in &codes {
            starts[code as usize + 1] += 1;
        }
        for i in 0..2 * variables {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut occurrences = vec![0u32; codes.len()];
        for clause in 0..offsets.len() - 1 {
            for &code in &codes[offsets[clause] as usize..offsets[clause + 1] as usize] {
                occurrences[next[code as usize] as usize] = clause as u32;
                next[code as usize] += 1;
            }
        }
        Self { variables, hard_count, offsets, codes, starts, occurrences, weights }
    }
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }
    pub fn range(&self, clause: usize) -> std::ops::Range<usize> {
        self.offsets[clause] as usize..self.offsets[clause + 1] as usize
    }
    pub fn occurrence_range(&self, code: u32) -> std::ops::Range<usize> {
        self.starts[code as usize] as usize..self.starts[code as usize + 1] as usize
    }
}

/// A set of numbers below a bound: insertion, removal and choice in constant time.
pub(super) struct IndexSet {
    pub items: Vec<u32>,
    place: Vec<u32>,
}

impl IndexSet {
    pub fn new(bound: usize) -> Self {
        Self { items: Vec::new(), place: vec![u32::MAX; bound] }
    }
    pub fn clear(&mut self) {
        for &item in &self.items {
            self.place[item as usize] = u32::MAX;
        }
        self.items.clear();
    }
    #[inline]
    pub fn insert(&mut self, item: u32) {
        if self.place[item as usize] == u32::MAX {
            self.place[item as usize] = self.items.len() as u32;
            self.items.push(item);
        }
    }
    #[inline]
    pub fn remove(&mut self, item: u32) {
        let place = self.place[item as usize];
        if place != u32::MAX {
            self.items.swap_remove(place as usize);
            if let Some(&moved) = self.items.get(place as usize) {
                self.place[moved as usize] = place;
            }
            self.place[item as usize] = u32::MAX;
        }
    }
}

/// Local search with clause weights.
pub struct Partial {
    clauses: Clauses,
    values: Vec<bool>,
    /// Per clause: dynamic weight, number of true literals, exclusive or of their codes.
    dynamic: Vec<i64>,
    /// Per soft clause: its first dynamic weight.
    tuned: Vec<i64>,
    true_count: Vec<u32>,
    true_code: Vec<u32>,
    unsatisfied_hard: IndexSet,
    unsatisfied_soft: IndexSet,
    /// Per variable: what flipping it gains in dynamic weight, and when it was flipped last.
    score: Vec<i64>,
    flipped: Vec<u64>,
    /// Variables whose score is positive.
    good: IndexSet,
    /// Weight of unsatisfied soft clauses.
    cost: u128,
    best: Vec<bool>,
    best_key: (usize, u128),
    /// The best that was offered to a context.
    offered_key: (usize, u128),
    /// The best since the last start, and when.
    round_key: (usize, u128),
    round_flip: u64,
    flips: u64,
    rounds: u64,
    touched: u64,
    state: u64,
}

impl Partial {
    /// A searcher of a weighted CNF; of nothing else.
    pub fn new(problem: &Problem, seed: u64) -> Option<Self> {
        let Problem::Wcnf(wcnf) = problem else { return None };
        let clauses = Clauses::new(wcnf);
        let sum: u128 = clauses.weights.iter().map(|&w| u128::from(w)).sum();
        let count = clauses.weights.len().max(1) as u128;
        let tuned = clauses
            .weights
            .iter()
            .map(|&w| (u128::from(w) * SOFT_UNIT as u128 * count / sum.max(1)).clamp(1, 1 << 24) as i64)
            .collect();
        let (n, m) = (clauses.variables, clauses.len());
        let mut search = Self {
            values: vec![false; n],
            dynamic: vec![0; m],
            tuned,
            true_count: vec![0; m],
            true_code: vec![0; m],
            unsatisfied_hard: IndexSet::new(m),
            unsatisfied_soft: IndexSet::new(m),
            score: vec![0; n],
            flipped: vec![0; n],
            good: IndexSet::new(n),
            cost: 0,
            best: vec![false; n],
            best_key: (usize::MAX, u128::MAX),
            offered_key: (usize::MAX, u128::MAX),
            round_key: (usize::MAX, u128::MAX),
            round_flip: 0,
            flips: 0,
            rounds: 0,
            touched: 0,
            state: mix64(seed ^ 0x7061_7274),
            clauses,
        };
        search.begin(None);
        Some(search)
    }

    fn draw(&mut self, below: usize) -> usize {
        self.state = self.state.wrapping_add(1);
        ((u128::from(mix64(self.state)) * below as u128) >> 64) as usize
    }

    /// Starts a round: from the values given, or by unit propagation.
    fn begin(&mut self, from: Option<Vec<bool>>) {
        self.rounds += 1;
        let seed = mix64(self.state ^ self.rounds);
        match from {
            Some(values) => self.values = values,
            None => {
                // Where propagation leaves a variable free, the best assignment so far decides half of the time.
                let hint = (self.best_key.0 != usize::MAX && self.rounds.is_multiple_of(2))
                    .then_some(self.best.as_slice());
                self.values = partial_start::propagate(&self.clauses, hint, seed);
            }
        }
        // Until hard clauses hold, soft ones are a whisper.
        let soft_first = self.best_key.0 == 0 || self.clauses.hard_count == 0;
        for clause in 0..self.clauses.len() {
            self.dynamic[clause] = match clause.checked_sub(self.clauses.hard_count) {
                None => HARD_UNIT,
                Some(soft) if soft_first => self.tuned[soft],
                Some(_) => 0,
            };
        }
        self.recount();
        self.round_key = self.key();
        self.round_flip = self.flips;
        self.remember();
    }

    /// Computes everything that follows from values and dynamic weights.
    fn recount(&mut self) {
        self.unsatisfied_hard.clear();
        self.unsatisfied_soft.clear();
        self.good.clear();
        self.score.fill(0);
        self.cost = 0;
        for clause in 0..self.clauses.len() {
            let codes = &self.clauses.codes[self.clauses.range(clause)];
            let (mut count, mut code) = (0, 0);
            for &c in codes {
                if self.values[(c >> 1) as usize] != (c & 1 == 1) {
                    count += 1;
                    code ^= c;
                }
            }
            (self.true_count[clause], self.true_code[clause]) = (count, code);
            let weight = self.dynamic[clause];
            match count {
                0 => {
                    for &c in codes {
                        self.score[(c >> 1) as usize] += weight;
                    }
                    match clause.checked_sub(self.clauses.hard_count) {
                        None => self.unsatisfied_hard.insert(clause as u32),
                        Some(soft) => {
                            self.unsatisfied_soft.insert(clause as u32);
                            self.cost += u128::from(self.clauses.weights[soft]);
                        }
                    }
                }
                1 => self.score[(code >> 1) as usize] -= weight,
                _ => {}
            }
        }
        for variable in 0..self.clauses.variables {
            if self.score[variable] > 0 {
                self.good.insert(variable as u32);
            }
        }
    }

    fn key(&self) -> (usize, u128) {
        (self.unsatisfied_hard.items.len(), self.cost)
    }

    /// Keeps the values if they are the best.
    fn remember(&mut self) {
        let key = self.key();
        if key < self.round_key {
            (self.round_key, self.round_flip) = (key, self.flips);
        }
        if key < self.best_key {
            self.best_key = key;
            self.best.copy_from_slice(&self.values);
        }
    }

    #[inline]
    fn add_score(&mut self, variable: u32, change: i64) {
        let score = &mut self.score[variable as usize];
        let before = *score;
        *score += change;
        if before > 0 && *score <= 0 {
            self.good.remove(variable);
        } else if before <= 0 && *score > 0 {
            self.good.insert(variable);
        }
        self.touched += 1;
    }

    fn flip(&mut self, variable: u32) {
        self.flips += 1;
        self.flipped[variable as usize] = self.flips;
        let after = -self.score[variable as usize];
        let value = &mut self.values[variable as usize];
        *value = !*value;
        let made = variable << 1 | u32::from(!*value);
        for i in self.clauses.occurrence_range(made) {
            let clause = self.clauses.occurrences[i] as usize;
            let weight = self.dynamic[clause];
            match self.true_count[clause] {
                0 => {
                    for k in self.clauses.range(clause) {
                        self.add_score(self.clauses.codes[k] >> 1, -weight);
                    }
                    match clause.checked_sub(self.clauses.hard_count) {
                        None => self.unsatisfied_hard.remove(clause as u32),
                        Some(soft) => {
                            self.unsatisfied_soft.remove(clause as u32);
                            self.cost -= u128::from(self.clauses.weights[soft]);
                        }
                    }
                }
                1 => self.add_score(self.true_code[clause] >> 1, weight),
                _ => {}
            }
            self.true_count[clause] += 1;
            self.true_code[clause] ^= made;
        }
        for i in self.clauses.occurrence_range(made ^ 1) {
            let clause = self.clauses.occurrences[i] as usize;
            let weight = self.dynamic[clause];
            self.true_count[clause] -= 1;
            self.true_code[clause] ^= made ^ 1;
            match self.true_count[clause] {
                0 => {
                    for k in self.clauses.range(clause) {
                        self.add_score(self.clauses.codes[k] >> 1, weight);
                    }
                    match clause.checked_sub(self.clauses.hard_count) {
                        None => self.unsatisfied_hard.insert(clause as u32),
                        Some(soft) => {
                            self.unsatisfied_soft.insert(clause as u32);
                            self.cost += u128::from(self.clauses.weights[soft]);
                        }
                    }
                }
                1 => self.add_score(self.true_code[clause] >> 1, -weight),
                _ => {}
            }
        }
        let drift = after - self.score[variable as usize];
        self.add_score(variable, drift);
    }

    /// The better of two variables: the greater score, then the one that waited longer.
    fn better(&self, a: u32, b: u32) -> u32 {
        let rank = |v: u32| (self.score[v as usize], std::cmp::Reverse(self.flipped[v as usize]));
        if rank(b) > rank(a) { b } else { a }
    }

    /// One flip, of a good variable if there is one; else clauses grow heavier first.
    fn step(&mut self) {
        let variable = if !self.good.items.is_empty() {
            let count = self.good.items.len();
            if count <= SAMPLE {
                (1..count).fold(self.good.items[0], |best, i| self.better(best, self.good.items[i]))
            } else {
                let first = self.draw(count);
                let mut best = self.good.items[first];
                for _ in 1..SAMPLE {
                    let i = self.draw(count);
                    best = self.better(best, self.good.items[i]);
                }
                best
            }
        } else {
            self.weigh();
            let clauses = if self.unsatisfied_hard.items.is_empty() {
                &self.unsatisfied_soft
            } else {
                &self.unsatisfied_hard
            };
            let count = clauses.items.len();
            if count == 0 {
                return;
            }
            let i = self.draw(count);
            let clauses = if self.unsatisfied_hard.items.is_empty() {
                &self.unsatisfied_soft
            } else {
                &self.unsatisfied_hard
            };
            let codes = &self.clauses.codes[self.clauses.range(clauses.items[i] as usize)];
            let Some(&first) = codes.first() else { return };
            codes[1..].iter().fold(first >> 1, |best, &code| self.better(best, code >> 1))
        };
        self.flip(variable);
    }

    /// Unsatisfied clauses grow heavier: hard ones if there are any, else soft ones.
    fn weigh(&mut self) {
        let hard = !self.unsatisfied_hard.items.is_empty();
        let count = if hard { self.unsatisfied_hard.items.len() } else { self.unsatisfied_soft.items.len() };
        for i in 0..count {
            let clause =
                if hard { self.unsatisfied_hard.items[i] } else { self.unsatisfied_soft.items[i] } as usize;
            let growth = if hard {
                HARD_STEP
            } else {
                let tuned = self.tuned[clause - self.clauses.hard_count];
                if self.dynamic[clause] >= tuned * SOFT_GROWTH_MAX {
                    continue;
                }
                tuned
            };
            self.dynamic[clause] += growth;
            for k in self.clauses.range(clause) {
                self.add_score(self.clauses.codes[k] >> 1, growth);
            }
        }
    }
}

impl Searcher for Partial {
    fn source(&self) -> Source {
        Source::LocalSearch("weighting")
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        let mut left = effort as i64;
        while left > 0 && !context.stopped() {
            // Somebody else's better candidate is worth a round.
            let others = context.best().filter(|c| {
                let cost = (c.hard_unsatisfied as usize, c.energy);
                cost.0 < self.best_key.0 || cost.0 == self.best_key.0 && !self.is_at_most(context, cost.1)
            });
            if let Some(candidate) = others {
                self.begin(Some(candidate.assignment));
            } else if self.flips > self.round_flip + PATIENCE {
                let from_best = self.rounds.is_multiple_of(3).then(|| self.best.clone());
                self.begin(from_best);
            }
            self.touched = 0;
            let before = self.flips;
            for _ in 0..LOOK_FLIPS {
                self.step();
                self.remember();
            }
            left -= ((self.flips - before) * FLIP_COST + self.touched * SCORE_COST + LOOK_FLIPS * 10) as i64;
            let key = (self.best_key.0 as u64, 0);
            // The start of a round may be the best already.
            if self.best_key < self.offered_key
                && context.best().is_none_or(|b| key <= (b.hard_unsatisfied, 0))
            {
                self.offered_key = self.best_key;
                context.offer(&self.best, Source::LocalSearch("weighting"));
            }
        }
        Outcome::Continue
    }
}

impl Partial {
    /// Whether the search's best costs at most `energy`.
    fn is_at_most(&self, context: &Context, energy: i64) -> bool {
        let Problem::Wcnf(wcnf) = context.problem() else { return true };
        // Canonical weights sum to less than 2^62.
        self.best_key.1 as i64 + wcnf.offset <= energy
    }
}

#[cfg(test)]
mod tests;
