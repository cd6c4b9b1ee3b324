//! Legs on this machine's CPU.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use hysteron_circuit::rom::mix64;
use hysteron_circuit::run::{Backend, Cpu, Error, Report, Request, Start};
use hysteron_circuit::walk::Walk;
use hysteron_circuit::{crossbar, dense, general, memcomputing, switching};
use hysteron_problem::Problem;

use crate::cache::CircuitCache;
use crate::cost::{self, Events};
use crate::error::WorkError;
use crate::kernel::{Kernel, VISITS_PER_SWITCH, is_matrix};
use crate::parameters::{ParameterSet, sets};
use crate::pool;
use crate::rules::WorkRules;
use crate::runner::{LegOutput, LegRunner, Problems};
use crate::size::Sizes;
use crate::table::{Leg, LegStart, Table, Task};
use crate::types::{Hash, hash};

/// The most rounds of a metered leg: each is a lane of the leg's report.
const ROUNDS_MAX: u64 = 16;
/// Starting a round costs at most about this part of it.
const START_PART: u64 = 8;
/// The fewest steps of a round.
const ROUND_STEPS_MIN: u64 = 8;
/// The most.
const ROUND_STEPS_MAX: u64 = 1 << 20;

/// Circuits of a problem, compiled when a leg first needs them.
pub struct Compiled {
    problem: Arc<Problem>,
    sizes: Sizes,
    switching: OnceLock<Result<switching::Circuit, String>>,
    memcomputing: OnceLock<Result<memcomputing::Circuit, String>>,
    general: OnceLock<Result<general::Circuit, String>>,
    crossbar: OnceLock<Result<crossbar::Circuit, String>>,
    dense: OnceLock<Result<dense::Circuit, String>>,
    /// Of kernels T, W, G, memcomputing and crossbar.
    walks: [OnceLock<Result<Walk, String>>; 5],
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
            walks: Default::default(),
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

    /// What a sweep of a fixed kernel walks through, from the compiled circuit. Counted once.
    ///
    /// # Errors
    /// Why the circuit cannot be compiled, or that the kernel is metered.
    pub fn walk(&self, kernel: Kernel) -> Result<&Walk, String> {
        let (place, count): (usize, &dyn Fn() -> Result<Walk, String>) = match kernel {
            Kernel::Table => (0, &|| Ok(self.switching()?.walk_table())),
            Kernel::Memory => (1, &|| Ok(self.switching()?.walk_memory())),
            Kernel::General => (2, &|| Ok(self.general()?.walk())),
            Kernel::Memcomputing | Kernel::MemcomputingWeighted => (3, &|| Ok(self.memcomputing()?.walk())),
            _ if kernel.is_metered() => return Err("metered kernels have no sweeps of fixed cost".into()),
            _ => (4, &|| Ok(self.crossbar()?.walk())),
        };
        self.walks[place].get_or_init(count).as_ref().map_err(Clone::clone)
    }

    /// Steps of a leg: of a fixed kernel, as many as it runs; of a metered one as many as it would run if one visit in 32
    /// switched.
    ///
    /// # Errors
    /// As [`Self::walk`].
    pub fn steps(&self, kernel: Kernel, leg_work: u64) -> Result<u32, String> {
        if kernel.is_metered() {
            let work =
                leg_work.saturating_mul(1000).saturating_sub(cost::load_picoseconds(kernel, &self.sizes));
            let (start, step) = self.expected(kernel, 0);
            return Ok(u32::try_from(work.saturating_sub(start) / step).unwrap_or(u32::MAX));
        }
        Ok(cost::steps(kernel, &self.sizes, self.walk(kernel)?, leg_work))
    }

    /// Bytes that a step of a bank goes through, or those of a metered kernel's matrix.
    ///
    /// # Errors
    /// Why the problem cannot be compiled.
    pub fn step_bytes(&self, kernel: Kernel) -> Result<u64, String> {
        if kernel.is_metered() {
            return Ok(cost::matrix_bytes(kernel, &self.sizes));
        }
        Ok(self.walk(kernel)?.bytes)
    }

    /// What of a metered run the start costs, and about what each step, before anything is known of it.
    fn expected(&self, kernel: Kernel, tabu: u64) -> (u64, u64) {
        let sizes = &self.sizes;
        let row = if is_matrix(sizes) { sizes.variables } else { sizes.row_mean() };
        let switches = if kernel >= Kernel::TabuBytes { 1 } else { sizes.variables / VISITS_PER_SWITCH };
        let run = |steps: u64| {
            let events = Events { steps, updates: steps * switches * row, tabu };
            cost::metered_picoseconds(kernel, sizes, &events)
        };
        let start = run(0);
        // Sixteen, so that rounding does not matter.
        (start, ((run(16) - start) / 16).max(1))
    }

    /// Runs a metered kernel: rounds of one chip each, with seeds of their own, until their cost reaches `work`
    /// picoseconds. There are sixteen rounds, or fewer where starting one is dear, and each is as long as what is left for it
    /// pays for, by what steps have cost so far: so legs end close to `work`.
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
        let tabu = self.tabu_spins(set);
        let (start, mut a_step) = self.expected(kernel, tabu);
        let rounds = (work / (START_PART * start)).clamp(1, ROUNDS_MAX);
        let mut hasher = blake3::Hasher::new_derive_key("hysteron/rounds/1");
        let mut best: Option<RunOutput> = None;
        let (mut spent, mut ecu, mut steps_all) = (0u64, 0u64, 0u64);
        for round in 0..rounds {
            let left = work.saturating_sub(spent);
            if round > 0 && left == 0 {
                break;
            }
            let budget = (left / (rounds - round)).saturating_sub(start);
            let steps = (budget / a_step).clamp(ROUND_STEPS_MIN, ROUND_STEPS_MAX) as u32;
            let seed = mix64(request.seed ^ mix64(round));
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
            let events = self.events(kernel, report.steps, report.ecu, tabu);
            spent = spent.saturating_add(cost::metered_picoseconds(kernel, &self.sizes, &events));
            a_step = (spent.saturating_sub(start * (round + 1)) / steps_all.max(1)).max(1);
        }
        let best = best.expect("there is at least one round");
        let digest = hash("end", &[hasher.finalize().as_bytes()]);
        Ok(RunOutput { digest, ecu, steps: steps_all, ..best })
    }

    /// Spins that are tabu at a time, once a search goes on.
    pub fn tabu_spins(&self, set: &ParameterSet) -> u64 {
        let ParameterSet::Tabu(p) = set else { return 0 };
        let n = self.sizes.variables;
        let mean = u64::from(p.tenure_base) + n / u64::from(p.tenure_divisor) + u64::from(p.tenure_range) / 2;
        mean.min(n.saturating_sub(1) / 2)
    }

    /// What happened in a metered run of so many steps and elementary updates: of these, 4 are for each visit, or a quarter
    /// for each spin of a scan; the others are updates of fields.
    pub fn events(&self, kernel: Kernel, steps: u32, ecu: u64, tabu: u64) -> Events {
        let n = self.sizes.variables;
        let a_step = if kernel >= Kernel::TabuBytes { n / 4 } else { 4 * n };
        let steps = u64::from(steps);
        Events { steps, updates: ecu.saturating_sub(a_step * steps), tabu }
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
            let steps = self.steps(kernel, leg_work).map_err(WorkError::Problem)?;
            self.run_steps(cpu, set, steps, request)
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
