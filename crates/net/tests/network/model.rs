//! A chain of opaque blocks behind `View` and `Judge`, a node around it, and bounded polling.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hysteron_net::{
    CheckedHeader, Config, Event, Fault, Handle, Hash, HeaderSummary, Identity, Imported, Judge, Multiaddr,
    PeerId, Tip, Verdict, View, start,
};

/// No state of these tests takes longer, on a machine that does other things too.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub fn hash(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

/// A block: parent 32 bytes, height 8, cumulative work 8, then a body whose hash is not in the header; the header is the first
/// 49 bytes, the 49th says whether the block is sound.
pub const HEADER_BYTES: usize = 49;

pub fn block(parent: &[u8], weight: u64, sound: bool, body: usize) -> Vec<u8> {
    let number = |from: usize| u64::from_le_bytes(parent[from..from + 8].try_into().unwrap());
    let (height, work) = (number(32) + 1, number(40) + weight);
    let header = &parent[..HEADER_BYTES];
    [&hash(header)[..], &height.to_le_bytes(), &work.to_le_bytes(), &[u8::from(sound)], &vec![7; body]]
        .concat()
}

pub fn genesis() -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[48] = 1;
    bytes
}

/// `length` blocks after the last of `chain`.
pub fn extend(mut chain: Vec<Vec<u8>>, length: usize, weight: u64, body: usize) -> Vec<Vec<u8>> {
    for _ in 0..length {
        let next = block(chain.last().unwrap(), weight, true, body);
        chain.push(next);
    }
    chain
}

pub fn summary(bytes: &[u8]) -> Option<HeaderSummary> {
    let header = bytes.get(..HEADER_BYTES)?;
    let number = |from: usize| u64::from_le_bytes(header[from..from + 8].try_into().unwrap());
    let mut work = [0; 32];
    work[24..].copy_from_slice(&number(40).to_be_bytes());
    Some(HeaderSummary {
        hash: hash(header),
        parent: header[..32].try_into().unwrap(),
        height: number(32),
        work,
    })
}

#[derive(Default)]
struct Store {
    blocks: HashMap<Hash, Vec<u8>>,
    best: Vec<Hash>,
    problems: BTreeMap<Hash, Vec<u8>>,
    lies: bool,
}

/// The model chain.
pub struct Model(Mutex<Store>);

impl Model {
    pub fn new(chain: &[Vec<u8>]) -> Arc<Self> {
        let mut store = Store::default();
        for block in chain {
            let hash = summary(block).unwrap().hash;
            store.blocks.insert(hash, block.clone());
            store.best.push(hash);
        }
        Arc::new(Self(Mutex::new(store)))
    }

    /// From now on it serves problems and blocks that are not what was asked for.
    pub fn lie(&self) {
        self.0.lock().unwrap().lies = true;
    }

    pub fn add_problem(&self, problem: &[u8]) -> Hash {
        let id = hash(problem);
        self.0.lock().unwrap().problems.insert(id, problem.to_vec());
        id
    }

    pub fn height(&self) -> usize {
        self.0.lock().unwrap().best.len() - 1
    }

    pub fn tip_hash(&self) -> Hash {
        *self.0.lock().unwrap().best.last().unwrap()
    }

    /// Takes a block, as the writer of a chain does. None if its parent is unknown.
    pub fn take(&self, bytes: &[u8]) -> Option<bool> {
        let mut store = self.0.lock().unwrap();
        let new = summary(bytes)?;
        if !store.blocks.contains_key(&new.parent) {
            return None;
        }
        let known = store.blocks.insert(new.hash, bytes.to_vec()).is_some();
        let best = summary(&store.blocks[store.best.last().unwrap()]).unwrap();
        if new.work > best.work {
            let mut chain = vec![new.hash];
            let mut at = new;
            while at.height > 0 {
                chain.push(at.parent);
                at = summary(&store.blocks[&at.parent]).unwrap();
            }
            chain.reverse();
            store.best = chain;
        }
        Some(!known)
    }
}

impl View for Model {
    fn tip(&self) -> Tip {
        let store = self.0.lock().unwrap();
        let tip = summary(&store.blocks[store.best.last().unwrap()]).unwrap();
        Tip { height: tip.height, hash: tip.hash, work: tip.work }
    }
    fn locator(&self) -> Vec<Hash> {
        let store = self.0.lock().unwrap();
        let mut locator: Vec<_> = store.best.iter().rev().take(10).copied().collect();
        locator.push(store.best[0]);
        locator
    }
    fn headers_after(&self, locator: &[Hash], count_max: usize) -> Vec<Vec<u8>> {
        let store = self.0.lock().unwrap();
        let place =
            locator.iter().find_map(|hash| store.best.iter().position(|other| other == hash)).unwrap_or(0);
        let after = store.best[place + 1..].iter().take(count_max);
        after.map(|hash| store.blocks[hash][..HEADER_BYTES].to_vec()).collect()
    }
    fn block(&self, hash: &Hash) -> Option<Vec<u8>> {
        let store = self.0.lock().unwrap();
        if store.lies {
            return Some(store.blocks[&store.best[0]].clone());
        }
        store.blocks.get(hash).cloned()
    }
    fn problem(&self, id: &Hash) -> Option<Vec<u8>> {
        let store = self.0.lock().unwrap();
        if store.lies { Some(b"a lie".to_vec()) } else { store.problems.get(id).cloned() }
    }
    fn transaction(&self, _: &Hash) -> Option<Vec<u8>> {
        None
    }
}

