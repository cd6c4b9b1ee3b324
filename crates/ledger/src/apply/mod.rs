//! Applying a block. In order: what time alone brings ([`begin`](Execution::begin)), the transactions, the coinbase
//! ([`finish`](Execution::finish)). Everything happens on an overlay, so an error changes nothing.

mod capacity;
mod claims;
mod coins;
mod jobs;
mod problems;
mod reveals;
mod review;
mod starved;
mod transactions;

use hysteron_work::types::Hash;

use crate::LedgerError;
use crate::block::{Admission, Applied, BlockContext, BlockInput, ClaimChecker, Finding};
use crate::event::Event;
use crate::genesis::Genesis;
use crate::keys::Address;
use crate::limits::{BLOCK_PROBLEM_BYTES_MAX, BLOCK_TRANSACTION_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use crate::state::keys::{self, Kind};
use crate::state::overlay::Overlay;
use crate::state::records::Head;
use crate::state::view::View;
use crate::state::{State, proven_legs};
use crate::transaction::SignedTransaction;

pub use jobs::BURNED_PER_CENT;
pub use problems::decode_problem;
pub use starved::is_starved;
pub use transactions::fee_floor;

/// Nonces that a waiting transaction may be ahead of its account, at most.
pub const NONCES_AHEAD_MAX: u64 = 64;

/// Adds amounts; an overflow is a fault of the program.
pub(crate) fn add(a: u64, b: u64, what: &'static str) -> Result<u64, LedgerError> {
    a.checked_add(b).ok_or(LedgerError::Arithmetic { what })
}
/// The sum of amounts; an overflow is a fault of the program.
fn sum(mut amounts: impl Iterator<Item = u64>) -> Result<u64, LedgerError> {
    amounts.try_fold(0, |sum, amount| add(sum, amount, "a sum of coins"))
}
/// Subtracts amounts; below zero is a fault of the program.
pub(crate) fn subtract(a: u64, b: u64, what: &'static str) -> Result<u64, LedgerError> {
    a.checked_sub(b).ok_or(LedgerError::Arithmetic { what })
}

/// A block that is being applied.
pub(crate) struct Execution<'a> {
    pub(crate) state: &'a State,
    pub(crate) rules: &'a Genesis,
    pub(crate) overlay: Overlay<'a>,
    pub(crate) height: u64,
    /// The latest time of any block, this one included.
    pub(crate) clock: u64,
    /// The hash of the parent, unless only a transaction is being tried.
    pub(crate) parent: Option<Hash>,
    pub(crate) work: &'a dyn ClaimChecker,
    pub(crate) events: Vec<Event>,
    /// Atoms of fees so far.
    pub(crate) fees: u64,
    /// Atoms that settled jobs put into the pot.
    pub(crate) to_pot: u64,
    /// Atoms that the pot pays with this block.
    pub(crate) from_pot: u64,
    /// Claims and reveals so far.
    pub(crate) claims: u32,
}

impl<'a> Execution<'a> {
    fn new(
        state: &'a State,
        height: u64,
        clock: u64,
        parent: Option<Hash>,
        work: &'a dyn ClaimChecker,
    ) -> Self {
        Self {
            state,
            rules: state.rules(),
            overlay: Overlay::new(state),
            height,
            clock,
            parent,
            work,
            events: Vec::new(),
            fees: 0,
            to_pot: 0,
            from_pot: 0,
            claims: 0,
        }
    }

    /// What happens before the transactions: matured coins, the committee, credits of work, ends of delays, the price.
    fn begin(&mut self, context: &BlockContext) -> Result<(), LedgerError> {
        let head = self.overlay.head();
        self.overlay.write(keys::table(Kind::Head), &Head { height: self.height, clock: self.clock, ..head });
        self.remember_parent(context);
        self.change_committee();
        self.mature()?;
        self.pay_from_pot()?;
        self.resolve_reveals()?;
        self.expire_commitments()?;
        self.walk_jobs(context)?;
        self.move_rate();
        Ok(())
    }

    /// Keeps the hashes of the last blocks, as far back as claims and the public pool look.
    fn remember_parent(&mut self, context: &BlockContext) {
        let work = &self.rules.work;
        let kept = work.pool_age_blocks + work.pool_period_blocks + work.claim_age_blocks + 1;
        self.overlay.write(keys::at_height(Kind::BlockHash, self.height - 1), &context.parent);
        if let Some(old) = self.height.checked_sub(kept + 1) {
            self.overlay.remove(keys::at_height(Kind::BlockHash, old));
        }
    }

