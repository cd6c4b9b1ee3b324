//! The state: an ordered map from keys to values with a Merkle root, all in memory. Every change of it is a [`Delta`].

pub(crate) mod keys;
pub(crate) mod overlay;
pub(crate) mod records;
mod tree;
pub(crate) mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use hysteron_work::types::{Assignment, Hash, JobId, LEGS, ProblemId};
use hysteron_work::{Entry, PublicPool, Table};

pub use records::{
    Account, Coinbase, Commitment, Head, Oracle, Pot, ProblemRecord, Quote, Reveal, Supply, Vote,
};
pub use tree::StateProof;

use self::keys::Kind;
use self::tree::Tree;
use self::view::{View, check_record};
use crate::LedgerError;
use crate::block::Delta;
use crate::committee::Office;
use crate::genesis::Genesis;
use crate::job::{Board, Job, Status};
use crate::keys::{Address, Multisig};
use crate::oracle;

/// The state after some block.
#[derive(Clone)]
pub struct State {
    genesis: Arc<Genesis>,
    network: u32,
    pub(crate) entries: BTreeMap<Vec<u8>, Vec<u8>>,
    tree: Tree,
}

impl View for State {
    fn bytes(&self, key: &[u8]) -> Option<&[u8]> {
        self.entries.get(key).map(Vec::as_slice)
    }
    fn keys(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        let from = self.entries.range(prefix.to_vec()..);
        from.take_while(|(key, _)| key.starts_with(prefix)).map(|(key, _)| key.clone()).collect()
    }
}

impl State {
    /// The state after block 0.
    ///
    /// # Errors
    /// What [`Genesis::check`] finds.
    pub fn genesis(genesis: &Genesis) -> Result<Self, LedgerError> {
        genesis.check()?;
        let mut entries = BTreeMap::new();
        let mut put = |key, value: Result<Vec<u8>, _>| {
            entries.insert(key, value.expect("writing to memory does not fail"));
        };
        for (address, balance) in &genesis.allocations {
            let account = Account { balance: *balance, nonce: 0 };
            put(keys::of_account(Kind::Account, address), borsh::to_vec(&account));
        }
        let issued = genesis.allocations.iter().map(|a| a.1).sum();
        put(keys::table(Kind::Supply), borsh::to_vec(&Supply { issued, burned: 0 }));
        let legs_per_block = proven_legs(genesis.post_target.expected_tries());
        let head = Head { height: 0, clock: genesis.time, active_jobs: 0, legs_per_block };
        put(keys::table(Kind::Head), borsh::to_vec(&head));
        put(keys::at_height(Kind::ProvenLegs, 0), borsh::to_vec(&legs_per_block));
        put(keys::at_height(Kind::BlockHash, 0), borsh::to_vec(&genesis.hash()));
        let office = Office { committee: genesis.committee.clone(), serial: 0, next: None };
        put(keys::table(Kind::Office), borsh::to_vec(&office));
        let rate = oracle::genesis_rate(genesis);
        put(
            keys::table(Kind::Oracle),
            borsh::to_vec(&Oracle { rate, moved: genesis.time, quoted: genesis.time }),
        );
        put(keys::at_height(Kind::Rate, 0), borsh::to_vec(&rate));
        Self::from_entries(genesis, entries)
    }

    /// A state from its records, as [`Self::entries`] gave them: how a node starts again. The caller compares the root.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] for a record that is none; what [`Genesis::check`] finds.
    pub fn from_entries(
        genesis: &Genesis,
        entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, LedgerError> {
        genesis.check()?;
        let entries: BTreeMap<_, _> = entries.into_iter().collect();
        let mut leaves = Vec::with_capacity(entries.len());
        for (key, value) in &entries {
            check_record(key, value)?;
            leaves.push((tree::path_of(key), Some(tree::value_hash(value))));
        }
        if !entries.contains_key(&keys::table(Kind::Office)) {
            return Err(LedgerError::Corrupt { what: "there is no committee" });
        }
        let mut tree = Tree::default();
        tree.update(leaves);
        Ok(Self { genesis: Arc::new(genesis.clone()), network: genesis.network_id(), entries, tree })
    }

    /// All records in the order of their keys.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.entries.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }
    /// The Merkle root over all records.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }
    /// A record's bytes.
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        self.bytes(key)
    }
    /// What proves that a record has its value, or is not there.
    pub fn prove(&self, key: &[u8]) -> StateProof {
        self.tree.prove(&tree::path_of(key))
    }

