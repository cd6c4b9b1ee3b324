//! Who takes part in a search, and with which share: decided by the structure of the problem.

use hysteron_circuit::switching::SLICED_LENGTH_MAX;
use hysteron_problem::{Cnf, Ising, Problem, Wcnf};

use crate::exact::cdcl::Cdcl;
use crate::exact::ising::Elimination;
use crate::exact::maxsat::{CoreGuided, ModelImproving};
use crate::schedule::{Entry, SHARE, Schedule};
use crate::{Searcher, clauses, ising, shape};

/// The place of a thread among its fellows.
#[derive(Clone, Copy, Debug)]
pub struct Team {
    /// This thread, from 0.
    pub thread: usize,
    /// All threads of the search.
    pub threads: usize,
    /// The seed of the search; each thread derives its own.
    pub seed: u64,
    /// Whether clause learning is among the searchers of this thread.
    pub learns: Learns,
}

/// Clause learning among the searchers of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Learns {
    /// Others do.
    Nothing,
    /// It has no other place.
    Alone,
    /// Another thread does so on the whole formula as it was given; here the variables of the component come in another order.
    Again,
}

impl Team {
    /// The seed of this thread's searchers.
    pub fn thread_seed(self) -> u64 {
        hysteron_circuit::rom::mix64(self.seed ^ ((self.thread as u64) << 40))
    }
}

/// Effort of one chip-step: one step of a 64-chip bank, by the mean cost of the kernels
/// (0.03 ns an update).
pub fn step_effort(problem: &Problem) -> u64 {
    2 * elements(problem).max(1)
}

/// Literals or couplings (each counted once from each side).
fn elements(problem: &Problem) -> u64 {
    match problem {
        Problem::Cnf(cnf) => cnf.clauses.literals().len() as u64,
        Problem::Wcnf(wcnf) => (wcnf.hard.literals().len() + wcnf.soft.literals().len()) as u64,
        Problem::Ising(ising) => 2 * ising.couplings.len() as u64 + u64::from(ising.spins),
    }
}

/// The searchers of a thread for one component, with their shares.
pub fn schedule(problem: &Problem, team: Team) -> Schedule<'_> {
    match problem {
        Problem::Cnf(cnf) => of_cnf(problem, cnf, team),
        Problem::Wcnf(wcnf) => Schedule::new(of_wcnf(problem, wcnf, team)),
        Problem::Ising(ising) => Schedule::new(of_ising(ising, team)),
    }
}

/// What a method makes: searchers with their shares.
type Made = Vec<(Box<dyn Searcher>, u64)>;

/// Random clauses above this many variables are beyond clause learning, below it they are not.
const RANDOM_LEARNABLE_VARIABLES_MAX: u32 = 600;
/// Random clauses up to this many variables are searched by chips first, larger ones by walks and beliefs:
/// a sweep visits all variables while few matter near a solution.
const CHIPS_FIRST_VARIABLES_MAX: u32 = 2000;
/// The same of their literals: on 5-SAT of 1000 variables the first runs of the chips take a second, in which a walk has won.
const CHIPS_FIRST_RANDOM_LITERALS_MAX: usize = 30_000;
/// Effort of compiling a circuit, for each literal or coupling: a method that comes second waits until the
/// first has had a few times that.
const COMPILE_EFFORT: u64 = 4000;

/// Elimination is tried on every problem of so many spins, and on sparse ones of so many couplings.
const ELIMINATION_ANY_SPINS_MAX: u32 = 40;
const ELIMINATION_COUPLINGS_MAX: usize = 100_000;

/// Random clauses of so few variables may be satisfiable beyond the ratio at which larger ones are not, and chips
/// find that sooner than anything else.
const CHANCE_VARIABLES_MAX: u32 = 300;

/// A run of bit-sliced chips on so many literals takes a millisecond at most, less than half of it with AVX-512.
const AT_ONCE_LITERALS_MAX: usize = 1 << 13;

/// Whether chips have the first word on a formula, and a run of theirs takes about a millisecond, whatever comes of it. On more variables
/// beliefs come first where something was hidden.
pub fn begins_at_once(cnf: &Cnf) -> bool {
    cnf.variables <= CHANCE_VARIABLES_MAX
        && cnf.clauses.literals().len() <= AT_ONCE_LITERALS_MAX
        && cnf.clauses.iter().all(|clause| clause.len() <= SLICED_LENGTH_MAX)
}

/// The methods' shares on clauses.
#[derive(Clone, Copy)]
struct Shares {
    chips: u64,
    walk: u64,
    beliefs: u64,
    memcomputing: u64,
}

impl Shares {
    const EQUAL: Self = Self { chips: SHARE, walk: SHARE, beliefs: SHARE, memcomputing: SHARE };

