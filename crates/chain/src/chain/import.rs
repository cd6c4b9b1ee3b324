//! Import of a longer history by a plan: see [`crate::sync`].

use hysteron_work::types::Hash;

use super::accept::WorkPolicy;
use super::{Chain, Outcome, Submission};
use crate::block::Block;
use crate::error::ChainError;
use crate::storage::Storage;
use crate::sync::{HeaderSync, ImportPlan};

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

    /// Imports blocks in the plan's order; give several at once, as a branch that is not yet the best costs moving the
    /// state there and back each time. Stops at the first refusal: what was imported before stays.
    ///
    /// # Errors
    /// Besides those of [`Self::submit_block`], with `plan` still at the refused block:
    /// [`ChainError::Unplanned`] for a block that is not the plan's next.
    pub fn import(
        &mut self,
        plan: &mut ImportPlan,
        blocks: Vec<Block>,
        now: u64,
    ) -> Result<Vec<Submission>, ChainError> {
        let mut submissions = Vec::new();
        let mut result = Ok(());
        for block in blocks {
            match self.import_one(plan, &block, now) {
                Ok(submission) => {
                    plan.advance();
                    submissions.push(submission);
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        // Transactions come back or go with the state at the tip, so with the last block's submission.
        let mut last = submissions.pop().unwrap_or_else(|| Submission::new(self.tip.hash, Outcome::Known));
        self.settle(&mut last)?;
        submissions.push(last);
        result.map(|()| submissions)
    }

    fn import_one(&mut self, plan: &ImportPlan, block: &Block, now: u64) -> Result<Submission, ChainError> {
        let hash = block.hash();
        if plan.next() != Some(&hash) {
            return Err(ChainError::Unplanned);
        }
        let mut submission = Submission::new(hash, Outcome::Known);
        if self.archive.entry(&hash)?.is_none() {
            let policy = if plan.verifies_next() { WorkPolicy::Rerun } else { WorkPolicy::Vouched };
            let depth_max = self.options.reorganisation_depth_max;
            submission.outcome = self.accept(block, hash, policy, depth_max, now, &mut submission)?;
        }
        Ok(submission)
    }
}
