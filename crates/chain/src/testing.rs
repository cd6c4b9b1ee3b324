//! What tests and simulations use in the place of real legs: a runner whose digests are hashes, and a miner that finds a
//! proof in microseconds. Everything else is real.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hysteron_ledger::Genesis;
use hysteron_work::types::{Hash, Target, hash};
use hysteron_work::{Leg, LegOutput, LegRunner, Problems, Proof, Table, Task, WorkError, WorkRules};

use crate::block::Block;
use crate::chain::Template;

/// A runner that computes nothing: the digest is a hash of the leg and of what it works on, the assignment of a job's leg is
/// drawn from the seed and scored honestly.
#[derive(Clone, Default)]
pub struct StubRunner {
    problems: Option<Arc<dyn Problems>>,
}

impl StubRunner {
    /// For networks without jobs, or tests that do not look at results: assignments are empty.
    pub fn without_problems() -> Self {
        Self::default()
    }
    /// With the problems of jobs.
    pub fn new(problems: Arc<dyn Problems>) -> Self {
        Self { problems: Some(problems) }
    }
}

impl std::fmt::Debug for StubRunner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StubRunner").finish_non_exhaustive()
    }
}

impl LegRunner for StubRunner {
    fn run(&self, table: &Table, leg: &Leg, _: &AtomicBool) -> Result<LegOutput, WorkError> {
        let (id, checkpoints) = match leg.task {
            Task::Job(index) => {
                let entry = table.entries.get(index as usize);
                (
                    entry.map_or([0; 32], |entry| entry.problem.0),
                    entry.map_or(0, |entry| entry.checkpoints.len()),
                )
            }
            Task::Public(_) => (table.pool.seed, 0),
        };
        let bytes = borsh::to_vec(leg).expect("memory takes every byte");
        let digest = hash("stub-leg", &[&id, &(checkpoints as u64).to_le_bytes(), &bytes]);
        let mut output = LegOutput {
            digest,
            lane: digest[0] % 64,
            energy: 0,
            hard_unsatisfied: 0,
            assignment: Vec::new(),
            ecu: 1,
            task: leg.task,
        };
        if let (Some(problems), Task::Job(index)) = (&self.problems, leg.task)
            && let Some(entry) = table.entries.get(index as usize)
        {
            let problem = problems.problem(&entry.problem).ok_or(WorkError::ProblemMissing(entry.problem))?;
            let mut bits = blake3_bits(&digest);
            output.assignment = (0..problem.variables()).map(|_| bits()).collect();
            let (hard, energy) = hysteron_work::score(&problem, &output.assignment)
                .expect("the assignment has the problem's number of variables");
            output.hard_unsatisfied = u32::try_from(hard).unwrap_or(u32::MAX);
            output.energy = energy;
        }
        Ok(output)
    }
}

/// A stream of bits that a hash determines.
fn blake3_bits(seed: &Hash) -> impl FnMut() -> bool {
    let (seed, mut block, mut at) = (*seed, [0u8; 32], 256usize);
    let mut counter = 0u64;
    move || {
        if at == 256 {
            block = hash("stub-bits", &[&seed, &counter.to_le_bytes()]);
            counter += 1;
            at = 0;
        }
        at += 1;
        block[(at - 1) / 8] >> ((at - 1) % 8) & 1 == 1
    }
}

/// A devnet whose blocks cost a few hashes.
pub fn easy_genesis() -> Genesis {
    let mut genesis = Genesis::devnet();
    genesis.network = "hysteron-test".into();
    genesis.post_target = Target::from_expected_tries(2);
    genesis.work.pre_tries = 2;
    genesis
}

/// Tries nonces from `nonce_start` on until a proof wins.
///
/// # Panics
/// If the runner fails.
pub fn prove(template: &Template, rules: &WorkRules, runner: &dyn LegRunner, nonce_start: u64) -> Proof {
    let th = template.seed();
    let (stop, meter) = (AtomicBool::new(false), hysteron_work::Meter::off());
    let mut nonce = nonce_start;
    loop {
        let attempt = hysteron_work::attempt(&th, &template.table, rules, runner, nonce, &stop, &meter)
            .expect("the runner runs every leg")
            .expect("nobody stops it");
        if attempt.wins(template.post_target()) {
            return attempt.proof;
        }
        nonce = attempt.proof.nonce.wrapping_add(1);
    }
}

/// The block that a template becomes.
///
/// # Panics
/// If the runner fails.
pub fn mine(template: Template, rules: &WorkRules, runner: &dyn LegRunner) -> Block {
    let proof = prove(&template, rules, runner, 0);
    template.complete(&proof)
}
