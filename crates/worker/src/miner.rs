//! The mining loop: threads that make attempts on the present order until another comes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hysteron_api::worker::NONCES_PER_THREAD;
use hysteron_work::{Claim, JobId, LEGS, LegRunner, Meter, Problems, Task, WorkError, attempt};

use crate::best::Bests;
use crate::figures::{Counters, Figures, meter};
use crate::order::{Finding, Order};

/// Findings that may wait for the host before threads wait for it.
pub const FINDINGS_MAX: usize = 256;
/// How long a thread rests when a leg cannot be run, before it tries the order again.
const REST: Duration = Duration::from_millis(500);

/// Threads that mine. They end when it is dropped.
pub struct Miner {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    runner: Arc<dyn LegRunner>,
    problems: Arc<dyn Problems>,
    bests: Bests,
    counters: Counters,
    meter: Meter,
    /// What to mine on, with the flag that ends its attempts.
    present: Mutex<Option<(Order, Arc<AtomicBool>)>>,
    changed: Condvar,
    ends: AtomicBool,
    trouble: Mutex<Option<String>>,
}

impl Miner {
    /// Starts `threads` threads that send what they find to `findings` (a channel of [`FINDINGS_MAX`] or so). They
    /// rest until [`Self::set`] gives an order. Threads share the nonces from `nonce_start` on: thread `t` begins each
    /// order at `nonce_start + t * 2^30`.
    ///
    /// # Panics
    /// If the operating system gives no thread.
    pub fn start(
        threads: usize,
        nonce_start: u64,
        runner: Arc<dyn LegRunner>,
        problems: Arc<dyn Problems>,
        findings: &SyncSender<Finding>,
    ) -> Self {
        let shared = Arc::new(Shared {
            runner,
            problems,
            bests: Bests::default(),
            counters: Counters::default(),
            meter: meter(),
            present: Mutex::new(None),
            changed: Condvar::new(),
            ends: AtomicBool::new(false),
            trouble: Mutex::new(None),
        });
        let threads = (0..threads.max(1))
            .map(|index| {
                let (shared, findings) = (shared.clone(), findings.clone());
                let first = nonce_start.wrapping_add(index as u64 * NONCES_PER_THREAD);
                std::thread::Builder::new()
                    .name(format!("miner-{index}"))
                    .spawn(move || shared.mine(first, &findings))
                    .expect("the operating system has a thread for mining")
            })
            .collect();
        Self { shared, threads }
    }

    /// Mines on this from now on; on nothing for `None`. Attempts on what was before end at their next look.
    pub fn set(&self, order: Option<Order>) {
        let mut present = self.shared.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, stale)) = present.take() {
            stale.store(true, Ordering::Relaxed);
        }
        *present = order.map(|order| (order, Arc::new(AtomicBool::new(false))));
        self.shared.changed.notify_all();
    }

    /// The order that is mined on.
    pub fn order(&self) -> Option<Order> {
        let present = self.shared.present.lock().unwrap_or_else(PoisonError::into_inner);
        present.as_ref().map(|(order, _)| order.clone())
    }

    /// What was done since the start.
    pub fn figures(&self) -> Figures {
        self.shared.counters.read(self.shared.meter.read())
    }

    /// Why legs could not be run lately, if that happened since this was asked last.
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// A claim of this job went nowhere: what was claimed is forgotten, and only the chain's best counts.
    pub fn claim_was_refused(&self, job: &JobId) {
        self.shared.bests.forget(job);
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        self.set(None);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                // The thread's own message has been printed; there is nothing to add in a destructor.
                continue;
            }
        }
    }
}

impl Shared {
    /// One thread's life. It ends when the miner is dropped or nobody receives any more.
    fn mine(&self, first_nonce: u64, findings: &SyncSender<Finding>) {
        while let Some((order, stale)) = self.next_order() {
            if self.attempts(first_nonce, &order, &stale, findings).is_break() {
                return;
            }
        }
    }

    /// Waits for an order; `None` when the miner ends.
    fn next_order(&self) -> Option<(Order, Arc<AtomicBool>)> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.ends.load(Ordering::Relaxed) {
                return None;
            }
            if let Some((order, stale)) = present.as_ref() {
                return Some((order.clone(), stale.clone()));
            }
            present = self.changed.wait(present).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Attempts on one order until it is stale; breaks when nobody wants findings any more.
    fn attempts(
        &self,
        first_nonce: u64,
        order: &Order,
        stale: &AtomicBool,
        findings: &SyncSender<Finding>,
    ) -> std::ops::ControlFlow<()> {
        let mut nonce = first_nonce;
        while !stale.load(Ordering::Relaxed) {
            let made =
                attempt(&order.seed, &order.table, &order.rules, &*self.runner, nonce, stale, &self.meter);
            match made {
                Ok(Some(attempt)) => {
                    nonce = attempt.proof.nonce.wrapping_add(1);
                    if self.report(order, attempt, findings).is_break() {
                        return std::ops::ControlFlow::Break(());
                    }
                }
                // Stale; or no nonce is left, which takes longer than any order lasts.
                Ok(None) | Err(WorkError::Interrupted) => self.rest(stale),
                Err(error) => {
                    // Another nonce draws other legs, which may be fine.
                    nonce = nonce.wrapping_add(1 << 20);
                    *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                    self.rest(stale);
                }
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Sends what an attempt is worth; breaks when nobody receives any more.
    fn report(
        &self,
        order: &Order,
        attempt: hysteron_work::Attempt,
        findings: &SyncSender<Finding>,
    ) -> std::ops::ControlFlow<()> {
        for (index, output) in attempt.outputs.iter().enumerate() {
            let Task::Job(entry) = output.task else {
                self.counters.leg(output.ecu, false);
                continue;
            };
            self.counters.leg(output.ecu, true);
            let Some(entry) = order.table.entries.get(entry as usize) else { continue };
            if self.bests.improves(order.height, &order.table, entry, output, &*self.problems) {
                self.counters.claim();
                let claim = Claim::of_attempt(order.header.to_vec(), &attempt, index as u8 + 1);
                let claim = Finding::Claim {
                    order: order.clone(),
                    job: entry.job,
                    claim: Box::new(claim),
                    energy: output.energy,
                };
                // A host that is behind by so many findings gets no claim, but every block.
                if let Err(TrySendError::Disconnected(_)) = findings.try_send(claim) {
                    return std::ops::ControlFlow::Break(());
                }
            }
        }
        debug_assert_eq!(attempt.outputs.len(), LEGS);
        if attempt.wins(&order.post_target) {
            self.counters.block();
            let block = Finding::Block { order: order.clone(), attempt: Box::new(attempt) };
            if findings.send(block).is_err() {
                return std::ops::ControlFlow::Break(());
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    /// Waits a moment, or until the order changes.
    fn rest(&self, stale: &AtomicBool) {
        let present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if stale.load(Ordering::Relaxed) {
            return;
        }
        let _woken = self.changed.wait_timeout(present, REST).unwrap_or_else(PoisonError::into_inner);
    }
}
