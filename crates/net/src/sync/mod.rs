//! Headers-first sync as a state machine: it is told what happened and when, and says what to do
//! next. It knows no socket, no thread and no clock, so its tests run in steps.
//!
//! A round: peers that claim more work than our chain has are asked for headers, several at a
//! time; the complete chain with the most work is judged; its blocks are fetched from whoever has
//! them, in parallel, and imported in order. Whoever sent something wrong is named in
//! [`Action::Punish`]; what was asked of a peer that failed is asked of another.

mod blocks;
mod headers;
mod orphans;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::limits::INVALID_HASHES_MAX;
use crate::view::{CheckedHeader, Fault, Imported};
use crate::wire::message::Tip;
use crate::{Hash, PeerId};
use blocks::Download;
use headers::Collection;
pub use orphans::Orphans;

/// Score for an answer that does not come.
const SCORE_SILENT: u32 = 5;
/// Score for headers that carry less work than the status said.
const SCORE_BOASTED: u32 = 10;
/// Score for a chain whose blocks nobody has.
const SCORE_WITHHELD: u32 = 25;
/// Score that bans at once.
const SCORE_FORGED: u32 = 100;
/// A peer that was busy is left alone for this time.
const BUSY_MS: u64 = 500;
/// A peer that failed is left alone for this time.
const FAILED_MS: u64 = 10_000;
/// Sync pauses for this time when the node cannot take blocks.
const UNAVAILABLE_MS: u64 = 5_000;

/// Identifies one thing that was asked for.
pub type Ticket = u64;

/// What sync wants done. Each but the last is answered by the input of the same ticket.
#[derive(Debug)]
pub enum Action {
    /// Read our tip and locator: [`Sync::begun`].
    Begin(Ticket),
    /// Ask a peer for headers: [`Sync::headers_answered`].
    AskHeaders {
        /// To be given back.
        ticket: Ticket,
        /// Whom.
        peer: PeerId,
        /// After what.
        locator: Vec<Hash>,
    },
    /// Check headers by [`crate::Judge::check_headers`]: [`Sync::headers_checked`].
    CheckHeaders {
        /// To be given back.
        ticket: Ticket,
        /// The headers before.
        before: Vec<CheckedHeader>,
        /// What came.
        headers: Vec<Vec<u8>>,
    },
    /// Check a candidate by [`crate::Judge::check_candidate`]: [`Sync::candidate_checked`].
    CheckCandidate {
        /// To be given back.
        ticket: Ticket,
        /// Who offered it.
        source: PeerId,
        /// All its headers.
        headers: Arc<Vec<CheckedHeader>>,
    },
    /// Ask a peer for blocks: [`Sync::blocks_answered`].
    AskBlocks {
        /// To be given back.
        ticket: Ticket,
        /// Whom.
        peer: PeerId,
        /// Which.
        hashes: Vec<Hash>,
    },
    /// Import by [`crate::Judge::import_block`]: [`Sync::block_imported`].
    ImportBlock {
        /// To be given back.
        ticket: Ticket,
        /// Who sent it.
        source: PeerId,
        /// Its hash.
        hash: Hash,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Add to a peer's score.
    Punish(PeerId, Fault),
}

/// Why a peer gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It said that it is busy.
    Busy,
    /// Its time was up, or its connection closed.
    Silent,
    /// It answered with something else. Punished where it was read.
    Wrong,
}

/// A block as it came: the hash of the header in it, and all of it.
pub type Arrived = Option<(Option<Hash>, Vec<u8>)>;

/// The state machine. Times are milliseconds from any beginning.
pub struct Sync {
    headers_grace_ms: u64,
    bytes_max: u64,
    sources: BTreeMap<PeerId, Source>,
    own: Tip,
    phase: Phase,
    paused_until_ms: u64,
    invalid: Invalid,
    orphans: Orphans,
    next_ticket: Ticket,
    actions: VecDeque<Action>,
    statistics: Statistics,
}

/// What sync did since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Rounds begun.
    pub rounds: u64,
    /// Headers that passed their checks.
    pub headers: u64,
    /// Blocks imported.
    pub blocks: u64,
    /// Requests given to another peer.
    pub reassigned: u64,
}

/// A peer that can be asked.
struct Source {
    tip: Tip,
    resting_until_ms: u64,
    in_flight: u32,
}

// A node has one of it: a box would save nothing.
#[expect(clippy::large_enum_variant)]
enum Phase {
    Idle,
    Beginning(Ticket),
    Collecting(Collection),
    Judging { ticket: Ticket, source: PeerId, headers: Arc<Vec<CheckedHeader>> },
    Downloading(Download),
}

/// Hashes of blocks found invalid, the oldest forgotten first.
#[derive(Default)]
struct Invalid {
    set: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

impl Invalid {
    fn insert(&mut self, hash: Hash) {
        if self.set.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > INVALID_HASHES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
    }
}

impl Sync {
    /// Idle. `bytes_max` bounds the blocks that are asked for or held.
    pub fn new(headers_grace_ms: u64, bytes_max: u64) -> Self {
        Self {
            headers_grace_ms,
            bytes_max,
            sources: BTreeMap::new(),
            own: Tip::default(),
            phase: Phase::Idle,
            paused_until_ms: 0,
            invalid: Invalid::default(),
            orphans: Orphans::default(),
            next_ticket: 0,
            actions: VecDeque::new(),
            statistics: Statistics::default(),
        }
    }

