//! `hysteron job`: book chips for a problem file, follow the search, fetch the answer.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hysteron_api::Hex32;
use hysteron_api::types::{Job, JobQuery};
use hysteron_client::{
    Booking, Connection, FileAnswer, JobBook, JobRecord, Preparation, describe_offer, is_over, line_of,
    prepare, state_name,
};
use hysteron_problem::{Document, Kind, Objective, Sense};

use crate::input::Input;
use crate::job_bar::JobBar;
use crate::network::{
    NodeArguments, WalletArguments, confirm, home, interrupt, parse_amount, parse_count, parse_id,
};

/// How long an opening or a cancellation is waited for, in blocks of the network.
const WAIT_BLOCKS: u64 = 60;

/// Arguments of `hysteron job`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Book chips for a problem file.
    Open(Box<Open>),
    /// Follow a job until its search is over.
    Watch(Watch),
    /// Fetch the best answer, in the file's own variables, scored again from the file.
    #[command(name = "result")]
    Outcome(Box<Outcome>),
    /// End a job early; what is not used comes back.
    Cancel(Cancel),
    /// List jobs.
    List(List),
}

#[derive(clap::Args)]
struct Open {
    #[command(flatten)]
    input: Input,
    /// Chips that search side by side; a leg simulates 64.
    #[arg(long, value_name = "N", default_value = "256", value_parser = parse_count)]
    chips: u64,
    /// Blocks for which they are booked.
    #[arg(long, value_name = "M", default_value = "20", value_parser = parse_count)]
    blocks: u64,
    /// End as soon as the file's objective is this good.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    target: Option<Objective>,
    /// Bounty for miners who improve the answer, in per cent of the price.
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    bounty: u16,
    /// The most HYS that price and bounty may be; what is quoted unless given.
    #[arg(long, value_name = "HYS", value_parser = parse_amount)]
    max_price: Option<u64>,
    #[command(flatten)]
    node: NodeArguments,
    #[command(flatten)]
    wallet: WalletArguments,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Do not wait until the job is in a block.
    #[arg(long)]
    no_wait: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Watch {
    /// The job's id.
    #[arg(value_parser = parse_id)]
    job: Hex32,
    #[command(flatten)]
    node: NodeArguments,
    /// Until its escrow is settled, not only until its search is over.
    #[arg(long)]
    settled: bool,
    /// Give up after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Print one JSON object a line for each change.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Outcome {
    /// The job's id.
    #[arg(value_parser = parse_id)]
    job: Hex32,
    /// The problem file; the one that the job was opened with on this machine unless given.
    file: Option<PathBuf>,
    /// The file's format, where it cannot be told from the file.
    #[arg(long, value_name = "FORMAT", requires = "file")]
    format: Option<hysteron_problem::Format>,
    /// Read a plain CNF as unweighted MaxSAT.
    #[arg(long, requires = "file")]
    maxsat: bool,
    /// Which instance of an OR-Library file, 1 for the first.
    #[arg(long, value_name = "K", requires = "file")]
    instance: Option<usize>,
    #[command(flatten)]
    node: NodeArguments,
    /// Print one JSON object instead of competition lines.
    #[arg(long)]
    json: bool,
    /// Write the answer to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Cancel {
    /// The job's id.
    #[arg(value_parser = parse_id)]
    job: Hex32,
    #[command(flatten)]
    node: NodeArguments,
    #[command(flatten)]
    wallet: WalletArguments,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

#[derive(clap::Args)]
struct List {
    #[command(flatten)]
    node: NodeArguments,
    /// Only jobs of this address.
    #[arg(long, value_name = "ADDRESS")]
    owner: Option<String>,
    /// Only jobs in this state: held, waiting, running, solved, exhausted, cancelled, refused, starved or settled.
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    match &arguments.command {
        Command::Open(open) => book(open),
        Command::Watch(watch) => follow(watch),
        Command::Outcome(outcome) => result(outcome),
        Command::Cancel(cancel) => end(cancel),
        Command::List(list) => show(list),
    }
}

/// What `job open --json` prints.
#[derive(serde::Serialize)]
struct Opened {
    job: Hex32,
    problem: Hex32,
    class: &'static str,
    chips: u64,
    blocks: u64,
    target: Option<i64>,
    escrow: hysteron_api::Atoms,
    fee: hysteron_api::Atoms,
    height: Option<u64>,
}

fn book(open: &Open) -> Result<u8> {
    let document = open.input.read()?;
    let connection = open.node.connect()?;
    let name = open.input.file.display().to_string();
    let prepared = match prepare(&document, &connection.genesis.work).with_context(|| name.clone())? {
        Preparation::Ready(prepared) => prepared,
        Preparation::Solved(_) => {
            bail!(
                "{name}: simplifying it solves it, there is nothing to book; `hysteron solve {name}` prints the answer"
            )
        }
    };
    let signer = open.wallet.open_on(&connection)?;
    let booking = Booking {
        chips: open.chips,
        blocks: u32::try_from(open.blocks).unwrap_or(u32::MAX),
        target: open.target,
        bounty_per_mille: open.bounty * 10,
        price_max: open.max_price,
    };
    let offer = connection.offer(&signer, &document, &prepared, &booking)?;
    if !open.json || !open.yes {
        let mut out: Box<dyn Write> =
            if open.json { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout().lock()) };
        out.write_all(describe_offer(&name, &document, &prepared, &offer, &connection).as_bytes())?;
        out.flush()?;
    }
    if !confirm("Book it?", open.yes)? {
        eprintln!("Nothing was sent.");
        return Ok(1);
    }
    let sent = connection.open_job(&signer, &prepared, &offer)?;
    remember(open, &connection, sent.id);
    if !open.json {
        println!("job {}", sent.id);
    }
    let height = if open.no_wait {
        None
    } else {
        let most = Duration::from_secs(connection.genesis.spacing_seconds * WAIT_BLOCKS);
        Some(connection.wait_for(sent.id, most)?)
    };
    if open.json {
        let opened = Opened {
            job: sent.id,
            problem: Hex32(prepared.id.0),
            class: prepared.class.name(),
            chips: open.chips,
            blocks: open.blocks,
            target: offer.booking.target,
            escrow: offer.quote.escrow,
            fee: hysteron_api::Atoms(sent.fee),
            height,
        };
        println!("{}", serde_json::to_string(&opened)?);
    } else {
        if let Some(height) = height {
            println!("open since block {height}");
        }
        println!("follow it with   hysteron job watch {}", sent.id);
        println!("fetch answers by hysteron job result {}", sent.id);
    }
    Ok(0)
}

/// Notes the file of a job, so that `job result` need not be told.
fn remember(open: &Open, connection: &Connection, job: Hex32) {
    if open.input.file.as_os_str() == "-" {
        return;
    }
    let written = home().and_then(|home| {
        let record = JobRecord {
            job,
            network: connection.genesis.network.clone(),
            file: std::path::absolute(&open.input.file)?,
            format: open.input.format.map(|format| format.name().to_owned()),
            maxsat: open.input.maxsat,
            instance: open.input.instance,
        };
        Ok(JobBook::new(&home).write(&record)?)
    });
    if let Err(error) = written {
        eprintln!("note: {error:#}");
    }
}

/// The file of a job, from the command line or the machine's memory.
fn input_of(outcome: &Outcome) -> Result<Input> {
    if let Some(file) = &outcome.file {
        return Ok(Input {
            file: file.clone(),
            format: outcome.format,
            maxsat: outcome.maxsat,
            instance: outcome.instance,
        });
    }
    let record = JobBook::new(&home()?).read(outcome.job)?.with_context(|| {
        format!(
            "job {} was not opened on this machine; name its file: hysteron job result {0} FILE",
            outcome.job
        )
    })?;
    let format =
        record.format.as_deref().map(str::parse).transpose().context("the record of the job is damaged")?;
    Ok(Input { file: record.file, format, maxsat: record.maxsat, instance: record.instance })
}

fn follow(watch: &Watch) -> Result<u8> {
    let connection = watch.node.connect()?;
    let stop = interrupt()?;
    let bar = JobBar::new(!watch.json);
    let mut last = String::new();
    let mut seen = |job: &Job| {
        if watch.json {
            // Nobody may be reading any more.
            let _ = serde_json::to_string(job).map(|line| println!("{line}"));
            return;
        }
        let line = line_of(job);
        if !bar.update(job, &line) && line != last {
            println!("{line}");
        }
        last = line;
    };
    let most = watch.timeout.map(Duration::from_secs);
    let settled = watch.settled;
    let until = |job: &Job| {
        if settled { job.state == hysteron_api::types::JobState::Settled } else { is_over(job.state) }
    };
    let found = connection.follow(watch.job, most, &mut seen, &until, &|| stop.load(Ordering::Relaxed));
    bar.finish();
    if let Some(job) = found?
        && !watch.json
    {
        if bar.is_shown() {
            println!("{}", line_of(&job));
        }
        println!("paid {} HYS, returned {} HYS", job.spent.hys(), job.refunded.hys());
    }
    Ok(0)
}

/// What `job result --json` prints.
#[derive(serde::Serialize)]
struct JsonResult<'a> {
    job: Hex32,
    state: hysteron_api::types::JobState,
    status: &'static str,
    objective: Option<Objective>,
    assignment: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [serde_json::Value]>,
    hard_unsatisfied: Option<u64>,
    height: Option<u64>,
}

