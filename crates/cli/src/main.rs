//! The `hysteron` command: reads problem files, solves them with simulated memristor chips, and
//! inspects, converts and generates them; and the network's programs: node, worker, wallet, jobs and receipts.

mod convert;
mod demo;
mod devnet;
mod generate;
mod genesis;
mod input;
mod inspect;
mod job;
mod job_bar;
mod network;
mod node;
mod progress;
mod receipt;
mod sim;
mod solve;
mod wallet;
mod worker;

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
    /// Start a whole network on this machine; with --demo, show the way of a job through it.
    Devnet(devnet::Arguments),
    /// Keys, balances, transfers.
    Wallet(wallet::Arguments),
    /// Book chips for a problem on the network, follow the search, fetch the answer.
    Job(job::Arguments),
    /// What a job was given and what it cost, provable to anybody.
    Receipt(receipt::Arguments),
    /// Simulate a network of thousands of miners from a scenario file.
    Sim(sim::Arguments),
    /// Make the genesis of a network, or show one.
    Network(genesis::Arguments),
    /// Run a node of the network.
    Node(Box<node::Arguments>),
    /// Mine for a node.
    Worker(worker::Arguments),
}

/// [`Arguments`] with nothing but `solve`. Describing the arguments of all commands takes longer than solving a small file.
#[derive(Parser)]
#[command(name = "hysteron", version, propagate_version = true)]
struct SolveAlone {
    #[command(subcommand)]
    command: SolveCommand,
}

#[derive(Subcommand)]
enum SolveCommand {
    /// Search for the best answer to a problem file.
    Solve(solve::Arguments),
}

/// Exit code of a command that could not be carried out: bad input, bad arguments.
const EXIT_BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let command = if std::env::args_os().nth(1).is_some_and(|first| first == "solve") {
        let SolveCommand::Solve(arguments) = SolveAlone::parse().command;
        Command::Solve(arguments)
    } else {
        Arguments::parse().command
    };
    let result = match command {
        Command::Solve(arguments) => solve::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Devnet(arguments) => devnet::run(&arguments),
        Command::Wallet(arguments) => wallet::run(&arguments),
        Command::Job(arguments) => job::run(&arguments),
        Command::Receipt(arguments) => receipt::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Network(arguments) => genesis::run(&arguments),
        Command::Node(arguments) => node::run(&arguments),
        Command::Worker(arguments) => worker::run(&arguments),
    };
    ExitCode::from(exit_code(result))
}

/// What a command's result means to the shell; says what went wrong.
fn exit_code(result: anyhow::Result<u8>) -> u8 {
    match result {
        Ok(code) => code,
        // A reader that has enough, such as `head`, is no error of ours.
        Err(error) if is_broken_pipe(&error) => 0,
        Err(error) => {
            eprintln!("error: {error:#}");
            EXIT_BAD_INPUT
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