    /// Measured on generated instances of 500 to 10^5 variables.
    fn of(looks_random: bool, is_small: bool, is_hidden: bool, thread: usize) -> Self {
        let equal = Self::EQUAL;
        match (is_hidden, is_small) {
            // Beliefs see what was hidden, and the memcomputing chip sees it where it is obvious.
            (true, true) => Self { beliefs: 4 * SHARE, ..equal },
            (true, false) => {
                Self { chips: SHARE / 4, walk: SHARE / 4, beliefs: 16 * SHARE, memcomputing: 4 * SHARE }
            }
            (false, true) => Self { walk: 4 * SHARE, ..equal },
            // The walk needs all the time there is; a second thread hedges.
            (false, false) if looks_random && thread.is_multiple_of(2) => {
                Self { chips: SHARE / 4, walk: 16 * SHARE, beliefs: SHARE, memcomputing: SHARE / 4 }
            }
            (false, false) if looks_random => {
                Self { chips: SHARE / 4, walk: 12 * SHARE, beliefs: 4 * SHARE, memcomputing: SHARE / 4 }
            }
            (false, false) => {
                Self { chips: SHARE / 4, walk: 4 * SHARE, beliefs: SHARE, memcomputing: SHARE / 4 }
            }
        }
    }
}

/// One searcher, or none.
fn one<S: Searcher + 'static>(searcher: Option<S>, share: u64) -> Made {
    searcher.into_iter().map(|s| (Box::new(s) as Box<dyn Searcher>, share)).collect()
}

/// Structured formulas of so many literals are given to clause learning before anything else: up to there it looks
/// up often enough to be told to end.
const LEARN_FIRST_LITERALS_MAX: usize = 300_000;
/// The same for random clauses: unsatisfiable ones of so many variables are refuted sooner than a thread starts.
const LEARN_FIRST_RANDOM_VARIABLES_MAX: u32 = 60;

/// The place of clause learning in a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Learning {
    /// The calling thread from the start; all others wait until it has had a few milliseconds.
    First,
    /// A thread of its own: there it costs the chips nothing and loses nothing to slices. With one thread, in turns with
    /// all others.
    Beside {
        /// Before anything else, so that nobody is worse off than with clause learning alone. Random clauses are few enough
        /// here that to normalise them takes no time.
        at_once: bool,
    },
    /// One searcher among others, or none.
    Among,
}

fn is_short(cnf: &Cnf) -> bool {
    cnf.clauses.literals().len() <= LEARN_FIRST_LITERALS_MAX
}

/// The place that clause learning should have on a formula.
pub fn learning(cnf: &Cnf, threads: usize) -> Learning {
    let looks_random = shape::looks_random(cnf.variables, cnf.clauses.iter());
    let is_short = is_short(cnf);
    if is_short && (!looks_random || cnf.variables <= LEARN_FIRST_RANDOM_VARIABLES_MAX) {
        Learning::First
    } else if is_learnable(cnf.variables, looks_random) && (threads > 1 || !looks_random) {
        Learning::Beside { at_once: !looks_random }
    } else {
        Learning::Among
    }
}

fn is_learnable(variables: u32, looks_random: bool) -> bool {
    !looks_random || variables <= RANDOM_LEARNABLE_VARIABLES_MAX
}

/// Clause learning's share of one thread on structured parts of a formula that is none.
const LEARN_STRUCTURE_SHARE: u64 = 16 * SHARE;
/// The share of a second clause learning: about as much as all others on its thread.
const LEARN_AGAIN_SHARE: u64 = 8 * SHARE;
/// Effort of each [`SHARE`] that a second clause learning has before the other searchers of its thread begin.
const LEARN_AGAIN_ALONE_EFFORT: u64 = 2_000_000;

fn of_cnf<'a>(problem: &'a Problem, cnf: &'a Cnf, team: Team) -> Schedule<'a> {
    let seed = team.thread_seed();
    let looks_random = shape::looks_random(cnf.variables, cnf.clauses.iter());
    let literals = cnf.clauses.literals().len();
    let is_small = cnf.variables <= CHIPS_FIRST_VARIABLES_MAX
        && (!looks_random || literals <= CHIPS_FIRST_RANDOM_LITERALS_MAX);
    let is_hidden = looks_random
        && cnf.variables > CHANCE_VARIABLES_MAX
        && shape::is_beyond_chance(cnf.variables, &cnf.clauses);
    let later = COMPILE_EFFORT * literals as u64;
    let shares = Shares::of(looks_random, is_small, is_hidden, team.thread);
    let learns_again = team.learns == Learns::Again && !looks_random;
    // What waits for a share of the others waits for that of the second clause learning too.
    let later = if learns_again { later / 2 } else { later };
    let alone = if learns_again { LEARN_AGAIN_ALONE_EFFORT } else { 0 };
    let delay = if is_small && !is_hidden { alone } else { later.max(alone) };
    let memcomputing_delay = if is_hidden && shares.memcomputing > SHARE { later / 4 } else { delay };
    let walk = Entry::later(
        if is_hidden { later } else { alone },
        Box::new(move || {
            clauses::focused_searcher(cnf, seed).into_iter().map(|s| (s, shares.walk)).collect()
        }),
    );
    let beliefs =
        Entry::later(alone, Box::new(move || one(clauses::Beliefs::new(problem, seed), shares.beliefs)));
    let chips =
        move || clauses::switching_searchers(cnf, seed).into_iter().map(|s| (s, shares.chips)).collect();
    let memcomputing = move || one(clauses::Memcomputing::new(problem, seed).ok(), shares.memcomputing);
    let mut entries = vec![
        Entry::later(delay, Box::new(chips)),
        walk,
        beliefs,
        Entry::later(memcomputing_delay, Box::new(memcomputing)),
    ];
    match team.learns {
        Learns::Alone => {
            // Among all others it gets as much as they together, and more where there is structure.
            let share = match (is_learnable(cnf.variables, looks_random), looks_random) {
                (true, false) => LEARN_STRUCTURE_SHARE,
                (true, true) => 6 * SHARE,
                (false, _) => SHARE / 4,
            };
            let delay = if looks_random { delay } else { 0 };
            entries.push(Entry::later(delay, Box::new(move || one(Some(Cdcl::new(cnf)), share))));
        }
        Learns::Again if learns_again => {
            let learn = move || one(Some(Cdcl::shuffled(cnf, seed)), LEARN_AGAIN_SHARE);
            entries.push(Entry::later(0, Box::new(learn)));
        }
        Learns::Again | Learns::Nothing => {}
    }
    Schedule::new(entries)
}

