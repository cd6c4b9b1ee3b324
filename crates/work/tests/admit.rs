//! What the chain admits and what it refuses, with the reason.

mod common;

use common::problems;
use hysteron_problem::generate::{
    Content, Kind, PlantedSat, RandomQubo, RegularGraph, UniformSat, Weights, generate,
};
use hysteron_problem::{ClauseList, Cnf, Document, Ising, Literal, Problem};
use hysteron_work::{Class, Refusal, STEP_BYTES_MAX, WorkRules, normalisation_check};

fn sat(variables: u32, clauses: u32, length: u32) -> Cnf {
    match generate(&Kind::UniformSat(UniformSat { variables, clauses, length }), 2).unwrap().content {
        Content::Cnf(cnf) => cnf,
        _ => unreachable!(),
    }
}

#[test]
fn good_problems_pass() {
    for (class, problem) in problems() {
        for rules in [WorkRules::main(), WorkRules::devnet()] {
            assert_eq!(normalisation_check(&problem, &rules), Ok(class));
        }
    }
    let long = Problem::Cnf(sat(100, 2000, 5));
    assert_eq!(normalisation_check(&long, &WorkRules::main()), Ok(Class::LongClauses));
}

#[test]
fn what_shrinks_is_refused() {
    let rules = WorkRules::main();
    // A fourth of the variables occur with one sign only.
    let mut cnf = sat(200, 860, 3);
    cnf.variables += 60;
    for variable in 200..260 {
        cnf.clauses.push(&[Literal::new(variable, false), Literal::new(variable - 200, true)]);
    }
    let refusal = normalisation_check(&Problem::Cnf(cnf), &rules).unwrap_err();
    assert!(matches!(refusal, Refusal::Shrinks { .. }), "{refusal}");
    // Two components of the same size.
    let one = sat(100, 430, 3);
    let mut two = ClauseList::new();
    for clause in one.clauses.iter() {
        two.push(clause);
        let moved: Vec<Literal> =
            clause.iter().map(|l| Literal::new(l.variable() + 100, l.is_negative())).collect();
        two.push(&moved);
    }
    let refusal =
        normalisation_check(&Problem::Cnf(Cnf { variables: 200, clauses: two }), &rules).unwrap_err();
    assert!(matches!(refusal, Refusal::Shrinks { what: "variables", before: 200, after: 100 }), "{refusal}");
    // A field on a spin alone.
    let spin = Ising { spins: 1, couplings: vec![], fields: vec![3], offset: 0 };
    assert_eq!(normalisation_check(&Problem::Ising(spin), &rules), Err(Refusal::Decided));
}

#[test]
fn limits_are_named() {
    let rules = WorkRules { variables_max: 50, elements_max: 1000, ..WorkRules::devnet() };
    let refusal = normalisation_check(&Problem::Cnf(sat(60, 200, 3)), &rules).unwrap_err();
    assert_eq!(refusal, Refusal::Variables { variables: 60, most: 50 });
    let refusal = normalisation_check(&Problem::Cnf(sat(50, 400, 3)), &rules).unwrap_err();
    assert_eq!(refusal, Refusal::Elements { elements: 1200, most: 1000 });
    let text = refusal.to_string();
    assert!(text.contains("1000") && text.contains("1200"), "{text}");
}

#[test]
fn weights_and_rows_have_limits() {
    let rules = WorkRules::main();
    let n = 60u32;
    let couplings: Vec<(u32, u32, i64)> = (0..n)
        .flat_map(|i| (1..4).map(move |d| (i, i + d)))
        .filter(|&(_, j)| j < n)
        .map(|(i, j)| (i, j, if (i + j) % 3 == 0 { -(1 << 40) - 1 } else { (1 << 40) + i64::from(i) }))
        .collect();
    let problem = Problem::Ising(Ising { spins: n, couplings, fields: vec![0; n as usize], offset: 0 });
    let refusal = normalisation_check(&problem, &rules).unwrap_err();
    assert!(matches!(refusal, Refusal::NoChip(_) | Refusal::Shrinks { .. }), "{refusal}");
    let wide = Problem::Cnf(sat(60, 600, 12));
    let refusal = normalisation_check(&wide, &rules).unwrap_err();
    assert!(matches!(refusal, Refusal::NoChip(_)), "{refusal}");
    let bad = Problem::Cnf(Cnf { variables: 1, clauses: sat(60, 100, 3).clauses });
    assert!(matches!(normalisation_check(&bad, &rules), Err(Refusal::NotCanonical(_))));
}

#[test]
fn what_no_cache_holds_is_refused() {
    let rules = WorkRules::main();
    let document = |kind: Kind| match generate(&kind, 2).unwrap().content {
        Content::Graph { vertices, edges } => Document::max_cut(vertices, edges).unwrap(),
        Content::Qubo { variables, terms } => Document::qubo(variables, terms, 0).unwrap(),
        _ => unreachable!(),
    };
    let check = |kind: Kind| normalisation_check(document(kind).problem(), &rules);
    let graph =
        |vertices| Kind::RegularGraph(RegularGraph { vertices, degree: 6, weights: Weights::Uniform(300) });
    // A sweep over all rows, and a matrix of four bytes a coupling.
    let qubo = |variables| {
        let (linear_max, pair_max) = (20_000, 20_000);
        Kind::RandomQubo(RandomQubo { variables, density_per_mille: 300, linear_max, pair_max })
    };
    assert_eq!(check(graph(70_000)), Ok(Class::SparseSpins));
    assert_eq!(check(qubo(1400)), Ok(Class::DenseSpins));
    for kind in [graph(80_000), qubo(1500)] {
        let refusal = check(kind).unwrap_err();
        let Refusal::TooFar { bytes, most } = refusal else { panic!("{refusal}") };
        assert!(most == STEP_BYTES_MAX && bytes > most, "{refusal}");
    }
}

#[test]
fn too_few_steps_are_refused() {
    let planted = PlantedSat { variables: 15_000, clauses: 64_500, all_true_per_mille: 80 };
    let kind = Kind::PlantedSat(planted);
    let Content::Cnf(cnf) = generate(&kind, 2).unwrap().content else { unreachable!() };
    let rules = WorkRules { leg_work: 1_000_000, elements_max: 1 << 20, ..WorkRules::devnet() };
    let refusal = normalisation_check(&Problem::Cnf(cnf), &rules).unwrap_err();
    assert!(matches!(refusal, Refusal::TooCostly { .. }), "{refusal}");
}

#[test]
fn sweeps_beyond_the_caches_are_refused() {
    let graph = |vertices: u32| {
        let kind = Kind::RegularGraph(RegularGraph { vertices, degree: 6, weights: Weights::Signs });
        let Content::Graph { vertices, edges } = generate(&kind, 3).unwrap().content else { unreachable!() };
        Document::max_cut(vertices, edges).unwrap().problem().clone()
    };
    let rules = WorkRules::main();
    assert_eq!(normalisation_check(&graph(20_000), &rules), Ok(Class::SparseSpins));
    let refusal = normalisation_check(&graph(240_000), &rules).unwrap_err();
    assert!(matches!(refusal, Refusal::TooFar { .. }), "{refusal}");
}
