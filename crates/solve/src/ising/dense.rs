//! Searchers for dense Ising problems: a pool of elites that are recombined, each child improved by a
//! dense crossbar chip, by tabu search (mode C) or by annealing (mode D).
//!
//! The frame is that of Lü, Glover and Hao's hybrid evolutionary algorithm (2010) and of path relinking
//! (Wang, Lü, Glover, Hao 2012) for QUBO: children keep what their parents agree on, the pool keeps
//! what is good *and* different, and is rebuilt around its best when it has no more to give.

use hysteron_circuit::dense::{Circuit, Mode, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_problem::{Ising, Problem};

use super::{dense_merge, dense_swap};
use crate::{Context, Outcome, Searcher, Source};

/// How children are made of two parents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crossover {
    /// Where the parents differ, a coin decides.
    Uniform,
    /// A state in the middle of a greedy path from one to the other.
    Relink,
    /// Every other child by merging several members ([`dense_merge`]), the others
    /// as [`Self::Uniform`].
    Merge,
}

/// How a pool is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Strategy {
    /// C or D.
    pub mode: Mode,
    /// Parameters of the chips that start anywhere.
    pub first: Parameters,
    /// Parameters of the chips that start from a child.
    pub child: Parameters,
    /// Steps of a run from a random state: C: times the spins; D: sweeps.
    pub first_steps: u32,
    /// Steps of a run from a child.
    pub child_steps: u32,
    /// Members of the pool.
    pub pool: usize,
    /// How children are made.
    pub crossover: Crossover,
    /// Members of the pool differ in more than this many thousandths of the spins.
    pub distance_per_mille: u32,
    /// The pool is rebuilt after this many children without a new best, times its size.
    pub patience: u32,
}

impl Strategy {
    /// Tabu search on dense problems with weights.
    pub fn tabu() -> Self {
        let parameters = Parameters::of_class("tabu");
        Self {
            mode: Mode::Tabu,
            first: parameters,
            child: parameters,
            first_steps: 20,
            child_steps: 20,
            pool: 10,
            crossover: Crossover::Merge,
            distance_per_mille: 10,
            patience: 10,
        }
    }
    /// Annealing, for dense problems with unit weights.
    pub fn anneal() -> Self {
        Self {
            mode: Mode::Anneal,
            first: Parameters::of_class("anneal"),
            child: Parameters::of_class("reheat"),
            first_steps: 400,
            child_steps: 200,
            pool: 10,
            crossover: Crossover::Merge,
            distance_per_mille: 10,
            patience: 10,
        }
    }
}

/// The density of couplings from which on these searchers deserve the larger share of the time, in
/// thousandths.
const DENSE_PER_MILLE: u64 = 40;
/// Problems of at most so many spins are dense whatever their couplings: a row is short.
const SMALL_SPINS: u64 = 128;
/// Problems with more couplings keep their elites to themselves: scoring one would cost too much.
const SHARED_COUPLINGS_MAX: u64 = 1 << 20;

/// Whether dense searchers suit `problem` better than those that walk along its couplings.
pub fn is_dense(problem: &Ising) -> bool {
    let n = u64::from(problem.spins);
    n <= SMALL_SPINS || 2000 * problem.couplings.len() as u64 >= DENSE_PER_MILLE * n * (n - 1)
}

/// The searchers of modes C and D for `problem`, and the swap search where it has groups; the first
/// is the one to try first. None if its
/// numbers are too large or its couplings too many. Memory: at most 256 MiB for the matrix, which
/// the searchers share, or 16 bytes a coupling.
pub fn dense_searchers(problem: &Ising, seed: u64) -> Vec<Box<dyn Searcher>> {
    if problem.spins == 0 {
        return Vec::new();
    }
    let Ok(circuit) = Circuit::compile(problem, Mode::Tabu) else { return Vec::new() };
    let mut searchers: Vec<Box<dyn Searcher>> = Vec::new();
    // Where there are groups, single switches lead nowhere.
    if let Some(swap) = dense_swap::Swap::new(problem, mix64(seed ^ 7)) {
        searchers.push(Box::new(swap));
    }
    let mut strategies = [Strategy::tabu(), Strategy::anneal()];
    if has_unit_weights(problem) {
        strategies.reverse();
    }
    for (k, strategy) in strategies.into_iter().enumerate() {
        let seed = mix64(seed ^ k as u64);
        searchers.push(Box::new(Pool::new(circuit.for_mode(strategy.mode), problem, strategy, seed)));
    }
    searchers
}

