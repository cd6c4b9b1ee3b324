//! The validation pipeline: every check that a header or block passes, in the order of their cost, so that an attacker
//! pays as much as possible for as little of our time as possible. The chain calls the stages in this order and nothing
//! else judges blocks:
//!
//! 1. [`check_header_alone`], [`check_body`]: syntax and bounds. Nanoseconds.
//! 2. [`check_header_on`]: the parent is known: height, checkpoint, time, target; post-hash and pre-hash. Microseconds; from
//!    here on a block has cost its maker some hashing.
//! 3. [`check_roots`]: the body belongs to the header. Milliseconds.
//! 4. [`check_work`]: four legs run again, the first alone. Half a second.
//! 5. [`apply`]: signatures, transactions, claims; the state's root.

use hysteron_ledger::{Applied, BlockInput, State};
use hysteron_work::types::{Hash, Target};
use hysteron_work::{LegRunner, Table, WorkRules, check_cheap, verify};

use crate::block::Block;
use crate::context::{HeaderContext, HeaderRules};
use crate::difficulty::FUTURE_S_MAX;
use crate::error::ChainError;
use crate::header::{HEADER_VERSION, Header};

/// What a header can break alone.
pub(crate) fn check_header_alone(header: &Header) -> Result<(), ChainError> {
    if header.version != HEADER_VERSION {
        return Err(ChainError::Version { found: header.version, known: HEADER_VERSION });
    }
    if header.local_pool_root != [0; 32] {
        return Err(ChainError::LocalPool);
    }
    Ok(())
}

/// The limits of a body.
pub(crate) fn check_body(block: &Block) -> Result<(), ChainError> {
    Ok(block.check_limits()?)
}

/// For a header whose parent is not known: that it cost its maker some hashing, near the difficulty of `tip`.
pub(crate) fn check_orphan(header: &Header, tip: &Target, work: &WorkRules) -> Result<(), ChainError> {
    /// Orphans with targets easier by more than this are not worth the memory.
    const EASIER_MAX: u128 = 16;
    if header.post_target.expected_tries().saturating_mul(EASIER_MAX) < tip.expected_tries() {
        return Err(ChainError::Target);
    }
    check_cheap(&header.seed(), &header.proof(), work, &header.post_target).map_err(ChainError::Work)
}

/// What a header can break on its parent, without a simulation. `now` is the receiver's clock, Unix seconds.
pub(crate) fn check_header_on(
    header: &Header,
    hash: &Hash,
    context: &HeaderContext,
    rules: &HeaderRules,
    now: u64,
) -> Result<(), ChainError> {
    if header.parent != *context.parent_hash() {
        return Err(ChainError::ParentUnknown { parent: header.parent });
    }
    let expected = context.parent().height + 1;
    if header.height != expected {
        return Err(ChainError::Height { found: header.height, expected });
    }
    if let Some(checkpoint) = rules.checkpoint
        && checkpoint.height == header.height
        && checkpoint.hash != *hash
    {
        return Err(ChainError::Checkpoint { height: checkpoint.height });
    }
    let median = context.median_time();
    if header.time <= median {
        return Err(ChainError::TimeTooOld { time: header.time, median });
    }
    if header.time > now.saturating_add(FUTURE_S_MAX) {
        return Err(ChainError::TimeTooNew { time: header.time, now, ahead_s_max: FUTURE_S_MAX });
    }
    if header.post_target != context.next_target(rules) {
        return Err(ChainError::Target);
    }
    check_cheap(&header.seed(), &header.proof(), &rules.work, &header.post_target).map_err(ChainError::Work)
}

/// That the body is the one that the header binds.
pub(crate) fn check_roots(block: &Block) -> Result<(), ChainError> {
    if Block::transaction_root(&block.transactions) != block.header.transaction_root {
        return Err(ChainError::TransactionRoot);
    }
    if Block::data_root(&block.problems) != block.header.data_root {
        return Err(ChainError::DataRoot);
    }
    Ok(())
}

/// That the four legs give the stated digests, drawn from the table after the parent.
pub(crate) fn check_work(
    header: &Header,
    table: &Table,
    work: &WorkRules,
    runner: &dyn LegRunner,
) -> Result<(), ChainError> {
    verify(&header.seed(), &header.proof(), table, work, &header.post_target, runner)
        .map(|_| ())
        .map_err(ChainError::Work)
}

/// Applies the body to the state after the parent. On an error the state is as before.
pub(crate) fn apply(state: &mut State, input: &BlockInput, state_root: &Hash) -> Result<Applied, ChainError> {
    let applied = state.apply(input).map_err(ChainError::Ledger)?;
    if state.root() != *state_root {
        state.revert(&applied.delta).map_err(ChainError::Ledger)?;
        return Err(ChainError::StateRoot);
    }
    Ok(applied)
}
