//! Constrained quadratic models: from Python's arrays to states that hold.

mod anneal;
mod model;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use numpy::{PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::search::wait;
use anneal::{Best, Limit, anneal};
use model::{Constraint, Form, Model, Rigour, Sense};

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Integers<'py> = PyReadonlyArray1<'py, i64>;

/// A constrained model under construction, then searched.
#[pyclass(module = "hysteron._native")]
pub struct Constrained {
    model: Arc<Model>,
}

#[pymethods]
impl Constrained {
    /// The objective over integers within bounds; a pair of a variable with itself is its square.
    #[new]
    fn new(
        lower: Integers<'_>,
        upper: Integers<'_>,
        linear: Floats<'_>,
        rows: Integers<'_>,
        columns: Integers<'_>,
        biases: Floats<'_>,
    ) -> PyResult<Self> {
        let count = lower.len()?;
        if upper.len()? != count || linear.len()? != count {
            return Err(PyValueError::new_err("The bounds and the linear biases differ in length."));
        }
        let mut objective = Form::new(count);
        objective.linear.copy_from_slice(linear.as_slice()?);
        for ((&i, &j), &bias) in rows.as_slice()?.iter().zip(columns.as_slice()?).zip(biases.as_slice()?) {
            objective.add_pair(place(i, count)?, place(j, count)?, bias);
        }
        let model = Model {
            lower: lower.as_slice()?.to_vec(),
            upper: upper.as_slice()?.to_vec(),
            objective,
            constraints: Vec::new(),
            touched: vec![Vec::new(); count],
        };
        if model.lower.iter().zip(&model.upper).any(|(low, high)| low > high) {
            return Err(PyValueError::new_err("A variable's lower bound exceeds its upper bound."));
        }
        Ok(Self { model: Arc::new(model) })
    }

    /// Adds a constraint: `variables` and their `linear` biases, pairs by place in `variables`; `sense` is "<=" or "==";
    /// `weight` is None for a hard constraint.
    #[pyo3(signature = (variables, linear, rows, columns, biases, *, sense, right, weight, squared))]
    #[expect(clippy::too_many_arguments, reason = "arrays of one constraint, from one place in Python")]
    fn add(
        &mut self,
        variables: Integers<'_>,
        linear: Floats<'_>,
        rows: Integers<'_>,
        columns: Integers<'_>,
        biases: Floats<'_>,
        sense: &str,
        right: f64,
        weight: Option<f64>,
        squared: bool,
    ) -> PyResult<()> {
        let all = self.model.variables();
        let model = Arc::get_mut(&mut self.model)
            .ok_or_else(|| PyRuntimeError::new_err("The model is being searched."))?;
        let variables = variables.as_slice()?;
        let mut form = Form::new(variables.len());
        form.linear.copy_from_slice(linear.as_slice()?);
        for ((&i, &j), &bias) in rows.as_slice()?.iter().zip(columns.as_slice()?).zip(biases.as_slice()?) {
            form.add_pair(place(i, variables.len())?, place(j, variables.len())?, bias);
        }
        let index = model.constraints.len() as u32;
        let mut named = Vec::with_capacity(variables.len());
        for (at, &variable) in variables.iter().enumerate() {
            let variable = place(variable, all)?;
            model.touched[variable].push((index, at as u32));
            named.push(variable as u32);
        }
        let sense = if sense == "==" { Sense::Equal } else { Sense::AtMost };
        let rigour = match weight {
            None => Rigour::Hard,
            Some(weight) if squared => Rigour::Quadratic(weight),
            Some(weight) => Rigour::Linear(weight),
        };
        model.constraints.push(Constraint { sense, right, rigour, variables: named, form });
        Ok(())
    }

    /// Searches; `runs` bounds the annealing runs of a thread. Returns states, and for each the number of broken hard
    /// constraints, the sum of their violations, and the objective with the costs of soft constraints.
    #[pyo3(signature = (*, time, runs, seed, threads, reads, starts, target, progress))]
    #[expect(clippy::too_many_arguments, reason = "all of them named, from one place in Python")]
    fn solve<'py>(
        &self,
        py: Python<'py>,
        time: Option<f64>,
        runs: Option<u64>,
        seed: u64,
        threads: usize,
        reads: usize,
        starts: PyReadonlyArray2<'py, i64>,
        target: Option<f64>,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let model = self.model.clone();
        let count = model.variables();
        let starts = starts.as_array();
        if starts.ncols() != count {
            return Err(PyValueError::new_err("A start does not have one value a variable."));
        }
        let clamped = |(v, &value): (usize, &i64)| value.clamp(model.lower[v], model.upper[v]);
        let starts: Vec<Vec<i64>> =
            starts.rows().into_iter().map(|row| row.iter().enumerate().map(clamped).collect()).collect();
        let begin = Instant::now();
        let deadline = time.and_then(|seconds| begin.checked_add(Duration::try_from_secs_f64(seconds).ok()?));
        let interrupt = Arc::new(AtomicBool::new(false));
        // More than is asked for, since the best of all starts is kept too.
        let best = Arc::new(Best::new(reads));
        starts.iter().for_each(|start| best.offer(&model, start));
        let (sender, receiver) = std::sync::mpsc::channel();
        let search = (model.clone(), best.clone(), interrupt.clone());
        std::thread::Builder::new().name("hysteron".to_owned()).spawn(move || {
            let (model, best, interrupt) = search;
            let limit = Limit { deadline, runs, target, interrupt: &interrupt };
            std::thread::scope(|scope| {
                for thread in 0..threads as u64 {
                    let (model, best, limit, starts) = (&model, &best, &limit, &starts);
                    let seed = seed ^ thread << 40;
                    let mine: Vec<_> =
                        starts.iter().skip(thread as usize).step_by(threads).cloned().collect();
                    scope.spawn(move || anneal(model, &mine, seed, limit, best));
                }
            });
            drop(best);
            // Nobody listens any more if the caller raised.
            let _ = sender.send(());
        })?;
        let tell = |progress: &Bound<'_, PyAny>| {
            let objective =
                best.first().filter(|(score, _)| score.broken == 0).map(|(score, _)| score.objective);
            progress.call1((begin.elapsed().as_secs_f64(), objective, 0)).map(drop)
        };
        let ((), interrupted) = wait(py, receiver, &interrupt, progress.as_ref(), &tell)?;
        let best = Arc::into_inner(best).ok_or_else(|| PyRuntimeError::new_err("The search still runs."))?;
        let kept = best.into_inner();
        let flat: Vec<i64> = kept.iter().flat_map(|(_, state)| state.iter().copied()).collect();
        let array = numpy::ndarray::Array2::from_shape_vec((kept.len(), count), flat)
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let answer = PyDict::new(py);
        answer.set_item("states", PyArray2::from_owned_array(py, array))?;
        let scores: Vec<_> = kept.iter().map(|(s, _)| (s.broken, s.violation, s.objective)).collect();
        answer.set_item("scores", scores)?;
        answer.set_item("interrupted", interrupted)?;
        answer.set_item("search_s", begin.elapsed().as_secs_f64())?;
        Ok(answer)
    }
}

/// An index within bounds.
fn place(index: i64, count: usize) -> PyResult<usize> {
    usize::try_from(index)
        .ok()
        .filter(|&index| index < count)
        .ok_or_else(|| PyValueError::new_err(format!("There is no variable {index}.")))
}
