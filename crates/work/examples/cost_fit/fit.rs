//! Non-negative least squares of relative errors, pulled towards the least worst error and the lower edge.

/// What slows a measurement down is only ever added to it: a row above its fit weighs so much, one below weighs 1.
const ABOVE: f64 = 0.3;

/// Rows that are above their fit by more than this were measured in a slow moment only, and are left out of a second fit.
const SLOW: f64 = 1.25;

/// Constants of all rows, then of those that were not measured in slow moments only. Rows with any of the counts `far`, of what
/// goes to a cache that others share, or beyond, are kept in any case.
pub fn fit(rows: &[(Vec<f64>, f64)], far: &[usize]) -> Vec<f64> {
    let constants = fit_all(rows);
    let is_kept = |r: &(Vec<f64>, f64)| error(&constants, r) < SLOW.ln() || far.iter().any(|&k| r.0[k] > 0.0);
    let quiet: Vec<_> = rows.iter().filter(|r| is_kept(r)).cloned().collect();
    fit_all(&quiet)
}

/// Constants `b >= 0` with `sum_j b_j x_ij` close to `y_i`, relatively: least squares at first, then powers up to the
/// third, by reweighting.
fn fit_all(rows: &[(Vec<f64>, f64)]) -> Vec<f64> {
    let terms = rows.first().map_or(0, |r| r.0.len());
    let mut weights = vec![1.0; rows.len()];
    let mut constants = vec![0.0; terms];
    for round in 0..40 {
        constants = solve(rows, &weights, constants);
        let errors: Vec<f64> = rows.iter().map(|r| error(&constants, r)).collect();
        let power = f64::from(round.min(20)) / 20.0;
        let largest = errors.iter().map(|e| e.abs()).fold(1e-6, f64::max);
        for (weight, error) in weights.iter_mut().zip(errors) {
            let side = if error > 0.0 { ABOVE } else { 1.0 };
            // Half of the way: weights that jump would go back and forth.
            *weight = 0.5 * *weight + 0.5 * side * (error.abs() / largest).max(0.1).powf(power);
        }
    }
    constants
}

fn error(constants: &[f64], row: &(Vec<f64>, f64)) -> f64 {
    (row.1 / predict(constants, &row.0)).ln()
}

/// What constants say of counts.
pub fn predict(constants: &[f64], counts: &[f64]) -> f64 {
    constants.iter().zip(counts).map(|(a, b)| a * b).sum::<f64>().max(1e-9)
}

/// Coordinate descent on the weighted normal equations.
fn solve(rows: &[(Vec<f64>, f64)], weights: &[f64], mut constants: Vec<f64>) -> Vec<f64> {
    let terms = constants.len();
    let mut gram = vec![vec![0.0; terms]; terms];
    let mut right = vec![0.0; terms];
    for ((counts, y), w) in rows.iter().zip(weights) {
        for i in 0..terms {
            let x = counts[i] / y;
            right[i] += w * x;
            for j in 0..terms {
                gram[i][j] += w * x * counts[j] / y;
            }
        }
    }
    for _ in 0..10_000 {
        for i in 0..terms {
            if gram[i][i] > 0.0 {
                let others: f64 = (0..terms).filter(|&j| j != i).map(|j| gram[i][j] * constants[j]).sum();
                constants[i] = ((right[i] - others) / gram[i][i]).max(0.0);
            }
        }
    }
    constants
}
