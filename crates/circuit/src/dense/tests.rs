//! Laws of both modes on random circuits.

use hysteron_problem::Ising;

use super::{Circuit, Mode, Parameters};
use crate::rom::mix64;
use crate::run::{Backend, Cpu, Error, Report, Request, Start};
use crate::simd::Level;

/// A generator of test values.
struct Source(u64);

impl Source {
    fn below(&mut self, range: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        (u128::from(mix64(self.0)) * u128::from(range) >> 64) as u64
    }
    fn weight(&mut self, most: i64) -> i64 {
        self.below(2 * most as u64 + 1) as i64 - most
    }
}

fn random_problem(source: &mut Source) -> Ising {
    let spins = match source.below(8) {
        0 => source.below(4) as u32,
        1..=5 => 2 + source.below(40) as u32,
        _ => 60 + source.below(80) as u32,
    };
    let per_mille = [20, 100, 300, 1000][source.below(4) as usize];
    let most = [1, 1, 5, 127, 300, 16_383, 100_000, 1 << 40][source.below(8) as usize];
    let scale = [1, 1, 6][source.below(3) as usize];
    let mut couplings = Vec::new();
    for i in 0..spins {
        for j in i + 1..spins {
            let weight = scale * source.weight(most);
            if source.below(1000) < per_mille && weight != 0 {
                couplings.push((i, j, weight));
            }
        }
    }
    let has_fields = source.below(2) == 0;
    let fields = (0..spins).map(|_| if has_fields { scale * source.weight(most) } else { 0 }).collect();
    Ising { spins, couplings, fields, offset: source.weight(1000) }
}

fn random_parameters(source: &mut Source) -> Parameters {
    Parameters {
        chips: 1 + source.below(3) as u32,
        tenure_base: source.below(4) as u32,
        tenure_divisor: 1 + source.below(100) as u32,
        tenure_range: 1 + source.below(10) as u32,
        patience: source.below(3) as u32,
        kick_per_mille: 1 + source.below(1000) as u32,
        start_temperature: source.below(2001) as u32,
        end_temperature: source.below(2001) as u32,
    }
}

fn request<'a>(source: &mut Source, states: &'a [Vec<bool>], mode: Mode) -> Request<'a> {
    let start = match source.below(2) {
        0 => Start::Random,
        _ => Start::From { states, kick_per_mille: [0, 300][source.below(2) as usize] },
    };
    let steps = match mode {
        Mode::Tabu => source.below(400),
        Mode::Anneal => source.below(20),
    };
    Request {
        seed: source.below(u64::MAX),
        steps: steps as u32,
        start,
        target: (source.below(4) == 0).then(|| -(source.below(1000) as i64)),
        stop_at_target: source.below(2) == 0,
        interrupt: None,
    }
}

fn run(backend: Cpu, circuit: &Circuit, parameters: &Parameters, request: &Request<'_>) -> Report {
    backend.run(circuit, parameters, request).expect("these parameters are in their ranges")
}

#[test]
fn every_level_gives_the_bits_of_the_reference() {
    let circuits: u64 =
        std::env::var("HYSTERON_RANDOM_CIRCUITS").map_or(2000, |v| v.parse().expect("a number"));
    for seed in 0..circuits {
        let mut source = Source(seed << 32);
        let problem = random_problem(&mut source);
        let mode = [Mode::Tabu, Mode::Anneal][source.below(2) as usize];
        let circuit = Circuit::compile(&problem, mode).expect("in range");
        let parameters = random_parameters(&mut source);
        let states: Vec<Vec<bool>> = (0..1 + source.below(3))
            .map(|_| (0..problem.spins).map(|_| source.below(2) == 0).collect())
            .collect();
        let request = request(&mut source, &states, mode);
        let expected = run(Cpu::Scalar, &circuit, &parameters, &request);
        for (lane, best) in expected.lanes.iter().enumerate() {
            assert_eq!(best.energy, problem.energy(&best.assignment), "seed {seed} lane {lane}");
        }
        for level in Level::available() {
            let report = run(Cpu::Lanes(level), &circuit, &parameters, &request);
            assert_eq!(report, expected, "{} differs on seed {seed}: {problem:?}", level.name());
        }
    }
}

