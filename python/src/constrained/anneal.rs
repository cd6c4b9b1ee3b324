//! Annealing of a constrained model: steps of one variable and of two that share a constraint, with weights of the hard
//! constraints that rise while they are broken and fall while they hold, and a repair at the end of every run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hysteron_circuit::rom::mix64;

use super::model::{Model, Position, Rigour, Score};

/// Sweeps of the first run; later ones are longer, by a half each, up to the most.
const SWEEPS_FIRST: u64 = 100;
const SWEEPS_MAX: u64 = 100_000;
/// The least steps that a run tries: small models are swept more often.
const RUN_STEPS_MIN: u64 = 20_000;
/// A weight's factors at the end of a sweep in which its constraint was broken, or held.
const RISE: f64 = 1.25;
const FALL: f64 = 0.98;
/// How far weights go from where they began.
const WEIGHT_RANGE: f64 = 1e6;
/// Weights in a repair, as a multiple of the largest of the run.
const REPAIR_WEIGHT: f64 = 1e3;
/// Passes of a repair, and the least steps that a pass tries.
const REPAIR_PASSES: usize = 200;
const PASS_STEPS_MIN: usize = 200;
/// Partners that are tried for a step of two variables.
const PARTNERS: usize = 4;
/// Temperatures, as parts of the mean change of a step.
const HOT: f64 = 1.0;
const COLD: f64 = 0.005;

/// The best states that all threads found, the best first.
pub struct Best {
    most: usize,
    kept: Mutex<Vec<(Score, Vec<i64>)>>,
}

impl Best {
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Scores a state anew and keeps it, if it is good and not known.
    pub fn offer(&self, model: &Model, state: &[i64]) {
        let score = model.score(state);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.partition_point(|(other, _)| other.order(&score).is_lt());
        if place < self.most && !kept.iter().any(|(_, other)| other == state) {
            kept.insert(place, (score, state.to_vec()));
            kept.truncate(self.most);
        }
    }

    /// The best so far.
    pub fn first(&self) -> Option<(Score, Vec<i64>)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }

    pub fn into_inner(self) -> Vec<(Score, Vec<i64>)> {
        self.kept.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A counter's hash is a stream of random numbers.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix64(self.0)
    }
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// When to stop.
pub struct Limit<'a> {
    pub deadline: Option<Instant>,
    /// Runs of each thread.
    pub runs: Option<u64>,
    /// An objective that is good enough.
    pub target: Option<f64>,
    pub interrupt: &'a AtomicBool,
}

