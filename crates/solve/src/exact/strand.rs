//! A strand: sequential code that advances only while its searcher is given effort.
//!
//! Exact methods are long loops with deep state. Cut into calls with a conflict limit, CaDiCaL
//! starts each call from scratch (restart and mode schedules, lucky phases), so that a sliced
//! search is another and a worse one. A strand runs the unchanged loop on a thread of its own; the
//! loop reports its [`Pace`], and when the effort is used up it parks there until the next call of
//! [`Strand::work`]. At most one of the two threads runs at any time, so the trajectory is the same
//! however it is sliced, and equals that of a single uncut call.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Context, Outcome, Source};

/// How long the searcher's thread sleeps between two looks at the context's stop flag: short sleeps first, so that
/// what is solved in a millisecond does not wait for two.
const STOP_POLL_MIN: Duration = Duration::from_micros(50);
const STOP_POLL_MAX: Duration = Duration::from_millis(2);
/// Stack of a strand in bytes: what a main thread has, since solvers are written for that.
const STACK_BYTES: usize = 8 << 20;

/// What the strand sees of the context when it tells of something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct View {
    /// Energy of the best feasible candidate, `i64::MAX` if there is none.
    pub best_energy: i64,
    /// Greatest proven lower bound, `i64::MIN` if there is none.
    pub lower_bound: i64,
    /// Whether the search is over.
    pub stopped: bool,
}

/// What a strand leaves when it returns. The last model and bound come with the outcome, since the
/// search may be over as soon as the context knows of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// What was found out.
    pub outcome: Outcome,
    /// A last assignment to offer.
    pub model: Option<(Vec<bool>, Source)>,
    /// A last lower bound to tell of.
    pub bound: Option<i64>,
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, model: None, bound: None }
    }
}

/// How a strand stands that was launched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// At work.
    Running,
    /// Its effort is used up.
    Paused,
    /// It has returned; told once.
    Ended(Verdict),
}

/// What a strand hands to its searcher.
enum Event {
    /// The effort is used up.
    Paused,
    /// An assignment to offer.
    Model(Vec<bool>, Source),
    /// A proven lower bound.
    Bound(i64),
    /// Only a look at the context.
    Look,
    /// The best assignment is wanted.
    Best,
    /// The code has returned.
    Done(Verdict),
}

/// Whose turn it is.
enum Turn {
    /// The strand's; if it had paused, with new effort.
    Strand(Option<u64>),
    /// The searcher's, with what the strand has to say.
    Searcher(Event),
}

struct State {
    turn: Turn,
    view: View,
    best: Option<Vec<bool>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// The strand should park at its next report of pace.
    recalled: AtomicBool,
    /// The searcher is gone: the strand should return.
    abandoned: AtomicBool,
    /// Effort that the strand has left; only the strand touches it.
    left: AtomicU64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Neither side leaves the state half-written, so it is sound after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The strand's side: it counts effort, parks when there is none, and carries messages. Clones are
/// handles of the same strand, for the callbacks of the solvers that it runs.
#[derive(Clone)]
pub struct Pace {
    shared: Arc<Shared>,
}

impl Pace {
    /// Reports `cost` units of work (about a nanosecond each), and parks if the effort is used up.
    /// Returns whether the strand should return as soon as it can.
    #[inline]
    pub fn spend(&self, cost: u64) -> bool {
        let left = self.shared.left.load(Ordering::Relaxed);
        if cost < left && !self.shared.recalled.load(Ordering::Relaxed) {
            self.shared.left.store(left - cost, Ordering::Relaxed);
            return false;
        }
        self.park(cost.saturating_sub(left));
        self.is_abandoned()
    }

    /// Parks until there is more effort than is `owed`.
    #[cold]
    fn park(&self, mut owed: u64) {
        loop {
            self.exchange(Event::Paused);
            let given = self.shared.left.load(Ordering::Relaxed);
            if given > owed || self.is_abandoned() {
                self.shared.left.store(given.saturating_sub(owed), Ordering::Relaxed);
                return;
            }
            owed -= given;
        }
    }

    /// Whether the searcher is gone and nobody waits for an answer.
    pub fn is_abandoned(&self) -> bool {
        self.shared.abandoned.load(Ordering::Relaxed)
    }