    /// What happens after the transactions: coinbase, pot, measures of the network.
    fn finish(mut self, context: &BlockContext) -> Result<Applied, LedgerError> {
        self.book_coinbase(context.miner)?;
        self.fill_pot()?;
        self.measure(context);
        Ok(Applied { delta: self.overlay.into_delta(), events: self.events })
    }
}

impl State {
    /// Applies a block's content. On error nothing is changed.
    ///
    /// # Errors
    /// [`LedgerError::Block`] for the block as a whole, [`LedgerError::BlockTransaction`] for the first transaction that is
    /// refused, [`LedgerError::Arithmetic`] for a fault of the program.
    pub fn apply(&mut self, block: &BlockInput) -> Result<Applied, LedgerError> {
        let applied = self.applied(block)?;
        self.replay(&applied.delta)?;
        Ok(applied)
    }

    fn applied(&self, block: &BlockInput) -> Result<Applied, LedgerError> {
        let refuse = |reason| Err(LedgerError::Block { reason });
        let (context, head) = (&block.context, self.head());
        if Some(context.height) != head.height.checked_add(1) {
            return refuse("its height does not follow the state's");
        }
        if context.parent_legs.len() > hysteron_work::types::LEGS {
            return refuse("its parent has more legs than an attempt");
        }
        if block.transactions.len() > BLOCK_TRANSACTIONS_MAX {
            return refuse("it has too many transactions");
        }
        let clock = head.clock.max(context.time);
        let mut execution = Execution::new(self, context.height, clock, Some(context.parent), context.work);
        execution.begin(context)?;
        let (mut bytes, mut problem_bytes) = (0usize, 0usize);
        let mut problems = block.problems.iter();
        for (index, transaction) in block.transactions.iter().enumerate() {
            let refuse = |error| LedgerError::BlockTransaction { index, error: Box::new(error) };
            let new_problem =
                transaction.transaction.problem().filter(|id| execution.overlay.problem(id).is_none());
            let problem = match new_problem {
                Some(id) => Some(problems.next().ok_or(refuse(LedgerError::ProblemMissing(id)))?),
                None => None,
            };
            bytes += transaction.encode().len();
            problem_bytes += problem.map_or(0, |bytes| bytes.len());
            if bytes > BLOCK_TRANSACTION_BYTES_MAX || problem_bytes > BLOCK_PROBLEM_BYTES_MAX {
                return refuse_block("its transactions or problems are too large");
            }
            execution.transaction(transaction, problem.map(Vec::as_slice)).map_err(refuse)?;
        }
        if problems.next().is_some() {
            return refuse("it carries a problem that none of its transactions brings");
        }
        execution.finish(context)
    }

    /// Checks a transaction on its own, for a pool of those that wait, as if it stood alone in the next block. `problem` is
    /// the data that came with it. A nonce that is ahead by at most [`NONCES_AHEAD_MAX`] is no error; then only what needs no
    /// other transaction is checked.
    ///
    /// A false claim with a bond passes: whoever had to run it may put it into a block, where the bond burns. One without is
    /// refused.
    ///
    /// # Errors
    /// Why it would be refused.
    pub fn check_transaction(
        &self,
        transaction: &SignedTransaction,
        problem: Option<&[u8]>,
        work: &dyn ClaimChecker,
    ) -> Result<Admission, LedgerError> {
        let head = self.head();
        let mut execution = Execution::new(self, head.height.saturating_add(1), head.clock, None, work);
        let body = &transaction.transaction;
        let sender = body.sender.address();
        let next_nonce = self.account(&sender).nonce;
        let is_ahead = body.nonce > next_nonce && body.nonce - next_nonce <= NONCES_AHEAD_MAX;
        let checked = if is_ahead {
            execution.check_alone(transaction)?
        } else {
            execution.transaction(transaction, problem)?
        };
        Ok(Admission {
            id: transaction.id(),
            sender,
            nonce: body.nonce,
            next_nonce,
            fee: body.fee,
            floor: checked.floor,
            bytes: checked.bytes,
            spends: body.spends_at_most(),
            finding: checked.finding,
        })
    }

