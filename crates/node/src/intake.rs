//! What gossip brings: blocks and transactions are judged here, and passed on.
//!
//! A block goes through two hands. The first makes the checks that need no simulation, in the order of arrival, and passes the
//! block on at once if [`RelayGate`] lets it. The second runs its work and hands it to the chain, one block after the other. No
//! leg is run while the chain is held.
//!
//! Claims wait apart from other transactions, since each may take a leg: however many come, money and jobs go on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hysteron_chain::{Block, ChainError, Outcome, Submission};
use hysteron_ledger::Body;
use hysteron_net::{GossipId, Handle, PeerId, Verdict};
use hysteron_work::Hash;
use tokio::sync::mpsc;

use crate::chain_task::{ChainHandle, Unanswered, Work};
use crate::limits::{BLOCKS_IN_HAND_MAX, CLAIMS_IN_HAND_MAX, LIAR_S, TRANSACTIONS_IN_HAND_MAX};
use crate::parcel::Parcel;
use crate::relay::{DECEPTION_SCORE, RelayGate, Sender};

/// The gate, shared by all who hand in blocks.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<RelayGate>>);

impl Gate {
    /// Whether a block with this work to run may be passed on now.
    pub(crate) fn admits(&self, chain: &ChainHandle, sender: Sender, parent: &Hash, work: &Work) -> bool {
        // A block that is worse than the tip can wait.
        work.total_work() >= chain.standing().tip.total_work
            && self.lock().admits(sender, parent, Instant::now())
    }
    /// See [`RelayGate::settled`] and [`RelayGate::deceived_by`].
    pub(crate) fn settled(&self, sender: Sender, was_passed_on: bool, held: bool) {
        match (was_passed_on, held) {
            (true, _) => self.lock().settled(sender, held, Instant::now()),
            (false, false) => self.lock().deceived_by(sender, Instant::now()),
            (false, true) => {}
        }
    }
    fn lock(&self) -> std::sync::MutexGuard<'_, RelayGate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A block in the second hand.
struct InHand {
    id: GossipId,
    peer: PeerId,
    block: Block,
    hash: Hash,
    bytes: Vec<u8>,
    /// None for a block whose parent was in hand too.
    work: Option<Work>,
    passed_on: bool,
}

/// The first hand. The second, and those for transactions and claims, are tasks that end with it.
pub(crate) struct Intake {
    handle: Handle,
    chain: ChainHandle,
    gate: Gate,
    in_hand: Arc<Mutex<BTreeSet<Hash>>>,
    blocks: mpsc::Sender<InHand>,
    transactions: mpsc::Sender<(GossipId, PeerId, Vec<u8>)>,
}

impl Intake {
    /// Starts the tasks.
    pub(crate) fn start(handle: Handle, chain: ChainHandle, gate: Gate) -> Self {
        let (blocks, second) = mpsc::channel(BLOCKS_IN_HAND_MAX);
        let (transactions, waiting) = mpsc::channel(TRANSACTIONS_IN_HAND_MAX);
        let (claims, waiting_claims) = mpsc::channel(CLAIMS_IN_HAND_MAX);
        let in_hand = Arc::default();
        let intake = Self { handle, chain, gate, in_hand, blocks, transactions };
        tokio::spawn(second_hand(intake.judge(), second));
        tokio::spawn(transactions_hand(intake.judge(), waiting, claims));
        tokio::spawn(claims_hand(intake.judge(), waiting_claims));
        intake
    }

    fn judge(&self) -> Judge {
        Judge {
            handle: self.handle.clone(),
            chain: self.chain.clone(),
            gate: self.gate.clone(),
            in_hand: self.in_hand.clone(),
        }
    }

