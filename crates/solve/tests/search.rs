//! Searches from given starts, and what they return besides the answer.

use std::sync::atomic::AtomicBool;

use hysteron_problem::generate::{Content, Kind, generate};
use hysteron_problem::{Ising, Problem};
use hysteron_solve::{Options, Source, search};

fn options(steps: u64) -> Options {
    Options { time: None, steps: Some(steps), threads: 1, seed: 7, target: None }
}

fn grid() -> Ising {
    let kind =
        Kind::catalogue().into_iter().find(|(name, _, _)| *name == "toroidal-grid").expect("a known kind");
    match generate(&kind.2, 3).expect("usual parameters").content {
        Content::Graph { vertices, edges } => {
            let couplings = edges.into_iter().map(|(i, j, w)| (i.min(j), i.max(j), w)).collect::<Vec<_>>();
            let mut couplings = couplings;
            couplings.sort_unstable();
            Ising { spins: vertices, couplings, fields: vec![0; vertices as usize], offset: 0 }
        }
        Content::Ising(ising) => ising,
        _ => panic!("a grid of spins"),
    }
}

#[test]
fn a_start_is_never_lost_and_others_are_distinct() {
    let ising = grid();
    let problem = Problem::Ising(ising.clone());
    let interrupt = AtomicBool::new(false);
    let good = search(&problem, &options(3000), &[], 15, &(), &interrupt);
    let best = good.answer.assignment.expect("an assignment");
    assert!(!good.others.is_empty() && good.others.len() <= 15);
    let mut all = good.others.clone();
    all.push(best.clone());
    assert!(all.iter().all(|a| a.len() == ising.spins as usize && ising.energy(a) >= ising.energy(&best)));
    let energies: Vec<i64> = good.others.iter().map(|a| ising.energy(a)).collect();
    assert!(energies.is_sorted());
    all.sort();
    all.dedup();
    assert_eq!(all.len(), good.others.len() + 1);

    // Whatever one leg finds by itself, it is no worse with the start, and the start keeps its place among equals.
    let alone = search(&problem, &options(1), &[], 0, &(), &interrupt);
    let again = search(&problem, &options(1), std::slice::from_ref(&best), 0, &(), &interrupt);
    let energy = |found: &hysteron_solve::Found| {
        ising.energy(found.answer.assignment.as_deref().expect("an assignment"))
    };
    assert!(energy(&again) <= ising.energy(&best));
    assert!(energy(&again) <= energy(&alone));
    assert_eq!(again.answer.source == Source::Given, energy(&again) == ising.energy(&best));
    assert!(alone.others.is_empty() && again.others.is_empty());
}

/// With two parts, each further assignment differs from the answer in one of them.
#[test]
fn parts_vary_one_at_a_time() {
    let one = grid();
    let n = one.spins;
    let shifted = one.couplings.iter().map(|&(i, j, w)| (i + n, j + n, w));
    let couplings = one.couplings.iter().copied().chain(shifted).collect();
    let both = Ising { spins: 2 * n, couplings, fields: vec![0; 2 * n as usize], offset: 0 };
    let found = search(&Problem::Ising(both), &options(3000), &[], 10, &(), &AtomicBool::new(false));
    let best = found.answer.assignment.expect("an assignment");
    assert!(!found.others.is_empty());
    for other in &found.others {
        let half = n as usize;
        assert!((other[..half] == best[..half]) != (other[half..] == best[half..]));
    }
}
