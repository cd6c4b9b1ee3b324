//! Transactions.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path};
use hysteron_api::{Hex32, Refusal, types as api};
use hysteron_ledger::SignedTransaction;

use super::State;
use super::extract::hash;
use super::refuse::{Answer, Refused};
use crate::convert::{Place, confirmations};
use crate::limits::LEG_UNITS;
use crate::parcel::Parcel;

/// Transactions of a mempool answer.
const MEMPOOL_ITEMS_MAX: usize = 100;

/// Submits a signed transaction (borsh); it waits for a block then. A problem that it brings must have been uploaded before
#[utoipa::path(post, path = "/v1/transactions", tag = "chain",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = api::Submitted), (status = 400, body = Refusal), (status = 413, body = Refusal), (status = 422, body = Refusal), (status = 429, body = Refusal)))]
pub(crate) async fn submit(
    shared: State,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    body: Bytes,
) -> Answer<Json<api::Submitted>> {
    let transaction = SignedTransaction::decode(&body)
        .map_err(|error| Refused::bad(error.to_string(), "Send the borsh of one signed transaction."))?;
    if transaction.transaction.unbonded_claim().is_some() {
        // Whoever sends a false one loses nothing else.
        shared.rates.charge(address.ip(), LEG_UNITS)?;
    }
    let id = transaction.id();
    let problem = match transaction.transaction.problem() {
        Some(problem) => {
            let bytes = shared.uploads.get(&problem).ok_or_else(|| {
                Refused::against(
                    "problem-missing",
                    "The problem's data are missing",
                    format!("The transaction brings problem {problem}, which was not uploaded here (or too long ago)."),
                    "Upload the problem with POST /v1/problems, then send the transaction again.",
                )
            })?;
            Some(bytes.to_vec())
        }
        None => None,
    };
    let parcel = Parcel { transaction, problem };
    let bytes = parcel.encode();
    shared.chain.keep_transaction(parcel).await??;
    shared.gossip.transaction(bytes);
    Ok(Json(api::Submitted { id: Hex32(id) }))
}

/// A transaction of the best chain, or one that waits
#[utoipa::path(get, path = "/v1/transactions/{id}", tag = "chain", params(("id" = String, Path, description = "The id")),
    responses((status = 200, body = api::Transaction), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub(crate) async fn one(shared: State, Path(id): Path<String>) -> Answer<Json<api::Transaction>> {
    let id = hash(&id)?;
    if let Some((place, signed)) = shared.chain.archive().transaction(&id)? {
        let height = shared.chain.archive().header(&place.block)?.map_or(0, |header| header.height);
        let tip = shared.chain.standing().tip.height;
        let place = Place {
            block: place.block,
            height,
            position: place.index,
            confirmations: confirmations(height, tip),
        };
        return Ok(Json(shared.convert.transaction(&signed, Some(place))));
    }
    let waiting = shared.chain.ask(move |writer| writer.chain.mempool().get(&id).cloned()).await?;
    match waiting {
        Some(candidate) => Ok(Json(shared.convert.transaction(&candidate.transaction, None))),
        None => Err(Refused::not_found(
            format!("There is no transaction {}, neither in the chain nor waiting.", Hex32(id)),
            "If it was sent a moment ago, it may have been replaced or dropped: look at the sender's account.",
        )),
    }
}

/// What waits, the best paying first
#[utoipa::path(get, path = "/v1/mempool", tag = "chain", responses((status = 200, body = api::Mempool)))]
pub(crate) async fn mempool(shared: State) -> Answer<Json<api::Mempool>> {
    let (count, bytes, some) = shared
        .chain
        .ask(|writer| {
            let mempool = writer.chain.mempool();
            let some: Vec<SignedTransaction> = mempool
                .ids()
                .take(MEMPOOL_ITEMS_MAX)
                .filter_map(|id| mempool.get(id).map(|candidate| candidate.transaction.clone()))
                .collect();
            (mempool.len(), mempool.bytes(), some)
        })
        .await?;
    let transactions = some.iter().map(|signed| shared.convert.transaction(signed, None)).collect();
    Ok(Json(api::Mempool { count: count as u64, bytes: bytes as u64, transactions }))
}
