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
/// Nanoseconds of one message.
const MESSAGE_COST: u64 = 14;
/// Iterations of an attempt without a better assignment after which it is given up.
const PATIENCE: u32 = 120;
/// Flips of a repairing walk per variable.
const WALK_FLIPS: u64 = 30;

/// Reinforced belief propagation on a CNF.
pub struct Beliefs {
    variables: usize,
    /// Clauses of at least one literal.
    offsets: Vec<u32>,
    codes: Vec<u32>,
    /// Per clause length, the weight of a row by its number of true literals; for both kinds of weights.
    weights: [Vec<Vec<f32>>; 2],
    /// Per literal of a clause: the log ratio of the rows in which it is true to those in which it is false.
    messages: Vec<f32>,
    /// Per variable: the sum of messages and reinforcement, positive for true.
    fields: Vec<f32>,
    /// Per variable: what reinforcement alone says.
    reinforcement: Vec<f32>,
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
    /// Whether it starts from the negated messages of the attempt before: where pairs are all that is
    /// correlated, the opposite of a solution attracts too.
    negated: bool,
    /// Iterations until reinforcement is full.
    ramp: u32,
}

impl Plan {
    fn of(attempt: u64) -> Self {
        let round = (attempt / 3).min(4) as u32;
        match attempt % 3 {
            0 => Self { balanced: true, negated: false, ramp: 400 << round },
            1 => Self { balanced: true, negated: true, ramp: 400 << round },
            _ => Self { balanced: false, negated: false, ramp: 500 << round },
        }
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

impl Beliefs {
    /// A searcher, if the problem is a CNF without empty clauses and without clauses of more than 12 literals.
    pub fn new(problem: &Problem, seed: u64) -> Option<Self> {
        let Problem::Cnf(cnf) = problem else { return None };
        if cnf.clauses.is_empty() || cnf.clauses.iter().any(|c| c.is_empty() || c.len() > LENGTH_MAX) {
            return None;
        }
        Some(Self::of_cnf(cnf, seed))
    }

    fn of_cnf(cnf: &Cnf, seed: u64) -> Self {
        let (mut offsets, mut codes) = (vec![0], Vec::new());
        let mut literals: Vec<Literal> = Vec::new();
        for clause in cnf.clauses.iter() {
            literals.clear();
            literals.extend_from_slice(clause);
            literals.sort_unstable();
            literals.dedup();
            if literals.windows(2).all(|w| w[0] != !w[1]) {
                codes.extend(literals.iter().map(|l| l.code()));
                offsets.push(codes.len() as u32);
            }
        }
        let variables = cnf.variables as usize;
        let of = |rho: fn(usize) -> f64| (0..=LENGTH_MAX).map(|k| row_weights(k, rho(k))).collect();
        let mut beliefs = Self {
            variables,
            messages: vec![0.0; codes.len()],
            weights: [of(|_| 1.0), of(balanced_rho)],
            fields: vec![0.0; variables],
            reinforcement: vec![0.0; variables],
            walk: Walk::new(variables, &offsets, &codes),
            offsets,
            codes,
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
        if plan.negated {
            for message in &mut self.messages {
                *message *= -1e-2;
            }
        } else {
            // Small, so that the directions that grow fastest win before anything saturates.
            let amplitude = if plan.balanced { 1e-3 } else { 0.3 };
            for (index, message) in self.messages.iter_mut().enumerate() {
                let uniform = (mix64(seed.wrapping_add(index as u64)) >> 40) as f32 / (1u32 << 24) as f32;
                *message = amplitude * (uniform - 0.5);
            }
        }
        self.reinforcement.fill(0.0);
        (self.iteration, self.best_unsatisfied, self.best_iteration) = (0, usize::MAX, 0);
    }

    /// Sums the messages at each variable and takes the signs as an assignment; returns its unsatisfied
    /// clauses.
    fn decide(&mut self, plan: Plan) -> usize {
        self.fields.fill(0.0);
        for (&code, &message) in self.codes.iter().zip(&self.messages) {
            self.fields[(code >> 1) as usize] += if code & 1 == 0 { message } else { -message };
        }
        let strength =
            (self.iteration as f32 / plan.ramp as f32).min(1.0) * if plan.balanced { 1.0 } else { 0.6 };
        for ((field, reinforcement), value) in
            self.fields.iter_mut().zip(&mut self.reinforcement).zip(&mut self.walk.values)
        {
            let total = *field + *reinforcement;
            *value = total > 0.0;
            *reinforcement = (strength * total).clamp(-FIELD_MAX, FIELD_MAX);
            *field += *reinforcement;
        }
        self.offsets
            .windows(2)
            .filter(|w| {
                let clause = &self.codes[w[0] as usize..w[1] as usize];
                !clause.iter().any(|&code| self.walk.values[(code >> 1) as usize] != (code & 1 == 1))
            })
            .count()
    }

    /// Sends every clause's messages.
    fn propagate(&mut self, plan: Plan) {
        let weights = &self.weights[usize::from(plan.balanced)];
        for w in self.offsets.windows(2) {
            let range = w[0] as usize..w[1] as usize;
            let (codes, messages) = (&self.codes[range.clone()], &mut self.messages[range]);
            let length = codes.len();
            let weights = &weights[length][..=length];
            let mut truths = [0f32; LENGTH_MAX];
            for ((truth, &code), &message) in truths.iter_mut().zip(codes).zip(&*messages) {
                let field = self.fields[(code >> 1) as usize];
                let odds = if code & 1 == 0 { field } else { -field } - message;
                *truth = 1.0 / (1.0 + exp(-odds));
            }
            for k in 0..length {
                let (when_true, when_false) = if length == 3 {
                    let (x, y) = (truths[(k + 1) % 3], truths[(k + 2) % 3]);
                    let both = x * y;
                    let one = x + y - 2.0 * both;
                    let none = (1.0 - x) * (1.0 - y);
                    (
                        weights[1] * none + weights[2] * one + weights[3] * both,
                        weights[1] * one + weights[2] * both,
                    )
                } else {
                    // The distribution of how many of the other literals are true.
                    let mut count = [0f32; LENGTH_MAX + 1];
                    count[0] = 1.0;
                    for (seen, j) in (0..length).filter(|&j| j != k).enumerate() {
                        for t in (0..=seen).rev() {
                            count[t + 1] += count[t] * truths[j];
                            count[t] *= 1.0 - truths[j];
                        }
                    }
                    (
                        (0..length).map(|t| count[t] * weights[t + 1]).sum(),
                        (0..length).map(|t| count[t] * weights[t]).sum::<f32>(),
                    )
                };
                let ratio = ln(when_true.max(1e-12)) - ln(when_false.max(1e-12));
                messages[k] = DAMPING * messages[k] + (1.0 - DAMPING) * ratio;
            }
        }
    }
}

/// `e^x` for `|x| <= 2 FIELD_MAX` or so, to about 1e-4: powers of two by the exponent, the rest by a polynomial.
#[inline]
fn exp(x: f32) -> f32 {
    let scaled = (x * std::f32::consts::LOG2_E).clamp(-100.0, 100.0);
    let whole = (scaled + 128.0) as i32 - 128;
    let rest = scaled - whole as f32;
    let polynomial = 1.0 + rest * (0.695_976 + rest * (0.224_940 + rest * 0.079_084));
    polynomial * f32::from_bits(((whole + 127) as u32) << 23)
}

/// `ln x` for positive `x`, to about 1e-4.
#[inline]
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
        let iteration_cost = (self.codes.len() as u64 * MESSAGE_COST) as i64;
        while left > 0 && !context.stopped() {
            if self.walking > 0 {
                let flips = self.walking.min(20_000);
                self.walking -= flips;
                left -= self.walk.run(flips) as i64;
                if self.walk.unsatisfied() == 0 || self.walking == 0 {
                    if (self.walk.unsatisfied() as i64) < context.best_energy() {
                        context.offer(self.walk.best(), Source::LocalSearch("beliefs"));
                    }
                    if self.walking == 0 {
                        self.attempt += 1;
                        self.begin();
                    }
                }
                continue;
            }
            let plan = Plan::of(self.attempt);
            let unsatisfied = self.decide(plan);
            if unsatisfied < self.best_unsatisfied {
                (self.best_unsatisfied, self.best_iteration) = (unsatisfied, self.iteration);
                if (unsatisfied as i64) < context.best_energy() && unsatisfied * 200 < self.offsets.len() {
                    context.offer(&self.walk.values, Source::LocalSearch("beliefs"));
                }
                if unsatisfied == 0 {
                    break;
                }
            }
            let patience = PATIENCE.max(plan.ramp / 8);
            if self.iteration >= plan.ramp || self.iteration > self.best_iteration + patience {
                // What is left is for the walk, if it is little enough.
                if self.best_unsatisfied * 100 < self.offsets.len() {
                    self.walk.start(mix64(self.seed ^ self.attempt));
                    self.walking = WALK_FLIPS * self.variables as u64;
                } else {
                    self.attempt += 1;
                    self.begin();
                }
                continue;
            }
            self.propagate(plan);
            self.iteration += 1;
            left -= iteration_cost;
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
}
