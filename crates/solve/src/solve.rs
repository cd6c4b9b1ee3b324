//! [`solve`]: normalise, split into components, share the cores among them, put the answer together.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hysteron_problem::normalise::{Decided, NormaliseOptions, Normalised, normalise};
use hysteron_problem::{Cnf, Problem};

use crate::exact::cdcl::{Background, Foreground};
use crate::exact::strand::{Standing, Verdict};
use crate::portfolio::{self, Learning, Team};
use crate::schedule::Schedule;
use crate::{Context, Outcome, Source};

/// With several components, none keeps a thread longer than this effort (about 0.4 s).
const COMPONENT_TURN_MAX: u64 = 400_000_000;

/// What bounds a search and what it depends on.
#[derive(Clone, Debug)]
pub struct Options {
    /// Wall-clock limit.
    pub time: Option<Duration>,
    /// Limit on chip-steps: steps of one 64-chip bank of the whole problem, other methods
    /// charged by the same cost; for each thread.
    pub steps: Option<u64>,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// All randomness is a function of it.
    pub seed: u64,
    /// Stop when a feasible assignment has at most this canonical energy.
    pub target: Option<i64>,
}

/// Where an answer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// A CNF, satisfied.
    Satisfiable,
    /// The (hard) clauses are proven contradictory.
    Unsatisfiable,
    /// Proven best.
    Optimal,
    /// All hard clauses hold; nothing is proven.
    Feasible,
    /// No assignment that satisfies the (hard) clauses was found.
    Unknown,
}

/// A new best, as it happens.
#[derive(Clone, Copy, Debug)]
pub struct Improvement {
    /// Canonical energy of the whole problem.
    pub energy: i64,
    /// Unsatisfied hard clauses; 0 is feasible.
    pub hard_unsatisfied: u64,
    /// Who found it.
    pub source: Source,
    /// Since [`solve`] began.
    pub elapsed: Duration,
}

/// How far a search is, told a few times a second.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Since [`solve`] began.
    pub elapsed: Duration,
    /// Elementary circuit updates so far.
    pub ecu: u64,
    /// Greatest proven lower bound on the canonical energy, if any is known.
    pub lower_bound: Option<i64>,
}

/// Follows a search. Calls come from several threads, one at a time, and must be quick.
pub trait Observer: Sync {
    /// There is a new best.
    fn improved(&self, _improvement: &Improvement) {}
    /// Time went by.
    fn progress(&self, _progress: &Progress) {}
}

/// Watches nothing.
impl Observer for () {}

/// What [`solve`] found.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where it stands.
    pub status: Status,
    /// One value a variable of the canonical problem; `None` only when it is proven unsatisfiable.
    pub assignment: Option<Vec<bool>>,
    /// Who found the assignment (of the component that improved last).
    pub source: Source,
    /// Elementary circuit updates simulated.
    pub ecu: u64,
    /// Wall time.
    pub elapsed: Duration,
}

/// What [`search`] found: the answer, and further good assignments.
#[derive(Clone, Debug)]
pub struct Found {
    /// The best.
    pub answer: Answer,
    /// Assignments besides it that the search kept, all distinct, the best first: at most what was
    /// asked for. Where there are several components, each differs from the answer in one of them.
    pub others: Vec<Vec<bool>>,
}

/// One component and what is known of it.
struct Part<'a> {
    context: Context<'a>,
    /// Its best is proven, or it is proven to have none.
    settled: AtomicBool,
}

/// What the threads of one search share.
struct Search<'a> {
    parts: Vec<Part<'a>>,
    options: &'a Options,
    /// Effort that each thread may spend.
    effort_limit: u64,
    unsatisfiable: AtomicBool,
    stop: AtomicBool,
    running: AtomicUsize,
    wake: Arc<Wake>,
}

/// Wakes the supervisor.
#[derive(Default)]
struct Wake {
    mutex: Mutex<()>,
    condition: Condvar,
}

impl Wake {
    fn lock(&self) -> std::sync::MutexGuard<'_, ()> {
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn notify(&self) {
        let _guard = self.lock();
        self.condition.notify_all();
    }
}

