use super::*;
use crate::canonical::Literal;

fn made(kind: Kind, seed: u64) -> Generated {
    generate(&kind, seed).unwrap_or_else(|error| panic!("{kind:?}: {error}"))
}

/// BLAKE3 of the instance in a plain encoding.
fn fingerprint(generated: &Generated) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |bytes: Vec<u8>| {
        hasher.update(&bytes);
    };
    match &generated.content {
        Content::Cnf(cnf) => add(borsh::to_vec(cnf).unwrap()),
        Content::Wcnf(wcnf) => add(borsh::to_vec(wcnf).unwrap()),
        Content::Ising(ising) => add(borsh::to_vec(ising).unwrap()),
        Content::Graph { vertices, edges } => add(borsh::to_vec(&(vertices, edges)).unwrap()),
        Content::Qubo { variables, terms } => add(borsh::to_vec(&(variables, terms)).unwrap()),
    }
    add(borsh::to_vec(&generated.planted).unwrap());
    hasher.finalize().to_hex()[..16].to_string()
}

fn degrees(vertices: u32, edges: &[(u32, u32, i64)]) -> Vec<u32> {
    let mut degrees = vec![0; vertices as usize];
    for &(u, v, _) in edges {
        degrees[u as usize] += 1;
        degrees[v as usize] += 1;
    }
    degrees
}

fn graph(generated: Generated) -> (u32, Vec<(u32, u32, i64)>) {
    match generated.content {
        Content::Graph { vertices, edges } => (vertices, edges),
        _ => panic!("a graph"),
    }
}

/// Every kind, small, with the hash that it must keep forever.
const PINNED: &[(&str, &str)] = &[
    ("uniform-sat", "5b8ad6d08a4305e9"),
    ("planted-sat", "a9c4e84d47ce8a2a"),
    ("random-maxsat", "4cf7702e6fb57c5a"),
    ("pigeonhole", "89c93e0b371da1f1"),
    ("colouring", "1db3b3a5da97a0bf"),
    ("parity", "2a24c74169a0cc68"),
    ("counter", "191a88126da41969"),
    ("factoring", "140e12d002c0ea86"),
    ("auction", "462a9e64666fb1d0"),
    ("vertex-cover", "e544a7f4f387d1ab"),
    ("soft-colouring", "237fde2c6a3f6d1b"),
    ("random-graph", "ab1869f712c2c387"),
    ("planar-union", "3e7a1cac78601e46"),
    ("toroidal-grid", "8fa84986a527e0ab"),
    ("regular-graph", "249b0ede37c456a3"),
    ("sherrington-kirkpatrick", "0aed780ee788bc89"),
    ("lattice", "6d0cff509c112170"),
    ("random-qubo", "c5e262ac6315128e"),
    ("palubeckis", "990e420383b5dd57"),
];

#[test]
fn instances_are_the_same_forever() {
    let mut found = Vec::new();
    for (name, _, kind) in Kind::catalogue() {
        found.push((name, fingerprint(&made(kind, 7))));
    }
    let pinned: Vec<_> = PINNED.iter().map(|&(name, hash)| (name, hash.to_string())).collect();
    assert_eq!(found, pinned);
}

#[test]
fn kinds_are_data() {
    for (name, _, kind) in Kind::catalogue() {
        let text = serde_json::to_string(&kind).unwrap();
        assert_eq!(serde_json::from_str::<Kind>(&text).unwrap(), kind);
        let bare = format!("{{\"kind\": \"{name}\"}}");
        assert_eq!(serde_json::from_str::<Kind>(&bare).unwrap(), kind, "defaults fill in");
        let generated = made(kind, 1);
        assert_eq!(generated, made(serde_json::from_str(&text).unwrap(), 1));
        assert!(generated.comment.contains(name));
    }
    let misspelt = "{\"kind\": \"uniform-sat\", \"variable\": 3}";
    assert!(serde_json::from_str::<Kind>(misspelt).is_err());
    let gaussian = "{\"kind\": \"lattice\", \"side\": 4, \"weights\": {\"gaussian\": 100}}";
    assert!(serde_json::from_str::<Kind>(gaussian).is_ok());
}

