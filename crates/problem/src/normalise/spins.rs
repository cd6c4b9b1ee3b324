//! Ising problems: spins whose value, or whose best answer to their neighbours, is known exactly.
//!
//! Three rules, each exact in integers and applied until none fits:
//! * a field at least as large as the sum of the couplings fixes the spin;
//! * a coupling at least as large as everything else in the spin's row ties the spin to that
//!   neighbour (every spin with one neighbour, and with two and no field, is fixed or tied);
//! * a spin with few neighbours is replaced by the couplings among them that give, for each of their
//!   states, the energy of the spin's best answer.

use super::components::{self, Sets};
use super::restore::{RestoreMap, Step};
use super::{Decided, NormaliseOptions, NormaliseStatistics, Normalised, SpinElimination};
use crate::canonical::{Ising, Problem, WEIGHT_SUM_MAX};

/// A row with more couplings is not searched for a dominating one.
const MERGE_DEGREE_MAX: u32 = 64;
/// The coupling between two spins is looked for in the shorter of their lists, up to this length.
const SCAN_MAX: usize = 256;
/// Visits of couplings allowed for each spin and coupling of the problem.
const WORK_PER_ELEMENT: u64 = 64;
/// Added to the above.
const WORK_FLOOR: u64 = 1_000_000;

pub(super) fn normalise_ising(ising: &Ising, options: &NormaliseOptions) -> Normalised {
    // Halves arise only in eliminations, and two magnitudes of couplings only from halves.
    let halves = match options.spin_elimination {
        SpinElimination::Off => false,
        SpinElimination::DegreeTwo => ising.fields.iter().any(|&h| h != 0),
        SpinElimination::DegreeThree => true,
    };
    let units = options.keep_unit_couplings && unit_magnitude(ising).is_some();
    let attempt = if options.spin_merging && halves && !units { reduce(ising, options, 2) } else { None };
    attempt.or_else(|| reduce(ising, options, 1)).unwrap_or_else(|| {
        // Sums near the bound: hand the problem on as it is.
        reduce(ising, &NormaliseOptions::split_only(), 1).expect("nothing is added up")
    })
}

/// The magnitude of all couplings, if they have only one.
fn unit_magnitude(ising: &Ising) -> Option<u64> {
    let first = ising.couplings.first()?.2.unsigned_abs();
    ising.couplings.iter().all(|c| c.2.unsigned_abs() == first).then_some(first)
}

/// `None` if a sum would not fit at this scale.
fn reduce(ising: &Ising, options: &NormaliseOptions, scale: i64) -> Option<Normalised> {
    let active = options.spin_merging && some_rule_applies(ising, options.spin_elimination);
    let mut reducer = Reducer::new(ising, options, scale, active)?;
    if active {
        reducer.run(options.spin_elimination);
    }
    reducer.finish(ising, options, scale)
}

/// Whether there is a spin to begin with: dense problems have none, and are spared the tables.
fn some_rule_applies(ising: &Ising, elimination: SpinElimination) -> bool {
    let mut rows = vec![(0u32, 0u64, 0u64); ising.spins as usize]; // degree, sum, largest
    for &(i, j, weight) in &ising.couplings {
        for spin in [i as usize, j as usize] {
            let (degree, sum, largest) = rows[spin];
            let magnitude = weight.unsigned_abs();
            rows[spin] = (degree + 1, sum.saturating_add(magnitude), largest.max(magnitude));
        }
    }
    rows.into_iter().zip(&ising.fields).any(|((degree, sum, largest), field)| {
        let field = field.unsigned_abs();
        let eliminated = match elimination {
            SpinElimination::Off => false,
            SpinElimination::DegreeTwo => degree == 2,
            SpinElimination::DegreeThree => degree == 2 || degree == 3 && field == 0,
        };
        field >= sum || eliminated || largest >= (sum - largest).saturating_add(field)
    })
}

struct Reducer {
    /// `(i, j, J)`; `J == 0` marks a removed coupling.
    couplings: Vec<(u32, u32, i64)>,
    /// For each spin, indices into `couplings`; removed ones are weeded out when met.
    lists: Vec<Vec<u32>>,
    degree: Vec<u32>,
    /// The sum of absolute couplings of each spin.
    row: Vec<u64>,
    fields: Vec<i64>,
    alive: Vec<bool>,
    queue: std::collections::VecDeque<u32>,
    queued: Vec<bool>,
    constant: i128,
    steps: Vec<Step>,
    /// The magnitude that couplings must keep, if any.
    unit: Option<u64>,
    work: u64,
    statistics: NormaliseStatistics,
}

