//! Kernel B: kernel T's rule, bit-sliced. A chip is one bit of a 64-byte row, 512 chips a bank; counts
//! are kept across bit planes by carry-save adders.

use crate::dispatch;
use crate::rom::{OFFSET_MASK, element_hash};
use crate::run::{Error, LaneBest, Request, Start};
use crate::simd::{Level as Instructions, Simd};

use super::bank::{self, ROW, Rows, random_word};
use super::circuit::SLICED_LENGTH_MAX;
use super::drive::Machine;
use super::tables::{Level, Table, uniform_bytes};
use super::{Circuit, reference};

/// Chips of a bank.
pub const SLICED_CHIPS: usize = 8 * ROW;
/// Bit planes of an energy: the number of clauses is below `2^ENERGY_PLANES`.
pub(super) const ENERGY_PLANES: usize = 30;
/// Clauses that a local counter of six planes takes before it is added to the energy.
const BLOCK: usize = 60;

/// Four occurrences that one step of carry-save adders takes.
type Quad = [[u32; 2]; 4];

/// One variable's wiring: rows to start the counter's planes from, and runs of [`Quad`]s.
struct Wiring {
    variable: u32,
    /// Quads of positive occurrences only: critical where both others are false.
    positive: u32,
    /// 0 or 1 quad of two positive and two negative occurrences.
    mixed: u32,
    /// Quads of negative occurrences, whose complements are counted: where one of the others is true.
    negative: u32,
}

/// The circuit as the kernel walks it.
struct Program {
    planes: usize,
    wirings: Vec<Wiring>,
    /// `planes` rows a variable.
    starts: Vec<u32>,
    quads: Vec<Quad>,
    /// Three rows a clause, all ones where its literals are false.
    clauses: Vec<[u32; 3]>,
}

impl Program {
    fn new(circuit: &Circuit) -> Self {
        let n = circuit.variables;
        // Behind the literals' rows: all ones (never true), all zeros (always true).
        let (ones, zeros) = (2 * n, 2 * n + 1);
        let planes = planes_for(circuit.literal_occurrences());
        let mut program = Self {
            planes,
            wirings: Vec::with_capacity(n as usize),
            starts: Vec::with_capacity(n as usize * planes),
            quads: Vec::with_capacity(circuit.occurrence_clauses.len() / 4 + 2 * n as usize),
            clauses: Vec::with_capacity(circuit.clauses()),
        };
        let mut at = 0;
        let mut group_at = 0;
        let mut pairs: Vec<[u32; 2]> = Vec::new();
        for element in &circuit.elements {
            pairs.clear();
            let mut boundary = None;
            for group in &circuit.groups[group_at..element.groups_end as usize] {
                if group.negative && boundary.is_none() {
                    boundary = Some(pad_pairs(&mut pairs, zeros));
                }
                for _ in 0..group.count {
                    let pair = match group.others {
                        0 => [ones, ones],
                        1 => [circuit.others[at].code(), ones],
                        _ => [circuit.others[at].code(), circuit.others[at + 1].code()],
                    };
                    at += group.others as usize;
                    // Of a negative occurrence the rows are those where the others are true.
                    pairs.push(if group.negative { pair.map(|row| row ^ 1) } else { pair });
                }
            }
            group_at = element.groups_end as usize;
            let positives = boundary.unwrap_or_else(|| pad_pairs(&mut pairs, zeros));
            pad_pairs(&mut pairs, zeros);
            let mixed = positives % 4 / 2;
            while !pairs.len().is_multiple_of(4) {
                pairs.push([zeros, zeros]);
            }
            let (quads, _) = pairs.as_chunks::<4>();
            program.quads.extend_from_slice(quads);
            program.wirings.push(Wiring {
                variable: element.variable,
                positive: positives as u32 / 4,
                mixed: mixed as u32,
                negative: (quads.len() - positives / 4 - mixed) as u32,
            });
            // Where the variable is true the counter holds 2^(planes - 1) + cost, where it is false
            // the complement of that.
            let if_true = (1u32 << (planes - 1)) - element.negative;
            let if_false = if_true - 1;
            program.starts.extend((0..planes).map(|plane| {
                match (if_true >> plane & 1, if_false >> plane & 1) {
                    (0, 0) => zeros,
                    (1, 1) => ones,
                    (1, _) => 2 * element.variable + 1,
                    _ => 2 * element.variable,
                }
            }));
        }
        program.clauses.extend((0..circuit.clauses()).map(|c| {
            let clause = circuit.clause(c);
            std::array::from_fn(|i| clause.get(i).map_or(ones, |l| l.code()))
        }));
        program
    }
}

