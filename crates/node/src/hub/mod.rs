//! The worker hub: who is connected, what each mines on, and what becomes of what they find.
//!
//! Each address that somebody mines for has a block template of its own. Templates are made anew when the chain has a new
//! tip, and now and then when transactions came in ([`Hub::refresh`]); a generation number tells sessions to send.

mod board;
mod link;
mod results;
mod session;
mod tables;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hysteron_api::worker::{Figures, Tally, Text, Work};
use hysteron_chain::TemplateLimits;
use hysteron_ledger::{Address, Genesis};
use hysteron_work::{Hash, LegRunner, Problems};
use tokio::sync::watch;

use crate::chain_task::{ChainHandle, Standing, Unanswered, now};
use crate::claims::Account;
use crate::convert::Convert;
use crate::intake::Gate;
use crate::limits::TEMPLATES_PER_GO;
use crate::network::Gossip;
use crate::parcel::Parcel;

pub(crate) use board::Made;
pub(crate) use link::Link;
pub(crate) use results::ResultError;
pub(crate) use session::{listen, serve};

use board::Board;
use tables::Tables;

/// What the hub is made of.
pub(crate) struct Parts {
    pub(crate) chain: ChainHandle,
    pub(crate) gossip: Gossip,
    pub(crate) gate: Gate,
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) genesis_hash: Hash,
    pub(crate) convert: Convert,
    pub(crate) runner: Arc<dyn LegRunner>,
    pub(crate) problems: Arc<dyn Problems>,
    pub(crate) account: Account,
    pub(crate) connections_max: u32,
}

/// Counts since the node started.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) attempts: AtomicU64,
    pub(crate) legs: AtomicU64,
    pub(crate) ecu: AtomicU64,
    pub(crate) hashing_ns: AtomicU64,
    pub(crate) computing_ns: AtomicU64,
    pub(crate) blocks_accepted: AtomicU64,
    pub(crate) blocks_refused: AtomicU64,
    pub(crate) claims_accepted: AtomicU64,
    pub(crate) claims_refused: AtomicU64,
}

/// The hub.
pub(crate) struct Hub {
    parts: Parts,
    board: Mutex<Board>,
    tables: Tables,
    generation: watch::Sender<u64>,
    connections: AtomicU32,
    counts: Counts,
    /// Legs of claims that are run at a time.
    checks: tokio::sync::Semaphore,
}

