//! Writing and reading are inverse, and conversions keep the objective as they say.

use super::*;
use hysteron_problem::{ClauseList, Cnf, Ising, Kind, Literal, Objective, Problem, Wcnf, write};
use proptest::prelude::*;

const VARIABLES: u32 = 4;

fn literals() -> impl Strategy<Value = Vec<Literal>> {
    let literal = (0..VARIABLES, any::<bool>()).prop_map(|(v, negative)| Literal::new(v, negative));
    prop::collection::vec(literal, 0..4)
}

fn clause_list(clauses: &[Vec<Literal>]) -> ClauseList {
    let mut list = ClauseList::new();
    clauses.iter().for_each(|c| list.push(c));
    list
}

fn terms() -> impl Strategy<Value = Vec<(u32, u32, i64)>> {
    prop::collection::vec((0..VARIABLES, 0..VARIABLES, -9i64..10), 0..8)
}

/// Distinct couplings and all fields.
fn ising() -> impl Strategy<Value = Problem> {
    (prop::collection::vec(-3i64..4, 6), prop::collection::vec(-3i64..4, 4), -5i64..6).prop_map(
        |(weights, fields, offset)| {
            let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
            let couplings = pairs.iter().zip(weights).filter(|(_, w)| *w != 0).map(|(&(i, j), w)| (i, j, w));
            Problem::Ising(Ising { spins: VARIABLES, couplings: couplings.collect(), fields, offset })
        },
    )
}

/// Documents of every kind, with decimal weights among them.
fn documents() -> impl Strategy<Value = Document> {
    let clauses = || prop::collection::vec(literals(), 0..6);
    let cnf = clauses().prop_map(|c| {
        Document::from_problem(Problem::Cnf(Cnf { variables: VARIABLES, clauses: clause_list(&c) })).unwrap()
    });
    let wcnf = (clauses(), prop::collection::vec((literals(), 1u64..9), 0..5), -3i64..4, any::<bool>())
        .prop_map(|(hard, soft, offset, partial)| {
            let hard = clause_list(if partial { &hard } else { &[] });
            let weights = soft.iter().map(|s| s.1).collect();
            let soft =
                soft.into_iter().map(|s| if partial { s.0 } else { s.0.into_iter().take(2).collect() });
            let soft = clause_list(&soft.collect::<Vec<_>>());
            let wcnf = Wcnf { variables: VARIABLES, hard, soft, weights, offset };
            Document::from_problem(Problem::Wcnf(wcnf)).unwrap()
        });
    let opb = (terms(), -4i64..5, prop::sample::select(vec![">=", "<=", "="]), 0..3).prop_map(
        |(terms, bound, relation, objective)| {
            let mut text = format!("* #variable= {VARIABLES}\n");
            text += ["", "min: -1 x1 +2 ~x3 ;\n", "max: 0.5 x1 -2 x2 ;\n"][objective as usize];
            for &(v, sign, weight) in &terms {
                text += &format!("{weight:+} {}x{} ", if sign > 1 { "~" } else { "" }, v + 1);
            }
            detect(&format!("{text} {relation} {bound} ;\n"))
        },
    );
    let decimal = (terms(), any::<bool>(), -9i32..10).prop_map(|(terms, spin, offset)| {
        let mut text = format!(
            "# vartype={}\n# ObjectiveOffset {}\n",
            if spin { "SPIN" } else { "BINARY" },
            f64::from(offset) / 8.0
        );
        terms.iter().for_each(|&(i, j, w)| text += &format!("{i} {j} {}\n", w as f64 / 4.0));
        text += "3 3 0\n";
        detect(&text)
    });
    let graph = terms().prop_map(|t| Document::max_cut(VARIABLES, t).unwrap());
    let qubo = (terms(), -5i64..6).prop_map(|(t, offset)| Document::qubo(VARIABLES, t, offset).unwrap());
    let library = terms().prop_map(|terms| {
        let upper: Vec<_> = terms.iter().map(|&(i, j, w)| (i.min(j) + 1, i.max(j) + 1, w)).collect();
        let mut text = format!("1\n{VARIABLES} {}\n", upper.len());
        upper.iter().for_each(|(i, j, w)| text += &format!("{i} {j} {w}\n"));
        detect(&text)
    });
    let maxsat = clauses().prop_map(|c| {
        let cnf = Problem::Cnf(Cnf { variables: VARIABLES, clauses: clause_list(&c) });
        let mut text = Vec::new();
        write(&Document::from_problem(cnf).unwrap(), Format::DimacsCnf, &mut text).unwrap();
        read(&text, None, &ReadOptions { maxsat: true, ..ReadOptions::default() }).unwrap()
    });
    let ising = ising().prop_map(|p| Document::from_problem(p).unwrap());
    prop_oneof![cnf, wcnf, opb, decimal, graph, qubo, library, maxsat, ising]
}

fn text_of(document: &Document, format: Format) -> Vec<u8> {
    let mut text = Vec::new();
    write(document, format, &mut text).unwrap();
    text
}

fn read_back(text: &[u8], format: Format, maxsat: bool) -> Document {
    let options = ReadOptions { format: Some(format), maxsat, ..ReadOptions::default() };
    read(text, None, &options).unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(text)))
}

