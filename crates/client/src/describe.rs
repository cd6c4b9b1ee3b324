//! What people read: offers, jobs and receipts in lines.

use std::fmt::Write as _;

use hysteron_api::Hex32;
use hysteron_api::types::Job;
use hysteron_ledger::{Ending, Status, format_hys};
use hysteron_problem::{Document, Problem};

use crate::booking::{Offer, elements_of, state_name};
use crate::connection::Connection;
use crate::prepare::Prepared;
use crate::receipt::CheckedReceipt;

/// What was understood of a file, and what booking it costs, in lines.
pub fn describe_offer(
    name: &str,
    document: &Document,
    prepared: &Prepared,
    offer: &Offer,
    connection: &Connection,
) -> String {
    let mut text = format!("{name}: {}, {} variables\n", document.kind().name(), document.variables());
    for note in document.notes() {
        text += &format!("  note: {note}\n");
    }
    text += &format!(
        "  simplified to {} variables, {} {} ({} chips, {} bytes)\n",
        prepared.problem.variables(),
        elements_of(prepared),
        if matches!(prepared.problem, Problem::Ising(_)) { "couplings" } else { "literals" },
        prepared.class.name(),
        prepared.bytes.len(),
    );
    if prepared.rest_variables > 0 {
        text += &format!(
            "  {} variables are in smaller parts that share nothing with it; they are searched on this machine\n",
            prepared.rest_variables
        );
    }
    let quote = &offer.quote;
    let minutes = u64::from(quote.blocks) * connection.genesis.spacing_seconds / 60;
    let time = if minutes > 0 { format!("about {minutes} min") } else { "less than a minute".to_owned() };
    text += &format!(
        "  {} chips for {} blocks ({} chip-blocks, {time}): {} euro = {} HYS, and {} HYS of bounties\n",
        quote.chips,
        quote.blocks,
        quote.chip_blocks,
        euros(quote.price_millicents),
        quote.price.hys(),
        quote.bounty.hys(),
    );
    text += &format!(
        "  {} HYS fee; {} HYS of {} HYS leave the account, and what is not used comes back\n",
        format_hys(offer.fee),
        format_hys(offer.total()),
        format_hys(offer.balance),
    );
    if let Some(target) = offer.booking.target
        && let Some(objective) = prepared.objective(document, target)
    {
        text += &format!("  it ends when the objective is {objective} or better\n");
    }
    if offer.is_held {
        text += "  so large a problem is held until the network's reviewers approve it; refused, everything comes back\n";
    }
    text
}

/// A job's state in a line.
pub fn line_of(job: &Job) -> String {
    let progress = &job.progress;
    let best = match (progress.best_hard_unsatisfied, progress.best_energy) {
        (Some(0) | None, Some(energy)) => format!("best energy {energy}"),
        (Some(hard), Some(_)) => format!("best breaks {hard} hard clauses"),
        _ => "no answer yet".to_owned(),
    };
    let (credited, booked) = (progress.credited_chip_blocks, progress.booked_chip_blocks);
    format!("{}: {credited} of {booked} chip-blocks, {best}", state_name(job.state))
}

/// How a job ended, or where it stands, in a word.
pub fn ending_name(status: &Status) -> &'static str {
    match status.ending() {
        Some(Ending::Solved) => "solved",
        Some(Ending::Exhausted) => "all delivered",
        Some(Ending::Cancelled) => "cancelled",
        Some(Ending::Refused) => "refused",
        Some(Ending::Starved) => "starved",
        None => match status {
            Status::Held { .. } => "held for review",
            Status::Waiting { .. } => "waiting",
            _ => "running",
        },
    }
}

/// A receipt in lines: what was asked, delivered, found and paid.
pub fn describe_receipt(checked: &CheckedReceipt, prefix: Option<&str>) -> String {
    let job = &checked.proven.job;
    let address = |address: &hysteron_ledger::Address| match prefix {
        Some(prefix) => address.encode(prefix),
        None => Hex32(address.0).to_string(),
    };
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name:<10} {value}");
    };
    line("job", Hex32(checked.job.0).to_string());
    line("problem", Hex32(job.problem.0).to_string());
    line("owner", address(&job.owner));
    line("asked", format!("{} chips for {} blocks", job.chips, job.blocks));
    line(
        "delivered",
        format!(
            "{} of {} chip-blocks, {}",
            job.delivered_chip_blocks(),
            job.chips.saturating_mul(job.blocks.into()),
            ending_name(&job.status)
        ),
    );
    line(
        "found",
        match &job.best {
            Some(best) if best.score.hard_unsatisfied == 0 => {
                format!("energy {} in block {}, by {}", best.score.energy, best.height, address(&best.finder))
            }
            Some(best) => {
                format!("nothing that satisfies all: {} hard clauses open", best.score.hard_unsatisfied)
            }
            None => "nothing".to_owned(),
        },
    );
    line(
        "escrow",
        format!("{} HYS block fee, {} HYS bounty", format_hys(job.block_fee), format_hys(job.bounty)),
    );
    line("bounties", format!("{} HYS", format_hys(job.bounty_paid)));
    if let Some(settlement) = &job.settlement {
        line(
            "settled",
            format!(
                "{} HYS to miners, {} HYS burned, {} HYS returned",
                format_hys(settlement.to_pot),
                format_hys(settlement.burned),
                format_hys(settlement.refunded)
            ),
        );
    }
    line(
        "proof",
        format!("state of block {}, headers to block {}", checked.proven.height, checked.anchor_height),
    );
    text
}

/// Thousandths of a euro cent as euros.
fn euros(millicents: u64) -> String {
    let (whole, rest) = (millicents / 100_000, millicents % 100_000);
    let text = format!("{whole}.{rest:05}");
    let shortest = text.find('.').map_or(0, |dot| dot + 3);
    let end = text.trim_end_matches('0').len().max(shortest);
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_well() {
        assert_eq!(euros(0), "0.00");
        assert_eq!(euros(512), "0.00512");
        assert_eq!(euros(100_000), "1.00");
        assert_eq!(euros(12_345_670), "123.4567");
    }
}
