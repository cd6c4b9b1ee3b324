//! What a portfolio may know of a problem: shape only, no names.

use serde::Serialize;

use crate::canonical::{Ising, Literal, Problem};

/// Measures of a problem's shape, found in a few passes over it. Shares are between 0 and 1.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Structure {
    /// Clauses or couplings for each variable.
    pub ratio: f64,
    /// The length that all clauses have (hard and soft), if they have one.
    pub uniform_length: Option<u32>,
    /// The longest clause.
    pub longest: u32,
    /// Clauses of two literals.
    pub binary_share: f64,
    /// Clauses with at most one positive literal.
    pub horn_share: f64,
    /// Literals that are positive.
    pub positive_share: f64,
    /// Mean over variables of `(positive - negative)^2 / (positive + negative)`: 1 if signs are drawn
    /// fairly, more if variables lean to one side, less if they are balanced on purpose.
    pub polarity_dispersion: f64,
    /// Hard clauses among all.
    pub hard_share: f64,
    /// Whether all soft clauses, or all couplings, have one magnitude.
    pub unit_weights: bool,
    /// The largest magnitude of a weight divided by the least.
    pub weight_spread: f64,
    /// Spins with a field.
    pub field_share: f64,
    /// Couplings among all pairs of spins.
    pub density: f64,
    /// Mean number of clauses or couplings of a variable.
    pub degree_mean: f64,
    /// Variance of that number divided by its mean: 0 regular, 1 as in uniform random problems,
    /// large for heavy tails.
    pub degree_dispersion: f64,
    /// The number that all variables have, if they have one.
    pub regular_degree: Option<u32>,
    /// The largest.
    pub degree_most: u32,
    /// Pairs of neighbours of a spin that have another common neighbour (sampled): near 0 in sparse
    /// random graphs, about a third to two thirds in square and cubic lattices.
    pub square_share: f64,
    /// Mean distance of neighbours' numbers, as a share of what random numbering gives.
    pub index_distance: f64,
    /// The modularity of communities found by label propagation: near 0 in uniform random problems, 0.3
    /// and more where the problem falls into loosely joined parts. `None` above 2^22 links.
    pub modularity: Option<f64>,
}

impl Structure {
    /// Measures `problem`.
    pub fn of(problem: &Problem) -> Self {
        let mut structure = match problem {
            Problem::Cnf(cnf) => {
                let clauses = cnf.clauses.iter();
                let mut structure = Self::of_clauses(cnf.variables, clauses);
                structure.hard_share = 1.0;
                structure.unit_weights = true;
                structure.weight_spread = 1.0;
                structure
            }
            Problem::Wcnf(wcnf) => {
                let clauses = wcnf.hard.iter().chain(wcnf.soft.iter());
                let mut structure = Self::of_clauses(wcnf.variables, clauses);
                structure.hard_share =
                    share(wcnf.hard.len() as u64, (wcnf.hard.len() + wcnf.soft.len()) as u64);
                structure.weigh(wcnf.weights.iter().copied());
                structure
            }
            Problem::Ising(ising) => Self::of_spins(ising),
        };
        let degrees = degrees(problem);
        let distribution = super::Distribution::of(degrees.iter().copied());
        structure.degree_mean = distribution.mean;
        structure.degree_dispersion = distribution.dispersion;
        structure.degree_most = distribution.most;
        structure.regular_degree = (distribution.least == distribution.most).then_some(distribution.most);
        let links = Links::of(problem);
        structure.index_distance = links.index_distance();
        structure.modularity = links.modularity();
        if matches!(problem, Problem::Ising(_)) {
            structure.square_share = links.square_share();
        }
        structure
    }

    /// Clauses of one length with variables and signs as if drawn at random.
    pub fn looks_random(&self) -> bool {
        self.uniform_length.is_some_and(|length| length >= 3)
            && (0.7..1.4).contains(&self.degree_dispersion)
            && (0.7..1.4).contains(&self.polarity_dispersion)
    }

    /// Spins with few neighbours each that form squares, as in two and three dimensions.
    pub fn looks_like_lattice(&self) -> bool {
        self.uniform_length.is_none() && (2..=8).contains(&self.degree_most) && self.square_share > 0.2
    }

