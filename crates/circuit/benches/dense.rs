//! Throughput of the dense crossbar chips. Items are elementary circuit updates: elements of rows added
//! to fields, plus the metered cost of scans and visits.

use divan::counter::ItemsCount;
use hysteron_circuit::dense::{Circuit, Mode, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_circuit::simd::Level;
use hysteron_problem::Ising;

fn main() {
    divan::main();
}

/// Couplings on `per_mille` thousandths of the pairs, uniform in `-most..=most` (`most` 1: +1 or -1).
fn circuit(spins: u32, per_mille: u64, most: i64, mode: Mode) -> Circuit {
    let mut couplings = Vec::new();
    for i in 0..spins {
        for j in i + 1..spins {
            let draw = mix64(u64::from(i) << 32 | u64::from(j));
            let weight = match most {
                1 => (draw & 2) as i64 - 1,
                _ => ((draw >> 8 & 0xffff_ffff) * (2 * most as u64 + 1) >> 32) as i64 - most,
            };
            if draw >> 54 < per_mille * 1024 / 1000 && weight != 0 {
                couplings.push((i, j, weight));
            }
        }
    }
    let ising = Ising { spins, couplings, fields: vec![0; spins as usize], offset: 0 };
    Circuit::compile(&ising, mode).expect("in range")
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
fn tabu_bytes_1000(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(1000, 100, 100, Mode::Tabu), "tabu", 20_000, level);
}

#[divan::bench(args = Level::available())]
fn tabu_bytes_2500(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(2500, 100, 100, Mode::Tabu), "tabu", 20_000, level);
}

#[divan::bench(args = Level::available())]
fn tabu_words_1000(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(1000, 500, 10_000, Mode::Tabu), "tabu", 20_000, level);
}

#[divan::bench(args = Level::available())]
fn tabu_list_2000(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(2000, 10, 100, Mode::Tabu), "tabu", 20_000, level);
}

#[divan::bench(args = Level::available())]
fn anneal_complete_2000(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(2000, 1000, 1, Mode::Anneal), "anneal", 100, level);
}

#[divan::bench(args = Level::available())]
fn anneal_bytes_2500(bencher: divan::Bencher<'_, '_>, level: Level) {
    bench(bencher, &circuit(2500, 100, 100, Mode::Anneal), "anneal", 100, level);
}