impl Reducer {
    fn new(ising: &Ising, options: &NormaliseOptions, scale: i64, active: bool) -> Option<Self> {
        let spins = ising.spins as usize;
        // Every later sum is bounded by this one: the rules never enlarge the sum of magnitudes.
        let mut total = i128::from(ising.offset).abs();
        total += ising.couplings.iter().map(|c| i128::from(c.2).abs()).sum::<i128>();
        total += ising.fields.iter().map(|&h| i128::from(h).abs()).sum::<i128>();
        if active && total * i128::from(scale) > i128::from(WEIGHT_SUM_MAX) {
            return None;
        }
        let couplings: Vec<(u32, u32, i64)> =
            ising.couplings.iter().map(|&(i, j, weight)| (i, j, weight * scale)).collect();
        let mut degree = vec![0u32; spins];
        let mut row = vec![0u64; spins];
        for &(i, j, weight) in &couplings {
            for spin in [i as usize, j as usize] {
                degree[spin] += 1;
                row[spin] = row[spin].saturating_add(weight.unsigned_abs());
            }
        }
        let mut lists: Vec<Vec<u32>> = Vec::new();
        if active {
            lists = degree.iter().map(|&d| Vec::with_capacity(d as usize)).collect();
            for (index, &(i, j, _)) in couplings.iter().enumerate() {
                lists[i as usize].push(index as u32);
                lists[j as usize].push(index as u32);
            }
        }
        let unit = if options.keep_unit_couplings { unit_magnitude(ising) } else { None };
        Some(Self {
            couplings,
            lists,
            degree,
            row,
            fields: ising.fields.iter().map(|h| h * scale).collect(),
            alive: vec![true; spins],
            queue: (0..ising.spins).collect(),
            queued: vec![true; spins],
            constant: i128::from(ising.offset) * i128::from(scale),
            steps: Vec::new(),
            unit: unit.map(|u| u * scale as u64),
            work: 0,
            statistics: NormaliseStatistics {
                variables_before: ising.spins,
                constraints_before: ising.couplings.len() as u64,
                elements_before: ising.couplings.len() as u64,
                ..NormaliseStatistics::default()
            },
        })
    }

    fn run(&mut self, elimination: SpinElimination) {
        let elements = (self.lists.len() + self.couplings.len()) as u64;
        let work_max = WORK_FLOOR + WORK_PER_ELEMENT * elements;
        while let Some(spin) = self.queue.pop_front() {
            self.queued[spin as usize] = false;
            if self.work > work_max {
                self.statistics.spins_cut = true;
                return;
            }
            if self.alive[spin as usize] {
                self.work += 1;
                self.visit(spin, elimination);
            }
        }
    }

    fn visit(&mut self, spin: u32, elimination: SpinElimination) {
        let s = spin as usize;
        let field = self.fields[s];
        if field.unsigned_abs() >= self.row[s] {
            self.fix(spin, field <= 0);
            return;
        }
        if self.degree[s] > MERGE_DEGREE_MAX {
            return;
        }
        let neighbours = self.neighbours(spin);
        let Some(&(nearest, weight)) =
            neighbours.iter().max_by_key(|&&(j, weight)| (weight.unsigned_abs(), std::cmp::Reverse(j)))
        else {
            return;
        };
        let rest = self.row[s] - weight.unsigned_abs() + field.unsigned_abs();
        if weight.unsigned_abs() >= rest {
            self.merge(spin, nearest, weight, &neighbours);
            return;
        }
        let allowed = match elimination {
            SpinElimination::Off => false,
            SpinElimination::DegreeTwo => neighbours.len() == 2,
            SpinElimination::DegreeThree => neighbours.len() == 2 || (neighbours.len() == 3 && field == 0),
        };
        if allowed {
            self.eliminate(spin, field, &neighbours);
        }
    }

    /// The neighbours of a spin and their couplings.
    fn neighbours(&mut self, spin: u32) -> Vec<(u32, i64)> {
        let couplings = &self.couplings;
        let list = &mut self.lists[spin as usize];
        self.work += list.len() as u64;
        list.retain(|&c| couplings[c as usize].2 != 0);
        list.iter().map(|&c| other_end(couplings[c as usize], spin)).collect()
    }

    /// The index of the coupling between two spins, `Err` if the search would be long.
    fn coupling_between(&mut self, a: u32, b: u32) -> Result<Option<u32>, ()> {
        let (a, b) =
            if self.lists[a as usize].len() <= self.lists[b as usize].len() { (a, b) } else { (b, a) };
        let list = &self.lists[a as usize];
        if list.len() > SCAN_MAX {
            return Err(());
        }
        self.work += list.len() as u64;
        let found = list.iter().copied().find(|&c| {
            let coupling = self.couplings[c as usize];
            coupling.2 != 0 && other_end(coupling, a).0 == b
        });
        Ok(found)
    }