    fn of_clauses<'a>(variables: u32, clauses: impl Iterator<Item = &'a [Literal]>) -> Self {
        let mut signs = vec![[0u32; 2]; variables as usize];
        let (mut count, mut literals, mut binary, mut horn, mut positive) = (0u64, 0u64, 0u64, 0u64, 0u64);
        let (mut shortest, mut longest) = (u32::MAX, 0u32);
        for clause in clauses {
            let length = clause.len() as u32;
            count += 1;
            literals += u64::from(length);
            shortest = shortest.min(length);
            longest = longest.max(length);
            binary += u64::from(length == 2);
            let mut positive_here = 0;
            for literal in clause {
                positive_here += u64::from(!literal.is_negative());
                signs[literal.variable() as usize][usize::from(literal.is_negative())] += 1;
            }
            positive += positive_here;
            horn += u64::from(positive_here <= 1);
        }
        let (mut leaning, mut used) = (0.0, 0u64);
        for [positive, negative] in signs.into_iter().filter(|s| s[0] + s[1] > 0) {
            let lean = f64::from(positive) - f64::from(negative);
            leaning += lean * lean / (f64::from(positive) + f64::from(negative));
            used += 1;
        }
        Self {
            ratio: count as f64 / f64::from(variables.max(1)),
            uniform_length: (shortest == longest).then_some(longest),
            longest,
            binary_share: share(binary, count),
            horn_share: share(horn, count),
            positive_share: share(positive, literals),
            polarity_dispersion: if used > 0 { leaning / used as f64 } else { 0.0 },
            ..Self::default()
        }
    }

    fn of_spins(ising: &Ising) -> Self {
        let spins = f64::from(ising.spins.max(1));
        let couplings = ising.couplings.len() as f64;
        let mut structure = Self {
            ratio: couplings / spins,
            field_share: ising.fields.iter().filter(|&&h| h != 0).count() as f64 / spins,
            density: if ising.spins > 1 { 2.0 * couplings / (spins * (spins - 1.0)) } else { 0.0 },
            ..Self::default()
        };
        structure.weigh(ising.couplings.iter().map(|c| c.2.unsigned_abs()));
        structure
    }

    fn weigh(&mut self, magnitudes: impl Iterator<Item = u64>) {
        let range = super::WeightRange::of(magnitudes);
        self.unit_weights = range.is_none_or(|r| r.least == r.most);
        self.weight_spread = range.map_or(1.0, |r| r.most as f64 / r.least as f64);
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Literals or couplings of each variable.
pub(super) fn degrees(problem: &Problem) -> Vec<u32> {
    let mut degrees = vec![0u32; problem.variables() as usize];
    let mut count = |literals: &[Literal]| {
        for literal in literals {
            degrees[literal.variable() as usize] += 1;
        }
    };
    match problem {
        Problem::Cnf(cnf) => count(cnf.clauses.literals()),
        Problem::Wcnf(wcnf) => {
            count(wcnf.hard.literals());
            count(wcnf.soft.literals());
        }
        Problem::Ising(ising) => {
            for &(i, j, _) in &ising.couplings {
                degrees[i as usize] += 1;
                degrees[j as usize] += 1;
            }
        }
    }
    degrees
}

/// The most links that communities are looked for in.
const LINKS_MAX: usize = 1 << 22;
/// Rounds of label propagation.
const ROUNDS: usize = 5;
/// Spins whose squares are counted.
const SQUARE_SAMPLES: usize = 256;
/// Neighbours with more neighbours are left out of that count.
const SQUARE_DEGREE_MAX: usize = 64;

/// Pairs of variables that a coupling or a clause joins (a clause joins each literal to the next), as
/// lists of neighbours.
struct Links {
    starts: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Links {
    fn of(problem: &Problem) -> Self {
        let variables = problem.variables() as usize;
        let count = match problem {
            Problem::Ising(ising) => ising.couplings.len(),
            Problem::Cnf(cnf) => cnf.clauses.literals().len(),
            Problem::Wcnf(wcnf) => wcnf.hard.literals().len() + wcnf.soft.literals().len(),
        };
        if count > LINKS_MAX {
            return Self { starts: Vec::new(), neighbours: Vec::new() };
        }
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(count);
        let mut chain = |clause: &[Literal]| {
            let variables = clause.windows(2).map(|w| (w[0].variable(), w[1].variable()));
            pairs.extend(variables.filter(|(a, b)| a != b));
        };
        match problem {
            Problem::Cnf(cnf) => cnf.clauses.iter().for_each(&mut chain),
            Problem::Wcnf(wcnf) => wcnf.hard.iter().chain(wcnf.soft.iter()).for_each(&mut chain),
            Problem::Ising(ising) => pairs.extend(ising.couplings.iter().map(|&(i, j, _)| (i, j))),
        }
        let mut starts = vec![0u32; variables + 1];
        for &(a, b) in &pairs {
            starts[a as usize + 1] += 1;
            starts[b as usize + 1] += 1;
        }
        for v in 0..variables {
            starts[v + 1] += starts[v];
        }
        let mut fill = starts.clone();
        let mut neighbours = vec![0u32; 2 * pairs.len()];
        for (a, b) in pairs {
            for (from, to) in [(a, b), (b, a)] {
                neighbours[fill[from as usize] as usize] = to;
                fill[from as usize] += 1;
            }
        }
        Self { starts, neighbours }
    }

    fn variables(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn of_variable(&self, variable: usize) -> &[u32] {
        &self.neighbours[self.starts[variable] as usize..self.starts[variable + 1] as usize]
    }

    fn index_distance(&self) -> f64 {
        let mut sum = 0u64;
        for v in 0..self.variables() {
            sum += self.of_variable(v).iter().map(|&n| u64::from(n).abs_diff(v as u64)).sum::<u64>();
        }
        let random = self.variables() as f64 / 3.0 * self.neighbours.len() as f64;
        if random > 0.0 { sum as f64 / random } else { 0.0 }
    }

    /// Label propagation in the order of numbers; a variable keeps its label where that is among the
    /// most frequent of its neighbours, and takes the least of these otherwise.
    fn modularity(&self) -> Option<f64> {
        if self.neighbours.is_empty() {
            return None;
        }
        let mut label: Vec<u32> = (0..self.variables() as u32).collect();
        let mut seen: Vec<u32> = Vec::new();
        for _ in 0..ROUNDS {
            for v in 0..self.variables() {
                seen.clear();
                seen.extend(self.of_variable(v).iter().map(|&n| label[n as usize]));
                seen.sort_unstable();
                let mut best = (0, false, 0);
                for run in seen.chunk_by(|a, b| a == b) {
                    let candidate = (run.len(), run[0] == label[v], run[0]);
                    if (candidate.0, candidate.1) > (best.0, best.1) {
                        best = candidate;
                    }
                }
                if best.0 > 0 {
                    label[v] = best.2;
                }
            }
        }
        let mut total = vec![0u64; self.variables()];
        let mut inside = 0u64;
        for v in 0..self.variables() {
            total[label[v] as usize] += self.of_variable(v).len() as u64;
            inside += self.of_variable(v).iter().filter(|&&n| label[n as usize] == label[v]).count() as u64;
        }
        let ends = self.neighbours.len() as f64;
        let expected: f64 = total.iter().map(|&t| (t as f64 / ends).powi(2)).sum();
        Some(inside as f64 / ends - expected)
    }

    fn square_share(&self) -> f64 {
        let stride = self.variables().div_ceil(SQUARE_SAMPLES).max(1);
        let (mut closed, mut pairs) = (0u64, 0u64);
        for v in (0..self.variables()).step_by(stride) {
            let neighbours = self.of_variable(v);
            if neighbours.len() > SQUARE_DEGREE_MAX {
                continue;
            }
            for (k, &a) in neighbours.iter().enumerate() {
                let around_a = self.of_variable(a as usize);
                if around_a.len() > SQUARE_DEGREE_MAX {
                    continue;
                }
                for &b in &neighbours[..k] {
                    let around_b = self.of_variable(b as usize);
                    if around_b.len() > SQUARE_DEGREE_MAX {
                        continue;
                    }
                    pairs += 1;
                    closed += u64::from(around_a.iter().any(|n| *n as usize != v && around_b.contains(n)));
                }
            }
        }
        share(closed, pairs)
    }
}
