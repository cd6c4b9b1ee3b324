//! The HTTP API, version 1. A route is registered together with its description, so the OpenAPI document at
//! `/v1/openapi.json` lists every route. Handlers read blocks from the archive, ask the chain task for the state, and
//! refuse with [`refuse::Refused`].

mod accounts;
mod blocks;
mod events;
mod extract;
mod jobs;
mod mining;
mod network;
mod problems;
mod rate;
mod refuse;
mod serve;
mod transactions;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware;
use hysteron_ledger::Genesis;
use hysteron_net::Handle;
use hysteron_work::Hash;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::chain_task::ChainHandle;
use crate::convert::Convert;
use crate::history::History;
use crate::hub::Hub;
use crate::limits::{BODY_BYTES_MAX, REQUEST_S_MAX};
use crate::network::{Gossip, Syncing};
use crate::stop::Stop;
use crate::uploads::Uploads;

pub(crate) use rate::Rates;
pub(crate) use serve::serve;

/// What handlers share.
pub(crate) struct Shared {
    pub(crate) genesis: Arc<Genesis>,
    pub(crate) genesis_hash: Hash,
    pub(crate) convert: Convert,
    pub(crate) chain: ChainHandle,
    pub(crate) history: Arc<History>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) network: Handle,
    pub(crate) gossip: Gossip,
    pub(crate) syncing: Arc<Syncing>,
    pub(crate) uploads: Uploads,
    pub(crate) rates: Rates,
    pub(crate) event_streams: AtomicUsize,
    pub(crate) requests: crate::metrics::Requests,
    /// The last audit of all coins, and the block after which it was made.
    pub(crate) audited: std::sync::Mutex<Option<(Hash, hysteron_api::types::Supply)>>,
    pub(crate) threads_inside: u32,
    pub(crate) started: Instant,
    pub(crate) stop: Stop,
}

type State = axum::extract::State<Arc<Shared>>;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hysteron node",
        version = "1",
        description = "Amounts are decimal strings of atoms (10^9 = 1 HYS), hashes are hexadecimal, addresses are bech32m. \
                       Refusals are application/problem+json."
    ),
    tags(
        (name = "network", description = "The node, its network, its peers, its health"),
        (name = "chain", description = "Headers, blocks, transactions, accounts"),
        (name = "jobs", description = "Problems, prices, jobs, receipts, the schedule"),
        (name = "mining", description = "Templates, tables, results, workers"),
    )
)]
struct Document;

/// Every route with its description.
fn routes() -> OpenApiRouter<Arc<Shared>> {
    // Bodies of these are larger than the others'.
    let uploads = OpenApiRouter::new()
        .routes(routes!(problems::upload))
        .layer(RequestBodyLimitLayer::new(hysteron_api::limits::PROBLEM_BYTES_MAX as usize));
    let transactions = OpenApiRouter::new()
        .routes(routes!(transactions::submit))
        .routes(routes!(mining::submit_claim))
        .layer(RequestBodyLimitLayer::new(hysteron_ledger::limits::SIGNED_TRANSACTION_BYTES_MAX));
    // Streams and WebSockets outlive the time that a request may take.
    let streams = OpenApiRouter::new().routes(routes!(events::stream)).routes(routes!(mining::worker));
    let plain = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(network::status))
        .routes(routes!(network::network))
        .routes(routes!(network::genesis))
        .routes(routes!(network::peers))
        .routes(routes!(network::supply))
        .routes(routes!(network::live))
        .routes(routes!(network::ready))
        .routes(routes!(network::metrics))
        .routes(routes!(network::document))
        .routes(routes!(blocks::headers))
        .routes(routes!(blocks::list))
        .routes(routes!(blocks::one))
        .routes(routes!(blocks::raw))
        .routes(routes!(transactions::one))
        .routes(routes!(transactions::mempool))
        .routes(routes!(accounts::one))
        .routes(routes!(accounts::history))
        .routes(routes!(problems::download))
        .routes(routes!(jobs::quote))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::one))
        .routes(routes!(jobs::assignment))
        .routes(routes!(jobs::events))
        .routes(routes!(jobs::receipt))
        .routes(routes!(jobs::schedule))
        .routes(routes!(mining::figures))
        .routes(routes!(mining::template))
        .routes(routes!(mining::submit_block))
        .routes(routes!(mining::table))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX));
    plain
        .merge(uploads)
        .merge(transactions)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(REQUEST_S_MAX),
        ))
        .merge(streams)
        // Each group has its own, which looks at the stated length before anything is read.
        .layer(DefaultBodyLimit::disable())
}

/// The OpenAPI document of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}

/// The service.
pub(crate) fn router(shared: Arc<Shared>, cross_origin: bool) -> Router {
    let (router, _) = routes().split_for_parts();
    let router = router
        .fallback(refuse::no_such_route)
        .method_not_allowed_fallback(refuse::no_such_method)
        .layer(middleware::from_fn_with_state(shared.clone(), rate::limit))
        .layer(middleware::from_fn_with_state(shared.clone(), refuse::explain))
        .layer(CatchPanicLayer::new());
    let router = if cross_origin { router.layer(CorsLayer::permissive()) } else { router };
    router.with_state(shared)
}
