//! The ground state of a narrow or small Ising problem, by eliminating spin after spin.
//!
//! Eliminating a spin leaves a table: for each state of its neighbours the least energy of the
//! terms that the spin was in. The neighbours become neighbours of each other, so the work is
//! exponential in the width of the order, not in the number of spins: trees, chains, ladders and
//! narrow grids of any size are solved at once, and so is everything of up to 23 spins. Bertele and
//! Brioschi, *Nonserial Dynamic Programming*, 1972.

use std::collections::{BTreeMap, BTreeSet};

use hysteron_problem::Ising;

use super::strand::{Pace, Strand, Verdict};
use crate::{Context, Outcome, Searcher, Source};

/// Most neighbours that a spin may have when it is eliminated: a table of 2^22 energies is 32 MiB.
pub const WIDTH_MAX: usize = 22;
/// Most entries of all tables together: a few seconds.
const ENTRIES_MAX: u64 = 1 << 28;
/// Most entries that tables which are still needed may have: 512 MiB.
const ENTRIES_LIVE_MAX: u64 = 1 << 26;
/// Low bits of an index that are looked up together.
const LOW_BITS: usize = 11;

/// One spin of the order, with its neighbours at the time when it is eliminated.
struct Step {
    spin: u32,
    /// Increasing.
    neighbours: Vec<u32>,
}

/// Finds the ground state and proves it, if the problem has an order of small width.
pub struct Elimination {
    strand: Strand,
}

impl Elimination {
    /// A search on `problem`, or `None` if it found no order of elimination with at most
    /// [`WIDTH_MAX`] neighbours and bounded work. To find out takes time linear in the problem.
    pub fn new(problem: &Ising) -> Option<Self> {
        let steps = plan(problem)?;
        let problem = problem.clone();
        let body = move |pace: &Pace| eliminate(&problem, &steps, pace);
        Some(Self { strand: Strand::new(Box::new(body)) })
    }
}

impl Searcher for Elimination {
    fn source(&self) -> Source {
        Source::Exact("elimination")
    }
    fn work(&mut self, context: &Context, effort: u64) -> Outcome {
        self.strand.work(context, effort)
    }
}

/// An order that always takes a spin of least degree, or `None` if it is too wide or too long.
fn plan(problem: &Ising) -> Option<Vec<Step>> {
    let spins = problem.spins as usize;
    let mut adjacent: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); spins];
    for &(i, j, _) in &problem.couplings {
        adjacent[i as usize].insert(j);
        adjacent[j as usize].insert(i);
    }
    let mut queue: BTreeSet<(usize, u32)> = (0..spins).map(|s| (adjacent[s].len(), s as u32)).collect();
    let mut steps = Vec::with_capacity(spins);
    let mut entries = 0u64;
    while let Some((degree, spin)) = queue.pop_first() {
        if degree > WIDTH_MAX {
            return None;
        }
        entries += 1 << degree;
        if entries > ENTRIES_MAX {
            return None;
        }
        let neighbours: Vec<u32> = std::mem::take(&mut adjacent[spin as usize]).into_iter().collect();
        for &neighbour in &neighbours {
            let list = &mut adjacent[neighbour as usize];
            queue.remove(&(list.len(), neighbour));
            list.remove(&spin);
            list.extend(neighbours.iter().filter(|&&other| other != neighbour));
            queue.insert((list.len(), neighbour));
        }
        steps.push(Step { spin, neighbours });
    }
    (entries_live(spins, &steps) <= ENTRIES_LIVE_MAX).then_some(steps)
}

/// The most entries of tables that are needed at one time.
fn entries_live(spins: usize, steps: &[Step]) -> u64 {
    let mut place = vec![0u32; spins];
    for (index, step) in steps.iter().enumerate() {
        place[step.spin as usize] = index as u32;
    }
    // Entries of the tables that each step uses up.
    let mut used_up = vec![0u64; steps.len()];
    let (mut live, mut most) = (0u64, 0);
    for (index, step) in steps.iter().enumerate() {
        let size = 1u64 << step.neighbours.len();
        // Two sums while it is built, one table afterwards.
        most = most.max(live + 2 * size);
        live = live + size - used_up[index];
        match step.neighbours.iter().map(|&n| place[n as usize]).min() {
            Some(user) => used_up[user as usize] += size,
            None => live -= size,
        }
    }
    most
}

/// Least energies over the states of some spins: bit `k` of an index is the value of `scope[k]`.
struct Table {
    scope: Vec<u32>,
    energies: Vec<i64>,
}

