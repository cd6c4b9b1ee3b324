//! Full nodes and the links between them.

use crate::random::Random;
use crate::scenario::{Attack, Scenario};

/// A link, seen from one end.
#[derive(Clone, Copy)]
pub struct Link {
    /// The node at the other end.
    pub to: usize,
    /// Median of the one-way delay of a block on it, seconds: latency, and its bytes over the sender's bandwidth.
    pub delay_s: f64,
}

/// What is fixed about a node.
pub struct Site {
    /// Its links.
    pub links: Vec<Link>,
    /// Seconds in which it verifies a block.
    pub verify_s: f64,
    /// Whether it is in the smaller part of a partition.
    pub is_cut_off: bool,
}

/// A random graph: every node chooses half of the mean number of peers.
pub fn draw(scenario: &Scenario, random: &mut Random) -> Vec<Site> {
    let (network, nodes) = (&scenario.network, scenario.nodes);
    let cut = scenario.partition.as_ref().map_or(0.0, |p| p.share);
    let mut sites: Vec<Site> = (0..nodes)
        .map(|node| Site {
            links: Vec::new(),
            verify_s: random.log_normal(network.verify_ms / 1000.0, network.verify_sigma),
            is_cut_off: (node as f64) < cut * nodes as f64,
        })
        .collect();
    let transfer_s = network.block_bytes * 8.0 / (network.megabits * 1e6);
    let sending: Vec<f64> = (0..nodes).map(|_| random.log_normal(transfer_s, 0.5)).collect();
    let mut link = |a: usize, b: usize, random: &mut Random| {
        if a == b || sites[a].links.iter().any(|link| link.to == b) {
            return;
        }
        let latency_s = random.log_normal(network.latency_ms / 1000.0, network.latency_sigma);
        sites[a].links.push(Link { to: b, delay_s: latency_s + sending[a] });
        sites[b].links.push(Link { to: a, delay_s: latency_s + sending[b] });
    };
    for node in 0..nodes {
        // A ring keeps the graph, and each part of a partition, in one piece.
        link(node, (node + 1) % nodes, random);
        for _ in 1..(network.peers / 2).max(1) {
            let other = random.index(nodes);
            link(node, other, random);
        }
    }
    if let Some(Attack::Selfish { peers }) = scenario.adversary.as_ref().map(|a| a.attack) {
        for _ in 0..peers {
            let other = random.index(nodes);
            link(0, other, random);
        }
    }
    sites
}
