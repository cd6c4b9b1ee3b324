//! Prints how an attempt's time splits between hashing and computing on this machine.
//!
//! `meter [main|devnet] [ATTEMPTS]`: attempts of the public pool on one core, by CPU time of the thread.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use hysteron_work::{CpuRunner, Grinder, Meter, PublicPool, Table, Target, WorkRules, attempt, hash};

fn cpu_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rules = match arguments.first().map_or("main", String::as_str) {
        "devnet" => WorkRules::devnet(),
        _ => WorkRules::main(),
    };
    let attempts: u64 = arguments.get(1).map_or(20, |a| a.parse().expect("a number"));
    let stop = AtomicBool::new(false);

    // A target that nothing meets: a known number of tries.
    let tries = 4_000_000u64;
    let best = (0..5)
        .map(|_| {
            let start = cpu_ns();
            let none = Grinder::new(&[7; 32], &Target([0; 32])).grind(u64::MAX - tries, &stop);
            assert_eq!(none, None);
            cpu_ns() - start
        })
        .min()
        .expect("five");
    println!("pre-hash: {} ps a try (least of 5 x {tries})", best * 1000 / tries);

    let table = Table { pool: PublicPool { seed: [3; 32] }, ..Table::default() };
    let runner = CpuRunner::new(BTreeMap::new(), rules.clone(), 1 << 30);
    // Circuits are compiled once a period of the pool: not counted here.
    let warm = Meter::off();
    for k in 0..8u64 {
        let th = hash("meter-example", &[&k.to_le_bytes()]);
        attempt(&th, &table, &rules, &runner, 0, &stop, &warm).expect("the pool runs");
    }
    let meter = Meter::new(cpu_ns);
    for k in 0..attempts {
        let th = hash("meter-example", &[&(1000 + k).to_le_bytes()]);
        attempt(&th, &table, &rules, &runner, 0, &stop, &meter).expect("the pool runs");
    }
    let read = meter.read();
    println!(
        "{} attempts: hashing {} ms, computing {} ms, hashing {} per mille; ns a leg {} of {}",
        read.attempts,
        read.hashing_ns / 1_000_000,
        read.computing_ns / 1_000_000,
        read.hashing_per_mille().unwrap_or(0),
        read.computing_ns / (4 * read.attempts.max(1)),
        rules.leg_work
    );
    // The pre-hash is a lottery of its own: what its expectation costs says more than a few attempts.
    let expected = rules.pre_tries as f64 * best as f64 / tries as f64;
    let computing = read.computing_ns as f64 / read.attempts.max(1) as f64;
    println!("expected share of hashing: {:.2} %", 100.0 * expected / (expected + computing));
}
