//! A quick look at the shape of clauses: one pass, so that a problem that is solved in a
//! millisecond is not measured for longer than that.

use hysteron_problem::{ClauseList, Literal};

/// Whether clauses have one length and variables occur about as often as if drawn at random
/// (Poisson: the variance of the occurrences equals their mean).
pub fn looks_random<'a>(variables: u32, clauses: impl Iterator<Item = &'a [Literal]> + Clone) -> bool {
    let mut lengths = clauses.clone().map(<[Literal]>::len);
    let Some(length) = lengths.next() else { return false };
    if length < 3 || lengths.any(|l| l != length) {
        return false;
    }
    let mut occurrences = vec![0u64; variables as usize];
    for literal in clauses.flatten() {
        occurrences[literal.variable() as usize] += 1;
    }
    let count = f64::from(variables.max(1));
    let mean = occurrences.iter().sum::<u64>() as f64 / count;
    let variance = occurrences.iter().map(|&o| (o as f64 - mean).powi(2)).sum::<f64>() / count;
    // Random clauses lose their pure literals to the normaliser, which narrows the distribution.
    (0.5..1.5).contains(&(variance / mean.max(1e-9)))
}

/// Clauses per variable in thousandths, by length from 3, from which on large random formulas have no solution but
/// one that was hidden (Mertens, Mézard, Zecchina 2006, "Threshold values of random K-SAT from the cavity method").
const THRESHOLDS: [u64; 5] = [4267, 9931, 21_117, 43_370, 87_790];

/// Whether clauses of one length are too many for a solution to be there by chance.
pub fn is_beyond_chance(variables: u32, clauses: &ClauseList) -> bool {
    clauses
        .longest()
        .checked_sub(3)
        .and_then(|index| THRESHOLDS.get(index))
        .is_some_and(|threshold| clauses.len() as u64 * 1000 > threshold * u64::from(variables))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_by_length() {
        let clause = |length: u32| -> Vec<Literal> { (0..length).map(|v| Literal::new(v, false)).collect() };
        for (length, count, expected) in
            [(3, 42, false), (3, 43, true), (5, 211, false), (5, 212, true), (2, 99, false)]
        {
            let mut clauses = ClauseList::new();
            (0..count).for_each(|_| clauses.push(&clause(length)));
            assert_eq!(is_beyond_chance(10, &clauses), expected, "{count} of length {length}");
        }
    }
}
