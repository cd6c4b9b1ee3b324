//! Changes of a block on top of a state that stays as it is until all of them are known to be right.

use std::collections::BTreeMap;

use borsh::BorshSerialize;

use super::State;
use super::view::View;
use crate::block::{Change, Delta};

/// A record as it is written: its new value, or `None` when it is removed.
type Written = Option<Vec<u8>>;

/// A state and changes to it.
pub(crate) struct Overlay<'a> {
    base: &'a State,
    writes: BTreeMap<Vec<u8>, Written>,
    /// What each write replaced in `writes`, so that a transaction can be taken back.
    journal: Vec<(Vec<u8>, Option<Written>)>,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(base: &'a State) -> Self {
        Self { base, writes: BTreeMap::new(), journal: Vec::new() }
    }
    pub(crate) fn write<T: BorshSerialize>(&mut self, key: Vec<u8>, value: &T) {
        self.set(key, Some(borsh::to_vec(value).expect("writing to memory does not fail")));
    }
    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.set(key, None);
    }
    fn set(&mut self, key: Vec<u8>, value: Written) {
        let before = self.writes.insert(key.clone(), value);
        self.journal.push((key, before));
    }
    /// A point to which [`Self::roll_back`] returns.
    pub(crate) fn mark(&self) -> usize {
        self.journal.len()
    }
    /// Forgets all writes since `mark`.
    pub(crate) fn roll_back(&mut self, mark: usize) {
        for (key, before) in self.journal.drain(mark..).rev() {
            match before {
                Some(before) => self.writes.insert(key, before),
                None => self.writes.remove(&key),
            };
        }
    }
    /// All that changed.
    pub(crate) fn into_delta(self) -> Delta {
        let changes = self.writes.into_iter().filter_map(|(key, new)| {
            let old = self.base.entries.get(&key).cloned();
            (old != new).then_some(Change { key, old, new })
        });
        Delta { changes: changes.collect() }
    }
}

impl View for Overlay<'_> {
    fn bytes(&self, key: &[u8]) -> Option<&[u8]> {
        match self.writes.get(key) {
            Some(written) => written.as_deref(),
            None => self.base.bytes(key),
        }
    }
    fn keys(&self, prefix: &[u8]) -> Vec<Vec<u8>> {
        let mut keys = self.base.keys(prefix);
        keys.retain(|key| !matches!(self.writes.get(key), Some(None)));
        let written = self.writes.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        for (key, value) in written {
            if value.is_some()
                && let Err(place) = keys.binary_search(key)
            {
                keys.insert(place, key.clone());
            }
        }
        keys
    }
}
