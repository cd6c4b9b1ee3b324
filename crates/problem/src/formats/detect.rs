//! Which format a file has: told by its content, and by its name's ending only where the content
//! fits more than one.

use super::Format;
use super::cursor::Cursor;
use crate::error::ReadError;

/// How many lines of data are looked at where the first one does not decide.
const LINES_LOOKED_AT: usize = 1000;

/// A format, and what to tell the user if it was a guess.
pub(crate) struct Detected {
    pub format: Format,
    pub note: Option<String>,
}

impl From<Format> for Detected {
    fn from(format: Format) -> Self {
        Self { format, note: None }
    }
}

fn guess(format: Format, why: &str, other: Format) -> Detected {
    let note = format!("Read as {format} because {why}; if that is wrong, use `--format {other}`.");
    Detected { format, note: Some(note) }
}

/// What comments say.
#[derive(Default)]
struct Comments {
    vartype: bool,
    offset: bool,
    star: bool,
}

/// Skips to the first line of data.
fn skip_comments(cursor: &mut Cursor) -> Comments {
    let mut comments = Comments::default();
    loop {
        cursor.skip_space();
        let word = cursor.word();
        let marked = matches!(word.first(), Some(b'#' | b'%' | b'*')) || word == b"c";
        // A word that only begins with `c` is a comment too, but for a possible `c` in OPB.
        if !marked && word.first() != Some(&b'c') {
            return comments;
        }
        let text = cursor.take_line();
        let contains = |what: &[u8]| text.windows(what.len()).any(|w| w.eq_ignore_ascii_case(what));
        comments.star |= word.first() == Some(&b'*');
        if word.first() == Some(&b'#') {
            comments.vartype |= contains(b"vartype:") || contains(b"vartype=");
            comments.offset |= contains(b"objectiveoffset");
        }
    }
}

fn is_number(word: &[u8]) -> bool {
    word.iter().all(|b| b.is_ascii_digit() || b"+-.eE".contains(b)) && word.iter().any(u8::is_ascii_digit)
}

/// Finds out the format of decompressed `bytes`.
pub(crate) fn detect(bytes: &[u8], name: Option<&str>) -> Result<Detected, ReadError> {
    let hint = name.and_then(Format::from_file_name);
    let mut cursor = Cursor::new(bytes);
    cursor.skip_space();
    match cursor.peek() {
        None => {
            return Err(cursor.error_found("an empty file", "a problem", "Check how the file was made"));
        }
        Some(b'{') => return Ok(Format::BqmJson.into()),
        Some(_) => {}
    }
    let comments = skip_comments(&mut cursor);
    if cursor.at_end() {
        // Only comments: formats without a header may be empty.
        return match hint {
            Some(format) => Ok(format.into()),
            None if comments.vartype => Ok(Format::Coo.into()),
            None if comments.star => Ok(Format::Opb.into()),
            None => Err(unknown(&cursor)),
        };
    }
    let start = cursor;
    let line = cursor.take_line();
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).take(5).collect();
    if words[0] == b"p" {
        return match words.get(1).copied() {
            Some(b"cnf") => Ok(Format::DimacsCnf.into()),
            Some(b"wcnf") => Ok(Format::WcnfOld.into()),
            Some(b"qubo") => Ok(Format::Qubo.into()),
            _ => Err(start.error_found(
                super::cursor::quote(line.trim_ascii()),
                "`p cnf`, `p wcnf` or `p qubo`",
                "Convert the file; other problems with a `p` line are not supported",
            )),
        };
    }
    if words[0] == b"h" {
        return Ok(Format::WcnfNew.into());
    }
    if comments.vartype {
        return Ok(Format::Coo.into());
    }
    let letters = |b: u8| b.is_ascii_alphabetic() && b != b'e' && b != b'E';
    if comments.star || line.contains(&b';') || line.contains(&b'=') || line.iter().any(|&b| letters(b)) {
        let looks_like_opb = line.starts_with(b"min") || line.starts_with(b"max") || line.contains(&b'x');
        return if looks_like_opb || comments.star { Ok(Format::Opb.into()) } else { Err(unknown(&start)) };
    }
    if !words.iter().all(|w| is_number(w)) {
        return Err(unknown(&start));
    }
    if hint == Some(Format::WcnfNew) || is_headless_wcnf(start) {
        return Ok(Format::WcnfNew.into());
    }
    match words.len() {
        1 => Ok(Format::OrLibrary.into()),
        2 => Ok(with_header(cursor, hint, comments.offset)),
        3 => Ok(triples(start, hint)),
        _ if line.trim_ascii_end().ends_with(b" 0") => Ok(Format::WcnfNew.into()),
        _ => Err(unknown(&start)),
    }
}

