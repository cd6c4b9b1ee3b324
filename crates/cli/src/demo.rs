//! The demonstration of `hysteron devnet --demo`: the way of a job, from the file to the receipt. Every step checks what
//! it shows; what does not hold ends it with an error.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hysteron_api::types::{Job, JobEvent, JobState};
use hysteron_client::{
    Booking, CheckedReceipt, Connection, Preparation, Prepared, check_receipt, describe_offer,
    describe_receipt, devnet_account, prepare, state_name,
};
use hysteron_devnet::{Devnet, Options, worker_address, worker_name};
use hysteron_ledger::format_hys;
use hysteron_problem::{Document, ReadOptions};
use hysteron_work::Hash;

/// The bundled problem: Max-Cut on a torus of 2000 vertices, `generate toroidal-grid rows=40 columns=50 --seed 7`.
const PROBLEM: &[u8] = include_bytes!("../../../examples/toroidal-2000.mc");
/// Its name.
const PROBLEM_NAME: &str = "examples/toroidal-2000.mc";
/// The cut that ends the search, so that something is left to return: the best known, most often reached in a few blocks.
const TARGET: &str = "1382";
/// What is booked.
const CHIPS: u64 = 8192;
const BLOCKS: u32 = 12;
/// How long the job may take until it is settled.
const JOB_S_MAX: u64 = 600;
/// How far the node's history may be behind.
const HISTORY_MAX: Duration = Duration::from_secs(30);
/// How often a receipt is asked for again.
const RECEIPT_TRIES_MAX: u32 = 5;
/// The most values of the answer that are printed; the whole is in `job result`.
const VALUES_SHOWN: usize = 24;

/// Plays it. `stop` says that the user wants to leave.
pub fn run(
    devnet: &Devnet,
    options: &Options,
    receipt: Option<&Path>,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let begin = Instant::now();
    let connection = Connection::open(&devnet.urls()[0])?;
    let genesis = &connection.genesis;
    say(&format!(
        "[1] A network: {} node, {} workers, a block every {} seconds, accounts with coins, all on this machine.",
        options.nodes, options.workers, genesis.spacing_seconds
    ))?;

    say("\n[2] A customer books chips for a problem file.")?;
    let document = hysteron_problem::read(PROBLEM, Some(PROBLEM_NAME), &ReadOptions::default())?;
    let Preparation::Ready(prepared) = prepare(&document, &genesis.work)? else {
        bail!("the bundled problem needs no search: this is a defect of hysteron, please report it")
    };
    let customer = devnet_account("customer")?;
    let before = connection.account(&customer.address())?.balance;
    let booking = Booking {
        chips: CHIPS,
        blocks: BLOCKS,
        target: Some(TARGET.parse()?),
        bounty_per_mille: 200,
        price_max: None,
    };
    let offer = connection.offer(&customer, &document, &prepared, &booking)?;
    say(describe_offer(PROBLEM_NAME, &document, &prepared, &offer, &connection).trim_end())?;
    let sent = connection.open_job(&customer, &prepared, &offer)?;
    let height = connection.wait_for(sent.id, Duration::from_secs(JOB_S_MAX / 2))?;
    say(&format!("  job {} is open since block {height}", sent.id))?;

    say(
        "\n[3] Miners confirm blocks by searching it. No server assigns anything; every node re-runs the winning legs.",
    )?;
    let job = search(&connection, sent.id, &document, &prepared, stop)?;

    say("\n[4] The answer, mapped back to the file's own variables and scored again from the file:")?;
    show_answer(&connection, sent.id, &document, &prepared)?;

    say("\n[5] What the miners earned:")?;
    show_earnings(&connection, sent.id, options)?;

    say("\n[6] What the customer paid:")?;
    let after = connection.account(&customer.address())?.balance;
    show_payment(&job, before, after, sent.fee)?;

    say("\n[7] The receipt, verified offline against a block of the chain:")?;
    show_receipt(&connection, sent.id, &job, receipt)?;
    say(&format!("\nDone in {:.0} seconds.", begin.elapsed().as_secs_f64()))
}

/// Prints lines at once.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// Follows the job until its escrow is settled, a line for each block.
fn search(
    connection: &Connection,
    id: hysteron_api::Hex32,
    document: &Document,
    prepared: &Prepared,
    stop: &dyn Fn() -> bool,
) -> Result<Job> {
    let mut failed = None;
    let mut last = String::new();
    let mut seen = |job: &Job| {
        let progress = &job.progress;
        let energy = match progress.best_energy {
            Some(energy) => {
                let cut = prepared
                    .objective(document, energy)
                    .map(|cut| format!(", cut {cut}"))
                    .unwrap_or_default();
                format!("best energy {energy}{cut}")
            }
            None => "no answer yet".to_owned(),
        };
        let line = format!(
            "{}, {} of {} chip-blocks, {energy}",
            state_name(job.state),
            progress.credited_chip_blocks,
            progress.booked_chip_blocks
        );
        if line == last {
            return;
        }
        let height = connection.client.status().map_or(0, |status| status.height);
        failed = say(&format!("  block {height:>3}: {line}")).err().or_else(|| failed.take());
        last = line;
    };
    let until = |job: &Job| job.state == JobState::Settled;
    let found = connection.follow(id, Some(Duration::from_secs(JOB_S_MAX)), &mut seen, &until, stop)?;
    if let Some(error) = failed {
        return Err(error);
    }
    let job = found.filter(until).context("stopped before the job was settled")?;
    let outcome = job.outcome.map_or("settled", state_name);
    say(&format!(
        "  {outcome}; its escrow was settled {} blocks later",
        connection.genesis.confirmation_blocks
    ))?;
    Ok(job)
}

