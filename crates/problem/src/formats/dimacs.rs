//! DIMACS CNF, and what WCNF shares with it: comments, literals, clauses that span lines.
//!
//! Accepted as found in the wild: blanks before the header, clauses over several lines, a missing
//! last 0, SATLIB's ending of `%` and `0`, comments anywhere between lines.

use std::io::Write;

use super::cursor::Cursor;
use crate::canonical::{ClauseList, Cnf, ELEMENTS_MAX, Literal, VARIABLES_MAX};
use crate::document::Document;
use crate::error::ReadError;
use crate::read::check_variables;

/// What a clause reader sees next, after blanks, empty lines and comment lines.
#[derive(PartialEq, Eq)]
pub(super) enum Next {
    /// A word.
    Word,
    /// The end of the clauses: of the file, or SATLIB's `%`.
    End,
}

/// Skips to the next word of the body.
#[inline]
pub(super) fn next(cursor: &mut Cursor) -> Next {
    loop {
        cursor.skip_space();
        match cursor.peek() {
            None => return Next::End,
            Some(b'c') if starts_line(cursor) => {
                cursor.take_line();
            }
            Some(b'%') if starts_line(cursor) => {
                cursor.at = cursor.bytes.len();
                return Next::End;
            }
            Some(_) => return Next::Word,
        }
    }
}

/// Whether only blanks stand before the cursor on its line.
fn starts_line(cursor: &Cursor) -> bool {
    let before = cursor.bytes[..cursor.at].iter().rev();
    before.take_while(|&&b| b != b'\n').all(|b| b.is_ascii_whitespace())
}

/// Takes one literal or the closing 0 (`None`). `most` is the largest variable, 1-based;
/// `header` is whether a header says so.
#[inline]
pub(super) fn literal(cursor: &mut Cursor, most: u32, header: bool) -> Result<Option<Literal>, ReadError> {
    let start = cursor.at;
    let negative = cursor.peek() == Some(b'-');
    let mut at = start + usize::from(negative);
    let first_digit = at;
    let mut value: u64 = 0;
    while let Some(digit) = cursor.bytes.get(at).map(|b| b.wrapping_sub(b'0')).filter(|&d| d < 10) {
        value = (value * 10 + u64::from(digit)).min(1 << 40);
        at += 1;
    }
    let ended = cursor.bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    if at == first_digit || !ended || (negative && value == 0) {
        return Err(cursor.error(
            "a literal (an integer other than 0) or the 0 that ends the clause",
            "Write clauses as variable numbers, negative for negations, each clause closed by 0",
        ));
    }
    if value == 0 {
        cursor.at = at;
        return Ok(None);
    }
    if value > u64::from(most) {
        let (expected, mend) = if header {
            (
                format!("a variable of at most {most}, the number in the header"),
                "Correct the literal, or raise the number of variables in the header",
            )
        } else {
            (format!("a variable of at most {most}"), "Larger problems are not supported")
        };
        return Err(cursor.error(expected, mend));
    }
    cursor.at = at;
    Ok(Some(Literal::new(value as u32 - 1, negative)))
}

/// Refuses to go on when a file holds more literals than a canonical problem may.
pub(super) fn check_room(cursor: &Cursor, literals: usize) -> Result<(), ReadError> {
    if literals > ELEMENTS_MAX as usize {
        return Err(
            cursor.error(format!("at most {ELEMENTS_MAX} literals"), "Larger problems are not supported")
        );
    }
    Ok(())
}

/// Takes `p KIND V C`, up to and without what follows `C`. Returns `V` and `C`.
pub(super) fn header(cursor: &mut Cursor, kind: &str) -> Result<(u32, usize), ReadError> {
    let mend = format!("Begin the file with `p {kind} VARIABLES CLAUSES` before the first clause");
    if next(cursor) == Next::End {
        return Err(cursor.error(format!("the header `p {kind}`"), mend));
    }
    let start = cursor.at;
    if cursor.take_word() != b"p" || cursor.take_word() != kind.as_bytes() {
        cursor.at = start;
        return Err(cursor.error(format!("the header `p {kind}`"), mend));
    }
    let variables = cursor.unsigned("the number of variables", VARIABLES_MAX.into())?;
    check_variables(cursor, variables as u32)?;
    let clauses_at = *cursor;
    let clauses = cursor.unsigned("the number of clauses", u64::MAX)?;
    // Every clause has at least its 0 and a blank.
    if clauses > cursor.remaining() as u64 / 2 + 1 {
        let mut place = clauses_at;
        place.skip_blanks();
        return Err(place.error_found(
            format!("a promise of {clauses} clauses with {} bytes after it", cursor.remaining()),
            "as many clauses as the header says",
            "Correct the header, or fetch the file again if it is cut off",
        ));
    }
    Ok((variables as u32, clauses as usize))
}

/// Checks the number of clauses against the header at the end of the file.
pub(super) fn check_count(cursor: &Cursor, promised: usize, found: usize) -> Result<(), ReadError> {
    if promised == found {
        return Ok(());
    }
    let mend = if found < promised {
        "Correct the header, or fetch the file again if it is cut off"
    } else {
        "Correct the number of clauses in the header"
    };
    Err(cursor.error_found(format!("{found} clauses"), format!("{promised}, the number in the header"), mend))
}