/// About how many bytes a second clause learning needs in a search on several threads.
pub fn learn_again_bytes(cnf: &Cnf) -> u64 {
    if is_short(cnf) && learning(cnf, 2) == Learning::First { Cdcl::memory_bytes(cnf) } else { 0 }
}

fn of_wcnf<'a>(problem: &'a Problem, wcnf: &'a Wcnf, team: Team) -> Vec<Entry<'a>> {
    let seed = team.thread_seed();
    let mut entries = Vec::new();
    if team.thread == 0 {
        let exact = move || {
            let mut made = one(CoreGuided::new(problem), 3 * SHARE);
            made.extend(one(ModelImproving::new(problem), SHARE));
            made
        };
        entries.push(Entry::later(0, Box::new(exact)));
        if team.threads > 1 && !wcnf.hard.is_empty() {
            return entries;
        }
    }
    let pairs = move || clauses::pair_searcher(wcnf, |ising| spins(ising, team));
    let chips = move || clauses::unweighted_searchers(wcnf, seed).into_iter().map(|s| (s, SHARE)).collect();
    entries.push(Entry::later(0, Box::new(chips)));
    entries.push(Entry::later(0, Box::new(pairs)));
    entries.push(Entry::later(0, Box::new(move || one(clauses::Partial::new(problem, seed), SHARE))));
    entries.push(Entry::later(0, Box::new(move || one(clauses::General::new(wcnf, seed).ok(), SHARE))));
    if wcnf.hard.is_empty() {
        let delay = COMPILE_EFFORT * wcnf.soft.literals().len() as u64;
        let memcomputing = move || one(clauses::Memcomputing::new(problem, seed).ok(), SHARE / 4);
        entries.push(Entry::later(delay, Box::new(memcomputing)));
    }
    entries
}

fn of_ising(ising: &Ising, team: Team) -> Vec<Entry<'_>> {
    let seed = team.thread_seed();
    let delay = COMPILE_EFFORT * ising.couplings.len() as u64;
    let (dense_delay, sparse_delay) = if ising::dense::is_dense(ising) { (0, delay) } else { (delay, 0) };
    let mut entries = vec![
        Entry::later(sparse_delay, Box::new(move || sparse_spins(ising, seed))),
        Entry::later(dense_delay, Box::new(move || dense_spins(ising, seed))),
    ];
    // An order of small width exists in trees, ladders and narrow grids; to look for one elsewhere takes time.
    let may_be_narrow = ising.spins <= ELIMINATION_ANY_SPINS_MAX
        || ising.couplings.len() as u64 <= 2 * u64::from(ising.spins)
            && ising.couplings.len() <= ELIMINATION_COUPLINGS_MAX;
    if team.thread == 0 && may_be_narrow {
        entries.insert(0, Entry::later(0, Box::new(move || one(Elimination::new(ising), 2 * SHARE))));
    }
    entries
}

/// All searchers of spins at once, for problems that were translated to spins.
fn spins(ising: &Ising, team: Team) -> Made {
    let seed = team.thread_seed();
    let mut made = dense_spins(ising, seed);
    made.extend(sparse_spins(ising, seed));
    made
}

fn dense_spins(ising: &Ising, seed: u64) -> Made {
    let is_dense = ising::dense::is_dense(ising);
    let searchers = ising::dense::dense_searchers(ising, seed).into_iter().enumerate();
    let share = |index| match (is_dense, index) {
        (true, 0) => 4 * SHARE,
        (true, _) => SHARE,
        (false, _) => SHARE / 4,
    };
    searchers.map(|(index, searcher)| (searcher, share(index))).collect()
}

fn sparse_spins(ising: &Ising, seed: u64) -> Made {
    let part = if ising::dense::is_dense(ising) { 4 } else { 1 };
    ising::searchers(ising, seed)
        .into_iter()
        .map(|(searcher, share)| (searcher, (share / part).max(1)))
        .collect()
}
