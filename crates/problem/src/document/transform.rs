//! Changes of variables between QUBO, Ising and cuts, in checked integers.

use super::convert::{OVERFLOW, Refusal};
use super::quadratic::{Quadratic, Term, merged_couplings};
use crate::decimal::DECIMALS_MAX;

/// Terms with repeated ones summed, linear ones first and zeros left out.
pub(super) fn simplified(
    variables: u32,
    terms: &[Term],
    offset: i64,
    decimals: u32,
) -> Result<Quadratic, Refusal> {
    let mut linear = vec![0i128; variables as usize];
    for &(i, _, weight) in terms.iter().filter(|t| t.0 == t.1) {
        linear[i as usize] += i128::from(weight);
    }
    let couplings = merged_couplings(terms, 1).ok_or(OVERFLOW)?;
    from_parts(variables, &linear, couplings, offset.into(), decimals)
}

fn from_parts(
    variables: u32,
    linear: &[i128],
    couplings: Vec<Term>,
    offset: i128,
    decimals: u32,
) -> Result<Quadratic, Refusal> {
    let mut all = Vec::with_capacity(couplings.len());
    for (v, &weight) in (0..).zip(linear) {
        if weight != 0 {
            all.push((v, v, i64::try_from(weight).map_err(|_| OVERFLOW)?));
        }
    }
    all.extend(couplings);
    let offset = i64::try_from(offset).ok().filter(|&o| o != i64::MIN).ok_or(OVERFLOW)?;
    Ok(Quadratic::new(variables, all, offset, decimals)?)
}

/// `s = 2x - 1`.
pub(super) fn ising_to_qubo(terms: &Quadratic) -> Result<Quadratic, Refusal> {
    let mut linear = vec![0i128; terms.variables as usize];
    let mut offset = i128::from(terms.offset);
    let mut couplings = Vec::with_capacity(terms.terms.len());
    for &(i, j, weight) in &terms.terms {
        let wide = i128::from(weight);
        if i == j {
            linear[i as usize] += 2 * wide;
            offset -= wide;
        } else {
            couplings.push((i, j, weight.checked_mul(4).ok_or(OVERFLOW)?));
            linear[i as usize] -= 2 * wide;
            linear[j as usize] -= 2 * wide;
            offset += wide;
        }
    }
    from_parts(terms.variables, &linear, couplings, offset, terms.decimals)
}

/// `x = (1 + s) / 2`, in quarters, which take two more decimals if they do not cancel.
pub(super) fn qubo_to_ising(terms: &Quadratic) -> Result<Quadratic, Refusal> {
    let mut fields = vec![0i128; terms.variables as usize];
    let mut offset = 4 * i128::from(terms.offset);
    let mut couplings = Vec::with_capacity(terms.terms.len());
    for &(i, j, weight) in &terms.terms {
        let wide = i128::from(weight);
        if i == j {
            fields[i as usize] += 2 * wide;
            offset += 2 * wide;
        } else {
            couplings.push((i, j, weight));
            fields[i as usize] += wide;
            fields[j as usize] += wide;
            offset += wide;
        }
    }
    let whole = |unit: i128| {
        fields.iter().chain([&offset]).all(|v| v % unit == 0)
            && couplings.iter().all(|c| i128::from(c.2) % unit == 0)
    };
    let (numerator, denominator, decimals) = if whole(4) {
        (1, 4, 0)
    } else if whole(2) {
        (5, 2, 1)
    } else {
        (25, 1, 2)
    };
    let decimals = terms.decimals + decimals;
    if decimals > DECIMALS_MAX {
        return Err(OVERFLOW.into());
    }
    let scaled = |v: i128| v / denominator * numerator;
    for coupling in &mut couplings {
        coupling.2 = i64::try_from(scaled(coupling.2.into())).map_err(|_| OVERFLOW)?;
    }
    let fields: Vec<i128> = fields.into_iter().map(scaled).collect();
    from_parts(terms.variables, &fields, couplings, scaled(offset), decimals)
}

/// `w [x_i != x_j] = w x_i + w x_j - 2 w x_i x_j`.
pub(super) fn cut_to_qubo(terms: &Quadratic) -> Result<Quadratic, Refusal> {
    let mut linear = vec![0i128; terms.variables as usize];
    let mut couplings = Vec::with_capacity(terms.terms.len());
    for &(i, j, weight) in terms.terms.iter().filter(|t| t.0 != t.1) {
        linear[i as usize] += i128::from(weight);
        linear[j as usize] += i128::from(weight);
        couplings.push((i, j, weight.checked_mul(-2).ok_or(OVERFLOW)?));
    }
    from_parts(terms.variables, &linear, couplings, 0, terms.decimals)
}
