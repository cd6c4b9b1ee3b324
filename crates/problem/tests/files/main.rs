//! Files of every format: what is accepted, what is refused and with which message, that writing
//! and reading are inverse, and that no bytes whatsoever make a reader panic.

mod bench;
mod differential;
mod errors;
mod mutation;
mod round_trip;
mod traps;

use hysteron_problem::{Document, Format, ReadError, ReadOptions, read};

/// Reads `text`, detecting its format.
fn detect(text: &str) -> Document {
    read(text.as_bytes(), None, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Reads `text` as `format`.
fn read_as(text: &str, format: Format) -> Result<Document, ReadError> {
    read(text.as_bytes(), None, &ReadOptions { format: Some(format), ..ReadOptions::default() })
}

/// The objective of the assignment that `bits` writes as 0s and 1s.
fn objective(document: &Document, bits: &str) -> String {
    let assignment: Vec<bool> = bits.bytes().map(|b| b == b'1').collect();
    document.score(&assignment).objective.to_string()
}

/// All assignments of up to 16 variables.
fn assignments(variables: u32) -> impl Iterator<Item = Vec<bool>> {
    assert!(variables <= 16);
    (0..1u32 << variables).map(move |bits| (0..variables).map(|v| bits >> v & 1 == 1).collect())
}
