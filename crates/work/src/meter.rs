//! The meter of hashing against computing. This crate reads no clock: the host hands one in.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts nanoseconds of hashing and of computing, over all threads that share it.
pub struct Meter {
    clock: Option<Box<dyn Fn() -> u64 + Send + Sync>>,
    hashing_ns: AtomicU64,
    computing_ns: AtomicU64,
    attempts: AtomicU64,
}

/// What a [`Meter`] has counted.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// Nanoseconds spent on pre-hashes.
    pub hashing_ns: u64,
    /// Nanoseconds spent on legs.
    pub computing_ns: u64,
    /// Attempts that were finished.
    pub attempts: u64,
}

impl Reading {
    /// The share of hashing, in thousandths; `None` before anything was counted.
    pub fn hashing_per_mille(&self) -> Option<u64> {
        let all = u128::from(self.hashing_ns) + u128::from(self.computing_ns);
        (all > 0).then(|| ((u128::from(self.hashing_ns) * 1000 + all / 2) / all) as u64)
    }
}

impl Meter {
    /// A meter that asks `clock` for nanoseconds since some moment: of the calling thread's CPU time where the host
    /// has that, else of wall-clock time.
    pub fn new(clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { clock: Some(Box::new(clock)), ..Self::off() }
    }
    /// A meter that counts attempts and no time.
    pub const fn off() -> Self {
        Self {
            clock: None,
            hashing_ns: AtomicU64::new(0),
            computing_ns: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
        }
    }
    /// What was counted so far.
    pub fn read(&self) -> Reading {
        Reading {
            hashing_ns: self.hashing_ns.load(Ordering::Relaxed),
            computing_ns: self.computing_ns.load(Ordering::Relaxed),
            attempts: self.attempts.load(Ordering::Relaxed),
        }
    }
    pub(crate) fn now(&self) -> u64 {
        self.clock.as_ref().map_or(0, |clock| clock())
    }
    pub(crate) fn add_hashing(&self, from: u64, to: u64) {
        self.hashing_ns.fetch_add(to.saturating_sub(from), Ordering::Relaxed);
    }
    pub(crate) fn add_computing(&self, from: u64, to: u64) {
        self.computing_ns.fetch_add(to.saturating_sub(from), Ordering::Relaxed);
    }
    pub(crate) fn add_attempt(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.read().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares() {
        let meter = Meter::off();
        assert_eq!(meter.read().hashing_per_mille(), None);
        meter.add_hashing(10, 60);
        meter.add_computing(60, 1010);
        assert_eq!(meter.read().hashing_per_mille(), Some(50));
        // A clock that steps back counts nothing.
        meter.add_hashing(10, 5);
        assert_eq!(meter.read().hashing_ns, 50);
    }
}
