//! Chips side by side: lane `l` of every register is chip `l` of the part.

use crate::rom;
use crate::simd::Native;
use crate::simd::native::WIDTH_MAX;

use super::kernel::{BIAS, Constants, Line, Long, Motion, Nearest, aligned};
use super::scalar::{fold_step, long_memory, start_voltages};
use super::{Circuit, Parameters};
use crate::run::Request;

/// Unsatisfied clauses are counted in 16 bits over at most this many clauses at a time.
const SLICE: usize = 1 << 14;

/// Rows that lanes are read from, or written to, before the next: few enough that they stay in the first-level cache.
const BLOCK: usize = 64;

/// What a literal's voltage and force are complemented with: nothing, or all bits.
static SIGNS: [u32; 2] = [0, u32::MAX];

/// Up to a register of chips. Rows are in the order of the elements; every row has `width` lanes.
pub struct Part {
    /// The first chip.
    pub first: u32,
    /// Lanes of a row.
    pub width: usize,
    /// Variables and clauses.
    size: (usize, usize),
    /// Per variable its voltages, then its forces (16-bit): a line serves both.
    variables: Vec<Line>,
    /// Forces in 32 bits, for circuits that need them; else empty.
    wide_forces: Vec<i32>,
    /// Per clause its short memories, then its long memories, biased.
    clauses: Vec<Line>,
    /// Per variable the voltages at which each lane was best.
    best_v: Vec<Line>,
    /// The least tracked energy of each lane.
    pub best: [i32; WIDTH_MAX],
    /// The trace of each lane.
    pub trace: [u64; WIDTH_MAX],
}

/// The rows behind the lines.
fn words(lines: &[Line]) -> *const u16 {
    lines.as_ptr().cast()
}
/// The rows behind the lines.
fn words_mut(lines: &mut [Line]) -> *mut u16 {
    lines.as_mut_ptr().cast()
}

impl Part {
    /// Chips `first..first + width` at the start of a run.
    pub fn new(
        circuit: &Circuit,
        parameters: &Parameters,
        request: &Request<'_>,
        first: u32,
        width: usize,
    ) -> Self {
        let (n, m) = (circuit.variables() as usize, circuit.clauses().len());
        let mut part = Self {
            first,
            width,
            size: (n, m),
            variables: aligned(2 * n * width),
            wide_forces: vec![0; if circuit.is_narrow() { 0 } else { n * width }],
            clauses: aligned(2 * m * width),
            best_v: aligned(n * width),
            best: [i32::MAX; WIDTH_MAX],
            trace: [0; WIDTH_MAX],
        };
        let variables = words_mut(&mut part.variables);
        let starts: Vec<Vec<i16>> = (0..width as u32)
            .map(|lane| start_voltages(circuit, request.seed, &request.start, first + lane))
            .collect();
        for block in (0..n).step_by(BLOCK) {
            let block = block..n.min(block + BLOCK);
            for (lane, start) in starts.iter().enumerate() {
                for variable in block.clone() {
                    // SAFETY: below 2 n width.
                    unsafe { variables.add(2 * variable * width + lane).write(start[variable] as u16) };
                }
            }
            for (variable, &negatives) in block.clone().zip(&circuit.negatives()[block]) {
                for lane in 0..width {
                    // SAFETY: below 2 n width.
                    unsafe { variables.add((2 * variable + 1) * width + lane).write(negatives as u16) };
                }
                if let Some(forces) = part.wide_forces.get_mut(variable * width..(variable + 1) * width) {
                    forces.fill(negatives as i32);
                }
            }
        }
        let clauses = words_mut(&mut part.clauses);
        for clause in 0..m {
            let floor = long_memory(circuit, parameters, clause).floor;
            for lane in 0..width {
                // SAFETY: below 2 m width.
                unsafe { clauses.add((2 * clause + 1) * width + lane).write(floor ^ BIAS) };
            }
        }
        part
    }

