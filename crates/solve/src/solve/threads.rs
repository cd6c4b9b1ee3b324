//! What the threads of a search share, one thread's life, and the supervisor's.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::learner::Learner;
use super::teller::Scoreboard;
use super::{Options, Progress};
use crate::exact::cdcl::Background;
use crate::exact::strand::Standing;
use crate::portfolio::{self, Learns, Team};
use crate::schedule::Schedule;
use crate::{Context, Outcome};

/// With several components, none keeps a thread longer than this effort (about 0.4 s).
const COMPONENT_TURN_MAX: u64 = 400_000_000;

/// One component and what is known of it.
pub(super) struct Part<'a> {
    pub(super) context: Context<'a>,
    /// Its best is proven, or it is proven to have none.
    pub(super) settled: AtomicBool,
}

/// What the threads of one search share.
pub(super) struct Search<'a> {
    pub(super) parts: Vec<Part<'a>>,
    pub(super) options: &'a Options,
    /// The part that gets a second clause learning, on the second thread, if any does.
    pub(super) learns_again: Option<usize>,
    /// Effort that each thread may spend.
    pub(super) effort_limit: u64,
    pub(super) unsatisfiable: AtomicBool,
    pub(super) stop: AtomicBool,
    pub(super) running: AtomicUsize,
    pub(super) wake: Arc<Wake>,
}

/// Wakes the supervisor.
#[derive(Default)]
pub(super) struct Wake {
    mutex: Mutex<()>,
    condition: Condvar,
}

impl Wake {
    fn lock(&self) -> std::sync::MutexGuard<'_, ()> {
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn notify(&self) {
        let _guard = self.lock();
        self.condition.notify_all();
    }
}

impl Search<'_> {
    /// Ends the search on all threads.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        for part in &self.parts {
            part.context.stop();
        }
        self.wake.notify();
    }
    fn settle(&self, index: usize) {
        self.parts[index].settled.store(true, Ordering::Relaxed);
        self.parts[index].context.stop();
        if self.is_settled() {
            self.stop();
        }
    }
    pub(super) fn is_settled(&self) -> bool {
        self.parts.iter().all(|p| p.settled.load(Ordering::Relaxed))
    }
    pub(super) fn ecu(&self) -> u64 {
        self.parts.iter().map(|p| p.context.ecu()).sum()
    }

    /// One thread's life.
    pub(super) fn work(&self, thread: usize, learner: &mut Option<Learner>) {
        let is_only = thread == 0 && learner.is_none();
        let team = |index: usize| {
            let learns = match thread {
                0 if is_only => Learns::Alone,
                1 if self.learns_again == Some(index) => Learns::Again,
                _ => Learns::Nothing,
            };
            Team { thread, threads: self.options.threads, seed: self.options.seed, learns }
        };
        let mut schedules: Vec<Option<Schedule>> = self.parts.iter().map(|_| None).collect();
        let mut spent = learner.as_ref().map_or(0, |learner| learner.had);
        // Threads begin at different components, so that many small ones are not all done twice.
        let mut index = thread % self.parts.len();
        let mut idle = 0;
        while !self.stop.load(Ordering::Relaxed) && spent < self.effort_limit {
            let is_idle = idle >= self.parts.len();
            if let Some(turn) = learner.as_ref().and_then(|learner| learner.turn(is_idle)) {
                let effort = turn.min(self.effort_limit - spent);
                spent = spent.saturating_add(effort);
                self.learn(learner, effort);
                continue;
            }
            if is_idle {
                break;
            }
            let here = index;
            index = (index + 1) % self.parts.len();
            let part = &self.parts[here];
            if part.settled.load(Ordering::Relaxed) {
                schedules[here] = None;
                idle += 1;
                continue;
            }
            let begin = Instant::now();
            let schedule = schedules[here]
                .get_or_insert_with(|| portfolio::schedule(part.context.problem(), team(here)));
            if schedule.is_done() {
                idle += 1;
                continue;
            }
            idle = 0;
            let limit = if self.parts.len() == 1 { u64::MAX } else { COMPONENT_TURN_MAX };
            let before = schedule.effort();
            let outcome = schedule.turn(&part.context, limit.min(self.effort_limit - spent));
            let effort = schedule.effort() - before;
            spent = spent.saturating_add(effort);
            if let Some(learner) = learner {
                learner.others_had = learner.others_had.saturating_add(self.cost(begin, effort));
            }
            match outcome {
                Outcome::Optimal => self.settle(here),
                Outcome::Unsatisfiable => {
                    self.unsatisfiable.store(true, Ordering::Relaxed);
                    self.stop();
                }
                Outcome::Continue | Outcome::Exhausted => {
                    if part.context.is_settled() {
                        self.settle(here);
                    } else if part.context.stopped() {
                        // The target was reached: with one component that is the target of the whole.
                        self.stop();
                    }
                }
            }
        }
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.wake.notify();
        }
    }

    /// Gives clause learning on the whole formula a turn, which ends the search if it decides it.
    fn learn(&self, learner: &mut Option<Learner>, effort: u64) {
        let Some(learning) = learner else { return };
        let Some(part) = self.parts.iter().find(|part| !part.settled.load(Ordering::Relaxed)) else { return };
        let begin = Instant::now();
        let outcome = learning.clauses.work(&part.context, effort);
        learning.had = learning.had.saturating_add(self.cost(begin, effort));
        match outcome {
            Outcome::Continue => {}
            Outcome::Exhausted => *learner = None,
            Outcome::Unsatisfiable => {
                self.unsatisfiable.store(true, Ordering::Relaxed);
                self.stop();
            }
            Outcome::Optimal => self.stop(),
        }
    }

    /// What a turn since `begin` counts when turns are shared out: its time, since effort is an estimate; but its effort where a
    /// run shall be repeated.
    fn cost(&self, begin: Instant, effort: u64) -> u64 {
        if self.options.steps.is_some() { effort } else { begin.elapsed().as_nanos() as u64 }
    }
}

