//! Jobs: the offer, the booking, what is heard of it, the answer.

use std::time::Duration;

use hysteron_api::Hex32;
use hysteron_api::types::{Job, JobAssignment, JobState, Quote, QuoteQuery};
use hysteron_ledger::limits::{BLOCKS_MAX, BOUNTY_PER_MILLE_MAX, CHIPS_MAX};
use hysteron_ledger::{Score, oracle};
use hysteron_problem::{Document, Objective};
use hysteron_wallet::{Fee, Key};
use hysteron_work::types::{JobId, ProblemId};

use crate::connection::{Connection, Sent, is_passing};
use crate::error::Failure;
use crate::prepare::{FileAnswer, PrepareError, Prepared};

/// Blocks within which a held job must be approved, unless the customer says otherwise.
pub const REVIEW_BLOCKS: u32 = 720;

/// What a customer asks for.
#[derive(Clone, Debug)]
pub struct Booking {
    /// Chips that search side by side.
    pub chips: u64,
    /// Blocks for which they are booked.
    pub blocks: u32,
    /// The file's objective that ends the job.
    pub target: Option<Objective>,
    /// Bounty for improvements, as thousandths of the block fee.
    pub bounty_per_mille: u16,
    /// The most atoms that may be escrowed; what is quoted if nothing.
    pub price_max: Option<u64>,
}

/// What booking would cost. Nothing has been sent so far.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The node's quote, checked against the network's constants.
    pub quote: Quote,
    /// What the wallet would sign.
    pub booking: hysteron_wallet::Booking,
    /// Atoms of fee, with the problem's data.
    pub fee: u64,
    /// Atoms that the account can spend.
    pub balance: u64,
    /// Whether the committee must approve the job before it runs.
    pub is_held: bool,
}

impl Offer {
    /// Atoms that leave the account: escrow and fee.
    pub fn total(&self) -> u64 {
        self.quote.escrow.0.saturating_add(self.fee)
    }
}

impl Connection {
    /// Asks for the price of a booking, and checks that it can be paid and would be taken.
    ///
    /// # Errors
    /// [`Failure`]; nothing was sent but the numbers of chips and blocks.
    pub fn offer(
        &self,
        key: &Key,
        document: &Document,
        prepared: &Prepared,
        asked: &Booking,
    ) -> Result<Offer, Failure> {
        check_numbers(asked)?;
        let bounty = (asked.bounty_per_mille > 0).then_some(asked.bounty_per_mille);
        let query = QuoteQuery { chips: asked.chips, blocks: asked.blocks, bounty_per_mille: bounty };
        let quote = self.client.quote(&query)?;
        let price = oracle::block_fee(&self.genesis, quote.microcents_per_hys, asked.chips, asked.blocks);
        if price != Some(quote.price.0) || quote.price.0.checked_add(quote.bounty.0) != Some(quote.escrow.0) {
            return Err(self.contradiction("its quote does not follow from the network's constants"));
        }
        if let Some(limit) = asked.price_max
            && quote.escrow.0 > limit
        {
            return Err(Failure::Dear { price: quote.escrow.0, limit });
        }
        let booking = hysteron_wallet::Booking {
            chips: asked.chips,
            blocks: asked.blocks,
            target: asked.target.as_ref().map(|target| prepared.energy_target(document, target)),
            bounty_per_mille: asked.bounty_per_mille,
            quoted_at: quote.quoted_at,
            price: quote.escrow.0,
            price_max: asked.price_max.unwrap_or(quote.escrow.0),
            review_blocks: REVIEW_BLOCKS,
        };
        // Built and signed as it would be sent, and thrown away: whatever is wrong with it shows now.
        let account = self.account(&key.address())?;
        let trial = account.open_job(key, &prepared.problem, false, &booking, Fee::Floor)?;
        Ok(Offer {
            quote,
            booking,
            fee: trial.transaction.transaction.fee,
            balance: account.balance,
            is_held: elements_of(prepared) >= self.genesis.market.held_from_elements,
        })
    }

    /// Uploads the problem and sends the opening. The job's id is the transaction's.
    ///
    /// # Errors
    /// [`Failure`]: no transaction was broadcast, and the account is as it was.
    pub fn open_job(&self, key: &Key, prepared: &Prepared, offer: &Offer) -> Result<Sent, Failure> {
        let report = self.client.upload_problem(&prepared.bytes)?;
        if report.id != Hex32(prepared.id.0) {
            return Err(self.contradiction("it gives the problem another id than it has"));
        }
        let account = self.account(&key.address())?;
        let is_known = report.is_on_chain;
        let opened = account.open_job(key, &prepared.problem, is_known, &offer.booking, Fee::Floor)?;
        self.submit(&opened.transaction)
    }