    /// The bytes of a part of `width` chips.
    pub fn bytes(circuit: &Circuit, width: usize) -> u64 {
        let per_variable = if circuit.is_narrow() { 6 } else { 10 };
        (u64::from(circuit.variables()) * per_variable + circuit.clauses().len() as u64 * 4) * width as u64
    }

    /// The bytes of [`Self::state`].
    pub fn state_bytes(&self) -> usize {
        2 * (self.size.0 + 2 * self.size.1) * self.width
    }

    /// Writes the final state of every lane, one after the other, as the digest takes it: voltages, short memories, long
    /// memories.
    pub fn state(&self, out: &mut [u8]) {
        let (variables, clauses) = (words(&self.variables), words(&self.clauses));
        let (n, m) = self.size;
        // The lists, how many rows, what is flipped, and how many values of a lane are before.
        let lists = [(variables, n, 0), (clauses, m, 0), (clauses.wrapping_add(self.width), m, BIAS)];
        let mut before = 0;
        for (list, count, flipped) in lists {
            for block in (0..count).step_by(BLOCK) {
                let rows = BLOCK.min(count - block);
                for lane in 0..self.width {
                    let at = 2 * (lane * (n + 2 * m) + before + block);
                    for (i, value) in out[at..at + 2 * rows].as_chunks_mut::<2>().0.iter_mut().enumerate() {
                        // SAFETY: every second row of a list is of one kind, and there are `count`.
                        let word = unsafe { *list.add(2 * (block + i) * self.width + lane) };
                        *value = (word ^ flipped).to_le_bytes();
                    }
                }
            }
            before += count;
        }
    }

    /// The assignment at which a chip was best.
    pub fn best_assignment(&self, lane: usize) -> Vec<bool> {
        let rows = words(&self.best_v);
        // SAFETY: there are as many rows as variables.
        (0..self.size.0).map(|i| unsafe { *rows.add(i * self.width + lane) } & BIAS == 0).collect()
    }

    /// The assignments at which all of its chips were best.
    pub fn best_assignments(&self) -> Vec<Vec<bool>> {
        let (rows, n) = (words(&self.best_v), self.size.0);
        let mut lanes: Vec<Vec<bool>> = (0..self.width).map(|_| Vec::with_capacity(n)).collect();
        for block in (0..n).step_by(BLOCK) {
            for (lane, values) in lanes.iter_mut().enumerate() {
                let block = block..n.min(block + BLOCK);
                // SAFETY: there are as many rows as variables.
                values.extend(block.map(|i| unsafe { *rows.add(i * self.width + lane) } & BIAS == 0));
            }
        }
        lanes
    }
}

/// Steps `steps` of every chip of a part. Returns how many were done: fewer if the request was interrupted.
#[inline(always)]
pub fn advance<N: Native>(
    part: &mut Part,
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    steps: std::ops::Range<u32>,
) -> u32 {
    match (circuit.weights().is_some(), circuit.is_narrow()) {
        (false, true) => advance_as::<N, false, true>(part, circuit, parameters, request, steps),
        (false, false) => advance_as::<N, false, false>(part, circuit, parameters, request, steps),
        (true, true) => advance_as::<N, true, true>(part, circuit, parameters, request, steps),
        (true, false) => advance_as::<N, true, false>(part, circuit, parameters, request, steps),
    }
}

