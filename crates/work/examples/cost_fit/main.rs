//! Measures what legs cost and fits the constants of `crates/work/src/cost_table.rs`.
//!
//! `cost_fit measure [clauses|weighted|sparse|dense ...]` times instance families with every kernel and prints a line of
//! JSON for each; `cost_fit fit FILES` fits the table to such lines and prints it.
//! `cost_fit check [LEG_MS] [REPEATS]` runs a leg of 200 families and prints nanoseconds a leg and max/min.
//! `cost_fit shortcut` times crossbar chips of fixed cost against event-driven ones on the same circuits and schedule.
//!
//! Times are CPU times of the thread, minima over repeats, since the machine may be shared.

mod families;
mod fit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use families::Family;
use hysteron_circuit::run::{Cpu, Start};
use hysteron_work::cost;
use hysteron_work::kernel::{Kernel, classify};
use hysteron_work::parameters::{ParameterSet, sets};
use hysteron_work::{Class, Compiled, RunOutput, RunRequest, WorkRules};

fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The least time of so many runs, in nanoseconds, and what the run gave.
fn time<T>(repeats: u32, mut run: impl FnMut() -> T) -> (f64, T) {
    let mut best: Option<(u64, T)> = None;
    for _ in 0..repeats {
        let start = cpu_ns();
        let value = std::hint::black_box(run());
        let spent = cpu_ns() - start;
        if best.as_ref().is_none_or(|b| spent < b.0) {
            best = Some((spent, value));
        }
    }
    let (spent, value) = best.expect("at least one run");
    (spent as f64, value)
}

fn request(stop: &AtomicBool) -> RunRequest<'_> {
    RunRequest { seed: 1, start: Start::Random, target: None, stop }
}

fn steps(compiled: &Compiled, set: &ParameterSet, steps: u32) -> RunOutput {
    let stop = AtomicBool::new(false);
    compiled.run_steps(Cpu::detect(), set, steps, &request(&stop)).expect("it runs")
}

/// One set of each kernel that may run the problem.
fn kernels(compiled: &Compiled, both: bool) -> BTreeMap<Kernel, &'static ParameterSet> {
    let class = classify(compiled.problem(), compiled.sizes()).expect("weights fit");
    let mut classes = vec![class];
    // What decides between the two must be known of both.
    if both && matches!(class, Class::SparseSpins | Class::DenseSpins) {
        classes = vec![Class::SparseSpins, Class::DenseSpins];
    }
    let mut chosen = BTreeMap::new();
    for set in classes.into_iter().flat_map(sets) {
        if let Some(kernel) = Kernel::of(set, compiled.sizes()) {
            chosen.entry(kernel).or_insert(set);
        }
    }
    chosen
}

type Rows = Vec<(String, Vec<f64>, f64)>;

/// Prints a line of JSON for each family and kernel: kernel, name, counts, picoseconds a step (of a metered kernel: of
/// the run), counts of the start, its picoseconds.
fn measure(families: &[Family]) {
    for family in families {
        let compiled = Compiled::new(Arc::new(family.problem.clone()));
        let sizes = *compiled.sizes();
        for (kernel, set) in kernels(&compiled, true) {
            // Long enough that the first steps, in which every state is a new best, weigh as little as in a leg.
            let once = time(6, || steps(&compiled, set, 1)).0;
            let few = time(3, || steps(&compiled, set, 9)).0;
            let many = (1.0 + 2.5e7 / ((few - once) / 8.0).max(few / 100.0)).clamp(33.0, 1e5) as u32;
            let repeats = if few > 1e7 { 2 } else { 4 };
            let (long, output) = time(repeats, || steps(&compiled, set, many));
            let a_step = (long - once).max(1.0) / f64::from(many - 1);
            let load = ((once - a_step) * 1000.0).max(1000.0);
            let (counts, picoseconds) = if kernel.is_metered() {
                let visits =
                    if kernel >= Kernel::TabuBytes { sizes.variables / 4 } else { 4 * sizes.variables };
                let updates = output.ecu - visits * u64::from(many);
                let terms = cost::metered_terms(kernel, &sizes, many.into(), updates);
                (terms, a_step * f64::from(many) * 1000.0)
            } else {
                (cost::terms(kernel, &sizes), a_step * 1000.0)
            };
            let load_counts = cost::load_terms(&sizes);
            println!(
                "{}",
                serde_json::json!([
                    format!("{kernel:?}"),
                    family.name,
                    counts,
                    picoseconds,
                    load_counts,
                    load
                ])
            );
        }
    }
}

/// Names, counts, picoseconds: of steps and of starts, by kernel.
type Measured = BTreeMap<String, (Rows, Rows)>;

/// Reads what [`measure`] printed; of a family that was measured more than once the least counts.
fn read(files: &[String]) -> Measured {
    type Line = (String, String, Vec<f64>, f64, Vec<f64>, f64);
    let mut measured = Measured::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        for line in text.lines().filter(|l| l.starts_with('[')) {
            let (kernel, name, counts, step, load_counts, load): Line =
                serde_json::from_str(line).expect("a line of `measure`");
            let (steps, loads) = measured.entry(kernel).or_default();
            for (rows, counts, time) in [(steps, counts, step), (loads, load_counts, load)] {
                match rows.iter_mut().find(|r| r.0 == name && r.1 == counts) {
                    Some(row) => row.2 = row.2.min(time),
                    None => rows.push((name.clone(), counts, time)),
                }
            }
        }
    }
    measured
}

