//! Laws of the kernels on random circuits.

use hysteron_problem::{ClauseList, Cnf, Literal};

use super::{Circuit, Kernel, Parameters};
use crate::rom::mix64;
use crate::run::{Backend, Cpu, Error, Report, Request, Start};
use crate::simd::Level;

/// A sequential generator for the tests' circuits.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 += 1;
        ((u128::from(mix64(self.0)) * u128::from(bound)) >> 64) as u64
    }
}

/// A small CNF of mixed lengths, with empty, unit and tautological clauses and repeated literals.
fn random_cnf(draws: &mut Draws, longest: u64) -> Cnf {
    let variables = draws.below(14) as u32 + 1;
    // A hub makes counters overflow into wider arithmetic.
    let hub = draws.below(8) == 0;
    let mut clauses = ClauseList::new();
    for _ in 0..draws.below(if hub { 400 } else { 60 }) {
        let length = if draws.below(40) == 0 { 0 } else { draws.below(longest) + 1 };
        let clause: Vec<Literal> = (0..length)
            .map(|i| {
                let variable = if hub && i == 0 { 0 } else { draws.below(u64::from(variables)) as u32 };
                Literal::new(variable, draws.below(2) == 1 && !(hub && i == 0))
            })
            .collect();
        clauses.push(&clause);
    }
    Cnf { variables, clauses }
}

fn random_parameters(draws: &mut Draws, kernel: Kernel) -> Parameters {
    let hot = draws.below(3000) as u32;
    let weight_floor = 1 + draws.below(20) as u8;
    Parameters {
        kernel,
        hot,
        cold: draws.below(u64::from(hot) + 1) as u32,
        period: draws.below(3) as u32 * 4,
        frozen: draws.below(3) as u32,
        resample: draws.below(4) as u32,
        record: 1 + draws.below(4) as u32,
        patient: draws.below(2) == 1,
        restart: draws.below(2) as u32 * 7,
        weight_floor,
        weight_cap: weight_floor.saturating_add(draws.below(250) as u8),
        gain: draws.below(8193) as u16,
        loss: draws.below(4000) as u16,
    }
}

fn check_report(cnf: &Cnf, report: &Report) {
    assert_eq!(report.lanes.len(), 64);
    for lane in &report.lanes {
        assert_eq!(cnf.unsatisfied(&lane.assignment) as i64, lane.energy);
    }
}

fn compare(seed: u64) {
    let draws = &mut Draws(seed << 32);
    let kernel = [Kernel::T, Kernel::B, Kernel::W][draws.below(3) as usize];
    let longest = if kernel == Kernel::B { 3 } else { 1 + draws.below(7) };
    let cnf = random_cnf(draws, longest);
    let circuit = Circuit::compile(&cnf).expect("small circuits compile");
    let parameters = random_parameters(draws, kernel);
    let states: Vec<Vec<bool>> =
        (0..1 + draws.below(70)).map(|_| (0..cnf.variables).map(|_| draws.below(2) == 1).collect()).collect();
    let start = match draws.below(3) {
        0 => Start::From { states: &states, kick_per_mille: draws.below(3) as u32 * 250 },
        _ => Start::Random,
    };
    let request = Request {
        seed,
        steps: draws.below(12) as u32,
        start,
        target: [None, Some(0), Some(2)][draws.below(3) as usize],
        stop_at_target: draws.below(3) == 0,
        interrupt: None,
    };
    let scalar = Cpu::Scalar.run(&circuit, &parameters, &request).expect("parameters are in range");
    check_report(&cnf, &scalar);
    for level in Level::available() {
        let lanes = Cpu::Lanes(level).run(&circuit, &parameters, &request).expect("parameters are in range");
        assert!(
            lanes == scalar,
            "seed {seed}: {} differs from scalar\n{parameters:?}\n{cnf:?}",
            level.name()
        );
    }
}

#[test]
fn lanes_match_scalar_on_random_circuits() {
    let count = std::env::var("HYSTERON_RANDOM_CIRCUITS").ok().and_then(|v| v.parse().ok()).unwrap_or(2000);
    (0..count).for_each(compare);
}

