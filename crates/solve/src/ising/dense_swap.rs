//! Tabu search among the states in which at most one spin of each group is up ([`Groups`]): large
//! penalties lie between any two good states for single switches, so that moves here switch two or four
//! spins. With groups alone: up to another spin of the group. With rows and columns, as in assignment
//! problems: two rows exchange their columns (Taillard's robust tabu search, 1991, on the Ising form).

use hysteron_circuit::rom::mix64;
use hysteron_problem::Ising;

use super::dense_groups::{Groups, NONE};
use crate::{Context, Outcome, Searcher, Source};

/// The most spins: the couplings are kept as a matrix of 32-bit integers, at most 128 MiB.
const SPINS_MAX: u32 = 5792;
/// The bound on row sums of absolute weights, so that sums of four gains stay in 32 bits.
const SUM_MAX: i64 = 1 << 26;
/// Moves between two looks at the stop flag.
const BURST: u64 = 256;

/// A move, by the spins that it switches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Move {
    /// One spin up whose groups are empty, or one down.
    Single(u32),
    /// The first goes down, the second of its row up.
    Shift(u32, u32),
    /// The first two go down, the others, in the same rows and columns, up.
    Exchange([u32; 4]),
}

/// The searcher.
pub struct Swap {
    groups: Groups,
    spins: usize,
    offset: i64,
    /// Couplings, row by row.
    matrix: Vec<i32>,
    /// External fields.
    external: Vec<i32>,
    state: Vec<bool>,
    fields: Vec<i32>,
    /// The spin that is up in each group, or [`NONE`].
    up: Vec<u32>,
    /// The step from which a spin may be switched again.
    free_at: Vec<u64>,
    energy: i64,
    best: Option<(i64, Vec<bool>)>,
    /// The least energy since the last kick, and moves since.
    round_best: i64,
    stale: u64,
    seed: u64,
    step: u64,
    is_offered: bool,
    debt: u64,
}

impl Swap {
    /// A searcher for `ising`, if it has groups, is small enough and its weights fit.
    pub fn new(ising: &Ising, seed: u64) -> Option<Self> {
        if ising.spins > SPINS_MAX {
            return None;
        }
        let n = ising.spins as usize;
        let mut sums: Vec<i64> = ising.fields.iter().map(|f| f.saturating_abs()).collect();
        for &(i, j, weight) in &ising.couplings {
            for spin in [i, j] {
                let sum = &mut sums[spin as usize];
                *sum = sum.saturating_add(weight.saturating_abs());
            }
        }
        if sums.iter().any(|&sum| sum >= SUM_MAX) {
            return None;
        }
        let groups = Groups::detect(ising)?;
        let mut matrix = vec![0i32; n * n];
        for &(i, j, weight) in &ising.couplings {
            matrix[i as usize * n + j as usize] = weight as i32;
            matrix[j as usize * n + i as usize] = weight as i32;
        }
        let mut swap = Self {
            up: vec![NONE; groups.members.len()],
            groups,
            spins: n,
            offset: ising.offset,
            matrix,
            external: ising.fields.iter().map(|&f| f as i32).collect(),
            state: Vec::new(),
            fields: Vec::new(),
            free_at: vec![0; n],
            energy: 0,
            best: None,
            round_best: i64::MAX,
            stale: 0,
            seed,
            step: 0,
            is_offered: true,
            debt: 0,
        };
        let start = swap.random_state();
        swap.set(start);
        Some(swap)
    }

    fn draw(&self, salt: u64) -> u64 {
        mix64(self.seed ^ mix64(self.step << 20 | salt))
    }

    fn below(&self, salt: u64, range: usize) -> usize {
        (u128::from(self.draw(salt)) * range as u128 >> 64) as usize
    }

    /// One spin up in each row where a column is left, all others down.
    fn random_state(&self) -> Vec<bool> {
        let mut state = vec![false; self.spins];
        let mut is_taken = vec![false; self.groups.columns()];
        let mut rows: Vec<usize> = (0..self.groups.rows).collect();
        for k in (1..rows.len()).rev() {
            rows.swap(k, self.below(k as u64, k + 1));
        }
        for row in rows {
            let members = &self.groups.members[row];
            let from = self.below(1 << 19 | row as u64, members.len());
            let is_open = |&&spin: &&u32| {
                let column = self.groups.of[spin as usize][1];
                column == NONE || !is_taken[column as usize]
            };
            if let Some(&spin) = members[from..].iter().chain(&members[..from]).find(is_open) {
                state[spin as usize] = true;
                if let Some(taken) = is_taken.get_mut(self.groups.of[spin as usize][1] as usize) {
                    *taken = true;
                }
            }
        }
        state
    }