/// Which value of the eliminated spin is best, one bit a state of the neighbours.
struct Choice {
    bits: Vec<u64>,
}

/// Eliminates all spins, then decides them in the opposite order.
fn eliminate(problem: &Ising, steps: &[Step], pace: &Pace) -> Verdict {
    let spins = problem.spins as usize;
    let mut place = vec![0u32; spins];
    for (index, step) in steps.iter().enumerate() {
        place[step.spin as usize] = index as u32;
    }
    // Couplings belong to the end that is eliminated first.
    let mut couplings: Vec<BTreeMap<u32, i64>> = vec![BTreeMap::new(); spins];
    for &(i, j, weight) in &problem.couplings {
        let (first, last) = if place[i as usize] < place[j as usize] { (i, j) } else { (j, i) };
        *couplings[first as usize].entry(last).or_insert(0) += weight;
    }
    let mut waiting: Vec<Vec<Table>> = (0..spins).map(|_| Vec::new()).collect();
    let mut choices = Vec::with_capacity(spins);
    let mut energy = problem.offset;
    for step in steps {
        let spin = step.spin as usize;
        let own = field_table(problem.fields[spin], &couplings[spin], &step.neighbours);
        let tables = std::mem::take(&mut waiting[spin]);
        let mut up = own;
        let mut down: Vec<i64> = up.iter().map(|e| -e).collect();
        for table in &tables {
            add_table(table, step, &mut down, &mut up);
            if pace.spend(2 * up.len() as u64) {
                return Outcome::Exhausted.into();
            }
        }
        drop(tables);
        let mut bits = vec![0u64; up.len().div_ceil(64)];
        for (index, (down, up)) in down.iter_mut().zip(&up).enumerate() {
            if *up < *down {
                bits[index / 64] |= 1 << (index % 64);
                *down = *up;
            }
        }
        if pace.spend(4 * up.len() as u64 + 200) {
            return Outcome::Exhausted.into();
        }
        choices.push(Choice { bits });
        match step.neighbours.iter().min_by_key(|&&n| place[n as usize]) {
            Some(&user) => {
                waiting[user as usize].push(Table { scope: step.neighbours.clone(), energies: down });
            }
            None => energy += down[0],
        }
    }
    let mut assignment = vec![false; spins];
    for (step, choice) in steps.iter().zip(&choices).rev() {
        let set = step.neighbours.iter().enumerate().filter(|&(_, &n)| assignment[n as usize]);
        let index: usize = set.map(|(bit, _)| 1usize << bit).sum();
        assignment[step.spin as usize] = choice.bits[index / 64] >> (index % 64) & 1 == 1;
    }
    let model = Some((assignment, Source::Exact("elimination")));
    Verdict { outcome: Outcome::Optimal, model, bound: Some(energy) }
}

/// The energy of the spin's own field and couplings when it is up, by the neighbours' state. When
/// it is down, the energy is the opposite.
fn field_table(field: i64, couplings: &BTreeMap<u32, i64>, neighbours: &[u32]) -> Vec<i64> {
    let total: i64 = couplings.values().sum();
    let mut energies = Vec::with_capacity(1 << neighbours.len());
    energies.push(field - total);
    for neighbour in neighbours {
        let rise = 2 * couplings.get(neighbour).copied().unwrap_or(0);
        for index in 0..energies.len() {
            energies.push(energies[index] + rise);
        }
    }
    energies
}

/// Adds a table whose scope is the step's spin and some of its neighbours.
fn add_table(table: &Table, step: &Step, down: &mut [i64], up: &mut [i64]) {
    // Where each bit of the step's index, and the step's spin, is in the table's index.
    let stride = |spin: &u32| table.scope.binary_search(spin).map_or(0, |bit| 1usize << bit);
    let strides: Vec<usize> = step.neighbours.iter().map(stride).collect();
    let own = stride(&step.spin);
    let (low, high) = strides.split_at(strides.len().min(LOW_BITS));
    let (low, high) = (spread(low), spread(high));
    let blocks = down.chunks_mut(low.len()).zip(up.chunks_mut(low.len()));
    for ((down, up), &base) in blocks.zip(&high) {
        for ((down, up), &offset) in down.iter_mut().zip(up).zip(&low) {
            *down += table.energies[base + offset];
            *up += table.energies[base + offset + own];
        }
    }
}

/// For each index over these bits, the sum of the strides of those that are set.
fn spread(strides: &[usize]) -> Vec<usize> {
    let mut sums = vec![0];
    for &stride in strides {
        for index in 0..sums.len() {
            sums.push(sums[index] + stride);
        }
    }
    sums
}
