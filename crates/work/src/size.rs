//! How large a problem is, in the terms that simulation costs depend on. Integers, one pass over the problem.

use hysteron_problem::{ClauseList, Ising, Problem, Wcnf};

/// Counts of a problem.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sizes {
    /// Variables or spins.
    pub variables: u64,
    /// Clauses.
    pub clauses: u64,
    /// Hard clauses of a partial problem.
    pub hard_clauses: u64,
    /// Literals, or twice the couplings: what a sweep looks at.
    pub literals: u64,
    /// Literals of soft clauses, where not all soft clauses weigh the same.
    pub weighted_literals: u64,
    /// Ordered pairs of literals of one clause, or twice the couplings: rows that a sweep reads.
    pub pairs: u64,
    /// The most clauses or couplings of a variable.
    pub degree_max: u64,
    /// The longest clause.
    pub clause_longest: u64,
    /// The largest sum of absolute weights in a row of an Ising problem (field included), after division by the
    /// greatest common divisor of all weights.
    pub row_sum_max: u64,
    /// The largest coupling, likewise.
    pub weight_max: u64,
    /// Whether a weighted problem has hard clauses, or a soft one of another weight than 1.
    pub is_weighted: bool,
    /// Whether all couplings are -1 or +1, likewise.
    pub is_unit: bool,
}

impl Sizes {
    /// Counts a problem.
    pub fn of(problem: &Problem) -> Self {
        match problem {
            Problem::Cnf(cnf) => {
                let mut sizes = Self { variables: cnf.variables.into(), ..Self::default() };
                let mut degrees = vec![0u64; cnf.variables as usize];
                sizes.add_clauses(&cnf.clauses, &mut degrees);
                sizes.degree_max = degrees.into_iter().max().unwrap_or(0);
                sizes
            }
            Problem::Wcnf(wcnf) => Self::of_wcnf(wcnf),
            Problem::Ising(ising) => Self::of_ising(ising),
        }
    }

    fn of_wcnf(wcnf: &Wcnf) -> Self {
        let mut sizes = Self { variables: wcnf.variables.into(), ..Self::default() };
        let mut degrees = vec![0u64; wcnf.variables as usize];
        sizes.add_clauses(&wcnf.hard, &mut degrees);
        sizes.hard_clauses = sizes.clauses;
        sizes.add_clauses(&wcnf.soft, &mut degrees);
        sizes.is_weighted = sizes.hard_clauses > 0 || wcnf.weights.iter().any(|&w| w != 1);
        if wcnf.weights.windows(2).any(|w| w[0] != w[1]) {
            sizes.weighted_literals = wcnf.soft.literals().len() as u64;
        }
        sizes.degree_max = degrees.into_iter().max().unwrap_or(0);
        sizes
    }

    fn of_ising(ising: &Ising) -> Self {
        let weights = || ising.couplings.iter().map(|c| c.2).chain(ising.fields.iter().copied());
        let divisor = weights().fold(0, |g, w| greatest_common_divisor(g, w.unsigned_abs())).max(1);
        let mut sizes = Self {
            variables: ising.spins.into(),
            literals: 2 * ising.couplings.len() as u64,
            pairs: 2 * ising.couplings.len() as u64,
            is_unit: ising.couplings.iter().all(|c| c.2.unsigned_abs() == divisor),
            weight_max: ising.couplings.iter().map(|c| c.2.unsigned_abs() / divisor).max().unwrap_or(0),
            ..Self::default()
        };
        let mut rows: Vec<(u64, u64)> =
            ising.fields.iter().map(|h| (0, h.unsigned_abs() / divisor)).collect();
        for &(i, j, weight) in &ising.couplings {
            for spin in [i, j] {
                let row = &mut rows[spin as usize];
                row.0 += 1;
                // Bounded by 2^62, as all weights together are.
                row.1 += weight.unsigned_abs() / divisor;
            }
        }
        sizes.degree_max = rows.iter().map(|r| r.0).max().unwrap_or(0);
        sizes.row_sum_max = rows.iter().map(|r| r.1).max().unwrap_or(0);
        sizes
    }

    fn add_clauses(&mut self, clauses: &ClauseList, degrees: &mut [u64]) {
        for clause in clauses.iter() {
            let length = clause.len() as u64;
            self.clauses += 1;
            self.literals += length;
            self.pairs += length * length.saturating_sub(1);
            self.clause_longest = self.clause_longest.max(length);
            for literal in clause {
                degrees[literal.variable() as usize] += 1;
            }
        }
    }

    /// Literals or couplings, as limits count them.
    pub fn elements(&self) -> u64 {
        if self.clauses > 0 { self.literals } else { self.literals / 2 }
    }

    /// Rows that a sweep reads for each variable, rounded up.
    pub fn row_mean(&self) -> u64 {
        self.pairs.div_ceil(self.variables.max(1))
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
