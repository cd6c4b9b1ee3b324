//! A focused walk on one assignment: probSAT (Balint, Schöning 2012, "Choosing probability
//! distributions for stochastic local search and the role of make versus break", SAT 2012).
//!
//! Pick an unsatisfied clause at random, then one of its variables with probability proportional to
//! `f(break)`, and flip it. `break` counts the clauses that only this variable satisfies; they are kept
//! up to date with one word a clause: the number of its true literals and the XOR of their variables,
//! which is the critical variable itself when there is one. The lists are flat arrays of 32-bit words.

use hysteron_circuit::rom::mix64;
use hysteron_problem::{Cnf, Literal};

/// Bits of a clause's word that hold the XOR of variables; the count is above them.
const VARIABLE_BITS: u32 = 26;
const VARIABLE_MASK: u32 = (1 << VARIABLE_BITS) - 1;
const ONE_TRUE: u32 = 1 << VARIABLE_BITS;
/// The longest clause whose count of true literals fits above the variables.
const LENGTH_MAX: usize = 63;
/// Breaks above the last of the table are as unlikely as the last.
const BREAKS: usize = 64;
/// Nobody's place in the list of unsatisfied clauses.
const NOWHERE: u32 = u32::MAX;

/// Effort between two looks at whether to stop.
const LOOK_EFFORT: u64 = 250_000;

/// A walk on the clauses of a CNF.
pub struct Walk {
    /// Literals of the longest clause.
    longest: usize,
    /// Whether all clauses are that long.
    uniform: bool,
    /// Literals of clause `c`: from `ends[c - 1]` to `ends[c]`.
    ends: Vec<u32>,
    literals: Vec<Literal>,
    /// Clauses of literal code `l`: from `begins[l]` to `begins[l + 1]`.
    begins: Vec<u32>,
    clauses: Vec<u32>,
    /// `f(break)` in Q20.
    weights: [u32; BREAKS],
    values: Vec<bool>,
    /// Count of true literals and XOR of their variables.
    states: Vec<u32>,
    breaks: Vec<u32>,
    unsatisfied: Vec<u32>,
    /// Where each clause is in `unsatisfied`.
    places: Vec<u32>,
    draws: u64,
    /// Mean cost of a flip, in 1/1024 of a unit of effort.
    flip_cost_q10: u64,
}

impl Walk {
    /// A walk, or none if the problem is not for it: no clauses, an empty clause, or one with more than 63
    /// literals. It is nowhere until [`Self::start`].
    pub fn new(cnf: &Cnf) -> Option<Self> {
        let longest = cnf.clauses.longest();
        if longest > LENGTH_MAX || cnf.clauses.iter().any(<[Literal]>::is_empty) {
            return None;
        }
        let n = cnf.variables as usize;
        let mut ends = Vec::with_capacity(cnf.clauses.len());
        let mut literals: Vec<Literal> = Vec::with_capacity(cnf.clauses.literals().len());
        let mut begins = vec![0u32; 2 * n + 1];
        let mut uniform = true;
        for clause in cnf.clauses.iter() {
            if clause.iter().any(|&l| clause.contains(&!l)) {
                continue;
            }
            let begin = literals.len();
            for &literal in clause {
                if !literals[begin..].contains(&literal) {
                    literals.push(literal);
                    begins[literal.code() as usize + 1] += 1;
                }
            }
            uniform &= literals.len() - begin == longest;
            ends.push(literals.len() as u32);
        }
        let m = ends.len();
        if m == 0 {
            return None;
        }
        for l in 0..2 * n {
            begins[l + 1] += begins[l];
        }
        let mut next = begins.clone();
        let mut clauses = vec![0u32; literals.len()];
        let mut at = 0;
        for (clause, &end) in ends.iter().enumerate() {
            while at < end as usize {
                let place = &mut next[literals[at].code() as usize];
                clauses[*place as usize] = clause as u32;
                *place += 1;
                at += 1;
            }
        }
        // About 25 ns a flip and 2 ns an occurrence that it touches, more where the tables outgrow the caches.
        let touched = literals.len() as u64 / u64::from(cnf.variables.max(1)) + 1;
        let bytes = 4 * (literals.len() * 2 + m * 2 + n * 2) as u64;
        let per_touch_q10 = 2 * 1024 + bytes.min(64 << 20) * 8 / (1 << 14);
        Some(Self {
            longest,
            uniform,
            weights: weights(literals.len() as u64 * 16 / m as u64),
            values: vec![false; n],
            states: vec![0; m],
            breaks: vec![0; n],
            unsatisfied: Vec::with_capacity(m),
            places: vec![NOWHERE; m],
            draws: 0,
            flip_cost_q10: 25 * 1024 + touched * per_touch_q10,
            ends,
            literals,
            begins,
            clauses,
        })
    }

