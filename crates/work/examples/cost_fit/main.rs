//! Measures what legs cost and fits the constants of `crates/work/src/cost_table.rs`.
//!
//! `cost_fit fit [verbose]` measures instance families with every kernel, fits and prints the table; what it measured goes
//! to the standard error as lines of JSON.
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
use hysteron_work::cost::{self, LOAD_TERMS, TERMS};
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

fn as_counts(terms: &[u64]) -> Vec<f64> {
    terms.iter().map(|&t| t as f64).collect()
}

fn measure(
    families: &[Family],
    step_rows: &mut BTreeMap<Kernel, Rows>,
    load_rows: &mut BTreeMap<Kernel, Rows>,
) {
    for family in families {
        let compiled = Compiled::new(Arc::new(family.problem.clone()));
        let sizes = *compiled.sizes();
        for (kernel, set) in kernels(&compiled, true) {
            // Runs of about 6 ms beside their start, of three steps at least.
            let once = time(3, || steps(&compiled, set, 1)).0;
            let few = time(3, || steps(&compiled, set, 3));
            let many = (1.0 + 6e6 / ((few.0 - once) / 2.0).max(20.0)).clamp(3.0, 1e6) as u32;
            let (long, output) = if many < 6 { few } else { time(4, || steps(&compiled, set, many)) };
            let many = if many < 6 { 3 } else { many };
            let a_step = (long - once).max(1.0) / f64::from(many - 1);
            let load = ((once - a_step) * 1000.0).max(1000.0);
            load_rows.entry(kernel).or_default().push((
                family.name.clone(),
                as_counts(&cost::load_terms(&sizes)),
                load,
            ));
            let (name, counts, picoseconds) = if kernel.is_metered() {
                let visits =
                    if kernel >= Kernel::TabuBytes { sizes.variables / 4 } else { 4 * sizes.variables };
                let updates = output.ecu - visits * u64::from(many);
                let terms = cost::metered_terms(kernel, &sizes, many.into(), updates);
                (format!("{}, {many} steps", family.name), terms, a_step * f64::from(many) * 1000.0)
            } else {
                (family.name.clone(), cost::terms(kernel, &sizes), a_step * 1000.0)
            };
            let load_counts = cost::load_terms(&sizes);
            eprintln!(
                "[\"{kernel:?}\", \"{name}\", {counts:?}, {picoseconds:.0}, {load_counts:?}, {load:.0}]"
            );
            step_rows.entry(kernel).or_default().push((name, as_counts(&counts), picoseconds));
        }
    }
}

fn print_fit(kernel: Kernel, rows: &Rows, verbose: bool) -> Vec<f64> {
    let data: Vec<(Vec<f64>, f64)> = rows.iter().map(|r| (r.1.clone(), r.2)).collect();
    let constants = fit::fit(&data);
    let mut ratios: Vec<(f64, &str, f64)> =
        rows.iter().map(|r| (r.2 / fit::predict(&constants, &r.1), &*r.0, r.2)).collect();
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (first, last) = (ratios.first().expect("rows"), ratios.last().expect("rows"));
    println!(
        "# {kernel:?}: {} families, measured/fitted {:.3} ({}) to {:.3} ({}), max/min {:.3}",
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

fn fit_all(verbose: bool) {
    let (mut step_rows, mut load_rows) = (BTreeMap::new(), BTreeMap::new());
    for families in [families::clauses(), families::weighted(), families::sparse(), families::dense()] {
        measure(&families, &mut step_rows, &mut load_rows);
    }
    let mut table = Vec::new();
    for kernel in Kernel::ALL {
        let Some(rows) = step_rows.get(&kernel) else {
            table.push((kernel, vec![1000.0; TERMS], vec![1000.0; LOAD_TERMS]));
            continue;
        };
        let step = print_fit(kernel, rows, verbose);
        print!("#   load: ");
        let load = print_fit(kernel, &load_rows[&kernel], false);
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
        Some("fit") => fit_all(arguments.get(1).is_some_and(|a| a == "verbose")),
        Some("check") => {
            check(number(1, WorkRules::main().leg_work / 1_000_000) * 1_000_000, number(2, 2) as u32)
        }
        Some("shortcut") => shortcut(),
        _ => println!("cost_fit shortcut | cost_fit fit [verbose] | cost_fit check [LEG_MS] [REPEATS]"),
    }
}
