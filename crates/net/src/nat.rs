//! Being reachable behind address translation: which relays to reserve a place at. AutoNAT says
//! whether our own addresses can be reached; while none can, peers that relay are used.

use std::collections::BTreeSet;

use crate::PeerId;

/// Relays used at a time, besides the configured ones.
pub const RELAYS_MAX: usize = 2;
/// Failed tests, without a success, after which we take ourselves for unreachable.
const FAILED_TESTS: u32 = 3;

/// What is known about our reachability.
#[derive(Debug, Default)]
pub struct Reachability {
    failed_tests: u32,
    reachable: bool,
    relays: BTreeSet<PeerId>,
}

impl Reachability {
    /// A test of one of our addresses ended.
    pub fn tested(&mut self, success: bool) {
        if success {
            self.reachable = true;
        } else {
            self.failed_tests = self.failed_tests.saturating_add(1);
        }
    }

    /// An external address was confirmed, by a test or the operator.
    pub fn confirmed(&mut self) {
        self.reachable = true;
    }

    /// A relay should be looked for.
    pub fn wants_relay(&self) -> bool {
        !self.reachable && self.failed_tests >= FAILED_TESTS && self.relays.len() < RELAYS_MAX
    }

    /// A place at this relay was asked for; false if it was before.
    pub fn asked(&mut self, relay: PeerId) -> bool {
        self.relays.insert(relay)
    }

    /// The relay is gone or refused.
    pub fn lost(&mut self, relay: &PeerId) {
        self.relays.remove(relay);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_looked_for_only_when_nothing_else_works() {
        let mut reachability = Reachability::default();
        (0..FAILED_TESTS).for_each(|_| reachability.tested(false));
        assert!(reachability.wants_relay());
        let relays = [PeerId::random(), PeerId::random()];
        assert!(reachability.asked(relays[0]) && !reachability.asked(relays[0]));
        assert!(reachability.wants_relay() && reachability.asked(relays[1]) && !reachability.wants_relay());
        reachability.lost(&relays[0]);
        assert!(reachability.wants_relay());
        reachability.tested(true);
        assert!(!reachability.wants_relay());
    }
}
