//! Problems that were uploaded and wait for the transaction that opens a job with them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use hysteron_work::ProblemId;

use crate::limits::UPLOAD_BYTES_MAX;

/// Uploaded problems, the oldest first out.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    problems: BTreeMap<ProblemId, Arc<Vec<u8>>>,
    order: VecDeque<ProblemId>,
    bytes: usize,
}

impl Uploads {
    /// Keeps a problem's canonical bytes; room is made.
    pub(crate) fn put(&self, id: ProblemId, bytes: Vec<u8>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.problems.contains_key(&id) {
            return;
        }
        while inner.bytes + bytes.len() > UPLOAD_BYTES_MAX {
            let Some(oldest) = inner.order.pop_front() else { break };
            let gone = inner.problems.remove(&oldest).map_or(0, |bytes| bytes.len());
            inner.bytes -= gone;
        }
        inner.bytes += bytes.len();
        inner.order.push_back(id);
        inner.problems.insert(id, Arc::new(bytes));
    }

    /// The problem's bytes, if they wait here.
    pub(crate) fn get(&self, id: &ProblemId) -> Option<Arc<Vec<u8>>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).problems.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let uploads = Uploads::default();
        let third = UPLOAD_BYTES_MAX / 3;
        for i in 0..4u8 {
            uploads.put(ProblemId([i; 32]), vec![i; third]);
            uploads.put(ProblemId([i; 32]), vec![i; third]);
        }
        assert!(uploads.get(&ProblemId([0; 32])).is_none());
        assert!((1..4u8).all(|i| uploads.get(&ProblemId([i; 32])).is_some()));
    }
}
