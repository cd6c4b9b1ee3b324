//! Which transactions a block takes.

use std::collections::BinaryHeap;

use hysteron_ledger::Address;

use super::{Candidate, Item, Mempool, Place};

/// What a block has room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SelectionLimits {
    /// Bytes of transactions.
    pub transaction_bytes_max: usize,
    /// Transactions.
    pub transactions_max: usize,
    /// Bytes of problem data.
    pub problem_bytes_max: usize,
    /// Problems.
    pub problems_max: usize,
    /// Claims and reveals.
    pub heavy_max: usize,
}

impl Mempool {
    /// The best paid transactions that fit, each sender's in the order of its nonces; `nonce` gives the next of an
    /// account. A transaction that does not fit holds back its sender's later ones, and nobody else's. Findings stand alone.
    pub fn select(&self, limits: SelectionLimits, nonce: impl Fn(&Address) -> u64) -> Vec<&Candidate> {
        // Equal rates are taken in the order of ids, so that a selection depends on the content alone.
        let key = |item: &Item| (item.rate, std::cmp::Reverse(item.id));
        let firsts = self.by_sender.iter().filter_map(|(sender, items)| items.get(&nonce(sender)));
        let heads = firsts.chain(self.findings.values()).map(|item| (key(item), item.place()));
        let mut heads: BinaryHeap<_> = heads.collect();
        let mut left = limits;
        let mut taken = Vec::new();
        while let Some((_, place)) = heads.pop() {
            let Some(item) = self.item(&place).filter(|item| left.take(item)) else { continue };
            taken.push(&item.candidate);
            let Place::Sequence(sender, at) = place else { continue };
            if let Some(next) = at.checked_add(1).and_then(|next| self.by_sender[&sender].get(&next)) {
                heads.push((key(next), next.place()));
            }
        }
        taken
    }
}

impl SelectionLimits {
    /// Subtracts what an item needs, if it fits.
    fn take(&mut self, item: &Item) -> bool {
        let problem = item.candidate.problem.as_ref().map_or(0, Vec::len);
        let own = item.bytes - problem;
        let is_heavy = usize::from(item.is_heavy());
        let has_problem = usize::from(item.candidate.problem.is_some());
        let fits = own <= self.transaction_bytes_max
            && problem <= self.problem_bytes_max
            && self.transactions_max > 0
            && has_problem <= self.problems_max
            && is_heavy <= self.heavy_max;
        if fits {
            self.transaction_bytes_max -= own;
            self.problem_bytes_max -= problem;
            self.transactions_max -= 1;
            self.problems_max -= has_problem;
            self.heavy_max -= is_heavy;
        }
        fits
    }
}
