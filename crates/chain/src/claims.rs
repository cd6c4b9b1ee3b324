//! How the ledger has claims checked: the claim's header gives the seed and the parent, the table after that parent gives the
//! leg, and the leg is run again. Verdicts are kept, since a claim is met first in the mempool and then in a block.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hysteron_ledger::{Body, ClaimChecker, ClaimError, ClaimSite, ClaimVerdict, Score, SignedTransaction};
use hysteron_work::types::{Assignment, Hash, ProblemId, hash};
use hysteron_work::{
    Claim, LegRunner, Problems, Table, Task, WorkError, WorkRules, check_claim_cheap, verify_claim,
};

use crate::header::{HEADER_VERSION, HeaderBase};

/// Verdicts that are kept.
pub const VERDICTS_MAX: usize = 4096;

/// Verdicts by claim; a claim's own header names the parent, so the claim determines the verdict.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    inner: Mutex<(BTreeMap<Hash, bool>, VecDeque<Hash>)>,
}

impl Verdicts {
    fn get(&self, key: &Hash) -> Option<bool> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).0.get(key).copied()
    }
    /// Notes a claim whose leg held when somebody else ran it.
    pub(crate) fn vouch(&self, claim: &Claim) {
        self.put(key(claim), true);
    }
    fn put(&self, key: Hash, is_true: bool) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (verdicts, order) = &mut *inner;
        if verdicts.insert(key, is_true).is_none() {
            order.push_back(key);
            if order.len() > VERDICTS_MAX
                && let Some(oldest) = order.pop_front()
            {
                verdicts.remove(&oldest);
            }
        }
    }
}

/// The checker for one block (or the block to come): it knows the tables after the block's last ancestors.
pub(crate) struct Claims<'a> {
    /// Ancestor -> its height and the table after it, for those that claims name.
    pub(crate) tables: BTreeMap<Hash, (u64, Arc<Table>)>,
    pub(crate) rules: &'a WorkRules,
    pub(crate) runner: &'a dyn LegRunner,
    pub(crate) problems: &'a dyn Problems,
    pub(crate) verdicts: &'a Verdicts,
    pub(crate) rerun: Rerun,
}

/// Where legs without a verdict are run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rerun {
    /// Here and now.
    Here,
    /// Not here: such a claim is [`ClaimError::Unchecked`].
    Elsewhere,
}

fn key(claim: &Claim) -> Hash {
    hash("claim-verdict", &[&borsh::to_vec(claim).expect("memory takes every byte")])
}

/// The claims among transactions.
pub(crate) fn claims_in(transactions: &[SignedTransaction]) -> impl Iterator<Item = &Claim> {
    transactions.iter().filter_map(|signed| match &signed.transaction.body {
        Body::Claim { claim, .. } => Some(&**claim),
        _ => None,
    })
}

/// The parent that a claim's header names, if it is a header.
pub(crate) fn parent_of(claim: &Claim) -> Option<Hash> {
    HeaderBase::decode(&claim.header).ok().map(|base| base.parent)
}

impl Claims<'_> {
    fn header(&self, claim: &Claim) -> Result<(HeaderBase, &Table), ClaimError> {
        let refuse = |reason: &str| ClaimError::Refused(reason.into());
        let base = HeaderBase::decode(&claim.header).map_err(|_| refuse("its header is no header"))?;
        if base.version != HEADER_VERSION || base.local_pool_root != [0; 32] {
            return Err(refuse("its header is not of this version"));
        }
        let Some((height, table)) = self.tables.get(&base.parent) else {
            return Err(refuse("its parent is not among the block's last ancestors"));
        };
        if base.height != height + 1 {
            return Err(refuse("its header's height does not follow its parent's"));
        }
        Ok((base, table))
    }

    fn run(&self, claim: &Claim) -> Result<bool, ClaimError> {
        let key = key(claim);
        if let Some(known) = self.verdicts.get(&key) {
            return Ok(known);
        }
        if self.rerun == Rerun::Elsewhere {
            return Err(ClaimError::Unchecked("its leg is to be run first".into()));
        }
        let (base, table) = self.header(claim)?;
        let is_true = match verify_claim(&base.seed(), claim, table, self.rules, self.runner) {
            Ok(_) => true,
            Err(WorkError::Digest { .. } | WorkError::Result { .. }) => false,
            Err(error) if error.is_forgery() => return Err(ClaimError::Refused(error.to_string())),
            Err(error) => return Err(ClaimError::Unchecked(error.to_string())),
        };
        self.verdicts.put(key, is_true);
        Ok(is_true)
    }

    /// Runs the legs of all claims of a block side by side, so that applying it meets known verdicts. Called after the
    /// block's own work was verified, so an attacker pays a whole block for it.
    pub(crate) fn run_ahead(&self, transactions: &[SignedTransaction], limit: usize) {
        let unknown: Vec<&Claim> = claims_in(transactions)
            .take(limit)
            .filter(|claim| self.verdicts.get(&key(claim)).is_none())
            .collect();
        if unknown.is_empty() {
            return;
        }
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(unknown.len());
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(claim) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
                        // Whatever goes wrong is met again, and reported, by the ledger.
                        let _ = self.locate(claim).map(|_| self.run(claim));
                    }
                });
            }
        });
    }
}

impl ClaimChecker for Claims<'_> {
    fn locate(&self, claim: &Claim) -> Result<ClaimSite, ClaimError> {
        let (base, table) = self.header(claim)?;
        let leg = check_claim_cheap(&base.seed(), claim, table, self.rules)
            .map_err(|error| ClaimError::Forged(error.to_string()))?;
        let job = match leg.task {
            Task::Job(index) => table.entries.get(index as usize).map(|entry| entry.job),
            Task::Public(_) => None,
        };
        Ok(ClaimSite {
            parent: base.parent,
            parent_height: base.height - 1,
            miner: base.miner,
            job,
            parameter_set: leg.parameter_set,
        })
    }
    fn score(&self, problem: &ProblemId, assignment: &Assignment) -> Result<Score, ClaimError> {
        let problem = self
            .problems
            .problem(problem)
            .ok_or_else(|| ClaimError::Unchecked(format!("the data of problem {problem} is not here")))?;
        Score::of(&problem, &assignment.unpack())
            .ok_or_else(|| ClaimError::Refused("its assignment has another number of variables".into()))
    }
    fn rerun(&self, claim: &Claim) -> Result<ClaimVerdict, ClaimError> {
        Ok(if self.run(claim)? { ClaimVerdict::True } else { ClaimVerdict::False })
    }
}
