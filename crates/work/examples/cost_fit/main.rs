//! Measures what legs cost and fits the constants of `crates/work/src/cost_table.rs`.
//!
//! `cost_fit measure [clauses|weighted|sparse|dense [PARTS OF NAMES]]` times instance families with every kernel and prints a line of
//! JSON for each; `cost_fit fit FILES` fits the table to such lines and prints it. Of what was measured more than once the
//! least counts, so `measure` may be run again and again on a machine that is shared.
//! `cost_fit check [REPEATS]` runs whole legs of other families than those, each with a parameter set drawn at random, and
//! prints a line of JSON for each; `cost_fit report FILES` takes such lines, the least of each, and prints a table.
//! `cost_fit shortcut` times crossbar chips of fixed cost against event-driven ones on the same circuits and schedule.
//!
//! Times are CPU times of the thread in quiet moments: see `clock.rs`.

mod clock;
#[allow(dead_code, reason = "the largest families are for the example of verification")]
mod families;
mod fit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clock::time;
use families::{Choice, FITTED, Family};
use hysteron_circuit::run::{Cpu, Start};
use hysteron_work::cost;
use hysteron_work::kernel::{Kernel, classify};
use hysteron_work::parameters::{ParameterSet, sets};
use hysteron_work::{Class, Compiled, RunOutput, RunRequest, WorkRules};

fn request(stop: &AtomicBool) -> RunRequest<'_> {
    RunRequest { seed: 1, start: Start::Random, target: None, stop }
}

fn steps(compiled: &Compiled, set: &ParameterSet, steps: u32) -> RunOutput {
    let stop = AtomicBool::new(false);
    compiled.run_steps(Cpu::detect(), set, steps, &request(&stop)).expect("it runs")
}

/// Sets of each kernel that may run the problem: the last, and of tabu, whose lists differ in length, three.
fn kernels(compiled: &Compiled) -> Vec<(Kernel, &'static ParameterSet)> {
    let class = classify(compiled.problem(), compiled.sizes()).expect("weights fit");
    let mut classes = vec![class];
    // What decides between the two must be known of both, where they are close.
    let is_close = class == Class::SparseSpins && compiled.sizes().row_mean() >= 20;
    if class == Class::DenseSpins || is_close {
        classes = vec![Class::SparseSpins, Class::DenseSpins];
    }
    let mut chosen: BTreeMap<Kernel, Vec<&'static ParameterSet>> = BTreeMap::new();
    for set in classes.into_iter().flat_map(sets) {
        if let Some(kernel) = Kernel::of(set, compiled.sizes()) {
            chosen.entry(kernel).or_default().push(set);
        }
    }
    let mut all = Vec::new();
    for (kernel, sets) in chosen {
        all.push((kernel, sets[sets.len() - 1]));
        if kernel >= Kernel::TabuBytes {
            all.extend([(kernel, sets[0]), (kernel, sets[sets.len() / 2])]);
        }
    }
    all
}

type Rows = Vec<(String, Vec<f64>, f64)>;

fn print_line(kernel: Kernel, name: &str, counts: &[u64], ps: f64, load_counts: &[u64], load: f64) {
    println!("{}", serde_json::json!([format!("{kernel:?}"), name, counts, ps, load_counts, load]));
}

