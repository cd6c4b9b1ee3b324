//! What is remembered of each peer: connections, handshake, score, allowances. Scores and
//! allowances outlive a connection, so that reconnecting wins nothing.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Instant;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use libp2p::Multiaddr;
use libp2p::swarm::ConnectionId;

use crate::PeerId;
use crate::limits::{Limits, PEER_RECORDS_MAX};
use crate::wire::message::Tip;

/// All peers. The map's order is never used for anything but forgetting.
pub struct Peers {
    records: HashMap<PeerId, Peer>,
    limits: Limits,
}

/// One peer.
pub struct Peer {
    /// Its connections, with the far address and whether we dialled.
    pub connections: Vec<(ConnectionId, Multiaddr, bool)>,
    /// When the first of its present connections was made.
    pub connected_at: Instant,
    /// Its tip, once the handshake is done.
    pub tip: Option<Tip>,
    /// Its program, as it says.
    pub agent: String,
    /// It can relay for others.
    pub relays: bool,
    /// When its status was last asked for.
    pub status_asked_at: Option<Instant>,
    /// Requests of it that are being answered.
    pub serving: u32,
    score: u32,
    scored_at: Instant,
    seen_at: Instant,
    requests: DefaultDirectRateLimiter,
    busy: DefaultDirectRateLimiter,
    gossip: DefaultDirectRateLimiter,
}

/// What others may know of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its id.
    pub peer: PeerId,
    /// The far addresses of its connections.
    pub addresses: Vec<Multiaddr>,
    /// We dialled at least one of them.
    pub outbound: bool,
    /// Its best chain as it says; none before the handshake.
    pub tip: Option<Tip>,
    /// Its program, as it says.
    pub agent: String,
    /// Its score now, 0 is good.
    pub score: u32,
    /// Seconds since it connected.
    pub connected_s: u64,
}

impl Peers {
    /// Nobody yet.
    pub fn new(limits: Limits) -> Self {
        Self { records: HashMap::new(), limits }
    }

    /// The record of a peer, made if there is none. The one longest unseen goes when there are too many.
    pub fn entry(&mut self, peer: PeerId, now: Instant) -> &mut Peer {
        if self.records.len() >= PEER_RECORDS_MAX && !self.records.contains_key(&peer) {
            let unused = self.records.iter().filter(|(_, record)| record.connections.is_empty());
            let oldest = unused.min_by_key(|(_, record)| record.seen_at).map(|(peer, _)| *peer);
            oldest.map(|peer| self.records.remove(&peer));
        }
        let limits = &self.limits;
        let record = self.records.entry(peer).or_insert_with(|| Peer::new(limits, now));
        record.seen_at = now;
        record
    }

    /// The record of a peer.
    pub fn get(&self, peer: &PeerId) -> Option<&Peer> {
        self.records.get(peer)
    }

    /// The record of a peer, to change.
    pub fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Peer> {
        self.records.get_mut(peer)
    }

    /// Those with a connection.
    pub fn connected(&self) -> impl Iterator<Item = (&PeerId, &Peer)> {
        self.records.iter().filter(|(_, record)| !record.connections.is_empty())
    }

    /// Those with a connection whose handshake is done.
    pub fn ready(&self) -> impl Iterator<Item = (&PeerId, &Peer)> {
        self.connected().filter(|(_, record)| record.tip.is_some())
    }

    /// Adds to a peer's score; says whether it is to be banned now. A ban clears the score.
    pub fn punish(&mut self, peer: PeerId, points: u32, now: Instant) -> bool {
        let (forgiven, ban_score) = (self.limits.score_forgiven_per_minute, self.limits.ban_score);
        let record = self.entry(peer, now);
        record.score = record.score_at(now, forgiven).saturating_add(points);
        record.scored_at = now;
        let banned = points > 0 && record.score >= ban_score;
        if banned {
            record.score = 0;
        }
        banned
    }

    /// A peer's score now.
    pub fn score(&self, peer: &PeerId, now: Instant) -> u32 {
        self.records.get(peer).map_or(0, |record| record.score_at(now, self.limits.score_forgiven_per_minute))
    }

