//! Questions about the best chain that peers ask.

use hysteron_work::types::Hash;

use super::Chain;
use crate::error::ChainError;
use crate::header::Header;
use crate::storage::Storage;
use crate::sync::HEADERS_PER_ANSWER_MAX;

/// Hashes of a locator, at most: ten near the tip, then at doubling distances.
pub const LOCATOR_MAX: usize = 10 + 64;

impl<S: Storage> Chain<S> {
    /// Hashes of the best chain from the tip down to the genesis, dense near the tip: a peer finds the last block that
    /// both have in it.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn locator(&self) -> Result<Vec<Hash>, ChainError> {
        let mut hashes = Vec::new();
        let (mut height, mut step) = (self.tip.height, 1);
        loop {
            hashes.extend(self.archive.canonical(height)?);
            if height == 0 {
                return Ok(hashes);
            }
            if hashes.len() >= 10 {
                step *= 2;
            }
            height = height.saturating_sub(step);
        }
    }

    /// Headers of the best chain behind the first hash of `locator` that it has (else behind the genesis), at most
    /// `count_max` and [`HEADERS_PER_ANSWER_MAX`]. Locators beyond [`LOCATOR_MAX`] hashes are cut.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn headers_after(&self, locator: &[Hash], count_max: usize) -> Result<Vec<Header>, ChainError> {
        let mut from = 0;
        for hash in locator.iter().take(LOCATOR_MAX) {
            if let Some(header) = self.archive.header(hash)?
                && self.archive.canonical(header.height)? == Some(*hash)
            {
                from = header.height;
                break;
            }
        }
        let mut headers = Vec::new();
        for height in from.saturating_add(1)..=self.tip.height {
            if headers.len() >= count_max.min(HEADERS_PER_ANSWER_MAX) {
                break;
            }
            let Some(hash) = self.archive.canonical(height)? else { break };
            headers.push(self.stored(&hash)?.header);
        }
        Ok(headers)
    }

    /// Whether a block is stored, on whatever branch.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn contains(&self, block: &Hash) -> Result<bool, ChainError> {
        Ok(self.archive.entry(block)?.is_some())
    }

    /// Whether a block is part of the best chain.
    ///
    /// # Errors
    /// If the storage fails.
    pub fn is_canonical(&self, block: &Hash) -> Result<bool, ChainError> {
        let Some(header) = self.archive.header(block)? else { return Ok(false) };
        Ok(self.archive.canonical(header.height)? == Some(*block))
    }
}