#[test]
fn content_is_canonical_and_planted_assignments_hold() {
    let sorted = |list: &[(u32, u32, i64)]| list.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1));
    for (name, _, kind) in Kind::catalogue() {
        for seed in 0..3 {
            let generated = made(kind.clone(), seed);
            let planted = generated.planted.as_deref();
            match &generated.content {
                Content::Cnf(cnf) => {
                    assert!(cnf.clauses.literals().iter().all(|l| l.variable() < cnf.variables), "{name}");
                    assert!(planted.is_none_or(|p| cnf.unsatisfied(p) == 0), "{name}");
                }
                Content::Wcnf(wcnf) => {
                    let literals = wcnf.hard.literals().iter().chain(wcnf.soft.literals());
                    assert!(literals.into_iter().all(|l| l.variable() < wcnf.variables), "{name}");
                    assert_eq!(wcnf.weights.len(), wcnf.soft.len());
                    assert!(wcnf.weights.iter().all(|&w| w >= 1));
                    assert!(planted.is_none_or(|p| wcnf.hard_unsatisfied(p) == 0), "{name}");
                }
                Content::Graph { vertices, edges } => {
                    assert!(sorted(edges) && edges.iter().all(|e| e.0 < e.1 && e.1 < *vertices && e.2 != 0));
                }
                Content::Ising(ising) => {
                    assert!(sorted(&ising.couplings));
                    assert!(ising.couplings.iter().all(|c| c.0 < c.1 && c.1 < ising.spins && c.2 != 0));
                    assert_eq!(ising.fields.len(), ising.spins as usize);
                }
                Content::Qubo { variables, terms } => {
                    assert!(
                        sorted(terms) && terms.iter().all(|t| t.0 <= t.1 && t.1 < *variables && t.2 != 0)
                    );
                }
            }
        }
    }
}

#[test]
fn planted_sat_hides_its_solution() {
    let kind = PlantedSat { variables: 10_000, clauses: 70_000, all_true_per_mille: 80 };
    let generated = made(Kind::PlantedSat(kind), 3);
    let Content::Cnf(cnf) = &generated.content else { panic!("CNF") };
    let solution = generated.planted.as_ref().unwrap();
    let mut with = [0u32; 4];
    let mut true_literals = 0;
    for clause in cnf.clauses.iter() {
        let count = clause.iter().filter(|l| l.holds(solution[l.variable() as usize])).count();
        with[count] += 1;
        true_literals += count;
        let mut variables: Vec<_> = clause.iter().map(|l| l.variable()).collect();
        variables.sort_unstable();
        variables.dedup();
        assert_eq!(variables.len(), 3);
    }
    // Shares 0.58, 0.34, 0.08: five standard deviations are below 0.0094.
    for (found, share) in with.into_iter().zip([0.0, 0.58, 0.34, 0.08]) {
        assert!((f64::from(found) / 70_000.0 - share).abs() < 0.0094, "{with:?}");
    }
    // Half of all literals are true: five standard deviations of the sum of 70 000 draws.
    assert!((true_literals as f64 / 210_000.0 - 0.5).abs() < 0.005);
}

