//! Clause updates a second of the memcomputing chip: random 3-SAT of ratio 4.3, side by side and flat, beside
//! the scalar reference.

use divan::counter::ItemsCount;
use hysteron_circuit::memcomputing::{Arrangement, Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_problem::{ClauseList, Cnf, Literal};

fn main() {
    divan::main();
}

fn circuit(variables: u32) -> Circuit {
    let mut clauses = ClauseList::new();
    for clause in 0..u64::from(variables) * 43 / 10 {
        let literal = |k: u64| {
            let h = mix64(clause << 8 | k);
            Literal::new((h % u64::from(variables)) as u32, h >> 63 == 1)
        };
        clauses.push(&[literal(0), literal(1), literal(2)]);
    }
    Circuit::from_cnf(&Cnf { variables, clauses }).expect("small")
}

fn bench(bencher: divan::Bencher<'_, '_>, cpu: Cpu, variables: u32, chips: u32, arrangement: Arrangement) {
    let circuit = circuit(variables);
    let parameters = Parameters { chips, arrangement, ..Parameters::of_class("planted") };
    let steps = (4_000_000 / (circuit.clauses().len() as u32 * chips)).max(4);
    let request = Request {
        seed: 1,
        steps,
        start: Start::Random,
        target: None,
        stop_at_target: false,
        interrupt: None,
    };
    bencher
        .counter(ItemsCount::new(u64::from(steps) * circuit.clauses().len() as u64 * u64::from(chips)))
        .bench(|| cpu.run(&circuit, &parameters, &request));
}

#[divan::bench(args = [250, 1_000, 10_000, 100_000])]
fn lanes(bencher: divan::Bencher<'_, '_>, variables: u32) {
    bench(bencher, Cpu::detect(), variables, 64, Arrangement::Lanes);
}

#[divan::bench(args = [250, 1_000, 10_000, 100_000])]
fn flat(bencher: divan::Bencher<'_, '_>, variables: u32) {
    bench(bencher, Cpu::detect(), variables, 1, Arrangement::Flat);
}

#[divan::bench(args = [250, 1_000])]
fn reference(bencher: divan::Bencher<'_, '_>, variables: u32) {
    bench(bencher, Cpu::Scalar, variables, 1, Arrangement::Lanes);
}
