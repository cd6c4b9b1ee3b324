//! Seeded instances of the kinds that the literature measures solvers on.
//!
//! [`generate`] is a function of the kind's parameters and the seed: integers only, the same on every
//! machine and in every later version (tests pin some by hash). Parameters are data: [`Kind`] reads
//! from and writes to JSON objects such as `{"kind": "uniform-sat", "variables": 100, "clauses": 420}`.

mod graphs;
mod quadratic;
mod random;
mod satisfiability;
mod spins;
mod structured;
#[cfg(test)]
mod tests;
mod weighted;

use serde::{Deserialize, Serialize};

use crate::canonical::{Cnf, Ising, Wcnf};

/// The most variables of a generated instance.
pub const GENERATED_VARIABLES_MAX: u64 = 1 << 24;
/// The most literals, couplings or terms of a generated instance.
pub const GENERATED_ELEMENTS_MAX: u64 = 1 << 26;

/// What to generate. Missing parameters of a JSON object take the values of [`Kind::catalogue`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// Uniform random k-SAT.
    UniformSat(UniformSat),
    /// 3-SAT with a hidden solution that no literal count betrays.
    PlantedSat(PlantedSat),
    /// Random MaxSAT with equal lengths.
    RandomMaxsat(RandomMaxsat),
    /// Pigeons and holes.
    Pigeonhole(Pigeonhole),
    /// Colouring a random graph, as CNF.
    Colouring(Colouring),
    /// Random systems of parity equations.
    Parity(Parity),
    /// A counter circuit unrolled in time.
    Counter(Counter),
    /// Factors of a number, through a multiplier circuit.
    Factoring(Factoring),
    /// Combinatorial auction: accept bids of most value that share no item.
    Auction(Auction),
    /// Vertex cover of least weight.
    VertexCover(VertexCover),
    /// Colouring clustered graphs at the least weight of monochrome edges.
    SoftColouring(SoftColouring),
    /// Graph with a given number of edges.
    RandomGraph(RandomGraph),
    /// Union of two random planar triangulations.
    PlanarUnion(PlanarUnion),
    /// Two-dimensional torus, as Max-Cut.
    ToroidalGrid(ToroidalGrid),
    /// Graph of equal degrees.
    RegularGraph(RegularGraph),
    /// Sherrington-Kirkpatrick: every two spins coupled, +-1.
    SherringtonKirkpatrick(SherringtonKirkpatrick),
    /// Periodic lattice of spins in two or three dimensions.
    Lattice(Lattice),
    /// Random QUBO in the manner of Beasley and of Glover, Kochenberger, Alidaee.
    RandomQubo(RandomQubo),
    /// QUBO by the recipe of Palubeckis.
    Palubeckis(Palubeckis),
}

/// Uniform random k-SAT: each clause has `length` different variables and random signs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UniformSat {
    /// Variables, at least `length`.
    pub variables: u32,
    /// Clauses.
    pub clauses: u32,
    /// Literals a clause, 1 to 64.
    pub length: u32,
}

/// Planted 3-SAT of Barthel et al. 2002 ("Hiding solutions in random satisfiability problems", Phys.
/// Rev. Lett. 88, 188701): a clause has all, two or one of its literals true in the planted solution with
/// probability p0, (1 - 4 p0) / 2 and (1 + 2 p0) / 2, so that every literal is as often true as false.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlantedSat {
    /// Variables, at least 3.
    pub variables: u32,
    /// Clauses.
    pub clauses: u32,
    /// p0 in thousandths, 0 to 250; the literature's hard class has 80.
    pub all_true_per_mille: u32,
}

/// Random MaxSAT: as [`UniformSat`], with weights, and some clauses hard. Hard clauses are drawn among
/// those that a hidden assignment satisfies.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomMaxsat {
    /// Variables, at least `length`.
    pub variables: u32,
    /// Clauses.
    pub clauses: u32,
    /// Literals a clause, 1 to 64.
    pub length: u32,
    /// The largest weight; weights are uniform from 1.
    pub weight_max: u32,
    /// The chance of a clause to be hard, in thousandths.
    pub hard_per_mille: u32,
}

/// Every pigeon sits in a hole, no two in one: unsatisfiable if there are more pigeons than holes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pigeonhole {
    /// Pigeons, at least 1.
    pub pigeons: u32,
    /// Holes, at least 1.
    pub holes: u32,
}

