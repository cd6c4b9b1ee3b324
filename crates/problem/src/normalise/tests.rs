//! The laws of the module's text, on random small problems by brute force.

use proptest::prelude::*;

use super::*;
use crate::canonical::{ClauseList, Cnf, Ising, Literal, Wcnf};

fn assignments(variables: u32) -> impl Iterator<Item = Vec<bool>> {
    (0u32..1 << variables).map(move |bits| (0..variables).map(|v| bits >> v & 1 == 1).collect())
}

fn list(clauses: &[Vec<Literal>]) -> ClauseList {
    let mut list = ClauseList::new();
    clauses.iter().for_each(|c| list.push(c));
    list
}

fn clause_of(dimacs: &[i32]) -> Vec<Literal> {
    dimacs.iter().map(|&l| Literal::from_dimacs(l)).collect()
}

fn cnf_of(variables: u32, clauses: &[&[i32]]) -> Problem {
    let clauses: Vec<_> = clauses.iter().map(|c| clause_of(c)).collect();
    Problem::Cnf(Cnf { variables, clauses: list(&clauses) })
}

/// Energy and hard violations of any problem.
fn score(problem: &Problem, assignment: &[bool]) -> (u64, i64) {
    match problem {
        Problem::Cnf(cnf) => (cnf.unsatisfied(assignment), 0),
        Problem::Wcnf(wcnf) => (wcnf.hard_unsatisfied(assignment), wcnf.cost(assignment)),
        Problem::Ising(ising) => (0, ising.energy(assignment)),
    }
}

/// The least energy among assignments without violation.
fn optimum(problem: &Problem) -> Option<(i64, Vec<bool>)> {
    assignments(problem.variables())
        .filter_map(|a| match score(problem, &a) {
            (0, energy) => Some((energy, a)),
            _ => None,
        })
        .min_by_key(|(energy, _)| *energy)
}

/// Checks every law for one problem; `pick` chooses the component assignments of the state law.
fn check(problem: &Problem, options: &NormaliseOptions, picks: &[u64]) {
    let normalised = normalise(problem, options);
    let restore = &normalised.restore;
    let best = optimum(problem);
    if normalised.decided == Some(Decided::Unsatisfiable) {
        assert_eq!(best, None);
        return;
    }
    assert_eq!(normalised.components.is_empty(), normalised.decided == Some(Decided::Solved));
    assert!(normalised.components.len() <= options.components_max);
    let kept: u32 = normalised.components.iter().map(Problem::variables).sum();
    assert_eq!(kept, normalised.statistics.variables_after);

    // Every state.
    for &pick in picks {
        let chosen: Vec<Vec<bool>> = (normalised.components.iter().enumerate())
            .map(|(c, p)| {
                let bits = crate::mix::mix64(pick ^ c as u64);
                (0..p.variables()).map(|v| bits >> v & 1 == 1).collect()
            })
            .collect();
        let parts: Vec<_> = normalised.components.iter().zip(&chosen).map(|(p, a)| score(p, a)).collect();
        let (violated, energy) = score(problem, &restore.restore(&chosen));
        assert_eq!(violated == 0, parts.iter().all(|p| p.0 == 0), "hard clauses carry over");
        if violated == 0 {
            assert_eq!(energy, restore.energy(parts.iter().map(|p| p.1).sum()), "energies carry over");
        }
    }

    // The optimum.
    let parts: Vec<_> = normalised.components.iter().map(optimum).collect();
    if parts.iter().any(Option::is_none) {
        assert_eq!(best, None);
        return;
    }
    let (energies, states): (Vec<i64>, Vec<Vec<bool>>) = parts.into_iter().flatten().unzip();
    let (best, best_state) = best.expect("the components have a solution, so the problem has");
    let sum = energies.iter().sum();
    assert_eq!(restore.energy(sum), best);
    assert_eq!(restore.component_target(best), sum);
    let restored = restore.restore(&states);
    assert_eq!(score(problem, &restored), (0, best));

    // Projecting what was restored gives the same; projecting an optimum never loses.
    assert_eq!(restore.project(&restored), states);
    if matches!(problem, Problem::Ising(_)) {
        let again = restore.restore(&restore.project(&best_state));
        assert_eq!(score(problem, &again), (0, best));
    }
}

