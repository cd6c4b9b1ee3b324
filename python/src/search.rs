//! A search on a thread of its own, while the caller's thread listens to signals and tells of progress.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hysteron_problem::{Document, Objective, Problem as Canonical};
use hysteron_solve::{Answer, Improvement, Observer, Options, Progress, Status};
use numpy::{PyArray2, PyReadonlyArray2};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::problem::Problem;
use crate::reads;

/// How often signals are looked at and progress is told.
const TICK: Duration = Duration::from_millis(50);
/// Elites that a search keeps besides its best.
const ELITES: usize = 15;
/// The part of the time that is kept back for reads, per mille: few come with the search, many cost legs of chips.
const READS_FEW_PER_MILLE: u32 = 0;
const READS_MANY_PER_MILLE: u32 = 200;
/// Improvements that are kept for the history; later ones replace the last.
const HISTORY_MAX: usize = 100_000;

/// What the searching threads tell the waiting one.
#[derive(Default)]
struct Told {
    /// Time and canonical energy of every feasible improvement.
    history: Vec<(f64, i64)>,
    ecu: u64,
    lower_bound: Option<i64>,
}

struct Follower(Arc<Mutex<Told>>);

impl Follower {
    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Follower {
    fn improved(&self, improvement: &Improvement) {
        if improvement.hard_unsatisfied > 0 {
            return;
        }
        let mut told = self.told();
        if told.history.len() >= HISTORY_MAX {
            told.history.pop();
        }
        told.history.push((improvement.elapsed.as_secs_f64(), improvement.energy));
    }
    fn progress(&self, progress: &Progress) {
        let mut told = self.told();
        told.ecu = progress.ecu;
        told.lower_bound = progress.lower_bound;
    }
}

/// What the searching thread hands over.
struct Done {
    answer: Answer,
    /// The best first; empty where the clauses are contradictory.
    samples: Vec<Vec<bool>>,
    reads_time: Duration,
}

struct Job {
    document: Arc<Document>,
    options: Options,
    starts: Vec<Vec<bool>>,
    reads: usize,
    interrupt: Arc<AtomicBool>,
    follower: Follower,
}

impl Job {
    fn run(mut self) -> Done {
        let begin = Instant::now();
        let whole = self.options.time;
        let per_mille = if self.reads > ELITES + 1 { READS_MANY_PER_MILLE } else { READS_FEW_PER_MILLE };
        self.options.time = whole.map(|time| time * (1000 - per_mille) / 1000);
        let problem = self.document.problem();
        let others = ELITES.min(self.reads - 1);
        let found = hysteron_solve::search(
            problem,
            &self.options,
            &self.starts,
            others,
            &self.follower,
            &self.interrupt,
        );
        let searched = Instant::now();
        let is_proven = found.answer.status == Status::Optimal;
        let mut samples: Vec<_> = found.answer.assignment.clone().into_iter().chain(found.others).collect();
        if let (Canonical::Ising(ising), false, Some(best)) = (problem, is_proven, samples.first_mut()) {
            // A large problem may have been left before its first leg of chips ended.
            reads::descend(ising, best);
        }
        match problem {
            Canonical::Ising(ising) if self.reads > 1 => {
                let deadline = whole.map(|time| begin + time);
                let seed = self.options.seed;
                samples = reads::gather(ising, samples, self.reads, seed, deadline, &self.interrupt);
            }
            _ => samples.sort_by_cached_key(|sample| hysteron_solve::score(problem, sample)),
        }
        let variables = self.document.variables() as usize;
        samples.iter_mut().for_each(|sample| sample.truncate(variables));
        Done { answer: found.answer, samples, reads_time: searched.elapsed() }
    }
}

/// Arrays of 0 and 1, a row each, of so many columns.
fn rows(array: Option<PyReadonlyArray2<'_, u8>>, columns: usize) -> PyResult<Vec<Vec<bool>>> {
    let Some(array) = array else { return Ok(Vec::new()) };
    let array = array.as_array();
    if array.ncols() != columns {
        return Err(PyValueError::new_err(format!(
            "The initial states have {} values each, and the problem has {columns} variables.",
            array.ncols()
        )));
    }
    Ok(array.rows().into_iter().map(|row| row.iter().map(|&value| value != 0).collect()).collect())
}

/// An objective as an exact number of Python: the numerator and the decimals under it.
pub fn exact(objective: Objective) -> (i128, u32) {
    (objective.numerator(), objective.decimals())
}

/// Searches, with the GIL released; returns a dictionary. `time` in seconds; `target` in the objective's scaled integers;
/// `starts` a row of 0 and 1 each; `progress(elapsed, objective, ecu)` is called a few times a second.
/// A KeyboardInterrupt ends the search, and what was found until then is returned.
#[pyfunction]
#[pyo3(signature = (problem, *, time, steps, seed, threads, target, starts, reads, progress))]
#[expect(clippy::too_many_arguments, reason = "all of them named, from one place in Python")]
pub fn solve<'py>(
    py: Python<'py>,
    problem: &Problem,
    time: Option<f64>,
    steps: Option<u64>,
    seed: u64,
    threads: usize,
    target: Option<i128>,
    starts: Option<PyReadonlyArray2<'py, u8>>,
    reads: usize,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    problem.check_memory(threads)?;
    let document = problem.document.clone();
    let objective = document.canonical().objective;
    let target = target.map(|target| objective.to_energy_target(&Objective::integer(target)));
    let time = time.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX / 2000));
    let canonical_variables = document.problem().variables() as usize;
    let mut starts = rows(starts, document.variables() as usize)?;
    starts.iter_mut().for_each(|start| start.resize(canonical_variables, false));
    let told = Arc::new(Mutex::new(Told::default()));
    let interrupt = Arc::new(AtomicBool::new(false));
    let job = Job {
        document: document.clone(),
        options: Options { time, steps, threads, seed, target },
        starts,
        reads,
        interrupt: interrupt.clone(),
        follower: Follower(told.clone()),
    };
    let begin = Instant::now();
    let (sender, receiver) = channel();
    std::thread::Builder::new()
        .name("hysteron".to_owned())
        // Nobody listens any more if the caller raised.
        .spawn(move || drop(sender.send(job.run())))?;
    let tell = |progress: &Bound<'_, PyAny>| {
        let (best, ecu) = {
            let told = told.lock().unwrap_or_else(PoisonError::into_inner);
            (told.history.last().map(|&(_, energy)| exact(objective.to_objective(energy))), told.ecu)
        };
        progress.call1((begin.elapsed().as_secs_f64(), best, ecu)).map(drop)
    };
    let (done, was_interrupted) = wait(py, receiver, &interrupt, progress.as_ref(), &tell)?;

    let answer = PyDict::new(py);
    let status = name_of(done.answer.status);
    answer.set_item("status", status)?;
    let variables = document.variables() as usize;
    let samples = py.detach(|| {
        let flat: Vec<u8> = done.samples.iter().flatten().map(|&value| u8::from(value)).collect();
        let scores: Vec<_> = done
            .samples
            .iter()
            .map(|sample| {
                let score = document.score(sample);
                (score.objective.numerator(), score.objective.decimals(), score.hard_unsatisfied)
            })
            .collect();
        (flat, scores)
    });
    let count = done.samples.len();
    let array = numpy::ndarray::Array2::from_shape_vec((count, variables), samples.0)
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    answer.set_item("samples", PyArray2::from_owned_array(py, array))?;
    answer.set_item("scores", samples.1)?;
    answer.set_item("source", done.answer.source.to_string())?;
    answer.set_item("ecu", done.answer.ecu)?;
    answer.set_item("search_s", done.answer.elapsed.as_secs_f64())?;
    answer.set_item("reads_s", done.reads_time.as_secs_f64())?;
    answer.set_item("interrupted", was_interrupted)?;
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    let history = told.history.iter().map(|&(at, energy)| (at, exact(objective.to_objective(energy))));
    answer.set_item("history", history.collect::<Vec<_>>())?;
    answer.set_item("bound", told.lower_bound.map(|bound| exact(objective.to_objective(bound))))?;
    Ok(answer)
}

