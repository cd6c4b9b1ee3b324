//! An Ising problem compiled for simulation: canonical order, exact reduction by the common divisor, word class.

use hysteron_problem::Ising;

use crate::run::Error;
use crate::simd::LANES;

/// The most bytes that a circuit and one bank of its chips may take.
pub const BANK_BYTES_MAX: u64 = 1 << 30;

/// The word that local fields are computed in, chosen by the largest sum of absolute weights in a row (field
/// included) after division by the common divisor of all weights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Class {
    /// All couplings -1 or +1, rows at most 126: additions of bytes.
    UnitBytes,
    /// Rows at most 126.
    Bytes,
    /// All couplings -1 or +1, rows at most 32 766: additions of bytes, widened every 120.
    UnitWords,
    /// Rows at most 32 766.
    Words,
    /// Rows below 2^27.
    Longs,
    /// Rows below 2^62.
    Wides,
}

impl Class {
    /// The largest sum of absolute weights that a row of this class may have.
    pub const fn row_max(self) -> i64 {
        match self {
            Self::UnitBytes | Self::Bytes => 126,
            Self::UnitWords | Self::Words => 32_766,
            Self::Longs => (1 << 27) - 1,
            Self::Wides => (1 << 62) - 1,
        }
    }

    /// The name for reports and benchmarks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnitBytes => "unit i8",
            Self::Bytes => "i8",
            Self::UnitWords => "unit i16",
            Self::Words => "i16",
            Self::Longs => "i32",
            Self::Wides => "i64",
        }
    }
}

/// Weights beside the neighbours, in the word of the class; nothing where the place in the row says the sign.
#[derive(Clone, Debug)]
pub(super) enum Weights {
    /// +1 up to the row's middle, -1 after it.
    Unit,
    /// For [`Class::Bytes`] and [`Class::Words`].
    Words(Vec<i16>),
    /// For [`Class::Longs`].
    Longs(Vec<i32>),
    /// For [`Class::Wides`].
    Wides(Vec<i64>),
}

/// An Ising problem compiled for crossbar chips. Elements (spins) are stored in the canonical order: by colour of a
/// greedy colouring in index order, then by number of couplings, then by number of positive ones, then by index. Spins of
/// one colour share no coupling, so updating a colour at once is updating it in sequence.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// Position in canonical order -> spin of the problem.
    pub(super) order: Vec<u32>,
    /// Spin of the problem -> position in canonical order.
    pub(super) by_spin: Vec<u32>,
    /// Where each colour begins in the canonical order, and its end.
    pub(super) colours: Vec<u32>,
    /// Couplings of position `p` are `rows[p]..rows[p + 1]`, of weight > 0 up to `middles[p]`.
    pub(super) rows: Vec<u32>,
    pub(super) middles: Vec<u32>,
    /// The neighbour's position times 64: the byte where its row of lanes begins.
    pub(super) neighbours: Vec<u32>,
    pub(super) weights: Weights,
    /// Reduced fields.
    pub(super) fields: Vec<i64>,
    /// `field - sum of weights`: the local field when all neighbours are -1.
    pub(super) bases: Vec<i64>,
    /// Ends of stretches of positions whose rows together weigh no more than the class's word can count.
    pub(super) stretches: Vec<u32>,
    /// Likewise for bytes, where the class sums rows in bytes; a row too long for that is a stretch of its own, and
    /// marked.
    pub(super) byte_stretches: Vec<(u32, bool)>,
    class: Class,
    /// Energy = `offset + divisor * reduced energy`.
    divisor: i64,
    offset: i64,
    /// The root of the mean over spins of the sum of squared couplings, reduced, in Q16.
    sigma_q16: u128,
}

