//! [`solve`]: normalise, split into components, share the cores among them, put the answer together.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hysteron_problem::normalise::{Decided, NormaliseOptions, Normalised, normalise};
use hysteron_problem::{Cnf, Problem};

use crate::exact::cdcl::{Background, Foreground, InTurns};
use crate::exact::strand::{Adopted, Standing, Verdict};
use crate::portfolio::{self, Learning, Team};
use crate::schedule::Schedule;
use crate::{Context, Outcome, Source};

/// Clause learning in turns with all others has so much effort (about nanoseconds) before they search, and then this many parts
/// of the time for one of theirs.
const LEARN_ALONE_EFFORT: u64 = 100_000_000;
const LEARN_PARTS: u64 = 3;
/// Its turns are of at least and at most this effort.
const LEARN_TURN_MIN: u64 = 4_000_000;
const LEARN_TURN_MAX: u64 = 400_000_000;

/// Of a problem with so few literals or couplings, the caller's thread runs one slice of so much effort before other threads are
/// started: starting one takes a quarter of the time that the first run of a bank of chips does.
const SPRINT_ELEMENTS_MAX: u64 = 1 << 13;
const SPRINT_EFFORT: u64 = 500_000;

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
    /// A proven answer is known. Told at most once, before threads are waited for and what they hold is given back, which may take
    /// longer than the search did: who has no other use for the process may end it here.
    fn answered(&self, _answer: &Answer) {}
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
        if self.is_settled() {
            self.stop();
        }
    }
    fn is_settled(&self) -> bool {
        self.parts.iter().all(|p| p.settled.load(Ordering::Relaxed))
    }
    fn ecu(&self) -> u64 {
        self.parts.iter().map(|p| p.context.ecu()).sum()
    }

    /// One thread's life. `others` starts those that do not work yet, after a sprint if there is one.
    fn work(&self, thread: usize, learner: &mut Option<Learner>, others: Others) {
        let learns = thread == 0 && learner.is_none();
        let team = Team { thread, threads: self.options.threads, seed: self.options.seed, learns };
        let mut schedules: Vec<Option<Schedule>> = self.parts.iter().map(|_| None).collect();
        let mut spent = learner.as_ref().map_or(0, |learner| learner.had);
        // Threads begin at different components, so that many small ones are not all done twice.
        let mut index = thread % self.parts.len();
        let mut idle = 0;
        let mut others = Some(others);
        while !self.stop.load(Ordering::Relaxed) && spent < self.effort_limit {
            let is_sprint = match others.take() {
                Some(Others::AfterSprint(start)) if spent == 0 => {
                    others = Some(Others::AtOnce(start));
                    true
                }
                Some(Others::AtOnce(start) | Others::AfterSprint(start)) => {
                    start();
                    false
                }
                Some(Others::Work) | None => false,
            };
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
            let schedule =
                schedules[here].get_or_insert_with(|| portfolio::schedule(part.context.problem(), team));
            if schedule.is_done() {
                idle += 1;
                continue;
            }
            idle = 0;
            let limit = match self.parts.len() {
                _ if is_sprint => SPRINT_EFFORT,
                1 => u64::MAX,
                _ => COMPONENT_TURN_MAX,
            };
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

/// The other threads of a search, to the one that runs on the caller's.
enum Others<'a> {
    /// They work already.
    Work,
    /// They are to be started at once.
    AtOnce(&'a mut dyn FnMut()),
    /// They are to be started if a sprint does not end the search.
    AfterSprint(&'a mut dyn FnMut()),
}

/// Clause learning on the whole formula that needs nobody here.
enum Beside<'a> {
    Nobody,
    Running(Background),
    /// The supervisor starts it: the caller's thread shall not wait for that where it may be done as soon.
    Supervised(&'a Cnf),
}

/// Clause learning on the whole formula that takes turns with the searchers of its components, and what both had.
struct Learner {
    clauses: InTurns,
    /// What it has before the others search.
    alone: u64,
    had: u64,
    others_had: u64,
}

impl Learner {
    /// The effort of its turn, if it is its turn: when the others have nothing left to do, always.
    fn turn(&self, is_alone: bool) -> Option<u64> {
        if is_alone {
            return Some(u64::MAX);
        }
        let due = self.alone.max(self.others_had.saturating_mul(LEARN_PARTS));
        (self.had < due).then(|| (due - self.had).clamp(LEARN_TURN_MIN, LEARN_TURN_MAX))
    }
}

/// Tells the observer, one at a time, and nothing more once a proven answer was told.
struct Teller<'a> {
    observer: &'a dyn Observer,
    is_over: Mutex<bool>,
}

impl Teller<'_> {
    fn lock(&self) -> std::sync::MutexGuard<'_, bool> {
        self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn improved(&self, improvement: &Improvement) {
        let is_over = self.lock();
        if !*is_over {
            self.observer.improved(improvement);
        }
    }
    fn answered(&self, answer: &Answer) {
        let mut is_over = self.lock();
        if !*is_over && matches!(answer.status, Status::Satisfiable | Status::Unsatisfiable | Status::Optimal)
        {
            *is_over = true;
            self.observer.answered(answer);
        }
    }
}

/// Sums the components' bests as they improve and tells the observer of the whole.
struct Scoreboard<'a> {
    teller: &'a Teller<'a>,
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
        self.teller.improved(&Improvement {
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
    let teller = Teller { observer, is_over: Mutex::new(false) };
    let order =
        Order { problem, options, effort_limit, starts, others, teller, interrupt, begin: Instant::now() };
    let Problem::Cnf(cnf) = problem else { return order.search(Beside::Nobody, None, Arc::default()) };
    match portfolio::learning(cnf, options.threads) {
        Learning::First => order.learn_first(cnf),
        // Before anything else, so that nobody is worse off than with clause learning alone.
        Learning::Beside { .. } if options.threads == 1 => {
            let learner = order.learner(InTurns::new(cnf), 0);
            order.search(Beside::Nobody, Some(learner), Arc::default())
        }
        Learning::Beside { at_once: true } => {
            let wake = Arc::new(Wake::default());
            let background = order.start(cnf, &wake);
            order.search(background.map_or(Beside::Nobody, Beside::Running), None, wake)
        }
        Learning::Beside { at_once: false } => order.search(Beside::Supervised(cnf), None, Arc::default()),
        Learning::Among => order.search(Beside::Nobody, None, Arc::default()),
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
    teller: Teller<'a>,
    interrupt: &'a AtomicBool,
    begin: Instant,
}

impl Order<'_> {
    /// Effort (about nanoseconds) that clause learning has before anybody else begins, and besides for each literal, which is
    /// about what the others need to begin. A busy second core of the two costs it a quarter to a half of its speed.
    const ALONE_EFFORT: u64 = 10_000_000;
    const ALONE_EFFORT_PER_LITERAL: u64 = 40;
    /// With one thread, what the others need to begin is lost to it.
    const ALONE_EFFORT_PER_LITERAL_IN_TURNS: u64 = 150;
    /// The same by the clock, where there are others: callbacks of large formulas stand for more than they are charged.
    const ALONE_TIME: Duration = Duration::from_millis(10);

    /// Clause learning in turns with the others, which has had some effort. A short search is not all its.
    fn learner(&self, clauses: InTurns, had: u64) -> Learner {
        const PART: u32 = 4;
        let time = self
            .options
            .time
            .map_or(u64::MAX, |time| u64::try_from((time / PART).as_nanos()).unwrap_or(u64::MAX));
        let alone = LEARN_ALONE_EFFORT.min(self.effort_limit / u64::from(PART)).min(time);
        Learner { clauses, alone, had, others_had: 0 }
    }

    /// Clause learning on a thread of its own.
    fn start(&self, cnf: &Cnf, wake: &Arc<Wake>) -> Option<Background> {
        let on_end = Arc::clone(wake);
        Background::start(cnf, self.effort_limit, Box::new(move || on_end.notify()))
    }

    /// Clause learning on this thread. Where it does not decide the formula at once, the others begin beside it, or, if
    /// there is but one thread, in turns with it.
    fn learn_first(&self, cnf: &Cnf) -> Found {
        let (foreground, handle) = Foreground::new();
        let wake = Arc::new(Wake::default());
        let mut handle = Some(handle);
        let is_in_turns = self.options.threads == 1;
        let per_literal = if is_in_turns {
            Self::ALONE_EFFORT_PER_LITERAL_IN_TURNS
        } else {
            Self::ALONE_EFFORT_PER_LITERAL
        };
        let extra = per_literal * cnf.clauses.literals().len() as u64;
        let alone_time = Self::ALONE_TIME + Duration::from_nanos(extra);
        let is_over = || {
            self.interrupt.load(Ordering::Relaxed)
                || self.options.time.is_some_and(|time| self.begin.elapsed() >= time)
        };
        std::thread::scope(|scope| {
            let mut beside = None;
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
                if beside.is_some() {
                    return false;
                }
                let is_late = spent > Self::ALONE_EFFORT + extra;
                if !is_late && (is_in_turns || self.begin.elapsed() <= alone_time) {
                    return is_over();
                }
                // In turns it is given up with its turns.
                let handle = if is_in_turns { None } else { handle.take() };
                let handle = handle.map_or(Beside::Nobody, Beside::Running);
                let wake = Arc::clone(&wake);
                let learner = is_in_turns.then(InTurns::of_caller).map(|(clauses, adopted)| {
                    turns = Some(adopted);
                    self.learner(clauses, spent)
                });
                beside = std::thread::Builder::new()
                    .name("search".into())
                    .spawn_scoped(scope, move || self.search(handle, learner, wake))
                    .ok();
                // Without a thread the others come when this one has ended.
                beside.is_none()
            };
            // Told before the solver's clauses are given back.
            let outcome = foreground.decide(cnf, report, |verdict| found = self.decided(cnf, verdict));
            let Some(beside) = beside else {
                return found.unwrap_or_else(|| self.search(Beside::Nobody, None, Arc::default()));
            };
            let outcome = if found.is_some() { outcome } else { Outcome::Exhausted };
            if let Some(turns) = turns {
                turns.end(outcome);
            }
            foreground.tell(outcome.into());
            wake.notify();
            let other = beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            found.unwrap_or(other)
        })
    }

    /// The answer where clause learning on the whole formula has decided it, told to the observer.
    fn decided(&self, cnf: &Cnf, verdict: Verdict) -> Option<Found> {
        let elapsed = self.begin.elapsed();
        let (status, assignment) = match (verdict.outcome, verdict.model) {
            (Outcome::Unsatisfiable, _) => (Status::Unsatisfiable, None),
            (_, Some((model, source))) if cnf.unsatisfied(&model) == 0 => {
                self.teller.improved(&Improvement { energy: 0, hard_unsatisfied: 0, source, elapsed });
                (Status::Satisfiable, Some(model))
            }
            _ => return None,
        };
        let answer = Answer { status, assignment, source: Source::Cdcl, ecu: 0, elapsed };
        self.teller.answered(&answer);
        Some(Found { answer, others: Vec::new() })
    }

    /// The whole portfolio, beside clause learning or in turns with it, if there is any; that notifies `wake` when it has ended.
    fn search(&self, beside: Beside, mut learner: Option<Learner>, wake: Arc<Wake>) -> Found {
        let Self { problem, options, effort_limit, starts, others, ref teller, interrupt, begin } = *self;
        // Clause learning in the background has the place of the first thread.
        let first_thread = usize::from(!matches!(beside, Beside::Nobody));
        let normalised = normalise(problem, &NormaliseOptions::default());
        let is_cnf = matches!(problem, Problem::Cnf(_));
        let answer = |status, assignment, source, ecu| {
            let answer = Answer { status, assignment, source, ecu, elapsed: begin.elapsed() };
            teller.answered(&answer);
            Found { answer, others: Vec::new() }
        };
        let solved = if is_cnf { Status::Satisfiable } else { Status::Optimal };
        match normalised.decided {
            Some(Decided::Unsatisfiable) => return answer(Status::Unsatisfiable, None, Source::Presolve, 0),
            Some(Decided::Solved) => {
                let assignment = normalised.restore.restore(&[]);
                let (hard_unsatisfied, energy) = score(problem, &assignment);
                let elapsed = begin.elapsed();
                teller.improved(&Improvement { energy, hard_unsatisfied, source: Source::Presolve, elapsed });
                return answer(solved, Some(assignment), Source::Presolve, 0);
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
        let work = |thread: usize, learner: &mut Option<Learner>, others: Others| {
            let work = std::panic::AssertUnwindSafe(|| search.work(thread, learner, others));
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
            Some((parts, answer(status, Some(assignment), source, search.ecu())))
        };
        let (model, settled) = std::thread::scope(|scope| {
            let work = &work;
            let may_sprint = learner.is_none()
                && !matches!(beside, Beside::Running(_))
                && portfolio::elements(problem) <= SPRINT_ELEMENTS_MAX;
            let mut supervisor = None;
            let mut beside = Some(beside);
            let mut start = || {
                let Some(beside) = beside.take() else { return };
                let search = &search;
                let scoreboard = &scoreboard;
                supervisor = Some(scope.spawn(move || {
                    let background = match beside {
                        Beside::Supervised(cnf) if !search.stop.load(Ordering::Relaxed) => {
                            self.start(cnf, &search.wake)
                        }
                        Beside::Running(background) => Some(background),
                        Beside::Supervised(_) | Beside::Nobody => None,
                    };
                    supervise(search, scoreboard, background, interrupt)
                }));
                for thread in first_thread + 1..options.threads {
                    scope.spawn(move || work(thread, &mut None, Others::Work));
                }
            };
            // The caller's thread is a worker too: what takes a fraction of a millisecond does not wait for a thread.
            let others =
                if may_sprint { Others::AfterSprint(&mut start) } else { Others::AtOnce(&mut start) };
            work(first_thread, &mut learner, others);
            if !search.stop.load(Ordering::Relaxed) {
                // The sprint took all that this thread may spend, or ended in a panic.
                start();
            }
            // Nor for the others, where nothing is left to find.
            let settled = search.is_settled().then(best).flatten();
            let joined = supervisor.map(|supervisor| supervisor.join());
            let model = joined.and_then(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            (model, settled)
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
            return answer(Status::Unsatisfiable, None, Source::Cdcl, search.ecu());
        }
        if let Some(model) = model.filter(|model| score(problem, model) == (0, 0)) {
            let elapsed = begin.elapsed();
            teller.improved(&Improvement { energy: 0, hard_unsatisfied: 0, source: Source::Cdcl, elapsed });
            return answer(Status::Satisfiable, Some(model), Source::Cdcl, search.ecu());
        }
        // Time may run out before a searcher's first candidate, and any assignment is better than none.
        for context in search.parts.iter().map(|p| &p.context) {
            if context.best().is_none() {
                context.offer(&vec![false; context.problem().variables() as usize], Source::Presolve);
            }
        }
        best().map_or_else(|| answer(Status::Unknown, None, Source::Presolve, search.ecu()), with_others)
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
        scoreboard.teller.observer.progress(&Progress {
            elapsed: scoreboard.begin.elapsed(),
            ecu: search.ecu(),
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
