//! Literal updates a second of the switching chip's general kernel: unit weights, weights, hard clauses; beside
//! the scalar reference.

use divan::counter::ItemsCount;
use hysteron_circuit::general::{Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_problem::{ClauseList, Literal, Wcnf};

fn main() {
    divan::main();
}

/// Random 3-SAT clauses of ratio 5: all soft, of weight 1 or of 1 to 100, or every second one hard.
fn circuit(kind: &str, variables: u32) -> Circuit {
    let (mut hard, mut soft, mut weights) = (ClauseList::new(), ClauseList::new(), Vec::new());
    for clause in 0..u64::from(variables) * 5 {
        let literal = |k: u64| {
            let h = mix64(clause << 8 | k);
            Literal::new((h % u64::from(variables)) as u32, h >> 63 == 1)
        };
        let literals = [literal(0), literal(1), literal(2)];
        if kind == "hard" && clause % 2 == 0 {
            hard.push(&literals);
        } else {
            soft.push(&literals);
            weights.push(if kind == "unit" { 1 } else { 1 + mix64(clause) % 100 });
        }
    }
    Circuit::compile(&Wcnf { variables, hard, soft, weights, offset: 0 }).expect("small")
}

fn bench(bencher: divan::Bencher<'_, '_>, cpu: Cpu, kind: &str, variables: u32, steps: u32) {
    let circuit = circuit(kind, variables);
    let parameters = Parameters::of_class("partial");
    let request = Request {
        seed: 1,
        steps,
        start: Start::Random,
        target: None,
        stop_at_target: false,
        interrupt: None,
    };
    bencher
        .counter(ItemsCount::new(u64::from(steps) * circuit.ecu_per_step() * 64))
        .bench(|| cpu.run(&circuit, &parameters, &request));
}

#[divan::bench(args = [("unit", 1_000), ("weights", 1_000), ("hard", 1_000), ("weights", 10_000)])]
fn lanes(bencher: divan::Bencher<'_, '_>, (kind, variables): (&str, u32)) {
    bench(bencher, Cpu::detect(), kind, variables, 40);
}

#[divan::bench]
fn reference(bencher: divan::Bencher<'_, '_>) {
    bench(bencher, Cpu::Scalar, "hard", 1_000, 4);
}
