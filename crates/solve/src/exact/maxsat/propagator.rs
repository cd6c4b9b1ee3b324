//! Unit propagation on the clauses of an instance, for looking at what one literal implies.

use hysteron_problem::Literal;

/// Clauses with two watched literals each. It only looks: nothing is kept between questions.
pub struct Propagator<'a> {
    clauses: Vec<&'a [Literal]>,
    /// The two watched positions of each clause.
    watched: Vec<[u32; 2]>,
    /// Clauses that watch a literal, by its code.
    watchers: Vec<Vec<u32>>,
    units: Vec<Literal>,
    /// By variable: 0 unknown, 1 true, 2 false.
    values: Vec<u8>,
    trail: Vec<Literal>,
    /// Watchers looked at since the start: what the questions cost.
    pub visits: u64,
}

impl<'a> Propagator<'a> {
    pub fn new(variables: u32, clauses: &'a [Vec<Literal>]) -> Self {
        let mut propagator = Self {
            clauses: Vec::new(),
            watched: Vec::new(),
            watchers: vec![Vec::new(); 2 * variables as usize],
            units: Vec::new(),
            values: vec![0; variables as usize],
            trail: Vec::new(),
            visits: 0,
        };
        for clause in clauses {
            match clause.as_slice() {
                [] => {}
                [unit] => propagator.units.push(*unit),
                long => {
                    let index = propagator.clauses.len() as u32;
                    propagator.watchers[long[0].code() as usize].push(index);
                    propagator.watchers[long[1].code() as usize].push(index);
                    propagator.clauses.push(long);
                    propagator.watched.push([0, 1]);
                }
            }
        }
        propagator
    }

    /// All literals that `literal` implies, itself first, or `None` if it implies a contradiction.
    pub fn implied(&mut self, literal: Literal) -> Option<Vec<Literal>> {
        let mut is_consistent = self.set(literal);
        for index in 0..self.units.len() {
            is_consistent = is_consistent && self.set(self.units[index]);
        }
        is_consistent = is_consistent && self.propagate();
        let implied = std::mem::take(&mut self.trail);
        for literal in &implied {
            self.values[literal.variable() as usize] = 0;
        }
        is_consistent.then_some(implied)
    }

    fn value(&self, literal: Literal) -> Option<bool> {
        match self.values[literal.variable() as usize] {
            0 => None,
            value => Some(literal.holds(value == 1)),
        }
    }

    /// Makes a literal true; whether it was not false.
    fn set(&mut self, literal: Literal) -> bool {
        match self.value(literal) {
            Some(holds) => holds,
            None => {
                self.values[literal.variable() as usize] = if literal.is_negative() { 2 } else { 1 };
                self.trail.push(literal);
                true
            }
        }
    }

    fn propagate(&mut self) -> bool {
        let mut head = 0;
        while head < self.trail.len() {
            let falsified = !self.trail[head];
            head += 1;
            let mut list = std::mem::take(&mut self.watchers[falsified.code() as usize]);
            self.visits += list.len() as u64;
            let mut kept = 0;
            let mut is_consistent = true;
            for place in 0..list.len() {
                let index = list[place];
                if is_consistent && self.rewatch(index, falsified) {
                    continue;
                }
                list[kept] = index;
                kept += 1;
                if is_consistent {
                    let clause = self.clauses[index as usize];
                    let [a, b] = self.watched[index as usize].map(|p| clause[p as usize]);
                    let other = if a == falsified { b } else { a };
                    is_consistent = self.set(other);
                }
            }
            list.truncate(kept);
            self.watchers[falsified.code() as usize] = list;
            if !is_consistent {
                return false;
            }
        }
        true
    }

    /// Finds another literal to watch than the one that became false; whether there is one.
    fn rewatch(&mut self, index: u32, falsified: Literal) -> bool {
        let clause = self.clauses[index as usize];
        let [a, b] = self.watched[index as usize];
        let (slot, other) = if clause[a as usize] == falsified { (0, b) } else { (1, a) };
        if self.value(clause[other as usize]) == Some(true) {
            return false;
        }
        for (place, &literal) in clause.iter().enumerate() {
            if place as u32 != a && place as u32 != b && self.value(literal) != Some(false) {
                self.watched[index as usize][slot] = place as u32;
                self.watchers[literal.code() as usize].push(index);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_are_followed_and_contradictions_found() {
        let literal = |n: i32| Literal::from_dimacs(n);
        let clauses: Vec<Vec<Literal>> =
            [&[-1, 2][..], &[-2, 3], &[-3, -1, 4], &[5, -4, -3], &[-6, 7], &[-6, -7]]
                .iter()
                .map(|c| c.iter().map(|&n| literal(n)).collect())
                .collect();
        let mut propagator = Propagator::new(7, &clauses);
        for _ in 0..2 {
            let mut implied = propagator.implied(literal(1)).expect("consistent");
            implied.sort_unstable();
            assert_eq!(implied, [1, 2, 3, 4, 5].map(literal));
            assert_eq!(propagator.implied(literal(6)), None);
            assert_eq!(propagator.implied(literal(-1)), Some(vec![literal(-1)]));
        }
    }
}