fn result(outcome: &Outcome) -> Result<u8> {
    let input = input_of(outcome)?;
    let document = input.read()?;
    let connection = outcome.node.connect()?;
    let job = connection.client.job(outcome.job)?;
    let name = input.file.display().to_string();
    let Preparation::Ready(prepared) =
        prepare(&document, &connection.genesis.work).with_context(|| name.clone())?
    else {
        bail!("{name}: simplifying it solves it, so job {} was not opened with it", outcome.job)
    };
    let found = connection.answer(outcome.job, &document, &prepared)?;
    let (height, answer) = found.map_or((None, None), |(found, answer)| (Some(found.height), Some(answer)));
    let mut out: Box<dyn Write> = match &outcome.output {
        Some(path) => Box::new(std::io::BufWriter::new(
            std::fs::File::create(path).with_context(|| path.display().to_string())?,
        )),
        None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
    };
    let values = answer.as_ref().map(|answer| document.assignment_values(&answer.assignment));
    if outcome.json {
        let json = JsonResult {
            job: outcome.job,
            state: job.state,
            status: answer.as_ref().map_or("unknown", |answer| status_name(&document, answer)),
            objective: answer
                .as_ref()
                .filter(|a| is_meant(&document, a))
                .map(|answer| answer.score.objective),
            assignment: values,
            labels: document.variable_labels(),
            hard_unsatisfied: answer.as_ref().map(|answer| answer.score.hard_unsatisfied),
            height,
        };
        serde_json::to_writer(&mut out, &json)?;
        writeln!(out)?;
    } else {
        writeln!(out, "c job {} ({})", outcome.job, state_name(job.state))?;
        match &answer {
            Some(answer) => print_answer(&mut *out, &document, answer)?,
            None => writeln!(out, "c no answer yet\ns UNKNOWN")?,
        }
    }
    out.flush()?;
    Ok(match &answer {
        Some(answer) if answer.holds => match document.kind() {
            Kind::Cnf | Kind::Wcnf | Kind::MaxSat | Kind::PseudoBoolean => 10,
            _ => 0,
        },
        _ => 0,
    })
}

