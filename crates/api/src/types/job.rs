//! Problems, prices, jobs, the schedule.

use serde::{Deserialize, Serialize};

use crate::{Atoms, Hex32, HexBytes};

/// `POST /v1/problems`, accepted: the data waits here for the transaction that opens a job with it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProblemReport {
    /// The content id.
    pub id: Hex32,
    /// The class: `short-clauses`, `long-clauses`, `weighted-clauses`, `sparse-spins`, `dense-spins`.
    pub class: String,
    /// Bytes of the canonical encoding.
    pub bytes: u64,
    /// Variables.
    pub variables: u32,
    /// Literals, or couplings.
    pub elements: u64,
    /// Whether the chain has the data already, so that the opening need not bring it.
    pub is_on_chain: bool,
    /// The fee that the network asks for an opening that brings the data.
    pub fee: Atoms,
}

/// `GET /v1/quote`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct QuoteQuery {
    /// Chips to book.
    pub chips: u64,
    /// Blocks to book.
    pub blocks: u32,
    /// Bounty as thousandths of the block fee; 0 without it.
    pub bounty_per_mille: Option<u16>,
}

/// The price of a booking.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// Chips.
    pub chips: u64,
    /// Blocks.
    pub blocks: u32,
    /// Chips times blocks.
    pub chip_blocks: u64,
    /// The price without the bounty, in thousandths of a euro cent.
    pub price_millicents: u64,
    /// The price without the bounty.
    pub price: Atoms,
    /// The bounty.
    pub bounty: Atoms,
    /// What the opening escrows: price and bounty.
    pub escrow: Atoms,
    /// Millionths of a euro cent for one HYS.
    pub microcents_per_hys: u64,
    /// The height whose quote this is; the opening states it.
    pub quoted_at: u64,
    /// The last height of a block that takes this quote.
    pub valid_until: u64,
    /// Chips of the network's capacity that are booked.
    pub booked_chips: u64,
    /// The network's capacity in chips.
    pub capacity_chips: u64,
}

/// Where a job is in its life.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Decided by the ethics committee before it may run.
    Held,
    /// For a place in the schedule.
    Waiting,
    /// In the schedule.
    Running,
    /// The target was reached.
    Solved,
    /// All booked chip-blocks were credited.
    Exhausted,
    /// By its owner.
    Cancelled,
    /// By the ethics committee, or by its silence.
    Refused,
    /// The network delivered too little.
    Starved,
    /// Ended, paid and refunded.
    Settled,
}

/// How far a job is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobProgress {
    /// Chip-blocks that were credited.
    pub credited_chip_blocks: u64,
    /// Chip-blocks that were booked.
    pub booked_chip_blocks: u64,
    /// Unsatisfied hard clauses of the best assignment.
    pub best_hard_unsatisfied: Option<u64>,
    /// The best energy so far, in canonical units.
    pub best_energy: Option<i64>,
}

/// `GET /v1/jobs/{id}`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Job {
    /// The id: that of the opening transaction.
    pub id: Hex32,
    /// The owner's address.
    pub owner: String,
    /// Where it is in its life.
    pub state: JobState,
    /// How it ended, when it did (also after it settled).
    pub outcome: Option<JobState>,
    /// The problem's content id.
    pub problem: Hex32,
    /// The problem's class.
    pub class: String,
    /// Chips that it booked.
    pub chips: u64,
    /// Blocks that it booked.
    pub blocks: u32,
    /// The energy that ends it, in canonical units.
    pub target: Option<i64>,
    /// How far it is.
    pub progress: JobProgress,
    /// The height at which it opened.
    pub opened_at: u64,
    /// The height at which it ended.
    pub ended_at: Option<u64>,
    /// The height at which it settles or settled.
    pub settles_at: Option<u64>,
    /// What was escrowed in all.
    pub escrowed: Atoms,
    /// What was paid to miners, the pot and the fire so far.
    pub spent: Atoms,
    /// Bounties that were paid.
    pub bounties: Atoms,
    /// What came back when it settled.
    pub refunded: Atoms,
}

/// `GET /v1/jobs`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct JobQuery {
    /// Only jobs in this state.
    pub state: Option<String>,
    /// Only jobs of this address.
    pub owner: Option<String>,
    /// The `next` of the page before.
    pub after: Option<Hex32>,
    /// How many at most, 1 to 100; 20 without it.
    pub count: Option<u32>,
}

/// Jobs in the order of their ids.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobList {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The next page's `after`; nothing when this is the last.
    pub next: Option<Hex32>,
}

/// `GET /v1/jobs/{id}/assignment`: the best so far.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobAssignment {
    /// The job.
    pub job: Hex32,
    /// Its problem.
    pub problem: Hex32,
    /// Unsatisfied hard clauses.
    pub hard_unsatisfied: u64,
    /// The energy in canonical units.
    pub energy: i64,
    /// Variables.
    pub variables: u32,
    /// One bit a variable, the lowest bit of a byte first.
    pub assignment: HexBytes,
    /// The height of the state that this is read from.
    pub height: u64,
}

impl JobAssignment {
    /// The values, one a variable; `None` if the answer contradicts itself.
    pub fn values(&self) -> Option<Vec<bool>> {
        hysteron_work::types::Assignment::from_bytes(self.variables, self.assignment.0.clone())
            .map(|assignment| assignment.unpack())
    }
}

/// An item of `GET /v1/jobs/{id}/events`: something that happened to the job.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobEvent {
    /// The block's height.
    pub height: u64,
    /// The block.
    pub block: Hex32,
    /// What happened: `opened`, `topped-up`, `approved`, `started`, `improved`, `solved`, `exhausted`, `cancelled`, `refused`,
    /// `starved`, `settled`.
    pub kind: String,
    /// The energy after it, where it changed.
    pub energy: Option<i64>,
    /// Atoms that were paid or returned.
    pub amount: Option<Atoms>,
    /// To whom.
    pub address: Option<String>,
}

/// `GET /v1/jobs/{id}/receipt`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The job.
    pub job: Hex32,
    /// The block whose state root the receipt's proof leads to.
    pub block: Hex32,
    /// That block's height.
    pub height: u64,
    /// The receipt, as `hysteron receipt verify` reads it (borsh).
    pub receipt: HexBytes,
}

/// `GET /v1/schedule`: what seeds draw from on the best chain's tip.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Schedule {
    /// The height of the block that the schedule follows.
    pub height: u64,
    /// The network's capacity in chips.
    pub capacity_chips: u64,
    /// What is booked.
    pub booked_chips: u64,
    /// Content id of the table, see `GET /v1/tables/{id}`.
    pub table: Hex32,
    /// The jobs.
    pub entries: Vec<ScheduleEntry>,
}

/// A job in the schedule.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScheduleEntry {
    /// The job.
    pub job: Hex32,
    /// Its problem.
    pub problem: Hex32,
    /// Its problem's class.
    pub class: String,
    /// Chips: its weight.
    pub chips: u64,
    /// Its share of all draws, in millionths.
    pub share_ppm: u64,
}
