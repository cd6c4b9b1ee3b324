//! Reinforced belief propagation (Chavas, Furtlehner, Mézard, Zecchina 2005, "Survey-propagation decimation
//! through distributed local computations"): messages estimate each variable's marginal over the solutions,
//! and slowly become a field that makes the variable decide. A focused walk repairs what is left.
//!
//! A clause may weigh its satisfying rows by how many of their literals are true. With all rows alike, the
//! marginals are those of random formulas. With the *balanced* weights, which say that a row with more true
//! literals is rarer just so much that neither value of a variable is preferred at first, the messages see
//! correlations between pairs of variables of a clause: formulas that hide a solution from every statistic of single
//! variables (Barthel et al. 2002) cannot hide it from these, since the number of pairs that a variable is in
//! exceeds the inverse square of a pair's correlation (Kesten and Stigum's condition).
//!
//! To second order nothing tells a hidden solution from its opposite, so half of the attempts go there, where nothing
//! moves any more; the next attempt then begins at the negated messages. Mostly that is seen on the way, since the
//! opposite of the present signs leaves fewer clauses open.
//!
//! Messages are floats; nothing but the assignment leaves here, and the context scores that.

use hysteron_circuit::rom::mix64;
use hysteron_problem::{Cnf, Literal, Problem};

use super::walk::Walk;
use crate::{Context, Outcome, Searcher, Source};

/// Longer clauses' messages cost too much and say too little.
const LENGTH_MAX: usize = 12;
/// The bound of fields and log ratios.
const FIELD_MAX: f32 = 30.0;
/// The part of an old message in a new one.
const DAMPING: f32 = 0.2;
/// Cost in effort of a message of a clause of three literals, and of others by the square of their length.
const TRIPLE_COST: u64 = 4;
const OTHER_COST: u64 = 5;
/// Iterations of an attempt without an assignment that is better by [`PROGRESS_PART`] after which it is given up.
const PATIENCE: u32 = 30;
/// How many standard deviations fewer clauses the opposite of the present signs must leave open to be believed.
const OPPOSITE_DEVIATIONS: f32 = 2.5;
/// What counts as progress: so small a part of the open clauses.
const PROGRESS_PART: usize = 64;
/// Flips of a repairing walk per variable.
const WALK_FLIPS: u64 = 30;
/// Clauses of three literals are computed so many at a time, for the vector units.
const BLOCK: usize = 8;

/// Eight clauses of three literals: their codes by place, then by clause.
type Codes = [[u32; BLOCK]; 3];
/// Their messages: for each literal the log ratio of the rows in which it is true to those in which it is false.
type Messages = [[f32; BLOCK]; 3];

/// What is known of a variable.
#[derive(Clone, Copy, Default)]
struct Node {
    /// The sum of messages and reinforcement in this iteration, positive for true.
    field: f32,
    /// The sum of the messages so far for the next iteration.
    sum: f32,
}

/// Reinforced belief propagation on a CNF.
pub struct Beliefs {
    variables: usize,
    /// Clauses that are simulated.
    clauses: usize,
    /// Clauses of three literals; the last block is filled up with clauses of a variable of their own.
    triples: Vec<Codes>,
    triple_messages: Vec<Messages>,
    /// Clauses that fill up the last block.
    padding: usize,
    /// The other clauses' literals and messages.
    offsets: Vec<u32>,
    codes: Vec<u32>,
    messages: Vec<f32>,
    /// Per clause length, the weight of a row by its number of true literals; for both kinds of weights.
    weights: [Vec<Vec<f32>>; 2],
    /// One a variable, and one of the padding.
    nodes: Vec<Node>,
    /// Per variable: what reinforcement alone says.
    reinforcement: Vec<f32>,
    values: Vec<bool>,
    /// Effort of an iteration.
    cost: u64,
    walk: Walk,
    seed: u64,
    attempt: u64,
    iteration: u32,
    best_unsatisfied: usize,
    best_iteration: u32,
    /// The walk's flips that are still to do, if it is under way.
    walking: u64,
}

/// What an attempt is made of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Plan {
    /// Which weights.
    balanced: bool,
    /// Whether it starts from the negated messages of the attempt before.
    negated: bool,
    /// Iterations until reinforcement is full.
    ramp: u32,
}

impl Plan {
    fn of(attempt: u64) -> Self {
        let round = (attempt / 3).min(5) as u32;
        match attempt % 3 {
            0 => Self { balanced: true, negated: false, ramp: 200 << round },
            1 => Self { balanced: true, negated: true, ramp: 200 << round },
            _ => Self { balanced: false, negated: false, ramp: 250 << round },
        }
    }

