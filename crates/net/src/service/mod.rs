//! The loop that drives the sockets. It owns the swarm and all that is remembered of peers; it
//! never computes and never waits for the node: what takes time runs on blocking threads and comes
//! back as a [`Done`].

mod connections;
mod discovery;
mod exchange;
mod gossip;
mod sync;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::request_response::{InboundRequestId, OutboundRequestId};
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Swarm};
use tokio::sync::mpsc;

use crate::address;
use crate::address_book::AddressBook;
use crate::bans::Bans;
use crate::behaviour::{self, Behaviour, BehaviourEvent};
use crate::config::{Config, Identity};
use crate::counters::Counters;
use crate::dialer::Dialer;
use crate::error::NetError;
use crate::event::Event;
use crate::files;
use crate::gate::{SharedBans, unix_s};
use crate::gossip::Topics;
use crate::handle::{ADDRESSES_FILE, BANS_FILE, Command};
use crate::nat::Reachability;
use crate::peers::Peers;
use crate::sync::Sync;
use crate::view::{Judge, View};
use crate::wire::message::Tip;
use exchange::{Asked, Reserved};

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How often our own tip is read.
const TIP_MS: u64 = 1_000;
/// How often the files are written when something changed.
const SAVE_MS: u64 = 60_000;
/// Results of blocking work that wait for the loop.
const DONE_MAX: usize = 256;
/// Connections are given this time to close when the node stops.
const GOODBYE: Duration = Duration::from_secs(1);

/// What the loop starts with.
pub(crate) struct Start {
    pub key: Keypair,
    pub bans: Bans,
    pub book: AddressBook,
    pub tip: Tip,
    pub view: Arc<dyn View>,
    pub judge: Arc<dyn Judge>,
    pub counters: Arc<Counters>,
    pub commands: mpsc::Receiver<Command>,
    pub events: mpsc::Sender<Event>,
}

/// The loop's state.
pub(crate) struct Service {
    swarm: Swarm<Behaviour>,
    config: Config,
    identity: Identity,
    topics: Topics,
    view: Arc<dyn View>,
    judge: Arc<dyn Judge>,
    counters: Arc<Counters>,
    bans: SharedBans,
    book: AddressBook,
    peers: Peers,
    dialer: Dialer,
    reachability: Reachability,
    sync: Sync,
    sync_was_active: bool,
    own: Tip,
    own_read_ms: u64,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    done_sender: mpsc::Sender<Done>,
    done: mpsc::Receiver<Done>,
    asked: HashMap<OutboundRequestId, (PeerId, Asked)>,
    answering: HashMap<InboundRequestId, Reserved>,
    serving: u32,
    verdicts: BTreeMap<u64, gossip::Pending>,
    verdict_bytes: u64,
    next_gossip: u64,
    started: Instant,
    saved_ms: u64,
    looked_up_ms: u64,
    unsaved: bool,
}

/// A result of blocking work, with what the loop does with it.
pub(crate) type Done = Box<dyn FnOnce(&mut Service) + Send>;

impl Service {
    /// Opens the sockets.
    pub fn open(config: Config, identity: Identity, start: Start) -> Result<Self, NetError> {
        let topics = Topics::new(&identity);
        let bans = SharedBans::default();
        *bans.lock().unwrap_or_else(PoisonError::into_inner) = start.bans;
        let mut swarm =
            behaviour::swarm(start.key, &identity, &config, &topics, bans.clone(), start.counters.clone())?;
        let has_six = std::net::UdpSocket::bind((std::net::Ipv6Addr::UNSPECIFIED, 0)).is_ok();
        for address in &config.listen {
            if !has_six && address::ip_of(address).is_some_and(|ip| ip.is_ipv6()) {
                // The default configuration names both families, and must work where there is one.
                tracing::warn!(%address, "not listened on: this machine has no IPv6");
                continue;
            }
            swarm
                .listen_on(address.clone())
                .map_err(|error| NetError::Listen { address: address.clone(), reason: error.to_string() })?;
        }
        let mut reachability = Reachability::default();
        for address in &config.external {
            swarm.add_external_address(address.clone());
            reachability.confirmed();
        }
        let timing = &config.timing;
        let dialer =
            Dialer::new(&config.seeds, start.book.iter(), timing.redial_ms_min, timing.redial_ms_max);
        let (done_sender, done) = mpsc::channel(DONE_MAX);
        Ok(Self {
            swarm,
            topics,
            view: start.view,
            judge: start.judge,
            counters: start.counters,
            bans,
            book: start.book,
            peers: Peers::new(config.limits.clone()),
            dialer,
            reachability,
            sync: Sync::new(timing.headers_grace_ms, config.limits.sync_bytes_max),
            sync_was_active: false,
            own: start.tip,
            own_read_ms: 0,
            commands: start.commands,
            events: start.events,
            done_sender,
            done,
            asked: HashMap::new(),
            answering: HashMap::new(),
            serving: 0,
            verdicts: BTreeMap::new(),
            verdict_bytes: 0,
            next_gossip: 0,
            started: Instant::now(),
            saved_ms: 0,
            looked_up_ms: 0,
            unsaved: false,
            config,
            identity,
        })
    }

