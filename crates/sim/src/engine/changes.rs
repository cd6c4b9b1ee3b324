//! Changes of the whole network: miners exit or hop, the network falls apart and heals.

use super::{Engine, Event};
use crate::graph::Link;

impl Engine<'_> {
    /// What depends on the height or the difficulty.
    pub(super) fn best_changed(&mut self) {
        let height = self.tree.height(self.best);
        let all = 0..self.nodes.len();
        if let Some(exit) =
            self.scenario.exit.as_ref().filter(|e| self.exited.is_none() && height >= e.at_block)
        {
            self.population.exit(exit.share, self.now, &mut self.random);
            all.clone().for_each(|node| self.refresh(node));
            self.exited = Some((self.now, self.nodes.iter().map(|node| node.speed).sum()));
        }
        if let Some(partition) =
            self.scenario.partition.as_ref().filter(|p| !self.was_cut && height >= p.at_block)
        {
            (self.is_cut, self.was_cut) = (true, true);
            self.schedule(60.0 * partition.minutes, Event::Heal);
        }
        if let Some(hopping) = &self.scenario.hopping {
            let difficulty = self.tree[self.best].next_tries / self.alone_tries;
            let here = self.population.hoppers_work;
            if (here && difficulty > hopping.leave_above) || (!here && difficulty < hopping.come_below) {
                self.population.hop(!here, self.now, &mut self.random);
                all.for_each(|node| self.refresh(node));
            }
        }
    }

    /// The parts can talk again.
    pub(super) fn heal(&mut self) {
        self.is_cut = false;
        self.healed.0 = Some(self.now);
        for node in 0..self.nodes.len() {
            for at in 0..self.sites[node].links.len() {
                let Link { to, delay_s } = self.sites[node].links[at];
                if self.sites[node].is_cut_off != self.sites[to].is_cut_off {
                    let (block, after_s) = (self.nodes[node].tip, delay_s * self.jitter());
                    self.schedule(after_s, Event::Arrive { node: to, block, from: node });
                }
            }
        }
    }
}
