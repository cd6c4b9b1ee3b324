//! The state of a bank: rows of 64 bytes, their random start, and the best that was seen.

use crate::columns::{self, pack_row, spread};
use crate::kick::{Half, kicks};
use crate::rom::{element_hash, mix64, step_key};
use crate::run::{Error, LaneBest, Request, Start};
use crate::simd::LANES;

use super::Circuit;

/// The most bytes that a bank may take.
pub const BANK_BYTES_MAX: u64 = 4 << 30;
/// Bytes of a row.
pub(super) const ROW: usize = LANES;

/// Steps of the noise that are not sweeps: the start, fresh starts after solutions, resampling.
const STREAM_START: u64 = 1 << 32;
const STREAM_SOLVED: u64 = 2 << 32;
const STREAM_KICK: u64 = 3 << 32;
const STREAM_RESAMPLE: u64 = 4 << 32;

/// The key of the random bits that all chips take when they start before `step`.
pub(super) fn start_key(seed: u64, step: u32) -> u64 {
    step_key(seed, STREAM_START + u64::from(step))
}
/// The key of the random bits that chips take which were solved in `step`.
pub(super) fn solved_key(seed: u64, step: u32) -> u64 {
    step_key(seed, STREAM_SOLVED + u64::from(step))
}
/// The noise of the resampling after `step`.
pub(super) fn resample_noise(seed: u64, step: u32) -> u64 {
    step_key(seed, STREAM_RESAMPLE + u64::from(step))
}

/// Random bits of a variable: word `word` of its row, one bit a chip.
#[inline(always)]
pub(super) fn random_word(key: u64, variable: u32, word: u32) -> u64 {
    element_hash(key, variable * 8 + word)
}

/// The value that chip `chip` begins with: noise, or a state with a kick.
pub(super) fn start_value(request: &Request<'_>, variable: u32, chip: u32) -> bool {
    let random = random_word(start_key(request.seed, 0), variable, chip / 64) >> (chip % 64) & 1 == 1;
    match request.start {
        Start::Random => random,
        Start::From { states, kick_per_mille } => {
            let kept = states[chip as usize % states.len()][variable as usize];
            if kick_per_mille == 0 {
                return kept;
            }
            let kick = mix64(step_key(request.seed, STREAM_KICK + u64::from(chip)) ^ u64::from(variable));
            if ((kick >> 32) * 1000) >> 32 < u64::from(kick_per_mille) { random } else { kept }
        }
    }
}

/// Rows of 64 bytes, aligned to cache lines.
pub(super) struct Rows {
    lines: Vec<Line>,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; ROW]);

impl Rows {
    pub fn new(rows: usize, value: u8) -> Self {
        Self { lines: vec![Line([value; ROW]); rows] }
    }
    /// The first byte; row `r` begins at `as_ptr() + r * ROW`.
    #[inline(always)]
    pub fn as_ptr(&self) -> *const u8 {
        self.lines.as_ptr().cast()
    }
    /// The first byte.
    #[inline(always)]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.lines.as_mut_ptr().cast()
    }
    pub fn row(&self, row: usize) -> &[u8; ROW] {
        &self.lines[row].0
    }
    pub fn row_mut(&mut self, row: usize) -> &mut [u8; ROW] {
        &mut self.lines[row].0
    }
    pub fn len(&self) -> usize {
        self.lines.len()
    }
}

/// Refuses a bank of `rows` rows if it is too large.
pub(super) fn check_memory(rows: u64) -> Result<(), Error> {
    let needed = rows * ROW as u64;
    if needed > BANK_BYTES_MAX {
        return Err(Error::Memory { needed, limit: BANK_BYTES_MAX });
    }
    Ok(())
}

/// Refuses starts that are not assignments of the circuit.
pub(super) fn check_start(circuit: &Circuit, request: &Request<'_>) -> Result<(), Error> {
    if let Start::From { states, kick_per_mille } = request.start {
        if states.is_empty() || states.iter().any(|s| s.len() != circuit.variables as usize) {
            return Err(Error::Parameter {
                name: "start.states",
                value: states.len() as i64,
                reason: "at least one assignment, each with a value for every variable",
            });
        }
        if kick_per_mille > 1000 {
            return Err(Error::Parameter {
                name: "start.kick_per_mille",
                value: kick_per_mille.into(),
                reason: "at most 1000",
            });
        }
    }
    Ok(())
}

