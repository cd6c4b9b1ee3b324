//! Non-negative constants by relative errors: the sum of squares at first, then high powers, so that the largest error counts most.

use hysteron_work::cost::TERMS;

/// No bound on any constant.
pub const FREE: [f64; TERMS] = [f64::INFINITY; TERMS];

/// The most that constants of fixed kernels may be, in picoseconds: what few families have any of should not be made to explain
/// something else. A branch that goes wrong costs at most 8 ns, a miss what a memory takes.
pub const MOST: [f64; TERMS] = {
    let mut most = FREE;
    (most[9], most[10]) = (8000.0, 8000.0);
    (most[11], most[12], most[13], most[14]) = (1000.0, 5000.0, 1500.0, 3000.0);
    (most[15], most[16], most[17]) = (3000.0, 3000.0, 8000.0);
    most
};

/// The same of metered kernels, and of updates and visits beyond caches.
pub const MOST_METERED: [f64; TERMS] = {
    let mut most = FREE;
    (most[4], most[5], most[6], most[8]) = (500.0, 500.0, 2000.0, 500.0);
    (most[7], most[10]) = (3000.0, 30_000.0);
    most
};

/// Rounds of reweighting.
const ROUNDS: i32 = 120;
/// The last power of errors that weights are, beyond the square.
pub const POWER: f64 = 6.0;
/// The least weight, of the largest.
const LEAST: f64 = 0.01;

/// What was counted, what was measured, and whether the largest error may be this one's: not where other work on the machine decides.
pub type Row = (Vec<f64>, f64, bool);

/// Constants `0 <= b <= most` with `sum_j b_j x_ij` close to `y_i`, relatively. Of all rounds the one with the least
/// spread. With the power 0 it is least squares.
pub fn fit(rows: &[Row], most: &[f64], power: f64) -> Vec<f64> {
    let terms = rows.first().map_or(0, |r| r.0.len());
    let mut weights = vec![1.0; rows.len()];
    let mut constants = vec![0.0; terms];
    let mut best = (f64::INFINITY, constants.clone());
    for round in 0..ROUNDS {
        constants = solve(rows, &weights, constants, most);
        let mut errors: Vec<f64> = rows.iter().map(|r| (r.1 / predict(&constants, &r.0)).ln()).collect();
        let (low, high) = errors
            .iter()
            .zip(rows)
            .filter(|(_, row)| row.2 || power == 0.0)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (&e, _)| (l.min(e), h.max(e)));
        if power == 0.0 {
            return constants;
        }
        if high - low < best.0 {
            best = (high - low, constants.clone());
        }
        // From the middle of the extremes.
        let middle = (low + high) / 2.0;
        errors.iter_mut().for_each(|e| *e -= middle);
        let power = power * (f64::from(round) / 60.0).min(1.0);
        let largest = (high - low) / 2.0 + 1e-6;
        for ((weight, error), row) in weights.iter_mut().zip(errors).zip(rows) {
            // A part of the way: weights that jump would go back and forth.
            let wanted = if row.2 { (error.abs() / largest).powf(power).max(LEAST) } else { LEAST };
            *weight = 0.8 * *weight + 0.2 * wanted;
        }
    }
    // The middle of what nine tenths of the rows measured is 1.
    let mut constants = best.1;
    let trusted = rows.iter().filter(|row| row.2);
    let mut ratios: Vec<f64> = trusted.map(|r| r.1 / predict(&constants, &r.0)).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |per_cent: usize| ratios[(ratios.len() - 1) * per_cent / 100];
    let scale = (at(5) * at(95)).sqrt();
    for (constant, most) in constants.iter_mut().zip(most) {
        *constant = (*constant * scale).min(*most);
    }
    constants
}

/// What constants say of counts.
pub fn predict(constants: &[f64], counts: &[f64]) -> f64 {
    constants.iter().zip(counts).map(|(a, b)| a * b).sum::<f64>().max(1e-9)
}

/// Coordinate descent on the weighted normal equations.
fn solve(rows: &[Row], weights: &[f64], mut constants: Vec<f64>, most: &[f64]) -> Vec<f64> {
    let terms = constants.len();
    let mut gram = vec![vec![0.0; terms]; terms];
    let mut right = vec![0.0; terms];
    for ((counts, y, _), w) in rows.iter().zip(weights) {
        for i in 0..terms {
            let x = counts[i] / y;
            right[i] += w * x;
            for j in 0..terms {
                gram[i][j] += w * x * counts[j] / y;
            }
        }
    }
    for _ in 0..4000 {
        for i in 0..terms {
            if gram[i][i] > 0.0 {
                let others: f64 = (0..terms).filter(|&j| j != i).map(|j| gram[i][j] * constants[j]).sum();
                constants[i] = ((right[i] - others) / gram[i][i]).clamp(0.0, most[i]);
            }
        }
    }
    constants
}
