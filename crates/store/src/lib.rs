//! What the chain persists: redb, crash-safe.