fn check_all(problem: &Problem, picks: &[u64]) {
    let options = NormaliseOptions::default();
    check(problem, &options, picks);
    check(problem, &NormaliseOptions::split_only(), picks);
    for elimination in [SpinElimination::Off, SpinElimination::DegreeThree] {
        let options = NormaliseOptions {
            components_max: 2,
            equivalences: false,
            keep_unit_couplings: false,
            spin_elimination: elimination,
            ..NormaliseOptions::default()
        };
        check(problem, &options, picks);
    }
    check(problem, &NormaliseOptions { split: false, pure_literals: false, ..options }, picks);
}

fn literals(variables: u32, longest: usize) -> impl Strategy<Value = Vec<Literal>> {
    prop::collection::vec((0..variables, any::<bool>()).prop_map(|(v, n)| Literal::new(v, n)), 0..=longest)
        // Mostly clauses of two and more, or all would be settled by units.
        .prop_filter("rarely short", |c| c.len() >= 2 || c.first().is_some_and(|l| l.variable() % 3 == 0))
}

fn clauses(variables: u32, most: usize) -> impl Strategy<Value = Vec<Vec<Literal>>> {
    prop::collection::vec(literals(variables, 4), 0..most)
}

/// The clauses that spell out a sum modulo two of distinct variables.
fn spell(variables: &[u32], sum: bool) -> Vec<Vec<Literal>> {
    (0u32..1 << variables.len())
        .filter(|signs| (signs.count_ones() % 2 == 1) != sum)
        .map(|signs| {
            variables.iter().enumerate().map(|(i, &v)| Literal::new(v, signs >> i & 1 == 1)).collect()
        })
        .collect()
}

/// Sums of two to six variables, spelled out.
fn parities(variables: u32, most: usize) -> impl Strategy<Value = Vec<Vec<Literal>>> {
    let all: Vec<u32> = (0..variables).collect();
    let one = (prop::sample::subsequence(all, 2..=variables.min(6) as usize), any::<bool>());
    prop::collection::vec(one, 0..most)
        .prop_map(|sums| sums.into_iter().flat_map(|(variables, sum)| spell(&variables, sum)).collect())
}

