//! A compact sparse Merkle tree in memory. `docs/decisions/0006-state-tree.md` says why it is our own.
//!
//! A record's place is the hash of its key, read from the most significant bit. A subtree without records hashes to zero; with
//! one, to that record's leaf; with more, to its two halves. So the root depends on the records alone, not on their history.

use std::sync::LazyLock;

use blake3::Hasher;
use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::types::Hash;

/// The hash of a subtree without records.
const EMPTY: Hash = [0; 32];
/// Bits of a path, hence siblings of a proof, at most.
const DEPTH_MAX: usize = 256;

/// Hashers of the tree's domains, made once, as a block hashes thousands of nodes.
static PATH: LazyLock<Hasher> = LazyLock::new(|| Hasher::new_derive_key("hysteron/state-path/1"));
static VALUE: LazyLock<Hasher> = LazyLock::new(|| Hasher::new_derive_key("hysteron/state-value/1"));
static LEAF: LazyLock<Hasher> = LazyLock::new(|| Hasher::new_derive_key("hysteron/state-leaf/1"));
static BRANCH: LazyLock<Hasher> = LazyLock::new(|| Hasher::new_derive_key("hysteron/state-branch/1"));

fn digest(domain: &Hasher, parts: &[&[u8]]) -> Hash {
    let mut hasher = domain.clone();
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// The place of a key.
pub(super) fn path_of(key: &[u8]) -> Hash {
    digest(&PATH, &[key])
}

/// What a leaf says of a value.
pub(super) fn value_hash(value: &[u8]) -> Hash {
    digest(&VALUE, &[value])
}

fn leaf_hash(path: &Hash, value: &Hash) -> Hash {
    digest(&LEAF, &[path, value])
}

fn branch_hash(left: &Hash, right: &Hash) -> Hash {
    digest(&BRANCH, &[left, right])
}

/// Bit `depth` of a path, from the most significant.
fn bit(path: &Hash, depth: usize) -> bool {
    path[depth / 8] >> (7 - depth % 8) & 1 == 1
}

#[derive(Clone)]
enum Node {
    Leaf { path: Hash, value: Hash, hash: Hash },
    Branch { left: Child, right: Child, hash: Hash },
}

type Child = Option<Box<Node>>;

fn hash_of(child: &Child) -> Hash {
    match child.as_deref() {
        None => EMPTY,
        Some(Node::Leaf { hash, .. } | Node::Branch { hash, .. }) => *hash,
    }
}

/// The tree.
#[derive(Clone, Default)]
pub(super) struct Tree {
    root: Child,
}

impl Tree {
    /// The root hash.
    pub(super) fn root(&self) -> Hash {
        hash_of(&self.root)
    }

    /// Sets (`Some`) or removes (`None`) the values at the paths, which may come in any order but each once.
    pub(super) fn update(&mut self, mut changes: Vec<(Hash, Option<Hash>)>) {
        changes.sort_unstable();
        self.root = updated(self.root.take(), 0, &changes);
    }

    /// What proves the value, or the absence, of a path.
    pub(super) fn prove(&self, path: &Hash) -> StateProof {
        let mut siblings = Vec::new();
        let mut at = &self.root;
        loop {
            match at.as_deref() {
                None => return StateProof { siblings, end: ProofEnd::Empty },
                Some(Node::Leaf { path, value, .. }) => {
                    return StateProof { siblings, end: ProofEnd::Leaf { path: *path, value: *value } };
                }
                Some(Node::Branch { left, right, .. }) => {
                    let (next, other) = if bit(path, siblings.len()) { (right, left) } else { (left, right) };
                    siblings.push(hash_of(other));
                    at = next;
                }
            }
        }
    }
}

/// The subtree at `depth` after `changes` (sorted by path).
fn updated(node: Child, depth: usize, changes: &[(Hash, Option<Hash>)]) -> Child {
    if changes.is_empty() {
        return node;
    }
    match node.map(|node| *node) {
        Some(Node::Branch { left, right, .. }) => {
            let middle = changes.partition_point(|(path, _)| !bit(path, depth));
            let left = updated(left, depth + 1, &changes[..middle]);
            let right = updated(right, depth + 1, &changes[middle..]);
            joined(left, right)
        }
        leaf => {
            let mut values: Vec<(Hash, Hash)> =
                changes.iter().filter_map(|&(path, value)| Some((path, value?))).collect();
            if let Some(Node::Leaf { path, value, .. }) = leaf
                && changes.binary_search_by(|change| change.0.cmp(&path)).is_err()
            {
                let place = values.partition_point(|v| v.0 < path);
                values.insert(place, (path, value));
            }
            built(depth, &values)
        }
    }
}

/// The subtree at `depth` of these values (sorted by path).
fn built(depth: usize, values: &[(Hash, Hash)]) -> Child {
    match values {
        [] => None,
        [(path, value)] => {
            Some(Box::new(Node::Leaf { path: *path, value: *value, hash: leaf_hash(path, value) }))
        }
        _ => {
            let middle = values.partition_point(|(path, _)| !bit(path, depth));
            joined(built(depth + 1, &values[..middle]), built(depth + 1, &values[middle..]))
        }
    }
}

/// Two halves as one subtree: a leaf alone moves up.
fn joined(left: Child, right: Child) -> Child {
    match (left, right) {
        (None, None) => None,
        (Some(node), None) | (None, Some(node)) if matches!(*node, Node::Leaf { .. }) => Some(node),
        (left, right) => {
            let hash = branch_hash(&hash_of(&left), &hash_of(&right));
            Some(Box::new(Node::Branch { left, right, hash }))
        }
    }
}

/// Where a proof's way down ends.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
enum ProofEnd {
    /// There is nothing.
    Empty,
    /// There is this record, perhaps another than the one asked for.
    Leaf { path: Hash, value: Hash },
}

/// That a record has a value, or is not there, under a state root.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct StateProof {
    /// Hashes of the other halves, from the root down.
    siblings: Vec<Hash>,
    end: ProofEnd,
}

