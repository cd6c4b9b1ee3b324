//! Jobs on the network: a customer's side of it, from an open connection to a checked receipt. Waiting is Python's part.

use std::path::Path;
use std::sync::Arc;

use hysteron_api::Hex32;
use hysteron_client::{
    Booking, Connection, Failure, Preparation, Prepared, check_receipt, devnet_account, ending_name, is_over,
    prepare, state_name,
};
use hysteron_ledger::{format_hys, parse_hys};
use hysteron_problem::{Document, Ising, Objective, Problem as Canonical};
use hysteron_wallet::Key;
use numpy::PyArray2;
use pyo3::exceptions::{PyConnectionError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::problem::Problem;
use crate::search::exact;

/// The network whose accounts everybody knows.
const DEVNET: &str = "hysteron-devnet";

/// A node that is away is a ConnectionError, a request that makes no sense a ValueError, the rest a RuntimeError.
fn raised(failure: Failure) -> PyErr {
    let text = failure.to_string();
    match failure {
        Failure::Node(error) if error.is_temporary() => PyConnectionError::new_err(text),
        Failure::Request { .. } | Failure::Prepare(_) | Failure::Dear { .. } => PyValueError::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}

/// A permutation of the variables and a set of them that are turned round.
struct Blind {
    /// Where each variable of the original is.
    place: Vec<u32>,
    turned: Vec<bool>,
}

impl Blind {
    fn draw(variables: u32) -> PyResult<Self> {
        let mut bytes = vec![0u8; 9 * variables as usize];
        getrandom::fill(&mut bytes).map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        let (keys, bits) = bytes.split_at(8 * variables as usize);
        let key = |&variable: &u32| {
            let at = 8 * variable as usize;
            u64::from_le_bytes(keys[at..at + 8].try_into().expect("eight bytes"))
        };
        let mut order: Vec<u32> = (0..variables).collect();
        // Sorting by random keys is a uniform permutation, up to keys that are equal.
        order.sort_by_key(key);
        let mut place = vec![0; variables as usize];
        order.iter().zip(0..).for_each(|(&variable, at)| place[variable as usize] = at);
        Ok(Self { place, turned: bits.iter().map(|byte| byte & 1 == 1).collect() })
    }

    fn hide(&self, ising: &Ising) -> Ising {
        let sign = |i: usize, weight: i64| if self.turned[i] { -weight } else { weight };
        let mut fields = vec![0; ising.fields.len()];
        for (i, &field) in ising.fields.iter().enumerate() {
            fields[self.place[i] as usize] = sign(i, field);
        }
        let mut couplings: Vec<(u32, u32, i64)> = ising
            .couplings
            .iter()
            .map(|&(i, j, weight)| {
                let (a, b) = (self.place[i as usize], self.place[j as usize]);
                (a.min(b), a.max(b), sign(i as usize, sign(j as usize, weight)))
            })
            .collect();
        couplings.sort_unstable();
        // The offset is nobody's business.
        Ising { spins: ising.spins, couplings, fields, offset: 0 }
    }

    fn show(&self, hidden: &[bool]) -> Vec<bool> {
        self.place.iter().zip(&self.turned).map(|(&at, &turned)| hidden[at as usize] != turned).collect()
    }
}

/// A node and its network.
#[pyclass(frozen, module = "hysteron._native")]
pub struct Node {
    connection: Connection,
}

/// A problem as it is booked, and the way back from its answers.
#[pyclass(frozen, module = "hysteron._native")]
pub struct Order {
    /// What the user has.
    original: Arc<Document>,
    /// What is booked: the same, or blinded.
    document: Arc<Document>,
    blind: Option<Blind>,
    /// Nothing is left to book where simplifying solved it: the answer in the document's variables.
    prepared: Result<Prepared, Vec<bool>>,
}

impl Order {
    /// An assignment of the document as one of the original.
    fn restore(&self, assignment: &[bool]) -> Vec<bool> {
        match &self.blind {
            Some(blind) => self.original.assignment_from_canonical(&blind.show(assignment)),
            None => assignment.to_vec(),
        }
    }

    /// The original's objective for one of the document.
    fn objective(&self, objective: Objective) -> Objective {
        let Some(_) = self.blind else { return objective };
        // A blinded document's objective is the canonical energy without its offset.
        let Canonical::Ising(ising) = self.original.problem() else { return objective };
        let energy = i64::try_from(objective.numerator()).unwrap_or(i64::MAX).saturating_add(ising.offset);
        self.original.canonical().objective.to_objective(energy)
    }

    /// The document's objective that is at least as good as a target of the original's.
    fn target(&self, target: i128) -> Objective {
        let target = Objective::integer(target);
        match (&self.blind, self.original.problem()) {
            (Some(_), Canonical::Ising(ising)) => {
                let energy = self.original.canonical().objective.to_energy_target(&target);
                Objective::integer(i128::from(energy.saturating_sub(ising.offset)))
            }
            _ => target,
        }
    }
}

#[pymethods]
impl Node {
    /// Asks the node at `url` what network it belongs to.
    #[new]
    fn new(py: Python<'_>, url: &str) -> PyResult<Self> {
        Ok(Self { connection: py.detach(|| Connection::open(url)).map_err(raised)? })
    }

    /// The network's name.
    #[getter]
    fn network(&self) -> &str {
        &self.connection.genesis.network
    }
    /// Seconds between blocks.
    #[getter]
    fn spacing(&self) -> u64 {
        self.connection.genesis.spacing_seconds
    }
    /// Seconds to wait before asking again.
    #[getter]
    fn pause(&self) -> f64 {
        self.connection.pause().as_secs_f64()
    }

    /// Simplifies a problem and prepares what the network will search.
    fn prepare(&self, py: Python<'_>, problem: &Problem, blind: bool) -> PyResult<Order> {
        let original = problem.document.clone();
        let (document, blind) = match (blind, original.problem()) {
            (false, _) => (original.clone(), None),
            (true, Canonical::Ising(ising)) => {
                let blind = Blind::draw(ising.spins)?;
                let hidden = Document::from_problem(Canonical::Ising(blind.hide(ising)))
                    .map_err(|error| PyValueError::new_err(error.to_string()))?;
                (Arc::new(hidden), Some(blind))
            }
            (true, _) => return Err(PyValueError::new_err("Only quadratic problems can be blinded.")),
        };
        let rules = &self.connection.genesis.work;
        let prepared = py.detach(|| prepare(&document, rules)).map_err(|error| raised(error.into()))?;
        let prepared = match prepared {
            Preparation::Ready(prepared) => Ok(prepared),
            Preparation::Solved(assignment) => Err(assignment),
        };
        Ok(Order { original, document, blind, prepared })
    }

    /// Books an order and pays for it; returns the job's id and what leaves the account. `wallet` is a file with a
    /// `password`, or "devnet:NAME"; `max_price` in HYS.
    #[pyo3(signature = (order, *, wallet, password, chips, blocks, bounty_per_mille, max_price, target))]
    #[expect(clippy::too_many_arguments, reason = "all of them named, from one place in Python")]
    fn book(
        &self,
        py: Python<'_>,
        order: &Order,
        wallet: &str,
        password: &str,
        chips: u64,
        blocks: u32,
        bounty_per_mille: u16,
        max_price: Option<&str>,
        target: Option<i128>,
    ) -> PyResult<(String, String)> {
        let Ok(prepared) = &order.prepared else {
            return Err(PyValueError::new_err("There is nothing to book."));
        };
        let price_max = max_price.map(parse_hys).transpose().map_err(|error| raised(error.into()))?;
        let target = target.map(|target| order.target(target));
        let booking = Booking { chips, blocks, target, bounty_per_mille, price_max };
        let sent = py.detach(|| {
            let key = self.key(wallet, password)?;
            let offer = self.connection.offer(&key, &order.document, prepared, &booking).map_err(raised)?;
            let sent = self.connection.open_job(&key, prepared, &offer).map_err(raised)?;
            Ok::<_, PyErr>((sent.id.to_string(), format_hys(offer.total())))
        })?;
        Ok(sent)
    }

    /// How a job stands: None while the node does not know it, else a dictionary.
    fn job<'py>(&self, py: Python<'py>, order: &Order, job: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let id = id_of(job)?;
        let found = match py.detach(|| self.connection.client.job(id)) {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(raised(error.into())),
        };
        let state = PyDict::new(py);
        state.set_item("state", state_name(found.state))?;
        state.set_item("is_over", is_over(found.state))?;
        state.set_item("credited_chip_blocks", found.progress.credited_chip_blocks)?;
        state.set_item("booked_chip_blocks", found.progress.booked_chip_blocks)?;
        state.set_item("paid", format_hys(found.spent.0))?;
        state.set_item("returned", format_hys(found.refunded.0))?;
        let is_feasible = found.progress.best_hard_unsatisfied.unwrap_or(0) == 0;
        let best = match (&order.prepared, found.progress.best_energy) {
            (Ok(prepared), Some(energy)) if is_feasible => prepared.objective(&order.document, energy),
            _ => None,
        };
        state.set_item("best", best.map(|best| exact(order.objective(best))))?;
        Ok(Some(state))
    }

    /// The best assignment of a job so far, as a row of 0 and 1 in the original's variables, and its height.
    fn answer<'py>(
        &self,
        py: Python<'py>,
        order: &Order,
        job: &str,
    ) -> PyResult<Option<(Bound<'py, PyArray2<u8>>, u64)>> {
        let Ok(prepared) = &order.prepared else { return Ok(None) };
        let id = id_of(job)?;
        let found = py.detach(|| self.connection.answer(id, &order.document, prepared)).map_err(raised)?;
        let Some((found, answer)) = found else { return Ok(None) };
        Ok(Some((row(py, &order.restore(&answer.assignment))?, found.height)))
    }

    /// Ends a job early.
    fn cancel(&self, py: Python<'_>, job: &str, wallet: &str, password: &str) -> PyResult<()> {
        let id = id_of(job)?;
        py.detach(|| {
            let key = self.key(wallet, password)?;
            self.connection.cancel_job(&key, id).map(drop).map_err(raised)
        })
    }

    /// The receipt of a job as it stands, checked, as bytes.
    fn receipt<'py>(&self, py: Python<'py>, job: &str) -> PyResult<Bound<'py, PyBytes>> {
        let id = id_of(job)?;
        let receipt =
            py.detach(|| self.connection.client.receipt(id)).map_err(|error| raised(error.into()))?;
        let checked = check_receipt(&receipt.receipt.0, None).map_err(|error| raised(error.into()))?;
        if checked.job.0 != id.0 || checked.network != self.connection.genesis.network_id() {
            return Err(PyRuntimeError::new_err("The node gave the receipt of another job or network."));
        }
        Ok(PyBytes::new(py, &receipt.receipt.0))
    }
}