    /// Undoes a block: `delta` must be of the last block that was applied.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if it is not; then nothing is changed.
    pub fn revert(&mut self, delta: &Delta) -> Result<(), LedgerError> {
        self.write(delta, true)
    }

    /// Does again what [`Self::apply`] did before, without checking the block again: `delta` must be of a block that was
    /// applied to this very state.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if it was not; then nothing is changed.
    pub fn replay(&mut self, delta: &Delta) -> Result<(), LedgerError> {
        self.write(delta, false)
    }

    fn write(&mut self, delta: &Delta, backwards: bool) -> Result<(), LedgerError> {
        let sides = || {
            delta
                .changes
                .iter()
                .map(|c| if backwards { (&c.key, &c.new, &c.old) } else { (&c.key, &c.old, &c.new) })
        };
        if !delta.changes.is_sorted_by(|a, b| a.key < b.key) {
            return Err(LedgerError::Corrupt { what: "a block's changes are out of order" });
        }
        for (key, from, to) in sides() {
            if self.entries.get(key) != from.as_ref() {
                return Err(LedgerError::Corrupt { what: "a block's changes are of another state" });
            }
            if let Some(value) = to {
                check_record(key, value)?;
            }
        }
        let mut leaves = Vec::with_capacity(delta.changes.len());
        for (key, _, to) in sides() {
            leaves.push((tree::path_of(key), to.as_ref().map(|value| tree::value_hash(value))));
            match to {
                Some(value) => self.entries.insert(key.clone(), value.clone()),
                None => self.entries.remove(key),
            };
        }
        self.tree.update(leaves);
        Ok(())
    }