/// The best objective over the variables that a conversion added, among the assignments with the
/// fewest violated constraints.
fn best_extension(document: &Document, assignment: &[bool]) -> (u64, Objective) {
    let added = document.variables() as usize - assignment.len();
    let better = if document.sense() == hysteron_problem::Sense::Maximise { -1 } else { 1 };
    let scores = assignments(added as u32).map(|extension| {
        let score = document.score(&[assignment, &extension].concat());
        (score.hard_unsatisfied, score.objective)
    });
    scores.min_by(|a, b| a.0.cmp(&b.0).then(if better > 0 { a.1.cmp(&b.1) } else { b.1.cmp(&a.1) })).unwrap()
}

/// Whether a document of its kind can be written as `format`; clausal ones need a closer look.
fn must_be_written(document: &Document, format: Format) -> Option<bool> {
    let clausal = matches!(format, Format::WcnfOld | Format::WcnfNew);
    match document.kind() {
        Kind::Qubo | Kind::Ising | Kind::MaxCut => Some(format != Format::DimacsCnf),
        Kind::Cnf => Some(clausal || matches!(format, Format::DimacsCnf | Format::Opb)),
        Kind::PseudoBoolean if format == Format::DimacsCnf => {
            Some(matches!(document.problem(), Problem::Cnf(_)))
        }
        Kind::PseudoBoolean => Some(clausal || format == Format::Opb),
        Kind::MaxSat | Kind::Wcnf => (clausal || format == Format::Opb).then_some(true),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn conversions_keep_the_objective_and_files_are_stable(document in documents()) {
        for format in Format::ALL {
            let converted = document.convert(format);
            prop_assert!(must_be_written(&document, format).is_none_or(|must| must == converted.is_ok()), "{}", format);
            let Ok((_, map)) = converted else {
                prop_assert!(write(&document, format, &mut Vec::new()).is_err());
                continue;
            };
            let maxsat = document.kind() == Kind::MaxSat;
            let first = text_of(&document, format);
            let again = read_back(&first, format, maxsat);
            let second = text_of(&again, format);
            let third = text_of(&read_back(&second, format, maxsat), format);
            prop_assert_eq!(&second, &third);
            if map == hysteron_problem::AffineMap::IDENTITY {
                prop_assert_eq!(String::from_utf8(first).unwrap(), String::from_utf8(second).unwrap());
            }
            for assignment in assignments(VARIABLES) {
                let own = document.score(&assignment);
                // Translated constraints have many auxiliary variables; the encoder tests its own.
                if again.variables() > VARIABLES + 10 {
                    break;
                }
                // WCNF files since 2022 do not say how many variables there are.
                let shown = &assignment[..assignment.len().min(again.variables() as usize)];
                let score = if format == Format::Rudy {
                    let mut spins = assignment.clone();
                    spins.resize(again.variables() as usize, true);
                    (0, again.score(&spins).objective)
                } else {
                    best_extension(&again, shown)
                };
                prop_assert_eq!(own.hard_unsatisfied == 0, score.0 == 0, "{} {:?}", format, assignment);
                let satisfy = document.sense() == hysteron_problem::Sense::Satisfy;
                if own.hard_unsatisfied == 0 && !satisfy {
                    prop_assert_eq!(map.apply(score.1), Some(own.objective), "{} {:?}", format, assignment);
                }
            }
        }
    }

    #[test]
    fn the_canonical_energy_is_the_objective(document in documents()) {
        let canonical = document.canonical();
        for assignment in assignments(VARIABLES) {
            let score = document.score(&assignment);
            let mut extended = assignment.clone();
            extended.resize(canonical.problem.variables() as usize, false);
            prop_assert_eq!(document.assignment_from_canonical(&extended), assignment.clone());
            prop_assert_eq!(document.assignment_from_values(&document.assignment_values(&assignment)), Some(assignment));
            let energy = match &canonical.problem {
                Problem::Cnf(_) => continue,
                Problem::Wcnf(wcnf) => wcnf.cost(&extended),
                Problem::Ising(ising) => ising.energy(&extended),
            };
            prop_assert_eq!(canonical.objective.to_objective(energy), score.objective);
            prop_assert_eq!(canonical.objective.to_energy_target(&score.objective), energy);
        }
    }

    #[test]
    fn a_written_problem_is_read_as_the_same_problem(problem in ising()) {
        let document = Document::from_problem(problem).unwrap();
        for format in [Format::IsingCoo, Format::Coo, Format::BqmJson] {
            let again = read_back(&text_of(&document, format), format, false);
            prop_assert_eq!(again.problem().content_id(), document.problem().content_id());
        }
    }
}

#[test]
fn constructors_refuse_what_is_not_canonical() {
    let bad = Ising { spins: 2, couplings: vec![(1, 0, 1)], fields: vec![0, 0], offset: 0 };
    assert!(Document::from_problem(Problem::Ising(bad)).is_err());
    let mut clauses = ClauseList::new();
    clauses.push(&[Literal::new(5, false)]);
    assert!(Document::from_problem(Problem::Cnf(Cnf { variables: 5, clauses })).is_err());
    assert!(Document::max_cut(2, vec![(0, 2, 1)]).is_err());
    assert!(Document::qubo(2, vec![(0, 1, i64::MIN)], 0).is_err());
    assert!(Document::qubo(3, vec![(0, 1, i64::MAX), (1, 2, i64::MAX - 1)], 0).is_err());
    assert!(Document::qubo(1, vec![], i64::MIN).is_err());
}
