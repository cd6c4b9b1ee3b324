//! Linear constraints over literals as clauses, exactly: a decision diagram of the partial sums,
//! one auxiliary variable a node.
//!
//! A node stands for "the remaining terms must still add up to this much". Because all
//! coefficients are positive after negating literals, a node that is implied only has to imply
//! its children, two clauses a node (Abío, Nieuwenhuis, Oliveras, Rodríguez-Carbonell, Mayer-
//! Eichberger, "A New Look at BDDs for Pseudo-Boolean Constraints", JAIR 2012, section 6). An
//! assignment extends to the auxiliary variables if and only if it satisfies the constraint.

use std::collections::BTreeMap;

use crate::canonical::{ClauseList, Literal, VARIABLES_MAX};

/// The most partial sums that one constraint may have, over all of its terms.
pub const CONSTRAINT_STATES_MAX: usize = 1 << 21;
/// The most literals that all constraints of a file may become.
pub const ENCODED_LITERALS_MAX: usize = 1 << 27;
/// Up to this many literals, "at most one" becomes a clause for each pair.
const PAIRWISE_MAX: usize = 6;

/// Collects clauses and hands out auxiliary variables.
pub(crate) struct Encoder {
    variables: u32,
    clauses: ClauseList,
}

/// Where a child of a node leads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Child {
    /// The constraint holds whatever follows.
    Holds,
    /// It cannot hold any more.
    Fails,
    /// It holds if the node with this auxiliary variable does.
    Node(u32),
}

impl Encoder {
    pub fn new(variables: u32) -> Self {
        Self { variables, clauses: ClauseList::new() }
    }
    /// The number of variables now, and the clauses.
    pub fn finish(self) -> (u32, ClauseList) {
        (self.variables, self.clauses)
    }

    /// Adds `sum of terms >= bound`. The error is the bound that was exceeded.
    pub fn at_least(
        &mut self,
        terms: impl Iterator<Item = (i128, Literal)>,
        bound: i128,
    ) -> Result<(), usize> {
        let (terms, bound) = normalised(terms, bound);
        let sum: i128 = terms.iter().map(|t| t.0).sum();
        if bound <= 0 {
            return Ok(());
        }
        if sum < bound {
            return self.push(&[]);
        }
        let least = terms.last().map_or(0, |t| t.0);
        if sum - least < bound {
            return terms.iter().try_for_each(|&(_, literal)| self.push(&[literal]));
        }
        if least == bound {
            let clause: Vec<Literal> = terms.iter().map(|t| t.1).collect();
            return self.push(&clause);
        }
        // All but one of equal terms: at most one of their negations.
        if terms.len() <= PAIRWISE_MAX && terms[0].0 == least && sum - 2 * least < bound {
            for (index, &(_, first)) in terms.iter().enumerate() {
                for &(_, second) in &terms[index + 1..] {
                    self.push(&[first, second])?;
                }
            }
            return Ok(());
        }
        self.diagram(&terms, bound)
    }

    /// `terms` in decreasing order, `0 < bound <= sum`.
    fn diagram(&mut self, terms: &[(i128, Literal)], bound: i128) -> Result<(), usize> {
        let levels = levels(terms, bound)?;
        // Bottom up: the children of the level below, by what they still have to add up to.
        let mut below: BTreeMap<i128, Child> = BTreeMap::new();
        for (level, &(weight, literal)) in levels.iter().zip(terms).rev() {
            let mut here = BTreeMap::new();
            // Equal children are one node; so are nodes whose two children are equal.
            let mut nodes: BTreeMap<(Child, Child), u32> = BTreeMap::new();
            for &(missing, state) in level {
                let child = |missing: i128| {
                    if missing <= 0 {
                        Child::Holds
                    } else {
                        below.get(&missing).copied().unwrap_or(Child::Fails)
                    }
                };
                let (with, without) = (child(missing - weight), child(missing));
                let node = match (state, with == without) {
                    (State::Fails, _) => Child::Fails,
                    (State::Open, true) => with,
                    (State::Open, false) => match nodes.get(&(with, without)) {
                        Some(&variable) => Child::Node(variable),
                        None => {
                            let variable = self.node(literal, with, without)?;
                            nodes.insert((with, without), variable);
                            Child::Node(variable)
                        }
                    },
                };
                here.insert(missing, node);
            }
            below = here;
        }
        match below.get(&bound) {
            Some(&Child::Node(variable)) => self.push(&[Literal::new(variable, false)]),
            Some(Child::Holds) => Ok(()),
            Some(Child::Fails) | None => self.push(&[]),
        }
    }

