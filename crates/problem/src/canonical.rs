//! The canonical form: [`Cnf`], [`Wcnf`] and [`Ising`], integers only, 0-based variables.
//!
//! An assignment of every form is a `&[bool]` of one value a variable; a spin of an [`Ising`]
//! problem is `+1` for `true` and `-1` for `false`.

use borsh::{BorshDeserialize, BorshSerialize};

/// The most variables that a canonical problem may have.
pub const VARIABLES_MAX: u32 = 1 << 26;
/// The most literals, or couplings, that a canonical problem may have.
pub const ELEMENTS_MAX: u32 = 1 << 30;
/// The bound on every sum of absolute weights: a row of couplings, all soft clauses, an energy.
pub const WEIGHT_SUM_MAX: i64 = 1 << 62;

/// A literal: a 0-based variable and a sign, packed as `2 * variable + negative`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, BorshSerialize, BorshDeserialize)]
#[repr(transparent)]
pub struct Literal(u32);

impl Literal {
    /// The literal of `variable` (0-based), negated if `negative`.
    #[inline]
    pub const fn new(variable: u32, negative: bool) -> Self {
        Self(variable << 1 | negative as u32)
    }
    /// The literal with this packed code, `2 * variable + negative`.
    #[inline]
    pub const fn from_code(code: u32) -> Self {
        Self(code)
    }
    /// The packed code, `2 * variable + negative`: dense, so it can index tables.
    #[inline]
    pub const fn code(self) -> u32 {
        self.0
    }
    /// The 0-based variable.
    #[inline]
    pub const fn variable(self) -> u32 {
        self.0 >> 1
    }
    /// Whether the literal is the negation of its variable.
    #[inline]
    pub const fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }
    /// The literal's value when its variable has `value`.
    #[inline]
    pub const fn holds(self, value: bool) -> bool {
        value != self.is_negative()
    }
    /// The literal as DIMACS writes it: 1-based, negative numbers for negations.
    pub const fn to_dimacs(self) -> i64 {
        let variable = self.variable() as i64 + 1;
        if self.is_negative() { -variable } else { variable }
    }
    /// The literal that DIMACS writes as `number`, which must not be 0 and must fit.
    pub const fn from_dimacs(number: i32) -> Self {
        assert!(number != 0);
        Self::new(number.unsigned_abs() - 1, number < 0)
    }
}

impl std::ops::Not for Literal {
    type Output = Self;
    #[inline]
    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// Clauses in one allocation: the literals of clause `c` are
/// `literals[offsets[c]..offsets[c + 1]]`.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct ClauseList {
    offsets: Vec<u32>,
    literals: Vec<Literal>,
}

impl Default for ClauseList {
    fn default() -> Self {
        Self { offsets: vec![0], literals: Vec::new() }
    }
}

