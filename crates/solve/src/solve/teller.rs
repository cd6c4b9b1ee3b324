//! What the observer is told: improvements of the whole, and at most one proven answer.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use hysteron_problem::normalise::Normalised;

use super::{Answer, Improvement, Observer, Status};
use crate::Source;

/// Tells the observer, one at a time, and nothing more once a proven answer was told.
pub(super) struct Teller<'a> {
    pub(super) observer: &'a dyn Observer,
    pub(super) is_over: Mutex<bool>,
}

impl Teller<'_> {
    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn improved(&self, improvement: &Improvement) {
        let is_over = self.lock();
        if !*is_over {
            self.observer.improved(improvement);
        }
    }
    pub(super) fn answered(&self, answer: &Answer) {
        let mut is_over = self.lock();
        if !*is_over && matches!(answer.status, Status::Satisfiable | Status::Unsatisfiable | Status::Optimal)
        {
            *is_over = true;
            self.observer.answered(answer);
        }
    }
}

/// Sums the components' bests as they improve and tells the observer of the whole.
pub(super) struct Scoreboard<'a> {
    pub(super) teller: &'a Teller<'a>,
    pub(super) begin: Instant,
    pub(super) normalised: &'a Normalised,
    /// Best key and source a component.
    pub(super) bests: Mutex<Vec<Option<(u64, i64, Source)>>>,
    pub(super) last_source: Mutex<Source>,
    /// Energy of the whole, `i64::MAX` until every component has a feasible candidate.
    pub(super) energy: AtomicI64,
}

impl Scoreboard<'_> {
    pub(super) fn improved(&self, part: usize, key: (u64, i64), source: Source) {
        let mut bests = self.bests.lock().unwrap_or_else(PoisonError::into_inner);
        bests[part] = Some((key.0, key.1, source));
        *self.last_source.lock().unwrap_or_else(PoisonError::into_inner) = source;
        let Some(total) = bests
            .iter()
            .try_fold((0u64, 0i64), |sum, best| best.map(|(hard, energy, _)| (sum.0 + hard, sum.1 + energy)))
        else {
            return;
        };
        let energy = self.normalised.restore.energy(total.1);
        if total.0 == 0 {
            self.energy.store(energy, Ordering::Relaxed);
        }
        self.teller.improved(&Improvement {
            energy,
            hard_unsatisfied: total.0,
            source,
            elapsed: self.begin.elapsed(),
        });
    }
}
