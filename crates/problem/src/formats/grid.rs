//! Formats that list one term `i j w` a line: rudy, BiqMac, OR-Library, qbsolv and COO.

use super::Format;
use super::cursor::Cursor;
use crate::canonical::VARIABLES_MAX;
use crate::decimal::{Decimal, Scale, rescale};
use crate::document::quadratic::{Quadratic, Term};
use crate::document::{Document, Kind};
use crate::error::{BuildError, ReadError};
use crate::read::check_variables;

/// The word before an offset in a comment, as QOBLIB's `.qs` files have it.
const OFFSET_WORD: &[u8] = b"ObjectiveOffset";

/// Terms under construction, in a unit that shrinks when a weight needs more decimals.
#[derive(Default)]
struct Terms {
    terms: Vec<Term>,
    scale: Scale,
    offset: i64,
    largest: Option<u32>,
}

impl Terms {
    fn join(&mut self, decimal: Decimal) -> Option<i64> {
        let Self { terms, scale, offset, .. } = self;
        let joined = scale.join(decimal, |factor| {
            rescale(offset, factor)?;
            terms.iter_mut().try_for_each(|t| rescale(&mut t.2, factor))
        });
        joined.ok()
    }
    fn add(&mut self, first: u32, second: u32, weight: Decimal) -> Option<()> {
        let weight = self.join(weight)?;
        self.largest = self.largest.max(Some(first.max(second)));
        self.terms.push((first, second, weight));
        Some(())
    }
}

/// How the lines of a format are to be read.
#[derive(Clone, Copy)]
struct Layout {
    /// The number that the first variable has.
    base: u32,
    /// The largest number that a variable may have, and whether a header says so.
    most: u32,
    header: bool,
    /// Whether a term of two variables counts twice.
    doubled: bool,
}

const INDEX: &str = "the number of a variable";

impl Layout {
    fn zero_based() -> Self {
        Self { base: 0, most: VARIABLES_MAX - 1, header: false, doubled: false }
    }
    fn index(&self, cursor: &mut Cursor) -> Result<u32, ReadError> {
        cursor.skip_blanks();
        let start = *cursor;
        let index = cursor.unsigned(INDEX, u64::MAX)?;
        if index < self.base.into() {
            return Err(start.error("a variable of at least 1", "Count variables from 1 in this format"));
        }
        if index > self.most.into() {
            let mend = match (self.header, self.base) {
                (false, _) => "Larger problems are not supported",
                (true, 0) => "Count variables from 0, or raise the number of variables in the header",
                (true, _) => "Correct the number, or raise the number of variables in the header",
            };
            return Err(start.error(format!("a variable of at most {}", self.most), mend));
        }
        Ok(index as u32 - self.base)
    }
    /// Takes the line `i j w` under the cursor. With `weightless`, `w` may be missing and is 1.
    fn term(&self, cursor: &mut Cursor, terms: &mut Terms, weightless: bool) -> Result<(), ReadError> {
        let first = self.index(cursor)?;
        let second = self.index(cursor)?;
        let start = *cursor;
        let mut weight = if weightless && cursor.at_line_end() {
            Decimal { mantissa: 1, decimals: 0 }
        } else {
            cursor.decimal("a weight")?
        };
        cursor.line_end("the weight")?;
        let fits = if self.doubled && first != second { weight.double() } else { Some(()) };
        fits.and_then(|()| terms.add(first, second, weight)).ok_or_else(|| {
            let mut place = start;
            place.skip_blanks();
            place.error(
                "weights that fit 64 bits when all are scaled to integers",
                "Round the weights to fewer digits, or divide all of them by a common factor",
            )
        })
    }
}

/// Skips blank lines and comment lines, which begin with a byte of `marks`; hands each comment
/// to `comment`. Whether a line of data follows.
fn next_line(
    cursor: &mut Cursor,
    marks: &[u8],
    mut comment: impl FnMut(&Cursor, &[u8]) -> Result<(), ReadError>,
) -> Result<bool, ReadError> {
    loop {
        cursor.skip_space();
        match cursor.peek() {
            None => return Ok(false),
            Some(byte) if marks.contains(&byte) => {
                let start = *cursor;
                let text = cursor.take_line();
                comment(&start, text)?;
            }
            Some(_) => return Ok(true),
        }
    }
}