    /// Ends a job early; what is not used of its escrow returns when it settles.
    ///
    /// # Errors
    /// [`Failure`]: nothing was broadcast.
    pub fn cancel_job(&self, key: &Key, job: Hex32) -> Result<Sent, Failure> {
        let found = self.client.job(job)?;
        if found.owner != self.text(&key.address()) {
            let what = format!("Job {job} belongs to {}.", found.owner);
            return Err(Failure::request(what, "Only its owner can cancel it: use that wallet."));
        }
        if is_over(found.state) {
            let what = format!("Job {job} has ended already ({}).", state_name(found.state));
            return Err(Failure::request(what, "There is nothing to cancel."));
        }
        self.submit(&self.account(&key.address())?.cancel_job(key, JobId(job.0))?)
    }

    /// Follows a job until `until` says that it is far enough, or `stop` that the user is. Asks again every now and
    /// then, and waits through a node's restart. Each new state goes to `seen`.
    ///
    /// # Errors
    /// [`Failure::Node`] if there is no such job, or the node is away for a minute; [`Failure::Late`].
    pub fn follow(
        &self,
        job: Hex32,
        most: Option<Duration>,
        seen: &mut dyn FnMut(&Job),
        until: &dyn Fn(&Job) -> bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Job>, Failure> {
        let begin = std::time::Instant::now();
        let mut heard = begin;
        let mut last: Option<Job> = None;
        loop {
            match self.client.job(job) {
                Ok(found) => {
                    heard = std::time::Instant::now();
                    if last.as_ref() != Some(&found) {
                        seen(&found);
                    }
                    if until(&found) {
                        return Ok(Some(found));
                    }
                    last = Some(found);
                }
                Err(error) if is_passing(&error, heard.elapsed()) => {}
                Err(error) => return Err(error.into()),
            }
            if stop() {
                return Ok(last);
            }
            if let Some(most) = most
                && begin.elapsed() > most
            {
                let state = last.map_or("not seen", |job| state_name(job.state));
                return Err(Failure::Late {
                    what: format!("Job {job} did not get further than \"{state}\""),
                    seconds: most.as_secs(),
                    mend: format!("follow it with `hysteron job watch {job}`"),
                });
            }
            std::thread::sleep(self.pause());
        }
    }

    /// The best assignment of a job, scored here from the problem, in the file's own terms. `None` while there is none.
    ///
    /// # Errors
    /// [`Failure::Request`] if the file is not the job's; [`Failure::Contradiction`] if the node's answer does not score
    /// as it says.
    pub fn answer(
        &self,
        job: Hex32,
        document: &Document,
        prepared: &Prepared,
    ) -> Result<Option<(JobAssignment, FileAnswer)>, Failure> {
        let found = match self.client.job_assignment(job) {
            Ok(found) => found,
            Err(error) if error.is_not_found() => {
                // Tells a job without an answer from no job.
                self.client.job(job)?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if ProblemId(found.problem.0) != prepared.id {
            let what = format!(
                "The file is not the one that job {job} was opened with: its problem is {}.",
                prepared.id
            );
            return Err(Failure::request(
                what,
                "Name the file, and its --format or --maxsat, as when it was opened.",
            ));
        }
        let values = found.values().ok_or_else(|| self.contradiction("its assignment contradicts itself"))?;
        let score = Score::of(&prepared.problem, &values)
            .ok_or(PrepareError::Length { found: values.len(), expected: prepared.problem.variables() })?;
        if (score.hard_unsatisfied, score.energy) != (found.hard_unsatisfied, found.energy) {
            return Err(self.contradiction("the assignment that it gives scores otherwise than it says"));
        }
        let answer = prepared.answer(document, &values)?;
        Ok(Some((found, answer)))
    }
}

/// Whether a job searches no more.
pub fn is_over(state: JobState) -> bool {
    !matches!(state, JobState::Held | JobState::Waiting | JobState::Running)
}

/// The state in a word.
pub fn state_name(state: JobState) -> &'static str {
    match state {
        JobState::Held => "held for review",
        JobState::Waiting => "waiting",
        JobState::Running => "running",
        JobState::Solved => "solved",
        JobState::Exhausted => "all delivered",
        JobState::Cancelled => "cancelled",
        JobState::Refused => "refused",
        JobState::Starved => "starved",
        JobState::Settled => "settled",
    }
}

/// Literals or couplings.
pub fn elements_of(prepared: &Prepared) -> u64 {
    hysteron_work::Sizes::of(&prepared.problem).elements()
}

fn check_numbers(booking: &Booking) -> Result<(), Failure> {
    if booking.chips == 0 || booking.chips > CHIPS_MAX {
        let what = format!("A job books 1 to {CHIPS_MAX} chips, not {}.", booking.chips);
        return Err(Failure::request(what, "Choose another --chips."));
    }
    if booking.blocks == 0 || booking.blocks > BLOCKS_MAX {
        let what = format!("A job books 1 to {BLOCKS_MAX} blocks, not {}.", booking.blocks);
        return Err(Failure::request(what, "Choose another --blocks."));
    }
    if booking.bounty_per_mille > BOUNTY_PER_MILLE_MAX {
        let what = format!("A bounty is at most {BOUNTY_PER_MILLE_MAX} thousandths of the block fee.");
        return Err(Failure::request(what, "Choose a lower --bounty."));
    }
    Ok(())
}
