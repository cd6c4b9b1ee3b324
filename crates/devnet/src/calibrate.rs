//! The difficulty that a devnet begins with, from the speed of this machine: a demonstration should not wait for the
//! difficulty to find its way down on a slow or busy one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use hysteron_ledger::Genesis;
use hysteron_problem::Problem;
use hysteron_work::{CpuRunner, ProblemId, Problems, Table, Target};
use hysteron_worker::{Miner, Order};

/// Attempts that are enough to know the speed.
const ATTEMPTS: u64 = 40;
/// No longer than this is measured.
const MEASURE_MAX: Duration = Duration::from_secs(4);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of compiled circuits that are kept meanwhile.
const CIRCUIT_BYTES_MAX: u64 = 64 << 20;
/// What the nodes take of the same cores, to re-run what workers found, in per cent.
const NODES_PER_CENT: u64 = 20;

/// This network with the first target set so that `threads` threads of this machine need its spacing for a block.
/// Measures for some seconds at most.
pub fn calibrated(genesis: Genesis, threads: usize) -> Genesis {
    let problems: Arc<dyn Problems> = Arc::new(BTreeMap::<ProblemId, Arc<Problem>>::new());
    let rules = Arc::new(genesis.work.clone());
    let runner = Arc::new(CpuRunner::new(problems.clone(), genesis.work.clone(), CIRCUIT_BYTES_MAX));
    let (findings, _nobody) = sync_channel(1);
    let miner = Miner::start(threads, 0, runner, problems, &findings);
    let begin = Instant::now();
    miner.set(Some(Order {
        template: 0,
        height: 1,
        header: Arc::default(),
        seed: genesis.hash(),
        // Nothing wins.
        post_target: Target([0; 32]),
        table: Arc::new(Table { capacity_chips: 1, ..Table::default() }),
        rules,
    }));
    while miner.figures().attempts < ATTEMPTS && begin.elapsed() < MEASURE_MAX {
        std::thread::sleep(LOOK);
    }
    let attempts = miner.figures().attempts;
    let elapsed_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
    drop(miner);
    let spacing_ms = genesis.spacing_seconds * 1000 * (100 - NODES_PER_CENT) / 100;
    let tries = u128::from(attempts) * u128::from(spacing_ms) / u128::from(elapsed_ms);
    Genesis { post_target: Target::from_expected_tries(tries.max(1)), ..genesis }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_target_changes() {
        let before = Genesis::devnet();
        let after = calibrated(before.clone(), 1);
        assert!(after.check().is_ok());
        assert_eq!(Genesis { post_target: before.post_target, ..after }, before);
    }
}