    /// A node: it implies `with`, and `literal` or `without`.
    fn node(&mut self, literal: Literal, with: Child, without: Child) -> Result<u32, usize> {
        let variable = self.variables;
        if variable >= VARIABLES_MAX {
            return Err(VARIABLES_MAX as usize);
        }
        self.variables += 1;
        let not_this = Literal::new(variable, true);
        match with {
            Child::Holds => {}
            Child::Fails => self.push(&[not_this])?,
            Child::Node(child) => self.push(&[not_this, Literal::new(child, false)])?,
        }
        match without {
            Child::Holds => {}
            Child::Fails => self.push(&[not_this, literal])?,
            Child::Node(child) => self.push(&[not_this, literal, Literal::new(child, false)])?,
        }
        Ok(variable)
    }

    fn push(&mut self, clause: &[Literal]) -> Result<(), usize> {
        if self.clauses.literals().len() + clause.len() > ENCODED_LITERALS_MAX {
            return Err(ENCODED_LITERALS_MAX);
        }
        self.clauses.push(clause);
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Both outcomes are possible.
    Open,
    /// The remaining terms are too small.
    Fails,
}

/// Level by level, what the terms from there on may still have to add up to.
fn levels(terms: &[(i128, Literal)], bound: i128) -> Result<Vec<Vec<(i128, State)>>, usize> {
    let mut remaining: i128 = terms.iter().map(|t| t.0).sum();
    let mut current = vec![bound];
    let mut levels = Vec::with_capacity(terms.len());
    let mut count = 0;
    for &(weight, _) in terms {
        count += current.len();
        if count > CONSTRAINT_STATES_MAX {
            return Err(CONSTRAINT_STATES_MAX);
        }
        let state = |m: i128| if m > remaining { State::Fails } else { State::Open };
        let level: Vec<(i128, State)> = current.iter().map(|&m| (m, state(m))).collect();
        let open = level.iter().filter(|l| l.1 == State::Open).map(|l| l.0);
        let mut next: Vec<i128> = open.flat_map(|m| [m, m - weight]).filter(|&m| m > 0).collect();
        next.sort_unstable();
        next.dedup();
        levels.push(level);
        current = next;
        remaining -= weight;
    }
    Ok(levels)
}

/// Positive coefficients in decreasing order, one a variable, none above the bound, without a
/// common factor.
fn normalised(terms: impl Iterator<Item = (i128, Literal)>, mut bound: i128) -> (Vec<(i128, Literal)>, i128) {
    // Coefficients of positive literals; -x is -1 + not x.
    let mut by_variable: Vec<(u32, i128)> = Vec::new();
    for (weight, literal) in terms {
        bound -= if literal.is_negative() { weight } else { 0 };
        by_variable.push((literal.variable(), if literal.is_negative() { -weight } else { weight }));
    }
    by_variable.sort_by_key(|t| t.0);
    let mut terms: Vec<(i128, Literal)> = Vec::with_capacity(by_variable.len());
    for group in by_variable.chunk_by(|a, b| a.0 == b.0) {
        let weight: i128 = group.iter().map(|t| t.1).sum();
        bound -= weight.min(0);
        if weight != 0 {
            terms.push((weight.abs(), Literal::new(group[0].0, weight < 0)));
        }
    }
    let mut divisor = 0;
    for term in &mut terms {
        term.0 = term.0.min(bound.max(1));
        divisor = greatest_common_divisor(divisor, term.0);
    }
    if divisor > 1 {
        terms.iter_mut().for_each(|t| t.0 /= divisor);
        bound = bound.div_euclid(divisor) + i128::from(bound.rem_euclid(divisor) != 0);
    }
    terms.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    (terms, bound)
}

fn greatest_common_divisor(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whether some values of the auxiliary variables satisfy all clauses: unit propagation
    /// decides it, because a node may be true only if its children may.
    fn extends(clauses: &ClauseList, variables: u32, assignment: &[bool]) -> bool {
        let mut values: Vec<Option<bool>> = vec![None; variables as usize];
        for (value, &given) in values.iter_mut().zip(assignment) {
            *value = Some(given);
        }
        loop {
            let mut changed = false;
            for clause in clauses.iter() {
                let value = |l: &Literal| values[l.variable() as usize].map(|v| l.holds(v));
                if clause.iter().any(|l| value(l) == Some(true)) {
                    continue;
                }
                let open: Vec<Literal> = clause.iter().copied().filter(|l| value(l).is_none()).collect();
                match open[..] {
                    [] => return false,
                    [unit] => {
                        values[unit.variable() as usize] = Some(!unit.is_negative());
                        changed = true;
                    }
                    _ => {}
                }
            }
            if !changed {
                // What is left open may be false: nodes occur positively only under nodes.
                return true;
            }
        }
    }

    proptest! {
        #[test]
        fn exactly_the_satisfying_assignments_extend(
            terms in prop::collection::vec((-9i128..10, 0u32..7, any::<bool>()), 0..9),
            bound in -30i128..31,
        ) {
            let mut encoder = Encoder::new(7);
            let literals = terms.iter().map(|&(w, v, negative)| (w, Literal::new(v, negative)));
            encoder.at_least(literals.clone(), bound).unwrap();
            let (variables, clauses) = encoder.finish();
            for bits in 0..1u32 << 7 {
                let assignment: Vec<bool> = (0..7).map(|v| bits >> v & 1 == 1).collect();
                let sum: i128 = literals.clone()
                    .filter(|(_, l)| l.holds(assignment[l.variable() as usize])).map(|t| t.0).sum();
                prop_assert_eq!(extends(&clauses, variables, &assignment), sum >= bound);
            }
        }
    }

    #[test]
    fn large_coefficients_are_refused_before_they_fill_the_memory() {
        let mut encoder = Encoder::new(60);
        let terms =
            (0..60).map(|v| ((1i128 << 40) + (1 << (v % 37)) + i128::from(v), Literal::new(v, false)));
        assert_eq!(encoder.at_least(terms, 30 << 40), Err(CONSTRAINT_STATES_MAX));
    }

    #[test]
    fn usual_constraints_become_few_clauses() {
        let count = |terms: &[i128], bound: i128| {
            let mut encoder = Encoder::new(terms.len() as u32);
            let literals = terms.iter().zip(0..).map(|(&w, v)| (w, Literal::new(v, false)));
            encoder.at_least(literals, bound).unwrap();
            let (variables, clauses) = encoder.finish();
            (variables as usize - terms.len(), clauses.len())
        };
        assert_eq!(count(&[1, 1, 1], 1), (0, 1), "a clause");
        assert_eq!(count(&[5, 7, 9], 5), (0, 1), "a clause behind coefficients");
        assert_eq!(count(&[1, 1, 1], 3), (0, 3), "units");
        assert_eq!(count(&[1, 1, 1, 1], 3), (0, 6), "at most one negation");
        assert_eq!(count(&[1, 1, 1, 1], 0), (0, 0), "nothing");
        assert_eq!(count(&[1, 1], 3), (0, 1), "the empty clause");
    }
}
