//! One chip after the other, neighbouring clauses in the lanes: least time for one chip of a large
//! circuit, whose voltages stay in the cache while its memories stream through.

use hysteron_problem::Literal;

use crate::rom;
use crate::run::Request;
use crate::simd::Native;
use crate::simd::native::WIDTH_MAX;

use super::kernel::{BIAS, Constants, Long, Motion, Nearest};
use super::scalar::{VOLTAGE, fold_step, long_memory, start_voltages};
use super::{Circuit, Parameters};

/// Clauses of a block: they share a hash of noise.
const BLOCK: usize = 64;

/// The circuit with the clauses of each length padded to whole blocks. A padding clause has literals of one
/// more variable, which is and stays true.
pub struct Layout {
    groups: Vec<Columns>,
    /// Per position: 32-bit tracked weight, if weighted.
    tracked: Vec<i32>,
    /// Per position: floor, cap (biased) and rate of the long memory, if weighted.
    long: [Vec<u16>; 3],
}

/// The clauses of one length, literal by literal.
struct Columns {
    /// The position of the first clause.
    first: usize,
    /// Clauses with padding.
    count: usize,
    /// For each literal number and each clause, the variable, shifted left, and the sign.
    codes: Vec<Vec<u32>>,
    /// The complement of each literal's voltage, 0 or all bits.
    signs: Vec<Vec<u16>>,
}

impl Layout {
    /// Lays a circuit out for the run of these parameters.
    pub fn new(circuit: &Circuit, parameters: &Parameters) -> Self {
        let always = Literal::new(circuit.variables(), false);
        let mut groups = Vec::new();
        let mut layout_tracked = Vec::new();
        let mut long: [Vec<u16>; 3] = Default::default();
        for group in circuit.groups() {
            let count = group.count.next_multiple_of(BLOCK);
            let at = |k: usize, i: usize| {
                if i < group.count { circuit.clauses().clause(group.first + i)[k] } else { always }
            };
            let codes = (0..group.length).map(|k| (0..count).map(|i| at(k, i).code()).collect()).collect();
            let signs = (0..group.length)
                .map(|k| (0..count).map(|i| 0u16.wrapping_sub(u16::from(at(k, i).is_negative()))).collect())
                .collect();
            groups.push(Columns { first: group.padded_first, count, codes, signs });
            if circuit.weights().is_some() {
                for i in 0..count {
                    // Padding copies the last clause's constants: it is never unsatisfied.
                    let clause = group.first + i.min(group.count - 1);
                    let memory = long_memory(circuit, parameters, clause);
                    layout_tracked.push(circuit.tracked_weight(clause));
                    long[0].push(memory.floor ^ BIAS);
                    long[1].push(memory.cap ^ BIAS);
                    long[2].push(memory.rate as u16);
                }
            }
        }
        Self { groups, tracked: layout_tracked, long }
    }

    /// Clauses with padding.
    fn positions(&self) -> usize {
        self.groups.last().map_or(0, |g| g.first + g.count)
    }
}

/// One chip.
pub struct Single {
    /// Which of the bank.
    pub index: u32,
    variables: usize,
    /// Voltages, and one more that is always true; padded to whole registers.
    v: Vec<i16>,
    /// Forces in 16 bits, as many.
    forces: Vec<i16>,
    /// Forces in 32 bits instead, for circuits that need them.
    wide_forces: Vec<i32>,
    /// Factors of the trace; 0 for the padding.
    folds: Vec<u16>,
    xs: Vec<u16>,
    /// Biased.
    xl: Vec<u16>,
    best_v: Vec<i16>,
    /// The least tracked energy.
    pub best: i32,
    /// The trace.
    pub trace: u64,
}

impl Single {
    /// Chip `index` at the start of a run.
    pub fn new(
        circuit: &Circuit,
        parameters: &Parameters,
        layout: &Layout,
        request: &Request<'_>,
        index: u32,
    ) -> Self {
        let variables = circuit.variables() as usize;
        let padded = (variables + 1).next_multiple_of(WIDTH_MAX);
        let mut v = start_voltages(circuit, request.seed, &request.start, index);
        v.resize(padded, VOLTAGE);
        let mut folds = circuit.folds().to_vec();
        folds.resize(padded, 0);
        let positions = layout.positions();
        let floor = parameters.long_memory(super::circuit::RATIO_ONE).floor ^ BIAS;
        let xl = if layout.long[0].is_empty() { vec![floor; positions] } else { layout.long[0].clone() };
        let narrow = circuit.is_narrow();
        Self {
            index,
            variables,
            best_v: v.clone(),
            v,
            forces: vec![0; if narrow { padded } else { 0 }],
            wide_forces: vec![0; if narrow { 0 } else { padded }],
            folds,
            xs: vec![0; positions],
            xl,
            best: i32::MAX,
            trace: 0,
        }
    }

