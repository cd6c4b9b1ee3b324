//! What a miner has done, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use hysteron_work::{LEGS, Meter, Reading};

/// Counts of the threads of a miner.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    legs: AtomicU64,
    job_legs: AtomicU64,
    ecu: AtomicU64,
    claims: AtomicU64,
    blocks: AtomicU64,
}

/// What a miner has done since it started.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Attempts that were finished.
    pub attempts: u64,
    /// Legs of these attempts.
    pub legs: u64,
    /// Of these, legs of jobs; the others were the public pool's.
    pub job_legs: u64,
    /// Elementary circuit updates.
    pub ecu: u64,
    /// Legs that improved a job and were claimed.
    pub claims: u64,
    /// Attempts that won.
    pub blocks: u64,
    /// Nanoseconds of processor time, all threads together, spent on pre-hashes.
    pub hashing_ns: u64,
    /// Nanoseconds of processor time, all threads together, spent on legs.
    pub computing_ns: u64,
}

impl Figures {
    /// The share of hashing in the time spent, in thousandths; `None` before the first attempt.
    pub fn hashing_per_mille(&self) -> Option<u64> {
        let Self { hashing_ns, computing_ns, attempts, .. } = *self;
        Reading { hashing_ns, computing_ns, attempts }.hashing_per_mille()
    }

    /// The sum of two miners' figures.
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            attempts: self.attempts.saturating_add(other.attempts),
            legs: self.legs.saturating_add(other.legs),
            job_legs: self.job_legs.saturating_add(other.job_legs),
            ecu: self.ecu.saturating_add(other.ecu),
            claims: self.claims.saturating_add(other.claims),
            blocks: self.blocks.saturating_add(other.blocks),
            hashing_ns: self.hashing_ns.saturating_add(other.hashing_ns),
            computing_ns: self.computing_ns.saturating_add(other.computing_ns),
        }
    }

    /// What was done since `before`, an earlier reading of the same miner.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            attempts: self.attempts.saturating_sub(before.attempts),
            legs: self.legs.saturating_sub(before.legs),
            job_legs: self.job_legs.saturating_sub(before.job_legs),
            ecu: self.ecu.saturating_sub(before.ecu),
            claims: self.claims.saturating_sub(before.claims),
            blocks: self.blocks.saturating_sub(before.blocks),
            hashing_ns: self.hashing_ns.saturating_sub(before.hashing_ns),
            computing_ns: self.computing_ns.saturating_sub(before.computing_ns),
        }
    }
}

impl Counters {
    pub(crate) fn leg(&self, ecu: u64, is_job: bool) {
        self.legs.fetch_add(1, Ordering::Relaxed);
        self.job_legs.fetch_add(u64::from(is_job), Ordering::Relaxed);
        self.ecu.fetch_add(ecu, Ordering::Relaxed);
    }
    pub(crate) fn claim(&self) {
        self.claims.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn block(&self) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
    }
    pub(crate) fn read(&self, meter: Reading) -> Figures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            attempts: of(&self.legs) / LEGS as u64,
            legs: of(&self.legs),
            job_legs: of(&self.job_legs),
            ecu: of(&self.ecu),
            claims: of(&self.claims),
            blocks: of(&self.blocks),
            hashing_ns: meter.hashing_ns,
            computing_ns: meter.computing_ns,
        }
    }
}

/// A meter of the calling thread's processor time, so that other programs on the machine do not count.
pub(crate) fn meter() -> Meter {
    Meter::new(|| {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
    })
}
