//! Learning a clause from a conflict, and blaming assumptions.

use hysteron_problem::Literal;

use super::Light;
use super::database::Reference;

/// Reused by every analysis.
#[derive(Default)]
pub struct Scratch {
    /// By variable; all false between analyses.
    pub seen: Vec<bool>,
    /// Variables to unsee.
    touched: Vec<u32>,
    stack: Vec<Literal>,
    /// Stamps of levels, to count distinct ones.
    stamps: Vec<u64>,
    stamp: u64,
    pub clause: Vec<Literal>,
}

/// A learnt clause: its first literal becomes true at `level`, the rest is false there.
pub struct Learnt {
    pub clause: Vec<Literal>,
    pub level: usize,
    /// Distinct decision levels among its literals.
    pub quality: u32,
}

impl Scratch {
    /// The number of distinct levels of some literals, none of which is above `level`.
    fn count_levels(&mut self, literals: impl Iterator<Item = Literal>, levels: &[u32], level: usize) -> u32 {
        self.stamp += 1;
        self.stamps.resize(self.stamps.len().max(level + 1), 0);
        let mut count = 0;
        for literal in literals {
            let stamp = &mut self.stamps[levels[literal.variable() as usize] as usize];
            if *stamp != self.stamp {
                *stamp = self.stamp;
                count += 1;
            }
        }
        count
    }
}

impl Light {
    /// The first unique implication point of the present level, minimised.
    pub(super) fn analyse(&mut self, conflict: Reference) -> Learnt {
        let mut clause = std::mem::take(&mut self.analysis.clause);
        clause.clear();
        clause.push(Literal::from_code(0));
        let mut reason = conflict;
        let mut implied: Option<Literal> = None;
        let mut place = self.trail.len();
        let mut open = 0;
        let present = self.level() as u32;
        let uip = loop {
            self.refresh_quality(reason);
            for index in 0..self.database.len(reason) {
                let literal = self.database.literal(reason, index);
                let variable = literal.variable() as usize;
                if Some(literal) == implied || self.analysis.seen[variable] || self.levels[variable] == 0 {
                    continue;
                }
                self.see(literal);
                self.bump(literal.variable());
                if self.levels[variable] == present {
                    open += 1;
                } else {
                    clause.push(literal);
                }
            }
            let literal = loop {
                place -= 1;
                if self.analysis.seen[self.trail[place].variable() as usize] {
                    break self.trail[place];
                }
            };
            open -= 1;
            if open == 0 {
                break literal;
            }
            implied = Some(literal);
            reason = self.reasons[literal.variable() as usize];
        };
        clause[0] = !uip;
        let mut kept = 1;
        for index in 1..clause.len() {
            if !self.is_redundant(clause[index]) {
                clause[kept] = clause[index];
                kept += 1;
            }
        }
        clause.truncate(kept);
        for variable in self.analysis.touched.drain(..) {
            self.analysis.seen[variable as usize] = false;
        }
        // The literal of the highest level but the first is watched.
        let level_of = |l: &Literal| self.levels[l.variable() as usize];
        if let Some(highest) = (1..clause.len()).max_by_key(|&i| (level_of(&clause[i]), clause.len() - i)) {
            clause.swap(1, highest);
        }
        let level = clause.get(1).map_or(0, level_of) as usize;
        let quality = self.analysis.count_levels(clause.iter().copied(), &self.levels, self.limits.len());
        Learnt { clause, level, quality }
    }

    fn see(&mut self, literal: Literal) {
        self.analysis.seen[literal.variable() as usize] = true;
        self.analysis.touched.push(literal.variable());
    }

    /// Counts again the levels of a learnt clause that was of use.
    fn refresh_quality(&mut self, clause: Reference) {
        let before = self.database.quality(clause);
        if before <= 2 {
            return;
        }
        let literals = self.database.literals(clause);
        let now = self.analysis.count_levels(literals, &self.levels, self.limits.len());
        if now < before {
            self.database.improve(clause, now.max(1));
        }
    }

    /// Whether a literal of the learnt clause follows from the others.
    fn is_redundant(&mut self, literal: Literal) -> bool {
        if self.reasons[literal.variable() as usize] == Reference::NONE {
            return false;
        }
        let known = self.analysis.touched.len();
        self.analysis.stack.clear();
        self.analysis.stack.push(literal);
        while let Some(next) = self.analysis.stack.pop() {
            let reason = self.reasons[next.variable() as usize];
            for index in 0..self.database.len(reason) {
                let other = self.database.literal(reason, index);
                let variable = other.variable() as usize;
                if other.variable() == next.variable()
                    || self.analysis.seen[variable]
                    || self.levels[variable] == 0
                {
                    continue;
                }
                if self.reasons[variable] == Reference::NONE {
                    // It rests on a decision that the clause does not have: nothing new was shown.
                    for variable in self.analysis.touched.drain(known..) {
                        self.analysis.seen[variable as usize] = false;
                    }
                    return false;
                }
                self.see(other);
                self.analysis.stack.push(other);
            }
        }
        true
    }

    /// Finds the assumptions that make `assumption` false, all decisions being assumptions.
    pub(super) fn blame(&mut self, assumption: Literal) {
        self.core.clear();
        self.core.push(assumption);
        if self.levels[assumption.variable() as usize] == 0 {
            return;
        }
        self.see(assumption);
        let start = self.limits.first().copied().unwrap_or(self.trail.len());
        for place in (start..self.trail.len()).rev() {
            let literal = self.trail[place];
            if !self.analysis.seen[literal.variable() as usize] {
                continue;
            }
            let reason = self.reasons[literal.variable() as usize];
            if reason == Reference::NONE {
                self.core.push(literal);
                continue;
            }
            for index in 0..self.database.len(reason) {
                let other = self.database.literal(reason, index);
                let variable = other.variable() as usize;
                if self.levels[variable] > 0 && !self.analysis.seen[variable] {
                    self.see(other);
                }
            }
        }
        for variable in self.analysis.touched.drain(..) {
            self.analysis.seen[variable as usize] = false;
        }
    }
}
