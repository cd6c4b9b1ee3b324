//! Requests: answering those of peers within their limits, making ours.

use std::time::Instant;

use libp2p::PeerId;
use libp2p::request_response::{Event, InboundRequestId, Message, ResponseChannel};

use super::Service;
use crate::Hash;
use crate::counters::Counters;
use crate::error::NetError;
use crate::handle::Reply;
use crate::limits::{
    ANSWER_BYTES_MAX, BLOCK_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_PER_ANSWER_MAX, PROBLEM_BYTES_MAX,
};
use crate::sync::{Failure, Ticket};
use crate::view::View;
use crate::wire::bounded::{Bytes, List};
use crate::wire::message::{Answer, PROTOCOL_VERSION, Request, Status};

/// Score for an answer of another kind, or longer than allowed.
const SCORE_WRONG_ANSWER: u32 = 50;
/// Score for a request above the allowance, once the peer was told often enough.
const SCORE_FLOOD: u32 = 10;
/// Lengths and tags of an answer, beside its items.
const ANSWER_FRAME_BYTES: usize = 64;

/// What a request of ours was for.
pub(crate) enum Asked {
    Status,
    Headers(Ticket),
    Blocks { ticket: Ticket, count: usize },
    User { request: Request, reply: Reply<Answer> },
}

/// A request that is being answered: bytes set aside for its answer.
pub(crate) struct Reserved {
    peer: PeerId,
    bytes: u64,
    /// The node is still reading what was asked for.
    working: bool,
}

impl Service {
    pub(super) fn status(&self) -> Status {
        let network = Bytes::new(self.identity.network.clone().into_bytes()).unwrap_or_default();
        Status { version: PROTOCOL_VERSION, network, genesis: self.identity.genesis, tip: self.own }
    }

    pub(super) fn on_exchange(&mut self, event: Event<Request, Answer>) {
        match event {
            Event::Message { peer, message: Message::Request { request_id, request, channel }, .. } => {
                self.on_request(peer, request_id, request, channel);
            }
            Event::Message { peer, message: Message::Response { request_id, response }, .. } => {
                if let Some((_, asked)) = self.asked.remove(&request_id) {
                    self.on_answer(peer, asked, response);
                }
            }
            Event::OutboundFailure { request_id, error, .. } => {
                if let Some((peer, asked)) = self.asked.remove(&request_id) {
                    tracing::debug!(%peer, %error, "a request failed");
                    self.on_failure(peer, asked, &error.to_string());
                }
            }
            Event::InboundFailure { request_id, peer, error, .. } => {
                tracing::debug!(%peer, %error, "an answer failed");
                self.release(request_id);
            }
            Event::ResponseSent { request_id, .. } => self.release(request_id),
        }
    }

    fn on_request(
        &mut self,
        peer: PeerId,
        id: InboundRequestId,
        request: Request,
        channel: ResponseChannel<Answer>,
    ) {
        if let Request::Status(status) = &request
            && !self.on_status(peer, status.clone())
        {
            return;
        }
        let (total, limits) = (
            self.counters.answer_bytes_in_flight.load(std::sync::atomic::Ordering::Relaxed),
            &self.config.limits,
        );
        let bytes = request.answer_bytes_max() as u64;
        let record = self.peers.entry(peer, Instant::now());
        let allowed = record.may_request(request.cost());
        let room = total + bytes <= limits.answer_bytes_in_flight_max
            && self.serving < limits.requests_serving_max
            && record.serving < limits.requests_serving_per_peer_max;
        if !allowed || !room {
            Counters::add(&self.counters.requests_limited, 1);
            let flood = !allowed && !record.may_be_refused();
            // Where the stream is gone already, the peer knows more than it would be told.
            let _ = self.swarm.behaviour_mut().exchange.send_response(channel, Answer::Busy);
            if flood {
                self.punish(peer, SCORE_FLOOD, "It floods this node with requests.");
            }
            return;
        }
        record.serving += 1;
        self.serving += 1;
        Counters::add(&self.counters.answer_bytes_in_flight, bytes);
        self.answering.insert(id, Reserved { peer, bytes, working: true });
        let (view, status) = (self.view.clone(), self.status());
        self.run_blocking(
            move || answer(&*view, status, &request),
            move |service, answer| {
                service.send_answer(id, channel, answer.unwrap_or(Answer::Busy));
            },
        );
    }

