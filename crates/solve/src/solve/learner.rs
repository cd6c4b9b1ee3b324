//! Clause learning on the whole formula that takes turns with the searchers of its components.

use crate::exact::cdcl::InTurns;

/// Clause learning in turns with all others has so much effort (about nanoseconds) before they search, and then this many parts
/// of the time for one of theirs.
pub(super) const LEARN_ALONE_EFFORT: u64 = 100_000_000;
const LEARN_PARTS: u64 = 3;
/// Its turns are of at least and at most this effort.
const LEARN_TURN_MIN: u64 = 4_000_000;
const LEARN_TURN_MAX: u64 = 400_000_000;

/// Clause learning on the whole formula that takes turns with the searchers of its components, and what both had.
pub(super) struct Learner {
    pub(super) clauses: InTurns,
    /// What it has before the others search.
    pub(super) alone: u64,
    pub(super) had: u64,
    pub(super) others_had: u64,
}

impl Learner {
    /// The effort of its turn, if it is its turn: when the others have nothing left to do, always.
    pub(super) fn turn(&self, is_alone: bool) -> Option<u64> {
        if is_alone {
            return Some(u64::MAX);
        }
        let due = self.alone.max(self.others_had.saturating_mul(LEARN_PARTS));
        (self.had < due).then(|| (due - self.had).clamp(LEARN_TURN_MIN, LEARN_TURN_MAX))
    }
}
