//! Gossip of blocks and transactions: topics, message ids, router settings, peer scores.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use libp2p::gossipsub::{
    self, ConfigBuilder, IdentTopic, MaxCountSubscriptionFilter, Message, MessageAuthenticity, MessageId,
    PeerScoreParams, PeerScoreThresholds, TopicHash, TopicScoreParams, ValidationMode,
    WhitelistSubscriptionFilter,
};

use crate::config::{Config, Identity};
use crate::error::NetError;
use crate::limits::{BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX};

/// Room for the router's own fields around a message.
const ENVELOPE_BYTES_MAX: usize = 64 * 1024;
/// Messages that wait to be sent to one slow peer.
const PEER_QUEUE_MAX: usize = 256;

/// The router with its filter.
pub type Router = gossipsub::Behaviour<gossipsub::IdentityTransform, Filter>;
/// Peers may subscribe to our two topics, and not to more at a time.
pub type Filter = MaxCountSubscriptionFilter<WhitelistSubscriptionFilter>;

/// What is gossiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Encoded blocks.
    Block,
    /// Encoded transactions.
    Transaction,
}

impl Kind {
    /// The largest message.
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Block => BLOCK_BYTES_MAX,
            Self::Transaction => TRANSACTION_BYTES_MAX,
        }
    }
}

/// The two topics of a network.
#[derive(Clone, Debug)]
pub struct Topics {
    blocks: IdentTopic,
    transactions: IdentTopic,
}

