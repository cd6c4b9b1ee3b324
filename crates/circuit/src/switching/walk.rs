//! What a sweep of switching chips walks through.

use super::Circuit;
use crate::rom::ROM_LENGTH;
use crate::walk::{KINDS, Walk, Walker, region};

/// The most occurrences of a variable for which a difference of two counts fits a signed byte.
const NARROW_MAX: u32 = 127;
/// Literal codes are kept in so many bytes.
const CODE_BYTES: u64 = 4;

impl Circuit {
    /// A sweep of kernel T. `wide` are elements in more than 127 clauses, `other` times that the energies are brought up to date.
    pub fn walk_table(&self) -> Walk {
        Walker::walk(|w| {
            let mut paid = 0;
            self.walk_elements(
                w,
                |_, _| {},
                |w, degree| {
                    if degree > NARROW_MAX {
                        w.counts.wide += 1;
                        w.counts.other += 2;
                    } else {
                        if paid + degree > NARROW_MAX {
                            w.counts.other += 1;
                            paid = 0;
                        }
                        paid += degree;
                    }
                },
            );
            w.counts.bytes = 128 * w.counts.elements + CODE_BYTES * w.counts.rows;
        })
    }

    /// A sweep of kernel W, and the pass over all clauses that follows it.
    pub fn walk_memory(&self) -> Walk {
        Walker::walk(|w| {
            let weight = |w: &mut Walker, occurrence: usize| {
                w.random(region(2) + u64::from(self.occurrence_clauses[occurrence]));
                w.stream(3, CODE_BYTES * occurrence as u64, CODE_BYTES);
            };
            self.walk_elements(w, weight, |_, _| {});
            let (mut at, mut next) = (0, 0);
            for run in &self.by_length.runs {
                for clause in &self.by_length.clauses[next..][..run.count as usize] {
                    w.table(2, ROM_LENGTH as u64, 64);
                    w.table(3, ROM_LENGTH as u64, 64);
                    w.stream(5, CODE_BYTES * next as u64, CODE_BYTES);
                    w.stream(4, CODE_BYTES * at as u64, CODE_BYTES * u64::from(run.length));
                    for literal in &self.by_length.literals[at..][..run.length as usize] {
                        w.random(region(1) + u64::from(literal.code()));
                    }
                    w.ordered(region(2) + u64::from(*clause));
                    (at, next) = (at + run.length as usize, next + 1);
                }
                w.counts.clauses += u64::from(run.count);
                if run.length > 4 {
                    w.counts.long_literals += u64::from(run.length) * u64::from(run.count);
                }
            }
            w.counts.bytes = 128 * w.counts.elements
                + 64 * w.counts.clauses
                + CODE_BYTES * (w.counts.rows + w.counts.occurrences)
                + CODE_BYTES * (w.counts.clauses + at as u64);
        })
    }

    fn walk_elements(
        &self,
        w: &mut Walker,
        mut visit: impl FnMut(&mut Walker, usize),
        mut end: impl FnMut(&mut Walker, u32),
    ) {
        let (mut group_at, mut other, mut occurrence) = (0, 0, 0);
        for (index, element) in self.elements.iter().enumerate() {
            w.stream(0, 16 * index as u64, 16);
            w.table(0, ROM_LENGTH as u64, 64);
            w.table(1, ROM_LENGTH as u64, 64);
            w.counts.elements += 1;
            w.turn(0, u64::from(element.groups_end - group_at as u32));
            for (place, group) in self.groups[group_at..element.groups_end as usize].iter().enumerate() {
                w.stream(1, 12 * (group_at + place) as u64, 12);
                w.counts.groups += 1;
                w.turn(3 + place.min(KINDS - 1), 2 * u64::from(group.others) + u64::from(group.negative));
                w.turn(1 + usize::from(group.negative), group.count.into());
                if group.others > 4 {
                    w.counts.long_occurrences += u64::from(group.count);
                }
                w.begin_loop();
                for _ in 0..group.count {
                    let others = &self.others[other..][..group.others as usize];
                    w.stream(2, CODE_BYTES * other as u64, CODE_BYTES * u64::from(group.others));
                    for literal in others {
                        w.random(region(1) + u64::from(literal.code()));
                    }
                    visit(w, occurrence);
                    occurrence += 1;
                    other += others.len();
                }
                w.end_loop();
                w.counts.occurrences += u64::from(group.count);
                w.counts.rows += u64::from(group.count) * u64::from(group.others);
            }
            group_at = element.groups_end as usize;
            let row = region(1) + 2 * u64::from(element.variable);
            w.ordered(row);
            w.ordered(row + 1);
            end(w, element.positive + element.negative);
        }
    }
}