#[inline(always)]
fn advance_as<N: Native, const WEIGHTED: bool, const NARROW: bool>(
    part: &mut Part,
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    steps: std::ops::Range<u32>,
) -> u32 {
    for step in steps.clone() {
        if super::run::is_interrupted(request) {
            return step - steps.start;
        }
        let constants = Constants::<N>::new(parameters, circuit.force_max(), parameters.noise_at(step));
        let pass = Pass::<N, WEIGHTED, NARROW> {
            constants,
            long: Long::splat(parameters.long_memory(super::circuit::RATIO_ONE)),
            key: rom::step_key(request.seed, u64::from(step)),
            rom: &rom::uniform_u16()[part.first as usize..],
            variables: words_mut(&mut part.variables),
            wide_forces: part.wide_forces.as_mut_ptr(),
            clauses: words_mut(&mut part.clauses),
        };
        let mut energies = N::splat_wide(0);
        for group in circuit.groups() {
            for first in (group.first..group.first + group.count).step_by(SLICE) {
                let slice = first..(first + SLICE).min(group.first + group.count);
                let sum = match group.length {
                    2 => pass.clauses::<2>(circuit, parameters, slice, 2),
                    3 => pass.clauses::<3>(circuit, parameters, slice, 3),
                    length => pass.clauses::<0>(circuit, parameters, slice, length),
                };
                energies = N::add_wide(energies, sum);
            }
        }
        let mut energy = [0i32; WIDTH_MAX];
        // SAFETY: a register has at most WIDTH_MAX lanes.
        unsafe { N::store_wide(energy.as_mut_ptr(), energies) };
        let mut improved = [0u16; WIDTH_MAX];
        for lane in 0..N::WIDTH {
            if energy[lane] < part.best[lane] {
                part.best[lane] = energy[lane];
                improved[lane] = 1;
            }
        }
        let folds = move_voltages::<N, NARROW>(part, circuit, parameters, &improved);
        for lane in 0..N::WIDTH {
            part.trace[lane] = fold_step(part.trace[lane], folds[lane], energy[lane]);
        }
    }
    steps.end - steps.start
}

/// What the clauses of a step need.
struct Pass<'a, N: Native, const WEIGHTED: bool, const NARROW: bool> {
    constants: Constants<N>,
    long: Long<N>,
    key: u64,
    /// Noise from the part's first lane on.
    rom: &'a [u16],
    variables: *mut u16,
    wide_forces: *mut i32,
    clauses: *mut u16,
}

impl<N: Native, const WEIGHTED: bool, const NARROW: bool> Pass<'_, N, WEIGHTED, NARROW> {
    /// The voltages of a literal.
    ///
    /// # Safety
    /// The literal is one of the circuit that the part was made for.
    #[inline(always)]
    unsafe fn voltage(&self, code: u32) -> N::R {
        // SAFETY: row 2 v of 2 n.
        let v = unsafe { N::load(self.variables.add((code >> 1) as usize * 2 * N::WIDTH)) };
        N::xor(v, N::splat_pair(SIGNS[(code & 1) as usize]))
    }

    /// Adds a force towards a literal being true.
    ///
    /// # Safety
    /// As [`Self::voltage`].
    #[inline(always)]
    unsafe fn push(&self, code: u32, force: N::R) {
        // A complement is one less than the negative; the rows start at the number of negatives.
        let force = N::xor(force, N::splat_pair(SIGNS[(code & 1) as usize]));
        let variable = (code >> 1) as usize;
        // SAFETY: row 2 v + 1 of 2 n, or row v of n.
        unsafe {
            if NARROW {
                let at = self.variables.add((2 * variable + 1) * N::WIDTH);
                N::store(at, N::add(N::load(at), force));
            } else {
                let at = self.wide_forces.add(variable * N::WIDTH);
                N::store_wide(at, N::add_wide(N::load_wide(at), N::widen(force)));
            }
        }
    }

    /// Updates clauses of `length` literals (`K` of them, if `K` is not 0): their memories, and the forces
    /// on their variables. Returns the tracked energies, at most [`SLICE`] clauses' worth.
    #[inline(always)]
    fn clauses<const K: usize>(
        &self,
        circuit: &Circuit,
        parameters: &Parameters,
        slice: std::ops::Range<usize>,
        length: usize,
    ) -> N::W {
        let length = if K == 0 { length } else { K };
        let first = circuit.clauses().offsets()[slice.start] as usize;
        let literals = circuit.clauses().literals()[first..][..slice.len() * length].chunks_exact(length);
        let mut count = N::splat(0);
        let mut weight = N::splat_wide(0);
        let mut hash = 0;
        for (clause, literals) in slice.clone().zip(literals) {
            if clause % 4 == 0 || clause == slice.start {
                hash = rom::element_hash(self.key, (clause / 4) as u32);
            }
            let offset = (hash >> (16 * (clause % 4))) & rom::OFFSET_MASK;
            // SAFETY: literals are of this circuit; rows 2 c and 2 c + 1 of 2 m; the table is
            // ROM_WRAP = 64 longer than any offset, and a part ends at lane 64.
            unsafe {
                let r = N::load(self.rom.as_ptr().add(offset as usize));
                let row = self.clauses.add(2 * clause * N::WIDTH);
                let (xs, xl) = (N::load(row), N::load(row.add(N::WIDTH)));
                let long =
                    if WEIGHTED { Long::splat(long_memory(circuit, parameters, clause)) } else { self.long };
                let mut voltages = [self.constants.zero(); K];
                let nearest = if K == 0 {
                    let mut nearest = Nearest::<N>::first(self.voltage(literals[0].code()));
                    for literal in &literals[1..] {
                        nearest = nearest.and(self.voltage(literal.code()));
                    }
                    nearest
                } else {
                    for j in 0..K {
                        voltages[j] = self.voltage(literals[j].code());
                    }
                    let mut nearest = Nearest::<N>::first(voltages[0]);
                    for j in 1..K {
                        nearest = nearest.and(voltages[j]);
                    }
                    nearest
                };
                let update = self.constants.update(nearest.most, nearest.second, xs, xl, r, long);
                N::store(row, update.xs);
                N::store(row.add(N::WIDTH), update.xl);
                for j in 0..length {
                    let code = literals[j].code();
                    let voltage = if K == 0 { self.voltage(code) } else { voltages[j] };
                    let is_nearest = N::eq(voltage, nearest.most);
                    self.push(code, N::select(is_nearest, update.nearest, update.other));
                }
                if WEIGHTED {
                    let tracked = N::splat_wide(circuit.tracked_weight(clause));
                    weight = N::add_where(weight, update.unsatisfied, tracked);
                } else {
                    count = N::increment(count, update.unsatisfied);
                }
            }
        }
        if WEIGHTED { weight } else { N::widen(count) }
    }
}