    /// The network's constants.
    pub fn rules(&self) -> &Genesis {
        &self.genesis
    }
    /// [`Genesis::network_id`].
    pub fn network_id(&self) -> u32 {
        self.network
    }
    /// Height, clock, and the network's measures.
    pub fn head(&self) -> Head {
        View::head(self)
    }
    /// Coins issued and burned.
    pub fn supply(&self) -> Supply {
        View::supply(self)
    }
    /// An account; one that never was is empty.
    pub fn account(&self, address: &Address) -> Account {
        View::account(self, address)
    }
    /// All accounts in the order of their addresses.
    pub fn accounts(&self) -> impl Iterator<Item = (Address, Account)> {
        let prefix = keys::table(Kind::Account);
        let from = self.entries.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix));
        from.map(|(key, value)| {
            let account = borsh::from_slice(value).expect("records decode, as they were checked");
            (Address(keys::tail(key)), account)
        })
    }
    /// The descriptor of a multisig account.
    pub fn multisig(&self, address: &Address) -> Option<Multisig> {
        View::multisig(self, address)
    }
    /// Atoms that the account mined and that are not mature, with the height whose block makes each spendable.
    pub fn immature(&self, address: &Address) -> Vec<(u64, u64)> {
        let heights = self.keys(&keys::table(Kind::Coinbase));
        let all = heights.iter().filter_map(|key| {
            let coinbase: Coinbase = self.read(key)?;
            let height = u64::from_be_bytes(key[1..9].try_into().expect("eight bytes"));
            (coinbase.miner == *address).then_some((height + self.genesis.maturity_blocks, coinbase.amount))
        });
        all.collect()
    }
    /// The pot of block fees.
    pub fn pot(&self) -> Pot {
        View::pot(self)
    }
    /// A problem of the chain.
    pub fn problem(&self, problem: &ProblemId) -> Option<ProblemRecord> {
        View::problem(self, problem)
    }
    /// A job, settled or not.
    pub fn job(&self, job: &JobId) -> Option<Job> {
        View::job(self, job)
    }
    /// All jobs, settled ones included, in the order of their ids.
    pub fn jobs(&self) -> impl Iterator<Item = (JobId, Job)> {
        let prefix = keys::table(Kind::Job);
        let from = self.entries.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix));
        from.map(|(key, value)| {
            let job = borsh::from_slice(value).expect("records decode, as they were checked");
            (JobId(keys::tail(key)), job)
        })
    }
    /// The jobs that are not settled, in the order of their ids.
    pub fn active_jobs(&self) -> Vec<JobId> {
        View::active_jobs(self)
    }
    /// Checkpoints and waiting reveals of a job that is not settled.
    pub fn board(&self, job: &JobId) -> Board {
        View::board(self, job)
    }
    /// The best assignment of a job, if there is one.
    pub fn best_assignment(&self, job: &JobId) -> Option<Assignment> {
        self.board(job).checkpoints.first().and_then(|best| self.checkpoint(job, best.slot))
    }
    /// The votes on a job that is not settled: reviewer's account and vote.
    pub fn votes(&self, job: &JobId) -> Vec<(Address, Vote)> {
        let keys = self.keys(&keys::of_job(Kind::Vote, job));
        keys.iter().filter_map(|key| Some((Address(keys::tail(key)), self.read(key)?))).collect()
    }
    /// A commitment that is not revealed.
    pub fn commitment(&self, commitment: &Hash) -> Option<Commitment> {
        View::commitment(self, commitment)
    }
    /// The committee.
    pub fn office(&self) -> Office {
        View::office(self)
    }
    /// The price of HYS.
    pub fn oracle(&self) -> Oracle {
        View::oracle(self)
    }
    /// The hash of one of the last blocks, as far as claims and the public pool need them; never of the last block itself.
    pub fn block_hash(&self, height: u64) -> Option<Hash> {
        View::block_hash(self, height)
    }

    /// What the legs of the next block draw from. While the price is stale all jobs pause, and only the public pool is drawn.
    pub fn table(&self) -> Table {
        let head = self.head();
        let running = schedule(self);
        let entries = running.into_iter().map(|(id, job)| {
            let checkpoints = self.board(&id).checkpoints;
            Entry {
                job: id,
                problem: job.problem,
                class: job.class,
                chips: job.chips,
                target: job.target,
                checkpoints: checkpoints.iter().filter_map(|c| self.checkpoint(&id, c.slot)).collect(),
            }
        });
        // After block 0 its header's hash is not known yet; the genesis' own hash stands in for it.
        let anchor = self.genesis.work.pool_anchor(head.height);
        let seed = self.block_hash(anchor).unwrap_or_else(|| self.genesis.hash());
        Table {
            entries: entries.collect(),
            capacity_chips: head.legs_per_block.saturating_mul(hysteron_work::types::CHIPS_PER_BANK),
            pool: PublicPool { seed },
            tuning: self.tuning(),
        }
    }
}

/// Legs that a block stands for when an attempt wins once in `tries`; at most [`LEGS_PER_BLOCK_MAX`].
pub(crate) fn proven_legs(tries: u128) -> u64 {
    let legs = tries.saturating_mul(LEGS as u128);
    u64::try_from(legs).unwrap_or(LEGS_PER_BLOCK_MAX).min(LEGS_PER_BLOCK_MAX)
}

/// More legs a block than any network will ever prove; it keeps products of integers within their types.
pub const LEGS_PER_BLOCK_MAX: u64 = 1 << 56;

/// Jobs in the schedule, in the order of their ids: those that run, unless the price is stale.
pub(crate) fn schedule(state: &State) -> Vec<(JobId, Job)> {
    if oracle::is_stale(&state.genesis, &state.oracle(), state.head().clock) {
        return Vec::new();
    }
    let jobs = state.active_jobs().into_iter().filter_map(|id| Some((id, state.job(&id)?)));
    jobs.filter(|(_, job)| job.status == Status::Running).collect()
}
