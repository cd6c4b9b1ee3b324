//! Crossbar chips: golden vectors, and every level against the scalar reference on random circuits.

mod common;

use hysteron_circuit::crossbar::{Circuit, Class, Mode, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Error, Report, Request, Start};
use hysteron_problem::Ising;

/// A sequence of draws from a seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        (u128::from(mix64(self.0)) * u128::from(bound) >> 64) as u64
    }
    fn signed(&mut self, magnitude: i64) -> i64 {
        self.below(2 * magnitude as u64 + 1) as i64 - magnitude
    }
}

/// A random problem: up to `spins_max` spins, couplings up to `weight`, fields up to `field`.
fn random_problem(draws: &mut Draws, spins_max: u64, weight: i64, field: i64) -> Ising {
    let spins = 1 + draws.below(spins_max) as u32;
    let degree_max = if draws.below(8) == 0 { u64::from(spins) } else { 6 };
    let degree = 1 + draws.below(degree_max);
    let mut couplings = std::collections::BTreeMap::new();
    for _ in 0..u64::from(spins) * degree / 2 {
        let (a, b) = (draws.below(spins.into()) as u32, draws.below(spins.into()) as u32);
        let w = if weight == 1 { 2 * draws.below(2) as i64 - 1 } else { draws.signed(weight) };
        if a != b && w != 0 {
            couplings.insert((a.min(b), a.max(b)), w);
        }
    }
    let fields = (0..spins).map(|_| if field == 0 { 0 } else { draws.signed(field) }).collect();
    let couplings = couplings.into_iter().map(|((i, j), w)| (i, j, w)).collect();
    Ising { spins, couplings, fields, offset: draws.signed(1000) }
}

fn random_parameters(draws: &mut Draws) -> Parameters {
    let mode = if draws.below(3) == 0 { Mode::Exchange } else { Mode::Anneal };
    let hot_milli = 1 + draws.below(2000) as u32;
    Parameters {
        mode,
        hot_milli,
        cold_milli: 1 + draws.below(hot_milli.into()) as u32,
        look_period: 1 + draws.below(20) as u32,
        group_lanes: 1 << draws.below(7),
        quench_sweeps: draws.below(4) as u32,
        exchange_period: 1 + draws.below(5) as u32,
        cluster_period: draws.below(6) as u32,
        cluster_passes: draws.below(4) as u32,
        cluster_temperatures: draws.below(33) as u32,
    }
}

/// One problem for each case of weights; between them all classes come up.
fn problem_of(case: u64, draws: &mut Draws) -> Ising {
    match case % 8 {
        0 => random_problem(draws, 60, 1, 0),
        1 => random_problem(draws, 60, 1, 3),
        2 => random_problem(draws, 40, 6, 4),
        3 => random_problem(draws, 200, 1, 300),
        4 => random_problem(draws, 40, 900, 700),
        5 => random_problem(draws, 30, 1 << 20, 1 << 22),
        6 => random_problem(draws, 20, 1 << 50, 1 << 52),
        // A star of unit couplings: a row longer than bytes can sum.
        _ => {
            let spins = 130 + draws.below(200) as u32;
            let sign = |d: &mut Draws| if d.below(4) == 0 { -1 } else { 1 };
            let mut couplings: Vec<_> = (1..spins).map(|j| (0, j, sign(draws))).collect();
            couplings.extend((1..spins - 1).filter(|_| true).map(|j| (j, j + 1, sign(draws))));
            Ising { spins, couplings, fields: vec![0; spins as usize], offset: 0 }
        }
    }
}

fn check_energies(problem: &Ising, report: &Report) {
    for lane in &report.lanes {
        assert_eq!(problem.energy(&lane.assignment), lane.energy, "energies are what a recount gives");
    }
}

fn request(seed: u64, steps: u32) -> Request<'static> {
    Request { seed, steps, start: Start::Random, target: None, stop_at_target: false, interrupt: None }
}

#[test]
fn every_level_matches_the_reference_on_random_circuits() {
    let count: u64 =
        std::env::var("HYSTERON_RANDOM_CIRCUITS").ok().and_then(|v| v.parse().ok()).unwrap_or(2000);
    let mut classes = std::collections::BTreeSet::new();
    for case in 0..count {
        let mut draws = Draws(mix64(case));
        let problem = problem_of(case, &mut draws);
        let circuit = Circuit::compile(&problem).unwrap();
        classes.insert(circuit.class());
        let parameters = random_parameters(&mut draws);
        let states: Vec<Vec<bool>> = (0..1 + draws.below(3))
            .map(|_| (0..problem.spins).map(|_| draws.below(2) == 1).collect())
            .collect();
        let start = match draws.below(2) {
            0 => Start::Random,
            _ => Start::From { states: &states, kick_per_mille: [0, 100, 1000][draws.below(3) as usize] },
        };
        let target = (draws.below(2) == 1).then(|| problem.offset - draws.below(50) as i64);
        let request = Request {
            start,
            target,
            stop_at_target: draws.below(2) == 1,
            ..request(draws.below(u64::MAX), 1 + draws.below(40) as u32)
        };
        let reference = Cpu::Scalar.run(&circuit, &parameters, &request).unwrap();
        check_energies(&problem, &reference);
        for backend in common::backends() {
            let report = backend.run(&circuit, &parameters, &request).unwrap();
            assert_eq!(
                report,
                reference,
                "case {case}, {}, {:?}, {parameters:?}",
                backend.name(),
                circuit.class()
            );
        }
    }
    if count >= 100 {
        use Class::{Bytes, Longs, UnitBytes, UnitWords, Wides, Words};
        let all = [UnitBytes, Bytes, UnitWords, Words, Longs, Wides];
        assert!(all.iter().all(|c| classes.contains(c)), "{classes:?}");
    }
}

