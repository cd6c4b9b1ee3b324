//! The pool of an epoch: good states, far from each other, and the fold of all that came in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hysteron_circuit::crossbar::crossover::{Crossover, Graph};
use hysteron_circuit::simd::LANES;

/// States that legs reheat.
const KEPT: usize = 8;
/// Of what comes in, the best so many are folded: a fold reads every coupling.
const FOLDED: usize = 32;
/// Kept states differ in more than this part of all spins.
const DISTANCE_PART: usize = 40;

/// Good states of one problem. Where it has no fields, a state and its mirror image are the same.
pub(super) struct Pool {
    graph: Arc<Graph>,
    mirrored: bool,
    /// Best first: states that differ enough.
    kept: Vec<(i64, Vec<bool>)>,
    /// Everything that came in last, best first.
    last: Vec<(i64, Vec<bool>)>,
    crossover: Crossover,
}

impl Pool {
    pub fn new(graph: Arc<Graph>) -> Self {
        let mirrored = (0..graph.spins()).all(|i| graph.field(i) == 0);
        Self { graph, mirrored, kept: Vec::new(), last: Vec::new(), crossover: Crossover::default() }
    }

    pub fn clear(&mut self) {
        self.kept.clear();
        self.last.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The best state and its energy.
    pub fn best(&self) -> Option<(i64, &[bool])> {
        self.kept.first().map(|(energy, state)| (*energy, state.as_slice()))
    }

    /// A start for every lane: each kept state in a stretch of lanes.
    pub fn lanes(&self) -> Vec<Vec<bool>> {
        (0..LANES).map(|l| self.kept[l * self.kept.len() / LANES].1.clone()).collect()
    }

    /// All states of the last intake, best first.
    pub fn all(&self) -> Vec<Vec<bool>> {
        self.last.iter().map(|s| s.1.clone()).collect()
    }

    /// Folds states into the best of all, until `stop` is set, and keeps the best that differ. Returns whether
    /// the fold made the best.
    pub fn absorb<'s>(&mut self, states: impl Iterator<Item = (i64, &'s [bool])>, stop: &AtomicBool) -> bool {
        self.last = states.map(|(energy, state)| (energy, state.to_vec())).collect();
        self.last.sort();
        let mut candidates = std::mem::take(&mut self.kept);
        candidates.extend(self.last.iter().cloned());
        candidates.sort();
        candidates.dedup();
        let Some(mut child) = candidates.first().cloned() else { return false };
        let before = child.0;
        for (_, state) in candidates[1..].iter().take(FOLDED) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            child.0 += self.fold(&mut child.1, state);
        }
        let folded = child.0 < before;
        if folded {
            candidates.insert(0, child);
        }
        let apart = self.graph.spins() / DISTANCE_PART;
        for candidate in candidates {
            if self.kept.iter().all(|k| self.distance(&k.1, &candidate.1) > apart) {
                self.kept.push(candidate);
                if self.kept.len() == KEPT {
                    break;
                }
            }
        }
        folded
    }

    /// The fold of the pool's best into another state, if that gains.
    pub fn fold_into(&mut self, other: &[bool]) -> Option<Vec<bool>> {
        let best = &self.kept.first()?.1;
        let mut child = other.to_vec();
        let best = best.clone();
        let gain = self.fold(&mut child, &best);
        (gain < 0).then_some(child)
    }

    /// Folds a state, or its mirror image if that is nearer, into the child; returns the change of energy.
    fn fold(&mut self, child: &mut [bool], state: &[bool]) -> i64 {
        let differing = child.iter().zip(state).filter(|(a, b)| a != b).count();
        if self.mirrored && 2 * differing > state.len() {
            let mirror: Vec<bool> = state.iter().map(|&s| !s).collect();
            return self.crossover.fold(&self.graph, child, &mirror, false).0;
        }
        self.crossover.fold(&self.graph, child, state, false).0
    }

    fn distance(&self, a: &[bool], b: &[bool]) -> usize {
        let differing = a.iter().zip(b).filter(|(a, b)| a != b).count();
        if self.mirrored { differing.min(a.len() - differing) } else { differing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::Ising;

    #[test]
    fn kept_states_differ_and_folds_gain() {
        // Two separate ferromagnetic pairs without fields.
        let problem =
            Ising { spins: 4, couplings: vec![(0, 1, -1), (2, 3, -1)], fields: vec![0; 4], offset: 0 };
        let mut pool = Pool::new(Arc::new(Graph::new(&problem)));
        let states: [(i64, &[bool]); 3] = [
            (0, &[true, true, true, false]),
            (0, &[true, false, true, true]),
            (0, &[false, false, false, true]),
        ];
        assert!(pool.absorb(states.into_iter(), &AtomicBool::new(false)));
        let (energy, state) = pool.best().unwrap();
        assert_eq!((energy, problem.energy(state)), (-2, -2));
        // The third is the mirror image of the first.
        assert_eq!(pool.kept.len(), 3);
        assert_eq!(pool.lanes().len(), LANES);
        assert_eq!(pool.all().len(), 3);
        assert_eq!(pool.fold_into(&[true, true, false, true]).map(|s| problem.energy(&s)), Some(-2));
    }
}