/// Whether a file that begins with numbers goes on as only WCNF does: with a hard clause, or with a
/// negative number where a term has its second variable.
fn is_headless_wcnf(from: Cursor) -> bool {
    let mut lines = data_lines(from).take(LINES_LOOKED_AT).peekable();
    // `N M` of a graph or matrix; `W 0` may be a clause without literals.
    let header = lines.peek().is_some_and(|words| words.len() == 2 && words[1] != b"0");
    lines.any(|words| words[0] == b"h" || !header && words.len() > 2 && words[1].starts_with(b"-"))
}

fn unknown(place: &Cursor) -> ReadError {
    place.error(
        "the beginning of a CNF, WCNF, OPB, QUBO, Ising, Max-Cut or BQM file",
        "Name the format with `--format`, or convert the file to one of these",
    )
}

/// Lines of data as at most four words each.
fn data_lines<'a>(mut cursor: Cursor<'a>) -> impl Iterator<Item = Vec<&'a [u8]>> {
    std::iter::from_fn(move || {
        skip_comments(&mut cursor);
        if cursor.at_end() {
            return None;
        }
        let line = cursor.take_line();
        Some(line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).take(4).collect())
    })
}

/// `N M` and then `i j w`: a graph, or a matrix if it has entries on its diagonal.
fn with_header(body: Cursor, hint: Option<Format>, offset: bool) -> Detected {
    match hint {
        Some(format @ (Format::BiqMacSparse | Format::Rudy)) => return format.into(),
        _ if offset => return Format::BiqMacSparse.into(),
        _ => {}
    }
    // A diagonal may come last, so all lines count here.
    let diagonal = data_lines(body).any(|words| words.len() >= 2 && words[0] == words[1]);
    if diagonal {
        let why = "it lists entries of a diagonal, which a graph does not have";
        guess(Format::BiqMacSparse, why, Format::Rudy)
    } else {
        let why = "it begins with two numbers and lists nothing on a diagonal";
        guess(Format::Rudy, why, Format::BiqMacSparse)
    }
}

/// `i j w` from the first line on: COO, or WCNF with clauses of one literal first.
fn triples(from: Cursor, hint: Option<Format>) -> Detected {
    match hint {
        Some(format @ (Format::Coo | Format::IsingCoo)) => return format.into(),
        Some(Format::Qubo) => return Format::Coo.into(),
        _ => {}
    }
    let (mut diagonal, mut zeros, mut other_lengths) = (false, true, false);
    for words in data_lines(from).take(LINES_LOOKED_AT) {
        diagonal |= words.len() == 3 && words[0] == words[1];
        zeros &= words.len() > 3 || words.last().copied() == Some(b"0".as_slice());
        other_lengths |= words.len() != 3;
    }
    if zeros && other_lengths {
        return Format::WcnfNew.into();
    }
    if diagonal || data_lines(from).any(|words| words.len() == 3 && words[0] == words[1]) {
        let why = "it lists `i j w` with terms of one variable and no `# vartype` line";
        guess(Format::Coo, why, Format::IsingCoo)
    } else {
        let why = "it lists `i j w` without terms of one variable or a `# vartype` line";
        guess(Format::IsingCoo, why, Format::Coo)
    }
}
