//! The node's side of the network: what peers are shown, what their bytes are worth, and what is gossiped.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hysteron_chain::mempool::Candidate;
use hysteron_chain::{Block, ChainError, Header, HeaderSync, ImportPlan};
use hysteron_net::{CheckedHeader, Event, Fault, Handle, HeaderSummary, Imported, Judge, PeerId, Tip, View};
use hysteron_work::{Hash, ProblemId};
use tokio::sync::mpsc;

use crate::chain_task::{ChainHandle, Standing, now};
use crate::intake::{Gate, Intake};
use crate::limits::{CHAIN_QUEUE_MAX, HEADER_SYNCS_MAX, REPEATED_BYTES_MAX, REPEATED_MAX};
use crate::parcel::Parcel;
use crate::stop::{Stop, stopped};

/// What is to be gossiped; filled by whoever made it, emptied by [`drive`].
#[derive(Clone)]
pub(crate) struct Gossip(mpsc::Sender<Outgoing>);

pub(crate) enum Outgoing {
    Block(Vec<u8>),
    Transaction(Vec<u8>),
}

impl Gossip {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Outgoing>) {
        let (sender, receiver) = mpsc::channel(CHAIN_QUEUE_MAX);
        (Self(sender), receiver)
    }
    pub(crate) fn block(&self, bytes: Vec<u8>) {
        self.send(Outgoing::Block(bytes));
    }
    pub(crate) fn transaction(&self, parcel: Vec<u8>) {
        self.send(Outgoing::Transaction(parcel));
    }
    fn send(&self, outgoing: Outgoing) {
        if self.0.try_send(outgoing).is_err() {
            tracing::warn!("gossip is left out: too much of it waits, or the network has stopped");
        }
    }
}

/// The chain as peers see it.
pub(crate) struct Window {
    chain: ChainHandle,
}

impl Window {
    pub(crate) fn new(chain: ChainHandle) -> Self {
        Self { chain }
    }
}

/// A tip in the network's terms.
fn tip_of(standing: &Standing) -> Tip {
    let tip = &standing.tip;
    Tip { height: tip.height, hash: tip.hash, work: work_bytes(tip.total_work) }
}

/// 256 bits, big-endian.
fn work_bytes(work: u128) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[16..].copy_from_slice(&work.to_be_bytes());
    bytes
}

impl View for Window {
    fn tip(&self) -> Tip {
        tip_of(&self.chain.standing())
    }
    fn locator(&self) -> Vec<Hash> {
        let answer = self.chain.ask_anywhere(|writer| writer.chain.locator());
        let mut hashes = answer.ok().and_then(Result::ok).unwrap_or_default();
        // The genesis stands last, and must stay when the middle is too long.
        if let Some(genesis) = hashes.last().copied() {
            hashes.truncate(hysteron_net::limits::LOCATOR_HASHES_MAX - 1);
            if hashes.last() != Some(&genesis) {
                hashes.push(genesis);
            }
        }
        hashes
    }
    fn headers_after(&self, locator: &[Hash], count_max: usize) -> Vec<Vec<u8>> {
        let locator = locator.to_vec();
        let answer = self.chain.ask_anywhere(move |writer| writer.chain.headers_after(&locator, count_max));
        answer.ok().and_then(Result::ok).unwrap_or_default().iter().map(Header::encode).collect()
    }
    fn block(&self, hash: &Hash) -> Option<Vec<u8>> {
        self.chain.archive().block(hash).ok()?.map(|block| block.encode())
    }
    fn problem(&self, id: &Hash) -> Option<Vec<u8>> {
        self.chain.archive().problem_bytes(&ProblemId(*id)).ok()?
    }
    fn transaction(&self, hash: &Hash) -> Option<Vec<u8>> {
        let hash = *hash;
        let answer = self.chain.ask_anywhere(move |writer| writer.chain.mempool().get(&hash).cloned());
        let candidate = answer.ok()??;
        Some(Parcel { transaction: candidate.transaction, problem: candidate.problem }.encode())
    }
}

/// Judges what peers send.
pub(crate) struct Bench {
    chain: ChainHandle,
    /// Headers that were checked, of candidates that are still coming in.
    syncs: Mutex<VecDeque<HeaderSync>>,
    plans: Mutex<VecDeque<ImportPlan>>,
}

fn fault(error: &ChainError) -> Fault {
    Fault { ban_score: error.ban_score(), reason: error.to_string() }
}

fn innocent(reason: &str) -> Fault {
    Fault { ban_score: 0, reason: reason.into() }
}

impl Bench {
    pub(crate) fn new(chain: ChainHandle) -> Self {
        Self { chain, syncs: Mutex::default(), plans: Mutex::default() }
    }

