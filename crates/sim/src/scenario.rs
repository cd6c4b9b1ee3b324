//! Scenarios: what is simulated, as data. Every field has a default, so a file says only what is special.

use serde::{Deserialize, Serialize};

use crate::SimError;

/// A scenario, as read from TOML.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// The name in tables.
    pub name: String,
    /// What fixes every random number.
    pub seed: u64,
    /// Miners at home, 10 to 1,000,000; a tenth more wait outside for their turn in the churn.
    pub miners: usize,
    /// Full nodes that miners work behind, 4 to 5000.
    pub nodes: usize,
    /// Blocks of the main chain that are measured, 10 to 1,000,000.
    pub blocks: u64,
    /// Blocks before those.
    pub warmup_blocks: u64,
    /// Share of miners that leave in an hour, each replaced by another.
    pub churn_per_hour: f64,
    /// Speeds.
    pub compute: Compute,
    /// Links and nodes.
    pub network: Network,
    /// What customers booked.
    pub jobs: Jobs,
    /// Miners that come and go with the difficulty, if any.
    pub hopping: Option<Hopping>,
    /// Those who do not follow the rules, if any.
    pub adversary: Option<Adversary>,
    /// Miners that all leave at once, if any.
    pub exit: Option<Exit>,
    /// A time in which the network is in two parts, if any.
    pub partition: Option<Partition>,
    /// What should come out.
    pub aims: Aims,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            name: "honest".into(),
            seed: 1,
            miners: 30_000,
            nodes: 500,
            blocks: 1000,
            warmup_blocks: 100,
            churn_per_hour: 0.1,
            compute: Compute::default(),
            network: Network::default(),
            jobs: Jobs::default(),
            hopping: None,
            adversary: None,
            exit: None,
            partition: None,
            aims: Aims::default(),
        }
    }
}

/// Speeds of miners.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compute {
    /// Median speed of a miner in cores of the reference CPU.
    pub median_cores: f64,
    /// Standard deviation of the logarithm of speeds.
    pub sigma: f64,
    /// The same of the speed of one core, which fixes how long an attempt takes (median: the reference core).
    pub core_sigma: f64,
}

impl Default for Compute {
    fn default() -> Self {
        Self { median_cores: 4.0, sigma: 1.0, core_sigma: 0.25 }
    }
}

/// Links and nodes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Mean number of peers of a node.
    pub peers: usize,
    /// Median of the one-way delay of a link, milliseconds.
    pub latency_ms: f64,
    /// Standard deviation of its logarithm, over links.
    pub latency_sigma: f64,
    /// The same over the messages of a link.
    pub jitter_sigma: f64,
    /// Bytes of a block.
    pub block_bytes: f64,
    /// Median speed of a node's link, megabits a second.
    pub megabits: f64,
    /// Median time in which a node verifies a block, milliseconds.
    pub verify_ms: f64,
    /// Standard deviation of its logarithm, over nodes.
    pub verify_sigma: f64,
    /// When a node passes a block on.
    pub relay: Relay,
    /// From a node's new tip until its miners work on it, milliseconds.
    pub order_ms: f64,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            peers: 8,
            latency_ms: 50.0,
            latency_sigma: 0.6,
            jitter_sigma: 0.2,
            block_bytes: 200e3,
            megabits: 50.0,
            verify_ms: 500.0,
            verify_sigma: 0.3,
            relay: Relay::Checked,
            order_ms: 50.0,
        }
    }
}

/// When a node passes a block on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relay {
    /// When its legs were run again.
    Verified,
    /// After the checks that need no simulation, within the bounds of the node's gate: what nodes do.
    Checked,
}

/// What customers booked.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Jobs of equal size, at most 64.
    pub count: usize,
    /// Share of the network's capacity that they book together.
    pub occupancy: f64,
    /// Block fee of the whole capacity for one block, in block rewards.
    pub fee: f64,
    /// Blocks for which they are booked, as a share of all that are simulated.
    pub duration: f64,
}

impl Default for Jobs {
    fn default() -> Self {
        Self { count: 10, occupancy: 0.5, fee: 0.2, duration: 0.8 }
    }
}

/// Miners that come when the difficulty is low and leave when it is high.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hopping {
    /// Compute with them, over that without them.
    pub factor: f64,
    /// They come below this difficulty (1: that of the others alone).
    pub come_below: f64,
    /// They leave above this difficulty.
    pub leave_above: f64,
}

/// Those who do not follow the rules.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adversary {
    /// Share of miners.
    pub share: f64,
    /// What they do.
    pub attack: Attack,
}

/// What an adversary does.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Attack {
    /// One pool withholds blocks (Eyal and Sirer 2014, algorithm 1). It is connected to `peers` nodes.
    Selfish {
        /// Peers of the pool's node.
        peers: usize,
    },
    /// Has a shortcut for some of the customers' jobs, and abandons attempts that draw too much else.
    Skipping {
        /// Share of all draws.
        share: f64,
        /// Cost of such a leg.
        cost: f64,
    },
    /// Books a job for which it has a shortcut, and pays for it.
    Wash {
        /// Share of the capacity that it books.
        share: f64,
        /// Cost of such a leg.
        cost: f64,
    },
    /// Never works on the first of the customers' jobs.
    Boycott,
    /// Dates its blocks wrongly.
    Timestamp {
        /// As late as nodes accept (`true`), or as early.
        ahead: bool,
    },
}

