//! Parities: sums modulo two that groups of hard clauses spell out, and what follows from them by Gaussian elimination.
//!
//! A sum of k variables is written as the 2^(k-1) clauses over them that forbid the other parity. Resolution, and with it
//! clause learning, needs exponentially many steps for systems of such sums (Urquhart 1987, "Hard examples for
//! resolution"); elimination takes cubic time at most. Rows are kept sparse, and the next pivot is taken from the
//! shortest row, the variable that occurs in the fewest (Markowitz 1957), so that chains and trees stay short.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::clauses::{HARD, Reducer};
use crate::canonical::Literal;
use crate::mix::mix64;

/// Variables of the sums that are looked for; pairs are found as equivalences.
const VARIABLES_MIN: usize = 3;
const VARIABLES_MAX: usize = 6;
/// Row entries that elimination and reduction each may write for each one that they start with, and besides.
const WORK_PER_ENTRY: u64 = 20;
const WORK_FLOOR: u64 = 2_000_000;
/// Rows longer than this are eliminated as bits, if that takes no more steps of 64 bits than the second constant, some
/// fifty milliseconds.
const SPARSE_ROW_MAX: usize = 24;
const DENSE_WORK_MAX: u64 = 1 << 27;

/// A sum of variables modulo two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    /// Ascending, distinct.
    variables: Vec<u32>,
    sum: bool,
}

/// What is known of some variables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fact {
    Value(u32, bool),
    /// The sum of two variables.
    Pair(u32, u32, bool),
}

/// Adds to the store what the parities among its hard clauses imply about single variables and pairs. Where nothing but
/// parities is left, settles all their variables. Returns whether it added anything; finds contradictions.
pub(super) fn merge(reducer: &mut Reducer) -> bool {
    let (rows, covered) = find(reducer);
    if rows.is_empty() {
        return false;
    }
    reducer.statistics.parities += rows.len() as u64;
    let entries: usize = rows.iter().map(|r| r.variables.len()).sum();
    let work = WORK_FLOOR + WORK_PER_ENTRY * entries as u64;
    let mut system = System::new(rows, reducer.variables);
    if !system.eliminate(work) {
        reducer.contradiction = true;
        return false;
    }
    let is_all = covered == reducer.store.live().count() && system.is_triangular;
    let solution = is_all.then(|| system.solution()).filter(|values| {
        // The clauses have the last word: a wrong value would become a wrong answer.
        let is_true = |l: &Literal| values[l.variable() as usize].is_some_and(|value| l.holds(value));
        let holds = reducer.store.live().all(|c| reducer.store.clause(c).iter().any(is_true));
        debug_assert!(holds, "a solution of all sums satisfies their clauses");
        holds
    });
    let facts = match solution {
        Some(values) => {
            let values = values.iter().enumerate();
            values.filter_map(|(v, value)| Some(Fact::Value(v as u32, (*value)?))).collect()
        }
        None => {
            system.reduce(work);
            system.facts()
        }
    };
    reducer.statistics.parity_facts += facts.len() as u64;
    for fact in &facts {
        match *fact {
            Fact::Value(variable, value) => reducer.store.push_hard(&[Literal::new(variable, !value)]),
            Fact::Pair(a, b, sum) => {
                // a + b = 0: (a or not b) and (not a or b); a + b = 1: (a or b) and (not a or not b).
                for sign in [false, true] {
                    reducer.store.push_hard(&[Literal::new(a, sign), Literal::new(b, sign == sum)]);
                }
            }
        }
    }
    !facts.is_empty()
}

