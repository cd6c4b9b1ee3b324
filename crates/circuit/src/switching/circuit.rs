//! Compiling clauses into the order and the address lists that the kernels walk.

use hysteron_problem::{Cnf, Literal};

use crate::literals::ByLength;
use crate::run::Error;

/// The longest clause, after duplicate literals are removed, that a chip has wires for: a sweep
/// costs the square of it.
pub const CLAUSE_LENGTH_MAX: usize = 128;
/// The most clauses in which one literal may occur: counters of 16 bits hold them.
pub const LITERAL_OCCURRENCES_MAX: u32 = 16_383;
/// The longest clause of the bit-sliced kernel.
pub const SLICED_LENGTH_MAX: usize = 3;

/// Consecutive occurrences of one variable that have the same sign and as many other literals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Whether the variable occurs negated.
    pub negative: bool,
    /// Literals of each clause beside the variable's own.
    pub others: u32,
    /// How many occurrences follow.
    pub count: u32,
}

/// One variable in the canonical order: what its element of the circuit is wired to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Element {
    pub variable: u32,
    /// Positive occurrences.
    pub positive: u32,
    /// Negative occurrences.
    pub negative: u32,
    /// Its groups are `groups[groups_end of the element before..groups_end]`.
    pub groups_end: u32,
}

/// Clauses compiled for the switching chip.
///
/// Literals that repeat in a clause are kept once and tautologies are dropped, which changes no
/// energy. Variables are ordered by the colour of the first-fit colouring in index order (two
/// variables of a clause have different colours), then by index: the canonical order. The kernels walk
/// each colour's variables by the kinds of their groups, then by index, so that branches go as the last did;
/// variables of one colour share no clause, so what a sweep does is the same in either order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Circuit {
    pub(super) variables: u32,
    /// Clauses without literals: every assignment leaves them unsatisfied.
    pub(super) empty: u32,
    /// `clause_literals[clause_ends[c - 1]..clause_ends[c]]`, clauses that are neither empty nor
    /// tautologies, in the problem's order.
    pub(super) clause_ends: Vec<u32>,
    pub(super) clause_literals: Vec<Literal>,
    /// The same clauses for passes over all of them.
    pub(super) by_length: ByLength,
    /// Variables by colour, then by the kinds of their groups, then by index.
    pub(super) elements: Vec<Element>,
    pub(super) groups: Vec<Group>,
    /// The other literals of every occurrence, in the order of elements, groups, occurrences.
    pub(super) others: Vec<Literal>,
    /// The clause of every occurrence, in the same order.
    pub(super) occurrence_clauses: Vec<u32>,
    /// The colour of each variable.
    pub(super) colours: Vec<u32>,
    pub(super) longest: usize,
}

impl Circuit {
    /// Compiles `cnf`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if a clause is longer than [`CLAUSE_LENGTH_MAX`] or a literal occurs
    /// more than [`LITERAL_OCCURRENCES_MAX`] times.
    pub fn compile(cnf: &Cnf) -> Result<Self, Error> {
        let n = cnf.variables as usize;
        let mut empty = 0;
        let mut clause_ends = Vec::with_capacity(cnf.clauses.len());
        let mut clause_literals = Vec::with_capacity(cnf.clauses.literals().len());
        let mut longest = 0;
        for clause in cnf.clauses.iter() {
            if clause.is_empty() {
                empty += 1;
                continue;
            }
            let begin = clause_literals.len();
            if !push_distinct(clause, &mut clause_literals) {
                clause_literals.truncate(begin);
                continue;
            }
            let length = clause_literals.len() - begin;
            if length > CLAUSE_LENGTH_MAX {
                return Err(unsupported(format!(
                    "a clause has {length} literals, the limit is {CLAUSE_LENGTH_MAX}"
                )));
            }
            longest = longest.max(length);
            clause_ends.push(clause_literals.len() as u32);
        }
        let mut counts = vec![0u32; 2 * n];
        for literal in &clause_literals {
            counts[literal.code() as usize] += 1;
        }
        if let Some(&most) = counts.iter().max()
            && most > LITERAL_OCCURRENCES_MAX
        {
            return Err(unsupported(format!(
                "a literal occurs {most} times, the limit is {LITERAL_OCCURRENCES_MAX}"
            )));
        }
        let by_literal = Occurrences::new(&counts, &clause_ends, &clause_literals);
        let colours = colour(n, &clause_ends, &by_literal);
        let by_length = ByLength::new(clause_ends.len(), |clause| {
            let begin = if clause == 0 { 0 } else { clause_ends[clause as usize - 1] };
            &clause_literals[begin as usize..clause_ends[clause as usize] as usize]
        });
        let mut circuit = Self {
            variables: cnf.variables,
            empty,
            by_length,
            elements: Vec::with_capacity(n),
            groups: Vec::with_capacity(2 * n),
            others: Vec::with_capacity(clause_literals.len() * longest.saturating_sub(1).min(4)),
            occurrence_clauses: Vec::with_capacity(clause_literals.len()),
            clause_ends,
            clause_literals,
            colours,
            longest,
        };
        circuit.wire(&by_literal);
        Ok(circuit)
    }