impl Search<'_> {
    /// Ends the search on all threads.
    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        for part in &self.parts {
            part.context.stop();
        }
        self.wake.notify();
    }
    fn settle(&self, index: usize) {
        self.parts[index].settled.store(true, Ordering::Relaxed);
        self.parts[index].context.stop();
        if self.parts.iter().all(|p| p.settled.load(Ordering::Relaxed)) {
            self.stop();
        }
    }

    /// One thread's life.
    fn work(&self, thread: usize) {
        let team = Team { thread, threads: self.options.threads, seed: self.options.seed };
        let mut schedules: Vec<Option<Schedule>> = self.parts.iter().map(|_| None).collect();
        let mut spent = 0u64;
        // Threads begin at different components, so that many small ones are not all done twice.
        let mut index = thread % self.parts.len();
        let mut idle = 0;
        while !self.stop.load(Ordering::Relaxed) && spent < self.effort_limit && idle < self.parts.len() {
            let here = index;
            index = (index + 1) % self.parts.len();
            let part = &self.parts[here];
            if part.settled.load(Ordering::Relaxed) {
                schedules[here] = None;
                idle += 1;
                continue;
            }
            let schedule =
                schedules[here].get_or_insert_with(|| portfolio::schedule(part.context.problem(), team));
            if schedule.is_done() {
                idle += 1;
                continue;
            }
            idle = 0;
            let limit = if self.parts.len() == 1 { u64::MAX } else { COMPONENT_TURN_MAX };
            let before = schedule.effort();
            let outcome = schedule.turn(&part.context, limit.min(self.effort_limit - spent));
            spent = spent.saturating_add(schedule.effort() - before);
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
}

/// Sums the components' bests as they improve and tells the observer of the whole.
struct Scoreboard<'a> {
    observer: &'a dyn Observer,
    begin: Instant,
    normalised: &'a Normalised,
    /// Best key and source a component.
    bests: Mutex<Vec<Option<(u64, i64, Source)>>>,
    last_source: Mutex<Source>,
    /// Energy of the whole, `i64::MAX` until every component has a feasible candidate.
    energy: AtomicI64,
}

impl Scoreboard<'_> {
    fn improved(&self, part: usize, key: (u64, i64), source: Source) {
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
        self.observer.improved(&Improvement {
            energy,
            hard_unsatisfied: total.0,
            source,
            elapsed: self.begin.elapsed(),
        });
    }
}

/// Searches for the best assignment of `problem` until a limit of `options` or `interrupt` ends it,
/// or nothing better exists.
///
/// With one thread, a step limit and no time limit the answer is a function of (problem, options).
pub fn solve(
    problem: &Problem,
    options: &Options,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Answer {
    search(problem, options, &[], 0, observer, interrupt).answer
}

/// [`solve`], from given assignments: each is a candidate from the beginning and an elite while it is
/// good enough, so the answer is at least as good as the best of them. Returns up to `others` further
/// assignments besides the answer.
///
/// # Panics
/// If a start does not have one value a variable.
pub fn search(
    problem: &Problem,
    options: &Options,
    starts: &[Vec<bool>],
    others: usize,
    observer: &dyn Observer,
    interrupt: &AtomicBool,
) -> Found {
    let effort_limit =
        options.steps.map_or(u64::MAX, |steps| steps.saturating_mul(portfolio::step_effort(problem)));
    let order =
        Order { problem, options, effort_limit, starts, others, observer, interrupt, begin: Instant::now() };
    let Problem::Cnf(cnf) = problem else { return order.search(None, Arc::default()) };
    match portfolio::learning(cnf, options.threads) {
        Learning::First => order.learn_first(cnf),
        // Before anything else, so that nobody is worse off than with clause learning alone.
        Learning::Beside => {
            let wake = Arc::new(Wake::default());
            let on_end = Arc::clone(&wake);
            let background = Background::start(cnf, effort_limit, Box::new(move || on_end.notify()));
            order.search(background, wake)
        }
        Learning::Among => order.search(None, Arc::default()),
    }
}

/// What was asked of [`search`].
struct Order<'a> {
    problem: &'a Problem,
    options: &'a Options,
    /// Effort that each thread may spend.
    effort_limit: u64,
    starts: &'a [Vec<bool>],
    others: usize,
    observer: &'a dyn Observer,
    interrupt: &'a AtomicBool,
    begin: Instant,
}