/// The sums that hard clauses spell out, and how many clauses do.
fn find(reducer: &Reducer) -> (Vec<Row>, usize) {
    let store = &reducer.store;
    let is_candidate = |c: usize| {
        store.weight[c] == HARD && (VARIABLES_MIN..=VARIABLES_MAX).contains(&store.clause(c).len())
    };
    let hash = |c: usize| {
        let variables = store.clause(c).iter().map(|l| u64::from(l.variable()));
        variables.fold(0u64, |sum, variable| sum.wrapping_add(mix64(variable)))
    };
    // Most clauses share their variables with no other. Counting into few bytes tells, mostly, without sorting.
    let count = store.live().filter(|&c| is_candidate(c)).count();
    let mut buckets = vec![0u8; count.next_power_of_two()];
    let mask = buckets.len() as u64 - 1;
    for c in store.live().filter(|&c| is_candidate(c)) {
        let bucket = &mut buckets[(hash(c) & mask) as usize];
        *bucket = bucket.saturating_add(1);
    }
    let mut candidates: Vec<usize> = (store.live().filter(|&c| is_candidate(c)))
        .filter(|&c| usize::from(buckets[(hash(c) & mask) as usize]) >= spelling(store.clause(c).len()))
        .collect();
    drop(buckets);
    let key = |c: usize| store.clause(c).iter().map(|l| l.variable());
    candidates.sort_unstable_by(|&a, &b| key(a).cmp(key(b)).then(a.cmp(&b)));

    let (mut rows, mut covered) = (Vec::new(), 0);
    for group in candidates.chunk_by(|&a, &b| key(a).eq(key(b))) {
        let length = store.clause(group[0]).len();
        // Which patterns of signs occur, one bit each.
        let patterns = |c: usize| {
            store.clause(c).iter().enumerate().map(|(i, l)| u32::from(l.is_negative()) << i).sum::<u32>()
        };
        let seen = group.iter().fold(0u64, |seen, &c| seen | 1 << patterns(c));
        for odd in [false, true] {
            let wanted = (0..1u32 << length).filter(|p| (p.count_ones() % 2 == 1) == odd);
            let wanted = wanted.fold(0u64, |all, pattern| all | 1 << pattern);
            if seen & wanted == wanted {
                // A clause forbids the one assignment that is its signs, so the forbidden sum is their parity.
                rows.push(Row { variables: key(group[0]).collect(), sum: !odd });
                covered += group.iter().filter(|&&c| wanted >> patterns(c) & 1 == 1).count();
            }
        }
    }
    (rows, covered)
}

/// Clauses that spell out a sum of so many variables.
fn spelling(variables: usize) -> usize {
    1 << (variables - 1)
}

/// A system of sums.
struct System {
    rows: Vec<Row>,
    /// The pivot variable of a row that has one.
    pivot: Vec<Option<u32>>,
    /// Rows in the order in which they got their pivots: none holds a pivot of one before it.
    order: Vec<usize>,
    /// Whether every row has its pivot or is empty; false where the work did not suffice.
    is_triangular: bool,
    /// For each variable, the rows that hold it, and some that do no more.
    occurrences: Vec<Vec<u32>>,
    /// For each variable, the rows that hold it.
    count: Vec<u32>,
    /// Entries that may still be written.
    work: u64,
}

impl System {
    fn new(rows: Vec<Row>, variables: u32) -> Self {
        let (occurrences, count) = (vec![Vec::new(); variables as usize], vec![0; variables as usize]);
        let pivot = vec![None; rows.len()];
        let order = Vec::new();
        let mut system = Self { rows, pivot, order, is_triangular: false, occurrences, count, work: 0 };
        system.count_occurrences();
        system
    }

    fn count_occurrences(&mut self) {
        self.occurrences.iter_mut().for_each(Vec::clear);
        self.count.fill(0);
        for (index, row) in self.rows.iter().enumerate() {
            for &variable in &row.variables {
                self.occurrences[variable as usize].push(index as u32);
                self.count[variable as usize] += 1;
            }
        }
    }

    /// Gives rows their pivots, writing at most `work` entries one by one. Returns false for a contradiction.
    fn eliminate(&mut self, work: u64) -> bool {
        self.work = work;
        let mut heap: BinaryHeap<Reverse<(usize, usize)>> =
            self.rows.iter().enumerate().map(|(i, r)| Reverse((r.variables.len(), i))).collect();
        while let Some(Reverse((length, index))) = heap.pop() {
            let row = &self.rows[index];
            if self.pivot[index].is_some() || row.variables.len() != length {
                continue;
            }
            let Some(&variable) = row.variables.iter().min_by_key(|&&v| (self.count[v as usize], v)) else {
                if row.sum {
                    return false;
                }
                continue;
            };
            if length > SPARSE_ROW_MAX {
                return self.eliminate_dense();
            }
            self.pivot[index] = Some(variable);
            self.order.push(index);
            for other in self.occurrences[variable as usize].clone() {
                let other = other as usize;
                if self.pivot[other].is_none() && self.rows[other].variables.binary_search(&variable).is_ok()
                {
                    if !self.add(index, other) {
                        // Others still hold the variable, so it is no pivot yet; what was added holds all the same.
                        self.pivot[index] = None;
                        self.order.pop();
                        return self.eliminate_dense();
                    }
                    heap.push(Reverse((self.rows[other].variables.len(), other)));
                }
            }
        }
        self.is_triangular = true;
        true
    }

