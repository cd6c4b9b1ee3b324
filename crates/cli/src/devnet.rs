//! `hysteron devnet`: a whole network on this machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hysteron_devnet::{Devnet, Options, Told, calibrated, worker_address, worker_name};
use hysteron_ledger::Genesis;
use hysteron_worker::Notice;

use crate::network::interrupt;

/// Arguments of `hysteron devnet`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Keep the chain in this directory, and go on with what is there; a fresh one that is removed at the end unless given.
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
    /// Nodes.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=3))]
    nodes: u16,
    /// Workers; each mines for an address of its own.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=64))]
    workers: u16,
    /// Threads of each worker; all cores are shared among them unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Serve the first node's HTTP API at this address; 127.0.0.1:7341, or any port with --demo, unless given.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// Book a real problem, show the search, the answer, the earnings, the refund and the receipt, and end.
    #[arg(long)]
    demo: bool,
    /// With --demo: keep the receipt in this file.
    #[arg(long, value_name = "FILE", requires = "demo")]
    receipt: Option<PathBuf>,
}

/// A directory that goes when it is dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("note: {} is left behind ({error})", self.0.display());
        }
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let scratch = match &arguments.dir {
        Some(_) => None,
        None => Some(Scratch(fresh_directory()?)),
    };
    let directory = match (&arguments.dir, &scratch) {
        (Some(directory), _) => directory.clone(),
        (None, Some(scratch)) => scratch.0.clone(),
        (None, None) => unreachable!("one of the two was made"),
    };
    let http = arguments.http.or((!arguments.demo).then_some(SocketAddr::from(([127, 0, 0, 1], 7341))));
    let share = crate::solve::default_threads() / usize::from(arguments.workers.max(1));
    let threads = arguments.threads.unwrap_or_else(|| share.clamp(1, 256) as u16);
    // A demonstration is short: it begins with the difficulty that fits the machine. A network that goes on keeps the
    // genesis that everybody has, and its difficulty adjusts itself.
    let genesis = (arguments.demo && arguments.dir.is_none())
        .then(|| calibrated(Genesis::devnet(), usize::from(threads) * usize::from(arguments.workers.max(1))));
    let options =
        Options { directory, genesis, nodes: arguments.nodes, workers: arguments.workers, threads, http };
    let stop = interrupt()?;
    let is_demo = arguments.demo;
    let told: Told = Arc::new(move |worker, notice: &Notice| tell(worker, notice, is_demo));
    let devnet = Devnet::start(&options, &told)?;
    let result = if arguments.demo {
        crate::demo::run(&devnet, &options, arguments.receipt.as_deref(), &|| stop.load(Ordering::Relaxed))
    } else {
        introduce(&devnet, &options);
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    };
    devnet.stop();
    drop(scratch);
    result.map(|()| 0)
}

/// A directory that nobody else has.
fn fresh_directory() -> Result<PathBuf> {
    let base = std::env::temp_dir();
    for attempt in 0..100 {
        let path = base.join(format!("hysteron-devnet-{}-{attempt}", std::process::id()));
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    anyhow::bail!("{}: no fresh directory can be made there; name one with --dir", base.display())
}

/// What to do with a devnet.
fn introduce(devnet: &Devnet, options: &Options) {
    let url = &devnet.urls()[0];
    println!("a devnet runs: {} nodes, {} workers, blocks every 5 seconds", options.nodes, options.workers);
    for url in devnet.urls() {
        println!("  node     {url}");
    }
    for worker in 1..=options.workers {
        println!("  {:<8} {}", worker_name(worker), worker_address(worker).encode("hysd"));
    }
    println!(
        "its accounts with coins are --wallet devnet:customer, devnet:miner, devnet:alice, devnet:bob; for instance"
    );
    println!("  hysteron job open FILE --node {url} --wallet devnet:customer");
    println!("Ctrl-C stops it");
}

/// Prints what a worker tells. A demonstration tells its own story.
fn tell(worker: u16, notice: &Notice, is_demo: bool) {
    let name = worker_name(worker);
    match notice {
        Notice::Trouble { reason } => eprintln!("{name}: a leg could not be run: {reason}"),
        Notice::Lost { reason, .. } => eprintln!("{name}: the node is away ({reason})"),
        Notice::Block { height } if !is_demo => println!("{name}: found block {height}"),
        Notice::Claim { energy, .. } if !is_demo => println!("{name}: claimed energy {energy}"),
        _ => {}
    }
}
