//! What every kernel does around its sweeps: schedule, trace, solved chips, report.

use std::sync::atomic::Ordering;

use crate::rom::step_key;
use crate::run::{Error, LaneBest, Report, Request, digest};

use super::bank::{self, ROW};
use super::tables::Level;
use super::{Circuit, Parameters, population};

/// A bank of chips of one kernel, by one implementation.
pub(super) trait Machine {
    /// Simulated chips.
    const CHIPS: u64;
    /// Starts all chips from the noise of `key`.
    fn restart(&mut self, key: u64);
    /// One step of all chips; returns the row of the trace's linear hash.
    fn sweep(&mut self, level: Level, key: u64) -> [u8; ROW];
    /// Notes new best states: of chips whose energy is at most `goal`, and, if `record`, of all. Returns
    /// whether a chip reached the goal.
    fn look(&mut self, step: u32, record: bool, goal: i64) -> bool;
    /// Starts the chips that reached the goal in the last look from the noise of `key`.
    fn renew(&mut self, key: u64);
    /// Copies lanes by their Boltzmann weights.
    fn resample(&mut self, rise_q16: u64, noise: u64);
    /// The final state for the digest, and the best of the lanes.
    fn finish(self) -> (Vec<u8>, Vec<LaneBest>);
}

/// Runs `machine`, whose chips have just started.
pub(super) fn drive<M: Machine>(
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    mut machine: M,
) -> Report {
    let goal = request.target.unwrap_or(0).max(circuit.floor());
    let mut trace = 0;
    let mut steps = 0;
    while steps < request.steps {
        if request.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            break;
        }
        let step = steps;
        if parameters.restarts_before(step) {
            machine.restart(bank::start_key(request.seed, step));
        }
        let level = parameters.level(step, request.steps);
        let row = machine.sweep(level, step_key(request.seed, u64::from(step)));
        trace = bank::fold_trace(trace, &row);
        steps += 1;
        let record = parameters.records_after(step, request.steps);
        if (record || !parameters.patient) && machine.look(step, record, goal) {
            if request.stop_at_target {
                break;
            }
            machine.renew(bank::solved_key(request.seed, step));
        }
        if parameters.resamples_after(step, request.steps) {
            let before = parameters.level(steps - parameters.resample, request.steps);
            let rise = population::rise_q16(before, parameters.level(steps, request.steps));
            machine.resample(rise, bank::resample_noise(request.seed, step));
        }
    }
    // A run of no steps, or one that was interrupted, still reports where its chips are.
    machine.look(steps.wrapping_sub(1), true, goal);
    let (state, lanes) = machine.finish();
    Report {
        digest: digest(&state, trace, &lanes),
        trace,
        lanes,
        steps,
        ecu: u64::from(steps) * circuit.literals() as u64 * M::CHIPS,
    }
}

/// Everything that is refused before a run.
pub(super) fn check(
    circuit: &Circuit,
    parameters: &Parameters,
    request: &Request<'_>,
    rows: u64,
) -> Result<(), Error> {
    parameters.check()?;
    bank::check_start(circuit, request)?;
    bank::check_memory(rows)
}