/// Makes the number of pairs even by one that never counts; returns it.
fn pad_pairs(pairs: &mut Vec<[u32; 2]>, zeros: u32) -> usize {
    if pairs.len() % 2 == 1 {
        pairs.push([zeros, zeros]);
    }
    pairs.len()
}

/// Planes that hold `2^(planes - 1) + cost` for costs of `-occurrences ..= occurrences`, and one less,
/// among those that the kernel is instantiated for.
fn planes_for(occurrences: u32) -> usize {
    let needed = 33 - occurrences.leading_zeros() as usize;
    [5, 6, 7, 8, 10, 12, 15]
        .into_iter()
        .find(|&p| p >= needed)
        .expect("LITERAL_OCCURRENCES_MAX fits 15 planes")
}

/// A bank of kernel B.
pub(super) struct SlicedLanes<'a> {
    circuit: &'a Circuit,
    instructions: Instructions,
    program: Program,
    rows: Rows,
    /// Best state of each chip, a row a variable.
    best: Rows,
    /// Best energy of each chip, bit-sliced; all ones is none yet.
    best_energy: Rows,
    /// Chips that reached the goal.
    solved: [u8; ROW],
}

impl<'a> SlicedLanes<'a> {
    pub fn new(circuit: &'a Circuit, instructions: Instructions, request: &Request<'_>) -> Self {
        let n = circuit.variables as usize;
        let mut rows = Rows::new(2 * n + 2, 0);
        *rows.row_mut(2 * n) = [0xff; ROW];
        let mut lanes = Self {
            circuit,
            instructions,
            program: Program::new(circuit),
            rows,
            best: Rows::new(n, 0),
            best_energy: Rows::new(ENERGY_PLANES, 0xff),
            solved: [0; ROW],
        };
        if matches!(request.start, Start::Random) {
            lanes.randomise(bank::start_key(request.seed, 0), &[0xff; ROW]);
        } else {
            for variable in 0..circuit.variables {
                let mut row = [0u8; ROW];
                for chip in 0..SLICED_CHIPS {
                    row[chip / 8] |=
                        u8::from(bank::start_value(request, variable, chip as u32)) << (chip % 8);
                }
                *lanes.rows.row_mut(2 * variable as usize + 1) = row;
                *lanes.rows.row_mut(2 * variable as usize) = row.map(|byte| !byte);
            }
        }
        lanes
    }

    fn randomise(&mut self, key: u64, chips: &[u8; ROW]) {
        for variable in 0..self.circuit.variables {
            let mut random = [0u8; ROW];
            for (word, bytes) in random.chunks_exact_mut(8).enumerate() {
                bytes.copy_from_slice(&random_word(key, variable, word as u32).to_le_bytes());
            }
            let row = self.rows.row_mut(2 * variable as usize + 1);
            for byte in 0..ROW {
                row[byte] = random[byte] & chips[byte] | row[byte] & !chips[byte];
            }
            let negated = row.map(|byte| !byte);
            *self.rows.row_mut(2 * variable as usize) = negated;
        }
    }

    /// Takes the chips of `mask`, with their energies, as the best.
    fn keep(&mut self, mask: &[u8; ROW], energies: &Rows) {
        if *mask == [0; ROW] {
            return;
        }
        let blend = |from: &[u8; ROW], to: &mut [u8; ROW]| {
            for byte in 0..ROW {
                to[byte] = from[byte] & mask[byte] | to[byte] & !mask[byte];
            }
        };
        for plane in 0..ENERGY_PLANES {
            blend(energies.row(plane), self.best_energy.row_mut(plane));
        }
        for variable in 0..self.best.len() {
            blend(self.rows.row(2 * variable + 1), self.best.row_mut(variable));
        }
    }
}

