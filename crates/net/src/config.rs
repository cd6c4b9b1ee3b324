//! The configuration: plain data, read from the `[network]` table of the node's file, checked once.

use std::path::PathBuf;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use serde::{Deserialize, Serialize};

use crate::error::NetError;
use crate::limits::{Limits, NETWORK_NAME_BYTES_MAX};
use crate::{Hash, PeerId};

/// Addresses of one kind in the configuration.
pub const CONFIGURED_ADDRESSES_MAX: usize = 64;

/// Which network this is. Not in the file: the node takes it from its genesis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The network's name.
    pub network: String,
    /// Hash of the genesis block.
    pub genesis: Hash,
}

/// What an operator configures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Addresses to listen on, such as `/ip4/0.0.0.0/tcp/7340` and `/ip4/0.0.0.0/udp/7340/quic-v1`.
    pub listen: Vec<Multiaddr>,
    /// Addresses under which others reach this node, where they are known.
    pub external: Vec<Multiaddr>,
    /// The addresses listened on are reachable as they are (a server with a public address, or a closed network). Otherwise
    /// AutoNAT finds out.
    pub listen_is_external: bool,
    /// Peers to begin with; each address ends with `/p2p/PEER`.
    pub seeds: Vec<Multiaddr>,
    /// Find peers on the local network by multicast DNS.
    pub mdns: bool,
    /// Find peers by the Kademlia table of this network.
    pub kademlia: bool,
    /// Outbound connections that the node tries to keep.
    pub outbound_target: u32,
    /// What to do about address translation.
    pub nat: Nat,
    /// Timers.
    pub timing: Timing,
    /// Bounds.
    pub limits: Limits,
    /// Where the key, the ban list and the address book are kept; without it, the node has a new key and an empty memory.
    #[serde(skip)]
    pub directory: Option<PathBuf>,
}

/// Reaching nodes behind address translation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nat {
    /// Ask others whether our addresses can be reached.
    pub autonat_client: bool,
    /// Tell others whether theirs can.
    pub autonat_server: bool,
    /// When we cannot be reached, be reachable through up to two connected peers that relay.
    pub relay_client: bool,
    /// Relays to use in any case; each address ends with `/p2p/PEER`.
    pub relays: Vec<Multiaddr>,
    /// Relay for others: costs bandwidth, so it is off unless wanted.
    pub relay_server: bool,
    /// Turn relayed connections into direct ones by hole punching.
    pub hole_punching: bool,
    /// Circuits relayed at a time, when this node relays.
    pub relay_circuits_max: u32,
    /// Bytes relayed per circuit and direction.
    pub relay_circuit_bytes_max: u64,
}

/// Intervals and time-outs, milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// A peer's status is asked for again after this time.
    pub status_interval_ms: u64,
    /// A connected peer whose status did not come within this time is dropped.
    pub handshake_ms_max: u64,
    /// A request without an answer fails after this time.
    pub request_ms_max: u64,
    /// The first wait before an address is dialled again; doubles up to [`Self::redial_ms_max`].
    pub redial_ms_min: u64,
    /// The longest wait before an address is dialled again.
    pub redial_ms_max: u64,
    /// When the first headers chain is complete, others may take this long to come in before one is chosen.
    pub headers_grace_ms: u64,
    /// A gossip message without verdict is ignored after this time.
    pub verdict_ms_max: u64,
    /// A connection without use is closed after this time.
    pub idle_ms_max: u64,
    /// Heartbeat of the gossip mesh.
    pub heartbeat_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        let address = |text: &str| text.parse().expect("a constant address");
        Self {
            listen: vec![
                address("/ip4/0.0.0.0/tcp/7340"),
                address("/ip4/0.0.0.0/udp/7340/quic-v1"),
                address("/ip6/::/tcp/7340"),
                address("/ip6/::/udp/7340/quic-v1"),
            ],
            external: Vec::new(),
            listen_is_external: false,
            seeds: Vec::new(),
            mdns: true,
            kademlia: true,
            outbound_target: 12,
            nat: Nat::default(),
            timing: Timing::default(),
            limits: Limits::default(),
            directory: None,
        }
    }
}

