//! `hysteron inspect`: what was understood of a file, and what solving it would take.

use anyhow::Result;

use crate::input::Input;

/// Arguments of `hysteron inspect`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let document = arguments.input.read()?;
    println!("{} {}", document.kind().name(), arguments.json);
    Ok(0)
}
