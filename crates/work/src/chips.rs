//! Legs on this machine's CPU.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Error, Report, Request, Start};
use hysteron_circuit::{crossbar, dense, general, memcomputing, switching};
use hysteron_problem::Problem;

use crate::cache::CircuitCache;
use crate::cost;
use crate::error::WorkError;
use crate::kernel::Kernel;
use crate::parameters::{ParameterSet, sets};
use crate::pool;
use crate::rules::WorkRules;
use crate::runner::{LegOutput, LegRunner, Problems};
use crate::size::Sizes;
use crate::table::{Leg, LegStart, Table, Task};
use crate::types::{Hash, hash};

/// The most rounds of a metered leg: each is a lane of the leg's report.
const ROUNDS_MAX: u32 = 255;
/// A round of a metered leg costs about this part of the leg.
const ROUNDS: u64 = 16;
/// Visits for each switch that rounds are sized by; only the number of rounds depends on it.
const VISITS_PER_SWITCH: u64 = 32;

/// Circuits of a problem, compiled when a leg first needs them.
pub struct Compiled {
    problem: Arc<Problem>,
    sizes: Sizes,
    switching: OnceLock<Result<switching::Circuit, String>>,
    memcomputing: OnceLock<Result<memcomputing::Circuit, String>>,
    general: OnceLock<Result<general::Circuit, String>>,
    crossbar: OnceLock<Result<crossbar::Circuit, String>>,
    dense: OnceLock<Result<dense::Circuit, String>>,
}

/// What a run is asked for, beside its circuit and its parameters.
pub struct RunRequest<'a> {
    /// The seed of all noise.
    pub seed: u64,
    /// How chips begin.
    pub start: Start<'a>,
    /// The energy that is wanted.
    pub target: Option<i64>,
    /// Set to give the run up.
    pub stop: &'a AtomicBool,
}

/// What a run gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunOutput {
    /// Of everything that happened.
    pub digest: Hash,
    /// The best lane.
    pub lane: u8,
    /// Its energy.
    pub energy: i64,
    /// Its unsatisfied hard clauses.
    pub hard_unsatisfied: u32,
    /// Its assignment.
    pub assignment: Vec<bool>,
    /// Elementary circuit updates.
    pub ecu: u64,
    /// Steps; of a metered leg, those of all rounds.
    pub steps: u64,
}

impl Compiled {
    /// A problem whose circuits are yet to be compiled.
    pub fn new(problem: Arc<Problem>) -> Self {
        Self {
            sizes: Sizes::of(&problem),
            problem,
            switching: OnceLock::new(),
            memcomputing: OnceLock::new(),
            general: OnceLock::new(),
            crossbar: OnceLock::new(),
            dense: OnceLock::new(),
        }
    }