/// Whether the objective of an answer means anything: that of a CNF counts what is open, others need the hard clauses.
fn is_meant(document: &Document, answer: &FileAnswer) -> bool {
    document.sense() == Sense::Satisfy || answer.score.hard_unsatisfied == 0
}

fn status_name(document: &Document, answer: &FileAnswer) -> &'static str {
    match (answer.holds, document.sense()) {
        (true, Sense::Satisfy) => "satisfiable",
        (true, _) => "feasible",
        (false, _) => "unknown",
    }
}

/// The `o`, `s` and `v` lines, as `hysteron solve` prints them.
pub fn print_answer(out: &mut dyn Write, document: &Document, answer: &FileAnswer) -> Result<()> {
    if is_meant(document, answer) {
        writeln!(out, "o {}", answer.score.objective)?;
    }
    writeln!(out, "s {}", if answer.holds { "SATISFIABLE" } else { "UNKNOWN" })?;
    if answer.holds || document.kind() != Kind::Cnf {
        crate::solve::write_values(out, document.kind(), &document.assignment_values(&answer.assignment))?;
    }
    Ok(())
}

fn end(cancel: &Cancel) -> Result<u8> {
    let connection = cancel.node.connect()?;
    let signer = cancel.wallet.open_on(&connection)?;
    if !confirm(&format!("End job {}?", cancel.job), cancel.yes)? {
        eprintln!("Nothing was sent.");
        return Ok(1);
    }
    let sent = connection.cancel_job(&signer, cancel.job)?;
    let most = Duration::from_secs(connection.genesis.spacing_seconds * WAIT_BLOCKS);
    let height = connection.wait_for(sent.id, most)?;
    println!(
        "cancelled in block {height}; it settles {} blocks later",
        connection.genesis.confirmation_blocks
    );
    Ok(0)
}

fn show(list: &List) -> Result<u8> {
    let connection = list.node.connect()?;
    if let Some(owner) = &list.owner {
        connection.address(owner)?;
    }
    let mut query = JobQuery { state: list.state.clone(), owner: list.owner.clone(), ..JobQuery::default() };
    let mut out = std::io::stdout().lock();
    if list.json {
        serde_json::to_writer(&mut out, &connection.client.jobs(&query)?)?;
        writeln!(out)?;
        return Ok(0);
    }
    let mut count = 0;
    loop {
        let page = connection.client.jobs(&query)?;
        for job in &page.jobs {
            writeln!(out, "{} {}", job.id, line_of(job))?;
        }
        count += page.jobs.len();
        match page.next {
            Some(next) if !page.jobs.is_empty() => query.after = Some(next),
            _ => break,
        }
    }
    if count == 0 {
        writeln!(out, "There are no such jobs.")?;
    }
    out.flush()?;
    Ok(0)
}