    /// Offers an assignment of all variables of the problem.
    pub fn offer(&self, assignment: Vec<bool>, source: Source) -> View {
        self.exchange(Event::Model(assignment, source))
    }

    /// Tells of a proven lower bound.
    pub fn prove_lower_bound(&self, bound: i64) -> View {
        self.exchange(Event::Bound(bound))
    }

    /// Looks at the context.
    pub fn look(&self) -> View {
        self.exchange(Event::Look)
    }

    /// The best candidate's assignment, feasible or not, if there is one.
    pub fn best(&self) -> Option<Vec<bool>> {
        self.exchange(Event::Best);
        self.shared.lock().best.take()
    }

    /// Gives the turn to the searcher and waits to get it back.
    fn exchange(&self, event: Event) -> View {
        let mut state = self.shared.lock();
        state.turn = Turn::Searcher(event);
        self.shared.changed.notify_all();
        self.await_turn(state)
    }

    /// Waits for the turn, and takes the effort that may come along.
    fn await_turn(&self, mut state: MutexGuard<'_, State>) -> View {
        loop {
            if self.is_abandoned() {
                return View { stopped: true, ..state.view };
            }
            if let Turn::Strand(effort) = &mut state.turn {
                if let Some(effort) = effort.take() {
                    self.shared.left.store(effort, Ordering::Relaxed);
                }
                return state.view;
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Says that the strand is done when its thread ends, by a panic too: nobody is left waiting.
struct Ending {
    shared: Arc<Shared>,
    verdict: Verdict,
    on_end: Option<OnEnd>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let verdict = std::mem::replace(&mut self.verdict, Outcome::Exhausted.into());
        self.shared.lock().turn = Turn::Searcher(Event::Done(verdict));
        self.shared.changed.notify_all();
        if let Some(on_end) = self.on_end.take() {
            on_end();
        }
    }
}

/// What is called when a launched strand has returned.
pub type OnEnd = Box<dyn FnOnce() + Send>;

/// The code of a strand on the thread that it was on before there was a strand.
pub struct Adopted {
    pace: Pace,
    ending: Ending,
}

impl Adopted {
    /// [`Pace::spend`].
    pub fn spend(&self, cost: u64) -> bool {
        self.pace.spend(cost)
    }
    /// Says that the code has returned. Without it, it is exhausted.
    pub fn end(mut self, outcome: Outcome) {
        self.ending.verdict = outcome.into();
    }
}

/// The code of a strand.
pub type Body = Box<dyn FnOnce(&Pace) -> Verdict + Send>;

/// The searcher's side of a strand.
pub struct Strand {
    shared: Arc<Shared>,
    /// The code, until the first call of [`Self::work`] starts it.
    body: Option<Body>,
    done: Option<Outcome>,
}

impl Strand {
    /// A strand that will run `body`.
    pub fn new(body: Body) -> Self {
        Self::of(Some(body), Turn::Searcher(Event::Paused))
    }

    /// A strand of code that runs already, on the calling thread: that parks at its next report of pace, and goes on when the
    /// strand is given effort.
    pub fn adopt() -> (Self, Adopted) {
        let strand = Self::of(None, Turn::Strand(None));
        let shared = Arc::clone(&strand.shared);
        let ending = Ending { shared: Arc::clone(&shared), verdict: Outcome::Exhausted.into(), on_end: None };
        (strand, Adopted { pace: Pace { shared }, ending })
    }

    fn of(body: Option<Body>, turn: Turn) -> Self {
        let view = View { best_energy: i64::MAX, lower_bound: i64::MIN, stopped: false };
        let shared = Shared {
            state: Mutex::new(State { turn, view, best: None }),
            changed: Condvar::new(),
            recalled: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            left: AtomicU64::new(0),
        };
        Self { shared: Arc::new(shared), body, done: None }
    }

    /// Lets the strand use `effort`; [`crate::Searcher::work`] in all respects. With `u64::MAX` it
    /// runs until it is done or the context says stop. After a stop it can go on with another call.
    pub fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        if let Some(outcome) = self.done {
            return outcome;
        }
        if context.stopped() {
            return Outcome::Continue;
        }
        if let Some(body) = self.body.take()
            && let Err(outcome) = self.start(body, None)
        {
            return outcome;
        }
        let mut state = self.shared.lock();
        // After a stop the strand may still be on its way to the next report.
        self.shared.recalled.store(false, Ordering::Relaxed);
        let mut to_give = Some(effort);
        let mut poll = STOP_POLL_MIN;
        loop {
            let mut giving = None;
            match &mut state.turn {
                Turn::Strand(_) => {
                    let (next, _) =
                        self.shared.changed.wait_timeout(state, poll).unwrap_or_else(PoisonError::into_inner);
                    state = next;
                    poll = (poll * 17 / 16).min(STOP_POLL_MAX);
                    if context.stopped() && matches!(state.turn, Turn::Strand(_)) {
                        self.shared.recalled.store(true, Ordering::Relaxed);
                        // The bounds may have met by what this strand, or another, just told.
                        return if context.is_settled() { Outcome::Optimal } else { Outcome::Continue };
                    }
                    continue;
                }
                Turn::Searcher(Event::Paused) => {
                    let Some(effort) = to_give.take() else { return Outcome::Continue };
                    giving = Some(effort);
                }
                Turn::Searcher(Event::Model(assignment, source)) => {
                    let (assignment, source) = (std::mem::take(assignment), *source);
                    context.offer(&assignment, source);
                }
                Turn::Searcher(Event::Bound(bound)) => context.prove_lower_bound(*bound),
                Turn::Searcher(Event::Look) => {}
                Turn::Searcher(Event::Best) => state.best = context.best().map(|c| c.assignment),
                Turn::Searcher(Event::Done(verdict)) => {
                    if let Some((assignment, source)) = verdict.model.take() {
                        context.offer(&assignment, source);
                    }
                    if let Some(bound) = verdict.bound.take() {
                        context.prove_lower_bound(bound);
                    }
                    self.done = Some(verdict.outcome);
                    return verdict.outcome;
                }
            }
            state.view = View {
                best_energy: context.best_energy(),
                lower_bound: context.lower_bound(),
                stopped: context.stopped(),
            };
            state.turn = Turn::Strand(giving);
            self.shared.changed.notify_all();
        }
    }

    /// Starts a strand that nobody hosts: it uses up to `effort` beside its maker, who looks at [`Self::standing`];
    /// `on_end` is called on its thread when it has returned. Only for bodies that tell of nothing before their verdict: a message would wait for a host.
    ///
    /// # Errors
    /// The outcome to report where the system gives no thread.
    pub fn launch(&mut self, effort: u64, on_end: OnEnd) -> Result<(), Outcome> {
        let Some(body) = self.body.take() else { return Ok(()) };
        self.shared.lock().turn = Turn::Strand(Some(effort));
        self.start(body, Some(on_end))
    }

    /// How a launched strand stands.
    pub fn standing(&mut self) -> Standing {
        let mut state = self.shared.lock();
        match &mut state.turn {
            Turn::Searcher(Event::Done(verdict)) => {
                let verdict = std::mem::replace(verdict, Outcome::Exhausted.into());
                self.done = Some(verdict.outcome);
                Standing::Ended(verdict)
            }
            Turn::Searcher(Event::Paused) => Standing::Paused,
            _ => Standing::Running,
        }
    }

    /// Starts the thread, parked before the first line of the body.
    fn start(&mut self, body: Body, on_end: Option<OnEnd>) -> Result<(), Outcome> {
        let shared = Arc::clone(&self.shared);
        let run = move || {
            let verdict = Outcome::Exhausted.into();
            let mut ending = Ending { shared: Arc::clone(&shared), verdict, on_end };
            let pace = Pace { shared };
            pace.await_turn(pace.shared.lock());
            ending.verdict = body(&pace);
        };
        // Without a thread there is no exact method; the rest of the portfolio goes on.
        match std::thread::Builder::new().name("exact".into()).stack_size(STACK_BYTES).spawn(run) {
            Ok(_) => Ok(()),
            Err(_) => {
                self.done = Some(Outcome::Exhausted);
                Err(Outcome::Exhausted)
            }
        }
    }
}

impl Drop for Strand {
    /// Tells the strand to return. It is not waited for: it frees what it has when it sees the flag.
    fn drop(&mut self) {
        let _state = self.shared.lock();
        self.shared.abandoned.store(true, Ordering::Relaxed);
        self.shared.recalled.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}
