//! Runs of a bank on the CPU.

use std::borrow::Cow;

use crate::rom::mix64;
use crate::run::{Backend, Cpu, Error, LaneBest, Report, Request, digest};
use crate::simd::{Level, Native};

use super::flat::{Layout, Single};
use super::lanes::Part;
use super::scalar::Chip;
use super::{Arrangement, Circuit, Parameters, flat, lanes};

/// Whether a lane reached the target is looked at after so many steps.
pub const CHECK_STEPS: u32 = 16;
/// The most bytes that a bank may take.
pub const BANK_BYTES_MAX: u64 = 4 << 30;

impl Backend<Circuit, Parameters> for Cpu {
    fn name(&self) -> &'static str {
        Cpu::name(*self)
    }

    fn run(
        &self,
        circuit: &Circuit,
        parameters: &Parameters,
        request: &Request<'_>,
    ) -> Result<Report, Error> {
        parameters.check()?;
        if request.steps == 0 {
            return Err(Error::Parameter { name: "steps", value: 0, reason: "at least 1" });
        }
        let needed = match parameters.arrangement {
            Arrangement::Lanes => Part::bytes(circuit, parameters.chips.next_multiple_of(16) as usize),
            Arrangement::Flat => Single::bytes(circuit) * u64::from(parameters.chips),
        };
        if needed > BANK_BYTES_MAX {
            return Err(Error::Memory { needed, limit: BANK_BYTES_MAX });
        }
        let mut bank = match (self, parameters.arrangement) {
            (Cpu::Scalar, _) => Bank::scalar(circuit, parameters, request),
            (Cpu::Lanes(level), Arrangement::Lanes) => Bank::lanes(*level, circuit, parameters, request),
            (Cpu::Lanes(level), Arrangement::Flat) => Bank::flat(*level, circuit, parameters, request),
        };
        let tracked_target = request.target.filter(|_| request.stop_at_target);
        let mut done = 0;
        while done < request.steps {
            let steps = done..(done + CHECK_STEPS).min(request.steps);
            let advanced = bank.advance(circuit, parameters, request, steps.clone());
            done += advanced;
            if advanced < steps.end - steps.start {
                break;
            }
            if let Some(target) = tracked_target
                && bank.reaches(circuit, target, parameters.chips)
            {
                break;
            }
        }
        Ok(bank.report(circuit, parameters, done))
    }
}

/// The chips of a run, as a backend keeps them.
enum Bank {
    Scalar(Vec<Chip>),
    Lanes(Level, Vec<Part>),
    Flat(Level, Layout, Vec<Single>),
}

/// What is read from a chip.
struct Readout<'a> {
    best: i32,
    trace: u64,
    assignment: Cow<'a, [bool]>,
}

impl Bank {
    fn scalar(circuit: &Circuit, parameters: &Parameters, request: &Request<'_>) -> Self {
        Self::Scalar(
            (0..parameters.chips)
                .map(|i| Chip::new(circuit, parameters, request.seed, &request.start, i))
                .collect(),
        )
    }
    fn lanes(level: Level, circuit: &Circuit, parameters: &Parameters, request: &Request<'_>) -> Self {
        let width = match level {
            Level::Portable => <crate::simd::Portable as Native>::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => <crate::simd::Avx2 as Native>::WIDTH,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => <crate::simd::Avx512 as Native>::WIDTH,
            #[cfg(not(target_arch = "x86_64"))]
            _ => <crate::simd::Portable as Native>::WIDTH,
        };
        let firsts = (0..parameters.chips).step_by(width);
        Self::Lanes(level, firsts.map(|f| Part::new(circuit, parameters, request, f, width)).collect())
    }
    fn flat(level: Level, circuit: &Circuit, parameters: &Parameters, request: &Request<'_>) -> Self {
        let layout = Layout::new(circuit, parameters);
        let chips =
            (0..parameters.chips).map(|i| Single::new(circuit, parameters, &layout, request, i)).collect();
        Self::Flat(level, layout, chips)
    }