/// Waits for the end, tells of progress, and ends the search when a limit is reached. Returns the model of the whole
/// formula, if clause learning in the background found one.
pub(super) fn supervise(
    search: &Search,
    scoreboard: &Scoreboard,
    mut background: Option<Background>,
    interrupt: &AtomicBool,
) -> Option<Vec<bool>> {
    const TICK: Duration = Duration::from_millis(50);
    let deadline = search.options.time.map(|time| scoreboard.begin + time);
    let mut model = None;
    let mut guard = search.wake.lock();
    while search.running.load(Ordering::Acquire) > 0 || background.is_some() {
        let now = Instant::now();
        let mut is_over = deadline.is_some_and(|d| now >= d)
            || interrupt.load(Ordering::Relaxed)
            || search.options.target.is_some_and(|t| scoreboard.energy.load(Ordering::Relaxed) <= t);
        match background.as_mut().map(Background::standing) {
            None | Some(Standing::Running) => {}
            Some(Standing::Paused) => background = None,
            Some(Standing::Ended(verdict)) => {
                background = None;
                search.unsatisfiable.fetch_or(verdict.outcome == Outcome::Unsatisfiable, Ordering::Relaxed);
                is_over |= matches!(verdict.outcome, Outcome::Unsatisfiable | Outcome::Optimal);
                model = verdict.model.map(|(assignment, _)| assignment);
            }
        }
        if is_over && !search.stop.load(Ordering::Relaxed) {
            drop(guard);
            search.stop();
            guard = search.wake.lock();
        }
        if search.stop.load(Ordering::Relaxed) {
            // It is not waited for.
            background = None;
            if search.running.load(Ordering::Acquire) == 0 {
                break;
            }
        }
        let wait = deadline
            .map_or(TICK, |d| d.saturating_duration_since(now).min(TICK))
            .max(Duration::from_millis(1));
        guard = search.wake.condition.wait_timeout(guard, wait).unwrap_or_else(PoisonError::into_inner).0;
        let bounds = search.parts.iter().map(|p| match p.context.lower_bound() {
            i64::MIN => None,
            bound => Some(bound),
        });
        let lower_bound = bounds.sum::<Option<i64>>().map(|sum| scoreboard.normalised.restore.energy(sum));
        scoreboard.teller.observer.progress(&Progress {
            elapsed: scoreboard.begin.elapsed(),
            ecu: search.ecu(),
            lower_bound,
        });
    }
    model
}
