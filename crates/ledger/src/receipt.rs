//! Receipts: what a job was given and what it cost, provable offline. And the price that a customer is shown.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_problem::Problem;
use hysteron_work::types::{Assignment, Hash, JobId};

use crate::job::{Job, assignment_hash};
use crate::limits::{RECEIPT_BYTES_MAX, RECEIPT_HEADERS_MAX};
use crate::score::Score;
use crate::state::keys::{self, Kind};
use crate::state::{State, StateProof};
use crate::{LedgerError, oracle};

/// The version of receipts that this crate writes and reads.
const VERSION: u8 = 1;

/// What a header says, as far as receipts need it; the chain decodes headers.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct HeaderFacts {
    /// The header's hash.
    pub hash: Hash,
    /// Its parent's hash.
    pub parent: Hash,
    /// Its height.
    pub height: u64,
    /// The root of the state after its block.
    pub state_root: Hash,
}

/// A job's record, the way from it to a state root, and the headers from that state's block to one that the verifier trusts.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    version: u8,
    /// The network, so that a reader knows whose block to ask for; it proves nothing.
    pub network: u32,
    /// The job.
    pub job: JobId,
    /// The job's record, borsh of [`Job`].
    record: Vec<u8>,
    proof: StateProof,
    /// Encoded headers, each the parent of the next; the proof is against the state root of the first.
    pub headers: Vec<Vec<u8>>,
}

/// What a receipt proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    /// The job as it stood.
    pub job: Job,
    /// After the block of this height.
    pub height: u64,
    /// The hash of that block.
    pub block: Hash,
}

impl Receipt {
    /// The receipt of a job in the state after the block of `headers[0]`. More headers may follow, each the child of the one
    /// before, up to one that verifiers are known to trust. `None` if there is no such job.
    pub fn new(state: &State, job: JobId, headers: Vec<Vec<u8>>) -> Option<Self> {
        let key = keys::of_job(Kind::Job, &job);
        let record = state.get(&key)?.to_vec();
        Some(Self {
            version: VERSION,
            network: state.network_id(),
            job,
            record,
            proof: state.prove(&key),
            headers,
        })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// Decodes a receipt from outside.
    ///
    /// # Errors
    /// [`LedgerError::Receipt`] if the bytes are not one receipt, too many, or of another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, LedgerError> {
        let refuse = |reason| Err(LedgerError::Receipt { reason });
        if bytes.len() > RECEIPT_BYTES_MAX {
            return refuse("it has more than 1 MiB");
        }
        let Ok(receipt) = borsh::from_slice::<Self>(bytes) else {
            return refuse("its bytes are not one receipt");
        };
        if receipt.version != VERSION {
            return refuse("its version is not known");
        }
        if receipt.headers.is_empty() || receipt.headers.len() > RECEIPT_HEADERS_MAX {
            return refuse("it must have 1 to 1024 headers");
        }
        Ok(receipt)
    }

    /// What it proves to somebody who trusts that the block `trusted` is part of the chain, and nobody else: no network, no
    /// clock. `read` decodes a header (the chain's codec).
    ///
    /// # Errors
    /// [`LedgerError::Receipt`] with what does not hold.
    pub fn verify(
        &self,
        trusted: &Hash,
        read: impl Fn(&[u8]) -> Option<HeaderFacts>,
    ) -> Result<Proven, LedgerError> {
        let refuse = |reason| Err(LedgerError::Receipt { reason });
        let mut facts = Vec::with_capacity(self.headers.len().min(RECEIPT_HEADERS_MAX));
        for header in self.headers.iter().take(RECEIPT_HEADERS_MAX) {
            let Some(header) = read(header) else { return refuse("a header does not decode") };
            facts.push(header);
        }
        let (Some(first), Some(last)) = (facts.first(), facts.last()) else {
            return refuse("it has no header");
        };
        let linked = |pair: &[HeaderFacts]| {
            pair[1].parent == pair[0].hash && Some(pair[1].height) == pair[0].height.checked_add(1)
        };
        if !facts.windows(2).all(linked) {
            return refuse("its headers do not follow each other");
        }
        if last.hash != *trusted {
            return refuse("its last header is not the block that is trusted");
        }
        let key = keys::of_job(Kind::Job, &self.job);
        if !self.proof.holds(&first.state_root, &key, Some(&self.record)) {
            return refuse("the job's record is not in the state of its block");
        }
        match borsh::from_slice::<Job>(&self.record) {
            Ok(job) => Ok(Proven { job, height: first.height, block: first.hash }),
            Err(_) => refuse("the job's record does not decode"),
        }
    }
}

