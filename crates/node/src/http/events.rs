//! Server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event as SentEvent, KeepAlive};
use futures::Stream;
use futures::stream::unfold;
use hysteron_api::limits::EVENTS_KEEP_ALIVE_S;
use hysteron_api::{Hex32, Refusal, types as api};
use tokio::sync::broadcast;

use super::extract::Asked;
use super::refuse::{Answer, Refused};
use super::{Shared, State};
use crate::limits::EVENT_STREAMS_MAX;
use crate::stop::{Stop, stopped};

/// A place among the streams; given back when the stream ends.
struct Place(Arc<Shared>);

impl Place {
    fn take(shared: &Arc<Shared>) -> Option<Self> {
        let streams: &AtomicUsize = &shared.event_streams;
        let taken = streams
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < EVENT_STREAMS_MAX).then_some(n + 1));
        taken.is_ok().then(|| Self(shared.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.event_streams.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Listener {
    first: Option<api::Event>,
    events: broadcast::Receiver<Arc<api::Event>>,
    stop: Stop,
    job: Option<Hex32>,
    _place: Place,
}

impl Listener {
    /// The next event for this listener; `None` when the node stops.
    async fn next(&mut self) -> Option<Arc<api::Event>> {
        if let Some(first) = self.first.take() {
            return Some(Arc::new(first));
        }
        loop {
            let event = tokio::select! {
                event = self.events.recv() => event,
                _ = stopped(&mut self.stop) => return None,
            };
            match event {
                Ok(event) if self.wants(&event) => return Some(event),
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(events)) => {
                    return Some(Arc::new(api::Event::Lagged { events }));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    fn wants(&self, event: &api::Event) -> bool {
        match (event, self.job) {
            (api::Event::Job { job, .. }, Some(wanted)) => *job == wanted,
            _ => true,
        }
    }
}

fn name(event: &api::Event) -> &'static str {
    match event {
        api::Event::Block(_) => "block",
        api::Event::Reorganised { .. } => "reorganised",
        api::Event::Job { .. } => "job",
        api::Event::Lagged { .. } => "lagged",
    }
}

/// Server-sent events: the best chain's last block at once, then blocks and the progress of jobs as they come
#[utoipa::path(get, path = "/v1/events", tag = "network", params(api::EventQuery),
    responses((status = 200, content_type = "text/event-stream", body = api::Event), (status = 503, body = Refusal)))]
pub(crate) async fn stream(
    shared: State,
    Asked(query): Asked<api::EventQuery>,
) -> Answer<Sse<impl Stream<Item = Result<SentEvent, Infallible>>>> {
    let place = Place::take(&shared).ok_or_else(|| {
        let detail = format!("{EVENT_STREAMS_MAX} streams are open.");
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many streams", detail, "Try again later.")
    })?;
    // Listening begins before the tip is read, so that no block is missed between.
    let events = shared.chain.events();
    let tip = shared.chain.standing().tip;
    let header = shared.chain.archive().header(&tip.hash)?;
    let first =
        header.map(|header| api::Event::Block(shared.convert.header(&header, &tip.hash, Some(tip.height))));
    let stop = shared.stop.clone();
    let start = Listener { first, events, stop, job: query.job, _place: place };
    let stream = unfold(start, |mut stream| async move {
        let event = stream.next().await?;
        let sent = SentEvent::default().event(name(&event)).json_data(&*event);
        // Our events are plain data, which JSON can always say.
        Some((Ok(sent.unwrap_or_default()), stream))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(EVENTS_KEEP_ALIVE_S))))
}
