//! What unit clauses say at once, so that a solver is given only what is left: to hand it a literal takes ten times as long as
//! to see that it does not matter.

use hysteron_problem::{Cnf, Literal};

/// Passes over the clauses at most; long chains of implications against the order of the clauses are the solver's.
const PASSES_MAX: usize = 12;

/// A formula under its unit clauses, over the variables that these leave open.
pub struct Residue<'a> {
    cnf: &'a Cnf,
    /// What unit clauses say, if there are any.
    known: Option<Known>,
    is_contradictory: bool,
}

struct Known {
    /// Clauses that may be left, in order.
    clauses: Vec<u32>,
    /// One value a variable of the formula, where it is known.
    values: Vec<Option<bool>>,
    /// The open variables' new numbers.
    numbers: Vec<u32>,
    open: u32,
}

/// What is left of a clause.
enum Left {
    Nothing,
    One(Literal),
    More,
    Satisfied,
}

impl<'a> Residue<'a> {
    /// Looks at every clause a few times if there is a clause of one literal or none, otherwise only at their lengths.
    pub fn new(cnf: &'a Cnf) -> Self {
        if cnf.clauses.iter().all(|clause| clause.len() > 1) {
            return Self { cnf, known: None, is_contradictory: false };
        }
        let mut is_contradictory = false;
        let mut values = vec![None; cnf.variables as usize];
        let mut clauses: Vec<u32> = (0..cnf.clauses.len() as u32).collect();
        for _ in 0..PASSES_MAX {
            let mut is_new = false;
            clauses.retain(|&index| match left(cnf.clauses.clause(index as usize), &values) {
                Left::More => true,
                Left::Satisfied => false,
                Left::Nothing => {
                    is_contradictory = true;
                    true
                }
                Left::One(literal) => {
                    is_new = true;
                    values[literal.variable() as usize] = Some(!literal.is_negative());
                    false
                }
            });
            if is_contradictory || !is_new {
                break;
            }
        }
        let mut open = 0;
        let numbers = values.iter().map(|value| {
            let number = open;
            open += u32::from(value.is_none());
            number
        });
        let numbers = numbers.collect();
        Self { cnf, known: Some(Known { clauses, values, numbers, open }), is_contradictory }
    }

    /// Whether a clause has nothing left: the formula is unsatisfiable.
    pub fn is_contradictory(&self) -> bool {
        self.is_contradictory
    }

    /// The number of open variables.
    pub fn variables(&self) -> u32 {
        self.known.as_ref().map_or(self.cnf.variables, |known| known.open)
    }

    /// Calls `each` with what is left of every clause that is not satisfied, in the order of the formula.
    pub fn for_each(&self, mut each: impl FnMut(&[Literal])) {
        let Some(Known { clauses, values, numbers, .. }) = &self.known else {
            return self.cnf.clauses.iter().for_each(each);
        };
        let mut rest = Vec::new();
        for &index in clauses {
            let clause = self.cnf.clauses.clause(index as usize);
            // Values that were found after it was looked at may satisfy it.
            if matches!(left(clause, values), Left::Satisfied) {
                continue;
            }
            rest.clear();
            let open = clause.iter().filter(|l| values[l.variable() as usize].is_none());
            rest.extend(open.map(|l| Literal::new(numbers[l.variable() as usize], l.is_negative())));
            each(&rest);
        }
    }

    /// The assignment of the formula's variables where the open ones have `values`.
    pub fn restore(&self, values: Vec<bool>) -> Vec<bool> {
        let Some(known) = &self.known else { return values };
        let each = known.values.iter().zip(&known.numbers);
        each.map(|(value, &number)| value.unwrap_or_else(|| values[number as usize])).collect()
    }
}

fn left(clause: &[Literal], values: &[Option<bool>]) -> Left {
    let mut left = Left::Nothing;
    for &literal in clause {
        match values[literal.variable() as usize] {
            Some(value) if literal.holds(value) => return Left::Satisfied,
            Some(_) => {}
            None => {
                left = match left {
                    Left::Nothing => Left::One(literal),
                    // The same literal twice is one.
                    Left::One(other) if other == literal => left,
                    _ => Left::More,
                }
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::ClauseList;
    use proptest::prelude::*;

    fn cnf(variables: u32, raw: &[Vec<i32>]) -> Cnf {
        let mut clauses = ClauseList::new();
        for clause in raw {
            clauses.push(&clause.iter().map(|&l| Literal::from_dimacs(l)).collect::<Vec<_>>());
        }
        Cnf { variables, clauses }
    }

    fn rest(residue: &Residue) -> Vec<Vec<i64>> {
        let mut rest = Vec::new();
        residue.for_each(|clause| rest.push(clause.iter().map(|l| l.to_dimacs()).collect()));
        rest
    }

    #[test]
    fn units_spread_and_the_rest_keeps_its_order() {
        let formula =
            cnf(6, &[vec![4, -2, 5], vec![-1, 2], vec![1], vec![3, 1], vec![5, 6, -3, -2], vec![6, -6]]);
        let residue = Residue::new(&formula);
        assert!(!residue.is_contradictory());
        assert_eq!(residue.variables(), 4);
        assert_eq!(rest(&residue), [vec![2, 3], vec![3, 4, -1], vec![4, -4]]);
        assert_eq!(residue.restore(vec![false, true, false, true]), [true, true, false, true, false, true]);
        assert!(Residue::new(&cnf(2, &[vec![1], vec![-1, 2], vec![-2]])).is_contradictory());
        assert!(Residue::new(&cnf(1, &[vec![]])).is_contradictory());
        assert_eq!(rest(&Residue::new(&cnf(1, &[vec![1, 1]]))), [[1, 1]]);
        assert_eq!(Residue::new(&cnf(2, &[vec![1, 1], vec![2]])).variables(), 0);
    }

    proptest! {
        /// An assignment satisfies the formula if and only if it is one of the residue, and satisfies that.
        #[test]
        fn nothing_is_lost(raw in prop::collection::vec(prop::collection::vec((1..7i32, any::<bool>()), 0..4), 0..24)) {
            let raw: Vec<Vec<i32>> =
                raw.iter().map(|c| c.iter().map(|&(v, n)| if n { -v } else { v }).collect()).collect();
            let formula = cnf(6, &raw);
            let residue = Residue::new(&formula);
            let mut solutions = Vec::new();
            for code in 0..1u32 << residue.variables() {
                let values: Vec<bool> = (0..residue.variables()).map(|v| code >> v & 1 == 1).collect();
                let mut holds = !residue.is_contradictory();
                residue.for_each(|clause| holds &= clause.iter().any(|l| l.holds(values[l.variable() as usize])));
                if holds {
                    solutions.push(residue.restore(values));
                }
            }
            let all = (0..64u32).map(|code| (0..6).map(|v| code >> v & 1 == 1).collect::<Vec<bool>>());
            let expected: Vec<Vec<bool>> = all.filter(|a| formula.unsatisfied(a) == 0).collect();
            prop_assert_eq!(solutions, expected);
        }
    }
}
