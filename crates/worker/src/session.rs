//! The program's side of the worker protocol: connects, mines what the node orders, sends what is found, and connects
//! again when the node goes away.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use borsh::BorshDeserialize;
use hysteron_api::worker::{
    Figures as Reported, FromNode, FromWorker, REPORT_S, Ready, Tally, Text, Work, WorkResult,
};
use hysteron_api::{Client, Hex32};
use hysteron_chain::HeaderBase;
use hysteron_ledger::Address;
use hysteron_work::{CpuRunner, Hash, ProblemId, Table, WorkRules};

use crate::figures::Figures;
use crate::library::{Library, Source};
use crate::miner::{FINDINGS_MAX, Miner};
use crate::notice::{Notice, Report};
use crate::order::{Finding, Order};
use crate::wire::{Endpoint, Wire};

/// Waits between attempts to connect, doubled from the first to the last.
const RETRY: std::ops::RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(30);
/// A connection that lasted so long was a good one: the wait begins anew.
const GOOD: Duration = Duration::from_secs(20);
/// How often a stop is looked for while waiting.
const STOP_LOOK: Duration = Duration::from_millis(50);

/// What a worker needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The node's HTTP URL, `http://127.0.0.1:7341`: problems and tables come from there.
    pub node: String,
    /// Where frames go: beside the HTTP API, or a plain TCP port.
    pub endpoint: Endpoint,
    /// Who earns.
    pub payee: Address,
    /// The network that is wanted, as the hash of its genesis; any if nothing.
    pub network: Option<Hash>,
    /// Threads that mine.
    pub threads: u16,
    /// Seconds between reports to the watcher.
    pub report_s: u64,
    /// Bytes of compiled circuits that are kept.
    pub circuit_bytes_max: u64,
}

impl Options {
    /// For a node at this URL, with usual bounds.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the URL.
    pub fn new(node: &str, payee: Address, threads: u16) -> Result<Self, String> {
        let endpoint = Endpoint::parse(node)?;
        if matches!(endpoint, Endpoint::Tcp(_)) {
            return Err(
                "Problems come over HTTP: give the node's http:// URL, and the TCP port beside it.".into()
            );
        }
        Ok(Self {
            node: node.trim_end_matches('/').to_owned(),
            endpoint,
            payee,
            network: None,
            threads: threads.max(1),
            report_s: 10,
            circuit_bytes_max: 1 << 30,
        })
    }
}

/// Problems of a node, over HTTP.
struct NodeSource(Client);

impl Source for NodeSource {
    fn fetch(&self, id: &ProblemId) -> Result<Vec<u8>, String> {
        self.0.problem(Hex32(id.0)).map_err(|error| error.to_string())
    }
}

/// Threads, and what they mine with.
struct Mining {
    rules: WorkRules,
    nonce_start: u64,
    library: Arc<Library<NodeSource>>,
    runner: Arc<CpuRunner<Arc<Library<NodeSource>>>>,
    miner: Miner,
}

/// A worker's life, over all its connections.
struct Session<'a> {
    options: &'a Options,
    client: Client,
    notify: &'a mut dyn FnMut(&Notice),
    stop: &'a AtomicBool,
    findings: (SyncSender<Finding>, Receiver<Finding>),
    mining: Option<Mining>,
    table: Option<(Hash, Arc<Table>)>,
    /// Figures of miners before the present one.
    before: Figures,
}

/// Mines until `stop` is set. Whatever happens to the node, the worker waits for it and goes on.
pub fn run(options: &Options, notify: &mut dyn FnMut(&Notice), stop: &AtomicBool) {
    let mut session = Session {
        options,
        client: Client::new(&options.node),
        notify,
        stop,
        findings: sync_channel(FINDINGS_MAX),
        mining: None,
        table: None,
        before: Figures::default(),
    };
    let mut wait = *RETRY.start();
    while !stop.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let Err(error) = session.connected() else { break };
        // Templates die with their connection: what threads found meanwhile could not be told.
        if let Some(mining) = &session.mining {
            mining.miner.set(None);
        }
        while session.findings.1.try_recv().is_ok() {}
        if begin.elapsed() >= GOOD {
            wait = *RETRY.start();
        }
        (session.notify)(&Notice::Lost { reason: error.to_string(), retry: wait });
        sleep(wait, stop);
        wait = (wait * 2).min(*RETRY.end());
    }
}

