//! Reading a file of any supported format.

use crate::decompress::{DECOMPRESSED_BYTES_MAX, decompress};
use crate::document::{Document, Kind};
use crate::error::ReadError;
use crate::formats::{self, Format, cursor::Cursor, detect};

/// How many variables a file may declare beyond one for each of its bytes. It keeps a short file
/// from asking for memory that only a long one could use.
pub const VARIABLES_UNUSED_MAX: u64 = 1 << 20;

/// What a user may say about a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReadOptions {
    /// The format, instead of detecting it.
    pub format: Option<Format>,
    /// Reads a CNF as unweighted MaxSAT.
    pub maxsat: bool,
    /// The instance, from 1, of a file with several (OR-Library).
    pub instance: Option<usize>,
    /// A lower bound than [`DECOMPRESSED_BYTES_MAX`] on the bytes after decompression.
    pub decompressed_bytes_max: Option<u64>,
}

/// Reads a file from its bytes, which may be compressed with gzip, xz or Zstandard. `name_hint`,
/// its name, is used only where the content fits more than one format.
///
/// # Errors
/// If the bytes are damaged, too many, or not in the format; with the place and the mend.
pub fn read(bytes: &[u8], name_hint: Option<&str>, options: &ReadOptions) -> Result<Document, ReadError> {
    let most = options.decompressed_bytes_max.unwrap_or(u64::MAX).min(DECOMPRESSED_BYTES_MAX);
    let bytes = decompress(bytes, most)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    check_encoding(text)?;
    let detected = match options.format {
        Some(format) => format.into(),
        None => detect::detect(text, name_hint)?,
    };
    let mut document = match detected.format {
        Format::DimacsCnf => formats::dimacs::read(text),
        Format::WcnfOld | Format::WcnfNew => formats::wcnf::read(text),
        Format::Opb => formats::opb::read(text),
        Format::Qubo => formats::grid::read_qubo(text),
        Format::Coo | Format::IsingCoo => formats::grid::read_coo(text, detected.format),
        Format::BiqMacSparse => formats::grid::read_sparse(text),
        Format::OrLibrary => formats::grid::read_or_library(text, options.instance),
        Format::Rudy => formats::grid::read_rudy(text),
        Format::BqmJson => formats::bqm_json::read(text),
    }?;
    if options.maxsat {
        match document.kind() {
            Kind::Cnf => document = document.into_max_sat(),
            kind => document.notes.push(format!("--maxsat has no effect on a {} file.", kind.name())),
        }
    }
    if options.instance.is_some() && document.format() != Format::OrLibrary {
        document.notes.push(format!("--instance has no effect on a {} file.", document.format()));
    }
    document.notes.extend(detected.note);
    Ok(document)
}

/// Refuses a number of variables that the file is too short to use.
pub(crate) fn check_variables(cursor: &Cursor, variables: u32) -> Result<(), ReadError> {
    let most = VARIABLES_UNUSED_MAX + cursor.bytes.len() as u64;
    if u64::from(variables) <= most {
        return Ok(());
    }
    Err(cursor.error_found(
        format!("{variables} variables in a file of {} bytes", cursor.bytes.len()),
        format!("at most {most} in a file of that length"),
        "Number the variables without gaps",
    ))
}

/// Refuses what is not one byte a character.
fn check_encoding(bytes: &[u8]) -> Result<(), ReadError> {
    let utf_16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
        || matches!(bytes, [0, high, ..] | [high, 0, ..] if *high != 0);
    if utf_16 {
        return Err(ReadError::whole(
            "text in UTF-16",
            "text in UTF-8 or ASCII",
            "Convert it with `iconv -f UTF-16 -t UTF-8`",
        )
        .at(bytes, 0));
    }
    // To look for one is several times faster than to look where it is.
    match bytes.contains(&0).then(|| bytes.iter().position(|&b| b == 0)).flatten() {
        Some(at) => Err(Cursor { bytes, at }.error_found(
            "a NUL byte",
            "text",
            "Check that this is a problem file; it may be binary or damaged",
        )),
        None => Ok(()),
    }
}