    /// The bytes of a chip.
    pub fn bytes(circuit: &Circuit) -> u64 {
        u64::from(circuit.variables()) * 12 + circuit.clauses().len() as u64 * 8 + circuit.ecu_per_step() * 6
    }

    /// Appends the final state, as the digest takes it: voltages, short memories, long memories.
    pub fn state(&self, circuit: &Circuit, out: &mut Vec<u16>) {
        out.extend(self.v[..self.variables].iter().map(|&v| v as u16));
        for group in circuit.groups() {
            out.extend_from_slice(&self.xs[group.padded_first..][..group.count]);
        }
        for group in circuit.groups() {
            out.extend(self.xl[group.padded_first..][..group.count].iter().map(|x| x ^ BIAS));
        }
    }

    /// The assignment at which the chip was best.
    pub fn best_assignment(&self) -> Vec<bool> {
        self.best_v[..self.variables].iter().map(|&v| v >= 0).collect()
    }
}

/// Steps `steps` of a chip. Returns how many were done: fewer if the request was interrupted.
#[inline(always)]
pub fn advance<N: Native>(
    chip: &mut Single,
    circuit: &Circuit,
    layout: &Layout,
    parameters: &Parameters,
    request: &Request<'_>,
    steps: std::ops::Range<u32>,
) -> u32 {
    for step in steps.clone() {
        if super::run::is_interrupted(request) {
            return step - steps.start;
        }
        let key = rom::step_key(rom::step_key(request.seed, u64::from(step)), u64::from(chip.index));
        let constants = Constants::<N>::new(parameters, circuit.force_max(), parameters.noise_at(step));
        let mut energy = 0i32;
        for group in &layout.groups {
            let sum = match (group.codes.len(), circuit.is_narrow()) {
                (3, true) => clauses::<N, 3, true>(chip, layout, group, &constants, parameters, key),
                (_, true) => clauses::<N, 0, true>(chip, layout, group, &constants, parameters, key),
                (_, false) => clauses::<N, 0, false>(chip, layout, group, &constants, parameters, key),
            };
            energy = energy.wrapping_add(sum);
        }
        let improved = energy < chip.best;
        chip.best = chip.best.min(energy);
        let fold = move_voltages::<N>(chip, parameters, improved);
        chip.trace = fold_step(chip.trace, fold, energy);
    }
    steps.end - steps.start
}

