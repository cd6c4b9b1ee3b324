//! Collecting headers from several peers and choosing among their chains.

use std::sync::Arc;

use super::{Action, Failure, Phase, SCORE_BOASTED, SCORE_FORGED, Sync, Ticket};
use crate::limits::{CANDIDATE_HEADERS_MAX, HEADER_CONTEXT, HEADERS_PER_ANSWER_MAX};
use crate::view::{CheckedHeader, Fault};
use crate::wire::message::Tip;
use crate::{Hash, PeerId};

/// Chains that are being collected.
pub(super) struct Collection {
    locator: Vec<Hash>,
    collectors: Vec<Collector>,
    first_complete_ms: Option<u64>,
}

/// One peer's chain so far.
struct Collector {
    peer: PeerId,
    claimed: Tip,
    headers: Vec<CheckedHeader>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// An answer is awaited.
    Asking(Ticket),
    /// Its check is awaited; whether the answer was short, so that nothing follows it.
    Checking(Ticket, bool),
    /// To be asked once the peer is not busy any more.
    Waiting(u64),
    /// So far the same chain as this peer's, which is collected; asked again only if that one fails.
    Following(PeerId),
    /// Nothing follows.
    Complete,
}

impl Collector {
    /// The header with this hash is in the chain.
    fn contains(&self, header: &CheckedHeader) -> bool {
        let first = self.headers.first().map_or(u64::MAX, |first| first.summary.height);
        let index = header.summary.height.checked_sub(first).and_then(|index| usize::try_from(index).ok());
        let same = index.and_then(|index| self.headers.get(index));
        same.is_some_and(|same| same.summary.hash == header.summary.hash)
    }

    fn work(&self) -> [u8; 32] {
        self.headers.last().map_or([0; 32], |last| last.summary.work)
    }
}

/// Each header is the child of the one before.
fn is_chain(before: Option<&CheckedHeader>, headers: &[CheckedHeader]) -> bool {
    let linked = |parent: &CheckedHeader, child: &CheckedHeader| {
        child.summary.parent == parent.summary.hash
            && parent.summary.height.checked_add(1) == Some(child.summary.height)
            && child.summary.work > parent.summary.work
    };
    let first = before.is_none_or(|parent| headers.first().is_none_or(|child| linked(parent, child)));
    first && headers.windows(2).all(|pair| linked(&pair[0], &pair[1]))
}

impl Sync {
    pub(super) fn collect(&mut self, peers: Vec<(PeerId, Tip)>, locator: Vec<Hash>) {
        let mut collectors = Vec::new();
        for (peer, claimed) in peers {
            let ticket = self.ticket();
            self.actions.push_back(Action::AskHeaders { ticket, peer, locator: locator.clone() });
            collectors.push(Collector { peer, claimed, headers: Vec::new(), state: State::Asking(ticket) });
        }
        self.phase = Phase::Collecting(Collection { locator, collectors, first_complete_ms: None });
    }

    /// Answers [`Action::AskHeaders`].
    pub fn headers_answered(&mut self, ticket: Ticket, result: Result<Vec<Vec<u8>>, Failure>, now_ms: u64) {
        let next = self.next_ticket + 1;
        let Some(collector) = self.collector(|state| state == State::Asking(ticket)) else { return };
        let peer = collector.peer;
        match result {
            Ok(headers) if headers.is_empty() => collector.state = State::Complete,
            Ok(headers) => {
                collector.state = State::Checking(next, headers.len() < HEADERS_PER_ANSWER_MAX);
                let start = collector.headers.len().saturating_sub(HEADER_CONTEXT);
                let before = collector.headers[start..].to_vec();
                self.next_ticket = next;
                self.actions.push_back(Action::CheckHeaders { ticket: next, before, headers });
            }
            Err(Failure::Busy) => collector.state = State::Waiting(now_ms + super::BUSY_MS),
            Err(failure) => {
                self.drop_collector(peer);
                self.failed(peer, failure, now_ms);
            }
        }
        self.advance(now_ms);
    }

    /// Answers [`Action::CheckHeaders`].
    pub fn headers_checked(
        &mut self,
        ticket: Ticket,
        result: Result<Vec<CheckedHeader>, Fault>,
        now_ms: u64,
    ) {
        let checking = |state| matches!(state, State::Checking(expected, _) if expected == ticket);
        let Some(collector) = self.collector(checking) else { return };
        let peer = collector.peer;
        let headers = match result {
            Ok(headers) if !is_chain(collector.headers.last(), &headers) => Err(Fault {
                ban_score: SCORE_BOASTED,
                reason: "Its headers do not continue the chain that it was asked for.".into(),
            }),
            Ok(headers) if headers.iter().any(|header| self.invalid.set.contains(&header.summary.hash)) => {
                Err(Fault {
                    ban_score: SCORE_FORGED,
                    reason: "Its chain holds a block known to be invalid.".into(),
                })
            }
            other => other,
        };
        match headers {
            Ok(headers) => {
                self.statistics.headers += headers.len() as u64;
                self.append(ticket, headers);
            }
            Err(fault) => {
                self.drop_collector(peer);
                self.punish(peer, fault, now_ms);
            }
        }
        self.advance(now_ms);
    }

