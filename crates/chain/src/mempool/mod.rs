//! Transactions that wait for a block. Bounded in bytes, count and per sender; ordered by fee over what a transaction
//! costs every node (its *weight*: the fee floor for its bytes, data, signatures and legs); a sender's nonces stay in
//! order; a higher fee replaces. Everything here passed the ledger's checks against some state, and is judged again
//! when the state has moved in another way than forward.
//!
//! Claims without a bond are apart: they have no nonce and cost their sender nothing. One waits for each job, the best, so that each
//! further one has cost its finder a true improvement.

mod select;

use std::collections::{BTreeMap, BTreeSet};

use hysteron_ledger::{Address, Body, Finding, SignedTransaction};
use hysteron_work::types::{Hash, JobId};
use thiserror::Error;

pub use select::SelectionLimits;

/// Bounds of a mempool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MempoolLimits {
    /// Bytes of all transactions and their problem data.
    pub bytes_max: usize,
    /// Transactions.
    pub count_max: usize,
    /// Transactions of one sender; also how far a nonce may be ahead of the account's.
    pub per_sender_max: usize,
    /// Blocks after which a transaction that found no place is forgotten.
    pub age_blocks_max: u64,
    /// A replacement pays at least so many hundredths more than what it replaces.
    pub replacement_percent_min: u64,
}

impl Default for MempoolLimits {
    fn default() -> Self {
        Self {
            bytes_max: 64 << 20,
            count_max: 20_000,
            per_sender_max: 64,
            age_blocks_max: 5040,
            replacement_percent_min: 10,
        }
    }
}

/// A transaction with what it is judged by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The transaction.
    pub transaction: SignedTransaction,
    /// Canonical bytes of the problem that it brings, if it brings one.
    pub problem: Option<Vec<u8>>,
    /// What it costs every node, in atoms of the fee floor; 0 counts as 1.
    pub weight: u64,
    /// What it has found, if it is a claim without a bond.
    pub finding: Option<Finding>,
}

impl Candidate {
    /// One that was not judged yet.
    pub fn new(transaction: SignedTransaction, problem: Option<Vec<u8>>) -> Self {
        Self { transaction, problem, weight: 1, finding: None }
    }
}

/// Why a transaction has no place here.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum MempoolError {
    /// It is here.
    #[error("The transaction is already waiting.")]
    Known,
    /// The account has moved on.
    #[error("The nonce {found} was used; the account's next is {next}.")]
    NonceUsed {
        /// In the transaction.
        found: u64,
        /// The account's next nonce.
        next: u64,
    },
    /// Too far ahead.
    #[error(
        "The nonce {found} is too far ahead of the account's next, {next}; at most {limit} transactions wait."
    )]
    NonceFar {
        /// In the transaction.
        found: u64,
        /// The account's next nonce.
        next: u64,
        /// Transactions that may wait for one sender.
        limit: usize,
    },
    /// Another transaction has the nonce, and this one does not pay enough to replace it.
    #[error(
        "Another transaction waits with this nonce; to replace it, pay at least {fee_min} atoms and more for what it \
         costs."
    )]
    Underpriced {
        /// The least fee, in atoms.
        fee_min: u64,
    },
    /// With what already waits, the account cannot pay.
    #[error("With what already waits the account would spend {spends} atoms of its {balance}.")]
    Balance {
        /// Atoms of all waiting transactions and this one.
        spends: u128,
        /// Atoms that the account can spend.
        balance: u64,
    },
    /// A claim without a bond whose job has a better one that waits.
    #[error("A claim for the same job that found as much, or more, waits already.")]
    Overtaken,
    /// Every transaction that waits pays better.
    #[error("The pool is full of transactions that pay more for what they cost; {fee_min} atoms would do.")]
    Full {
        /// A fee that would find a place now, in atoms.
        fee_min: u64,
    },
}

/// What an insertion did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inserted {
    /// The transaction that it replaced.
    pub replaced: Option<Hash>,
    /// Those that made room.
    pub evicted: Vec<Hash>,
}

