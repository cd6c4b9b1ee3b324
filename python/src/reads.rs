//! Many reads: distinct good states of one Ising problem, the best first.
//!
//! A search ends with one best and a few elites. Where the caller wants more, banks of 64 chips anneal from noise and from what
//! is known; what is missing then are the neighbours of the best that lose least.

use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use hysteron_circuit::crossbar::crossover::Graph;
use hysteron_circuit::crossbar::{Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_problem::Ising;

/// Problems of so many spins are enumerated.
const ENUMERATED_SPINS_MAX: u32 = 12;
/// What a leg of 64 chips costs, in coupling updates of a bank (about nanoseconds), and its sweeps.
const LEG_COST: u64 = 60_000_000;
const SWEEPS: std::ops::RangeInclusive<u64> = 20..=800;
/// Chips of a bank.
const LANES: usize = 64;
/// Legs in a row that bring nothing new before chips are given up.
const STALE_LEGS: usize = 2;
/// States that legs reheat, and their highest temperature in thousandths of sigma.
const REHEATED: usize = 8;
const REHEAT_MILLI: u32 = 320;
/// Neighbours are looked for around the best so many states first.
const SOURCES_MIN: usize = 8;
/// Passes over all spins that end a search which was cut short.
const DESCENT_PASSES: usize = 20;

/// Adds to `known` until there are `reads` distinct states, where so many exist and `deadline` allows; the best first.
pub fn gather(
    ising: &Ising,
    known: Vec<Vec<bool>>,
    reads: usize,
    seed: u64,
    deadline: Option<Instant>,
    interrupt: &AtomicBool,
) -> Vec<Vec<bool>> {
    let mut kept: BTreeSet<(i64, Vec<bool>)> =
        known.into_iter().map(|state| (ising.energy(&state), state)).collect();
    if kept.len() < reads {
        if ising.spins <= ENUMERATED_SPINS_MAX {
            let states =
                (0u32..1 << ising.spins).map(|bits| (0..ising.spins).map(|i| bits >> i & 1 == 1).collect());
            kept.extend(states.map(|state: Vec<bool>| (ising.energy(&state), state)));
        } else {
            let is_over = || {
                interrupt.load(Ordering::Relaxed)
                    || deadline.is_some_and(|deadline| Instant::now() >= deadline)
            };
            chips(ising, &mut kept, reads, seed, interrupt, &is_over);
            while kept.len() < reads && neighbours(ising, &mut kept, reads, interrupt) > 0 {}
        }
    }
    kept.into_iter().take(reads).map(|(_, state)| state).collect()
}

/// Flips spins that lower the energy until none does, in at most [`DESCENT_PASSES`] passes.
pub fn descend(ising: &Ising, state: &mut [bool]) {
    let graph = Graph::new(ising);
    for _ in 0..DESCENT_PASSES {
        let mut moved = false;
        for spin in 0..graph.spins() {
            if graph.tension(state, spin) > 0 {
                state[spin] = !state[spin];
                moved = true;
            }
        }
        if !moved {
            return;
        }
    }
}

/// Legs of chips, by turns from noise and from the best known.
fn chips(
    ising: &Ising,
    kept: &mut BTreeSet<(i64, Vec<bool>)>,
    reads: usize,
    seed: u64,
    interrupt: &AtomicBool,
    is_over: &dyn Fn() -> bool,
) {
    // What is too large for a bank has its neighbours.
    let Ok(circuit) = Circuit::compile(ising) else { return };
    let class = if Parameters::class_of(&circuit) == "dense" { "dense" } else { "sparse" };
    let sets: Vec<&Parameters> = Parameters::sets(class).collect();
    let sweep_cost = circuit.ecu_per_step() + 7 * circuit.spins() as u64;
    let sweeps = (LEG_COST / sweep_cost.max(1)).clamp(*SWEEPS.start(), *SWEEPS.end());
    let legs_max = 2 * (reads - kept.len()).div_ceil(LANES) + STALE_LEGS;
    let (mut leg, mut stale) = (0, 0);
    while leg < legs_max && stale < STALE_LEGS && kept.len() < reads && !is_over() {
        let mut parameters = sets[leg % sets.len()].clone();
        let states: Vec<Vec<bool>> = if leg % 2 == 0 {
            Vec::new()
        } else {
            parameters.hot_milli = REHEAT_MILLI.min(parameters.hot_milli);
            parameters.cold_milli = parameters.cold_milli.min(parameters.hot_milli);
            kept.iter().take(REHEATED).map(|(_, state)| state.clone()).collect()
        };
        // Resampling would leave copies of one.
        parameters.group_lanes = 1;
        let request = Request {
            seed: mix64(seed ^ 0x0052_4541_4453 ^ (leg as u64) << 48),
            steps: sweeps as u32,
            start: if states.is_empty() {
                Start::Random
            } else {
                Start::From { states: &states, kick_per_mille: 0 }
            },
            target: None,
            stop_at_target: false,
            interrupt: Some(interrupt),
        };
        let Ok(report) = Cpu::detect().run(&circuit, &parameters, &request) else { return };
        let before = kept.len();
        kept.extend(report.lanes.into_iter().map(|lane| (lane.energy, lane.assignment)));
        stale = if kept.len() == before { stale + 1 } else { 0 };
        leg += 1;
    }
}

/// Adds states that differ from known ones in one spin, those of least energy first; returns how many.
fn neighbours(
    ising: &Ising,
    kept: &mut BTreeSet<(i64, Vec<bool>)>,
    reads: usize,
    interrupt: &AtomicBool,
) -> usize {
    let graph = Graph::new(ising);
    let wanted = reads - kept.len();
    let before = kept.len();
    let sources: Vec<(i64, Vec<bool>)> = kept.iter().cloned().collect();
    // A state is known by the sum of its up spins' hashes, so a neighbour's is at hand.
    let hashes: Vec<u64> = sources.iter().map(|(_, state)| hash(state)).collect();
    let known: HashSet<u64> = hashes.iter().copied().collect();
    let enough = (SOURCES_MIN + 4 * wanted / graph.spins().max(1)).min(sources.len());
    for count in [enough, sources.len()] {
        let mut seen = known.clone();
        // The least so many; the largest of them on top.
        let mut least: BinaryHeap<(i64, usize, usize)> = BinaryHeap::new();
        for (index, (energy, state)) in sources.iter().enumerate().take(count) {
            if interrupt.load(Ordering::Relaxed) {
                break;
            }
            for spin in 0..graph.spins() {
                let flipped = energy - 2 * graph.tension(state, spin);
                if least.len() >= wanted && least.peek().is_some_and(|worst| flipped >= worst.0) {
                    continue;
                }
                let sign = if state[spin] { u64::wrapping_sub } else { u64::wrapping_add };
                if seen.insert(sign(hashes[index], mix64(spin as u64))) {
                    least.push((flipped, index, spin));
                    if least.len() > wanted {
                        least.pop();
                    }
                }
            }
        }
        for (energy, index, spin) in least.into_sorted_vec() {
            let mut state = sources[index].1.clone();
            state[spin] = !state[spin];
            kept.insert((energy, state));
        }
        if kept.len() > before {
            break;
        }
    }
    kept.len() - before
}

/// The sum of the hashes of the spins that are up.
fn hash(state: &[bool]) -> u64 {
    let up = state.iter().enumerate().filter(|(_, up)| **up);
    up.fold(0u64, |sum, (spin, _)| sum.wrapping_add(mix64(spin as u64)))
}
