//! What an address says about where a peer is.

use std::net::{IpAddr, Ipv6Addr};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use crate::PeerId;

/// Whom limits and bans by address mean: one IPv4 address, or the 64 bits of an IPv6 network that one customer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(IpAddr);

impl Origin {
    /// Of an address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self(address),
            IpAddr::V6(six) => match six.to_ipv4_mapped() {
                Some(four) => Self(IpAddr::V4(four)),
                None => Self(IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64))),
            },
        }
    }

    /// Of the far end of a direct connection. A relayed connection has none: its address is the relay's.
    pub fn of_multiaddr(address: &Multiaddr) -> Option<Self> {
        if is_relayed(address) { None } else { ip_of(address).map(Self::of) }
    }

    /// All peers on this machine have it, so no ban can mean it.
    pub fn is_loopback(&self) -> bool {
        self.0.is_loopback()
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for Origin {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::of)
    }
}

/// The IP address that it begins with.
pub fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(four) => Some(IpAddr::V4(four)),
        Protocol::Ip6(six) => Some(IpAddr::V6(six)),
        _ => None,
    }
}

/// It goes through a relay.
pub fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// Whether anybody on the internet may try it: not of this machine, a private network, or a link.
pub fn is_public(address: &Multiaddr) -> bool {
    match address.iter().next() {
        Some(Protocol::Ip4(four)) => {
            let shared = four.octets()[0] == 100 && four.octets()[1] & 0xc0 == 64;
            let local = four.is_loopback() || four.is_private() || four.is_link_local() || shared;
            let nobody = four.is_unspecified() || four.is_broadcast() || four.is_multicast();
            !local && !nobody && !four.is_documentation()
        }
        Some(Protocol::Ip6(six)) => {
            let local = six.is_loopback() || six.is_unique_local() || six.is_unicast_link_local();
            !local && !six.is_unspecified() && !six.is_multicast()
        }
        Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_)) => true,
        _ => false,
    }
}

/// With `/p2p/PEER` at its end.
pub fn with_peer(address: Multiaddr, peer: PeerId) -> Multiaddr {
    let own = address.clone();
    address.with_p2p(peer).unwrap_or(own)
}

/// Without `/p2p/PEER` at its end.
pub fn without_peer(mut address: Multiaddr) -> Multiaddr {
    if let Some(Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_publicity() {
        let of = |text: &str| Origin::of_multiaddr(&text.parse().unwrap());
        assert_eq!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8::ffff:2/tcp/9"));
        assert_ne!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8:0:1::1/tcp/1"));
        assert_eq!(of("/ip6/::ffff:8.8.8.8/tcp/1"), of("/ip4/8.8.8.8/udp/1/quic-v1"));
        let relayed = format!("/ip4/8.8.8.8/tcp/1/p2p/{}/p2p-circuit", PeerId::random());
        assert_eq!(of(&relayed), None);
        let public = |text: &str| is_public(&text.parse().unwrap());
        assert!(public("/ip4/8.8.8.8/tcp/1") && public("/dns4/seed.example/tcp/1"));
        assert!(
            !public("/ip4/10.0.0.1/tcp/1")
                && !public("/ip4/100.64.0.1/tcp/1")
                && !public("/ip6/fe80::1/tcp/1")
        );
    }
}
