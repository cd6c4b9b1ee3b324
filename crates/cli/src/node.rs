//! `hysteron node`: a node of the network, until it is told to stop.

use std::io::Write;

use anyhow::{Context as _, Result};
use hysteron_node::{Config, Flags, Node, logs};

/// Arguments of `hysteron node`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let config = Config::from_flags(arguments.flags.clone())?;
    logs::install(&config.logs)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the operating system gives no threads")?;
    runtime.block_on(async {
        let node = Node::start(config).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "node {}", node.url())?;
        if let Some(workers) = node.workers() {
            writeln!(out, "workers tcp://{workers}")?;
        }
        for listener in node.listeners().await {
            writeln!(out, "peers {listener}")?;
        }
        writeln!(out, "account {}", node.address())?;
        out.flush()?;
        drop(out);
        node.run_until_signal().await?;
        Ok(0)
    })
}
