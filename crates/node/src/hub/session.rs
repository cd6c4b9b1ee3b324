//! A worker's connection, from its first message to its end.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use hysteron_api::worker::{FromNode, FromWorker, Ready, SILENCE_S_MAX, Tally, WorkResult};
use hysteron_ledger::Address;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Hub, Link, Mining};
use crate::limits::{CLAIMS_PER_MINUTE, READY_S_MAX};
use crate::stop::{Stop, stopped};

/// Accepts workers on plain TCP until the node stops.
pub(crate) async fn listen(hub: Arc<Hub>, listener: TcpListener, mut stop: Stop) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped(&mut stop) => return,
        };
        match accepted {
            Ok((stream, address)) => accept(&hub, stream, address, &stop),
            Err(error) => {
                // Out of file descriptors, most often: wait for some to come back.
                tracing::warn!(%error, "a worker could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn accept(hub: &Arc<Hub>, stream: TcpStream, address: SocketAddr, stop: &Stop) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%address, %error, "a worker's connection is slow to send");
    }
    tokio::spawn(serve(hub.clone(), Link::tcp(stream), address, stop.clone()));
}

/// Serves one worker to its end.
pub(crate) async fn serve(hub: Arc<Hub>, mut link: Link, address: SocketAddr, mut stop: Stop) {
    let Some(_place) = hub.place() else {
        link.close("The node has as many workers as it takes.").await;
        return;
    };
    let ends = tokio::select! {
        ends = converse(&hub, &mut link, address) => ends,
        _ = stopped(&mut stop) => Ok("The node stops."),
    };
    match &ends {
        Ok(reason) => tracing::debug!(%address, reason, "a worker has gone"),
        Err(reason) => tracing::info!(%address, reason, "a worker was sent away"),
    }
    let reason = ends.as_ref().map_or_else(String::as_str, |reason| *reason);
    // A worker that does not read must not hold its place.
    let _ = timeout(Duration::from_secs(1), link.close(reason)).await;
}

/// Gives why the connection ended well; the error is a sentence about what the worker did.
async fn converse(hub: &Arc<Hub>, link: &mut Link, address: SocketAddr) -> Result<&'static str, String> {
    let first = timeout(Duration::from_secs(READY_S_MAX), link.receive()).await;
    let first = first.map_err(|_| format!("No message came within {READY_S_MAX} seconds."))?;
    let Some(frame) = first? else { return Ok("It said nothing.") };
    let ready = match FromWorker::decode(&frame).map_err(|e| e.to_string())? {
        FromWorker::Ready(ready) => ready,
        FromWorker::Result(_) => return Err("The first message must say that the worker is ready.".into()),
    };
    let mining = welcome(hub, &ready).await?;
    tracing::debug!(%address, threads = ready.threads, agent = ready.agent.as_str(), "a worker is ready");
    let mut session = Session::new(hub, &mining);
    let mut generations = hub.generations();
    generations.borrow_and_update();
    session.send_work(link).await?;
    loop {
        let silent_at = session.heard_at + Duration::from_secs(SILENCE_S_MAX);
        tokio::select! {
            frame = timeout_at(silent_at, link.receive()) => {
                let frame = frame.map_err(|_| format!("Nothing was heard for {SILENCE_S_MAX} seconds."))?;
                let Some(frame) = frame? else { return Ok("It has closed the connection.") };
                session.heard_at = Instant::now();
                session.take(link, &frame).await?;
            }
            changed = generations.changed() => {
                if changed.is_err() {
                    return Ok("The node stops.");
                }
                session.send_work(link).await?;
            }
        }
    }
}

async fn welcome(hub: &Arc<Hub>, ready: &Ready) -> Result<Mining, String> {
    if ready.network.is_some_and(|network| network != hub.parts.genesis_hash) {
        return Err(format!(
            "The worker is for another network; this node is on {}.",
            hub.parts.genesis.network
        ));
    }
    hub.join(Address(ready.payee)).await.map_err(|error| error.to_string())
}

struct Session<'a> {
    hub: &'a Arc<Hub>,
    mining: &'a Mining,
    tally: Tally,
    heard_at: Instant,
    claims: DefaultDirectRateLimiter,
}

impl<'a> Session<'a> {
    fn new(hub: &'a Arc<Hub>, mining: &'a Mining) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(CLAIMS_PER_MINUTE).expect("a positive constant"));
        Self {
            hub,
            mining,
            tally: Tally::default(),
            heard_at: Instant::now(),
            claims: RateLimiter::direct(quota),
        }
    }

    async fn send_work(&self, link: &mut Link) -> Result<(), String> {
        // While the chain is too busy for a template there is none; the next generation brings one.
        let Some(made) = self.hub.made(&self.mining.payee) else { return Ok(()) };
        let work = self.hub.work(&made, self.mining.nonce_start, &self.tally);
        let send = link.send(FromNode::Work(Box::new(work)).encode());
        let sent = timeout(Duration::from_secs(READY_S_MAX), send).await;
        sent.map_err(|_| "The worker does not read.".to_owned())?
    }

    async fn take(&mut self, link: &mut Link, frame: &[u8]) -> Result<(), String> {
        let result = match FromWorker::decode(frame).map_err(|e| e.to_string())? {
            FromWorker::Result(result) => result,
            FromWorker::Ready(_) => return Err("The worker said already that it is ready.".into()),
        };
        let outcome = match result {
            WorkResult::Progress(figures) => {
                self.hub.report(&figures);
                return Ok(());
            }
            WorkResult::Found { work, proof } => self.hub.found(work, &proof, &mut self.tally).await,
            WorkResult::Claim { .. } if self.claims.check().is_err() => {
                return Err(format!("More than {CLAIMS_PER_MINUTE} claims came within a minute."));
            }
            WorkResult::Claim { work, claim } => self.hub.claim(work, claim, &mut self.tally).await,
        };
        match outcome {
            Err(error) if error.is_forgery() => Err(error.to_string()),
            outcome => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "a worker's result was not taken");
                }
                // The tally has changed.
                self.send_work(link).await
            }
        }
    }
}