/// Literal rows in which each chip is one byte (kernels T and W): row `2 v` is all ones where
/// variable `v` is false, row `2 v + 1` where it is true, so that row `l.code()` says where `l` is false.
/// Two more rows follow: all ones (a literal that is never true), all zeros (one that always is).
pub(super) fn byte_rows(circuit: &Circuit, request: &Request<'_>) -> Rows {
    let n = circuit.variables as usize;
    let mut rows = Rows::new(2 * n + 2, 0);
    *rows.row_mut(2 * n) = [0xff; ROW];
    let Start::From { states, kick_per_mille } = request.start else {
        randomise_bytes(&mut rows, circuit.variables, start_key(request.seed, 0), u64::MAX);
        return rows;
    };
    let keys: [u64; LANES] = std::array::from_fn(|lane| step_key(request.seed, STREAM_KICK + lane as u64));
    let lanes = states.iter().cycle().take(LANES).map(Vec::as_slice);
    columns::rows(n, lanes, |variable, kept| {
        let mut row = kept.map(u8::wrapping_neg);
        if kick_per_mille > 0 {
            let random = spread(random_word(start_key(request.seed, 0), variable as u32, 0));
            let words = keys.map(|key| key ^ variable as u64);
            let [kicked, _] = kicks(&words, Half::High, kick_per_mille);
            for ((byte, kicked), random) in row.iter_mut().zip(kicked).zip(random) {
                let kicked = kicked.wrapping_neg();
                *byte = random & kicked | *byte & !kicked;
            }
        }
        *rows.row_mut(2 * variable) = row.map(|byte| !byte);
        *rows.row_mut(2 * variable + 1) = row;
    });
    rows
}

/// Draws the lanes of `lanes` anew.
pub(super) fn randomise_bytes(rows: &mut Rows, variables: u32, key: u64, lanes: u64) {
    let mask = spread(lanes);
    for variable in 0..variables {
        let random = spread(random_word(key, variable, 0));
        let row = rows.row_mut(2 * variable as usize + 1);
        for lane in 0..LANES {
            row[lane] = random[lane] & mask[lane] | row[lane] & !mask[lane];
        }
        let negated = row.map(|byte| !byte);
        *rows.row_mut(2 * variable as usize) = negated;
    }
}

/// The best of each of 64 lanes whose chips are bytes.
pub(super) struct BestBytes {
    pub energies: [i64; LANES],
    /// All ones where the variable is true; one row a variable.
    pub rows: Rows,
}

impl BestBytes {
    pub fn new(circuit: &Circuit) -> Self {
        Self { energies: [i64::MAX; LANES], rows: Rows::new(circuit.variables as usize, 0) }
    }
    /// Keeps the states of `rows` in the lanes whose energy is a new best; returns those lanes.
    pub fn note(&mut self, rows: &Rows, energies: &[i64; LANES]) -> u64 {
        let mut better = 0u64;
        for (lane, (best, &energy)) in self.energies.iter_mut().zip(energies).enumerate() {
            if energy < *best {
                *best = energy;
                better |= 1 << lane;
            }
        }
        if better != 0 {
            let mask = spread(better);
            for variable in 0..self.rows.len() {
                let from = rows.row(2 * variable + 1);
                let to = self.rows.row_mut(variable);
                for lane in 0..LANES {
                    to[lane] = from[lane] & mask[lane] | to[lane] & !mask[lane];
                }
            }
        }
        better
    }
    pub fn into_lanes(self) -> Vec<LaneBest> {
        let assignments = columns::assignments(self.rows.len(), |variable| *self.rows.row(variable));
        let lanes = self.energies.into_iter().zip(assignments);
        lanes.map(|(energy, assignment)| LaneBest { energy, hard_unsatisfied: 0, assignment }).collect()
    }
}

/// The final state as the digest wants it: for each variable, in index order, one bit a chip, lowest first.
pub(super) fn packed_state(rows: &Rows, variables: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(variables as usize * 8);
    for variable in 0..variables as usize {
        out.extend_from_slice(&pack_row(rows.row(2 * variable + 1)).to_le_bytes());
    }
    out
}

/// Folds a row of the trace's linear hash into the accumulator.
pub(super) fn fold_trace(trace: u64, row: &[u8; ROW]) -> u64 {
    row.chunks_exact(8)
        .fold(trace, |trace, word| mix64(trace ^ u64::from_le_bytes(word.try_into().expect("eight bytes"))))
}