    /// A block came.
    pub(crate) async fn block(&self, id: GossipId, peer: PeerId, bytes: Vec<u8>) {
        let judge = self.judge();
        let block = match Block::decode(&bytes) {
            Ok(block) => block,
            Err(error) => return judge.say(id, reject(hysteron_chain::BAN_SCORE, error.to_string())).await,
        };
        let (hash, parent) = (block.hash(), block.header.parent);
        let waits = judge.in_hand().contains(&parent);
        let work = if waits {
            None
        } else {
            match self.chain.work_ahead(block.clone()).await {
                Ok(Ok(work)) => work,
                Ok(Err(error)) => return judge.say(id, reject(error.ban_score(), error.to_string())).await,
                Err(_) => return judge.say(id, Verdict::Ignore).await,
            }
        };
        let sender = Sender::Peer(peer);
        let passed_on =
            work.as_ref().is_some_and(|work| self.gate.admits(&self.chain, sender, &parent, work));
        if passed_on {
            judge.say(id, Verdict::Accept).await;
        }
        judge.in_hand().insert(hash);
        let in_hand = InHand { id, peer, block, hash, bytes, work, passed_on };
        if self.blocks.try_send(in_hand).is_err() {
            tracing::warn!("a block is left out: too many wait for their work to be run");
            judge.in_hand().remove(&hash);
            self.gate.settled(sender, passed_on, true);
            if !passed_on {
                judge.say(id, Verdict::Ignore).await;
            }
        }
    }

    /// A transaction came.
    pub(crate) async fn transaction(&self, id: GossipId, peer: PeerId, bytes: Vec<u8>) {
        if self.transactions.try_send((id, peer, bytes)).is_err() {
            self.judge().say(id, Verdict::Ignore).await;
        }
    }
}

/// What both hands need.
struct Judge {
    handle: Handle,
    chain: ChainHandle,
    gate: Gate,
    in_hand: Arc<Mutex<BTreeSet<Hash>>>,
}

async fn second_hand(judge: Judge, mut blocks: mpsc::Receiver<InHand>) {
    while let Some(InHand { id, peer, block, hash, bytes, work, passed_on }) = blocks.recv().await {
        let result = match work {
            Some(work) => judge.chain.submit_block_with(block, work).await,
            None => judge.chain.submit_block(block).await,
        };
        judge.in_hand().remove(&hash);
        judge.conclude(id, peer, bytes, passed_on, result).await;
    }
}

async fn transactions_hand(
    judge: Judge,
    mut transactions: mpsc::Receiver<(GossipId, PeerId, Vec<u8>)>,
    claims: mpsc::Sender<(GossipId, PeerId, Parcel)>,
) {
    while let Some((id, peer, bytes)) = transactions.recv().await {
        let verdict = match Parcel::decode(&bytes) {
            Err(reason) => reject(hysteron_chain::BAN_SCORE, reason),
            Ok(parcel) if matches!(parcel.transaction.transaction.body, Body::Claim { .. }) => {
                match claims.try_send((id, peer, parcel)) {
                    Ok(()) => continue,
                    Err(_) => Verdict::Ignore,
                }
            }
            Ok(parcel) => judge.transaction(parcel).await,
        };
        judge.say(id, verdict).await;
    }
}

async fn claims_hand(judge: Judge, mut claims: mpsc::Receiver<(GossipId, PeerId, Parcel)>) {
    let mut liars = Liars::default();
    while let Some((id, peer, parcel)) = claims.recv().await {
        let is_liar = liars.contains(&peer, Instant::now());
        let verdict = if is_liar { Verdict::Ignore } else { judge.transaction(parcel).await };
        liars.note(peer, &verdict, Instant::now());
        judge.say(id, verdict).await;
    }
}

/// Peers that were just banned for a claim. What they sent before is still in the queues, and each false claim of it would make this
/// node run a leg.
#[derive(Default)]
struct Liars {
    /// With the number of the first claim that cannot have been in the queues, and when it was.
    peers: BTreeMap<PeerId, (u64, Instant)>,
    seen: u64,
}

impl Liars {
    fn contains(&self, peer: &PeerId, now: Instant) -> bool {
        self.peers.get(peer).is_some_and(|(_, since)| is_fresh(*since, now))
    }