/// The offset in a comment such as `# ObjectiveOffset 12`.
pub(super) fn parse_offset(comment: &[u8]) -> Option<Decimal> {
    let mut words = comment.split(|&b| b.is_ascii_whitespace() || b == b'=' || b == b':');
    words.find(|w| *w == OFFSET_WORD)?;
    Decimal::parse(words.find(|w| !w.is_empty())?).ok()
}

fn take_offset(terms: &mut Terms, place: &Cursor, comment: &[u8]) -> Result<(), ReadError> {
    let Some(offset) = parse_offset(comment) else { return Ok(()) };
    match terms.join(offset) {
        Some(offset) => {
            terms.offset = offset;
            Ok(())
        }
        None => Err(place.error("an offset that fits 64 bits", "Round it to fewer digits")),
    }
}

/// Takes `N M`: the number of variables and that of terms, which the rest of the file can hold.
fn header(cursor: &mut Cursor, marks: &[u8], terms: &mut Terms, what: &str) -> Result<(u32, u64), ReadError> {
    let mend = format!("Begin with a line of two numbers, the variables and the {what}");
    if !next_line(cursor, marks, |place, text| take_offset(terms, place, text))? {
        return Err(cursor.error("the numbers of variables and terms", mend));
    }
    let variables = cursor.unsigned("the number of variables", VARIABLES_MAX.into())?;
    check_variables(cursor, variables as u32)?;
    let place = *cursor;
    if cursor.at_line_end() {
        return Err(cursor.error(format!("the number of {what} after that of variables"), mend));
    }
    let count = cursor.unsigned(&format!("the number of {what}"), u64::MAX)?;
    check_promise(cursor, place, count, what)?;
    cursor.line_end("the two numbers")?;
    Ok((variables as u32, count))
}

/// Refuses a count that the rest of the file is too short for: a term takes four bytes.
fn check_promise(cursor: &Cursor, mut place: Cursor, count: u64, what: &str) -> Result<(), ReadError> {
    if count <= cursor.remaining() as u64 / 4 + 1 {
        return Ok(());
    }
    place.skip_blanks();
    Err(place.error_found(
        format!("a promise of {count} {what} with {} bytes after it", cursor.remaining()),
        "as many as the header says",
        "Correct the header, or fetch the file again if it is cut off",
    ))
}

fn count_error(cursor: &Cursor, found: u64, promised: u64, what: &str) -> ReadError {
    let mend = if found < promised {
        "Correct the header, or fetch the file again if it is cut off"
    } else {
        "Correct the header, or remove the extra lines"
    };
    let found = if found > promised { format!("more {what}") } else { format!("{found} {what}") };
    cursor.error_found(found, format!("{promised}, the number in the header"), mend)
}

/// Turns build errors, which have no place, into read errors about the whole file.
pub(crate) fn whole(error: BuildError) -> ReadError {
    match error {
        BuildError::ConstraintTooLarge { constraint, most } => ReadError::whole(
            format!(
                "constraint {constraint}, which needs more than {most} partial sums or literals as clauses"
            ),
            "constraints that become a bounded number of clauses",
            "Give it fewer terms or smaller coefficients, or split it",
        ),
        BuildError::WeightsTooLarge { decimals: 0, .. } => ReadError::whole(
            "weights whose absolute sum exceeds 2^62",
            "weights with which energies fit 64 bits",
            "Divide all weights by a common factor",
        ),
        BuildError::WeightsTooLarge { decimals, .. } => ReadError::whole(
            format!("weights whose absolute sum exceeds 2^62 when scaled to integers by 10^{decimals}"),
            "weights with which energies fit 64 bits",
            "Round the weights to fewer digits",
        ),
        other => ReadError::whole(
            other.to_string().trim_end_matches('.'),
            "a problem within the bounds of the canonical form",
            "Larger problems are not supported",
        ),
    }
}

