//! The exact methods against brute force on small random problems.

use hysteron_problem::{ClauseList, Cnf, Ising, Literal, Problem, Wcnf};
use hysteron_solve::exact::cadical::Cadical;
use hysteron_solve::exact::cdcl::Cdcl;
use hysteron_solve::exact::ising::Elimination;
use hysteron_solve::exact::light::Light;
use hysteron_solve::exact::maxsat::{CoreGuided, ModelImproving};
use hysteron_solve::exact::oracle::{Answer, Oracle};
use hysteron_solve::exact::strand::Strand;
use hysteron_solve::{Context, Outcome, Searcher};
use proptest::prelude::*;

const VARIABLES: u32 = 8;

/// The outcome, and the best candidate's key.
type Result = (Outcome, Option<(u64, i64)>);

/// Runs a searcher in slices of `effort` until it ends.
fn run(problem: &Problem, mut searcher: impl Searcher, effort: u64) -> (Result, i64) {
    let context = Context::new(problem, None, None);
    loop {
        let outcome = searcher.work(&context, effort);
        if outcome != Outcome::Continue {
            return ((outcome, context.best().map(|c| c.key())), context.lower_bound());
        }
        assert!(!context.stopped(), "nobody but the searcher ends this search");
    }
}

fn all_assignments(variables: u32) -> impl Iterator<Item = Vec<bool>> {
    (0..1u64 << variables).map(move |code| (0..variables).map(|v| code >> v & 1 == 1).collect())
}

fn clauses(
    count: std::ops::Range<usize>,
    lengths: std::ops::Range<usize>,
) -> impl Strategy<Value = ClauseList> {
    let literal = (0..VARIABLES, any::<bool>()).prop_map(|(v, n)| Literal::new(v, n));
    prop::collection::vec(prop::collection::vec(literal, lengths), count).prop_map(|clauses| {
        let mut list = ClauseList::new();
        for clause in clauses {
            list.push(&clause);
        }
        list
    })
}

fn wcnf() -> impl Strategy<Value = Wcnf> {
    let weights = prop_oneof![1u64..2, 1u64..6, 1u64..1000];
    (clauses(0..20, 1..4), clauses(1..24, 0..4), prop::collection::vec(weights, 24), -5i64..5).prop_map(
        |(hard, soft, mut weights, offset)| {
            weights.truncate(soft.len());
            Wcnf { variables: VARIABLES, hard, soft, weights, offset }
        },
    )
}

