//! Non-negative least squares of relative errors, pulled towards the least worst error.

/// Constants `b >= 0` with `sum_j b_j x_ij` close to `y_i`, relatively.
pub fn fit(rows: &[(Vec<f64>, f64)]) -> Vec<f64> {
    let terms = rows.first().map_or(0, |r| r.0.len());
    let mut weights = vec![1.0; rows.len()];
    let mut constants = vec![0.0; terms];
    for _ in 0..12 {
        constants = solve(rows, &weights, constants);
        let errors: Vec<f64> = rows.iter().map(|r| (predict(&constants, &r.0) / r.1).ln().abs()).collect();
        let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
        for (weight, error) in weights.iter_mut().zip(errors) {
            *weight *= (error / mean.max(1e-9)).clamp(0.5, 2.0).powf(0.7);
        }
    }
    constants
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