/// What a sender's account has in the state after the tip.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountView {
    /// Its next nonce.
    pub nonce: u64,
    /// Atoms that it can spend.
    pub balance: u64,
}

/// Where a transaction waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Place {
    /// At a nonce of its sender.
    Sequence(Address, u64),
    /// As the best claim without a bond of a job.
    Finding(JobId),
}

#[derive(Clone, Debug)]
struct Item {
    id: Hash,
    candidate: Candidate,
    bytes: usize,
    rate: u128,
    spends: u64,
    since_height: u64,
}

impl Item {
    fn new(candidate: Candidate, since_height: u64) -> Self {
        let transaction = &candidate.transaction;
        let own = transaction.encode().len();
        Self {
            id: transaction.id(),
            bytes: own + candidate.problem.as_ref().map_or(0, Vec::len),
            rate: rate(transaction.transaction.fee, candidate.weight),
            spends: transaction.transaction.spends_at_most(),
            since_height,
            candidate,
        }
    }
    fn sender(&self) -> Address {
        self.candidate.transaction.transaction.sender.address()
    }
    fn place(&self) -> Place {
        match &self.candidate.finding {
            Some(finding) => Place::Finding(finding.job),
            None => Place::Sequence(self.sender(), self.nonce()),
        }
    }
    fn nonce(&self) -> u64 {
        self.candidate.transaction.transaction.nonce
    }
    fn fee(&self) -> u64 {
        self.candidate.transaction.transaction.fee
    }
    /// Whether it makes every node run a leg or score an assignment; a block has few places for these.
    fn is_heavy(&self) -> bool {
        matches!(self.candidate.transaction.transaction.body, Body::Claim { .. } | Body::ClaimReveal { .. })
    }
}

/// Fee over weight, in units of 2^-64.
fn rate(fee: u64, weight: u64) -> u128 {
    (u128::from(fee) << 64) / u128::from(weight.max(1))
}

/// The least fee with a rate above `rate`.
fn fee_above(rate: u128, weight: u64) -> u64 {
    let product = (rate >> 64).saturating_mul(weight.max(1).into());
    let rest = ((rate & u128::from(u64::MAX)) * u128::from(weight.max(1))) >> 64;
    u64::try_from(product.saturating_add(rest).saturating_add(1)).unwrap_or(u64::MAX)
}

/// Whether a transaction at `later` stands on the one at `place`.
fn cuts_branch(place: &Place, later: &Place) -> bool {
    match (place, later) {
        (Place::Sequence(sender, nonce), Place::Sequence(same, later)) => sender == same && nonce < later,
        _ => false,
    }
}

/// The pool.
#[derive(Clone, Debug, Default)]
pub struct Mempool {
    limits: MempoolLimits,
    by_sender: BTreeMap<Address, BTreeMap<u64, Item>>,
    findings: BTreeMap<JobId, Item>,
    ids: BTreeMap<Hash, Place>,
    by_rate: BTreeSet<(u128, Hash)>,
    bytes: usize,
}

