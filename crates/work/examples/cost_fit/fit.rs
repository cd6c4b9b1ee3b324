//! Non-negative least squares of relative errors, pulled towards the least worst error.

/// Constants `b >= 0` with `sum_j b_j x_ij` close to `y_i`, relatively: least squares at first, then powers up to the
/// tenth, by reweighting.
pub fn fit(rows: &[(Vec<f64>, f64)]) -> Vec<f64> {
    let terms = rows.first().map_or(0, |r| r.0.len());
    let mut constants = solve(rows, &vec![1.0; rows.len()], vec![0.0; terms]);
    let mut best = (worst(&constants, rows), constants.clone());
    let mut weights = vec![1.0; rows.len()];
    for round in 0..40 {
        let power = 2.0 + 8.0 * f64::from(round.min(30)) / 30.0;
        let errors: Vec<f64> = rows.iter().map(|r| error(&constants, r)).collect();
        let largest = errors.iter().copied().fold(1e-9, f64::max);
        for (weight, error) in weights.iter_mut().zip(errors) {
            let wanted = (error / largest).max(0.03).powf(power - 2.0);
            *weight = (*weight * wanted).sqrt();
        }
        constants = solve(rows, &weights, constants);
        let now = worst(&constants, rows);
        if now < best.0 {
            best = (now, constants.clone());
        }
    }
    best.1
}

fn error(constants: &[f64], row: &(Vec<f64>, f64)) -> f64 {
    (predict(constants, &row.0) / row.1).ln().abs()
}

fn worst(constants: &[f64], rows: &[(Vec<f64>, f64)]) -> f64 {
    rows.iter().map(|r| error(constants, r)).fold(0.0, f64::max)
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
    for _ in 0..20_000 {
        for i in 0..terms {
            if gram[i][i] > 0.0 {
                let others: f64 = (0..terms).filter(|&j| j != i).map(|j| gram[i][j] * constants[j]).sum();
                constants[i] = ((right[i] - others) / gram[i][i]).max(0.0);
            }
        }
    }
    constants
}