/// The status in a word.
fn name_of(status: Status) -> &'static str {
    match status {
        Status::Satisfiable => "satisfiable",
        Status::Unsatisfiable => "unsatisfiable",
        Status::Optimal => "optimal",
        Status::Feasible => "feasible",
        Status::Unknown => "unknown",
    }
}

/// Waits for the searching thread. The first KeyboardInterrupt ends the search; a second one, or any other exception, is
/// raised at once.
pub fn wait<T: Send>(
    py: Python<'_>,
    receiver: Receiver<T>,
    interrupt: &AtomicBool,
    progress: Option<&Bound<'_, PyAny>>,
    tell: &dyn Fn(&Bound<'_, PyAny>) -> PyResult<()>,
) -> PyResult<(T, bool)> {
    let mut was_interrupted = false;
    let receiver = Mutex::new(receiver);
    loop {
        let received =
            py.detach(|| receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(TICK));
        match received {
            Ok(done) => return Ok((done, was_interrupted)),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err(
                    "The search ended with a panic: this is a defect of hysteron, please report it.",
                ));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let heard = py.check_signals().and_then(|()| progress.map_or(Ok(()), tell));
        if let Err(error) = heard {
            interrupt.store(true, Ordering::Relaxed);
            if was_interrupted || !error.is_instance_of::<PyKeyboardInterrupt>(py) {
                return Err(error);
            }
            was_interrupted = true;
        }
    }
}