    /// Makes `state` the present one.
    fn set(&mut self, state: Vec<bool>) {
        let n = self.spins;
        let mut twice_energy = 0i64;
        self.fields = (0..n)
            .map(|i| {
                let row = &self.matrix[i * n..][..n];
                let field = row.iter().zip(&state).map(|(&w, &up)| if up { w } else { -w }).sum::<i32>();
                let both = i64::from(field) + 2 * i64::from(self.external[i]);
                twice_energy += if state[i] { both } else { -both };
                field + self.external[i]
            })
            .collect();
        self.energy = twice_energy / 2;
        self.up.fill(NONE);
        for spin in (0..n).filter(|&i| state[i]) {
            for group in self.groups.groups_of(spin) {
                self.up[group] = spin as u32;
            }
        }
        self.state = state;
    }

    /// By how much, halved, switching lowers the energy.
    #[inline]
    fn gain(&self, spin: u32) -> i32 {
        let field = self.fields[spin as usize];
        if self.state[spin as usize] { field } else { -field }
    }

    #[inline]
    fn coupling(&self, a: u32, b: u32) -> i32 {
        self.matrix[a as usize * self.spins + b as usize]
    }

    #[inline]
    fn is_free(&self, spin: u32) -> bool {
        self.free_at[spin as usize] <= self.step
    }

    /// The best move that is free or leads to a new best; ties are broken by the seed.
    fn choose(&self) -> Option<(Move, i32)> {
        let best_energy = self.best.as_ref().map_or(i64::MAX, |b| b.0);
        let mut chosen: Option<(Move, i32)> = None;
        let mut ties = 0u64;
        let mut consider = |step: Move, gain: i32, is_free: bool| {
            if chosen.is_some_and(|c| gain < c.1) {
                return;
            }
            if !is_free && self.energy - 2 * i64::from(gain) >= best_energy {
                return;
            }
            if chosen.is_some_and(|c| gain == c.1) {
                ties += 1;
                if !self.draw(ties).is_multiple_of(ties + 1) {
                    return;
                }
            } else {
                ties = 0;
            }
            chosen = Some((step, gain));
        };
        for spin in 0..self.spins as u32 {
            let is_open = self.state[spin as usize]
                || self.groups.groups_of(spin as usize).all(|group| self.up[group] == NONE);
            if is_open {
                consider(Move::Single(spin), self.gain(spin), self.is_free(spin));
            }
        }
        for row in 0..self.groups.rows {
            let down = self.up[row];
            if down == NONE {
                continue;
            }
            for &up in self.groups.members[row].iter().filter(|&&s| s != down) {
                let column = self.groups.of[up as usize][1];
                if column == NONE || self.up[self.groups.rows + column as usize] == NONE {
                    let gain = self.gain(down) + self.gain(up) + 2 * self.coupling(down, up);
                    consider(Move::Shift(down, up), gain, self.is_free(up));
                }
            }
        }
        let columns = self.groups.columns();
        if columns > 0 {
            for row in 0..self.groups.rows {
                let a = self.up[row];
                if a == NONE || self.groups.of[a as usize][1] == NONE {
                    continue;
                }
                for other in 0..row {
                    let b = self.up[other];
                    if b == NONE || self.groups.of[b as usize][1] == NONE {
                        continue;
                    }
                    let c = self.groups.cells[row * columns + self.groups.of[b as usize][1] as usize];
                    let d = self.groups.cells[other * columns + self.groups.of[a as usize][1] as usize];
                    if c == NONE || d == NONE {
                        continue;
                    }
                    let gain = self.exchange_gain([a, b, c, d]);
                    consider(Move::Exchange([a, b, c, d]), gain, self.is_free(c) || self.is_free(d));
                }
            }
        }
        chosen
    }

