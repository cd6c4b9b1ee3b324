//! The focused walk as a searcher: from random assignments, with restarts by Luby's sequence.

use hysteron_circuit::rom::mix64;
use hysteron_problem::Cnf;

use super::walk::Walk;
use crate::{Context, Outcome, Searcher, Source};

/// The first walk's flips for each variable, and the least of them.
const FLIPS_PER_VARIABLE: u64 = 1 << 12;
const FLIPS_MIN: u64 = 1 << 20;
/// Unsatisfied clauses up to which improvements are told at once, not at the end of a slice.
const TOLD_MAX: usize = 8;

/// The focused searcher, or none if the problem is not for it: no clauses, an empty clause, or one with
/// more than 63 literals.
pub fn focused_searcher(cnf: &Cnf, seed: u64) -> Option<Box<dyn Searcher>> {
    let (walk, variables) = (Walk::new(cnf)?, u64::from(cnf.variables));
    Some(Box::new(Focused { walk, variables, seed, starts: 0, flips_left: 0, best: usize::MAX }))
}

struct Focused {
    walk: Walk,
    variables: u64,
    seed: u64,
    starts: u64,
    /// Flips until the next start.
    flips_left: u64,
    best: usize,
}

impl Searcher for Focused {
    fn source(&self) -> Source {
        Source::LocalSearch("probsat")
    }

    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        let mut left = (effort.saturating_mul(1024) / self.walk.flip_cost_q10()).max(1);
        while left != 0 && !context.stopped() {
            if self.flips_left == 0 {
                self.starts += 1;
                self.walk.start(None, mix64(self.seed.wrapping_add(self.starts)));
                // Hard uniform problems want one long run; the limit grows with the reluctant doubling of Luby.
                self.flips_left =
                    (self.variables * FLIPS_PER_VARIABLE).max(FLIPS_MIN) * super::luby(self.starts);
            }
            let part = left.min(self.walk.flips_between_looks()).min(self.flips_left);
            let solved = self.walk.run(part);
            left -= part;
            self.flips_left -= part;
            // To tell of every improvement on the way down would take longer than the way.
            let is_told = solved || left == 0 || self.walk.unsatisfied() <= TOLD_MAX;
            if self.walk.unsatisfied() < self.best && is_told {
                self.best = self.walk.unsatisfied();
                if (self.best as i64) < context.best_energy() {
                    context.offer(self.walk.values(), self.source());
                }
            }
            if solved {
                // Another searcher's problem is larger than ours, or the search is over.
                self.flips_left = 0;
            }
        }
        Outcome::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::super::walk::tests::random;
    use super::*;
    use hysteron_problem::Problem;

    #[test]
    fn easy_problems_are_solved() {
        for (seed, length, clauses) in [(1, 3, 360), (2, 4, 700), (3, 5, 1400), (4, 2, 60)] {
            let problem = Problem::Cnf(random(seed, 100, clauses, &[length]));
            let Problem::Cnf(cnf) = &problem else { unreachable!() };
            let context = Context::new(&problem, None, None);
            let mut search = focused_searcher(cnf, seed).expect("it is for local search");
            for _ in 0..50 {
                search.work(&context, 20_000_000);
            }
            assert_eq!(context.best_energy(), 0, "seed {seed}");
        }
    }
}
