//! Measures what legs cost and fits the constants of `crates/work/src/cost_table.rs`.
//!
//! `cost_fit measure [clauses|weighted|sparse|dense|mixed|largest [PARTS OF NAMES]]` times instance families with every kernel and prints a line of
//! JSON for each; `cost_fit fit FILES` fits the table to such lines and prints it. Of what was measured more than once the
//! least counts, so `measure` may be run again and again on a machine that is shared. Lines say what happened and how long it
//! took; what the table multiplies is counted when it is fitted.
//! `cost_fit counts` prints these counts for all families, those that the table is checked on too.
//! `cost_fit check [REPEATS [PARTS OF NAMES]]` runs whole legs of other families than those, each with a parameter set drawn at random, and
//! prints a line of JSON for each; `cost_fit report FILES` takes such lines, the least of each, and prints a table.
//! `cost_fit shortcut` times crossbar chips of fixed cost against event-driven ones on the same circuits and schedule.
//!
//! Times are CPU times of the thread in quiet moments: see `clock.rs`. `HYSTERON_CPU=avx2` (or `portable`) measures and checks
//! slower kernels than the fastest that the machine has.

mod clock;
#[allow(dead_code, reason = "some families are for the example of verification")]
mod families;
mod fit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clock::time;
use families::{FITTED, Family, GROUPS, fitted};
use hysteron_circuit::run::{Cpu, Start};
use hysteron_circuit::simd::Level;
use hysteron_work::cost;
use hysteron_work::kernel::{Kernel, classify};
use hysteron_work::parameters::{ParameterSet, sets};
use hysteron_work::{Class, Compiled, RunOutput, RunRequest, STEP_BYTES_MAX, WorkRules, normalisation_check};

fn request(stop: &AtomicBool) -> RunRequest<'_> {
    RunRequest { seed: 1, start: Start::Random, target: None, stop }
}

/// The kernels that are timed: the fastest, or those of `HYSTERON_CPU`.
pub(crate) fn cpu() -> Cpu {
    let Ok(name) = std::env::var("HYSTERON_CPU") else { return Cpu::detect() };
    let level = Level::available().into_iter().find(|level| level.name() == name);
    Cpu::Lanes(level.unwrap_or_else(|| panic!("this machine has no {name}")))
}

fn steps(compiled: &Compiled, set: &ParameterSet, steps: u32) -> RunOutput {
    let stop = AtomicBool::new(false);
    compiled.run_steps(cpu(), set, steps, &request(&stop)).expect("it runs")
}

/// Sets of each kernel that may run the problem, with their numbers: the last, and three of tabu, whose lists differ in length, and
/// of sums of units in words, which stay in bytes while it is cold.
fn kernels(compiled: &Compiled) -> Vec<(Kernel, usize, &'static ParameterSet)> {
    let class = classify(compiled.problem(), compiled.sizes()).expect("weights fit");
    let mut classes = vec![class];
    // What decides between the two must be known of both, where they are close.
    let is_close = class == Class::SparseSpins && compiled.sizes().row_mean() >= 20;
    if class == Class::DenseSpins || is_close {
        classes = vec![Class::SparseSpins, Class::DenseSpins];
    }
    let mut chosen: BTreeMap<Kernel, Vec<(usize, &'static ParameterSet)>> = BTreeMap::new();
    for (number, set) in classes.into_iter().flat_map(|class| sets(class).iter().enumerate()) {
        if let Some(kernel) = Kernel::of(set, compiled.sizes()) {
            chosen.entry(kernel).or_default().push((number, set));
        }
    }
    let mut all = Vec::new();
    for (kernel, sets) in chosen {
        let mut places = vec![sets.len() - 1];
        if kernel >= Kernel::TabuBytes || kernel == Kernel::CrossbarUnitWords {
            places.extend([0, sets.len() / 2]);
        }
        all.extend(places.into_iter().map(|place| (kernel, sets[place].0, sets[place].1)));
    }
    all
}

/// What [`measure`] prints.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Measured {
    kernel: String,
    family: String,
    /// The number of the parameter set in its class.
    set: usize,
    /// Of a metered kernel: the run's steps, its elementary updates, and how many spins are tabu at a time. Else zeros.
    events: [u64; 3],
    /// Picoseconds a step; of a metered kernel, of the whole run.
    ps: f64,
    /// Picoseconds of starting and ending a run, unless the kernel is metered.
    load: f64,
}

/// Nanoseconds of a measured run, about.
const RUN: f64 = 2e7;

