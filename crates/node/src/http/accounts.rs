//! Accounts.

use axum::Json;
use axum::extract::Path;
use hysteron_api::{Atoms, Hex32, Refusal, types as api};

use super::State;
use super::extract::{Asked, address, count};
use super::refuse::{Answer, Refused};

/// An account; one that was never used is empty
#[utoipa::path(get, path = "/v1/accounts/{address}", tag = "chain", params(("address" = String, Path, description = "The address")),
    responses((status = 200, body = api::Account), (status = 400, body = Refusal)))]
pub(crate) async fn one(shared: State, Path(text): Path<String>) -> Answer<Json<api::Account>> {
    let address = address(&shared, &text)?;
    let account = shared.chain.ask(move |writer| {
        let state = writer.chain.state();
        let account = state.account(&address);
        let immature = state.immature(&address).iter().map(|part| part.1).fold(0, u64::saturating_add);
        let next_nonce = writer.chain.mempool().next_nonce(&address, account.nonce);
        (account, immature, next_nonce, writer.chain.tip().height)
    });
    let (account, immature, next_nonce, height) = account.await?;
    Ok(Json(api::Account {
        address: shared.convert.address(&address),
        balance: Atoms(account.balance),
        immature: Atoms(immature),
        nonce: account.nonce,
        next_nonce,
        height,
    }))
}

/// What happened to an account, newest first
#[utoipa::path(get, path = "/v1/accounts/{address}/history", tag = "chain",
    params(("address" = String, Path, description = "The address"), api::HistoryQuery),
    responses((status = 200, body = api::HistoryPage), (status = 400, body = Refusal)))]
pub(crate) async fn history(
    shared: State,
    Path(text): Path<String>,
    Asked(query): Asked<api::HistoryQuery>,
) -> Answer<Json<api::HistoryPage>> {
    let address = address(&shared, &text)?;
    let count = count(query.count)?;
    let before = query.before.as_deref().map(position).transpose()?;
    let (entries, next) = shared.history.account(&address, before, count)?;
    let archive = shared.chain.archive();
    let mut page = Vec::with_capacity(entries.len());
    for (height, entry) in entries {
        // A reorganisation may be ahead of the index for a moment.
        let Some(hash) = archive.canonical(height)? else { continue };
        let time = archive.header(&hash)?.map_or(0, |header| header.time);
        page.push(api::HistoryEntry {
            height,
            block: Hex32(hash),
            time,
            kind: entry.kind,
            received: Atoms(entry.received),
            spent: Atoms(entry.spent),
            transaction: entry.transaction.map(Hex32),
            job: entry.job.map(|job| Hex32(job.0)),
            other: entry.other.map(|other| shared.convert.address(&other)),
        });
    }
    let next = next.map(|(height, number)| format!("{height}-{number}"));
    Ok(Json(api::HistoryPage { entries: page, next }))
}

fn position(text: &str) -> Answer<(u64, u32)> {
    let parsed =
        text.split_once('-').and_then(|(height, number)| Some((height.parse().ok()?, number.parse().ok()?)));
    parsed.ok_or_else(|| {
        Refused::bad("The parameter before is of another list.".into(), "Give the next of the page before.")
    })
}