    /// Fills the address lists of every element.
    fn wire(&mut self, by_literal: &Occurrences) {
        let shapes = Shapes::new(self, by_literal);
        let uniform = (0..self.clause_ends.len()).all(|c| self.clause(c).len() == self.longest);
        let mut sorted = Vec::new();
        for variable in order(&self.colours, &shapes) {
            let mut totals = [0u32; 2];
            for negative in [false, true] {
                let own = Literal::new(variable, negative);
                let mut list = by_literal.of(own);
                totals[usize::from(negative)] = list.len() as u32;
                if !uniform {
                    sorted.clear();
                    sorted.extend_from_slice(list);
                    sorted.sort_by_key(|&c| self.clause(c as usize).len());
                    list = &sorted;
                }
                let mut last: Option<Group> = None;
                for &clause in list {
                    let range = self.clause_range(clause as usize);
                    let others = (range.len() - 1) as u32;
                    match &mut last {
                        Some(group) if group.others == others => group.count += 1,
                        _ => {
                            self.groups.extend(last);
                            last = Some(Group { negative, others, count: 1 });
                        }
                    }
                    self.occurrence_clauses.push(clause);
                    for at in range {
                        let literal = self.clause_literals[at];
                        if literal != own {
                            self.others.push(literal);
                        }
                    }
                }
                self.groups.extend(last);
            }
            self.elements.push(Element {
                variable,
                positive: totals[0],
                negative: totals[1],
                groups_end: self.groups.len() as u32,
            });
        }
    }

    /// The number of variables.
    pub fn variables(&self) -> u32 {
        self.variables
    }
    /// Clauses that can be satisfied and unsatisfied.
    pub fn clauses(&self) -> usize {
        self.clause_ends.len()
    }
    /// Literals of those clauses: what a step updates in each chip.
    pub fn literals(&self) -> usize {
        self.clause_literals.len()
    }
    /// Literals of the longest clause, 0 without clauses.
    pub fn longest(&self) -> usize {
        self.longest
    }
    /// The least energy that could be: the number of empty clauses.
    pub fn floor(&self) -> i64 {
        i64::from(self.empty)
    }
    /// The most clauses in which a literal occurs.
    pub fn literal_occurrences(&self) -> u32 {
        self.elements.iter().map(|e| e.positive.max(e.negative)).max().unwrap_or(0)
    }

    pub(super) fn clause_range(&self, index: usize) -> std::ops::Range<usize> {
        let begin = if index == 0 { 0 } else { self.clause_ends[index - 1] as usize };
        begin..self.clause_ends[index] as usize
    }
    pub(super) fn clause(&self, index: usize) -> &[Literal] {
        &self.clause_literals[self.clause_range(index)]
    }
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported { family: "switching", reason }
}

/// Appends the distinct literals of `clause` in their order; false if two of them are opposite.
fn push_distinct(clause: &[Literal], out: &mut Vec<Literal>) -> bool {
    const PAIRWISE_MAX: usize = 16;
    let begin = out.len();
    if clause.len() <= PAIRWISE_MAX {
        for &literal in clause {
            if out[begin..].contains(&!literal) {
                return false;
            }
            if !out[begin..].contains(&literal) {
                out.push(literal);
            }
        }
        return true;
    }
    out.extend_from_slice(clause);
    out[begin..].sort_unstable();
    let mut kept = begin;
    for at in begin..out.len() {
        let literal = out[at];
        if kept > begin && out[kept - 1] == literal {
            continue;
        }
        if kept > begin && out[kept - 1] == !literal {
            return false;
        }
        out[kept] = literal;
        kept += 1;
    }
    out.truncate(kept);
    true
}

