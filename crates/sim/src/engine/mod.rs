//! The event loop: blocks are found, travel, are verified and adopted; miners come and go.
//!
//! Wins of all miners together are one Poisson process whose rate changes when a node's speed or tip does (superposition), so
//! an exponential threshold is compared with the integral of the rate, and the winner is drawn by rate. A win falls into an
//! attempt, and counts when that attempt ends, if its tip is still worked on then: attempts take time, and a new tip ends them.

mod changes;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use hysteron_work::Task;

use crate::SimError;
use crate::graph::{self, Link, Site};
use crate::jobs::Market;
use crate::passing::Passing;
use crate::policy::Policy;
use crate::population::Population;
use crate::random::Random;
use crate::scenario::{Attack, Relay, Scenario};
use crate::selfish::Selfish;
use crate::tree::{BlockIndex, Found, Tree};

/// Blocks behind the last measured one, so that forks are decided.
pub const TAIL_BLOCKS: u64 = 10;
/// Seconds of the future that nodes accept, as the timestamp attack uses them.
const AHEAD_S: u64 = hysteron_chain::difficulty::FUTURE_S_MAX;

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A block comes from a peer.
    Arrive { node: usize, block: BlockIndex, from: usize },
    /// A peer's answer: a block and the ancestors that the node lacked.
    Fetched { node: usize, block: BlockIndex, from: usize },
    /// A node has run a block's legs again.
    Verified { node: usize, block: BlockIndex },
    /// A node's miners turn to its tip.
    Ordered { node: usize },
    /// An attempt ends that wins, unless its tip or its miner is gone.
    Solved { miner: usize, node: usize, tip: BlockIndex },
    /// One miner goes and another comes.
    Churn,
    /// The partition ends.
    Heal,
}

/// A full node.
struct Node {
    tip: BlockIndex,
    /// What its miners work on, and since when.
    working: BlockIndex,
    working_since: f64,
    speed: f64,
    /// Wins a second of its miners.
    rate: f64,
    verifies_until: f64,
    known: Vec<bool>,
    passing: Passing,
}

impl Node {
    fn passes(&mut self, tree: &Tree, block: BlockIndex) -> bool {
        tree[block].total_work >= tree[self.tip].total_work && self.passing.admits(block, tree[block].parent)
    }
}

/// A time in which a node's miners worked on a block.
pub struct Segment {
    /// Since when, seconds after the genesis.
    pub from: f64,
    /// On what.
    pub tip: BlockIndex,
}

/// Attempts' worth of cost spent on a block, by honest miners and by the adversary.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    /// Honest.
    pub honest: f64,
    /// The adversary's.
    pub adversary: f64,
    speed: [f64; 2],
    since: f64,
}

/// What the loop leaves for the measurement.
pub struct Engine<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its network.
    pub market: &'a Market,
    /// All blocks.
    pub tree: Tree,
    /// All miners.
    pub population: Population,
    /// For each node: what it worked on.
    pub segments: Vec<Vec<Segment>>,
    /// For each block: what was spent on it.
    pub spent: Vec<Spent>,
    /// For each block: what the adversary does on it, if it chooses.
    pub policies: BTreeMap<BlockIndex, (Policy, Vec<usize>)>,
    /// Seconds that an attempt takes the reference core.
    pub attempt_s: f64,
    /// The tip of most work that an honest node has.
    pub best: BlockIndex,
    /// When miners left for good, and the speed that stayed.
    pub exited: Option<(f64, f64)>,
    /// When the partition ended, and when all honest nodes had one tip again.
    pub healed: (Option<f64>, Option<f64>),
    /// The most blocks that an honest node gave up at once.
    pub deepest_reorganisation: u64,
    /// The end, seconds after the genesis.
    pub now: f64,
    sites: Vec<Site>,
    nodes: Vec<Node>,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
    total_rate: f64,
    is_cut: bool,
    was_cut: bool,
    alone_tries: f64,
    selfish: Option<Selfish>,
    random: Random,
}