    fn push(&mut self, spin: u32) {
        if self.alive[spin as usize] && !self.queued[spin as usize] {
            self.queued[spin as usize] = true;
            self.queue.push_back(spin);
        }
    }

    /// Takes the spin and its couplings out; neighbours are looked at again.
    fn detach(&mut self, spin: u32) {
        self.alive[spin as usize] = false;
        for coupling in std::mem::take(&mut self.lists[spin as usize]) {
            let (neighbour, weight) = other_end(self.couplings[coupling as usize], spin);
            if weight == 0 {
                continue;
            }
            self.couplings[coupling as usize].2 = 0;
            self.degree[neighbour as usize] -= 1;
            self.row[neighbour as usize] -= weight.unsigned_abs();
            self.push(neighbour);
        }
        self.row[spin as usize] = 0;
        self.fields[spin as usize] = 0;
    }

    fn fix(&mut self, spin: u32, value: bool) {
        if self.row[spin as usize] == 0 && self.fields[spin as usize] == 0 {
            self.statistics.unused += 1;
        } else {
            self.statistics.spins_fixed += 1;
        }
        self.steps.push(Step::Fixed { variable: spin, value });
        self.constant -= i128::from(self.fields[spin as usize]).abs();
        // A fixed spin turns its couplings into fields.
        for index in 0..self.lists[spin as usize].len() {
            let coupling = self.lists[spin as usize][index];
            let (neighbour, weight) = other_end(self.couplings[coupling as usize], spin);
            self.fields[neighbour as usize] += if value { weight } else { -weight };
        }
        self.work += self.lists[spin as usize].len() as u64;
        self.detach(spin);
    }

    /// Ties `spin` to `nearest`, whose coupling `weight` outweighs the rest of the row.
    fn merge(&mut self, spin: u32, nearest: u32, weight: i64, neighbours: &[(u32, i64)]) {
        let opposite = weight > 0;
        let sign = |w: i64| if opposite { -w } else { w };
        let moved: Vec<_> =
            neighbours.iter().filter(|n| n.0 != nearest).map(|&(j, w)| (nearest, j, sign(w))).collect();
        let Some(slots) = self.places_for(&moved) else { return };
        let field = self.fields[spin as usize];
        self.steps.push(Step::Copied { variable: spin, from: nearest, opposite });
        self.statistics.spins_merged += 1;
        self.constant -= i128::from(weight).abs();
        self.detach(spin);
        self.fields[nearest as usize] += sign(field);
        self.push(nearest);
        self.add_couplings(&moved, &slots);
    }

    /// Replaces `spin` by what its best answer `-|sum_j J_j s_j + h|` is worth: with two neighbours and a
    /// field, or three and none, that function of the neighbours' signs is a sum of products of two
    /// signs. Does nothing where its coefficients are no integers.
    fn eliminate(&mut self, spin: u32, field: i64, neighbours: &[(u32, i64)]) {
        let (a, b) = (neighbours[0], neighbours[1]);
        let c = neighbours.get(2).map_or(field, |n| n.1);
        // Energies for signs (+,+,+), (+,-,+), (-,+,+), (-,-,+); global flips give the same.
        let answer = |x: i64, y: i64| {
            -(i128::from(a.1) * i128::from(x) + i128::from(b.1) * i128::from(y) + i128::from(c)).abs()
        };
        let (pp, pm, mp, mm) = (answer(1, 1), answer(1, -1), answer(-1, 1), answer(-1, -1));
        let quadruple = [pp + pm + mp + mm, pp - pm - mp + mm, pp + pm - mp - mm, pp - pm + mp - mm];
        if quadruple.iter().any(|q| q % 4 != 0) {
            return;
        }
        // Each is at most the spin's row and field, which leave with it.
        let [constant, ab, ac, bc] = quadruple.map(|q| (q / 4) as i64);
        let mut moved = vec![(a.0, b.0, ab)];
        if let Some(third) = neighbours.get(2) {
            moved.extend([(a.0, third.0, ac), (b.0, third.0, bc)]);
        }
        moved.retain(|m| m.2 != 0);
        let Some(slots) = self.places_for(&moved) else { return };
        self.steps.push(Step::Answered { spin, field, neighbours: neighbours.into() });
        self.statistics.spins_eliminated += 1;
        self.constant += i128::from(constant);
        self.detach(spin);
        if neighbours.len() == 2 {
            self.fields[a.0 as usize] += ac;
            self.fields[b.0 as usize] += bc;
            self.push(a.0);
            self.push(b.0);
        }
        self.add_couplings(&moved, &slots);
    }

