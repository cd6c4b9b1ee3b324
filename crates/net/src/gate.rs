//! The door: a libp2p behaviour that refuses banned peers, banned addresses, too many connections
//! from one address, and too many in a minute. It comes before every other behaviour.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use libp2p::core::transport::PortUse;
use libp2p::core::{ConnectedPoint, Endpoint};
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::address::Origin;
use crate::bans::{Banned, Bans};
use crate::counters::Counters;
use crate::limits::Limits;

/// Origins whose connections of the last minute are counted; strangers beyond are refused until the minute ends.
const ORIGINS_MAX: usize = 16 * 1024;
const MINUTE: Duration = Duration::from_secs(60);

/// Bans, shared between the door and the loop that decides them.
pub type SharedBans = Arc<Mutex<Bans>>;

/// The behaviour.
pub struct Gate {
    bans: SharedBans,
    counters: Arc<Counters>,
    per_origin_max: usize,
    per_origin_minute_max: u32,
    open: BTreeMap<ConnectionId, Origin>,
    minute: BTreeMap<Origin, u32>,
    minute_started: Instant,
}

/// Why a connection was refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Its peer or address is banned.
    #[error("The peer or its address is banned.")]
    Banned,
    /// Its address has as many connections as it may have.
    #[error("Too many connections from one address.")]
    Crowded,
    /// Its address opened as many connections in this minute as it may open.
    #[error("Too many new connections from one address in a minute.")]
    Hasty,
}

/// Unix seconds.
pub fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

impl Gate {
    /// A door with these bans and limits.
    pub fn new(bans: SharedBans, limits: &Limits, counters: Arc<Counters>) -> Self {
        Self {
            bans,
            counters,
            per_origin_max: limits.connections_per_address_max as usize,
            per_origin_minute_max: limits.connections_per_address_minute_max,
            open: BTreeMap::new(),
            minute: BTreeMap::new(),
            minute_started: Instant::now(),
        }
    }

    fn refuse(&self, reason: Refused) -> ConnectionDenied {
        Counters::add(&self.counters.connections_refused, 1);
        ConnectionDenied::new(reason)
    }

    fn is_banned(&self, banned: Banned) -> bool {
        self.bans.lock().unwrap_or_else(PoisonError::into_inner).get(banned, unix_s()).is_some()
    }

    fn admit(&mut self, id: ConnectionId, origin: Origin) -> Result<(), Refused> {
        if self.is_banned(Banned::Origin(origin)) {
            return Err(Refused::Banned);
        }
        if self.open.values().filter(|other| **other == origin).count() >= self.per_origin_max {
            return Err(Refused::Crowded);
        }
        if self.minute_started.elapsed() > MINUTE {
            self.minute.clear();
            self.minute_started = Instant::now();
        }
        if self.minute.len() >= ORIGINS_MAX && !self.minute.contains_key(&origin) {
            return Err(Refused::Hasty);
        }
        let opened = self.minute.entry(origin).or_insert(0);
        if *opened >= self.per_origin_minute_max {
            return Err(Refused::Hasty);
        }
        *opened += 1;
        self.open.insert(id, origin);
        Ok(())
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        match Origin::of_multiaddr(remote) {
            Some(origin) => self.admit(id, origin).map_err(|reason| self.refuse(reason)),
            None => Ok(()),
        }
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if self.is_banned(Banned::Peer(peer)) {
            return Err(self.refuse(Refused::Banned));
        }
        Ok(dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        match peer {
            Some(peer) if self.is_banned(Banned::Peer(peer)) => Err(self.refuse(Refused::Banned)),
            _ => Ok(Vec::new()),
        }
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let origin = Origin::of_multiaddr(address);
        let banned =
            self.is_banned(Banned::Peer(peer)) || origin.is_some_and(|o| self.is_banned(Banned::Origin(o)));
        if banned {
            return Err(self.refuse(Refused::Banned));
        }
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed {
                connection_id,
                endpoint: ConnectedPoint::Listener { .. },
                ..
            })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.open.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(limits: Limits) -> Gate {
        Gate::new(SharedBans::default(), &limits, Arc::default())
    }

    #[test]
    fn one_address_has_few_places_and_few_attempts() {
        let mut gate = gate(Limits {
            connections_per_address_max: 2,
            connections_per_address_minute_max: 3,
            ..Limits::default()
        });
        let local = "/ip4/0.0.0.0/tcp/1".parse().unwrap();
        let remote = "/ip4/8.8.8.8/tcp/2".parse().unwrap();
        let mut open = |id| {
            gate.handle_pending_inbound_connection(ConnectionId::new_unchecked(id), &local, &remote).is_ok()
        };
        assert!(open(1) && open(2) && !open(3));
        gate.open.remove(&ConnectionId::new_unchecked(1));
        let mut open = |id| {
            gate.handle_pending_inbound_connection(ConnectionId::new_unchecked(id), &local, &remote).is_ok()
        };
        assert!(open(4));
        gate.open.clear();
        let other = "/ip4/8.8.4.4/tcp/2".parse().unwrap();
        assert!(
            gate.handle_pending_inbound_connection(ConnectionId::new_unchecked(5), &local, &remote).is_err()
        );
        assert!(
            gate.handle_pending_inbound_connection(ConnectionId::new_unchecked(6), &local, &other).is_ok()
        );
    }

    #[test]
    fn the_banned_stay_out_in_both_directions() {
        let mut gate = gate(Limits::default());
        let peer = PeerId::random();
        let address: Multiaddr = "/ip4/8.8.8.8/tcp/2".parse().unwrap();
        let origin = Origin::of_multiaddr(&address).unwrap();
        let id = ConnectionId::new_unchecked(1);
        {
            let mut bans = gate.bans.lock().unwrap();
            bans.insert(Banned::Peer(peer), u64::MAX, "");
            bans.insert(Banned::Origin(origin), u64::MAX, "");
        }
        assert!(gate.handle_pending_inbound_connection(id, &address, &address).is_err());
        assert!(gate.handle_established_inbound_connection(id, peer, &address, &address).is_err());
        assert!(gate.handle_pending_outbound_connection(id, Some(peer), &[], Endpoint::Dialer).is_err());
        let stranger = PeerId::random();
        let out = gate.handle_established_outbound_connection(
            id,
            stranger,
            &address,
            Endpoint::Dialer,
            PortUse::New,
        );
        assert!(out.is_err());
    }
}
