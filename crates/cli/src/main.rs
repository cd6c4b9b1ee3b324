//! The `hysteron` command: reads problem files, solves them with simulated memristor chips, and
//! inspects, converts and generates them.

mod convert;
mod generate;
mod input;
mod inspect;
mod progress;
mod solve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Searches for solutions of optimisation problems with simulated circuits of ideal memristors.
#[derive(Parser)]
#[command(name = "hysteron", version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Search for the best answer to a problem file.
    Solve(solve::Arguments),
    /// Say what a problem file contains, and what solving it would take.
    Inspect(inspect::Arguments),
    /// Write a problem file in another format.
    Convert(convert::Arguments),
    /// Write a seeded instance of a named kind.
    Generate(generate::Arguments),
}

/// Exit code of a command that could not be carried out: bad input, bad arguments.
const EXIT_BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Solve(arguments) => solve::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        // A reader that has enough, such as `head`, is no error of ours.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(EXIT_BAD_INPUT)
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
