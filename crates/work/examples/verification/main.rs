//! How long it takes to verify a block's work, and to turn away a forged header.
//!
//! `verification [CORES] [ATTEMPTS] [REPEATS]`: for many families, among them the largest that the chain admits, mines attempts
//! all of whose legs run that family (without the pre-hash, which verifying does not repeat), then verifies each so often on
//! so many cores, by the clock on the wall, and prints milliseconds as Markdown. Then it times the cheap checks on forged headers
//! of all kinds. Circuits are compiled beforehand, as a node has compiled them when it admitted the job; what that takes is printed too.

#[path = "../cost_fit/families.rs"]
#[allow(dead_code, reason = "the fit's families are a part of these")]
mod families;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use hysteron_circuit::rom::mix64;
use hysteron_problem::Problem;
use hysteron_work::parameters::sets;
use hysteron_work::{
    CpuRunner, Entry, Hash, JobId, LEGS, Meter, ProblemId, Proof, Table, Target, WorkError, WorkRules,
    attempt, check_cheap, hash, normalisation_check, verify_on,
};

/// The value that a share `per_mille` of `sorted` values do not exceed.
fn quantile(sorted: &[f64], per_mille: usize) -> f64 {
    sorted[((sorted.len() * per_mille).div_ceil(1000)).clamp(1, sorted.len()) - 1]
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

struct Times {
    name: String,
    verified: Vec<f64>,
}

/// Mines and verifies attempts of one family; `None` if the chain refuses it.
fn family(name: &str, problem: Problem, cores: usize, attempts: u64, repeats: u32) -> Option<Times> {
    let rules = WorkRules { pre_tries: 1, ..WorkRules::main() };
    let start = Instant::now();
    let class = match normalisation_check(&problem, &rules) {
        Ok(class) => class,
        Err(refusal) => {
            println!("| {name} | refused | {refusal} | | | |");
            return None;
        }
    };
    let admission = milliseconds(start);
    let elements = hysteron_work::Sizes::of(&problem).elements();
    let id = ProblemId(hash("verification-example", &[name.as_bytes()]));
    let entry =
        Entry { job: JobId([1; 32]), problem: id, class, chips: 64, target: None, checkpoints: Vec::new() };
    let table = Table { entries: vec![entry], capacity_chips: 0, ..Table::default() };
    let runner = CpuRunner::new(BTreeMap::from([(id, Arc::new(problem))]), rules.clone(), 1 << 32);
    let stop = AtomicBool::new(false);
    let mut verified = Vec::new();
    for k in 0..attempts {
        let th = hash("verification-example", &[name.as_bytes(), &k.to_le_bytes()]);
        let made = attempt(&th, &table, &rules, &runner, 0, &stop, &Meter::off())
            .expect("an admitted problem runs")
            .expect("nobody stops it");
        // Kernels that no leg of the attempt used stay uncompiled; those of this attempt are there now.
        for _ in 0..repeats {
            let start = Instant::now();
            let result = verify_on(cores, &th, &made.proof, &table, &rules, &Target::easiest(), &runner);
            verified.push(milliseconds(start));
            assert_eq!(result.as_ref(), Ok(&made.outputs), "what was mined verifies");
        }
    }
    let times = sorted(verified);
    println!(
        "| {name} | {} of {} sets | {elements} | {admission:.0} | {:.0} | {:.0} |",
        class.name(),
        sets(class).len(),
        quantile(&times, 500),
        times[times.len() - 1]
    );
    Some(Times { name: name.into(), verified: times })
}

/// Microseconds that the checks before any simulation take for a header that is forged in one of several ways, and how they
/// ended.
fn forge(rules: &WorkRules, count: u64) -> BTreeMap<&'static str, Vec<f64>> {
    // A hard target, as of a network of a thousand cores.
    let post_target = Target::from_expected_tries(120_000);
    let mut all: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for k in 0..count {
        let th: Hash = hash("verification-forged", &[&k.to_le_bytes()]);
        let mut proof = Proof { nonce: mix64(k), digests: [hash("verification-digest", &[&th]); LEGS] };
        let kind = match k % 4 {
            0 => "digests from nowhere",
            1 => {
                // Whatever leg is changed, the hash behind it changes.
                proof.digests[(k / 4) as usize % LEGS][0] ^= 1;
                "one digest changed"
            }
            2 => {
                proof.nonce ^= 1;
                "another nonce"
            }
            _ => "post-hash ground, pre-hash not",
        };
        let target = if k % 4 == 3 { Target::easiest() } else { post_target };
        let start = Instant::now();
        let result = std::hint::black_box(check_cheap(&th, &proof, rules, &target));
        let spent = start.elapsed().as_secs_f64() * 1e6;
        let expected = if k % 4 == 3 { WorkError::PreHash } else { WorkError::PostHash };
        if result == Err(expected) {
            all.entry(kind).or_default().push(spent);
        }
    }
    all
}

fn main() {
    let number =
        |at: usize, default: u64| std::env::args().nth(at).map_or(default, |a| a.parse().expect("a number"));
    let (cores, attempts, repeats) = (number(1, 2) as usize, number(2, 2), number(3, 3) as u32);
    println!("| family | class | literals or couplings | admission ms | median ms | most ms |");
    println!("|---|---|---|---|---|---|");
    let mut all = Vec::new();
    for (k, (_, f)) in families::held_out().into_iter().enumerate() {
        // Every eighth: a sample of all kinds.
        if k % 8 == 0 {
            all.extend(family(&f.name, f.problem, cores, attempts, repeats));
        }
    }
    let mut largest = Vec::new();
    for f in families::admitted_most() {
        largest.extend(family(&f.name, f.problem, cores, attempts, repeats));
    }
    for (what, times) in [("sampled families", &all), ("largest families", &largest)] {
        let values = sorted(times.iter().flat_map(|t| t.verified.iter().copied()).collect());
        let worst =
            times.iter().max_by(|a, b| quantile(&a.verified, 500).total_cmp(&quantile(&b.verified, 500)));
        println!(
            "\n{what}: {} families, {} verifications on {cores} cores: median {:.0} ms, p99 {:.0} ms, most {:.0} ms; \
             worst family {} (median {:.0} ms)",
            times.len(),
            values.len(),
            quantile(&values, 500),
            quantile(&values, 990),
            values[values.len() - 1],
            worst.map_or("", |w| &w.name),
            worst.map_or(0.0, |w| quantile(&w.verified, 500)),
        );
    }
    println!("\n| forged header | rejected | median µs | p99 µs | most µs |\n|---|---|---|---|---|");
    for (kind, times) in forge(&WorkRules::main(), 400_000) {
        let times = sorted(times);
        println!(
            "| {kind} | {} | {:.2} | {:.2} | {:.0} |",
            times.len(),
            quantile(&times, 500),
            quantile(&times, 990),
            times[times.len() - 1]
        );
    }
}
