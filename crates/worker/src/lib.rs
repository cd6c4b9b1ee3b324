//! Mines for a node: threads, legs, claims, reconnecting.
