//! The incremental SAT solver under the exact methods: CaDiCaL through the crate `cadical`, in the
//! words of this workspace, reporting its pace to a strand.

use hysteron_problem::Literal;

use super::strand::Pace;

/// Cost that one call of CaDiCaL's terminate callback stands for, in nanoseconds: CaDiCaL calls
/// back every ten decisions or conflicts, or after a comparable number of ticks in preprocessing.
const CALLBACK_COST: u64 = 80_000;

/// Reports the pace of a solver that is running.
#[derive(Default)]
struct Reporter {
    pace: Option<Pace>,
}

impl cadical::Callbacks for Reporter {
    fn terminate(&mut self) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace.spend(CALLBACK_COST))
    }
}

/// CaDiCaL with literals of this workspace.
pub struct CadicalSolver {
    solver: cadical::Solver<Reporter>,
}

impl CadicalSolver {
    /// An empty solver with CaDiCaL's default options.
    pub fn new() -> Self {
        let mut solver = cadical::Solver::new();
        solver.set_callbacks(Some(Reporter::default()));
        Self { solver }
    }

    /// Makes the variables below `variables` known.
    pub fn reserve(&mut self, variables: u32) {
        self.solver.reserve(variables as i32);
    }

    /// Adds a clause.
    #[inline]
    pub fn add_clause(&mut self, clause: &[Literal]) {
        self.solver.add_clause(clause.iter().map(|&l| number(l)));
    }

    /// Solves under `assumptions`: satisfiable or not, or `None` if the strand should return.
    pub fn solve(&mut self, pace: &Pace, assumptions: &[Literal]) -> Option<bool> {
        if let Some(reporter) = self.solver.get_callbacks() {
            reporter.pace = Some(pace.clone());
        }
        self.solver.solve_with(assumptions.iter().map(|&l| number(l)))
    }

    /// The values of the variables below `variables` after a satisfiable call.
    pub fn model(&self, variables: u32) -> Vec<bool> {
        (0..variables).map(|v| self.solver.value(v as i32 + 1) == Some(true)).collect()
    }

    /// Whether `literal` holds in the model.
    pub fn holds(&self, literal: Literal) -> bool {
        self.solver.value(number(literal)) == Some(true)
    }

    /// Whether an assumption was needed to refute, after an unsatisfiable call.
    pub fn failed(&self, assumption: Literal) -> bool {
        self.solver.failed(number(assumption))
    }
}

/// The literal as CaDiCaL has it; variables are below 2^26, so it fits.
fn number(literal: Literal) -> i32 {
    let variable = literal.variable() as i32 + 1;
    if literal.is_negative() { -variable } else { variable }
}

/// About how many bytes CaDiCaL needs.
pub fn memory_bytes(variables: u64, clauses: u64, literals: u64) -> u64 {
    600 * variables + 64 * clauses + 12 * literals
}