/// Refuses circuits with longer clauses than three literals.
pub(super) fn check_length(circuit: &Circuit) -> Result<(), Error> {
    if circuit.longest() > SLICED_LENGTH_MAX {
        return Err(Error::Unsupported {
            family: "switching B",
            reason: format!("a clause has {} literals, the limit is {SLICED_LENGTH_MAX}", circuit.longest()),
        });
    }
    Ok(())
}

impl Machine for SlicedLanes<'_> {
    const CHIPS: u64 = SLICED_CHIPS as u64;

    fn restart(&mut self, key: u64) {
        self.randomise(key, &[0xff; ROW]);
    }

    fn sweep(&mut self, level: Level, key: u64) -> [u8; ROW] {
        let (program, rows, tables) = (&self.program, &mut self.rows, level.bernoulli());
        macro_rules! with_planes {
            ($($planes:literal => $name:ident),*) => {
                match program.planes {
                    $($planes => {
                        #[inline(always)]
                        fn $name<S: Simd>(program: &Program, rows: &mut Rows, tables: &[Table; 3], key: u64) -> [u8; ROW] {
                            sweep::<S, $planes>(program, rows, tables, key)
                        }
                        dispatch!(
                            self.instructions,
                            $name(program: &Program, rows: &mut Rows, tables: &[Table; 3], key: u64) -> [u8; ROW],
                            program, rows, tables, key
                        )
                    })*
                    planes => unreachable!("planes_for never gives {planes}"),
                }
            };
        }
        with_planes!(5 => five, 6 => six, 7 => seven, 8 => eight, 10 => ten, 12 => twelve, 15 => fifteen)
    }

    fn look(&mut self, step: u32, record: bool, goal: i64) -> bool {
        self.solved = [0; ROW];
        let floor = self.circuit.floor();
        if record {
            let planes = dispatch!(
                self.instructions,
                energies(program: &Program, rows: &Rows, floor: u32) -> Rows,
                &self.program,
                &self.rows,
                floor as u32
            );
            let better = below(&planes, &self.best_energy);
            self.keep(&better, &planes);
            self.solved = below(&planes, &constant_planes(goal.saturating_add(1)));
        } else if step % 2 == 1 && goal == floor {
            let failed = dispatch!(
                self.instructions,
                any_unsatisfied(program: &Program, rows: &Rows) -> [u8; ROW],
                &self.program,
                &self.rows
            );
            if failed != [0xff; ROW] {
                self.solved = failed.map(|byte| !byte);
                let planes = constant_planes(goal);
                let better = below(&planes, &self.best_energy);
                self.keep(&std::array::from_fn(|byte| better[byte] & self.solved[byte]), &planes);
            }
        }
        self.solved != [0; ROW]
    }

    fn renew(&mut self, key: u64) {
        let solved = self.solved;
        self.randomise(key, &solved);
    }

    // Lanes of single bits are not copied.
    fn resample(&mut self, _: u64, _: u64) {}

    fn finish(self) -> (Vec<u8>, Vec<LaneBest>) {
        let mut state = Vec::with_capacity(self.circuit.variables as usize * ROW);
        for variable in 0..self.circuit.variables as usize {
            state.extend_from_slice(self.rows.row(2 * variable + 1));
        }
        let mut energies = [0i64; SLICED_CHIPS];
        for plane in 0..ENERGY_PLANES {
            let row = self.best_energy.row(plane);
            for (chip, energy) in energies.iter_mut().enumerate() {
                *energy |= i64::from(row[chip / 8] >> (chip % 8) & 1) << plane;
            }
        }
        let lanes = reference::best_of_eight(
            &energies,
            |chip, variable| self.best.row(variable)[chip / 8] >> (chip % 8) & 1 == 1,
            self.circuit.variables,
        );
        (state, lanes)
    }
}

