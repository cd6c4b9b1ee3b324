//! Satisfiability by conflict-driven clause learning: CaDiCaL, unchanged, on a strand.

use hysteron_circuit::rom::mix64;
use hysteron_problem::{ClauseList, Cnf, Literal};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::cadical::Cadical;
use super::oracle::{Answer, Oracle};
use super::strand::{Adopted, OnEnd, Pace, Standing, Strand, Verdict};
use super::units::Residue;
use crate::permutation::permutation;
use crate::{Context, Outcome, Searcher, Source};

/// Decides a CNF: a model is offered to the context, *unsatisfiable* is answered as the outcome.
///
/// The search is the same however it is sliced, and that of [`Self::new`] the same as that of CaDiCaL alone.
pub struct Cdcl {
    strand: Strand,
}

impl Cdcl {
    /// A solver that has read `problem`. Its memory is about [`Self::memory_bytes`].
    pub fn new(problem: &Cnf) -> Self {
        let solver = read(problem.variables, &problem.clauses);
        let variables = problem.variables;
        Self { strand: Strand::new(Box::new(move |pace: &Pace| decide(solver, variables, pace))) }
    }

    /// A solver that has read `problem` with its variables in an order that `seed` says. How long a search
    /// takes depends on that order, often by a factor of ten (Gomes, Selman, Crato, Kautz 2000, "Heavy-tailed phenomena in
    /// satisfiability and constraint satisfaction problems"), so it is a good companion of one in the given order.
    pub fn shuffled(problem: &Cnf, seed: u64) -> Self {
        let key = mix64(seed);
        let numbers = permutation(problem.variables, |below| {
            (u128::from(mix64(key ^ (below as u64 - 1))) * below as u128 >> 64) as usize
        });
        let mut solver = Cadical::new();
        solver.make_room(problem.variables);
        let mut clause = Vec::with_capacity(problem.clauses.longest());
        for literals in problem.clauses.iter() {
            let renamed =
                literals.iter().map(|l| Literal::new(numbers[l.variable() as usize], l.is_negative()));
            clause.clear();
            clause.extend(renamed);
            solver.add(&clause);
        }
        let body = move |pace: &Pace| {
            let answer = solver.solve(pace, &[], None);
            verdict(answer, || {
                let values = solver.values(numbers.len() as u32);
                numbers.iter().map(|&number| values[number as usize]).collect()
            })
        };
        Self { strand: Strand::new(Box::new(body)) }
    }

    /// About how many bytes a search on `problem` needs: measured on uniform 3-SAT and structured
    /// files, learnt clauses included for a search of minutes.
    pub fn memory_bytes(problem: &Cnf) -> u64 {
        Cadical::memory_bytes(
            u64::from(problem.variables),
            problem.clauses.len() as u64,
            problem.clauses.literals().len() as u64,
        )
    }
}

impl Searcher for Cdcl {
    fn source(&self) -> Source {
        Source::Cdcl
    }
    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.strand.work(context, effort)
    }
}

/// Clause learning on a whole formula as it was given, beside everything else and from the start: what CaDiCaL alone
/// would do, whatever else goes on. On a normalised formula, whose literals are in another order, it searches
/// differently, and not always as fast. Dropped, it is told to end and not waited for.
pub enum Background {
    /// On a thread of its own.
    Strand(Strand),
    /// On the thread that called for the search.
    Caller(Call),
}

impl Background {
    /// Starts the search, for at most `effort`; `on_end` is called on its thread when it is over. `None` where the
    /// system gives no thread.
    pub fn start(problem: &Cnf, effort: u64, on_end: OnEnd) -> Option<Self> {
        let problem = problem.clone();
        let mut strand = Strand::new(Box::new(move |pace: &Pace| decide_whole(&problem, pace)));
        strand.launch(effort, on_end).ok()?;
        Some(Self::Strand(strand))
    }

    /// How it stands; the verdict is told once.
    pub fn standing(&mut self) -> Standing {
        match self {
            Self::Strand(strand) => strand.standing(),
            Self::Caller(call) => call.0.standing(),
        }
    }
}

/// Clause learning on a whole formula as it was given, in turns with everything else: for one thread.
pub struct InTurns {
    strand: Strand,
    model: Arc<Mutex<Option<Vec<bool>>>>,
}