impl Node {
    /// The key that signs; one of another network never does.
    fn key(&self, wallet: &str, password: &str) -> PyResult<Key> {
        let refuse = |reason: String| Err(PyValueError::new_err(reason));
        let (key, network) = match wallet.strip_prefix("devnet:") {
            Some(name) => (devnet_account(name).map_err(raised)?, DEVNET.to_owned()),
            None => {
                let loaded = hysteron_wallet::file::load(Path::new(wallet), password)
                    .map_err(|error| PyValueError::new_err(format!("{wallet}: {error}")))?;
                let key = loaded
                    .key(0)
                    .ok_or_else(|| PyValueError::new_err(format!("{wallet}: the wallet has no account")))?;
                (key, loaded.network().to_owned())
            }
        };
        if network != self.connection.genesis.network {
            return refuse(format!("The wallet is for {network}, and the node is on {}.", self.network()));
        }
        Ok(key)
    }
}

#[pymethods]
impl Order {
    /// The answer where simplifying solved the problem, as a row of 0 and 1.
    fn solved<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyArray2<u8>>>> {
        self.prepared.as_ref().err().map(|assignment| row(py, &self.restore(assignment))).transpose()
    }
    /// The canonical problem that goes to the network, as bytes; None where nothing does.
    fn booked<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.prepared.as_ref().ok().map(|prepared| PyBytes::new(py, &prepared.bytes))
    }
}

