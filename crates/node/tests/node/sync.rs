//! A fresh node syncs a chain of real work, while another peer offers a longer one whose work is forged. Real chips, real nodes,
//! real sockets. The long version:
//!
//! ```text
//! cargo test --release -p hysteron-node --test node -- sync::two_thousand_blocks --ignored --exact --nocapture
//! ```
//! It writes `bench/results/sync.json` and `.md` if `HYSTERON_RESULTS` names that folder.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hysteron_chain::testing::{StubRunner, mine};
use hysteron_chain::{Archive, Block, Chain, ChainOptions, TemplateLimits};
use hysteron_ledger::{Body, Genesis, devnet_key};
use hysteron_node::{Config, Node, NodeHandle, Options};
use hysteron_store::RedbStorage;
use hysteron_work::{CpuRunner, Leg, LegOutput, LegRunner, Problems, Table, Target, WorkError};

use crate::common::{problem, runtime, sign_on, terms, wait_until};

const CIRCUIT_BYTES_MAX: u64 = 256 << 20;

/// Digests that nobody else gets: work that passes every check but its re-running.
struct Forger(StubRunner);

impl LegRunner for Forger {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        let mut output = self.0.run(table, leg, stop)?;
        output.digest[0] ^= 1;
        Ok(output)
    }
}

/// Remembers what it ran: who makes a block need not run its legs again to believe them.
struct Remembering(Arc<dyn LegRunner>, Mutex<HashMap<Vec<u8>, LegOutput>>);

impl LegRunner for Remembering {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        let key = borsh::to_vec(leg).expect("memory takes every byte");
        let known = self.1.lock().expect("no test thread panics with it").remove(&key);
        if let Some(output) = known {
            return Ok(output);
        }
        let output = self.0.run(table, leg, stop)?;
        self.1.lock().expect("no test thread panics with it").insert(key, output.clone());
        Ok(output)
    }
}

fn chips(genesis: &Genesis, problems: Arc<dyn Problems>) -> Arc<dyn LegRunner> {
    Arc::new(CpuRunner::new(problems, genesis.work.clone(), CIRCUIT_BYTES_MAX))
}

fn forger(problems: Arc<dyn Problems>) -> Arc<dyn LegRunner> {
    Arc::new(Forger(StubRunner::new(problems)))
}

/// Every attempt wins: with a block each five seconds of the headers' clock it stays so.
fn easy(mut genesis: Genesis) -> Genesis {
    genesis.post_target = Target::easiest();
    genesis
}

/// Makes a chain in a data directory longer, five seconds a block, up to a height: transfers, and a job from block 2 on.
fn grow(directory: &Path, genesis: &Genesis, forged: bool, height: u64) {
    let storage = Arc::new(RedbStorage::open(directory).expect("a storage"));
    let problems: Arc<dyn Problems> = Arc::new(Archive::new(storage.clone()));
    let runner = if forged { forger(problems) } else { chips(genesis, problems) };
    let runner = Arc::new(Remembering(runner, Mutex::default()));
    let mut chain =
        Chain::open(genesis.clone(), storage, runner.clone(), ChainOptions::default()).expect("a chain");
    while chain.tip().height < height {
        let now = chain.tip().time + genesis.spacing_seconds;
        let next = chain.tip().height + 1;
        if next == 2 {
            let (problem, bytes) = problem();
            let terms = terms(&problem, &bytes, chain.tip().height, u64::MAX / 4);
            let price_max =
                genesis.allocations.iter().map(|(_, coins)| coins / 2).min().expect("somebody has coins");
            let terms = hysteron_ledger::JobTerms { price_max, blocks: 10_000, ..terms };
            let opening = sign_on(genesis, "customer", 0, Body::JobOpen(terms));
            chain.submit_transaction(opening, Some(bytes)).expect("the job is taken");
        } else if next.is_multiple_of(4) {
            let account = chain.state().account(&devnet_key("alice").address());
            let body = Body::Transfer { to: devnet_key("bob").address(), amount: next, memo: Vec::new() };
            let transfer = sign_on(genesis, "alice", account.nonce, body);
            chain.submit_transaction(transfer, None).expect("the transfer is taken");
        }
        let miner = devnet_key("miner").address();
        let template = chain.template(miner, now, TemplateLimits::default()).expect("a template");
        let block: Block = mine(template, &genesis.work, &*runner);
        chain.submit_block(block, now).expect("it is valid");
    }
}

struct Running {
    runtime: Arc<tokio::runtime::Runtime>,
    handle: Option<NodeHandle>,
}

impl Running {
    fn start(directory: &Path, genesis: &Genesis, forged: bool) -> Self {
        let mut config = Config::loopback(directory);
        config.peers.timing.status_interval_ms = 500;
        let make: hysteron_node::MakeRunner = match forged {
            true => Box::new(|problems, _| forger(problems)),
            false => Box::new(|problems, genesis| chips(genesis, problems)),
        };
        let options = Options { genesis: Some(genesis.clone()), runner: Some(make), account_seed: None };
        let runtime = runtime();
        let handle = runtime.block_on(Node::start_with(config, options)).expect("the node starts");
        Self { runtime, handle: Some(handle) }
    }
    fn handle(&self) -> &NodeHandle {
        self.handle.as_ref().expect("it runs")
    }
    fn status(&self) -> hysteron_api::types::Status {
        hysteron_api::Client::new(&self.handle().url()).status().expect("a status")
    }
    fn call(&self, other: &Self) {
        let address =
            other.runtime.block_on(other.handle().listeners()).into_iter().next().expect("it listens");
        self.runtime.block_on(self.handle().dial(address));
    }
    fn banned(&self) -> Vec<hysteron_net::PeerId> {
        self.runtime.block_on(self.handle().banned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.runtime.block_on(handle.shutdown());
        }
    }
}

