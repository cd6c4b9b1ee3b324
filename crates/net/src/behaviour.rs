//! The libp2p behaviours of a node and its transports, put together.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{
    PeerId, StreamProtocol, Swarm, SwarmBuilder, autonat, connection_limits, dcutr, identify, kad, mdns,
    memory_connection_limits, noise, ping, relay, tcp, yamux,
};

use crate::config::{Config, Identity};
use crate::counters::Counters;
use crate::error::NetError;
use crate::gate::{Gate, SharedBans};
use crate::gossip::{self, Router, Topics};
use crate::limits::Limits;
use crate::wire::codec::Codec;

/// Every node speaks it, so that nodes of different networks can tell each other apart.
const EXCHANGE_PROTOCOL: StreamProtocol = StreamProtocol::new("/hysteron/exchange/1");
const IDENTIFY_PROTOCOL: &str = "/hysteron/1";
const KADEMLIA_PACKET_BYTES_MAX: usize = 16 * 1024;
const KADEMLIA_BOOTSTRAP: Duration = Duration::from_secs(300);
/// Requests of one connection that are open at a time, both directions.
const STREAMS_PER_CONNECTION_MAX: usize = 32;
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// The door and the limits first: a connection that they refuse reaches nobody else.
#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub gate: Gate,
    pub connections: connection_limits::Behaviour,
    pub memory: memory_connection_limits::Behaviour,
    pub exchange: request_response::Behaviour<Codec>,
    pub gossip: Router,
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub kademlia: Toggle<kad::Behaviour<MemoryStore>>,
    pub mdns: Toggle<mdns::tokio::Behaviour>,
    pub autonat_client: Toggle<autonat::v2::client::Behaviour>,
    pub autonat_server: Toggle<autonat::v2::server::Behaviour>,
    pub relay_client: Toggle<relay::client::Behaviour>,
    pub relay_server: Toggle<relay::Behaviour>,
    pub hole_punching: Toggle<dcutr::Behaviour>,
}

/// A swarm with everything that the configuration asks for. It does not listen yet.
pub fn swarm(
    key: Keypair,
    identity: &Identity,
    config: &Config,
    topics: &Topics,
    bans: SharedBans,
    counters: Arc<Counters>,
) -> Result<Swarm<Behaviour>, NetError> {
    let failed = |error: &dyn std::fmt::Display| NetError::Transport(error.to_string());
    let router = gossip::router(topics, config)?;
    let gate = Gate::new(bans, &config.limits, counters);
    let idle = Duration::from_millis(config.timing.idle_ms_max);
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(|error| failed(&error))?
        .with_quic()
        .with_dns()
        .map_err(|error| failed(&error))?
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .map_err(|error| failed(&error))?
        .with_behaviour(|key, relay_client| behaviour(key, relay_client, gate, router, identity, config))
        .map_err(|error| failed(&error))?
        .with_swarm_config(|swarm| {
            swarm
                .with_idle_connection_timeout(idle)
                .with_max_negotiating_inbound_streams(STREAMS_PER_CONNECTION_MAX)
        })
        .with_connection_timeout(CONNECTION_TIMEOUT)
        .build();
    Ok(swarm)
}

fn behaviour(
    key: &Keypair,
    relay_client: relay::client::Behaviour,
    gate: Gate,
    gossip: Router,
    identity: &Identity,
    config: &Config,
) -> Behaviour {
    let peer = key.public().to_peer_id();
    let nat = &config.nat;
    let exchange = request_response::Config::default()
        .with_request_timeout(Duration::from_millis(config.timing.request_ms_max))
        .with_max_concurrent_streams(STREAMS_PER_CONNECTION_MAX);
    let identify = identify::Config::new(IDENTIFY_PROTOCOL.to_owned(), key.public())
        .with_agent_version(concat!("hysteron/", env!("CARGO_PKG_VERSION")).to_owned());
    Behaviour {
        gate,
        connections: connection_limits::Behaviour::new(connection_limits(&config.limits)),
        memory: memory_connection_limits::Behaviour::with_max_percentage(
            f64::from(config.limits.memory_percent_max) / 100.0,
        ),
        exchange: request_response::Behaviour::new([(EXCHANGE_PROTOCOL, ProtocolSupport::Full)], exchange),
        gossip,
        identify: identify::Behaviour::new(identify),
        ping: ping::Behaviour::default(),
        kademlia: config.kademlia.then(|| kademlia(peer, identity)).into(),
        mdns: config.mdns.then(|| local_discovery(peer)).flatten().into(),
        autonat_client: nat.autonat_client.then(autonat::v2::client::Behaviour::default).into(),
        autonat_server: nat.autonat_server.then(autonat::v2::server::Behaviour::default).into(),
        relay_client: nat.relay_client.then_some(relay_client).into(),
        relay_server: nat.relay_server.then(|| relay::Behaviour::new(peer, relay_limits(config))).into(),
        hole_punching: nat.hole_punching.then(|| dcutr::Behaviour::new(peer)).into(),
    }
}

fn connection_limits(limits: &Limits) -> connection_limits::ConnectionLimits {
    connection_limits::ConnectionLimits::default()
        .with_max_established(Some(limits.connections_max))
        .with_max_established_incoming(Some(limits.connections_inbound_max))
        .with_max_established_per_peer(Some(limits.connections_per_peer_max))
        .with_max_pending_incoming(Some(limits.connections_pending_max))
        .with_max_pending_outgoing(Some(limits.connections_pending_max))
}

/// A table of peers only: nobody can store records here.
fn kademlia(peer: PeerId, identity: &Identity) -> kad::Behaviour<MemoryStore> {
    let name = format!("/hysteron/{}/kad/1", gossip::network_tag(identity));
    let protocol = StreamProtocol::try_from_owned(name).expect("it begins with a slash");
    let mut config = kad::Config::new(protocol);
    config
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        .set_max_packet_size(KADEMLIA_PACKET_BYTES_MAX)
        .set_periodic_bootstrap_interval(Some(KADEMLIA_BOOTSTRAP))
        .disjoint_query_paths(true);
    let bounds = MemoryStoreConfig { max_records: 0, max_provided_keys: 0, ..MemoryStoreConfig::default() };
    kad::Behaviour::with_config(peer, MemoryStore::with_config(peer, bounds), config)
}

/// A machine without multicast runs without local discovery.
fn local_discovery(peer: PeerId) -> Option<mdns::tokio::Behaviour> {
    mdns::tokio::Behaviour::new(mdns::Config::default(), peer)
        .inspect_err(|error| tracing::warn!(%error, "no discovery on the local network"))
        .ok()
}

fn relay_limits(config: &Config) -> relay::Config {
    let circuits = config.nat.relay_circuits_max as usize;
    relay::Config {
        max_reservations: circuits * 2,
        max_circuits: circuits,
        max_circuit_bytes: config.nat.relay_circuit_bytes_max,
        ..relay::Config::default()
    }
}

/// How many peers a look-up in the table brings at most.
pub const LOOKUP_PEERS: NonZeroUsize = NonZeroUsize::new(20).expect("not zero");