fn ising() -> impl Strategy<Value = Problem> {
    (1u32..11, 1i64..5, any::<bool>()).prop_flat_map(|(spins, largest, fields)| {
        let pairs = prop::collection::vec((0..spins, 0..spins, -largest..=largest), 0..16);
        let fields = prop::collection::vec(if fields { -largest..=largest } else { 0..=0 }, spins as usize);
        (pairs, fields, -9i64..9).prop_map(move |(pairs, fields, offset)| {
            let mut couplings = std::collections::BTreeMap::new();
            for (i, j, weight) in pairs {
                if i != j && weight != 0 {
                    couplings.insert((i.min(j), i.max(j)), weight);
                }
            }
            let couplings = couplings.into_iter().map(|((i, j), weight)| (i, j, weight)).collect();
            Problem::Ising(Ising { spins, couplings, fields, offset })
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn cnf_laws(
        problem in (1u32..13).prop_flat_map(|n| clauses(n, 30).prop_map(move |c| Problem::Cnf(Cnf { variables: n, clauses: list(&c) }))),
        picks in prop::collection::vec(any::<u64>(), 8),
    ) {
        check_all(&problem, &picks);
    }

    #[test]
    fn parity_laws(
        (n, sums, others) in (2u32..13).prop_flat_map(|n| (Just(n), parities(n, 9), clauses(n, 4))),
        picks in prop::collection::vec(any::<u64>(), 8),
    ) {
        let all: Vec<_> = sums.into_iter().chain(others).collect();
        check_all(&Problem::Cnf(Cnf { variables: n, clauses: list(&all) }), &picks);
    }

    #[test]
    fn hard_parity_laws(
        (n, hard, soft) in (2u32..10).prop_flat_map(|n| (Just(n), parities(n, 5), prop::collection::vec((literals(n, 3), 1u64..9), 0..12))),
        picks in prop::collection::vec(any::<u64>(), 8),
    ) {
        let (soft, weights): (Vec<_>, Vec<_>) = soft.into_iter().unzip();
        let problem = Problem::Wcnf(Wcnf { variables: n, hard: list(&hard), soft: list(&soft), weights, offset: 0 });
        check_all(&problem, &picks);
    }

    #[test]
    fn wcnf_laws(
        (n, hard, soft) in (1u32..11).prop_flat_map(|n| (Just(n), clauses(n, 10), prop::collection::vec((literals(n, 3), 1u64..9), 0..20))),
        offset in -5i64..5,
        picks in prop::collection::vec(any::<u64>(), 8),
    ) {
        let (soft, weights): (Vec<_>, Vec<_>) = soft.into_iter().unzip();
        let problem = Problem::Wcnf(Wcnf { variables: n, hard: list(&hard), soft: list(&soft), weights, offset });
        check_all(&problem, &picks);
    }

    #[test]
    fn ising_laws(problem in ising(), picks in prop::collection::vec(any::<u64>(), 8)) {
        check_all(&problem, &picks);
    }

    #[test]
    fn unit_couplings_stay_units(problem in ising()) {
        let Problem::Ising(mut ising) = problem else { unreachable!() };
        ising.couplings.iter_mut().for_each(|c| c.2 = 3 * c.2.signum());
        for part in normalise(&Problem::Ising(ising), &NormaliseOptions::default()).components {
            let Problem::Ising(part) = part else { unreachable!() };
            prop_assert!(part.couplings.iter().all(|c| c.2.abs() == 3));
            prop_assert!(part.couplings.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
            prop_assert!(part.couplings.iter().all(|c| c.0 < c.1 && c.1 < part.spins));
        }
    }
}

#[test]
fn units_contradict() {
    let problem = cnf_of(3, &[&[1], &[-1, 2], &[-2, 3], &[-3, -1]]);
    assert_eq!(normalise(&problem, &NormaliseOptions::default()).decided, Some(Decided::Unsatisfiable));
    // An implication circle through both signs, without any unit.
    let problem = cnf_of(2, &[&[1, 2], &[1, -2], &[-1, 2], &[-1, -2]]);
    assert_eq!(normalise(&problem, &NormaliseOptions::default()).decided, Some(Decided::Unsatisfiable));
}

#[test]
fn each_clause_rule_is_counted() {
    let problem = cnf_of(
        12,
        &[
            &[1],          // a unit
            &[-1, 2],      // which implies a second
            &[3, 3, 4, 5], // a repeated literal, and a superset of the next
            &[3, 4],
            &[-3, -4],
            &[3, -4, 5],
            &[-3, 4, 5],
            &[-3, 4, -5], // with the one above, not x3 or x4: but no rule here sees that
            &[3, -4, -5],
            &[4, 3],         // a duplicate
            &[6, -6, 7],     // a tautology
            &[8, -3],        // x8 is pure
            &[9, -10],       // x9 = x10
            &[-9, 10],       //
            &[9, 10, 3, -5], // keeps them
            &[-9, -10, 5, 4],
        ],
    );
    let normalised =
        normalise(&problem, &NormaliseOptions { equivalences: true, ..NormaliseOptions::default() });
    let statistics = &normalised.statistics;
    assert_eq!(statistics.implied, 2);
    assert!(statistics.pure >= 1);
    // x3 = not x4 from the two binary clauses, x9 = x10.
    assert_eq!(statistics.equivalent, 2);
    check_all(&problem, &[1, 2, 3]);

    let plain = NormaliseOptions { equivalences: false, pure_literals: false, ..NormaliseOptions::default() };
    let statistics = normalise(&problem, &plain).statistics;
    assert_eq!((statistics.duplicate_clauses, statistics.subsumed), (1, 1));
    assert_eq!((statistics.tautologies, statistics.duplicate_literals), (1, 1));
    assert_eq!((statistics.equivalent, statistics.pure, statistics.subsumption_cut), (0, 0, false));
}

#[test]
fn soft_clauses_merge_and_settle() {
    let hard = [clause_of(&[1, 2]), clause_of(&[-1, -2, 3])];
    let soft = [&[3][..], &[-3], &[-3], &[2, 1], &[1, 2, 3], &[-1, -3], &[-3, -1], &[]].map(clause_of);
    let problem = Problem::Wcnf(Wcnf {
        variables: 3,
        hard: list(&hard),
        soft: list(&soft),
        weights: vec![5, 2, 1, 7, 7, 1, 2, 11],
        offset: 100,
    });
    let plain = NormaliseOptions { pure_literals: false, ..NormaliseOptions::default() };
    let normalised = normalise(&problem, &plain);
    let statistics = &normalised.statistics;
    assert_eq!((statistics.duplicate_clauses, statistics.soft_implied, statistics.opposite_units), (2, 2, 1));
    assert_eq!(normalised.restore.constant(), 100 + 11 + 3);
    let [Problem::Wcnf(part)] = &normalised.components[..] else { panic!("one component") };
    assert_eq!(part.weights, [2, 3]);
    assert_eq!(part.hard.len(), 2);
    check_all(&problem, &[4, 5, 6]);
}

#[test]
fn trees_and_rings_of_spins_vanish() {
    let ring: Vec<_> =
        (0..9).map(|i| (i, i + 1, if i % 3 == 0 { 2 } else { -1 })).chain([(0, 9, 1)]).collect();
    let mut ring = ring;
    ring.sort_unstable();
    let problem = Problem::Ising(Ising { spins: 10, couplings: ring, fields: vec![0; 10], offset: 0 });
    let normalised = normalise(&problem, &NormaliseOptions::default());
    assert_eq!(normalised.decided, Some(Decided::Solved));
    check_all(&problem, &[7, 8]);

    // A star with a hub of high degree and fields on the leaves.
    let spins = 12;
    let star: Vec<_> = (1..spins).map(|i| (0, i, i64::from(i % 4) - 5)).collect();
    let fields = (0..i64::from(spins)).map(|i| i % 3 - 1).collect();
    let problem = Problem::Ising(Ising { spins, couplings: star, fields, offset: -3 });
    assert_eq!(normalise(&problem, &NormaliseOptions::default()).decided, Some(Decided::Solved));
    check_all(&problem, &[9, 10]);
}

#[test]
fn weights_near_the_bound_are_left_alone() {
    let big = (crate::canonical::WEIGHT_SUM_MAX - 8) / 4;
    let couplings = vec![(0, 1, big), (0, 2, big - 1), (1, 2, -big + 2)];
    let problem = Problem::Ising(Ising { spins: 3, couplings, fields: vec![big, 1, 0], offset: 2 });
    check_all(&problem, &[1, 2, 3]);
    let largest = crate::canonical::WEIGHT_SUM_MAX;
    let couplings = vec![(0, 1, largest / 2), (1, 2, largest / 2)];
    let problem = Problem::Ising(Ising { spins: 3, couplings, fields: vec![0; 3], offset: largest / 2 });
    let normalised = normalise(&problem, &NormaliseOptions::default());
    assert_eq!(normalised.statistics.variables_after, 3);
}

/// Larger problems than brute force can solve: the state law, and that projecting never loses.
fn check_large(problem: &Problem, options: &NormaliseOptions, seed: u64) {
    let normalised = normalise(problem, options);
    let draw = |salt: u64| {
        move |index: u64| crate::mix::mix64(seed ^ crate::mix::mix64(salt << 32 | index)) & 1 == 1
    };
    for round in 0..4 {
        let original: Vec<bool> = (0..u64::from(problem.variables())).map(draw(round)).collect();
        let projected = normalised.restore.project(&original);
        let parts = normalised.components.iter().zip(&projected).map(|(p, a)| score(p, a).1);
        let restored = normalised.restore.restore(&projected);
        let (_, energy) = score(problem, &restored);
        assert_eq!(energy, normalised.restore.energy(parts.sum()), "seed {seed}");
        assert!(energy <= score(problem, &original).1, "seed {seed}");
        assert_eq!(normalised.restore.project(&restored), projected);
    }
}

#[test]
fn laws_hold_at_scale() {
    use crate::generate::*;
    let spins = |kind: Kind, seed: u64, fields: i64| {
        let (spins, couplings) = match generate(&kind, seed).unwrap().content {
            Content::Graph { vertices, edges } => (vertices, edges),
            Content::Ising(ising) => (ising.spins, ising.couplings),
            _ => panic!("no spins"),
        };
        let field =
            |s: u32| (crate::mix::mix64(seed << 32 | u64::from(s)) % (2 * fields as u64 + 1)) as i64 - fields;
        Problem::Ising(Ising { spins, couplings, fields: (0..spins).map(field).collect(), offset: -7 })
    };
    for seed in 0..6 {
        for weights in [Weights::Signs, Weights::Uniform(9), Weights::Gaussian(1 << 20)] {
            for fields in [0, 3, 1 << 20] {
                let graph = RandomGraph { vertices: 3000, edges: 5000, weights };
                let lattice = Lattice { side: 30, dimensions: 2, weights };
                for kind in [Kind::RandomGraph(graph), Kind::Lattice(lattice)] {
                    let problem = spins(kind, seed, fields);
                    let all = NormaliseOptions {
                        spin_elimination: SpinElimination::DegreeThree,
                        keep_unit_couplings: false,
                        ..NormaliseOptions::default()
                    };
                    check_large(&problem, &NormaliseOptions::default(), seed);
                    check_large(&problem, &all, seed);
                }
            }
        }
        let kind =
            RandomMaxsat { variables: 2000, clauses: 3000, length: 2, weight_max: 5, hard_per_mille: 0 };
        let Content::Wcnf(wcnf) = generate(&Kind::RandomMaxsat(kind), seed).unwrap().content else {
            panic!("WCNF")
        };
        check_large(&Problem::Wcnf(wcnf), &NormaliseOptions::default(), seed);
    }
}

/// A hidden solution survives: the components of its projection are satisfied where it was kept, and a
/// search of the components alone would find one.
#[test]
fn satisfiable_problems_stay_so() {
    use crate::generate::*;
    let kinds = [
        Kind::PlantedSat(PlantedSat { variables: 400, clauses: 700, ..PlantedSat::default() }),
        Kind::Parity(Parity::default()),
        Kind::Colouring(Colouring::default()),
    ];
    for kind in kinds {
        for seed in 0..10 {
            let generated = generate(&kind, seed).unwrap();
            let (Content::Cnf(cnf), Some(planted)) = (generated.content, generated.planted) else {
                panic!("planted CNF")
            };
            let problem = Problem::Cnf(cnf);
            let normalised = normalise(&problem, &NormaliseOptions::default());
            assert_ne!(normalised.decided, Some(Decided::Unsatisfiable));
            // Kept clauses are implied by the problem's, up to pure literals, which a solution can
            // take on without harm: so its projection satisfies the components.
            let projected = normalised.restore.project(&planted);
            for (part, assignment) in normalised.components.iter().zip(&projected) {
                assert_eq!(score(part, assignment).0, 0, "{kind:?}, seed {seed}");
            }
            assert_eq!(score(&problem, &normalised.restore.restore(&projected)).0, 0);
        }
    }
}

/// Systems of three-variable sums over a cycle of `variables` with random chords, one sum a variable: with the sum of all
/// rows in mind, the last one makes or breaks it.
fn parity_system(variables: u32, seed: u64, is_satisfiable: bool) -> Problem {
    let draw = |index: u64| crate::mix::mix64(seed << 32 | index);
    let hidden: Vec<bool> = (0..u64::from(variables)).map(|v| draw(v) & 1 == 1).collect();
    let mut all = Vec::new();
    let mut total = (Vec::new(), false);
    for row in 0..variables - 1 {
        let chord = (draw(u64::from(variables + row)) % u64::from(variables)) as u32;
        let mut sum = vec![row, (row + 1) % variables, chord];
        sum.sort_unstable();
        sum.dedup();
        let value = sum.iter().filter(|&&v| hidden[v as usize]).count() % 2 == 1;
        all.extend(spell(&sum, value));
        if row < 2 {
            total.0.extend(sum);
            total.1 ^= value;
        }
    }
    // The sum of two rows follows from them; its opposite contradicts them.
    let mut last: Vec<u32> = total.0.clone();
    last.retain(|v| total.0.iter().filter(|w| *w == v).count() == 1);
    last.sort_unstable();
    all.extend(spell(&last, total.1 == is_satisfiable));
    Problem::Cnf(Cnf { variables, clauses: list(&all) })
}

#[test]
fn systems_of_parities_are_decided() {
    for (variables, seed) in [(30, 1), (300, 2), (3000, 3)] {
        let problem = parity_system(variables, seed, true);
        let normalised = normalise(&problem, &NormaliseOptions::default());
        assert_eq!(normalised.decided, Some(Decided::Solved), "{variables} {:?}", normalised.statistics);
        assert_eq!(score(&problem, &normalised.restore.restore(&[])).0, 0);
        let problem = parity_system(variables, seed, false);
        let normalised = normalise(&problem, &NormaliseOptions::default());
        assert_eq!(normalised.decided, Some(Decided::Unsatisfiable));
    }
}

#[test]
fn parities_beyond_the_work_bound_are_kept() {
    // Random sums fill up: elimination gives up, and what is left is the problem.
    let variables = 20_000u64;
    let sum = |row: u64| {
        let mut sum: Vec<u32> = (0..3).map(|k| (crate::mix::mix64(row * 3 + k) % variables) as u32).collect();
        sum.sort_unstable();
        sum.dedup();
        sum
    };
    let all: Vec<_> = (0..variables * 98 / 100).flat_map(|row| spell(&sum(row), row % 2 == 0)).collect();
    let problem = Problem::Cnf(Cnf { variables: variables as u32, clauses: list(&all) });
    let normalised = normalise(&problem, &NormaliseOptions::default());
    assert!(normalised.statistics.parities > 10_000, "{:?}", normalised.statistics);
    if normalised.decided == Some(Decided::Solved) {
        assert_eq!(score(&problem, &normalised.restore.restore(&[])).0, 0);
    }
}

#[test]
fn normalising_is_a_function() {
    let clauses: Vec<Vec<Literal>> = (0..4000u64)
        .map(|c| (0..3).map(|k| Literal::from_code((crate::mix::mix64(c * 3 + k) % 2000) as u32)).collect())
        .collect();
    let problem = Problem::Cnf(Cnf { variables: 1000, clauses: list(&clauses) });
    let first = normalise(&problem, &NormaliseOptions::default());
    let second = normalise(&problem, &NormaliseOptions::default());
    assert_eq!(first.components, second.components);
    assert_eq!(first.statistics, second.statistics);
}