    /// Whether the attempt after it begins at its negated messages.
    fn leads_to_negation(self) -> bool {
        self.balanced && !self.negated
    }
}

/// Row weights of a clause of `length` literals by the number of true ones: `rho^t`, 0 for none.
fn row_weights(length: usize, rho: f64) -> Vec<f32> {
    (0..=length).map(|t| if t == 0 { 0.0 } else { rho.powi(t as i32) as f32 }).collect()
}

/// The `rho` at which a clause of `length` literals prefers no value of any: `(1 + rho)^(k-1) (1 - rho) = 1`.
fn balanced_rho(length: usize) -> f64 {
    let (mut low, mut high) = (0.01, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let value = (1.0f64 + middle).powi(length as i32 - 1) * (1.0 - middle);
        if value > 1.0 { low = middle } else { high = middle }
    }
    if length < 3 { 1.0 } else { low }
}

/// `value`, negated for a negative literal.
#[inline(always)]
fn signed(value: f32, code: u32) -> f32 {
    f32::from_bits(value.to_bits() ^ (code << 31))
}

impl Beliefs {
    /// A searcher, if the problem is a CNF without empty clauses and without clauses of more than 12 literals.
    pub fn new(problem: &Problem, seed: u64) -> Option<Self> {
        let Problem::Cnf(cnf) = problem else { return None };
        if cnf.clauses.iter().any(|c| c.len() > LENGTH_MAX) {
            return None;
        }
        Some(Self::of_cnf(cnf, Walk::new(cnf)?, seed))
    }

    fn of_cnf(cnf: &Cnf, walk: Walk, seed: u64) -> Self {
        let variables = cnf.variables as usize;
        let (mut triples, mut offsets, mut codes) = (Vec::new(), vec![0], Vec::new());
        let mut literals: Vec<Literal> = Vec::new();
        let mut in_block = BLOCK;
        let mut triple_count = 0;
        for clause in cnf.clauses.iter() {
            literals.clear();
            literals.extend_from_slice(clause);
            literals.sort_unstable();
            literals.dedup();
            if literals.windows(2).any(|w| w[0] == !w[1]) {
                continue;
            }
            if literals.len() == 3 {
                if in_block == BLOCK {
                    triples.push([[2 * cnf.variables; BLOCK]; 3]);
                    in_block = 0;
                }
                let block: &mut Codes = triples.last_mut().expect("one was pushed");
                for (place, literal) in literals.iter().enumerate() {
                    block[place][in_block] = literal.code();
                }
                in_block += 1;
                triple_count += 1;
            } else {
                codes.extend(literals.iter().map(|l| l.code()));
                offsets.push(codes.len() as u32);
            }
        }
        let of = |rho: fn(usize) -> f64| (0..=LENGTH_MAX).map(|k| row_weights(k, rho(k))).collect();
        let squares = offsets.windows(2).map(|w| u64::from(w[1] - w[0]).pow(2)).sum::<u64>();
        let mut beliefs = Self {
            variables,
            clauses: triple_count + offsets.len() - 1,
            triple_messages: vec![[[0.0; BLOCK]; 3]; triples.len()],
            padding: triples.len() * BLOCK - triple_count,
            triples,
            messages: vec![0.0; codes.len()],
            offsets,
            codes,
            weights: [of(|_| 1.0), of(balanced_rho)],
            nodes: vec![Node::default(); variables + 1],
            reinforcement: vec![0.0; variables],
            values: vec![false; variables],
            cost: (3 * triple_count as u64 * TRIPLE_COST + squares * OTHER_COST + 2 * variables as u64)
                .max(1),
            walk,
            seed,
            attempt: 0,
            iteration: 0,
            best_unsatisfied: usize::MAX,
            best_iteration: 0,
            walking: 0,
        };
        beliefs.begin();
        beliefs
    }

