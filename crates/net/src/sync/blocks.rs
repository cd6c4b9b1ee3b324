//! Fetching the blocks of a chosen chain from many peers and importing them in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Action, Arrived, Failure, Phase, SCORE_FORGED, SCORE_WITHHELD, Sync, Ticket, UNAVAILABLE_MS};
use crate::limits::{ANSWER_BYTES_MAX, BLOCKS_PER_ANSWER_MAX};
use crate::view::{CheckedHeader, Fault, Imported};
use crate::{Hash, PeerId};

/// Blocks ahead of the one to be imported next that may be asked for.
const WINDOW: usize = 512;
/// Requests that one peer is given at a time.
const REQUESTS_PER_PEER_MAX: u32 = 2;

/// A chain whose blocks are being fetched. Blocks are named by their index in `headers`.
pub(super) struct Download {
    source: PeerId,
    headers: Arc<Vec<CheckedHeader>>,
    /// The block to be imported next.
    next: usize,
    importing: Option<Import>,
    /// The first block that nobody was asked for yet.
    unasked: usize,
    /// Blocks before `unasked` that must be asked for again.
    again: BTreeSet<usize>,
    asked: BTreeMap<Ticket, (PeerId, Vec<usize>)>,
    arrived: BTreeMap<usize, (PeerId, Vec<u8>)>,
    arrived_bytes: u64,
    /// Who failed to give a block.
    tried: BTreeMap<usize, BTreeSet<PeerId>>,
}

struct Import {
    ticket: Ticket,
    sender: PeerId,
}

impl Download {
    pub(super) fn new(source: PeerId, headers: Arc<Vec<CheckedHeader>>, known: usize) -> Self {
        let known = known.min(headers.len());
        Self {
            source,
            headers,
            next: known,
            importing: None,
            unasked: known,
            again: BTreeSet::new(),
            asked: BTreeMap::new(),
            arrived: BTreeMap::new(),
            arrived_bytes: 0,
            tried: BTreeMap::new(),
        }
    }

    fn hash(&self, index: usize) -> Hash {
        self.headers[index].summary.hash
    }

    /// The first block that should be asked for.
    fn wanted(&self) -> Option<usize> {
        let fresh = (self.unasked < self.headers.len().min(self.next + WINDOW)).then_some(self.unasked);
        self.again.first().copied().or(fresh)
    }

    /// Nobody need be asked for what came by itself.
    fn skip_arrived(&mut self) {
        while self.arrived.contains_key(&self.unasked) {
            self.unasked += 1;
        }
    }

    fn failed(&mut self, index: usize, peer: PeerId) {
        self.tried.entry(index).or_default().insert(peer);
        self.again.insert(index);
    }

    fn has_failed(&self, index: usize, peer: &PeerId) -> bool {
        self.tried.get(&index).is_some_and(|peers| peers.contains(peer))
    }

    fn keep(&mut self, index: usize, peer: PeerId, bytes: Vec<u8>) {
        self.arrived_bytes += bytes.len() as u64;
        self.arrived.insert(index, (peer, bytes));
    }

    /// Takes the blocks to ask a peer for out of those wanted: the first, and what follows it and the peer has not failed to give.
    fn take(&mut self, first: usize, peer: &PeerId) -> Vec<usize> {
        let end = self.headers.len().min(self.next + WINDOW);
        let again = self.again.range(first..).copied();
        let fresh = self.unasked.max(first)..end;
        let fresh = fresh.filter(|index| !self.arrived.contains_key(index));
        let indices =
            again.chain(fresh).filter(|&index| !self.has_failed(index, peer)).take(BLOCKS_PER_ANSWER_MAX);
        let indices: Vec<_> = indices.collect();
        for &index in &indices {
            if !self.again.remove(&index) {
                // Those that were skipped because the peer failed to give them stay wanted.
                let skipped = self.unasked..index;
                self.again.extend(skipped.filter(|index| !self.arrived.contains_key(index)));
                self.unasked = index + 1;
            }
        }
        self.skip_arrived();
        indices
    }
}

impl Sync {
    /// Answers [`Action::AskBlocks`].
    pub fn blocks_answered(&mut self, ticket: Ticket, result: Result<Vec<Arrived>, Failure>, now_ms: u64) {
        let Phase::Downloading(download) = &mut self.phase else { return };
        let Some((peer, indices)) = download.asked.remove(&ticket) else { return };
        if let Some(source) = self.sources.get_mut(&peer) {
            source.in_flight = source.in_flight.saturating_sub(1);
        }
        let mut forged = false;
        match result {
            Ok(blocks) => {
                let mut blocks = blocks.into_iter();
                for index in indices {
                    match blocks.next() {
                        Some(Some((hash, bytes))) if hash == Some(download.hash(index)) => {
                            download.keep(index, peer, bytes);
                        }
                        Some(block) => {
                            forged |= block.is_some();
                            download.failed(index, peer);
                            self.statistics.reassigned += 1;
                        }
                        // The answer was full before it came to this one.
                        None => {
                            download.again.insert(index);
                        }
                    }
                }
                if forged {
                    let reason = "It sent another block than it was asked for.".into();
                    self.punish(peer, Fault { ban_score: SCORE_FORGED, reason }, now_ms);
                }
            }
            Err(failure) => {
                for index in indices {
                    if failure == Failure::Busy {
                        download.again.insert(index);
                    } else {
                        download.failed(index, peer);
                        self.statistics.reassigned += 1;
                    }
                }
                self.failed(peer, failure, now_ms);
            }
        }
        self.advance(now_ms);
    }