    /// Gives all other rows their pivots at once, as rows of bits. Returns false for a contradiction.
    fn eliminate_dense(&mut self) -> bool {
        let open: Vec<usize> = (0..self.rows.len())
            .filter(|&i| self.pivot[i].is_none() && (self.rows[i].sum || !self.rows[i].variables.is_empty()))
            .collect();
        let mut columns: Vec<u32> =
            open.iter().flat_map(|&i| self.rows[i].variables.iter().copied()).collect();
        columns.sort_unstable();
        columns.dedup();
        // One more column for the sums.
        let width = (columns.len() + 1).div_ceil(64);
        let steps = (open.len() as u64).saturating_mul(columns.len() as u64).saturating_mul(width as u64);
        if steps > DENSE_WORK_MAX {
            return !open.iter().any(|&i| self.rows[i].variables.is_empty());
        }
        let mut bits = vec![0u64; open.len() * width];
        for (row, &index) in bits.chunks_exact_mut(width).zip(&open) {
            for variable in &self.rows[index].variables {
                let column = columns.binary_search(variable).expect("every variable has its column");
                row[column / 64] |= 1 << (column % 64);
            }
            row[columns.len() / 64] |= u64::from(self.rows[index].sum) << (columns.len() % 64);
        }
        let mut done = 0;
        for column in 0..columns.len() {
            let holds = |row: &[u64]| row[column / 64] >> (column % 64) & 1 == 1;
            let Some(found) = bits[done * width..].chunks_exact(width).position(holds) else { continue };
            let (before, after) = bits.split_at_mut((done + 1) * width);
            let pivot_row = &mut before[done * width..];
            if found > 0 {
                pivot_row.swap_with_slice(&mut after[(found - 1) * width..found * width]);
            }
            for row in after.chunks_exact_mut(width).filter(|row| holds(row)) {
                // Columns to the left are zero in both.
                for word in column / 64..width {
                    row[word] ^= pivot_row[word];
                }
            }
            self.pivot[open[done]] = Some(columns[column]);
            self.order.push(open[done]);
            done += 1;
            if done == open.len() {
                break;
            }
        }
        for (row, &index) in bits.chunks_exact(width).zip(&open) {
            let is_set = |column: usize| row[column / 64] >> (column % 64) & 1 == 1;
            let variables: Vec<u32> =
                columns.iter().enumerate().filter(|&(c, _)| is_set(c)).map(|(_, &v)| v).collect();
            self.rows[index] = Row { variables, sum: is_set(columns.len()) };
        }
        self.count_occurrences();
        self.is_triangular = true;
        !open[done..].iter().any(|&index| self.rows[index].sum)
    }

    /// Takes each pivot out of the rows before its own, writing at most `work` entries.
    fn reduce(&mut self, work: u64) {
        self.work = work;
        for position in (0..self.order.len()).rev() {
            let index = self.order[position];
            let Some(variable) = self.pivot[index] else { continue };
            for other in self.occurrences[variable as usize].clone() {
                let other = other as usize;
                let holds_it = self.rows[other].variables.binary_search(&variable).is_ok();
                if other != index && holds_it && !self.add(index, other) {
                    return;
                }
            }
        }
    }

    /// Adds a row to another, if the work suffices.
    fn add(&mut self, index: usize, other: usize) -> bool {
        let (a, b) = (&self.rows[index], &self.rows[other]);
        let cost = (a.variables.len() + b.variables.len()) as u64;
        if cost > self.work {
            return false;
        }
        self.work -= cost;
        let mut variables = Vec::with_capacity(a.variables.len() + b.variables.len());
        let (mut i, mut j) = (0, 0);
        loop {
            match (a.variables.get(i), b.variables.get(j)) {
                (Some(x), Some(y)) if x == y => {
                    self.count[*x as usize] -= 1;
                    (i, j) = (i + 1, j + 1);
                }
                (Some(&x), y) if y.is_none_or(|&y| x < y) => {
                    variables.push(x);
                    self.occurrences[x as usize].push(other as u32);
                    self.count[x as usize] += 1;
                    i += 1;
                }
                (_, Some(&y)) => {
                    variables.push(y);
                    j += 1;
                }
                (_, None) => break,
            }
        }
        self.rows[other] = Row { variables, sum: a.sum != b.sum };
        true
    }