impl<'a> Engine<'a> {
    /// Everybody at the genesis. `alone_tries`: the difficulty at which those who stay find a block in the spacing.
    ///
    /// # Errors
    /// What the ledger says of the genesis.
    pub fn new(
        scenario: &'a Scenario,
        market: &'a Market,
        population: Population,
        attempt_s: f64,
        alone_tries: f64,
    ) -> Result<Self, SimError> {
        let sites = graph::draw(scenario, &mut Random::new(scenario.seed, 2));
        let nodes = (0..scenario.nodes)
            .map(|_| Node {
                tip: 0,
                working: 0,
                working_since: 0.0,
                speed: 0.0,
                rate: 0.0,
                verifies_until: 0.0,
                known: vec![true],
                passing: Passing::default(),
            })
            .collect();
        let is_selfish =
            matches!(scenario.adversary.as_ref().map(|a| a.attack), Some(Attack::Selfish { .. }));
        let mut engine = Self {
            scenario,
            market,
            tree: Tree::new(market)?,
            population,
            segments: (0..scenario.nodes).map(|_| vec![Segment { from: 0.0, tip: 0 }]).collect(),
            spent: vec![Spent::default()],
            policies: BTreeMap::new(),
            attempt_s,
            best: 0,
            exited: None,
            healed: (None, None),
            deepest_reorganisation: 0,
            now: 0.0,
            sites,
            nodes,
            queue: BinaryHeap::new(),
            sequence: 0,
            total_rate: 0.0,
            is_cut: false,
            was_cut: false,
            alone_tries,
            selfish: is_selfish.then(Selfish::default),
            random: Random::new(scenario.seed, 3),
        };
        (0..scenario.nodes).for_each(|node| engine.refresh(node));
        if scenario.churn_per_hour > 0.0 {
            engine.schedule(0.0, Event::Churn);
        }
        Ok(engine)
    }

    /// Runs until the measured blocks and some more are there.
    ///
    /// # Errors
    /// A fault of the ledger, or [`SimError::Runaway`].
    pub fn run(&mut self) -> Result<(), SimError> {
        let end = self.scenario.warmup_blocks + self.scenario.blocks + TAIL_BLOCKS;
        let blocks_max = 4 * end as usize + 1000;
        let mut threshold = self.random.exponential();
        while self.tree.height(self.best) < end {
            if self.tree.len() > blocks_max {
                return Err(SimError::Runaway { blocks: self.tree.len() });
            }
            let next = self.queue.peek().map_or(f64::INFINITY, |Reverse((time, ..))| seconds(*time));
            let until = (next - self.now).max(0.0);
            if self.total_rate * until > threshold {
                self.now += threshold / self.total_rate;
                threshold = self.random.exponential();
                self.win();
            } else if let Some(Reverse((_, _, event))) = self.queue.pop() {
                threshold -= self.total_rate * until;
                self.now = self.now.max(next);
                self.handle(event)?;
            } else {
                return Err(SimError::Runaway { blocks: self.tree.len() });
            }
        }
        self.population.finish(self.now);
        (0..self.spent.len()).for_each(|block| self.settle(block));
        Ok(())
    }

    fn schedule(&mut self, after_s: f64, event: Event) {
        self.sequence += 1;
        self.queue.push(Reverse((((self.now + after_s) * 1e9) as u64, self.sequence, event)));
    }

    pub(crate) fn is_adversary(&self, node: usize) -> bool {
        node < self.population.adversary_nodes
    }

    /// Adds up what was spent on a block until now.
    fn settle(&mut self, block: BlockIndex) {
        let spent = &mut self.spent[block];
        let time = self.now - spent.since;
        spent.honest += spent.speed[0] * time / self.attempt_s;
        spent.adversary += spent.speed[1] * time / self.attempt_s;
        spent.since = self.now;
    }

    /// A node's speed or work has changed: its rate, and what is spent.
    fn refresh(&mut self, node: usize) {
        let working = self.nodes[node].working;
        self.settle(working);
        let kind = usize::from(self.is_adversary(node));
        let speed = self.population.speed_at(node);
        self.spent[working].speed[kind] += speed - self.nodes[node].speed;
        let rate = speed * self.yield_on(node, working) / (self.tree[working].next_tries * self.attempt_s);
        self.total_rate += rate - self.nodes[node].rate;
        self.nodes[node].speed = speed;
        self.nodes[node].rate = rate;
    }