/// The first 16 hexadecimal digits of the genesis hash, in the names of topics and protocols of one network.
pub fn network_tag(identity: &Identity) -> String {
    identity.genesis[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Topics {
    /// Of a network.
    pub fn new(identity: &Identity) -> Self {
        let tag = network_tag(identity);
        Self {
            blocks: IdentTopic::new(format!("/hysteron/{tag}/blocks/1")),
            transactions: IdentTopic::new(format!("/hysteron/{tag}/transactions/1")),
        }
    }

    /// The topic of a kind.
    pub fn of(&self, kind: Kind) -> &IdentTopic {
        match kind {
            Kind::Block => &self.blocks,
            Kind::Transaction => &self.transactions,
        }
    }

    /// The kind of a topic.
    pub fn kind(&self, topic: &TopicHash) -> Option<Kind> {
        [Kind::Block, Kind::Transaction].into_iter().find(|kind| self.of(*kind).hash() == *topic)
    }
}

/// A message is named by its content, so that two peers that send the same block send one message. 32 bytes.
pub fn message_id(topic: &TopicHash, data: &[u8]) -> MessageId {
    let mut hasher = blake3::Hasher::new_derive_key("hysteron/gossip/1");
    hasher.update(&(topic.as_str().len() as u64).to_le_bytes());
    hasher.update(topic.as_str().as_bytes());
    hasher.update(data);
    MessageId::from(hasher.finalize().as_bytes().as_slice())
}

/// The router of a node.
pub fn router(topics: &Topics, config: &Config) -> Result<Router, NetError> {
    let failed = |reason: &dyn std::fmt::Display| NetError::Transport(format!("gossip: {reason}"));
    let heartbeat_ms = config.timing.heartbeat_ms;
    // A message is kept until its verdict may come; otherwise an accepted one could not be relayed.
    let history = (config.timing.verdict_ms_max / heartbeat_ms + 2).clamp(5, 300) as usize;
    let settings = ConfigBuilder::default()
        .heartbeat_interval(Duration::from_millis(heartbeat_ms))
        .heartbeat_initial_delay(Duration::from_millis(heartbeat_ms / 4))
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(|message: &Message| message_id(&message.topic, &message.data))
        .max_transmit_size(BLOCK_BYTES_MAX.max(TRANSACTION_BYTES_MAX) + ENVELOPE_BYTES_MAX)
        .max_transmit_size_for_topic(Kind::Block.bytes_max() + ENVELOPE_BYTES_MAX, topics.blocks.hash())
        .max_transmit_size_for_topic(
            Kind::Transaction.bytes_max() + ENVELOPE_BYTES_MAX,
            topics.transactions.hash(),
        )
        .history_length(history)
        .duplicate_cache_time(Duration::from_millis(2 * config.timing.verdict_ms_max.max(heartbeat_ms)))
        .connection_handler_queue_len(PEER_QUEUE_MAX)
        .max_publish_messages(PEER_QUEUE_MAX)
        .build()
        .map_err(|error| failed(&error))?;
    let allowed = HashSet::from([topics.blocks.hash(), topics.transactions.hash()]);
    let filter = MaxCountSubscriptionFilter {
        filter: WhitelistSubscriptionFilter(allowed),
        max_subscribed_topics: 2,
        max_subscriptions_per_request: 8,
    };
    let mut router = Router::new_with_subscription_filter(MessageAuthenticity::Anonymous, settings, filter)
        .map_err(|error| failed(&error))?;
    router.with_peer_score(scores(topics, config), thresholds()).map_err(|error| failed(&error))?;
    for topic in [&topics.blocks, &topics.transactions] {
        router.subscribe(topic).map_err(|error| failed(&error))?;
    }
    Ok(router)
}

/// Half of our own score (0 good, banned at 100 unless configured) enters as the application's part, negative. A peer is
/// banned by it before the router stops listening to it: one that is neither heard nor banned would only take up a place.
fn thresholds() -> PeerScoreThresholds {
    PeerScoreThresholds {
        gossip_threshold: -40.0,
        publish_threshold: -80.0,
        graylist_threshold: -160.0,
        accept_px_threshold: 10.0,
        opportunistic_graft_threshold: 2.0,
    }
}

fn scores(topics: &Topics, config: &Config) -> PeerScoreParams {
    // There is one block in two minutes and no steady rate of transactions, so a missing delivery proves nothing: the
    // delivery deficit (P3) stays off. Time in the mesh and first deliveries earn a little, the square of the invalid ones costs.
    let topic = |weight: f64| TopicScoreParams {
        topic_weight: weight,
        time_in_mesh_weight: 0.01,
        time_in_mesh_quantum: Duration::from_secs(1),
        time_in_mesh_cap: 300.0,
        first_message_deliveries_weight: 1.0,
        first_message_deliveries_decay: gossipsub::score_parameter_decay(Duration::from_secs(3600)),
        first_message_deliveries_cap: 20.0,
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        // The square of the count times this. The node's own scores ban; the router must not turn deaf before
        // they have heard enough to do so.
        invalid_message_deliveries_weight: -2.0,
        invalid_message_deliveries_decay: gossipsub::score_parameter_decay(Duration::from_secs(3600)),
        ..TopicScoreParams::default()
    };
    PeerScoreParams {
        topics: [(topics.blocks.hash(), topic(1.0)), (topics.transactions.hash(), topic(0.5))].into(),
        topic_score_cap: 40.0,
        app_specific_weight: 1.0,
        ip_colocation_factor_threshold: f64::from(config.limits.connections_per_address_max.max(1)),
        ip_colocation_factor_whitelist: [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]
            .into(),
        ..PeerScoreParams::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_under_two_topics_are_two_messages() {
        let topics = Topics::new(&Identity { network: "main".into(), genesis: [1; 32] });
        let (blocks, transactions) = (topics.blocks.hash(), topics.transactions.hash());
        assert_ne!(message_id(&blocks, b"x"), message_id(&transactions, b"x"));
        assert_eq!(message_id(&blocks, b"x"), message_id(&blocks, b"x"));
        assert_eq!(topics.kind(&transactions), Some(Kind::Transaction));
        let other = Topics::new(&Identity { network: "main".into(), genesis: [2; 32] });
        assert_eq!(other.kind(&transactions), None);
    }
}
