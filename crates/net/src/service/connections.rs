//! Connections, handshakes, scores and bans.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::SwarmEvent;

use super::Service;
use crate::address::{Origin, is_relayed, with_peer};
use crate::bans::Banned;
use crate::behaviour::BehaviourEvent;
use crate::counters::Counters;
use crate::event::Event;
use crate::gate::unix_s;
use crate::wire::message::{PROTOCOL_VERSION, Status};

impl Service {
    pub(super) fn on_connection(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                let dialled = matches!(endpoint, ConnectedPoint::Dialer { .. });
                let address = endpoint.get_remote_address().clone();
                let now = Instant::now();
                let record = self.peers.entry(peer_id, now);
                let first = record.connections.is_empty();
                record.connections.push((connection_id, address, dialled));
                if first {
                    record.connected_at = now;
                    self.ask_status(peer_id);
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, num_established, .. } => {
                let record = self.peers.entry(peer_id, Instant::now());
                record.connections.retain(|(id, ..)| *id != connection_id);
                if num_established == 0 {
                    record.connections.clear();
                    let was_ready = record.tip.take().is_some();
                    record.relays = false;
                    self.reachability.lost(&peer_id);
                    let now_ms = self.now_ms();
                    self.sync.peer_gone(peer_id, now_ms);
                    if was_ready {
                        self.tell(Event::PeerGone { peer: peer_id });
                    }
                }
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                tracing::debug!(?peer_id, %error, "a dial failed");
                Counters::add(&self.counters.dials_failed, 1);
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                tracing::debug!(%error, "a connection was not made")
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                if self.config.listen_is_external && !is_relayed(&address) {
                    self.swarm.add_external_address(address);
                    self.reachability.confirmed();
                }
            }
            SwarmEvent::ExternalAddrConfirmed { address } => {
                tracing::info!(%address, "reachable");
                if !is_relayed(&address) {
                    self.reachability.confirmed();
                }
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. } => {
                tracing::warn!(%error, "a listener closed")
            }
            SwarmEvent::ListenerError { error, .. } => tracing::debug!(%error, "a listener failed for once"),
            _ => {}
        }
    }

    /// The handshake, or its repetition. False if the peer is of another network and was dropped.
    pub(super) fn on_status(&mut self, peer: PeerId, status: Status) -> bool {
        let ours = status.version == PROTOCOL_VERSION
            && status.genesis == self.identity.genesis
            && status.network.as_slice() == self.identity.network.as_bytes();
        let now_ms = self.now_ms();
        if !ours {
            tracing::info!(%peer, version = status.version, "a peer of another network was dropped");
            Counters::add(&self.counters.peers_of_other_networks, 1);
            self.dialer.useless(peer, now_ms);
            self.forget(peer);
            // It may have left by itself.
            let _ = self.swarm.disconnect_peer_id(peer);
            return false;
        }
        let Some(record) = self.peers.get_mut(&peer).filter(|record| !record.connections.is_empty()) else {
            return true;
        };
        let new = record.tip.replace(status.tip).is_none();
        let dialled =
            record.connections.iter().find(|(_, address, dialled)| *dialled && !is_relayed(address));
        if new && let Some((_, address, _)) = dialled {
            self.book.insert(peer, address.clone());
            self.unsaved = true;
        }
        self.sync.peer_tip(peer, status.tip, now_ms);
        if new {
            self.dialer.reached(peer);
            self.tell(Event::PeerReady { peer, tip: status.tip });
        }
        true
    }

    /// Peers without handshake are dropped, tips are asked for again.
    pub(super) fn check_handshakes(&mut self) {
        let now = Instant::now();
        let timing = &self.config.timing;
        let (handshake, refresh) = (
            Duration::from_millis(timing.handshake_ms_max),
            Duration::from_millis(timing.status_interval_ms),
        );
        let mut late = Vec::new();
        let mut stale = Vec::new();
        for (peer, record) in self.peers.connected() {
            let asked = record.status_asked_at.unwrap_or(record.connected_at);
            if record.tip.is_none() && now.saturating_duration_since(record.connected_at) > handshake {
                late.push(*peer);
            } else if record.tip.is_some() && now.saturating_duration_since(asked) > refresh {
                stale.push(*peer);
            }
        }
        for peer in late {
            Counters::add(&self.counters.handshakes_missed, 1);
            // It may have left by itself.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        stale.into_iter().for_each(|peer| self.ask_status(peer));
    }

    /// Adds to a peer's score, and bans it when that is enough.
    pub(super) fn punish(&mut self, peer: PeerId, points: u32, reason: &str) {
        if points == 0 {
            return;
        }
        tracing::debug!(%peer, points, reason, "scored");
        let now = Instant::now();
        if self.peers.punish(peer, points, now) {
            self.ban_peer(peer, reason);
        } else {
            // Half of it: the router grows cool towards the peer, but must not turn deaf before what it hears has it banned.
            let score = f64::from(self.peers.score(&peer, now)) / 2.0;
            self.swarm.behaviour_mut().gossip.set_application_score(&peer, -score);
        }
    }

    /// By id, and by address unless other peers of good standing come from there.
    fn ban_peer(&mut self, peer: PeerId, reason: &str) {
        let addresses = self.peers.get(&peer).map(|record| record.connections.clone()).unwrap_or_default();
        let origins: Vec<_> =
            addresses.iter().filter_map(|(_, address, _)| Origin::of_multiaddr(address)).collect();
        let shared = |origin: &Origin| {
            let others = self.peers.ready().filter(|(other, _)| **other != peer);
            let mut theirs = others.flat_map(|(_, record)| &record.connections);
            theirs.any(|(_, address, _)| Origin::of_multiaddr(address).as_ref() == Some(origin))
        };
        let origins: Vec<_> = origins.into_iter().filter(|origin| !shared(origin)).collect();
        let seconds = self.config.limits.ban_s;
        for origin in origins {
            self.ban(Banned::Origin(origin), seconds, reason);
        }
        self.ban(Banned::Peer(peer), seconds, reason);
    }

    pub(super) fn ban(&mut self, banned: Banned, seconds: u64, reason: &str) {
        let until_s = unix_s().saturating_add(seconds);
        self.bans.lock().unwrap_or_else(PoisonError::into_inner).insert(banned, until_s, reason);
        self.unsaved = true;
        Counters::add(&self.counters.bans, 1);
        let meant = self.peers.connected().filter(|(peer, record)| match banned {
            Banned::Peer(banned) => **peer == banned,
            Banned::Origin(banned) if banned.is_loopback() => false,
            Banned::Origin(banned) => {
                record.connections.iter().any(|(_, address, _)| Origin::of_multiaddr(address) == Some(banned))
            }
        });
        let meant: Vec<_> = meant.map(|(peer, _)| *peer).collect();
        for peer in meant {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        if let Banned::Peer(peer) = banned {
            tracing::info!(%peer, reason, "banned");
            self.forget(peer);
            self.tell(Event::PeerBanned { peer, reason: reason.to_owned() });
        }
    }

    /// Out of the tables by which peers are found.
    fn forget(&mut self, peer: PeerId) {
        self.book.remove(peer);
        self.unsaved = true;
        if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut() {
            kademlia.remove_peer(&peer);
        }
    }

    pub(super) fn listeners(&self) -> Vec<libp2p::Multiaddr> {
        let own = *self.swarm.local_peer_id();
        self.swarm.listeners().map(|address| with_peer(address.clone(), own)).collect()
    }
}
