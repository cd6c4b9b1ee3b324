//! Measures the dense searchers: `qubo_lab SECONDS SEEDS STRATEGY FILE…`, where a file holds
//! `spins couplings offset target` and then `i j J` lines (0-based; `i i h` is a field), and a strategy is
//! `swap`, `all`, or `tabu` or `anneal` followed by comma-separated `key=value`. Prints, for each file and seed, the best
//! energy's distance from the target and when it was found. All times are of the processor, not of the
//! wall, so that a busy machine does not matter (Linux only).

use std::sync::Mutex;

use hysteron_problem::{Ising, Problem};
use hysteron_solve::ising::dense::{Crossover, Strategy, dense_searchers, with_strategy};
use hysteron_solve::ising::dense_swap::Swap;
use hysteron_solve::{Context, Searcher};

/// Seconds that this thread has been running on a processor.
fn now() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|w| w.parse::<f64>().ok()).expect("a number");
    nanoseconds / 1e9
}

fn read(path: &str) -> (Ising, i64) {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let mut numbers = text.split_ascii_whitespace().map(|w| w.parse::<i64>().expect("a number"));
    let mut next = || numbers.next().expect("more numbers");
    let (spins, count, offset, target) = (next(), next(), next(), next());
    let mut ising =
        Ising { spins: spins as u32, couplings: Vec::new(), fields: vec![0; spins as usize], offset };
    for _ in 0..count {
        let (i, j, weight) = (next(), next(), next());
        if i == j {
            ising.fields[i as usize] += weight;
        } else if weight != 0 {
            ising.couplings.push((i.min(j) as u32, i.max(j) as u32, weight));
        }
    }
    ising.couplings.sort_unstable();
    (ising, target)
}

fn strategy(text: &str) -> Strategy {
    let mut words = text.split(',');
    let mut strategy = match words.next() {
        Some("anneal") => Strategy::anneal(),
        _ => Strategy::tabu(),
    };
    for word in words {
        let (key, value) = word.split_once('=').expect("key=value");
        let number: u32 = value.parse().expect("a number");
        match key {
            "first_steps" => strategy.first_steps = number,
            "child_steps" => strategy.child_steps = number,
            "pool" => strategy.pool = number as usize,
            "crossover" => {
                strategy.crossover =
                    [Crossover::Uniform, Crossover::Relink, Crossover::Merge][number as usize % 3];
            }
            "distance" => strategy.distance_per_mille = number,
            "patience" => strategy.patience = number,
            "start" => strategy.first.start_temperature = number,
            "end" => strategy.first.end_temperature = number,
            "child_start" => strategy.child.start_temperature = number,
            "child_end" => strategy.child.end_temperature = number,
            "kick_patience" => (strategy.first.patience, strategy.child.patience) = (number, number),
            "kick" => (strategy.first.kick_per_mille, strategy.child.kick_per_mille) = (number, number),
            "tenure" => (strategy.first.tenure_divisor, strategy.child.tenure_divisor) = (number, number),
            "range" => (strategy.first.tenure_range, strategy.child.tenure_range) = (number, number),
            "base" => (strategy.first.tenure_base, strategy.child.tenure_base) = (number, number),
            _ => panic!("unknown key {key}"),
        }
    }
    strategy
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seconds, seeds, strategy_text, files @ ..] = &arguments[..] else { panic!("see the source") };
    let limit: f64 = seconds.parse().expect("seconds");
    let seeds: u64 = seeds.parse().expect("a number");
    let strategy = strategy(strategy_text);
    for file in files {
        let (ising, target) = read(file);
        let problem = Problem::Ising(ising.clone());
        let mut times = Vec::new();
        let mut gaps = Vec::new();
        let mut ecu = 0;
        let mut spent = 0.0;
        for seed in 1..=seeds {
            let start = now();
            let found = Mutex::new(0.0);
            let context = Context::new(
                &problem,
                Some(target),
                Some(Box::new(|_| *found.lock().expect("no panic holds it") = now() - start)),
            );
            let mut searchers: Vec<Box<dyn Searcher>> = match &strategy_text[..] {
                "all" => dense_searchers(&ising, seed),
                "swap" => vec![Box::new(Swap::new(&ising, seed).expect("groups"))],
                _ => vec![Box::new(with_strategy(&ising, strategy, seed).expect("in range"))],
            };
            let mut turn = 0;
            while !context.stopped() && now() - start < limit {
                let count = searchers.len();
                searchers[turn % count].work(&context, 2_000_000);
                turn += 1;
            }
            spent += now() - start;
            ecu += context.ecu();
            gaps.push(context.best_energy() - target);
            times.push(*found.lock().expect("no panic holds it"));
        }
        let hits = gaps.iter().filter(|&&g| g <= 0).count();
        let name = file.rsplit('/').next().expect("a name");
        println!(
            "{name:28} n {:5} hits {hits}/{seeds} gaps {gaps:?} times {times:.3?} {:.2} Gecu/s",
            ising.spins,
            ecu as f64 / spent / 1e9,
        );
    }
}
