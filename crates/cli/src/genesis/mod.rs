//! `hysteron network`: makes the genesis of a network from a plain file, and shows what a genesis says. (What the other commands of the
//! network share is in `network.rs`.)

mod file;
mod values;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use hysteron_api::Hex32;
use hysteron_ledger::{Genesis, State};

use file::NetworkFile;

/// Bytes of a genesis, at most: with 65,536 allocations it has three million.
const GENESIS_BYTES_MAX: u64 = 16 << 20;

/// Arguments of `hysteron network`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make the genesis of a network: what all its nodes are started with.
    New(New),
    /// Print every constant of a network, and its identity.
    Show(Show),
}

#[derive(clap::Args)]
struct New {
    /// What the network is to be, in TOML; what it does not say is as on the main network. docs/node.md lists the names.
    #[arg(long, value_name = "FILE.toml")]
    config: PathBuf,
    /// Where to write the genesis; nothing is overwritten.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

#[derive(clap::Args)]
struct Show {
    /// A genesis, or devnet.
    #[arg(value_name = "FILE|devnet")]
    network: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    match &arguments.command {
        Command::New(new) => make(new),
        Command::Show(show) => print(show),
    }
}

/// The network that a name or the path of a genesis stands for.
pub fn read(network: &str) -> Result<Genesis> {
    if network == "devnet" {
        return Ok(Genesis::devnet());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(network).with_context(|| {
        format!("\"{network}\" is neither devnet nor the path of a genesis; `hysteron network new` makes one")
    })?;
    file.take(GENESIS_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| network.to_owned())?;
    if bytes.len() as u64 > GENESIS_BYTES_MAX {
        bail!("{network}: it has more than {GENESIS_BYTES_MAX} bytes, and no genesis has");
    }
    Genesis::decode(&bytes).with_context(|| network.to_owned())
}

fn make(new: &New) -> Result<u8> {
    let genesis = NetworkFile::read(&new.config)?;
    write(&new.output, &borsh::to_vec(&genesis).context("a genesis has an encoding")?)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "network  {}", genesis.network)?;
    writeln!(out, "identity {}", Hex32(genesis.hash()))?;
    writeln!(out, "begins   {}", values::Time(genesis.time))?;
    writeln!(out, "genesis  {}", new.output.display())?;
    let nodes = format!("hysteron node --network {}", new.output.display());
    writeln!(out, "Give this file to everybody, and compare identities; nodes run with `{nodes}`.")?;
    Ok(0)
}

/// Writes a file that must not be there.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let name = path.display().to_string();
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => anyhow::anyhow!(
            "{name} exists, and a genesis is never overwritten: nodes may run on it; name another file with --output"
        ),
        _ => anyhow::Error::new(error).context(name.clone()),
    })?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(|| name)
}

/// What `network show --json` prints.
#[derive(serde::Serialize)]
struct JsonNetwork {
    identity: Hex32,
    block_0: Hex32,
    network_id: u32,
    post_target: Hex32,
    #[serde(flatten)]
    constants: NetworkFile,
}

fn print(show: &Show) -> Result<u8> {
    let genesis = read(&show.network)?;
    let root = State::genesis(&genesis)?.root();
    let block_0 = Hex32(hysteron_chain::genesis_block(&genesis, root).hash());
    let (identity, network_id) = (Hex32(genesis.hash()), genesis.network_id());
    let constants = NetworkFile::of(&genesis);
    let mut out = std::io::stdout().lock();
    if show.json {
        let post_target = Hex32(genesis.post_target.0);
        serde_json::to_writer(
            &mut out,
            &JsonNetwork { identity, block_0, network_id, post_target, constants },
        )?;
        writeln!(out)?;
        return Ok(0);
    }
    writeln!(out, "# identity   {identity}")?;
    writeln!(out, "# block 0    {block_0}")?;
    writeln!(out, "# network id {network_id:08x}")?;
    writeln!(out, "# What follows makes the same network again: `hysteron network new --config` reads it.")?;
    out.write_all(toml::to_string(&constants)?.as_bytes())?;
    Ok(0)
}