/// Prints a line of JSON for each family and kernel: kernel, name, counts, picoseconds a step (of a metered kernel: of
/// the whole run), counts of the start, its picoseconds (of a metered kernel: none).
fn measure(families: &[Family]) {
    for family in families {
        let compiled = Compiled::new(Arc::new(family.problem.clone()));
        let sizes = *compiled.sizes();
        for (kernel, set) in kernels(&compiled) {
            // Long enough that the first steps, in which every state is a new best, weigh as little as in a leg.
            let once = time(4, || steps(&compiled, set, 1)).0;
            let few = time(2, || steps(&compiled, set, 9)).0;
            if few > 2.0e8 {
                eprintln!("{kernel:?} {}: no leg is that long", family.name);
                continue;
            }
            let repeats = if few > 5e6 { 2 } else { 4 };
            let many = (1.0 + 6.0e6 / ((few - once) / 8.0).max(few / 100.0)).clamp(33.0, 1e5) as u32;
            let (long, output) = time(repeats, || steps(&compiled, set, many));
            let load_counts = cost::load_terms(&sizes);
            if kernel.is_metered() {
                let events = compiled.events(kernel, many, output.ecu, compiled.tabu_spins(set));
                let counts = cost::metered_terms(kernel, &sizes, &events);
                print_line(kernel, &family.name, &counts, long * 1000.0, &load_counts, 0.0);
                let (short, output) = time(4, || steps(&compiled, set, 9));
                let events = compiled.events(kernel, 9, output.ecu, compiled.tabu_spins(set));
                let counts = cost::metered_terms(kernel, &sizes, &events);
                print_line(kernel, &family.name, &counts, short * 1000.0, &load_counts, 0.0);
            } else {
                let a_step = (long - once).max(1.0) / f64::from(many - 1);
                let load = ((once - a_step) * 1000.0).max(1000.0);
                let counts = cost::terms(compiled.walk(kernel).expect("it compiles"));
                print_line(kernel, &family.name, &counts, a_step * 1000.0, &load_counts, load);
            }
        }
    }
}

/// Names, counts, picoseconds: of steps and of starts, by kernel.
type Measured = BTreeMap<String, (Rows, Rows)>;

/// Reads what [`measure`] printed; of a family that was measured more than once the least counts, of metered runs, which
/// differ in length, the least a step.
fn read(files: &[String]) -> Measured {
    type Line = (String, String, Vec<f64>, f64, Vec<f64>, f64);
    // Of a kernel, a family, and its counts.
    let mut least: BTreeMap<(String, String, String), (f64, Line)> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        for line in text.lines().filter(|l| l.starts_with('[')) {
            let line: Line = serde_json::from_str(line).expect("a line of `measure`");
            let counts = &line.2;
            let is_metered = Kernel::ALL.iter().any(|k| format!("{k:?}") == line.0 && k.is_metered());
            let (alike, a_step) = if is_metered {
                (format!("{} {}", counts[11] / counts[0], counts[0] == 9.0), line.3 / counts[0])
            } else {
                (format!("{counts:?}"), line.3)
            };
            let entry = least.entry((line.0.clone(), line.1.clone(), alike));
            let entry = entry.or_insert_with(|| (a_step, line.clone()));
            let load = entry.1.5.min(line.5);
            if a_step < entry.0 {
                *entry = (a_step, line);
            }
            entry.1.5 = load;
        }
    }
    let mut measured = Measured::new();
    for (_, (kernel, name, counts, time, load_counts, load)) in least.into_values() {
        let (steps, loads) = measured.entry(kernel).or_default();
        steps.push((name.clone(), counts, time));
        loads.push((name, load_counts, load));
    }
    measured
}

fn print_fit(kernel: &str, rows: &Rows, far: &[usize], verbose: bool) -> Vec<f64> {
    let data: Vec<(Vec<f64>, f64)> = rows.iter().map(|r| (r.1.clone(), r.2)).collect();
    let constants = fit::fit(&data, far);
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
        let step = print_fit(&name, steps, if kernel.is_metered() { &[5, 9, 13] } else { &[15] }, true);
        let load = if kernel.is_metered() {
            vec![0.0; cost::LOAD_TERMS]
        } else {
            print!("#   load: ");
            print_fit(&name, loads, &[], false)
        };
        table.push((kernel, step, load));
    }
    println!(
        "/// One entry for each of [`Kernel::ALL`]; the terms are in the order of [`TERM_NAMES`], those of metered kernels of\n\
         /// [`METERED_TERM_NAMES`]."
    );
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

