//! The schedule: draws are shares, and credits are draws.

mod common;

use common::table;
use hysteron_work::{Class, Entry, JobId, LegStart, ProblemId, PublicPool, Table, Task, Tuning, draw, hash};
use proptest::prelude::*;

fn entry(k: u8, chips: u64) -> Entry {
    Entry {
        job: JobId([k; 32]),
        problem: ProblemId([k; 32]),
        class: Class::SparseSpins,
        chips,
        target: None,
        checkpoints: Vec::new(),
    }
}

fn seed(k: u32) -> [u8; 32] {
    hash("test-draw", &[&k.to_le_bytes()])
}

#[test]
fn draws_are_in_proportion() {
    let table = table();
    let draws = 40_000u32;
    let mut jobs = vec![0f64; table.entries.len()];
    let (mut public, mut checkpoints, mut with) = (0f64, 0f64, 0f64);
    for k in 0..draws {
        let leg = draw(&table, &seed(k));
        match leg.task {
            Task::Job(index) => {
                jobs[index as usize] += 1.0;
                if !table.entries[index as usize].checkpoints.is_empty() {
                    with += 1.0;
                    checkpoints += f64::from(u8::from(leg.start != LegStart::Random));
                }
            }
            Task::Public(_) => public += 1.0,
        }
        if let LegStart::Checkpoint { index, .. } = leg.start {
            let Task::Job(job) = leg.task else { panic!("the pool has no checkpoints") };
            assert!(usize::from(index) < table.entries[job as usize].checkpoints.len());
        }
    }
    let all = table.drawn_chips() as f64;
    let mut shares: Vec<f64> = table.entries.iter().map(|e| e.chips as f64 / all).collect();
    shares.push(1.0 - table.booked_chips() as f64 / all);
    jobs.push(public);
    for (count, share) in jobs.iter().zip(shares) {
        let (mean, deviation) = (f64::from(draws) * share, (f64::from(draws) * share * (1.0 - share)).sqrt());
        assert!((count - mean).abs() < 5.0 * deviation, "{count} {mean}");
    }
    assert!((checkpoints / with - 0.5).abs() < 0.02, "{}", checkpoints / with);
}

#[test]
fn an_idle_network_gives_one_chip_its_share_only() {
    let table = Table {
        entries: vec![entry(1, 64)],
        capacity_chips: 64 * 100,
        pool: PublicPool::default(),
        tuning: Tuning::default(),
    };
    let drawn = (0..20_000).filter(|&k| draw(&table, &seed(k)).task == Task::Job(0)).count();
    assert!((140..260).contains(&drawn), "{drawn}");
    assert_eq!(table.credit_chips(&table.entries[0], 100), 64);
}

#[test]
fn empty_tables_draw_the_pool() {
    let leg = draw(&Table::default(), &seed(1));
    assert!(matches!(leg.task, Task::Public(_)));
    assert_eq!(leg.start, LegStart::Random);
}

proptest! {
    #[test]
    fn draws_never_panic(chips in prop::collection::vec(any::<u64>(), 0..20), capacity: u64, seed: [u8; 32]) {
        let entries = chips.iter().enumerate().map(|(k, &c)| entry(k as u8, c)).collect();
        let table = Table { entries, capacity_chips: capacity, ..Table::default() };
        let leg = draw(&table, &seed);
        prop_assert!(table.class_of(leg.task).is_some());
        prop_assert!(leg.parameter_set < 32);
        if let Task::Job(index) = leg.task {
            prop_assert!(table.entries[index as usize].chips > 0, "a job without chips is never drawn");
        }
    }

    #[test]
    fn credits_do_not_exceed_the_work(chips in prop::collection::vec(0u64..1 << 40, 1..20), capacity in 0u64..1 << 40, legs in 0u128..1 << 40) {
        let entries: Vec<Entry> = chips.iter().enumerate().map(|(k, &c)| entry(k as u8, c)).collect();
        let table = Table { entries, capacity_chips: capacity, ..Table::default() };
        let sum: u128 = table.entries.iter().map(|e| u128::from(table.credit_chips(e, legs))).sum();
        prop_assert!(sum <= legs * 64);
    }
}
