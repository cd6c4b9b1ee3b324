//! Bucket elimination with bounded width: the joint optimum of most spins, given the others.

use hysteron_circuit::crossbar::crossover::Graph;
use hysteron_circuit::rom::mix64;

/// A word that tables are computed in. Tables are kept with least entry 0, and flipping one spin of a table's scope changes an
/// entry by at most twice that spin's row, so a table's entries are at most `2 * (width + 1)` rows.
trait Word: Copy + Ord + Default + std::ops::Add<Output = Self> + std::ops::Sub<Output = Self> {
    fn from_weight(weight: i64) -> Self;
}

macro_rules! word {
    ($type:ty) => {
        impl Word for $type {
            #[inline(always)]
            fn from_weight(weight: i64) -> Self {
                weight as $type
            }
        }
    };
}
word!(i16);
word!(i32);
word!(i64);

/// Buffers of the elimination, kept between calls; the word is chosen by the largest row.
pub struct Eliminator(Words);

enum Words {
    Short(Work<i16>),
    Long(Work<i32>),
    Wide(Work<i64>),
}

impl Eliminator {
    /// For states of `graph`.
    pub fn new(graph: &Graph) -> Self {
        let row_max = (0..graph.spins())
            .map(|i| graph.row(i).iter().map(|c| c.1.abs()).sum::<i64>() + graph.field(i).abs())
            .max()
            .unwrap_or(0);
        // Joint tables of 13 spins and the terms added to them stay below 64 rows.
        Self(if row_max < (1 << 15) / 64 {
            Words::Short(Work::new(graph))
        } else if row_max < (1 << 31) / 64 {
            Words::Long(Work::new(graph))
        } else if row_max < i64::MAX / 64 {
            Words::Wide(Work::new(graph))
        } else {
            // Such weights leave no room for sums: the spins stay as they are.
            Words::Wide(Work::default())
        })
    }

