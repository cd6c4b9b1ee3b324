use super::*;
use crate::canonical::{Cnf, Literal};
use crate::generate::*;

fn problem(kind: Kind) -> Problem {
    match generate(&kind, 3).unwrap().content {
        Content::Cnf(cnf) => Problem::Cnf(cnf),
        Content::Wcnf(wcnf) => Problem::Wcnf(wcnf),
        Content::Ising(ising) => Problem::Ising(ising),
        Content::Graph { vertices, edges } => Problem::Ising(Ising {
            spins: vertices,
            couplings: edges,
            fields: vec![0; vertices as usize],
            offset: 0,
        }),
        Content::Qubo { .. } => panic!("not canonical"),
    }
}

#[test]
fn distributions() {
    let d = Distribution::of([0, 3, 3, 9, 16, 17, 32, 33, u32::MAX].into_iter());
    let buckets: Vec<_> = d.histogram.iter().map(|b| (b.from, b.to, b.count)).collect();
    assert_eq!(
        buckets,
        [(0, 0, 1), (3, 3, 2), (9, 16, 2), (17, 32, 2), (33, 64, 1), (1 << 31 | 1, u32::MAX, 1)]
    );
    assert_eq!((d.least, d.most), (0, u32::MAX));
    let regular = Distribution::of([4; 10].into_iter());
    assert_eq!((regular.mean, regular.dispersion), (4.0, 0.0));
    assert_eq!(Distribution::of(std::iter::empty()), Distribution::default());
}

#[test]
fn arithmetic_classes() {
    let chain = |weights: &[i64], field: i64| Ising {
        spins: weights.len() as u32 + 1,
        couplings: weights.iter().enumerate().map(|(k, &w)| (0, k as u32 + 1, w)).collect(),
        fields: std::iter::once(field).chain(weights.iter().map(|_| 0)).collect(),
        offset: 0,
    };
    let class = |weights: &[i64], field| ArithmeticClass::of(&chain(weights, field));
    assert_eq!(class(&[6; 127], 0), ArithmeticClass::I8);
    assert_eq!(class(&[6; 127], -6), ArithmeticClass::I16);
    assert_eq!(class(&[-6; 128], 0), ArithmeticClass::I16);
    assert_eq!(class(&[6, 12], 0), ArithmeticClass::I32);
    assert_eq!(class(&[6; 3], 5), ArithmeticClass::I32);
    assert_eq!(class(&[6 << 40, 12 << 40], 0), ArithmeticClass::I32);
    assert_eq!(class(&[(1 << 30) - 2, 1], 0), ArithmeticClass::I32);
    assert_eq!(class(&[(1 << 30) - 1, 1], 0), ArithmeticClass::I64);
    assert_eq!(class(&[], 0), ArithmeticClass::I8);
}

#[test]
fn structures_are_told_apart() {
    let random = Structure::of(&problem(Kind::UniformSat(UniformSat::default())));
    assert!(random.looks_random() && !random.looks_like_lattice(), "{random:?}");
    assert_eq!(random.uniform_length, Some(3));
    let planted = Structure::of(&problem(Kind::PlantedSat(PlantedSat::default())));
    assert!(planted.looks_random(), "{planted:?}");

    let circuit = Structure::of(&problem(Kind::Counter(Counter::default())));
    assert!(!circuit.looks_random());
    let clustered = Structure::of(&problem(Kind::SoftColouring(SoftColouring::default())));
    assert!(clustered.modularity > Some(0.3), "{clustered:?}");
    assert!(random.modularity < Some(0.2), "{random:?}");
    assert!(clustered.index_distance < 0.5 && (0.8..1.2).contains(&random.index_distance));

    let torus = Structure::of(&problem(Kind::ToroidalGrid(ToroidalGrid::default())));
    assert!(torus.looks_like_lattice() && torus.unit_weights);
    assert_eq!(torus.regular_degree, Some(4));
    let cube = Lattice { side: 8, dimensions: 3, weights: Weights::Gaussian(100) };
    let cube = Structure::of(&problem(Kind::Lattice(cube)));
    assert!(cube.looks_like_lattice() && !cube.unit_weights);
    let regular = Structure::of(&problem(Kind::RegularGraph(RegularGraph::default())));
    assert!(!regular.looks_like_lattice(), "{regular:?}");
    let planar = Structure::of(&problem(Kind::PlanarUnion(PlanarUnion::default())));
    assert!(planar.degree_dispersion > 3.0);
    let dense = Structure::of(&problem(Kind::SherringtonKirkpatrick(SherringtonKirkpatrick::default())));
    assert_eq!(dense.density, 1.0);
}

#[test]
fn reports_say_what_there_is() {
    let clauses = [&[1, 2, 3][..], &[-1, 2], &[4], &[-4, 5, 1], &[1, -2]];
    let mut list = ClauseList::new();
    for clause in clauses {
        list.push(&clause.iter().map(|&l| Literal::from_dimacs(l)).collect::<Vec<_>>());
    }
    let report = inspect(&Problem::Cnf(Cnf { variables: 6, clauses: list }));
    assert_eq!(
        report.to_string().replace(&report.content_id, "ID"),
        "\
kind                  CNF (satisfiability)
content id            ID
variables             6
clauses               5 (0.833 a variable)
literals              11
clause lengths        1 to 3, mean 2.20, dispersion 0.25
                      1: 1  2: 2  3: 2
degrees               0 to 4, mean 1.83, dispersion 0.98
                      0: 1  1: 2  2: 1  3: 1  4: 1
cost                  11 ECU a step of a chip
structure             40 % binary clauses, 73 % positive literals, modularity 0.21
normalising           solves the problem
  implied             1
  pure                2
  unused              2
  equivalent          1
"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["kind"], "cnf");
    assert_eq!(json["reduction"]["decided"], "solved");
    assert_eq!(json["clause_lengths"]["histogram"][0]["count"], 1);

    for (name, _, kind) in Kind::catalogue() {
        if matches!(kind, Kind::RandomQubo(_) | Kind::Palubeckis(_)) {
            continue;
        }
        let text = inspect(&problem(kind)).to_string();
        let aligned =
            |line: &str| line.len() > 22 && line.as_bytes()[21] == b' ' && line.as_bytes()[22] != b' ';
        assert!(text.lines().all(aligned), "{name}:\n{text}");
    }
}

#[test]
fn empty_problems_are_inspected() {
    for problem in
        [Problem::Cnf(Cnf::default()), Problem::Wcnf(Wcnf::default()), Problem::Ising(Ising::default())]
    {
        let report = inspect(&problem);
        assert_eq!((report.variables, report.updates_per_step), (0, 0));
        assert_eq!(report.reduction.decided, Some(Decided::Solved));
        assert!(!report.to_string().contains("NaN"));
    }
}
