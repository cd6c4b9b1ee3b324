//! A quick look at the shape of clauses: one pass, so that a problem that is solved in a
//! millisecond is not measured for longer than that.

use hysteron_problem::Literal;

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
