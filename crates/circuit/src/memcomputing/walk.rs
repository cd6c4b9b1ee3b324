//! What a step of memcomputing chips walks through.

use super::Circuit;
use crate::rom::ROM_LENGTH;
use crate::walk::{Walk, Walker, region};

impl Circuit {
    /// A step of sixteen chips side by side. `groups` are clauses of two literals, `rows` literals of clauses of two and three,
    /// `long_literals` those of all other clauses, `other` these clauses; `wide` are literals whose forces are summed in 32 bits.
    pub fn walk(&self) -> Walk {
        let (n, is_narrow) = (u64::from(self.variables()), self.is_narrow());
        Walker::walk(|w| {
            let mut at = 0;
            for (index, clause) in self.clauses().iter().enumerate() {
                let length = clause.len() as u64;
                w.stream(0, 4 * at, 4 * length);
                at += length;
                w.table(0, 2 * ROM_LENGTH as u64, 32);
                w.ordered(region(2) + index as u64);
                if self.weights().is_some() {
                    w.stream(1, 4 * index as u64, 4);
                    w.stream(2, 4 * index as u64, 4);
                }
                w.begin_loop();
                for literal in clause {
                    w.random(region(1) + u64::from(literal.variable()));
                    if !is_narrow {
                        w.random(region(3) + u64::from(literal.variable()));
                    }
                }
                w.end_loop();
                w.counts.clauses += 1;
                w.counts.occurrences += length;
                w.counts.wide += if is_narrow { 0 } else { length };
                match length {
                    2 => w.counts.groups += 1,
                    3 => {}
                    _ => w.counts.other += 1,
                }
                if length == 2 || length == 3 {
                    w.counts.rows += length;
                } else {
                    w.counts.long_literals += length;
                }
            }
            for variable in 0..n {
                w.ordered(region(1) + variable);
                w.ordered(region(4) + variable / 2);
                if !is_narrow {
                    w.ordered(region(3) + variable);
                }
            }
            w.counts.elements = n;
            w.counts.bytes =
                n * if is_narrow { 96 } else { 160 } + 64 * w.counts.clauses + 4 * w.counts.occurrences;
        })
    }
}