fn measure(families: &[Family]) {
    for family in families {
        let compiled = Compiled::new(Arc::new(family.problem.clone()));
        for (kernel, number, set) in kernels(&compiled) {
            let print = |events: [u64; 3], ps: f64, load: f64| {
                let (kernel, family) = (format!("{kernel:?}"), family.name.clone());
                let line =
                    Measured { kernel, family, set: number, events, ps: ps.round(), load: load.round() };
                println!("{}", serde_json::to_string(&line).expect("plain data"));
            };
            // Long enough that the first steps, in which every state is a new best, weigh as little as in a leg.
            let once = time(4, || steps(&compiled, set, 1)).0;
            let few = time(2, || steps(&compiled, set, 9)).0;
            if few > 2.0e8 {
                eprintln!("{kernel:?} {}: no leg is that long", family.name);
                continue;
            }
            let repeats = if few > 5e6 { 2 } else { 4 };
            let many = (1.0 + RUN / ((few - once) / 8.0).max(few / 100.0)).clamp(33.0, 1e5) as u32;
            let (long, output) = time(repeats, || steps(&compiled, set, many));
            if kernel.is_metered() {
                let tabu = compiled.tabu_spins(set);
                print([many.into(), output.ecu, tabu], long * 1000.0, 0.0);
                let (short, output) = time(4, || steps(&compiled, set, SHORT));
                print([SHORT.into(), output.ecu, tabu], short * 1000.0, 0.0);
            } else {
                let a_step = (long - once).max(1.0) / f64::from(many - 1);
                print([0; 3], a_step * 1000.0, ((once - a_step) * 1000.0).max(0.0));
            }
        }
    }
}

/// Steps of a metered run whose start is what it costs.
const SHORT: u32 = 9;

/// Names, counts, picoseconds, and whether the largest error may be this one's.
type Rows = Vec<(String, Vec<f64>, f64, bool)>;

/// Reads what [`measure`] printed; of a family that was measured more than once the least counts, of metered runs, which
/// differ in length, the least a step, of starts the median.
fn read(files: &[String]) -> Vec<Measured> {
    let mut all: BTreeMap<(String, String, usize, bool), Vec<Measured>> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        for line in text.lines() {
            let new: Measured = serde_json::from_str(line).expect("a line of `measure`");
            let key = (new.kernel.clone(), new.family.clone(), new.set, new.events[0] == u64::from(SHORT));
            all.entry(key).or_default().push(new);
        }
    }
    let least = |measured: Vec<Measured>| {
        let mut loads: Vec<f64> = measured.iter().map(|m| m.load).collect();
        loads.sort_by(f64::total_cmp);
        let load = loads[(loads.len() - 1) / 2];
        // A start that took too long was taken off a long run, whose steps then seem short; steps that took too long hide a start.
        let is_sound = |m: &Measured| (m.load - load).abs() <= 0.02 * (1000.0 * RUN).max(32.0 * m.ps);
        let a_step = |m: &Measured| m.ps / m.events[0].max(1) as f64;
        let sound = measured.into_iter().filter(is_sound);
        let least =
            sound.min_by(|a, b| a_step(a).total_cmp(&a_step(b))).expect("that of the middle start is");
        Measured { load, ..least }
    };
    all.into_values().map(least).collect()
}

/// Counts beside what was measured: of steps, or metered runs, and of starts, by kernel.
fn counted(measured: &[Measured]) -> BTreeMap<Kernel, (Rows, Rows)> {
    let mut by_family: BTreeMap<&str, Vec<&Measured>> = BTreeMap::new();
    for one in measured {
        by_family.entry(&one.family).or_default().push(one);
    }
    let mut all: BTreeMap<Kernel, (Rows, Rows)> = BTreeMap::new();
    for family in fitted() {
        let Some(lines) = by_family.get(&*family.name) else { continue };
        let compiled = Compiled::new(Arc::new(family.problem));
        let floats = |counts: &[u64]| counts.iter().map(|&c| c as f64).collect::<Vec<_>>();
        let class = classify(compiled.problem(), compiled.sizes()).expect("weights fit");
        let runs: Vec<Kernel> =
            sets(class).iter().filter_map(|set| Kernel::of(set, compiled.sizes())).collect();
        // What the chain refuses, for its size or since some chip of its class would have too few steps.
        let rules = WorkRules::main();
        let is_slow =
            |line: &&Measured| line.ps * f64::from(rules.steps_min) > (rules.leg_work * 1000) as f64;
        let is_far = |&kernel: &Kernel| compiled.step_bytes(kernel).expect("it compiles") > STEP_BYTES_MAX;
        if runs.iter().any(is_far)
            || lines.iter().copied().filter(|line| line.events[0] == 0).any(|line| is_slow(&line))
        {
            continue;
        }
        for line in lines {
            let kernel = Kernel::ALL.into_iter().find(|k| format!("{k:?}") == line.kernel).expect("a kernel");
            // Where its class never runs the kernel, an error decides nothing.
            let is_own = runs.contains(&kernel);
            let (steps, loads) = all.entry(kernel).or_default();
            // It may be too large for a kernel that its class does not run.
            if is_far(&kernel) {
                continue;
            }
            if kernel.is_metered() {
                let [count, ecu, tabu] = line.events;
                let events = compiled.events(kernel, count as u32, ecu, tabu);
                let counts = cost::metered_terms(kernel, compiled.sizes(), &events);
                // Starting a run may cost an eighth of it and errs by as much less.
                let is_run = line.events[0] != u64::from(SHORT);
                steps.push((line.family.clone(), floats(&counts), line.ps, is_run));
            } else {
                let walk = compiled.walk(kernel).expect("it compiles");
                steps.push((line.family.clone(), floats(&cost::terms(walk)), line.ps, is_own));
                let sizes = floats(&cost::load_terms(compiled.sizes()));
                loads.push((line.family.clone(), sizes, line.load, true));
            }
        }
    }
    all
}