/// Prints a line of JSON for each family: name, kernel, number of the parameter set, steps, nanoseconds, the same over
/// `W_LEG`. Of families that the chain would refuse it prints the reason.
fn check(repeats: u32) {
    let rules = WorkRules::main();
    let stop = AtomicBool::new(false);
    for (index, family) in families::held_out().into_iter().enumerate() {
        let compiled = Compiled::new(Arc::new(family.problem));
        let class = match classify(compiled.problem(), compiled.sizes()) {
            Ok(class) => class,
            Err(e) => {
                println!("{}", serde_json::json!({ "family": family.name, "refused": e.to_string() }));
                continue;
            }
        };
        let drawn = hysteron_circuit::rom::mix64(index as u64) % sets(class).len() as u64;
        let set = &sets(class)[drawn as usize];
        let kernel = Kernel::of(set, compiled.sizes()).expect("classified");
        let refused = match compiled.steps(kernel, rules.leg_work) {
            Err(e) => Some(e),
            Ok(steps) if steps < rules.steps_min => Some(format!("{steps} steps a leg")),
            Ok(_) => None,
        };
        if let Some(refused) = refused {
            println!(
                "{}",
                serde_json::json!({ "family": family.name, "kernel": format!("{kernel:?}"), "refused": refused })
            );
            continue;
        }
        compiled.prepare(set).expect("it compiles");
        let run = || compiled.run_leg(Cpu::detect(), set, rules.leg_work, &request(&stop)).expect("it runs");
        let (ns, output) = time(repeats, run);
        let ratio = ns / rules.leg_work as f64;
        println!(
            "{}",
            serde_json::json!({
                "family": family.name, "kernel": format!("{kernel:?}"), "set": drawn, "steps": output.steps,
                "ns": ns as u64, "ratio": (ratio * 1000.0).round() / 1000.0,
            })
        );
    }
}

/// Of every family that [`check`] printed the least time; sorted, as Markdown, with deciles and extremes.
fn report(files: &[String]) {
    let mut least: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        for line in text.lines() {
            let value: serde_json::Value = serde_json::from_str(line).expect("a line of `check`");
            let name = value["family"].as_str().expect("a name").to_string();
            let ratio = |v: &serde_json::Value| v["ratio"].as_f64().unwrap_or(f64::INFINITY);
            match least.get(&name) {
                Some(old) if ratio(old) <= ratio(&value) => {}
                _ => _ = least.insert(name, value),
            }
        }
    }
    let mut all: Vec<_> = least.into_values().filter(|v| v["ratio"].is_f64()).collect();
    all.sort_by(|a, b| a["ratio"].as_f64().partial_cmp(&b["ratio"].as_f64()).expect("numbers"));
    let ratio = |k: usize| all[k].get("ratio").and_then(serde_json::Value::as_f64).expect("filtered");
    let deciles: Vec<String> = (0..=10).map(|d| format!("{:.3}", ratio((all.len() - 1) * d / 10))).collect();
    println!("{} families; deciles {}", all.len(), deciles.join(", "));
    println!("max/min {:.3}", ratio(all.len() - 1) / ratio(0));
    println!("\n| of W_LEG | family | chip | set | steps |\n|---|---|---|---|---|");
    for v in &all {
        println!(
            "| {:.3} | {} | {} | {} | {} |",
            v["ratio"].as_f64().expect("filtered"),
            v["family"].as_str().unwrap_or_default(),
            v["kernel"].as_str().unwrap_or_default(),
            v["set"],
            v["steps"]
        );
    }
}

/// Nanoseconds a sweep of one chip: by lanes, and by the event-driven kernel, for circuits that legs run by lanes.
fn shortcut() {
    println!("family | kernel | lanes, ns a chip-sweep | event-driven | event-driven / lanes");
    for family in families::sparse(FITTED) {
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
    match arguments.first().map(String::as_str) {
        Some("measure") => {
            type Makes = fn(Choice) -> Vec<Family>;
            let groups: [(&str, Makes); 4] = [
                ("clauses", families::clauses),
                ("weighted", families::weighted),
                ("sparse", families::sparse),
                ("dense", families::dense),
            ];
            for (name, families) in groups {
                if arguments.len() == 1 || arguments[1] == name {
                    let like = arguments.get(2).map_or("", String::as_str);
                    let chosen = families(FITTED)
                        .into_iter()
                        .filter(|f| like.split(';').any(|part| f.name.contains(part)));
                    measure(&chosen.collect::<Vec<_>>());
                }
            }
        }
        Some("fit") => fit_all(&arguments[1..]),
        Some("check") => check(arguments.get(1).map_or(2, |a| a.parse().expect("a number"))),
        Some("report") => report(&arguments[1..]),
        Some("yardstick") => println!("{}", clock::yardstick(10_000)),
        Some("shortcut") => shortcut(),
        _ => println!(
            "cost_fit measure [GROUP [PARTS OF NAMES]] | fit FILES | check [REPEATS] | report FILES | shortcut"
        ),
    }
}
