//! Seeded discrete-event simulation of thousands of nodes over the pure crates.
