//! What a run is, for every family and every backend: the request, the report, the digest.

use std::sync::atomic::AtomicBool;

use crate::columns::pack;
use crate::simd::Level;

/// How lanes begin.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Every lane from noise of the seed.
    Random,
    /// Lane `l` from `states[l % states.len()]`, each with about `kick_per_mille` thousandths of its
    /// variables drawn anew from the seed.
    From {
        /// Assignments, one value a variable; at least one.
        states: &'a [Vec<bool>],
        /// 0..=1000.
        kick_per_mille: u32,
    },
}

/// One run of a bank: everything that the result depends on, and how it may be cut short.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All noise of the run is a function of it.
    pub seed: u64,
    /// Steps (sweeps) to simulate.
    pub steps: u32,
    /// How lanes begin.
    pub start: Start<'a>,
    /// The energy to reach, if any (for CNF 0: no unsatisfied clause).
    pub target: Option<i64>,
    /// Whether to return as soon as a lane reaches the target. A proof of work never does; a
    /// solver that waits for an answer does. The step at which it stops is a function of the
    /// run, so the result is still reproducible.
    pub stop_at_target: bool,
    /// Set by another thread to give the run up; the report then says how far it came. A run
    /// that was interrupted is not reproducible.
    pub interrupt: Option<&'a AtomicBool>,
}

/// The best that a lane reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneBest {
    /// Its energy in the problem's canonical units: unsatisfied clauses, weight of unsatisfied
    /// soft clauses, or Ising energy.
    pub energy: i64,
    /// The number of unsatisfied hard clauses, 0 for problems without.
    pub hard_unsatisfied: u32,
    /// One value a variable.
    pub assignment: Vec<bool>,
}

/// What a run gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// BLAKE3 of the final state of all lanes, [`Self::trace`], and the best energies and assignments.
    pub digest: [u8; 32],
    /// The accumulator that every step folded its state into.
    pub trace: u64,
    /// The best of each lane, lane 0 first.
    pub lanes: Vec<LaneBest>,
    /// Steps that were simulated: [`Request::steps`], fewer if stopped.
    pub steps: u32,
    /// Elementary circuit updates that were simulated (literals or couplings, times steps, times lanes).
    pub ecu: u64,
}

impl Report {
    /// The index of the best lane: fewest unsatisfied hard clauses, then least energy, then the first.
    pub fn best_lane(&self) -> usize {
        (0..self.lanes.len())
            .min_by_key(|&l| (self.lanes[l].hard_unsatisfied, self.lanes[l].energy, l))
            .expect("a report has lanes")
    }
}

/// Why a problem cannot become a circuit of a family, or a circuit cannot run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The family does not simulate this kind of problem, or this mode not this structure.
    #[error("{family} chips cannot simulate this problem: {reason}")]
    Unsupported {
        /// The family and mode.
        family: &'static str,
        /// What is in the way.
        reason: String,
    },
    /// The numbers are too large to be simulated exactly.
    #[error("the weights are too large: {0}")]
    Range(String),
    /// The state of a bank would not fit.
    #[error("a bank of chips would need {needed} bytes, more than the limit of {limit}")]
    Memory {
        /// Bytes.
        needed: u64,
        /// Bytes.
        limit: u64,
    },
    /// Parameters outside their range.
    #[error("parameter {name} is {value}: {reason}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: i64,
        /// What it must be.
        reason: &'static str,
    },
}

/// Which implementation runs a circuit: the scalar reference, or the lanes kernels at a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cpu {
    /// One lane after the other, written to be read; defines the truth.
    Scalar,
    /// 64 lanes at once.
    Lanes(Level),
}

/// Something that simulates the circuits of a family: a CPU at some level, a GPU.
pub trait Backend<Circuit, Parameters> {
    /// The name for reports and benchmarks.
    fn name(&self) -> &'static str;
    /// Simulates one bank. Every backend gives the same report for the same arguments, unless it
    /// was interrupted.
    ///
    /// # Errors
    /// [`Error::Parameter`] and [`Error::Memory`]; never in the middle of a run.
    fn run(&self, circuit: &Circuit, parameters: &Parameters, request: &Request<'_>)
    -> Result<Report, Error>;
}

/// The first set for `class` in a family's table.
pub(crate) fn set_of_class<Parameters: Clone>(table: &[(&str, Parameters)], class: &str) -> Parameters {
    let set = table.iter().find(|(name, _)| *name == class);
    set.unwrap_or_else(|| panic!("no parameter set {class}")).1.clone()
}

impl Cpu {
    /// The fastest that this machine has.
    pub fn detect() -> Self {
        Self::Lanes(Level::detect())
    }
    /// The name for reports and benchmarks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Lanes(level) => level.name(),
        }
    }
}

/// The digest of a run: BLAKE3 in key-derivation mode of the final state (each family says in which
/// order), the trace, and each lane's best energy, unsatisfied hard clauses and assignment (eight
/// values a byte, lowest bit first). Little endian throughout.
pub fn digest(state: &[u8], trace: u64, lanes: &[LaneBest]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("hysteron/end/1");
    hasher.update(&(state.len() as u64).to_le_bytes());
    hasher.update(state);
    hasher.update(&trace.to_le_bytes());
    let mut bytes = Vec::new();
    for lane in lanes {
        hasher.update(&lane.energy.to_le_bytes());
        hasher.update(&lane.hard_unsatisfied.to_le_bytes());
        bytes.clear();
        let (eights, rest) = lane.assignment.as_chunks::<8>();
        bytes.extend(eights.iter().map(|bits| pack(bits.map(u8::from))));
        if !rest.is_empty() {
            bytes.push(rest.iter().enumerate().fold(0u8, |byte, (i, &bit)| byte | u8::from(bit) << i));
        }
        hasher.update(&bytes);
    }
    *hasher.finalize().as_bytes()
}
