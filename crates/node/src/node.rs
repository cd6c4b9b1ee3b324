//! Starting and stopping a node.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use hysteron_chain::{Archive, Chain, ChainOptions};
use hysteron_ledger::{Address, Genesis};
use hysteron_net::{Identity, Multiaddr, PeerId};
use hysteron_store::RedbStorage;
use hysteron_work::{CpuRunner, LegRunner, Problems};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::chain_task::{self, ChainHandle};
use crate::claims::Account;
use crate::convert::Convert;
use crate::directory::{self, Directory};
use crate::history::{self, History};
use crate::http::{self, Rates, Shared};
use crate::hub::{self, Hub, Parts};
use crate::intake::Gate;
use crate::network::{self, Bench, Gossip, Syncing, Window};
use crate::uploads::Uploads;
use crate::{Config, NodeError, inside};

/// Bytes of compiled circuits that a node keeps.
const CIRCUIT_BYTES_MAX: u64 = 512 << 20;
/// The node's network files in the data directory.
const NETWORK_DIRECTORY: &str = "network";
/// A stop that takes longer is cut off.
const STOP_MAX: Duration = Duration::from_secs(20);

/// What makes a runner of legs from the problems of the chain.
pub type MakeRunner = Box<dyn FnOnce(Arc<dyn Problems>, &Genesis) -> Arc<dyn LegRunner> + Send>;

/// What programs that embed a node may replace; tests do.
#[derive(Default)]
pub struct Options {
    /// A genesis in the place of the one that the configuration names.
    pub genesis: Option<Genesis>,
    /// What runs legs, in the place of the chips on this machine's cores.
    pub runner: Option<MakeRunner>,
    /// The seed of the node's own account, in the place of the one in the data directory.
    pub account_seed: Option<[u8; 32]>,
}

/// See [`Node::start`].
#[derive(Copy, Clone, Debug)]
pub struct Node;

/// A running node. It stops when it is told to, or when the handle is dropped (then without waiting for anything).
pub struct NodeHandle {
    http: SocketAddr,
    workers: Option<SocketAddr>,
    shared: Arc<Shared>,
    stop: StopWhenDropped,
    /// They let outside in, and end when they are told.
    servers: Vec<JoinHandle<()>>,
    /// They follow the chain, and end with it.
    followers: Vec<JoinHandle<()>>,
    chain_thread: std::thread::JoinHandle<()>,
    storage: Weak<RedbStorage>,
    directory: Directory,
}

struct StopWhenDropped {
    stop: watch::Sender<bool>,
    history: Arc<AtomicBool>,
}

impl StopWhenDropped {
    fn stop(&self) {
        self.stop.send_replace(true);
        self.history.store(true, Ordering::Relaxed);
    }
}

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Node {
    /// Opens the data directory and starts everything on the current tokio runtime (of several threads).
    ///
    /// # Errors
    /// [`NodeError`], in a sentence that says what to change. Nothing is left running then.
    pub async fn start(config: Config) -> Result<NodeHandle, NodeError> {
        Self::start_with(config, Options::default()).await
    }

    /// The same with parts replaced.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn start_with(config: Config, options: Options) -> Result<NodeHandle, NodeError> {
        let genesis = match options.genesis {
            Some(genesis) => genesis,
            None => config.genesis()?,
        };
        genesis.check()?;
        let payee =
            config.mining.address.as_deref().map(|text| Address::decode(&genesis.address_prefix, text));
        let payee = payee
            .transpose()
            .map_err(|error| NodeError::Setting { name: "mining.address", reason: error.to_string() })?;
        let opened = open(&config, genesis, options.runner, options.account_seed).await?;
        start(config, opened, payee).await
    }
}

/// What is on the disk, opened.
struct Opened {
    directory: Directory,
    storage: Weak<RedbStorage>,
    genesis: Arc<Genesis>,
    chain: Chain<RedbStorage>,
    runner: Arc<dyn LegRunner>,
    problems: Arc<dyn Problems>,
    history: Arc<History>,
    account: Account,
}

async fn open(
    config: &Config,
    genesis: Genesis,
    runner: Option<MakeRunner>,
    seed: Option<[u8; 32]>,
) -> Result<Opened, NodeError> {
    let data = config.data.clone();
    // Opening reads the whole state: not for a thread that drives sockets.
    let opened = tokio::task::spawn_blocking(move || open_blocking(&data, genesis, runner, seed)).await;
    opened.map_err(|e| NodeError::System { what: "opening the data directory", reason: e.to_string() })?
}