    fn send_answer(&mut self, id: InboundRequestId, channel: ResponseChannel<Answer>, answer: Answer) {
        let bytes = answer_bytes(&answer);
        if let Some(reserved) = self.answering.get_mut(&id) {
            Counters::take(&self.counters.answer_bytes_in_flight, reserved.bytes);
            Counters::add(&self.counters.answer_bytes_in_flight, bytes);
            reserved.bytes = bytes;
            let peer = reserved.peer;
            if std::mem::take(&mut reserved.working) {
                self.worked(peer);
            }
        }
        if self.swarm.behaviour_mut().exchange.send_response(channel, answer).is_ok() {
            Counters::add(&self.counters.requests_answered, 1);
            Counters::add(&self.counters.answer_bytes_sent, bytes);
        } else {
            self.release(id);
        }
    }

    fn worked(&mut self, peer: PeerId) {
        self.serving = self.serving.saturating_sub(1);
        if let Some(record) = self.peers.get_mut(&peer) {
            record.serving = record.serving.saturating_sub(1);
        }
    }

    /// The answer has left, or will never.
    fn release(&mut self, id: InboundRequestId) {
        if let Some(reserved) = self.answering.remove(&id) {
            Counters::take(&self.counters.answer_bytes_in_flight, reserved.bytes);
            if reserved.working {
                self.worked(reserved.peer);
            }
        }
    }

    /// Sends a request; the answer or the failure comes to whom `asked` says.
    pub(super) fn ask(&mut self, peer: PeerId, request: Request, asked: Asked) {
        Counters::add(&self.counters.requests_made, 1);
        if !self.swarm.is_connected(&peer) {
            self.on_failure(peer, asked, "it is not connected.");
            return;
        }
        let id = self.swarm.behaviour_mut().exchange.send_request(&peer, request);
        self.asked.insert(id, (peer, asked));
    }

    pub(super) fn ask_status(&mut self, peer: PeerId) {
        self.peers.entry(peer, Instant::now()).status_asked_at = Some(Instant::now());
        let status = self.status();
        self.ask(peer, Request::Status(status), Asked::Status);
    }

    fn on_answer(&mut self, peer: PeerId, asked: Asked, answer: Answer) {
        Counters::add(&self.counters.answer_bytes_received, answer_bytes(&answer));
        let now_ms = self.now_ms();
        match (asked, answer) {
            (Asked::Status, Answer::Status(status)) => {
                self.on_status(peer, status);
            }
            (Asked::Status, Answer::Busy) => {}
            (Asked::Headers(ticket), Answer::Headers(headers)) => {
                let headers = headers.into_vec().into_iter().map(Bytes::into_vec).collect();
                self.sync.headers_answered(ticket, Ok(headers), now_ms);
            }
            (Asked::Headers(ticket), Answer::Busy) => {
                self.sync.headers_answered(ticket, Err(Failure::Busy), now_ms)
            }
            (Asked::Blocks { ticket, count }, Answer::Blocks(blocks))
                if (1..=count).contains(&blocks.as_slice().len()) =>
            {
                self.on_blocks(ticket, blocks.into_vec());
            }
            (Asked::Blocks { ticket, .. }, Answer::Busy) => {
                self.sync.blocks_answered(ticket, Err(Failure::Busy), now_ms)
            }
            (Asked::User { request, reply }, answer) if request.is_answered_by(&answer) => {
                drop(reply.send(Ok(answer)))
            }
            (asked, _) => {
                self.punish(peer, SCORE_WRONG_ANSWER, "It answered a request with something else.");
                self.fail(asked, Failure::Wrong, "its answer was of another kind.");
            }
        }
    }

    fn on_failure(&mut self, peer: PeerId, asked: Asked, reason: &str) {
        tracing::trace!(%peer, reason, "no answer");
        self.fail(asked, Failure::Silent, reason);
    }