/// For every literal the clauses that contain it, ascending.
struct Occurrences {
    begins: Vec<u32>,
    clauses: Vec<u32>,
}

impl Occurrences {
    fn new(counts: &[u32], clause_ends: &[u32], literals: &[Literal]) -> Self {
        let mut begins = Vec::with_capacity(counts.len() + 1);
        let mut sum = 0;
        begins.push(0);
        for &count in counts {
            sum += count;
            begins.push(sum);
        }
        let mut next = begins.clone();
        let mut clauses = vec![0u32; literals.len()];
        let mut at = 0;
        for (clause, &end) in clause_ends.iter().enumerate() {
            for literal in &literals[at..end as usize] {
                let place = &mut next[literal.code() as usize];
                clauses[*place as usize] = clause as u32;
                *place += 1;
            }
            at = end as usize;
        }
        Self { begins, clauses }
    }
    fn of(&self, literal: Literal) -> &[u32] {
        let code = literal.code() as usize;
        &self.clauses[self.begins[code] as usize..self.begins[code + 1] as usize]
    }
    fn of_variable(&self, variable: usize) -> &[u32] {
        &self.clauses[self.begins[2 * variable] as usize..self.begins[2 * variable + 2] as usize]
    }
}

/// First-fit colours in index order. Colours are handed out 64 at a time, so that a clause needs to
/// remember one word; a variable that finds none free waits for the next 64, which first fit in one
/// pass would give it too.
fn colour(variables: usize, clause_ends: &[u32], by_literal: &Occurrences) -> Vec<u32> {
    let mut colours = vec![0u32; variables];
    let mut waiting: Vec<u32> = (0..variables as u32).collect();
    let mut base = 0;
    let mut used = vec![0u64; clause_ends.len()];
    while !waiting.is_empty() {
        waiting.retain(|&variable| {
            let clauses = by_literal.of_variable(variable as usize);
            let taken = clauses.iter().fold(0, |taken, &c| taken | used[c as usize]);
            if taken == u64::MAX {
                return true;
            }
            let free = taken.trailing_ones();
            for &c in clauses {
                used[c as usize] |= 1 << free;
            }
            colours[variable as usize] = base + free;
            false
        });
        base += 64;
        used.fill(0);
    }
    colours
}

/// What loops a variable's element goes through.
struct Shapes {
    ends: Vec<usize>,
    /// Of each variable's groups, positive first: sign, other literals.
    groups: Vec<(bool, u32)>,
}

impl Shapes {
    fn new(circuit: &Circuit, by_literal: &Occurrences) -> Self {
        let mut shapes = Self { ends: Vec::new(), groups: Vec::new() };
        let mut lengths = Vec::new();
        for variable in 0..circuit.variables {
            for negative in [false, true] {
                lengths.clear();
                let list = by_literal.of(Literal::new(variable, negative));
                lengths.extend(list.iter().map(|&c| circuit.clause_range(c as usize).len() as u32 - 1));
                lengths.sort_unstable();
                let groups = lengths.chunk_by(|a, b| a == b);
                shapes.groups.extend(groups.map(|g| (negative, g[0])));
            }
            shapes.ends.push(shapes.groups.len());
        }
        shapes
    }

    fn of(&self, variable: u32) -> &[(bool, u32)] {
        let begin = if variable == 0 { 0 } else { self.ends[variable as usize - 1] };
        &self.groups[begin..self.ends[variable as usize]]
    }

    /// By the number of groups, then by what they are; how long they are does not matter.
    fn compare(&self, a: u32, b: u32) -> std::cmp::Ordering {
        let (a, b) = (self.of(a), self.of(b));
        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
    }
}

/// Variables by colour, then shape, then index.
fn order(colours: &[u32], shapes: &Shapes) -> Vec<u32> {
    let count = colours.iter().max().map_or(0, |&c| c as usize + 1);
    let mut places = vec![0u32; count + 1];
    for &colour in colours {
        places[colour as usize + 1] += 1;
    }
    for c in 0..count {
        places[c + 1] += places[c];
    }
    let mut order = vec![0u32; colours.len()];
    for (variable, &colour) in colours.iter().enumerate() {
        let place = &mut places[colour as usize];
        order[*place as usize] = variable as u32;
        *place += 1;
    }
    for run in order.chunk_by_mut(|&a, &b| colours[a as usize] == colours[b as usize]) {
        run.sort_by(|&a, &b| shapes.compare(a, b));
    }
    order
}
