//! The best way to skip legs: a miner who may abandon an attempt whenever it sees what the next leg works on.
//!
//! Costs are in attempts: pre-hash plus four legs are 1. With `L` the value of a unit of cost, an attempt at leg `i` that
//! drew class `k` is worth `max(0, V(i+1) - L * leg * cost(k))`, where `V(5) = 1` and `V(i)` is the mean over classes; `L` is
//! the root of `V(1) = L * pre_hash`, and is the number of attempts completed a unit of cost (renewal reward).

use hysteron_work::types::LEGS;

/// What a leg may draw, as one adversary sees it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Class {
    /// Probability of a draw.
    pub probability: f64,
    /// Cost of a leg, relative to an honest one.
    pub cost: f64,
    /// Whether the adversary never works on it.
    pub is_refused: bool,
}

/// What to do at each leg, and what comes of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// Attempts completed a unit of cost; 1 for the honest.
    pub rate: f64,
    /// For each class and leg: whether to run it.
    pub runs: Vec<[bool; LEGS]>,
    /// For each class: legs run a unit of cost.
    pub legs: Vec<f64>,
}

/// The policy that completes the most attempts. `pre_hash` is that part of an honest attempt's cost (about 0.05).
pub fn best(classes: &[Class], pre_hash: f64) -> Policy {
    let leg = (1.0 - pre_hash) / LEGS as f64;
    let (mut low, mut high) = (0.0, 1.0 / pre_hash.max(1e-9));
    let mut runs = vec![[false; LEGS]; classes.len()];
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        let mut value = 1.0;
        for at in (0..LEGS).rev() {
            let mut mean = 0.0;
            for (class, runs) in classes.iter().zip(&mut runs) {
                let worth = value - middle * leg * class.cost;
                runs[at] = !class.is_refused && worth > 0.0;
                if runs[at] {
                    mean += class.probability * worth;
                }
            }
            value = mean;
        }
        if value > middle * pre_hash { low = middle } else { high = middle }
    }
    let (mut reach, mut cost, mut legs) = (1.0, pre_hash, vec![0.0; classes.len()]);
    for at in 0..LEGS {
        let mut next = 0.0;
        for (index, class) in classes.iter().enumerate().filter(|(index, _)| runs[*index][at]) {
            let run = reach * class.probability;
            legs[index] += run;
            cost += run * leg * class.cost;
            next += run;
        }
        reach = next;
    }
    legs.iter_mut().for_each(|count| *count /= cost);
    Policy { rate: reach / cost, runs, legs }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain of a shortcut of cost `cost` for a share of draws; pre-hash and legs as in the design study (5 % on top).
    fn gain(share: f64, cost: f64) -> f64 {
        let class = |probability, cost| Class { probability, cost, is_refused: false };
        best(&[class(share, cost), class(1.0 - share, 1.0)], 0.05 / 1.05).rate
    }

    #[test]
    fn honest_miners_gain_nothing() {
        assert!((gain(0.5, 1.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn gains_are_those_of_the_design_study() {
        for (share, cost, expected) in
            [(0.10, 0.5, 1.05), (0.25, 0.5, 1.14), (0.50, 0.5, 1.33), (0.25, 0.0, 1.36), (0.50, 0.0, 2.3)]
        {
            let found = gain(share, cost);
            assert!((found - expected).abs() < 0.05, "{share} {cost}: {found} instead of {expected}");
        }
    }

    #[test]
    fn a_refused_job_costs_something() {
        let honest = Class { probability: 0.9, cost: 1.0, is_refused: false };
        let refused = Class { probability: 0.1, cost: 1.0, is_refused: true };
        let policy = best(&[honest, refused], 0.05);
        assert!(policy.rate < 0.9 && policy.rate > 0.7, "{}", policy.rate);
        assert_eq!(policy.legs[1], 0.0);
    }
}
