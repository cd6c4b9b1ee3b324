//! The public pool: what an idle network works on. Instances made from the hash of an old block, most of them with a
//! planted solution, and a library of open problems fixed by hash.
//!
//! Nobody can prepare for the former before the block is there; the latter are worth knowing better. Neither pays a
//! bounty, and no coin depends on an energy, so solutions known beforehand help nobody.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_problem::generate::{
    Content, Kind, Lattice, PlanarUnion, PlantedSat, RandomGraph, RandomMaxsat, RandomQubo, RegularGraph,
    ToroidalGrid, UniformSat, Weights, generate,
};
use hysteron_problem::{Document, Problem};

use crate::rules::WorkRules;
use crate::table::Class;
use crate::types::{Hash, ProblemId, hash};

/// Instances of the pool: [`SEEDED`] from the block's hash, then the library.
pub const INSTANCES: u32 = 24;
/// Instances that the block's hash makes.
pub const SEEDED: u32 = 16;
/// Networks whose legs cost less than this (nanoseconds) get instances of a tenth of the size, and so a library of
/// their own.
const SMALL_LEG_WORK: u64 = 50_000_000;

/// The pool of some blocks: see [`WorkRules::pool_anchor`] for the block whose hash it is.
#[derive(
    BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default,
)]
pub struct PublicPool {
    /// The hash of a block at least ten blocks old.
    pub seed: Hash,
}

fn planted(variables: u32, ratio_per_mille: u32) -> Kind {
    let clauses = variables * ratio_per_mille / 1000;
    Kind::PlantedSat(PlantedSat { variables, clauses, all_true_per_mille: 80 })
}

fn lattice(side: u32, dimensions: u32) -> Kind {
    Kind::Lattice(Lattice { side, dimensions, weights: Weights::Signs })
}

/// What instance `index` is. `tenth`: for a network of small legs.
fn kind(index: u32, tenth: bool) -> (Class, Kind) {
    let of = |variables: u32| if tenth { variables / 10 } else { variables };
    match index {
        0..=3 => (Class::ShortClauses, planted(of(500 + 500 * index), 4300)),
        4..=5 => (Class::ShortClauses, planted(of(5000), 4300 + 700 * (index - 4))),
        6..=7 => (Class::ShortClauses, planted(of(10_000), 5000 + 2000 * (index - 6))),
        8..=9 => {
            let variables = of(1000);
            let (clauses, hard_per_mille) = (5 * variables, 200);
            let weighted = RandomMaxsat { variables, clauses, length: 3, weight_max: 20, hard_per_mille };
            (Class::WeightedClauses, Kind::RandomMaxsat(weighted))
        }
        10..=11 => (Class::SparseSpins, lattice(if tenth { 6 } else { 10 + 2 * (index - 10) }, 3)),
        12..=13 => (Class::SparseSpins, lattice(of(400 + 200 * (index - 12)) / 10 + 4, 2)),
        14..=15 => {
            let degree = 4 + 2 * (index - 14);
            let graph = RegularGraph { vertices: of(4000), degree, weights: Weights::Signs };
            (Class::SparseSpins, Kind::RegularGraph(graph))
        }
        16 | 17 => {
            let variables = of(if index == 16 { 5000 } else { 10_000 });
            let clauses = variables * if index == 16 { 4200 } else { 4260 } / 1000;
            (Class::ShortClauses, Kind::UniformSat(UniformSat { variables, clauses, length: 3 }))
        }
        18 => {
            let variables = of(2000);
            let uniform = UniformSat { variables, clauses: variables * 20, length: 5 };
            (Class::LongClauses, Kind::UniformSat(uniform))
        }
        19 => {
            let vertices = of(2000);
            let graph = RandomGraph { vertices, edges: 10 * vertices, weights: Weights::One };
            (Class::SparseSpins, Kind::RandomGraph(graph))
        }
        20 => {
            let union = PlanarUnion { vertices: of(2000), density_percent: 99, weights: Weights::One };
            (Class::SparseSpins, Kind::PlanarUnion(union))
        }
        21 => {
            let torus =
                ToroidalGrid { rows: of(1000) / 10, columns: of(1000) / 10 + 4, weights: Weights::Signs };
            (Class::SparseSpins, Kind::ToroidalGrid(torus))
        }
        22 => {
            let spins = of(1000);
            let glass = hysteron_problem::generate::SherringtonKirkpatrick { spins };
            (Class::DenseSpins, Kind::SherringtonKirkpatrick(glass))
        }
        _ => {
            let qubo = RandomQubo {
                variables: of(2000),
                density_per_mille: if tenth { 500 } else { 300 },
                linear_max: 100,
                pair_max: 100,
            };
            (Class::DenseSpins, Kind::RandomQubo(qubo))
        }
    }
}

