//! Kernels: families of chips, told apart as far as their costs differ.

use hysteron_circuit::switching;
use hysteron_circuit::walk::Walk;
use hysteron_problem::Problem;

use crate::cost::{self, Events};
use crate::error::Refusal;
use crate::parameters::{ParameterSet, sets};
use crate::size::Sizes;
use crate::table::Class;

/// What runs a leg, as the cost table knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kernel {
    /// Switching chips T.
    Table,
    /// Switching chips W.
    Memory,
    /// Switching chips G.
    General,
    /// Memcomputing chips, every clause alike.
    Memcomputing,
    /// Memcomputing chips, with weights.
    MemcomputingWeighted,
    /// Crossbar chips, unit couplings, sums in bytes.
    CrossbarUnitBytes,
    /// Crossbar chips, sums in bytes.
    CrossbarBytes,
    /// Crossbar chips, unit couplings, sums in 16 bits.
    CrossbarUnitWords,
    /// Crossbar chips, sums in 16 bits.
    CrossbarWords,
    /// Crossbar chips, sums in 32 bits.
    CrossbarLongs,
    /// Event-driven annealing, a matrix of bytes.
    AnnealBytes,
    /// Event-driven annealing, a matrix of 16-bit weights.
    AnnealWords,
    /// Event-driven annealing, a matrix of 32-bit weights.
    AnnealLongs,
    /// Event-driven annealing, lists of couplings.
    AnnealLists,
    /// Tabu, a matrix of bytes.
    TabuBytes,
    /// Tabu, a matrix of 16-bit weights.
    TabuWords,
    /// Tabu, a matrix of 32-bit weights.
    TabuLongs,
    /// Tabu, lists of couplings.
    TabuLists,
}

impl Kernel {
    /// All kernels, in the order of the cost table.
    pub const ALL: [Self; 18] = [
        Self::Table,
        Self::Memory,
        Self::General,
        Self::Memcomputing,
        Self::MemcomputingWeighted,
        Self::CrossbarUnitBytes,
        Self::CrossbarBytes,
        Self::CrossbarUnitWords,
        Self::CrossbarWords,
        Self::CrossbarLongs,
        Self::AnnealBytes,
        Self::AnnealWords,
        Self::AnnealLongs,
        Self::AnnealLists,
        Self::TabuBytes,
        Self::TabuWords,
        Self::TabuLongs,
        Self::TabuLists,
    ];

    /// Whether legs end by the meter and not by a number of steps.
    pub fn is_metered(self) -> bool {
        self >= Self::AnnealBytes
    }

    /// Bytes of an entry of the matrix whose rows a metered kernel adds; `None` where it adds lists, or is not metered.
    pub fn entry_bytes(self) -> Option<u64> {
        match self {
            Self::AnnealBytes | Self::TabuBytes => Some(1),
            Self::AnnealWords | Self::TabuWords => Some(2),
            Self::AnnealLongs | Self::TabuLongs => Some(4),
            _ => None,
        }
    }

    /// The kernel that a parameter set runs on a problem of these sizes; `None` if its numbers are too large for any
    /// that is admitted.
    pub fn of(set: &ParameterSet, sizes: &Sizes) -> Option<Self> {
        Some(match set {
            ParameterSet::Switching(p) if p.kernel == switching::Kernel::W => Self::Memory,
            ParameterSet::Switching(_) => Self::Table,
            ParameterSet::General(_) => Self::General,
            // A weighted problem whose clauses are all soft and weigh 1 is compiled like a CNF, and costs no more.
            ParameterSet::Memcomputing(_) if sizes.is_weighted => Self::MemcomputingWeighted,
            ParameterSet::Memcomputing(_) => Self::Memcomputing,
            // The word classes of `hysteron_circuit::crossbar`.
            ParameterSet::Crossbar(_) => match (sizes.row_sum_max, sizes.is_unit) {
                (0..=126, true) => Self::CrossbarUnitBytes,
                (0..=126, false) => Self::CrossbarBytes,
                (127..=32_766, true) => Self::CrossbarUnitWords,
                (127..=32_766, false) => Self::CrossbarWords,
                (32_767..=0x7ff_ffff, _) => Self::CrossbarLongs,
                _ => return None,
            },
            ParameterSet::Anneal(_) => match rows_of(sizes)? {
                Rows::Bytes => Self::AnnealBytes,
                Rows::Words => Self::AnnealWords,
                Rows::Longs => Self::AnnealLongs,
                Rows::Lists => Self::AnnealLists,
            },
            ParameterSet::Tabu(_) => match rows_of(sizes)? {
                Rows::Bytes => Self::TabuBytes,
                Rows::Words => Self::TabuWords,
                Rows::Longs => Self::TabuLongs,
                Rows::Lists => Self::TabuLists,
            },
        })
    }
}

/// How `hysteron_circuit::dense` keeps couplings.
enum Rows {
    Bytes,
    Words,
    Longs,
    Lists,
}

/// Whether at least one coupling in sixteen is there; matrices of 2^20 couplings always fit then.
pub(crate) fn is_matrix(sizes: &Sizes) -> bool {
    sizes.literals >= sizes.variables * sizes.variables / 16
}

fn rows_of(sizes: &Sizes) -> Option<Rows> {
    if sizes.row_sum_max >= 1 << 26 {
        return None;
    }
    if !is_matrix(sizes) {
        return Some(Rows::Lists);
    }
    Some(match sizes.weight_max {
        0..=127 => Rows::Bytes,
        128..=16_383 => Rows::Words,
        _ => Rows::Longs,
    })
}

/// Switches that an annealing chip makes for every 32 spins that it visits, over a whole run: what decides between
/// chips of fixed cost and event-driven ones.
pub(crate) const VISITS_PER_SWITCH: u64 = 32;

/// The class of a problem: its form, the length of its clauses, and for spins whichever chip does a sweep at less cost
/// while everything lies near.
///
/// # Errors
/// [`Refusal::NoChip`] if its numbers are too large.
pub fn classify(problem: &Problem, sizes: &Sizes) -> Result<Class, Refusal> {
    Ok(match problem {
        Problem::Cnf(_) if sizes.clause_longest <= 3 => Class::ShortClauses,
        Problem::Cnf(_) => Class::LongClauses,
        Problem::Wcnf(_) => Class::WeightedClauses,
        Problem::Ising(_) => {
            let too_large = || {
                Refusal::NoChip(
                    "a spin's absolute couplings and field sum to 2^26 or more after division by the weights' \
                     common divisor; divide or round them"
                        .into(),
                )
            };
            let of = |class: Class| Kernel::of(&sets(class)[0], sizes);
            let (Some(lanes), Some(events)) = (of(Class::SparseSpins), of(Class::DenseSpins)) else {
                return Err(too_large());
            };
            let wide = if lanes == Kernel::CrossbarUnitWords { sizes.pairs } else { 0 };
            let near = Walk { elements: sizes.variables, rows: sizes.pairs, wide, ..Walk::default() };
            let fixed = cost::step_picoseconds(lanes, &near) / crate::types::CHIPS_PER_BANK;
            let row = if is_matrix(sizes) { sizes.variables } else { sizes.row_mean() };
            let run = |steps: u64| {
                let updates = steps * (sizes.variables / VISITS_PER_SWITCH) * row;
                cost::metered_picoseconds(events, sizes, &Events { steps, updates, tabu: 0 })
            };
            let metered = run(2) - run(1);
            if fixed <= metered { Class::SparseSpins } else { Class::DenseSpins }
        }
    })
}