#[test]
fn golden_vectors() {
    let mut entries = Vec::new();
    for case in 0..32 {
        let mut draws = Draws(mix64(1 << 40 | case));
        let problem = problem_of(case, &mut draws);
        let circuit = Circuit::compile(&problem).unwrap();
        let mut parameters = Parameters::for_circuit(&circuit);
        if case >= 16 {
            parameters.mode = Mode::Exchange;
            (parameters.cluster_period, parameters.cluster_passes) = (10, 2);
            parameters.cluster_temperatures = 20;
        }
        let request = request(case, 100);
        let mut reports: Vec<Report> =
            common::backends().iter().map(|b| b.run(&circuit, &parameters, &request).unwrap()).collect();
        let reference = reports.remove(0);
        check_energies(&problem, &reference);
        assert!(reports.iter().all(|r| *r == reference), "case {case}");
        entries.push(common::entry(&format!("{} {case}", circuit.class().name()), &reference));
    }
    common::check("crossbar", &entries);
}

#[test]
fn edges_of_size_and_weight() {
    let run = |problem: &Ising| {
        let circuit = Circuit::compile(problem).unwrap();
        let parameters = Parameters::for_circuit(&circuit);
        let reports: Vec<Report> = common::backends()
            .iter()
            .map(|b| b.run(&circuit, &parameters, &request(7, 30)).unwrap())
            .collect();
        assert!(reports.iter().all(|r| *r == reports[0]));
        check_energies(problem, &reports[0]);
        reports[0].lanes[reports[0].best_lane()].energy
    };
    let none = Ising { spins: 0, couplings: vec![], fields: vec![], offset: 5 };
    assert_eq!(run(&none), 5);
    let lone = Ising { spins: 1, couplings: vec![], fields: vec![-3], offset: 0 };
    assert_eq!(run(&lone), -3);
    let free = Ising { spins: 3, couplings: vec![], fields: vec![0; 3], offset: -1 };
    assert_eq!(run(&free), -1);
    // Fields far larger than couplings, and an isolated spin.
    let steep =
        Ising { spins: 3, couplings: vec![(0, 1, 1)], fields: vec![1 << 40, 0, -(1 << 55)], offset: 0 };
    assert_eq!(run(&steep), -(1 << 40) - (1 << 55) - 1);
    let heavy = Ising { spins: 2, couplings: vec![(0, 1, (1 << 62) - 2)], fields: vec![1, 0], offset: 0 };
    assert_eq!(run(&heavy), -(1 << 62) + 1);
    // A common divisor leaves the class of the quotient.
    let even = Ising { spins: 2, couplings: vec![(0, 1, 1 << 50)], fields: vec![1 << 51, 0], offset: 9 };
    assert_eq!(Circuit::compile(&even).unwrap().class(), Class::UnitBytes);
    assert_eq!(run(&even), 9 - (1 << 50) - (1 << 51));
}

#[test]
fn what_cannot_be_exact_is_refused() {
    let heavy = |w: i64| Ising { spins: 2, couplings: vec![(0, 1, w)], fields: vec![0; 2], offset: 0 };
    assert!(Circuit::compile(&heavy((1 << 62) - 1)).is_ok());
    assert!(matches!(Circuit::compile(&heavy(1 << 62)), Err(Error::Range(_))));
    assert!(matches!(Circuit::compile(&heavy(i64::MIN)), Err(Error::Range(_))));
    let wide = Ising { spins: 1 << 26, couplings: vec![], fields: vec![0; 1 << 26], offset: 0 };
    assert!(matches!(Circuit::compile(&wide), Err(Error::Memory { .. })));
    let circuit = Circuit::compile(&heavy(1)).unwrap();
    let sound = Parameters::for_circuit(&circuit);
    let refused = |parameters: Parameters, start: Start<'_>| {
        let request = Request { start, ..request(0, 1) };
        matches!(Cpu::Scalar.run(&circuit, &parameters, &request), Err(Error::Parameter { .. }))
    };
    assert!(refused(Parameters { hot_milli: 0, ..sound.clone() }, Start::Random));
    assert!(refused(Parameters { cold_milli: sound.hot_milli + 1, ..sound.clone() }, Start::Random));
    assert!(refused(Parameters { group_lanes: 3, ..sound.clone() }, Start::Random));
    assert!(refused(Parameters { look_period: 0, ..sound.clone() }, Start::Random));
    assert!(refused(sound.clone(), Start::From { states: &[], kick_per_mille: 0 }));
    assert!(refused(sound.clone(), Start::From { states: &[vec![true]], kick_per_mille: 0 }));
    assert!(refused(sound, Start::From { states: &[vec![true; 2]], kick_per_mille: 1001 }));
}

#[test]
fn every_class_has_sets_and_a_name() {
    let torus: Vec<(u32, u32, i64)> = (0..64u32)
        .flat_map(|i| [(i, i / 8 * 8 + (i + 1) % 8), (i, (i + 8) % 64)])
        .map(|(i, j)| (i.min(j), i.max(j), 1))
        .collect();
    let mut torus = torus;
    torus.sort_unstable();
    let torus = Ising { spins: 64, couplings: torus, fields: vec![0; 64], offset: 0 };
    assert_eq!(Parameters::class_of(&Circuit::compile(&torus).unwrap()), "lattice");
    let mut draws = Draws(3);
    let sparse = random_problem(&mut draws, 2, 1, 0);
    let class = Parameters::class_of(&Circuit::compile(&sparse).unwrap());
    assert!(Parameters::sets(class).next().is_some());
}