    /// Turns a node's miners to its tip.
    fn turn(&mut self, node: usize) {
        let (old, new) = (self.nodes[node].working, self.nodes[node].tip);
        if old == new {
            return;
        }
        self.settle(old);
        let kind = usize::from(self.is_adversary(node));
        self.spent[old].speed[kind] -= self.nodes[node].speed;
        self.settle(new);
        self.spent[new].speed[kind] += self.nodes[node].speed;
        self.nodes[node].working = new;
        self.nodes[node].working_since = self.now;
        self.segments[node].push(Segment { from: self.now, tip: new });
        self.refresh(node);
        // Rounding of the running sum must not grow.
        if self.segments[node].len().is_multiple_of(16) {
            self.total_rate = self.nodes.iter().map(|node| node.rate).sum();
        }
    }

    /// A win: by whom, and when its attempt ends.
    fn win(&mut self) {
        let node = self.random.weighted(self.nodes.iter().map(|node| node.rate), self.total_rate);
        let population = &self.population;
        let speeds = population.at[node].iter().map(|&miner| population.miners[miner as usize].speed);
        if population.at[node].is_empty() {
            return;
        }
        let place = self.random.weighted(speeds, self.nodes[node].speed);
        let miner = population.at[node][place] as usize;
        let tip = self.nodes[node].working;
        let attempt_s = population.miners[miner].attempt_s / self.yield_on(node, tip);
        let since =
            self.population.miners[miner].since.unwrap_or(self.now).max(self.nodes[node].working_since);
        let left_s = attempt_s - (self.now - since) % attempt_s;
        self.schedule(left_s, Event::Solved { miner, node, tip });
    }

    fn handle(&mut self, event: Event) -> Result<(), SimError> {
        match event {
            Event::Arrive { node, block, from } => self.arrive(node, block, from),
            Event::Fetched { node, block, from } => self.fetched(node, block, from),
            Event::Verified { node, block } => self.verified(node, block),
            Event::Ordered { node } => self.turn(node),
            Event::Solved { miner, node, tip } => self.solved(miner, node, tip)?,
            Event::Churn => {
                let nodes = self.population.churn(self.now, &mut self.random);
                nodes.into_iter().for_each(|node| self.refresh(node));
                let mean_s = 3600.0 / (self.scenario.churn_per_hour * self.population.at_home() as f64);
                let after_s = mean_s * self.random.exponential();
                self.schedule(after_s, Event::Churn);
            }
            Event::Heal => self.heal(),
        }
        Ok(())
    }

    fn solved(&mut self, miner: usize, node: usize, tip: BlockIndex) -> Result<(), SimError> {
        let one = &self.population.miners[miner];
        let is_there = one.node == node && one.since.is_some();
        if !is_there || self.nodes[node].working != tip {
            return Ok(());
        }
        // The header was fixed when the attempt began.
        let began = (self.now - one.attempt_s).max(0.0) as u64 + self.market.genesis.time;
        let time = match self.scenario.adversary.as_ref().map(|a| a.attack) {
            Some(Attack::Timestamp { ahead }) if self.is_adversary(node) => {
                if ahead {
                    began + AHEAD_S
                } else {
                    0
                }
            }
            _ => began,
        };
        let found = Found { parent: tip, miner, time, found_s: self.now };
        let policy = self.policies.get(&tip).filter(|_| node < self.population.adversary_nodes);
        let block = self.tree.add(&found, &mut self.random, &|leg, task| match (policy, task) {
            (None, _) => true,
            (Some((policy, _)), Task::Public(_)) => policy.runs[0][leg],
            (Some((policy, classes)), Task::Job(index)) => policy.runs[classes[index as usize]][leg],
        })?;
        self.spent.push(Spent { since: self.now, ..Spent::default() });
        self.learn(node, block);
        if self.selfish.is_some() && node == 0 {
            self.nodes[0].tip = block;
            self.turn(0);
            let public = self.selfish.as_mut().map_or_else(Vec::new, |pool| pool.own(block));
            public.into_iter().for_each(|block| self.relay(0, block, None));
        } else {
            self.verify(node, block);
        }
        Ok(())
    }