fn print_fit(kernel: &str, rows: &Rows, verbose: bool) -> Vec<f64> {
    let data: Vec<(Vec<f64>, f64)> = rows.iter().map(|r| (r.1.clone(), r.2)).collect();
    let constants = fit::fit(&data);
    let mut ratios: Vec<(f64, &str, f64)> =
        rows.iter().map(|r| (r.2 / fit::predict(&constants, &r.1), &*r.0, r.2)).collect();
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (ratios.first().expect("rows"), ratios.last().expect("rows"));
    println!(
        "# {kernel}: {} families, measured/fitted {:.3} ({}) to {:.3} ({}), max/min {:.3}",
        rows.len(),
        first.0,
        first.1,
        last.0,
        last.1,
        last.0 / first.0
    );
    if verbose {
        for (ratio, name, picoseconds) in &ratios {
            println!("#   {ratio:.3} {:10.1} ns  {name}", picoseconds / 1000.0);
        }
    }
    constants
}

fn fit_all(files: &[String]) {
    let measured = read(files);
    let mut table = Vec::new();
    for kernel in Kernel::ALL {
        let name = format!("{kernel:?}");
        let Some((steps, loads)) = measured.get(&name) else { panic!("{name} was not measured") };
        let step = print_fit(&name, steps, true);
        print!("#   load: ");
        let load = print_fit(&name, loads, false);
        table.push((kernel, step, load));
    }
    println!("/// One entry for each of [`Kernel::ALL`]; the terms are in the order of [`TERM_NAMES`].");
    println!("static COSTS: [Cost; Kernel::ALL.len()] = [");
    let list = |constants: &[f64]| {
        constants.iter().map(|c| format!("{}", c.round() as u64)).collect::<Vec<_>>().join(", ")
    };
    for (kernel, step, load) in table {
        println!("    // {kernel:?}");
        println!("    Cost {{ step: [{}], load: [{}] }},", list(&step), list(&load));
    }
    println!("];");
}

fn check(leg_ns: u64, repeats: u32) {
    let mut all = families::clauses();
    all.extend(families::weighted());
    all.extend(families::sparse());
    all.extend(families::dense());
    let stop = AtomicBool::new(false);
    let mut results = Vec::new();
    println!("family | kernel | steps | ns a leg | of W_LEG");
    for (index, family) in all.iter().enumerate() {
        let compiled = Compiled::new(Arc::new(family.problem.clone()));
        let chosen: Vec<_> = kernels(&compiled, false).into_iter().collect();
        let (kernel, set) = chosen[index % chosen.len()];
        compiled.prepare(set).expect("it compiles");
        let (ns, output) =
            time(repeats, || compiled.run_leg(Cpu::detect(), set, leg_ns, &request(&stop)).expect("it runs"));
        let ratio = ns / leg_ns as f64;
        println!("{} | {kernel:?} | {} | {ns:.0} | {ratio:.3}", family.name, output.steps);
        if output.steps >= 20 {
            results.push((ratio, family.name.clone(), kernel));
        } else {
            println!("  (fewer than 20 steps: refused as a job)");
        }
    }
    results.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (&results[0], results.last().expect("families"));
    println!(
        "{} families: {:.3} ({}, {:?}) to {:.3} ({}, {:?}); max/min {:.3}",
        results.len(),
        first.0,
        first.1,
        first.2,
        last.0,
        last.1,
        last.2,
        last.0 / first.0
    );
}

/// Nanoseconds a sweep of one chip: by lanes, and by the event-driven kernel, for circuits that legs run by lanes.
fn shortcut() {
    println!("family | kernel | lanes, ns a chip-sweep | event-driven | event-driven / lanes");
    for family in families::sparse() {
        let compiled = Compiled::new(Arc::new(family.problem.clone()));
        if classify(compiled.problem(), compiled.sizes()) != Ok(Class::SparseSpins) {
            continue;
        }
        // The same temperatures: 0.6 to 0.1 sigma.
        let lanes = &sets(Class::SparseSpins)[0];
        let is_like = |set: &&ParameterSet| matches!(set, ParameterSet::Anneal(p) if p.start_temperature == 600 && p.end_temperature == 100);
        let events = sets(Class::DenseSpins).iter().find(is_like).expect("there is such a set");
        let kernel = Kernel::of(lanes, compiled.sizes()).expect("weights fit");
        let sweeps = 300;
        let per_sweep = |set: &ParameterSet| {
            let (once, _) = time(3, || steps(&compiled, set, 1));
            (time(3, || steps(&compiled, set, sweeps)).0 - once) / f64::from(sweeps - 1)
        };
        let (fixed, event) = (per_sweep(lanes) / 64.0, per_sweep(events));
        println!("{} | {kernel:?} | {fixed:.0} | {event:.0} | {:.2}", family.name, event / fixed);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, default: u64| arguments.get(at).map_or(default, |a| a.parse().expect("a number"));
    match arguments.first().map(String::as_str) {
        Some("measure") => {
            type Makes = fn() -> Vec<Family>;
            let groups: [(&str, Makes); 4] = [
                ("clauses", families::clauses),
                ("weighted", families::weighted),
                ("sparse", families::sparse),
                ("dense", families::dense),
            ];
            for (name, families) in groups {
                if arguments.len() == 1 || arguments[1..].iter().any(|a| a == name) {
                    measure(&families());
                }
            }
        }
        Some("fit") => fit_all(&arguments[1..]),
        Some("check") => {
            check(number(1, WorkRules::main().leg_work / 1_000_000) * 1_000_000, number(2, 2) as u32)
        }
        Some("shortcut") => shortcut(),
        _ => println!(
            "cost_fit measure [GROUPS] | cost_fit fit FILES | cost_fit shortcut | cost_fit check [LEG_MS] [REPEATS]"
        ),
    }
}
