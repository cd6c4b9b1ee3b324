//! The pure state transition: accounts, coins, jobs, escrow, receipts.
