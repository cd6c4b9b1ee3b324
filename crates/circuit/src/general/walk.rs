//! What a sweep of general switching chips walks through.

use super::Circuit;
use crate::rom::ROM_LENGTH;
use crate::walk::{Turns, Walk, Walker, region};

impl Circuit {
    /// A sweep, the pass over hard clauses and the fold that follow it. `wide` are occurrences in soft clauses of different
    /// weights, `other` occurrences in hard clauses; `clauses` are the hard ones.
    pub fn walk(&self) -> Walk {
        Walker::walk(|w| {
            let mut turns = Turns::<3>::default();
            let mut begin = 0;
            for (index, element) in self.elements.iter().enumerate() {
                w.stream(0, 8 * index as u64, 8);
                w.counts.elements += 1;
                w.counts.turns += turns.at(0, (element.end as usize - begin) as u64);
                for (at, occurrence) in (begin..).zip(&self.occurrences[begin..element.end as usize]) {
                    w.stream(1, 20 * at as u64, 20);
                    let others = &self.others[occurrence.others as usize..][..usize::from(occurrence.count)];
                    w.stream(2, 4 * u64::from(occurrence.others), 4 * others.len() as u64);
                    w.begin_loop();
                    for &code in others {
                        w.random(region(1) + u64::from(code));
                    }
                    w.end_loop();
                    w.counts.rows += others.len() as u64;
                    w.counts.turns += turns.at(1, others.len() as u64);
                    let is_hard = occurrence.hard != u32::MAX;
                    w.counts.turns += turns.at(2, u64::from(is_hard) * 2 + u64::from(occurrence.negative));
                    if is_hard {
                        w.random(region(2) + u64::from(occurrence.hard));
                        w.counts.other += 1;
                    } else if self.uniform.is_none() {
                        w.counts.wide += 1;
                    }
                }
                w.counts.occurrences += (element.end as usize - begin) as u64;
                begin = element.end as usize;
                w.table(0, 2 * ROM_LENGTH as u64, 128);
                let row = region(1) + 2 * u64::from(element.variable);
                w.ordered(row);
                w.ordered(row + 1);
            }
            let mut turns = Turns::<1>::default();
            let mut at = 0;
            for (index, clause) in self.hard.iter().enumerate() {
                w.stream(3, 4 * at, 4 * clause.len() as u64);
                at += clause.len() as u64;
                w.counts.turns += turns.at(0, clause.len() as u64);
                w.counts.long_literals += clause.len() as u64;
                clause.iter().for_each(|literal| w.random(region(1) + u64::from(literal.code())));
                w.ordered(region(2) + index as u64);
                w.counts.clauses += 1;
            }
            for variable in 0..u64::from(self.variables) {
                w.ordered(region(1) + 2 * variable);
            }
            w.counts.bytes = 128 * w.counts.elements
                + 64 * w.counts.clauses
                + 20 * w.counts.occurrences
                + 4 * (w.counts.rows + w.counts.long_literals);
        })
    }
}