impl Limit<'_> {
    fn is_over(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// One thread's search.
pub fn anneal(model: &Model, starts: &[Vec<i64>], seed: u64, limit: &Limit, best: &Best) {
    let mut noise = Noise(mix64(seed));
    let mut sweeps = SWEEPS_FIRST.max(RUN_STEPS_MIN / model.variables().max(1) as u64);
    let mut run = 0u64;
    let movable: Vec<usize> = (0..model.variables()).filter(|&v| model.lower[v] < model.upper[v]).collect();
    while !limit.is_over() && limit.runs.is_none_or(|runs| run < runs) {
        let start = match starts.get(run as usize) {
            Some(start) => start.clone(),
            None if run % 2 == 1 => {
                best.first().map_or_else(|| random(model, &mut noise), |(_, state)| state)
            }
            None => random(model, &mut noise),
        };
        let is_known = run < starts.len() as u64 || run % 2 == 1;
        let weights = weights_of(model, &mut noise);
        let mut position = Position::new(model, start, weights);
        // What is known to be good is not melted.
        one_run(&mut position, &movable, sweeps, is_known, &mut noise, limit, best);
        repair(&mut position, &movable, &mut noise, limit);
        best.offer(model, &position.state);
        sweeps = (sweeps * 3 / 2).min(SWEEPS_MAX);
        run += 1;
        if let (Some(target), Some((score, _))) = (limit.target, best.first())
            && score.broken == 0
            && score.objective <= target
        {
            limit.interrupt.store(true, Ordering::Relaxed);
        }
        if movable.is_empty() {
            return;
        }
    }
}

fn random(model: &Model, noise: &mut Noise) -> Vec<i64> {
    // Wide ranges are met near zero, where a model's author had the variable in mind.
    let draw = |(&low, &high): (&i64, &i64)| {
        let range = (high - low).clamp(0, 1000) as usize;
        let base = if high - low > 1000 { low.max(-500).min(high - 1000) } else { low };
        base + noise.below(range + 1) as i64
    };
    model.lower.iter().zip(&model.upper).map(draw).collect()
}

/// Weights with which a unit of violation costs about as much as a step gains.
fn weights_of(model: &Model, noise: &mut Noise) -> Vec<f64> {
    let state = random(model, noise);
    let mean = |model: &Model| {
        let slopes = (0..model.variables()).map(|v| model.objective.slope(v, |j| state[j] as f64).abs());
        slopes.sum::<f64>() / model.variables().max(1) as f64
    };
    let gain = mean(model).max(1e-9);
    let weight = |constraint: &super::model::Constraint| {
        let pairs = constraint.form.pairs.iter().flatten().map(|p| p.1);
        let own = constraint.form.linear.iter().chain(&constraint.form.square).copied();
        let all = own.chain(pairs).map(f64::abs).filter(|b| *b > 0.0);
        let least = all.fold(f64::INFINITY, f64::min);
        if constraint.rigour == Rigour::Hard && least.is_finite() { 2.0 * gain / least } else { 0.0 }
    };
    model.constraints.iter().map(weight).collect()
}

/// A step of a variable within its bounds.
fn propose(model: &Model, state: &[i64], v: usize, noise: &mut Noise) -> i64 {
    let (low, high, x) = (model.lower[v], model.upper[v], state[v]);
    if high - low == 1 {
        return if x == low { 1 } else { -1 };
    }
    let range = ((high - low) as u64).min(1 << 20);
    // Mostly by one, sometimes far.
    let size = if noise.below(4) > 0 { 1 } else { 1 + noise.below(range as usize) as i64 };
    let step = if noise.next() & 1 == 0 { size } else { -size };
    (x + step).clamp(low, high) - x
}

/// Whether to take a change at this temperature.
fn accepts(total: f64, temperature: f64, noise: &mut Noise) -> bool {
    total <= 0.0 || temperature > 0.0 && noise.unit() < (-total / temperature).exp()
}

/// Tries one step of `v`, alone or with a partner in one of its constraints; takes it or not.
fn attempt(position: &mut Position, v: usize, temperature: f64, noise: &mut Noise) -> bool {
    let model = position.model;
    let step = propose(model, &position.state, v, noise);
    if step == 0 {
        return false;
    }
    let first = position.change(v, step);
    let touched = &model.touched[v];
    let alone = touched.is_empty() || noise.next() & 1 == 0;
    if alone || first.penalty <= 0.0 {
        if accepts(first.total(), temperature, noise) {
            position.step(v, step, first);
            return true;
        }
        return false;
    }
    // The partner may mend what the step breaks.
    let (c, _) = touched[noise.below(touched.len())];
    let others = &model.constraints[c as usize].variables;
    position.step(v, step, first);
    let mut mended: Option<(usize, i64, super::model::Change)> = None;
    for _ in 0..PARTNERS {
        let u = others[noise.below(others.len())] as usize;
        let back = if u == v { 0 } else { propose(model, &position.state, u, noise) };
        if back == 0 {
            continue;
        }
        let second = position.change(u, back);
        if mended.is_none_or(|(_, _, least)| second.total() < least.total()) {
            mended = Some((u, back, second));
        }
    }
    if let Some((u, back, second)) = mended
        && accepts(first.total() + second.total(), temperature, noise)
    {
        position.step(u, back, second);
        return true;
    }
    let undo = super::model::Change { objective: -first.objective, penalty: -first.penalty };
    position.step(v, -step, undo);
    false
}

fn one_run(
    position: &mut Position,
    movable: &[usize],
    sweeps: u64,
    is_known: bool,
    noise: &mut Noise,
    limit: &Limit,
    best: &Best,
) {
    if movable.is_empty() {
        return;
    }
    let model = position.model;
    let initial = position.weights.clone();
    let samples = movable.len().min(200);
    let mean = (0..samples)
        .map(|_| {
            let v = movable[noise.below(movable.len())];
            position.change(v, propose(model, &position.state, v, noise)).objective.abs()
        })
        .sum::<f64>()
        / samples as f64;
    let scale = if mean > 0.0 { mean } else { 1.0 };
    let hot = if is_known { HOT / 4.0 } else { HOT };
    let mut least = f64::INFINITY;
    for sweep in 0..sweeps {
        let part = sweep as f64 / sweeps as f64;
        let temperature = scale * hot * (COLD / hot).powf(part);
        for attempted in 0..movable.len() {
            if attempted % 1024 == 1023 && limit.is_over() {
                return;
            }
            let v = movable[noise.below(movable.len())];
            let moved = attempt(position, v, temperature, noise);
            if moved && position.broken == 0 && position.objective < least - 1e-9 * least.abs().min(1e9) {
                least = position.objective;
                // In the hot half there is nothing to remember yet.
                if 2 * sweep >= sweeps {
                    best.offer(model, &position.state);
                }
            }
        }
        for (c, constraint) in model.constraints.iter().enumerate() {
            if constraint.rigour == Rigour::Hard {
                let held = constraint.holds(constraint.violation(position.left[c]));
                let weight = position.weights[c] * if held { FALL } else { RISE };
                position.weights[c] = weight.clamp(initial[c] / WEIGHT_RANGE, initial[c] * WEIGHT_RANGE);
            }
        }
        if limit.is_over() {
            return;
        }
    }
}

/// Steps downhill with weights under which no gain pays for a violation, until none is found.
fn repair(position: &mut Position, movable: &[usize], noise: &mut Noise, limit: &Limit) {
    let largest = position.weights.iter().copied().fold(0.0, f64::max);
    for (weight, constraint) in position.weights.iter_mut().zip(&position.model.constraints) {
        if constraint.rigour == Rigour::Hard && *weight > 0.0 {
            *weight = REPAIR_WEIGHT * largest;
        }
    }
    let mut stale = 0;
    if movable.is_empty() {
        return;
    }
    for _ in 0..REPAIR_PASSES {
        let before = position.objective;
        let broken = position.broken;
        let mut moved = false;
        for attempted in 0..(2 * movable.len()).max(PASS_STEPS_MIN) {
            // An interrupted search still repairs for a moment: feasibility is worth it.
            if attempted % 1024 == 1023 && limit.is_over() && stale > 0 {
                return;
            }
            let v = movable[noise.below(movable.len())];
            moved |= attempt(position, v, 0.0, noise);
        }
        let gained = position.broken < broken || position.objective < before;
        stale = if moved && gained { 0 } else { stale + 1 };
        if stale > if position.broken == 0 { 2 } else { 10 } {
            return;
        }
    }
}
