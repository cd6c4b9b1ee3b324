//! Problems: the files that customers have, and the one canonical form that everything else in
//! Hysteron works on. This crate reads and writes the industry's formats, scores assignments in
//! the terms of the original file, normalises, generates seeded instances and measures structure.
//! It is pure: no clock, no disk, no thread, no float in anything that is hashed.

pub mod canonical;
pub mod generate;
pub mod inspect;
mod mix;
pub mod normalise;

pub use canonical::{ClauseList, Cnf, Ising, Literal, Problem, Wcnf};
