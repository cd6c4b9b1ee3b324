//! Weighted clauses of at most two literals as an Ising problem, so that crossbar chips and their
//! companions can search them.
//!
//! With `l = (1 + q s) / 2` for a literal of sign `q` on spin `s`, the clause `l or k` of weight `w`
//! costs `w (1 - q s) (1 - p t) / 4`: a constant, two fields and a coupling. Energies are four times costs.
//! Hard clauses are given a weight that no soft gain outweighs where that is known, and every
//! candidate is scored on the clauses themselves.

use hysteron_problem::{Ising, Literal, Problem, Wcnf};

use crate::{Candidate, Context, Outcome, Searcher, Source};

/// Energies are this many times costs.
const SCALE: i64 = 4;
/// Sums of weights above this are left to other methods.
const WEIGHT_SUM_MAX: u64 = 1 << 50;

/// A searcher of Ising problems, working on clauses.
struct Pairs {
    problem: Problem,
    inner: Box<dyn Searcher>,
    /// The best candidates of the Ising problem, kept from slice to slice.
    elites: Vec<Candidate>,
}

/// Wraps the searchers that `make` gives for the Ising form of `wcnf`; none if a clause has more
/// than two literals or the weights are too large.
pub fn pair_searcher(
    wcnf: &Wcnf,
    make: impl FnOnce(&Ising) -> Vec<(Box<dyn Searcher>, u64)>,
) -> Vec<(Box<dyn Searcher>, u64)> {
    let Some(ising) = to_ising(wcnf) else { return Vec::new() };
    let made = make(&ising);
    made.into_iter()
        .map(|(inner, share)| {
            let problem = Problem::Ising(ising.clone());
            (Box::new(Pairs { problem, inner, elites: Vec::new() }) as Box<dyn Searcher>, share)
        })
        .collect()
}

impl Searcher for Pairs {
    fn source(&self) -> Source {
        self.inner.source()
    }

    fn work(&mut self, outer: &Context, effort: u64) -> Outcome {
        let forward = |candidate: &Candidate| {
            outer.offer(&candidate.assignment, candidate.source);
        };
        let context = Context::within(&self.problem, outer, Some(Box::new(forward)));
        for elite in self.elites.drain(..) {
            context.offer(&elite.assignment, elite.source);
        }
        let outcome = self.inner.work(&context, effort);
        outer.add_ecu(context.ecu());
        self.elites = context.elites();
        // What is proven of the penalised problem is not proven of the clauses.
        if outcome == Outcome::Optimal { Outcome::Exhausted } else { outcome }
    }
}

fn to_ising(wcnf: &Wcnf) -> Option<Ising> {
    let total: u64 = wcnf.weights.iter().try_fold(0u64, |sum, &w| sum.checked_add(w))?;
    let literals = wcnf.hard.literals().len().max(1) as u64;
    if total.checked_mul(literals)? > WEIGHT_SUM_MAX || wcnf.hard.longest() > 2 || wcnf.soft.longest() > 2 {
        return None;
    }
    let mut form = Form { fields: vec![0; wcnf.variables as usize], couplings: Vec::new(), offset: 0 };
    for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
        form.add(clause, weight as i64);
    }
    let loss = losses(wcnf);
    for clause in wcnf.hard.iter() {
        // Making one literal true repairs the clause and loses at most what that literal's negation held.
        let least = clause.iter().filter_map(|l| loss[l.code() as usize]).min().unwrap_or(total);
        form.add(clause, least as i64 + 1);
    }
    Some(form.finish(wcnf.variables))
}

/// For each literal the soft weight that making it true may lose, `None` (greater than all) where it may
/// break hard clauses, too.
fn losses(wcnf: &Wcnf) -> Vec<Option<u64>> {
    let mut loss = vec![Some(0u64); 2 * wcnf.variables as usize];
    for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
        for &literal in clause {
            if let Some(sum) = &mut loss[(!literal).code() as usize] {
                *sum += weight;
            }
        }
    }
    for &literal in wcnf.hard.literals() {
        loss[(!literal).code() as usize] = None;
    }
    loss
}

/// The Ising problem as it is summed up.
struct Form {
    fields: Vec<i64>,
    couplings: Vec<(u32, u32, i64)>,
    offset: i64,
}

impl Form {
    fn add(&mut self, clause: &[Literal], weight: i64) {
        let sign = |l: Literal| if l.is_negative() { -1 } else { 1 };
        match *clause {
            [] => self.offset += SCALE * weight,
            [a] => self.single(a, weight),
            [a, b] if a == b => self.single(a, weight),
            [a, b] if a == !b => {}
            [a, b] => {
                self.offset += weight;
                self.fields[a.variable() as usize] -= sign(a) * weight;
                self.fields[b.variable() as usize] -= sign(b) * weight;
                let (i, j) = (a.variable().min(b.variable()), a.variable().max(b.variable()));
                self.couplings.push((i, j, sign(a) * sign(b) * weight));
            }
            _ => unreachable!("longer clauses were refused"),
        }
    }

    fn single(&mut self, literal: Literal, weight: i64) {
        let sign = if literal.is_negative() { -1 } else { 1 };
        self.offset += 2 * weight;
        self.fields[literal.variable() as usize] -= 2 * sign * weight;
    }

    fn finish(mut self, spins: u32) -> Ising {
        self.couplings.sort_unstable_by_key(|&(i, j, _)| (i, j));
        let mut couplings: Vec<(u32, u32, i64)> = Vec::with_capacity(self.couplings.len());
        for (i, j, weight) in self.couplings {
            match couplings.last_mut() {
                Some(last) if (last.0, last.1) == (i, j) => last.2 += weight,
                _ => couplings.push((i, j, weight)),
            }
        }
        couplings.retain(|c| c.2 != 0);
        Ising { spins, couplings, fields: self.fields, offset: self.offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn energies_are_four_times_costs(
            clauses in prop::collection::vec((prop::collection::vec(0u32..12, 0..3), 1u64..9), 0..30),
            bits in any::<u8>(),
        ) {
            let mut wcnf = Wcnf { variables: 6, ..Wcnf::default() };
            for (codes, weight) in &clauses {
                let clause: Vec<Literal> = codes.iter().map(|&c| Literal::from_code(c)).collect();
                wcnf.soft.push(&clause);
                wcnf.weights.push(*weight);
            }
            let ising = to_ising(&wcnf).expect("two literals");
            let assignment: Vec<bool> = (0..6).map(|i| bits >> i & 1 == 1).collect();
            prop_assert_eq!(ising.energy(&assignment), SCALE * wcnf.cost(&assignment));
        }
    }

    #[test]
    fn penalties_hold_an_independent_set_together() {
        // A triangle of hard "not both", soft "take it" of 5, 7 and 6: the best takes the 7 alone.
        let mut wcnf = Wcnf { variables: 3, ..Wcnf::default() };
        for (a, b) in [(0, 1), (1, 2), (0, 2)] {
            wcnf.hard.push(&[Literal::new(a, true), Literal::new(b, true)]);
        }
        for (variable, weight) in [(0, 5), (1, 7), (2, 6)] {
            wcnf.soft.push(&[Literal::new(variable, false)]);
            wcnf.weights.push(weight);
        }
        let ising = to_ising(&wcnf).expect("two literals");
        let states = (0..8u32).map(|b| (0..3).map(|i| b >> i & 1 == 1).collect::<Vec<bool>>());
        let best = states.min_by_key(|s| ising.energy(s)).expect("eight states");
        assert_eq!(best, [false, true, false]);
    }
}
