//! Seeded discrete-event simulation of thousands of miners over the pure crates.
//!
//! # What is real
//! Headers, targets ([`hysteron_chain::asert`]), median times, cumulative work and first-seen fork choice; the ledger
//! ([`hysteron_ledger::State::apply`] on every block of every branch: emission, pot, credit, exhaustion, starvation); the
//! schedule ([`hysteron_work::draw`] on the ledger's own table for every leg of every block).
//!
//! # What is stubbed
//! Legs ([`hysteron_chain::testing::StubRunner`]) and the lottery: attempts are not hashed one by one, their wins are drawn
//! as the Poisson process that they are (`engine.rs`). An attempt takes its time (four legs and the pre-hash on one core of its
//! miner) and is lost when its tip changes.
//!
//! # What is modelled
//! Miners with log-normal speeds work behind full nodes; nodes are a random graph with log-normal delays by link and by
//! message, and pass blocks on when they have verified them (one at a time). Churn, hopping, a mass exit, a partition;
//! a selfish pool, miners with shortcuts who skip legs optimally ([`policy`]) on customers' jobs or on one that they booked,
//! boycotts, false timestamps.
//!
//! # What is not
//! Transactions beside the jobs' opening, claims and bounties, fees, price quotes; peer discovery, eclipse, bans, lost
//! messages; clocks that differ; shares of low difficulty (the protocol has none yet); pools that vary their work within a tip; miners that change their node while it is cut off.
//! Expected, not drawn: legs of losing attempts (as Poisson counts by job and block).
//!
//! # Reading
//! [`Scenario`] (data), [`simulate`], `engine.rs` (the loop), `selfish.rs` and `strategy.rs` (attacks), `tree.rs` (blocks and ledger), `measure.rs` (what is printed).
//! Floats are used freely: nothing here is consensus. The same seed gives the same table.

mod engine;
mod graph;
mod jobs;
mod measure;
mod passing;
mod policy;
mod population;
mod random;
mod report;
mod scenario;
mod selfish;
mod strategy;
mod tree;

pub use report::{Figure, Report};
pub use scenario::{
    Adversary, Aims, Attack, Compute, Exit, Hopping, Jobs, Network, Partition, Relay, Scenario,
};

use engine::Engine;
use jobs::Market;
use population::Population;
use random::Random;

/// Why a simulation failed.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The scenario is refused.
    #[error("The scenario is refused: {reason}.")]
    Scenario {
        /// Why.
        reason: String,
    },
    /// The ledger refused a block: a fault of the simulator or of the ledger.
    #[error("The ledger refused a block: {0}")]
    Ledger(#[from] hysteron_ledger::LedgerError),
    /// A leg could not be run: a fault of the simulator.
    #[error("A leg could not be run: {0}")]
    Work(#[from] hysteron_work::WorkError),
    /// The network makes blocks without its chain growing.
    #[error("The chain does not grow: {blocks} blocks were made.")]
    Runaway {
        /// Blocks made.
        blocks: usize,
    },
}

/// Simulates a scenario and measures it.
///
/// # Errors
/// [`SimError`].
pub fn simulate(scenario: &Scenario) -> Result<Report, SimError> {
    scenario.check()?;
    let work = hysteron_work::WorkRules::main();
    let attempt_s = work.attempt_work() as f64 / 1e9;
    let population = Population::new(scenario, attempt_s, &mut Random::new(scenario.seed, 1));
    let speed = |with_hoppers: bool| -> f64 {
        let at_work =
            population.miners.iter().filter(|m| m.since.is_some() && (with_hoppers || !m.is_hopper));
        at_work.map(|miner| miner.speed).sum()
    };
    let alone_tries = speed(false) * 120.0 / attempt_s;
    let tries = match &scenario.hopping {
        // Between their limits: hoppers are here, and will leave.
        Some(hopping) => alone_tries * (hopping.come_below * hopping.leave_above).sqrt(),
        None => speed(true) * 120.0 / attempt_s,
    };
    let market = Market::new(scenario, tries)?;
    let mut engine = Engine::new(scenario, &market, population, attempt_s, alone_tries)?;
    engine.run()?;
    measure::measure(&mut engine)
}