/// A place among the connections; given back when it is dropped.
pub(crate) struct Place {
    hub: Arc<Hub>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// That somebody mines for an address; given back when it is dropped.
pub(crate) struct Mining {
    hub: Arc<Hub>,
    pub(crate) payee: Address,
    /// Where this connection's nonces begin.
    pub(crate) nonce_start: u64,
}

impl Drop for Mining {
    fn drop(&mut self) {
        self.hub.board().leave(&self.payee);
    }
}

impl Hub {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts,
            board: Mutex::new(Board::default()),
            tables: Tables::default(),
            generation: watch::Sender::new(0),
            connections: AtomicU32::new(0),
            counts: Counts::default(),
            checks: tokio::sync::Semaphore::new(2),
        }
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connected workers.
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }
    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
    pub(crate) fn account(&self) -> &Account {
        &self.parts.account
    }
    /// The bytes of a table that some work named.
    pub(crate) fn table(&self, id: &Hash) -> Option<Arc<Vec<u8>>> {
        self.tables.get(id)
    }
    /// For waiting until there is new work.
    pub(crate) fn generations(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// A place for a connection, unless all are taken.
    pub(crate) fn place(self: &Arc<Self>) -> Option<Place> {
        let most = self.parts.connections_max;
        let taken = self
            .connections
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < most).then_some(n + 1));
        taken.is_ok().then(|| Place { hub: self.clone() })
    }

    /// Begins to make templates for an address, and makes the first one if there is none.
    pub(crate) async fn join(self: &Arc<Self>, payee: Address) -> Result<Mining, ResultError> {
        if !self.board().join(&payee) {
            return Err(ResultError::Payees);
        }
        let mut nonce = [0; 3];
        getrandom::fill(&mut nonce).map_err(|e| ResultError::System(e.to_string()))?;
        let connection = u64::from_le_bytes([nonce[0], nonce[1], nonce[2], 0, 0, 0, 0, 0]);
        let nonce_start = connection * hysteron_api::worker::NONCES_PER_CONNECTION;
        let mining = Mining { hub: self.clone(), payee, nonce_start };
        if self.made(&payee).is_none() {
            self.make(vec![payee]).await?;
        }
        Ok(mining)
    }

    /// The present work for an address.
    pub(crate) fn made(&self, payee: &Address) -> Option<Arc<Made>> {
        self.board().present(payee)
    }

    /// The message for a connection.
    pub(crate) fn work(&self, made: &Made, nonce_start: u64, tally: &Tally) -> Work {
        Work {
            id: made.id,
            network: self.parts.genesis_hash,
            header: made.header_bytes.to_vec(),
            rules: self.parts.genesis.work.clone(),
            nonce_start,
            table: made.table_id,
            table_bytes: made.table_bytes,
            tally: tally.clone(),
        }
    }

    /// Makes templates for these addresses.
    pub(crate) async fn make(&self, payees: Vec<Address>) -> Result<(), Unanswered> {
        for some in payees.chunks(TEMPLATES_PER_GO) {
            let some = some.to_vec();
            let templates = self.parts.chain.ask(move |writer| {
                let make =
                    |payee: Address| (payee, writer.chain.template(payee, now(), TemplateLimits::default()));
                some.into_iter().map(make).collect::<Vec<_>>()
            });
            for (payee, template) in templates.await? {
                match template {
                    Ok(template) => {
                        let (id, bytes) = self.tables.put(&template.header.parent, &template.table);
                        self.board().put(payee, template, id, bytes);
                    }
                    Err(error) => tracing::error!(%error, "no template could be made"),
                }
            }
        }
        Ok(())
    }

    /// New templates for everybody, and the word to sessions.
    async fn refresh(&self) -> Result<(), Unanswered> {
        let payees = self.board().payees();
        self.make(payees).await?;
        self.generation.send_modify(|generation| *generation += 1);
        Ok(())
    }

    /// See [`Account::fill_gaps`].
    async fn fill_gaps(&self) {
        let account = self.parts.account.clone();
        let sent = self.parts.chain.ask(move |writer| account.fill_gaps(writer)).await.unwrap_or_default();
        for signed in sent {
            self.parts.gossip.transaction(Parcel { transaction: signed, problem: None }.encode());
        }
    }

    /// Follows the chain: new work at once for a new tip, and after a while for new transactions or an old time.
    pub(crate) async fn follow(self: Arc<Self>, mut watch: watch::Receiver<Standing>) {
        let spacing = self.parts.genesis.spacing_seconds;
        let patience = Duration::from_millis((spacing * 1000 / 8).max(500));
        let oldest = Duration::from_secs((spacing * 4).max(10));
        let mut made_for = watch.borrow_and_update().clone();
        let mut made_at = tokio::time::Instant::now();
        loop {
            let changes = made_for.mempool_changes != watch.borrow().mempool_changes;
            let wait = if changes { patience } else { oldest };
            let changed = tokio::time::timeout_at(made_at + wait, watch.changed()).await;
            if matches!(changed, Ok(Err(_))) {
                return;
            }
            let standing = watch.borrow_and_update().clone();
            let is_due = changed.is_err() || made_at.elapsed() >= patience;
            let has_moved = standing.tip.hash != made_for.tip.hash;
            let has_filled = standing.mempool_changes != made_for.mempool_changes;
            if has_moved || changed.is_err() || (has_filled && is_due) {
                if has_moved {
                    self.board().moved(standing.tip.height);
                    self.fill_gaps().await;
                }
                if let Err(error) = self.refresh().await {
                    tracing::warn!(%error, "workers keep their work for now");
                }
                made_for = standing;
                made_at = tokio::time::Instant::now();
            }
        }
    }

    /// Adds a worker's report to the figures.
    pub(crate) fn report(&self, figures: &Figures) {
        let counts = &self.counts;
        let add = |count: &AtomicU64, value: u64| {
            // Workers may say anything; a sum that wraps would be worse than one that stops.
            let _ = count
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sum| Some(sum.saturating_add(value)));
        };
        add(&counts.attempts, figures.attempts);
        add(&counts.legs, figures.legs);
        add(&counts.ecu, figures.ecu);
        add(&counts.hashing_ns, figures.hashing_ns);
        add(&counts.computing_ns, figures.computing_ns);
    }

    /// Notes what became of a result, in the connection's tally and the node's counts.
    fn settle<T>(&self, result: &Result<T, ResultError>, tally: &mut Tally, is_block: bool) {
        let counts = &self.counts;
        let (count, own) = match (result.is_ok(), is_block) {
            (true, true) => (&counts.blocks_accepted, &mut tally.blocks_accepted),
            (false, true) => (&counts.blocks_refused, &mut tally.blocks_refused),
            (true, false) => (&counts.claims_accepted, &mut tally.claims_accepted),
            (false, false) => (&counts.claims_refused, &mut tally.claims_refused),
        };
        count.fetch_add(1, Ordering::Relaxed);
        *own = own.saturating_add(1);
        if let Err(error) = result {
            tally.reason = Text::cut(&error.to_string());
        }
    }
}