    /// For the node's list of peers, in order of id.
    pub fn infos(&self, now: Instant) -> Vec<PeerInfo> {
        let mut infos: Vec<_> = self
            .connected()
            .map(|(peer, record)| PeerInfo {
                peer: *peer,
                addresses: record.connections.iter().map(|(_, address, _)| address.clone()).collect(),
                outbound: record.is_outbound(),
                tip: record.tip,
                agent: record.agent.clone(),
                score: record.score_at(now, self.limits.score_forgiven_per_minute),
                connected_s: now.saturating_duration_since(record.connected_at).as_secs(),
            })
            .collect();
        infos.sort_by_key(|info| info.peer);
        infos
    }
}

impl Peer {
    fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            connections: Vec::new(),
            connected_at: now,
            tip: None,
            agent: String::new(),
            relays: false,
            status_asked_at: None,
            serving: 0,
            score: 0,
            scored_at: now,
            seen_at: now,
            requests: limiter(limits.request_units_per_second, limits.request_units_burst),
            busy: limiter(limits.requests_busy_per_second, limits.requests_busy_per_second.saturating_mul(4)),
            gossip: limiter(limits.gossip_messages_per_second, limits.gossip_messages_burst),
        }
    }

    /// We dialled at least one of its connections.
    pub fn is_outbound(&self) -> bool {
        self.connections.iter().any(|(_, _, dialled)| *dialled)
    }

    /// Takes request units from its allowance; false if there are not so many.
    pub fn may_request(&self, units: u32) -> bool {
        let units = NonZeroU32::new(units).unwrap_or(NonZeroU32::MIN);
        matches!(self.requests.check_n(units), Ok(Ok(())))
    }

    /// Takes one refused request from those that a peer may make; false if it goes on asking in spite of refusals.
    pub fn may_be_refused(&self) -> bool {
        self.busy.check().is_ok()
    }

    /// Takes one gossip message from its allowance; false if there is none.
    pub fn may_gossip(&self) -> bool {
        self.gossip.check().is_ok()
    }

    fn score_at(&self, now: Instant, forgiven_per_minute: u32) -> u32 {
        let elapsed_s = now.saturating_duration_since(self.scored_at).as_secs();
        let forgiven = elapsed_s.saturating_mul(forgiven_per_minute.into()) / 60;
        self.score.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }
}

fn limiter(per_second: u32, burst: u32) -> DefaultDirectRateLimiter {
    let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct(Quota::per_second(positive(per_second)).allow_burst(positive(burst)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn scores_add_up_fade_and_survive_a_reconnection() {
        let mut peers = Peers::new(Limits::default());
        let (peer, now) = (PeerId::random(), Instant::now());
        assert!(!peers.punish(peer, 60, now));
        let later = now + Duration::from_secs(120);
        assert_eq!(peers.score(&peer, later), 50);
        assert!(!peers.punish(peer, 49, later));
        assert!(peers.punish(peer, 1, later));
        assert_eq!(peers.score(&peer, later), 0);
    }

    #[test]
    fn records_are_bounded_and_connected_peers_are_kept() {
        let mut peers = Peers::new(Limits::default());
        let (kept, now) = (PeerId::random(), Instant::now());
        let address: Multiaddr = "/ip4/8.8.8.8/tcp/1".parse().unwrap();
        peers.entry(kept, now).connections.push((ConnectionId::new_unchecked(1), address, true));
        for _ in 0..PEER_RECORDS_MAX + 10 {
            peers.entry(PeerId::random(), now);
        }
        assert_eq!(peers.records.len(), PEER_RECORDS_MAX);
        assert!(peers.get(&kept).is_some());
    }

    #[test]
    fn the_allowance_runs_out() {
        let peer = Peer::new(&Limits { request_units_burst: 64, ..Limits::default() }, Instant::now());
        assert!(peer.may_request(64));
        assert!(!peer.may_request(64));
        assert!(!peer.may_request(65));
    }
}
