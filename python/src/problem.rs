//! Problems from arrays.

use std::sync::Arc;

use hysteron_problem::{ClauseList, Cnf, Document, Ising, Literal, Problem as Canonical, ReadOptions, Wcnf};
use numpy::PyReadonlyArray1;
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;

use crate::scale::{self, Factor, Scaled, Want};

/// A problem with integer weights, and the scale that made them so.
#[pyclass(frozen, module = "hysteron._native")]
pub struct Problem {
    pub document: Arc<Document>,
    scaled: Scaled,
}

/// The sentence of an error, with the way out that Python has where exact integers are too large.
fn too_large(error: hysteron_problem::BuildError) -> String {
    match error {
        hysteron_problem::BuildError::WeightsTooLarge { .. } => scale::TOO_MANY_DIGITS.to_owned(),
        other => other.to_string(),
    }
}

fn refused(reason: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(reason.to_string())
}

/// `None` is exact, "auto" or a number is the caller's choice.
fn want_of(scale: Option<&Bound<'_, PyAny>>) -> PyResult<Want> {
    let Some(scale) = scale else { return Ok(Want::Exact) };
    if let Ok(text) = scale.extract::<String>() {
        return match text.as_str() {
            "exact" => Ok(Want::Exact),
            "auto" => Ok(Want::Auto),
            _ => {
                Err(refused(format!("scale is \"{text}\": it is \"exact\", \"auto\" or a positive number.")))
            }
        };
    }
    scale.extract::<f64>().map(Want::By)
}

/// Zero-terminated clauses of DIMACS literals.
fn clauses(literals: &[i64], variables: u32) -> Result<ClauseList, String> {
    let mut list = ClauseList::new();
    let mut clause = Vec::new();
    for &literal in literals {
        if literal == 0 {
            list.push(&clause);
            clause.clear();
        } else if literal.unsigned_abs() > u64::from(variables) {
            return Err(format!("Literal {literal} exceeds the {variables} variables."));
        } else {
            clause.push(Literal::new(literal.unsigned_abs() as u32 - 1, literal < 0));
        }
    }
    if clause.is_empty() { Ok(list) } else { Err("The last clause does not end with 0.".to_owned()) }
}

/// Ising form of terms in any order.
fn ising(fields: Vec<i64>, mut couplings: Vec<(u32, u32, i64)>) -> Result<Canonical, String> {
    for coupling in &mut couplings {
        if coupling.0 > coupling.1 {
            *coupling = (coupling.1, coupling.0, coupling.2);
        }
    }
    if couplings.iter().any(|&(i, j, _)| i == j) {
        return Err("A spin is coupled to itself.".to_owned());
    }
    if !couplings.is_sorted_by_key(|&(i, j, _)| (i, j)) {
        couplings.sort_unstable_by_key(|&(i, j, _)| (i, j));
    }
    let mut is_large = false;
    couplings.dedup_by(|next, kept| {
        let is_same = (next.0, next.1) == (kept.0, kept.1);
        if is_same {
            match kept.2.checked_add(next.2) {
                Some(sum) => kept.2 = sum,
                None => is_large = true,
            }
        }
        is_same
    });
    if is_large {
        return Err("The biases are too large: use a smaller scale.".to_owned());
    }
    couplings.retain(|coupling| coupling.2 != 0);
    Ok(Canonical::Ising(Ising { spins: fields.len() as u32, couplings, fields, offset: 0 }))
}

/// Terms of a model of `variables` variables with these arrays, scaled.
struct Terms {
    linear: Vec<i64>,
    quadratic: Vec<(u32, u32, i64)>,
    scaled: Scaled,
}

fn terms(linear: &[f64], rows: &[i64], columns: &[i64], biases: &[f64], want: Want) -> Result<Terms, String> {
    if rows.len() != biases.len() || columns.len() != biases.len() {
        return Err("The arrays of the quadratic terms differ in length.".to_owned());
    }
    let count = linear.len();
    if u32::try_from(count).is_err() {
        return Err("There are too many variables.".to_owned());
    }
    let scaled = scale::factor(linear.iter().chain(biases).copied(), want)?;
    let factor = scaled.factor;
    let index = |index: i64| {
        usize::try_from(index)
            .ok()
            .filter(|&i| i < count)
            .map(|i| i as u32)
            .ok_or_else(|| format!("There is no variable {index}."))
    };
    let quadratic = rows
        .iter()
        .zip(columns)
        .zip(biases)
        .map(|((&i, &j), &bias)| Ok((index(i)?, index(j)?, factor.apply(bias))))
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Terms { linear: linear.iter().map(|&b| factor.apply(b)).collect(), quadratic, scaled })
}

type Floats<'py> = PyReadonlyArray1<'py, f64>;
type Integers<'py> = PyReadonlyArray1<'py, i64>;