impl Proven {
    /// Whether `assignment` is the result that the chain recorded, and scores what it recorded, in the terms of the problem
    /// itself.
    ///
    /// # Errors
    /// [`LedgerError::Receipt`] with what does not hold.
    pub fn check_result(&self, problem: &Problem, assignment: &Assignment) -> Result<Score, LedgerError> {
        let refuse = |reason| Err(LedgerError::Receipt { reason });
        if problem.content_id() != self.job.problem.0 {
            return refuse("the problem is another one");
        }
        let Some(best) = self.job.best else { return refuse("the job has no result") };
        if assignment_hash(assignment) != best.assignment {
            return refuse("the assignment is not the recorded result");
        }
        match Score::of(problem, &assignment.unpack()) {
            Some(score) if score == best.score => Ok(score),
            _ => refuse("the recorded score is wrong"),
        }
    }
}

/// A price that a customer is shown.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct PriceQuote {
    /// Atoms of block fee.
    pub block_fee: u64,
    /// Atoms of bounty.
    pub bounty: u64,
    /// Both together: what is escrowed.
    pub total: u64,
    /// Millionths of a euro cent that the block fee is.
    pub microcents: u128,
    /// What to put into [`crate::JobTerms::quoted_at`].
    pub quoted_at: u64,
    /// The last block that may hold the job at this price.
    pub holds_until: u64,
}

impl State {
    /// The price of a booking at the present rate.
    ///
    /// # Errors
    /// [`LedgerError::PriceIsStale`]; [`LedgerError::Malformed`] for a booking out of bounds; [`LedgerError::Price`] for more
    /// than any account can hold.
    pub fn quote(&self, chips: u64, blocks: u32, bounty_per_mille: u16) -> Result<PriceQuote, LedgerError> {
        let (rules, head) = (self.rules(), self.head());
        let bounds = [
            (1..=crate::limits::CHIPS_MAX).contains(&chips),
            (1..=crate::limits::BLOCKS_MAX).contains(&blocks),
            bounty_per_mille <= crate::limits::BOUNTY_PER_MILLE_MAX,
        ];
        if bounds.contains(&false) {
            let reason = "a job must book 1 to 2^32 chips for 1 to 2^18 blocks, with a bounty of at most ten block fees";
            return Err(LedgerError::Malformed { reason });
        }
        if oracle::is_stale(rules, &self.oracle(), head.clock) {
            return Err(LedgerError::PriceIsStale);
        }
        let too_much = LedgerError::Price { price: u64::MAX, limit: crate::CAP_ATOMS };
        let block_fee =
            oracle::block_fee(rules, self.oracle().rate, chips, blocks).ok_or(too_much.clone())?;
        let bounty = u64::try_from(u128::from(block_fee) * u128::from(bounty_per_mille) / 1000)
            .map_err(|_| too_much.clone())?;
        let total = block_fee.checked_add(bounty).ok_or(too_much)?;
        let per_chip_block = u128::from(rules.market.microcents_per_chip_block);
        Ok(PriceQuote {
            block_fee,
            bounty,
            total,
            microcents: u128::from(chips) * u128::from(blocks) * per_chip_block,
            quoted_at: head.height,
            holds_until: head.height + 1 + rules.market.quote_seconds / rules.spacing_seconds,
        })
    }
}
