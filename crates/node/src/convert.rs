//! What the chain and the ledger keep, in the words of the API.

use std::sync::Arc;

use hysteron_api::{Atoms, Hex32, types as api};
use hysteron_chain::Header;
use hysteron_ledger::{Address, Body, Ending, Genesis, Job, SignedTransaction, Status};
use hysteron_work::{Hash, JobId};
use serde_json::{Value, json};

/// Knows the network's address prefix and delays.
#[derive(Clone)]
pub(crate) struct Convert {
    genesis: Arc<Genesis>,
}

/// Where a transaction is in the best chain.
#[derive(Copy, Clone)]
pub(crate) struct Place {
    pub(crate) block: Hash,
    pub(crate) height: u64,
    pub(crate) position: u32,
    pub(crate) confirmations: u64,
}

impl Convert {
    pub(crate) fn new(genesis: Arc<Genesis>) -> Self {
        Self { genesis }
    }

    pub(crate) fn address(&self, address: &Address) -> String {
        address.encode(&self.genesis.address_prefix)
    }

    /// `tip_height` is given for headers of the best chain.
    pub(crate) fn header(&self, header: &Header, hash: &Hash, tip_height: Option<u64>) -> api::Header {
        api::Header {
            height: header.height,
            hash: Hex32(*hash),
            version: header.version,
            parent: Hex32(header.parent),
            transaction_root: Hex32(header.transaction_root),
            state_root: Hex32(header.state_root),
            data_root: Hex32(header.data_root),
            miner: self.address(&header.miner),
            time: header.time,
            post_target: Hex32(header.post_target.0),
            expected_attempts: header.post_target.expected_tries().to_string(),
            nonce: header.nonce,
            digests: header.digests.iter().copied().map(Hex32).collect(),
            confirmations: tip_height.map_or(0, |tip| confirmations(header.height, tip)),
        }
    }

    pub(crate) fn transaction(&self, signed: &SignedTransaction, place: Option<Place>) -> api::Transaction {
        let transaction = &signed.transaction;
        api::Transaction {
            id: Hex32(signed.id()),
            status: if place.is_some() {
                api::TransactionStatus::Included
            } else {
                api::TransactionStatus::Waiting
            },
            sender: self.address(&transaction.sender.address()),
            nonce: transaction.nonce,
            fee: Atoms(transaction.fee),
            bytes: signed.encode().len() as u64,
            kind: kind(&transaction.body).into(),
            fields: self.fields(&transaction.body),
            height: place.map(|place| place.height),
            block: place.map(|place| Hex32(place.block)),
            position: place.map(|place| place.position),
            confirmations: place.map_or(0, |place| place.confirmations),
        }
    }

    fn fields(&self, body: &Body) -> Value {
        let job = |id: &JobId| Hex32(id.0);
        match body {
            Body::Transfer { to, amount, memo } => {
                json!({ "to": self.address(to), "amount": Atoms(*amount), "memo": String::from_utf8_lossy(memo) })
            }
            Body::MultiTransfer { outputs, memo } => {
                let outputs: Vec<Value> = outputs
                    .iter()
                    .map(|(to, amount)| json!({ "to": self.address(to), "amount": Atoms(*amount) }))
                    .collect();
                json!({ "outputs": outputs, "memo": String::from_utf8_lossy(memo) })
            }
            Body::JobOpen(terms) => json!({
                "problem": Hex32(terms.problem.0),
                "data_bytes": terms.data_bytes,
                "chips": terms.chips,
                "blocks": terms.blocks,
                "target": terms.target,
                "bounty_per_mille": terms.bounty_per_mille,
                "quoted_at": terms.quoted_at,
                "price_max": Atoms(terms.price_max),
                "review_blocks": terms.review_blocks,
            }),
            Body::JobTopUp { job: id, blocks, bounty, quoted_at, price_max } => json!({
                "job": job(id),
                "blocks": blocks,
                "bounty": Atoms(*bounty),
                "quoted_at": quoted_at,
                "price_max": Atoms(*price_max),
            }),
            Body::JobCancel { job: id } => json!({ "job": job(id) }),
            Body::Claim { claim, bond } => json!({
                "leg": claim.leg,
                "lane": claim.lane,
                "nonce": claim.nonce,
                "variables": claim.assignment.variables(),
                "bond": Atoms(*bond),
            }),
            Body::ClaimCommit { commitment, bond } => {
                json!({ "commitment": Hex32(*commitment), "bond": Atoms(*bond) })
            }
            Body::ClaimReveal { job: id, assignment, .. } => {
                json!({ "job": job(id), "variables": assignment.variables() })
            }
            Body::ReviewVote { job: id, approve, reason } => {
                json!({ "job": job(id), "approve": approve, "reason": reason })
            }
            Body::OracleQuote { microcents_per_hys } => json!({ "microcents_per_hys": microcents_per_hys }),
            Body::CommitteeChange { committee, .. } => {
                json!({ "reviewers": committee.reviewers.len(), "threshold": committee.threshold })
            }
            Body::MultisigCreate(multisig) => {
                json!({ "account": self.address(&multisig.address()), "threshold": multisig.threshold })
            }
        }
    }