impl Circuit {
    /// Compiles a problem. Weights are divided by their greatest common divisor and never rounded.
    ///
    /// # Errors
    /// [`Error::Range`] if a row's absolute weights sum to 2^62 or more, or all weights together do;
    /// [`Error::Memory`] if a bank would need more than [`BANK_BYTES_MAX`].
    pub fn compile(problem: &Ising) -> Result<Self, Error> {
        let spins = problem.spins as usize;
        let needed = Self::bytes_needed(spins as u64, problem.couplings.len() as u64);
        if needed > BANK_BYTES_MAX {
            return Err(Error::Memory { needed, limit: BANK_BYTES_MAX });
        }
        let magnitude_sum = problem
            .couplings
            .iter()
            .map(|c| u128::from(c.2.unsigned_abs()))
            .chain(problem.fields.iter().map(|f| u128::from(f.unsigned_abs())))
            .sum::<u128>()
            + u128::from(problem.offset.unsigned_abs());
        if magnitude_sum >= 1 << 62 {
            return Err(Error::Range(format!("absolute weights sum to {magnitude_sum}, the limit is 2^62")));
        }
        let divisor = problem
            .couplings
            .iter()
            .map(|c| c.2.unsigned_abs())
            .chain(problem.fields.iter().map(|f| f.unsigned_abs()))
            .fold(0, greatest_common_divisor)
            .max(1) as i64;

        let adjacency = Adjacency::new(problem, divisor);
        let row_max =
            (0..spins).map(|i| adjacency.magnitude(i, problem.fields[i] / divisor)).max().unwrap_or(0);
        let class = classify(&adjacency, row_max);
        let (order, colours) = canonical_order(&adjacency, spins);
        let mut place = vec![0u32; spins];
        for (position, &spin) in order.iter().enumerate() {
            place[spin as usize] = position as u32;
        }

        let mut circuit = Self {
            rows: vec![0],
            middles: Vec::with_capacity(spins),
            neighbours: Vec::with_capacity(adjacency.entries.len()),
            weights: Weights::Unit,
            fields: Vec::with_capacity(spins),
            bases: Vec::with_capacity(spins),
            stretches: Vec::new(),
            byte_stretches: Vec::new(),
            class,
            divisor,
            offset: problem.offset,
            sigma_q16: adjacency.sigma_q16(spins),
            order,
            by_spin: place,
            colours,
        };
        let mut weights = Vec::with_capacity(adjacency.entries.len());
        let mut magnitudes = Vec::with_capacity(spins);
        for position in 0..spins {
            let spin = circuit.order[position] as usize;
            let field = problem.fields[spin] / divisor;
            let magnitude = adjacency.magnitude(spin, field);
            magnitudes.push(magnitude);
            // Positive couplings first, each side by position: memory is walked forwards.
            let mut row: Vec<(bool, u32, i64)> =
                adjacency.row(spin).iter().map(|&(j, w)| (w < 0, circuit.by_spin[j as usize], w)).collect();
            row.sort_unstable();
            circuit.neighbours.extend(row.iter().map(|&(_, p, _)| p * LANES as u32));
            weights.extend(row.iter().map(|&(_, _, w)| w));
            let positive = row.iter().filter(|c| !c.0).count() as u32;
            circuit.middles.push(circuit.rows[position] + positive);
            circuit.rows.push(circuit.neighbours.len() as u32);
            circuit.fields.push(field);
            circuit.bases.push(field - row.iter().map(|c| c.2).sum::<i64>());
        }
        circuit.mark_stretches(&magnitudes);
        circuit.weights = match class {
            Class::UnitBytes | Class::UnitWords => Weights::Unit,
            Class::Bytes | Class::Words => Weights::Words(weights.iter().map(|&w| w as i16).collect()),
            Class::Longs => Weights::Longs(weights.iter().map(|&w| w as i32).collect()),
            Class::Wides => Weights::Wides(weights),
        };
        Ok(circuit)
    }

    fn mark_stretches(&mut self, magnitudes: &[i64]) {
        let capacity = match self.class {
            Class::UnitBytes | Class::Bytes => 127,
            Class::UnitWords | Class::Words => 32_767,
            Class::Longs => (1 << 31) - 1,
            Class::Wides => i64::MAX,
        };
        let (mut words, mut bytes) = (0i64, 0i64);
        for (position, &magnitude) in magnitudes.iter().enumerate() {
            if magnitude > capacity - words {
                self.stretches.push(position as u32);
                words = 0;
            }
            words += magnitude;
            let end = position as u32 + 1;
            if magnitude > Class::UnitBytes.row_max() {
                self.byte_stretches.push((end, true));
                // Nothing may join it, not even a spin without couplings.
                bytes = 128;
            } else if magnitude > 127 - bytes || self.byte_stretches.is_empty() {
                self.byte_stretches.push((end, false));
                bytes = magnitude;
            } else {
                bytes += magnitude;
                self.byte_stretches.last_mut().expect("not empty").0 = end;
            }
        }
        self.stretches.push(magnitudes.len() as u32);
    }

    /// Bytes that a circuit and one bank take, at most, for so many spins and couplings.
    pub fn bytes_needed(spins: u64, couplings: u64) -> u64 {
        // State row, best bits, two cluster rows, row bounds and order, fields and bases, the report's assignment a lane, and
        // room for whoever compares three times as many; neighbour and weight, both ways.
        spins * (64 + 8 + 2 * 64 + 16 + 16 + 4 * 64) + couplings * 2 * 12
    }