fn finish(
    terms: Terms,
    variables: u32,
    format: Format,
    kind: Kind,
    maximise: bool,
) -> Result<Document, ReadError> {
    let Terms { terms, scale, offset, .. } = terms;
    let quadratic = Quadratic { variables, terms, offset, decimals: scale.decimals };
    let mut notes = Vec::new();
    let repeated = quadratic.repeated();
    if repeated > 0 {
        notes.push(format!("{repeated} terms repeat the variables of another; their weights were summed."));
    }
    if kind == Kind::MaxCut {
        let loops = quadratic.terms.iter().filter(|(i, j, _)| i == j).count();
        if loops > 0 {
            notes.push(format!("{loops} edges join a vertex with itself; no cut contains them."));
        }
    }
    let document = Document::quadratic(format, kind, maximise, quadratic).map_err(whole)?;
    Ok(Document { notes, ..document })
}

/// The counted lines of rudy, BiqMac and OR-Library files.
fn counted(
    cursor: &mut Cursor,
    marks: &[u8],
    layout: Layout,
    terms: &mut Terms,
    count: u64,
    what: &str,
    weightless: bool,
) -> Result<(), ReadError> {
    for found in 0..count {
        if !next_line(cursor, marks, |place, text| take_offset(terms, place, text))? {
            return Err(count_error(cursor, found, count, what));
        }
        layout.term(cursor, terms, weightless)?;
    }
    Ok(())
}

/// Reads rudy's Max-Cut files.
pub(crate) fn read_rudy(bytes: &[u8]) -> Result<Document, ReadError> {
    const MARKS: &[u8] = b"#%c*";
    let mut cursor = Cursor::new(bytes);
    let mut terms = Terms::default();
    let (vertices, edges) = header(&mut cursor, MARKS, &mut terms, "edges")?;
    let layout = Layout { base: 1, most: vertices, header: true, doubled: false };
    let weightless = edges > 0 && first_line_has_two_words(cursor, MARKS);
    counted(&mut cursor, MARKS, layout, &mut terms, edges, "edges", weightless)?;
    if next_line(&mut cursor, MARKS, |_, _| Ok(()))? {
        return Err(count_error(&cursor, edges + 1, edges, "edges"));
    }
    terms.offset = 0;
    let mut document = finish(terms, vertices, Format::Rudy, Kind::MaxCut, true)?;
    if weightless {
        document.notes.push("The edges have no weights; each counts 1.".into());
    }
    Ok(document)
}

fn first_line_has_two_words(mut cursor: Cursor, marks: &[u8]) -> bool {
    matches!(next_line(&mut cursor, marks, |_, _| Ok(())), Ok(true))
        && !cursor.take_word().is_empty()
        && !cursor.take_word().is_empty()
        && cursor.at_line_end()
}

/// Reads BiqMac's sparse QUBO files and QOBLIB's `.qs`.
pub(crate) fn read_sparse(bytes: &[u8]) -> Result<Document, ReadError> {
    const MARKS: &[u8] = b"#%c*";
    let mut cursor = Cursor::new(bytes);
    let mut terms = Terms::default();
    let (variables, entries) = header(&mut cursor, MARKS, &mut terms, "entries")?;
    let layout = Layout { base: 1, most: variables, header: true, doubled: true };
    let body = cursor;
    counted(&mut cursor, MARKS, layout, &mut terms, entries, "entries", false)?;
    if next_line(&mut cursor, MARKS, |place, text| take_offset(&mut terms, place, text))? {
        return Err(count_error(&cursor, entries + 1, entries, "entries"));
    }
    refuse_both_triangles(&terms.terms, body, MARKS)?;
    finish(terms, variables, Format::BiqMacSparse, Kind::Qubo, false)
}

