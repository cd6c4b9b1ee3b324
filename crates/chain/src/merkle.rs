//! Merkle trees over a block's transactions and problem data: BLAKE3, leaves and nodes in domains of their
//! own, an odd node is carried up unchanged (as in RFC 6962, so no two lists share a root), and the number of
//! leaves is bound into the root.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::types::{Hash, hash};

/// Most levels that a proof can have: more leaves than 2^32 fit in no block.
pub const PROOF_LEVELS_MAX: usize = 32;

/// The hash of one leaf's bytes.
pub fn leaf(bytes: &[u8]) -> Hash {
    hash("merkle-leaf", &[bytes])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    hash("merkle-node", &[left, right])
}

fn seal(top: &Hash, leaves: u64) -> Hash {
    hash("merkle-root", &[&leaves.to_le_bytes(), top])
}

fn parents(level: &[Hash]) -> Vec<Hash> {
    level.chunks(2).map(|pair| if let [left, right] = pair { node(left, right) } else { pair[0] }).collect()
}

/// The root over leaf hashes (see [`leaf`]) in their order; of no leaves, a constant.
pub fn root(leaves: &[Hash]) -> Hash {
    if leaves.is_empty() {
        return seal(&[0; 32], 0);
    }
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = parents(&level);
    }
    seal(&level[0], leaves.len() as u64)
}

/// That a leaf is in a tree: the siblings from the leaf to the top.
#[derive(Clone, PartialEq, Eq, Debug, BorshSerialize, BorshDeserialize)]
pub struct Proof {
    /// Position of the leaf, from 0.
    pub index: u64,
    /// Number of leaves of the tree.
    pub leaves: u64,
    /// Sibling hashes, from below; at most [`PROOF_LEVELS_MAX`].
    pub siblings: Vec<Hash>,
}

/// A proof for the leaf at `index`, or `None` if there is no such leaf.
pub fn prove(leaves: &[Hash], index: usize) -> Option<Proof> {
    if index >= leaves.len() {
        return None;
    }
    let mut siblings = Vec::new();
    let (mut level, mut at) = (leaves.to_vec(), index);
    while level.len() > 1 {
        if let Some(sibling) = level.get(at ^ 1) {
            siblings.push(*sibling);
        }
        level = parents(&level);
        at /= 2;
    }
    Some(Proof { index: index as u64, leaves: leaves.len() as u64, siblings })
}

impl Proof {
    /// The root that this proof gives for a leaf hash, or `None` if the proof has the wrong shape.
    pub fn root(&self, leaf: &Hash) -> Option<Hash> {
        if self.index >= self.leaves || self.siblings.len() > PROOF_LEVELS_MAX {
            return None;
        }
        let (mut at, mut width, mut top) = (self.index, self.leaves, *leaf);
        let mut siblings = self.siblings.iter();
        while width > 1 {
            if at ^ 1 < width {
                let sibling = siblings.next()?;
                top = if at & 1 == 0 { node(&top, sibling) } else { node(sibling, &top) };
            }
            at /= 2;
            width = width.div_ceil(2);
        }
        siblings.next().is_none().then(|| seal(&top, self.leaves))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_of_every_small_tree_is_proved() {
        for count in 0..70usize {
            let leaves: Vec<Hash> = (0..count).map(|i| leaf(&[i as u8])).collect();
            let top = root(&leaves);
            for (index, hash) in leaves.iter().enumerate() {
                let proof = prove(&leaves, index).expect("the leaf exists");
                assert_eq!(proof.root(hash), Some(top), "leaf {index} of {count}");
                assert_ne!(proof.root(&leaf(b"other")), Some(top));
                let elsewhere = Proof { index: proof.index ^ 1, ..proof.clone() };
                assert_ne!(elsewhere.root(hash), Some(top), "a leaf has one place");
            }
            assert_eq!(prove(&leaves, count), None);
        }
    }

    #[test]
    fn lists_that_repeat_their_end_have_other_roots() {
        let [a, b, c] = [leaf(b"a"), leaf(b"b"), leaf(b"c")];
        assert_ne!(root(&[a, b, c]), root(&[a, b, c, c]));
        assert_ne!(root(&[a]), a);
        assert_ne!(root(&[]), root(&[[0; 32]]));
    }

    #[test]
    fn proofs_of_the_wrong_shape_prove_nothing() {
        let leaves = [leaf(b"a"), leaf(b"b")];
        let mut proof = prove(&leaves, 0).expect("the leaf exists");
        proof.siblings.push([1; 32]);
        assert_eq!(proof.root(&leaves[0]), None);
        let far = Proof { index: 5, leaves: 2, siblings: vec![] };
        assert_eq!(far.root(&leaves[0]), None);
        let huge = Proof { index: 0, leaves: u64::MAX, siblings: vec![] };
        assert_eq!(huge.root(&leaves[0]), None);
    }
}