fn is_small(rules: &WorkRules) -> bool {
    rules.leg_work < SMALL_LEG_WORK
}

/// The class of an instance, `None` beyond [`INSTANCES`].
pub fn class_of(index: u32) -> Option<Class> {
    (index < INSTANCES).then(|| kind(index, false).0)
}

/// What tells instances apart: for caches.
pub fn key(pool: &PublicPool, index: u32, rules: &WorkRules) -> Hash {
    let seed = if index < SEEDED { pool.seed } else { [0; 32] };
    hash("pool", &[&seed, &index.to_le_bytes(), &[u8::from(is_small(rules))]])
}

/// Makes an instance.
///
/// # Errors
/// That there is no such instance, or that one of the library is not the one that it should be.
pub fn instance(pool: &PublicPool, index: u32, rules: &WorkRules) -> Result<Problem, String> {
    if index >= INSTANCES {
        return Err(format!("the public pool has {INSTANCES} instances, and {index} is beyond them"));
    }
    let key = key(pool, index, rules);
    let seed = u64::from_le_bytes(key[..8].try_into().expect("eight bytes"));
    let generated = generate(&kind(index, is_small(rules)).1, seed).map_err(|e| e.to_string())?;
    let document = match generated.content {
        Content::Cnf(cnf) => return pinned(index, rules, Problem::Cnf(cnf)),
        Content::Wcnf(wcnf) => return pinned(index, rules, Problem::Wcnf(wcnf)),
        Content::Ising(ising) => return pinned(index, rules, Problem::Ising(ising)),
        Content::Graph { vertices, edges } => Document::max_cut(vertices, edges),
        Content::Qubo { variables, terms } => Document::qubo(variables, terms, 0),
    };
    pinned(index, rules, document.map_err(|e| e.to_string())?.problem().clone())
}

/// The first bytes of the content ids of the library, of the main network and of small ones.
const LIBRARY: [[&str; 2]; (INSTANCES - SEEDED) as usize] = [
    ["b68d6b9767a0f9aa", "0f8790e40243f7fb"],
    ["84f19821343d8483", "6314465fe4ff745c"],
    ["52ef6789c73fe430", "cbc3ce3899482de8"],
    ["2d82a99942b7ea21", "193f2b908bacb75f"],
    ["9d1b88030d3dd790", "28a8715fd32800e7"],
    ["eacfc3b3df6ac8d5", "50eb017f86eb7d33"],
    ["850db2e2b5d16fec", "6287f39753561645"],
    ["4bfaf720a5d6f289", "9c5d6d4e531d0180"],
];

fn pinned(index: u32, rules: &WorkRules, problem: Problem) -> Result<Problem, String> {
    let Some(place) = index.checked_sub(SEEDED) else { return Ok(problem) };
    let id = ProblemId::of(&problem).to_string();
    if id.starts_with(LIBRARY[place as usize][usize::from(is_small(rules))]) {
        Ok(problem)
    } else {
        Err(format!("instance {index} of the library came out as {id}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::classify;
    use crate::size::Sizes;

    #[test]
    fn instances_are_what_they_should_be() {
        let pool = PublicPool { seed: [7; 32] };
        let mut library = Vec::new();
        for index in 0..INSTANCES {
            let ids: Vec<String> = [WorkRules::main(), WorkRules::devnet()]
                .iter()
                .map(|rules| {
                    let problem = instance(&pool, index, rules).unwrap();
                    let sizes = Sizes::of(&problem);
                    assert!(problem.variables() <= rules.variables_max, "{index}");
                    assert!(sizes.elements() <= rules.elements_max.into(), "{index}: {sizes:?}");
                    if rules.leg_work == WorkRules::main().leg_work {
                        assert_eq!(
                            classify(&problem, &sizes).unwrap(),
                            class_of(index).unwrap(),
                            "{index}: {sizes:?}"
                        );
                    }
                    let other = instance(&PublicPool { seed: [8; 32] }, index, rules).unwrap();
                    assert_eq!(other == problem, index >= SEEDED, "{index}");
                    ProblemId::of(&problem).to_string()[..16].to_owned()
                })
                .collect();
            if index >= SEEDED {
                library.push([ids[0].clone(), ids[1].clone()]);
            }
        }
        let expected: Vec<[String; 2]> = LIBRARY.iter().map(|l| l.map(str::to_owned)).collect();
        assert_eq!(library, expected, "LIBRARY pins the content ids");
        assert_eq!(class_of(INSTANCES), None);
        assert!(instance(&pool, INSTANCES, &WorkRules::main()).is_err());
    }
}