    /// Advances all chips; returns the least number of steps that one of them made.
    fn advance(
        &mut self,
        circuit: &Circuit,
        parameters: &Parameters,
        request: &Request<'_>,
        steps: std::ops::Range<u32>,
    ) -> u32 {
        let least = match self {
            Self::Scalar(chips) => chips
                .iter_mut()
                .map(|chip| {
                    for step in steps.clone() {
                        if is_interrupted(request) {
                            return step - steps.start;
                        }
                        chip.step(circuit, parameters, request.seed, step);
                    }
                    steps.end - steps.start
                })
                .min(),
            Self::Lanes(level, parts) => {
                use lanes::advance;
                parts
                    .iter_mut()
                    .map(|part| {
                        crate::dispatch!(
                            *level,
                            advance(
                                part: &mut Part,
                                circuit: &Circuit,
                                parameters: &Parameters,
                                request: &Request<'_>,
                                steps: std::ops::Range<u32>,
                            ) -> u32,
                            part, circuit, parameters, request, steps.clone()
                        )
                    })
                    .min()
            }
            Self::Flat(level, layout, chips) => {
                use flat::advance;
                chips
                    .iter_mut()
                    .map(|chip| {
                        crate::dispatch!(
                            *level,
                            advance(
                                chip: &mut Single,
                                circuit: &Circuit,
                                layout: &Layout,
                                parameters: &Parameters,
                                request: &Request<'_>,
                                steps: std::ops::Range<u32>,
                            ) -> u32,
                            chip, circuit, layout, parameters, request, steps.clone()
                        )
                    })
                    .min()
            }
        };
        least.unwrap_or(0)
    }

    /// Reads chip `index`.
    fn read(&self, index: usize) -> Readout<'_> {
        match self {
            Self::Scalar(chips) => {
                let chip = &chips[index];
                let assignment = chip.best_v.iter().map(|&v| v >= 0).collect();
                Readout { best: chip.best, trace: chip.trace, assignment: Cow::Owned(assignment) }
            }
            Self::Lanes(_, parts) => {
                let part = &parts[index / parts[0].width];
                let lane = index % part.width;
                let assignment = Cow::Owned(part.best_assignment(lane));
                Readout { best: part.best[lane], trace: part.trace[lane], assignment }
            }
            Self::Flat(_, _, chips) => {
                let chip = &chips[index];
                let assignment = Cow::Owned(chip.best_assignment());
                Readout { best: chip.best, trace: chip.trace, assignment }
            }
        }
    }

    /// The least tracked energy of chip `index` so far.
    fn best(&self, index: usize) -> i32 {
        match self {
            Self::Scalar(chips) => chips[index].best,
            Self::Lanes(_, parts) => parts[index / parts[0].width].best[index % parts[0].width],
            Self::Flat(_, _, chips) => chips[index].best,
        }
    }

    /// Whether a chip is feasible and at most at `target`.
    fn reaches(&self, circuit: &Circuit, target: i64, chips: u32) -> bool {
        let least = (0..chips as usize).min_by_key(|&i| self.best(i)).expect("at least one chip");
        if circuit.weights().is_none() {
            return circuit.score_of_count(self.best(least)) <= (0, target);
        }
        let (hard, energy) = circuit.score(&self.read(least).assignment);
        hard == 0 && energy <= target
    }

    /// The final state of all chips, then what each found.
    fn report(&self, circuit: &Circuit, parameters: &Parameters, steps: u32) -> Report {
        let mut words: Vec<u16> = Vec::new();
        let mut trace = 0;
        let mut lanes = Vec::new();
        for index in 0..parameters.chips as usize {
            match self {
                Self::Scalar(chips) => {
                    words.extend(chips[index].v.iter().map(|&v| v as u16));
                    words.extend(&chips[index].xs);
                    words.extend(&chips[index].xl);
                }
                Self::Lanes(_, parts) => {
                    parts[index / parts[0].width].state(index % parts[0].width, &mut words);
                }
                Self::Flat(_, _, chips) => chips[index].state(circuit, &mut words),
            }
            let readout = self.read(index);
            trace = mix64(trace ^ readout.trace);
            let (hard_unsatisfied, energy) = circuit.score(&readout.assignment);
            lanes.push(LaneBest { energy, hard_unsatisfied, assignment: readout.assignment.into_owned() });
        }
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let ecu = circuit.ecu_per_step() * u64::from(steps) * u64::from(parameters.chips);
        Report { digest: digest(&bytes, trace, &lanes), trace, lanes, steps, ecu }
    }
}

/// Whether the request was given up by another thread.
pub(super) fn is_interrupted(request: &Request<'_>) -> bool {
    request.interrupt.is_some_and(|flag| flag.load(std::sync::atomic::Ordering::Relaxed))
}