/// Colour a random graph: one variable for each vertex and colour.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Colouring {
    /// Vertices.
    pub vertices: u32,
    /// Edges, all different.
    pub edges: u32,
    /// Colours, 2 to 64.
    pub colours: u32,
    /// Whether all edges join classes of a hidden equitable colouring ("flat" graphs).
    pub planted: bool,
}

/// Random parity equations of three variables that a hidden assignment satisfies, four clauses each.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parity {
    /// Variables, at least 3.
    pub variables: u32,
    /// Equations.
    pub equations: u32,
}

/// Bounded model checking of a counter that an input lets count or wait in each step: can it show
/// `target` after `steps` steps? Satisfiable if and only if `target <= steps`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counter {
    /// Bits of the counter, 1 to 32; `steps` and `target` must be below `2^bits`.
    pub bits: u32,
    /// Steps.
    pub steps: u32,
    /// The value to be reached.
    pub target: u32,
}

/// `left * right = product` with both factors above 1: satisfiable if and only if such factors exist.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Factoring {
    /// The number to be factored.
    pub product: u64,
    /// Bits of each factor, 2 to 32.
    pub bits: u32,
}

/// Each bid wants a few items for a price; no item can be sold twice. Bids cluster in regions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auction {
    /// Items, at least 4.
    pub items: u32,
    /// Bids.
    pub bids: u32,
}

/// Hard: each edge has a chosen end. Soft: a chosen vertex costs its weight.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VertexCover {
    /// Vertices.
    pub vertices: u32,
    /// Edges, all different.
    pub edges: u32,
    /// The largest weight; weights are uniform from 1.
    pub weight_max: u32,
}

/// Hard: each vertex has exactly one colour. Soft: the ends of an edge differ. Most edges run within
/// clusters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoftColouring {
    /// Vertices.
    pub vertices: u32,
    /// Edges, all different.
    pub edges: u32,
    /// Colours, 2 to 64.
    pub colours: u32,
    /// Vertices of a cluster, at least 2.
    pub cluster: u32,
    /// The largest weight; weights are uniform from 1.
    pub weight_max: u32,
}

/// What edges and couplings weigh.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// All +1.
    One,
    /// +1 or -1 with equal chance.
    Signs,
    /// Uniform in -m..=m without 0; m at least 1.
    Uniform(u32),
    /// Nearly Gaussian integers of this standard deviation; what rounds to 0 is left out.
    Gaussian(u32),
}

/// Rudy's `-rnd_graph`: so many different edges, uniformly.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomGraph {
    /// Vertices, at least 2.
    pub vertices: u32,
    /// Edges.
    pub edges: u32,
    /// Weights of the edges.
    pub weights: Weights,
}

/// Rudy's `-planar` twice with `+`: the union of two maximal planar graphs (each grown by putting
/// vertices into random faces), of whose edges some are left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanarUnion {
    /// Vertices, at least 4.
    pub vertices: u32,
    /// Edges that each planar graph keeps, in percent.
    pub density_percent: u32,
    /// Weights of the edges.
    pub weights: Weights,
}

/// Rudy's `-toroidal_grid_2D`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToroidalGrid {
    /// Rows, at least 3.
    pub rows: u32,
    /// Columns, at least 3.
    pub columns: u32,
    /// Weights of the edges.
    pub weights: Weights,
}

/// A random graph in which every vertex has `degree` neighbours.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegularGraph {
    /// Vertices, at least `2 * degree`; `vertices * degree` must be even.
    pub vertices: u32,
    /// Neighbours of each vertex, 1 to 16.
    pub degree: u32,
    /// Weights of the edges.
    pub weights: Weights,
}

/// Couplings +-1 between every two spins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SherringtonKirkpatrick {
    /// Spins, at least 2.
    pub spins: u32,
}

/// A periodic lattice: each spin is coupled to its neighbours in 2 or 3 dimensions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lattice {
    /// Length of each side, at least 3.
    pub side: u32,
    /// 2 or 3.
    pub dimensions: u32,
    /// Couplings.
    pub weights: Weights,
}

/// Uniform coefficients at random places. Beasley: 100 per mille, both ranges 100.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomQubo {
    /// Variables.
    pub variables: u32,
    /// The chance of a pair to have a coefficient, in thousandths.
    pub density_per_mille: u32,
    /// Linear coefficients are uniform in `-linear_max..=linear_max`.
    pub linear_max: u32,
    /// Coefficients of pairs are uniform in `-pair_max..=pair_max` (before doubling, as pairs count twice).
    pub pair_max: u32,
}

