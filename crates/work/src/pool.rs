//! The public pool: what an idle network works on. Planted instances from the hash of an old block, and a library of
//! open problems fixed by hash.

use borsh::{BorshDeserialize, BorshSerialize};

use crate::table::Class;
use crate::types::Hash;

/// Instances of the pool.
pub const INSTANCES: u32 = 32;

/// The pool of some blocks: see [`crate::WorkRules::pool_anchor`] for the block whose hash it is.
#[derive(
    BorshSerialize, BorshDeserialize, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default,
)]
pub struct PublicPool {
    /// The hash of a block at least ten blocks old.
    pub seed: Hash,
}

/// The class of an instance, `None` beyond [`INSTANCES`].
pub fn class_of(index: u32) -> Option<Class> {
    (index < INSTANCES).then(|| match index % 4 {
        0 | 1 => Class::ShortClauses,
        2 => Class::LongClauses,
        _ => Class::SparseSpins,
    })
}
