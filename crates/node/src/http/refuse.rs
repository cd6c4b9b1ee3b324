//! Refusals: every answer that is not a success is `application/problem+json` with a reason and what to do about it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hysteron_api::Refusal;
use hysteron_chain::{ChainError, StorageError, SubmitError};

use super::Shared;
use crate::chain_task::Unanswered;
use crate::history::HistoryError;
use crate::hub::ResultError;

/// A refusal on its way out.
#[derive(Debug)]
pub(crate) struct Refused(Refusal);

/// What handlers give.
pub(crate) type Answer<T> = Result<T, Refused>;

impl Refused {
    pub(crate) fn new(status: StatusCode, kind: &str, title: &str, detail: String, mend: &str) -> Self {
        Self(Refusal {
            kind: kind.into(),
            title: title.into(),
            status: status.as_u16(),
            detail,
            mend: mend.into(),
        })
    }
    pub(crate) fn not_found(detail: String, mend: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail, mend)
    }
    pub(crate) fn bad(detail: String, mend: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request is malformed", detail, mend)
    }
    /// Understood, and against a rule.
    pub(crate) fn against(kind: &str, title: &str, detail: String, mend: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, kind, title, detail, mend)
    }
    fn broken(detail: String) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The node has a problem of its own",
            detail,
            "Ask the node's operator to look at its log.",
        )
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
            tracing::error!(detail = self.0.detail, "a request failed");
        }
        let mut response = (status, axum::Json(&self.0)).into_response();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Unanswered> for Refused {
    fn from(error: Unanswered) -> Self {
        let title = "The node cannot answer now";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title, error.to_string(), "Try again in a moment.")
    }
}

impl From<StorageError> for Refused {
    fn from(error: StorageError) -> Self {
        Self::broken(error.to_string())
    }
}

impl From<HistoryError> for Refused {
    fn from(error: HistoryError) -> Self {
        Self::broken(error.to_string())
    }
}

impl From<ChainError> for Refused {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Storage(error) => error.into(),
            error => Self::against(
                "block-refused",
                "The block is refused",
                error.to_string(),
                "Ask for a new template and mine on that.",
            ),
        }
    }
}

impl From<SubmitError> for Refused {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Chain(ChainError::Storage(error)) => error.into(),
            error => Self::against(
                "transaction-refused",
                "The transaction is refused",
                error.to_string(),
                "Nothing was sent on and nothing was spent. Make the transaction anew.",
            ),
        }
    }
}

impl From<ResultError> for Refused {
    fn from(error: ResultError) -> Self {
        match error {
            ResultError::Unanswered(error) => error.into(),
            ResultError::System(reason) => Self::broken(reason),
            ResultError::Block(error) => error.into(),
            ResultError::Transaction(error) => error.into(),
            error => Self::against(
                "result-refused",
                "The result is refused",
                error.to_string(),
                "Ask for a new template and mine on that.",
            ),
        }
    }
}

pub(crate) async fn no_such_route(uri: Uri) -> Refused {
    let detail = format!("There is no route {}.", uri.path());
    Refused::not_found(detail, "The routes are listed in /v1/openapi.json.")
}

pub(crate) async fn no_such_method(method: axum::http::Method, uri: Uri) -> Refused {
    Refused::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "The route has no such method",
        format!("{} does not take {method}.", uri.path()),
        "The methods are listed in /v1/openapi.json.",
    )
}

/// Counts answers, and gives those of the framework (limits, time-outs, panics) the form of all others.
pub(crate) async fn explain(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<axum::extract::MatchedPath>().map(|path| path.as_str().to_owned());
    let response = next.run(request).await;
    shared.requests.count(path.as_deref(), response.status());
    let status = response.status();
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| !kind.as_bytes().starts_with(b"application/"));
    if !(status.is_client_error() || status.is_server_error()) || !is_plain {
        return response;
    }
    let (kind, mend) = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "Send less; the limits are in /v1/network."),
        StatusCode::GATEWAY_TIMEOUT => ("timeout", "Try again in a moment."),
        StatusCode::INTERNAL_SERVER_ERROR => ("internal", "Ask the node's operator to look at its log."),
        _ => ("bad-request", "The routes and what they take are listed in /v1/openapi.json."),
    };
    let title = status.canonical_reason().unwrap_or("Refused");
    // The framework's own words say what it did not like; they are short.
    let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&body).trim().trim_end_matches('.').to_owned();
    let detail = if words.is_empty() { format!("{title}.") } else { format!("{words}.") };
    Refused::new(status, kind, title, detail, mend).into_response()
}
