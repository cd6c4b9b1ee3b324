//! Finds variables of which at most one should be up: cliques of large positive couplings, as penalties
//! for "exactly one of these" leave them in a QUBO or Ising problem.

use hysteron_problem::Ising;

/// "No group."
pub const NONE: u32 = u32::MAX;
/// How many of the largest coupling values are tried as the least of the penalties.
const VALUES_TRIED: usize = 8;
/// Groups of a table of rows and columns have at most so many cells.
const CELLS_MAX: usize = 1 << 24;

/// Groups of spins of which at most one should be up; each spin is in at most two.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Groups {
    /// The spins of each group, ascending.
    pub members: Vec<Vec<u32>>,
    /// The first of these groups are disjoint, and so are the others.
    pub rows: usize,
    /// The row and the column (minus [`Self::rows`]) of each spin, [`NONE`] if it has none.
    pub of: Vec<[u32; 2]>,
    /// The spin of each row and column, row by row; empty if there are no columns.
    pub cells: Vec<u32>,
}

impl Groups {
    /// The groups of `ising`, if its couplings from some value on are exactly the cliques of such groups
    /// and they hold at least half of the spins. A greater energy must be the price of two spins of a
    /// group, so those couplings must be positive and the largest of all.
    pub fn detect(ising: &Ising) -> Option<Self> {
        let mut values: Vec<i64> = ising.couplings.iter().map(|c| c.2).filter(|&w| w > 0).collect();
        values.sort_unstable_by(|a, b| b.cmp(a));
        let largest = *values.first()?;
        let mut tried = 0;
        let mut best: Option<Self> = None;
        let mut place = 0;
        while place < values.len() && tried < VALUES_TRIED && values[place] >= largest / 4 {
            let value = values[place];
            let end = place + values[place..].partition_point(|&w| w == value);
            // Groups of three and more need a coupling a spin; sparse values are noise.
            if end >= ising.spins as usize / 2
                && let Some(groups) = Self::from_penalties(ising, value)
                && best.as_ref().is_none_or(|b| b.grouped() < groups.grouped())
            {
                best = Some(groups);
            }
            place = end;
            tried += 1;
        }
        best.filter(|groups| 2 * groups.grouped() >= ising.spins as usize)
    }

    /// The number of spins in a row.
    fn grouped(&self) -> usize {
        self.of.iter().filter(|of| of[0] != NONE).count()
    }

    fn from_penalties(ising: &Ising, least: i64) -> Option<Self> {
        let n = ising.spins as usize;
        let mut neighbours: Vec<Vec<u32>> = vec![Vec::new(); n];
        for &(i, j, weight) in &ising.couplings {
            if weight >= least {
                neighbours[i as usize].push(j);
                neighbours[j as usize].push(i);
            }
        }
        for list in &mut neighbours {
            list.sort_unstable();
        }
        let (mut members, row_of) = cliques(&neighbours)?;
        let rows = members.len();
        for (i, list) in neighbours.iter_mut().enumerate() {
            list.retain(|&j| row_of[i] == NONE || row_of[i] != row_of[j as usize]);
        }
        let (columns, column_of) = cliques(&neighbours)?;
        for (i, list) in neighbours.iter().enumerate() {
            if list.iter().any(|&j| column_of[i] == NONE || column_of[i] != column_of[j as usize]) {
                return None;
            }
        }
        let mut cells = Vec::new();
        if !columns.is_empty() {
            if rows * columns.len() > CELLS_MAX {
                return None;
            }
            cells = vec![NONE; rows * columns.len()];
            for spin in 0..n {
                if row_of[spin] != NONE && column_of[spin] != NONE {
                    cells[row_of[spin] as usize * columns.len() + column_of[spin] as usize] = spin as u32;
                }
            }
        }
        members.extend(columns);
        let of = row_of.into_iter().zip(column_of).map(|(row, column)| [row, column]).collect();
        Some(Self { members, rows, of, cells })
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.members.len() - self.rows
    }

    /// The groups of a spin, as indices of [`Self::members`].
    pub fn groups_of(&self, spin: usize) -> impl Iterator<Item = usize> + use<> {
        let [row, column] = self.of[spin];
        let column = if column == NONE { NONE } else { column + self.rows as u32 };
        [row, column].into_iter().filter(|&g| g != NONE).map(|g| g as usize)
    }
}

/// Disjoint cliques: each grows from the first free spin, its first free neighbour and the free
/// neighbours of both, which in a grid of rows and columns is the rest of their row. None if one of
/// them is no clique.
fn cliques(neighbours: &[Vec<u32>]) -> Option<(Vec<Vec<u32>>, Vec<u32>)> {
    let mut of = vec![NONE; neighbours.len()];
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for first in 0..neighbours.len() {
        if of[first] != NONE {
            continue;
        }
        let is_free = |j: &&u32| of[**j as usize] == NONE;
        let Some(&second) = neighbours[first].iter().find(is_free) else { continue };
        let mut group = vec![first as u32, second];
        let common = neighbours[first].iter().filter(is_free);
        group.extend(common.filter(|j| neighbours[second as usize].binary_search(j).is_ok()));
        group.sort_unstable();
        for &i in &group {
            let is_joined = |j: &u32| *j == i || neighbours[i as usize].binary_search(j).is_ok();
            if !group.iter().all(is_joined) {
                return None;
            }
            of[i as usize] = groups.len() as u32;
        }
        groups.push(group);
    }
    Some((groups, of))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(sum - 1)^2` for each group, and a small coupling between all others.
    fn penalised(spins: u32, groups: &[Vec<u32>]) -> Ising {
        let mut couplings = Vec::new();
        for i in 0..spins {
            for j in i + 1..spins {
                let shared = groups.iter().filter(|g| g.contains(&i) && g.contains(&j)).count() as i64;
                couplings.push((i, j, if shared > 0 { 100 * shared } else { i64::from((i * j) % 7) + 1 }));
            }
        }
        Ising { spins, couplings, fields: vec![0; spins as usize], offset: 0 }
    }

    #[test]
    fn disjoint_groups_are_found() {
        let groups: Vec<Vec<u32>> = vec![vec![0, 3, 5], vec![1, 2, 4, 6]];
        let found = Groups::detect(&penalised(8, &groups)).expect("two groups");
        assert_eq!(found.members, groups);
        assert_eq!((found.rows, found.columns()), (2, 0));
        assert_eq!(found.of[7], [NONE, NONE]);
    }

    #[test]
    fn rows_and_columns_are_found() {
        let rows = (0..5).map(|i| (0..5).map(|p| 5 * i + p).collect());
        let columns = (0..5).map(|p| (0..5).map(|i| 5 * i + p).collect());
        let groups: Vec<Vec<u32>> = rows.chain(columns).collect();
        let found = Groups::detect(&penalised(25, &groups)).expect("a grid");
        assert_eq!(found.members, groups);
        assert_eq!((found.rows, found.columns()), (5, 5));
        assert_eq!(found.cells, (0..25).collect::<Vec<u32>>());
    }

    #[test]
    fn random_couplings_are_no_groups() {
        let mut couplings = Vec::new();
        for i in 0..60u32 {
            for j in i + 1..60 {
                let draw = hysteron_circuit::rom::mix64(u64::from(i * 60 + j));
                if draw & 1 == 0 {
                    couplings.push((i, j, 1));
                }
            }
        }
        let ising = Ising { spins: 60, couplings, fields: vec![0; 60], offset: 0 };
        assert_eq!(Groups::detect(&ising), None);
    }
}
