//! When a block is passed on before its legs were run again: docs/decisions/0009-relay.md. Pure: times are handed in.
//!
//! The checks that need no simulation can be met by a forger for about a twentieth of an attempt, so each block that is passed
//! on early is a small loan. The gate bounds it: so much an hour from all senders together, once an hour from each,
//! and a few blocks on each parent.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use hysteron_net::PeerId;
use hysteron_work::Hash;

/// Blocks on one parent that are passed on early: a fork, not more.
pub(crate) const PER_PARENT_MAX: usize = 2;
/// Blocks whose work did not hold that are passed on early in [`PENANCE`], those counted whose work is not run yet.
pub(crate) const DECEPTIONS_MAX: usize = 3;
/// For so long a deception counts, and its sender's blocks are run before they are passed on.
pub(crate) const PENANCE: Duration = Duration::from_secs(3600);
/// Score of a peer for a block whose work does not hold. It may have passed it on in good faith, which an honest node does at most
/// [`DECEPTIONS_MAX`] times in [`PENANCE`]: so many scores do not ban (100 does), one more does.
pub(crate) const DECEPTION_SCORE: u32 = 26;
/// Parents that are remembered.
const PARENTS_MAX: usize = 64;
/// Senders that are remembered for a deception. More than the gate lets pass in an hour come from blocks that were not passed on.
const SENDERS_MAX: usize = 1024;

/// Who handed a block in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sender {
    /// A peer of the network.
    Peer(PeerId),
    /// The node's own workers and API, together.
    Own,
}

/// The gate.
#[derive(Debug, Default)]
pub(crate) struct RelayGate {
    parents: VecDeque<(Hash, usize)>,
    /// Passed on early, with work that is not run yet.
    pending: usize,
    /// When passed-on blocks were found to be false.
    deceptions: VecDeque<Instant>,
    senders: BTreeMap<Sender, Instant>,
}

impl RelayGate {
    /// Whether a block on `parent` may be passed on now. If so, [`Self::settled`] must follow when its work was run. The block
    /// has passed the checks that need no simulation, and would be the best or as good.
    pub(crate) fn admits(&mut self, sender: Sender, parent: &Hash, now: Instant) -> bool {
        self.forget(now);
        if self.senders.contains_key(&sender) || self.deceptions.len() + self.pending >= DECEPTIONS_MAX {
            return false;
        }
        let at = self.parents.iter().position(|(known, _)| known == parent).unwrap_or_else(|| {
            if self.parents.len() >= PARENTS_MAX {
                self.parents.pop_front();
            }
            self.parents.push_back((*parent, 0));
            self.parents.len() - 1
        });
        let (_, count) = &mut self.parents[at];
        if *count >= PER_PARENT_MAX {
            return false;
        }
        *count += 1;
        self.pending += 1;
        true
    }

    /// The work of a block that was passed on early was run, and held or not, or the block was dropped.
    pub(crate) fn settled(&mut self, sender: Sender, held: bool, now: Instant) {
        self.pending = self.pending.saturating_sub(1);
        if !held {
            self.deceptions.push_back(now);
            self.deceived_by(sender, now);
        }
    }

    /// A block was found to be false that was not passed on.
    pub(crate) fn deceived_by(&mut self, sender: Sender, now: Instant) {
        if self.senders.len() >= SENDERS_MAX && !self.senders.contains_key(&sender) {
            let oldest = self.senders.iter().min_by_key(|(_, since)| **since).map(|(sender, _)| *sender);
            oldest.map(|sender| self.senders.remove(&sender));
        }
        self.senders.insert(sender, now);
    }

    fn forget(&mut self, now: Instant) {
        let is_over = |since: &Instant| now.saturating_duration_since(*since) >= PENANCE;
        while self.deceptions.front().is_some_and(is_over) {
            self.deceptions.pop_front();
        }
        self.senders.retain(|_, since| !is_over(since));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> Sender {
        Sender::Peer(PeerId::random())
    }

    #[test]
    fn two_blocks_on_each_parent() {
        let (mut gate, now) = (RelayGate::default(), Instant::now());
        for parent in 0..3 * PARENTS_MAX as u64 {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&parent.to_le_bytes());
            for _ in 0..PER_PARENT_MAX {
                let sender = peer();
                assert!(gate.admits(sender, &hash, now));
                gate.settled(sender, true, now);
            }
            assert!(!gate.admits(peer(), &hash, now));
        }
        assert!(gate.parents.len() <= PARENTS_MAX);
    }

    #[test]
    fn a_deceiver_waits_an_hour() {
        let (mut gate, now) = (RelayGate::default(), Instant::now());
        let (bad, good) = (peer(), peer());
        assert!(gate.admits(bad, &[1; 32], now));
        gate.settled(bad, false, now);
        assert!(!gate.admits(bad, &[2; 32], now));
        assert!(gate.admits(good, &[2; 32], now), "others are still trusted");
        gate.settled(good, true, now);
        assert!(!gate.admits(bad, &[3; 32], now + PENANCE - Duration::from_secs(1)));
        assert!(gate.admits(bad, &[3; 32], now + PENANCE));
    }

    #[test]
    fn never_more_false_blocks_an_hour_whatever_the_order() {
        // However many peers forge at once, and however late their work is run: what was passed on and false stays bounded.
        let (mut gate, now) = (RelayGate::default(), Instant::now());
        let mut passed = Vec::new();
        for parent in 0..100u8 {
            let sender = peer();
            if gate.admits(sender, &[parent; 32], now) {
                passed.push(sender);
            }
        }
        assert_eq!(passed.len(), DECEPTIONS_MAX);
        for sender in passed {
            gate.settled(sender, false, now);
        }
        assert!(!gate.admits(Sender::Own, &[200; 32], now + Duration::from_secs(60)));
        assert!(gate.admits(Sender::Own, &[200; 32], now + PENANCE));
        // An honest node's peers give it less than the score that bans, a forger's more.
        let ban = hysteron_net::Limits::default().ban_score;
        assert!(
            DECEPTION_SCORE * (DECEPTIONS_MAX as u32) < ban
                && DECEPTION_SCORE * (DECEPTIONS_MAX as u32 + 1) >= ban
        );
    }

    #[test]
    fn memory_is_bounded() {
        let (mut gate, now) = (RelayGate::default(), Instant::now());
        for _ in 0..2 * SENDERS_MAX {
            gate.deceived_by(peer(), now);
        }
        assert_eq!(gate.senders.len(), SENDERS_MAX);
    }
}