    /// Runs until it is told to stop or nobody can command it any more.
    pub async fn run(mut self) {
        self.sync.own_tip(self.own, 0);
        self.use_configured_relays();
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(done) = self.done.recv() => done(&mut self),
                command = self.commands.recv() => match command {
                    None | Some(Command::Shutdown) => break,
                    Some(command) => self.on_command(command),
                },
                _ = ticks.tick() => self.on_tick(),
            }
            self.run_sync();
        }
        self.goodbye().await;
    }

    async fn goodbye(mut self) {
        self.save();
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // It may have gone in this moment.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let all_closed = async {
            while self.swarm.network_info().num_peers() > 0 {
                self.swarm.select_next_some().await;
            }
        };
        if tokio::time::timeout(GOODBYE, all_closed).await.is_err() {
            tracing::debug!("some connections were cut");
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) => self.on_exchange(event),
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::Behaviour(event) => self.on_discovery(event),
            event => self.on_connection(event),
        }
    }

    /// Whoever asked may have gone before the reply: then nobody misses it.
    fn on_command(&mut self, command: Command) {
        match command {
            Command::Publish { kind, bytes, reply } => {
                let result = self.publish(kind, bytes);
                let _ = reply.send(result);
            }
            Command::Verdict { id, verdict } => self.on_verdict(id, verdict),
            Command::Ask { peer, request, reply } => {
                self.ask(peer, request.clone(), Asked::User { request, reply })
            }
            Command::OwnTip(tip) => self.on_own_tip(tip),
            Command::Peers(reply) => drop(reply.send(self.peers.infos(Instant::now()))),
            Command::Listeners(reply) => drop(reply.send(self.listeners())),
            Command::Bans(reply) => {
                let bans = self.bans.lock().unwrap_or_else(PoisonError::into_inner);
                let now_s = unix_s();
                let force = bans.iter().filter(|(_, ban)| ban.until_s > now_s);
                drop(reply.send(force.map(|(banned, ban)| (*banned, ban.clone())).collect()));
            }
            Command::Dial(address) => self.dial_address(address),
            Command::Punish { peer, ban_score, reason } => self.punish(peer, ban_score, &reason),
            Command::Ban { banned, seconds, reason } => self.ban(banned, seconds, &reason),
            Command::Unban { banned, reply } => {
                let lifted = self.bans.lock().unwrap_or_else(PoisonError::into_inner).remove(banned);
                self.unsaved |= lifted;
                let _ = reply.send(lifted);
            }
            Command::Disconnect(peer) => drop(self.swarm.disconnect_peer_id(peer)),
            Command::Shutdown => unreachable!("the loop ends before"),
        }
    }

    fn on_tick(&mut self) {
        let now_ms = self.now_ms();
        if now_ms >= self.own_read_ms + TIP_MS {
            self.own_read_ms = now_ms;
            self.read_own_tip();
        }
        self.check_handshakes();
        self.expire_verdicts();
        self.dial_turn();
        self.sync.tick(now_ms);
        if self.unsaved && now_ms >= self.saved_ms + SAVE_MS {
            self.save();
        }
        let counters = &self.counters;
        Counters::set(
            &counters.connections,
            self.swarm.network_info().connection_counters().num_established().into(),
        );
        Counters::set(&counters.peers_ready, self.peers.ready().count() as u64);
        Counters::set(&counters.gossip_bytes_pending, self.verdict_bytes);
        Counters::set(&counters.orphans, self.sync.orphans().count() as u64);
    }

    /// Runs `work` on a blocking thread and then `then` on the loop with what it gave: nothing if it panicked, so that nobody
    /// waits for ever.
    fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
        then: impl FnOnce(&mut Self, Option<T>) + Send + 'static,
    ) {
        let sender = self.done_sender.clone();
        tokio::spawn(async move {
            let result = tokio::task::spawn_blocking(work).await.ok();
            // The loop may have stopped; then the result is of no use.
            let _ = sender.send(Box::new(move |service: &mut Self| then(service, result))).await;
        });
    }

    fn read_own_tip(&self) {
        let view = self.view.clone();
        self.run_blocking(
            move || view.tip(),
            |service, tip| {
                if let Some(tip) = tip {
                    service.on_own_tip(tip);
                }
            },
        );
    }

    fn on_own_tip(&mut self, tip: Tip) {
        if tip != self.own {
            self.own = tip;
            let now_ms = self.now_ms();
            self.sync.own_tip(tip, now_ms);
        }
    }

    /// Tells the node, if it keeps up.
    fn tell(&self, event: Event) -> bool {
        self.events.try_send(event).is_ok()
    }

    /// Writes ban list and address book.
    fn save(&mut self) {
        self.saved_ms = self.now_ms();
        self.unsaved = false;
        let Some(directory) = &self.config.directory else { return };
        let bans = {
            let mut bans = self.bans.lock().unwrap_or_else(PoisonError::into_inner);
            bans.expire(unix_s());
            bans.to_text()
        };
        let addresses = self.book.to_text();
        for (name, text) in [(BANS_FILE, bans), (ADDRESSES_FILE, addresses)] {
            if let Err(error) = files::write(&directory.join(name), text.as_bytes()) {
                tracing::warn!(%error, "the file could not be written");
            }
        }
    }
}
