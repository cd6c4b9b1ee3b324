//! Metrics in Prometheus' text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

use crate::http::Shared;

/// Answers by route and class of status. Routes are those of the router, so the map is small.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    counts: Mutex<BTreeMap<(String, u16), u64>>,
}

impl Requests {
    /// Counts an answer; what is no route is counted together.
    pub(crate) fn count(&self, route: Option<&str>, status: StatusCode) {
        let key = (route.unwrap_or("none").to_owned(), status.as_u16());
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }
}

struct Page(String);

impl Page {
    fn one(&mut self, kind: &str, name: &str, help: &str, value: impl Display) {
        self.head(kind, name, help);
        self.line(name, "", value);
    }
    fn head(&mut self, kind: &str, name: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP hysteron_{name} {help}\n# TYPE hysteron_{name} {kind}");
    }
    fn line(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "hysteron_{name}{labels} {value}");
    }
}

/// The page.
pub(crate) fn text(shared: &Shared) -> String {
    let standing = shared.chain.standing();
    let mut page = Page(String::new());
    page.one("gauge", "height", "Height of the best chain.", standing.tip.height);
    page.one("gauge", "tip_time_seconds", "Time of the best chain's last block.", standing.tip.time);
    page.one("gauge", "mempool_transactions", "Transactions that wait.", standing.mempool_count);
    page.one("gauge", "mempool_bytes", "Their bytes.", standing.mempool_bytes);
    page.one(
        "gauge",
        "syncing",
        "Whether the node fetches a longer chain.",
        u8::from(shared.syncing.is_on()),
    );
    page.one("gauge", "uptime_seconds", "Seconds since the start.", shared.started.elapsed().as_secs());
    page.one("gauge", "workers", "Connected workers.", shared.hub.connections());
    page.one(
        "gauge",
        "event_streams",
        "Open streams of events.",
        shared.event_streams.load(Ordering::Relaxed),
    );
    if let Ok(Some(height)) = shared.history.height() {
        page.one("gauge", "history_height", "Height up to which the history is indexed.", height);
    }
    let counts = shared.hub.counts();
    let worker: [(&str, &str, &AtomicU64); 9] = [
        ("worker_attempts_total", "Attempts that workers reported.", &counts.attempts),
        ("worker_legs_total", "Legs that workers reported.", &counts.legs),
        ("worker_ecu_total", "Elementary circuit updates that workers reported.", &counts.ecu),
        ("worker_hashing_nanoseconds_total", "Time spent on pre-hashes, as reported.", &counts.hashing_ns),
        ("worker_computing_nanoseconds_total", "Time spent on legs, as reported.", &counts.computing_ns),
        ("blocks_accepted_total", "Blocks of workers that the chain took.", &counts.blocks_accepted),
        ("blocks_refused_total", "Blocks of workers that it did not take.", &counts.blocks_refused),
        ("claims_accepted_total", "Claims of workers that were sent on.", &counts.claims_accepted),
        ("claims_refused_total", "Claims of workers that were not.", &counts.claims_refused),
    ];
    for (name, help, count) in worker {
        page.one("counter", name, help, count.load(Ordering::Relaxed));
    }
    for (name, value) in shared.network.counters().snapshot() {
        // Counters and gauges stand together there; an untyped value is both.
        page.one("untyped", &format!("net_{name}"), "See the network's counters.", value);
    }
    page.head("counter", "http_answers_total", "Answers by route and status.");
    let answers = shared.requests.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for ((route, status), count) in answers {
        page.line("http_answers_total", &format!("{{route=\"{route}\",status=\"{status}\"}}"), count);
    }
    page.0
}
