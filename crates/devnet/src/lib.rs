//! A whole network in one process, on the loopback address: nodes with their storage, workers that mine for addresses of
//! their own, and the accounts that every devnet funds. The command `hysteron devnet` and whole-network tests drive it.

mod calibrate;
mod workers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use hysteron_api::Client;
use hysteron_ledger::{Genesis, devnet_seed};
use hysteron_node::{Config, Node, NodeError, NodeHandle};

pub use calibrate::calibrated;
pub use workers::{Told, WorkerName, Workers, worker_address, worker_name};

/// Nodes of a devnet, at most: each has an account with coins for the bonds of its workers' claims, and three are at hand.
pub const NODES_MAX: u16 = 3;
/// Workers of a devnet, at most.
pub const WORKERS_MAX: u16 = 64;
/// The accounts that pay for the claims of nodes' workers.
const NODE_ACCOUNTS: [&str; NODES_MAX as usize] = ["miner", "alice", "bob"];
/// How long a node may take until it answers.
const START_S_MAX: u64 = 60;

/// What a devnet is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the nodes keep their data, a directory each; what is there goes on.
    pub directory: PathBuf,
    /// The network; [`Genesis::devnet`] if nothing. A directory goes on only with the genesis that it began with.
    pub genesis: Option<Genesis>,
    /// Nodes, 1 to [`NODES_MAX`].
    pub nodes: u16,
    /// Workers, shared among the nodes, 0 to [`WORKERS_MAX`].
    pub workers: u16,
    /// Threads of each worker.
    pub threads: u16,
    /// Where the first node serves HTTP; chosen by the system if nothing.
    pub http: Option<SocketAddr>,
}

/// Why a devnet does not start.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// A number is out of its range.
    #[error("A devnet has 1 to {NODES_MAX} nodes and at most {WORKERS_MAX} workers.")]
    Size,
    /// A node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A node started, and does not answer.
    #[error("The node at {url} does not answer: {reason}.")]
    Silent {
        /// Its URL.
        url: String,
        /// What came instead.
        reason: String,
    },
    /// The operating system gives no threads.
    #[error("The operating system gives no threads: {0}.")]
    Threads(std::io::Error),
}

/// A running network.
pub struct Devnet {
    runtime: tokio::runtime::Runtime,
    nodes: Vec<NodeHandle>,
    urls: Vec<String>,
    workers: Workers,
}

impl Devnet {
    /// Starts everything, and waits until all nodes answer. What workers have to tell goes to `told`, from their threads.
    ///
    /// # Errors
    /// [`DevnetError`]; what had been started is stopped.
    pub fn start(options: &Options, told: &Told) -> Result<Self, DevnetError> {
        if !(1..=NODES_MAX).contains(&options.nodes) || options.workers > WORKERS_MAX {
            return Err(DevnetError::Size);
        }
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(DevnetError::Threads)?;
        let mut devnet = Self { runtime, nodes: Vec::new(), urls: Vec::new(), workers: Workers::default() };
        for index in 0..options.nodes {
            devnet.start_node(options, index)?;
        }
        for index in 0..options.workers {
            let url = &devnet.urls[usize::from(index % options.nodes)];
            devnet.workers.start(url, index, options.threads, told)?;
        }
        Ok(devnet)
    }

    /// Starts one node, a neighbour of those before.
    fn start_node(&mut self, options: &Options, index: u16) -> Result<(), DevnetError> {
        let mut config = Config::loopback(&options.directory.join(format!("node-{}", index + 1)));
        if let (0, Some(http)) = (index, options.http) {
            config.http.listen = http;
        }
        for node in &self.nodes {
            config.peers.seeds.extend(self.runtime.block_on(node.listeners()));
        }
        let account = NODE_ACCOUNTS[usize::from(index)];
        let parts = hysteron_node::Options {
            genesis: options.genesis.clone(),
            account_seed: Some(devnet_seed(account)),
            ..Default::default()
        };
        let node = self.runtime.block_on(Node::start_with(config, parts))?;
        let url = node.url();
        self.nodes.push(node);
        self.urls.push(url.clone());
        wait_until_ready(&url)
    }

    /// The URLs of the nodes' HTTP APIs.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Stops workers, then nodes, in order, so that everything is written.
    pub fn stop(self) {
        let Self { runtime, nodes, workers, urls: _ } = self;
        workers.stop();
        runtime.block_on(async move {
            for node in nodes {
                node.shutdown().await;
            }
        });
    }
}

/// Polls a node until it can serve.
fn wait_until_ready(url: &str) -> Result<(), DevnetError> {
    let client = Client::new(url);
    let begin = std::time::Instant::now();
    loop {
        match client.ready() {
            Ok(_) => return Ok(()),
            Err(error) if begin.elapsed() > Duration::from_secs(START_S_MAX) => {
                return Err(DevnetError::Silent { url: url.to_owned(), reason: error.to_string() });
            }
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}