fn ising() -> impl Strategy<Value = Ising> {
    (
        1u32..12,
        prop::collection::vec((0u32..12, 0u32..12, -9i64..9), 0..40),
        prop::collection::vec(-5i64..5, 12),
    )
        .prop_map(|(spins, couplings, mut fields)| {
            let mut couplings: Vec<_> =
                couplings.into_iter().filter(|&(i, j, w)| i < j && j < spins && w != 0).collect();
            couplings.sort_unstable();
            couplings.dedup_by_key(|&mut (i, j, _)| (i, j));
            fields.truncate(spins as usize);
            Ising { spins, couplings, fields, offset: 3 }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn cdcl_decides_as_brute_force_does(
        list in clauses(0..48, 1..4),
        effort in 100_000u64..3_000_000,
        seed in any::<u64>(),
    ) {
        let cnf = Cnf { variables: VARIABLES, clauses: list };
        let is_satisfiable = all_assignments(VARIABLES).any(|a| cnf.unsatisfied(&a) == 0);
        let expected = if is_satisfiable {
            (Outcome::Optimal, Some((0, 0)))
        } else {
            (Outcome::Unsatisfiable, None)
        };
        let searchers = [Cdcl::new(&cnf), Cdcl::shuffled(&cnf, seed)];
        let problem = Problem::Cnf(cnf);
        for searcher in searchers {
            prop_assert_eq!(run(&problem, searcher, effort).0, expected);
        }
    }

    #[test]
    fn oracles_answer_as_brute_force_does(
        list in clauses(1..60, 1..5),
        assumed in prop::collection::vec(prop::collection::vec((0..VARIABLES, any::<bool>()), 0..6), 1..10),
    ) {
        let assumed: Vec<Vec<Literal>> = assumed
            .iter()
            .map(|list| {
                let mut list: Vec<_> = list.iter().map(|&(v, n)| Literal::new(v, n)).collect();
                list.sort_unstable();
                list.dedup();
                list
            })
            .collect();
        prop_assert!(oracle_is_right(Light::new(), list.clone(), assumed.clone()), "light");
        prop_assert!(oracle_is_right(Cadical::new(), list, assumed), "cadical");
    }

    #[test]
    fn maxsat_finds_and_proves_what_brute_force_finds(wcnf in wcnf(), effort in 100_000u64..3_000_000) {
        let least = all_assignments(VARIABLES).filter(|a| wcnf.hard_unsatisfied(a) == 0).map(|a| wcnf.cost(&a)).min();
        let problem = Problem::Wcnf(wcnf);
        let results = [
            run(&problem, CoreGuided::new(&problem).unwrap(), u64::MAX),
            run(&problem, CoreGuided::new(&problem).unwrap(), effort),
            run(&problem, CoreGuided::with_cadical(&problem).unwrap(), u64::MAX),
            run(&problem, ModelImproving::new(&problem).unwrap(), effort),
        ];
        for (result, bound) in results {
            match least {
                None => prop_assert_eq!(result, (Outcome::Unsatisfiable, None)),
                Some(least) => prop_assert_eq!((result, bound), ((Outcome::Optimal, Some((0, least))), least)),
            }
        }
    }

    #[test]
    fn a_cnf_is_minimised_as_maxsat(list in clauses(1..48, 1..3)) {
        let cnf = Cnf { variables: VARIABLES, clauses: list };
        let least = all_assignments(VARIABLES).map(|a| cnf.unsatisfied(&a) as i64).min().unwrap();
        let problem = Problem::Cnf(cnf);
        let (result, _) = run(&problem, CoreGuided::new(&problem).unwrap(), u64::MAX);
        prop_assert_eq!(result, (Outcome::Optimal, Some((0, least))));
        let (result, _) = run(&problem, ModelImproving::new(&problem).unwrap(), u64::MAX);
        prop_assert_eq!(result, (Outcome::Optimal, Some((0, least))));
    }

    #[test]
    fn elimination_finds_the_ground_state(ising in ising(), effort in 500u64..100_000) {
        let least = all_assignments(ising.spins).map(|a| ising.energy(&a)).min().unwrap();
        let searcher = Elimination::new(&ising).expect("small enough");
        let (result, bound) = run(&Problem::Ising(ising), searcher, effort);
        prop_assert_eq!((result, bound), ((Outcome::Optimal, Some((0, least))), least));
    }
}

/// Asks an oracle about growing clauses under changing assumptions; whether each answer, model and
/// core is right.
fn oracle_is_right(
    mut oracle: impl Oracle + Send + 'static,
    list: ClauseList,
    assumed: Vec<Vec<Literal>>,
) -> bool {
    let body = move |pace: &hysteron_solve::exact::strand::Pace| {
        oracle.reserve(VARIABLES);
        let mut known = Cnf { variables: VARIABLES, clauses: ClauseList::new() };
        let mut clauses = list.iter();
        let mut is_right = true;
        for assumptions in &assumed {
            for clause in clauses.by_ref().take(6) {
                oracle.add_clause(clause);
                known.clauses.push(clause);
            }
            let holds = |a: &[bool], literals: &[Literal]| {
                known.unsatisfied(a) == 0 && literals.iter().all(|l| l.holds(a[l.variable() as usize]))
            };
            is_right &= match oracle.solve(pace, assumptions, None) {
                Answer::Satisfiable => holds(&oracle.model(VARIABLES), assumptions),
                Answer::Unsatisfiable => {
                    let core = oracle.core(assumptions);
                    core.iter().all(|l| assumptions.contains(l))
                        && !all_assignments(VARIABLES).any(|a| holds(&a, &core))
                }
                Answer::Unknown => false,
            };
        }
        if is_right { Outcome::Optimal.into() } else { Outcome::Exhausted.into() }
    };
    let problem = Problem::Cnf(Cnf { variables: VARIABLES, clauses: ClauseList::new() });
    let context = Context::new(&problem, None, None);
    Strand::new(Box::new(body)).work(&context, u64::MAX) == Outcome::Optimal
}

/// `holes + 1` pigeons do not fit into `holes` holes.
fn pigeons(holes: u32) -> Cnf {
    let mut clauses = ClauseList::new();
    for pigeon in 0..=holes {
        clauses.push(&(0..holes).map(|h| Literal::new(pigeon * holes + h, false)).collect::<Vec<_>>());
        for other in 0..pigeon {
            for hole in 0..holes {
                let both = [pigeon, other].map(|p| Literal::new(p * holes + hole, true));
                clauses.push(&both);
            }
        }
    }
    Cnf { variables: (holes + 1) * holes, clauses }
}

/// Slices of `effort` until the searcher ends.
fn slices(problem: &Problem, mut searcher: Cdcl, effort: u64) -> u64 {
    let context = Context::new(problem, None, None);
    let mut slices = 0u64;
    while searcher.work(&context, effort) == Outcome::Continue {
        slices += 1;
    }
    slices
}

#[test]
fn slices_do_not_change_the_search() {
    // Slices of any size take the same total effort, since the search underneath is the same.
    let cnf = pigeons(7);
    let problem = Problem::Cnf(cnf.clone());
    let count = |effort| slices(&problem, Cdcl::new(&cnf), effort);
    let fine = count(400_000);
    assert!(fine > 10, "{fine}");
    assert_eq!(fine, count(400_000));
    assert!(count(800_000).abs_diff(fine / 2) <= 1);
}

#[test]
fn the_seed_says_which_search_a_shuffled_formula_gets() {
    let cnf = pigeons(7);
    let problem = Problem::Cnf(cnf.clone());
    let count = |seed| slices(&problem, Cdcl::shuffled(&cnf, seed), 400_000);
    let counts: Vec<u64> = (0..4).map(count).collect();
    assert_eq!(counts, (0..4).map(count).collect::<Vec<_>>());
    assert!(counts.iter().any(|&count| count != counts[0]), "{counts:?}");
}

#[test]
fn a_stop_ends_the_work_and_a_later_call_goes_on() {
    // Far too many pigeons to finish: only the stop can end the call.
    let cnf = pigeons(30);
    let problem = Problem::Cnf(cnf.clone());
    let mut searcher = Cdcl::new(&cnf);
    for _ in 0..2 {
        let context = Context::new(&problem, None, None);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(30));
                context.stop();
            });
            assert_eq!(searcher.work(&context, u64::MAX), Outcome::Continue);
        });
    }
}

#[test]
fn wide_problems_are_refused_and_long_narrow_ones_solved() {
    let dense = Ising {
        spins: 40,
        couplings: (0..40).flat_map(|i| (i + 1..40).map(move |j| (i, j, 1))).collect(),
        fields: vec![0; 40],
        offset: 0,
    };
    assert!(Elimination::new(&dense).is_none());
    // A ring of 10001 antiferromagnetic bonds has exactly one that is not satisfied.
    let spins = 10_001u32;
    let mut couplings: Vec<_> = (0..spins - 1).map(|i| (i, i + 1, 1)).collect();
    couplings.insert(1, (0, spins - 1, 1));
    let ring = Ising { spins, couplings, fields: vec![0; spins as usize], offset: 0 };
    let searcher = Elimination::new(&ring).expect("narrow");
    let (result, _) = run(&Problem::Ising(ring), searcher, u64::MAX);
    assert_eq!(result, (Outcome::Optimal, Some((0, -9_999))));
}