impl Default for Nat {
    fn default() -> Self {
        Self {
            autonat_client: true,
            autonat_server: true,
            relay_client: true,
            relays: Vec::new(),
            relay_server: false,
            hole_punching: true,
            relay_circuits_max: 64,
            relay_circuit_bytes_max: 64 << 20,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            status_interval_ms: 20_000,
            handshake_ms_max: 15_000,
            request_ms_max: 20_000,
            redial_ms_min: 1_000,
            redial_ms_max: 300_000,
            headers_grace_ms: 3_000,
            verdict_ms_max: 30_000,
            idle_ms_max: 120_000,
            heartbeat_ms: 700,
        }
    }
}

impl Config {
    /// For tests and one-machine networks: one TCP port of the system's choice on the loopback address, nobody looked for.
    pub fn loopback() -> Self {
        Self {
            listen: vec!["/ip4/127.0.0.1/tcp/0".parse().expect("a constant address")],
            mdns: false,
            kademlia: false,
            nat: Nat {
                autonat_client: false,
                autonat_server: false,
                relay_client: false,
                hole_punching: false,
                ..Nat::default()
            },
            ..Self::default()
        }
    }

    /// Everything is in range.
    pub fn check(&self, identity: &Identity) -> Result<(), NetError> {
        let wrong = |reason: String| Err(NetError::Configuration(reason));
        if identity.network.is_empty() || identity.network.len() > NETWORK_NAME_BYTES_MAX {
            return wrong(format!("a network's name has 1 to {NETWORK_NAME_BYTES_MAX} bytes."));
        }
        let lists = [&self.listen, &self.external, &self.seeds, &self.nat.relays];
        if lists.iter().any(|addresses| addresses.len() > CONFIGURED_ADDRESSES_MAX) {
            return wrong(format!("at most {CONFIGURED_ADDRESSES_MAX} addresses of a kind."));
        }
        for address in self.seeds.iter().chain(&self.nat.relays) {
            if peer_of(address).is_none() {
                return wrong(format!("the address {address} does not end with /p2p/PEER."));
            }
        }
        let limits = &self.limits;
        if limits.request_units_burst < 64 || limits.request_units_per_second == 0 {
            return wrong("request_units_burst is at least 64, request_units_per_second at least 1.".into());
        }
        if limits.gossip_messages_burst == 0 || limits.gossip_messages_per_second == 0 {
            return wrong("gossip_messages_burst and gossip_messages_per_second are at least 1.".into());
        }
        if limits.sync_bytes_max < 2 * crate::limits::ANSWER_BYTES_MAX as u64 {
            return wrong("sync_bytes_max is at least twice the largest answer, 12 MiB.".into());
        }
        if !(1..=100).contains(&limits.memory_percent_max) || limits.ban_score == 0 || limits.events_max == 0
        {
            return wrong("memory_percent_max is 1 to 100, ban_score and events_max at least 1.".into());
        }
        let timing = &self.timing;
        if timing.heartbeat_ms < 50 || timing.request_ms_max == 0 || timing.redial_ms_min == 0 {
            return wrong("heartbeat_ms is at least 50, request_ms_max and redial_ms_min at least 1.".into());
        }
        Ok(())
    }
}

/// The peer that an address ends with.
pub fn peer_of(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => Some(peer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_pass_and_survive_the_file() {
        let config = Config::default();
        let identity = Identity { network: "main".into(), genesis: [0; 32] };
        config.check(&identity).unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), config);
        assert_eq!(toml::from_str::<Config>("mdns = false").unwrap(), Config { mdns: false, ..config });
        assert!(toml::from_str::<Config>("mdsn = false").is_err());
    }

    #[test]
    fn a_seed_without_its_peer_is_refused() {
        let config = Config { seeds: vec!["/ip4/127.0.0.1/tcp/1".parse().unwrap()], ..Config::default() };
        let error = config.check(&Identity { network: "main".into(), genesis: [0; 32] }).unwrap_err();
        assert!(error.to_string().contains("/p2p/PEER"), "{error}");
    }
}
