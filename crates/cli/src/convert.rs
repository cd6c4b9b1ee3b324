//! `hysteron convert`: the same problem in another format.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use hysteron_problem::{Compression, Document, Format};

use crate::input::Input;

/// Arguments of `hysteron convert`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// The format to write; told from the output's name unless given.
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,
    /// The file to write, `-` for standard output; .gz, .xz and .zst are packed.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let document = arguments.input.read()?;
    for note in document.notes() {
        eprintln!("note: {note}");
    }
    let format = match arguments.to {
        Some(format) => format,
        None => arguments
            .output
            .to_str()
            .and_then(Format::from_file_name)
            .context("say the format to write with --to FORMAT, or name the --output with its ending")?,
    };
    write(&document, format, &arguments.output)?;
    Ok(0)
}

/// Writes a document to a file, compressed as its name's ending says, or to standard output for `-`.
/// An existing file is replaced only when the whole text is ready. A change of the objective is told
/// on standard error.
pub fn write(document: &Document, format: Format, output: &Path) -> Result<()> {
    let mut bytes = Vec::new();
    let map = hysteron_problem::write(document, format, &mut bytes)?;
    if let Some(change) = map.describe() {
        eprintln!("note: {change}");
    }
    if output.as_os_str() == "-" {
        let mut out = std::io::stdout().lock();
        out.write_all(&bytes)?;
        out.flush()?;
    } else {
        if let Some(compression) = output.to_str().and_then(Compression::from_file_name) {
            bytes = compression.compress(&bytes);
        }
        std::fs::write(output, &bytes).with_context(|| output.display().to_string())?;
    }
    Ok(())
}