/// `value` in every chip; values that do not fit are all ones.
fn constant_planes(value: i64) -> Rows {
    let value = value.clamp(0, (1 << ENERGY_PLANES) - 1);
    let mut rows = Rows::new(ENERGY_PLANES, 0);
    for plane in 0..ENERGY_PLANES {
        if value >> plane & 1 == 1 {
            *rows.row_mut(plane) = [0xff; ROW];
        }
    }
    rows
}

/// The chips in which `a < b`.
fn below(a: &Rows, b: &Rows) -> [u8; ROW] {
    let mut borrow = [0u8; ROW];
    for plane in 0..ENERGY_PLANES {
        let (a, b) = (a.row(plane), b.row(plane));
        for byte in 0..ROW {
            borrow[byte] = (!a[byte] & b[byte]) | (borrow[byte] & !(a[byte] ^ b[byte]));
        }
    }
    borrow
}

/// One sweep of 512 chips, register by register: the lanes of a variable are done before the next.
#[inline(always)]
fn sweep<S: Simd, const PLANES: usize>(
    program: &Program,
    rows: &mut Rows,
    tables: &[Table; 3],
    key: u64,
) -> [u8; ROW] {
    let coefficients = uniform_bytes();
    let rows = rows.as_mut_ptr();
    let mut quads = program.quads.as_ptr();
    let mut starts = program.starts.as_ptr();
    let mut out = [0; ROW];
    for wiring in &program.wirings {
        let hash = element_hash(key, wiring.variable);
        let offset = |shift: u32| (hash >> shift & OFFSET_MASK) as usize;
        let (mixed, negative) = (wiring.mixed as usize, wiring.negative as usize);
        let positive = wiring.positive as usize;
        let mut at = 0;
        while at < ROW {
            // SAFETY: the program's rows are below those of the bank, `at + BITS_BYTES <= ROW`, and
            // offsets are below ROM_LENGTH in tables with 64 bytes more.
            unsafe {
                let rows = rows.add(at);
                let load = |row: u32| S::bits_load(rows.add(row as usize * ROW));
                let mut counter = [load(*starts); PLANES];
                let mut plane = 1;
                while plane < PLANES {
                    counter[plane] = load(*starts.add(plane));
                    plane += 1;
                }
                let both = |pair: [u32; 2]| S::bits_and(load(pair[0]), load(pair[1]));
                let either = |pair: [u32; 2]| S::bits_or(load(pair[0]), load(pair[1]));
                let mut quad = quads;
                for _ in 0..positive {
                    let [a, b, c, d] = *quad;
                    add_four::<S, PLANES>(&mut counter, [both(a), both(b), both(c), both(d)]);
                    quad = quad.add(1);
                }
                if mixed != 0 {
                    let [a, b, c, d] = *quad;
                    add_four::<S, PLANES>(&mut counter, [both(a), both(b), either(c), either(d)]);
                    quad = quad.add(1);
                }
                for _ in 0..negative {
                    let [a, b, c, d] = *quad;
                    add_four::<S, PLANES>(&mut counter, [either(a), either(b), either(c), either(d)]);
                    quad = quad.add(1);
                }
                let is_false = load(2 * wiring.variable);
                let is_true = load(2 * wiring.variable + 1);
                let mut plane = 0;
                while plane < PLANES {
                    counter[plane] = S::bits_xor(counter[plane], is_false);
                    plane += 1;
                }
                // The top plane says that the cost is not negative, the lower ones what it is then.
                // Costs of 1, 2 and 4 are each accepted by their own bit, costs above 7 never.
                let refused = |plane: usize, table: usize, shift: u32| {
                    let accepted = S::bits_load(tables[table].as_ptr().add(offset(shift) + at));
                    S::bits_and_not(accepted, counter[plane])
                };
                let mut stay = S::bits_or(refused(0, 0, 0), refused(1, 1, 13));
                stay = S::bits_or(stay, refused(2, 2, 26));
                let mut plane = 3;
                while plane < PLANES - 1 {
                    stay = S::bits_or(stay, counter[plane]);
                    plane += 1;
                }
                stay = S::bits_and(stay, counter[PLANES - 1]);
                let is_true_now = S::bits_xor(is_false, stay);
                S::bits_store(rows.add(2 * wiring.variable as usize * ROW), S::bits_xor(is_true, stay));
                S::bits_store(rows.add((2 * wiring.variable as usize + 1) * ROW), is_true_now);
                let coefficient = S::bits_load(coefficients.as_ptr().add(offset(39) + at));
                let fold = S::bits_load(out.as_ptr().add(at));
                let fold = S::bits_xor(fold, S::bits_and(is_true_now, coefficient));
                S::bits_store(out.as_mut_ptr().add(at), fold);
            }
            at += S::BITS_BYTES;
        }
        // SAFETY: both lists have an entry for every variable that `Program::new` put there.
        unsafe {
            quads = quads.add(positive + mixed + negative);
            starts = starts.add(PLANES);
        }
    }
    out
}

