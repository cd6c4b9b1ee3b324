//! The messages. Borsh, every length bounded before anything is allocated; frozen by `golden/frames.txt`.

use std::io;

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::types::{Assignment, Hash, hash};
use hysteron_work::{Claim, Proof, WorkRules};

/// The most bytes of a program's name.
pub const AGENT_BYTES_MAX: usize = 64;
/// The most bytes of a reason.
pub const REASON_BYTES_MAX: usize = 240;
/// The most bytes of a header without nonce and digests.
pub const HEADER_BYTES_MAX: usize = 512;

/// UTF-8 of at most `BYTES` bytes.
#[derive(BorshSerialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct Text<const BYTES: usize>(String);

impl<const BYTES: usize> Text<BYTES> {
    /// The text, cut where it is too long.
    pub fn cut(text: &str) -> Self {
        let mut end = text.len().min(BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text[..end].to_owned())
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn read_bytes<R: io::Read>(reader: &mut R, most: usize) -> io::Result<Vec<u8>> {
    let length = u32::deserialize_reader(reader)? as usize;
    if length > most {
        return Err(invalid("a part of the message is longer than its limit"));
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

impl<const BYTES: usize> BorshDeserialize for Text<BYTES> {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        String::from_utf8(read_bytes(reader, BYTES)?).map(Self).map_err(|_| invalid("a text is not UTF-8"))
    }
}

/// What a worker sends first.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Ready {
    /// Hash of the genesis block of the network that it wants to work for; nothing if any will do.
    pub network: Option<Hash>,
    /// The address that earns: its 32 bytes.
    pub payee: Hash,
    /// Threads that will mine, 1 to [`super::THREADS_MAX`]; for the node's figures only.
    pub threads: u16,
    /// The program and its version.
    pub agent: Text<AGENT_BYTES_MAX>,
}

/// What a node lets a worker work on. It stands until the next one. The same [`Self::id`] again says only that the tally
/// has changed: attempts go on.
#[derive(BorshSerialize, Clone, PartialEq, Eq, Debug)]
pub struct Work {
    /// The node's name for it; results name it.
    pub id: u64,
    /// Hash of the genesis block.
    pub network: Hash,
    /// The header without nonce and digests, as the chain encodes it, at most [`HEADER_BYTES_MAX`] bytes. It holds height,
    /// parent, payee and target.
    pub header: Vec<u8>,
    /// The network's rules of work.
    pub rules: WorkRules,
    /// Where this connection's nonces begin, see [`super::NONCES_PER_CONNECTION`].
    pub nonce_start: u64,
    /// Content id of the table that seeds draw from: the hash in the domain `table` of its bytes, which
    /// `GET /v1/tables/{id}` gives.
    pub table: Hash,
    /// Bytes of the table.
    pub table_bytes: u32,
    /// What became of this connection's results so far.
    pub tally: Tally,
}

impl Work {
    /// `th`: what the attempt's seeds bind.
    pub fn seed(&self) -> Hash {
        hash("header", &[&self.header])
    }
    /// The content id of a table's bytes.
    pub fn table_id(bytes: &[u8]) -> Hash {
        hash("table", &[bytes])
    }
}

impl BorshDeserialize for Work {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        Ok(Self {
            id: u64::deserialize_reader(reader)?,
            network: Hash::deserialize_reader(reader)?,
            header: read_bytes(reader, HEADER_BYTES_MAX)?,
            rules: WorkRules::deserialize_reader(reader)?,
            nonce_start: u64::deserialize_reader(reader)?,
            table: Hash::deserialize_reader(reader)?,
            table_bytes: u32::deserialize_reader(reader)?,
            tally: Tally::deserialize_reader(reader)?,
        })
    }
}

/// What became of a connection's results; counts only rise.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Blocks that the chain took.
    pub blocks_accepted: u32,
    /// Blocks that it did not take (most often another came first).
    pub blocks_refused: u32,
    /// Claims that were sent on.
    pub claims_accepted: u32,
    /// Claims that were not (most often another came first).
    pub claims_refused: u32,
    /// Why the last refusal.
    pub reason: Text<REASON_BYTES_MAX>,
}

/// What a worker sends back.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub enum WorkResult {
    /// An attempt that wins.
    Found {
        /// Which [`Work`].
        work: u64,
        /// The attempt.
        proof: Proof,
    },
    /// A leg, of an attempt won or lost, that improved a job's best.
    Claim {
        /// Which [`Work`].
        work: u64,
        /// What was found.
        claim: LegClaim,
    },
    /// What was done since the last report.
    Progress(Figures),
}

/// A [`Claim`] without the header, which the node has.
#[derive(BorshSerialize, Clone, PartialEq, Eq, Debug)]
pub struct LegClaim {
    /// The attempt's nonce.
    pub nonce: u64,
    /// Which leg found it, 1 to 4.
    pub leg: u8,
    /// The digests of the legs up to and including that one.
    pub digests: Vec<Hash>,
    /// The best lane of the leg.
    pub lane: u8,
    /// What it found.
    pub assignment: Assignment,
}

impl LegClaim {
    /// The claim that the chain checks.
    pub fn with_header(self, header: Vec<u8>) -> Claim {
        let Self { nonce, leg, digests, lane, assignment } = self;
        Claim { header, nonce, leg, digests, lane, assignment }
    }
}

impl From<Claim> for LegClaim {
    fn from(claim: Claim) -> Self {
        let Claim { header: _, nonce, leg, digests, lane, assignment } = claim;
        Self { nonce, leg, digests, lane, assignment }
    }
}

impl BorshDeserialize for LegClaim {
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let nonce = u64::deserialize_reader(reader)?;
        let leg = u8::deserialize_reader(reader)?;
        let count = u32::deserialize_reader(reader)?;
        if !(1..=hysteron_work::types::LEGS as u8).contains(&leg) || count != u32::from(leg) {
            return Err(invalid("a claim needs one digest for each leg up to its own, of four"));
        }
        let mut digests = vec![[0; 32]; usize::from(leg)];
        for digest in &mut digests {
            reader.read_exact(digest)?;
        }
        let lane = u8::deserialize_reader(reader)?;
        let assignment = Assignment::deserialize_reader(reader)?;
        Ok(Self { nonce, leg, digests, lane, assignment })
    }
}

/// What a worker did since its last report.
#[derive(BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, Default, Debug)]
pub struct Figures {
    /// Attempts that were finished.
    pub attempts: u64,
    /// Legs that were finished.
    pub legs: u64,
    /// Elementary circuit updates.
    pub ecu: u64,
    /// Nanoseconds spent on pre-hashes.
    pub hashing_ns: u64,
    /// Nanoseconds spent on legs.
    pub computing_ns: u64,
}

/// A worker's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FromWorker {
    /// First.
    Ready(Ready),
    /// Then.
    Result(WorkResult),
}

/// A node's message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FromNode {
    /// After [`Ready`], and whenever the chain or the schedule moves.
    Work(Box<Work>),
}