    /// Begins the attempt that `self.attempt` counts.
    fn begin(&mut self) {
        let plan = Plan::of(self.attempt);
        let seed = mix64(self.seed ^ mix64(self.attempt));
        // Small, so that the directions that grow fastest win before anything saturates.
        let amplitude = if plan.balanced { 1e-3 } else { 0.3 };
        let mut index = 0u64;
        let mut draw = || {
            index += 1;
            let uniform = (mix64(seed.wrapping_add(index)) >> 40) as f32 / (1u32 << 24) as f32;
            amplitude * (uniform - 0.5)
        };
        let messages = self.triple_messages.as_flattened_mut().as_flattened_mut().iter_mut();
        for message in messages.chain(&mut self.messages) {
            *message = if plan.negated { -1e-2 * *message } else { draw() };
        }
        self.reinforcement.fill(0.0);
        self.nodes.fill(Node::default());
        let triples = self.triples.as_flattened().as_flattened();
        let triple_messages = self.triple_messages.as_flattened().as_flattened();
        for (&code, &message) in
            triples.iter().zip(triple_messages).chain(self.codes.iter().zip(&self.messages))
        {
            self.nodes[(code >> 1) as usize].sum += signed(message, code);
        }
        (self.iteration, self.best_unsatisfied, self.best_iteration) = (0, usize::MAX, 0);
    }

    /// Turns sums into fields and takes the signs as an assignment.
    fn decide(&mut self, plan: Plan) {
        let strength =
            (self.iteration as f32 / plan.ramp as f32).min(1.0) * if plan.balanced { 1.0 } else { 0.6 };
        for ((node, reinforcement), value) in
            self.nodes.iter_mut().zip(&mut self.reinforcement).zip(&mut self.values)
        {
            let total = node.sum + *reinforcement;
            *value = total > 0.0;
            *reinforcement = (strength * total).clamp(-FIELD_MAX, FIELD_MAX);
            *node = Node { field: node.sum + *reinforcement, sum: 0.0 };
        }
        self.nodes[self.variables] = Node::default();
    }