#[test]
fn graphs_have_the_degrees_asked_for() {
    let regular = Kind::RegularGraph(RegularGraph { vertices: 500, degree: 3, weights: Weights::Signs });
    let (vertices, edges) = graph(made(regular, 5));
    assert!(degrees(vertices, &edges).iter().all(|&d| d == 3));

    let torus = Kind::ToroidalGrid(ToroidalGrid { rows: 3, columns: 7, weights: Weights::One });
    let (vertices, edges) = graph(made(torus, 5));
    assert_eq!(edges.len(), 42);
    assert!(degrees(vertices, &edges).iter().all(|&d| d == 4));

    for edges in [10, 4000, 4950] {
        let kind = Kind::RandomGraph(RandomGraph { vertices: 100, edges, weights: Weights::Uniform(5) });
        assert_eq!(graph(made(kind, 5)).1.len(), edges as usize);
    }

    // Gset's G14 has 4694 edges among 800 vertices, its degrees run from 5 to 132.
    let (vertices, edges) = graph(made(Kind::PlanarUnion(PlanarUnion::default()), 5));
    assert!((4600..=4740).contains(&edges.len()), "{}", edges.len());
    let degrees = degrees(vertices, &edges);
    assert!(*degrees.iter().max().unwrap() > 60 && *degrees.iter().min().unwrap() >= 3);

    let lattice = Kind::Lattice(Lattice { side: 4, dimensions: 3, weights: Weights::Gaussian(1000) });
    let Content::Ising(ising) = made(lattice, 5).content else { panic!("Ising") };
    assert!((185..=192).contains(&ising.couplings.len()), "some Gaussian couplings may round to 0");
}

#[test]
fn gaussian_draws_have_the_deviation_asked_for() {
    let mut random = random::Random::new(1, 1);
    let draws: Vec<i64> = (0..20_000).map(|_| random.gaussian(1000)).collect();
    let mean = draws.iter().sum::<i64>() as f64 / 20_000.0;
    let variance = draws.iter().map(|d| (d * d) as f64).sum::<f64>() / 20_000.0;
    assert!(mean.abs() < 36.0, "{mean}");
    assert!((variance.sqrt() - 1000.0).abs() < 30.0, "{variance}");
    let within_one = draws.iter().filter(|d| d.abs() <= 1000).count();
    assert!((13_300..14_000).contains(&within_one), "{within_one}");
}

#[test]
fn small_structured_instances_have_the_right_answer() {
    // Brute force over at most 2^20 assignments is too slow for circuits: propagate and branch.
    fn satisfiable(cnf: &Cnf) -> bool {
        fn search(clauses: &[&[Literal]], value: &mut Vec<Option<bool>>) -> bool {
            let mut trail = Vec::new();
            let open = |l: &Literal, value: &[Option<bool>]| value[l.variable() as usize].is_none();
            let decided = loop {
                let mut unit = None;
                let mut branch = None;
                let mut failed = false;
                for clause in clauses {
                    if clause.iter().any(|l| value[l.variable() as usize].is_some_and(|v| l.holds(v))) {
                        continue;
                    }
                    let mut free = clause.iter().filter(|l| open(l, value));
                    match (free.next(), free.next()) {
                        (None, _) => failed = true,
                        (Some(&l), None) => unit = Some(l),
                        (Some(&l), _) => branch = Some(l),
                    }
                }
                if failed {
                    break Some(false);
                }
                match (unit, branch) {
                    (Some(l), _) => {
                        value[l.variable() as usize] = Some(!l.is_negative());
                        trail.push(l.variable());
                    }
                    (None, None) => break Some(true),
                    (None, Some(l)) => {
                        let v = l.variable() as usize;
                        let mut either = false;
                        for choice in [!l.is_negative(), l.is_negative()] {
                            value[v] = Some(choice);
                            either = either || search(clauses, value);
                        }
                        value[v] = None;
                        break Some(either);
                    }
                }
            };
            trail.into_iter().for_each(|v| value[v as usize] = None);
            decided == Some(true)
        }
        let clauses: Vec<_> = cnf.clauses.iter().collect();
        search(&clauses, &mut vec![None; cnf.variables as usize])
    }
    let answer = |kind: Kind| match made(kind, 1).content {
        Content::Cnf(cnf) => satisfiable(&cnf),
        _ => panic!("CNF"),
    };
    assert!(answer(Kind::Pigeonhole(Pigeonhole { pigeons: 4, holes: 4 })));
    assert!(!answer(Kind::Pigeonhole(Pigeonhole { pigeons: 5, holes: 4 })));
    assert!(answer(Kind::Counter(Counter { bits: 3, steps: 5, target: 5 })));
    assert!(!answer(Kind::Counter(Counter { bits: 3, steps: 5, target: 6 })));
    assert!(answer(Kind::Factoring(Factoring { product: 143, bits: 4 })));
    assert!(answer(Kind::Factoring(Factoring { product: 49, bits: 3 })));
    assert!(!answer(Kind::Factoring(Factoring { product: 127, bits: 7 })));
    assert!(!answer(Kind::Factoring(Factoring { product: 62, bits: 3 })));
    assert!(!answer(Kind::Colouring(Colouring { vertices: 4, edges: 6, colours: 3, planted: false })));
    assert!(answer(Kind::Colouring(Colouring { vertices: 12, edges: 20, colours: 3, planted: true })));
}

