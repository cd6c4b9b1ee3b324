//! What a worker tells whoever watches it.

use std::time::Duration;

use hysteron_work::JobId;

use crate::figures::Figures;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A node was reached.
    Connected {
        /// Its URL.
        node: String,
    },
    /// The connection broke, or could not be made.
    Lost {
        /// Why.
        reason: String,
        /// How long until the next attempt.
        retry: Duration,
    },
    /// The node ordered something else.
    Order {
        /// The height that is mined.
        height: u64,
        /// Jobs in the schedule.
        jobs: usize,
    },
    /// An attempt won, and was sent.
    Block {
        /// Its height.
        height: u64,
    },
    /// A leg improved a job, and was sent.
    Claim {
        /// The height that was mined.
        height: u64,
        /// The job.
        job: JobId,
        /// The energy of its problem that the leg reached.
        energy: i64,
    },
    /// The node did not take a block or a claim; most often another came first.
    Refused {
        /// Why.
        reason: String,
    },
    /// Legs could not be run.
    Trouble {
        /// Why.
        reason: String,
    },
    /// How it goes, every so often.
    Report(Box<Report>),
}

/// How it goes.
#[derive(Clone, Debug)]
pub struct Report {
    /// Since the worker started.
    pub total: Figures,
    /// Since the last report.
    pub lately: Figures,
    /// The time since the last report.
    pub interval: Duration,
    /// The height that is mined.
    pub height: Option<u64>,
    /// Attempts that one expects to need for the next block.
    pub expected_attempts: Option<u128>,
    /// Blocks of this connection that the chain took.
    pub blocks_accepted: u32,
    /// Claims of this connection that were sent on.
    pub claims_accepted: u32,
}
