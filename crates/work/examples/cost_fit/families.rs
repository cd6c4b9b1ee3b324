//! Instance families: what cost constants are fitted on, and others that they are checked on: sizes between those, other
//! seeds, and kinds of structure that the fit has not seen.

use hysteron_problem::generate::{
    Auction, Colouring, Content, Counter, Factoring, Kind, Lattice, Parity, Pigeonhole, PlanarUnion,
    PlantedSat, RandomGraph, RandomMaxsat, RandomQubo, RegularGraph, SherringtonKirkpatrick, SoftColouring,
    ToroidalGrid, UniformSat, VertexCover, Weights, generate,
};
use hysteron_problem::{ClauseList, Cnf, Document, Literal, Problem, Wcnf};

/// A family's name and its instance.
pub struct Family {
    /// Kind and size.
    pub name: String,
    /// One of its instances.
    pub problem: Problem,
}

/// Which families are made.
#[derive(Clone, Copy)]
pub struct Choice {
    /// All counts of variables are times this, in per cent.
    per_cent: u32,
    /// The sides of lattices likewise.
    side_per_cent: u32,
    seed: u64,
    /// If structures are among them, their sizes likewise.
    structured_per_cent: Option<u32>,
}

/// What constants are fitted on, at first.
pub const FITTED: Choice = Choice { per_cent: 100, side_per_cent: 100, seed: 1, structured_per_cent: None };
/// The same kinds in other sizes.
const FITTED_TOO: Choice = Choice { per_cent: 61, side_per_cent: 78, seed: 5, structured_per_cent: None };
/// What constants are checked on: a set that was looked at while the terms of the table were chosen,
const LOOKED_AT: Choice =
    Choice { per_cent: 143, side_per_cent: 121, seed: 11, structured_per_cent: Some(100) };
/// and one that was made when they were final.
const FRESH: Choice = Choice { per_cent: 77, side_per_cent: 87, seed: 29, structured_per_cent: Some(120) };

impl Choice {
    fn of(self, count: u32) -> u32 {
        count * self.per_cent / 100
    }
}

