//! Our readers beside those of `rustsat`, on generated files that both read.

use super::*;
use hysteron_problem::{ClauseList, Problem};
use proptest::prelude::*;
use rustsat::instances::{BasicVarManager, OptInstance, SatInstance};
use std::io::Cursor;

fn dimacs<'a>(clauses: impl Iterator<Item = &'a [hysteron_problem::Literal]>) -> Vec<Vec<i64>> {
    let mut clauses: Vec<Vec<i64>> = clauses.map(|c| c.iter().map(|l| l.to_dimacs()).collect()).collect();
    clauses.sort();
    clauses
}

fn theirs(cnf: &rustsat::instances::Cnf) -> Vec<Vec<i64>> {
    let literals = |c: &rustsat::types::Clause| c.iter().map(|l| l.to_ipasir().into()).collect();
    let mut clauses: Vec<Vec<i64>> = cnf.iter().map(literals).collect();
    clauses.sort();
    clauses
}

fn clauses() -> impl Strategy<Value = Vec<Vec<i32>>> {
    let literal = (1i32..9, any::<bool>()).prop_map(|(v, negative)| if negative { -v } else { v });
    prop::collection::vec(prop::collection::vec(literal, 1..5), 1..20)
}

fn line(clause: &[i32]) -> String {
    clause.iter().map(|l| format!("{l} ")).collect::<String>() + "0\n"
}

proptest! {
    #[test]
    fn cnf_files(clauses in clauses()) {
        let text = format!("c a comment\np cnf 8 {}\n", clauses.len()) + &clauses.iter().map(|c| line(c)).collect::<String>();
        let other: SatInstance<BasicVarManager> = SatInstance::from_dimacs(&mut Cursor::new(&text)).unwrap();
        let document = detect(&text);
        let Problem::Cnf(cnf) = document.problem() else { panic!() };
        prop_assert_eq!(dimacs(cnf.clauses.iter()), theirs(&other.into_cnf().0));
    }

    #[test]
    fn wcnf_files(clauses in clauses(), weights in prop::collection::vec(0u64..5, 20), old in any::<bool>()) {
        let mut text = if old { format!("p wcnf 8 {} 9\n", clauses.len()) } else { String::new() };
        text.push_str(if old { "9 8 0\n" } else { "h 8 0\n" });
        if old {
            text = text.replace(&format!("8 {} 9", clauses.len()), &format!("8 {} 9", clauses.len() + 1));
        }
        for (clause, &weight) in clauses.iter().zip(&weights) {
            let head = match (weight, old) { (0, true) => "9".into(), (0, false) => "h".into(), _ => weight.to_string() };
            text += &format!("{head} {}", line(clause));
        }
        let other: OptInstance<BasicVarManager> = OptInstance::from_dimacs(&mut Cursor::new(&text)).unwrap();
        let document = detect(&text);
        let Problem::Wcnf(wcnf) = document.problem() else { panic!() };
        let (constraints, objective) = other.decompose();
        prop_assert_eq!(dimacs(wcnf.hard.iter()), theirs(&constraints.into_cnf().0));
        // Theirs merges equal soft clauses, so costs are compared.
        for assignment in assignments(8) {
            let cost: i64 = ours(&wcnf.soft, &wcnf.weights, &assignment);
            let values = assignment.iter().map(|&v| rustsat::types::TernaryVal::from(v)).collect();
            prop_assert_eq!(cost, objective.evaluate(&values) as i64);
        }
    }
}

fn ours(soft: &ClauseList, weights: &[u64], assignment: &[bool]) -> i64 {
    let unsatisfied =
        soft.iter().zip(weights).filter(|(c, _)| !hysteron_problem::canonical::is_satisfied(c, assignment));
    unsatisfied.map(|(_, &w)| w as i64).sum()
}