    /// Sends every clause's messages, and counts the clauses that the present fields leave open, and those that the
    /// opposite fields would.
    fn propagate(&mut self, plan: Plan) -> (usize, usize) {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function needs.
            return unsafe { self.propagate_avx2(plan) };
        }
        self.propagate_any(plan)
    }

    /// [`Self::propagate_any`] in wider registers: the same operations, so the same messages.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn propagate_avx2(&mut self, plan: Plan) -> (usize, usize) {
        self.propagate_any(plan)
    }

    #[inline(always)]
    fn propagate_any(&mut self, plan: Plan) -> (usize, usize) {
        let weights = &self.weights[usize::from(plan.balanced)];
        let [_, w1, w2, w3] = weights[3][..] else { unreachable!("four rows") };
        let (mut open, mut opposite) = (0, 0);
        let nodes = &mut self.nodes[..];
        for (codes, messages) in self.triples.iter().zip(&mut self.triple_messages) {
            let mut odds = [[0f32; BLOCK]; 3];
            for place in 0..3 {
                for lane in 0..BLOCK {
                    odds[place][lane] = nodes[(codes[place][lane] >> 1) as usize].field;
                }
                for lane in 0..BLOCK {
                    odds[place][lane] = signed(odds[place][lane], codes[place][lane]);
                }
            }
            for lane in 0..BLOCK {
                let is_open = (odds[0][lane] <= 0.0) & (odds[1][lane] <= 0.0) & (odds[2][lane] <= 0.0);
                open += usize::from(is_open);
                let is_full = (odds[0][lane] >= 0.0) & (odds[1][lane] >= 0.0) & (odds[2][lane] >= 0.0);
                opposite += usize::from(is_full);
            }
            let mut truths = [[0f32; BLOCK]; 3];
            for place in 0..3 {
                for lane in 0..BLOCK {
                    truths[place][lane] = 1.0 / (1.0 + exp(messages[place][lane] - odds[place][lane]));
                }
            }
            for place in 0..3 {
                let (x, y) = (&truths[(place + 1) % 3], &truths[(place + 2) % 3]);
                let mut next = [0f32; BLOCK];
                for lane in 0..BLOCK {
                    let both = x[lane] * y[lane];
                    let one = x[lane] + y[lane] - 2.0 * both;
                    let none = (1.0 - x[lane]) * (1.0 - y[lane]);
                    let when_true = w1 * none + w2 * one + w3 * both;
                    let when_false = w1 * one + w2 * both;
                    let ratio = ln(when_true.max(1e-12) / when_false.max(1e-12));
                    next[lane] = DAMPING * messages[place][lane] + (1.0 - DAMPING) * ratio;
                }
                messages[place] = next;
                for lane in 0..BLOCK {
                    let code = codes[place][lane];
                    nodes[(code >> 1) as usize].sum += signed(next[lane], code);
                }
            }
        }
        // The padding's field is 0, so each of its clauses counts as open.
        let others = self.propagate_others(plan);
        (open - self.padding + others.0, opposite - self.padding + others.1)
    }

    /// The same for clauses of other lengths than three, one after the other.
    fn propagate_others(&mut self, plan: Plan) -> (usize, usize) {
        let weights = &self.weights[usize::from(plan.balanced)];
        let (mut open, mut opposite) = (0, 0);
        for w in self.offsets.windows(2) {
            let range = w[0] as usize..w[1] as usize;
            let (codes, messages) = (&self.codes[range.clone()], &mut self.messages[range]);
            let length = codes.len();
            let weights = &weights[length][..=length];
            let mut truths = [0f32; LENGTH_MAX];
            let (mut is_open, mut is_full) = (true, true);
            for ((truth, &code), &message) in truths.iter_mut().zip(codes).zip(&*messages) {
                let odds = signed(self.nodes[(code >> 1) as usize].field, code);
                is_open &= odds <= 0.0;
                is_full &= odds >= 0.0;
                *truth = 1.0 / (1.0 + exp(message - odds));
            }
            open += usize::from(is_open);
            opposite += usize::from(is_full);
            for k in 0..length {
                // The distribution of how many of the other literals are true.
                let mut count = [0f32; LENGTH_MAX + 1];
                count[0] = 1.0;
                for (seen, j) in (0..length).filter(|&j| j != k).enumerate() {
                    for t in (0..=seen).rev() {
                        count[t + 1] += count[t] * truths[j];
                        count[t] *= 1.0 - truths[j];
                    }
                }
                let when_true = (0..length).map(|t| count[t] * weights[t + 1]).sum::<f32>();
                let when_false = (0..length).map(|t| count[t] * weights[t]).sum::<f32>();
                let ratio = ln(when_true.max(1e-12) / when_false.max(1e-12));
                messages[k] = DAMPING * messages[k] + (1.0 - DAMPING) * ratio;
                self.nodes[(codes[k] >> 1) as usize].sum += signed(messages[k], codes[k]);
            }
        }
        (open, opposite)
    }

    /// One iteration. Returns whether the attempt is over.
    fn iterate(&mut self, context: &Context) -> bool {
        let plan = Plan::of(self.attempt);
        self.decide(plan);
        let (open, opposite) = self.propagate(plan);
        self.iteration += 1;
        if plan.leads_to_negation() {
            let difference = open as f32 - opposite as f32;
            if difference > OPPOSITE_DEVIATIONS * ((open + opposite) as f32).sqrt() {
                return true;
            }
        }
        let progress = (self.best_unsatisfied / PROGRESS_PART).max(1);
        if open.saturating_add(progress) <= self.best_unsatisfied {
            (self.best_unsatisfied, self.best_iteration) = (open, self.iteration);
            if (open as i64) < context.best_energy() && open * 200 < self.clauses {
                context.offer(&self.values, self.source());
            }
        }
        let patience = PATIENCE.max(plan.ramp / 8);
        self.iteration >= plan.ramp || self.iteration > self.best_iteration + patience
    }
}

/// `e^x`, for `x` of at most 69 either way, to about 1e-4: powers of two by the exponent, the rest by a polynomial.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding and subtracting it rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let scaled = (x * std::f32::consts::LOG2_E).clamp(-100.0, 100.0);
    let shifted = scaled + ROUND;
    let rest = scaled - (shifted - ROUND);
    let polynomial =
        1.0 + rest * (std::f32::consts::LN_2 + rest * (0.240_227 + rest * (0.055_504 + rest * 0.009_618)));
    f32::from_bits(polynomial.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// `ln x` for positive `x`, to about 1e-4.
#[inline(always)]
fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    // atanh series about sqrt 2's neighbourhood: ln m = 2 atanh((m - c) / (m + c)) + ln c.
    let z = (mantissa - std::f32::consts::SQRT_2) / (mantissa + std::f32::consts::SQRT_2);
    let square = z * z;
    let series = 2.0 * z * (1.0 + square * (1.0 / 3.0 + square * (0.2 + square / 7.0)));
    series + (exponent as f32 + 0.5) * std::f32::consts::LN_2
}

