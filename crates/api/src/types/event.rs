//! Server-sent events.

use serde::{Deserialize, Serialize};

use super::{Header, JobProgress, JobState};
use crate::Hex32;

/// `GET /v1/events`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct EventQuery {
    /// Only events of this job (and blocks).
    pub job: Option<Hex32>,
}

/// What a stream of server-sent events carries as JSON; its `type` is the event's name too.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
// Events are made, written to a stream and gone, one at a time: a box would only add an allocation.
#[expect(clippy::large_enum_variant)]
pub enum Event {
    /// The first event of a stream, and after each block: the best chain's last block.
    Block(Header),
    /// The best chain is another one from some height on; blocks above `fork_height` follow.
    Reorganised {
        /// The last height that both chains share.
        fork_height: u64,
        /// Blocks that left.
        left: u64,
    },
    /// A job changed.
    Job {
        /// The job.
        job: Hex32,
        /// The height after which it is so.
        height: u64,
        /// Where it is in its life.
        state: JobState,
        /// How far it is.
        progress: JobProgress,
    },
    /// The reader was too slow, and some events were left out: read again what you need.
    Lagged {
        /// How many.
        events: u64,
    },
}
