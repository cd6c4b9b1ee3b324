//! Mining: figures, templates, tables, results, and the workers' WebSocket.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, WebSocketUpgrade};
use axum::response::Response;
use hysteron_api::worker::CLAIM_FRAME_BYTES_MAX;
use hysteron_api::{Atoms, Hex32, HexBytes, Refusal, types as api};
use hysteron_chain::Header;
use hysteron_work::{Claim, Reading};

use super::State;
use super::extract::{Asked, address, borsh_bytes, hash};
use super::refuse::{Answer, Refused};
use crate::hub::{Link, serve};

/// Figures of the node's workers since it started
#[utoipa::path(get, path = "/v1/mining", tag = "mining", responses((status = 200, body = api::Mining)))]
pub(crate) async fn figures(shared: State) -> Answer<Json<api::Mining>> {
    let account = shared.hub.account().address();
    let (target, reward, balance) = shared
        .chain
        .ask(move |writer| {
            let chain = &writer.chain;
            let tip = chain.archive().header(&chain.tip().hash).ok().flatten();
            let issued = hysteron_ledger::emission(chain.state().supply().issued);
            let pot = chain.state().pot();
            (
                tip.map(|header| header.post_target),
                issued.saturating_add(pot.rate.min(pot.balance)),
                chain.account_view(&account).balance,
            )
        })
        .await?;
    let counts = shared.hub.counts();
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let reading = Reading {
        hashing_ns: of(&counts.hashing_ns),
        computing_ns: of(&counts.computing_ns),
        attempts: of(&counts.attempts),
    };
    Ok(Json(api::Mining {
        workers: shared.hub.connections(),
        threads_inside: shared.threads_inside,
        attempts: reading.attempts,
        legs: of(&counts.legs),
        hashing_per_mille: reading.hashing_per_mille(),
        blocks_accepted: of(&counts.blocks_accepted),
        blocks_refused: of(&counts.blocks_refused),
        claims_accepted: of(&counts.claims_accepted),
        claims_refused: of(&counts.claims_refused),
        claims_account: shared.convert.address(&account),
        claims_balance: Atoms(balance),
        expected_attempts: target.map_or(0, |target| target.expected_tries()).to_string(),
        reward: Atoms(reward),
    }))
}

/// What to mine on, for an address
#[utoipa::path(get, path = "/v1/mining/template", tag = "mining", params(api::TemplateQuery),
    responses((status = 200, body = api::Template), (status = 400, body = Refusal), (status = 503, body = Refusal)))]
pub(crate) async fn template(
    shared: State,
    Asked(query): Asked<api::TemplateQuery>,
) -> Answer<Json<api::Template>> {
    let payee = address(&shared, &query.address)?;
    let mining = shared.hub.join(payee).await?;
    let made = shared.hub.made(&mining.payee).ok_or(crate::chain_task::Unanswered::Busy)?;
    Ok(Json(api::Template {
        height: made.height,
        header: HexBytes(made.header_bytes.to_vec()),
        seed: Hex32(made.header.seed()),
        post_target: Hex32(made.header.post_target.0),
        table: Hex32(made.table_id),
        rules: HexBytes(borsh::to_vec(&shared.genesis.work).expect("writing to memory does not fail")),
        transactions: made.transactions() as u32,
        fees: Atoms(made.fees),
    }))
}

/// Submits a whole header (borsh) that completes a template of this node
#[utoipa::path(post, path = "/v1/mining/blocks", tag = "mining",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = api::Header), (status = 400, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn submit_block(shared: State, body: Bytes) -> Answer<Json<api::Header>> {
    let header = Header::decode(&body).map_err(|error| {
        Refused::bad(error.to_string(), "Send the borsh of one header, nonce and digests included.")
    })?;
    let hash = shared.hub.found_header(&header.base(), &header.proof()).await?;
    let tip = super::blocks::tip_if_canonical(&shared, header.height, &hash)?;
    Ok(Json(shared.convert.header(&header, &hash, tip)))
}

/// Submits a claim (borsh) on a template of this node, which wraps it into a transaction that its own account signs
#[utoipa::path(post, path = "/v1/mining/claims", tag = "mining",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = api::ClaimUpload), (status = 400, body = Refusal), (status = 422, body = Refusal)))]
pub(crate) async fn submit_claim(shared: State, body: Bytes) -> Answer<Json<api::ClaimUpload>> {
    let claim: Claim = borsh::from_slice(&body).map_err(|error| {
        Refused::bad(format!("The bytes are no claim: {error}."), "Send the borsh of one claim.")
    })?;
    let transaction = shared.hub.claim_upload(claim).await?;
    Ok(Json(api::ClaimUpload { transaction: Hex32(transaction) }))
}

/// A table (borsh) by the content id that a template names
#[utoipa::path(get, path = "/v1/tables/{id}", tag = "mining", params(("id" = String, Path, description = "The content id")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 404, body = Refusal)))]
pub(crate) async fn table(shared: State, Path(id): Path<String>) -> Answer<Response> {
    let id = hash(&id)?;
    let table = shared.hub.table(&id);
    let bytes = table.ok_or_else(|| {
        Refused::not_found(
            format!("The table {} is not here (any more).", Hex32(id)),
            "Ask for the newest template.",
        )
    })?;
    Ok(borsh_bytes(bytes.to_vec()))
}

/// The workers' WebSocket: binary messages are frames of the worker protocol
#[utoipa::path(get, path = "/v1/worker", tag = "mining",
    responses((status = 101, description = "The connection is a WebSocket now"), (status = 400, body = Refusal)))]
pub(crate) async fn worker(
    shared: State,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let (hub, stop) = (shared.hub.clone(), shared.stop.clone());
    upgrade
        .max_message_size(CLAIM_FRAME_BYTES_MAX)
        .max_frame_size(CLAIM_FRAME_BYTES_MAX)
        // A thousand idle workers should not cost what a thousand busy ones may.
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .on_upgrade(move |socket| serve(hub, Link::Web(Box::new(socket)), address, stop))
}
