//! A weighted CNF compiled into the order and the address lists that the kernels walk.

use hysteron_problem::{ClauseList, Literal, Wcnf};

use crate::literals::ByLength;
use crate::rom;
use crate::run::Error;

/// The longest clause that a chip has wires for: a sweep costs the square of it.
pub const CLAUSE_LENGTH_MAX: usize = 64;
/// The most clauses that a variable may be in: sums of memories stay in 16 bits.
const DEGREE_MAX: usize = 16_000;
/// The most neighbour addresses: about 4 bytes each.
const WIRES_MAX: usize = 1 << 28;
/// The bound of the simulated weights around a variable.
const ROW_SUM_MAX: u128 = 1 << 28;
/// The mean of the simulated weights is below this.
const MEAN_MAX: u128 = 1 << 13;

/// Consecutive occurrences of one variable that have the same sign and as many other literals, all in hard clauses or all in
/// soft ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Group {
    /// Whether the clauses are hard.
    pub is_hard: bool,
    /// Whether the variable is negative in them.
    pub negative: bool,
    /// Literals of each beside the variable's own.
    pub others: u16,
    /// How many occurrences follow.
    pub count: u32,
}

/// A variable, in canonical order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Element {
    pub variable: u32,
    /// Its groups end here; they begin where those of the element before end.
    pub groups_end: u32,
}

/// A weighted CNF for general switching chips. Tautologies and repeated literals are gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Circuit {
    pub(super) variables: u32,
    pub(super) hard: ClauseList,
    pub(super) soft: ClauseList,
    /// The hard clauses for passes over all of them.
    pub(super) hard_by_length: ByLength,
    /// Exact weights of soft clauses.
    pub(super) weights: Vec<i64>,
    pub(super) offset: i64,
    pub(super) hard_empty: u32,
    pub(super) elements: Vec<Element>,
    pub(super) groups: Vec<Group>,
    /// Of each occurrence the hard clause's number; or the soft clause's simulated weight, negative where the variable is.
    pub(super) values: Vec<i32>,
    /// The other literals of each occurrence.
    pub(super) others: Vec<Literal>,
    /// The mean simulated weight, at least 1.
    pub(super) mean: i32,
    /// The simulated weight of every soft clause, if all are alike.
    pub(super) uniform: Option<i32>,
    /// A simulated weight is the exact one times two to this power.
    pub(super) scale: i32,
    /// The most that a memory may reach.
    pub(super) memory_max: u8,
}

impl Circuit {
    /// Compiles a weighted CNF.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if a clause has more than [`CLAUSE_LENGTH_MAX`] literals, or a variable is in more
    /// than 16 000 clauses, or the wires would not fit.
    pub fn compile(wcnf: &Wcnf) -> Result<Self, Error> {
        let mut hard = ClauseList::new();
        let mut soft = ClauseList::new();
        let (mut weights, mut offset, mut hard_empty) = (Vec::new(), wcnf.offset, 0);
        for clause in wcnf.hard.iter() {
            match distinct(clause)? {
                None => {}
                Some(literals) if literals.is_empty() => hard_empty += 1,
                Some(literals) => hard.push(&literals),
            }
        }
        for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
            match distinct(clause)? {
                None => {}
                Some(literals) if literals.is_empty() => offset += weight as i64,
                Some(literals) => {
                    soft.push(&literals);
                    weights.push(weight as i64);
                }
            }
        }
        let n = wcnf.variables as usize;
        // Sums do not depend on order; what takes the same way through the kernel lies side by side.
        let mut by_variable: Vec<Vec<Place>> = vec![Vec::new(); n];
        for (list, is_hard) in [(&hard, true), (&soft, false)] {
            for (index, clause) in list.iter().enumerate() {
                let (length, index) = (clause.len() as u16, index as u32);
                for literal in clause {
                    let place = Place { is_hard, negative: literal.is_negative(), length, index };
                    by_variable[literal.variable() as usize].push(place);
                }
            }
        }
        by_variable.iter_mut().for_each(|places| places.sort_unstable());
        let degree = by_variable.iter().map(Vec::len).max().unwrap_or(0);
        let wires: usize = hard.iter().chain(soft.iter()).map(|c| c.len() * (c.len() - 1)).sum();
        if degree > DEGREE_MAX || wires > WIRES_MAX {
            return Err(unsupported(format!(
                "a variable is in {degree} clauses, and there are {wires} wires"
            )));
        }
        let scale = scale_of(&weights, &by_variable);
        let simulated = |weight| simulated(weight, scale);
        let sum: i64 = weights.iter().map(|&w| i64::from(simulated(w))).sum();
        let uniform =
            weights.windows(2).all(|w| w[0] == w[1]).then(|| weights.first().map_or(1, |&w| simulated(w)));
        let clause_of =
            |place: &Place| if place.is_hard { &hard } else { &soft }.clause(place.index as usize);
        let mut circuit = Self {
            variables: wcnf.variables,
            memory_max: (i16::MAX as usize / degree.max(1)).min(100) as u8,
            mean: (sum / (weights.len() as i64).max(1)).clamp(1, MEAN_MAX as i64) as i32,
            offset,
            hard_empty,
            elements: Vec::with_capacity(n),
            groups: Vec::new(),
            values: Vec::new(),
            others: Vec::new(),
            uniform,
            scale,
            hard_by_length: ByLength::new(hard.len(), |clause| hard.clause(clause as usize)),
            hard: ClauseList::new(),
            soft: ClauseList::new(),
            weights: Vec::new(),
        };
        for variable in order(&by_variable, clause_of) {
            for alike in by_variable[variable as usize].chunk_by(Place::is_like) {
                let Place { is_hard, negative, length, .. } = alike[0];
                let group = Group { is_hard, negative, others: length - 1, count: alike.len() as u32 };
                circuit.groups.push(group);
                for place in alike {
                    circuit.others.extend(clause_of(place).iter().filter(|l| l.variable() != variable));
                    circuit.values.push(match (is_hard, negative) {
                        (true, _) => place.index as i32,
                        (false, false) => simulated(weights[place.index as usize]),
                        (false, true) => -simulated(weights[place.index as usize]),
                    });
                }
            }
            circuit.elements.push(Element { variable, groups_end: circuit.groups.len() as u32 });
        }
        Ok(Self { hard, soft, weights, ..circuit })
    }

    /// The number of variables.
    pub fn variables(&self) -> u32 {
        self.variables
    }
    /// The number of hard clauses.
    pub fn hard_clauses(&self) -> usize {
        self.hard.len()
    }
    /// Elementary circuit updates of one sweep of one chip: the number of literals.
    pub fn ecu_per_step(&self) -> u64 {
        self.values.len() as u64
    }
    /// `(unsatisfied hard clauses, energy)` of an assignment, exactly.
    pub fn score(&self, assignment: &[bool]) -> (u32, i64) {
        let unsatisfied = |clause: &[Literal]| !hysteron_problem::canonical::is_satisfied(clause, assignment);
        let hard = self.hard.iter().filter(|c| unsatisfied(c)).count() as u32 + self.hard_empty;
        let soft =
            self.soft.iter().zip(&self.weights).filter(|(c, _)| unsatisfied(c)).map(|(_, w)| w).sum::<i64>();
        (hard, self.offset + soft)
    }
    /// A soft clause's simulated weight.
    pub(super) fn simulated(&self, weight: i64) -> i32 {
        simulated(weight, self.scale)
    }
    /// The factor of a variable in the trace.
    pub(super) fn fold(variable: u32) -> u8 {
        rom::element_hash(0x6765_6e65, variable) as u8 | 1
    }
    /// Bytes of a bank: two polarities, the best, and a memory a hard clause, 64 lanes each.
    pub(super) fn bank_bytes(&self) -> u64 {
        (u64::from(self.variables) * 3 + self.hard.len() as u64) * 64
    }
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported { family: "switching G", reason }
}