/// Miners that all leave at once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exit {
    /// Height at which they leave.
    pub at_block: u64,
    /// Share of miners.
    pub share: f64,
}

/// A time in which the network is in two parts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Height at which it falls apart.
    pub at_block: u64,
    /// For how many minutes.
    pub minutes: f64,
    /// Share of nodes in the smaller part.
    pub share: f64,
}

/// What should come out; a figure without an aim is only told.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Aims {
    /// Mean spacing, seconds: this, plus or minus.
    pub spacing_s: Option<[f64; 2]>,
    /// Stale blocks as a share of all, below this.
    pub stale: Option<f64>,
    /// Slope of reward over compute: 1 plus or minus this.
    pub slope: Option<f64>,
    /// Delivered against booked, in standard deviations, at most this.
    pub delivered_sigmas: Option<f64>,
    /// The adversary's reward for its compute over that of the others, at most this (two standard errors allowed).
    pub gain: Option<f64>,
    /// Hours after an exit until blocks are expected within twice the spacing, at most this.
    pub recovery_h: Option<f64>,
    /// Minutes after a partition until all honest nodes have one tip, at most this.
    pub healed_min: Option<f64>,
    /// The job that is boycotted is found starved, and its customer paid back.
    pub starved: Option<bool>,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// If the text is no TOML, has unknown fields, or a value is out of bounds.
    pub fn parse(text: &str) -> Result<Self, SimError> {
        let scenario: Self =
            toml::from_str(text).map_err(|e| SimError::Scenario { reason: e.to_string() })?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Checks that every value is within its bounds.
    ///
    /// # Errors
    /// [`SimError::Scenario`] with the first that is not.
    pub fn check(&self) -> Result<(), SimError> {
        let share = |value: f64| (0.0..1.0).contains(&value);
        let positive = |value: f64| value > 0.0 && value < 1e12;
        let sigma = |value: f64| (0.0..=3.0).contains(&value);
        let (network, jobs) = (&self.network, &self.jobs);
        let booked = match self.adversary.as_ref().map(|a| a.attack) {
            Some(Attack::Wash { share, .. }) => jobs.occupancy + share,
            _ => jobs.occupancy,
        };
        let checks = [
            ((10..=1_000_000).contains(&self.miners), "miners"),
            ((4..=5000).contains(&self.nodes) && self.nodes <= self.miners, "nodes"),
            ((10..=1_000_000).contains(&self.blocks), "blocks"),
            ((2..=100_000).contains(&self.warmup_blocks), "warmup_blocks"),
            ((0.0..=10.0).contains(&self.churn_per_hour), "churn_per_hour"),
            (positive(self.compute.median_cores), "compute.median_cores"),
            (sigma(self.compute.sigma) && sigma(self.compute.core_sigma), "compute: a sigma"),
            ((2..self.nodes).contains(&network.peers), "network.peers"),
            (positive(network.latency_ms) && positive(network.verify_ms), "network: a time"),
            (positive(network.megabits) && positive(network.block_bytes), "network: megabits or block_bytes"),
            (
                sigma(network.latency_sigma) && sigma(network.jitter_sigma) && sigma(network.verify_sigma),
                "network: a sigma",
            ),
            ((0.0..1e6).contains(&network.order_ms), "network.order_ms"),
            ((1..=64).contains(&jobs.count) && jobs.occupancy > 0.0 && booked <= 1.0, "jobs"),
            ((0.001..=1000.0).contains(&jobs.fee) && share(jobs.duration), "jobs.fee or jobs.duration"),
            (
                self.hopping.as_ref().is_none_or(|h| {
                    h.factor > 1.0 && h.factor < 1000.0 && 0.0 < h.come_below && h.come_below < h.leave_above
                }),
                "hopping",
            ),
            (
                self.adversary.as_ref().is_none_or(|a| share(a.share) && a.attack.is_bounded(self)),
                "adversary",
            ),
            (self.exit.as_ref().is_none_or(|e| share(e.share) && e.at_block > self.warmup_blocks), "exit"),
            (self.partition.as_ref().is_none_or(|p| share(p.share) && positive(p.minutes)), "partition"),
        ];
        match checks.iter().find(|check| !check.0) {
            Some((_, what)) => Err(SimError::Scenario { reason: format!("{what} is out of bounds") }),
            None => Ok(()),
        }
    }
}

impl Attack {
    fn is_bounded(self, scenario: &Scenario) -> bool {
        match self {
            Self::Selfish { peers } => (1..scenario.nodes).contains(&peers),
            Self::Skipping { share, cost } => {
                (0.0..=1.0).contains(&cost) && share > 0.0 && share <= scenario.jobs.occupancy
            }
            Self::Wash { share, cost } => (0.0..=1.0).contains(&cost) && share > 0.0 && share < 1.0,
            Self::Boycott | Self::Timestamp { .. } => true,
        }
    }
}
