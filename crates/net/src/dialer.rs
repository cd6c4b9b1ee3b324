//! Whom to dial, and when again. Seeds always; others while there are fewer outbound connections
//! than wanted. A failure doubles the wait. Pure: time is given in.

use std::collections::{BTreeMap, VecDeque};

use libp2p::Multiaddr;

use crate::PeerId;
use crate::address::without_peer;
use crate::config::peer_of;
use crate::limits::{ADDRESSES_PER_PEER_MAX, PEER_RECORDS_MAX};

/// Peers that discovery brought and that were not tried yet.
const FOUND_MAX: usize = 512;
/// Dials begun in one turn.
const DIALS_PER_TURN_MAX: usize = 4;

/// The dialler.
#[derive(Debug)]
pub struct Dialer {
    seeds: Vec<(PeerId, Vec<Multiaddr>)>,
    found: VecDeque<(PeerId, Vec<Multiaddr>)>,
    waits: BTreeMap<PeerId, Wait>,
    wait_ms_min: u64,
    wait_ms_max: u64,
}

#[derive(Clone, Copy, Debug)]
struct Wait {
    until_ms: u64,
    ms: u64,
}

impl Dialer {
    /// With the configured seeds and the addresses known from before.
    pub fn new<'a>(
        seeds: impl IntoIterator<Item = &'a Multiaddr>,
        known: impl IntoIterator<Item = &'a Multiaddr>,
        wait_ms_min: u64,
        wait_ms_max: u64,
    ) -> Self {
        let mut dialer = Self {
            seeds: Vec::new(),
            found: VecDeque::new(),
            waits: BTreeMap::new(),
            wait_ms_min,
            wait_ms_max: wait_ms_max.max(wait_ms_min),
        };
        for address in seeds {
            let Some(peer) = peer_of(address) else { continue };
            match dialer.seeds.iter_mut().find(|(other, _)| *other == peer) {
                Some((_, addresses)) => addresses.push(without_peer(address.clone())),
                None => dialer.seeds.push((peer, vec![without_peer(address.clone())])),
            }
        }
        for address in known {
            peer_of(address).into_iter().for_each(|peer| dialer.found(peer, [address.clone()]));
        }
        dialer
    }

    /// Discovery brought addresses of a peer.
    pub fn found(&mut self, peer: PeerId, addresses: impl IntoIterator<Item = Multiaddr>) {
        let place = self.found.iter().position(|(other, _)| *other == peer);
        let mut known =
            place.and_then(|place| self.found.remove(place)).map_or(Vec::new(), |(_, known)| known);
        for address in addresses.into_iter().map(without_peer) {
            if !known.contains(&address) && known.len() < ADDRESSES_PER_PEER_MAX {
                known.push(address);
            }
        }
        if self.found.len() >= FOUND_MAX {
            self.found.pop_front();
        }
        if !known.is_empty() {
            self.found.push_back((peer, known));
        }
    }

    /// Whom to dial now, where `missing` more outbound connections are wanted and `is_connected` says who needs none. Each is
    /// taken as failed until [`Self::reached`] says otherwise.
    pub fn turn(
        &mut self,
        missing: usize,
        is_connected: impl Fn(&PeerId) -> bool,
        now_ms: u64,
    ) -> Vec<(PeerId, Vec<Multiaddr>)> {
        let may = |waits: &BTreeMap<PeerId, Wait>, peer: &PeerId| {
            !is_connected(peer) && waits.get(peer).is_none_or(|wait| wait.until_ms <= now_ms)
        };
        let mut chosen: Vec<_> =
            self.seeds.iter().filter(|(peer, _)| may(&self.waits, peer)).cloned().collect();
        for _ in 0..self.found.len() {
            if chosen.len() >= missing.min(DIALS_PER_TURN_MAX) {
                break;
            }
            let Some((peer, addresses)) = self.found.pop_front() else { break };
            if may(&self.waits, &peer) && chosen.iter().all(|(other, _)| *other != peer) {
                chosen.push((peer, addresses.clone()));
            }
            self.found.push_back((peer, addresses));
        }
        for (peer, _) in &chosen {
            self.failed(*peer, now_ms);
        }
        chosen
    }

    /// A dial failed, or the peer left at once: the wait doubles.
    pub fn failed(&mut self, peer: PeerId, now_ms: u64) {
        let before = self.waits.get(&peer).map_or(0, |wait| wait.ms);
        let ms = before.saturating_mul(2).clamp(self.wait_ms_min, self.wait_ms_max);
        self.wait(peer, ms, now_ms);
    }

    /// The peer is of no use (another network): the longest wait.
    pub fn useless(&mut self, peer: PeerId, now_ms: u64) {
        self.found.retain(|(other, _)| *other != peer);
        self.wait(peer, self.wait_ms_max, now_ms);
    }

    /// The peer is ours and connected.
    pub fn reached(&mut self, peer: PeerId) {
        self.waits.remove(&peer);
    }

    fn wait(&mut self, peer: PeerId, ms: u64, now_ms: u64) {
        if self.waits.len() >= PEER_RECORDS_MAX {
            self.waits.retain(|_, wait| wait.until_ms > now_ms);
        }
        if self.waits.len() >= PEER_RECORDS_MAX {
            self.waits.pop_first();
        }
        self.waits.insert(peer, Wait { until_ms: now_ms + ms, ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> (PeerId, Multiaddr) {
        let peer = PeerId::random();
        let address: Multiaddr = format!("/ip4/8.8.8.{number}/tcp/1").parse().unwrap();
        (peer, address)
    }

    #[test]
    fn seeds_always_others_as_wanted_with_doubling_waits() {
        let ((seed, seed_address), (other, other_address)) = (peer(1), peer(2));
        let address = seed_address.clone().with_p2p(seed).unwrap();
        let mut dialer = Dialer::new([&address, &address], [], 100, 350);
        dialer.found(other, [other_address.clone()]);
        let names =
            |turn: Vec<(PeerId, Vec<Multiaddr>)>| turn.into_iter().map(|(peer, _)| peer).collect::<Vec<_>>();
        assert_eq!(names(dialer.turn(2, |_| false, 0)), [seed, other]);
        assert_eq!(names(dialer.turn(2, |_| false, 99)), []);
        assert_eq!(names(dialer.turn(0, |_| false, 100)), [seed]);
        assert_eq!(names(dialer.turn(2, |_| false, 299)), [other]);
        assert_eq!(names(dialer.turn(2, |peer| *peer == other, 300)), [seed]);
        assert_eq!(names(dialer.turn(2, |peer| *peer == other, 649)), []);
        dialer.reached(seed);
        assert_eq!(names(dialer.turn(2, |peer| *peer == other, 649)), [seed]);
    }

    #[test]
    fn what_discovery_brings_is_bounded() {
        let mut dialer = Dialer::new([], [], 1, 1);
        for _ in 0..FOUND_MAX + 10 {
            let (peer, address) = peer(1);
            dialer.found(
                peer,
                (0..20).map(|port| format!("{address}/p2p-circuit/ip4/1.1.1.1/tcp/{port}").parse().unwrap()),
            );
        }
        assert_eq!(dialer.found.len(), FOUND_MAX);
        assert!(dialer.found.iter().all(|(_, addresses)| addresses.len() == ADDRESSES_PER_PEER_MAX));
        assert_eq!(dialer.turn(100, |_| false, 0).len(), DIALS_PER_TURN_MAX);
    }
}