#[pymethods]
impl Problem {
    /// Minimise `sum linear_i v_i + sum biases_k v_rows[k] v_columns[k]` over spins or binaries.
    #[staticmethod]
    #[pyo3(signature = (linear, rows, columns, biases, *, spins, scale=None))]
    fn quadratic(
        py: Python<'_>,
        linear: Floats<'_>,
        rows: Integers<'_>,
        columns: Integers<'_>,
        biases: Floats<'_>,
        spins: bool,
        scale: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let want = want_of(scale)?;
        let (linear, biases) = (linear.as_slice()?, biases.as_slice()?);
        let (rows, columns) = (rows.as_slice()?, columns.as_slice()?);
        let made = py.detach(|| {
            let terms = terms(linear, rows, columns, biases, want)?;
            let document = if spins {
                Document::from_problem(ising(terms.linear, terms.quadratic)?)
            } else {
                let count = terms.linear.len() as u32;
                let mut all = terms.quadratic;
                all.extend((0..).zip(&terms.linear).filter(|(_, w)| **w != 0).map(|(i, &w)| (i, i, w)));
                Document::qubo(count, all, 0)
            };
            Ok((document.map_err(too_large)?, terms.scaled))
        });
        let (document, scaled) = made.map_err(|reason: String| refused(reason))?;
        Ok(Self { document: Arc::new(document), scaled })
    }

    /// Maximise the weight of edges between two sides.
    #[staticmethod]
    #[pyo3(signature = (vertices, rows, columns, weights, *, scale=None))]
    fn max_cut(
        vertices: usize,
        rows: Integers<'_>,
        columns: Integers<'_>,
        weights: Floats<'_>,
        scale: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let linear = vec![0.0; vertices];
        let terms =
            terms(&linear, rows.as_slice()?, columns.as_slice()?, weights.as_slice()?, want_of(scale)?)
                .map_err(refused)?;
        let document = Document::max_cut(vertices as u32, terms.quadratic).map_err(refused)?;
        Ok(Self { document: Arc::new(document), scaled: terms.scaled })
    }

    /// Satisfiability; each clause of DIMACS literals ends with 0.
    #[staticmethod]
    fn cnf(variables: u32, literals: Integers<'_>) -> PyResult<Self> {
        let clauses = clauses(literals.as_slice()?, variables).map_err(refused)?;
        Self::of(Canonical::Cnf(Cnf { variables, clauses }))
    }

    /// Weighted partial MaxSAT; each clause of DIMACS literals ends with 0.
    #[staticmethod]
    #[pyo3(signature = (variables, hard, soft, weights, *, scale=None))]
    fn wcnf(
        variables: u32,
        hard: Integers<'_>,
        soft: Integers<'_>,
        weights: Floats<'_>,
        scale: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let weights = weights.as_slice()?;
        let scaled = scale::factor(weights.iter().copied(), want_of(scale)?).map_err(refused)?;
        let hard = clauses(hard.as_slice()?, variables).map_err(refused)?;
        let all = clauses(soft.as_slice()?, variables).map_err(refused)?;
        if all.len() != weights.len() {
            return Err(refused("There is not one weight for each soft clause."));
        }
        let mut wcnf = Wcnf { variables, hard, ..Wcnf::default() };
        for (clause, &weight) in all.iter().zip(weights) {
            if weight < 0.0 {
                return Err(refused(format!("A soft clause has the negative weight {weight}.")));
            }
            let weight = scaled.factor.apply(weight) as u64;
            if weight > 0 {
                wcnf.soft.push(clause);
                wcnf.weights.push(weight);
            }
        }
        Ok(Self { scaled, ..Self::of(Canonical::Wcnf(wcnf))? })
    }

    /// A problem file in any format that `hysteron solve` reads; `name` helps to tell the format.
    #[staticmethod]
    #[pyo3(signature = (data, name=None))]
    fn read(data: &[u8], name: Option<&str>) -> PyResult<Self> {
        let document = hysteron_problem::read(data, name, &ReadOptions::default()).map_err(refused)?;
        Ok(Self { document: Arc::new(document), scaled: Scaled { factor: Factor::Ten(0), error: 0.0 } })
    }

    /// Variables: the length of a sample.
    #[getter]
    fn variables(&self) -> u32 {
        self.document.variables()
    }
    /// Couplings, clauses or edges.
    #[getter]
    fn elements(&self) -> u64 {
        self.document.elements()
    }
    /// What the problem is, in words.
    #[getter]
    fn kind(&self) -> &'static str {
        self.document.kind().name()
    }
    /// What biases or weights were multiplied by: the base, and the exponent or the factor. The base is 10 where
    /// biases were read as decimals, 2 where they were taken as binary fractions, 0 for a factor of the caller's.
    #[getter]
    fn scale(&self) -> (u32, f64) {
        match self.scaled.factor {
            Factor::Ten(decimals) => (10, f64::from(decimals)),
            Factor::Two(exponent) => (2, f64::from(exponent)),
            Factor::By(factor) => (0, factor),
        }
    }
    /// The most by which rounding can change the energy of a state; 0 where nothing was rounded.
    #[getter]
    fn scale_error(&self) -> f64 {
        self.scaled.error
    }
    fn __repr__(&self) -> String {
        format!("<hysteron problem: {}, {} variables>", self.kind(), self.variables())
    }
}

impl Problem {
    fn of(problem: Canonical) -> PyResult<Self> {
        let document = Document::from_problem(problem).map_err(refused)?;
        Ok(Self { document: Arc::new(document), scaled: Scaled { factor: Factor::Ten(0), error: 0.0 } })
    }

    /// Refuses what would not fit into memory.
    pub fn check_memory(&self, threads: usize) -> PyResult<()> {
        let estimate = hysteron_solve::memory_estimate(self.document.problem(), threads);
        let limit = hysteron_solve::memory_limit();
        if estimate > limit {
            return Err(PyMemoryError::new_err(format!(
                "Solving would take about {} MiB with {threads} threads, and {} MiB are to be had; use fewer threads.",
                estimate >> 20,
                limit >> 20
            )));
        }
        Ok(())
    }
}
