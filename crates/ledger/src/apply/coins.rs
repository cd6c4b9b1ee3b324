//! Emission, coinbases, the pot.

use crate::LedgerError;
use crate::amount::emission;
use crate::event::Event;
use crate::keys::Address;
use crate::limits::POT_BLOCKS;
use crate::state::keys::{self, Kind};
use crate::state::records::Coinbase;
use crate::state::view::View;

use super::{Execution, add, subtract};

impl Execution<'_> {
    /// Makes the coinbase spendable that is old enough.
    pub(super) fn mature(&mut self) -> Result<(), LedgerError> {
        let Some(height) = self.height.checked_sub(self.rules.maturity_blocks) else { return Ok(()) };
        let Some(Coinbase { miner, amount }) = self.overlay.coinbase(height) else { return Ok(()) };
        self.overlay.remove(keys::at_height(Kind::Coinbase, height));
        self.pay(&miner, amount)?;
        self.events.push(Event::Matured { miner, amount });
        Ok(())
    }

    /// Takes this block's payment out of the pot. An inflow of block `h` is paid in blocks `h + 1` to `h + 720`.
    pub(super) fn pay_from_pot(&mut self) -> Result<(), LedgerError> {
        let mut pot = self.overlay.pot();
        let end = keys::at_height(Kind::PotEnd, self.height);
        if let Some(ended) = self.overlay.read::<u64>(&end) {
            pot.rate = subtract(pot.rate, ended, "the pot's rate")?;
            self.overlay.remove(end);
        }
        pot.balance = subtract(pot.balance, pot.rate, "the pot")?;
        self.from_pot = pot.rate;
        self.overlay.write(keys::table(Kind::Pot), &pot);
        Ok(())
    }

    /// Books the coinbase: what is issued, the fees, the pot's payment.
    pub(super) fn book_coinbase(&mut self, miner: Address) -> Result<(), LedgerError> {
        let mut supply = self.overlay.supply();
        let issued = emission(supply.issued);
        supply.issued = add(supply.issued, issued, "the issued coins")?;
        self.overlay.write(keys::table(Kind::Supply), &supply);
        let amount = add(add(issued, self.fees, "a coinbase")?, self.from_pot, "a coinbase")?;
        if amount > 0 {
            self.overlay.write(keys::at_height(Kind::Coinbase, self.height), &Coinbase { miner, amount });
        }
        self.events.push(Event::Mined { miner, issued, fees: self.fees, pot: self.from_pot });
        Ok(())
    }

    /// Spreads what settled jobs paid over the next blocks; what cannot be divided waits for the next inflow.
    pub(super) fn fill_pot(&mut self) -> Result<(), LedgerError> {
        if self.to_pot == 0 {
            return Ok(());
        }
        let mut pot = self.overlay.pot();
        pot.balance = add(pot.balance, self.to_pot, "the pot")?;
        let spread = add(self.to_pot, pot.dust, "the pot")?;
        let rate = spread / POT_BLOCKS;
        pot.dust = spread % POT_BLOCKS;
        if rate > 0 {
            pot.rate = add(pot.rate, rate, "the pot's rate")?;
            self.overlay.write(keys::at_height(Kind::PotEnd, self.height + POT_BLOCKS + 1), &rate);
        }
        self.overlay.write(keys::table(Kind::Pot), &pot);
        Ok(())
    }
}