impl Mempool {
    /// An empty pool.
    pub fn new(limits: MempoolLimits) -> Self {
        Self { limits, ..Self::default() }
    }
    /// Transactions.
    pub fn len(&self) -> usize {
        self.ids.len()
    }
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
    /// Bytes of all transactions and their data.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    /// Whether a transaction waits.
    pub fn contains(&self, id: &Hash) -> bool {
        self.ids.contains_key(id)
    }
    /// A waiting transaction.
    pub fn get(&self, id: &Hash) -> Option<&Candidate> {
        self.item(self.ids.get(id)?).map(|item| &item.candidate)
    }
    fn item(&self, place: &Place) -> Option<&Item> {
        match place {
            Place::Sequence(sender, nonce) => self.by_sender.get(sender)?.get(nonce),
            Place::Finding(job) => self.findings.get(job),
        }
    }
    /// All ids, best paid first.
    pub fn ids(&self) -> impl Iterator<Item = &Hash> {
        self.by_rate.iter().rev().map(|(_, id)| id)
    }
    /// A sender's waiting transactions in the order of their nonces.
    pub fn of_sender<'a>(&'a self, sender: &Address) -> impl Iterator<Item = &'a Candidate> + use<'a> {
        self.by_sender.get(sender).into_iter().flat_map(BTreeMap::values).map(|item| &item.candidate)
    }
    /// The nonce that a sender's next transaction should have, given the account's own.
    pub fn next_nonce(&self, sender: &Address, account_nonce: u64) -> u64 {
        let waiting = self.by_sender.get(sender);
        (account_nonce..)
            .find(|nonce| waiting.is_none_or(|items| !items.contains_key(nonce)))
            .unwrap_or(u64::MAX)
    }

    /// Whether [`Self::insert`] would take it: the checks that need no signature, for refusing cheaply.
    ///
    /// # Errors
    /// As of [`Self::insert`].
    pub fn check(&self, candidate: &Candidate, account: AccountView) -> Result<(), MempoolError> {
        self.place(&Item::new(candidate.clone(), 0), account).map(|_| ())
    }
    /// Adds a transaction that the ledger's checks passed, at the tip's height.
    ///
    /// # Errors
    /// If it has no place; nothing changes then.
    pub fn insert(
        &mut self,
        candidate: Candidate,
        account: AccountView,
        height: u64,
    ) -> Result<Inserted, MempoolError> {
        let item = Item::new(candidate, height);
        let (replaced, evicted) = self.place(&item, account)?;
        for id in replaced.iter().chain(&evicted) {
            self.remove(id);
        }
        self.bytes += item.bytes;
        self.ids.insert(item.id, item.place());
        self.by_rate.insert((item.rate, item.id));
        match item.place() {
            Place::Sequence(sender, nonce) => {
                _ = self.by_sender.entry(sender).or_default().insert(nonce, item)
            }
            Place::Finding(job) => _ = self.findings.insert(job, item),
        }
        debug_assert!(self.bytes <= self.limits.bytes_max && self.ids.len() <= self.limits.count_max);
        Ok(Inserted { replaced, evicted })
    }

    /// What an item replaces and whom it evicts.
    fn place(&self, item: &Item, account: AccountView) -> Result<(Option<Hash>, Vec<Hash>), MempoolError> {
        if self.ids.contains_key(&item.id) {
            return Err(MempoolError::Known);
        }
        let replaced = match &item.candidate.finding {
            Some(finding) => {
                self.check_finding(finding)?;
                self.findings.get(&finding.job)
            }
            None => self.place_in_sequence(item, account)?,
        };
        let evicted = self.room(item, replaced)?;
        Ok((replaced.map(|old| old.id), evicted))
    }

    /// Whether a claim without a bond is better than the one of its job that waits.
    ///
    /// # Errors
    /// [`MempoolError::Overtaken`].
    pub fn check_finding(&self, finding: &Finding) -> Result<(), MempoolError> {
        let waiting = self.findings.get(&finding.job).and_then(|item| item.candidate.finding.as_ref());
        if waiting.is_some_and(|best| best.score <= finding.score) {
            return Err(MempoolError::Overtaken);
        }
        Ok(())
    }

    /// What an item replaces at its nonce.
    fn place_in_sequence(&self, item: &Item, account: AccountView) -> Result<Option<&Item>, MempoolError> {
        let (nonce, next) = (item.nonce(), account.nonce);
        if nonce < next {
            return Err(MempoolError::NonceUsed { found: nonce, next });
        }
        if nonce - next >= self.limits.per_sender_max as u64 {
            return Err(MempoolError::NonceFar { found: nonce, next, limit: self.limits.per_sender_max });
        }
        let own = self.by_sender.get(&item.sender());
        let replaced = own.and_then(|items| items.get(&nonce));
        if let Some(old) = replaced {
            let rise = (old.fee() / 100).saturating_mul(self.limits.replacement_percent_min).max(1);
            let fee_min = old.fee().saturating_add(rise).max(fee_above(old.rate, item.candidate.weight));
            if item.fee() < fee_min || item.rate <= old.rate {
                return Err(MempoolError::Underpriced { fee_min });
            }
        }
        let others = own.into_iter().flat_map(BTreeMap::values).filter(|other| other.nonce() != nonce);
        let spends = others.map(|other| u128::from(other.spends)).sum::<u128>() + u128::from(item.spends);
        if spends > u128::from(account.balance) {
            return Err(MempoolError::Balance { spends, balance: account.balance });
        }
        Ok(replaced)
    }

    /// Whom to evict so that `item` fits: the worst paid, each with its sender's later ones.
    fn room(&self, item: &Item, replaced: Option<&Item>) -> Result<Vec<Hash>, MempoolError> {
        let mut bytes = self.bytes + item.bytes - replaced.map_or(0, |old| old.bytes);
        let mut count = self.ids.len() + 1 - usize::from(replaced.is_some());
        let mut evicted = Vec::new();
        let mut worst = self.by_rate.iter();
        while bytes > self.limits.bytes_max || count > self.limits.count_max {
            let Some((rate, id)) = worst.next() else { return Err(MempoolError::Full { fee_min: u64::MAX }) };
            if replaced.is_some_and(|old| old.id == *id) || evicted.contains(id) {
                continue;
            }
            let place = &self.ids[id];
            if *rate >= item.rate || cuts_branch(place, &item.place()) {
                return Err(MempoolError::Full { fee_min: fee_above(*rate, item.candidate.weight) });
            }
            for later in self.from(place) {
                // What is replaced was counted above.
                if replaced.is_some_and(|old| old.id == later.id) || evicted.contains(&later.id) {
                    continue;
                }
                evicted.push(later.id);
                bytes -= later.bytes;
                count -= 1;
            }
        }
        Ok(evicted)
    }

    /// What cannot stay if the transaction of this place goes: it, and its sender's later ones.
    fn from(&self, place: &Place) -> Vec<&Item> {
        match place {
            Place::Sequence(sender, nonce) => {
                self.by_sender[sender].range(nonce..).map(|(_, item)| item).collect()
            }
            Place::Finding(job) => self.findings.get(job).into_iter().collect(),
        }
    }

    /// Removes a transaction, if it is here.
    pub fn remove(&mut self, id: &Hash) -> Option<Candidate> {
        let item = match self.ids.remove(id)? {
            Place::Sequence(sender, nonce) => {
                let items = self.by_sender.get_mut(&sender)?;
                let item = items.remove(&nonce)?;
                if items.is_empty() {
                    self.by_sender.remove(&sender);
                }
                item
            }
            Place::Finding(job) => self.findings.remove(&job)?,
        };
        self.by_rate.remove(&(item.rate, item.id));
        self.bytes -= item.bytes;
        Some(item.candidate)
    }

    /// Forgets what the state after a new tip has outrun: used nonces, accounts that can no longer pay, the old. Gives
    /// the ids of what went.
    pub fn settle(&mut self, height: u64, account: impl Fn(&Address) -> AccountView) -> Vec<Hash> {
        let mut gone = Vec::new();
        for (sender, items) in &self.by_sender {
            let account = account(sender);
            let mut spends = 0u128;
            for item in items.values() {
                let is_old = height.saturating_sub(item.since_height) > self.limits.age_blocks_max;
                if item.nonce() < account.nonce || is_old {
                    gone.push(item.id);
                    continue;
                }
                spends += u128::from(item.spends);
                if spends > u128::from(account.balance) {
                    spends -= u128::from(item.spends);
                    gone.push(item.id);
                }
            }
        }
        for id in &gone {
            self.remove(id);
        }
        gone
    }

    /// Forgets the claims without a bond that no block can hold any more. Gives the ids of what went.
    pub fn settle_findings(&mut self, is_awaited: impl Fn(&Finding) -> bool) -> Vec<Hash> {
        let is_gone =
            |item: &&Item| item.candidate.finding.as_ref().is_none_or(|finding| !is_awaited(finding));
        let gone: Vec<Hash> = self.findings.values().filter(is_gone).map(|item| item.id).collect();
        for id in &gone {
            self.remove(id);
        }
        gone
    }
}