    fn syncs(&self) -> std::sync::MutexGuard<'_, VecDeque<HeaderSync>> {
        self.syncs.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn plans(&self) -> std::sync::MutexGuard<'_, VecDeque<ImportPlan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checked headers that end with this hash. They stay, as several peers may show the same.
    fn known_sync(&self, last: &Hash) -> Option<HeaderSync> {
        self.syncs().iter().find(|sync| sync.last() == last).cloned()
    }

    fn sync_after(&self, parent: Hash) -> Result<HeaderSync, Fault> {
        let answer = self.chain.ask_anywhere(move |writer| writer.chain.header_sync(&parent));
        answer.map_err(|error| innocent(&error.to_string()))?.map_err(|error| fault(&error))
    }

    fn remember(&self, sync: HeaderSync, instead_of: &Hash) {
        let mut syncs = self.syncs();
        syncs.retain(|known| known.last() != sync.last() && known.last() != instead_of);
        syncs.push_back(sync);
        while syncs.len() > HEADER_SYNCS_MAX {
            syncs.pop_front();
        }
    }

    /// The planned import whose next block this is.
    fn take_plan(&self, hash: &Hash) -> Option<ImportPlan> {
        let mut plans = self.plans();
        let at = plans.iter().position(|plan| plan.wanted(0, 1).first() == Some(hash))?;
        plans.remove(at)
    }

    fn import(&self, hash: &Hash, block: Block) -> Imported {
        let (plan, result) = match self.take_plan(hash) {
            Some(plan) => match self.chain.import_blocking(plan, block) {
                Ok((plan, result)) => (Some(plan), result),
                Err(_) => return Imported::Unavailable,
            },
            None => match self.chain.submit_block_blocking(block) {
                Ok(result) => (None, result.map(|_| ())),
                Err(_) => return Imported::Unavailable,
            },
        };
        let refused = result.err();
        if let (Some(plan), None) = (plan, &refused)
            && !plan.is_done()
        {
            self.plans().push_back(plan);
        }
        match refused {
            None => Imported::Stored,
            Some(ChainError::Storage(error)) => {
                tracing::error!(%error, "a block could not be stored");
                Imported::Unavailable
            }
            Some(ChainError::Stale(_) | ChainError::TimeTooNew { .. }) => Imported::Unavailable,
            Some(error @ (ChainError::Decode(_) | ChainError::TransactionRoot | ChainError::DataRoot)) => {
                Imported::WrongBody(fault(&error))
            }
            Some(error) => Imported::Invalid(fault(&error)),
        }
    }
}

impl Judge for Bench {
    fn check_headers(
        &self,
        before: &[CheckedHeader],
        headers: &[Vec<u8>],
    ) -> Result<Vec<HeaderSummary>, Fault> {
        let decode = |bytes: &Vec<u8>| Header::decode(bytes).map_err(|e| fault(&e.into()));
        let headers = headers.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        let Some(first) = headers.first() else { return Ok(Vec::new()) };
        let parent = before.last().map_or(first.parent, |header| header.summary.hash);
        let mut sync = match self.known_sync(&parent) {
            Some(sync) => sync,
            None if before.is_empty() => self.sync_after(parent)?,
            // Forgotten, as many candidates came in since. It can be shown again from its beginning.
            None => return Err(innocent("The candidate was forgotten in favour of others.")),
        };
        let mut summaries = Vec::with_capacity(headers.len());
        for header in headers {
            let (height, parent) = (header.height, header.parent);
            sync.accept(vec![header], now()).map_err(|error| fault(&error))?;
            summaries.push(HeaderSummary {
                hash: *sync.last(),
                parent,
                height,
                work: work_bytes(sync.total_work()),
            });
        }
        self.remember(sync, &parent);
        Ok(summaries)
    }

    fn check_candidate(&self, _: PeerId, headers: &[CheckedHeader]) -> Result<(), Fault> {
        let Some(last) = headers.last() else { return Ok(()) };
        let Some(sync) = self.known_sync(&last.summary.hash) else {
            return Err(innocent("The candidate was forgotten in favour of others."));
        };
        let mut randomness = [0; 32];
        getrandom::fill(&mut randomness).map_err(|error| innocent(&error.to_string()))?;
        // Work can be run again only where the table is known, that is, block by block while they are imported;
        // the plan says which, and the first false one ends the import.
        if let Some(plan) = sync.plan(self.chain.standing().tip.total_work, &randomness) {
            let mut plans = self.plans();
            plans.push_back(plan);
            while plans.len() > HEADER_SYNCS_MAX {
                plans.pop_front();
            }
        }
        Ok(())
    }

    fn block_hash(&self, block: &[u8]) -> Option<Hash> {
        // The header is the beginning of the block, and has a fixed length.
        let header = block.get(..hysteron_chain::HEADER_BYTES)?;
        Header::decode(header).ok().map(|header| header.hash())
    }

