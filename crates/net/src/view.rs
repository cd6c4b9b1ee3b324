//! What the network needs from the node: something to show peers ([`View`]) and somebody who
//! decides what their bytes are worth ([`Judge`]). Both are called from blocking threads, never
//! from the thread that drives the sockets; they may take locks and compute.

use crate::wire::message::Tip;
use crate::{Hash, PeerId};

/// Reads the node's chain for peers. Every method should take milliseconds.
pub trait View: Send + Sync + 'static {
    /// Our best chain.
    fn tip(&self) -> Tip;

    /// Hashes of our best chain, newest first: the last ten, then in doubling distances, the genesis block last. At
    /// most [`crate::limits::LOCATOR_HASHES_MAX`].
    fn locator(&self) -> Vec<Hash>;

    /// Encoded headers of our best chain that follow the first hash of `locator` on it (the genesis block where none is), in
    /// order of height, at most `count_max`.
    fn headers_after(&self, locator: &[Hash], count_max: usize) -> Vec<Vec<u8>>;

    /// An encoded block, of any branch.
    fn block(&self, hash: &Hash) -> Option<Vec<u8>>;

    /// An encoded problem by content id.
    fn problem(&self, id: &Hash) -> Option<Vec<u8>>;

    /// An encoded transaction of the mempool.
    fn transaction(&self, hash: &Hash) -> Option<Vec<u8>>;
}

/// What sync knows of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderSummary {
    /// Its hash.
    pub hash: Hash,
    /// Its parent's hash.
    pub parent: Hash,
    /// Its height.
    pub height: u64,
    /// Cumulative work of the chain that ends with it, big-endian.
    pub work: [u8; 32],
}

/// A header whose cheap checks passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedHeader {
    /// What is known of it.
    pub summary: HeaderSummary,
    /// Its encoding.
    pub bytes: Vec<u8>,
}

/// Something is wrong with what a peer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Added to the peer's score; 0 if nobody is to blame, and what was judged may be offered again. A ban follows at [`crate::limits::Limits::ban_score`] (100 unless configured).
    pub ban_score: u32,
    /// What is wrong, a full sentence.
    pub reason: String,
}

/// What became of a block that sync brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is in the chain's store now, on the best chain or a branch, or was before.
    Stored,
    /// It does not belong to its header (a body of other transactions, a wrong length). Its sender is to blame, and another
    /// peer may have the right body.
    WrongBody(Fault),
    /// The block is invalid, whoever sends it. Whoever offered the chain and whoever sent the block are to blame.
    Invalid(Fault),
    /// The node cannot take blocks now (it stops, or its disk fails). Nobody is to blame; sync pauses.
    Unavailable,
}

/// Decides what bytes from peers are worth. Implemented over the chain.
pub trait Judge: Send + Sync + 'static {
    /// Checks everything about a run of headers that is cheap: syntax, link, time, difficulty, the claimed post-hash, the
    /// pre-hash. `before` holds the last headers (at most [`crate::limits::HEADER_CONTEXT`]) that this candidate has before
    /// the run; when it is empty, the run continues a block of the node's own chain. Gives one summary for each header.
    fn check_headers(
        &self,
        before: &[CheckedHeader],
        headers: &[Vec<u8>],
    ) -> Result<Vec<HeaderSummary>, Fault>;

    /// A whole candidate with more claimed work than our chain: are its blocks to be downloaded? The place to re-run
    /// headers drawn at random, as far as the state for it is at hand. May take long.
    fn check_candidate(&self, source: PeerId, headers: &[CheckedHeader]) -> Result<(), Fault>;

    /// The hash of an encoded block's header; none when there is no header in it. Cheap: it finds out whether a peer
    /// sent what was asked for.
    fn block_hash(&self, block: &[u8]) -> Option<Hash>;

    /// Takes a block whose parent the node has. Called in order of height.
    fn import_block(&self, source: PeerId, hash: &Hash, block: &[u8]) -> Imported;

    /// The node has this block, so that it need not be downloaded.
    fn has_block(&self, hash: &Hash) -> bool;

    /// The bytes are the canonical encoding of the problem with this content id.
    fn is_problem(&self, id: &Hash, problem: &[u8]) -> bool;
}
