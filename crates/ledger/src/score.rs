//! Scores of assignments, and bounties in proportion to strict improvement.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_problem::Problem;

/// How good an assignment is; less is better, hard clauses first.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Score {
    /// Hard clauses that are not satisfied; 0 for problems without hard clauses.
    pub hard_unsatisfied: u64,
    /// Unsatisfied clauses, weight of unsatisfied soft clauses plus offset, or energy: canonical units.
    pub energy: i64,
}

impl Score {
    /// The score of an assignment; `None` if it has another number of variables.
    pub fn of(problem: &Problem, assignment: &[bool]) -> Option<Self> {
        hysteron_work::score(problem, assignment)
            .map(|(hard_unsatisfied, energy)| Self { hard_unsatisfied, energy })
    }
}

/// The scale of a problem's scores: where searches begin and what no assignment can beat.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Debug)]
pub struct Scale {
    /// The score with all variables false: what the first improvement is measured from.
    pub baseline: Score,
    /// A bound that no energy is below.
    pub floor: i64,
    /// What one unsatisfied hard clause weighs in improvements: more than all soft clauses together.
    pub hard_weight: u64,
}

impl Scale {
    /// The scale of a problem.
    pub fn of(problem: &Problem) -> Self {
        let baseline = Score::of(problem, &vec![false; problem.variables() as usize])
            .expect("one value a variable was given");
        let (floor, hard_weight) = match problem {
            Problem::Cnf(_) => (0, 1),
            Problem::Wcnf(wcnf) => (wcnf.offset, wcnf.weights.iter().sum::<u64>() + 1),
            Problem::Ising(ising) => {
                let weights = ising.couplings.iter().map(|c| c.2).chain(ising.fields.iter().copied());
                let sum: u128 = weights.map(|w| u128::from(w.unsigned_abs())).sum();
                // Canonical problems have |offset| + sum of |weights| <= 2^62.
                (ising.offset.saturating_sub(i64::try_from(sum).unwrap_or(i64::MAX)), 1)
            }
        };
        Self { baseline, floor, hard_weight }
    }

    /// The score that ends a job with this target.
    pub fn goal(&self, target: Option<i64>) -> Score {
        Score { hard_unsatisfied: 0, energy: target.unwrap_or(self.floor).max(self.floor) }
    }

    /// The distance of a score from the floor, in energy.
    fn height(&self, score: &Score) -> u128 {
        let energy = u128::try_from(i128::from(score.energy) - i128::from(self.floor)).unwrap_or(0);
        // At most 2^20 clauses of weight at most 2^62 + 1, and energies below 2^63: no overflow.
        u128::from(score.hard_unsatisfied).saturating_mul(self.hard_weight.into()).saturating_add(energy)
    }

    /// The part of `left` atoms that an improvement from `from` to `to` earns on the way to `goal`, rounded down:
    /// `left * (from - to) / (from - goal)`. Since `left` shrinks with every payment, payments of a job are in proportion
    /// to the improvements, and who reaches the goal gets the rest.
    pub fn bounty(&self, left: u64, from: &Score, to: &Score, goal: &Score) -> u64 {
        if to >= from {
            return 0;
        }
        if to <= goal {
            return left;
        }
        let (from, to, goal) = (self.height(from), self.height(to), self.height(goal));
        let (mut gain, mut way) = (from.saturating_sub(to), from.saturating_sub(goal));
        // Both lose their low bits together until the product fits 128 bits.
        let shift = (128 - way.leading_zeros()).saturating_sub(64);
        gain >>= shift;
        way >>= shift;
        if way == 0 {
            return 0;
        }
        let part = u128::from(left) * gain.min(way) / way;
        u64::try_from(part).unwrap_or(left).min(left)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCALE: Scale =
        Scale { baseline: Score { hard_unsatisfied: 3, energy: 500 }, floor: -100, hard_weight: 1001 };

    #[test]
    fn the_whole_way_pays_everything() {
        let goal = SCALE.goal(Some(-50));
        assert_eq!(SCALE.bounty(1000, &SCALE.baseline, &goal, &goal), 1000);
        let better = Score { hard_unsatisfied: 0, energy: -90 };
        assert_eq!(SCALE.bounty(1000, &SCALE.baseline, &better, &goal), 1000);
        assert_eq!(SCALE.bounty(1000, &goal, &SCALE.baseline, &goal), 0, "worse pays nothing");
        assert_eq!(SCALE.goal(Some(i64::MIN)), SCALE.goal(None), "no target is below the floor");
    }

    #[test]
    fn halves() {
        let scale = Scale { baseline: Score { hard_unsatisfied: 0, energy: 100 }, floor: 0, hard_weight: 1 };
        let middle = Score { hard_unsatisfied: 0, energy: 50 };
        assert_eq!(scale.bounty(1000, &scale.baseline, &middle, &scale.goal(None)), 500);
    }

    proptest! {
        #[test]
        fn steps_pay_what_one_leap_pays(
            mut energies in prop::collection::vec(-(1i64 << 61)..1 << 61, 2..12), left in 0u64..1 << 57
        ) {
            energies.sort_unstable_by(|a, b| b.cmp(a));
            energies.dedup();
            let floor = -(1i64 << 61) - 1;
            let score = |energy| Score { hard_unsatisfied: 0, energy };
            let scale = Scale { baseline: score(1 << 61), floor, hard_weight: 1 };
            let goal = scale.goal(None);
            let (mut from, mut rest, mut paid) = (scale.baseline, left, 0u64);
            for &energy in &energies {
                let part = scale.bounty(rest, &from, &score(energy), &goal);
                prop_assert!(part <= rest);
                rest -= part;
                paid += part;
                from = score(energy);
            }
            let leap = scale.bounty(left, &scale.baseline, &from, &goal);
            // Each step rounds down once, and what it leaves is shared again.
            prop_assert!(paid <= leap && leap - paid <= energies.len() as u64, "{paid} against {leap}");
        }
    }
}