/// A name, and what makes the families.
type Group = (&'static str, fn() -> Vec<Family>);

/// Structures of the fit: their sizes, in per cent of those of the first check.
const STRUCTURED_PER_CENT: u32 = 60;

/// The groups of families that constants are fitted on.
pub const GROUPS: [Group; 7] = [
    ("clauses", || both(clauses)),
    ("weighted", || both(weighted)),
    ("sparse", || both(sparse)),
    ("dense", || both(dense)),
    ("mixed", more_mixed),
    ("largest", largest),
    ("structured", structured),
];

fn structured() -> Vec<Family> {
    let mut all = structured_clauses(3, STRUCTURED_PER_CENT);
    all.extend(structured_weighted(3, STRUCTURED_PER_CENT));
    all
}

fn both(make: fn(Choice) -> Vec<Family>) -> Vec<Family> {
    let mut all = make(FITTED);
    all.extend(make(FITTED_TOO));
    all
}

/// What constants are fitted on: every family once.
pub fn fitted() -> Vec<Family> {
    let mut names = std::collections::BTreeSet::new();
    let all = GROUPS.iter().flat_map(|group| group.1());
    all.filter(|family| names.insert(family.name.clone())).collect()
}

/// What constants are checked on: whether the set was made when they were final, and a family.
pub fn held_out() -> Vec<(bool, Family)> {
    let of = |choice: Choice| [clauses(choice), weighted(choice), sparse(choice), dense(choice)];
    let looked_at = of(LOOKED_AT).into_iter().flatten().map(|family| (false, family));
    looked_at.chain(of(FRESH).into_iter().flatten().map(|family| (true, family))).collect()
}

/// Problems that go through nearly as many bytes a step as the chain admits.
pub fn admitted_most() -> Vec<Family> {
    let mut all = Vec::new();
    for (length, variables, clauses) in
        [(3, 13_300, 56_600), (3, 15_500, 54_250), (4, 5250, 51_600), (5, 2130, 42_600)]
    {
        let kind = Kind::UniformSat(UniformSat { variables, clauses, length });
        all.push(make(4, format!("most {length}-SAT {variables}/{clauses}"), kind));
    }
    for (variables, clauses, weight_max, hard_per_mille) in
        [(17_000, 85_000, 20, 0), (17_000, 85_000, 1, 0), (16_000, 80_000, 20, 200), (11_300, 67_800, 5, 800)]
    {
        let kind = RandomMaxsat { variables, clauses, length: 3, weight_max, hard_per_mille };
        let name = format!("most maxsat {variables}/{clauses} w{weight_max} h{hard_per_mille}");
        all.push(make(4, name, Kind::RandomMaxsat(kind)));
    }
    let kind = VertexCover { vertices: 13_500, edges: 63_000, weight_max: 9 };
    all.push(make(4, "most cover 13500/63000".into(), Kind::VertexCover(kind)));
    for (weights, sizes, side) in [
        (Weights::Signs, [(82_000, 6), (59_000, 16), (17_000, 100)], 43),
        (Weights::Uniform(300), [(74_000, 6), (48_000, 16), (12_000, 100)], 41),
        (Weights::Gaussian(20_000), [(67_000, 6), (40_000, 16), (9400, 100)], 40),
    ] {
        for (vertices, degree) in sizes {
            let kind = if degree > 16 {
                Kind::RandomGraph(RandomGraph { vertices, edges: vertices * degree / 2, weights })
            } else {
                Kind::RegularGraph(RegularGraph { vertices, degree, weights })
            };
            all.push(make(4, format!("most graph {vertices} d{degree} {}", weight_name(weights)), kind));
        }
        let kind = Lattice { side, dimensions: 3, weights };
        all.push(make(4, format!("most lattice {side}^3 {}", weight_name(weights)), Kind::Lattice(kind)));
    }
    let spins = 1448;
    let kind = Kind::SherringtonKirkpatrick(SherringtonKirkpatrick { spins });
    all.push(make(4, format!("most SK {spins}"), kind));
    for (variables, density_per_mille, pair_max) in
        [(1440, 1000, 20), (2850, 250, 20), (1440, 1000, 1000), (2000, 500, 1000), (1400, 1000, 20_000)]
    {
        let kind = RandomQubo { variables, density_per_mille, linear_max: pair_max, pair_max };
        let name = format!("most qubo {variables} {density_per_mille}‰ ±{pair_max}");
        all.push(make(4, name, Kind::RandomQubo(kind)));
    }
    all
}

/// Large problems; what the chain refuses of them does not count in a fit.
pub fn largest() -> Vec<Family> {
    let mut all = Vec::new();
    let sat = |length: u32, variables: u32, clauses: u32| {
        let kind = Kind::UniformSat(UniformSat { variables, clauses, length });
        make(3, format!("largest {length}-SAT {variables}/{clauses}"), kind)
    };
    for (length, variables, clauses) in
        [(2, 36_000, 72_000), (3, 20_500, 87_300), (3, 26_000, 91_000), (4, 7400, 73_000), (5, 3000, 60_000)]
    {
        all.push(sat(length, variables, clauses));
    }
    for (variables, clauses, weight_max, hard_per_mille) in [
        (22_000, 110_000, 20, 0),
        (23_000, 115_000, 1, 0),
        (17_000, 85_000, 20, 200),
        (13_000, 78_000, 5, 800),
    ] {
        let kind = RandomMaxsat { variables, clauses, length: 3, weight_max, hard_per_mille };
        let name = format!("largest maxsat {variables}/{clauses} w{weight_max} h{hard_per_mille}");
        all.push(make(3, name, Kind::RandomMaxsat(kind)));
    }
    for (vertices, edges) in [(15_000, 70_000), (22_000, 60_000)] {
        let kind = VertexCover { vertices, edges, weight_max: 9 };
        all.push(make(3, format!("largest cover {vertices}/{edges}"), Kind::VertexCover(kind)));
    }
    for weights in [Weights::Signs, Weights::Uniform(300), Weights::Gaussian(20_000)] {
        for (vertices, degree) in [(130_000, 3), (105_000, 6), (64_000, 16)] {
            let kind = Kind::RegularGraph(RegularGraph { vertices, degree, weights });
            all.push(make(3, format!("largest regular {vertices} d{degree} {}", weight_name(weights)), kind));
        }
        let kind = RandomGraph { vertices: 15_000, edges: 750_000, weights };
        all.push(make(
            3,
            format!("largest random 15000 d100 {}", weight_name(weights)),
            Kind::RandomGraph(kind),
        ));
        let kind = Lattice { side: 46, dimensions: 3, weights };
        all.push(make(3, format!("largest lattice 46^3 {}", weight_name(weights)), Kind::Lattice(kind)));
    }
    let spins = 1448;
    let kind = Kind::SherringtonKirkpatrick(SherringtonKirkpatrick { spins });
    all.push(make(3, format!("largest SK {spins}"), kind));
    for (variables, density_per_mille, pair_max) in [
        (1440, 1000, 20),
        (3300, 190, 20),
        (1440, 1000, 1000),
        (2400, 360, 1000),
        (1440, 1000, 20_000),
        (1700, 700, 20_000),
    ] {
        let kind = RandomQubo { variables, density_per_mille, linear_max: pair_max, pair_max };
        all.push(make(
            3,
            format!("largest qubo {variables} {density_per_mille}‰ ±{pair_max}"),
            Kind::RandomQubo(kind),
        ));
    }
    all
}

fn make(seed: u64, name: String, kind: Kind) -> Family {
    let generated = generate(&kind, seed).unwrap_or_else(|e| panic!("{name}: {e}"));
    let document = |d: Result<Document, _>| d.expect("small weights").problem().clone();
    let problem = match generated.content {
        Content::Cnf(cnf) => Problem::Cnf(cnf),
        Content::Wcnf(wcnf) => Problem::Wcnf(wcnf),
        Content::Ising(ising) => Problem::Ising(ising),
        Content::Graph { vertices, edges } => document(Document::max_cut(vertices, edges)),
        Content::Qubo { variables, terms } => document(Document::qubo(variables, terms, 0)),
    };
    Family { name, problem }
}

/// Random clauses of the lengths that `lengths` cycles through, so many in a hundred literals negative.
fn random_clauses(
    variables: u32,
    clauses: u32,
    lengths: &[u32],
    negative_per_cent: u64,
    counter: &mut u64,
) -> ClauseList {
    let mut list = ClauseList::new();
    for c in 0..clauses {
        let mut clause: Vec<Literal> = Vec::new();
        while clause.len() < lengths[c as usize % lengths.len()] as usize {
            *counter += 1;
            let draw = hysteron_circuit::rom::mix64(*counter);
            let is_negative = (draw & 0xffff) * 100 < negative_per_cent << 16;
            let literal = Literal::new((((draw >> 32) * u64::from(variables)) >> 32) as u32, is_negative);
            if clause.iter().all(|l| l.variable() != literal.variable()) {
                clause.push(literal);
            }
        }
        list.push(&clause);
    }
    list
}

/// CNF of random clauses of the lengths that `lengths` cycles through.
fn mixed(variables: u32, clauses: u32, lengths: &[u32]) -> Family {
    let list = random_clauses(variables, clauses, lengths, 50, &mut 0);
    let problem = Problem::Cnf(Cnf { variables, clauses: list });
    Family { name: format!("mixed {lengths:?} {variables}/{clauses}"), problem }
}

/// CNF of pairs of negative literals and some long positive clauses, as encodings of choices are.
fn choices(variables: u32, pairs: u32, long: u32, length: u32) -> Family {
    let mut counter = 0;
    let mut list = random_clauses(variables, pairs, &[2], 100, &mut counter);
    random_clauses(variables, long, &[length], 0, &mut counter).iter().for_each(|clause| list.push(clause));
    let problem = Problem::Cnf(Cnf { variables, clauses: list });
    Family { name: format!("choices {variables}/{pairs}/{long} of {length}"), problem }
}

/// Hard clauses of some lengths, so many literals in a hundred negative, and soft ones of other lengths and signs.
fn two_kinds(
    variables: u32,
    (hard, hard_lengths, hard_negative): (u32, &[u32], u64),
    (soft, soft_lengths, soft_negative): (u32, &[u32], u64),
    weight_max: u64,
) -> Family {
    let mut counter = 0;
    let wcnf = Wcnf {
        variables,
        hard: random_clauses(variables, hard, hard_lengths, hard_negative, &mut counter),
        soft: random_clauses(variables, soft, soft_lengths, soft_negative, &mut counter),
        weights: (0..u64::from(soft)).map(|c| 1 + hysteron_circuit::rom::mix64(c) % weight_max).collect(),
        offset: 0,
    };
    let name = format!(
        "hard {variables}/{hard} {hard_lengths:?} -{hard_negative}% soft {soft} {soft_lengths:?} -{soft_negative}% w{weight_max}"
    );
    Family { name, problem: Problem::Wcnf(wcnf) }
}

/// CNF.
pub fn clauses(choice: Choice) -> Vec<Family> {
    let mut all = Vec::new();
    let seed = choice.seed;
    let uniform = |length: u32, variables: u32, ratio_per_cent: u32| {
        let variables = choice.of(variables);
        let clauses = variables * ratio_per_cent / 100;
        let kind = Kind::UniformSat(UniformSat { variables, clauses, length });
        make(seed, format!("uniform {length}-SAT {variables} x{ratio_per_cent}%"), kind)
    };
    for variables in [100, 250, 600, 1500, 4000, 10_000, 25_000] {
        for ratio in [350, 426, 700] {
            if choice.of(variables) * ratio / 100 * 3 <= 1 << 20 {
                all.push(uniform(3, variables, ratio));
            }
        }
    }
    for variables in [200, 2000, 20_000] {
        all.push(uniform(2, variables, 200));
        all.push(uniform(3, variables / 4, 1500));
        all.push(uniform(4, variables / 2, 950));
        all.push(uniform(5, variables / 4, 2000));
        all.push(uniform(6, variables / 4, 2000));
    }
    for variables in [100, 400, 1600] {
        all.push(uniform(7, variables, 2000));
        all.push(uniform(7, variables, 8500));
        all.push(uniform(10, variables, 3000));
    }
    for (variables, ratio) in [(500, 4300), (1000, 4300), (3000, 4300), (2000, 7000), (8000, 5000)] {
        let variables = choice.of(variables);
        let kind = PlantedSat { variables, clauses: variables * ratio / 1000, all_true_per_mille: 80 };
        all.push(make(seed, format!("planted {variables} x{ratio}"), Kind::PlantedSat(kind)));
    }
    if let Some(per_cent) = choice.structured_per_cent {
        all.extend(structured_clauses(choice.seed, per_cent));
    }
    all.push(mixed(choice.of(300), choice.of(1500), &[2, 3, 3, 5]));
    all.push(mixed(choice.of(3000), choice.of(12_000), &[2, 2, 3, 8]));
    all.push(mixed(choice.of(10_000), choice.of(40_000), &[1, 2, 3, 4, 6]));
    all.push(mixed(choice.of(20_000), choice.of(60_000), &[2, 2, 2, 3]));
    all.push(mixed(choice.of(1000), choice.of(3000), &[2, 2, 20]));
    all.push(mixed(choice.of(200), choice.of(900), &[3, 4, 7]));
    all.push(mixed(choice.of(5000), choice.of(12_000), &[2, 3, 12]));
    all.push(mixed(choice.of(400), choice.of(500), &[2, 9, 30]));
    all
}

/// Clauses of several lengths, hard ones of two literals, and other degrees: what the other families lack.
fn more_mixed() -> Vec<Family> {
    let mut all = vec![
        mixed(150, 500, &[2, 3]),
        mixed(1200, 4400, &[2, 3]),
        mixed(7000, 26_000, &[2, 3]),
        mixed(400, 2000, &[3, 4]),
        mixed(5000, 21_000, &[3, 3, 4]),
        mixed(900, 3500, &[2, 3, 4, 5]),
        mixed(6000, 20_000, &[2, 4, 4, 9]),
        mixed(2500, 9000, &[1, 5, 5]),
        mixed(12_000, 36_000, &[2, 2, 6]),
        mixed(1500, 3000, &[2, 3, 16]),
        mixed(600, 1500, &[3, 5, 8, 13]),
        mixed(30_000, 75_000, &[2, 2, 3]),
    ];
    for (variables, clauses, length, weight_max, hard_per_mille) in [
        (300, 1200, 2, 9, 500),
        (2500, 11_000, 2, 20, 850),
        (9000, 40_000, 2, 20, 900),
        (800, 3600, 2, 1, 950),
        (5000, 12_000, 3, 1000, 100),
        (700, 2100, 5, 30, 400),
        (3000, 9000, 6, 5, 0),
        (250, 5000, 3, 100, 50),
        (15_000, 30_000, 2, 7, 300),
    ] {
        let kind = RandomMaxsat { variables, clauses, length, weight_max, hard_per_mille };
        let name = format!("maxsat {length} {variables}/{clauses} w{weight_max} h{hard_per_mille}");
        all.push(make(7, name, Kind::RandomMaxsat(kind)));
    }
    for (variables, pairs, long, length) in [
        (250, 2500, 50, 5),
        (900, 5400, 300, 3),
        (3000, 27_000, 500, 6),
        (6500, 65_000, 1300, 5),
        (11_000, 110_000, 2750, 4),
    ] {
        all.push(choices(variables, pairs, long, length));
    }
    for (hard, soft, weight_max) in [
        ((80, 320, &[2][..], 100), (80, &[1][..], 0), 12),
        ((900, 4500, &[2], 100), (900, &[1], 0), 30),
        ((7000, 29_000, &[2], 100), (7000, &[1], 0), 30),
        ((25_000, 100_000, &[2], 100), (25_000, &[1], 0), 8),
        ((200, 800, &[2], 0), (200, &[1], 100), 20),
        ((3000, 14_000, &[2], 0), (3000, &[1], 100), 20),
        ((9000, 45_000, &[2], 0), (9000, &[1], 100), 20),
        ((400, 1800, &[2, 2, 2, 2, 4], 60), (700, &[1, 2], 50), 15),
        ((3000, 10_000, &[2, 2, 3], 70), (2000, &[1], 100), 1),
        ((18_000, 60_000, &[3], 50), (30_000, &[3], 50), 1),
        ((1500, 6000, &[3, 5], 50), (1500, &[1], 50), 40),
    ] {
        let (variables, clauses, lengths, negative) = hard;
        all.push(two_kinds(variables, (clauses, lengths, negative), soft, weight_max));
    }
    // Small circuits of every kind: what is done once a step, or once a leg, weighs most there.
    for (length, variables, ratio) in
        [(2, 90, 8), (3, 60, 4), (4, 70, 10), (5, 50, 21), (6, 60, 44), (5, 110, 18)]
    {
        let kind = Kind::UniformSat(UniformSat { variables, clauses: variables * ratio, length });
        all.push(make(7, format!("uniform {length}-SAT {variables} x{ratio}"), kind));
    }
    for spins in [90, 120, 160, 210] {
        let kind = Kind::SherringtonKirkpatrick(SherringtonKirkpatrick { spins });
        all.push(make(7, format!("SK {spins}"), kind));
    }
    for weights in [Weights::Signs, Weights::Uniform(6), Weights::Uniform(500), Weights::Gaussian(50_000)] {
        for (vertices, degree) in
            [(90, 4), (300, 9), (1800, 5), (7000, 14), (26_000, 52), (40_000, 4), (60_000, 8)]
        {
            let kind = RandomGraph { vertices, edges: vertices * degree / 2, weights };
            let name = format!("random {vertices} d{degree} {}", weight_name(weights));
            all.push(make(7, name, Kind::RandomGraph(kind)));
        }
    }
    all
}

fn structured_clauses(seed: u64, per_cent: u32) -> Vec<Family> {
    let mut all = Vec::new();
    let of = |count: u32| count * per_cent / 100;
    for (vertices, edges, colours) in [(200, 479, 3), (1000, 2300, 3), (300, 2700, 5), (1500, 13_000, 5)] {
        let (vertices, edges) = (of(vertices), of(edges));
        let kind = Colouring { vertices, edges, colours, planted: true };
        all.push(make(seed, format!("colouring {vertices}/{edges}/{colours}"), Kind::Colouring(kind)));
    }
    for holes in [11, 29].map(of) {
        let pigeons = holes + 1;
        all.push(make(
            seed,
            format!("pigeonhole {pigeons}"),
            Kind::Pigeonhole(Pigeonhole { pigeons, holes }),
        ));
    }
    for (variables, equations) in [(200, 190), (3000, 2900)] {
        let (variables, equations) = (of(variables), of(equations));
        all.push(make(seed, format!("parity {variables}"), Kind::Parity(Parity { variables, equations })));
    }
    let (steps, target) = (of(200), of(150));
    all.push(make(seed, format!("counter {steps}"), Kind::Counter(Counter { bits: 16, steps, target })));
    // Products of two primes of so many bits; they take no seed.
    let products = match per_cent {
        100 => [(1009 * 1013, 10), (1_000_003 * 1_000_033, 20)],
        STRUCTURED_PER_CENT => [(4093 * 4091, 12), (131_071 * 131_063, 17)],
        _ => [(509 * 503, 9), (16_381 * 16_369, 14)],
    };
    for (product, bits) in products {
        all.push(make(seed, format!("factoring {bits}"), Kind::Factoring(Factoring { product, bits })));
    }
    all.push(mixed(of(9000), of(30_000), &[3, 3, 2, 7]));
    all.push(mixed(of(700), of(2500), &[2, 5, 11]));
    all
}

/// Weighted CNF.
pub fn weighted(choice: Choice) -> Vec<Family> {
    let mut all = Vec::new();
    let seed = choice.seed;
    for variables in [100, 400, 1500, 6000, 20_000].map(|n| choice.of(n)) {
        for (length, ratio, weight_max, hard_per_mille) in
            [(3, 5, 1, 0), (3, 5, 20, 0), (3, 6, 20, 200), (2, 4, 50, 0), (3, 5, 1, 700), (4, 9, 9, 300)]
        {
            let clauses = ratio * variables;
            let kind = RandomMaxsat { variables, clauses, length, weight_max, hard_per_mille };
            let name = format!("maxsat {length} {variables}/{clauses} w{weight_max} h{hard_per_mille}");
            all.push(make(seed, name, Kind::RandomMaxsat(kind)));
        }
    }
    if let Some(per_cent) = choice.structured_per_cent {
        all.extend(structured_weighted(choice.seed, per_cent));
    }
    all
}

fn structured_weighted(seed: u64, per_cent: u32) -> Vec<Family> {
    let mut all = Vec::new();
    let of = |count: u32| count * per_cent / 100;
    for (items, bids) in [(60, 150), (200, 1000)].map(|(items, bids)| (of(items), of(bids))) {
        all.push(make(seed, format!("auction {items}/{bids}"), Kind::Auction(Auction { items, bids })));
    }
    for (vertices, edges) in [(150, 600), (2000, 9000), (10_000, 50_000)].map(|(v, e)| (of(v), of(e))) {
        let kind = VertexCover { vertices, edges, weight_max: 20 };
        all.push(make(seed, format!("cover {vertices}/{edges}"), Kind::VertexCover(kind)));
    }
    for (vertices, edges) in
        [(90, 400), (1000, 4000)].map(|(v, e)| (of(v), if per_cent < 100 { e / 3 } else { e }))
    {
        let kind = SoftColouring { vertices, edges, colours: 4, cluster: 15, weight_max: 10 };
        all.push(make(seed, format!("soft colouring {vertices}/{edges}"), Kind::SoftColouring(kind)));
    }
    all
}

fn weight_name(weights: Weights) -> String {
    match weights {
        Weights::One => "1".into(),
        Weights::Signs => "±1".into(),
        Weights::Uniform(m) => format!("±{m}"),
        Weights::Gaussian(s) => format!("N({s})"),
    }
}

/// Spins with few couplings.
pub fn sparse(choice: Choice) -> Vec<Family> {
    let mut all = Vec::new();
    let seed = choice.seed;
    let kinds = [Weights::Signs, Weights::Uniform(4), Weights::Uniform(300), Weights::Gaussian(20_000)];
    for weights in kinds {
        for vertices in [200, 1000, 5000, 25_000].map(|n| choice.of(n) / 2 * 2) {
            for degree in [3, 6, 12] {
                if vertices * degree <= 1 << 20 {
                    let kind = RegularGraph { vertices, degree, weights };
                    let name = format!("regular {vertices} d{degree} {}", weight_name(weights));
                    all.push(make(seed, name, Kind::RegularGraph(kind)));
                }
            }
        }
        for (side, dimensions) in [(20, 2), (100, 2), (300, 2), (8, 3), (20, 3)] {
            let side = side * choice.side_per_cent / 100;
            let name = format!("lattice {side}^{dimensions} {}", weight_name(weights));
            all.push(make(seed, name, Kind::Lattice(Lattice { side, dimensions, weights })));
        }
        for (vertices, degree) in [(400, 20), (2000, 20), (10_000, 20), (800, 48), (4000, 40), (1000, 100)] {
            let vertices = choice.of(vertices);
            let kind = RandomGraph { vertices, edges: vertices * degree / 2, weights };
            let name = format!("random {vertices} d{degree} {}", weight_name(weights));
            all.push(make(seed, name, Kind::RandomGraph(kind)));
        }
        let Some(per_cent) = choice.structured_per_cent else { continue };
        let vertices = 2000 * per_cent / 100;
        let union = PlanarUnion { vertices, density_percent: 99, weights };
        all.push(make(seed, format!("planar {vertices} {}", weight_name(weights)), Kind::PlanarUnion(union)));
        let (rows, columns) = (per_cent / 2, 60);
        let torus = ToroidalGrid { rows, columns, weights };
        let name = format!("torus {rows} {columns} {}", weight_name(weights));
        all.push(make(seed, name, Kind::ToroidalGrid(torus)));
    }
    // Rows of more than 126 unit couplings: sums in 16 bits.
    for (vertices, degree) in [(1000, 160), (3000, 200), (600, 300), (8000, 150), (2000, 140)] {
        let vertices = choice.of(vertices);
        let kind = RandomGraph { vertices, edges: vertices * degree / 2, weights: Weights::Signs };
        all.push(make(seed, format!("random {vertices} d{degree} ±1"), Kind::RandomGraph(kind)));
    }
    all
}

/// Spins with many couplings.
pub fn dense(choice: Choice) -> Vec<Family> {
    let mut all = Vec::new();
    let seed = choice.seed;
    for spins in [70, 100, 250, 500, 1000].map(|n| choice.of(n)) {
        all.push(make(
            seed,
            format!("SK {spins}"),
            Kind::SherringtonKirkpatrick(SherringtonKirkpatrick { spins }),
        ));
    }
    for (variables, density_per_mille) in
        [(100, 1000), (500, 100), (1000, 100), (2500, 100), (1000, 500), (1000, 1000), (3700, 70), (6000, 20)]
    {
        let variables = choice.of(variables);
        for pair_max in [20, 1000, 20_000] {
            let kind = RandomQubo { variables, density_per_mille, linear_max: pair_max, pair_max };
            let name = format!("qubo {variables} {density_per_mille}‰ ±{pair_max}");
            all.push(make(seed, name, Kind::RandomQubo(kind)));
        }
    }
    for (vertices, degree) in [(1000, 100), (2000, 300), (5000, 150), (10_000, 100), (20_000, 60)] {
        let vertices = choice.of(vertices);
        for weights in [Weights::Signs, Weights::Uniform(300)] {
            let kind = RandomGraph { vertices, edges: vertices * degree / 2, weights };
            let name = format!("random {vertices} d{degree} {}", weight_name(weights));
            all.push(make(seed, name, Kind::RandomGraph(kind)));
        }
    }
    all
}