    /// Chooses a random subgraph of treewidth at most `width` (at most [`super::WIDTH_MAX`]) and sets its spins to their joint
    /// optimum given all others: the energy never rises. Among equal optima the choice is random. Returns the cost in
    /// units (nanoseconds, by measured constants).
    pub fn optimise(&mut self, graph: &Graph, state: &mut [bool], width: usize, key: u64) -> u64 {
        let width = width.min(super::WIDTH_MAX);
        match &mut self.0 {
            Words::Short(work) => work.optimise(graph, state, width, key),
            Words::Long(work) => work.optimise(graph, state, width, key),
            Words::Wide(work) => work.optimise(graph, state, width, key),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Status {
    Active,
    Eliminated,
    Fixed,
}

/// The least energy of what was eliminated, for every setting of the scope (ascending; entry bit `b` is the `b`-th, set for +1).
#[derive(Default)]
struct Message<T> {
    scope: Vec<u32>,
    table: Vec<T>,
    alive: bool,
}

/// An eliminated spin, its bag in `bags`, and one decision bit for every setting of it.
struct Step {
    spin: u32,
    bag: u32,
    decisions: u32,
}

#[derive(Default)]
struct Work<T> {
    status: Vec<Status>,
    /// Active neighbours, fill-in included, ascending.
    lists: Vec<Vec<u32>>,
    /// Active spins by degree; the last holds all that are too wide.
    buckets: Vec<Vec<u32>>,
    bucket: Vec<u8>,
    place: Vec<u32>,
    /// Messages whose scope holds or held a spin.
    attached: Vec<Vec<u32>>,
    messages: Vec<Message<T>>,
    free: Vec<u32>,
    steps: Vec<Step>,
    bags: Vec<u32>,
    decisions: Vec<u64>,
    down: Vec<T>,
    up: Vec<T>,
    merged: Vec<u32>,
}

impl<T: Word> Work<T> {
    fn new(graph: &Graph) -> Self {
        let n = graph.spins();
        Self {
            status: vec![Status::Active; n],
            lists: vec![Vec::new(); n],
            bucket: vec![0; n],
            place: vec![0; n],
            attached: vec![Vec::new(); n],
            ..Self::default()
        }
    }

    fn optimise(&mut self, graph: &Graph, state: &mut [bool], width: usize, key: u64) -> u64 {
        if self.status.len() != graph.spins() {
            return 1;
        }
        self.begin(graph, width);
        let mut draws = 0u64;
        let mut draw = || {
            draws += 1;
            mix64(key.wrapping_add(draws))
        };
        let mut cost = 300 * graph.spins() as u64;
        loop {
            let random = draw();
            let pick =
                |items: &[u32], r: u64| items[(((r & 0xffff_ffff) * items.len() as u64) >> 32) as usize];
            if let Some(bucket) = self.buckets[..=width].iter().find(|b| !b.is_empty()) {
                let spin = pick(bucket, random);
                cost += 1200 + 8 * (1 << self.lists[spin as usize].len());
                self.eliminate(graph, state, spin, width, random);
            } else if let Some(wide) = self.buckets.last().filter(|b| !b.is_empty()) {
                // Of two random spins the one with more neighbours: fixing it narrows more.
                let (a, b) = (pick(wide, random), pick(wide, random >> 32));
                let more = self.lists[a as usize].len() >= self.lists[b as usize].len();
                let spin = if more { a } else { b };
                cost += 60 + 60 * self.lists[spin as usize].len() as u64;
                self.fix(state, spin, width);
            } else {
                break;
            }
        }
        // Backwards, every spin's bag is decided before the spin.
        for step in self.steps.iter().rev() {
            let end = step.bag as usize;
            let mut index = 0usize;
            for (b, &spin) in self.bags[end..].iter().take_while(|&&s| s != u32::MAX).enumerate() {
                index |= usize::from(state[spin as usize]) << b;
            }
            let word = self.decisions[step.decisions as usize + index / 64];
            state[step.spin as usize] = word >> (index % 64) & 1 == 1;
        }
        cost
    }

    fn begin(&mut self, graph: &Graph, width: usize) {
        self.status.fill(Status::Active);
        self.buckets.resize_with(width + 2, Vec::new);
        self.buckets.truncate(width + 2);
        self.buckets.iter_mut().for_each(Vec::clear);
        self.free.clear();
        for (id, message) in self.messages.iter_mut().enumerate() {
            message.alive = false;
            self.free.push(id as u32);
        }
        self.steps.clear();
        self.bags.clear();
        self.decisions.clear();
        for spin in 0..graph.spins() {
            self.attached[spin].clear();
            let list = &mut self.lists[spin];
            list.clear();
            list.extend(graph.row(spin).iter().map(|c| c.0));
            list.sort_unstable();
            self.enter(spin as u32, width);
        }
    }

    fn enter(&mut self, spin: u32, width: usize) {
        let bucket = self.lists[spin as usize].len().min(width + 1);
        self.bucket[spin as usize] = bucket as u8;
        self.place[spin as usize] = self.buckets[bucket].len() as u32;
        self.buckets[bucket].push(spin);
    }

    fn leave(&mut self, spin: u32) {
        let bucket = &mut self.buckets[usize::from(self.bucket[spin as usize])];
        let place = self.place[spin as usize] as usize;
        bucket.swap_remove(place);
        if let Some(&moved) = bucket.get(place) {
            self.place[moved as usize] = place as u32;
        }
    }

    /// Keeps a spin at its value: it leaves all lists and tables.
    fn fix(&mut self, state: &[bool], spin: u32, width: usize) {
        self.leave(spin);
        self.status[spin as usize] = Status::Fixed;
        let list = std::mem::take(&mut self.lists[spin as usize]);
        for &u in &list {
            let other = &mut self.lists[u as usize];
            if let Ok(at) = other.binary_search(&spin) {
                other.remove(at);
            }
            if self.lists[u as usize].len() <= width {
                self.leave(u);
                self.enter(u, width);
            }
        }
        self.lists[spin as usize] = list;
        for at in 0..self.attached[spin as usize].len() {
            let message = &mut self.messages[self.attached[spin as usize][at] as usize];
            if !message.alive {
                continue;
            }
            if let Ok(bit) = message.scope.binary_search(&spin) {
                message.scope.remove(bit);
                let (low, half) = (1usize << bit, message.table.len() / 2);
                let value = usize::from(state[spin as usize]) << bit;
                for i in 0..half {
                    // Insert the bit: entries only move towards the front.
                    message.table[i] = message.table[(i & (low - 1)) | value | ((i & !(low - 1)) << 1)];
                }
                message.table.truncate(half);
            }
        }
    }

    fn eliminate(&mut self, graph: &Graph, state: &[bool], spin: u32, width: usize, random: u64) {
        self.leave(spin);
        self.status[spin as usize] = Status::Eliminated;
        let bag = std::mem::take(&mut self.lists[spin as usize]);
        let size = 1usize << bag.len();

        // What the spin's own field and couplings say when it is up, by doubling over the bag.
        let mut local = graph.field(spin as usize);
        let mut weights = [0i64; super::WIDTH_MAX];
        for &(u, weight) in graph.row(spin as usize) {
            match self.status[u as usize] {
                Status::Fixed => local += if state[u as usize] { weight } else { -weight },
                Status::Active => {
                    let bit = bag.binary_search(&u).expect("active neighbours are in the bag");
                    weights[bit] += weight;
                    local -= weight;
                }
                // Its message has the coupling.
                Status::Eliminated => {}
            }
        }
        self.up.clear();
        self.up.push(T::from_weight(local));
        for &weight in &weights[..bag.len()] {
            let step = T::from_weight(2 * weight);
            let half = self.up.len();
            for i in 0..half {
                self.up.push(self.up[i] + step);
            }
        }
        self.down.clear();
        self.down.extend(self.up.iter().map(|&v| T::default() - v));

        // Absorb the messages that know the spin.
        let attached = std::mem::take(&mut self.attached[spin as usize]);
        for &id in &attached {
            let message = &mut self.messages[id as usize];
            if !message.alive {
                continue;
            }
            let Ok(place) = message.scope.binary_search(&spin) else { continue };
            message.alive = false;
            self.free.push(id);
            let mut mask = 0u32;
            for &u in message.scope.iter().filter(|&&u| u != spin) {
                mask |= 1 << bag.binary_search(&u).expect("a scope is a clique");
            }
            absorb(&mut self.down, &mut self.up, &message.table, mask, bag.len(), place);
        }
        self.attached[spin as usize] = attached;

        // Decide for every setting of the bag.
        self.steps.push(Step { spin, bag: self.bags.len() as u32, decisions: self.decisions.len() as u32 });
        self.bags.extend_from_slice(&bag);
        self.bags.push(u32::MAX);
        let tie_up = random >> 63 == 1;
        for (down, up) in self.down.chunks(64).zip(self.up.chunks(64)) {
            let mut word = 0u64;
            for (i, (d, u)) in down.iter().zip(up).enumerate() {
                word |= u64::from(if tie_up { u <= d } else { u < d }) << i;
            }
            self.decisions.push(word);
        }
        if !bag.is_empty() {
            for (down, &up) in self.down.iter_mut().zip(&self.up) {
                *down = (*down).min(up);
            }
            let least = self.down.iter().copied().min().unwrap_or_default();
            let id = self.free.pop().unwrap_or_else(|| {
                self.messages.push(Message::default());
                self.messages.len() as u32 - 1
            });
            let message = &mut self.messages[id as usize];
            message.alive = true;
            message.scope.clear();
            message.scope.extend_from_slice(&bag);
            message.table.clear();
            message.table.extend(self.down[..size].iter().map(|&v| v - least));
            for &u in &bag {
                self.attached[u as usize].push(id);
            }
        }

        // The bag becomes a clique.
        for &u in &bag {
            self.merged.clear();
            let list = &self.lists[u as usize];
            let (mut i, mut j) = (0, 0);
            while i < list.len() || j < bag.len() {
                let next = match (list.get(i), bag.get(j)) {
                    (Some(&a), Some(&b)) => {
                        i += usize::from(a <= b);
                        j += usize::from(b <= a);
                        a.min(b)
                    }
                    (Some(&a), None) => {
                        i += 1;
                        a
                    }
                    (None, Some(&b)) => {
                        j += 1;
                        b
                    }
                    (None, None) => break,
                };
                if next != spin && next != u {
                    self.merged.push(next);
                }
            }
            std::mem::swap(&mut self.lists[u as usize], &mut self.merged);
            self.leave(u);
            self.enter(u, width);
        }
        self.lists[spin as usize] = bag;
    }
}

/// Adds a message to the tables of a bag: to `down` its half in which the spin (bit `place` of the message) is down, to `up` the other. `mask`
/// says which of the bag's `bits` the rest of the message's scope is.
fn absorb<T: Word>(down: &mut [T], up: &mut [T], message: &[T], mask: u32, bits: usize, place: usize) {
    if place == (mask & low(bits)).count_ones() as usize {
        let (first, second) = message.split_at(message.len() / 2);
        add(down, first, mask, bits);
        add(up, second, mask, bits);
        return;
    }
    // The spin's bit lies lower: split at the bag's highest bit.
    let half = 1 << (bits - 1);
    let (down0, down1) = down.split_at_mut(half);
    let (up0, up1) = up.split_at_mut(half);
    let (m0, m1) =
        if mask >> (bits - 1) & 1 == 1 { message.split_at(message.len() / 2) } else { (message, message) };
    absorb(down0, up0, m0, mask, bits - 1, place);
    absorb(down1, up1, m1, mask, bits - 1, place);
}

/// Adds a message over some (`mask`) of `bits` to a table over all of them.
fn add<T: Word>(table: &mut [T], message: &[T], mask: u32, bits: usize) {
    let within = mask & low(bits);
    if within == low(bits) {
        for (t, &m) in table.iter_mut().zip(message) {
            *t = *t + m;
        }
    } else if within == 0 {
        let m = message[0];
        for t in table.iter_mut() {
            *t = *t + m;
        }
    } else {
        let (t0, t1) = table.split_at_mut(1 << (bits - 1));
        let (m0, m1) = if within >> (bits - 1) & 1 == 1 {
            message.split_at(message.len() / 2)
        } else {
            (message, message)
        };
        add(t0, m0, mask, bits - 1);
        add(t1, m1, mask, bits - 1);
    }
}

const fn low(bits: usize) -> u32 {
    (1 << bits) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::Ising;
    use proptest::prelude::*;

    fn problem(seed: u64, spins: u32, density: u64, weight: i64) -> Ising {
        let mut couplings = Vec::new();
        for i in 0..spins {
            for j in i + 1..spins {
                let h = mix64(seed ^ u64::from(i << 8 | j));
                if h % u64::from(spins) < density {
                    couplings.push((i, j, (h >> 20) as i64 % (2 * weight + 1) - weight));
                }
            }
        }
        couplings.retain(|c| c.2 != 0);
        let fields =
            (0..spins).map(|i| (mix64(seed ^ u64::from(i) << 20) % 3) as i64 * weight - weight).collect();
        Ising { spins, couplings, fields, offset: 0 }
    }

    fn state(seed: u64, spins: u32) -> Vec<bool> {
        (0..spins).map(|i| mix64(seed ^ u64::from(i) << 8) & 1 == 1).collect()
    }

    proptest! {
        #[test]
        fn energies_never_rise_and_wide_tables_find_the_optimum(
            seed: u64, spins in 1u32..13, density in 1u64..12, width in 0usize..13,
            weight in prop::sample::select(vec![1i64, 30, 1 << 20, 1 << 40]),
        ) {
            let problem = problem(seed, spins, density, weight);
            let graph = Graph::new(&problem);
            let mut eliminator = Eliminator::new(&graph);
            let mut s = state(seed, spins);
            for key in 0..3 {
                let before = problem.energy(&s);
                eliminator.optimise(&graph, &mut s, width, seed ^ key);
                prop_assert!(problem.energy(&s) <= before);
            }
            eliminator.optimise(&graph, &mut s, 12, seed);
            let least = (0..1u32 << spins)
                .map(|bits| problem.energy(&(0..spins).map(|i| bits >> i & 1 == 1).collect::<Vec<_>>()))
                .min();
            prop_assert_eq!(Some(problem.energy(&s)), least);
        }

        #[test]
        fn larger_graphs_never_rise(seed: u64, spins in 20u32..200, density in 1u64..8, width in 0usize..13) {
            let problem = problem(seed, spins, density, 3);
            let graph = Graph::new(&problem);
            let mut eliminator = Eliminator::new(&graph);
            let mut s = state(seed, spins);
            for key in 0..3 {
                let before = problem.energy(&s);
                eliminator.optimise(&graph, &mut s, width, seed ^ key);
                prop_assert!(problem.energy(&s) <= before);
                // Every spin that moved did so with the rest: what is left is no worse than any single flip of a tree.
                if width == 12 && density == 1 && graph.spins() < 40 {
                    prop_assert!((0..graph.spins()).all(|i| graph.tension(&s, i) <= 0));
                }
            }
        }
    }
}