/// One searcher with a strategy of one's own.
///
/// # Errors
/// As [`Circuit::compile`].
pub fn with_strategy(
    problem: &Ising,
    strategy: Strategy,
    seed: u64,
) -> Result<impl Searcher, hysteron_circuit::run::Error> {
    Ok(Pool::new(Circuit::compile(problem, strategy.mode)?, problem, strategy, seed))
}

fn has_unit_weights(problem: &Ising) -> bool {
    let unit = problem.couplings.first().map_or(1, |c| c.2.unsigned_abs());
    problem.couplings.iter().all(|c| c.2.unsigned_abs() == unit) && problem.fields.iter().all(|&f| f == 0)
}

/// A state and its energy.
#[derive(Clone)]
struct Member {
    energy: i64,
    state: Vec<bool>,
}

/// A pool of elites and the chips that improve their children.
struct Pool {
    circuit: Circuit,
    backend: Cpu,
    strategy: Strategy,
    seed: u64,
    /// Runs so far.
    runs: u64,
    /// Best first.
    members: Vec<Member>,
    /// Whether turning all spins over leaves the energy.
    is_symmetric: bool,
    /// Whether elites are worth sharing.
    is_shared: bool,
    /// The least energy since the pool was built.
    best: i64,
    /// Children since then that were no new best.
    stale: u32,
    /// Nanoseconds of effort that were spent ahead of what was granted.
    debt: u64,
}

impl Pool {
    fn new(circuit: Circuit, problem: &Ising, strategy: Strategy, seed: u64) -> Self {
        Self {
            circuit,
            backend: Cpu::detect(),
            strategy,
            seed,
            runs: 0,
            members: Vec::new(),
            is_symmetric: problem.fields.iter().all(|&f| f == 0),
            is_shared: problem.couplings.len() as u64 <= SHARED_COUPLINGS_MAX,
            best: i64::MAX,
            stale: 0,
            debt: 0,
        }
    }

    fn draw(&self, salt: u64) -> u64 {
        mix64(self.seed ^ mix64(self.runs << 8 | salt))
    }

    /// The spins in which two states differ, and whether it is fewer if one is turned over.
    fn distance(&self, a: &[bool], b: &[bool]) -> (usize, bool) {
        let apart = a.iter().zip(b).filter(|(x, y)| x != y).count();
        let is_turned = self.is_symmetric && apart > a.len() / 2;
        (if is_turned { a.len() - apart } else { apart }, is_turned)
    }

    /// A child of several members, if that is called for and gives a new state.
    fn merged(&self, context: &Context<'_>) -> Option<Vec<bool>> {
        let Problem::Ising(ising) = context.problem() else { return None };
        if self.strategy.crossover != Crossover::Merge || self.runs.is_multiple_of(2) {
            return None;
        }
        let count = self.members.len() as u64;
        let wanted = 2 + self.draw(4) % (count - 1);
        let first = self.draw(5) % count;
        let chosen = (0..wanted).map(|k| &self.members[((first + k) % count) as usize].state[..]);
        let chosen: Vec<&[bool]> = chosen.collect();
        let (child, ecu) = dense_merge::combine(ising, &chosen, self.draw(6), self.backend)?;
        context.add_ecu(ecu);
        Some(child)
    }

