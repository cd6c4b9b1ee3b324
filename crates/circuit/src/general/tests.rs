use hysteron_problem::{ClauseList, Literal, Wcnf};

use super::*;
use crate::rom::mix64;
use crate::run::{Backend, Cpu, Error, Request, Start};
use crate::simd::Level;

fn random_clauses(seed: u64, variables: u32, count: u64) -> ClauseList {
    let mut list = ClauseList::new();
    for c in 0..count {
        let h = |k: u64| mix64(seed ^ c << 20 ^ k);
        let length = match h(0) % 50 {
            0 => 0,
            1..=10 => 1,
            11..=20 => 2,
            21..=40 => 3,
            _ => 1 + h(1) % 11,
        };
        let literals: Vec<Literal> = (0..length)
            .map(|k| Literal::new((h(2 + k) % u64::from(variables)) as u32, h(100 + k) & 1 == 1))
            .collect();
        list.push(&literals);
    }
    list
}

fn random_problem(seed: u64) -> Wcnf {
    let h = mix64(seed ^ 0x99);
    let variables = 1 + (h % 40) as u32;
    let soft = random_clauses(seed, variables, if seed.is_multiple_of(7) { 0 } else { h >> 8 & 63 });
    let bits = 1 + (h >> 32) % 52;
    let weights = (0..soft.len() as u64)
        .map(|c| if seed.is_multiple_of(3) { 1 << bits } else { 1 + (mix64(c ^ h) & ((1 << bits) - 1)) })
        .collect();
    let hard = random_clauses(!seed, variables, if seed.is_multiple_of(5) { 0 } else { h >> 16 & 63 });
    Wcnf { variables, hard, soft, weights, offset: (h >> 60) as i64 - 8 }
}

fn check(wcnf: &Wcnf, parameters: &Parameters, request: &Request<'_>) {
    let circuit = Circuit::compile(wcnf).expect("small");
    let truth = Cpu::Scalar.run(&circuit, parameters, request).expect("in range");
    for lane in &truth.lanes {
        let score = (wcnf.hard_unsatisfied(&lane.assignment) as u32, wcnf.cost(&lane.assignment));
        assert_eq!((lane.hard_unsatisfied, lane.energy), score, "seed {}", request.seed);
    }
    for level in Level::available() {
        let report = Cpu::Lanes(level).run(&circuit, parameters, request).expect("in range");
        assert_eq!(report, truth, "{level:?}, seed {}", request.seed);
    }
}

fn request(seed: u64, steps: u32) -> Request<'static> {
    Request { seed, steps, start: Start::Random, target: None, stop_at_target: false, interrupt: None }
}

#[test]
fn every_level_is_the_reference_around_hubs() {
    // Sums that do not fit a byte, and memories at their cap in many clauses of one variable.
    let clauses = |count: u32, of: fn(u32) -> Vec<Literal>| {
        let mut list = ClauseList::new();
        (0..count).for_each(|c| list.push(&of(c)));
        list
    };
    let hub = |c: u32| vec![Literal::new(0, false), Literal::new(1 + c % 40, c.is_multiple_of(3))];
    let torn = |c: u32| vec![Literal::new(0, c.is_multiple_of(2))];
    let empty = ClauseList::new();
    let none = |_| Vec::new();
    let cases = [
        (clauses(0, none), clauses(700, hub), 40),
        (clauses(300, torn), clauses(9, hub), 400),
        (clauses(301, hub), empty, 150),
    ];
    for (seed, (hard, soft, steps)) in (0..).zip(cases) {
        let weights = vec![3; soft.len()];
        let wcnf = Wcnf { variables: 41, hard, soft, weights, offset: 0 };
        let mut parameters = Parameters::TABLE[seed as usize % Parameters::TABLE.len()].1;
        parameters.memory_cap = 100;
        check(&wcnf, &parameters, &request(seed, steps));
    }
}

