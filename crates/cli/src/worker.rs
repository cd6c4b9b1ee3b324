//! `hysteron worker`: mines for a node.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use hysteron_api::Client;
use hysteron_ledger::{Address, format_hys};
use hysteron_worker::{Endpoint, Notice, Options, Report};

use crate::network::{NodeArguments, interrupt};
use crate::progress::si;

/// Arguments of `hysteron worker`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    node: NodeArguments,
    /// Who earns: an address such as `hysteron wallet address` prints.
    #[arg(long, value_name = "ADDRESS")]
    address: String,
    /// The node's plain TCP port for workers, as host:port; its WebSocket unless given. Problems come over HTTP all the same.
    #[arg(long, value_name = "HOST:PORT")]
    tcp: Option<String>,
    /// Threads; all cores unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Seconds between reports.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    report: u64,
    /// Stop after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    time: Option<u64>,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let url = arguments.node.url();
    let (prefix, payee) = any_network(&arguments.address)?;
    let threads = arguments.threads.unwrap_or_else(|| crate::solve::default_threads() as u16);
    let mut options = Options::new(&url, payee, threads).map_err(|reason| anyhow!(reason))?;
    if let Some(tcp) = &arguments.tcp {
        options.endpoint = Endpoint::Tcp(tcp.clone());
    }
    options.report_s = arguments.report;
    let client = Client::new(&url);
    // Blocks for an address of another network would pay nobody; a node that is not there yet is asked again later.
    if let Ok(network) = client.network()
        && network.address_prefix != prefix
    {
        bail!(
            "{} is an address of another network: those of {} begin with {}1; create one with `hysteron wallet create`",
            arguments.address,
            network.name,
            network.address_prefix
        );
    }
    let stop = interrupt()?;
    if let Some(seconds) = arguments.time {
        let stop = stop.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(seconds));
            stop.store(true, Ordering::Relaxed);
        });
    }
    println!("mining for {} with {threads} threads", arguments.address);
    let mut earnings = Earnings { client, address: arguments.address.clone(), first: None };
    hysteron_worker::run(&options, &mut |notice: &Notice| print(notice, &mut earnings), &stop);
    println!("stopped");
    Ok(0)
}

/// The address, whatever its network, and the network's prefix.
fn any_network(text: &str) -> Result<(String, Address)> {
    let prefix = text.rsplit_once('1').map_or("", |(prefix, _)| prefix).to_lowercase();
    let is_plain = !prefix.is_empty() && prefix.len() <= 8 && prefix.bytes().all(|b| b.is_ascii_lowercase());
    if !is_plain {
        let shown: String = text.chars().take(80).collect();
        bail!(
            "\"{shown}\" is not an address: it looks like hys1… or hysd1…; `hysteron wallet address` prints yours"
        );
    }
    let address = Address::decode(&prefix, text)?;
    Ok((prefix, address))
}

/// What the account had when the worker came.
struct Earnings {
    client: Client,
    address: String,
    first: Option<u64>,
}

impl Earnings {
    /// What it has now, ripe and unripe, and how much more than at first.
    fn now(&mut self) -> Option<(u64, u64)> {
        let account = self.client.account(&self.address).ok()?;
        let all = account.balance.0.saturating_add(account.immature.0);
        let first = *self.first.get_or_insert(all);
        Some((all, all.saturating_sub(first)))
    }
}

/// Prints what happened, a line each.
fn print(notice: &Notice, earnings: &mut Earnings) {
    match notice {
        Notice::Connected { node } => {
            earnings.now();
            println!("connected to {node}");
        }
        Notice::Lost { reason, retry } => {
            println!("the node is away ({reason}); trying again in {:.1} s", retry.as_secs_f64());
        }
        Notice::Order { .. } => {}
        Notice::Block { height } => println!("found block {height}"),
        Notice::Claim { job, energy, .. } => {
            println!("claimed energy {energy} for job {}…", &job.to_string()[..12]);
        }
        Notice::Refused { reason } => println!("not taken: {reason}"),
        Notice::Trouble { reason } => println!("a leg could not be run: {reason}"),
        Notice::Report(report) => println!("{}", report_line(report, earnings.now())),
    }
}

fn report_line(report: &Report, earnings: Option<(u64, u64)>) -> String {
    let seconds = report.interval.as_secs_f64().max(1e-3);
    let lately = &report.lately;
    let mut line = format!(
        "{:.1} attempts/s, {:.1} legs/s ({} % for jobs), {} updates/s",
        lately.attempts as f64 / seconds,
        lately.legs as f64 / seconds,
        (100 * lately.job_legs).checked_div(lately.legs).unwrap_or(0),
        si(lately.ecu as f64 / seconds),
    );
    if let Some(share) = report.total.hashing_per_mille() {
        line += &format!(", hashing {}.{} %", share / 10, share % 10);
    }
    line += &format!("; blocks {} of {} found", report.blocks_accepted, report.total.blocks);
    line += &format!(", claims {} of {}", report.claims_accepted, report.total.claims);
    if let Some((all, earned)) = earnings {
        line += &format!("; earned {} HYS, account {} HYS", format_hys(earned), format_hys(all));
    }
    if let Some(height) = report.height {
        line += &format!("; on block {height}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_any_network() {
        let address = Address([3; 32]);
        assert_eq!(any_network(&address.encode("hysd")).expect("an address"), ("hysd".to_owned(), address));
        assert_eq!(any_network(&address.encode("hys")).expect("an address"), ("hys".to_owned(), address));
        let mut typo = address.encode("hys");
        typo.replace_range(10..11, if typo.as_bytes()[10] == b'q' { "p" } else { "q" });
        for bad in ["", "1", "hys", "hys1", "x y1abc", typo.as_str()] {
            assert!(any_network(bad).is_err(), "{bad}");
        }
    }
}
