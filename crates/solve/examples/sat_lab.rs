//! A bench for trying chips and searchers on SAT and MaxSAT: not part of the product.
//!
//! `sat_lab chip SOURCE KEY=VALUE…` runs one parameter set until solved, `sat_lab search SOURCE …` the
//! searchers, `focused` and `maxsat` theirs. SOURCE is `uniform:K:RATIO:N:SEEDS`, `barthel:RATIO:N:SEEDS` or a list of files.

use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_circuit::switching::{Circuit, Parameters};
use hysteron_problem::{ClauseList, Cnf, Literal, Problem, Wcnf};
use hysteron_solve::Context;

/// Seconds that this thread has computed: on a shared machine the clock on the wall says little.
fn computed() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts it");
    text.split_whitespace().next().expect("a number").parse::<f64>().expect("a number") * 1e-9
}

struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        mix64(self.0)
    }
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

fn distinct(draws: &mut Draws, n: u32, k: usize) -> Vec<u32> {
    let mut variables = Vec::new();
    while variables.len() < k {
        let v = draws.below(u64::from(n)) as u32;
        if !variables.contains(&v) {
            variables.push(v);
        }
    }
    variables
}

fn uniform(k: usize, ratio: f64, n: u32, seed: u64) -> Cnf {
    let draws = &mut Draws(mix64(seed) << 8);
    let mut clauses = ClauseList::new();
    for _ in 0..(ratio * f64::from(n)) as u64 {
        let clause: Vec<Literal> =
            distinct(draws, n, k).into_iter().map(|v| Literal::new(v, draws.below(2) == 1)).collect();
        clauses.push(&clause);
    }
    Cnf { variables: n, clauses }
}

/// Barthel et al. 2002 with p0 = 0.08: p1 = (1 - 4 p0) / 6, p2 = (1 + 2 p0) / 6.
fn barthel(ratio: f64, n: u32, seed: u64) -> Cnf {
    let draws = &mut Draws(mix64(seed ^ 0xba) << 8);
    let planted: Vec<bool> = (0..n).map(|_| draws.below(2) == 1).collect();
    let p0 = 0.08;
    let (p1, p2) = ((1.0 - 4.0 * p0) / 6.0, (1.0 + 2.0 * p0) / 6.0);
    let mut clauses = ClauseList::new();
    for _ in 0..(ratio * f64::from(n)) as u64 {
        let variables = distinct(draws, n, 3);
        let u = draws.below(1 << 53) as f64 / (1u64 << 53) as f64;
        // The literals that the planted assignment makes false.
        let falses = if u < p0 {
            0
        } else if u < p0 + 3.0 * p1 {
            1
        } else {
            2
        };
        let _ = p2;
        let at = draws.below(3) as usize;
        let clause: Vec<Literal> = (0..3)
            .map(|i| {
                let is_false = match falses {
                    0 => false,
                    1 => i == at,
                    _ => i != at,
                };
                let v = variables[i];
                Literal::new(v, planted[v as usize] == is_false)
            })
            .collect();
        clauses.push(&clause);
    }
    Cnf { variables: n, clauses }
}

fn read(path: &str) -> Cnf {
    let output = std::process::Command::new("zcat").args(["-f", path]).output().expect("zcat runs");
    let text = String::from_utf8(output.stdout).expect("DIMACS is text");
    let mut cnf = Cnf::default();
    let mut clause = Vec::new();
    for line in text.lines() {
        if line.starts_with('%') {
            break;
        }
        if let Some(header) = line.trim().strip_prefix("p cnf") {
            cnf.variables = header.split_whitespace().next().expect("p line").parse().expect("p line");
        } else if !line.starts_with('c') {
            for word in line.split_whitespace() {
                match word.parse::<i32>().expect("literal") {
                    0 => {
                        cnf.clauses.push(&clause);
                        clause.clear();
                    }
                    number => clause.push(Literal::from_dimacs(number)),
                }
            }
        }
    }
    cnf
}

fn instances(source: &str) -> Vec<(String, Cnf)> {
    let parts: Vec<&str> = source.split(':').collect();
    let range = |text: &str| -> std::ops::Range<u64> {
        let (a, b) = text.split_once('-').unwrap_or(("0", text));
        a.parse().expect("seed")..b.parse().expect("seed")
    };
    match parts[0] {
        "uniform" => range(parts[4])
            .map(|s| {
                let (k, r, n) =
                    (parts[1].parse().unwrap(), parts[2].parse().unwrap(), parts[3].parse().unwrap());
                (format!("{source}#{s}"), uniform(k, r, n, s))
            })
            .collect(),
        "barthel" => range(parts[3])
            .map(|s| {
                (format!("{source}#{s}"), barthel(parts[1].parse().unwrap(), parts[2].parse().unwrap(), s))
            })
            .collect(),
        _ => source.split(',').map(|p| (p.rsplit('/').next().unwrap_or(p).to_owned(), read(p))).collect(),
    }
}

