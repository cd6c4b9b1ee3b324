//! The pure state transition: accounts, coins, jobs, escrow, claims, review, price, receipts. Bytes in, bytes out: no clock,
//! disk, thread or float. Start with [`State::apply`].

pub mod amount;
mod apply;
mod block;
mod committee;
mod error;
mod event;
mod genesis;
mod job;
mod keys;
pub mod limits;
pub mod oracle;
mod receipt;
mod score;
mod state;
mod transaction;

pub use amount::{ATOMS_PER_HYS, CAP_ATOMS, emission, format_hys, parse_hys};
pub use apply::{Audit, BURNED_PER_CENT, NONCES_AHEAD_MAX, decode_problem, fee_floor, is_starved};
pub use block::{
    Admission, Applied, BlockContext, BlockInput, Change, ClaimChecker, ClaimError, ClaimSite, ClaimVerdict,
    Delta, Finding, NoClaims,
};
pub use committee::{Committee, Office};
pub use error::LedgerError;
pub use event::Event;
pub use genesis::{ALLOCATIONS_MAX, FeeRules, Founding, Genesis, MarketRules, devnet_key, devnet_seed};
pub use job::{
    Best, Board, CREDIT_UNITS, Checkpoint, Ending, Job, JobTerms, LEG_UNITS, PendingReveal, Settlement,
    Status, assignment_hash,
};
pub use keys::{Address, MEMBERS_MAX, Multisig, PublicKey, Signature};
pub use receipt::{HeaderFacts, PriceQuote, Proven, Receipt};
pub use score::{Scale, Score};
pub use state::{
    Account, Coinbase, Commitment, Head, LEGS_PER_BLOCK_MAX, Oracle, Pot, ProblemRecord, Quote, Reveal,
    State, StateProof, Supply, Vote,
};
pub use transaction::{
    Authorisation, Body, Sender, SignedTransaction, Transaction, UNBONDED, commitment,
    committee_change_message,
};