    /// What rows say of single variables and pairs, directly and where two rows have the same rest beside their pivots.
    fn facts(&self) -> Vec<Fact> {
        let mut facts = Vec::new();
        let mut rests = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            match row.variables[..] {
                [] => {}
                [a] => facts.push(Fact::Value(a, row.sum)),
                [a, b] => facts.push(Fact::Pair(a, b, row.sum)),
                _ => {
                    let Some(pivot) = self.pivot[index] else { continue };
                    let rest: Vec<u32> = row.variables.iter().copied().filter(|&v| v != pivot).collect();
                    rests.push((rest, pivot, row.sum));
                }
            }
        }
        rests.sort_unstable();
        for pair in rests.windows(2) {
            let [(rest, a, sum_a), (other, b, sum_b)] = pair else { unreachable!("two at a time") };
            if rest == other {
                facts.push(Fact::Pair(*a, *b, sum_a != sum_b));
            }
        }
        facts
    }

    /// A solution of a triangular system, for each variable in it: those without a pivot are false.
    fn solution(&self) -> Vec<Option<bool>> {
        let mut values = vec![None; self.occurrences.len()];
        for &index in self.order.iter().rev() {
            let (row, Some(pivot)) = (&self.rows[index], self.pivot[index]) else { continue };
            let mut sum = row.sum;
            for &variable in row.variables.iter().filter(|&&v| v != pivot) {
                sum ^= *values[variable as usize].get_or_insert(false);
            }
            values[pivot as usize] = Some(sum);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VARIABLES: u32 = 9;

    fn row() -> impl Strategy<Value = Row> {
        let all: Vec<u32> = (0..VARIABLES).collect();
        (prop::sample::subsequence(all, 1..=5), any::<bool>())
            .prop_map(|(variables, sum)| Row { variables, sum })
    }

    fn holds(row: &Row, assignment: u32) -> bool {
        row.variables.iter().filter(|&&v| assignment >> v & 1 == 1).count() % 2 == usize::from(row.sum)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Wherever elimination goes on with bits, it finds contradictions, a solution, and every implied value and equivalence.
        #[test]
        fn elimination_is_complete(rows in prop::collection::vec(row(), 0..10), work in prop_oneof![0u64..80, Just(u64::MAX)]) {
            let solutions: Vec<u32> =
                (0..1 << VARIABLES).filter(|&a| rows.iter().all(|row| holds(row, a))).collect();
            let mut system = System::new(rows, VARIABLES);
            let is_possible = system.eliminate(work);
            prop_assert_eq!(is_possible, !solutions.is_empty());
            if !is_possible {
                return Ok(());
            }
            prop_assert!(system.is_triangular);
            let values = system.solution();
            let found = values.iter().enumerate().fold(0, |a, (v, value)| a | u32::from(value.unwrap_or(false)) << v);
            prop_assert!(solutions.contains(&found));

            system.reduce(u64::MAX);
            let facts = system.facts();
            let bit = |a: u32, v: u32| a >> v & 1 == 1;
            let is_true = |fact: &Fact| solutions.iter().all(|&s| match *fact {
                Fact::Value(v, value) => bit(s, v) == value,
                Fact::Pair(a, b, sum) => (bit(s, a) != bit(s, b)) == sum,
            });
            prop_assert!(facts.iter().all(is_true));
            // Classes of variables that the facts join, the constant being one more variable.
            let mut class: Vec<u32> = (0..=VARIABLES).collect();
            for fact in &facts {
                let (a, b) = match *fact {
                    Fact::Value(v, _) => (v, VARIABLES),
                    Fact::Pair(a, b, _) => (a, b),
                };
                let (from, to) = (class[a as usize], class[b as usize]);
                class.iter_mut().filter(|c| **c == from).for_each(|c| *c = to);
            }
            for a in 0..VARIABLES {
                for b in a + 1..=VARIABLES {
                    let sum = |s: u32| bit(s, a) != (b < VARIABLES && bit(s, b));
                    if solutions.iter().all(|&s| sum(s) == sum(solutions[0])) {
                        prop_assert_eq!(class[a as usize], class[b as usize]);
                    }
                }
            }
        }
    }
}