/// Adds four bits a chip to the counter.
#[inline(always)]
fn add_four<S: Simd, const PLANES: usize>(counter: &mut [S::Bits; PLANES], bits: [S::Bits; 4]) {
    let (ones, first) = S::bits_full_add(counter[0], bits[0], bits[1]);
    let (ones, second) = S::bits_full_add(ones, bits[2], bits[3]);
    counter[0] = ones;
    let (twos, mut carry) = S::bits_full_add(counter[1], first, second);
    counter[1] = twos;
    let mut plane = 2;
    while plane < PLANES {
        let sum = S::bits_xor(counter[plane], carry);
        carry = S::bits_and(counter[plane], carry);
        counter[plane] = sum;
        plane += 1;
    }
}

/// The chips in which some clause is unsatisfied.
#[inline(always)]
fn any_unsatisfied<S: Simd>(program: &Program, rows: &Rows) -> [u8; ROW] {
    let mut out = [0u8; ROW];
    let mut at = 0;
    while at < ROW {
        // SAFETY: the program's rows are those of the bank.
        unsafe {
            let rows = rows.as_ptr().add(at);
            let load = |row: u32| S::bits_load(rows.add(row as usize * ROW));
            let mut any = S::bits_load(out.as_ptr().add(at));
            for &[a, b, c] in &program.clauses {
                any = S::bits_or(any, S::bits_and(S::bits_and(load(a), load(b)), load(c)));
            }
            S::bits_store(out.as_mut_ptr().add(at), any);
        }
        at += S::BITS_BYTES;
    }
    out
}

/// The energy of every chip, bit-sliced.
#[inline(always)]
fn energies<S: Simd>(program: &Program, rows: &Rows, floor: u32) -> Rows {
    let mut total = constant_planes(i64::from(floor));
    let totals = total.as_mut_ptr();
    let mut at = 0;
    while at < ROW {
        // SAFETY: the program's rows are those of the bank; `total` has ENERGY_PLANES rows.
        unsafe {
            let rows = rows.as_ptr().add(at);
            let load = |row: u32| S::bits_load(rows.add(row as usize * ROW));
            let failed = |&[a, b, c]: &[u32; 3]| S::bits_and(S::bits_and(load(a), load(b)), load(c));
            let zero = S::bits_xor(load(0), load(0));
            for block in program.clauses.chunks(BLOCK) {
                let mut counter = [zero; 6];
                let (quads, rest) = block.as_chunks::<4>();
                for [a, b, c, d] in quads {
                    add_four::<S, 6>(&mut counter, [failed(a), failed(b), failed(c), failed(d)]);
                }
                for clause in rest {
                    add_four::<S, 6>(&mut counter, [failed(clause), zero, zero, zero]);
                }
                let mut carry = zero;
                for plane in 0..ENERGY_PLANES {
                    let to = totals.add(plane * ROW + at);
                    let added = counter.get(plane).copied().unwrap_or(zero);
                    let (sum, next) = S::bits_full_add(S::bits_load(to), added, carry);
                    S::bits_store(to, sum);
                    carry = next;
                }
            }
        }
        at += S::BITS_BYTES;
    }
    total
}
