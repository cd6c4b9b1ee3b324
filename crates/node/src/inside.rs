//! Mining inside the node: the worker's loop, fed by the hub without a wire between.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use hysteron_api::worker::Figures;
use hysteron_ledger::Address;
use hysteron_work::{LegRunner, Problems, WorkRules};
use hysteron_worker::{FINDINGS_MAX, Finding, Miner, Order};
use tokio::runtime::Handle;

use crate::hub::{Hub, Made, Mining, ResultError};
use crate::stop::{Stop, stopped};

/// Seconds between two looks at the figures.
const FIGURES_S: u64 = 5;

/// What the threads mine with.
pub(crate) struct Means {
    pub(crate) threads: usize,
    pub(crate) payee: Address,
    pub(crate) runner: Arc<dyn LegRunner>,
    pub(crate) problems: Arc<dyn Problems>,
    pub(crate) rules: Arc<WorkRules>,
}

/// Mines until the node stops.
pub(crate) async fn mine(hub: Arc<Hub>, means: Means, mut stop: Stop) {
    let mining = loop {
        match hub.join(means.payee).await {
            Ok(mining) => break mining,
            Err(error) => tracing::warn!(%error, "mining waits for a template"),
        }
        if stops_within(&mut stop, 1).await {
            return;
        }
    };
    let (sender, findings) = sync_channel(FINDINGS_MAX);
    let miner = Miner::start(means.threads, mining.nonce_start, means.runner, means.problems, &sender);
    drop(sender);
    let miner = Arc::new(miner);
    let taker = tokio::task::spawn_blocking({
        let (hub, runtime, miner) = (hub.clone(), Handle::current(), Arc::downgrade(&miner));
        move || take(&hub, &runtime, &miner, &findings)
    });
    tracing::info!(threads = means.threads, "mining inside the node");
    follow(&hub, &mining, &miner, &means.rules, &mut stop).await;
    // Dropping joins the threads, whose sending ends with the taker.
    let ended = tokio::task::spawn_blocking(move || drop(miner)).await;
    if ended.is_err() || taker.await.is_err() {
        tracing::error!("a mining thread has failed");
    }
}

/// Hands each new work to the miner, and its figures to the hub.
async fn follow(hub: &Arc<Hub>, mining: &Mining, miner: &Miner, rules: &Arc<WorkRules>, stop: &mut Stop) {
    let mut generations = hub.generations();
    let mut figures = tokio::time::interval(std::time::Duration::from_secs(FIGURES_S));
    let mut reported = miner.figures();
    let mut present = 0;
    loop {
        if let Some(made) = hub.made(&mining.payee)
            && made.id != present
        {
            present = made.id;
            miner.set(Some(order(&made, rules)));
        }
        tokio::select! {
            _ = stopped(stop) => return,
            changed = generations.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            _ = figures.tick() => {
                let done = miner.figures();
                let since = done.since(&reported);
                reported = done;
                hub.report(&Figures {
                    attempts: since.attempts,
                    legs: since.legs,
                    ecu: since.ecu,
                    hashing_ns: since.hashing_ns,
                    computing_ns: since.computing_ns,
                });
                if let Some(trouble) = miner.trouble() {
                    tracing::warn!(trouble, "legs could not be run");
                }
            }
        }
    }
}

fn order(made: &Made, rules: &Arc<WorkRules>) -> Order {
    Order {
        template: made.id,
        height: made.height,
        header: made.header_bytes.clone(),
        seed: made.header.seed(),
        post_target: made.header.post_target,
        table: made.table.clone(),
        rules: rules.clone(),
    }
}

/// Takes what the threads find, until they have ended.
fn take(hub: &Arc<Hub>, runtime: &Handle, miner: &std::sync::Weak<Miner>, findings: &Receiver<Finding>) {
    while let Ok(finding) = findings.recv() {
        match finding {
            Finding::Block { order, attempt } => {
                let mut tally = hysteron_api::worker::Tally::default();
                match runtime.block_on(hub.found(order.template, &attempt.proof, &mut tally)) {
                    Ok(_) => tracing::info!(height = order.height, "mined a block"),
                    Err(error) => {
                        tracing::info!(height = order.height, %error, "a mined block was not taken")
                    }
                }
            }
            Finding::Claim { job, claim, energy, .. } => {
                match runtime.block_on(hub.own_claim(job, energy, *claim)) {
                    Ok(_) => tracing::info!(%job, energy, "improved a job"),
                    Err(error) => {
                        tracing::info!(%job, energy, %error, "a claim was not taken");
                        if let (ResultError::Poor { .. } | ResultError::Unanswered(_), Some(miner)) =
                            (&error, miner.upgrade())
                        {
                            miner.claim_was_refused(&job);
                        }
                    }
                }
            }
        }
    }
}

async fn stops_within(stop: &mut Stop, seconds: u64) -> bool {
    let wait = tokio::time::timeout(std::time::Duration::from_secs(seconds), stopped(stop));
    wait.await.is_ok()
}
