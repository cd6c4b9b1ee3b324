//! CaDiCaL through the crate `cadical`, in the words of this workspace, reporting its pace.

use hysteron_problem::{ClauseList, Literal};

use super::oracle::{Answer, Oracle};
use super::strand::Pace;

/// Cost that one call of CaDiCaL's terminate callback stands for, in nanoseconds: CaDiCaL calls
/// back every ten decisions or conflicts, or after comparable work in preprocessing. Measured on
/// pigeon holes, bounded model checking and random graphs: 66 to 100 microseconds.
const CALLBACK_COST: u64 = 80_000;

/// Reports the pace of a solver that is running.
#[derive(Default)]
pub struct Reporter {
    pace: Option<Pace>,
}

impl cadical::Callbacks for Reporter {
    fn terminate(&mut self) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace.spend(CALLBACK_COST))
    }
}

/// Reports the cost of what a solver does to a function that says whether to give up.
pub struct Report<F>(F);

impl<F: FnMut(u64) -> bool> cadical::Callbacks for Report<F> {
    fn terminate(&mut self) -> bool {
        (self.0)(CALLBACK_COST)
    }
}

/// CaDiCaL with literals of this workspace; who it reports to while it runs is a [`Pace`], or a function.
pub struct Cadical<C: cadical::Callbacks = Reporter> {
    solver: cadical::Solver<C>,
    variables: u32,
}

impl Default for Cadical {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: FnMut(u64) -> bool> Cadical<Report<F>> {
    /// An empty solver with CaDiCaL's default options that reports to a function.
    pub fn reporting_to(report: F) -> Self {
        Self::with(Report(report))
    }
}

impl<C: cadical::Callbacks> Cadical<C> {
    fn with(callbacks: C) -> Self {
        let mut solver = cadical::Solver::new();
        solver.set_callbacks(Some(callbacks));
        Self { solver, variables: 0 }
    }
    /// Reads the clauses of a formula.
    pub fn read(&mut self, variables: u32, clauses: &ClauseList) {
        self.make_room(variables);
        for clause in clauses.iter() {
            self.add(clause);
        }
    }
    /// Has at least so many variables.
    pub fn make_room(&mut self, variables: u32) {
        if variables > self.variables {
            self.solver.reserve(variables as i32);
            self.variables = variables;
        }
    }
    /// Adds a clause.
    #[inline]
    pub fn add(&mut self, clause: &[Literal]) {
        self.solver.add_clause(clause.iter().map(|&l| number(l)));
    }
    /// Searches until decided or told to give up.
    pub fn decide(&mut self, assumptions: &[Literal]) -> Answer {
        match self.solver.solve_with(assumptions.iter().map(|&l| number(l))) {
            Some(true) => Answer::Satisfiable,
            Some(false) => Answer::Unsatisfiable,
            None => Answer::Unknown,
        }
    }
    fn is_true(&self, literal: Literal) -> bool {
        self.solver.value(number(literal)) == Some(true)
    }
    /// The model found, one value for each of the first `variables`.
    pub fn values(&self, variables: u32) -> Vec<bool> {
        (0..variables).map(|v| self.is_true(Literal::new(v, false))).collect()
    }
}

impl Cadical {
    /// An empty solver with CaDiCaL's default options.
    pub fn new() -> Self {
        Self::with(Reporter::default())
    }

    /// About how many bytes a search of minutes needs on a formula of this size, learnt clauses
    /// included.
    pub fn memory_bytes(variables: u64, clauses: u64, literals: u64) -> u64 {
        600 * variables + 64 * clauses + 12 * literals
    }
}

impl Oracle for Cadical {
    fn reserve(&mut self, variables: u32) {
        self.make_room(variables);
    }

    #[inline]
    fn add_clause(&mut self, clause: &[Literal]) {
        self.add(clause);
    }

    fn solve(&mut self, pace: &Pace, assumptions: &[Literal], conflicts_max: Option<u32>) -> Answer {
        if let Some(reporter) = self.solver.get_callbacks() {
            reporter.pace = Some(pace.clone());
        }
        if let Some(limit) = conflicts_max {
            let is_known = self.solver.set_limit("conflicts", i32::try_from(limit).unwrap_or(i32::MAX));
            debug_assert!(is_known.is_ok());
        }
        self.decide(assumptions)
    }

    fn holds(&self, literal: Literal) -> bool {
        self.is_true(literal)
    }

    fn core(&self, assumptions: &[Literal]) -> Vec<Literal> {
        assumptions.iter().copied().filter(|&l| self.solver.failed(number(l))).collect()
    }
}

/// The literal as CaDiCaL has it; variables are below 2^26, and encodings keep far below 2^31.
fn number(literal: Literal) -> i32 {
    let variable = literal.variable() as i32 + 1;
    if literal.is_negative() { -variable } else { variable }
}
