//! What a sweep of general switching chips walks through.

use super::Circuit;
use crate::rom::ROM_LENGTH;
use crate::walk::{KINDS, Walk, Walker, region};

impl Circuit {
    /// A sweep, the pass over hard clauses and the fold that follow it. `wide` are occurrences in soft clauses of different
    /// weights, `other` occurrences in hard clauses; `clauses` are the hard ones.
    pub fn walk(&self) -> Walk {
        Walker::walk(|w| {
            let (mut group_at, mut other, mut occurrence) = (0, 0, 0);
            for (index, element) in self.elements.iter().enumerate() {
                w.stream(0, 8 * index as u64, 8);
                w.counts.elements += 1;
                w.turn(0, u64::from(element.groups_end) - group_at as u64);
                for (place, group) in self.groups[group_at..element.groups_end as usize].iter().enumerate() {
                    w.stream(1, 8 * (group_at + place) as u64, 8);
                    w.counts.groups += 1;
                    let kind = 4 * u64::from(group.others) + 2 * u64::from(group.is_hard);
                    w.turn(3 + place.min(KINDS - 1), kind + u64::from(group.negative));
                    w.turn(1, group.count.into());
                    w.begin_loop();
                    for _ in 0..group.count {
                        let others = &self.others[other..][..group.others.into()];
                        w.stream(2, 4 * other as u64, 4 * u64::from(group.others));
                        for literal in others {
                            w.random(region(1) + u64::from(literal.code()));
                        }
                        w.counts.rows += others.len() as u64;
                        other += others.len();
                        if group.is_hard || self.uniform.is_none() {
                            w.stream(4, 4 * occurrence, 4);
                        }
                        if group.is_hard {
                            w.random(region(2) + self.values[occurrence as usize] as u64);
                            w.counts.other += 1;
                        } else if self.uniform.is_none() {
                            w.counts.wide += 1;
                        }
                        occurrence += 1;
                    }
                    w.end_loop();
                    if group.others > 4 {
                        w.counts.long_occurrences += u64::from(group.count);
                    }
                    w.counts.occurrences += u64::from(group.count);
                }
                group_at = element.groups_end as usize;
                w.table(0, 2 * ROM_LENGTH as u64, 128);
                let row = region(1) + 2 * u64::from(element.variable);
                w.ordered(row);
                w.ordered(row + 1);
            }
            let (mut at, mut next) = (0, 0);
            for run in &self.hard_by_length.runs {
                for clause in &self.hard_by_length.clauses[next..][..run.count as usize] {
                    w.stream(5, 4 * next as u64, 4);
                    w.stream(3, 4 * at as u64, 4 * u64::from(run.length));
                    for literal in &self.hard_by_length.literals[at..][..run.length as usize] {
                        w.random(region(1) + u64::from(literal.code()));
                    }
                    w.ordered(region(2) + u64::from(*clause));
                    (at, next) = (at + run.length as usize, next + 1);
                }
                w.counts.clauses += u64::from(run.count);
                w.counts.long_literals += u64::from(run.length) * u64::from(run.count);
            }
            for variable in 0..u64::from(self.variables) {
                w.ordered(region(1) + 2 * variable);
            }
            w.counts.bytes = 128 * w.counts.elements
                + 64 * w.counts.clauses
                + 4 * w.counts.occurrences
                + 4 * (w.counts.rows + w.counts.clauses + w.counts.long_literals);
        })
    }
}
