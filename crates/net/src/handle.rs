//! Starting the network and commanding it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::bans::{Ban, Banned, Bans};
use crate::config::{Config, Identity};
use crate::counters::Counters;
use crate::error::NetError;
use crate::event::{Event, GossipId, Verdict};
use crate::files;
use crate::gossip::Kind;
use crate::limits::COMMANDS_MAX;
use crate::peers::PeerInfo;
use crate::service::{Service, Start};
use crate::view::{Judge, View};
use crate::wire::bounded::{Bytes, List};
use crate::wire::message::{Answer, Request, Tip};
use crate::{Hash, address_book::AddressBook};

/// Names of the files in [`Config::directory`].
pub(crate) const KEY_FILE: &str = "peer.key";
pub(crate) const BANS_FILE: &str = "bans.txt";
pub(crate) const ADDRESSES_FILE: &str = "peers.txt";

/// The loop is given this time to say goodbye.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

pub(crate) type Reply<T> = oneshot::Sender<Result<T, NetError>>;

/// What the loop is told.
pub(crate) enum Command {
    Publish { kind: Kind, bytes: Vec<u8>, reply: Reply<()> },
    Verdict { id: GossipId, verdict: Verdict },
    Ask { peer: PeerId, request: Request, reply: Reply<Answer> },
    OwnTip(Tip),
    Peers(oneshot::Sender<Vec<PeerInfo>>),
    Listeners(oneshot::Sender<Vec<Multiaddr>>),
    Bans(oneshot::Sender<Vec<(Banned, Ban)>>),
    Dial(Multiaddr),
    Punish { peer: PeerId, ban_score: u32, reason: String },
    Ban { banned: Banned, seconds: u64, reason: String },
    Unban { banned: Banned, reply: oneshot::Sender<bool> },
    Disconnect(PeerId),
    Shutdown,
}

/// Commands the network. Cheap to clone; when all clones are gone, the network stops.
#[derive(Clone)]
pub struct Handle {
    peer: PeerId,
    commands: mpsc::Sender<Command>,
    counters: Arc<Counters>,
    judge: Arc<dyn Judge>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// Starts the network on the current tokio runtime: reads or makes the key, opens the sockets, and begins to look for peers.
///
/// # Errors
/// If the configuration is out of range, a file is unreadable, or an address cannot be listened on.
pub async fn start(
    config: Config,
    identity: Identity,
    view: Arc<dyn View>,
    judge: Arc<dyn Judge>,
) -> Result<(Handle, mpsc::Receiver<Event>), NetError> {
    config.check(&identity)?;
    let (key, bans, book) = load(&config)?;
    let peer = key.public().to_peer_id();
    let counters = Arc::new(Counters::default());
    let (command_sender, commands) = mpsc::channel(COMMANDS_MAX);
    let (events, event_receiver) = mpsc::channel(config.limits.events_max as usize);
    let first_view = view.clone();
    let tip = tokio::task::spawn_blocking(move || first_view.tip()).await.map_err(|_| NetError::Stopped)?;
    let start = Start {
        key,
        bans,
        book,
        tip,
        view,
        judge: judge.clone(),
        counters: counters.clone(),
        commands,
        events,
    };
    let service = Service::open(config, identity, start)?;
    let task = Arc::new(Mutex::new(Some(tokio::spawn(service.run()))));
    Ok((Handle { peer, commands: command_sender, counters, judge, task }, event_receiver))
}

fn load(config: &Config) -> Result<(Keypair, Bans, AddressBook), NetError> {
    let Some(directory) = &config.directory else {
        return Ok((Keypair::generate_ed25519(), Bans::default(), AddressBook::default()));
    };
    let key = files::load_or_create_key(&directory.join(KEY_FILE))?;
    let (bans, wrong_bans) = Bans::from_text(&files::read_text(&directory.join(BANS_FILE))?);
    let (book, wrong_addresses) = AddressBook::from_text(&files::read_text(&directory.join(ADDRESSES_FILE))?);
    if wrong_bans + wrong_addresses > 0 {
        tracing::warn!(
            wrong_bans,
            wrong_addresses,
            "lines of the ban list or the address book were left out"
        );
    }
    Ok((key, bans, book))
}

impl Handle {
    /// Our own id.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// The counters.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Gossips a block of our own making.
    pub async fn publish_block(&self, bytes: Vec<u8>) -> Result<(), NetError> {
        self.publish(Kind::Block, bytes).await
    }

    /// Gossips a transaction that was handed to us.
    pub async fn publish_transaction(&self, bytes: Vec<u8>) -> Result<(), NetError> {
        self.publish(Kind::Transaction, bytes).await
    }

    async fn publish(&self, kind: Kind, bytes: Vec<u8>) -> Result<(), NetError> {
        if bytes.len() > kind.bytes_max() {
            return Err(NetError::TooLarge { bytes: bytes.len(), bytes_max: kind.bytes_max() });
        }
        self.ask_loop(|reply| Command::Publish { kind, bytes, reply }).await?
    }

    /// What a gossip message was worth. One verdict a message; without one it is ignored after a while.
    pub async fn verdict(&self, id: GossipId, verdict: Verdict) -> Result<(), NetError> {
        self.tell(Command::Verdict { id, verdict }).await
    }