    /// Switching several spins gains the sum of their gains, less twice the bonds among them: these stay.
    fn exchange_gain(&self, [a, b, c, d]: [u32; 4]) -> i32 {
        let across = self.coupling(a, c) + self.coupling(a, d) + self.coupling(b, c) + self.coupling(b, d);
        let along = self.coupling(a, b) + self.coupling(c, d);
        self.gain(a) + self.gain(b) + self.gain(c) + self.gain(d) + 2 * (across - along)
    }

    fn switch(&mut self, spin: u32) {
        let is_up = self.state[spin as usize];
        self.energy -= 2 * i64::from(self.gain(spin));
        let row = &self.matrix[spin as usize * self.spins..][..self.spins];
        if is_up {
            for (field, &weight) in self.fields.iter_mut().zip(row) {
                *field -= 2 * weight;
            }
        } else {
            for (field, &weight) in self.fields.iter_mut().zip(row) {
                *field += 2 * weight;
            }
        }
        self.state[spin as usize] = !is_up;
        for group in self.groups.groups_of(spin as usize) {
            self.up[group] = if is_up { NONE } else { spin };
        }
    }

    /// Makes a move; returns how many spins it switched.
    fn make(&mut self, step: Move) -> u64 {
        let rows = self.groups.rows;
        match step {
            Move::Single(spin) => {
                self.switch(spin);
                self.free_at[spin as usize] = self.step + 3 + self.below(7, 10) as u64;
                1
            }
            Move::Shift(down, up) => {
                self.switch(down);
                self.switch(up);
                self.free_at[down as usize] = self.step + 3 + (rows / 20 + self.below(7, 10)) as u64;
                2
            }
            Move::Exchange([a, b, c, d]) => {
                for spin in [a, b, c, d] {
                    self.switch(spin);
                }
                for (salt, spin) in [(7, a), (8, b)] {
                    self.free_at[spin as usize] =
                        self.step + 2 + (rows / 2 + self.below(salt, rows + 1)) as u64;
                }
                4
            }
        }
    }

    /// A random shift or exchange, whatever it costs.
    fn kick(&mut self, salt: u64) {
        let columns = self.groups.columns();
        let row = self.below(salt, self.groups.rows);
        let a = self.up[row];
        if a == NONE {
            return;
        }
        let members = &self.groups.members[row];
        let c = members[self.below(salt + 1, members.len())];
        if c == a {
            return;
        }
        let column = self.groups.of[c as usize][1];
        let b = if column == NONE { NONE } else { self.up[self.groups.rows + column as usize] };
        if b == NONE {
            self.make(Move::Shift(a, c));
            return;
        }
        let (other, column) = (self.groups.of[b as usize][0], self.groups.of[a as usize][1]);
        if other == NONE || column == NONE {
            return;
        }
        let d = self.groups.cells[other as usize * columns + column as usize];
        if d != NONE {
            self.make(Move::Exchange([a, b, c, d]));
        }
    }

    /// One step; returns its cost in nanoseconds.
    fn advance(&mut self) -> u64 {
        let n = self.spins as u64;
        let rows = self.groups.rows as u64;
        let exchanges = if self.groups.columns() > 0 { rows * rows / 2 } else { 0 };
        let mut cost = 2 * n + 5 * exchanges;
        if self.stale > 40 * (n + rows) / 2 {
            self.begin_round();
            cost += n * n / 4;
        }
        if let Some((step, _)) = self.choose() {
            cost += self.make(step) * (20 + n / 4);
        }
        self.step += 1;
        if self.energy < self.round_best {
            self.round_best = self.energy;
            self.stale = 0;
        } else {
            self.stale += 1;
        }
        if self.best.as_ref().is_none_or(|b| self.energy < b.0) {
            self.best = Some((self.energy, self.state.clone()));
            self.is_offered = false;
        }
        cost
    }

    /// From the best state (rarely from anywhere) with a few rows shuffled.
    fn begin_round(&mut self) {
        if self.draw(11).is_multiple_of(8) {
            let start = self.random_state();
            self.set(start);
        } else if !self.draw(12).is_multiple_of(3)
            && let Some((_, best)) = &self.best
        {
            let start = best.clone();
            self.set(start);
        }
        let kicks = 2 + self.below(13, self.groups.rows / 3 + 1) as u64;
        for k in 0..kicks {
            self.kick(100 + 2 * k);
        }
        (self.round_best, self.stale) = (i64::MAX, 0);
    }
}

impl Searcher for Swap {
    fn source(&self) -> Source {
        Source::LocalSearch("swap tabu")
    }