/// What a reader says about clauses that are allowed, but seldom meant.
pub(super) fn clause_notes(unclosed: bool, empty: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if unclosed {
        notes.push("The last clause had no closing 0; the end of the file closed it.".into());
    }
    if empty > 0 {
        notes.push(format!("{empty} clauses are empty: nothing satisfies them."));
    }
    notes
}

/// Takes what nearly all of a file is: literals and zeros between single-byte blanks and line ends. Stops in front of the first
/// word that is anything else, or that anything is to be said about. Returns where.
fn plain_literals(bytes: &[u8], mut at: usize, most: u32, clauses: &mut ClauseList) -> usize {
    /// So many fit 32 bits.
    const DIGITS_MAX: usize = 9;
    loop {
        while matches!(bytes.get(at), Some(b' ' | b'\n')) {
            at += 1;
        }
        let negative = bytes.get(at) == Some(&b'-');
        let first = at + usize::from(negative);
        let (mut end, mut value) = (first, 0u32);
        while let Some(digit) = bytes.get(end).map(|b| b.wrapping_sub(b'0')).filter(|&d| d < 10) {
            value = value.wrapping_mul(10).wrapping_add(digit.into());
            end += 1;
        }
        let is_number =
            (1..=DIGITS_MAX).contains(&(end - first)) && matches!(bytes.get(end), Some(b' ' | b'\n' | b'\r'));
        if !is_number || value > most {
            return at;
        }
        if value > 0 {
            clauses.open(Literal::new(value - 1, negative));
        } else if !negative && clauses.open_length() > 0 && clauses.literals().len() <= ELEMENTS_MAX as usize
        {
            clauses.close();
        } else {
            return at;
        }
        at = end;
    }
}

/// Reads a CNF file.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let mut cursor = Cursor::new(bytes);
    let (variables, promised) = header(&mut cursor, "cnf")?;
    cursor.line_end("the header")?;
    // Both promises are bounded by the length of the file; most files have a literal for every four bytes or fewer.
    let mut clauses = ClauseList::with_room(promised, cursor.remaining() / 4);
    let mut empty = 0;
    loop {
        cursor.at = plain_literals(cursor.bytes, cursor.at, variables, &mut clauses);
        if next(&mut cursor) == Next::End {
            break;
        }
        match literal(&mut cursor, variables, true)? {
            Some(literal) => clauses.open(literal),
            None => {
                empty += usize::from(clauses.open_length() == 0);
                check_room(&cursor, clauses.literals().len())?;
                clauses.close();
            }
        }
    }
    let unclosed = clauses.open_length() > 0;
    if unclosed {
        check_room(&cursor, clauses.literals().len())?;
        clauses.close();
    }
    check_count(&cursor, promised, clauses.len())?;
    let mut document = Document::cnf(Cnf { variables, clauses });
    document.notes = clause_notes(unclosed, empty);
    Ok(document)
}

/// Writes clauses after a header.
pub(crate) fn write(variables: u32, clauses: &ClauseList, comments: &[String], out: &mut Vec<u8>) {
    write_comments("c", comments, out);
    line(out, format_args!("p cnf {variables} {}", clauses.len()));
    for clause in clauses.iter() {
        write_clause(clause, out);
    }
}

/// Writes the literals of a clause, its 0 and the line's end.
pub(super) fn write_clause(clause: &[Literal], out: &mut Vec<u8>) {
    for literal in clause {
        push_integer(literal.to_dimacs(), out);
        out.push(b' ');
    }
    out.extend_from_slice(b"0\n");
}

/// Writes a line.
pub(super) fn line(out: &mut Vec<u8>, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("writing to memory does not fail");
    out.push(b'\n');
}

/// Writes comment lines.
pub(super) fn write_comments(mark: &str, comments: &[String], out: &mut Vec<u8>) {
    for comment in comments {
        line(out, format_args!("{mark} {comment}"));
    }
}

/// Writes an integer without the machinery of formatting, which would dominate large files.
pub(super) fn push_integer(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_out_of_the_ordinary_are_read_as_others_are() {
        let plain = read(b"p cnf 3 4\n1 -2 0\n3 0\n-1 2 3 0\n-3 0\n").expect("a formula");
        for text in [
            "p cnf 3 4\r\n1 -2 0\r\n3 0\r\n-1 2 3 0\r\n-3 0\r\n",
            "p cnf 3 4\n\t1\t-2 0 3\n0 -1 2 3 0\x0c-3 0",
            "p cnf 3 4\n001 -0000000002 0\n3 0 -1 2 3 0 -3 0",
            "p cnf 3 4\nc 1 2 3 0\n1 -2 0\n  c 3 0\n3 0\n-1\n2\n3\n0\n-3",
            "p cnf 3 4\n1 -2 0\n3 0\n-1 2 3 0\n-3 0\n%\n0\n",
        ] {
            let document = read(text.as_bytes()).expect("a formula");
            assert_eq!(document.problem(), plain.problem(), "{text:?}");
        }
        for bad in [
            "p cnf 3 1\n4 0\n",
            "p cnf 3 1\n-0 1 0\n",
            "p cnf 3 1\n1x 0\n",
            "p cnf 3 1\n12345678901234567890 0\n",
        ] {
            assert!(read(bad.as_bytes()).is_err(), "{bad:?}");
        }
        let empty = read(b"p cnf 3 2\n0 1 0\n").expect("a formula");
        assert_eq!(empty.problem().variables(), 3);
        assert_eq!(empty.notes().len(), 1);
    }
}