    /// Where the couplings to be added are now; `None` if one must not or cannot cheaply be added.
    fn places_for(&mut self, added: &[(u32, u32, i64)]) -> Option<Vec<Option<u32>>> {
        let mut places = Vec::with_capacity(added.len());
        for &(i, j, weight) in added {
            let place = self.coupling_between(i, j).ok()?;
            let sum = weight + place.map_or(0, |p| self.couplings[p as usize].2);
            if self.unit.is_some_and(|unit| sum != 0 && sum.unsigned_abs() != unit) {
                return None;
            }
            places.push(place);
        }
        Some(places)
    }

    fn add_couplings(&mut self, added: &[(u32, u32, i64)], places: &[Option<u32>]) {
        for (&(i, j, weight), &place) in added.iter().zip(places) {
            let old = place.map_or(0, |p| self.couplings[p as usize].2);
            let new = old + weight;
            for spin in [i, j] {
                let s = spin as usize;
                self.row[s] = self.row[s] - old.unsigned_abs() + new.unsigned_abs();
                self.degree[s] = self.degree[s] - u32::from(old != 0) + u32::from(new != 0);
                self.push(spin);
            }
            match place {
                Some(place) => self.couplings[place as usize].2 = new,
                None if new != 0 => {
                    let index = self.couplings.len() as u32;
                    self.couplings.push((i.min(j), i.max(j), new));
                    self.lists[i as usize].push(index);
                    self.lists[j as usize].push(index);
                }
                None => {}
            }
        }
    }

    fn finish(mut self, ising: &Ising, options: &NormaliseOptions, mut scale: i64) -> Option<Normalised> {
        let spins = ising.spins;
        self.couplings.retain(|c| c.2 != 0);
        if !self.couplings.is_sorted_by_key(|c| (c.0, c.1)) {
            self.couplings.sort_unstable_by_key(|c| (c.0, c.1));
        }
        let odd = |w: i64| w & 1 != 0;
        if scale > 1 && !self.couplings.iter().any(|c| odd(c.2)) && !self.fields.iter().any(|&h| odd(h)) {
            // All energies are even, and so is the constant, since the sum halves to the original's.
            scale /= 2;
            self.couplings.iter_mut().for_each(|c| c.2 /= 2);
            self.fields.iter_mut().for_each(|h| *h /= 2);
            self.constant /= 2;
        }
        let mut sets = Sets::new(spins);
        if options.split {
            self.couplings.iter().for_each(|c| sets.join(c.0, c.1));
        }
        let components_max = if options.split { options.components_max } else { 1 };
        let alive = &self.alive;
        if !options.split
            && let Some(first) = (0..spins).find(|&s| alive[s as usize])
        {
            (first..spins).filter(|&s| alive[s as usize]).for_each(|s| sets.join(first, s));
        }
        let placement = components::place(&mut sets, |s| alive[s as usize], spins, components_max);
        let mut parts: Vec<Ising> = placement
            .kept
            .iter()
            .map(|kept| Ising {
                spins: kept.len() as u32,
                fields: kept.iter().map(|&s| self.fields[s as usize]).collect(),
                ..Ising::default()
            })
            .collect();
        // Numbers within a component grow with the original ones, so the order holds.
        for &(i, j, weight) in &self.couplings {
            let index = |s: u32| placement.index[s as usize];
            parts[placement.component[i as usize] as usize].couplings.push((index(i), index(j), weight));
        }
        let mut statistics = self.statistics;
        statistics.components = placement.found;
        statistics.components_packed = placement.packed;
        for part in &parts {
            statistics.variables_after += part.spins;
            statistics.constraints_after += part.couplings.len() as u64;
        }
        statistics.elements_after = statistics.constraints_after;
        Some(Normalised {
            decided: parts.is_empty().then_some(Decided::Solved),
            components: parts.into_iter().map(Problem::Ising).collect(),
            restore: RestoreMap {
                variables: spins,
                kept: placement.kept,
                steps: self.steps,
                constant: i64::try_from(self.constant).ok()?,
                divisor: scale,
            },
            statistics,
        })
    }
}

/// The end of a coupling that is not `spin`, and the coupling.
fn other_end((i, j, weight): (u32, u32, i64), spin: u32) -> (u32, i64) {
    (if i == spin { j } else { i }, weight)
}
