//! Finding peers and being found: identify, Kademlia, multicast DNS, AutoNAT, relays.

use std::time::Instant;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, StreamProtocol, identify, kad, mdns, multiaddr::Protocol, relay};

use super::Service;
use crate::address::{is_public, is_relayed, with_peer};
use crate::behaviour::{BehaviourEvent, LOOKUP_PEERS};
use crate::config::peer_of;
use crate::counters::Counters;
use crate::limits::ADDRESSES_PER_PEER_MAX;

/// Bytes of a peer's program name that are kept.
const AGENT_BYTES_MAX: usize = 64;
/// A look-up for more peers is begun at most this often.
const LOOKUP_MS: u64 = 30_000;
/// What a peer that relays lists among its protocols.
const RELAY_PROTOCOL: StreamProtocol = relay::HOP_PROTOCOL_NAME;

impl Service {
    pub(super) fn on_discovery(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(peer_id, info);
            }
            BehaviourEvent::Kademlia(kad::Event::RoutingUpdated { peer, addresses, .. }) => {
                self.dialer.found(peer, addresses.into_vec());
            }
            BehaviourEvent::Kademlia(kad::Event::OutboundQueryProgressed {
                result: kad::QueryResult::GetClosestPeers(result),
                ..
            }) => {
                let peers = match result {
                    Ok(found) => found.peers,
                    Err(kad::GetClosestPeersError::Timeout { peers, .. }) => peers,
                };
                for found in peers.into_iter().take(LOOKUP_PEERS.get()) {
                    self.dialer.found(found.peer_id, found.addrs.into_iter().filter(is_public_or_near));
                }
            }
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    self.dialer.found(peer, [address]);
                }
            }
            BehaviourEvent::AutonatClient(event) => {
                tracing::debug!(address = %event.tested_addr, success = event.result.is_ok(), "reachability tested");
                self.reachability.tested(event.result.is_ok());
            }
            BehaviourEvent::RelayClient(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                ..
            }) => {
                tracing::info!(relay = %relay_peer_id, "reachable through a relay");
            }
            BehaviourEvent::HolePunching(event) => {
                tracing::debug!(peer = %event.remote_peer_id, success = event.result.is_ok(), "hole punching");
            }
            _ => {}
        }
    }

    /// What a peer says of itself. It may say anything: addresses are few, and those of private networks count only when it
    /// is near itself.
    fn on_identified(&mut self, peer: PeerId, info: identify::Info) {
        let record = self.peers.entry(peer, Instant::now());
        record.agent =
            info.agent_version.chars().filter(|c| !c.is_control()).take(AGENT_BYTES_MAX / 4).collect();
        record.relays = info.protocols.contains(&RELAY_PROTOCOL);
        let near =
            record.connections.iter().any(|(_, address, _)| !is_public(address) && !is_relayed(address));
        let addresses = info.listen_addrs.into_iter().filter(|address| near || is_public(address));
        let addresses: Vec<_> = addresses.take(ADDRESSES_PER_PEER_MAX).collect();
        let own_names =
            self.swarm.behaviour_mut().kademlia.as_ref().map(|kademlia| kademlia.protocol_names().to_vec());
        // Only who speaks our network's protocol belongs into its table.
        if own_names.is_some_and(|names| names.iter().any(|name| info.protocols.contains(name)))
            && let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut()
        {
            for address in &addresses {
                kademlia.add_address(&peer, address.clone());
            }
        }
        self.dialer.found(peer, addresses);
        if record_relays(self, &peer) && self.reachability.wants_relay() {
            self.reserve(peer);
        }
    }

    /// Listens through a connected peer that relays.
    fn reserve(&mut self, relay: PeerId) {
        let record = self.peers.get(&relay);
        let direct = record.and_then(|record| {
            record.connections.iter().map(|(_, address, _)| address).find(|address| !is_relayed(address))
        });
        let Some(address) = direct.cloned() else { return };
        if self.config.nat.relay_client && self.reachability.asked(relay) {
            self.listen_through(&with_peer(address, relay));
        }
    }

    fn listen_through(&mut self, relay: &Multiaddr) {
        let circuit = relay.clone().with(Protocol::P2pCircuit);
        if let Err(error) = self.swarm.listen_on(circuit) {
            tracing::warn!(%relay, %error, "the relay cannot be used");
            peer_of(relay).iter().for_each(|peer| self.reachability.lost(peer));
        }
    }

    pub(super) fn use_configured_relays(&mut self) {
        if self.config.nat.relay_client {
            for relay in self.config.nat.relays.clone() {
                self.listen_through(&relay);
            }
        }
    }

    /// Dials whom the dialler chooses; looks for more peers while there are too few.
    pub(super) fn dial_turn(&mut self) {
        let now_ms = self.now_ms();
        let outbound = self.peers.connected().filter(|(_, record)| record.is_outbound()).count();
        let missing = (self.config.outbound_target as usize).saturating_sub(outbound);
        let own = *self.swarm.local_peer_id();
        let peers = &self.peers;
        let connected = |peer: &PeerId| {
            *peer == own || peers.get(peer).is_some_and(|record| !record.connections.is_empty())
        };
        for (peer, addresses) in self.dialer.turn(missing, connected, now_ms) {
            let options = DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(addresses)
                .extend_addresses_through_behaviour()
                .build();
            self.dial(options);
        }
        if missing > 0 && now_ms >= self.looked_up_ms + LOOKUP_MS {
            self.looked_up_ms = now_ms;
            if let Some(kademlia) = self.swarm.behaviour_mut().kademlia.as_mut() {
                kademlia.get_n_closest_peers(PeerId::random(), LOOKUP_PEERS);
            }
        }
        if self.reachability.wants_relay() {
            let relay = self.peers.ready().find(|(_, record)| record.relays).map(|(peer, _)| *peer);
            relay.into_iter().for_each(|relay| self.reserve(relay));
        }
    }

    pub(super) fn dial_address(&mut self, address: Multiaddr) {
        self.dial(address.into());
    }

    fn dial(&mut self, options: DialOpts) {
        Counters::add(&self.counters.dials, 1);
        if let Err(error) = self.swarm.dial(options) {
            tracing::debug!(%error, "not dialled");
            Counters::add(&self.counters.dials_failed, 1);
        }
    }
}

fn record_relays(service: &Service, peer: &PeerId) -> bool {
    service.peers.get(peer).is_some_and(|record| record.relays)
}

/// Look-ups on a local network give local addresses; a dial of one that does not exist costs little and is counted.
fn is_public_or_near(address: &Multiaddr) -> bool {
    !is_relayed(address) || is_public(address)
}
