//! Commit, then reveal: for solutions that were found by other means.
//!
//! A reveal is seen by everybody, so the commitment says who was first. A claim of a seed whose parent is older than the
//! commitment comes before it, and may be in a block until the parent is [`hysteron_work::WorkRules::claim_age_blocks`] old. So long
//! the reveal waits; claims with younger parents must beat it meanwhile. Then it is paid half of what a claim would get, if
//! it still improves the job.

use hysteron_work::types::{Assignment, Hash, JobId};

use crate::LedgerError;
use crate::event::Event;
use crate::job::PendingReveal;
use crate::keys::Address;
use crate::state::keys::{self, Kind};
use crate::state::records::{Commitment, Reveal};
use crate::state::view::View;
use crate::transaction::commitment;

use super::Execution;
use super::claims::refuse;

impl Execution<'_> {
    pub(super) fn commit(&mut self, sender: &Address, hash: &Hash, bond: u64) -> Result<(), LedgerError> {
        self.check_bond(sender, bond)?;
        if self.overlay.commitment(hash).is_some() {
            return Err(LedgerError::Exists { what: "this commitment" });
        }
        self.take(sender, bond)?;
        let record = Commitment { sender: *sender, height: self.height, bond };
        self.overlay.write(keys::commitment(hash), &record);
        let end = self.height + self.rules.market.reveal_within_blocks + 1;
        self.overlay.write(keys::due(Kind::CommitmentEnd, end, hash), &());
        Ok(())
    }

    /// Burns the bonds of commitments that were not revealed in time.
    pub(super) fn expire_commitments(&mut self) -> Result<(), LedgerError> {
        for key in self.overlay.keys(&keys::at_height(Kind::CommitmentEnd, self.height)) {
            let hash = keys::tail(&key);
            self.overlay.remove(key);
            let Some(Commitment { sender, bond, .. }) = self.overlay.commitment(&hash) else { continue };
            self.overlay.remove(keys::commitment(&hash));
            self.burn(bond)?;
            self.events.push(Event::CommitmentExpired { sender, bond });
        }
        Ok(())
    }

    pub(super) fn reveal(
        &mut self,
        sender: &Address,
        id: &JobId,
        assignment: &Assignment,
        salt: &Hash,
    ) -> Result<(), LedgerError> {
        self.count_claim()?;
        let hash = commitment(sender, id, salt, assignment);
        let Some(committed) = self.overlay.commitment(&hash) else {
            return refuse("the sender has not committed to it, or too long ago");
        };
        let market = &self.rules.market;
        if self.height < committed.height + market.reveal_after_blocks {
            return refuse("it was committed to only just now");
        }
        let job = self.known_job(id)?;
        let mut board = self.overlay.board(id);
        if !board.has_room() {
            return refuse("as many reveals wait for the job as may");
        }
        let score = self.improvement(id, &job, assignment, None)?;
        self.pay(sender, committed.bond)?;
        self.overlay.remove(keys::commitment(&hash));
        let end = committed.height + market.reveal_within_blocks + 1;
        self.overlay.remove(keys::due(Kind::CommitmentEnd, end, &hash));
        board.reveals.push(PendingReveal { score, committed: committed.height });
        self.overlay.write(keys::of_job(Kind::Board, id), &board);
        let due = (committed.height + self.rules.work.claim_age_blocks).max(self.height + 1);
        let reveal = Reveal {
            job: *id,
            sender: *sender,
            committed: committed.height,
            score,
            assignment: assignment.clone(),
        };
        self.overlay.write(keys::due(Kind::Reveal, due, &hash), &reveal);
        Ok(())
    }

    /// Pays reveals that no claim can come before any more.
    pub(super) fn resolve_reveals(&mut self) -> Result<(), LedgerError> {
        for key in self.overlay.keys(&keys::at_height(Kind::Reveal, self.height)) {
            let Some(reveal) = self.overlay.read::<Reveal>(&key) else { continue };
            self.overlay.remove(key);
            let Some(mut job) = self.overlay.job(&reveal.job) else { continue };
            let mut board = self.overlay.board(&reveal.job);
            let pending = PendingReveal { score: reveal.score, committed: reveal.committed };
            if let Some(place) = board.reveals.iter().position(|other| *other == pending) {
                board.reveals.remove(place);
                self.overlay.write(keys::of_job(Kind::Board, &reveal.job), &board);
            }
            let improves = job.best.is_none_or(|best| reveal.score < best.score);
            if job.status.takes_claims() && improves {
                // Half of what a claim would be paid; the other half stays in escrow.
                let purse = job.bounty_left() / 2;
                self.improve(&reveal.job, &mut job, reveal.score, &reveal.assignment, reveal.sender, purse)?;
            }
        }
        Ok(())
    }
}