/// One assignment as an array of one row.
fn row<'py>(py: Python<'py>, assignment: &[bool]) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let values: Vec<u8> = assignment.iter().map(|&value| u8::from(value)).collect();
    numpy::ndarray::Array2::from_shape_vec((1, values.len()), values)
        .map(|array| PyArray2::from_owned_array(py, array))
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))
}

fn id_of(text: &str) -> PyResult<Hex32> {
    text.parse().map_err(|error: hysteron_api::ParseError| PyValueError::new_err(error.to_string()))
}

/// Checks a receipt's bytes without any network; says what it proves to whoever knows that the block `anchor` is on the
/// chain. With `block`, raises unless the receipt leads to that block.
#[pyfunction]
#[pyo3(signature = (receipt, block=None))]
pub fn verify_receipt<'py>(
    py: Python<'py>,
    receipt: &[u8],
    block: Option<&str>,
) -> PyResult<Bound<'py, PyDict>> {
    let block = block.map(id_of).transpose()?;
    let checked = check_receipt(receipt, block.map(|hash| hash.0))
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let job = &checked.proven.job;
    let proven = PyDict::new(py);
    proven.set_item("job", Hex32(checked.job.0).to_string())?;
    proven.set_item("network", checked.network)?;
    proven.set_item("height", checked.proven.height)?;
    proven.set_item("anchor", Hex32(checked.anchor).to_string())?;
    proven.set_item("anchor_height", checked.anchor_height)?;
    proven.set_item("status", ending_name(&job.status))?;
    proven.set_item("booked_chip_blocks", job.chips.saturating_mul(job.blocks.into()))?;
    proven.set_item("delivered_chip_blocks", job.delivered_chip_blocks())?;
    proven.set_item("best_energy", job.best.map(|best| best.score.energy))?;
    proven.set_item("bounties", format_hys(job.bounty_paid))?;
    proven.set_item("returned", job.settlement.map(|settlement| format_hys(settlement.refunded)))?;
    Ok(proven)
}