    /// The present assignment.
    pub fn values(&self) -> &[bool] {
        &self.values
    }
    /// The clauses that it leaves open.
    pub fn unsatisfied(&self) -> usize {
        self.unsatisfied.len()
    }
    /// Mean cost of a flip, in 1/1024 of a unit of effort.
    pub fn flip_cost_q10(&self) -> u64 {
        self.flip_cost_q10
    }

    /// Flips that take about a quarter of a millisecond: how long a search may be kept waiting for its end.
    pub fn flips_between_looks(&self) -> u64 {
        (LOOK_EFFORT * 1024 / self.flip_cost_q10).clamp(16, 8192)
    }

    #[inline(always)]
    fn draw(&mut self) -> u64 {
        self.draws = self.draws.wrapping_add(1);
        mix64(self.draws)
    }

    /// Begins at an assignment, or at a random one, with other draws for another seed.
    pub fn start(&mut self, from: Option<&[bool]>, seed: u64) {
        self.draws = mix64(seed ^ 0x70_726f_6273_6174);
        match from {
            Some(values) => self.values.copy_from_slice(values),
            None => (0..self.values.len()).for_each(|v| self.values[v] = self.draw() & 1 == 1),
        }
        self.breaks.fill(0);
        self.unsatisfied.clear();
        self.places.fill(NOWHERE);
        let mut begin = 0;
        for (clause, &end) in self.ends.iter().enumerate() {
            let mut state = 0;
            for literal in &self.literals[begin..end as usize] {
                if literal.holds(self.values[literal.variable() as usize]) {
                    state = (state ^ literal.variable()) + ONE_TRUE;
                }
            }
            begin = end as usize;
            self.states[clause] = state;
            if state < ONE_TRUE {
                self.places[clause] = self.unsatisfied.len() as u32;
                self.unsatisfied.push(clause as u32);
            } else if state >> VARIABLE_BITS == 1 {
                self.breaks[(state & VARIABLE_MASK) as usize] += 1;
            }
        }
    }

    /// Flips up to `flips` times; true if every clause is satisfied.
    pub fn run(&mut self, flips: u64) -> bool {
        match (self.uniform, self.longest) {
            (true, 3) => self.run_uniform::<3>(flips),
            (true, 4) => self.run_uniform::<4>(flips),
            (true, 5) => self.run_uniform::<5>(flips),
            (true, 7) => self.run_uniform::<7>(flips),
            _ => self.run_mixed(flips),
        }
    }

    fn run_uniform<const K: usize>(&mut self, flips: u64) -> bool {
        for _ in 0..flips {
            if self.unsatisfied.is_empty() {
                return true;
            }
            let draw = self.draw();
            let clause = self.pick_clause(draw);
            let mut sums = [0u32; K];
            let mut sum = 0;
            for (i, slot) in sums.iter_mut().enumerate() {
                let variable = self.literals[clause * K + i].variable() as usize;
                sum += self.weights[(self.breaks[variable] as usize).min(BREAKS - 1)];
                *slot = sum;
            }
            let point = ((u64::from(draw as u32) * u64::from(sum)) >> 32) as u32;
            // Without branches: they would be guessed wrong half of the time.
            let chosen: usize = sums[..K - 1].iter().map(|&s| usize::from(point >= s)).sum();
            self.flip(self.literals[clause * K + chosen]);
        }
        self.unsatisfied.is_empty()
    }

    fn run_mixed(&mut self, flips: u64) -> bool {
        for _ in 0..flips {
            if self.unsatisfied.is_empty() {
                return true;
            }
            let draw = self.draw();
            let clause = self.pick_clause(draw);
            let begin = if clause == 0 { 0 } else { self.ends[clause - 1] as usize };
            let range = begin..self.ends[clause] as usize;
            let weight =
                |l: &Literal| self.weights[(self.breaks[l.variable() as usize] as usize).min(BREAKS - 1)];
            let sum: u32 = self.literals[range.clone()].iter().map(weight).sum();
            let mut point = ((u64::from(draw as u32) * u64::from(sum)) >> 32) as u32;
            let mut chosen = self.literals[begin];
            for literal in &self.literals[range] {
                chosen = *literal;
                let weight = weight(literal);
                if point < weight {
                    break;
                }
                point -= weight;
            }
            self.flip(chosen);
        }
        self.unsatisfied.is_empty()
    }

    #[inline(always)]
    fn pick_clause(&self, draw: u64) -> usize {
        self.unsatisfied[(((draw >> 32) * self.unsatisfied.len() as u64) >> 32) as usize] as usize
    }