/// The least energy of a small problem, by trying all states.
fn ground(problem: &Ising) -> i64 {
    (0u32..1 << problem.spins)
        .map(|bits| problem.energy(&(0..problem.spins).map(|i| bits >> i & 1 != 0).collect::<Vec<_>>()))
        .min()
        .expect("at least one state")
}

#[test]
fn both_modes_find_ground_states_of_small_problems() {
    for seed in 0..100 {
        let mut source = Source(seed << 32 | 7 << 24);
        let mut problem = random_problem(&mut source);
        problem.spins = problem.spins.min(12);
        problem.couplings.retain(|c| c.1 < problem.spins);
        problem.fields.truncate(problem.spins as usize);
        for (mode, class, steps) in [(Mode::Tabu, "tabu", 3000), (Mode::Anneal, "anneal", 300)] {
            let circuit = Circuit::compile(&problem, mode).expect("in range");
            let parameters = Parameters { chips: 8, ..Parameters::of_class(class) };
            let request = Request {
                seed,
                steps,
                start: Start::Random,
                target: None,
                stop_at_target: false,
                interrupt: None,
            };
            let report = run(Cpu::detect(), &circuit, &parameters, &request);
            let best = &report.lanes[report.best_lane()];
            assert_eq!(best.energy, ground(&problem), "seed {seed} {class}: {problem:?}");
        }
    }
}

#[test]
fn matrices_and_lists_give_the_same_trajectory() {
    let mut source = Source(99);
    // Isolated spins behind a dense problem make it sparse.
    let mut problem = random_problem(&mut source);
    let mut circuit = Circuit::compile(&problem, Mode::Tabu).expect("in range");
    while problem.spins < 100 || !circuit.is_matrix() {
        problem = random_problem(&mut source);
        circuit = Circuit::compile(&problem, Mode::Tabu).expect("in range");
    }
    let n = problem.spins as usize;
    let mut spread = problem.clone();
    spread.spins *= 8;
    spread.fields.resize(8 * n, 0);
    let list = Circuit::compile(&spread, Mode::Tabu).expect("in range");
    assert!(!list.is_matrix());
    let state: Vec<bool> = (0..8 * n).map(|i| i % 3 == 0).collect();
    let (fields, energy) = circuit.fields_of(&state[..n]);
    let (spread_fields, spread_energy) = list.fields_of(&state);
    assert_eq!((&fields[..], energy), (&spread_fields[..n], spread_energy));
}

#[test]
fn weights_out_of_range_are_refused() {
    let mut problem =
        Ising { spins: 2, couplings: vec![(0, 1, (1 << 60) + 1)], fields: vec![2, 0], offset: 0 };
    assert!(matches!(Circuit::compile(&problem, Mode::Tabu), Err(Error::Range(_))));
    // Alone, it is the unit.
    problem.fields[0] = 0;
    assert!(Circuit::compile(&problem, Mode::Tabu).is_ok());
    problem.couplings[0].2 = i64::MIN;
    assert!(Circuit::compile(&problem, Mode::Tabu).is_err());
}

#[test]
fn parameters_out_of_range_are_refused() {
    let good = Parameters::of_class("tabu");
    let problem = Ising { spins: 2, couplings: vec![(0, 1, 1)], fields: vec![0, 0], offset: 0 };
    let circuit = Circuit::compile(&problem, Mode::Tabu).expect("in range");
    let request = Request {
        seed: 1,
        steps: 5,
        start: Start::Random,
        target: None,
        stop_at_target: false,
        interrupt: None,
    };
    for (bad, name) in [
        (Parameters { chips: 0, ..good }, "chips"),
        (Parameters { chips: 65, ..good }, "chips"),
        (Parameters { tenure_divisor: 0, ..good }, "tenure_divisor"),
        (Parameters { start_temperature: 2001, ..good }, "start_temperature"),
    ] {
        match Cpu::Scalar.run(&circuit, &bad, &request) {
            Err(Error::Parameter { name: found, .. }) => assert_eq!(found, name),
            other => panic!("{other:?}"),
        }
    }
    let states = [vec![true]];
    let request = Request { start: Start::From { states: &states, kick_per_mille: 0 }, ..request };
    assert!(Cpu::Scalar.run(&circuit, &good, &request).is_err());
}

#[test]
fn all_parameter_sets_are_in_their_ranges() {
    assert!(Parameters::TABLE.len() >= 2);
    for (class, parameters) in Parameters::TABLE {
        assert_eq!(parameters.check(), Ok(()), "{class}");
    }
}
