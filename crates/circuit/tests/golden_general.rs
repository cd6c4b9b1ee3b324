//! Golden vectors of the switching chip's general kernel: the reference and every level give the digests in
//! `golden/general.json`.

mod common;

use hysteron_circuit::general::{Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Request, Start};
use hysteron_problem::{ClauseList, Literal, Wcnf};

fn clauses(variables: u64, count: u64, longest: u64, salt: u64) -> ClauseList {
    let mut list = ClauseList::new();
    for c in 0..count {
        let h = |k: u64| mix64(salt << 40 ^ c << 8 ^ k);
        let literals: Vec<Literal> = (0..1 + h(1) % longest)
            .map(|k| Literal::new((h(2 + k) % variables) as u32, h(2 + k) >> 63 == 1))
            .collect();
        list.push(&literals);
    }
    list
}

#[test]
fn trajectories_are_as_recorded() {
    let mut entries = Vec::new();
    for (name, hard, weight_max) in [("soft", 0, 1), ("weights", 0, 1 << 40), ("partial", 200, 9)] {
        let soft = clauses(100, 350, 5, 1);
        let weights = (0..soft.len() as u64).map(|c| 1 + mix64(c) % weight_max).collect();
        let wcnf = Wcnf { variables: 100, hard: clauses(100, hard, 6, 2), soft, weights, offset: 0 };
        let circuit = Circuit::compile(&wcnf).expect("small");
        for (class, parameters) in Parameters::TABLE {
            let request = Request {
                seed: 3,
                steps: 120,
                start: Start::Random,
                target: None,
                stop_at_target: false,
                interrupt: None,
            };
            let reports: Vec<_> = common::backends()
                .iter()
                .map(|b| {
                    (Backend::<Circuit, _>::name(b), b.run(&circuit, parameters, &request).expect("in range"))
                })
                .collect();
            for (backend, report) in &reports[1..] {
                assert_eq!(report.digest, reports[0].1.digest, "{name} {class} on {backend}");
            }
            entries.push(common::entry(&format!("{name} {class}"), &reports[0].1));
        }
    }
    common::check("general", &entries);
}
