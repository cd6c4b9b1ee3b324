//! Throughput of the crossbar kernels: coupling updates per second of one core, by word class and degree, beside the
//! limits that loads and adders set. A coupling update reads one neighbour in one chip.
//!
//! `cargo bench -p hysteron-circuit --bench crossbar`

use divan::Bencher;
use divan::counter::ItemsCount;
use hysteron_circuit::crossbar::{Circuit, Parameters};
use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Request, Start};
use hysteron_circuit::simd::Level;
use hysteron_problem::Ising;

fn main() {
    print_limits();
    divan::main();
}

/// Cycles per second, by a chain of dependent additions, one a cycle.
fn clock_hertz() -> f64 {
    const ADDITIONS: u64 = 200_000_000;
    let start = std::time::Instant::now();
    let mut value = 1u64;
    for _ in 0..ADDITIONS / 8 {
        for _ in 0..8 {
            value = std::hint::black_box(value.wrapping_add(1));
        }
    }
    std::hint::black_box(value);
    // `black_box` sends the value through memory: a store that is forwarded costs four to five cycles on current cores, none
    // on those that rename memory. So this is a lower bound, and the limits below are in updates per cycle too.
    ADDITIONS as f64 / start.elapsed().as_secs_f64()
}

fn print_limits() {
    let level = Level::detect();
    // Two loads of a register's width a cycle on all x86-64 servers since 2013 (Zen from 2019, AVX-512: Intel, Zen 5).
    let bytes = if level == Level::Avx512 { 128 } else { 64 };
    println!("# {}; additions through memory: {:.2} G/s", level.name(), clock_hertz() / 1e9);
    println!("# limits in coupling updates per cycle of one core, rows in the first-level cache:");
    println!("#   loads, i8: {bytes} (two registers a cycle, one byte a chip)");
    let words = match level {
        Level::Avx512 => 2 * 64 / 6,
        _ => 3 * 64 / 12,
    };
    println!(
        "#   weighted i16: {words} (widen, and, subtract for each register of words; 3 vector pipes, 2 with AVX-512)"
    );
    println!("#   rows in the second-level cache: 64 with 64 bytes a cycle, 32 with 32");
}

/// A random graph of `spins` and about `degree` couplings a spin, of weights up to `weight`.
fn circuit(spins: u32, degree: u64, weight: i64) -> Circuit {
    let mut couplings = std::collections::BTreeMap::new();
    for k in 0..u64::from(spins) * degree / 2 {
        let h = mix64(k);
        let (i, j) = ((h % u64::from(spins)) as u32, (h >> 32) as u32 % spins);
        let w = mix64(h) as i64 % (weight + 1);
        if i != j {
            couplings.insert((i.min(j), i.max(j)), if weight == 1 || w == 0 { 1 - 2 * (w & 1) } else { w });
        }
    }
    let couplings = couplings.into_iter().map(|((i, j), w)| (i, j, w)).collect();
    Circuit::compile(&Ising { spins, couplings, fields: vec![0; spins as usize], offset: 0 })
        .expect("small weights")
}

fn sweeps(bencher: Bencher<'_, '_>, circuit: &Circuit) {
    let parameters = Parameters { look_period: 20, ..Parameters::for_circuit(circuit) };
    let steps = 100;
    let request = Request {
        seed: 1,
        steps,
        start: Start::Random,
        target: None,
        stop_at_target: false,
        interrupt: None,
    };
    let updates = circuit.ecu_per_step() * 64 * u64::from(steps);
    bencher
        .counter(ItemsCount::new(updates))
        .bench(|| Cpu::detect().run(circuit, &parameters, &request).expect("sound parameters"));
}

/// Couplings of -1 and +1, additions of bytes.
#[divan::bench(args = [4, 6, 12, 20, 48], sample_count = 10, sample_size = 1)]
fn unit_bytes(bencher: Bencher<'_, '_>, degree: u64) {
    sweeps(bencher, &circuit(2000, degree, 1));
}

/// Couplings of -1 and +1, rows longer than bytes sum at once.
#[divan::bench(args = [200], sample_count = 10, sample_size = 1)]
fn unit_words(bencher: Bencher<'_, '_>, degree: u64) {
    sweeps(bencher, &circuit(2000, degree, 1));
}

/// Small weights.
#[divan::bench(args = [6, 20], sample_count = 10, sample_size = 1)]
fn weighted_bytes(bencher: Bencher<'_, '_>, degree: u64) {
    sweeps(bencher, &circuit(2000, degree, 3));
}

/// Weights of two to three digits.
#[divan::bench(args = [6, 20, 100], sample_count = 10, sample_size = 1)]
fn weighted_words(bencher: Bencher<'_, '_>, degree: u64) {
    sweeps(bencher, &circuit(1000, degree, 100));
}

/// Weights of six digits.
#[divan::bench(args = [6, 20], sample_count = 10, sample_size = 1)]
fn weighted_longs(bencher: Bencher<'_, '_>, degree: u64) {
    sweeps(bencher, &circuit(1000, degree, 100_000));
}

/// Weights of twelve digits.
#[divan::bench(args = [6], sample_count = 10, sample_size = 1)]
fn weighted_wides(bencher: Bencher<'_, '_>, degree: u64) {
    sweeps(bencher, &circuit(1000, degree, 1_000_000_000_000));
}