/// Prints a line of JSON for each family and kernel of fixed cost, those that the table is checked on included.
fn counts() {
    for (is_fitted, family) in
        fitted().into_iter().map(|f| (true, f)).chain(families::held_out().into_iter().map(|f| (false, f.1)))
    {
        let compiled = Compiled::new(Arc::new(family.problem));
        for (kernel, ..) in kernels(&compiled) {
            let walk = if kernel.is_metered() { None } else { compiled.walk(kernel).ok() };
            let (walk, sizes) = (walk.map(|w| format!("{w:?}")), format!("{:?}", compiled.sizes()));
            let line = serde_json::json!({
                "kernel": format!("{kernel:?}"), "family": &family.name, "fitted": is_fitted, "walk": walk, "sizes": sizes,
            });
            println!("{line}");
        }
    }
}

fn print_fit(kernel: &str, rows: &Rows, most: &[f64], power: f64) -> Vec<f64> {
    let data: Vec<fit::Row> = rows.iter().map(|r| (r.1.clone(), r.2, r.3)).collect();
    let constants = fit::fit(&data, most, power);
    let mut ratios: Vec<(f64, &str, f64, bool)> =
        rows.iter().map(|r| (r.2 / fit::predict(&constants, &r.1), &*r.0, r.2, r.3)).collect();
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let trusted: Vec<_> = ratios.iter().filter(|r| r.3).collect();
    let (first, last) = (trusted.first().expect("rows"), trusted.last().expect("rows"));
    println!(
        "# {kernel}: {} of {} families, measured/fitted {:.3} ({}) to {:.3} ({}), max/min {:.3}",
        trusted.len(),
        rows.len(),
        first.0,
        first.1,
        last.0,
        last.1,
        last.0 / first.0
    );
    if power > 0.0 {
        for (ratio, name, picoseconds, is_trusted) in &ratios {
            let mark = if *is_trusted { "" } else { " (counts little)" };
            println!("#   {ratio:.3} {:10.1} ns  {name}{mark}", picoseconds / 1000.0);
        }
    }
    constants
}