    /// Counts a claim that was judged.
    fn note(&mut self, peer: PeerId, verdict: &Verdict, now: Instant) {
        self.seen += 1;
        self.peers.retain(|_, (until, since)| self.seen < *until && is_fresh(*since, now));
        if matches!(verdict, Verdict::Reject { ban_score, .. } if *ban_score >= hysteron_chain::BAN_SCORE) {
            self.peers.insert(peer, (self.seen + QUEUED_MAX, now));
        }
    }
}

/// Claims that can be in the queues.
const QUEUED_MAX: u64 = (TRANSACTIONS_IN_HAND_MAX + CLAIMS_IN_HAND_MAX) as u64;

/// Where few claims come, the count alone would keep a peer out long after its ban.
fn is_fresh(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) < Duration::from_secs(LIAR_S)
}

impl Judge {
    fn in_hand(&self) -> std::sync::MutexGuard<'_, BTreeSet<Hash>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn conclude(
        &self,
        id: GossipId,
        peer: PeerId,
        bytes: Vec<u8>,
        passed_on: bool,
        result: Result<Result<Submission, ChainError>, Unanswered>,
    ) {
        let is_false = matches!(&result, Ok(Err(error)) if error.ban_score() > 0);
        self.gate.settled(Sender::Peer(peer), passed_on, !is_false);
        let verdict = match result {
            Err(_) => Verdict::Ignore,
            Ok(Ok(submission)) => match submission.outcome {
                Outcome::Extended | Outcome::Reorganised { .. } | Outcome::SideBranch => Verdict::Accept,
                Outcome::Known => Verdict::Ignore,
                Outcome::Orphan { .. } => Verdict::Orphan { hash: submission.hash, bytes },
            },
            Ok(Err(error)) if is_false && error.is_found_late() => {
                // Whoever sent it may have passed it on before he knew.
                let reason = error.to_string();
                tracing::info!(%peer, reason, "a block does not hold");
                if self.handle.punish(peer, DECEPTION_SCORE, &reason).await.is_err() {
                    tracing::debug!("the network has stopped before a verdict");
                }
                Verdict::Ignore
            }
            Ok(Err(error)) => reject(error.ban_score(), error.to_string()),
        };
        if !passed_on {
            self.say(id, verdict).await;
        }
    }

    async fn transaction(&self, parcel: Parcel) -> Verdict {
        match self.chain.submit_transaction(parcel).await {
            Err(_) => Verdict::Ignore,
            Ok(Ok(_)) => Verdict::Accept,
            Ok(Err(error)) => reject(error.ban_score(), error.to_string()),
        }
    }

    async fn say(&self, id: GossipId, verdict: Verdict) {
        if let Verdict::Reject { reason, .. } = &verdict {
            tracing::info!(reason, "gossip was refused");
        }
        if self.handle.verdict(id, verdict).await.is_err() {
            tracing::debug!("the network has stopped before a verdict");
        }
    }
}

fn reject(ban_score: u32, reason: String) -> Verdict {
    if ban_score == 0 { Verdict::Ignore } else { Verdict::Reject { ban_score, reason } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_liar_left_in_the_queue_is_not_looked_at() {
        let (mut liars, peer) = (Liars::default(), PeerId::random());
        let now = Instant::now();
        liars.note(peer, &Verdict::Ignore, now);
        liars.note(peer, &reject(hysteron_chain::BAN_SCORE - 1, String::new()), now);
        assert!(!liars.contains(&peer, now));
        liars.note(peer, &reject(hysteron_chain::BAN_SCORE, String::new()), now);
        for _ in 1..QUEUED_MAX {
            assert!(liars.contains(&peer, now) && !liars.contains(&PeerId::random(), now));
            liars.note(PeerId::random(), &Verdict::Accept, now);
        }
        liars.note(peer, &Verdict::Ignore, now);
        assert!(liars.peers.is_empty(), "the memory is bounded by the queues");
        // Nor is it kept out after its ban where nothing else comes.
        liars.note(peer, &reject(hysteron_chain::BAN_SCORE, String::new()), now);
        assert!(liars.contains(&peer, now));
        assert!(!liars.contains(&peer, now + Duration::from_secs(LIAR_S)));
    }
}
