//! What the network counts, for the node's metrics page.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters since the start, and gauges (marked so). Read at any time without a lock.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)*
        }

        impl Counters {
            /// All of them by name.
            pub fn snapshot(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.load(Ordering::Relaxed)),)*]
            }
        }
    };
}

counters! {
    /// Gauge: established connections.
    connections,
    /// Gauge: peers whose handshake is done.
    peers_ready,
    /// Connections refused by bans or limits per address.
    connections_refused,
    /// Dials begun.
    dials,
    /// Dials that failed.
    dials_failed,
    /// Peers of another network or version that were dropped.
    peers_of_other_networks,
    /// Peers dropped because their handshake did not come.
    handshakes_missed,
    /// Bans by score or command.
    bans,
    /// Requests answered.
    requests_answered,
    /// Requests answered with `Busy` because a limit was reached.
    requests_limited,
    /// Requests made.
    requests_made,
    /// Requests made that failed or got a wrong answer.
    requests_failed,
    /// Bytes of answers sent.
    answer_bytes_sent,
    /// Bytes of answers received.
    answer_bytes_received,
    /// Gauge: bytes of answers on their way out.
    answer_bytes_in_flight,
    /// Blocks that came by gossip.
    gossip_blocks,
    /// Transactions that came by gossip.
    gossip_transactions,
    /// Gossip that was accepted and relayed.
    gossip_accepted,
    /// Gossip that was ignored, for any reason.
    gossip_ignored,
    /// Gossip that was rejected.
    gossip_rejected,
    /// Gossip above a limit: ignored unread.
    gossip_limited,
    /// Messages published by this node.
    gossip_published,
    /// Gauge: bytes of gossip whose verdict is awaited.
    gossip_bytes_pending,
    /// Gauge: blocks kept until their parent is known.
    orphans,
    /// Rounds of sync begun.
    sync_rounds,
    /// Headers checked by sync.
    sync_headers,
    /// Blocks imported by sync.
    sync_blocks,
    /// Requests of sync given to another peer after a failure.
    sync_reassigned,
}

impl Counters {
    /// Adds to a counter or gauge.
    pub fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Takes from a gauge.
    pub fn take(gauge: &AtomicU64, amount: u64) {
        gauge.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Sets a gauge.
    pub fn set(gauge: &AtomicU64, value: u64) {
        gauge.store(value, Ordering::Relaxed);
    }
}