/// An entry of a symmetric matrix counts for both of its places, so listing both is ambiguous.
fn refuse_both_triangles(terms: &[Term], body: Cursor, marks: &[u8]) -> Result<(), ReadError> {
    let key = |i: u32, j: u32| u64::from(i) << 32 | u64::from(j);
    let mut lower: Vec<u64> = terms.iter().filter(|(i, j, _)| i > j).map(|&(i, j, _)| key(j, i)).collect();
    if lower.is_empty() {
        return Ok(());
    }
    lower.sort_unstable();
    let twice = terms.iter().position(|&(i, j, _)| i < j && lower.binary_search(&key(i, j)).is_ok());
    let Some(index) = twice else { return Ok(()) };
    let (i, j, _) = terms[index];
    let mut place = body;
    for skipped in 0..=index {
        next_line(&mut place, marks, |_, _| Ok(()))?;
        if skipped < index {
            place.take_line();
        }
    }
    Err(place.error_found(
        format!("entries for both {} {} and {} {}", i + 1, j + 1, j + 1, i + 1),
        "each pair of variables once, since an off-diagonal entry counts for both of its places",
        "Keep the upper triangle only, or use `--format coo` for terms that count once",
    ))
}

/// Reads one instance of OR-Library's bqp files.
pub(crate) fn read_or_library(bytes: &[u8], instance: Option<usize>) -> Result<Document, ReadError> {
    let mut cursor = Cursor::new(bytes);
    if !next_line(&mut cursor, b"", |_, _| Ok(()))? {
        return Err(cursor.error("the number of instances", "Begin with a line of one number"));
    }
    let place = cursor;
    let instances = cursor.unsigned("the number of instances", u64::MAX)?;
    cursor.line_end("the number of instances")?;
    check_promise(&cursor, place, instances, "instances")?;
    let wanted = match instance {
        None if instances == 1 => 1,
        None => {
            return Err(place.error_found(
                format!("{instances} instances"),
                "a choice of one of them",
                format!("Add `--instance K` with K from 1 to {instances}"),
            ));
        }
        Some(wanted) if (1..=instances).contains(&(wanted as u64)) => wanted as u64,
        Some(wanted) => {
            return Err(place.error_found(
                format!("{instances} instances"),
                format!("at least {}, the one that was asked for", wanted.max(1)),
                format!("Choose `--instance K` with K from 1 to {instances}"),
            ));
        }
    };
    let mut chosen = None;
    for number in 1..=instances {
        let mut terms = Terms::default();
        let (variables, entries) = header(&mut cursor, b"", &mut terms, "entries")?;
        let layout = Layout { base: 1, most: variables, header: true, doubled: true };
        counted(&mut cursor, b"", layout, &mut terms, entries, "entries", false)?;
        if number == wanted {
            chosen = Some((terms, variables));
        }
    }
    if next_line(&mut cursor, b"", |_, _| Ok(()))? {
        return Err(count_error(&cursor, instances + 1, instances, "instances"));
    }
    let (terms, variables) = chosen.expect("the wanted instance is one of those that were read");
    let mut document = finish(terms, variables, Format::OrLibrary, Kind::Qubo, true)?;
    document.notes.push("OR-Library files are maximised: the objective is x'Qx, higher is better.".into());
    Ok(document)
}

