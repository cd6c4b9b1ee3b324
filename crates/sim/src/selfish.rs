//! The pool that withholds blocks: Eyal and Sirer, "Majority is not enough" (2014), algorithm 1.

use crate::tree::{BlockIndex, Tree};

/// The pool's own branch.
#[derive(Default)]
pub struct Selfish {
    /// Its blocks that nobody else has, the lowest first.
    withheld: Vec<BlockIndex>,
    /// The public block of most work that it has heard of.
    public: BlockIndex,
    /// Whether it has published a block that competes with one of the same height.
    races: bool,
}

impl Selfish {
    /// It found a block on its tip. Gives what it publishes.
    pub fn own(&mut self, block: BlockIndex) -> Vec<BlockIndex> {
        self.withheld.push(block);
        if self.races {
            // Its branch is one ahead now: that decides the race.
            self.races = false;
            return std::mem::take(&mut self.withheld);
        }
        Vec::new()
    }

    /// Others found a block. Gives what it works on, and what it publishes.
    pub fn public(
        &mut self,
        tree: &Tree,
        tip: BlockIndex,
        block: BlockIndex,
    ) -> (BlockIndex, Vec<BlockIndex>) {
        if tree[block].total_work <= tree[self.public].total_work {
            return (tip, Vec::new());
        }
        self.public = block;
        if tree[block].total_work > tree[tip].total_work {
            self.withheld.clear();
            self.races = false;
            return (block, Vec::new());
        }
        let (own, theirs) = (tree.height(tip), tree.height(block));
        let published = if own <= theirs + 1 {
            self.races = own == theirs && !self.withheld.is_empty();
            std::mem::take(&mut self.withheld)
        } else {
            let count = self.withheld.partition_point(|&one| tree.height(one) <= theirs);
            self.withheld.drain(..count).collect()
        };
        (tip, published)
    }
}