/// Palubeckis 2004, "Multistart tabu search strategies for the unconstrained binary quadratic
/// optimization problem": his generator's own sequence. `seed` here is part of the recipe; the seed
/// of [`generate`] is not used. p3000.1 has 3000 variables, density 50, seed 31000.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Palubeckis {
    /// Variables.
    pub variables: u32,
    /// The chance of a pair to have a coefficient, in percent.
    pub density_percent: u32,
    /// The recipe's seed, 1 to 2^31 - 2.
    pub seed: u32,
}

/// Gives each kind the defaults that [`Kind::catalogue`] shows.
macro_rules! defaults {
    ($($kind:ident { $($field:ident : $value:expr),* $(,)? } $name:literal $text:literal)*) => {
        $(impl Default for $kind {
            fn default() -> Self {
                Self { $($field: $value),* }
            }
        })*
        impl Kind {
            /// Every kind with its name, one line about it, and its default parameters.
            pub fn catalogue() -> Vec<(&'static str, &'static str, Kind)> {
                vec![$(($name, $text, Kind::$kind($kind::default()))),*]
            }
        }
    };
}

defaults! {
    UniformSat { variables: 1000, clauses: 4200, length: 3 }
        "uniform-sat" "uniform random k-SAT"
    PlantedSat { variables: 500, clauses: 2150, all_true_per_mille: 80 }
        "planted-sat" "3-SAT with a hidden solution (Barthel et al. 2002)"
    RandomMaxsat { variables: 1000, clauses: 5000, length: 3, weight_max: 1, hard_per_mille: 0 }
        "random-maxsat" "random MaxSAT, optionally weighted and partial"
    Pigeonhole { pigeons: 8, holes: 7 }
        "pigeonhole" "pigeons in holes"
    Colouring { vertices: 200, edges: 479, colours: 3, planted: true }
        "colouring" "colouring a random graph, as CNF"
    Parity { variables: 60, equations: 55 }
        "parity" "random parity equations with a hidden solution"
    Counter { bits: 8, steps: 40, target: 33 }
        "counter" "a counter circuit unrolled in time"
    Factoring { product: 1_022_117, bits: 10 }
        "factoring" "factors of a number through a multiplier circuit"
    Auction { items: 60, bids: 150 }
        "auction" "combinatorial auction, weighted partial MaxSAT"
    VertexCover { vertices: 150, edges: 600, weight_max: 20 }
        "vertex-cover" "vertex cover of least weight, weighted partial MaxSAT"
    SoftColouring { vertices: 90, edges: 400, colours: 4, cluster: 15, weight_max: 10 }
        "soft-colouring" "colouring clustered graphs, weighted partial MaxSAT"
    RandomGraph { vertices: 800, edges: 19_176, weights: Weights::One }
        "random-graph" "Max-Cut on a random graph (rudy)"
    PlanarUnion { vertices: 800, density_percent: 99, weights: Weights::One }
        "planar-union" "Max-Cut on the union of two planar graphs (rudy)"
    ToroidalGrid { rows: 20, columns: 40, weights: Weights::Signs }
        "toroidal-grid" "Max-Cut on a two-dimensional torus (rudy)"
    RegularGraph { vertices: 1000, degree: 3, weights: Weights::One }
        "regular-graph" "Max-Cut on a random graph of equal degrees"
    SherringtonKirkpatrick { spins: 200 }
        "sherrington-kirkpatrick" "every two spins coupled by +-1"
    Lattice { side: 10, dimensions: 3, weights: Weights::Signs }
        "lattice" "spin glass on a periodic lattice"
    RandomQubo { variables: 1000, density_per_mille: 100, linear_max: 100, pair_max: 100 }
        "random-qubo" "random QUBO (Beasley, GKA)"
    Palubeckis { variables: 3000, density_percent: 50, seed: 31_000 }
        "palubeckis" "QUBO by the recipe of Palubeckis"
}