fn open_blocking(
    data: &Path,
    genesis: Genesis,
    runner: Option<MakeRunner>,
    seed: Option<[u8; 32]>,
) -> Result<Opened, NodeError> {
    let directory = Directory::open(data)?;
    let storage = Arc::new(RedbStorage::open(data)?);
    let archive = Archive::new(storage.clone());
    let problems: Arc<dyn Problems> = Arc::new(archive.clone());
    let runner = match runner {
        Some(make) => make(problems.clone(), &genesis),
        None => Arc::new(CpuRunner::new(problems.clone(), genesis.work.clone(), CIRCUIT_BYTES_MAX)),
    };
    let key = match seed {
        Some(seed) => SigningKey::from_bytes(&seed),
        None => directory::account_key(data)?,
    };
    let open = Arc::downgrade(&storage);
    let mut chain = Chain::open(genesis.clone(), storage, runner.clone(), ChainOptions::default())?;
    let waiting = chain.readmit_kept()?;
    if waiting > 0 {
        tracing::info!(waiting, "transactions that were handed in before wait again");
    }
    let genesis = Arc::new(genesis);
    let history = Arc::new(History::open(data, archive, Convert::new(genesis.clone()))?);
    Ok(Opened {
        directory,
        storage: open,
        genesis,
        chain,
        runner,
        problems,
        history,
        account: Account::new(key),
    })
}

/// A node with a thousand workers has a thousand files open; systems allow that, and begin with less.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit on open files stays as it is");
        }
    }
}

async fn listen(what: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), NodeError> {
    let refuse =
        |e: std::io::Error| NodeError::Listen { what, address: address.to_string(), reason: e.to_string() };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let bound = listener.local_addr().map_err(refuse)?;
    Ok((listener, bound))
}

async fn start(mut config: Config, opened: Opened, payee: Option<Address>) -> Result<NodeHandle, NodeError> {
    let Opened { directory, storage, genesis, chain, runner, problems, history, account } = opened;
    raise_file_limit();
    let genesis_hash = chain.rules().genesis;
    let convert = Convert::new(genesis.clone());
    let (http_listener, http_address) = listen("HTTP API", config.http.listen).await?;
    let workers_listener = match config.workers.listen {
        Some(address) => Some(listen("workers", address).await?),
        None => None,
    };
    let (chain, chain_thread) = chain_task::start(chain, convert.clone())?;
    let identity = Identity { network: genesis.network.clone(), genesis: genesis_hash };
    config.peers.directory.get_or_insert_with(|| config.data.join(NETWORK_DIRECTORY));
    let started = network(&config, identity, &chain).await;
    let (handle, events) = match started {
        Ok(started) => started,
        Err(error) => {
            chain.stop().await;
            return Err(error);
        }
    };
    let (gossip, outgoing) = Gossip::new();
    let gate = Gate::default();
    let payee = payee.unwrap_or_else(|| account.address());
    let hub = Arc::new(Hub::new(Parts {
        chain: chain.clone(),
        gossip: gossip.clone(),
        gate: gate.clone(),
        genesis: genesis.clone(),
        genesis_hash,
        convert: convert.clone(),
        runner: runner.clone(),
        problems: problems.clone(),
        account,
        connections_max: config.workers.connections_max,
    }));
    let (stop, stops) = watch::channel(false);
    let syncing = Arc::new(Syncing::default());
    let history_stops = Arc::new(AtomicBool::new(false));
    let shared = Arc::new(Shared {
        genesis: genesis.clone(),
        genesis_hash,
        convert,
        chain: chain.clone(),
        history: history.clone(),
        hub: hub.clone(),
        network: handle.clone(),
        gossip,
        syncing: syncing.clone(),
        uploads: Uploads::default(),
        rates: Rates::new(config.http.requests_per_second),
        event_streams: AtomicUsize::new(0),
        requests: crate::metrics::Requests::default(),
        audited: std::sync::Mutex::new(None),
        threads_inside: config.mining.threads,
        started: Instant::now(),
        stop: stops.clone(),
    });
    let router = http::router(shared.clone(), config.http.cross_origin);
    let mut servers = vec![
        tokio::spawn(http::serve(http_listener, router, stops.clone())),
        tokio::spawn(network::drive(handle, events, outgoing, chain.clone(), syncing, gate, stops.clone())),
    ];
    let followers = vec![
        tokio::spawn(hub.clone().follow(chain.watch())),
        tokio::spawn(history::follow(history, chain.watch(), history_stops.clone())),
    ];
    let workers = workers_listener.map(|(listener, address)| {
        servers.push(tokio::spawn(hub::listen(hub.clone(), listener, stops.clone())));
        address
    });
    if config.mining.threads > 0 {
        let means = inside::Means {
            threads: config.mining.threads as usize,
            payee,
            runner,
            problems,
            rules: Arc::new(genesis.work.clone()),
        };
        servers.push(tokio::spawn(inside::mine(hub, means, stops)));
    }
    let height = chain.standing().tip.height;
    tracing::info!(network = genesis.network, height, http = %http_address, workers = ?workers, "the node runs");
    if genesis.time > chain_task::now() + hysteron_chain::difficulty::FUTURE_S_MAX {
        tracing::warn!(
            time = genesis.time,
            "the network begins later: until that Unix time blocks are refused"
        );
    }
    let (account, bond) = (shared.hub.account().address(), genesis.market.claim_bond);
    let balance = shared.chain.ask(move |writer| writer.chain.account_view(&account).balance).await;
    if balance.is_ok_and(|balance| balance < bond) {
        let address = shared.convert.address(&account);
        tracing::info!(
            address,
            "the node's account has no coins for bonds: claims of its workers go without, and their fee is taken out of the \
             bounty; for jobs without a bounty, send it some HYS"
        );
    }
    Ok(NodeHandle {
        http: http_address,
        workers,
        shared,
        stop: StopWhenDropped { stop, history: history_stops },
        servers,
        followers,
        chain_thread,
        storage,
        directory,
    })
}