/// Reads qbsolv's `p qubo` files.
pub(crate) fn read_qubo(bytes: &[u8]) -> Result<Document, ReadError> {
    const MARKS: &[u8] = b"c#";
    const MEND: &str = "Begin with `p qubo 0 VARIABLES DIAGONALS COUPLERS`";
    let mut cursor = Cursor::new(bytes);
    let mut terms = Terms::default();
    let found = next_line(&mut cursor, MARKS, |place, text| take_offset(&mut terms, place, text))?;
    let start = cursor;
    if !found || cursor.take_word() != b"p" || cursor.take_word() != b"qubo" || cursor.take_word().is_empty()
    {
        return Err(start.error("the header `p qubo`", MEND));
    }
    let variables = cursor.unsigned("the number of variables", VARIABLES_MAX.into())? as u32;
    check_variables(&cursor, variables)?;
    let place = cursor;
    let diagonals = cursor.unsigned("the number of diagonal terms", u64::MAX)?;
    let couplers = cursor.unsigned("the number of couplers", u64::MAX)?;
    cursor.line_end("the header")?;
    let promised = diagonals.saturating_add(couplers);
    check_promise(&cursor, place, promised, "terms")?;
    let layout = Layout { base: 0, most: variables.saturating_sub(1), header: true, doubled: false };
    let (mut seen_diagonals, mut seen_couplers) = (0, 0);
    while next_line(&mut cursor, MARKS, |place, text| take_offset(&mut terms, place, text))? {
        let before = cursor;
        layout.term(&mut cursor, &mut terms, false)?;
        let &(i, j, _) = terms.terms.last().expect("a term was just added");
        if variables == 0 {
            return Err(before.error("no terms, as the header says", MEND));
        }
        *(if i == j { &mut seen_diagonals } else { &mut seen_couplers }) += 1;
        if seen_diagonals > diagonals {
            return Err(count_error(&before, seen_diagonals, diagonals, "diagonal terms"));
        }
        if seen_couplers > couplers {
            return Err(count_error(&before, seen_couplers, couplers, "couplers"));
        }
    }
    if seen_diagonals < diagonals {
        return Err(count_error(&cursor, seen_diagonals, diagonals, "diagonal terms"));
    }
    if seen_couplers < couplers {
        return Err(count_error(&cursor, seen_couplers, couplers, "couplers"));
    }
    finish(terms, variables, Format::Qubo, Kind::Qubo, false)
}

/// The variable type that a comment such as `# vartype: SPIN` names.
fn parse_vartype(comment: &[u8]) -> Option<&[u8]> {
    let at = comment.windows(7).position(|w| w.eq_ignore_ascii_case(b"vartype"))? + 7;
    let rest = comment[at..].trim_ascii_start();
    let (b':' | b'=') = rest.first()? else { return None };
    rest[1..].trim_ascii_start().split(|b| !(b.is_ascii_alphanumeric() || b"._-".contains(b))).next()
}

/// Reads COO files. Without a `vartype` line, the variables are spins in [`Format::IsingCoo`] and
/// of 0 and 1 in [`Format::Coo`].
pub(crate) fn read_coo(bytes: &[u8], format: Format) -> Result<Document, ReadError> {
    const MARKS: &[u8] = b"#c%";
    let mut cursor = Cursor::new(bytes);
    let mut terms = Terms::default();
    let mut header = None;
    let mut comment = |terms: &mut Terms, place: &Cursor, text: &[u8]| {
        take_offset(terms, place, text)?;
        let Some(vartype) = parse_vartype(text) else { return Ok(()) };
        let kind = match vartype.to_ascii_uppercase().as_slice() {
            b"SPIN" => Kind::Ising,
            b"BINARY" => Kind::Qubo,
            _ => {
                return Err(place
                    .error("`vartype` of BINARY or SPIN", "Write `# vartype: SPIN` or `# vartype: BINARY`"));
            }
        };
        let contradicts =
            header.is_some_and(|h| h != kind) || (format == Format::IsingCoo && kind != Kind::Ising);
        if contradicts {
            return Err(place.error(
                "the variable type that the format or an earlier line says",
                "Remove the line, or choose `--format coo`",
            ));
        }
        header = Some(kind);
        Ok(())
    };
    let layout = Layout::zero_based();
    while next_line(&mut cursor, MARKS, |place, text| comment(&mut terms, place, text))? {
        layout.term(&mut cursor, &mut terms, false)?;
    }
    let default = if format == Format::IsingCoo { Kind::Ising } else { Kind::Qubo };
    let variables = terms.largest.map_or(0, |v| v + 1);
    check_variables(&cursor, variables)?;
    finish(terms, variables, format, header.unwrap_or(default), false)
}