/// Sleeps, unless `stop` is set.
fn sleep(duration: Duration, stop: &AtomicBool) {
    let until = Instant::now() + duration;
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(STOP_LOOK.min(until.saturating_duration_since(Instant::now())));
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl Session<'_> {
    /// One connection, until it breaks or the worker stops.
    fn connected(&mut self) -> io::Result<()> {
        let mut wire = Wire::connect(&self.options.endpoint)?;
        let ready = Ready {
            network: self.options.network,
            payee: self.options.payee.0,
            threads: self.options.threads,
            agent: Text::cut(concat!("hysteron/", env!("CARGO_PKG_VERSION"))),
        };
        wire.send(FromWorker::Ready(ready).encode())?;
        (self.notify)(&Notice::Connected { node: self.options.node.clone() });
        let mut tally = Tally::default();
        let mut told = self.figures();
        let mut seen = told;
        let (mut last_told, mut last_report) = (Instant::now(), Instant::now());
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(frame) = wire.receive()? {
                let FromNode::Work(work) = FromNode::decode(&frame)?;
                self.compare(&tally, &work.tally);
                tally = work.tally.clone();
                self.take(*work)?;
            }
            while let Ok(finding) = self.findings.1.try_recv() {
                self.send(&mut wire, finding)?;
            }
            if last_told.elapsed() >= Duration::from_secs(REPORT_S) {
                let now = self.figures();
                wire.send(FromWorker::Result(WorkResult::Progress(reported(&now.since(&told)))).encode())?;
                wire.ping()?;
                (told, last_told) = (now, Instant::now());
            }
            if last_report.elapsed() >= Duration::from_secs(self.options.report_s.max(1)) {
                let now = self.figures();
                let interval = last_report.elapsed();
                self.report(now, now.since(&seen), interval, &tally);
                (seen, last_report) = (now, Instant::now());
            }
        }
        let now = self.figures();
        wire.send(FromWorker::Result(WorkResult::Progress(reported(&now.since(&told)))).encode())?;
        Ok(())
    }

    /// All figures since the worker started.
    fn figures(&self) -> Figures {
        let now = self.mining.as_ref().map(|mining| mining.miner.figures()).unwrap_or_default();
        self.before.plus(&now)
    }

    /// Makes an order of the node's work, and mines it.
    fn take(&mut self, work: Work) -> io::Result<()> {
        let present = self.mining.as_ref().and_then(|mining| mining.miner.order());
        let is_the_same = |order: &Order| order.template == work.id && *order.header == work.header;
        if present.is_some_and(|order| is_the_same(&order)) {
            // Only the tally has changed: attempts go on.
            return Ok(());
        }
        let base = HeaderBase::decode(&work.header).map_err(|error| invalid(error.to_string()))?;
        if base.miner != self.options.payee {
            return Err(invalid(
                "the node wants to be paid itself for this worker's blocks; choose another node".into(),
            ));
        }
        if self.options.network.is_some_and(|network| network != work.network) {
            return Err(invalid("the node belongs to another network".into()));
        }
        work.rules.check().map_err(|name| invalid(format!("the network's rule {name} is out of bounds")))?;
        let table = self.table_of(&work)?;
        let order = Order {
            template: work.id,
            height: base.height,
            seed: work.seed(),
            header: Arc::new(work.header),
            post_target: base.post_target,
            table: table.clone(),
            rules: Arc::new(work.rules.clone()),
        };
        self.prepare_miner(&work.rules, work.nonce_start);
        if let Some(mining) = &self.mining {
            mining.miner.set(Some(order));
        }
        (self.notify)(&Notice::Order { height: base.height, jobs: table.entries.len() });
        Ok(())
    }

    /// Threads that mine by these rules from this nonce on. Compiled circuits outlive connections.
    fn prepare_miner(&mut self, rules: &WorkRules, nonce_start: u64) {
        let fits = |mining: &Mining| mining.rules == *rules && mining.nonce_start == nonce_start;
        if self.mining.as_ref().is_some_and(fits) {
            return;
        }
        self.before = self.figures();
        let kept = self.mining.take().filter(|mining| mining.rules == *rules);
        let (library, runner) = match kept {
            Some(mining) => (mining.library, mining.runner),
            None => {
                let library = Arc::new(Library::new(NodeSource(self.client.clone())));
                let cache_bytes = self.options.circuit_bytes_max;
                (library.clone(), Arc::new(CpuRunner::new(library, rules.clone(), cache_bytes)))
            }
        };
        let threads = usize::from(self.options.threads);
        let miner = Miner::start(threads, nonce_start, runner.clone(), library.clone(), &self.findings.0);
        self.mining = Some(Mining { rules: rules.clone(), nonce_start, library, runner, miner });
    }

    /// The table of this work, fetched if it is not the last one.
    fn table_of(&mut self, work: &Work) -> io::Result<Arc<Table>> {
        if let Some((id, table)) = &self.table
            && *id == work.table
        {
            return Ok(table.clone());
        }
        let bytes =
            self.client.table(Hex32(work.table)).map_err(|error| io::Error::other(error.to_string()))?;
        if Work::table_id(&bytes) != work.table {
            return Err(invalid("the table that came is not the one that was asked for".into()));
        }
        let table = Arc::new(Table::try_from_slice(&bytes)?);
        self.table = Some((work.table, table.clone()));
        Ok(table)
    }

    fn send(&mut self, wire: &mut Wire, finding: Finding) -> io::Result<()> {
        let result = match finding {
            Finding::Block { order, attempt } => {
                (self.notify)(&Notice::Block { height: order.height });
                WorkResult::Found { work: order.template, proof: attempt.proof }
            }
            Finding::Claim { order, job, claim, energy } => {
                (self.notify)(&Notice::Claim { height: order.height, job, energy });
                WorkResult::Claim { work: order.template, claim: (*claim).into() }
            }
        };
        wire.send(FromWorker::Result(result).encode())
    }

    /// Tells what became of results since the last tally.
    fn compare(&mut self, before: &Tally, now: &Tally) {
        let refused =
            now.blocks_refused > before.blocks_refused || now.claims_refused > before.claims_refused;
        if refused {
            (self.notify)(&Notice::Refused { reason: now.reason.as_str().to_owned() });
        }
    }

    fn report(&mut self, total: Figures, lately: Figures, interval: Duration, tally: &Tally) {
        if let Some(trouble) = self.mining.as_ref().and_then(|mining| mining.miner.trouble()) {
            (self.notify)(&Notice::Trouble { reason: trouble });
        }
        let order = self.mining.as_ref().and_then(|mining| mining.miner.order());
        let report = Report {
            total,
            lately,
            interval,
            height: order.as_ref().map(|order| order.height),
            expected_attempts: order.as_ref().map(|order| order.post_target.expected_tries()),
            blocks_accepted: tally.blocks_accepted,
            claims_accepted: tally.claims_accepted,
        };
        (self.notify)(&Notice::Report(Box::new(report)));
    }
}

fn reported(figures: &Figures) -> Reported {
    Reported {
        attempts: figures.attempts,
        legs: figures.legs,
        ecu: figures.ecu,
        hashing_ns: figures.hashing_ns,
        computing_ns: figures.computing_ns,
    }
}
