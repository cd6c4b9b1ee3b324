//! Import of a longer history by a plan: see [`crate::sync`].

use hysteron_work::types::Hash;

use super::accept::WorkPolicy;
use super::{Chain, Outcome, Submission, WorkDone};
use crate::block::Block;
use crate::error::ChainError;
use crate::storage::Storage;
use crate::sync::{HeaderSync, ImportPlan};

/// What an import of some blocks did.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Imported {
    /// One for each block that was taken, in order.
    pub submissions: Vec<Submission>,
    /// The block at which it stopped, and why, if it did: whoever sent it is to blame by
    /// [`ChainError::ban_score`], and for work that does not hold also who showed the headers.
    pub refused: Option<(Hash, ChainError)>,
}

impl<S: Storage> Chain<S> {
    /// Begins to take a peer's headers behind `parent`, the parent of its first header. The fork must not be below the
    /// deepest reorganisation.
    ///
    /// # Errors
    /// [`ChainError::ParentUnknown`], [`ChainError::TooDeep`], the storage.
    pub fn header_sync(&self, parent: &Hash) -> Result<HeaderSync, ChainError> {
        let entry = self.archive.entry(parent)?.ok_or(ChainError::ParentUnknown { parent: *parent })?;
        self.check_depth(parent, &entry, self.options.reorganisation_depth_max)?;
        let context = self.context_after(parent, &entry)?;
        Ok(HeaderSync::new(self.rules.clone(), context))
    }

    /// The plan of an import, if a peer's headers claim more work than the tip. `randomness` must be fresh and secret.
    pub fn plan_import(&self, sync: HeaderSync, randomness: &Hash) -> Option<ImportPlan> {
        sync.plan(self.tip.total_work, randomness)
    }

    /// Imports blocks in the plan's order. Stops at the first refusal, with the plan still at that block; what was imported
    /// before stays. Besides the refusals of [`Self::submit_block`] there is [`ChainError::Unplanned`]. The state is at the tip
    /// when it returns.
    pub fn import(&mut self, plan: &mut ImportPlan, blocks: Vec<Block>, now: u64) -> Imported {
        let mut imported = Imported::default();
        for block in blocks {
            let hash = block.hash();
            match self.import_next(plan, &block, None, now) {
                Ok(submission) => imported.submissions.push(submission),
                Err(error) => {
                    imported.refused = Some((hash, error));
                    break;
                }
            }
        }
        if let Err(error) = self.return_to_tip() {
            imported.refused.get_or_insert((self.tip.hash, error));
        }
        imported
    }

    /// Imports the next block of a plan, with the result of its work if that was run before ([`Self::import_ahead`]).
    ///
    /// The state stays on the plan's branch, so that a branch costs one step a block even while it is not yet the best; call
    /// [`Self::return_to_tip`] before anything that reads the state.
    ///
    /// # Errors
    /// As of [`Self::import`]; the plan is still at that block then.
    pub fn import_next(
        &mut self,
        plan: &mut ImportPlan,
        block: &Block,
        work: Option<&WorkDone>,
        now: u64,
    ) -> Result<Submission, ChainError> {
        let hash = block.hash();
        if plan.next() != Some(&hash) {
            return Err(ChainError::Unplanned);
        }
        let mut submission = Submission::new(hash, Outcome::Known);
        if self.archive.entry(&hash)?.is_none() {
            let policy = if plan.verifies_next() { WorkPolicy::Rerun(work) } else { WorkPolicy::Vouched };
            let depth_max = self.options.reorganisation_depth_max;
            submission.outcome = self.accept(block, hash, policy, depth_max, now, &mut submission)?;
        }
        self.settle(&mut submission)?;
        plan.advance();
        Ok(submission)
    }
}
