//! The node, its network, its peers, its health.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hysteron_api::{Atoms, Hex32, Refusal, types as api};
use hysteron_ledger::Audit;
use hysteron_work::CHIPS_PER_BANK;

use super::extract::borsh_bytes;
use super::refuse::{Answer, Refused};
use super::{Shared, State};

/// The node's program and version.
pub(crate) const AGENT: &str = concat!("hysteron ", env!("CARGO_PKG_VERSION"));

async fn peer_count(shared: &Shared) -> u32 {
    let peers = shared.network.peers().await.unwrap_or_default();
    peers.iter().filter(|peer| peer.tip.is_some()).count() as u32
}

/// Where the node stands
#[utoipa::path(get, path = "/v1/status", tag = "network", responses((status = 200, body = api::Status)))]
pub(crate) async fn status(shared: State) -> Json<api::Status> {
    let standing = shared.chain.standing();
    Json(api::Status {
        network: shared.genesis.network.clone(),
        genesis: Hex32(shared.genesis_hash),
        agent: AGENT.into(),
        height: standing.tip.height,
        tip: Hex32(standing.tip.hash),
        tip_time: standing.tip.time,
        work: standing.tip.total_work.to_string(),
        state_root: Hex32(standing.state_root),
        is_synced: !shared.syncing.is_on(),
        peers: peer_count(&shared).await,
        workers: shared.hub.connections(),
        mempool_transactions: standing.mempool_count as u64,
        mempool_bytes: standing.mempool_bytes as u64,
        uptime_s: shared.started.elapsed().as_secs(),
    })
}

/// What nodes of the network agree on
#[utoipa::path(get, path = "/v1/network", tag = "network", responses((status = 200, body = api::Network)))]
pub(crate) async fn network(shared: State) -> Json<api::Network> {
    let genesis = &shared.genesis;
    Json(api::Network {
        name: genesis.network.clone(),
        id: genesis.network_id(),
        genesis: Hex32(shared.genesis_hash),
        genesis_time: genesis.time,
        address_prefix: genesis.address_prefix.clone(),
        spacing_s: genesis.spacing_seconds,
        maturity_blocks: genesis.maturity_blocks,
        settlement_blocks: genesis.confirmation_blocks,
        cap: Atoms(hysteron_ledger::CAP_ATOMS),
        fee_per_byte: Atoms(genesis.fees.atoms_per_byte),
        leg_work_ns: genesis.work.leg_work,
        pre_tries: genesis.work.pre_tries,
        variables_max: genesis.work.variables_max,
        elements_max: genesis.work.elements_max,
        problem_bytes_max: hysteron_api::limits::PROBLEM_BYTES_MAX,
        chips_per_bank: CHIPS_PER_BANK,
    })
}

/// The genesis (borsh), for checking receipts without a node
#[utoipa::path(get, path = "/v1/genesis", tag = "network",
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
pub(crate) async fn genesis(shared: State) -> Response {
    borsh_bytes(borsh::to_vec(&*shared.genesis).expect("writing to memory does not fail"))
}

/// Where all coins are: the audit of the whole state, made once a block
#[utoipa::path(get, path = "/v1/supply", tag = "network",
    responses((status = 200, body = api::Supply), (status = 503, body = Refusal)))]
pub(crate) async fn supply(shared: State) -> Answer<Json<api::Supply>> {
    let tip = shared.chain.standing().tip.hash;
    let known = shared.audited.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((_, supply)) = known.filter(|(hash, _)| *hash == tip) {
        return Ok(Json(supply));
    }
    let (tip, supply) = shared
        .chain
        .ask(|writer| {
            let (tip, state) = (writer.chain.tip(), writer.chain.state());
            let audit = state.audit();
            let part = |of: fn(&Audit) -> u64| Atoms(audit.as_ref().map_or(0, of));
            let supply = api::Supply {
                height: tip.height,
                balances: part(|a| a.balances),
                immature: part(|a| a.immature),
                escrow: part(|a| a.escrow),
                pot: part(|a| a.pot),
                bonds: part(|a| a.bonds),
                burned: Atoms(state.supply().burned),
                issued: Atoms(state.supply().issued),
                is_conserved: audit.is_ok(),
            };
            (tip.hash, supply)
        })
        .await?;
    *shared.audited.lock().unwrap_or_else(PoisonError::into_inner) = Some((tip, supply.clone()));
    Ok(Json(supply))
}

/// Connected peers
#[utoipa::path(get, path = "/v1/peers", tag = "network",
    responses((status = 200, body = api::PeerList), (status = 503, body = Refusal)))]
pub(crate) async fn peers(shared: State) -> Answer<Json<api::PeerList>> {
    let stopping = |error: hysteron_net::NetError| {
        let title = "The network does not answer";
        Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            title,
            error.to_string(),
            "Try again in a moment.",
        )
    };
    let peers = shared.network.peers().await.map_err(stopping)?;
    let listening = shared.network.listeners().await.map_err(stopping)?;
    let peer = |info: hysteron_net::PeerInfo| api::Peer {
        peer: info.peer.to_string(),
        address: info.addresses.first().map(ToString::to_string).unwrap_or_default(),
        is_inbound: !info.outbound,
        height: info.tip.map(|tip| tip.height),
        score: info.score,
    };
    Ok(Json(api::PeerList {
        peer: shared.network.peer().to_string(),
        listening: listening.iter().map(ToString::to_string).collect(),
        peers: peers.into_iter().map(peer).collect(),
    }))
}

/// Whether the process answers
#[utoipa::path(get, path = "/health/live", tag = "network", responses((status = 200, body = api::Health)))]
pub(crate) async fn live() -> Json<api::Health> {
    Json(api::Health { ok: true, detail: "The process answers.".into() })
}

/// Whether the node can serve: its chain answers, and is not far behind its peers'
#[utoipa::path(get, path = "/health/ready", tag = "network",
    responses((status = 200, body = api::Health), (status = 503, body = Refusal)))]
pub(crate) async fn ready(shared: State) -> Answer<Json<api::Health>> {
    let height = shared.chain.ask(|writer| writer.chain.tip().height).await?;
    if shared.syncing.is_on() {
        let detail = format!("The node is at height {height} and fetches the chain of its peers.");
        let title = "The node is not ready";
        return Err(Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-ready",
            title,
            detail,
            "Wait until it has the chain.",
        ));
    }
    Ok(Json(api::Health { ok: true, detail: format!("The node is at height {height}.") }))
}

/// Metrics in Prometheus' text format
#[utoipa::path(get, path = "/metrics", tag = "network", responses((status = 200, content_type = "text/plain", body = String)))]
pub(crate) async fn metrics(shared: State) -> Response {
    let shared: &Arc<Shared> = &shared;
    let text = crate::metrics::text(shared);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// This document
#[utoipa::path(get, path = "/v1/openapi.json", tag = "network",
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
pub(crate) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(super::openapi())
}