impl StateProof {
    /// Whether it proves that the record `key` has `value` (`None`: is not there) in the state with this root.
    pub fn holds(&self, root: &Hash, key: &[u8], value: Option<&[u8]>) -> bool {
        if self.siblings.len() > DEPTH_MAX {
            return false;
        }
        let wanted = path_of(key);
        let mut hash = match (&self.end, value) {
            (ProofEnd::Empty, None) => EMPTY,
            (ProofEnd::Leaf { path, value: found }, Some(value)) => {
                if *path != wanted || *found != value_hash(value) {
                    return false;
                }
                leaf_hash(path, found)
            }
            (ProofEnd::Leaf { path, value: found }, None) => {
                // Another record alone in the subtree where the wanted one would be.
                let shares_way =
                    (0..self.siblings.len()).all(|depth| bit(path, depth) == bit(&wanted, depth));
                if *path == wanted || !shares_way {
                    return false;
                }
                leaf_hash(path, found)
            }
            (ProofEnd::Empty, Some(_)) => return false,
        };
        for (depth, sibling) in self.siblings.iter().enumerate().rev() {
            hash =
                if bit(&wanted, depth) { branch_hash(sibling, &hash) } else { branch_hash(&hash, sibling) };
        }
        hash == *root
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The root by the definition in the module's head, without any sharing of work.
    fn naive(depth: usize, records: &[(Hash, Hash)]) -> Hash {
        match records {
            [] => EMPTY,
            [(path, value)] => leaf_hash(path, value),
            _ => {
                let (left, right): (Vec<_>, Vec<_>) = records.iter().partition(|(path, _)| !bit(path, depth));
                branch_hash(&naive(depth + 1, &left), &naive(depth + 1, &right))
            }
        }
    }

    /// Paths that share long prefixes, which hashes of keys hardly ever do.
    fn path() -> impl Strategy<Value = Hash> {
        (0usize..32, any::<u8>(), any::<u8>()).prop_map(|(at, byte, first)| {
            let mut path = [0; 32];
            path[at] = byte;
            path[0] |= first & 0x81;
            path
        })
    }

    proptest! {
        #[test]
        fn any_history_gives_the_defined_root(
            batches in prop::collection::vec(prop::collection::btree_map(path(), prop::option::of(any::<Hash>()), 0..20), 0..12)
        ) {
            let (mut tree, mut model) = (Tree::default(), BTreeMap::new());
            for batch in batches {
                for (path, value) in &batch {
                    match value {
                        Some(value) => model.insert(*path, *value),
                        None => model.remove(path),
                    };
                }
                tree.update(batch.into_iter().collect());
                let records: Vec<_> = model.iter().map(|(&p, &v)| (p, v)).collect();
                prop_assert_eq!(tree.root(), naive(0, &records));
            }
        }

        #[test]
        fn proofs_hold_and_only_for_what_is_true(
            keys in prop::collection::btree_set(any::<u16>(), 1..60), probe in any::<u16>(), flip in any::<usize>()
        ) {
            let mut tree = Tree::default();
            let value = |key: u16| key.wrapping_mul(7).to_le_bytes();
            tree.update(keys.iter().map(|&k| (path_of(&k.to_le_bytes()), Some(value_hash(&value(k))))).collect());
            let root = tree.root();
            for &key in keys.iter().chain([&probe]) {
                let bytes = key.to_le_bytes();
                let proof = tree.prove(&path_of(&bytes));
                let is_there = keys.contains(&key);
                prop_assert_eq!(proof.holds(&root, &bytes, Some(&value(key))), is_there);
                prop_assert_eq!(proof.holds(&root, &bytes, None), !is_there);
                prop_assert!(!proof.holds(&root, &bytes, Some(b"another")));
                prop_assert!(!proof.holds(&root, b"elsewhere", Some(&value(key))));
                // Any flipped bit of the encoding breaks it.
                let mut encoded = borsh::to_vec(&proof).unwrap();
                let at = flip % (8 * encoded.len());
                encoded[at / 8] ^= 1 << (at % 8);
                if let Ok(broken) = borsh::from_slice::<StateProof>(&encoded) {
                    prop_assert!(!broken.holds(&root, &bytes, is_there.then_some(&value(key)[..])));
                }
            }
        }
    }
}