impl Searcher for Beliefs {
    fn source(&self) -> Source {
        Source::LocalSearch("beliefs")
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        let mut left = effort as i64;
        while left > 0 && !context.stopped() {
            if self.walking == 0 {
                left -= self.cost as i64;
                if !self.iterate(context) {
                    continue;
                }
                // What is left is for the walk, if it is little enough.
                if self.best_unsatisfied * 100 < self.clauses {
                    self.walk.start(Some(&self.values), mix64(self.seed ^ self.attempt));
                    self.walking = WALK_FLIPS * self.variables as u64;
                }
            } else {
                let flips = self.walking.min(self.walk.flips_between_looks());
                self.walking -= flips;
                left -= (flips * self.walk.flip_cost_q10() / 1024) as i64;
                let is_solved = self.walk.run(flips);
                if (is_solved || self.walking == 0)
                    && (self.walk.unsatisfied() as i64) < context.best_energy()
                {
                    context.offer(self.walk.values(), self.source());
                }
                if is_solved {
                    self.walking = 0;
                }
            }
            if self.walking == 0 {
                self.attempt += 1;
                self.begin();
            }
        }
        Outcome::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approximations_are_close() {
        for i in -400..400 {
            let x = i as f32 * 0.1;
            assert!((exp(x) / x.exp() - 1.0).abs() < 5e-4, "{x}: {} {}", exp(x), x.exp());
            let y = (x * 0.5).exp();
            assert!((ln(y) - y.ln()).abs() < 5e-4, "{y}: {} {}", ln(y), y.ln());
        }
    }

    #[test]
    fn balanced_rows_prefer_nothing() {
        for length in 3..LENGTH_MAX {
            let weights = row_weights(length, balanced_rho(length));
            let mut binomial = vec![1f64];
            for _ in 1..length {
                let mut next = vec![1f64];
                next.extend(binomial.windows(2).map(|w| w[0] + w[1]));
                next.push(1.0);
                binomial = next;
            }
            let sum = |shift: usize| -> f64 {
                binomial.iter().enumerate().map(|(t, b)| b * f64::from(weights[t + shift])).sum()
            };
            assert!((sum(1) / sum(0) - 1.0).abs() < 1e-4, "length {length}");
        }
    }

    #[test]
    fn wider_registers_send_the_same_messages() {
        let mut clauses = hysteron_problem::ClauseList::new();
        for clause in 0..901u64 {
            let length = 3 + u64::from(clause % 7 == 0);
            let literals: Vec<Literal> = (0..length)
                .map(|place| mix64(8 * clause + place))
                .map(|draw| Literal::new((draw % 200) as u32, draw >> 40 & 1 == 1))
                .collect();
            clauses.push(&literals);
        }
        let problem = Problem::Cnf(Cnf { variables: 200, clauses });
        let [mut a, mut b] = [0, 1].map(|_| Beliefs::new(&problem, 7).expect("it is for beliefs"));
        for iteration in 0..40 {
            let plan = Plan::of(0);
            a.decide(plan);
            b.decide(plan);
            assert_eq!(a.propagate(plan), b.propagate_any(plan), "iteration {iteration}");
            a.iteration += 1;
            b.iteration += 1;
        }
        let bits = |b: &Beliefs| -> Vec<u32> {
            b.triple_messages.as_flattened().as_flattened().iter().map(|m| m.to_bits()).collect()
        };
        assert_eq!(bits(&a), bits(&b));
        assert!(a.triple_messages[0][0].iter().any(|&m| m != 0.0));
    }

    #[test]
    fn hidden_solutions_are_found() {
        // Lengths of all paths: blocks of three literals, a block that is not full, and others.
        for (seed, others) in [(1, 0), (2, 40)] {
            let mut clauses = hysteron_problem::ClauseList::new();
            let mut counter = seed << 32;
            let mut draw = |below: u64| {
                counter += 1;
                mix64(counter) % below
            };
            for clause in 0..1203 + others {
                let length = if clause < 1203 { 3 } else { 5 };
                let mut literals: Vec<Literal> =
                    (0..length).map(|_| Literal::new(draw(200) as u32, draw(2) == 1)).collect();
                let first = literals[0].variable();
                literals[0] = Literal::new(first, first.is_multiple_of(3));
                clauses.push(&literals);
            }
            let problem = Problem::Cnf(Cnf { variables: 200, clauses });
            let context = Context::new(&problem, None, None);
            let mut search = Beliefs::new(&problem, seed).expect("it is for beliefs");
            for _ in 0..50 {
                search.work(&context, 10_000_000);
            }
            assert_eq!(context.best_energy(), 0, "seed {seed}");
        }
    }
}