    /// What to do next; to be asked after every input until there is nothing.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What was done since the last call.
    pub fn take_statistics(&mut self) -> Statistics {
        std::mem::take(&mut self.statistics)
    }

    /// A round is under way.
    pub fn is_active(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Beginning(_))
    }

    /// Blocks without a parent.
    pub fn orphans(&self) -> &Orphans {
        &self.orphans
    }

    /// A peer has this best chain, as it says.
    pub fn peer_tip(&mut self, peer: PeerId, tip: Tip, now_ms: u64) {
        let source = self.sources.entry(peer).or_insert(Source { tip, resting_until_ms: 0, in_flight: 0 });
        source.tip = tip;
        self.advance(now_ms);
    }

    /// A peer is gone. Answers that it owes still fail one by one.
    pub fn peer_gone(&mut self, peer: PeerId, now_ms: u64) {
        self.sources.remove(&peer);
        self.advance(now_ms);
    }

    /// Our best chain, when it is known to have changed.
    pub fn own_tip(&mut self, tip: Tip, now_ms: u64) {
        self.own = tip;
        self.advance(now_ms);
    }

    /// Keeps a block that came by gossip and whose parent is unknown, for the round that will need it. Says whether it was kept.
    pub fn keep_orphan(&mut self, peer: PeerId, hash: Hash, bytes: Vec<u8>) -> bool {
        !self.invalid.set.contains(&hash) && self.orphans.insert(hash, peer, bytes)
    }

    /// Time passes.
    pub fn tick(&mut self, now_ms: u64) {
        self.advance(now_ms);
    }

    /// Answers [`Action::Begin`].
    pub fn begun(&mut self, ticket: Ticket, own: Tip, locator: Vec<Hash>, now_ms: u64) {
        if !matches!(self.phase, Phase::Beginning(expected) if expected == ticket) {
            return;
        }
        self.own = own;
        self.phase = Phase::Idle;
        let peers = self.best_sources(now_ms);
        if !peers.is_empty() {
            self.statistics.rounds += 1;
            self.collect(peers, locator);
        }
        self.advance(now_ms);
    }

    /// Answers [`Action::CheckCandidate`]: the number of its first blocks that we have already, or what is wrong with it.
    pub fn candidate_checked(&mut self, ticket: Ticket, result: Result<usize, Fault>, now_ms: u64) {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Judging { ticket: expected, source, headers } if expected == ticket => match result {
                Ok(known) => self.phase = Phase::Downloading(Download::new(source, headers, known)),
                Err(fault) => {
                    // Without a score it is we who could not judge, and the chain may be good.
                    if let Some(last) = headers.last().filter(|_| fault.ban_score > 0) {
                        self.invalid.insert(last.summary.hash);
                    }
                    self.punish(source, fault, now_ms);
                }
            },
            other => self.phase = other,
        }
        self.advance(now_ms);
    }

    /// Does all that can be done now.
    fn advance(&mut self, now_ms: u64) {
        if matches!(self.phase, Phase::Collecting(_)) {
            self.choose(now_ms);
        }
        if matches!(self.phase, Phase::Downloading(_)) {
            self.download(now_ms);
        }
        if matches!(self.phase, Phase::Idle)
            && now_ms >= self.paused_until_ms
            && !self.best_sources(now_ms).is_empty()
        {
            let ticket = self.ticket();
            self.phase = Phase::Beginning(ticket);
            self.actions.push_back(Action::Begin(ticket));
        }
    }

    /// Peers that claim more work than we have and may be asked, the best first.
    fn best_sources(&self, now_ms: u64) -> Vec<(PeerId, Tip)> {
        let ahead = self.sources.iter().filter(|(_, source)| {
            source.tip.work > self.own.work
                && source.resting_until_ms <= now_ms
                && !self.invalid.set.contains(&source.tip.hash)
        });
        let mut peers: Vec<_> = ahead.map(|(peer, source)| (*peer, source.tip)).collect();
        peers.sort_by_key(|(peer, tip)| (std::cmp::Reverse(tip.work), *peer));
        peers.truncate(crate::limits::HEADER_SOURCES_MAX);
        peers
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        self.next_ticket
    }

    fn rest(&mut self, peer: PeerId, until_ms: u64) {
        if let Some(source) = self.sources.get_mut(&peer) {
            source.resting_until_ms = source.resting_until_ms.max(until_ms);
        }
    }

    /// Names the guilty, and leaves it alone for a while, so that a round does not begin with it again at once.
    fn punish(&mut self, peer: PeerId, fault: Fault, now_ms: u64) {
        self.rest(peer, now_ms + FAILED_MS);
        self.actions.push_back(Action::Punish(peer, fault));
    }

    fn failed(&mut self, peer: PeerId, failure: Failure, now_ms: u64) {
        match failure {
            Failure::Busy => self.rest(peer, now_ms + BUSY_MS),
            Failure::Wrong => self.rest(peer, now_ms + FAILED_MS),
            Failure::Silent => {
                let fault =
                    Fault { ban_score: SCORE_SILENT, reason: "It did not answer a request of sync.".into() };
                self.punish(peer, fault, now_ms);
            }
        }
    }

    /// Answers [`Action::ImportBlock`].
    pub fn block_imported(&mut self, ticket: Ticket, imported: Imported, now_ms: u64) {
        self.after_import(ticket, imported, now_ms);
        self.advance(now_ms);
    }
}
