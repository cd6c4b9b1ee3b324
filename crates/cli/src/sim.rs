//! `hysteron sim`: simulates a network of thousands of miners, and says whether what was promised of it holds.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use hysteron_sim::{Scenario, simulate};

/// Exit code of a simulation in which an aim was not held.
const EXIT_NOT_HELD: u8 = 1;

/// Arguments of `hysteron sim`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Scenario files (TOML); those of the project are in crates/sim/scenarios.
    #[arg(required = true, value_name = "SCENARIO.toml")]
    scenarios: Vec<PathBuf>,
    /// Another seed than the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Measure another number of blocks than the scenario's.
    #[arg(long)]
    blocks: Option<u64>,
    /// Print one JSON object a scenario in the place of Markdown tables.
    #[arg(long)]
    json: bool,
}

/// Runs the command. Exit code 1 if an aim was not held.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let mut all_hold = true;
    for path in &arguments.scenarios {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
        let mut scenario = Scenario::parse(&text).with_context(|| name.to_string())?;
        scenario.seed = arguments.seed.unwrap_or(scenario.seed);
        scenario.blocks = arguments.blocks.unwrap_or(scenario.blocks);
        let report = simulate(&scenario).with_context(|| name.to_string())?;
        println!("{}", if arguments.json { report.json() } else { report.markdown() });
        all_hold &= report.holds();
    }
    Ok(if all_hold { 0 } else { EXIT_NOT_HELD })
}
