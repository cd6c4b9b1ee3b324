//! Votes on held jobs, quotes, and changes of the committee.

use hysteron_work::types::{JobId, hash};

use crate::LedgerError;
use crate::committee::Committee;
use crate::event::Event;
use crate::job::{Ending, Status};
use crate::keys::{Address, Signature, verify_threshold};
use crate::state::keys::{self, Kind};
use crate::state::records::{Quote, Vote};
use crate::state::view::View;
use crate::transaction::{Sender, SignedTransaction, committee_change_message};

use super::{Execution, add};

impl Execution<'_> {
    pub(super) fn vote(
        &mut self,
        signed: &SignedTransaction,
        id: &JobId,
        approve: bool,
        reason: &str,
    ) -> Result<(), LedgerError> {
        let committee = self.overlay.office().committee;
        let Sender::Key(key) = &signed.transaction.sender else {
            return Err(LedgerError::Forbidden { reason: "a reviewer votes with a single key" });
        };
        if committee.reviewers.binary_search(key).is_err() {
            return Err(LedgerError::Forbidden { reason: "only members of the committee vote" });
        }
        let mut job = self.known_job(id)?;
        if !matches!(job.status, Status::Held { .. }) {
            return Err(LedgerError::JobState { job: *id, reason: "is not held for review" });
        }
        let reviewer = key.address();
        let place = keys::vote(id, &reviewer);
        if self.overlay.bytes(&place).is_some() {
            return Err(LedgerError::Exists { what: "this reviewer's vote on this job" });
        }
        let vote = Vote { approve, reason: hash("vote-reason", &[reason.as_bytes()]), height: self.height };
        self.overlay.write(place, &vote);
        self.events.push(Event::Voted { job: *id, reviewer, approve, reason: reason.into() });
        // Votes of members who left the committee meanwhile do not count.
        let members: Vec<Address> = committee.reviewers.iter().map(|key| key.address()).collect();
        let votes = self.overlay.keys(&keys::of_job(Kind::Vote, id));
        let counted = votes.iter().filter(|key| members.contains(&Address(keys::tail(key))));
        let (mut approvals, mut refusals) = (0usize, 0usize);
        for vote in counted.filter_map(|key| self.overlay.read::<Vote>(key)) {
            *if vote.approve { &mut approvals } else { &mut refusals } += 1;
        }
        if approvals >= usize::from(committee.threshold) {
            job.status = self.waiting();
            self.put_job(id, &job);
            self.events.push(Event::JobApproved { job: *id });
        } else if refusals >= committee.blocking() {
            self.end_job(id, &mut job, Ending::Refused);
            self.put_job(id, &job);
        }
        Ok(())
    }

    pub(super) fn quote(&mut self, sender: &Address, rate: u64) -> Result<(), LedgerError> {
        if self.rules.market.rate_is_fixed {
            return Err(LedgerError::Forbidden { reason: "the genesis of this network fixes the rate" });
        }
        if self.quote_weight(sender) == 0 {
            let reason = "quotes come from the committee's oracle keys, or without those from recent miners";
            return Err(LedgerError::Forbidden { reason });
        }
        self.overlay.write(keys::of_account(Kind::Quote, sender), &Quote { rate, time: self.clock });
        Ok(())
    }

    pub(super) fn appoint(
        &mut self,
        committee: &Committee,
        signatures: &[(u8, Signature)],
    ) -> Result<(), LedgerError> {
        let mut office = self.overlay.office();
        let message = committee_change_message(self.state.network_id(), office.serial, committee);
        let present = &office.committee;
        // Committee and serial change, so what does not hold here may hold elsewhere.
        verify_threshold(&present.reviewers, present.threshold, &message, signatures).map_err(|error| {
            match error {
                LedgerError::Signature { reason } => LedgerError::Forbidden { reason },
                error => error,
            }
        })?;
        office.serial = add(office.serial, 1, "the changes of the committee")?;
        let height = self.height + self.rules.market.committee_delay_blocks;
        office.next = Some((committee.clone(), height));
        self.overlay.write(keys::table(Kind::Office), &office);
        Ok(())
    }
}
