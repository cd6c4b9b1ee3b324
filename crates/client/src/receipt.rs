//! Receipts, checked without any network.

use hysteron_chain::Header;
use hysteron_ledger::{HeaderFacts, LedgerError, Proven, Receipt};
use hysteron_work::types::Hash;

/// What a receipt proves, and to whom.
#[derive(Clone, Debug)]
pub struct CheckedReceipt {
    /// The job as it stood.
    pub proven: Proven,
    /// The job's id.
    pub job: hysteron_work::types::JobId,
    /// The network's number, [`hysteron_ledger::Genesis::network_id`].
    pub network: u32,
    /// The last block of the receipt: what must be trusted to be on the chain.
    pub anchor: Hash,
    /// Its height.
    pub anchor_height: u64,
}

/// Checks a receipt's bytes. It proves what it says to whoever knows that the block `trusted` is on the chain; without
/// that, to whoever knows it of [`CheckedReceipt::anchor`].
///
/// # Errors
/// [`LedgerError::Receipt`] with what does not hold.
pub fn check_receipt(bytes: &[u8], trusted: Option<Hash>) -> Result<CheckedReceipt, LedgerError> {
    let receipt = Receipt::decode(bytes)?;
    let last = receipt.headers.last().and_then(|header| facts(header));
    let last = last.ok_or(LedgerError::Receipt { reason: "its last header does not decode" })?;
    let proven = receipt.verify(&trusted.unwrap_or(last.hash), facts)?;
    Ok(CheckedReceipt {
        proven,
        job: receipt.job,
        network: receipt.network,
        anchor: last.hash,
        anchor_height: last.height,
    })
}

fn facts(bytes: &[u8]) -> Option<HeaderFacts> {
    let header = Header::decode(bytes).ok()?;
    Some(HeaderFacts {
        hash: header.hash(),
        parent: header.parent,
        height: header.height,
        state_root: header.state_root,
    })
}
