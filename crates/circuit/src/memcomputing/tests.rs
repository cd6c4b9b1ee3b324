use hysteron_problem::{ClauseList, Cnf, Literal, Wcnf};
use proptest::prelude::*;

use super::*;
use crate::rom::mix64;
use crate::run::{Backend, Cpu, Error, Request, Start};
use crate::simd::Level;

/// Mixed-length clauses, some empty, some with repeated or opposite literals.
fn random_cnf(seed: u64, variables: u32, clauses: u32, longest: u64) -> Cnf {
    let mut list = ClauseList::new();
    for c in 0..clauses {
        let h = |k: u64| mix64(seed ^ u64::from(c) << 20 ^ k);
        let length = match h(0) % 50 {
            0 => 0,
            1..=3 => 1,
            4..=12 => 2,
            13..=40 => 3,
            _ => 1 + h(1) % longest,
        };
        let literals: Vec<Literal> = (0..length)
            .map(|k| Literal::new((h(2 + k) % u64::from(variables)) as u32, h(100 + k) & 1 == 1))
            .collect();
        list.push(&literals);
    }
    Cnf { variables, clauses: list }
}

fn random_wcnf(seed: u64, variables: u32, clauses: u32, weight_bits: u32) -> Wcnf {
    let cnf = random_cnf(seed, variables, clauses, 12);
    let mut wcnf = Wcnf { variables, offset: (seed % 7) as i64 - 3, ..Wcnf::default() };
    for (c, clause) in cnf.clauses.iter().enumerate() {
        let h = mix64(seed ^ 0x77 ^ (c as u64) << 32);
        if h.is_multiple_of(4) {
            wcnf.hard.push(clause);
        } else {
            wcnf.soft.push(clause);
            wcnf.weights.push(1 + (h >> 8 & ((1 << (h >> 2) % u64::from(weight_bits)) - 1)));
        }
    }
    wcnf
}

fn request(seed: u64, steps: u32) -> Request<'static> {
    Request { seed, steps, start: Start::Random, target: None, stop_at_target: false, interrupt: None }
}

fn parameters(seed: u64) -> Parameters {
    let table = Parameters::TABLE;
    let mut parameters = table[seed as usize % table.len()].1;
    parameters.chips = 1 + (mix64(seed) % 64) as u32;
    parameters.arrangement = if mix64(seed) >> 32 & 1 == 0 { Arrangement::Lanes } else { Arrangement::Flat };
    if seed.is_multiple_of(5) {
        parameters.noise_period = 3;
        parameters.zeta_shift = (mix64(seed) >> 40 & 15) as i8 - 8;
        parameters.epsilon = 32767;
        parameters.long_rate = 32767;
    }
    parameters
}

/// Every level gives what the reference gives, and what is claimed is true.
fn check(
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    score: impl Fn(&[bool]) -> (u32, i64),
) {
    let truth = Cpu::Scalar.run(circuit, parameters, request).expect("in range");
    for lane in &truth.lanes {
        assert_eq!((lane.hard_unsatisfied, lane.energy), score(&lane.assignment), "seed {}", request.seed);
    }
    for level in Level::available() {
        let report = Cpu::Lanes(level).run(circuit, parameters, request).expect("in range");
        assert_eq!(report, truth, "{level:?}, seed {}, {parameters:?}", request.seed);
    }
}

#[test]
fn every_level_is_the_reference_on_random_circuits() {
    let count =
        std::env::var("HYSTERON_RANDOM_CIRCUITS").ok().and_then(|v| v.parse().ok()).unwrap_or(2000u64);
    for seed in 0..count {
        let h = mix64(seed ^ 0xabcd);
        let variables = 1 + (h % 40) as u32;
        let clauses = (h >> 8) as u32 % 130;
        let mut parameters = parameters(seed);
        parameters.chips = parameters.chips.min(if seed % 8 == 0 { 64 } else { 3 });
        let request = request(seed, 1 + (h >> 40) as u32 % 12);
        if seed % 2 == 0 {
            let cnf = random_cnf(seed, variables, clauses, 12);
            let circuit = Circuit::from_cnf(&cnf).expect("small");
            check(&circuit, &parameters, &request, |a| (0, cnf.unsatisfied(a) as i64));
        } else {
            let wcnf = random_wcnf(seed, variables, clauses, 1 + (h >> 50) as u32 % 50);
            let circuit = Circuit::from_wcnf(&wcnf).expect("small");
            check(&circuit, &parameters, &request, |a| (wcnf.hard_unsatisfied(a) as u32, wcnf.cost(a)));
        }
    }
}

