//! The workers of a devnet: threads that speak the worker protocol with their node, as programs of their own would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use hysteron_ledger::{Address, devnet_key};
use hysteron_worker::{Notice, Options};

use crate::DevnetError;

/// Bytes of compiled circuits that a worker keeps.
const CIRCUIT_BYTES_MAX: u64 = 256 << 20;

/// A worker's name: its number, from 1.
pub type WorkerName = u16;

/// Hears what workers tell.
pub type Told = Arc<dyn Fn(WorkerName, &Notice) + Send + Sync>;

/// Workers that run until they are stopped.
#[derive(Default)]
pub struct Workers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// The name of the key that a worker mines for: one that everybody knows, as all of a devnet.
pub fn worker_name(worker: WorkerName) -> String {
    format!("worker-{worker}")
}

/// The account that a worker mines for; it has nothing at first.
pub fn worker_address(worker: WorkerName) -> Address {
    devnet_key(&worker_name(worker)).address()
}

impl Workers {
    /// Starts the worker of this index (its name is one more).
    pub(crate) fn start(
        &mut self,
        url: &str,
        index: u16,
        threads: u16,
        told: &Told,
    ) -> Result<(), DevnetError> {
        let worker = index + 1;
        let options = Options::new(url, worker_address(worker), threads);
        let options = options.map_err(|reason| DevnetError::Silent { url: url.to_owned(), reason })?;
        let options = Options { circuit_bytes_max: CIRCUIT_BYTES_MAX, ..options };
        let (stop, told) = (self.stop.clone(), told.clone());
        let thread = std::thread::Builder::new()
            .name(worker_name(worker))
            .spawn(move || hysteron_worker::run(&options, &mut |notice| told(worker, notice), &stop))
            .map_err(DevnetError::Threads)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Stops them, and waits until they have.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                // The thread's own message has been printed; the others are still to be waited for.
                continue;
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.end();
    }
}