/// Updates the clauses of one length; returns their tracked energy.
#[inline(always)]
fn clauses<N: Native, const K: usize, const NARROW: bool>(
    chip: &mut Single,
    layout: &Layout,
    group: &Columns,
    constants: &Constants<N>,
    parameters: &Parameters,
    key: u64,
) -> i32 {
    let length = if K == 0 { group.codes.len() } else { K };
    let weighted = !layout.tracked.is_empty();
    let splat = Long::splat(parameters.long_memory(super::circuit::RATIO_ONE));
    let rom = rom::uniform_u16();
    let mut energies = N::splat_wide(0);
    let one = N::splat_wide(1);
    let mut buffer = [[0i16; BLOCK]; 8];
    let mut spilled = vec![[0i16; BLOCK]; length.saturating_sub(8)];
    for block in 0..group.count / BLOCK {
        let at = block * BLOCK;
        let position = group.first + at;
        let offset = (rom::element_hash(key, (position / BLOCK) as u32) & rom::OFFSET_MASK) as usize;
        for k in 0..length {
            let row = if k < 8 { &mut buffer[k] } else { &mut spilled[k - 8] };
            let codes = &group.codes[k][at..at + BLOCK];
            for (to, &code) in row.iter_mut().zip(codes) {
                // SAFETY: a variable of the circuit, or the one after them.
                *to = unsafe { *chip.v.get_unchecked((code >> 1) as usize) };
            }
        }
        for lane in (0..BLOCK).step_by(N::WIDTH) {
            // SAFETY: WIDTH values from `lane` on lie within a block; the table is 64 longer than any offset.
            unsafe {
                let here = position + lane;
                let load = |row: &[u16], i: usize| N::load(row[i..i + N::WIDTH].as_ptr());
                let mut nearest = None;
                for k in 0..length {
                    let row = if k < 8 { &mut buffer[k] } else { &mut spilled[k - 8] };
                    let v = N::load(row.as_ptr().add(lane).cast());
                    let v = N::xor(v, load(&group.signs[k], at + lane));
                    N::store(row.as_mut_ptr().add(lane).cast(), v);
                    nearest = Some(match nearest {
                        None => Nearest::<N>::first(v),
                        Some(nearest) => Nearest::and(nearest, v),
                    });
                }
                let nearest = nearest.expect("clauses have literals");
                let long = if weighted {
                    Long {
                        floor: load(&layout.long[0], here),
                        cap: load(&layout.long[1], here),
                        rate: load(&layout.long[2], here),
                    }
                } else {
                    splat
                };
                let r = N::load(rom.as_ptr().add(offset + lane));
                let xs = load(&chip.xs, here);
                let xl = load(&chip.xl, here);
                let update = constants.update(nearest.most, nearest.second, xs, xl, r, long);
                N::store(chip.xs[here..here + N::WIDTH].as_mut_ptr(), update.xs);
                N::store(chip.xl[here..here + N::WIDTH].as_mut_ptr(), update.xl);
                for k in 0..length {
                    let row = if k < 8 { &mut buffer[k] } else { &mut spilled[k - 8] };
                    let v = N::load(row.as_ptr().add(lane).cast());
                    let sign = load(&group.signs[k], at + lane);
                    let force = N::select(N::eq(v, nearest.most), update.nearest, update.other);
                    N::store(row.as_mut_ptr().add(lane).cast(), N::sub(N::xor(force, sign), sign));
                }
                let tracked =
                    if weighted { N::load_wide(layout.tracked[here..here + N::WIDTH].as_ptr()) } else { one };
                energies = N::add_where(energies, update.unsatisfied, tracked);
            }
        }
        for k in 0..length {
            let row = if k < 8 { &buffer[k] } else { &spilled[k - 8] };
            let codes = &group.codes[k][at..at + BLOCK];
            for (&force, &code) in row.iter().zip(codes) {
                let variable = (code >> 1) as usize;
                // SAFETY: a variable of the circuit, or the one after them.
                unsafe {
                    if NARROW {
                        let sum = chip.forces.get_unchecked_mut(variable);
                        *sum = sum.wrapping_add(force);
                    } else {
                        let sum = chip.wide_forces.get_unchecked_mut(variable);
                        *sum = sum.wrapping_add(i32::from(force));
                    }
                }
            }
        }
    }
    let mut sums = [0i32; WIDTH_MAX];
    // SAFETY: a register has at most WIDTH_MAX lanes.
    unsafe { N::store_wide(sums.as_mut_ptr(), energies) };
    sums.iter().fold(0, |sum, &lane| sum.wrapping_add(lane))
}

/// Moves every voltage by its force, clears the forces, keeps the voltages as the best if they were, and
/// folds the new ones.
#[inline(always)]
fn move_voltages<N: Native>(chip: &mut Single, parameters: &Parameters, improved: bool) -> u16 {
    let motion = Motion::<N>::new(parameters);
    if improved {
        chip.best_v.copy_from_slice(&chip.v);
    }
    let zero = N::splat(0);
    let mut fold = zero;
    for i in (0..chip.v.len()).step_by(N::WIDTH) {
        // SAFETY: all arrays are padded to whole registers.
        unsafe {
            let at = chip.v.as_mut_ptr().add(i).cast::<u16>();
            let force = if chip.wide_forces.is_empty() {
                let from = chip.forces.as_mut_ptr().add(i).cast::<u16>();
                let force = N::load(from);
                N::store(from, zero);
                force
            } else {
                let from = chip.wide_forces.as_mut_ptr().add(i);
                let force = N::narrow(N::load_wide(from));
                N::store_wide(from, N::splat_wide(0));
                force
            };
            let v = motion.apply(N::load(at), force);
            N::store(at, v);
            fold = N::add(fold, N::mul(v, N::load(chip.folds.as_ptr().add(i))));
        }
    }
    // What has no clause but the padding's must stay true.
    for v in &mut chip.v[chip.variables..] {
        *v = VOLTAGE;
    }
    let mut folds = [0u16; WIDTH_MAX];
    // SAFETY: a register has at most WIDTH_MAX lanes.
    unsafe { N::store(folds.as_mut_ptr(), fold) };
    folds.iter().fold(0, |sum, &lane| sum.wrapping_add(lane))
}
