//! Throughput of the switching chip. Items are elementary circuit updates: literals, times steps, times
//! chips.

use divan::counter::ItemsCount;
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_circuit::simd::Level;
use hysteron_circuit::switching::{Circuit, Parameters};
use hysteron_problem::{ClauseList, Cnf, Literal};

fn main() {
    divan::main();
}

/// Random clauses of `length` literals, `per_mille` thousandths of a clause a variable.
fn circuit(variables: u32, length: u32, per_mille: u32) -> Circuit {
    let mut clauses = ClauseList::new();
    let mut counter = 0;
    for _ in 0..u64::from(variables) * u64::from(per_mille) / 1000 {
        let clause: Vec<Literal> = (0..length)
            .map(|_| {
                counter += 1;
                let draw = mix64(counter);
                Literal::new((((draw >> 32) * u64::from(variables)) >> 32) as u32, draw & 1 == 1)
            })
            .collect();
        clauses.push(&clause);
    }
    Circuit::compile(&Cnf { variables, clauses }).expect("in range")
}

fn bench(bencher: divan::Bencher<'_, '_>, circuit: &Circuit, class: &str, steps: u32, level: Level) {
    let parameters = Parameters::of_class(class);
    let request = Request {
        seed: 1,
        steps,
        start: Start::Random,
        target: None,
        stop_at_target: false,
        interrupt: None,
    };
    let run = || Cpu::Lanes(level).run(circuit, &parameters, &request).expect("in range");
    bencher.counter(ItemsCount::new(run().ecu)).bench(run);
}

#[divan::bench(args = Level::available())]
fn sliced_250(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(250, 3, 5000), "small-3sat", 200, level);
}

#[divan::bench(args = Level::available())]
fn sliced_10000(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(10_000, 3, 5000), "maxsat-sliced", 20, level);
}

#[divan::bench(args = Level::available())]
fn table_1000(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(1000, 3, 5000), "maxsat-anneal", 100, level);
}

#[divan::bench(args = Level::available())]
fn table_five_500(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(500, 5, 20_000), "uniform-anneal", 50, level);
}

#[divan::bench(args = Level::available())]
fn memory_500(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(500, 3, 4300), "planted-3sat", 200, level);
}

#[divan::bench(args = Level::available())]
fn memory_10000(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(10_000, 3, 4300), "planted-3sat", 20, level);
}