impl ClauseList {
    /// No clauses.
    pub fn new() -> Self {
        Self::default()
    }
    /// No clauses, with room for some.
    pub(crate) fn with_room(clauses: usize, literals: usize) -> Self {
        let mut offsets = Vec::with_capacity(clauses + 1);
        offsets.push(0);
        Self { offsets, literals: Vec::with_capacity(literals) }
    }
    /// Appends a literal to a clause that is still open. Until [`Self::close`] only [`Self::literals`] shows it.
    #[inline]
    pub(crate) fn open(&mut self, literal: Literal) {
        self.literals.push(literal);
    }
    /// The literals of the open clause.
    #[inline]
    pub(crate) fn open_length(&self) -> usize {
        self.literals.len() - self.offsets[self.offsets.len() - 1] as usize
    }
    /// Closes the open clause; there must be at most [`ELEMENTS_MAX`] literals in all.
    #[inline]
    pub(crate) fn close(&mut self) {
        debug_assert!(self.literals.len() <= ELEMENTS_MAX as usize);
        self.offsets.push(self.literals.len() as u32);
    }
    /// Appends a clause.
    ///
    /// # Panics
    /// If the list would hold more than [`ELEMENTS_MAX`] literals; readers refuse such files
    /// before they come here.
    pub fn push(&mut self, clause: &[Literal]) {
        self.literals.extend_from_slice(clause);
        assert!(self.literals.len() <= ELEMENTS_MAX as usize, "more than {ELEMENTS_MAX} literals");
        self.offsets.push(self.literals.len() as u32);
    }
    /// The number of clauses.
    #[inline]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }
    /// Whether there is no clause.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The literals of clause `index`.
    #[inline]
    pub fn clause(&self, index: usize) -> &[Literal] {
        &self.literals[self.offsets[index] as usize..self.offsets[index + 1] as usize]
    }
    /// All clauses in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[Literal]> + Clone {
        self.offsets.windows(2).map(|w| &self.literals[w[0] as usize..w[1] as usize])
    }
    /// The literals of all clauses, one after the other.
    pub fn literals(&self) -> &[Literal] {
        &self.literals
    }
    /// The boundaries of the clauses in [`Self::literals`]: one more than there are clauses.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }
    /// The length of the longest clause, 0 if there is none.
    pub fn longest(&self) -> usize {
        self.iter().map(<[Literal]>::len).max().unwrap_or(0)
    }
}

/// Whether `assignment` satisfies `clause`.
#[inline]
pub fn is_satisfied(clause: &[Literal], assignment: &[bool]) -> bool {
    clause.iter().any(|l| l.holds(assignment[l.variable() as usize]))
}

/// Conjunctive normal form.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Cnf {
    /// The number of variables; every literal's variable is below it.
    pub variables: u32,
    /// The clauses.
    pub clauses: ClauseList,
}

/// Weighted partial MaxSAT: minimise the weight of unsatisfied soft clauses, subject to all hard
/// clauses.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Wcnf {
    /// The number of variables; every literal's variable is below it.
    pub variables: u32,
    /// Clauses that must hold.
    pub hard: ClauseList,
    /// Clauses that cost their weight when they do not hold.
    pub soft: ClauseList,
    /// One weight (at least 1) a soft clause; their sum is at most [`WEIGHT_SUM_MAX`].
    pub weights: Vec<u64>,
    /// A cost that every assignment pays.
    pub offset: i64,
}

/// The Ising form: minimise `offset + sum_(i<j) J_ij s_i s_j + sum_i h_i s_i` over spins -1, +1.
#[derive(Clone, PartialEq, Eq, Debug, Default, BorshSerialize, BorshDeserialize)]
pub struct Ising {
    /// The number of spins.
    pub spins: u32,
    /// `(i, j, J)` with `i < j < spins` and `J != 0`, strictly increasing in `(i, j)`.
    pub couplings: Vec<(u32, u32, i64)>,
    /// One field a spin.
    pub fields: Vec<i64>,
    /// An energy that every state has.
    pub offset: i64,
}

/// A problem in canonical form.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub enum Problem {
    /// Satisfiability.
    Cnf(Cnf),
    /// Weighted partial MaxSAT.
    Wcnf(Wcnf),
    /// Ising, QUBO and Max-Cut.
    Ising(Ising),
}

impl Cnf {
    /// The number of clauses that `assignment` leaves unsatisfied.
    pub fn unsatisfied(&self, assignment: &[bool]) -> u64 {
        self.clauses.iter().filter(|c| !is_satisfied(c, assignment)).count() as u64
    }
}

impl Wcnf {
    /// The number of hard clauses that `assignment` leaves unsatisfied.
    pub fn hard_unsatisfied(&self, assignment: &[bool]) -> u64 {
        self.hard.iter().filter(|c| !is_satisfied(c, assignment)).count() as u64
    }
    /// `offset` plus the weight of unsatisfied soft clauses. It says nothing of hard clauses.
    pub fn cost(&self, assignment: &[bool]) -> i64 {
        let mut cost = i128::from(self.offset);
        for (clause, &weight) in self.soft.iter().zip(&self.weights) {
            if !is_satisfied(clause, assignment) {
                cost += i128::from(weight);
            }
        }
        i64::try_from(cost).expect("bounded by WEIGHT_SUM_MAX when it was built")
    }
}

