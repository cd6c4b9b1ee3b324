//! Errors: what a node answers, and what a client sees.

use serde::{Deserialize, Serialize};

/// Why a node refuses, as JSON (`application/problem+json`, after RFC 9457).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Refusal {
    /// A name that programs can match on, `not-found`, `too-large`, `transaction-refused`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people, in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What exactly is wrong here, in a sentence.
    pub detail: String,
    /// What to do about it, in a sentence.
    pub mend: String,
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer: no connection, or a time-out.
    #[error("The node at {url} does not answer: {reason}.")]
    Unreachable {
        /// The node's URL.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The node answers with a reason.
    #[error("{} {}", .0.detail, .0.mend)]
    Refused(Box<Refusal>),
    /// The answer is none of this API.
    #[error("The answer of {url} is not understood: {reason}. Is it a Hysteron node of this version?")]
    Malformed {
        /// The node's URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ClientError {
    /// Whether trying again later may help: the node was not reached, or was busy or starting.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => refusal.status == 429 || refusal.status >= 500,
            Self::Malformed { .. } => false,
        }
    }
    /// Whether the node says that there is no such thing.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 404)
    }
}
