//! Problems: the files that customers have, and the one canonical form that everything else in
//! Hysteron works on. This crate reads and writes the industry's formats, scores assignments in
//! the terms of the original file, normalises, generates seeded instances and measures structure.
//! It is pure: no clock, no disk, no thread, no float in anything that is hashed.

pub mod canonical;
mod decimal;
mod decompress;
mod document;
mod encode;
mod error;
mod formats;
pub mod generate;
pub mod inspect;
mod mix;
pub mod normalise;
mod objective;
mod read;
mod write;

pub use canonical::{ClauseList, Cnf, Ising, Literal, Problem, Wcnf};
pub use decimal::DECIMALS_MAX;
pub use decompress::{Compression, DECOMPRESSED_BYTES_MAX, read_at_most};
pub use document::{AffineMap, Canonical, Document, Kind, Score, Sense};
pub use encode::{CONSTRAINT_STATES_MAX, ENCODED_LITERALS_MAX};
pub use error::{BuildError, Position, ReadError, WriteError};
pub use formats::{Format, UnknownFormat};
pub use objective::{OBJECTIVE_DECIMALS_MAX, Objective, ObjectiveMap, ObjectiveParseError};
pub use read::{ReadOptions, VARIABLES_UNUSED_MAX, read};
pub use write::write;