    /// Makes `literal`, which is false, true.
    #[inline(always)]
    fn flip(&mut self, literal: Literal) {
        let variable = literal.variable();
        self.values[variable as usize] = !literal.is_negative();
        let code = literal.code() as usize;
        let mut own_breaks = 0;
        for at in self.begins[code] as usize..self.begins[code + 1] as usize {
            let clause = self.clauses[at] as usize;
            let state = self.states[clause];
            self.states[clause] = (state ^ variable) + ONE_TRUE;
            if state < ONE_TRUE {
                own_breaks += 1;
                let place = self.places[clause] as usize;
                self.places[clause] = NOWHERE;
                let last = self.unsatisfied.pop().expect("this clause is in the list");
                if last as usize != clause {
                    self.unsatisfied[place] = last;
                    self.places[last as usize] = place as u32;
                }
            } else {
                // Without a branch: it would be guessed wrong every third time.
                let is_critical = state < 2 * ONE_TRUE;
                let critical = if is_critical { state & VARIABLE_MASK } else { variable };
                self.breaks[critical as usize] -= u32::from(is_critical);
            }
        }
        let code = code ^ 1;
        for at in self.begins[code] as usize..self.begins[code + 1] as usize {
            let clause = self.clauses[at] as usize;
            let state = (self.states[clause] ^ variable) - ONE_TRUE;
            self.states[clause] = state;
            if state < ONE_TRUE {
                self.places[clause] = self.unsatisfied.len() as u32;
                self.unsatisfied.push(clause as u32);
            } else {
                let is_critical = state < 2 * ONE_TRUE;
                let critical = if is_critical { state & VARIABLE_MASK } else { variable };
                self.breaks[critical as usize] += u32::from(is_critical);
            }
        }
        // What it broke it was critical for; now it is critical for what it made.
        self.breaks[variable as usize] = own_breaks;
    }
}

/// `f(break)` in Q20 by the mean clause length in 1/16: polynomial `((0.9 + break) / 0.9)^-2.06` for
/// 3-SAT, `base^-break` else, with bases as published for probSAT at lengths 4, 5 and 7, and straight
/// lines between.
fn weights(mean_length_q4: u64) -> [u32; BREAKS] {
    let mut out = [1u32; BREAKS];
    if mean_length_q4 <= 3 * 16 + 4 {
        for (b, weight) in out.iter_mut().enumerate() {
            *weight = POLYNOMIAL.get(b).copied().unwrap_or(64);
        }
        return out;
    }
    let bases = [(3u64, 2500u64), (4, 2850), (5, 3700), (6, 5000), (7, 5400)];
    let mut base = bases[4].1;
    for pair in bases.windows(2) {
        let (low, high) = (pair[0], pair[1]);
        if mean_length_q4 < high.0 * 16 && mean_length_q4 >= low.0 * 16 {
            base = low.1 + (high.1 - low.1) * (mean_length_q4 - low.0 * 16) / 16;
        }
    }
    let mut weight = 1u64 << 20;
    for slot in &mut out {
        *slot = weight.max(1) as u32;
        weight = weight * 1000 / base;
    }
    out
}

/// `2^20 ((0.9 + b) / 0.9)^-2.06`.
const POLYNOMIAL: [u32; 32] = [
    1_048_576, 224_961, 94_146, 51_138, 31_955, 21_796, 15_787, 11_946, 9_345, 7_505, 6_155, 5_137, 4_350,
    3_730, 3_233, 2_828, 2_494, 2_215, 1_981, 1_781, 1_610, 1_462, 1_334, 1_221, 1_122, 1_035, 957, 888, 826,
    770, 719, 674,
];

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use hysteron_problem::ClauseList;

    pub(in super::super) fn random(seed: u64, variables: u32, clauses: u64, lengths: &[u64]) -> Cnf {
        let mut list = ClauseList::new();
        let mut counter = seed << 32;
        for c in 0..clauses {
            let clause: Vec<Literal> = (0..lengths[c as usize % lengths.len()])
                .map(|_| {
                    counter += 1;
                    let draw = mix64(counter);
                    Literal::new((((draw >> 32) * u64::from(variables)) >> 32) as u32, draw & 1 == 1)
                })
                .collect();
            list.push(&clause);
        }
        Cnf { variables, clauses: list }
    }

    #[test]
    fn counts_stay_right() {
        for (seed, lengths) in [(1, &[3u64][..]), (2, &[5]), (3, &[2, 3, 9]), (4, &[1, 2])] {
            let cnf = random(seed, 40, 300, lengths);
            let mut walk = Walk::new(&cnf).expect("it is for local walk");
            walk.start(None, seed);
            for _ in 0..50 {
                walk.run(7);
                let count = cnf
                    .clauses
                    .iter()
                    .filter(|c| !hysteron_problem::canonical::is_satisfied(c, &walk.values));
                assert_eq!(count.count(), walk.unsatisfied.len());
                let (values, breaks) = (walk.values.clone(), walk.breaks.clone());
                let mut again = Walk::new(&cnf).expect("it is for local walk");
                again.start(Some(&values), 0);
                assert_eq!(again.breaks, breaks);
                assert_eq!(again.states, walk.states);
            }
        }
    }

    #[test]
    fn unfit_problems_are_declined() {
        let mut clauses = ClauseList::new();
        assert!(Walk::new(&Cnf { variables: 3, clauses: clauses.clone() }).is_none());
        clauses.push(&[]);
        assert!(Walk::new(&Cnf { variables: 3, clauses }).is_none());
    }
}
