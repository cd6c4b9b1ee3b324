//! `hysteron receipt`: what a job was given and what it cost, provable to anybody.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hysteron_api::Hex32;
use hysteron_client::{check_receipt, describe_receipt, ending_name};
use hysteron_ledger::Genesis;
use hysteron_ledger::limits::RECEIPT_BYTES_MAX;

use crate::network::{NodeArguments, parse_id};

/// Arguments of `hysteron receipt`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Fetch a job's receipt, check it, print it, and keep it in a file.
    Show(Show),
    /// Check a receipt's file without any network.
    Verify(Verify),
}

#[derive(clap::Args)]
struct Show {
    /// The job's id.
    #[arg(value_parser = parse_id)]
    job: Hex32,
    #[command(flatten)]
    node: NodeArguments,
    /// Keep the receipt in this file.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Verify {
    /// The receipt, as `receipt show --output` wrote it; `-` for standard input.
    file: PathBuf,
    /// The block that is known to be on the chain, from a node or an explorer that you trust; without it the receipt's
    /// own last block is named for you to look up.
    #[arg(long, value_name = "HASH", value_parser = parse_id)]
    block: Option<Hex32>,
    /// Check that the receipt is of this network, and print addresses as they are there: devnet, or the path of a genesis.
    #[arg(long, value_name = "NAME|FILE")]
    network: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    match &arguments.command {
        Command::Show(show) => fetch(show),
        Command::Verify(verify) => check(verify),
    }
}

fn fetch(show: &Show) -> Result<u8> {
    let connection = show.node.connect()?;
    let receipt = connection.client.receipt(show.job)?;
    let checked = check_receipt(&receipt.receipt.0, None)?;
    if checked.job.0 != show.job.0 || checked.network != connection.genesis.network_id() {
        bail!("the node gave the receipt of another job or network; use another node");
    }
    if let Some(path) = &show.output {
        std::fs::write(path, &receipt.receipt.0).with_context(|| path.display().to_string())?;
    }
    let mut out = std::io::stdout().lock();
    out.write_all(describe_receipt(&checked, Some(&connection.genesis.address_prefix)).as_bytes())?;
    if let Some(path) = &show.output {
        writeln!(out, "kept in {}", path.display())?;
    }
    Ok(0)
}

/// Reads a receipt's file, within its bound.
fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = RECEIPT_BYTES_MAX as u64 + 1;
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).context("standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
        file.take(most).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    }
    Ok(bytes)
}

/// What `receipt verify --json` prints.
#[derive(serde::Serialize)]
struct JsonReceipt {
    holds: bool,
    job: Hex32,
    network: u32,
    height: u64,
    anchor: Hex32,
    anchor_height: u64,
    anchor_is_trusted: bool,
    status: &'static str,
    booked_chip_blocks: u64,
    delivered_chip_blocks: u64,
    best_energy: Option<i64>,
    bounties: hysteron_api::Atoms,
    refunded: Option<hysteron_api::Atoms>,
}

fn check(verify: &Verify) -> Result<u8> {
    let bytes = read(&verify.file)?;
    let name = verify.file.display().to_string();
    let checked = check_receipt(&bytes, verify.block.map(|hash| hash.0)).with_context(|| name.clone())?;
    let known = match &verify.network {
        Some(network) => {
            let genesis = crate::genesis::read(network)?;
            if genesis.network_id() != checked.network {
                bail!(
                    "{name}: the receipt is of network {:08x}, and {network} is {:08x}",
                    checked.network,
                    genesis.network_id()
                );
            }
            Some(genesis)
        }
        None => Some(Genesis::devnet()),
    };
    let mut out = std::io::stdout().lock();
    let job = &checked.proven.job;
    if verify.json {
        let json = JsonReceipt {
            holds: true,
            job: Hex32(checked.job.0),
            network: checked.network,
            height: checked.proven.height,
            anchor: Hex32(checked.anchor),
            anchor_height: checked.anchor_height,
            anchor_is_trusted: verify.block.is_some(),
            status: ending_name(&job.status),
            booked_chip_blocks: job.chips.saturating_mul(job.blocks.into()),
            delivered_chip_blocks: job.delivered_chip_blocks(),
            best_energy: job.best.map(|best| best.score.energy),
            bounties: hysteron_api::Atoms(job.bounty_paid),
            refunded: job.settlement.map(|settlement| hysteron_api::Atoms(settlement.refunded)),
        };
        serde_json::to_writer(&mut out, &json)?;
        writeln!(out)?;
        return Ok(0);
    }
    let known = known.filter(|genesis| genesis.network_id() == checked.network);
    let prefix = known.as_ref().map(|genesis| genesis.address_prefix.as_str());
    out.write_all(describe_receipt(&checked, prefix).as_bytes())?;
    if verify.block.is_some() {
        writeln!(out, "The receipt holds: it leads to the block that you trust.")?;
    } else {
        writeln!(
            out,
            "The receipt holds if block {} of height {} is on the chain. Look that up at a node that you trust, or \
             repeat the command with --block.",
            Hex32(checked.anchor),
            checked.anchor_height
        )?;
    }
    Ok(0)
}