impl Ising {
    /// The energy of `assignment` (`true` is spin +1).
    pub fn energy(&self, assignment: &[bool]) -> i64 {
        let mut energy = i128::from(self.offset);
        for &(i, j, weight) in &self.couplings {
            let same = assignment[i as usize] == assignment[j as usize];
            energy += if same { i128::from(weight) } else { -i128::from(weight) };
        }
        for (&field, &up) in self.fields.iter().zip(assignment) {
            energy += if up { i128::from(field) } else { -i128::from(field) };
        }
        i64::try_from(energy).expect("bounded by WEIGHT_SUM_MAX when it was built")
    }
}

impl Problem {
    /// The number of variables or spins: the length of an assignment.
    pub fn variables(&self) -> u32 {
        match self {
            Self::Cnf(cnf) => cnf.variables,
            Self::Wcnf(wcnf) => wcnf.variables,
            Self::Ising(ising) => ising.spins,
        }
    }
    /// The content id: BLAKE3 in key-derivation mode of the canonical borsh bytes.
    pub fn content_id(&self) -> [u8; 32] {
        let bytes = borsh::to_vec(self).expect("writing to memory does not fail");
        blake3::derive_key("hysteron/problem/1", &bytes)
    }
}

/// Checks the invariants that the types of a canonical problem document.
///
/// # Errors
/// A clause without a full stop that says which invariant is broken.
pub fn check(problem: &Problem) -> Result<(), String> {
    if problem.variables() > VARIABLES_MAX {
        return Err(format!("it has {} variables, more than {VARIABLES_MAX}", problem.variables()));
    }
    match problem {
        Problem::Cnf(cnf) => check_clauses(&cnf.clauses, cnf.variables),
        Problem::Wcnf(wcnf) => {
            check_clauses(&wcnf.hard, wcnf.variables)?;
            check_clauses(&wcnf.soft, wcnf.variables)?;
            if wcnf.weights.len() != wcnf.soft.len() {
                return Err("it does not have one weight a soft clause".into());
            }
            if wcnf.weights.contains(&0) {
                return Err("a soft clause has weight 0".into());
            }
            let sum = wcnf.weights.iter().map(|&w| u128::from(w)).sum();
            check_sum(sum, wcnf.offset)
        }
        Problem::Ising(ising) => {
            if ising.fields.len() != ising.spins as usize {
                return Err("it does not have one field a spin".into());
            }
            if !ising.couplings.iter().all(|&(i, j, weight)| i < j && j < ising.spins && weight != 0) {
                return Err("a coupling is 0 or not between two spins in increasing order".into());
            }
            if !ising.couplings.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)) {
                return Err("the couplings do not increase strictly".into());
            }
            let couplings = ising.couplings.iter().map(|c| c.2);
            let weights = couplings.chain(ising.fields.iter().copied());
            check_sum(weights.map(|w| u128::from(w.unsigned_abs())).sum(), ising.offset)
        }
    }
}

fn check_clauses(clauses: &ClauseList, variables: u32) -> Result<(), String> {
    match clauses.literals().iter().find(|l| l.variable() >= variables) {
        Some(literal) => Err(format!("literal {} exceeds its {variables} variables", literal.to_dimacs())),
        None => Ok(()),
    }
}

fn check_sum(sum: u128, offset: i64) -> Result<(), String> {
    if sum + u128::from(offset.unsigned_abs()) > WEIGHT_SUM_MAX as u128 {
        return Err("its absolute weights sum to more than 2^62".into());
    }
    Ok(())
}
