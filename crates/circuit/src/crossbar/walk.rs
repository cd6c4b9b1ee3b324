//! What a sweep of crossbar chips walks through.

use super::Circuit;
use super::circuit::Class;
use crate::rom::ROM_LENGTH;
use crate::walk::{Walk, Walker, region};

impl Circuit {
    /// A sweep. `groups` are stretches of positions, `wide` couplings of rows that are too long for sums in bytes, `other` such
    /// rows.
    pub fn walk(&self) -> Walk {
        let n = self.spins();
        let (weight_bytes, bar_bytes) = match self.class() {
            Class::UnitBytes => (0, 1),
            Class::UnitWords => (0, 2),
            Class::Bytes => (2, 1),
            Class::Words => (2, 2),
            Class::Longs => (4, 4),
            Class::Wides => (8, 8),
        };
        let is_unit = weight_bytes == 0;
        Walker::walk(|w| {
            for position in 0..n {
                let (start, middle, end) = (
                    self.rows[position] as usize,
                    self.middles[position] as usize,
                    self.rows[position + 1] as usize,
                );
                w.table(0, bar_bytes * ROM_LENGTH as u64, bar_bytes * 64);
                w.stream(0, 4 * position as u64, 4);
                w.stream(1, 8 * position as u64, 8);
                w.stream(2, 4 * start as u64, 4 * (end - start) as u64);
                w.stream(3, weight_bytes * start as u64, weight_bytes * (end - start) as u64);
                w.begin_loop();
                for &neighbour in &self.neighbours[start..end] {
                    w.random(region(1) + u64::from(neighbour) / 64);
                }
                w.end_loop();
                w.ordered(region(1) + position as u64);
                if is_unit {
                    w.turn(0, (middle - start) as u64);
                    w.turn(1, (end - middle) as u64);
                } else {
                    w.turn(0, (end - start) as u64);
                }
            }
            w.counts.elements = n as u64;
            w.counts.rows = self.neighbours.len() as u64;
            let is_bytes = matches!(self.class(), Class::UnitBytes | Class::Bytes);
            w.counts.groups = if is_bytes { self.byte_stretches.len() } else { self.stretches.len() } as u64;
            let mut begin = 0;
            for &(end, is_long) in &self.byte_stretches {
                if is_long {
                    w.counts.other += 1;
                    w.counts.wide += u64::from(self.rows[end as usize] - self.rows[begin as usize]);
                }
                begin = end;
            }
            w.counts.bytes = (64 + 12) * n as u64 + (4 + weight_bytes) * w.counts.rows;
        })
    }
}
