//! A light incremental solver for many small calls: batsat, a MiniSat in Rust, reporting its pace.
//! It starts and ends a call with little work, where CaDiCaL sets up and tears down much.

use std::cell::Cell;

use batsat::{Callbacks, ClauseKind, Solver, SolverInterface, SolverOpts, Var, lbool};
use hysteron_problem::Literal;

use super::oracle::{Answer, Oracle};
use super::strand::Pace;

/// Cost of one decision with its propagation, in nanoseconds.
const DECISION_COST: u64 = 400;
/// Cost of one conflict, in nanoseconds.
const CONFLICT_COST: u64 = 8_000;
/// Costs are added up to about this before they are reported.
const REPORT_COST: u64 = 50_000;

/// Counts the work of a call.
struct Reporter {
    pace: Option<Pace>,
    conflicts_left: u64,
    cost: Cell<u64>,
    is_stopped: Cell<bool>,
}

impl Callbacks for Reporter {
    fn on_new_clause(&mut self, _: &[batsat::Lit], kind: ClauseKind) {
        if kind == ClauseKind::Learnt {
            self.conflicts_left = self.conflicts_left.saturating_sub(1);
            self.cost.set(self.cost.get() + CONFLICT_COST);
        }
    }

    fn stop(&self) -> bool {
        let cost = self.cost.get() + DECISION_COST;
        if cost < REPORT_COST {
            self.cost.set(cost);
        } else {
            self.cost.set(0);
            self.is_stopped.set(self.pace.as_ref().is_some_and(|pace| pace.spend(cost)));
        }
        self.conflicts_left == 0 || self.is_stopped.get()
    }
}

/// The light solver.
pub struct Light {
    solver: Solver<Reporter>,
    variables: u32,
    scratch: Vec<batsat::Lit>,
}

impl Default for Light {
    fn default() -> Self {
        Self::new()
    }
}

impl Light {
    /// An empty solver.
    pub fn new() -> Self {
        let reporter = Reporter {
            pace: None,
            conflicts_left: u64::MAX,
            cost: Cell::new(0),
            is_stopped: Cell::new(false),
        };
        Self { solver: Solver::new(SolverOpts::default(), reporter), variables: 0, scratch: Vec::new() }
    }
}

impl Oracle for Light {
    fn reserve(&mut self, variables: u32) {
        while self.variables < variables {
            self.solver.new_var_default();
            self.variables += 1;
        }
    }

    fn add_clause(&mut self, clause: &[Literal]) {
        let mut literals = std::mem::take(&mut self.scratch);
        literals.clear();
        literals.extend(clause.iter().map(|&l| convert(l)));
        self.solver.add_clause_reuse(&mut literals);
        self.scratch = literals;
    }

    fn solve(&mut self, pace: &Pace, assumptions: &[Literal], conflicts_max: Option<u32>) -> Answer {
        let reporter = self.solver.cb_mut();
        reporter.pace = Some(pace.clone());
        reporter.conflicts_left = conflicts_max.map_or(u64::MAX, |c| u64::from(c).max(1));
        let assumptions: Vec<_> = assumptions.iter().map(|&l| convert(l)).collect();
        match self.solver.solve_limited(&assumptions) {
            result if result == lbool::TRUE => Answer::Satisfiable,
            result if result == lbool::FALSE => Answer::Unsatisfiable,
            _ => Answer::Unknown,
        }
    }

    fn holds(&self, literal: Literal) -> bool {
        self.solver.value_lit(convert(literal)) == lbool::TRUE
    }

    fn core(&self, assumptions: &[Literal]) -> Vec<Literal> {
        // The solver's core holds the negations of the assumptions that were used.
        let mut used: Vec<u32> = self.solver.unsat_core().iter().map(|l| l.var().idx()).collect();
        used.sort_unstable();
        assumptions.iter().copied().filter(|l| used.binary_search(&l.variable()).is_ok()).collect()
    }
}

/// The literal as batsat has it.
fn convert(literal: Literal) -> batsat::Lit {
    batsat::Lit::new(Var::unsafe_from_idx(literal.variable()), !literal.is_negative())
}