async fn network(
    config: &Config,
    identity: Identity,
    chain: &ChainHandle,
) -> Result<(hysteron_net::Handle, tokio::sync::mpsc::Receiver<hysteron_net::Event>), NodeError> {
    if let Some(directory) = &config.peers.directory {
        std::fs::create_dir_all(directory)
            .map_err(|e| NodeError::File { path: directory.clone(), reason: e.to_string() })?;
    }
    let view = Arc::new(Window::new(chain.clone()));
    let judge = Arc::new(Bench::new(chain.clone()));
    Ok(hysteron_net::start(config.peers.clone(), identity, view, judge).await?)
}

impl NodeHandle {
    /// Where the HTTP API is.
    pub fn http(&self) -> SocketAddr {
        self.http
    }
    /// The API's URL, `http://127.0.0.1:7341`.
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }
    /// Where workers are served over plain TCP.
    pub fn workers(&self) -> Option<SocketAddr> {
        self.workers
    }
    /// The node's id among peers.
    pub fn peer(&self) -> PeerId {
        self.shared.network.peer()
    }
    /// Where peers reach it, each address with its id at the end.
    pub async fn listeners(&self) -> Vec<Multiaddr> {
        self.shared.network.listeners().await.unwrap_or_default()
    }
    /// Connects to a peer.
    pub async fn dial(&self, address: Multiaddr) {
        if let Err(error) = self.shared.network.dial(address).await {
            tracing::warn!(%error, "a peer could not be called");
        }
    }
    /// Peers that are banned now.
    pub async fn banned(&self) -> Vec<PeerId> {
        let bans = self.shared.network.bans().await.unwrap_or_default();
        let peer = |(banned, _)| match banned {
            hysteron_net::Banned::Peer(peer) => Some(peer),
            hysteron_net::Banned::Origin(_) => None,
        };
        bans.into_iter().filter_map(peer).collect()
    }
    /// The address of the node's own account.
    pub fn address(&self) -> String {
        self.shared.convert.address(&self.shared.hub.account().address())
    }
    /// The hash of the genesis block.
    pub fn genesis(&self) -> [u8; 32] {
        self.shared.genesis_hash
    }

    /// Stops in order: nobody is let in, requests and workers end, peers are told goodbye, the chain and its files close. When
    /// it returns, the data directory is free.
    pub async fn shutdown(self) {
        let Self { http: _, workers: _, shared, stop, servers, followers, chain_thread, storage, directory } =
            self;
        tracing::info!("the node stops");
        stop.stop();
        end(servers).await;
        shared.chain.stop().await;
        end(followers).await;
        let joined = tokio::task::spawn_blocking(move || chain_thread.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the chain's thread has failed");
        }
        drop(shared);
        // Connections of workers say goodbye on their own; the database closes with the last of them.
        let begin = Instant::now();
        while storage.strong_count() > 0 && begin.elapsed() < STOP_MAX {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if storage.strong_count() > 0 {
            tracing::warn!("the database is still in use");
        }
        drop(directory);
        tracing::info!("the node has stopped");
    }

    /// Waits for SIGINT or SIGTERM, then [`Self::shutdown`].
    ///
    /// # Errors
    /// [`NodeError::System`] if signals cannot be listened to; the node goes on then.
    pub async fn run_until_signal(self) -> Result<(), NodeError> {
        let refuse = |e: std::io::Error| NodeError::System { what: "signals", reason: e.to_string() };
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate()).map_err(refuse)?;
            let mut interrupt = signal(SignalKind::interrupt()).map_err(refuse)?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.map_err(refuse)?;
        self.shutdown().await;
        Ok(())
    }
}

/// Waits for tasks, within the time that a stop may take.
async fn end(tasks: Vec<JoinHandle<()>>) {
    let ends = async {
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task has failed");
            }
        }
    };
    if tokio::time::timeout(STOP_MAX, ends).await.is_err() {
        tracing::warn!("some tasks did not end in time");
    }
}
