//! Small problems for the tests of searchers.

use hysteron_circuit::rom::mix64;
use hysteron_problem::{ClauseList, Literal, Wcnf};

/// Variables of [`partial_maxsat`].
pub const VARIABLES: u32 = 14;

/// A weighted partial MaxSAT problem whose hard clauses hold when every variable is true.
pub fn partial_maxsat(seed: u64) -> Wcnf {
    let mut counter = seed << 32;
    let mut draw = |below: u64| {
        counter += 1;
        mix64(counter) % below
    };
    let (mut hard, mut soft, mut weights) = (ClauseList::new(), ClauseList::new(), Vec::new());
    for clause in 0..50 {
        let mut literals: Vec<Literal> =
            (0..3).map(|_| Literal::new(draw(u64::from(VARIABLES)) as u32, draw(2) == 1)).collect();
        if clause < 15 {
            literals[0] = Literal::new(literals[0].variable(), false);
            hard.push(&literals);
        } else {
            soft.push(&literals[..1 + draw(3) as usize]);
            weights.push(1 + draw(9));
        }
    }
    Wcnf { variables: VARIABLES, hard, soft, weights, offset: 5 }
}

/// The least energy of an assignment for which all hard clauses hold.
pub fn least_energy(wcnf: &Wcnf) -> i64 {
    let assignments =
        (0..1u64 << wcnf.variables).map(|code| (0..wcnf.variables).map(|v| code >> v & 1 == 1).collect());
    assignments
        .filter(|a: &Vec<bool>| wcnf.hard_unsatisfied(a) == 0)
        .map(|a| wcnf.cost(&a))
        .min()
        .expect("a feasible assignment")
}
