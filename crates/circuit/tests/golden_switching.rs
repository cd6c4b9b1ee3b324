//! Golden vectors of the switching chip.

mod common;

use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Request, Start};
use hysteron_circuit::switching::{Circuit, Kernel, Parameters};
use hysteron_problem::{ClauseList, Cnf, Literal};

/// Random clauses of the lengths that `lengths` cycles through.
fn cnf(seed: u64, variables: u32, clauses: u32, lengths: &[u32]) -> Cnf {
    let mut list = ClauseList::new();
    let mut counter = seed << 32;
    for c in 0..clauses {
        let clause: Vec<Literal> = (0..lengths[c as usize % lengths.len()])
            .map(|_| {
                counter += 1;
                let draw = mix64(counter);
                Literal::new((((draw >> 32) * u64::from(variables)) >> 32) as u32, draw & 1 == 1)
            })
            .collect();
        list.push(&clause);
    }
    Cnf { variables, clauses: list }
}

#[test]
fn golden_vectors() {
    let three = cnf(1, 200, 840, &[3]);
    let easy = cnf(2, 60, 180, &[3]);
    let mixed = cnf(3, 90, 400, &[3, 5, 2, 7, 3, 1, 3, 4]);
    let over = cnf(4, 80, 900, &[2]);
    // Every clause has a hub: counters of more than a byte.
    let mut hub = cnf(5, 50, 0, &[3]);
    for clause in cnf(6, 50, 300, &[2]).clauses.iter() {
        hub.clauses.push(&[Literal::new(0, false), clause[0], clause[1]]);
        hub.clauses.push(&[Literal::new(0, true), !clause[0], clause[1]]);
    }
    let annealing = |kernel| Parameters {
        kernel,
        hot: 700,
        cold: 60,
        period: 30,
        frozen: 2,
        resample: 10,
        record: 5,
        patient: false,
        restart: 0,
        weight_floor: 4,
        weight_cap: 90,
        gain: 6000,
        loss: 150,
    };
    let memory = |hot| Parameters { hot, cold: hot / 2, restart: 50, ..annealing(Kernel::W) };
    let cases = [
        ("T, 3-SAT", &three, annealing(Kernel::T)),
        ("T, solved chips start again", &easy, annealing(Kernel::T)),
        ("T, mixed lengths", &mixed, annealing(Kernel::T)),
        ("T, hub", &hub, annealing(Kernel::T)),
        ("B, 3-SAT", &three, annealing(Kernel::B)),
        ("B, solved chips start again", &easy, annealing(Kernel::B)),
        ("B, 2-SAT", &over, annealing(Kernel::B)),
        ("B, hub", &hub, annealing(Kernel::B)),
        ("W, 3-SAT", &three, memory(2048)),
        ("W, solved chips start again", &easy, memory(1024)),
        ("W, mixed lengths", &mixed, memory(3000)),
        ("W, hub", &hub, memory(4000)),
        ("T, patient", &easy, Parameters { patient: true, ..annealing(Kernel::T) }),
        ("B, patient", &easy, Parameters { patient: true, ..annealing(Kernel::B) }),
        ("W, patient", &easy, Parameters { patient: true, record: 7, ..memory(1024) }),
    ];
    let states: Vec<Vec<bool>> =
        (0..5).map(|s| (0..200).map(|v| mix64(s << 32 | v) & 1 == 1).collect()).collect();
    let mut entries = Vec::new();
    for (index, (name, problem, parameters)) in cases.iter().enumerate() {
        let circuit = Circuit::compile(problem).expect("small circuits compile");
        for from in [false, true] {
            let states: Vec<Vec<bool>> =
                states.iter().map(|s| s[..problem.variables as usize].to_vec()).collect();
            let request = Request {
                seed: mix64(index as u64),
                // The scalar reference takes its time with 512 chips.
                steps: if parameters.kernel == Kernel::B { 40 } else { 130 },
                start: if from {
                    Start::From { states: &states, kick_per_mille: 150 }
                } else {
                    Start::Random
                },
                target: None,
                stop_at_target: false,
                interrupt: None,
            };
            let name = if from { format!("{name}, from states") } else { (*name).to_owned() };
            let reports: Vec<_> = common::backends()
                .into_iter()
                .map(|cpu| (cpu, cpu.run(&circuit, parameters, &request).expect("in range")))
                .collect();
            for (cpu, report) in &reports {
                assert!(*report == reports[0].1, "{name}: {} differs from scalar", (*cpu).name());
                let best = &report.lanes[report.best_lane()];
                assert_eq!(problem.unsatisfied(&best.assignment) as i64, best.energy, "{name}");
            }
            entries.push(common::entry(&name, &reports[0].1));
        }
    }
    common::check("switching", &entries);
}
