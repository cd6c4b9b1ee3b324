//! Reading the problem that a command names.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use hysteron_problem::{DECOMPRESSED_BYTES_MAX, Document, Format, ReadOptions, read_at_most};

/// The most bytes that a file, as it lies on the disk, may have: no more than it may have unpacked.
const FILE_BYTES_MAX: u64 = DECOMPRESSED_BYTES_MAX;

/// What every command says of its input.
#[derive(clap::Args)]
pub struct Input {
    /// The problem file, `-` for standard input; .gz, .xz and .zst are unpacked.
    pub file: PathBuf,
    /// The file's format, where it cannot be told from the file.
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Read a plain CNF as unweighted MaxSAT.
    #[arg(long)]
    pub maxsat: bool,
    /// Which instance of an OR-Library file, 1 for the first.
    #[arg(long, value_name = "K")]
    pub instance: Option<usize>,
}

impl Input {
    /// Reads and understands the file.
    pub fn read(&self) -> Result<Document> {
        let is_stdin = self.file.as_os_str() == "-";
        let name = if is_stdin { "standard input".to_string() } else { self.file.display().to_string() };
        let mut bytes = Vec::new();
        if is_stdin {
            read_at_most(std::io::stdin().lock(), FILE_BYTES_MAX + 1, &mut bytes)
                .context("standard input")?;
        } else {
            let file = std::fs::File::open(&self.file).with_context(|| name.clone())?;
            if file.metadata().with_context(|| name.clone())?.is_dir() {
                anyhow::bail!("{name}: is a directory; name a problem file");
            }
            read_at_most(file, FILE_BYTES_MAX + 1, &mut bytes).with_context(|| name.clone())?;
        }
        if bytes.len() as u64 > FILE_BYTES_MAX {
            anyhow::bail!(
                "{name}: more than {FILE_BYTES_MAX} bytes, the limit; split the problem or simplify it"
            );
        }
        let options = ReadOptions {
            format: self.format,
            maxsat: self.maxsat,
            instance: self.instance,
            ..ReadOptions::default()
        };
        let hint = (!is_stdin).then_some(name.as_str());
        hysteron_problem::read(&bytes, hint, &options).with_context(|| name.clone())
    }
}
