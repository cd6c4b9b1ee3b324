//! Which searcher of a thread works next: stride scheduling by effort, with shares that move
//! towards those who improved.
//!
//! Deterministic: it counts the effort that searchers were given, never time, so that a run with
//! one thread and a step limit can be repeated bit for bit.

use crate::{Context, Outcome, Searcher, Source};

/// Effort of a thread's first slices, about 4 ms.
const SLICE_MIN: u64 = 4_000_000;
/// The longest slice, about 0.4 s: it bounds how long a searcher waits for its turn.
const SLICE_MAX: u64 = 400_000_000;
/// A slice is this part of the effort so far, within the bounds above.
const SLICE_PART: u64 = 16;
/// A share's unit; priors are given in it.
pub const SHARE: u64 = 16;
/// How far an improvement may raise a share above its prior, as a factor.
const BOOST_MAX: u64 = 8;

/// What makes searchers when their turn comes, each with its share: compiling a large problem for
/// methods that may never be needed would cost seconds.
pub type Maker<'a> = Box<dyn FnOnce() -> Vec<(Box<dyn Searcher>, u64)> + Send + 'a>;

/// Something to schedule.
enum Worker<'a> {
    Ready(Box<dyn Searcher>),
    Later(Maker<'a>),
}

/// A searcher with its share of the thread.
pub struct Entry<'a> {
    worker: Worker<'a>,
    /// The share it starts with and falls back to.
    prior: u64,
    /// The present share.
    share: u64,
    /// Effort given, each slice divided by the share at its time.
    virtual_time: u128,
    done: bool,
}

impl<'a> Entry<'a> {
    /// An entry with a prior share in units of [`SHARE`].
    pub fn new(searcher: Box<dyn Searcher>, prior: u64) -> Self {
        Self::of(Worker::Ready(searcher), prior)
    }

    /// An entry that is replaced by the searchers of `maker` when its turn comes, which is when the
    /// others have had `delay` effort for each [`SHARE`] of theirs.
    pub fn later(delay: u64, maker: Maker<'a>) -> Self {
        Self { virtual_time: u128::from(delay), ..Self::of(Worker::Later(maker), 1) }
    }

    fn of(worker: Worker<'a>, prior: u64) -> Self {
        let prior = prior.max(1);
        Self { worker, prior, share: prior, virtual_time: 0, done: false }
    }
}

/// The searchers of one thread and the account of what they were given.
pub struct Schedule<'a> {
    entries: Vec<Entry<'a>>,
    effort: u64,
}

impl<'a> Schedule<'a> {
    /// A schedule over these entries; with equal virtual time the first goes first.
    pub fn new(entries: Vec<Entry<'a>>) -> Self {
        Self { entries, effort: 0 }
    }

    /// Whether no searcher has anything left to do.
    pub fn is_done(&self) -> bool {
        self.entries.iter().all(|e| e.done)
    }

    /// Effort given so far.
    pub fn effort(&self) -> u64 {
        self.effort
    }

    /// The live entry with the least virtual time, made if it was not yet.
    fn next(&mut self) -> Option<usize> {
        loop {
            let live = self.entries.iter().enumerate().filter(|(_, e)| !e.done);
            let (index, _) = live.min_by_key(|&(i, e)| (e.virtual_time, i))?;
            if matches!(self.entries[index].worker, Worker::Ready(_)) {
                return Some(index);
            }
            let entry = self.entries.remove(index);
            let Worker::Later(maker) = entry.worker else { unreachable!("not ready") };
            let made = maker().into_iter().map(|(searcher, share)| Entry {
                virtual_time: entry.virtual_time,
                ..Entry::new(searcher, share)
            });
            self.entries.splice(index..index, made);
        }
    }

    /// Lets the searcher that is furthest behind its share work for one slice of at most `limit` effort.
    pub fn turn(&mut self, context: &Context, limit: u64) -> Outcome {
        let Some(index) = self.next() else { return Outcome::Exhausted };
        let live = self.entries.iter().filter(|e| !e.done).count();
        // A searcher that is alone needs no slices: an incremental solver would only lose by them.
        let slice =
            if live == 1 { limit } else { (self.effort / SLICE_PART).clamp(SLICE_MIN, SLICE_MAX).min(limit) };
        let before = (context.best().map(|b| b.key()), context.lower_bound());
        let entry = &mut self.entries[index];
        let Worker::Ready(searcher) = &mut entry.worker else { unreachable!("`next` made it") };
        let outcome = searcher.work(context, slice);
        let source = searcher.source();
        entry.virtual_time += u128::from(slice) * u128::from(SHARE) / u128::from(entry.share);
        self.effort = self.effort.saturating_add(slice);
        entry.done = outcome == Outcome::Exhausted;
        let best = context.best();
        let improved_by_it = best.as_ref().is_some_and(|b| {
            (b.source == source || b.source == Source::Crossover) && before.0.is_none_or(|key| b.key() < key)
        }) || context.lower_bound() > before.1;
        if improved_by_it {
            entry.share = (entry.share * 2).min(entry.prior * BOOST_MAX);
        } else {
            entry.share = (entry.share - (entry.share - entry.prior).div_ceil(4)).max(entry.prior);
        }
        if outcome == Outcome::Exhausted { Outcome::Continue } else { outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::{Cnf, Problem};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Counter(Arc<AtomicU64>);
    impl Searcher for Counter {
        fn source(&self) -> Source {
            Source::Cdcl
        }
        fn work(&mut self, _: &Context, effort: u64) -> Outcome {
            self.0.fetch_add(effort, Ordering::Relaxed);
            Outcome::Continue
        }
    }

    #[test]
    fn effort_follows_the_shares() {
        let problem = Problem::Cnf(Cnf { variables: 1, ..Cnf::default() });
        let context = Context::new(&problem, None, None);
        let counts = [1u64, 3].map(|share| (share, Arc::new(AtomicU64::new(0))));
        let entries =
            counts.iter().map(|(s, c)| Entry::new(Box::new(Counter(c.clone())), *s * SHARE)).collect();
        let mut schedule = Schedule::new(entries);
        while schedule.effort() < 100 * SLICE_MAX {
            schedule.turn(&context, u64::MAX);
        }
        let [a, b] = counts.map(|(_, c)| c.load(Ordering::Relaxed) as f64);
        assert!((b / a - 3.0).abs() < 0.1, "{a} {b}");
    }
}
