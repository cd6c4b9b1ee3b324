//! The life of jobs: opened, credited, ended, settled.

use hysteron_work::types::{JobId, ProblemId};

use crate::block::BlockContext;
use crate::event::Event;
use crate::job::{Ending, Job, JobTerms, Settlement, Status};
use crate::keys::Address;
use crate::limits::{ACTIVE_JOBS_MAX, BLOCKS_MAX};
use crate::state::keys::{self, Kind};
use crate::state::records::{Head, ProblemRecord};
use crate::state::schedule;
use crate::state::view::View;
use crate::{LedgerError, oracle};

use super::capacity::{drawn_chips, share};
use super::starved::is_starved;
use super::{Execution, add, subtract};

/// Per cent of earned block fees that burn; the rest goes to the pot.
pub const BURNED_PER_CENT: u64 = 30;

impl Execution<'_> {
    pub(super) fn put_job(&mut self, id: &JobId, job: &Job) {
        self.overlay.write(keys::of_job(Kind::Job, id), job);
    }

    pub(super) fn known_job(&self, id: &JobId) -> Result<Job, LedgerError> {
        self.overlay.job(id).ok_or(LedgerError::JobUnknown(*id))
    }

    /// A job that the sender owns and that has not ended.
    fn own_job(&self, id: &JobId, sender: &Address) -> Result<Job, LedgerError> {
        let job = self.known_job(id)?;
        if job.owner != *sender {
            return Err(LedgerError::Forbidden { reason: "only the owner of a job may change it" });
        }
        if job.status.ending().is_some() {
            return Err(LedgerError::JobState { job: *id, reason: "has ended" });
        }
        Ok(job)
    }

    /// The block fee of some chip-blocks at the rate of the quote that a customer was shown.
    fn quoted_fee(&self, quoted_at: u64, chips: u64, blocks: u32) -> Result<u64, LedgerError> {
        if oracle::is_stale(self.rules, &self.overlay.oracle(), self.clock) {
            return Err(LedgerError::PriceIsStale);
        }
        // The newest state that a customer can have seen is the parent's.
        let age = (self.height - 1).checked_sub(quoted_at).filter(|age| *age <= self.quote_blocks());
        let rate = age.and_then(|_| self.rate_at(quoted_at)).ok_or(LedgerError::Quote { quoted_at })?;
        Ok(oracle::block_fee(self.rules, rate, chips, blocks).unwrap_or(u64::MAX))
    }

    /// Takes a price that the customer's limit allows into escrow.
    fn escrow(&mut self, sender: &Address, fee: u64, bounty: u64, limit: u64) -> Result<u64, LedgerError> {
        let price = fee.saturating_add(bounty);
        if price > limit {
            return Err(LedgerError::Price { price, limit });
        }
        self.take(sender, price)?;
        Ok(price)
    }

    pub(super) fn open_job(
        &mut self,
        id: JobId,
        owner: Address,
        terms: &JobTerms,
        data: Option<&[u8]>,
    ) -> Result<(), LedgerError> {
        let head = self.overlay.head();
        if head.active_jobs >= ACTIVE_JOBS_MAX {
            return Err(LedgerError::TooManyJobs);
        }
        let block_fee = self.quoted_fee(terms.quoted_at, terms.chips, terms.blocks)?;
        let bounty = u128::from(block_fee) * u128::from(terms.bounty_per_mille) / 1000;
        let bounty = u64::try_from(bounty).unwrap_or(u64::MAX);
        let escrow = self.escrow(&owner, block_fee, bounty, terms.price_max)?;
        let problem = self.problem_of(&terms.problem, terms.data_bytes, data)?;
        let scale = problem.scale;
        if scale.baseline <= scale.goal(terms.target) {
            return Err(LedgerError::NothingToSearch);
        }
        let held = problem.elements >= self.rules.market.held_from_elements;
        let status = if held {
            Status::Held { until: self.height + u64::from(terms.review_blocks) }
        } else {
            self.waiting()
        };
        let job = Job {
            owner,
            problem: terms.problem,
            class: problem.class,
            chips: terms.chips,
            blocks: terms.blocks,
            target: terms.target,
            block_fee,
            bounty,
            bounty_paid: 0,
            delivered: 0,
            due: 0,
            proven: 0,
            opened: self.height,
            started: None,
            status,
            best: None,
            settlement: None,
        };
        self.put_job(&id, &job);
        self.overlay.write(keys::of_job(Kind::ActiveJob, &id), &());
        self.overlay.write(keys::table(Kind::Head), &Head { active_jobs: head.active_jobs + 1, ..head });
        self.events.push(Event::JobOpened { job: id, owner, escrow, held });
        Ok(())
    }

    /// Waiting from now on, until the data has spread.
    pub(super) fn waiting(&self) -> Status {
        Status::Waiting { until: self.height + 1 + self.rules.market.waiting_blocks }
    }

    pub(super) fn top_up(
        &mut self,
        id: &JobId,
        sender: &Address,
        (blocks, bounty): (u32, u64),
        quoted_at: u64,
        price_max: u64,
    ) -> Result<(), LedgerError> {
        let mut job = self.own_job(id, sender)?;
        let all = job.blocks.checked_add(blocks).filter(|all| *all <= BLOCKS_MAX);
        job.blocks = all.ok_or(LedgerError::JobState { job: *id, reason: "can book at most 2^18 blocks" })?;
        let fee = if blocks == 0 { 0 } else { self.quoted_fee(quoted_at, job.chips, blocks)? };
        let escrow = self.escrow(sender, fee, bounty, price_max)?;
        job.block_fee = add(job.block_fee, fee, "a block fee")?;
        job.bounty = add(job.bounty, bounty, "a bounty")?;
        self.put_job(id, &job);
        self.events.push(Event::JobToppedUp { job: *id, escrow });
        Ok(())
    }

    pub(super) fn cancel_job(&mut self, id: &JobId, sender: &Address) -> Result<(), LedgerError> {
        let mut job = self.own_job(id, sender)?;
        self.end_job(id, &mut job, Ending::Cancelled);
        self.put_job(id, &job);
        Ok(())
    }

    pub(super) fn end_job(&mut self, id: &JobId, job: &mut Job, ending: Ending) {
        job.status = Status::Ended { ending, height: self.height };
        self.events.push(Event::JobEnded { job: *id, ending });
    }

    /// Once a block, before its transactions: counts the parent's legs, credits the block's work, and moves jobs on.
    pub(super) fn walk_jobs(&mut self, context: &BlockContext) -> Result<(), LedgerError> {
        // What this block's legs drew from is the table after the parent.
        let scheduled = schedule(self.state);
        let drawn = drawn_chips(&scheduled, self.state.head().legs_per_block);
        let legs = Self::block_legs(context);
        for id in self.overlay.active_jobs() {
            let Some(mut job) = self.overlay.job(&id) else { continue };
            let before = job.clone();
            let proven = context.parent_legs.iter().filter(|leg| **leg == id).count();
            job.proven = job.proven.saturating_add(proven as u64);
            match job.status {
                Status::Held { until } if until <= self.height => {
                    self.end_job(&id, &mut job, Ending::Refused)
                }
                Status::Waiting { until } if until <= self.height + 1 => {
                    job.status = Status::Running;
                    job.started = Some(self.height + 1);
                    self.events.push(Event::JobStarted { job: id });
                }
                Status::Running if scheduled.binary_search_by_key(&id, |entry| entry.0).is_ok() => {
                    let share = share(&job, legs, drawn);
                    let left = job.booked_units() - job.delivered;
                    let credit = share.credit.min(left);
                    job.delivered += credit;
                    job.due = job.due.saturating_add(share.due);
                    self.events.push(Event::JobCredited { job: id, units: credit });
                    if credit == left {
                        self.end_job(&id, &mut job, Ending::Exhausted);
                    }
                }
                Status::Ended { ending, height } => {
                    self.judge_delivery(&id, &mut job, ending, height);
                    if self.height >= height + self.rules.confirmation_blocks {
                        self.settle(&id, &mut job)?;
                    }
                }
                _ => {}
            }
            if job != before {
                self.put_job(&id, &job);
            }
        }
        Ok(())
    }

    /// One block after its end a job's last legs are known: was it starved?
    fn judge_delivery(&mut self, id: &JobId, job: &mut Job, ending: Ending, height: u64) {
        let may_starve = matches!(ending, Ending::Exhausted | Ending::Cancelled);
        if self.height == height + 1 && may_starve && is_starved(job.proven, job.due) {
            job.status = Status::Ended { ending: Ending::Starved, height };
            self.events.push(Event::JobEnded { job: *id, ending: Ending::Starved });
        }
    }

    /// Pays the escrow out, exactly.
    fn settle(&mut self, id: &JobId, job: &mut Job) -> Result<(), LedgerError> {
        let Status::Ended { ending, .. } = job.status else { return Ok(()) };
        let escrow = job.escrow();
        let earned = if ending == Ending::Starved { 0 } else { job.earned() };
        let burned = u64::try_from(u128::from(earned) * u128::from(BURNED_PER_CENT) / 100)
            .map_err(|_| LedgerError::Arithmetic { what: "a burned fee" })?;
        let settlement =
            Settlement { to_pot: earned - burned, burned, refunded: subtract(escrow, earned, "an escrow")? };
        self.burn(burned)?;
        self.to_pot = add(self.to_pot, settlement.to_pot, "the pot")?;
        if settlement.refunded > 0 {
            self.pay(&job.owner.clone(), settlement.refunded)?;
        }
        job.status = Status::Settled { ending, height: self.height };
        job.settlement = Some(settlement);
        self.forget_job(id);
        self.events.push(Event::JobSettled { job: *id, settlement });
        Ok(())
    }

    /// Drops what only an open job needs; the job and its best assignment stay.
    fn forget_job(&mut self, id: &JobId) {
        let mut board = self.overlay.board(id);
        for checkpoint in board.checkpoints.drain(board.checkpoints.len().min(1)..) {
            self.overlay.remove(keys::checkpoint(id, checkpoint.slot));
        }
        board.reveals.clear();
        let key = keys::of_job(Kind::Board, id);
        if board.checkpoints.is_empty() {
            self.overlay.remove(key);
        } else {
            self.overlay.write(key, &board);
        }
        for vote in self.overlay.keys(&keys::of_job(Kind::Vote, id)) {
            self.overlay.remove(vote);
        }
        self.overlay.remove(keys::of_job(Kind::ActiveJob, id));
        let head = self.overlay.head();
        let active_jobs = head.active_jobs.saturating_sub(1);
        self.overlay.write(keys::table(Kind::Head), &Head { active_jobs, ..head });
    }

    pub(super) fn problem_record(&self, id: &ProblemId) -> Result<ProblemRecord, LedgerError> {
        self.overlay.problem(id).ok_or(LedgerError::Corrupt { what: "a job's problem is missing" })
    }
}