    fn fail(&mut self, asked: Asked, failure: Failure, reason: &str) {
        Counters::add(&self.counters.requests_failed, 1);
        let now_ms = self.now_ms();
        match asked {
            Asked::Status => {}
            Asked::Headers(ticket) => self.sync.headers_answered(ticket, Err(failure), now_ms),
            Asked::Blocks { ticket, .. } => self.sync.blocks_answered(ticket, Err(failure), now_ms),
            Asked::User { reply, .. } => drop(reply.send(Err(NetError::NoAnswer(reason.to_owned())))),
        }
    }
}

/// Reads from the node what was asked for; what is over a bound is left out, so that the answer is always valid.
fn answer(view: &dyn View, status: Status, request: &Request) -> Answer {
    match request {
        Request::Status(_) => Answer::Status(Status { tip: view.tip(), ..status }),
        Request::Headers { locator, count_max } => {
            let count_max = usize::from(*count_max).min(HEADERS_PER_ANSWER_MAX);
            let headers = view.headers_after(locator.as_slice(), count_max);
            let bounded = headers.into_iter().map(Bytes::<HEADER_BYTES_MAX>::new);
            let mut headers: Vec<_> = bounded.map_while(Result::ok).collect();
            headers.truncate(count_max);
            Answer::Headers(List::first(headers))
        }
        Request::Blocks(hashes) => {
            Answer::Blocks(List::first(collect(hashes.as_slice(), |hash| view.block(hash))))
        }
        Request::Problem(id) => {
            Answer::Problem(view.problem(id).and_then(|bytes| Bytes::<PROBLEM_BYTES_MAX>::new(bytes).ok()))
        }
        Request::Transactions(hashes) => {
            Answer::Transactions(List::first(collect(hashes.as_slice(), |hash| view.transaction(hash))))
        }
    }
}

/// Items by hash, as many of the first as one answer holds, at least one.
fn collect<const MAX: usize>(
    hashes: &[Hash],
    read: impl Fn(&Hash) -> Option<Vec<u8>>,
) -> Vec<Option<Bytes<MAX>>> {
    let mut items = Vec::new();
    let mut left = ANSWER_BYTES_MAX - ANSWER_FRAME_BYTES;
    for hash in hashes {
        let item = read(hash).and_then(|bytes| Bytes::new(bytes).ok());
        let bytes = item.as_ref().map_or(1, |item: &Bytes<MAX>| item.as_slice().len() + 5);
        if bytes > left && !items.is_empty() {
            break;
        }
        left = left.saturating_sub(bytes);
        items.push(item);
    }
    items
}

fn answer_bytes(answer: &Answer) -> u64 {
    let some = |items: &mut dyn Iterator<Item = usize>| items.map(|bytes| bytes + 5).sum::<usize>();
    let bytes = match answer {
        Answer::Status(_) | Answer::Busy => 0,
        Answer::Headers(headers) => {
            some(&mut headers.as_slice().iter().map(|header| header.as_slice().len()))
        }
        Answer::Blocks(blocks) => {
            some(&mut blocks.as_slice().iter().flatten().map(|block| block.as_slice().len()))
        }
        Answer::Problem(problem) => problem.as_ref().map_or(0, |problem| problem.as_slice().len()),
        Answer::Transactions(found) => {
            some(&mut found.as_slice().iter().flatten().map(|bytes| bytes.as_slice().len()))
        }
    };
    (bytes + ANSWER_FRAME_BYTES) as u64
}

/// The largest block and the most headers fit one answer.
const _: () = assert!(BLOCK_BYTES_MAX + ANSWER_FRAME_BYTES + 5 <= ANSWER_BYTES_MAX);
const _: () =
    assert!(HEADERS_PER_ANSWER_MAX * (HEADER_BYTES_MAX + 4) + ANSWER_FRAME_BYTES <= ANSWER_BYTES_MAX);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_the_first_items_and_stays_within_its_bytes() {
        let hashes: Vec<Hash> = (0..8).map(|index| [index; 32]).collect();
        let read = |hash: &Hash| (hash[0] != 1).then(|| vec![0; 2 << 20]);
        let items = collect::<{ 3 << 20 }>(&hashes, read);
        assert_eq!(items.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
        assert!(collect::<8>(&hashes, read).iter().all(Option::is_none));
    }
}
