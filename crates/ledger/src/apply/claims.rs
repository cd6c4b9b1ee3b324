//! Claims: a leg found something. Cheap checks first, the run last.

use hysteron_work::Claim;
use hysteron_work::types::{Assignment, JobId};

use crate::LedgerError;
use crate::block::{ClaimError, ClaimSite, ClaimVerdict, Finding};
use crate::event::Event;
use crate::job::{Best, Board, Checkpoint, Ending, Job, Status, assignment_hash};
use crate::keys::Address;
use crate::score::Score;
use crate::state::keys::{self, Kind};
use crate::state::view::View;

use super::{Execution, add};

impl From<ClaimError> for LedgerError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Refused(reason) => Self::Claim { reason },
            ClaimError::Forged(reason) => Self::ClaimForged { reason },
            ClaimError::Unchecked(reason) => Self::ClaimUnchecked { reason },
        }
    }
}

/// A refusal for a reason that is known here.
pub(super) fn refuse<T>(reason: &str) -> Result<T, LedgerError> {
    Err(LedgerError::Claim { reason: reason.into() })
}

/// Where a claim's leg was, and what it improves.
pub(super) struct Found {
    site: ClaimSite,
    id: JobId,
    job: Job,
    score: Score,
}

impl Execution<'_> {
    /// Counts what makes every node run or score something.
    pub(super) fn count_claim(&mut self) -> Result<(), LedgerError> {
        if self.claims >= self.rules.market.claims_per_block {
            return refuse("the block has as many claims as it may");
        }
        self.claims += 1;
        Ok(())
    }

    pub(super) fn check_bond(&self, sender: &Address, bond: u64) -> Result<(), LedgerError> {
        if bond != self.rules.market.claim_bond {
            return refuse("its bond is not the network's");
        }
        let balance = self.overlay.account(sender).balance;
        if balance < bond {
            return Err(LedgerError::Balance { found: balance, needed: bond });
        }
        Ok(())
    }

    pub(super) fn claim(&mut self, sender: &Address, claim: &Claim, bond: u64) -> Result<(), LedgerError> {
        self.count_claim()?;
        self.check_bond(sender, bond)?;
        // Such a claim is passed on before anybody looks at it where its nonce is ahead, so that it is forged says nothing of who
        // did so.
        let found = self.found(claim).map_err(|error| match error {
            LedgerError::ClaimForged { reason } => LedgerError::Claim { reason },
            error => error,
        })?;
        match self.work.rerun(claim)? {
            ClaimVerdict::False => {
                self.take(sender, bond)?;
                self.burn(bond)?;
                self.events.push(Event::ClaimFalse { sender: *sender, bond });
                Ok(())
            }
            ClaimVerdict::True => self.reward(found, claim),
        }
    }

    /// A claim that nobody vouches for with coins. It must be true, and its fee comes out of the bounty that it earns.
    pub(super) fn unbonded_claim(&mut self, claim: &Claim, fee: u64) -> Result<Finding, LedgerError> {
        self.count_claim()?;
        let (finding, found) = self.finding(claim, fee)?;
        if self.work.rerun(claim)? == ClaimVerdict::False {
            return Err(LedgerError::ClaimFalse);
        }
        let finder = found.site.miner;
        self.reward(found, claim)?;
        // The bounty was just paid to this account, and it is not less than the fee.
        self.take(&finder, fee)?;
        self.events.push(Event::ClaimFeePaid { finder, fee });
        Ok(finding)
    }

    /// What a claim without a bond has found, if it is true and its bounty pays the fee. Runs nothing.
    pub(super) fn finding(&self, claim: &Claim, fee: u64) -> Result<(Finding, Found), LedgerError> {
        let found = self.found(claim)?;
        let Found { site, id, job, score } = &found;
        let bounty = self.bounty(job, score, job.bounty_left())?;
        if bounty < fee {
            return Err(LedgerError::BountyBelowFee { bounty, fee });
        }
        let last_height = site.parent_height.saturating_add(self.rules.work.claim_age_blocks);
        Ok((Finding { job: *id, score: *score, last_height }, found))
    }

    /// Everything about a claim but the run of its leg.
    fn found(&self, claim: &Claim) -> Result<Found, LedgerError> {
        let site = self.work.locate(claim)?;
        self.check_ancestry(&site)?;
        let Some(id) = site.job else { return refuse("its leg worked for the public pool") };
        let job = self.known_job(&id)?;
        let score = self.improvement(&id, &job, &claim.assignment, Some(site.parent_height))?;
        Ok(Found { site, id, job, score })
    }

    /// Makes a true claim's assignment the job's best, and its parameter set likelier.
    fn reward(&mut self, found: Found, claim: &Claim) -> Result<(), LedgerError> {
        let Found { site, id, mut job, score } = found;
        let left = job.bounty_left();
        self.improve(&id, &mut job, score, &claim.assignment, site.miner, left)?;
        let mut tuning = self.overlay.tuning();
        tuning.reward(job.class, site.parameter_set);
        self.overlay.write(keys::table(Kind::Tuning), &tuning);
        Ok(())
    }

    /// The claim's parent must be one of the last blocks of this very branch.
    fn check_ancestry(&self, site: &ClaimSite) -> Result<(), LedgerError> {
        let age = self.height.checked_sub(site.parent_height).filter(|age| *age >= 1);
        if age.is_none_or(|age| age > self.rules.work.claim_age_blocks) {
            return refuse("its leg is too old");
        }
        let expected = if site.parent_height == self.height - 1 {
            // While a transaction is only tried, the parent is the tip, which the checker knows better.
            self.parent.unwrap_or(site.parent)
        } else {
            match self.overlay.block_hash(site.parent_height) {
                Some(hash) => hash,
                None => return refuse("its leg is too old"),
            }
        };
        if expected != site.parent {
            return refuse("its leg was run on another branch");
        }
        Ok(())
    }

    /// The score of an assignment that would improve a job; scoring is the first thing that costs.
    ///
    /// `parent_height` is where a claim's seed is from; a reveal that was committed to no later comes before it.
    pub(super) fn improvement(
        &self,
        id: &JobId,
        job: &Job,
        assignment: &Assignment,
        parent_height: Option<u64>,
    ) -> Result<Score, LedgerError> {
        if !job.status.takes_claims() {
            return Err(LedgerError::JobState { job: *id, reason: "takes no more claims" });
        }
        let problem = self.problem_record(&job.problem)?;
        if assignment.variables() != problem.variables {
            return refuse("its assignment has another number of variables");
        }
        let score = self.work.score(&job.problem, assignment)?;
        if score >= job.best.map_or(problem.scale.baseline, |best| best.score) {
            return refuse("it does not improve the job's best");
        }
        let comes_first = |committed: u64| parent_height.is_none_or(|height| committed <= height);
        let waiting = self.overlay.board(id).reveals;
        if waiting.iter().any(|reveal| comes_first(reveal.committed) && score >= reveal.score) {
            return refuse("it does not improve what was committed to before");
        }
        Ok(score)
    }

    /// What an improvement of a job earns out of `purse` atoms.
    fn bounty(&self, job: &Job, score: &Score, purse: u64) -> Result<u64, LedgerError> {
        let scale = self.problem_record(&job.problem)?.scale;
        let from = job.best.map_or(scale.baseline, |best| best.score);
        Ok(scale.bounty(purse, &from, score, &scale.goal(job.target)).min(job.bounty_left()))
    }

    /// Makes an assignment a job's best, pays its bounty out of `purse` atoms (all that is left of the bounty, or half),
    /// and ends the job if it is solved.
    pub(super) fn improve(
        &mut self,
        id: &JobId,
        job: &mut Job,
        score: Score,
        assignment: &Assignment,
        finder: Address,
        purse: u64,
    ) -> Result<(), LedgerError> {
        let goal = self.problem_record(&job.problem)?.scale.goal(job.target);
        let bounty = self.bounty(job, &score, purse)?;
        if bounty > 0 {
            self.pay(&finder, bounty)?;
        }
        job.bounty_paid = add(job.bounty_paid, bounty, "a bounty")?;
        let hash = assignment_hash(assignment);
        job.best = Some(Best { score, assignment: hash, finder, height: self.height });
        self.events.push(Event::JobImproved { job: *id, score, finder, bounty });
        self.keep_checkpoint(id, Checkpoint { score, assignment: hash, slot: 0 }, assignment);
        if score <= goal {
            match job.status {
                // What a late claim solves was over already; only the name of its end changes.
                Status::Ended { height, .. } => job.status = Status::Ended { ending: Ending::Solved, height },
                _ => self.end_job(id, job, Ending::Solved),
            }
        }
        self.put_job(id, job);
        Ok(())
    }

    /// Puts the new best first among the checkpoints; the worst makes room.
    fn keep_checkpoint(&mut self, id: &JobId, mut new: Checkpoint, assignment: &Assignment) {
        let mut board: Board = self.overlay.board(id);
        let used = |slot: u8| board.checkpoints.iter().any(|c| c.slot == slot);
        let free = (0..hysteron_work::CHECKPOINTS_MAX as u8).find(|slot| !used(*slot));
        new.slot = free.or_else(|| board.checkpoints.pop().map(|worst| worst.slot)).unwrap_or(0);
        board.checkpoints.insert(0, new);
        self.overlay.write(keys::checkpoint(id, new.slot), assignment);
        self.overlay.write(keys::of_job(Kind::Board, id), &board);
    }
}
