//! A laboratory for the Ising searchers: reads rudy files (Gset), runs chosen searchers in turn for some seconds of
//! processor time, and prints what each found when.
//!
//! ```text
//! cargo run --release -p hysteron-solve --example ising_lab -- SECONDS SEED SEARCHERS FILE[.gz]…
//! ```
//! `SEARCHERS` is `all` or indices into [`hysteron_solve::ising::searchers`], such as `0,2`. Times are of the
//! processor, not of the wall, so that a busy machine changes little.

use std::io::Read;
use std::sync::Mutex;

use hysteron_problem::{Ising, Problem};
use hysteron_solve::{Context, Outcome, Source, ising};

/// Seconds that this thread has run on a processor; of the wall where the system does not tell.
fn processor_seconds(start: std::time::Instant) -> f64 {
    std::fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

/// A Max-Cut file: the cut is `(sum of weights - energy) / 2` of the Ising problem with the same weights.
fn read(path: &str) -> (Ising, i64) {
    let bytes = std::fs::read(path).expect("a file");
    let mut text = String::new();
    if path.ends_with(".gz") {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    } else {
        text = String::from_utf8(bytes).expect("text");
    }
    let mut numbers = text.split_whitespace().map(|n| n.parse::<i64>().expect("integers"));
    let (n, m) = (numbers.next().expect("n"), numbers.next().expect("m"));
    let mut couplings = std::collections::BTreeMap::new();
    for _ in 0..m {
        let (i, j, w) = (numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap());
        if i != j {
            *couplings.entry(((i.min(j) - 1) as u32, (i.max(j) - 1) as u32)).or_insert(0) += w;
        }
    }
    let couplings: Vec<_> = couplings.into_iter().filter(|c| c.1 != 0).map(|((i, j), w)| (i, j, w)).collect();
    let sum = couplings.iter().map(|c| c.2).sum();
    (Ising { spins: n as u32, couplings, fields: vec![0; n as usize], offset: 0 }, sum)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, seconds, seed, chosen, files @ ..] = &arguments[..] else {
        eprintln!("SECONDS SEED SEARCHERS FILE…");
        return;
    };
    let (seconds, seed): (f64, u64) = (seconds.parse().expect("seconds"), seed.parse().expect("a seed"));
    let start = std::time::Instant::now();
    for file in files {
        let (problem, sum) = read(file);
        let began = processor_seconds(start);
        let finds: Mutex<Vec<(f64, i64, Source)>> = Mutex::new(Vec::new());
        let wrapped = Problem::Ising(problem.clone());
        let context = Context::new(
            &wrapped,
            None,
            Some(Box::new(|c| {
                let cut = (sum - c.energy) / 2;
                finds.lock().unwrap().push((processor_seconds(start) - began, cut, c.source));
            })),
        );
        let mut searchers = ising::searchers(&problem, seed);
        if chosen != "all" {
            let kept: Vec<usize> = chosen.split(',').map(|i| i.parse().expect("an index")).collect();
            let mut index = 0;
            searchers.retain(|_| {
                index += 1;
                kept.contains(&(index - 1))
            });
        }
        let mut spent = vec![0.0; searchers.len()];
        let mut effort = 0u64;
        'search: while !searchers.is_empty() {
            effort += 50_000_000;
            for (searcher, spent) in searchers.iter_mut().zip(&mut spent) {
                let before = processor_seconds(start);
                let outcome = searcher.work(&context, 50_000_000);
                *spent += processor_seconds(start) - before;
                if outcome != Outcome::Continue || processor_seconds(start) - began > seconds {
                    break 'search;
                }
            }
        }
        let finds = finds.lock().unwrap();
        let name = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".gz");
        if let Some((t, cut, source)) = finds.last() {
            let spent: Vec<String> = spent.iter().map(|s| format!("{s:.1}")).collect();
            println!(
                "{name:12} {cut:8} at {t:6.2}s by {source:20} spent {} ecu {:.1e}",
                spent.join("+"),
                context.ecu() as f64
            );
        }
        if std::env::var_os("LAB_TRACE").is_some() {
            for (t, cut, source) in finds.iter() {
                println!("    {t:7.3} {cut:8} {source}");
            }
        }
    }
}