#[test]
fn bad_parameters_are_refused() {
    let refuse = |text: &str| {
        let kind: Kind = serde_json::from_str(text).unwrap();
        let error = generate(&kind, 1).expect_err(text).to_string();
        assert!(!error.is_empty());
        error
    };
    refuse(r#"{"kind": "uniform-sat", "variables": 2, "length": 3}"#);
    refuse(r#"{"kind": "uniform-sat", "length": 0}"#);
    refuse(r#"{"kind": "uniform-sat", "clauses": 4294967295}"#);
    refuse(r#"{"kind": "planted-sat", "all_true_per_mille": 251}"#);
    refuse(r#"{"kind": "random-maxsat", "weight_max": 0}"#);
    refuse(r#"{"kind": "pigeonhole", "pigeons": 4294967295, "holes": 4294967295}"#);
    refuse(r#"{"kind": "colouring", "vertices": 3, "edges": 3, "planted": true}"#);
    refuse(r#"{"kind": "parity", "equations": 4294967295}"#);
    refuse(r#"{"kind": "counter", "bits": 4, "target": 16}"#);
    refuse(r#"{"kind": "factoring", "product": 16, "bits": 2}"#);
    refuse(r#"{"kind": "vertex-cover", "vertices": 10, "edges": 46}"#);
    refuse(r#"{"kind": "soft-colouring", "edges": 100000}"#);
    refuse(r#"{"kind": "random-graph", "vertices": 10, "edges": 46}"#);
    refuse(r#"{"kind": "planar-union", "vertices": 3}"#);
    refuse(r#"{"kind": "toroidal-grid", "rows": 4294967295, "columns": 4294967295}"#);
    refuse(r#"{"kind": "regular-graph", "vertices": 9, "degree": 3}"#);
    refuse(r#"{"kind": "sherrington-kirkpatrick", "spins": 16777216}"#);
    refuse(r#"{"kind": "lattice", "dimensions": 4}"#);
    refuse(r#"{"kind": "lattice", "weights": {"gaussian": 0}}"#);
    refuse(r#"{"kind": "random-qubo", "variables": 16777216}"#);
    let error = refuse(r#"{"kind": "palubeckis", "density_percent": 101}"#);
    assert_eq!(error, "the density in percent is 101, but must be from 0 to 100");
}

/// The fingerprints that the recipe's publishers give for p3000.1: 2 241 409 nonzero coefficients, the
/// diagonal adds up to 3646 and the rest to 12 433.
#[test]
fn palubeckis_matches_the_published_instance() {
    let Content::Qubo { terms, .. } = made(Kind::Palubeckis(Palubeckis::default()), 0).content else {
        panic!("QUBO")
    };
    let sum = |diagonal: bool| -terms.iter().filter(|t| (t.0 == t.1) == diagonal).map(|t| t.2).sum::<i64>();
    assert_eq!((terms.len(), sum(true), sum(false) / 2), (2_241_409, 3646, 12_433));
}