    /// The number of spins.
    pub fn spins(&self) -> usize {
        self.order.len()
    }
    /// The number of couplings, each counted once.
    pub fn couplings(&self) -> usize {
        self.neighbours.len() / 2
    }
    /// The word class.
    pub fn class(&self) -> Class {
        self.class
    }
    /// The number of colours of the canonical order.
    pub fn colours(&self) -> usize {
        self.colours.len() - 1
    }
    /// Elementary circuit updates of one step of one chip: every spin reads every coupling.
    pub fn ecu_per_step(&self) -> u64 {
        self.neighbours.len() as u64
    }
    /// The canonical energy of a reduced one.
    pub(super) fn energy(&self, reduced: i64) -> i64 {
        self.offset + self.divisor * reduced
    }
    /// Temperatures are in units of this: the root of the mean over spins of the sum of squared couplings, reduced, in
    /// Q16; that of the fields where there is no coupling. At least 1.
    pub(super) fn sigma_q16(&self) -> u128 {
        self.sigma_q16
    }
    /// The weight of entry `k` of [`Self::neighbours`], in the row of `position`.
    pub(super) fn weight(&self, position: usize, k: usize) -> i64 {
        match &self.weights {
            Weights::Unit => {
                if k < self.middles[position] as usize {
                    1
                } else {
                    -1
                }
            }
            Weights::Words(weights) => i64::from(weights[k]),
            Weights::Longs(weights) => i64::from(weights[k]),
            Weights::Wides(weights) => weights[k],
        }
    }
}

/// Rows of reduced couplings by spin.
struct Adjacency {
    starts: Vec<u32>,
    entries: Vec<(u32, i64)>,
    field_square_mean: u128,
}

impl Adjacency {
    fn new(problem: &Ising, divisor: i64) -> Self {
        let spins = problem.spins as usize;
        let mut starts = vec![0u32; spins + 1];
        for &(i, j, _) in &problem.couplings {
            starts[i as usize + 1] += 1;
            starts[j as usize + 1] += 1;
        }
        for i in 0..spins {
            starts[i + 1] += starts[i];
        }
        let mut fill = starts.clone();
        let mut entries = vec![(0, 0); 2 * problem.couplings.len()];
        for &(i, j, weight) in &problem.couplings {
            for (a, b) in [(i, j), (j, i)] {
                entries[fill[a as usize] as usize] = (b, weight / divisor);
                fill[a as usize] += 1;
            }
        }
        let squares = problem.fields.iter().map(|f| square(f / divisor)).fold(0, u128::saturating_add);
        Self { starts, entries, field_square_mean: squares / spins.max(1) as u128 }
    }

    fn row(&self, spin: usize) -> &[(u32, i64)] {
        &self.entries[self.starts[spin] as usize..self.starts[spin + 1] as usize]
    }

    /// Absolute weights of a row and its field; below 2^62, as all weights together are.
    fn magnitude(&self, spin: usize, field: i64) -> i64 {
        self.row(spin).iter().map(|c| c.1.abs()).sum::<i64>() + field.abs()
    }

    /// The root, in Q16, of the mean over spins of the sum of squared couplings.
    fn sigma_q16(&self, spins: usize) -> u128 {
        let squares = self.entries.iter().map(|c| square(c.1)).fold(0, u128::saturating_add);
        let mean = if squares == 0 {
            self.field_square_mean << 32
        } else if squares < 1 << 95 {
            (squares << 32) / spins as u128
        } else {
            // Too large for Q32, and so large that nothing is lost by dividing first.
            (squares / spins as u128).saturating_mul(1 << 32)
        };
        mean.isqrt().max(1)
    }
}

fn square(weight: i64) -> u128 {
    u128::from(weight.unsigned_abs()) * u128::from(weight.unsigned_abs())
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn classify(adjacency: &Adjacency, row_max: i64) -> Class {
    let unit = adjacency.entries.iter().all(|c| c.1.abs() == 1);
    if unit && row_max <= Class::UnitBytes.row_max() {
        Class::UnitBytes
    } else if row_max <= Class::Bytes.row_max() {
        Class::Bytes
    } else if unit && row_max <= Class::UnitWords.row_max() {
        Class::UnitWords
    } else if row_max <= Class::Words.row_max() {
        Class::Words
    } else if row_max <= Class::Longs.row_max() {
        Class::Longs
    } else {
        Class::Wides
    }
}

/// The canonical order and where its colours begin. The colouring is first fit in index order.
fn canonical_order(adjacency: &Adjacency, spins: usize) -> (Vec<u32>, Vec<u32>) {
    let mut colour = vec![u32::MAX; spins];
    // taken[c] == i: a neighbour of i has colour c.
    let mut taken: Vec<u32> = Vec::new();
    for i in 0..spins {
        for &(j, _) in adjacency.row(i) {
            let c = colour[j as usize];
            if c != u32::MAX {
                taken[c as usize] = i as u32;
            }
        }
        let c = taken.iter().position(|&t| t != i as u32).unwrap_or_else(|| {
            taken.push(u32::MAX);
            taken.len() - 1
        });
        colour[i] = c as u32;
    }
    let mut order: Vec<u32> = (0..spins as u32).collect();
    order.sort_by_cached_key(|&i| {
        let row = adjacency.row(i as usize);
        (colour[i as usize], row.len(), row.iter().filter(|c| c.1 > 0).count(), i)
    });
    let mut colours = vec![0];
    for (position, pair) in order.windows(2).enumerate() {
        if colour[pair[0] as usize] != colour[pair[1] as usize] {
            colours.push(position as u32 + 1);
        }
    }
    if spins > 0 {
        colours.push(spins as u32);
    }
    (order, colours)
}