    /// Our best chain has changed. The network also reads [`View::tip`] every second; this is for impatience.
    pub async fn own_tip(&self, tip: Tip) -> Result<(), NetError> {
        self.tell(Command::OwnTip(tip)).await
    }

    /// Asks one connected peer; the answer is of the request's kind and within its bounds, and not looked into.
    pub async fn ask(&self, peer: PeerId, request: Request) -> Result<Answer, NetError> {
        match self.ask_loop(|reply| Command::Ask { peer, request, reply }).await?? {
            Answer::Busy => Err(NetError::NoAnswer("it is busy.".into())),
            answer => Ok(answer),
        }
    }

    /// Fetches a problem by content id: asks one peer after the other until the bytes that come are the problem with this id by
    /// [`Judge::is_problem`]. Whoever sends other bytes is banned.
    pub async fn problem(&self, id: Hash) -> Result<Vec<u8>, NetError> {
        let peers = self.ready_peers().await?;
        let asked = peers.len();
        for peer in peers {
            let Ok(Answer::Problem(Some(bytes))) = self.ask(peer, Request::Problem(id)).await else {
                continue;
            };
            let (judge, bytes) = (self.judge.clone(), bytes.into_vec());
            let checked = tokio::task::spawn_blocking(move || (judge.is_problem(&id, &bytes), bytes)).await;
            match checked {
                Ok((true, bytes)) => return Ok(bytes),
                Ok((false, _)) => {
                    self.punish(peer, u32::MAX, "It sent other bytes than the problem it was asked for.")
                        .await?;
                }
                Err(_) => return Err(NetError::Stopped),
            }
        }
        Err(NetError::NotFound { asked })
    }

    /// Asks a peer for blocks by hash; none for one that it has not. Bytes are not looked into.
    pub async fn blocks(&self, peer: PeerId, hashes: Vec<Hash>) -> Result<Vec<Option<Vec<u8>>>, NetError> {
        match self.ask(peer, Request::Blocks(List::first(hashes))).await? {
            Answer::Blocks(blocks) => Ok(owned(blocks)),
            _ => Err(NetError::NoAnswer("its answer was of another kind.".into())),
        }
    }

    /// Asks a peer for transactions by hash; none for one that it has not. Bytes are not looked into.
    pub async fn transactions(
        &self,
        peer: PeerId,
        hashes: Vec<Hash>,
    ) -> Result<Vec<Option<Vec<u8>>>, NetError> {
        match self.ask(peer, Request::Transactions(List::first(hashes))).await? {
            Answer::Transactions(transactions) => Ok(owned(transactions)),
            _ => Err(NetError::NoAnswer("its answer was of another kind.".into())),
        }
    }

    /// Connected peers.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, NetError> {
        self.ask_loop(Command::Peers).await
    }

    async fn ready_peers(&self) -> Result<Vec<PeerId>, NetError> {
        let peers = self.peers().await?;
        Ok(peers.into_iter().filter(|info| info.tip.is_some()).map(|info| info.peer).collect())
    }

    /// Addresses that sockets are open at, each with our id at its end.
    pub async fn listeners(&self) -> Result<Vec<Multiaddr>, NetError> {
        self.ask_loop(Command::Listeners).await
    }

    /// Bans in force.
    pub async fn bans(&self) -> Result<Vec<(Banned, Ban)>, NetError> {
        self.ask_loop(Command::Bans).await
    }

    /// Connects to a peer.
    pub async fn dial(&self, address: Multiaddr) -> Result<(), NetError> {
        self.tell(Command::Dial(address)).await
    }

    /// Adds to a peer's score.
    pub async fn punish(&self, peer: PeerId, ban_score: u32, reason: &str) -> Result<(), NetError> {
        self.tell(Command::Punish { peer, ban_score, reason: reason.to_owned() }).await
    }

    /// Bans for some seconds.
    pub async fn ban(&self, banned: Banned, seconds: u64, reason: &str) -> Result<(), NetError> {
        self.tell(Command::Ban { banned, seconds, reason: reason.to_owned() }).await
    }

    /// Lifts a ban; says whether there was one.
    pub async fn unban(&self, banned: Banned) -> Result<bool, NetError> {
        self.ask_loop(|reply| Command::Unban { banned, reply }).await
    }

    /// Closes the connections with a peer.
    pub async fn disconnect(&self, peer: PeerId) -> Result<(), NetError> {
        self.tell(Command::Disconnect(peer)).await
    }

    /// Closes all connections, writes the files, and waits until that is done.
    pub async fn shutdown(&self) {
        // The loop may have stopped already; then there is nothing to tell it.
        let _ = self.commands.send(Command::Shutdown).await;
        let task = self.task.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(task) = task
            && tokio::time::timeout(SHUTDOWN_MAX, task).await.is_err()
        {
            tracing::warn!("the network did not stop in time");
        }
    }

    async fn tell(&self, command: Command) -> Result<(), NetError> {
        self.commands.send(command).await.map_err(|_| NetError::Stopped)
    }

    async fn ask_loop<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, NetError> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply)).await?;
        answer.await.map_err(|_| NetError::Stopped)
    }
}

fn owned<const BYTES: usize, const ITEMS: usize>(
    items: List<Option<Bytes<BYTES>>, ITEMS>,
) -> Vec<Option<Vec<u8>>> {
    items.into_vec().into_iter().map(|item| item.map(Bytes::into_vec)).collect()
}
