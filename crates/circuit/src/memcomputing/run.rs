//! Runs of a bank on the CPU.

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
        if request.steps == 0 {
            return Err(Error::Parameter { name: "steps", value: 0, reason: "at least 1" });
        }
        let mut bank = Bank::new(*self, circuit, parameters, request)?;
        while bank.steps() < request.steps {
            let steps = CHECK_STEPS.min(request.steps - bank.steps());
            if bank.advance(circuit, request, steps) < steps {
                break;
            }
            if let (true, Some(target)) = (request.stop_at_target, request.target)
                && bank.reaches(circuit, target)
            {
                break;
            }
        }
        Ok(bank.report(circuit))
    }
}

/// A run that can be gone on with: what [`Backend::run`] does in one go.
pub struct Bank {
    chips: Chips,
    parameters: Parameters,
    steps: u32,
}

/// The chips, as a backend keeps them.
enum Chips {
    Scalar(Vec<Chip>),
    Lanes(Level, Vec<Part>),
    Flat(Level, Layout, Vec<Single>),
}

impl Chips {
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

    /// The assignment at which chip `index` was best.
    fn assignment(&self, index: usize) -> Vec<bool> {
        match self {
            Self::Scalar(chips) => chips[index].best_v.iter().map(|&v| v >= 0).collect(),
            Self::Lanes(_, parts) => parts[index / parts[0].width].best_assignment(index % parts[0].width),
            Self::Flat(_, _, chips) => chips[index].best_assignment(),
        }
    }

    /// The assignments at which `count` chips were best.
    fn assignments(&self, count: usize) -> Vec<Vec<bool>> {
        let Self::Lanes(_, parts) = self else {
            return (0..count).map(|index| self.assignment(index)).collect();
        };
        parts.iter().flat_map(Part::best_assignments).take(count).collect()
    }

    /// The trace of chip `index`.
    fn trace(&self, index: usize) -> u64 {
        match self {
            Self::Scalar(chips) => chips[index].trace,
            Self::Lanes(_, parts) => parts[index / parts[0].width].trace[index % parts[0].width],
            Self::Flat(_, _, chips) => chips[index].trace,
        }
    }

    /// The final state of `count` chips, one after the other: voltages, short memories, long memories.
    fn state(&self, count: usize, circuit: &Circuit) -> Vec<u8> {
        let mut words: Vec<u16> = Vec::new();
        match self {
            Self::Scalar(chips) => {
                for chip in chips {
                    words.extend(chip.v.iter().map(|&v| v as u16));
                    words.extend(&chip.xs);
                    words.extend(&chip.xl);
                }
            }
            Self::Lanes(_, parts) => {
                let of_parts: usize = parts.iter().map(Part::state_bytes).sum();
                let lanes: usize = parts.iter().map(|part| part.width).sum();
                let mut state = vec![0; of_parts];
                let mut rest = &mut state[..];
                for part in parts {
                    let (own, after) = rest.split_at_mut(part.state_bytes());
                    part.state(own);
                    rest = after;
                }
                state.truncate(of_parts / lanes * count);
                return state;
            }
            Self::Flat(_, _, chips) => chips.iter().for_each(|chip| chip.state(circuit, &mut words)),
        }
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The least tracked energy of chip `index` so far.
    fn best(&self, index: usize) -> i32 {
        match self {
            Self::Scalar(chips) => chips[index].best,
            Self::Lanes(_, parts) => parts[index / parts[0].width].best[index % parts[0].width],
            Self::Flat(_, _, chips) => chips[index].best,
        }
    }
}

impl Bank {
    /// All chips at the start of the request's run.
    ///
    /// # Errors
    /// [`Error::Parameter`] and [`Error::Memory`].
    pub fn new(
        backend: Cpu,
        circuit: &Circuit,
        parameters: &Parameters,
        request: &Request<'_>,
    ) -> Result<Self, Error> {
        parameters.check()?;
        let needed = match parameters.arrangement {
            Arrangement::Lanes => Part::bytes(circuit, parameters.chips.next_multiple_of(16) as usize),
            Arrangement::Flat => Single::bytes(circuit) * u64::from(parameters.chips),
        };
        if needed > BANK_BYTES_MAX {
            return Err(Error::Memory { needed, limit: BANK_BYTES_MAX });
        }
        let chips = match (backend, parameters.arrangement) {
            (Cpu::Scalar, _) => Chips::scalar(circuit, parameters, request),
            (Cpu::Lanes(level), Arrangement::Lanes) => Chips::lanes(level, circuit, parameters, request),
            (Cpu::Lanes(level), Arrangement::Flat) => Chips::flat(level, circuit, parameters, request),
        };
        Ok(Self { chips, parameters: *parameters, steps: 0 })
    }

    /// Steps that were simulated so far.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Simulates `steps` more steps of the request that the bank began with; whatever else it says, only
    /// its seed and its interrupt matter. Returns how many were done: fewer if it was interrupted, and then
    /// the bank must not be gone on with.
    pub fn advance(&mut self, circuit: &Circuit, request: &Request<'_>, steps: u32) -> u32 {
        let range = self.steps..self.steps.saturating_add(steps);
        let done = self.chips.advance(circuit, &self.parameters, request, range);
        self.steps += done;
        done
    }

    /// The least tracked energy of any chip so far, and the chip: the energy itself, if every clause counts
    /// 1 and none is empty; else in proportion to it, with hard clauses above soft ones.
    pub fn best(&self) -> (i32, u32) {
        (0..self.parameters.chips).map(|i| (self.chips.best(i as usize), i)).min().expect("at least one chip")
    }

    /// The assignment at which a chip was best.
    pub fn assignment(&self, chip: u32) -> Vec<bool> {
        self.chips.assignment(chip as usize)
    }

    /// Whether the best chip is feasible and at most at `target`.
    pub fn reaches(&self, circuit: &Circuit, target: i64) -> bool {
        let (best, chip) = self.best();
        let (hard, energy) = if circuit.weights().is_none() {
            circuit.score_of_count(best)
        } else {
            circuit.score(&self.assignment(chip))
        };
        hard == 0 && energy <= target
    }

    /// The final state of all chips, then what each found.
    pub fn report(&self, circuit: &Circuit) -> Report {
        let count = self.parameters.chips as usize;
        let trace = (0..count).fold(0, |trace, index| mix64(trace ^ self.chips.trace(index)));
        let assignments = self.chips.assignments(count);
        let scores = circuit.scores(&assignments);
        let lanes: Vec<LaneBest> = assignments
            .into_iter()
            .zip(scores)
            .map(|(assignment, (hard_unsatisfied, energy))| LaneBest { energy, hard_unsatisfied, assignment })
            .collect();
        let state = self.chips.state(count, circuit);
        let ecu = circuit.ecu_per_step() * u64::from(self.steps) * u64::from(self.parameters.chips);
        Report { digest: digest(&state, trace, &lanes), trace, lanes, steps: self.steps, ecu }
    }
}

/// Whether the request was given up by another thread.
pub(super) fn is_interrupted(request: &Request<'_>) -> bool {
    request.interrupt.is_some_and(|flag| flag.load(std::sync::atomic::Ordering::Relaxed))
}