    fn import_block(&self, _: PeerId, hash: &Hash, block: &[u8]) -> Imported {
        match Block::decode(block) {
            Ok(block) if block.hash() == *hash => self.import(hash, block),
            Ok(_) => Imported::WrongBody(Fault {
                ban_score: hysteron_chain::BAN_SCORE,
                reason: "The block is another one.".into(),
            }),
            Err(error) => Imported::WrongBody(fault(&error.into())),
        }
    }

    fn has_block(&self, hash: &Hash) -> bool {
        self.chain.archive().header(hash).is_ok_and(|header| header.is_some())
    }

    fn is_problem(&self, id: &Hash, problem: &[u8]) -> bool {
        hysteron_chain::archive::problem_id(problem).0 == *id
    }
}

/// Whether the network is fetching a longer chain.
#[derive(Debug, Default)]
pub(crate) struct Syncing(AtomicBool);

impl Syncing {
    pub(crate) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Takes the network's events and feeds it, until the node stops.
pub(crate) async fn drive(
    handle: Handle,
    mut events: mpsc::Receiver<Event>,
    mut outgoing: mpsc::Receiver<Outgoing>,
    chain: ChainHandle,
    syncing: Arc<Syncing>,
    gate: Gate,
    mut stop: Stop,
) {
    let intake = Intake::start(handle.clone(), chain.clone(), gate);
    let mut standings = chain.watch();
    let repeater = tokio::spawn(repeat_kept(handle.clone(), chain.clone(), syncing.clone()));
    loop {
        tokio::select! {
            _ = stopped(&mut stop) => break,
            event = events.recv() => match event {
                Some(event) => take(&intake, &chain, &syncing, event).await,
                None => break,
            },
            outgoing = outgoing.recv() => {
                let published = match outgoing {
                    Some(Outgoing::Block(bytes)) => handle.publish_block(bytes).await,
                    Some(Outgoing::Transaction(bytes)) => handle.publish_transaction(bytes).await,
                    None => break,
                };
                if let Err(error) = published {
                    // With no peers there is nobody to tell; they will ask when they come.
                    tracing::debug!(%error, "nothing was published");
                }
            }
            changed = standings.changed() => {
                if changed.is_err() {
                    break;
                }
                let tip = tip_of(&standings.borrow_and_update());
                if handle.own_tip(tip).await.is_err() {
                    break;
                }
            }
        }
    }
    repeater.abort();
    handle.shutdown().await;
}

/// With every tip passes on again some of what was handed in here and still waits, one after the other and round: perhaps no peer
/// was there, or this node was started again since. Peers that have it ignore it.
async fn repeat_kept(handle: Handle, chain: ChainHandle, syncing: Arc<Syncing>) {
    let mut standings = chain.watch();
    let mut told = chain.standing().tip.hash;
    let mut after = Hash::default();
    while standings.changed().await.is_ok() {
        let tip = standings.borrow_and_update().tip.hash;
        if tip == told || syncing.is_on() {
            continue;
        }
        told = tip;
        let Ok(kept) = chain.ask(move |writer| writer.chain.kept(&after, REPEATED_MAX)).await else {
            continue;
        };
        let mut left = REPEATED_BYTES_MAX;
        for (id, Candidate { transaction, problem, .. }) in kept {
            let bytes = Parcel { transaction, problem }.encode();
            // The first goes whatever it weighs, so that all have their turn.
            if bytes.len() > left && left < REPEATED_BYTES_MAX {
                break;
            }
            left = left.saturating_sub(bytes.len());
            after = id;
            if let Err(error) = handle.publish_transaction(bytes).await {
                tracing::debug!(%error, "nothing was published");
            }
        }
    }
}

async fn take(intake: &Intake, chain: &ChainHandle, syncing: &Syncing, event: Event) {
    match event {
        Event::Block { id, peer, bytes } => intake.block(id, peer, bytes).await,
        Event::Transaction { id, peer, bytes } => intake.transaction(id, peer, bytes).await,
        Event::PeerReady { peer, tip } => tracing::info!(%peer, height = tip.height, "a peer has come"),
        Event::PeerGone { peer } => tracing::info!(%peer, "a peer has gone"),
        Event::PeerBanned { peer, reason } => tracing::warn!(%peer, reason, "a peer was banned"),
        Event::SyncStarted => {
            tracing::info!("peers have a better chain");
            syncing.0.store(true, Ordering::Relaxed);
        }
        Event::SyncEnded => {
            tracing::info!(height = chain.standing().tip.height, "the chain of the peers was followed");
            syncing.0.store(false, Ordering::Relaxed);
        }
    }
}
