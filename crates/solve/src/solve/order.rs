//! What was asked of a search, and how it goes: clause learning first or beside, normalise, split, share the cores, put the answer together.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hysteron_problem::normalise::{Decided, NormaliseOptions, normalise};
use hysteron_problem::{Cnf, Problem};

use super::learner::{LEARN_ALONE_EFFORT, Learner};
use super::teller::{Scoreboard, Teller};
use super::threads::{Part, Search, Wake, supervise};
use super::{Answer, Found, Improvement, Options, Status, score};
use crate::exact::cdcl::{Background, Foreground, InTurns};
use crate::exact::strand::{Adopted, Verdict};
use crate::{Context, Outcome, Source, clauses, portfolio};

/// Clause learning on the whole formula that needs nobody here.
pub(super) enum Beside<'a> {
    Nobody,
    /// On a thread of its own.
    Running(Background),
    /// On the thread that called for the search: the formula is short, and gets a second one where it is structured.
    Caller(Background),
    /// The supervisor starts it: the caller's thread shall not wait for that where it may be done as soon.
    Supervised(&'a Cnf),
}

/// What was asked of [`super::search`].
pub(super) struct Order<'a> {
    pub(super) problem: &'a Problem,
    pub(super) options: &'a Options,
    /// Effort that each thread may spend.
    pub(super) effort_limit: u64,
    pub(super) starts: &'a [Vec<bool>],
    pub(super) others: usize,
    pub(super) teller: Teller<'a>,
    pub(super) interrupt: &'a AtomicBool,
    pub(super) begin: Instant,
}