    /// A child of two members.
    fn child(&self) -> Vec<bool> {
        let count = self.members.len() as u64;
        let first = self.draw(1) % count;
        let second = (first + 1 + self.draw(2) % (count - 1)) % count;
        let (a, b) = (&self.members[first as usize].state, &self.members[second as usize].state);
        let is_turned = self.distance(a, b).1;
        let b: Vec<bool> = b.iter().map(|&x| x != is_turned).collect();
        match self.strategy.crossover {
            Crossover::Relink => self.circuit.relink(a, &b),
            Crossover::Uniform | Crossover::Merge => {
                let seed = self.draw(3);
                let coins = (0..a.len()).map(|i| mix64(seed ^ (i as u64) << 16) & 1 == 0);
                a.iter().zip(&b).zip(coins).map(|((&x, &y), coin)| if coin { x } else { y }).collect()
            }
        }
    }

    /// Takes a state into the pool if it is good or different enough.
    fn keep(&mut self, energy: i64, state: Vec<bool>) {
        let near = self.circuit.spins() as usize * self.strategy.distance_per_mille as usize / 1000;
        let mut neighbours: Vec<usize> = Vec::new();
        for (k, member) in self.members.iter().enumerate() {
            if self.distance(&member.state, &state).0 <= near {
                if member.energy <= energy {
                    return;
                }
                neighbours.push(k);
            }
        }
        for k in neighbours.into_iter().rev() {
            self.members.remove(k);
        }
        let place = self.members.partition_point(|m| m.energy <= energy);
        self.members.insert(place, Member { energy, state });
        self.members.truncate(self.strategy.pool);
    }

    /// Takes over what others found if it is better than all here.
    fn learn(&mut self, context: &Context<'_>) {
        if context.best_energy() < self.members.first().map_or(i64::MIN, |m| m.energy)
            && let Some(best) = context.best()
        {
            self.keep(best.energy, best.assignment);
        }
    }

    /// One run; returns its cost in nanoseconds.
    fn round(&mut self, context: &Context<'_>) -> u64 {
        self.learn(context);
        let is_first = self.members.len() < self.strategy.pool.min(2)
            || (self.members.len() < self.strategy.pool && self.stale == 0);
        let states =
            if is_first { Vec::new() } else { vec![self.merged(context).unwrap_or_else(|| self.child())] };
        let start = if is_first { Start::Random } else { Start::From { states: &states, kick_per_mille: 0 } };
        let (parameters, factor) = if is_first {
            (&self.strategy.first, self.strategy.first_steps)
        } else {
            (&self.strategy.child, self.strategy.child_steps)
        };
        let steps = match self.strategy.mode {
            Mode::Tabu => factor.saturating_mul(self.circuit.spins()).max(100),
            Mode::Anneal => factor,
        };
        let request = Request {
            seed: self.draw(0),
            steps,
            start,
            target: context.target(),
            stop_at_target: true,
            interrupt: Some(context.stop_flag()),
        };
        self.runs += 1;
        let Ok(mut report) = self.backend.run(&self.circuit, parameters, &request) else { return u64::MAX };
        context.add_ecu(report.ecu);
        let best = report.lanes.swap_remove(report.best_lane());
        if best.energy < context.best_energy() || self.is_shared {
            context.offer(&best.assignment, self.source());
        }
        if best.energy < self.best {
            self.best = best.energy;
            self.stale = 0;
        } else if !is_first {
            self.stale += 1;
        }
        self.keep(best.energy, best.assignment);
        if self.stale > self.strategy.patience * self.strategy.pool as u32 {
            self.rebuild();
        }
        self.cost(report.ecu, report.steps)
    }

    /// Keeps the best member alone, every other time not even that.
    fn rebuild(&mut self) {
        self.members.truncate((self.runs % 2) as usize);
        self.best = self.members.first().map_or(i64::MAX, |m| m.energy);
        self.stale = 0;
    }