fn summary(mut times: Vec<f64>, tried: usize) {
    times.sort_by(f64::total_cmp);
    let solved = times.len();
    let quantile = |q: f64| {
        let i = (q * tried as f64) as usize;
        times.get(i).map_or("-".into(), |t| format!("{:.3}", t * 1e3))
    };
    let mean = times.iter().sum::<f64>() / solved.max(1) as f64;
    println!(
        "solved {solved}/{tried}: median {} p90 {} max {} mean-of-solved {:.3} ms",
        quantile(0.5),
        quantile(0.9),
        times.last().map_or("-".into(), |t| format!("{:.3}", t * 1e3)),
        mean * 1e3
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut set = toml_like(&arguments[2..]);
    let seconds: f64 = set.take("seconds").map_or(5.0, |v| v.parse().unwrap());
    let seeds: u64 = set.take("seeds").map_or(1, |v| v.parse().unwrap());
    let verbose = set.take("verbose").is_some();
    let list = instances(&arguments[1]);
    match arguments[0].as_str() {
        "chip" => {
            let mut parameters = Parameters::class(&set.take("class").expect("class=NAME"));
            let steps: u32 = set.take("steps").map_or(u32::MAX, |v| v.parse().unwrap());
            set.apply(&mut parameters);
            let mut times = Vec::new();
            let mut bests = Vec::new();
            let (mut ecu, mut spent) = (0u64, 0.0);
            for (name, cnf) in &list {
                for seed in 0..seeds {
                    let begin = computed();
                    let circuit = Circuit::compile(cnf).unwrap();
                    let compiled = computed() - begin;
                    let mut best = i64::MAX;
                    let mut run = 0;
                    let mut steps_sum = 0;
                    {
                        while best > 0 && computed() - begin < seconds {
                            let request = Request {
                                seed: mix64(seed * 1000 + run),
                                steps,
                                start: Start::Random,
                                target: Some(0),
                                stop_at_target: true,
                                interrupt: None,
                            };
                            let report = Cpu::detect().run(&circuit, &parameters, &request).unwrap();
                            best = best.min(report.lanes[report.best_lane()].energy);
                            ecu += report.ecu;
                            steps_sum += u64::from(report.steps);
                            run += 1;
                        }
                        let time = computed() - begin;
                        spent += time;
                        if best == 0 {
                            times.push(time);
                        }
                        bests.push(best as f64);
                        if verbose {
                            println!(
                                "{name} seed {seed}: best {best} in {:.3} ms, {steps_sum} steps, {run} runs, compile {:.3} ms",
                                time * 1e3,
                                compiled * 1e3
                            );
                        }
                    }
                }
            }
            summary(times, list.len() * seeds as usize);
            println!(
                "mean best {:.2}; {:.4} ns/ecu",
                bests.iter().sum::<f64>() / bests.len() as f64,
                spent * 1e9 / ecu as f64
            );
        }
        mode => {
            let mut times = Vec::new();
            for (name, cnf) in &list {
                for seed in 0..seeds {
                    let wcnf = Wcnf {
                        variables: cnf.variables,
                        soft: cnf.clauses.clone(),
                        weights: vec![1; cnf.clauses.len()],
                        ..Wcnf::default()
                    };
                    let problem = if mode == "maxsat" {
                        Problem::Wcnf(wcnf.clone())
                    } else {
                        Problem::Cnf(cnf.clone())
                    };
                    let begin = computed();
                    let target_best: i64 = 0;
                    let last = std::sync::Mutex::new((0.0, String::new()));
                    let context = Context::new(
                        &problem,
                        None,
                        Some(Box::new(|c| {
                            *last.lock().unwrap() = ((computed() - begin), c.source.to_string());
                            if verbose {
                                println!("  {:.4} s: {} by {}", (computed() - begin), c.energy, c.source);
                            }
                        })),
                    );
                    let mut searchers = match mode {
                        "search" => hysteron_solve::clauses::switching_searchers(cnf, seed),
                        "focused" => {
                            hysteron_solve::clauses::focused_searcher(cnf, seed).into_iter().collect()
                        }
                        "maxsat" => hysteron_solve::clauses::unweighted_searchers(&wcnf, seed),
                        _ => panic!("chip, search, focused or maxsat"),
                    };
                    'time: loop {
                        for searcher in &mut searchers {
                            let _ = searcher.work(&context, 2_000_000);
                            if context.stopped() || (computed() - begin) > seconds {
                                break 'time;
                            }
                        }
                    }
                    let best = context.best_energy();
                    let last = last.lock().unwrap();
                    println!(
                        "{name} seed {seed}: {best} at {:.4} s by {}, {:.3} ECU/ns",
                        last.0,
                        last.1,
                        context.ecu() as f64 / ((computed() - begin) * 1e9)
                    );
                    if best == target_best {
                        times.push(last.0);
                    }
                }
            }
            summary(times, list.len() * seeds as usize);
        }
    }
}

struct Set(Vec<(String, String)>);

fn toml_like(arguments: &[String]) -> Set {
    Set(arguments
        .iter()
        .map(|a| {
            let (k, v) = a.split_once('=').unwrap_or((a, "1"));
            (k.to_owned(), v.to_owned())
        })
        .collect())
}

impl Set {
    fn take(&mut self, key: &str) -> Option<String> {
        let at = self.0.iter().position(|(k, _)| k == key)?;
        Some(self.0.remove(at).1)
    }
    fn apply(&self, p: &mut Parameters) {
        for (key, value) in &self.0 {
            let number: u32 = value.parse().unwrap();
            match key.as_str() {
                "hot" => p.hot = number,
                "cold" => p.cold = number,
                "temperature" => (p.hot, p.cold) = (number, number),
                "period" => p.period = number,
                "frozen" => p.frozen = number,
                "resample" => p.resample = number,
                "record" => p.record = number,
                "restart" => p.restart = number,
                "floor" => p.weight_floor = number as u8,
                "cap" => p.weight_cap = number as u8,
                "gain" => p.gain = number as u16,
                "loss" => p.loss = number as u16,
                _ => panic!("{key}?"),
            }
        }
    }
}