    fn knows(&self, node: usize, block: BlockIndex) -> bool {
        self.nodes[node].known.get(block).copied().unwrap_or(false)
    }

    fn learn(&mut self, node: usize, block: BlockIndex) {
        let known = &mut self.nodes[node].known;
        if known.len() <= block {
            known.resize(block + 1, false);
        }
        known[block] = true;
    }

    fn is_parted(&self, a: usize, b: usize) -> bool {
        self.is_cut && self.sites[a].is_cut_off != self.sites[b].is_cut_off
    }

    fn jitter(&mut self) -> f64 {
        self.random.log_normal(1.0, self.scenario.network.jitter_sigma)
    }

    /// Sends a block to the peers that lack it.
    fn relay(&mut self, node: usize, block: BlockIndex, but: Option<usize>) {
        for at in 0..self.sites[node].links.len() {
            let Link { to, delay_s } = self.sites[node].links[at];
            if Some(to) != but && !self.knows(to, block) && !self.is_parted(node, to) {
                let after_s = delay_s * self.jitter();
                self.schedule(after_s, Event::Arrive { node: to, block, from: node });
            }
        }
    }

    /// A block has passed the cheap checks: it waits for its legs to be run again.
    fn verify(&mut self, node: usize, block: BlockIndex) {
        let now = self.now;
        let state = &mut self.nodes[node];
        state.verifies_until = state.verifies_until.max(now) + self.sites[node].verify_s;
        let after_s = state.verifies_until - now;
        self.schedule(after_s, Event::Verified { node, block });
        let withholds = self.selfish.is_some() && node == 0;
        if self.scenario.network.relay == Relay::Checked
            && !withholds
            && self.nodes[node].passes(&self.tree, block)
        {
            self.relay(node, block, None);
        }
    }

    fn arrive(&mut self, node: usize, block: BlockIndex, from: usize) {
        if self.knows(node, block) || self.is_parted(node, from) {
            return;
        }
        if self.knows(node, self.tree[block].parent) {
            self.learn(node, block);
            self.verify(node, block);
            return;
        }
        // It asks the sender for the ancestors: there and back.
        let link =
            self.sites[node].links.iter().find(|link| link.to == from).map_or(0.1, |link| link.delay_s);
        let after_s = 2.0 * link * self.jitter();
        self.schedule(after_s, Event::Fetched { node, block, from });
    }

    fn fetched(&mut self, node: usize, block: BlockIndex, from: usize) {
        if self.is_parted(node, from) {
            return;
        }
        let mut missing = Vec::new();
        let mut at = block;
        while !self.knows(node, at) {
            missing.push(at);
            at = self.tree[at].parent;
        }
        for block in missing.into_iter().rev() {
            self.learn(node, block);
            self.verify(node, block);
        }
    }

    fn verified(&mut self, node: usize, block: BlockIndex) {
        if self.selfish.is_some() && node == 0 {
            return self.pool_sees(block);
        }
        if !self.nodes[node].passing.verified(block) {
            self.relay(node, block, None);
        }
        let tip = self.nodes[node].tip;
        // First seen breaks ties.
        if self.tree[block].total_work <= self.tree[tip].total_work {
            return;
        }
        if self.tree[block].parent != tip {
            let depth = self.tree.height(tip) - self.tree.height(self.tree.fork(tip, block));
            self.deepest_reorganisation = self.deepest_reorganisation.max(depth);
        }
        self.nodes[node].tip = block;
        self.schedule(self.scenario.network.order_ms / 1000.0, Event::Ordered { node });
        if self.tree[block].total_work > self.tree[self.best].total_work {
            self.best = block;
            self.best_changed();
        }
        if let (Some(_), None) = self.healed {
            let first = usize::from(self.selfish.is_some());
            if self.nodes[first..].iter().all(|node| node.tip == block) {
                self.healed.1 = Some(self.now);
            }
        }
    }

    /// The selfish pool hears of a public block.
    fn pool_sees(&mut self, block: BlockIndex) {
        let Some(pool) = &mut self.selfish else { return };
        let (tip, published) = pool.public(&self.tree, self.nodes[0].tip, block);
        self.nodes[0].tip = tip;
        self.turn(0);
        published.into_iter().for_each(|block| self.relay(0, block, None));
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}