impl Judge for Model {
    fn check_headers(&self, _: &[CheckedHeader], headers: &[Vec<u8>]) -> Result<Vec<HeaderSummary>, Fault> {
        let wrong = || Fault { ban_score: 100, reason: "A header is malformed.".into() };
        headers
            .iter()
            .map(|bytes| summary(bytes).filter(|_| bytes.len() == HEADER_BYTES).ok_or_else(wrong))
            .collect()
    }
    fn check_candidate(&self, _: PeerId, _: &[CheckedHeader]) -> Result<(), Fault> {
        Ok(())
    }
    fn block_hash(&self, block: &[u8]) -> Option<Hash> {
        summary(block).map(|summary| summary.hash)
    }
    fn import_block(&self, _: PeerId, _: &Hash, block: &[u8]) -> Imported {
        if block[48] != 1 {
            return Imported::Invalid(Fault { ban_score: 100, reason: "The work is forged.".into() });
        }
        self.take(block).expect("sync imports in order");
        Imported::Stored
    }
    fn has_block(&self, hash: &Hash) -> bool {
        self.0.lock().unwrap().blocks.contains_key(hash)
    }
    fn is_problem(&self, id: &Hash, problem: &[u8]) -> bool {
        hash(problem) == *id
    }
}

/// A node: the network, the model chain, and what became of its events.
pub struct Node {
    pub handle: Handle,
    pub model: Arc<Model>,
    pub log: Arc<Mutex<Log>>,
}

#[derive(Default)]
pub struct Log {
    pub blocks: Vec<(PeerId, Vec<u8>)>,
    pub transactions: Vec<(PeerId, Vec<u8>)>,
    pub ready: Vec<PeerId>,
    pub gone: Vec<PeerId>,
    pub banned: Vec<PeerId>,
}

pub fn config() -> Config {
    let mut config = Config::loopback();
    config.timing.redial_ms_min = 100;
    config.timing.redial_ms_max = 500;
    config.timing.status_interval_ms = 1_000;
    config.timing.headers_grace_ms = 500;
    config.timing.heartbeat_ms = 100;
    config.limits.connections_per_address_max = 64;
    config.limits.connections_per_address_minute_max = 1_000;
    config
}

pub fn identity() -> Identity {
    Identity { network: "test".into(), genesis: hash(&genesis()) }
}

impl Node {
    pub async fn start(config: Config, model: Arc<Model>) -> Self {
        Self::start_as(config, identity(), model).await
    }

    pub async fn start_as(config: Config, identity: Identity, model: Arc<Model>) -> Self {
        let (handle, mut events) = start(config, identity, model.clone(), model.clone()).await.unwrap();
        let log = Arc::<Mutex<Log>>::default();
        let (task_handle, task_model, task_log) = (handle.clone(), model.clone(), log.clone());
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                react(event, &task_handle, &task_model, &task_log).await;
            }
        });
        Self { handle, model, log }
    }

    /// An address that others can dial.
    pub async fn address(&self) -> Multiaddr {
        until("a listener", async || self.handle.listeners().await.unwrap().pop()).await
    }

    pub async fn ready_peers(&self) -> Vec<PeerId> {
        let peers = self.handle.peers().await.unwrap();
        peers.into_iter().filter(|info| info.tip.is_some()).map(|info| info.peer).collect()
    }

    pub fn counter(&self, name: &str) -> u64 {
        let counters = self.handle.counters().snapshot();
        counters.into_iter().find(|(other, _)| *other == name).expect("a counter's name").1
    }
}

async fn react(event: Event, handle: &Handle, model: &Model, log: &Mutex<Log>) {
    match event {
        Event::Block { id, peer, bytes } => {
            log.lock().unwrap().blocks.push((peer, bytes.clone()));
            let verdict = match summary(&bytes) {
                None => Verdict::Reject { ban_score: 100, reason: "It is no block.".into() },
                Some(_) if bytes[48] != 1 => {
                    Verdict::Reject { ban_score: 100, reason: "The work is forged.".into() }
                }
                Some(summary) => match model.take(&bytes) {
                    Some(true) => Verdict::Accept,
                    Some(false) => Verdict::Ignore,
                    None => Verdict::Orphan { hash: summary.hash, bytes },
                },
            };
            handle.verdict(id, verdict).await.unwrap();
        }
        Event::Transaction { id, peer, bytes } => {
            let verdict = match bytes.first() {
                Some(0) => Verdict::Reject { ban_score: 30, reason: "Its signature is wrong.".into() },
                _ => Verdict::Accept,
            };
            log.lock().unwrap().transactions.push((peer, bytes));
            handle.verdict(id, verdict).await.unwrap();
        }
        Event::PeerReady { peer, .. } => log.lock().unwrap().ready.push(peer),
        Event::PeerGone { peer } => log.lock().unwrap().gone.push(peer),
        Event::PeerBanned { peer, .. } => log.lock().unwrap().banned.push(peer),
        Event::SyncStarted | Event::SyncEnded => {}
    }
}

/// Polls until there is something; fails when it takes too long.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, poll: impl Fn() -> F) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = poll().await {
            return found;
        }
        assert!(Instant::now() < end, "no sign of {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Polls until it is so.
pub async fn until_true<F: Future<Output = bool>>(what: &str, poll: impl Fn() -> F) {
    until(what, async || poll().await.then_some(())).await;
}

/// An empty directory of this test.
pub fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("hysteron-net-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

/// A libp2p host that connects and then says nothing of ours.
pub async fn mute_swarm(address: Multiaddr) -> tokio::task::JoinHandle<()> {
    use futures::StreamExt;
    let mut swarm = libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(libp2p::tcp::Config::default(), libp2p::noise::Config::new, libp2p::yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| libp2p::ping::Behaviour::default())
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build();
    swarm.dial(address).unwrap();
    tokio::spawn(async move { while swarm.next().await.is_some() {} })
}