    /// What a claim without a bond has found, by all checks of [`Self::check_transaction`] but the run of its leg; `None` for other
    /// transactions. So a pool can see whether the run is worth it.
    ///
    /// # Errors
    /// Why it would be refused.
    pub fn finding(
        &self,
        transaction: &SignedTransaction,
        work: &dyn ClaimChecker,
    ) -> Result<Option<Finding>, LedgerError> {
        let Some(claim) = transaction.transaction.unbonded_claim() else { return Ok(None) };
        let head = self.head();
        let execution = Execution::new(self, head.height.saturating_add(1), head.clock, None, work);
        execution.check_alone(transaction)?;
        execution.finding(claim, transaction.transaction.fee).map(|(finding, _)| Some(finding))
    }

    /// Whether the next block could still hold a claim with this finding.
    pub fn awaits(&self, finding: &Finding) -> bool {
        let improves = |job: crate::Job| {
            job.status.takes_claims() && job.best.is_none_or(|best| finding.score < best.score)
        };
        let parent_height = finding.last_height.saturating_sub(self.rules().work.claim_age_blocks);
        let reveals = self.board(&finding.job).reveals;
        let comes_late = reveals.iter().any(|r| r.committed <= parent_height && finding.score >= r.score);
        self.head().height < finding.last_height
            && self.job(&finding.job).is_some_and(improves)
            && !comes_late
    }

    /// What all coins add up to. Walks the whole state.
    ///
    /// # Errors
    /// [`LedgerError::Arithmetic`] if they are not as many as were issued.
    pub fn audit(&self) -> Result<Audit, LedgerError> {
        let coinbases = self.keys(&keys::table(Kind::Coinbase));
        let immature = coinbases.iter().filter_map(|key| self.read(key)).map(|c: crate::Coinbase| c.amount);
        let commitments = self.keys(&keys::table(Kind::Commitment));
        let bonds = commitments.iter().filter_map(|key| self.read(key)).map(|c: crate::Commitment| c.bond);
        let audit = Audit {
            balances: sum(self.accounts().map(|(_, account)| account.balance))?,
            immature: sum(immature)?,
            escrow: sum(self.jobs().map(|(_, job)| job.escrow()))?,
            pot: self.pot().balance,
            bonds: sum(bonds)?,
            burned: self.supply().burned,
            issued: self.supply().issued,
        };
        let parts = [audit.balances, audit.immature, audit.escrow, audit.pot, audit.bonds, audit.burned];
        if sum(parts.into_iter())? != audit.issued {
            return Err(LedgerError::Arithmetic {
                what: "the coins there are, against those that were issued",
            });
        }
        Ok(audit)
    }
}

fn refuse_block<T>(reason: &'static str) -> Result<T, LedgerError> {
    Err(LedgerError::Block { reason })
}

/// Where all coins are, in atoms.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Audit {
    /// In accounts.
    pub balances: u64,
    /// In coinbases that are not mature.
    pub immature: u64,
    /// In jobs.
    pub escrow: u64,
    /// In the pot.
    pub pot: u64,
    /// In bonds of commitments.
    pub bonds: u64,
    /// Burned.
    pub burned: u64,
    /// All of them together.
    pub issued: u64,
}

impl Execution<'_> {
    pub(crate) fn pay(&mut self, address: &Address, amount: u64) -> Result<(), LedgerError> {
        let mut account = self.overlay.account(address);
        account.balance = add(account.balance, amount, "a balance")?;
        self.overlay.write(keys::of_account(Kind::Account, address), &account);
        Ok(())
    }

    pub(crate) fn take(&mut self, address: &Address, amount: u64) -> Result<(), LedgerError> {
        let mut account = self.overlay.account(address);
        if account.balance < amount {
            return Err(LedgerError::Balance { found: account.balance, needed: amount });
        }
        account.balance -= amount;
        self.overlay.write(keys::of_account(Kind::Account, address), &account);
        Ok(())
    }

    pub(crate) fn burn(&mut self, amount: u64) -> Result<(), LedgerError> {
        let mut supply = self.overlay.supply();
        supply.burned = add(supply.burned, amount, "the burned coins")?;
        self.overlay.write(keys::table(Kind::Supply), &supply);
        Ok(())
    }

    /// Legs that the block stands for.
    fn block_legs(context: &BlockContext) -> u64 {
        proven_legs(context.post_target.expected_tries())
    }
}
