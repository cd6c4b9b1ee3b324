//! What every fuzz target checks: reading never panics, and what is read survives being written.

use hysteron_problem::{Format, ReadOptions, read, write};

/// Reads `bytes` as `format` (or detects it). What is accepted must score, and must be written in
/// its own format and read again as the same canonical problem where it carries no conversion.
pub fn check(bytes: &[u8], format: Option<Format>) {
    let options = ReadOptions { format, instance: Some(1), decompressed_bytes_max: Some(1 << 24), ..Default::default() };
    let Ok(document) = read(bytes, None, &options) else { return };
    let zeros = vec![false; document.variables() as usize];
    let score = document.score(&zeros);
    let mut text = Vec::new();
    write(&document, document.format(), &mut text).expect("a document can be written in its own format");
    let again = ReadOptions { format: Some(document.format()), ..options };
    // Writing may need more digits than reading takes (halves), or exceed the limit on bytes.
    if let Ok(again) = read(&text, None, &again) {
        assert_eq!(again.score(&vec![false; again.variables() as usize]).objective, score.objective);
    }
}