    fn collector(&mut self, wanted: impl Fn(State) -> bool) -> Option<&mut Collector> {
        let Phase::Collecting(collection) = &mut self.phase else { return None };
        collection.collectors.iter_mut().find(|collector| wanted(collector.state))
    }

    fn append(&mut self, ticket: Ticket, mut headers: Vec<CheckedHeader>) {
        let next = self.next_ticket + 1;
        let Phase::Collecting(collection) = &mut self.phase else { return };
        let checking = |collector: &Collector| matches!(collector.state, State::Checking(expected, _) if expected == ticket);
        let Some(index) = collection.collectors.iter().position(checking) else { return };
        let collector = &mut collection.collectors[index];
        let short = matches!(collector.state, State::Checking(_, true));
        headers.truncate(CANDIDATE_HEADERS_MAX - collector.headers.len());
        collector.headers.append(&mut headers);
        if short || collector.headers.len() >= CANDIDATE_HEADERS_MAX {
            collector.state = State::Complete;
            return;
        }
        let Some(last) = collector.headers.last().cloned() else { return };
        let leads = |other: &&Collector| !matches!(other.state, State::Following(_)) && other.contains(&last);
        let others = collection.collectors.iter().enumerate().filter(|(other, _)| *other != index);
        let leader = others.map(|(_, other)| other).find(leads).map(|leader| leader.peer);
        let collector = &mut collection.collectors[index];
        match leader {
            Some(leader) => collector.state = State::Following(leader),
            None => {
                collector.state = State::Asking(next);
                let (peer, locator) = (collector.peer, vec![last.summary.hash]);
                self.next_ticket = next;
                self.actions.push_back(Action::AskHeaders { ticket: next, peer, locator });
            }
        }
    }

    /// Takes a peer's chain out; those who followed it are asked themselves.
    fn drop_collector(&mut self, peer: PeerId) {
        let Phase::Collecting(collection) = &mut self.phase else { return };
        collection.collectors.retain(|collector| collector.peer != peer);
        for collector in &mut collection.collectors {
            if collector.state == State::Following(peer) {
                collector.state = State::Waiting(0);
            }
        }
    }

    /// Asks those who wait; when all are complete, or one is and the others had their time, takes the chain with the most work.
    pub(super) fn choose(&mut self, now_ms: u64) {
        self.ask_waiting(now_ms);
        let Phase::Collecting(collection) = &mut self.phase else { return };
        let complete = collection.collectors.iter().any(|collector| collector.state == State::Complete);
        let open = collection.collectors.iter().any(|collector| {
            matches!(collector.state, State::Asking(_) | State::Checking(..) | State::Waiting(_))
        });
        if complete {
            collection.first_complete_ms.get_or_insert(now_ms);
        }
        let grace_over =
            collection.first_complete_ms.is_some_and(|first| now_ms >= first + self.headers_grace_ms);
        if open && !grace_over {
            return;
        }
        let Phase::Collecting(collection) = std::mem::replace(&mut self.phase, Phase::Idle) else { return };
        let mut collectors = collection.collectors;
        collectors.retain(|collector| collector.state == State::Complete);
        let mut best: Option<Collector> = None;
        for collector in collectors {
            if collector.work() <= self.own.work {
                // It has not what it claims, or had it until it reorganised: a small matter once, a ban if it goes on.
                if collector.claimed.work > self.own.work {
                    let reason = "Its headers carry less work than its status said.".into();
                    self.punish(collector.peer, Fault { ban_score: SCORE_BOASTED, reason }, now_ms);
                }
            } else if best.as_ref().is_none_or(|best| collector.work() > best.work()) {
                best = Some(collector);
            }
        }
        if let Some(best) = best {
            let ticket = self.ticket();
            let (source, headers) = (best.peer, Arc::new(best.headers));
            self.actions.push_back(Action::CheckCandidate { ticket, source, headers: headers.clone() });
            self.phase = Phase::Judging { ticket, source, headers };
        }
    }

    fn ask_waiting(&mut self, now_ms: u64) {
        let Phase::Collecting(collection) = &mut self.phase else { return };
        for collector in &mut collection.collectors {
            if matches!(collector.state, State::Waiting(until_ms) if until_ms <= now_ms) {
                self.next_ticket += 1;
                let (ticket, peer) = (self.next_ticket, collector.peer);
                collector.state = State::Asking(ticket);
                let locator = match collector.headers.last() {
                    Some(last) => vec![last.summary.hash],
                    None => collection.locator.clone(),
                };
                self.actions.push_back(Action::AskHeaders { ticket, peer, locator });
            }
        }
    }
}