    fn work(&mut self, context: &Context<'_>, effort: u64) -> Outcome {
        let mut spent = std::mem::take(&mut self.debt);
        while spent < effort && !context.stopped() {
            for _ in 0..BURST {
                spent += self.advance();
                if spent >= effort {
                    break;
                }
            }
            if !self.is_offered
                && let Some((energy, state)) = &self.best
                && energy + self.offset < context.best_energy()
            {
                context.offer(state, self.source());
                self.is_offered = true;
            }
        }
        self.debt = spent.saturating_sub(effort);
        Outcome::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hysteron_problem::Problem;

    /// Quadratic assignment of `k` items to `k` places with random flows and distances, as penalties of
    /// rows and columns; with `columns` false items may share places.
    fn assignment(k: u32, columns: bool, seed: u64) -> Ising {
        let cost = |a: u32, b: u32, salt: u64| {
            (mix64(seed ^ salt << 40 ^ u64::from(a.min(b)) << 20 ^ u64::from(a.max(b))) % 9) as i64
        };
        let penalty = 200;
        let mut couplings = Vec::new();
        let mut fields = vec![0i64; (k * k) as usize];
        for a in 0..k * k {
            for b in a + 1..k * k {
                let ((i, p), (j, q)) = ((a / k, a % k), (b / k, b % k));
                let weight =
                    if i == j || (columns && p == q) { penalty } else { cost(i, j, 1) * cost(p, q, 2) };
                if weight != 0 {
                    couplings.push((a, b, weight));
                }
                // From x = (1 + s) / 2; the penalty of a row also has -x in the square of (sum - 1).
                fields[a as usize] += weight;
                fields[b as usize] += weight;
            }
        }
        for field in &mut fields {
            *field -= if columns { 4 } else { 2 } * penalty / 2;
        }
        Ising { spins: k * k, couplings, fields, offset: 5 }
    }

    #[test]
    fn moves_keep_groups_and_energies() {
        for (columns, seed) in [(true, 1), (false, 2), (true, 3), (false, 4)] {
            let ising = assignment(6, columns, seed);
            let mut swap = Swap::new(&ising, seed).expect("groups");
            assert_eq!(swap.groups.columns() > 0, columns);
            let mut kinds = [0; 3];
            for _ in 0..2000 {
                if let Some((step, gain)) = swap.choose() {
                    let before = swap.energy;
                    kinds[match step {
                        Move::Single(_) => 0,
                        Move::Shift(..) => 1,
                        Move::Exchange(_) => 2,
                    }] += 1;
                    swap.make(step);
                    assert_eq!(swap.energy, before - 2 * i64::from(gain), "{step:?}");
                    swap.step += 1;
                }
                assert_eq!(swap.energy + ising.offset, ising.energy(&swap.state));
                for (group, members) in swap.groups.members.iter().enumerate() {
                    let up: Vec<u32> = members.iter().copied().filter(|&s| swap.state[s as usize]).collect();
                    assert!(up.len() <= 1);
                    assert_eq!(swap.up[group], up.first().copied().unwrap_or(NONE));
                }
                swap.advance();
            }
            assert!(kinds[if columns { 2 } else { 1 }] > 0, "{kinds:?}");
        }
    }

    #[test]
    fn small_assignments_are_solved() {
        fn permutations(k: u32) -> Vec<Vec<u32>> {
            if k == 0 {
                return vec![Vec::new()];
            }
            let insert = |p: Vec<u32>| {
                (0..=p.len()).map(move |at| {
                    let mut longer = p.clone();
                    longer.insert(at, k - 1);
                    longer
                })
            };
            permutations(k - 1).into_iter().flat_map(insert).collect()
        }
        for seed in 0..3 {
            let ising = assignment(6, true, seed);
            let energy = |p: &Vec<u32>| {
                let state: Vec<bool> = (0..36).map(|s| p[s / 6] == s as u32 % 6).collect();
                ising.energy(&state)
            };
            let expected = permutations(6).iter().map(energy).min().expect("720 of them");
            let problem = Problem::Ising(ising.clone());
            let context = Context::new(&problem, None, None);
            Swap::new(&ising, seed).expect("groups").work(&context, 5_000_000);
            assert_eq!(context.best_energy(), expected, "seed {seed}");
        }
    }
}