fn fit_all(files: &[String]) {
    let measured = counted(&read(files));
    let mut table = Vec::new();
    for kernel in Kernel::ALL {
        let name = format!("{kernel:?}");
        let Some((steps, loads)) = measured.get(&kernel) else { panic!("{name} was not measured") };
        let mut steps = steps.clone();
        if kernel == Kernel::CrossbarUnitWords {
            // Circuits with few long rows cost about what those without cost.
            steps.extend(measured.get(&Kernel::CrossbarUnitBytes).into_iter().flat_map(|m| m.0.clone()));
        }
        let most = if kernel.is_metered() { &fit::MOST_METERED } else { &fit::MOST };
        let step = print_fit(&name, &steps, most, fit::POWER);
        let load = if kernel.is_metered() {
            vec![0.0; cost::LOAD_TERMS]
        } else {
            print!("#   load: ");
            // A tenth of a millisecond of a leg does not matter.
            let loads = loads.iter().filter(|l| l.2 > 1e8).cloned().collect();
            print_fit(&name, &loads, &fit::FREE, 0.0)
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

/// States that legs of [`check`] start from, if not at random.
const CHECKPOINTS: u64 = 16;

/// Prints a line of JSON for each family: name, kernel, number of the parameter set, steps, nanoseconds, the same over
/// `W_LEG`, and why the chain would refuse it, if it would. Of families that no leg can run it prints the reason alone.
fn check(repeats: u32, like: &str) {
    let rules = WorkRules::main();
    let stop = AtomicBool::new(false);
    let chosen = |family: &Family| like.split(';').any(|part| family.name.contains(part));
    for (index, (is_fresh, family)) in families::held_out().into_iter().enumerate() {
        if !chosen(&family) {
            continue;
        }
        let admitted = normalisation_check(&family.problem, &rules);
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
        // Half of all legs start from the best that is known, each lane with a kick.
        let states: Vec<Vec<bool>> = (0..CHECKPOINTS)
            .map(|state| {
                let hash = |v: u64| hysteron_circuit::rom::mix64(v << 8 | state);
                (0..compiled.sizes().variables).map(|variable| hash(variable) >> 63 == 1).collect()
            })
            .collect();
        let mut request = request(&stop);
        if index % 2 == 1 {
            request.start = Start::From { states: &states, kick_per_mille: 50 };
        }
        let run = || compiled.run_leg(cpu(), set, rules.leg_work, &request).expect("it runs");
        let (ns, output) = time(repeats, run);
        let ratio = ns / rules.leg_work as f64;
        println!(
            "{}",
            serde_json::json!({
                "family": family.name, "kernel": format!("{kernel:?}"), "set": drawn, "steps": output.steps,
                "fresh": is_fresh, "kicked": index % 2 == 1, "ns": ns as u64, "ratio": (ratio * 1000.0).round() / 1000.0,
                "not_admitted": admitted.err().map(|e| e.to_string()),
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
    let ratio = |v: &serde_json::Value| v["ratio"].as_f64().expect("filtered");
    let mut all: Vec<_> = least.into_values().filter(|v| v["ratio"].is_f64()).collect();
    all.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let (admitted, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|v| v["not_admitted"].is_null());
    let is_fresh = |v: &&serde_json::Value| v["fresh"].as_bool().expect("said");
    let (fresh, looked_at) = admitted.iter().cloned().partition(|v| is_fresh(&v));
    for (what, all) in [
        ("that the chain admits", &admitted),
        ("of these that were made when the terms of the table were final", &fresh),
        ("of these that were looked at before", &looked_at),
        ("that it refuses", &others),
    ] {
        if all.is_empty() {
            continue;
        }
        let at = |per_mille: usize| ratio(&all[(all.len() - 1) * per_mille / 1000]);
        let deciles: Vec<String> = (0..=10).map(|d| format!("{:.3}", at(100 * d))).collect();
        println!("{} families {what}; deciles {}", all.len(), deciles.join(", "));
        println!("max/min {:.3}; of nine tenths {:.3}", at(1000) / at(0), at(950) / at(50));
        let mut by_kernel: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for v in all {
            by_kernel.entry(v["kernel"].as_str().unwrap_or_default()).or_default().push(ratio(v));
        }
        println!("\n| kernel | families | median | least | most |\n|---|---:|---:|---:|---:|");
        for (kernel, ratios) in by_kernel {
            let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
            println!(
                "| {kernel} | {} | {:.2} | {least:.2} | {most:.2} |",
                ratios.len(),
                ratios[ratios.len() / 2]
            );
        }
        println!();
    }
    println!("| of W_LEG | family | chip | set | steps |\n|---|---|---|---|---|");
    for v in &admitted {
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
            for (name, families) in GROUPS {
                if arguments.len() == 1 || arguments[1] == name {
                    let like = arguments.get(2).map_or("", String::as_str);
                    let chosen =
                        families().into_iter().filter(|f| like.split(';').any(|part| f.name.contains(part)));
                    measure(&chosen.collect::<Vec<_>>());
                }
            }
        }
        Some("counts") => counts(),
        Some("fit") => fit_all(&arguments[1..]),
        Some("check") => {
            let like = arguments.get(2).map_or("", String::as_str);
            check(arguments.get(1).map_or(2, |a| a.parse().expect("a number")), like);
        }
        Some("report") => report(&arguments[1..]),
        Some("yardstick") => println!("{}", clock::yardstick(10_000)),
        Some("shortcut") => shortcut(),
        _ => println!(
            "cost_fit measure [GROUP [PARTS OF NAMES]] | fit FILES | counts | check [REPEATS [PARTS OF NAMES]] | report FILES | shortcut"
        ),
    }
}