    /// Imports what can be, asks for what is missing, and ends the round when all is imported or cannot be had.
    pub(super) fn download(&mut self, now_ms: u64) {
        self.take_orphans();
        self.import_next();
        let Phase::Downloading(download) = &self.phase else { return };
        if download.next == download.headers.len() {
            let last = download.headers.last().map(|last| last.summary);
            if let Some(last) = last {
                // The chain says what its tip is when the next round begins; until then this avoids asking for the same again.
                self.own.work = self.own.work.max(last.work);
            }
            self.end_round();
            return;
        }
        while self.ask_blocks(now_ms) {}
        self.give_up_if_withheld(now_ms);
    }

    fn end_round(&mut self) {
        self.phase = Phase::Idle;
        // Answers that are still on their way belong to nobody now.
        self.sources.values_mut().for_each(|source| source.in_flight = 0);
    }

    fn take_orphans(&mut self) {
        let Phase::Downloading(download) = &mut self.phase else { return };
        let end = download.headers.len().min(download.next + WINDOW);
        for index in download.unasked..end {
            if self.orphans.count() == 0 {
                break;
            }
            if let Some((peer, bytes)) = self.orphans.take(&download.hash(index)) {
                download.keep(index, peer, bytes);
            }
        }
        download.skip_arrived();
    }

    fn import_next(&mut self) {
        let ticket = self.next_ticket + 1;
        let Phase::Downloading(download) = &mut self.phase else { return };
        if download.importing.is_some() {
            return;
        }
        let Some((sender, bytes)) = download.arrived.remove(&download.next) else { return };
        download.arrived_bytes -= bytes.len() as u64;
        download.importing = Some(Import { ticket, sender });
        let hash = download.hash(download.next);
        self.next_ticket = ticket;
        self.actions.push_back(Action::ImportBlock { ticket, source: sender, hash, bytes });
    }

    /// Gives one request to one peer, if there is something to ask, somebody to ask, and room for the answer.
    fn ask_blocks(&mut self, now_ms: u64) -> bool {
        let ticket = self.next_ticket + 1;
        let Phase::Downloading(download) = &mut self.phase else { return false };
        let Some(first) = download.wanted() else { return false };
        let reserved = (download.asked.len() as u64 + 1) * ANSWER_BYTES_MAX as u64;
        // The block that is to be imported next may always be asked for: all else waits for it.
        let starved = first == download.next && download.asked.is_empty();
        if download.arrived_bytes + reserved > self.bytes_max && !starved {
            return false;
        }
        let height = download.headers[first].summary.height;
        let free = self.sources.iter_mut().filter(|(peer, source)| {
            source.tip.height >= height
                && source.resting_until_ms <= now_ms
                && source.in_flight < REQUESTS_PER_PEER_MAX
                && !download.has_failed(first, peer)
        });
        let Some((peer, source)) = free.min_by_key(|(peer, source)| (source.in_flight, **peer)) else {
            return false;
        };
        let indices = download.take(first, peer);
        source.in_flight += 1;
        let hashes = indices.iter().map(|&index| download.hash(index)).collect();
        download.asked.insert(ticket, (*peer, indices));
        self.next_ticket = ticket;
        self.actions.push_back(Action::AskBlocks { ticket, peer: *peer, hashes });
        true
    }

    /// When everybody failed to give the first wanted block, the chain is dropped, and whoever offered it is to blame.
    fn give_up_if_withheld(&mut self, now_ms: u64) {
        let Phase::Downloading(download) = &self.phase else { return };
        let Some(first) = download.wanted() else { return };
        let height = download.headers[first].summary.height;
        let hope = self
            .sources
            .iter()
            .any(|(peer, source)| source.tip.height >= height && !download.has_failed(first, peer));
        if hope || !download.asked.is_empty() || download.importing.is_some() {
            return;
        }
        let source = download.source;
        self.end_round();
        // Where the peer is gone, it could not be asked: that is nobody's fault.
        if self.sources.contains_key(&source) {
            let reason = "Nobody has the blocks of the chain that it offered.".into();
            self.punish(source, Fault { ban_score: SCORE_WITHHELD, reason }, now_ms);
        }
    }

    pub(super) fn after_import(&mut self, ticket: Ticket, imported: Imported, now_ms: u64) {
        let Phase::Downloading(download) = &mut self.phase else { return };
        let Some(import) = download.importing.take_if(|import| import.ticket == ticket) else { return };
        match imported {
            Imported::Stored => {
                download.tried.remove(&download.next);
                download.next += 1;
                self.statistics.blocks += 1;
            }
            Imported::WrongBody(fault) => {
                download.failed(download.next, import.sender);
                self.statistics.reassigned += 1;
                self.punish(import.sender, fault, now_ms);
            }
            Imported::Invalid(fault) => {
                let (source, hash) = (download.source, download.hash(download.next));
                if fault.ban_score > 0 {
                    self.invalid.insert(hash);
                }
                self.end_round();
                if source != import.sender {
                    self.punish(import.sender, fault.clone(), now_ms);
                }
                self.punish(source, fault, now_ms);
            }
            Imported::Unavailable => {
                self.paused_until_ms = now_ms + UNAVAILABLE_MS;
                self.end_round();
            }
        }
    }
}