impl Order<'_> {
    /// Nanoseconds that clause learning has before anybody else begins, and besides for each literal, which is
    /// about what the others need to begin. A busy second core may make it take 1.3 times as long, but the second clause learning
    /// decides many formulas first (`docs/decisions/0011-clause-learning-first.md`).
    const ALONE_EFFORT: u64 = 2_000_000;
    const ALONE_EFFORT_PER_LITERAL: u64 = 40;
    /// The same as effort with one thread, where what the others need to begin is lost to it.
    const ALONE_EFFORT_IN_TURNS: u64 = 10_000_000;
    const ALONE_EFFORT_PER_LITERAL_IN_TURNS: u64 = 150;

    /// Clause learning in turns with the others, which has had some effort. A short search is not all its.
    pub(super) fn learner(&self, clauses: InTurns, had: u64) -> Learner {
        Learner { clauses, alone: self.part(LEARN_ALONE_EFFORT), had, others_had: 0 }
    }

    /// At most so much effort (about nanoseconds), and at most a quarter of the whole search.
    fn part(&self, effort: u64) -> u64 {
        const PART: u32 = 4;
        let time = self
            .options
            .time
            .map_or(u64::MAX, |time| u64::try_from((time / PART).as_nanos()).unwrap_or(u64::MAX));
        effort.min(self.effort_limit / u64::from(PART)).min(time)
    }

    /// Whether time is up, or the user has enough.
    fn is_over(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
            || self.options.time.is_some_and(|time| self.begin.elapsed() >= time)
    }

    /// Clause learning on a thread of its own.
    pub(super) fn start(&self, cnf: &Cnf, wake: &Arc<Wake>) -> Option<Background> {
        let on_end = Arc::clone(wake);
        Background::start(cnf, self.effort_limit, Box::new(move || on_end.notify()))
    }

    /// Clause learning on this thread. Where it does not decide the formula at once, the others begin beside it, or, if
    /// there is but one thread, in turns with it.
    pub(super) fn learn_first(&self, cnf: &Cnf) -> Found {
        if self.options.threads == 1 { self.learn_in_turns(cnf) } else { self.learn_beside(cnf) }
    }

    fn learn_in_turns(&self, cnf: &Cnf) -> Found {
        let (foreground, _handle) = Foreground::new();
        let extra = Self::ALONE_EFFORT_PER_LITERAL_IN_TURNS * cnf.clauses.literals().len() as u64;
        let alone = self.part(Self::ALONE_EFFORT_IN_TURNS + extra);
        std::thread::scope(|scope| {
            let mut others = None;
            let mut turns: Option<Adopted> = None;
            let mut found = None;
            let mut before = 0;
            let report = |spent: u64| {
                let cost = spent - before;
                before = spent;
                if let Some(turns) = &turns {
                    return turns.spend(cost);
                }
                if spent > self.effort_limit {
                    return true;
                }
                if spent <= alone {
                    return self.is_over();
                }
                let (clauses, adopted) = InTurns::of_caller();
                turns = Some(adopted);
                let learner = self.learner(clauses, spent);
                others = std::thread::Builder::new()
                    .name("search".into())
                    .spawn_scoped(scope, move || self.search(Beside::Nobody, Some(learner), Arc::default()))
                    .ok();
                // Without a thread the others come when this one has ended.
                others.is_none()
            };
            // Told before the solver's clauses are given back.
            let outcome = foreground.decide(cnf, report, |verdict| found = self.decided(cnf, verdict));
            let Some(others) = others else {
                return found.unwrap_or_else(|| self.search(Beside::Nobody, None, Arc::default()));
            };
            if let Some(turns) = turns {
                turns.end(if found.is_some() { outcome } else { Outcome::Exhausted });
            }
            let other = others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            found.unwrap_or(other)
        })
    }

    fn learn_beside(&self, cnf: &Cnf) -> Found {
        let (foreground, handle) = Foreground::new();
        let wake = Arc::new(Wake::default());
        // Whoever begins beside takes it.
        let handle = Mutex::new(Some(handle));
        let alone = self
            .part(Self::ALONE_EFFORT + Self::ALONE_EFFORT_PER_LITERAL * cnf.clauses.literals().len() as u64);
        let start = self.begin + Duration::from_nanos(alone);
        // What those beside are told when this thread has ended.
        let (has_ended, is_decided) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let mut asked = None;
            let mut found = None;
            let report = |spent: u64| {
                // The others wait for their start by themselves: CaDiCaL may not report for many milliseconds. Where the system gives no
                // thread, this one goes on alone.
                asked.get_or_insert_with(|| {
                    let (wake, handle, has_ended, is_decided) =
                        (Arc::clone(&wake), &handle, &has_ended, &is_decided);
                    let others = move || {
                        park_until(start, has_ended);
                        let handle = handle.lock().unwrap_or_else(PoisonError::into_inner).take();
                        let is_wanted = !is_decided.load(Ordering::Acquire);
                        let beside = handle.map_or(Beside::Nobody, Beside::Caller);
                        is_wanted.then(|| self.search(beside, None, wake))
                    };
                    std::thread::Builder::new().name("search".into()).spawn_scoped(scope, others).ok()
                });
                spent > self.effort_limit || self.is_over()
            };
            // Told before the solver's clauses are given back.
            let outcome = foreground.decide(cnf, report, |verdict| {
                // Nobody begins any more should the observer panic.
                is_decided.store(true, Ordering::Release);
                found = self.decided(cnf, verdict);
                is_decided.store(found.is_some(), Ordering::Release);
                has_ended.store(true, Ordering::Release);
            });
            foreground.tell(if found.is_some() { outcome } else { Outcome::Exhausted }.into());
            wake.notify();
            let other = asked.flatten().map(|beside| {
                beside.thread().unpark();
                beside.join()
            });
            if let Some(found) = found {
                return found;
            }
            match other {
                Some(Ok(Some(other))) => other,
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                Some(Ok(None)) | None => self.search(Beside::Nobody, None, Arc::default()),
            }
        })
    }

    /// The answer where clause learning on the whole formula has decided it, told to the observer.
    fn decided(&self, cnf: &Cnf, verdict: Verdict) -> Option<Found> {
        match (verdict.outcome, verdict.model) {
            (Outcome::Unsatisfiable, _) => Some(self.answer(Status::Unsatisfiable, None, Source::Cdcl, 0)),
            (_, Some((model, source))) => self.satisfied(cnf, model, source, 0),
            _ => None,
        }
    }

    /// The answer that `model` is, if it satisfies the whole formula, told to the observer.
    fn satisfied(&self, cnf: &Cnf, model: Vec<bool>, source: Source, ecu: u64) -> Option<Found> {
        if cnf.unsatisfied(&model) > 0 {
            return None;
        }
        let elapsed = self.begin.elapsed();
        self.teller.improved(&Improvement { energy: 0, hard_unsatisfied: 0, source, elapsed });
        Some(self.answer(Status::Satisfiable, Some(model), source, ecu))
    }

    /// An answer, told to the observer if it is proven.
    fn answer(&self, status: Status, assignment: Option<Vec<bool>>, source: Source, ecu: u64) -> Found {
        let answer = Answer { status, assignment, source, ecu, elapsed: self.begin.elapsed() };
        self.teller.answered(&answer);
        Found { answer, others: Vec::new() }
    }

    /// One run of bit-sliced chips on the formula as it was given, if that takes a fraction of a millisecond: to normalise it and to
    /// start a thread take as long, and most small satisfiable formulas need no more.
    pub(super) fn sprint(&self, cnf: &Cnf) -> Option<Found> {
        /// Less than a run costs.
        const EFFORT: u64 = 1;
        /// The search begins with other chips.
        const SALT: u64 = 0x5350_5249_4e54;
        let is_plain = self.options.target.is_none()
            && self.options.steps.is_none()
            && self.starts.is_empty()
            && self.others == 0;
        if !is_plain || !portfolio::begins_at_once(cnf) || self.is_over() {
            return None;
        }
        let context = Context::new(self.problem, None, None);
        let mut chips = clauses::switching_searchers(cnf, self.options.seed ^ SALT).into_iter().next()?;
        chips.work(&context, EFFORT);
        let best = context.best().filter(|best| best.energy == 0)?;
        self.satisfied(cnf, best.assignment, best.source, context.ecu())
    }

    /// The whole portfolio, beside clause learning or in turns with it, if there is any; that notifies `wake` when it has ended.
    pub(super) fn search(&self, beside: Beside, mut learner: Option<Learner>, wake: Arc<Wake>) -> Found {
        let Self { problem, options, effort_limit, starts, others, ref teller, interrupt, begin } = *self;
        // Clause learning in the background has the place of the first thread.
        let first_thread = usize::from(!matches!(beside, Beside::Nobody));
        let normalised = normalise(problem, &NormaliseOptions::default());
        let is_cnf = matches!(problem, Problem::Cnf(_));
        let solved = if is_cnf { Status::Satisfiable } else { Status::Optimal };
        match normalised.decided {
            Some(Decided::Unsatisfiable) => {
                return self.answer(Status::Unsatisfiable, None, Source::Presolve, 0);
            }
            Some(Decided::Solved) => {
                let assignment = normalised.restore.restore(&[]);
                let (hard_unsatisfied, energy) = score(problem, &assignment);
                let elapsed = begin.elapsed();
                teller.improved(&Improvement { energy, hard_unsatisfied, source: Source::Presolve, elapsed });
                return self.answer(solved, Some(assignment), Source::Presolve, 0);
            }
            None => {}
        }

        let scoreboard = Scoreboard {
            teller,
            begin,
            normalised: &normalised,
            bests: Mutex::new(vec![None; normalised.components.len()]),
            last_source: Mutex::new(Source::Presolve),
            energy: AtomicI64::new(i64::MAX),
        };
        // One component can be given the target in its own units, so that chips stop the moment they reach it.
        let component_target = match (options.target, &normalised.components[..]) {
            (Some(target), [_]) => Some(normalised.restore.component_target(target)),
            _ => None,
        };
        let parts = normalised.components.iter().enumerate().map(|(index, component)| {
            let scoreboard = &scoreboard;
            let context = Context::new(
                component,
                component_target,
                Some(Box::new(move |c| scoreboard.improved(index, c.key(), c.source))),
            );
            Part { context, settled: AtomicBool::new(false) }
        });
        let search = Search {
            parts: parts.collect(),
            options,
            learns_again: if let Beside::Caller(_) = beside { largest(&normalised.components) } else { None },
            effort_limit,
            unsatisfiable: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            running: AtomicUsize::new(options.threads - first_thread),
            wake,
        };
        for start in starts {
            for (part, start) in search.parts.iter().zip(normalised.restore.project(start)) {
                part.context.offer(&start, Source::Given);
            }
        }
        // A panic of a searcher must not lose the best so far.
        let work = |thread: usize, learner: &mut Option<Learner>| {
            let work = std::panic::AssertUnwindSafe(|| search.work(thread, learner));
            if std::panic::catch_unwind(work).is_err() && search.running.fetch_sub(1, Ordering::AcqRel) == 1 {
                search.wake.notify();
            }
        };
        let best = || {
            let bests = search.parts.iter().map(|p| p.context.best().map(|best| best.assignment));
            let parts = bests.collect::<Option<Vec<_>>>()?;
            let assignment = normalised.restore.restore(&parts);
            let (hard_unsatisfied, energy) = score(problem, &assignment);
            let proven =
                search.parts.iter().all(|p| p.settled.load(Ordering::Relaxed) || p.context.is_settled());
            let status = match (is_cnf, hard_unsatisfied == 0, energy) {
                (true, _, 0) => Status::Satisfiable,
                (true, ..) | (_, false, _) => Status::Unknown,
                _ if proven => Status::Optimal,
                _ => Status::Feasible,
            };
            let source = *scoreboard.last_source.lock().unwrap_or_else(PoisonError::into_inner);
            Some((parts, self.answer(status, Some(assignment), source, search.ecu())))
        };
        let (model, settled) = std::thread::scope(|scope| {
            let work = &work;
            // The caller's thread is a worker too: what takes a fraction of a millisecond does not wait for a thread.
            let supervisor = std::thread::Builder::new().spawn_scoped(scope, || {
                let background = match beside {
                    Beside::Supervised(cnf) if !search.stop.load(Ordering::Relaxed) => {
                        self.start(cnf, &search.wake)
                    }
                    Beside::Running(background) | Beside::Caller(background) => Some(background),
                    Beside::Supervised(_) | Beside::Nobody => None,
                };
                supervise(&search, &scoreboard, background, interrupt)
            });
            if supervisor.is_err() {
                // Nobody would end the search in time.
                search.stop();
            }
            for thread in first_thread + 1..options.threads {
                let work = move || work(thread, &mut None);
                if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    // Fewer do it too.
                    search.running.fetch_sub(1, Ordering::AcqRel);
                }
            }
            work(first_thread, &mut learner);
            // Nor for the others, where nothing is left to find.
            let settled = search.is_settled().then(best).flatten();
            let join = |supervisor: std::thread::ScopedJoinHandle<_>| {
                supervisor.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            (supervisor.ok().and_then(join), settled)
        });
        let model = model.or_else(|| learner.and_then(|learner| learner.clauses.into_model()));
        let with_others = |(parts, found): (Vec<Vec<bool>>, Found)| {
            let others = further(&search.parts, &parts, others).into_iter();
            Found { others: others.map(|parts| normalised.restore.restore(&parts)).collect(), ..found }
        };
        if let Some(settled) = settled {
            return with_others(settled);
        }
        if search.unsatisfiable.load(Ordering::Relaxed) {
            return self.answer(Status::Unsatisfiable, None, Source::Cdcl, search.ecu());
        }
        if let (Problem::Cnf(cnf), Some(model)) = (problem, model)
            && let Some(found) = self.satisfied(cnf, model, Source::Cdcl, search.ecu())
        {
            return found;
        }
        // Time may run out before a searcher's first candidate, and any assignment is better than none.
        for context in search.parts.iter().map(|p| &p.context) {
            if context.best().is_none() {
                context.offer(&vec![false; context.problem().variables() as usize], Source::Presolve);
            }
        }
        best().map_or_else(|| self.answer(Status::Unknown, None, Source::Presolve, search.ecu()), with_others)
    }
}

