//! What an adversary with a shortcut or a grudge does on each table.

use crate::engine::Engine;
use crate::policy::{self, Class, Policy};
use crate::scenario::Attack;
use crate::tree::BlockIndex;

impl Engine<'_> {
    /// Attempts that a node's miners complete a unit of cost, on the table after `block`.
    pub(crate) fn yield_on(&mut self, node: usize, block: BlockIndex) -> f64 {
        let Some(adversary) = self.scenario.adversary.as_ref().filter(|_| self.is_adversary(node)) else {
            return 1.0;
        };
        let has_policy =
            matches!(adversary.attack, Attack::Skipping { .. } | Attack::Wash { .. } | Attack::Boycott);
        if !has_policy {
            return 1.0;
        }
        if let Some((policy, _)) = self.policies.get(&block) {
            return policy.rate;
        }
        let made = self.policy_on(adversary.attack, block);
        let rate = made.0.rate;
        self.policies.insert(block, made);
        rate
    }

    /// What the adversary does on a table, with the class of each entry: 1 for those that it treats specially.
    fn policy_on(&self, attack: Attack, block: BlockIndex) -> (Policy, Vec<usize>) {
        let table = &self.tree[block].table;
        let special = |job| match attack {
            Attack::Boycott => self.market.jobs.first() == Some(job),
            Attack::Wash { .. } => self.market.wash.as_ref() == Some(job),
            Attack::Skipping { share, .. } => {
                let of_all = share / self.scenario.jobs.occupancy * self.market.jobs.len() as f64;
                self.market
                    .jobs
                    .iter()
                    .position(|known| known == job)
                    .is_some_and(|at| (at as f64) < of_all.round())
            }
            _ => false,
        };
        let classes: Vec<usize> =
            table.entries.iter().map(|entry| usize::from(special(&entry.job))).collect();
        let all = table.drawn_chips() as f64;
        let chips = table.entries.iter().zip(&classes).filter(|(_, class)| **class == 1);
        let share = chips.map(|(entry, _)| entry.chips as f64 / all).sum::<f64>();
        let cost = match attack {
            Attack::Wash { cost, .. } | Attack::Skipping { cost, .. } => cost,
            _ => 1.0,
        };
        let other = Class { probability: 1.0 - share, cost: 1.0, is_refused: false };
        let own = Class { probability: share, cost, is_refused: attack == Attack::Boycott };
        let work = &self.market.genesis.work;
        let legs = (work.leg_work * hysteron_work::LEGS as u64) as f64;
        (policy::best(&[other, own], 1.0 - legs / work.attempt_work() as f64), classes)
    }
}