struct Figures {
    blocks: u64,
    alone: Duration,
    beside_a_forger: Duration,
}

/// An honest chain of `blocks` blocks and a forged one that leaves it at three quarters and is longer. Returns how long a fresh
/// node takes for the honest one alone, and with the forger as its first peer.
fn sync(genesis: &Genesis, blocks: u64, patience: Duration) -> Figures {
    let [honest, liar, first, second] = std::array::from_fn(|_| tempfile::tempdir().expect("a directory"));
    grow(honest.path(), genesis, false, blocks * 3 / 4);
    for entry in std::fs::read_dir(honest.path()).expect("a directory") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), liar.path().join(entry.file_name())).expect("a copy");
    }
    grow(honest.path(), genesis, false, blocks);
    grow(liar.path(), genesis, true, blocks + blocks / 10);
    let honest = Running::start(honest.path(), genesis, false);
    let goal = honest.status();
    assert_eq!(goal.height, blocks);
    let reached = |node: &Running, begin: Instant| {
        while node.status().tip != goal.tip {
            assert!(begin.elapsed() < patience, "at height {} after {patience:?}", node.status().height);
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(node.status().state_root, goal.state_root);
        begin.elapsed()
    };

    let node = Running::start(first.path(), genesis, false);
    let begin = Instant::now();
    node.call(&honest);
    let alone = reached(&node, begin);
    assert!(node.banned().is_empty(), "nobody did anything wrong");
    drop(node);

    let liar = Running::start(liar.path(), genesis, true);
    assert!(
        liar.status().height > blocks
            && liar.status().work.parse::<u128>().expect("a number") > goal.work.parse().expect("a number")
    );
    let node = Running::start(second.path(), genesis, false);
    let begin = Instant::now();
    node.call(&liar);
    wait_until("the forger is known", || node.status().peers == 1);
    node.call(&honest);
    let beside_a_forger = reached(&node, begin);
    wait_until("the forger is banned", || node.banned() == [liar.handle().peer()]);
    assert_eq!(node.status().tip, goal.tip, "and the chain is the honest one");
    Figures { blocks, alone, beside_a_forger }
}

#[test]
fn a_fresh_node_syncs_real_work_and_bans_who_forges_it() {
    let mut genesis = easy(Genesis::devnet());
    genesis.network = "hysteron-test".into();
    // Legs of a millisecond, the shortest there are.
    genesis.work.leg_work = 1_000_000;
    genesis.work.pre_tries = 100;
    let figures = sync(&genesis, 60, Duration::from_secs(120));
    println!(
        "{} blocks in {:?}, beside a forger in {:?}",
        figures.blocks, figures.alone, figures.beside_a_forger
    );
}

#[test]
#[ignore = "minutes; see above"]
fn two_thousand_blocks() {
    let genesis = easy(Genesis::devnet());
    let Figures { blocks, alone, beside_a_forger } = sync(&genesis, 2000, Duration::from_secs(900));
    let rate = |time: Duration| blocks as f64 / time.as_secs_f64();
    println!("{blocks} blocks: {:.1} blocks/s; beside a forger {:.1}", rate(alone), rate(beside_a_forger));
    let Some(folder) = std::env::var_os("HYSTERON_RESULTS") else { return };
    let folder = Path::new(&folder);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    let json = format!(
        "{{\n \"blocks\": {blocks},\n \"seconds_alone\": {:.2},\n \"blocks_per_second_alone\": {:.1},\n \"seconds_beside_a_forger\": {:.2},\n \"blocks_per_second_beside_a_forger\": {:.1},\n \"forger_banned\": true,\n \"cores\": {cores},\n \"load_average_at_the_end\": {load}\n}}\n",
        alone.as_secs_f64(),
        rate(alone),
        beside_a_forger.as_secs_f64(),
        rate(beside_a_forger),
    );
    std::fs::write(folder.join("sync.json"), json).expect("the folder is writable");
    let text = format!(
        "# Sync of a fresh node\n\nMade by `crates/node/tests/node/sync.rs` (its head says how). {blocks} blocks of the devnet's rules (legs of 10 ms of the\nreference core, every leg run again), a transfer in every fourth and a job from the second on. Both nodes are in one process of\n{cores} cores; load average at the end {load}.\n\n| what | time | blocks/s |\n|---|---:|---:|\n| from one honest peer | {:.1} s | {:.1} |\n| the first peer offers a chain a tenth longer, whose last 700 blocks are forged; it was banned, and sync ended at the honest tip | {:.1} s | {:.1} |\n",
        alone.as_secs_f64(),
        rate(alone),
        beside_a_forger.as_secs_f64(),
        rate(beside_a_forger),
    );
    std::fs::write(folder.join("sync.md"), text).expect("the folder is writable");
}
