//! Miners: how fast they are, behind which node they work, when they were there.

use crate::random::Random;
use crate::scenario::{Attack, Scenario};

/// A miner.
pub struct Miner {
    /// Cores of the reference CPU.
    pub speed: f64,
    /// Seconds that one of its attempts takes an honest miner.
    pub attempt_s: f64,
    /// Whether it is one of the adversary's.
    pub is_adversary: bool,
    /// Whether it comes and goes with the difficulty.
    pub is_hopper: bool,
    /// Behind which node it works, or did.
    pub node: usize,
    /// When it began to work there, if it does.
    pub since: Option<f64>,
    /// Whether it is at home in the network (the churn).
    is_present: bool,
    /// Its place in the node's list.
    place: usize,
}

/// A time in which a miner worked behind a node.
pub struct Session {
    /// The miner.
    pub miner: usize,
    /// The node.
    pub node: usize,
    /// Seconds after the genesis.
    pub from: f64,
    /// Seconds after the genesis.
    pub to: f64,
}

/// All miners, and which of them work where.
pub struct Population {
    /// Miners at home and outside.
    pub miners: Vec<Miner>,
    /// For each node: who works behind it.
    pub at: Vec<Vec<u32>>,
    /// Times that are over.
    pub sessions: Vec<Session>,
    /// Nodes before this are the adversary's.
    pub adversary_nodes: usize,
    at_home: Vec<u32>,
    outside: Vec<u32>,
    /// Whether hoppers are here.
    pub hoppers_work: bool,
}

impl Population {
    /// Draws the miners of a scenario and puts those at home to work at time 0. `attempt_s` is what an attempt takes the
    /// reference core.
    pub fn new(scenario: &Scenario, attempt_s: f64, random: &mut Random) -> Self {
        let outsiders = if scenario.churn_per_hour > 0.0 { scenario.miners.div_ceil(10) } else { 0 };
        let adversary_nodes = match &scenario.adversary {
            None => 0,
            Some(adversary) if matches!(adversary.attack, Attack::Selfish { .. }) => 1,
            Some(adversary) => ((adversary.share * scenario.nodes as f64).round() as usize).max(1),
        };
        let adversary_share = scenario.adversary.as_ref().map_or(0.0, |a| a.share);
        let hoppers = scenario.hopping.as_ref().map_or(0.0, |h| 1.0 - 1.0 / h.factor);
        let miners = (0..scenario.miners + outsiders)
            .map(|_| {
                let is_adversary = random.uniform() < adversary_share;
                Miner {
                    speed: random.log_normal(scenario.compute.median_cores, scenario.compute.sigma),
                    attempt_s: attempt_s / random.log_normal(1.0, scenario.compute.core_sigma),
                    is_adversary,
                    is_hopper: !is_adversary && random.uniform() < hoppers,
                    node: 0,
                    since: None,
                    is_present: false,
                    place: 0,
                }
            })
            .collect();
        let mut population = Self {
            miners,
            at: vec![Vec::new(); scenario.nodes],
            sessions: Vec::new(),
            adversary_nodes,
            at_home: (0..scenario.miners as u32).collect(),
            outside: (scenario.miners as u32..(scenario.miners + outsiders) as u32).collect(),
            hoppers_work: true,
        };
        for miner in 0..scenario.miners {
            population.miners[miner].is_present = true;
            population.arrive(miner, 0.0, random);
        }
        population
    }

    /// Speed behind each node.
    pub fn speed_at(&self, node: usize) -> f64 {
        self.at[node].iter().map(|&miner| self.miners[miner as usize].speed).sum()
    }
    /// Miners at home.
    pub fn at_home(&self) -> usize {
        self.at_home.len()
    }

    /// Puts a miner to work behind a random node of its kind, if it should work now.
    fn arrive(&mut self, miner: usize, now: f64, random: &mut Random) {
        let (nodes, adversary_nodes) = (self.at.len(), self.adversary_nodes);
        let one = &mut self.miners[miner];
        if one.since.is_some() || !one.is_present || (one.is_hopper && !self.hoppers_work) {
            return;
        }
        one.node = if one.is_adversary {
            random.index(adversary_nodes)
        } else {
            adversary_nodes + random.index(nodes - adversary_nodes)
        };
        one.since = Some(now);
        one.place = self.at[one.node].len();
        self.at[one.node].push(miner as u32);
    }

    /// Ends a miner's work.
    fn leave(&mut self, miner: usize, now: f64) {
        let one = &mut self.miners[miner];
        let Some(from) = one.since.take() else { return };
        let (node, place) = (one.node, one.place);
        self.sessions.push(Session { miner, node, from, to: now });
        self.at[node].swap_remove(place);
        if let Some(&moved) = self.at[node].get(place) {
            self.miners[moved as usize].place = place;
        }
    }

    /// One miner goes and another comes. Gives the nodes that are touched.
    pub fn churn(&mut self, now: f64, random: &mut Random) -> [usize; 2] {
        let (home, out) = (random.index(self.at_home.len()), random.index(self.outside.len()));
        let (going, coming) = (self.at_home[home] as usize, self.outside[out] as usize);
        self.leave(going, now);
        self.miners[going].is_present = false;
        self.miners[coming].is_present = true;
        self.arrive(coming, now, random);
        (self.at_home[home], self.outside[out]) = (coming as u32, going as u32);
        [self.miners[going].node, self.miners[coming].node]
    }

    /// Hoppers come or go. Every node may be touched.
    pub fn hop(&mut self, come: bool, now: f64, random: &mut Random) {
        self.hoppers_work = come;
        for miner in 0..self.miners.len() {
            if self.miners[miner].is_hopper {
                if come { self.arrive(miner, now, random) } else { self.leave(miner, now) }
            }
        }
    }

    /// A share of the miners at home leaves for good, and so many of those outside never come. Every node may be touched.
    pub fn exit(&mut self, share: f64, now: f64, random: &mut Random) {
        for list in [&mut self.at_home, &mut self.outside] {
            for i in (1..list.len()).rev() {
                list.swap(i, random.index(i + 1));
            }
        }
        let kept = ((self.at_home.len() as f64 * (1.0 - share)).round() as usize).max(1);
        let gone = self.at_home.split_off(kept);
        let kept_outside = ((self.outside.len() as f64 * (1.0 - share)).round() as usize).max(1);
        self.outside.truncate(kept_outside);
        for miner in gone {
            self.leave(miner as usize, now);
            self.miners[miner as usize].is_present = false;
        }
    }

    /// Ends all work, at the end of the simulation.
    pub fn finish(&mut self, now: f64) {
        for miner in 0..self.miners.len() {
            self.leave(miner, now);
        }
    }
}
