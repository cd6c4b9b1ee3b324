//! The accept loop: connections are counted, headers that come too slowly are cut off, and a stop lets requests end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::limits::{HEADERS_S_MAX, HTTP_CONNECTIONS_MAX};
use crate::stop::{Stop, stopped};

/// Requests that are being answered when the node stops are given this time.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until the node stops.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: Stop) {
    let places = Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX));
    loop {
        // Whoever comes when all places are taken waits in the system's queue.
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            _ = stopped(&mut stop) => break,
        };
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped(&mut stop) => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most often: wait for some to come back.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        tokio::spawn(answer(stream, service(&router, address), address, stop.clone(), place));
    }
    drop(listener);
    // When all places are free again, all connections have ended.
    let ended = places.acquire_many(HTTP_CONNECTIONS_MAX as u32);
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

/// Answers the requests of one connection, until it ends or has become a WebSocket.
async fn answer<S>(
    stream: TcpStream,
    service: S,
    address: SocketAddr,
    mut stop: Stop,
    place: OwnedSemaphorePermit,
) where
    S: hyper::service::HttpService<hyper::body::Incoming, ResBody = axum::body::Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be slow to leave");
    }
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(HEADERS_S_MAX));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "a connection ended");
    }
    drop(place);
}

/// The router for a connection: handlers learn who calls.
fn service(
    router: &Router,
    address: SocketAddr,
) -> TowerToHyperService<
    impl tower::Service<
        hyper::Request<hyper::body::Incoming>,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone
    + use<>,
> {
    let service = router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        request.map(axum::body::Body::new)
    });
    TowerToHyperService::new(service)
}