/// Sorted literals without repetition, `None` for a tautology.
fn distinct(clause: &[Literal]) -> Result<Option<Vec<Literal>>, Error> {
    let mut literals = clause.to_vec();
    literals.sort_unstable();
    literals.dedup();
    if literals.windows(2).any(|w| w[0] == !w[1]) {
        return Ok(None);
    }
    if literals.len() > CLAUSE_LENGTH_MAX {
        return Err(unsupported(format!(
            "a clause has {} literals, the limit is {CLAUSE_LENGTH_MAX}",
            literals.len()
        )));
    }
    Ok(Some(literals))
}

/// The power of two by which exact weights become simulated ones: the mean well above 1, so that half a
/// mean is a number, and every sum in 32 bits.
fn scale_of(weights: &[i64], by_variable: &[Vec<Place>]) -> i32 {
    let sum: u128 = weights.iter().map(|&w| w as u128).sum();
    let mean = sum / (weights.len() as u128).max(1);
    let row = by_variable
        .iter()
        .map(|list| {
            list.iter().filter(|p| !p.is_hard).map(|p| weights[p.index as usize] as u128).sum::<u128>()
        })
        .max()
        .unwrap_or(0);
    let mut scale = 0;
    while mean << scale < 16 && row << (scale + 1) < ROW_SUM_MAX && scale < 6 {
        scale += 1;
    }
    while scale <= 0 && (mean >> -scale >= MEAN_MAX || row >> -scale >= ROW_SUM_MAX) {
        scale -= 1;
    }
    scale
}

/// Where a variable occurs. In the order of fields, those that take the same way through the kernel are side by side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place {
    is_hard: bool,
    negative: bool,
    length: u16,
    /// The clause among the hard or the soft ones.
    index: u32,
}

impl Place {
    fn is_like(&self, other: &Self) -> bool {
        self.kind() == other.kind()
    }
    fn kind(&self) -> (bool, bool, u16) {
        (self.is_hard, self.negative, self.length)
    }
}

fn simulated(weight: i64, scale: i32) -> i32 {
    if scale >= 0 { (weight << scale) as i32 } else { ((weight >> -scale) as i32).max(1) }
}

/// Variables by the colour of the first-fit colouring in index order (two of a clause differ), then by the kinds of their groups, so
/// that a sweep goes the same ways as for the variable before, then by index.
fn order<'a>(by_variable: &[Vec<Place>], clause_of: impl Fn(&Place) -> &'a [Literal]) -> Vec<u32> {
    let n = by_variable.len();
    let mut colours = vec![u32::MAX; n];
    // The last variable that saw each colour at a neighbour.
    let mut seen = vec![u32::MAX; n + 1];
    for variable in 0..n {
        for place in &by_variable[variable] {
            for literal in clause_of(place) {
                let colour = colours[literal.variable() as usize];
                if colour != u32::MAX {
                    seen[colour as usize] = variable as u32;
                }
            }
        }
        colours[variable] = (0..).find(|&c| seen[c as usize] != variable as u32).expect("n colours do");
    }
    let kinds: Vec<Vec<_>> = by_variable
        .iter()
        .map(|places| places.chunk_by(Place::is_like).map(|alike| alike[0].kind()).collect())
        .collect();
    let key = |&variable: &u32| {
        let v = variable as usize;
        (colours[v], kinds[v].len(), &kinds[v])
    };
    let mut order: Vec<u32> = (0..n as u32).collect();
    order.sort_by(|a, b| key(a).cmp(&key(b)));
    order
}
