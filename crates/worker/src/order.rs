//! What is mined on, and what mining finds.

use std::sync::Arc;

use hysteron_work::{Attempt, Claim, Hash, JobId, Table, Target, WorkRules};

/// A block template as a miner needs it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Order {
    /// The node's name for the template: comes back with what is found.
    pub template: u64,
    /// Height of the block that is mined.
    pub height: u64,
    /// The header without nonce and digests, encoded: what a claim shows.
    pub header: Arc<Vec<u8>>,
    /// Its hash in the chain's terms, the seed of attempts.
    pub seed: Hash,
    /// An attempt wins if its post-hash is below this.
    pub post_target: Target,
    /// What seeds draw from.
    pub table: Arc<Table>,
    /// The network's constants.
    pub rules: Arc<WorkRules>,
}

/// What a thread found.
#[derive(Clone, Debug)]
pub enum Finding {
    /// An attempt that wins: with the template's content it is a block.
    Block {
        /// What was mined on.
        order: Order,
        /// The attempt.
        attempt: Box<Attempt>,
    },
    /// A leg that improves a job, of an attempt won or lost.
    Claim {
        /// What was mined on.
        order: Order,
        /// The job.
        job: JobId,
        /// What is claimed.
        claim: Box<Claim>,
        /// The energy that it reaches.
        energy: i64,
    },
}