/// What was generated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Satisfiability.
    Cnf(Cnf),
    /// Weighted partial MaxSAT.
    Wcnf(Wcnf),
    /// Max-Cut: the weight of edges between the two sides is to be maximised.
    Graph {
        /// Vertices.
        vertices: u32,
        /// `(u, v, w)`, `u < v < vertices`, `w != 0`, strictly increasing in `(u, v)`.
        edges: Vec<(u32, u32, i64)>,
    },
    /// Spins.
    Ising(Ising),
    /// `sum w x_i x_j` over 0/1 variables is to be minimised; each term counts once.
    Qubo {
        /// Variables.
        variables: u32,
        /// `(i, j, w)`, `i <= j < variables` (`i == j`: linear), `w != 0`, strictly increasing in `(i, j)`.
        terms: Vec<(u32, u32, i64)>,
    },
}

/// An instance and what is known of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Generated {
    /// The instance.
    pub content: Content,
    /// An assignment that was hidden in it and satisfies all (hard) clauses.
    pub planted: Option<Vec<bool>>,
    /// One line for the file's head: kind, parameters, seed.
    pub comment: String,
}

/// Why nothing was generated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum GenerateError {
    /// A parameter is out of its range.
    #[error("{what} is {value}, but must be from {least} to {most}")]
    OutOfRange {
        /// The parameter, in words.
        what: &'static str,
        /// What was asked for.
        value: u64,
        /// The least that is allowed.
        least: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// The instance would be too large.
    #[error("this would have {elements} literals or couplings, and the most is {GENERATED_ELEMENTS_MAX}")]
    TooLarge {
        /// Literals, couplings or terms.
        elements: u64,
    },
    /// No graph has these degrees.
    #[error("an odd number of vertices cannot all have an odd degree")]
    OddEnds,
    /// The random construction did not succeed; another seed may.
    #[error("no such graph was found in {tries} tries: take another seed or fewer edges")]
    Unlucky {
        /// Attempts made.
        tries: u64,
    },
}

/// Generates the instance of `kind` that `seed` stands for.
pub fn generate(kind: &Kind, seed: u64) -> Result<Generated, GenerateError> {
    let (content, planted) = match kind {
        Kind::UniformSat(p) => satisfiability::uniform(p, seed)?,
        Kind::PlantedSat(p) => satisfiability::planted(p, seed)?,
        Kind::RandomMaxsat(p) => satisfiability::random_maxsat(p, seed)?,
        Kind::Pigeonhole(p) => structured::pigeonhole(p)?,
        Kind::Colouring(p) => structured::colouring(p, seed)?,
        Kind::Parity(p) => structured::parity(p, seed)?,
        Kind::Counter(p) => structured::counter(p)?,
        Kind::Factoring(p) => structured::factoring(p)?,
        Kind::Auction(p) => weighted::auction(p, seed)?,
        Kind::VertexCover(p) => weighted::vertex_cover(p, seed)?,
        Kind::SoftColouring(p) => weighted::soft_colouring(p, seed)?,
        Kind::RandomGraph(p) => (graphs::random(p, seed)?, None),
        Kind::PlanarUnion(p) => (graphs::planar_union(p, seed)?, None),
        Kind::ToroidalGrid(p) => (graphs::toroidal(p, seed)?, None),
        Kind::RegularGraph(p) => (graphs::regular(p, seed)?, None),
        Kind::SherringtonKirkpatrick(p) => (spins::sherrington_kirkpatrick(p, seed)?, None),
        Kind::Lattice(p) => (spins::lattice(p, seed)?, None),
        Kind::RandomQubo(p) => (quadratic::random(p, seed)?, None),
        Kind::Palubeckis(p) => (quadratic::palubeckis(p)?, None),
    };
    let parameters = serde_json::to_string(kind).expect("plain data");
    Ok(Generated { content, planted, comment: format!("hysteron generate {parameters} seed {seed}") })
}

/// What a generator gives: the instance, and the assignment that it hid.
type Made = Result<(Content, Option<Vec<bool>>), GenerateError>;

/// Refuses a parameter out of its range.
fn within(what: &'static str, value: impl Into<u64>, least: u64, most: u64) -> Result<(), GenerateError> {
    let value = value.into();
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(GenerateError::OutOfRange { what, value, least, most })
    }
}

/// Refuses too many literals, couplings or terms.
fn bounded(elements: u64) -> Result<(), GenerateError> {
    if elements <= GENERATED_ELEMENTS_MAX { Ok(()) } else { Err(GenerateError::TooLarge { elements }) }
}