    /// The problem.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
    /// Its sizes.
    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }
    /// An estimate of the bytes that the problem and all its circuits take.
    pub fn bytes(&self) -> u64 {
        1024 + 64 * self.sizes.variables + 48 * self.sizes.literals + 16 * self.sizes.pairs
    }

    fn switching(&self) -> Result<&switching::Circuit, String> {
        let made = self.switching.get_or_init(|| match &*self.problem {
            Problem::Cnf(cnf) => switching::Circuit::compile(cnf).map_err(|e| e.to_string()),
            _ => Err("switching chips simulate CNF".into()),
        });
        made.as_ref().map_err(Clone::clone)
    }
    fn memcomputing(&self) -> Result<&memcomputing::Circuit, String> {
        let made = self.memcomputing.get_or_init(|| match &*self.problem {
            Problem::Cnf(cnf) => memcomputing::Circuit::from_cnf(cnf).map_err(|e| e.to_string()),
            Problem::Wcnf(wcnf) => memcomputing::Circuit::from_wcnf(wcnf).map_err(|e| e.to_string()),
            Problem::Ising(_) => Err("memcomputing chips simulate clauses".into()),
        });
        made.as_ref().map_err(Clone::clone)
    }
    fn general(&self) -> Result<&general::Circuit, String> {
        let made = self.general.get_or_init(|| match &*self.problem {
            Problem::Wcnf(wcnf) => general::Circuit::compile(wcnf).map_err(|e| e.to_string()),
            _ => Err("general switching chips simulate weighted CNF".into()),
        });
        made.as_ref().map_err(Clone::clone)
    }
    fn crossbar(&self) -> Result<&crossbar::Circuit, String> {
        let made = self.crossbar.get_or_init(|| match &*self.problem {
            Problem::Ising(ising) => crossbar::Circuit::compile(ising).map_err(|e| e.to_string()),
            _ => Err("crossbar chips simulate spins".into()),
        });
        made.as_ref().map_err(Clone::clone)
    }
    fn dense(&self) -> Result<&dense::Circuit, String> {
        let made = self.dense.get_or_init(|| match &*self.problem {
            Problem::Ising(ising) => {
                dense::Circuit::compile(ising, dense::Mode::Anneal).map_err(|e| e.to_string())
            }
            _ => Err("crossbar chips simulate spins".into()),
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// Compiles what `set` needs.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn prepare(&self, set: &ParameterSet) -> Result<(), String> {
        match set {
            ParameterSet::Switching(_) => self.switching().map(|_| ()),
            ParameterSet::Memcomputing(_) => self.memcomputing().map(|_| ()),
            ParameterSet::General(_) => self.general().map(|_| ()),
            ParameterSet::Crossbar(_) => self.crossbar().map(|_| ()),
            ParameterSet::Anneal(_) | ParameterSet::Tabu(_) => self.dense().map(|_| ()),
        }
    }

    /// Runs so many steps of a fixed kernel.
    ///
    /// # Errors
    /// [`WorkError::Problem`], [`WorkError::Interrupted`].
    pub fn run_steps(
        &self,
        cpu: Cpu,
        set: &ParameterSet,
        steps: u32,
        request: &RunRequest<'_>,
    ) -> Result<RunOutput, WorkError> {
        let report = self.report(cpu, set, steps, request.seed, request)?;
        let lane = report.best_lane();
        let best = &report.lanes[lane];
        Ok(RunOutput {
            digest: hash("end", &[&report.digest]),
            lane: lane as u8,
            energy: best.energy,
            hard_unsatisfied: best.hard_unsatisfied,
            assignment: best.assignment.clone(),
            ecu: report.ecu,
            steps: report.steps.into(),
        })
    }

    /// One run of `hysteron_circuit`.
    fn report(
        &self,
        cpu: Cpu,
        set: &ParameterSet,
        steps: u32,
        seed: u64,
        request: &RunRequest<'_>,
    ) -> Result<Report, WorkError> {
        let request = Request {
            seed,
            steps,
            start: request.start,
            target: request.target,
            stop_at_target: false,
            interrupt: Some(request.stop),
        };
        let ran: Result<Report, Error> = match set {
            ParameterSet::Switching(p) => cpu.run(self.switching().map_err(WorkError::Problem)?, p, &request),
            ParameterSet::Memcomputing(p) => {
                cpu.run(self.memcomputing().map_err(WorkError::Problem)?, p, &request)
            }
            ParameterSet::General(p) => cpu.run(self.general().map_err(WorkError::Problem)?, p, &request),
            ParameterSet::Crossbar(p) => cpu.run(self.crossbar().map_err(WorkError::Problem)?, p, &request),
            ParameterSet::Anneal(p) => cpu.run(self.dense().map_err(WorkError::Problem)?, p, &request),
            ParameterSet::Tabu(p) => {
                let circuit = self.dense().map_err(WorkError::Problem)?;
                cpu.run(&circuit.for_mode(dense::Mode::Tabu), p, &request)
            }
        };
        let report = ran.map_err(|e| WorkError::Problem(e.to_string()))?;
        // A run that was given up is nobody's; one that was done before the flag went up is not worth telling apart.
        if request.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(WorkError::Interrupted);
        }
        Ok(report)
    }

    /// Runs a metered kernel: rounds of one chip each, with seeds of their own, until their cost reaches `work`
    /// picoseconds. So that legs cost `work` on average, the last round is the one whose middle is past the mark.
    ///
    /// # Errors
    /// [`WorkError::Problem`], [`WorkError::Interrupted`].
    pub fn run_metered(
        &self,
        cpu: Cpu,
        set: &ParameterSet,
        kernel: Kernel,
        work: u64,
        request: &RunRequest<'_>,
    ) -> Result<RunOutput, WorkError> {
        let steps = self.round_steps(kernel, work);
        let mut hasher = blake3::Hasher::new_derive_key("hysteron/rounds/1");
        let mut best: Option<RunOutput> = None;
        let (mut spent, mut ecu, mut steps_all) = (0u64, 0u64, 0u64);
        for round in 0..ROUNDS_MAX {
            let seed = mix64(request.seed ^ mix64(u64::from(round)));
            let report = self.report(cpu, set, steps, seed, request)?;
            hasher.update(&report.digest);
            ecu += report.ecu;
            steps_all += u64::from(report.steps);
            let lane = &report.lanes[0];
            if best.as_ref().is_none_or(|b| lane.energy < b.energy) {
                best = Some(RunOutput {
                    digest: [0; 32],
                    lane: round as u8,
                    energy: lane.energy,
                    hard_unsatisfied: 0,
                    assignment: lane.assignment.clone(),
                    ecu: 0,
                    steps: 0,
                });
            }
            let visits = self.visit_ecu(kernel, report.steps);
            let cost = cost::metered_picoseconds(
                kernel,
                &self.sizes,
                report.steps.into(),
                report.ecu.saturating_sub(visits),
            );
            spent = spent.saturating_add(cost);
            if spent.saturating_add(cost / 2) >= work {
                break;
            }
        }
        let best = best.expect("there is at least one round");
        let digest = hash("end", &[hasher.finalize().as_bytes()]);
        Ok(RunOutput { digest, ecu, steps: steps_all, ..best })
    }

    /// Steps of a round: about a sixteenth of the leg, at least 8.
    fn round_steps(&self, kernel: Kernel, work: u64) -> u32 {
        let sizes = &self.sizes;
        let updates = match kernel {
            Kernel::TabuBytes | Kernel::TabuWords | Kernel::TabuLongs => sizes.variables,
            Kernel::TabuLists => sizes.row_mean(),
            Kernel::AnnealLists => sizes.variables / VISITS_PER_SWITCH * sizes.row_mean(),
            _ => sizes.variables / VISITS_PER_SWITCH * sizes.variables,
        };
        let one = cost::metered_picoseconds(kernel, sizes, 1, updates);
        (work / ROUNDS / one).clamp(8, 1 << 20) as u32
    }

    /// What of a dense report's updates are not updates of fields: 4 a visit, or a quarter for each spin of a scan.
    fn visit_ecu(&self, kernel: Kernel, steps: u32) -> u64 {
        let n = self.sizes.variables;
        let a_step = if kernel >= Kernel::TabuBytes { n / 4 } else { 4 * n };
        a_step * u64::from(steps)
    }

    /// Runs one leg: as many steps, or rounds, as `leg_work` nanoseconds of the reference core pay for.
    ///
    /// # Errors
    /// [`WorkError::Problem`], [`WorkError::Interrupted`].
    pub fn run_leg(
        &self,
        cpu: Cpu,
        set: &ParameterSet,
        leg_work: u64,
        request: &RunRequest<'_>,
    ) -> Result<RunOutput, WorkError> {
        let kernel = Kernel::of(set, &self.sizes)
            .ok_or_else(|| WorkError::Problem("its weights are too large for every chip".into()))?;
        if kernel.is_metered() {
            let load = cost::load_picoseconds(kernel, &self.sizes);
            let work = leg_work.saturating_mul(1000).saturating_sub(load);
            self.run_metered(cpu, set, kernel, work, request)
        } else {
            self.run_steps(cpu, set, cost::steps(kernel, &self.sizes, leg_work), request)
        }
    }
}