    pub(crate) fn job(&self, id: &JobId, job: &Job) -> api::Job {
        let confirmation = self.genesis.confirmation_blocks;
        let (ended_at, settles_at) = match job.status {
            Status::Ended { height, .. } => (Some(height), Some(height + confirmation)),
            Status::Settled { height, .. } => (Some(height.saturating_sub(confirmation)), Some(height)),
            _ => (None, None),
        };
        let settlement = job.settlement.unwrap_or_default();
        let fees = match job.settlement {
            Some(settlement) => settlement.to_pot.saturating_add(settlement.burned),
            None => job.earned(),
        };
        api::Job {
            id: Hex32(id.0),
            owner: self.address(&job.owner),
            state: state(&job.status),
            outcome: job.status.ending().map(ending),
            problem: Hex32(job.problem.0),
            class: job.class.name().into(),
            chips: job.chips,
            blocks: job.blocks,
            target: job.target,
            progress: api::JobProgress {
                credited_chip_blocks: job.delivered_chip_blocks(),
                booked_chip_blocks: job.chips.saturating_mul(job.blocks.into()),
                best_hard_unsatisfied: job.best.map(|best| best.score.hard_unsatisfied),
                best_energy: job.best.map(|best| best.score.energy),
            },
            opened_at: job.opened,
            ended_at,
            settles_at,
            escrowed: Atoms(job.block_fee.saturating_add(job.bounty)),
            spent: Atoms(fees.saturating_add(job.bounty_paid)),
            bounties: Atoms(job.bounty_paid),
            refunded: Atoms(settlement.refunded),
        }
    }
}

/// Blocks from `height` to the tip, both counted.
pub(crate) fn confirmations(height: u64, tip_height: u64) -> u64 {
    (tip_height + 1).saturating_sub(height)
}

pub(crate) fn kind(body: &Body) -> &'static str {
    match body {
        Body::Transfer { .. } => "transfer",
        Body::MultiTransfer { .. } => "multi-transfer",
        Body::JobOpen(_) => "job-open",
        Body::JobTopUp { .. } => "job-top-up",
        Body::JobCancel { .. } => "job-cancel",
        Body::Claim { .. } => "claim",
        Body::ClaimCommit { .. } => "claim-commit",
        Body::ClaimReveal { .. } => "claim-reveal",
        Body::ReviewVote { .. } => "review-vote",
        Body::OracleQuote { .. } => "oracle-quote",
        Body::CommitteeChange { .. } => "committee-change",
        Body::MultisigCreate(_) => "multisig-create",
    }
}

fn ending(ending: Ending) -> api::JobState {
    match ending {
        Ending::Solved => api::JobState::Solved,
        Ending::Exhausted => api::JobState::Exhausted,
        Ending::Cancelled => api::JobState::Cancelled,
        Ending::Refused => api::JobState::Refused,
        Ending::Starved => api::JobState::Starved,
    }
}

/// The name of an ending in events.
pub(crate) fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Solved => "solved",
        Ending::Exhausted => "exhausted",
        Ending::Cancelled => "cancelled",
        Ending::Refused => "refused",
        Ending::Starved => "starved",
    }
}

fn state(status: &Status) -> api::JobState {
    match status {
        Status::Held { .. } => api::JobState::Held,
        Status::Waiting { .. } => api::JobState::Waiting,
        Status::Running => api::JobState::Running,
        Status::Ended { ending: how, .. } => ending(*how),
        Status::Settled { .. } => api::JobState::Settled,
    }
}