/// Moves every voltage by its force, clears the forces, keeps the voltages of lanes that improved as their
/// best, and folds the new voltages.
#[inline(always)]
fn move_voltages<N: Native, const NARROW: bool>(
    part: &mut Part,
    circuit: &Circuit,
    parameters: &Parameters,
    improved: &[u16; WIDTH_MAX],
) -> [u16; WIDTH_MAX] {
    let motion = Motion::<N>::new(parameters);
    // SAFETY: a register has at most WIDTH_MAX lanes.
    let improved = unsafe { N::eq(N::load(improved.as_ptr()), N::splat(1)) };
    let variables = words_mut(&mut part.variables);
    let best = words_mut(&mut part.best_v);
    let mut fold = N::splat(0);
    for (i, (&negatives, &factor)) in circuit.negatives().iter().zip(circuit.folds()).enumerate() {
        // SAFETY: rows 2 i and 2 i + 1 of 2 n, and i of n.
        unsafe {
            let row = variables.add(2 * i * N::WIDTH);
            let v = N::load(row);
            let best = best.add(i * N::WIDTH);
            N::store(best, N::select(improved, v, N::load(best)));
            let force = if NARROW {
                let force = N::load(row.add(N::WIDTH));
                N::store(row.add(N::WIDTH), N::splat(negatives as u16));
                force
            } else {
                let at = part.wide_forces.as_mut_ptr().add(i * N::WIDTH);
                let force = N::narrow(N::load_wide(at));
                N::store_wide(at, N::splat_wide(negatives as i32));
                force
            };
            let v = motion.apply(v, force);
            N::store(row, v);
            fold = N::add(fold, N::mul(v, N::splat(factor)));
        }
    }
    let mut folds = [0u16; WIDTH_MAX];
    // SAFETY: a register has at most WIDTH_MAX lanes.
    unsafe { N::store(folds.as_mut_ptr(), fold) };
    folds
}
