//! What stands in the way, in sentences that end with what to do.

use hysteron_api::ClientError;
use hysteron_ledger::{LedgerError, format_hys};
use hysteron_wallet::WalletError;

use crate::prepare::PrepareError;

/// Why something could not be done. Unless it says otherwise nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The node is not there, or refuses.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// A rule of the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The problem.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The wallet: a rule of the ledger, or the account cannot pay.
    #[error("{0} Nothing was sent.")]
    Wallet(#[from] WalletError),
    /// The price is above the customer's limit.
    #[error(
        "The price is {} HYS, more than the limit of {}. Nothing was sent. Book fewer chips or blocks, or raise \
         --max-price.",
        format_hys(*price),
        format_hys(*limit)
    )]
    Dear {
        /// Atoms.
        price: u64,
        /// Atoms.
        limit: u64,
    },
    /// The node says something that cannot be.
    #[error("The node at {url} is wrong or lies: {what}. Use another node.")]
    Contradiction {
        /// The node's URL.
        url: String,
        /// What cannot be.
        what: String,
    },
    /// What was waited for did not happen in time.
    #[error("{what} within {seconds} seconds. It may still happen: {mend}")]
    Late {
        /// What did not happen.
        what: String,
        /// How long was waited.
        seconds: u64,
        /// What to do.
        mend: String,
    },
    /// A request makes no sense.
    #[error("{what} {mend}")]
    Request {
        /// What is wrong.
        what: String,
        /// What to do.
        mend: String,
    },
    /// A file.
    #[error("{path}: {reason}. {mend}")]
    File {
        /// Which.
        path: String,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        mend: String,
    },
}

impl Failure {
    /// A request that makes no sense.
    pub fn request(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Request { what: what.into(), mend: mend.into() }
    }
}