#[test]
fn elements_are_in_canonical_order() {
    for seed in 0..200 {
        let wcnf = random_problem(seed);
        let circuit = Circuit::compile(&wcnf).expect("small");
        let clauses = || circuit.hard.iter().chain(circuit.soft.iter());
        let mut colours: Vec<usize> = Vec::new();
        for v in 0..wcnf.variables {
            let near = clauses().filter(|clause| clause.iter().any(|l| l.variable() == v)).flatten();
            let taken: Vec<usize> =
                near.filter_map(|l| colours.get(l.variable() as usize).copied()).collect();
            colours.push((0..).find(|c| !taken.contains(c)).expect("colours do not run out"));
        }
        let mut begin = 0;
        let keys: Vec<_> = (circuit.elements.iter())
            .map(|element| {
                let groups = &circuit.groups[begin..element.groups_end as usize];
                begin = element.groups_end as usize;
                let kinds: Vec<_> = groups.iter().map(|g| (g.is_hard, g.negative, g.others)).collect();
                (colours[element.variable as usize], kinds.len(), kinds, element.variable)
            })
            .collect();
        assert_eq!(keys.len(), wcnf.variables as usize, "seed {seed}");
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: {keys:?}");
    }
}

#[test]
fn every_level_is_the_reference_on_random_circuits() {
    let count =
        std::env::var("HYSTERON_RANDOM_CIRCUITS").ok().and_then(|v| v.parse().ok()).unwrap_or(2000u64);
    let table = Parameters::TABLE;
    for seed in 0..count {
        let mut parameters = table[seed as usize % table.len()].1;
        parameters.interval = 1 + (mix64(seed) % 4) as u32;
        parameters.memory_interval = 1 + (mix64(seed) >> 8) as u32 % 3;
        parameters.memory_cap = 1 + (mix64(seed) >> 16) as u8 % 100;
        check(&random_problem(seed), &parameters, &request(seed, 1 + (mix64(seed) >> 32) as u32 % 8));
    }
}

#[test]
fn starts_and_stops_agree() {
    let wcnf = random_problem(11);
    let states = vec![vec![true; wcnf.variables as usize], vec![false; wcnf.variables as usize]];
    let asked = Request {
        start: Start::From { states: &states, kick_per_mille: 200 },
        target: Some(i64::MAX),
        stop_at_target: true,
        ..request(4, 100)
    };
    check(&wcnf, &Parameters::of_class("partial"), &asked);
}

#[test]
fn hard_clauses_are_learnt() {
    // Exactly one of each row of 8, soft clauses ask for all: the best leaves 7 of 8 unsatisfied.
    let (mut hard, mut soft) = (ClauseList::new(), ClauseList::new());
    for row in 0..10 {
        let literal = |k: u32, negative| Literal::new(8 * row + k, negative);
        hard.push(&std::array::from_fn::<_, 8, _>(|k| literal(k as u32, false)));
        for a in 0..8 {
            soft.push(&[literal(a, false)]);
            for b in 0..a {
                hard.push(&[literal(a, true), literal(b, true)]);
            }
        }
    }
    let weights = vec![1; soft.len()];
    let wcnf = Wcnf { variables: 80, hard, soft, weights, offset: 0 };
    let circuit = Circuit::compile(&wcnf).expect("small");
    let report =
        Cpu::detect().run(&circuit, &Parameters::of_class("partial"), &request(1, 3000)).expect("in range");
    let best = &report.lanes[report.best_lane()];
    assert_eq!((best.hard_unsatisfied, best.energy), (0, 70));
}

#[test]
fn ranges_are_checked() {
    for (_, parameters) in Parameters::TABLE {
        assert_eq!(parameters.check(), Ok(()));
    }
    let bad = Parameters { interval: 0, ..Parameters::of_class("partial") };
    assert!(matches!(bad.check(), Err(Error::Parameter { name: "interval", .. })));
    let mut soft = ClauseList::new();
    soft.push(&(0..65).map(|v| Literal::new(v, false)).collect::<Vec<_>>());
    let long = Wcnf { variables: 65, soft, weights: vec![1], ..Wcnf::default() };
    assert!(matches!(Circuit::compile(&long), Err(Error::Unsupported { .. })));
}

#[test]
fn trivial_problems_run() {
    for wcnf in [Wcnf::default(), Wcnf { variables: 3, offset: 5, ..Wcnf::default() }] {
        check(&wcnf, &Parameters::of_class("weighted"), &request(1, 7));
    }
}