fn show_answer(
    connection: &Connection,
    id: hysteron_api::Hex32,
    document: &Document,
    prepared: &Prepared,
) -> Result<()> {
    let (_, answer) = connection.answer(id, document, prepared)?.context("nobody found an answer")?;
    if !answer.holds {
        bail!("the answer does not hold on the file");
    }
    let values = document.assignment_values(&answer.assignment);
    let shown: Vec<String> = values.iter().take(VALUES_SHOWN).map(i64::to_string).collect();
    say(&format!("  o {}", answer.score.objective))?;
    say("  s SATISFIABLE")?;
    say(&format!("  v {} … ({} values; `hysteron job result` prints all)", shown.join(" "), values.len()))
}

/// What happened to the job. The node's history follows its chain, a moment behind.
fn history(connection: &Connection, id: hysteron_api::Hex32) -> Result<Vec<JobEvent>> {
    let begin = Instant::now();
    loop {
        let events = connection.client.job_events(id)?;
        if events.iter().any(|event| event.kind == "settled") {
            return Ok(events);
        }
        if begin.elapsed() > HISTORY_MAX {
            bail!("the node's history does not show that the job was settled");
        }
        std::thread::sleep(connection.pause());
    }
}

/// Blocks by miner, from the chain; bounties by finder, from the job's history.
fn show_earnings(connection: &Connection, id: hysteron_api::Hex32, options: &Options) -> Result<()> {
    let mut bounties: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for event in history(connection, id)? {
        if let ("improved", Some(finder)) = (event.kind.as_str(), &event.address) {
            let (claims, atoms) = bounties.entry(finder.clone()).or_default();
            *claims += 1;
            *atoms += event.amount.map_or(0, |amount| amount.0);
        }
    }
    let mut blocks: BTreeMap<String, u64> = BTreeMap::new();
    let mut before = None;
    loop {
        let query = hysteron_api::types::BlockQuery { before, count: Some(100) };
        let page = connection.client.blocks(&query)?;
        for header in page.blocks.iter().filter(|header| header.height > 0) {
            *blocks.entry(header.miner.clone()).or_default() += 1;
        }
        before = page.next;
        if before.is_none() || page.blocks.is_empty() {
            break;
        }
    }
    let mut all = 0;
    for worker in 1..=options.workers {
        let address = connection.text(&worker_address(worker));
        let account = connection.client.account(&address)?;
        let earned = account.balance.0.saturating_add(account.immature.0);
        let (claims, bounty) = bounties.get(&address).copied().unwrap_or_default();
        all += earned;
        say(&format!(
            "  {:<9} {:>3} blocks, {claims:>2} improvements; {} HYS, of which {} HYS are bounties",
            worker_name(worker),
            blocks.get(&address).copied().unwrap_or_default(),
            format_hys(earned),
            format_hys(bounty),
        ))?;
    }
    if all == 0 {
        bail!("the workers earned nothing");
    }
    Ok(())
}

fn show_payment(job: &Job, before: u64, after: u64, fee: u64) -> Result<()> {
    say(&format!(
        "  {} HYS were set aside; {} HYS were spent ({} HYS of them bounties), {} HYS came back",
        job.escrowed.hys(),
        job.spent.hys(),
        job.bounties.hys(),
        job.refunded.hys()
    ))?;
    say(&format!(
        "  the account went from {} to {} HYS, fee included",
        format_hys(before),
        format_hys(after)
    ))?;
    let spent = job.escrowed.0.saturating_sub(job.refunded.0).saturating_add(fee);
    if before.saturating_sub(spent) != after {
        bail!("the account's balance does not follow from what was set aside, returned and paid as fee");
    }
    Ok(())
}

fn show_receipt(
    connection: &Connection,
    id: hysteron_api::Hex32,
    job: &Job,
    keep: Option<&Path>,
) -> Result<()> {
    let (bytes, checked, trusted) = trusted_receipt(connection, id)?;
    say(describe_receipt(&checked, Some(&connection.genesis.address_prefix)).trim_end())?;
    let settlement = checked.proven.job.settlement.context("the receipt is of a job that is not settled")?;
    if checked.job.0 != id.0 || settlement.refunded != job.refunded.0 {
        bail!("the receipt proves something else than the node said");
    }
    let mut forged = bytes.clone();
    let middle = forged.len() / 2;
    forged[middle] ^= 1;
    if check_receipt(&forged, Some(trusted)).is_ok() {
        bail!("a forged receipt was taken");
    }
    say("  it holds; a copy with one bit changed is refused")?;
    if let Some(path) = keep {
        std::fs::write(path, &bytes).with_context(|| path.display().to_string())?;
        say(&format!("  kept in {}; check it with `hysteron receipt verify`", path.display()))?;
    }
    Ok(())
}

/// A receipt, checked against the block of its height in the node's list: whoever checks one needs one block from
/// somebody whom he trusts. When the chain's last block was replaced in between, it is asked for again.
fn trusted_receipt(
    connection: &Connection,
    id: hysteron_api::Hex32,
) -> Result<(Vec<u8>, CheckedReceipt, Hash)> {
    let mut tries = 0;
    loop {
        let bytes = connection.client.receipt(id)?.receipt.0;
        let height = check_receipt(&bytes, None)?.anchor_height;
        let trusted = connection.client.block(height)?.header.hash.0;
        tries += 1;
        match check_receipt(&bytes, Some(trusted)) {
            Ok(checked) => return Ok((bytes, checked, trusted)),
            Err(_) if tries < RECEIPT_TRIES_MAX => std::thread::sleep(connection.pause()),
            Err(error) => return Err(error.into()),
        }
    }
}
