use super::super::samples::{least_energy, partial_maxsat};
use super::*;
use hysteron_problem::Problem;

#[test]
fn small_problems_are_solved() {
    for seed in 0..3 {
        let wcnf = partial_maxsat(seed);
        let problem = Problem::Wcnf(wcnf.clone());
        let context = Context::new(&problem, None, None);
        let mut search = General::new(&wcnf, seed).expect("it fits the chip");
        for _ in 0..10 {
            assert_eq!(search.work(&context, 20_000_000), Outcome::Continue);
        }
        assert_eq!(context.best_energy(), least_energy(&wcnf), "seed {seed}");
        assert_eq!(context.best().map(|b| b.source), Some(Source::Switching('G')));
    }
}

#[test]
fn the_target_ends_the_search() {
    let wcnf = partial_maxsat(7);
    let target = least_energy(&wcnf);
    let problem = Problem::Wcnf(wcnf.clone());
    let context = Context::new(&problem, Some(target), None);
    let mut search = General::new(&wcnf, 1).expect("it fits the chip");
    for _ in 0..50 {
        search.work(&context, 20_000_000);
    }
    assert!(context.stopped());
    assert_eq!(context.best_energy(), target);
}

#[test]
fn effort_beyond_what_was_given_is_owed() {
    let wcnf = partial_maxsat(3);
    let problem = Problem::Wcnf(wcnf.clone());
    let context = Context::new(&problem, None, None);
    let mut search = General::new(&wcnf, 1).expect("it fits the chip");
    search.work(&context, 1);
    let (debt, ecu) = (search.debt, context.ecu());
    assert!(debt > 1);
    search.work(&context, debt - 1);
    assert_eq!((search.debt, context.ecu()), (1, ecu));
}