impl InTurns {
    /// Clause learning that reads `problem` when its turn comes.
    pub fn new(problem: &Cnf) -> Self {
        let model: Arc<Mutex<Option<Vec<bool>>>> = Arc::default();
        let slot = Arc::clone(&model);
        let problem = problem.clone();
        let body = move |pace: &Pace| {
            let verdict = decide_whole(&problem, pace);
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            *slot = verdict.model.map(|(model, _)| model);
            verdict.outcome.into()
        };
        Self { strand: Strand::new(Box::new(body)), model }
    }
    /// Clause learning that its thread goes on with whenever it gets a turn here.
    pub fn of_caller() -> (Self, Adopted) {
        let (strand, adopted) = Strand::adopt();
        (Self { strand, model: Arc::default() }, adopted)
    }
    /// Gives it a turn; as [`Searcher::work`], but that what it decides is of the whole formula.
    pub fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.strand.work(context, effort)
    }
    /// The model of the whole formula, where it was found by a thread that ends with it.
    pub fn into_model(self) -> Option<Vec<bool>> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The handle of clause learning on the caller's thread, for those who work beside it.
pub struct Call(Arc<CallState>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }
}

struct CallState {
    abandoned: AtomicBool,
    standing: Mutex<Standing>,
}

impl CallState {
    fn standing(&self) -> Standing {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        match &*standing {
            Standing::Ended(_) => std::mem::replace(&mut standing, Standing::Paused),
            Standing::Running => Standing::Running,
            Standing::Paused => Standing::Paused,
        }
    }
}

/// Clause learning on a whole formula as it was given, on the calling thread: a formula of a millisecond is decided before
/// another thread could have done anything. Dropped, also by a panic, it leaves nobody waiting for its verdict.
pub struct Foreground(Arc<CallState>);

impl Drop for Foreground {
    fn drop(&mut self) {
        let mut standing = self.0.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if *standing == Standing::Running {
            *standing = Standing::Ended(Outcome::Exhausted.into());
        }
    }
}

impl Foreground {
    /// Nothing done yet, and the handle to watch it by.
    pub fn new() -> (Self, Background) {
        let standing = Mutex::new(Standing::Running);
        let state = Arc::new(CallState { abandoned: AtomicBool::new(false), standing });
        (Self(Arc::clone(&state)), Background::Caller(Call(state)))
    }

    /// Decides `problem`. `spent` is called many times a second with the effort so far and says whether to give up,
    /// which dropping the handle asks for as well. `then` is given the verdict while the solver still holds its memory:
    /// to give that back takes a while.
    pub fn decide(
        &self,
        problem: &Cnf,
        mut spent: impl FnMut(u64) -> bool,
        then: impl FnOnce(Verdict),
    ) -> Outcome {
        let mut effort = 0u64;
        let mut solver = Cadical::reporting_to(|cost| {
            effort = effort.saturating_add(cost);
            spent(effort) || self.0.abandoned.load(Ordering::Relaxed)
        });
        let verdict = decide_residue(problem, &mut solver, |solver| solver.decide(&[]));
        let outcome = verdict.outcome;
        then(verdict);
        outcome
    }

    /// Tells the verdict to who holds the handle.
    pub fn tell(self, verdict: Verdict) {
        *self.0.standing.lock().unwrap_or_else(PoisonError::into_inner) = Standing::Ended(verdict);
    }
}

fn read(variables: u32, clauses: &ClauseList) -> Cadical {
    let mut solver = Cadical::new();
    solver.read(variables, clauses);
    solver
}

fn decide(mut solver: Cadical, variables: u32, pace: &Pace) -> Verdict {
    let answer = solver.solve(pace, &[], None);
    verdict(answer, || solver.values(variables))
}

/// What clause learning says of a whole formula, whose model is that of no component.
fn decide_whole(problem: &Cnf, pace: &Pace) -> Verdict {
    decide_residue(problem, &mut Cadical::new(), |solver| solver.solve(pace, &[], None))
}

/// Decides a formula by what its unit clauses leave of it.
fn decide_residue<C: cadical::Callbacks>(
    problem: &Cnf,
    solver: &mut Cadical<C>,
    solve: impl FnOnce(&mut Cadical<C>) -> Answer,
) -> Verdict {
    let residue = Residue::new(problem);
    if residue.is_contradictory() {
        return Outcome::Unsatisfiable.into();
    }
    solver.make_room(residue.variables());
    residue.for_each(|clause| solver.add(clause));
    let answer = solve(solver);
    verdict(answer, || residue.restore(solver.values(residue.variables())))
}

fn verdict(answer: Answer, model: impl FnOnce() -> Vec<bool>) -> Verdict {
    match answer {
        Answer::Satisfiable => {
            Verdict { outcome: Outcome::Optimal, model: Some((model(), Source::Cdcl)), bound: None }
        }
        Answer::Unsatisfiable => Outcome::Unsatisfiable.into(),
        Answer::Unknown => Outcome::Exhausted.into(),
    }
}
