use super::super::samples::{least_energy, partial_maxsat};
use super::*;

#[test]
fn counts_stay_right() {
    for seed in 0..5 {
        let wcnf = partial_maxsat(seed);
        let mut search = Partial::new(&Problem::Wcnf(wcnf.clone()), seed).expect("a weighted CNF");
        for _ in 0..40 {
            (0..7).for_each(|_| search.step());
            let kept = (search.key(), search.score.clone());
            let mut good = search.good.items.clone();
            assert_eq!(search.key().0 as u64, wcnf.hard_unsatisfied(&search.values));
            assert_eq!(search.key().1 as i64 + wcnf.offset, wcnf.cost(&search.values));
            search.recount();
            assert_eq!(kept, (search.key(), search.score.clone()), "seed {seed}");
            good.sort_unstable();
            search.good.items.sort_unstable();
            assert_eq!(good, search.good.items);
            search.recount();
        }
    }
}

#[test]
fn small_problems_are_solved() {
    for seed in 0..5 {
        let wcnf = partial_maxsat(seed);
        let problem = Problem::Wcnf(wcnf.clone());
        let context = Context::new(&problem, None, None);
        let mut search = Partial::new(&problem, seed).expect("a weighted CNF");
        for _ in 0..20 {
            search.work(&context, 10_000_000);
        }
        assert_eq!(context.best_energy(), least_energy(&wcnf), "seed {seed}");
    }
}

#[test]
fn other_problems_are_declined() {
    assert!(Partial::new(&Problem::Cnf(hysteron_problem::Cnf::default()), 0).is_none());
}
