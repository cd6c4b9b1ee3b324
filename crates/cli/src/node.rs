//! `hysteron node`: a node of the network, until it is told to stop.

use anyhow::Result;
use hysteron_node::Flags;

/// Arguments of `hysteron node`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    hysteron_node::run(arguments.flags.clone())?;
    Ok(0)
}
