//! A bench for clause chips and searches: `clause_lab barthel N RATIO SEED SECONDS [searcher]`.

use hysteron_circuit::memcomputing::{Arrangement, Bank, Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Cpu, Request, Start};
use hysteron_problem::{ClauseList, Cnf, Literal, Problem};
use hysteron_solve::clauses::{Beliefs, Memcomputing, Partial};
use hysteron_solve::{Candidate, Context, Searcher};

fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(1);
    (mix64(*state) >> 11) as f64 / (1u64 << 53) as f64
}

/// Planted 3-SAT without a field on any variable (Barthel et al. 2002); `p0 < 0` is uniform.
fn barthel(n: u32, ratio: f64, p0: f64, seed: u64) -> Cnf {
    let mut state = mix64(seed) << 20;
    let hidden: Vec<bool> = (0..n).map(|_| uniform(&mut state) < 0.5).collect();
    let mut clauses = ClauseList::new();
    for _ in 0..(ratio * f64::from(n)) as usize {
        let mut variables = [0u32; 3];
        loop {
            variables.fill_with(|| (uniform(&mut state) * f64::from(n)) as u32);
            if variables[0] != variables[1] && variables[0] != variables[2] && variables[1] != variables[2] {
                break;
            }
        }
        let draw = uniform(&mut state);
        let p1 = (1.0 - 4.0 * p0) / 6.0;
        let false_count = if draw < p0 {
            0
        } else if draw < p0 + 3.0 * p1 {
            1
        } else {
            2
        };
        let odd = (uniform(&mut state) * 3.0) as usize;
        let clause: Vec<Literal> = (0..3)
            .map(|k| {
                let holds = match false_count {
                    0 => true,
                    1 => k != odd,
                    _ => k == odd,
                };
                let negative =
                    if p0 < 0.0 { uniform(&mut state) < 0.5 } else { hidden[variables[k] as usize] != holds };
                Literal::new(variables[k], negative)
            })
            .collect();
        clauses.push(&clause);
    }
    Cnf { variables: n, clauses }
}

/// Seconds that this thread was on a processor: the machine may be busy with others.
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0) * 1e-9
}

/// `clause_lab file PATH SECONDS SEARCHER`: prints the best after 1/16, 1/4 and all of the processor time.
fn file(path: &str, seconds: f64, name: &str) {
    let bytes = std::fs::read(path).unwrap();
    let document =
        hysteron_problem::read(&bytes, Some(path), &Default::default()).unwrap_or_else(|e| panic!("{e:?}"));
    let problem = document.problem();
    let context = Context::new(problem, None, None);
    let mut searcher: Box<dyn Searcher> = match name {
        "partial" => Box::new(Partial::new(problem, 5).unwrap()),
        _ => Box::new(Memcomputing::new(problem, 5).unwrap()),
    };
    let start = cpu_s();
    let mut effort = 0;
    let mut line = String::new();
    for part in [1.0 / 16.0, 0.25, 1.0] {
        while cpu_s() - start < seconds * part && !context.stopped() {
            searcher.work(&context, 1_000_000);
            effort += 1;
        }
        let best = context.best().map(|b| b.key());
        line += &format!(" {best:?}");
    }
    println!(
        "{} {line} effort/cpu {:.2}",
        path.rsplit('/').next().unwrap(),
        effort as f64 * 1e-3 / (cpu_s() - start)
    );
}

/// Runs a searcher for `millions` of efforts of 10^6.
fn search(cnf: Cnf, name: &str, seed: u64, millions: u64) {
    let problem = Problem::Cnf(cnf);
    let start = cpu_s();
    let listener = move |c: &Candidate| {
        if std::env::var_os("TRACE").is_some() {
            println!("  {:.3} s {:?} {}", (cpu_s() - start), c.key(), c.source);
        }
    };
    let context = Context::new(&problem, None, Some(Box::new(listener)));
    let mut searcher: Box<dyn Searcher> = match name {
        "beliefs" => Box::new(Beliefs::new(&problem, seed ^ 99).unwrap()),
        _ => Box::new(Memcomputing::new(&problem, seed ^ 99).unwrap()),
    };
    let mut effort = 0;
    while effort < millions && !context.stopped() {
        searcher.work(&context, 1_000_000);
        effort += 1;
    }
    let wall = (cpu_s() - start);
    let best = context.best_energy();
    println!(
        "{name} n {} seed {seed}: best {best}, effort {:.3} s, wall {wall:.3} s",
        problem.variables(),
        effort as f64 * 1e-3
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments[1] == "file" {
        return file(&arguments[2], arguments[3].parse().unwrap(), &arguments[4]);
    }
    let n: u32 = arguments[1].parse().unwrap();
    let ratio: f64 = arguments[2].parse().unwrap();
    let seed: u64 = arguments[3].parse().unwrap();
    let steps: u32 = arguments[4].parse().unwrap();
    let class = &arguments[5];
    let p0: f64 = std::env::var("P0").map_or(0.08, |v| v.parse().unwrap());
    let cnf = barthel(n, ratio, p0, seed);
    if matches!(class.as_str(), "beliefs" | "memcomputing") {
        return search(cnf, class, seed, u64::from(steps));
    }
    let circuit = Circuit::from_cnf(&cnf).unwrap();
    let mut parameters = Parameters::of_class(class);
    for assignment in &arguments[6..] {
        let (name, value) = assignment.split_once('=').unwrap();
        let value: i64 = value.parse().unwrap();
        match name {
            "chips" => parameters.chips = value as u32,
            "flat" => {
                parameters.arrangement = if value == 1 { Arrangement::Flat } else { Arrangement::Lanes }
            }
            "dt" => {
                // In per mille of the standard step.
                parameters.voltage_rate = (154 * value / 1000) as i16;
                parameters.short_rate = (24576 * value / 1000) as i16;
                parameters.long_rate = (24 * value / 1000) as i16;
            }
            "vr" => parameters.voltage_rate = value as i16,
            "sr" => parameters.short_rate = value as i16,
            "lr" => parameters.long_rate = value as i16,
            "gamma" => parameters.gamma = value as i16,
            "delta" => parameters.delta = value as i16,
            "epsilon" => parameters.epsilon = value as i16,
            "zeta" => parameters.zeta_shift = value as i8,
            "cap" => parameters.long_cap = value as u16,
            "noise" => (parameters.noise, parameters.noise_end) = (value as u16, value as u16),
            "noise_end" => parameters.noise_end = value as u16,
            "period" => parameters.noise_period = value as u32,
            _ => panic!("{name}"),
        }
    }
    let request = Request {
        seed: seed ^ 0x1234_5678,
        steps,
        start: Start::Random,
        target: Some(0),
        stop_at_target: true,
        interrupt: None,
    };
    let start = cpu_s();
    let mut bank = Bank::new(Cpu::detect(), &circuit, &parameters, &request).unwrap();
    let print = steps / 16;
    while bank.steps() < steps && bank.best().0 > 0 {
        bank.advance(&circuit, &request, 16);
        if bank.steps() % print < 16 && std::env::var_os("TRACE").is_some() {
            println!("  step {} best {:?} {:.2} s", bank.steps(), bank.best(), (cpu_s() - start));
        }
    }
    let elapsed = (cpu_s() - start);
    let updates = bank.steps() as f64 * circuit.clauses().len() as f64 * f64::from(parameters.chips);
    println!(
        "n {n} ratio {ratio} seed {seed}: best {} in {} steps, {elapsed:.3} s, {:.3} ns/update",
        bank.best().0,
        bank.steps(),
        elapsed * 1e9 / updates
    );
}
