//! What simulation costs, as consensus data.

/// The version of the constants below.
pub const COST_VERSION: u32 = 1;
/// Cost of one try of the pre-hash on the reference core, in picoseconds.
pub const PRE_TRY_PICOSECONDS: u64 = 50_000;
