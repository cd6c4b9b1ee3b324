//! Which blocks a node passes on before it has run their legs again: the node's rule (docs/decisions/0009-relay.md), without the
//! parts that only forgers bring into play.

use std::collections::VecDeque;

use crate::tree::BlockIndex;

/// Blocks on one parent that are passed on early, as in the node.
const PER_PARENT_MAX: usize = 2;
/// Parents that are remembered.
const PARENTS_MAX: usize = 64;

/// A node's memory of what it passed on, and of what it verified.
#[derive(Default)]
pub(crate) struct Passing {
    parents: VecDeque<(BlockIndex, usize)>,
    verified: Vec<bool>,
    passed: Vec<bool>,
}

fn set(flags: &mut Vec<bool>, block: BlockIndex) {
    if flags.len() <= block {
        flags.resize(block + 1, false);
    }
    flags[block] = true;
}

impl Passing {
    /// Whether a block on this parent is passed on now; the parent must be verified, and a parent has few such blocks.
    pub(crate) fn admits(&mut self, block: BlockIndex, parent: BlockIndex) -> bool {
        if parent != 0 && !self.verified.get(parent).copied().unwrap_or(false) {
            return false;
        }
        let at = self.parents.iter().position(|(known, _)| *known == parent).unwrap_or_else(|| {
            if self.parents.len() >= PARENTS_MAX {
                self.parents.pop_front();
            }
            self.parents.push_back((parent, 0));
            self.parents.len() - 1
        });
        let (_, count) = &mut self.parents[at];
        if *count >= PER_PARENT_MAX {
            return false;
        }
        *count += 1;
        set(&mut self.passed, block);
        true
    }

    /// The block's legs were run again. Says whether it was passed on before.
    pub(crate) fn verified(&mut self, block: BlockIndex) -> bool {
        set(&mut self.verified, block);
        self.passed.get(block).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_on_a_verified_parent() {
        let mut passing = Passing::default();
        assert!(passing.admits(1, 0) && passing.admits(2, 0) && !passing.admits(3, 0));
        assert!(!passing.admits(4, 1), "the parent's legs are not run yet");
        assert!(passing.verified(1) && !passing.verified(3));
        assert!(passing.admits(4, 1));
    }
}