#[test]
fn circuits_of_high_degree_and_long_clauses_agree() {
    for seed in 0..6 {
        let cnf = random_cnf(seed, 9, 700, 30);
        let circuit = Circuit::from_cnf(&cnf).expect("small");
        assert!(!circuit.is_narrow());
        let mut parameters = parameters(seed + 1);
        parameters.chips = 17;
        check(&circuit, &parameters, &request(seed, 40), |a| (0, cnf.unsatisfied(a) as i64));
    }
}

#[test]
fn starts_and_stops_agree() {
    let cnf = random_cnf(5, 60, 150, 4);
    let circuit = Circuit::from_cnf(&cnf).expect("small");
    let states = vec![vec![true; 60], vec![false; 60]];
    for arrangement in [Arrangement::Lanes, Arrangement::Flat] {
        let parameters = Parameters { chips: 20, arrangement, ..Parameters::of_class("planted") };
        let request = Request {
            start: Start::From { states: &states, kick_per_mille: 100 },
            target: Some(cnf.clauses.iter().filter(|c| c.is_empty()).count() as i64 + 6),
            stop_at_target: true,
            ..request(9, 4000)
        };
        check(&circuit, &parameters, &request, |a| (0, cnf.unsatisfied(a) as i64));
        let report = Cpu::detect().run(&circuit, &parameters, &request).expect("in range");
        assert!(
            report.steps < 4000 && report.lanes[report.best_lane()].energy <= request.target.expect("set")
        );
    }
}

#[test]
fn the_table_is_read_and_in_range() {
    for class in ["planted", "overconstrained", "uniform", "long_clauses", "maxsat", "weighted"] {
        assert_eq!(Parameters::of_class(class).check(), Ok(()), "{class}");
    }
    let bad = Parameters { chips: 65, ..Parameters::of_class("planted") };
    assert!(matches!(bad.check(), Err(Error::Parameter { name: "chips", value: 65, .. })));
}

#[test]
fn trivial_problems_run() {
    for cnf in [Cnf::default(), Cnf { variables: 3, ..Cnf::default() }] {
        let circuit = Circuit::from_cnf(&cnf).expect("small");
        let report =
            Cpu::detect().run(&circuit, &Parameters::of_class("planted"), &request(1, 5)).expect("in range");
        assert!(report.lanes.iter().all(|l| l.energy == 0 && l.assignment.len() == cnf.variables as usize));
    }
}

proptest! {
    /// A planted solution of an easy formula is found, and a start at a solution counts at once.
    #[test]
    fn easy_formulas_are_solved(seed in 0u64..1 << 40) {
        let variables = 50;
        let hidden: Vec<bool> = (0..variables).map(|v| mix64(seed ^ v) & 1 == 1).collect();
        let mut clauses = ClauseList::new();
        for c in 0..150u64 {
            let mut literals: Vec<Literal> = (0..3)
                .map(|k| {
                    let h = mix64(seed ^ 0x5555 ^ (c << 8 | k) << 8);
                    Literal::new((h % variables) as u32, h >> 63 == 1)
                })
                .collect();
            if !hysteron_problem::canonical::is_satisfied(&literals, &hidden) {
                literals[0] = !literals[0];
            }
            clauses.push(&literals);
        }
        let cnf = Cnf { variables: variables as u32, clauses };
        let circuit = Circuit::from_cnf(&cnf).expect("small");
        let mut asked = request(seed, 20_000);
        (asked.target, asked.stop_at_target) = (Some(0), true);
        let report = Cpu::detect().run(&circuit, &Parameters::of_class("planted"), &asked).expect("in range");
        prop_assert_eq!(report.lanes[report.best_lane()].energy, 0);
        let states = vec![hidden];
        (asked.start, asked.steps) = (Start::From { states: &states, kick_per_mille: 0 }, 1);
        let report = Cpu::detect().run(&circuit, &Parameters::of_class("maxsat"), &asked).expect("in range");
        prop_assert!(report.lanes.iter().all(|l| l.energy == 0));
    }
}