impl Order<'_> {
    /// Effort (about nanoseconds) that clause learning has before anybody else begins, and besides for each literal, which is
    /// about what the others need to begin.
    const ALONE_EFFORT: u64 = 1_600_000;
    const ALONE_EFFORT_PER_LITERAL: u64 = 40;
    /// The same by the clock, where there are others: callbacks of large formulas stand for more than they are charged.
    const ALONE_TIME: Duration = Duration::from_millis(2);

    /// Clause learning on this thread. Where it does not decide the formula at once, the others begin beside it, or, if
    /// there is but one thread, after it.
    fn learn_first(&self, cnf: &Cnf) -> Found {
        let (foreground, handle) = Foreground::new();
        let wake = Arc::new(Wake::default());
        let mut handle = Some(handle);
        let extra = Self::ALONE_EFFORT_PER_LITERAL * cnf.clauses.literals().len() as u64;
        let alone_time = Self::ALONE_TIME + Duration::from_nanos(extra);
        let is_over = || {
            self.interrupt.load(Ordering::Relaxed)
                || self.options.time.is_some_and(|time| self.begin.elapsed() >= time)
        };
        std::thread::scope(|scope| {
            let mut beside = None;
            let verdict = foreground.decide(cnf, |spent| {
                if spent > self.effort_limit {
                    return true;
                }
                if beside.is_some() {
                    return false;
                }
                let is_late = spent > Self::ALONE_EFFORT + extra;
                if self.options.threads == 1 {
                    return is_late || is_over();
                }
                if is_late || self.begin.elapsed() > alone_time {
                    let (wake, handle) = (Arc::clone(&wake), handle.take());
                    beside = std::thread::Builder::new()
                        .name("search".into())
                        .spawn_scoped(scope, move || self.search(handle, wake))
                        .ok();
                    // Without a thread the others come when this one has ended.
                    return beside.is_none();
                }
                is_over()
            });
            let Some(beside) = beside else { return self.alone(cnf, verdict) };
            foreground.tell(verdict.clone());
            wake.notify();
            let found = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // The others may have ended just before it was told.
            let is_decided = matches!(verdict.outcome, Outcome::Unsatisfiable | Outcome::Optimal);
            if found.answer.status == Status::Unknown && is_decided {
                self.alone(cnf, verdict)
            } else {
                found
            }
        })
    }

    /// The answer where clause learning had nobody beside it.
    fn alone(&self, cnf: &Cnf, verdict: Verdict) -> Found {
        let answer = |status, assignment| {
            let elapsed = self.begin.elapsed();
            let answer = Answer { status, assignment, source: Source::Cdcl, ecu: 0, elapsed };
            Found { answer, others: Vec::new() }
        };
        match (verdict.outcome, verdict.model) {
            (Outcome::Unsatisfiable, _) => answer(Status::Unsatisfiable, None),
            (_, Some((model, source))) if cnf.unsatisfied(&model) == 0 => {
                let elapsed = self.begin.elapsed();
                self.observer.improved(&Improvement { energy: 0, hard_unsatisfied: 0, source, elapsed });
                answer(Status::Satisfiable, Some(model))
            }
            _ => self.search(None, Arc::default()),
        }
    }

    /// The whole portfolio, beside clause learning in the `background` if there is any; that notifies `wake` when it has ended.
    fn search(&self, background: Option<Background>, wake: Arc<Wake>) -> Found {
        let Self { problem, options, effort_limit, starts, others, observer, interrupt, begin } = *self;
        // Clause learning in the background has the place of the first thread.
        let first_thread = usize::from(background.is_some());
        let normalised = normalise(problem, &NormaliseOptions::default());
        let is_cnf = matches!(problem, Problem::Cnf(_));
        let answer = |status, assignment, source, ecu| Found {
            answer: Answer { status, assignment, source, ecu, elapsed: begin.elapsed() },
            others: Vec::new(),
        };
        let solved = if is_cnf { Status::Satisfiable } else { Status::Optimal };
        match normalised.decided {
            Some(Decided::Unsatisfiable) => return answer(Status::Unsatisfiable, None, Source::Presolve, 0),
            Some(Decided::Solved) => {
                let assignment = normalised.restore.restore(&[]);
                let (hard_unsatisfied, energy) = score(problem, &assignment);
                let elapsed = begin.elapsed();
                observer.improved(&Improvement {
                    energy,
                    hard_unsatisfied,
                    source: Source::Presolve,
                    elapsed,
                });
                return answer(solved, Some(assignment), Source::Presolve, 0);
            }
            None => {}
        }

        let scoreboard = Scoreboard {
            observer,
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
        let work = |thread: usize| {
            let work = std::panic::AssertUnwindSafe(|| search.work(thread));
            if std::panic::catch_unwind(work).is_err() && search.running.fetch_sub(1, Ordering::AcqRel) == 1 {
                search.wake.notify();
            }
        };
        let model = std::thread::scope(|scope| {
            let work = &work;
            // The caller's thread is a worker too: what takes a fraction of a millisecond does not wait for a thread.
            let supervisor = scope.spawn(|| supervise(&search, &scoreboard, background, interrupt));
            for thread in first_thread + 1..options.threads {
                scope.spawn(move || work(thread));
            }
            work(first_thread);
            supervisor.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });

        let ecu = search.parts.iter().map(|p| p.context.ecu()).sum();
        if search.unsatisfiable.load(Ordering::Relaxed) {
            return answer(Status::Unsatisfiable, None, Source::Cdcl, ecu);
        }
        if let Some(model) = model.filter(|model| score(problem, model) == (0, 0)) {
            let elapsed = begin.elapsed();
            observer.improved(&Improvement { energy: 0, hard_unsatisfied: 0, source: Source::Cdcl, elapsed });
            return answer(Status::Satisfiable, Some(model), Source::Cdcl, ecu);
        }
        // Time may run out before a searcher's first candidate, and any assignment is better than none.
        for context in search.parts.iter().map(|p| &p.context) {
            if context.best().is_none() {
                context.offer(&vec![false; context.problem().variables() as usize], Source::Presolve);
            }
        }
        let bests: Vec<_> = search.parts.iter().map(|p| p.context.best()).collect();
        let source = *scoreboard.last_source.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(assignments) =
            bests.iter().map(|b| b.as_ref().map(|b| b.assignment.clone())).collect::<Option<Vec<_>>>()
        else {
            return answer(Status::Unknown, None, source, ecu);
        };
        let assignment = normalised.restore.restore(&assignments);
        let (hard_unsatisfied, energy) = score(problem, &assignment);
        let proven = search.parts.iter().all(|p| p.settled.load(Ordering::Relaxed) || p.context.is_settled());
        let status = match (is_cnf, hard_unsatisfied == 0, energy) {
            (true, _, 0) => Status::Satisfiable,
            (true, ..) | (_, false, _) => Status::Unknown,
            _ if proven => Status::Optimal,
            _ => Status::Feasible,
        };
        let others = further(&search.parts, &assignments, others).into_iter();
        let others = others.map(|assignments| normalised.restore.restore(&assignments)).collect();
        Found { others, ..answer(status, Some(assignment), source, ecu) }
    }
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

/// Waits for the end, tells of progress, and ends the search when a limit is reached. Returns the model of the whole
/// formula, if clause learning in the background found one.
fn supervise(
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
        scoreboard.observer.progress(&Progress {
            elapsed: scoreboard.begin.elapsed(),
            ecu: search.parts.iter().map(|p| p.context.ecu()).sum(),
            lower_bound,
        });
    }
    model
}

/// Unsatisfied hard clauses and canonical energy.
pub fn score(problem: &Problem, assignment: &[bool]) -> (u64, i64) {
    match problem {
        Problem::Cnf(cnf) => (0, cnf.unsatisfied(assignment) as i64),
        Problem::Wcnf(wcnf) => (wcnf.hard_unsatisfied(assignment), wcnf.cost(assignment)),
        Problem::Ising(ising) => (0, ising.energy(assignment)),
    }
}
