//! Typed reading of records, the same for the state and for a block that is being applied to it.

use borsh::BorshDeserialize;
use hysteron_work::Tuning;
use hysteron_work::types::{Assignment, Hash, JobId, ProblemId};

use super::keys::{self, Kind};
use super::records::{
    Account, Coinbase, Commitment, Head, Oracle, Pot, ProblemRecord, Quote, Reveal, Supply, Vote,
};
use crate::LedgerError;
use crate::committee::Office;
use crate::job::{Board, Job};
use crate::keys::{Address, Multisig};

/// Reading of records by key.
pub(crate) trait View {
    /// The bytes of a record.
    fn bytes(&self, key: &[u8]) -> Option<&[u8]>;
    /// The keys that begin with `prefix`, in order.
    fn keys(&self, prefix: &[u8]) -> Vec<Vec<u8>>;

    /// A record. Records are checked when they enter the state, so they decode.
    fn read<T: BorshDeserialize>(&self, key: &[u8]) -> Option<T> {
        self.bytes(key).map(|bytes| borsh::from_slice(bytes).expect("records decode, as they were checked"))
    }
    fn head(&self) -> Head {
        self.read(&keys::table(Kind::Head)).unwrap_or_default()
    }
    fn supply(&self) -> Supply {
        self.read(&keys::table(Kind::Supply)).unwrap_or_default()
    }
    fn account(&self, address: &Address) -> Account {
        self.read(&keys::of_account(Kind::Account, address)).unwrap_or_default()
    }
    fn multisig(&self, address: &Address) -> Option<Multisig> {
        self.read(&keys::of_account(Kind::Multisig, address))
    }
    fn block_hash(&self, height: u64) -> Option<Hash> {
        self.read(&keys::at_height(Kind::BlockHash, height))
    }
    fn coinbase(&self, height: u64) -> Option<Coinbase> {
        self.read(&keys::at_height(Kind::Coinbase, height))
    }
    fn pot(&self) -> Pot {
        self.read(&keys::table(Kind::Pot)).unwrap_or_default()
    }
    fn problem(&self, problem: &ProblemId) -> Option<ProblemRecord> {
        self.read(&keys::problem(problem))
    }
    fn job(&self, job: &JobId) -> Option<Job> {
        self.read(&keys::of_job(Kind::Job, job))
    }
    fn board(&self, job: &JobId) -> Board {
        self.read(&keys::of_job(Kind::Board, job)).unwrap_or_default()
    }
    fn checkpoint(&self, job: &JobId, slot: u8) -> Option<Assignment> {
        self.read(&keys::checkpoint(job, slot))
    }
    fn active_jobs(&self) -> Vec<JobId> {
        self.keys(&keys::table(Kind::ActiveJob)).iter().map(|key| JobId(keys::tail(key))).collect()
    }
    fn commitment(&self, commitment: &Hash) -> Option<Commitment> {
        self.read(&keys::commitment(commitment))
    }
    fn office(&self) -> Office {
        self.read(&keys::table(Kind::Office)).expect("the genesis puts a committee in office")
    }
    fn oracle(&self) -> Oracle {
        self.read(&keys::table(Kind::Oracle)).unwrap_or_default()
    }
    fn tuning(&self) -> Tuning {
        self.read(&keys::table(Kind::Tuning)).unwrap_or_default()
    }
}

/// Checks that a record's bytes are a value of its table.
pub(crate) fn check_record(key: &[u8], value: &[u8]) -> Result<(), LedgerError> {
    fn is<T: BorshDeserialize>(value: &[u8]) -> bool {
        borsh::from_slice::<T>(value).is_ok()
    }
    let Some(kind) = Kind::of(key) else { return Err(LedgerError::Corrupt { what: "its table is unknown" }) };
    let (decodes, key_length) = match kind {
        Kind::Head => (is::<Head>(value), 1),
        Kind::Supply => (is::<Supply>(value), 1),
        Kind::Account => (is::<Account>(value), 33),
        Kind::Multisig => (is::<Multisig>(value), 33),
        Kind::BlockHash => (is::<Hash>(value), 9),
        Kind::Coinbase => (is::<Coinbase>(value), 9),
        Kind::Pot => (is::<Pot>(value), 1),
        Kind::PotEnd | Kind::ProvenLegs | Kind::Rate => (is::<u64>(value), 9),
        Kind::Problem => (is::<ProblemRecord>(value), 33),
        Kind::Job => (is::<Job>(value), 33),
        Kind::ActiveJob => (is::<()>(value), 33),
        Kind::Board => (is::<Board>(value), 33),
        Kind::Checkpoint => (is::<Assignment>(value), 34),
        Kind::Commitment => (is::<Commitment>(value), 33),
        Kind::CommitmentEnd => (is::<()>(value), 41),
        Kind::Reveal => (is::<Reveal>(value), 41),
        Kind::Vote => (is::<Vote>(value), 65),
        Kind::Office => (is::<Office>(value), 1),
        Kind::Oracle => (is::<Oracle>(value), 1),
        Kind::Quote => (is::<Quote>(value), 33),
        Kind::Miner => (is::<Address>(value), 9),
        Kind::MinedBlocks => (is::<u64>(value), 33),
        Kind::Tuning => (is::<Tuning>(value), 1),
    };
    if !decodes || key.len() != key_length {
        return Err(LedgerError::Corrupt { what: "its key or value does not fit its table" });
    }
    Ok(())
}
