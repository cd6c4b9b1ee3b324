//! What the network tells the node, and what the node says to it.

use crate::wire::message::Tip;
use crate::{Hash, PeerId};

/// Names one gossip message until its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GossipId(pub(crate) u64);

/// What happened. The channel is bounded; when the node is slow, gossip is ignored, not kept.
#[derive(Debug)]
pub enum Event {
    /// A block came by gossip. Wants a verdict.
    Block {
        /// For the verdict.
        id: GossipId,
        /// Who sent it to us; seldom its author.
        peer: PeerId,
        /// Its encoding, unchecked but for its length.
        bytes: Vec<u8>,
    },
    /// A transaction came by gossip. Wants a verdict.
    Transaction {
        /// For the verdict.
        id: GossipId,
        /// Who sent it to us; seldom its author.
        peer: PeerId,
        /// Its encoding, unchecked but for its length.
        bytes: Vec<u8>,
    },
    /// A peer of our network is connected.
    PeerReady {
        /// Which.
        peer: PeerId,
        /// Its best chain, as it says.
        tip: Tip,
    },
    /// It is not connected any more.
    PeerGone {
        /// Which.
        peer: PeerId,
    },
    /// A peer was banned.
    PeerBanned {
        /// Which.
        peer: PeerId,
        /// Why.
        reason: String,
    },
    /// Peers have a better chain; blocks will be handed to [`crate::Judge::import_block`].
    SyncStarted,
    /// The round is over, with success or not.
    SyncEnded,
}

/// What a gossip message was worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid and new: it is relayed.
    Accept,
    /// Known, or of no use now: not relayed, nobody's fault.
    Ignore,
    /// A block whose parent is unknown: not relayed; it is kept, and its sender's chain is fetched.
    Orphan {
        /// The block's hash.
        hash: Hash,
        /// Its bytes, as they came.
        bytes: Vec<u8>,
    },
    /// Invalid: not relayed, and counted against whoever sent it.
    Reject {
        /// Added to its score.
        ban_score: u32,
        /// What is wrong, a full sentence.
        reason: String,
    },
}
