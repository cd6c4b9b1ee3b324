//! Consensus constants of a network; they are part of its genesis.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::cost::COST_VERSION;
use crate::types::{ELEMENTS_LIMIT, Target, VARIABLES_LIMIT};

/// What nodes of a network must agree on about work. Networks differ only here.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct WorkRules {
    /// Which table of cost constants legs are sized by: [`COST_VERSION`].
    pub cost_version: u32,
    /// Cost of a leg, in nanoseconds of one core of the reference CPU (see [`crate::cost`]).
    pub leg_work: u64,
    /// Hashes that one expects to try before the first leg: about 5 % of an attempt's cost.
    pub pre_tries: u64,
    /// The most variables of a problem; at most [`VARIABLES_LIMIT`].
    pub variables_max: u32,
    /// The most literals or couplings of a problem; at most [`ELEMENTS_LIMIT`].
    pub elements_max: u32,
    /// The fewest steps of a leg; problems that are too costly for so many are refused.
    pub steps_min: u32,
    /// By how many thousandths normalising may shrink a problem before it is refused.
    pub shrink_per_mille_max: u32,
    /// The most blocks between the parent that a claim's leg was drawn from and the block that holds the claim.
    pub claim_age_blocks: u64,
    /// The fewest blocks between the block whose hash seeds the public pool and the block that draws from it.
    pub pool_age_blocks: u64,
    /// For so many blocks the public pool stays the same, so that its circuits can be kept.
    pub pool_period_blocks: u64,
}

impl WorkRules {
    /// The main network. Hashing is 5 % of an attempt on a core of Zen 4 with AVX-512 (`bench/results/cost.md`). Four legs are two
    /// thirds of a second of the reference core, so that two cores verify a block within half a second, in the median
    /// (`docs/decisions/0005-work-chips.md`).
    pub const fn main() -> Self {
        Self {
            cost_version: COST_VERSION,
            leg_work: 170_000_000,
            pre_tries: 3_200_000,
            variables_max: VARIABLES_LIMIT,
            elements_max: ELEMENTS_LIMIT,
            steps_min: 16,
            shrink_per_mille_max: 100,
            claim_age_blocks: 10,
            pool_age_blocks: 10,
            pool_period_blocks: 60,
        }
    }

    /// A network on one machine: a leg is ten milliseconds, and problems are small.
    pub const fn devnet() -> Self {
        let main = Self::main();
        Self {
            leg_work: main.leg_work / 17,
            pre_tries: main.pre_tries / 17,
            steps_min: 8,
            variables_max: 1 << 16,
            elements_max: 1 << 17,
            ..main
        }
    }

    /// The target of the hash before the first leg.
    pub fn pre_target(&self) -> Target {
        Target::from_expected_tries(u128::from(self.pre_tries))
    }

    /// What an attempt costs, pre-hash included, in nanoseconds of the reference core: the work of a block is
    /// this over the probability that an attempt wins.
    pub fn attempt_work(&self) -> u64 {
        let legs = self.leg_work.saturating_mul(crate::types::LEGS as u64);
        legs.saturating_add(self.pre_tries.saturating_mul(crate::cost::PRE_TRY_PICOSECONDS) / 1000)
    }

    /// The height of the block whose hash seeds the public pool of a block that is built on a parent of this
    /// height: at least [`Self::pool_age_blocks`] back from the block to come, the same for a whole period.
    pub fn pool_anchor(&self, parent_height: u64) -> u64 {
        let period = self.pool_period_blocks.max(1);
        (parent_height + 1).saturating_sub(self.pool_age_blocks) / period * period
    }

    /// Whether the rules are within what this crate can run.
    ///
    /// # Errors
    /// The name of the constant that is not.
    pub fn check(&self) -> Result<(), &'static str> {
        let checks = [
            (self.cost_version == COST_VERSION, "cost_version"),
            ((1_000_000..=10_000_000_000).contains(&self.leg_work), "leg_work"),
            ((1..=1 << 40).contains(&self.pre_tries), "pre_tries"),
            (self.variables_max <= VARIABLES_LIMIT, "variables_max"),
            (self.elements_max <= ELEMENTS_LIMIT, "elements_max"),
            ((1..=1 << 20).contains(&self.steps_min), "steps_min"),
            (self.shrink_per_mille_max <= 1000, "shrink_per_mille_max"),
            ((1..=1000).contains(&self.claim_age_blocks), "claim_age_blocks"),
            ((1..=10_000).contains(&self.pool_age_blocks), "pool_age_blocks"),
            ((1..=1 << 20).contains(&self.pool_period_blocks), "pool_period_blocks"),
        ];
        checks.iter().find(|check| !check.0).map_or(Ok(()), |check| Err(check.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_within_bounds() {
        assert_eq!(WorkRules::main().check(), Ok(()));
        assert_eq!(WorkRules::devnet().check(), Ok(()));
        let broken = WorkRules { leg_work: 0, ..WorkRules::main() };
        assert_eq!(broken.check(), Err("leg_work"));
    }

    #[test]
    fn the_pool_is_old_enough_and_steady() {
        let rules = WorkRules::main();
        for parent in 0..500u64 {
            let anchor = rules.pool_anchor(parent);
            assert!(anchor == 0 || anchor + rules.pool_age_blocks <= parent + 1);
        }
        assert_eq!(rules.pool_anchor(0), 0);
        assert_eq!(rules.pool_anchor(69), 60);
        assert_eq!(rules.pool_anchor(128), rules.pool_anchor(69));
    }
}
