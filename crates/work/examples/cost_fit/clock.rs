//! Times on a machine that is shared: what counts is the CPU time of the thread, in moments when a yardstick runs as fast as
//! it ever did. Whoever else is on the same physical core, or has driven its clock down, slows the yardstick too. Such states
//! may last: `cost_fit yardstick` prints its least time over some seconds, and `HYSTERON_YARDSTICK_NS` tells later runs of it.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hysteron_circuit::run::Start;
use hysteron_problem::generate::{Content, Kind, RegularGraph, Weights, generate};
use hysteron_problem::{Document, Problem};
use hysteron_work::parameters::{ParameterSet, sets};
use hysteron_work::{Class, Compiled, RunRequest};

/// A yardstick slower than its best by more than this says that the machine is disturbed.
const TOLERANCE: f64 = 1.1;
/// How often a measurement is tried again in the hope of a quiet moment.
const ATTEMPTS: u32 = 4;
/// How often, and how long each time, a quiet moment is waited for before a measurement, in milliseconds.
const WAITS: u32 = 12;
const WAIT: u64 = 3;

fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

struct Yardstick {
    compiled: Compiled,
    set: &'static ParameterSet,
    best: f64,
}

thread_local! {
    static YARDSTICK: RefCell<Option<Yardstick>> = const { RefCell::new(None) };
}

impl Yardstick {
    /// A small crossbar circuit, whose rows stay in the first-level cache.
    fn new() -> Self {
        let kind = Kind::RegularGraph(RegularGraph { vertices: 200, degree: 6, weights: Weights::Signs });
        let Ok(Content::Graph { vertices, edges }) = generate(&kind, 1).map(|g| g.content) else {
            unreachable!("a graph")
        };
        let problem: Problem = Document::max_cut(vertices, edges).expect("small weights").problem().clone();
        let compiled = Compiled::new(Arc::new(problem));
        let best =
            std::env::var("HYSTERON_YARDSTICK_NS").map_or(f64::INFINITY, |v| v.parse().expect("nanoseconds"));
        let mut yardstick = Self { compiled, set: &sets(Class::SparseSpins)[0], best };
        for _ in 0..200 {
            yardstick.run();
        }
        yardstick
    }
    /// How much slower than its best it runs now.
    fn run(&mut self) -> f64 {
        let stop = AtomicBool::new(false);
        let request = RunRequest { seed: 1, start: Start::Random, target: None, stop: &stop };
        let start = cpu_ns();
        self.compiled.run_steps(crate::cpu(), self.set, 150, &request).expect("it runs");
        let spent = (cpu_ns() - start) as f64;
        self.best = self.best.min(spent);
        spent / self.best
    }
}

fn slowness() -> f64 {
    YARDSTICK.with(|y| {
        let mut y = y.borrow_mut();
        let y = y.get_or_insert_with(Yardstick::new);
        // The first finds the caches full of other things.
        (0..3).map(|_| y.run()).fold(f64::INFINITY, f64::min)
    })
}

/// The least time of so many quiet runs, in nanoseconds, and what the run gave. Where no moment was quiet, the least of all.
pub fn time<T>(repeats: u32, mut run: impl FnMut() -> T) -> (f64, T) {
    let mut quiet: Option<(u64, T)> = None;
    let mut any: Option<(u64, T)> = None;
    let (mut done, mut tries, mut waits) = (0, 0, 0);
    while done < repeats && tries < repeats * ATTEMPTS {
        tries += 1;
        let mut before = slowness();
        while before > TOLERANCE && waits < WAITS {
            waits += 1;
            std::thread::sleep(std::time::Duration::from_millis(WAIT));
            before = slowness();
        }
        let start = cpu_ns();
        let value = std::hint::black_box(run());
        let spent = cpu_ns() - start;
        let is_quiet = before <= TOLERANCE && slowness() <= TOLERANCE;
        done += u32::from(is_quiet);
        let best = if is_quiet { &mut quiet } else { &mut any };
        if best.as_ref().is_none_or(|b| spent < b.0) {
            *best = Some((spent, value));
        }
    }
    let (spent, value) = quiet.or(any).expect("at least one run");
    (spent as f64, value)
}

/// The yardstick's least time over so many runs, in nanoseconds.
pub fn yardstick(runs: u32) -> f64 {
    for _ in 0..runs {
        slowness();
    }
    YARDSTICK.with(|y| y.borrow().as_ref().map_or(f64::NAN, |y| y.best))
}
