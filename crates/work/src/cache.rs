//! Compiled circuits, kept up to a number of bytes; the least recently used go first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hysteron_problem::Problem;

use crate::chips::Compiled;
use crate::error::WorkError;
use crate::types::Hash;

/// Circuits by problem id.
pub struct CircuitCache {
    bytes_max: u64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    circuits: BTreeMap<Hash, (u64, Arc<Compiled>)>,
    bytes: u64,
    uses: u64,
}

impl CircuitCache {
    /// Keeps up to so many bytes, and always the last circuit.
    pub fn new(bytes_max: u64) -> Self {
        Self { bytes_max, kept: Mutex::default() }
    }

    /// The circuits of `id`, made from `problem` if they are not kept.
    pub(crate) fn get(
        &self,
        id: &Hash,
        problem: impl FnOnce() -> Result<Arc<Problem>, WorkError>,
    ) -> Result<Arc<Compiled>, WorkError> {
        if let Some(found) = self.lock().find(id) {
            return Ok(found);
        }
        // Outside the lock: two threads may make the same, and either is kept.
        let made = Arc::new(Compiled::new(problem()?));
        let mut kept = self.lock();
        if let Some(found) = kept.find(id) {
            return Ok(found);
        }
        kept.insert(*id, made.clone(), self.bytes_max);
        Ok(made)
    }

    /// Bytes that are kept, by estimate.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        // What a panicking thread left behind is a cache still.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, id: &Hash) -> Option<Arc<Compiled>> {
        self.uses += 1;
        let (used, compiled) = self.circuits.get_mut(id)?;
        *used = self.uses;
        Some(compiled.clone())
    }

    fn insert(&mut self, id: Hash, compiled: Arc<Compiled>, bytes_max: u64) {
        self.bytes += compiled.bytes();
        self.circuits.insert(id, (self.uses, compiled));
        while self.bytes > bytes_max && self.circuits.len() > 1 {
            let oldest = *self.circuits.iter().min_by_key(|(_, kept)| kept.0).expect("not empty").0;
            let (_, gone) = self.circuits.remove(&oldest).expect("it is there");
            self.bytes -= gone.bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use hysteron_problem::Cnf;

    use super::*;

    #[test]
    fn the_least_used_go_first() {
        let problem = || Ok(Arc::new(Problem::Cnf(Cnf::default())));
        let one = Compiled::new(problem().unwrap()).bytes();
        let cache = CircuitCache::new(2 * one);
        let a = cache.get(&[1; 32], problem).unwrap();
        cache.get(&[2; 32], problem).unwrap();
        assert!(Arc::ptr_eq(&a, &cache.get(&[1; 32], problem).unwrap()));
        cache.get(&[3; 32], problem).unwrap();
        assert_eq!(cache.bytes(), 2 * one);
        assert!(Arc::ptr_eq(&a, &cache.get(&[1; 32], problem).unwrap()), "it was used after the second");
        let missing = cache.get(&[2; 32], || Err(WorkError::Interrupted));
        assert_eq!(missing.err(), Some(WorkError::Interrupted), "the second went");
    }
}