/// Waits until `start`, or until `has_ended` was set and this thread unparked.
fn park_until(start: Instant, has_ended: &AtomicBool) {
    while !has_ended.load(Ordering::Acquire) {
        let left = start.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        std::thread::park_timeout(left);
    }
}

/// The component with the most clauses.
fn largest(components: &[Problem]) -> Option<usize> {
    let size = |component: &Problem| match component {
        Problem::Cnf(cnf) => cnf.clauses.len(),
        Problem::Wcnf(_) | Problem::Ising(_) => 0,
    };
    (0..components.len()).max_by_key(|&index| size(&components[index]))
}

/// The components' assignments with one of them replaced by another elite, those that lose least first.
fn further(parts: &[Part], bests: &[Vec<bool>], most: usize) -> Vec<Vec<Vec<bool>>> {
    let mut found = Vec::new();
    for (index, part) in parts.iter().enumerate().filter(|_| most > 0) {
        let elites = part.context.elites();
        let (hard, energy) = elites[0].key();
        found.extend(elites.into_iter().skip(1).map(|elite| {
            let loss = (elite.hard_unsatisfied - hard, elite.energy.saturating_sub(energy));
            (loss, index, elite.assignment)
        }));
    }
    found.sort_by_key(|(loss, index, _)| (*loss, *index));
    let whole = |(_, index, assignment): (_, usize, Vec<bool>)| {
        let mut assignments = bests.to_vec();
        assignments[index] = assignment;
        assignments
    };
    found.into_iter().take(most).map(whole).collect()
}
