//! Gossip: handing messages to the node within their limits, and its verdicts to the router.

use std::time::Instant;

use libp2p::PeerId;
use libp2p::gossipsub::{Event as RouterEvent, Message, MessageAcceptance, MessageId, PublishError};

use super::Service;
use crate::counters::Counters;
use crate::error::NetError;
use crate::event::{Event, GossipId, Verdict};
use crate::gossip::Kind;
use crate::limits::PENDING_VERDICTS_MAX;

/// Score for a message above the allowance.
const SCORE_FLOOD: u32 = 1;

/// A message whose verdict is awaited.
pub(crate) struct Pending {
    message: MessageId,
    peer: PeerId,
    kind: Kind,
    bytes: u64,
    came_ms: u64,
}

impl Service {
    pub(super) fn publish(&mut self, kind: Kind, bytes: Vec<u8>) -> Result<(), NetError> {
        let topic = self.topics.of(kind).hash();
        match self.swarm.behaviour_mut().gossip.publish(topic, bytes) {
            // Nobody to tell is no error for a node that is alone, nor is a message that is on its way already.
            Ok(_) | Err(PublishError::NoPeersSubscribedToTopic | PublishError::Duplicate) => {
                Counters::add(&self.counters.gossip_published, 1);
                Ok(())
            }
            Err(error) => Err(NetError::Publish(error.to_string())),
        }
    }

    pub(super) fn on_gossip(&mut self, event: RouterEvent) {
        match event {
            RouterEvent::Message { propagation_source, message_id, message } => {
                self.on_message(propagation_source, message_id, message);
            }
            RouterEvent::SlowPeer { peer_id, .. } => tracing::debug!(peer = %peer_id, "slow in gossip"),
            _ => {}
        }
    }

    fn on_message(&mut self, peer: PeerId, message_id: MessageId, message: Message) {
        let Some(kind) = self.topics.kind(&message.topic) else { return };
        let allowed = self.peers.entry(peer, Instant::now()).may_gossip();
        let bytes = message.data.len() as u64;
        let room = self.verdict_bytes + bytes <= self.config.limits.gossip_bytes_pending_max
            && self.verdicts.len() < PENDING_VERDICTS_MAX;
        if message.data.len() > kind.bytes_max() {
            self.report(&message_id, peer, MessageAcceptance::Reject);
            return;
        }
        self.next_gossip += 1;
        let id = GossipId(self.next_gossip);
        let (counter, event) = match kind {
            Kind::Block => (&self.counters.gossip_blocks, Event::Block { id, peer, bytes: message.data }),
            Kind::Transaction => {
                (&self.counters.gossip_transactions, Event::Transaction { id, peer, bytes: message.data })
            }
        };
        Counters::add(counter, 1);
        if allowed && room && self.tell(event) {
            let pending = Pending { message: message_id, peer, kind, bytes, came_ms: self.now_ms() };
            self.verdict_bytes += bytes;
            self.verdicts.insert(id.0, pending);
            return;
        }
        Counters::add(&self.counters.gossip_limited, 1);
        self.report(&message_id, peer, MessageAcceptance::Ignore);
        if !allowed {
            self.punish(peer, SCORE_FLOOD, "It floods this node with gossip.");
        } else if kind == Kind::Block {
            // The block will not come a second time by gossip; the peer's status leads to it.
            self.ask_status(peer);
        }
    }

    pub(super) fn on_verdict(&mut self, id: GossipId, verdict: Verdict) {
        let Some(pending) = self.verdicts.remove(&id.0) else { return };
        self.verdict_bytes -= pending.bytes;
        let peer = pending.peer;
        match verdict {
            Verdict::Accept => {
                self.report(&pending.message, peer, MessageAcceptance::Accept);
                if pending.kind == Kind::Block {
                    self.read_own_tip();
                }
            }
            Verdict::Ignore => self.report(&pending.message, peer, MessageAcceptance::Ignore),
            Verdict::Orphan { hash, bytes } => {
                self.report(&pending.message, peer, MessageAcceptance::Ignore);
                if pending.kind == Kind::Block && bytes.len() <= Kind::Block.bytes_max() {
                    self.sync.keep_orphan(peer, hash, bytes);
                    self.ask_status(peer);
                }
            }
            Verdict::Reject { ban_score, reason } => {
                self.report(&pending.message, peer, MessageAcceptance::Reject);
                self.punish(peer, ban_score, &reason);
            }
        }
    }

    fn report(&mut self, message: &MessageId, peer: PeerId, acceptance: MessageAcceptance) {
        let counter = match acceptance {
            MessageAcceptance::Accept => &self.counters.gossip_accepted,
            MessageAcceptance::Ignore => &self.counters.gossip_ignored,
            MessageAcceptance::Reject => &self.counters.gossip_rejected,
        };
        Counters::add(counter, 1);
        self.swarm.behaviour_mut().gossip.report_message_validation_result(message, &peer, acceptance);
    }

    /// Messages that the node does not judge in time are ignored.
    pub(super) fn expire_verdicts(&mut self) {
        let (now_ms, ms_max) = (self.now_ms(), self.config.timing.verdict_ms_max);
        while let Some(oldest) = self.verdicts.first_entry() {
            if now_ms < oldest.get().came_ms + ms_max {
                break;
            }
            let id = GossipId(*oldest.key());
            self.on_verdict(id, Verdict::Ignore);
        }
    }
}