    /// Nanoseconds on one core, measured on AVX2: a list costs more an element than a matrix.
    fn cost(&self, ecu: u64, steps: u32) -> u64 {
        let n = u64::from(self.circuit.spins());
        let start = n * n / 16;
        match self.strategy.mode {
            _ if !self.circuit.has_kernels() => 4 * ecu,
            Mode::Tabu if self.circuit.is_matrix() => ecu / 10 + 60 * u64::from(steps) + start,
            Mode::Tabu => ecu / 2 + 60 * u64::from(steps) + start,
            Mode::Anneal if self.circuit.is_matrix() => ecu / 12 + start,
            Mode::Anneal => ecu / 2 + start,
        }
    }
}

impl Searcher for Pool {
    fn source(&self) -> Source {
        Source::Crossbar(match self.strategy.mode {
            Mode::Tabu => 'C',
            Mode::Anneal => 'D',
        })
    }

    fn work(&mut self, context: &Context<'_>, effort: u64) -> Outcome {
        if self.debt >= effort {
            self.debt -= effort;
            return Outcome::Continue;
        }
        let mut left = effort - self.debt;
        self.debt = 0;
        while !context.stopped() {
            let cost = self.round(context);
            if cost >= left {
                self.debt = cost - left;
                break;
            }
            left -= cost;
        }
        Outcome::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random_problem(spins: u32, seed: u64, most: i64, has_fields: bool) -> Ising {
        let weight = |key: u64| (mix64(seed << 40 | key) >> 20) as i64 % (2 * most + 1) - most;
        let pairs = (0..spins).flat_map(|i| (i + 1..spins).map(move |j| (i, j)));
        let weighed = pairs.map(|(i, j)| (i, j, weight(u64::from(i * spins + j))));
        let fields =
            (0..spins).map(|i| if has_fields { weight(1 << 30 | u64::from(i)) } else { 0 }).collect();
        Ising { spins, couplings: weighed.filter(|c| c.2 != 0).collect(), fields, offset: -3 }
    }

    fn ground(problem: &Ising) -> i64 {
        (0u32..1 << problem.spins)
            .map(|bits| problem.energy(&(0..problem.spins).map(|i| bits >> i & 1 != 0).collect::<Vec<_>>()))
            .min()
            .expect("at least one state")
    }

    #[test]
    fn all_searchers_find_ground_states_of_small_problems() {
        for seed in 0..6 {
            let ising = random_problem(12, seed, [1, 100, 1 << 40][seed as usize % 3], seed % 2 == 0);
            let problem = Problem::Ising(ising.clone());
            let searchers = dense_searchers(&ising, seed);
            assert!(searchers.len() >= 2);
            for mut searcher in searchers {
                let context = Context::new(&problem, None, None);
                searcher.work(&context, 30_000_000);
                assert_eq!(context.best_energy(), ground(&ising), "{} on {seed}", searcher.source());
            }
        }
    }

    #[test]
    fn a_search_is_a_function_of_seed_and_efforts() {
        let ising = random_problem(90, 5, 100, true);
        let problem = Problem::Ising(ising.clone());
        let search = |seed| {
            let context = Context::new(&problem, None, None);
            for mut searcher in dense_searchers(&ising, seed) {
                for _ in 0..5 {
                    searcher.work(&context, 3_000_000);
                }
            }
            (context.ecu(), context.elites())
        };
        assert_eq!(search(1), search(1));
        assert_ne!(search(1).0, search(2).0);
    }

    #[test]
    fn nothing_to_search_is_no_searcher() {
        assert!(dense_searchers(&Ising::default(), 1).is_empty());
        let too_large =
            Ising { spins: 3, couplings: vec![(0, 1, 1 << 61), (1, 2, 1)], fields: vec![0; 3], offset: 0 };
        assert!(dense_searchers(&too_large, 1).is_empty());
    }

    #[test]
    fn density_is_a_matter_of_couplings_per_pair() {
        assert!(is_dense(&random_problem(200, 1, 1, false)));
        let chain = (0..999).map(|i| (i, i + 1, 1)).collect();
        assert!(!is_dense(&Ising { spins: 1000, couplings: chain, fields: vec![0; 1000], offset: 0 }));
    }
}
