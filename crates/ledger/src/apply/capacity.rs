//! What the network measures of itself: capacity, who mined, the price; and who is in office.

use hysteron_work::types::JobId;

use crate::block::BlockContext;
use crate::event::Event;
use crate::job::{Job, LEG_UNITS};
use crate::keys::Address;
use crate::limits::{POT_BLOCKS, QUOTING_BLOCKS};
use crate::oracle;
use crate::state::keys::{self, Kind};
use crate::state::records::{Head, Oracle, Quote};
use crate::state::view::View;

use super::Execution;

impl Execution<'_> {
    /// Remembers the block's legs and miner, and forgets those that leave their windows.
    pub(super) fn measure(&mut self, context: &BlockContext) {
        self.overlay.write(keys::at_height(Kind::ProvenLegs, self.height), &Self::block_legs(context));
        if let Some(old) = self.height.checked_sub(POT_BLOCKS) {
            self.overlay.remove(keys::at_height(Kind::ProvenLegs, old));
        }
        let window = self.overlay.keys(&keys::table(Kind::ProvenLegs));
        let mut legs: Vec<u64> = window.iter().filter_map(|key| self.overlay.read(key)).collect();
        let middle = legs.len().saturating_sub(1) / 2;
        let (_, &mut legs_per_block, _) = legs.select_nth_unstable(middle);
        let head = self.overlay.head();
        self.overlay.write(keys::table(Kind::Head), &Head { legs_per_block, ..head });
        if !self.rules.market.rate_is_fixed {
            self.remember_miner(context.miner);
        }
    }

    /// Counts the blocks of each miner over the last blocks: who may quote.
    fn remember_miner(&mut self, miner: Address) {
        self.overlay.write(keys::at_height(Kind::Miner, self.height), &miner);
        self.count_miner(&miner, 1);
        let Some(old) = self.height.checked_sub(QUOTING_BLOCKS) else { return };
        let old = keys::at_height(Kind::Miner, old);
        if let Some(gone) = self.overlay.read::<Address>(&old) {
            self.overlay.remove(old);
            self.count_miner(&gone, -1);
        }
    }

    fn count_miner(&mut self, miner: &Address, change: i64) {
        let key = keys::of_account(Kind::MinedBlocks, miner);
        let count = self.overlay.read::<u64>(&key).unwrap_or(0).saturating_add_signed(change);
        if count == 0 {
            self.overlay.remove(key);
        } else {
            self.overlay.write(key, &count);
        }
    }

    /// How much an account's quote weighs: 1 for an oracle's key; without such keys, the blocks that it mined.
    pub(super) fn quote_weight(&self, quoter: &Address) -> u64 {
        let oracles = self.overlay.office().committee.oracles;
        if oracles.is_empty() {
            return self.overlay.read(&keys::of_account(Kind::MinedBlocks, quoter)).unwrap_or(0);
        }
        u64::from(oracles.iter().any(|key| key.address() == *quoter))
    }

    /// Moves the rate towards the median of the quotes that count.
    pub(super) fn move_rate(&mut self) {
        if self.rules.market.rate_is_fixed {
            return;
        }
        let before = self.overlay.oracle();
        let (mut quotes, mut quoted) = (Vec::new(), before.quoted);
        for key in self.overlay.keys(&keys::table(Kind::Quote)) {
            let Some(quote) = self.overlay.read::<Quote>(&key) else { continue };
            if self.clock.saturating_sub(quote.time) > self.rules.market.stale_seconds {
                self.overlay.remove(key);
                continue;
            }
            let weight = self.quote_weight(&Address(keys::tail(&key)));
            if weight > 0 {
                quotes.push((quote.rate, weight));
                quoted = quoted.max(quote.time);
            }
        }
        let fresh = Oracle { quoted, ..before };
        let after = oracle::median(quotes).map_or(fresh, |goal| oracle::moved(&fresh, goal, self.clock));
        if after != before {
            self.overlay.write(keys::table(Kind::Oracle), &after);
        }
        if after.rate != before.rate {
            self.overlay.write(keys::at_height(Kind::Rate, self.height), &after.rate);
            self.events.push(Event::RateChanged { microcents_per_hys: after.rate });
        }
        self.forget_rates();
    }

    /// Forgets rates that no quote can name any more: all but the last from before the window.
    fn forget_rates(&mut self) {
        let oldest = self.height.saturating_sub(self.quote_blocks() + 1);
        let rates = self.overlay.keys(&keys::table(Kind::Rate));
        let before = rates.partition_point(|key| *key <= keys::at_height(Kind::Rate, oldest));
        for key in rates.into_iter().take(before.saturating_sub(1)) {
            self.overlay.remove(key);
        }
    }

    /// Blocks for which a quote holds.
    pub(super) fn quote_blocks(&self) -> u64 {
        self.rules.market.quote_seconds / self.rules.spacing_seconds
    }

    /// The rate that held after a block within the window.
    pub(super) fn rate_at(&self, height: u64) -> Option<u64> {
        let rates = self.overlay.keys(&keys::table(Kind::Rate));
        let after = rates.partition_point(|key| *key <= keys::at_height(Kind::Rate, height));
        rates.get(after.checked_sub(1)?).and_then(|key| self.overlay.read(key))
    }

    /// Puts the next committee into office when it is time.
    pub(super) fn change_committee(&mut self) {
        let mut office = self.overlay.office();
        if office.next.as_ref().is_some_and(|(_, height)| *height <= self.height) {
            let (next, _) = office.next.take().expect("it was just looked at");
            office.committee = next;
            self.overlay.write(keys::table(Kind::Office), &office);
            self.events.push(Event::CommitteeChanged);
        }
    }
}

/// What one block is due to a job: credit for the block's expected legs, and the winning legs that chance would give it.
pub(super) struct Share {
    /// In [`crate::CREDIT_UNITS`] of a chip-block.
    pub(super) credit: u128,
    /// In [`LEG_UNITS`] of a leg.
    pub(super) due: u64,
}

/// The share of a job in a block that stands for `legs` legs, when draws are scaled to `drawn_chips`.
pub(super) fn share(job: &Job, legs: u64, drawn_chips: u128) -> Share {
    use hysteron_work::types::{CHIPS_PER_BANK, LEGS};
    let drawn = drawn_chips.max(1);
    // 2^56 legs x 2^6 chips x 2^32 chips x 2^16 units = 2^110.
    let credit = u128::from(legs)
        * u128::from(CHIPS_PER_BANK)
        * u128::from(job.chips)
        * u128::from(crate::job::CREDIT_UNITS)
        / drawn;
    let due = LEGS as u128 * u128::from(job.chips) * u128::from(LEG_UNITS) / drawn;
    Share { credit, due: u64::try_from(due).unwrap_or(u64::MAX) }
}

/// What draws are scaled to: the capacity, never less than what is booked.
pub(super) fn drawn_chips(running: &[(JobId, Job)], legs_per_block: u64) -> u128 {
    let booked: u128 = running.iter().map(|(_, job)| u128::from(job.chips)).sum();
    booked.max(u128::from(legs_per_block) * u128::from(hysteron_work::types::CHIPS_PER_BANK)).max(1)
}
