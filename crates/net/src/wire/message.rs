//! Requests and answers. Borsh, one enum each, every field bounded; the encodings are frozen by
//! `golden/messages.txt`.

use borsh::{BorshDeserialize, BorshSerialize};

use super::bounded::{Bytes, List};
use crate::Hash;
use crate::limits::{
    ANSWER_BYTES_MAX, BLOCK_BYTES_MAX, BLOCKS_PER_ANSWER_MAX, HEADER_BYTES_MAX, HEADERS_PER_ANSWER_MAX,
    LOCATOR_HASHES_MAX, NETWORK_NAME_BYTES_MAX, PROBLEM_BYTES_MAX, REQUEST_BYTES_MAX, TRANSACTION_BYTES_MAX,
    TRANSACTIONS_PER_ANSWER_MAX,
};

/// Version of the messages. A peer of another version is not talked to.
pub const PROTOCOL_VERSION: u16 = 1;

/// The best chain that somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, BorshSerialize, BorshDeserialize)]
pub struct Tip {
    /// Its last block's height.
    pub height: u64,
    /// Its last block's hash.
    pub hash: Hash,
    /// Its cumulative work: a 256-bit integer, big-endian, so that byte order is number order.
    pub work: [u8; 32],
}

/// Who a peer is: the handshake, repeated to keep tips fresh.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Status {
    /// [`PROTOCOL_VERSION`].
    pub version: u16,
    /// The network's name.
    pub network: Bytes<NETWORK_NAME_BYTES_MAX>,
    /// Hash of the genesis block.
    pub genesis: Hash,
    /// The peer's best chain.
    pub tip: Tip,
}

/// What a peer may ask for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Request {
    /// The other's status, in exchange for ours.
    Status(Status),
    /// Headers of the best chain after the first hash of the locator that is on it.
    Headers {
        /// Newest first.
        locator: List<Hash, LOCATOR_HASHES_MAX>,
        /// At most so many, and at most [`HEADERS_PER_ANSWER_MAX`].
        count_max: u16,
    },
    /// Blocks by hash.
    Blocks(List<Hash, BLOCKS_PER_ANSWER_MAX>),
    /// A problem by content id.
    Problem(Hash),
    /// Transactions by hash.
    Transactions(List<Hash, TRANSACTIONS_PER_ANSWER_MAX>),
}

/// What a peer answers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Answer {
    /// To [`Request::Status`].
    Status(Status),
    /// To [`Request::Headers`]: in order of height, each the parent of the next; empty if there is nothing after the locator.
    Headers(List<Bytes<HEADER_BYTES_MAX>, HEADERS_PER_ANSWER_MAX>),
    /// To [`Request::Blocks`]: one entry for each of the first hashes asked for, at least one; none for a block that is not had.
    Blocks(List<Option<Bytes<BLOCK_BYTES_MAX>>, BLOCKS_PER_ANSWER_MAX>),
    /// To [`Request::Problem`].
    Problem(Option<Bytes<PROBLEM_BYTES_MAX>>),
    /// To [`Request::Transactions`]: as for blocks.
    Transactions(List<Option<Bytes<TRANSACTION_BYTES_MAX>>, TRANSACTIONS_PER_ANSWER_MAX>),
    /// To any request: not now, a limit is reached.
    Busy,
}

/// Bytes that an answer of the smallest kind may take.
const SMALL_ANSWER_BYTES_MAX: usize = 1024;

impl Request {
    /// Units of a peer's allowance that answering costs: about what it costs to read and send.
    pub fn cost(&self) -> u32 {
        match self {
            Self::Status(_) => 1,
            Self::Headers { .. } => 4,
            Self::Blocks(hashes) => 2 * count(hashes.as_slice()),
            Self::Problem(_) => 8,
            Self::Transactions(hashes) => count(hashes.as_slice()),
        }
    }

    /// Bytes that the answer to this request may take; more are refused before they are read.
    pub fn answer_bytes_max(&self) -> usize {
        let bytes = match self {
            Self::Status(_) => SMALL_ANSWER_BYTES_MAX,
            Self::Headers { count_max, .. } => {
                usize::from(*count_max).min(HEADERS_PER_ANSWER_MAX) * (HEADER_BYTES_MAX + 4) + 64
            }
            Self::Blocks(hashes) => hashes.as_slice().len() * (BLOCK_BYTES_MAX + 5) + 64,
            Self::Problem(_) => PROBLEM_BYTES_MAX + 64,
            Self::Transactions(hashes) => hashes.as_slice().len() * (TRANSACTION_BYTES_MAX + 5) + 64,
        };
        bytes.clamp(SMALL_ANSWER_BYTES_MAX, ANSWER_BYTES_MAX)
    }

    /// The answer is of this request's kind and no longer than asked for, or is [`Answer::Busy`].
    pub fn is_answered_by(&self, answer: &Answer) -> bool {
        match (self, answer) {
            (_, Answer::Busy)
            | (Self::Status(_), Answer::Status(_))
            | (Self::Problem(_), Answer::Problem(_)) => true,
            (Self::Headers { count_max, .. }, Answer::Headers(headers)) => {
                headers.as_slice().len() <= usize::from(*count_max)
            }
            (Self::Blocks(hashes), Answer::Blocks(blocks)) => is_prefix(hashes.as_slice(), blocks.as_slice()),
            (Self::Transactions(hashes), Answer::Transactions(found)) => {
                is_prefix(hashes.as_slice(), found.as_slice())
            }
            _ => false,
        }
    }

    /// Reads one from the bytes of a frame; all of them must be used.
    pub fn decode(bytes: &[u8]) -> std::io::Result<Self> {
        decode(bytes, REQUEST_BYTES_MAX)
    }
}

impl Answer {
    /// Reads one from the bytes of a frame; all of them must be used.
    pub fn decode(bytes: &[u8]) -> std::io::Result<Self> {
        decode(bytes, ANSWER_BYTES_MAX)
    }
}

fn decode<T: BorshDeserialize>(bytes: &[u8], bytes_max: usize) -> std::io::Result<T> {
    if bytes.len() > bytes_max {
        return Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "The frame is longer than its kind allows.",
        ));
    }
    T::try_from_slice(bytes)
}

fn count(hashes: &[Hash]) -> u32 {
    u32::try_from(hashes.len()).unwrap_or(u32::MAX).max(1)
}

fn is_prefix<T>(asked: &[Hash], answered: &[T]) -> bool {
    answered.len() <= asked.len() && (!answered.is_empty() || asked.is_empty())
}