#[test]
fn colours_are_proper_first_fit_and_order_the_elements() {
    for seed in 0..200 {
        let cnf = random_cnf(&mut Draws(seed << 32), 5);
        let circuit = Circuit::compile(&cnf).expect("small circuits compile");
        let neighbours = |v: u32| {
            let of = move |c: &&[Literal]| c.iter().any(|l| l.variable() == v);
            (0..circuit.clauses())
                .map(|c| circuit.clause(c))
                .filter(of)
                .flatten()
                .map(|l| l.variable())
                .filter(move |&u| u != v)
                .collect::<Vec<_>>()
        };
        for v in 0..cnf.variables {
            let before: Vec<u32> =
                neighbours(v).into_iter().filter(|&u| u < v).map(|u| circuit.colours[u as usize]).collect();
            let first = (0..).find(|c| !before.contains(c)).expect("colours do not run out");
            assert_eq!(circuit.colours[v as usize], first, "seed {seed}, variable {v}");
        }
        // Within a colour by the kinds of groups, then by index, which with the colours says the whole order.
        let mut begin = 0;
        let keys: Vec<_> = (circuit.elements.iter())
            .map(|element| {
                let groups = &circuit.groups[begin..element.groups_end as usize];
                begin = element.groups_end as usize;
                let kinds: Vec<_> = groups.iter().map(|g| (g.negative, g.others)).collect();
                (circuit.colours[element.variable as usize], kinds.len(), kinds, element.variable)
            })
            .collect();
        assert_eq!(keys.len(), cnf.variables as usize, "seed {seed}");
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: {keys:?}");
    }
}

#[test]
fn more_than_64_colours_are_found() {
    // A clique of 100 variables: one clause for each pair.
    let mut clauses = ClauseList::new();
    for a in 0..100 {
        for b in 0..a {
            clauses.push(&[Literal::new(a, false), Literal::new(b, false)]);
        }
    }
    let circuit = Circuit::compile(&Cnf { variables: 100, clauses }).expect("it compiles");
    assert_eq!(circuit.colours, (0..100).collect::<Vec<u32>>());
}

#[test]
fn what_does_not_fit_is_refused() {
    let long: Vec<Literal> = (0..129).map(|v| Literal::new(v, false)).collect();
    let mut clauses = ClauseList::new();
    clauses.push(&long);
    assert!(matches!(Circuit::compile(&Cnf { variables: 129, clauses }), Err(Error::Unsupported { .. })));
    let mut clauses = ClauseList::new();
    clauses.push(&long[..4]);
    let circuit = Circuit::compile(&Cnf { variables: 129, clauses }).expect("it compiles");
    let request = Request {
        seed: 0,
        steps: 1,
        start: Start::Random,
        target: None,
        stop_at_target: false,
        interrupt: None,
    };
    let parameters = random_parameters(&mut Draws(0), Kernel::B);
    for cpu in [Cpu::Scalar, Cpu::detect()] {
        assert!(matches!(cpu.run(&circuit, &parameters, &request), Err(Error::Unsupported { .. })));
        let wrong = Request { start: Start::From { states: &[vec![]], kick_per_mille: 0 }, ..request };
        let table = random_parameters(&mut Draws(0), Kernel::T);
        assert!(matches!(cpu.run(&circuit, &table, &wrong), Err(Error::Parameter { .. })));
        let hot = Parameters { hot: u32::MAX, ..table };
        assert!(matches!(cpu.run(&circuit, &hot, &request), Err(Error::Parameter { name: "hot", .. })));
    }
}

#[test]
fn what_tables_leave_out_is_what_serde_fills_in() {
    let read: Parameters =
        serde_json::from_str(r#"{"kernel":"T","hot":0,"cold":0}"#).expect("all that is needed");
    assert_eq!(read, Parameters::LEFT_OUT);
}

#[test]
fn parameter_sets_are_valid() {
    assert!(!Parameters::TABLE.is_empty());
    for (name, parameters) in Parameters::TABLE {
        parameters.check().unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
