//! Golden vectors of the dense crossbar chips: modes C and D, every width of weights, matrices and lists.

mod common;

use hysteron_circuit::dense::{Circuit, Mode, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Request, Start};
use hysteron_problem::Ising;

/// A problem whose couplings exist with `per_mille` thousandths and are uniform in `-most..=most`.
fn problem(spins: u32, per_mille: u64, most: i64, has_fields: bool) -> Ising {
    let mut counter = u64::from(spins) << 32 | per_mille << 8;
    let mut below = |range: u64| {
        counter += 1;
        (u128::from(mix64(counter)) * u128::from(range) >> 64) as u64
    };
    let mut couplings = Vec::new();
    for i in 0..spins {
        for j in i + 1..spins {
            // One draw decides whether the coupling is there, the next its weight.
            let is_there = below(1000) < per_mille;
            let weight =
                if most == 1 { 2 * below(2) as i64 - 1 } else { below(2 * most as u64 + 1) as i64 - most };
            if is_there && weight != 0 {
                couplings.push((i, j, weight));
            }
        }
    }
    let fields =
        (0..spins).map(|_| if has_fields { below(2 * most as u64 + 1) as i64 - most } else { 0 }).collect();
    Ising { spins, couplings, fields, offset: 17 }
}

#[test]
fn dense_chips_are_as_they_were() {
    let problems = [
        ("complete unit 70", problem(70, 1000, 1, false)),
        ("complete unit 200", problem(200, 1000, 1, false)),
        ("bytes 150", problem(150, 100, 100, true)),
        ("words 130", problem(130, 300, 9000, true)),
        ("long words 64", problem(64, 500, 300_000, true)),
        ("list 300", problem(300, 20, 100, true)),
        ("wide 65", problem(65, 600, 1 << 45, true)),
        ("one spin", problem(1, 0, 5, true)),
        ("no spins", problem(0, 0, 5, true)),
    ];
    let kicked: Vec<Vec<bool>> = vec![(0..300).map(|i| i % 3 == 0).collect()];
    let mut entries = Vec::new();
    for (name, problem) in &problems {
        for (mode, class, steps) in
            [(Mode::Tabu, "tabu", 3000), (Mode::Anneal, "anneal", 60), (Mode::Anneal, "reheat", 30)]
        {
            let circuit = Circuit::compile(problem, mode).expect("in range");
            let parameters = Parameters { chips: 3, patience: 3, ..Parameters::of_class(class) };
            let states = vec![kicked[0][..problem.spins as usize].to_vec()];
            let start = match class {
                "reheat" => Start::From { states: &states, kick_per_mille: 200 },
                _ => Start::Random,
            };
            let request =
                Request { seed: 2026, steps, start, target: None, stop_at_target: false, interrupt: None };
            let reports = common::backends()
                .into_iter()
                .map(|b| (b, b.run(&circuit, &parameters, &request).expect("parameters in range")));
            let mut expected = None;
            for (backend, report) in reports {
                let expected = expected.get_or_insert_with(|| report.clone());
                assert_eq!(&report, expected, "{} on {name}, {class}", backend.name());
            }
            let report = expected.expect("there are backends");
            entries.push(common::entry(&format!("{name}, {class}"), &report));
        }
    }
    common::check("dense", &entries);
}
