//! `hysteron inspect`: what was understood of a file, and what solving it would take.

use std::io::Write;

use anyhow::Result;
use hysteron_problem::inspect::{Inspection, inspect};

use crate::input::Input;

/// Arguments of `hysteron inspect`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Threads to predict the memory for; all cores unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The file's own terms beside those of the canonical problem.
#[derive(serde::Serialize)]
struct Report<'a> {
    format: &'a str,
    file_kind: &'a str,
    file_variables: u32,
    file_elements: u64,
    notes: &'a [String],
    #[serde(flatten)]
    canonical: &'a Inspection,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let document = arguments.input.read()?;
    let threads = arguments.threads.map_or_else(crate::solve::default_threads, usize::from);
    let mut inspection = inspect(document.problem());
    inspection.memory_bytes = Some(hysteron_solve::memory_estimate(document.problem(), threads));
    let report = Report {
        format: document.format().name(),
        file_kind: document.kind().name(),
        file_variables: document.variables(),
        file_elements: document.elements(),
        notes: document.notes(),
        canonical: &inspection,
    };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{} file ({}), {} variables", report.file_kind, report.format, report.file_variables)?;
        for note in report.notes {
            writeln!(out, "note: {note}")?;
        }
        writeln!(out, "{inspection}")?;
    }
    out.flush()?;
    Ok(0)
}
