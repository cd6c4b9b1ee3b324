//! Addresses of peers that were good, kept over restarts: one multiaddress a line, each ending with
//! its peer, the best last seen first.

use std::collections::VecDeque;

use libp2p::Multiaddr;

use crate::PeerId;
use crate::address::with_peer;
use crate::config::peer_of;
use crate::limits::{ADDRESS_BOOK_MAX, ADDRESSES_PER_PEER_MAX};

/// Bytes of an address that is kept.
const ADDRESS_BYTES_MAX: usize = 512;

/// Known addresses, the last seen first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressBook {
    entries: VecDeque<Multiaddr>,
}

impl AddressBook {
    /// Notes that the peer was reached at this address now.
    pub fn insert(&mut self, peer: PeerId, address: Multiaddr) {
        let address = with_peer(address, peer);
        if peer_of(&address) != Some(peer) || address.len() > ADDRESS_BYTES_MAX {
            return;
        }
        self.entries.retain(|other| *other != address);
        self.entries.push_front(address);
        let mut seen = 0;
        self.entries.retain(|other| {
            let same = peer_of(other) == Some(peer);
            seen += usize::from(same);
            !same || seen <= ADDRESSES_PER_PEER_MAX
        });
        self.entries.truncate(ADDRESS_BOOK_MAX);
    }

    /// Forgets a peer.
    pub fn remove(&mut self, peer: PeerId) {
        self.entries.retain(|address| peer_of(address) != Some(peer));
    }

    /// All addresses, the last seen first.
    pub fn iter(&self) -> impl Iterator<Item = &Multiaddr> {
        self.entries.iter()
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        self.entries.iter().map(|address| format!("{address}\n")).collect()
    }

    /// Reads the file's text. A line that is not an address of a peer is left out, and counted.
    pub fn from_text(text: &str) -> (Self, usize) {
        let mut book = Self::default();
        let mut wrong = 0;
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        for line in lines.into_iter().rev() {
            let address = line.trim().parse::<Multiaddr>().ok();
            match address.and_then(|address| Some((peer_of(&address)?, address))) {
                Some((peer, address)) => book.insert(peer, address),
                None => wrong += 1,
            }
        }
        (book, wrong)
    }
}
