//! Golden vectors of the memcomputing chip: the reference and every level give the digests in
//! `golden/memcomputing.json`.

mod common;

use hysteron_circuit::memcomputing::{Arrangement, Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Request, Start};
use hysteron_problem::{ClauseList, Cnf, Literal, Wcnf};

/// Clauses of 1 to `longest` literals, mostly 3.
fn clauses(variables: u64, count: u64, longest: u64) -> ClauseList {
    let mut list = ClauseList::new();
    for c in 0..count {
        let h = |k: u64| mix64(variables << 40 ^ c << 8 ^ k);
        let length = if h(0) % 4 == 0 { 1 + h(1) % longest } else { 3 };
        let literals: Vec<Literal> =
            (0..length).map(|k| Literal::new((h(2 + k) % variables) as u32, h(2 + k) >> 63 == 1)).collect();
        list.push(&literals);
    }
    list
}

#[test]
fn trajectories_are_as_recorded() {
    let plain = Cnf { variables: 120, clauses: clauses(120, 500, 5) };
    let crowded = Cnf { variables: 20, clauses: clauses(20, 900, 12) };
    let soft = clauses(90, 400, 6);
    let weights = (0..soft.len() as u64).map(|c| 1 + mix64(c) % 50).collect();
    let weighted = Wcnf { variables: 90, hard: clauses(90, 80, 4), soft, weights, offset: 7 };
    let circuits = [
        ("plain", Circuit::from_cnf(&plain)),
        ("crowded", Circuit::from_cnf(&crowded)),
        ("weighted", Circuit::from_wcnf(&weighted)),
    ];
    let mut entries = Vec::new();
    for (name, circuit) in circuits {
        let circuit = circuit.expect("small");
        for (class, parameters) in Parameters::TABLE {
            for (seed, arrangement) in [(1, Arrangement::Lanes), (2, Arrangement::Flat)] {
                let chips = if arrangement == Arrangement::Flat { 2 } else { 64 };
                let parameters = Parameters { chips, arrangement, ..*parameters };
                let request = Request {
                    seed,
                    steps: 150,
                    start: Start::Random,
                    target: None,
                    stop_at_target: false,
                    interrupt: None,
                };
                let reports: Vec<_> = common::backends()
                    .into_iter()
                    .map(|b| (b.name(), b.run(&circuit, &parameters, &request).expect("in range")))
                    .collect();
                for (backend, report) in &reports[1..] {
                    assert_eq!(report.digest, reports[0].1.digest, "{name} {class} on {backend}");
                }
                entries.push(common::entry(&format!("{name} {class} {arrangement:?} {seed}"), &reports[0].1));
            }
        }
    }
    common::check("memcomputing", &entries);
}
