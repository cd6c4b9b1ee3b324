//! What happens to accounts in a block: the entries of the history, from the block's transactions and events.

use std::collections::BTreeMap;

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_chain::Block;
use hysteron_ledger::{Address, Body, Event, UNBONDED};
use hysteron_work::{Hash, JobId};

use crate::convert::kind;

/// One change of an account, as the history keeps it.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// What happened.
    pub(crate) kind: String,
    /// Atoms that came in.
    pub(crate) received: u64,
    /// Atoms that went out.
    pub(crate) spent: u64,
    /// The transaction.
    pub(crate) transaction: Option<Hash>,
    /// The job.
    pub(crate) job: Option<JobId>,
    /// The other account.
    pub(crate) other: Option<Address>,
}

impl Entry {
    fn new(kind: &str) -> Self {
        Self { kind: kind.into(), received: 0, spent: 0, transaction: None, job: None, other: None }
    }
}

/// The entries of a block, in order, each with its account. `owner` knows the owners of jobs that were opened before.
pub(crate) fn entries(
    block: &Block,
    events: &[Event],
    owner: &dyn Fn(&JobId) -> Option<Address>,
) -> Vec<(Address, Entry)> {
    let mut entries = Vec::new();
    let (mut opened, mut topped_up, mut owners) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for event in events {
        match event {
            Event::JobOpened { job, owner, escrow, .. } => {
                opened.insert(*job, *escrow);
                owners.insert(*job, *owner);
            }
            Event::JobToppedUp { job, escrow } => {
                topped_up.entry(*job).or_insert_with(Vec::new).push(*escrow)
            }
            _ => {}
        }
    }
    for signed in &block.transactions {
        let transaction = &signed.transaction;
        let (id, sender) = (signed.id(), transaction.sender.address());
        let mut entry =
            Entry { spent: transaction.fee, transaction: Some(id), ..Entry::new(kind(&transaction.body)) };
        let mut receipts = Vec::new();
        let mut sends = |entry: &mut Entry, to: &Address, amount: u64| {
            entry.spent = entry.spent.saturating_add(amount);
            let received = Entry {
                received: amount,
                transaction: Some(id),
                other: Some(sender),
                ..Entry::new("received")
            };
            receipts.push((*to, received));
        };
        match &transaction.body {
            Body::Transfer { to, amount, .. } => {
                entry.kind = "sent".into();
                entry.other = Some(*to);
                sends(&mut entry, to, *amount);
            }
            Body::MultiTransfer { outputs, .. } => {
                entry.kind = "sent".into();
                for (to, amount) in outputs {
                    sends(&mut entry, to, *amount);
                }
            }
            Body::JobOpen(_) => {
                let job = JobId(id);
                entry.job = Some(job);
                entry.spent = entry.spent.saturating_add(opened.get(&job).copied().unwrap_or(0));
            }
            Body::JobTopUp { job, .. } => {
                entry.job = Some(*job);
                let escrows = topped_up.get_mut(job);
                let escrow = escrows.filter(|e| !e.is_empty()).map_or(0, |e| e.remove(0));
                entry.spent = entry.spent.saturating_add(escrow);
            }
            Body::JobCancel { job } | Body::ReviewVote { job, .. } => entry.job = Some(*job),
            // Its finder pays, see below.
            Body::Claim { bond: UNBONDED, .. } => entry.spent = 0,
            Body::ClaimCommit { bond, .. } => entry.spent = entry.spent.saturating_add(*bond),
            Body::ClaimReveal { job, .. } => entry.job = Some(*job),
            _ => {}
        }
        entries.push((sender, entry));
        entries.append(&mut receipts);
    }
    let owner_of = |job: &JobId| owners.get(job).copied().or_else(|| owner(job));
    entries.extend(events.iter().filter_map(|event| match event {
        Event::Mined { miner, issued, fees, pot } => {
            let received = issued.saturating_add(*fees).saturating_add(*pot);
            Some((*miner, Entry { received, ..Entry::new("reward") }))
        }
        Event::JobImproved { job, finder, bounty, .. } if *bounty > 0 => {
            Some((*finder, Entry { received: *bounty, job: Some(*job), ..Entry::new("bounty") }))
        }
        Event::ClaimFeePaid { finder, fee } => {
            Some((*finder, Entry { spent: *fee, ..Entry::new("claim-fee") }))
        }
        Event::JobSettled { job, settlement } => {
            let entry = Entry { received: settlement.refunded, job: Some(*job), ..Entry::new("refund") };
            owner_of(job).map(|owner| (owner, entry))
        }
        Event::ClaimFalse { sender, bond } => {
            Some((*sender, Entry { spent: *bond, ..Entry::new("bond-burned") }))
        }
        _ => None,
    }));
    entries
}
