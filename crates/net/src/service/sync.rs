//! Between the sync machine and the rest: its actions become requests and calls of the judge.

use super::Service;
use super::exchange::Asked;
use crate::counters::Counters;
use crate::event::Event;
use crate::limits::{BLOCK_BYTES_MAX, HEADERS_PER_ANSWER_MAX};
use crate::sync::{Action, Ticket};
use crate::view::{CheckedHeader, Fault, Imported, Judge};
use crate::wire::bounded::{Bytes, List};
use crate::wire::message::Request;

impl Service {
    /// Does what sync wants, until it wants nothing more.
    pub(super) fn run_sync(&mut self) {
        while let Some(action) = self.sync.next_action() {
            self.act(action);
        }
        let statistics = self.sync.take_statistics();
        Counters::add(&self.counters.sync_rounds, statistics.rounds);
        Counters::add(&self.counters.sync_headers, statistics.headers);
        Counters::add(&self.counters.sync_blocks, statistics.blocks);
        Counters::add(&self.counters.sync_reassigned, statistics.reassigned);
        let active = self.sync.is_active();
        if active != self.sync_was_active {
            self.sync_was_active = active;
            if !active {
                self.read_own_tip();
            }
            self.tell(if active { Event::SyncStarted } else { Event::SyncEnded });
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Begin(ticket) => {
                let view = self.view.clone();
                self.run_blocking(
                    move || (view.tip(), view.locator()),
                    move |service, read| {
                        let now_ms = service.now_ms();
                        let (tip, locator) = read.unwrap_or((service.own, Vec::new()));
                        service.own = tip;
                        service.sync.begun(ticket, tip, locator, now_ms);
                    },
                );
            }
            Action::AskHeaders { ticket, peer, locator } => {
                let count_max = u16::try_from(HEADERS_PER_ANSWER_MAX).unwrap_or(u16::MAX);
                let request = Request::Headers { locator: List::first(locator), count_max };
                self.ask(peer, request, Asked::Headers(ticket));
            }
            Action::AskBlocks { ticket, peer, hashes } => {
                let count = hashes.len();
                self.ask(peer, Request::Blocks(List::first(hashes)), Asked::Blocks { ticket, count });
            }
            Action::CheckHeaders { ticket, before, headers } => {
                let judge = self.judge.clone();
                self.run_blocking(
                    move || check(&*judge, &before, headers),
                    move |service, checked| {
                        let now_ms = service.now_ms();
                        service.sync.headers_checked(
                            ticket,
                            checked.unwrap_or_else(|| Err(nobody())),
                            now_ms,
                        );
                    },
                );
            }
            Action::CheckCandidate { ticket, source, headers } => {
                let judge = self.judge.clone();
                let work = move || {
                    judge.check_candidate(source, &headers)?;
                    Ok(headers.iter().take_while(|header| judge.has_block(&header.summary.hash)).count())
                };
                self.run_blocking(work, move |service, checked| {
                    let now_ms = service.now_ms();
                    service.sync.candidate_checked(ticket, checked.unwrap_or_else(|| Err(nobody())), now_ms);
                });
            }
            Action::ImportBlock { ticket, source, hash, bytes } => {
                let judge = self.judge.clone();
                self.run_blocking(
                    move || judge.import_block(source, &hash, &bytes),
                    move |service, imported| {
                        let now_ms = service.now_ms();
                        service.sync.block_imported(
                            ticket,
                            imported.unwrap_or(Imported::Unavailable),
                            now_ms,
                        );
                    },
                );
            }
            Action::Punish(peer, fault) => self.punish(peer, fault.ban_score, &fault.reason),
        }
    }

    /// Blocks came: the hash in each is computed before sync sees them.
    pub(super) fn on_blocks(&mut self, ticket: Ticket, blocks: Vec<Option<Bytes<BLOCK_BYTES_MAX>>>) {
        let (judge, count) = (self.judge.clone(), blocks.len());
        let named = move || {
            let name = |block: Bytes<BLOCK_BYTES_MAX>| (judge.block_hash(block.as_slice()), block.into_vec());
            blocks.into_iter().map(|block| block.map(name)).collect()
        };
        self.run_blocking(named, move |service, blocks| {
            let now_ms = service.now_ms();
            service.sync.blocks_answered(ticket, Ok(blocks.unwrap_or_else(|| vec![None; count])), now_ms);
        });
    }
}

fn check(
    judge: &dyn Judge,
    before: &[CheckedHeader],
    headers: Vec<Vec<u8>>,
) -> Result<Vec<CheckedHeader>, Fault> {
    let summaries = judge.check_headers(before, &headers)?;
    assert_eq!(summaries.len(), headers.len(), "a judge gives one summary for each header");
    Ok(summaries.into_iter().zip(headers).map(|(summary, bytes)| CheckedHeader { summary, bytes }).collect())
}

/// The judge failed, not the peer.
fn nobody() -> Fault {
    Fault { ban_score: 0, reason: "Our own check failed.".into() }
}
