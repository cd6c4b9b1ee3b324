//! Runs one exact method on a DIMACS CNF or WCNF file from standard input and prints what it found
//! and the processor time that it took: `zcat FILE | exact_lab METHOD [SECONDS] [SLICE]`.
//!
//! Methods: `raw` (the crate `cadical` with nothing around it), `cdcl`.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hysteron_problem::{Cnf, Literal, Problem, Wcnf};
use hysteron_solve::exact::cdcl::Cdcl;
use hysteron_solve::exact::maxsat::{CoreGuided, ModelImproving};
use hysteron_solve::{Context, Outcome, Searcher};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let method = arguments.next().unwrap_or_else(|| "cdcl".into());
    let seconds: f64 = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(60.0);
    let slice: u64 = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(u64::MAX);
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("text on standard input");
    let problem = read(&text);
    let started = Instant::now();
    if method == "raw" {
        return raw(&problem, started);
    }
    let listener = |c: &hysteron_solve::Candidate| {
        println!("c {:.3} o {} hard {}", started.elapsed().as_secs_f64(), c.energy, c.hard_unsatisfied);
    };
    let context = Context::new(&problem, None, Some(Box::new(listener)));
    let mut searcher: Box<dyn Searcher> = match (&problem, method.as_str()) {
        (Problem::Cnf(cnf), "cdcl") => Box::new(Cdcl::new(cnf)),
        (_, "cores-cadical") => Box::new(CoreGuided::with_cadical(&problem).expect("clauses")),
        (_, "improving") => Box::new(ModelImproving::new(&problem).expect("clauses")),
        (_, "cores") => Box::new(CoreGuided::new(&problem).expect("clauses")),
        _ => panic!("no method {method} for this kind of problem"),
    };
    let finished = AtomicBool::new(false);
    let (outcome, slices) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while started.elapsed().as_secs_f64() < seconds && !finished.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            context.stop();
        });
        let mut slices = 0u64;
        let outcome = loop {
            let outcome = searcher.work(&context, slice);
            slices += 1;
            if outcome != Outcome::Continue || context.stopped() {
                break outcome;
            }
        };
        finished.store(true, Ordering::Relaxed);
        (outcome, slices)
    });
    println!(
        "{outcome:?} best {:?} bound {} slices {slices} wall {:.3} cpu {:.3}",
        context.best().map(|c| c.key()),
        context.lower_bound(),
        started.elapsed().as_secs_f64(),
        processor_seconds()
    );
}

/// The crate `cadical` with nothing around it.
fn raw(problem: &Problem, started: Instant) {
    let Problem::Cnf(cnf) = problem else { panic!("a CNF") };
    let mut solver: cadical::Solver = cadical::Solver::new();
    for clause in cnf.clauses.iter() {
        solver.add_clause(clause.iter().map(|l| l.to_dimacs() as i32));
    }
    let answer = solver.solve();
    println!("{answer:?} wall {:.3} cpu {:.3}", started.elapsed().as_secs_f64(), processor_seconds());
}

/// User time of this process in seconds, as Linux tells.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = text.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(11)?.parse::<f64>().ok());
    ticks.unwrap_or(f64::NAN) / 100.0
}

/// Reads DIMACS CNF, and WCNF in both forms.
fn read(text: &str) -> Problem {
    let mut wcnf = Wcnf::default();
    let mut is_weighted = false;
    let mut top = u64::MAX;
    let mut clause = Vec::new();
    let mut weight = None;
    let mut first_line = true;
    for line in text.lines() {
        let mut words = line.split_whitespace().peekable();
        match words.peek() {
            None => continue,
            Some(word) if word.starts_with('c') => continue,
            Some(&"%") => break,
            Some(&"p") => {
                let words: Vec<_> = words.collect();
                is_weighted = words[1] == "wcnf";
                wcnf.variables = words[2].parse().expect("variables");
                top = words.get(4).map_or(u64::MAX, |w| w.parse().expect("top"));
                first_line = false;
                continue;
            }
            Some(_) if first_line => {
                is_weighted = true;
                first_line = false;
            }
            Some(_) => {}
        }
        for word in words {
            if is_weighted && weight.is_none() {
                weight = Some(if word == "h" { top } else { word.parse().expect("weight") });
                continue;
            }
            let number: i32 = word.parse().expect("literal");
            if number != 0 {
                let literal = Literal::from_dimacs(number);
                wcnf.variables = wcnf.variables.max(literal.variable() + 1);
                clause.push(literal);
                continue;
            }
            match weight.take() {
                Some(weight) if weight < top => {
                    wcnf.soft.push(&clause);
                    wcnf.weights.push(weight);
                }
                _ => wcnf.hard.push(&clause),
            }
            clause.clear();
        }
    }
    if !clause.is_empty() {
        wcnf.hard.push(&clause);
    }
    if is_weighted {
        Problem::Wcnf(wcnf)
    } else {
        Problem::Cnf(Cnf { variables: wcnf.variables, clauses: wcnf.hard })
    }
}
