//! Problems by content id, fetched from the node when a leg first needs them, kept within a bound.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hysteron_problem::{Problem, canonical};
use hysteron_work::{ProblemId, Problems};

/// Bytes of canonical problems that are kept, before those least lately used are dropped.
pub const LIBRARY_BYTES_MAX: usize = 512 << 20;

/// Where problems come from.
pub trait Source: Send + Sync {
    /// The canonical bytes of a problem. They are checked against the id by the caller.
    ///
    /// # Errors
    /// A sentence that says why there are none.
    fn fetch(&self, id: &ProblemId) -> Result<Vec<u8>, String>;
}

/// The problems of a worker.
pub struct Library<S> {
    source: S,
    shelf: Mutex<Shelf>,
    /// Held while fetching, so that threads that miss the same problem do not all fetch it.
    fetching: Mutex<()>,
}

#[derive(Default)]
struct Shelf {
    books: BTreeMap<ProblemId, Book>,
    bytes: usize,
    clock: u64,
}

struct Book {
    problem: Arc<Problem>,
    bytes: usize,
    used: u64,
}

impl<S: Source> Library<S> {
    /// An empty library.
    pub fn new(source: S) -> Self {
        Self { source, shelf: Mutex::default(), fetching: Mutex::default() }
    }

    fn kept(&self, id: &ProblemId) -> Option<Arc<Problem>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).take_down(id)
    }

    /// The problem, from the shelf or the source.
    ///
    /// # Errors
    /// A sentence: the source has none, or what it gave is not the problem of this id.
    pub fn get(&self, id: &ProblemId) -> Result<Arc<Problem>, String> {
        if let Some(problem) = self.kept(id) {
            return Ok(problem);
        }
        let _one_at_a_time = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(problem) = self.kept(id) {
            return Ok(problem);
        }
        let bytes = self.source.fetch(id)?;
        let problem = Arc::new(decode(id, &bytes)?);
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner).put(*id, problem.clone(), bytes.len());
        Ok(problem)
    }
}

impl<S: Source> Problems for Library<S> {
    fn problem(&self, id: &ProblemId) -> Option<Arc<Problem>> {
        self.get(id).ok()
    }
}

impl Shelf {
    fn take_down(&mut self, id: &ProblemId) -> Option<Arc<Problem>> {
        self.clock += 1;
        let clock = self.clock;
        let book = self.books.get_mut(id)?;
        book.used = clock;
        Some(book.problem.clone())
    }

    fn put(&mut self, id: ProblemId, problem: Arc<Problem>, bytes: usize) {
        while self.bytes + bytes > LIBRARY_BYTES_MAX {
            let Some(oldest) = self.books.iter().min_by_key(|(_, book)| book.used).map(|(id, _)| *id) else {
                break;
            };
            if let Some(book) = self.books.remove(&oldest) {
                self.bytes -= book.bytes;
            }
        }
        self.clock += 1;
        self.bytes += bytes;
        let book = Book { problem, bytes, used: self.clock };
        if let Some(replaced) = self.books.insert(id, book) {
            self.bytes -= replaced.bytes;
        }
    }
}

/// The problem of this id in these bytes.
///
/// # Errors
/// A sentence that says what is wrong with them.
pub fn decode(id: &ProblemId, bytes: &[u8]) -> Result<Problem, String> {
    let problem: Problem = borsh::from_slice(bytes)
        .map_err(|error| format!("The data of problem {id} is malformed: {error}."))?;
    if ProblemId::of(&problem) != *id {
        return Err(format!("The data that came for problem {id} is another problem's."));
    }
    canonical::check(&problem)
        .map_err(|reason| format!("Problem {id} is not in canonical form: {reason}."))?;
    Ok(problem)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hysteron_problem::Ising;

    use super::*;

    struct Shop {
        wares: BTreeMap<ProblemId, Vec<u8>>,
        sold: AtomicUsize,
    }

    impl Source for Shop {
        fn fetch(&self, id: &ProblemId) -> Result<Vec<u8>, String> {
            self.sold.fetch_add(1, Ordering::Relaxed);
            self.wares.get(id).cloned().ok_or_else(|| "Nothing here.".to_string())
        }
    }

    fn ising(field: i64) -> (ProblemId, Vec<u8>) {
        let ising = Ising { spins: 2, couplings: vec![(0, 1, 3)], fields: vec![0, field], offset: 0 };
        let problem = Problem::Ising(ising);
        (ProblemId::of(&problem), borsh::to_vec(&problem).expect("memory"))
    }

    #[test]
    fn problems_are_fetched_once_and_checked() {
        let (good, bytes) = ising(1);
        let (other, _) = ising(2);
        let wares = [(good, bytes.clone()), (other, bytes)].into();
        let library = Library::new(Shop { wares, sold: AtomicUsize::new(0) });
        assert!(library.problem(&good).is_some());
        assert!(library.problem(&good).is_some());
        assert_eq!(library.source.sold.load(Ordering::Relaxed), 1, "kept");
        assert!(library.get(&other).is_err_and(|e| e.contains("another")), "its hash is checked");
        assert!(library.problem(&ProblemId([7; 32])).is_none());
    }

    #[test]
    fn nonsense_is_refused() {
        let id = ProblemId([0; 32]);
        for bytes in [&[][..], &[2], &[0xff; 64], &[0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]] {
            assert!(decode(&id, bytes).is_err(), "{bytes:?}");
        }
    }
}