/// Runs legs on the CPU.
pub struct CpuRunner<P> {
    problems: P,
    rules: WorkRules,
    cpu: Cpu,
    cache: CircuitCache,
}

impl<P: Problems> CpuRunner<P> {
    /// A runner with the fastest kernels of this machine, which keeps up to `cache_bytes` of circuits.
    pub fn new(problems: P, rules: WorkRules, cache_bytes: u64) -> Self {
        Self::with_cpu(problems, rules, cache_bytes, Cpu::detect())
    }
    /// A runner with chosen kernels; all give the same bits.
    pub fn with_cpu(problems: P, rules: WorkRules, cache_bytes: u64, cpu: Cpu) -> Self {
        Self { problems, rules, cpu, cache: CircuitCache::new(cache_bytes) }
    }

    fn compiled(&self, table: &Table, task: Task) -> Result<Arc<Compiled>, WorkError> {
        match task {
            Task::Job(index) => {
                let entry = table
                    .entries
                    .get(index as usize)
                    .ok_or_else(|| WorkError::Problem("the table has no such entry".into()))?;
                self.cache.get(&entry.problem.0, || {
                    self.problems.problem(&entry.problem).ok_or(WorkError::ProblemMissing(entry.problem))
                })
            }
            Task::Public(index) => self.cache.get(&pool::key(&table.pool, index, &self.rules), || {
                pool::instance(&table.pool, index, &self.rules).map(Arc::new).map_err(WorkError::Problem)
            }),
        }
    }
}

impl<P: Problems> LegRunner for CpuRunner<P> {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        let compiled = self.compiled(table, leg.task)?;
        let entry = match leg.task {
            Task::Job(index) => table.entries.get(index as usize),
            Task::Public(_) => None,
        };
        let class = table
            .class_of(leg.task)
            .ok_or_else(|| WorkError::Problem("the table has no such task".into()))?;
        let set = sets(class)
            .get(usize::from(leg.parameter_set))
            .ok_or_else(|| WorkError::Problem("there is no such parameter set".into()))?;
        let states: Vec<Vec<bool>> = match leg.start {
            LegStart::Random => Vec::new(),
            LegStart::Checkpoint { index, .. } => entry
                .and_then(|e| e.checkpoints.get(usize::from(index)))
                .filter(|c| c.variables() == compiled.problem().variables())
                .map(|c| vec![c.unpack()])
                .ok_or_else(|| WorkError::Problem("the entry has no such checkpoint".into()))?,
        };
        let start = match leg.start {
            LegStart::Random => Start::Random,
            LegStart::Checkpoint { kick_per_mille, .. } => {
                Start::From { states: &states, kick_per_mille: kick_per_mille.into() }
            }
        };
        let request = RunRequest { seed: leg.run_seed, start, target: entry.and_then(|e| e.target), stop };
        let run = compiled.run_leg(self.cpu, set, self.rules.leg_work, &request)?;
        Ok(LegOutput {
            digest: run.digest,
            lane: run.lane,
            energy: run.energy,
            hard_unsatisfied: run.hard_unsatisfied,
            assignment: run.assignment,
            ecu: run.ecu,
            task: leg.task,
        })
    }
}
