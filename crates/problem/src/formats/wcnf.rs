//! WCNF in both forms: `p wcnf V C TOP` of the years before 2022, and the one without a header.

use super::Format;
use super::cursor::Cursor;
use super::dimacs::{self, Next, line, next};
use super::grid::parse_offset;
use super::grid_write::push_decimal;
use crate::canonical::{Literal, Problem, VARIABLES_MAX, WEIGHT_SUM_MAX, Wcnf};
use crate::decimal::{Decimal, Scale, rescale};
use crate::document::{Document, Kind};
use crate::error::ReadError;
use crate::read::check_variables;

/// What stands before a clause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Hard,
    Soft(i64),
}

#[derive(Default)]
struct Builder {
    wcnf: Wcnf,
    scale: Scale,
    /// The sum of soft weights in the present unit.
    sum: i128,
    zero_weights: usize,
    empty: usize,
    clauses: usize,
    largest: u32,
}

const WEIGHT: &str = "the weight of the clause, a positive number";

/// Reads either form, as its first line tells.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let mut cursor = Cursor::new(bytes);
    let offset_text = find_offset(&mut cursor);
    let mut builder = Builder::default();
    let mut header = None;
    let mut format = Format::WcnfNew;
    if next(&mut cursor) == Next::Word && cursor.word() == b"p" {
        format = Format::WcnfOld;
        let (variables, clauses) = dimacs::header(&mut cursor, "wcnf")?;
        let top =
            if cursor.at_line_end() { None } else { Some(cursor.unsigned("the top weight", u64::MAX)?) };
        cursor.line_end("the header")?;
        header = Some((variables, clauses, top));
    }
    let most = header.map_or(VARIABLES_MAX, |h| h.0);
    let mut clause: Vec<Literal> = Vec::new();
    let mut unclosed = false;
    while next(&mut cursor) == Next::Word {
        let weight = builder.weight(&mut cursor, header.and_then(|h| h.2), header.is_some())?;
        clause.clear();
        loop {
            if next(&mut cursor) == Next::End {
                unclosed = true;
                break;
            }
            match dimacs::literal(&mut cursor, most, header.is_some())? {
                Some(literal) => clause.push(literal),
                None => break,
            }
        }
        builder.push(&cursor, weight, &clause)?;
    }
    if let Some((_, promised, _)) = header {
        dimacs::check_count(&cursor, promised, builder.clauses)?;
    }
    builder.wcnf.variables = header.map_or(builder.largest, |h| h.0);
    check_variables(&cursor, builder.wcnf.variables)?;
    builder.finish(offset_text, unclosed, format).map_err(|error| error.at(bytes, bytes.len()))
}

/// The offset that our writer leaves in a comment before the first clause, if any.
fn find_offset(cursor: &mut Cursor) -> Option<Decimal> {
    let mut ahead = *cursor;
    loop {
        ahead.skip_space();
        if ahead.peek() != Some(b'c') {
            return None;
        }
        if let Some(offset) = parse_offset(ahead.take_line()) {
            return Some(offset);
        }
    }
}

impl Builder {
    fn weight(&mut self, cursor: &mut Cursor, top: Option<u64>, header: bool) -> Result<Weight, ReadError> {
        if cursor.word() == b"h" {
            if header {
                return Err(cursor
                    .error(WEIGHT, "Write the top weight for hard clauses, or leave out the `p wcnf` line"));
            }
            cursor.at += 1;
            return Ok(Weight::Hard);
        }
        if cursor.word() == b"p" {
            return Err(cursor.error(
                "`h` or a weight before each clause",
                "Write the `p wcnf` line once, before all clauses, or not at all",
            ));
        }
        // Tops are often 2^63 or more, beyond what a weight may be.
        if let Some(top) = top {
            let word = cursor.word();
            let digits = word.iter().all(u8::is_ascii_digit) && !word.is_empty();
            let weight = word.iter().fold(0u64, |w, b| w.saturating_mul(10).saturating_add((b & 15).into()));
            if digits && weight >= top {
                cursor.at += word.len();
                return Ok(Weight::Hard);
            }
        }
        let start = *cursor;
        let decimal = cursor.decimal(WEIGHT)?;
        if decimal.mantissa < 0 {
            return Err(start.error(
                WEIGHT,
                "A soft clause of negative weight rewards its violation: replace it by clauses of \
                 positive weight for its negation",
            ));
        }
        let weights = &mut self.wcnf.weights;
        let sum = &mut self.sum;
        let mut rescale_all = |factor: i64| {
            *sum *= i128::from(factor);
            weights.iter_mut().try_for_each(|w| {
                let mut signed = *w as i64;
                rescale(&mut signed, factor)?;
                *w = signed as u64;
                Ok(())
            })
        };
        match self.scale.join(decimal, &mut rescale_all) {
            Ok(weight) => Ok(Weight::Soft(weight)),
            Err(_) => Err(start.error(
                "weights that fit 64 bits when all are scaled to integers",
                "Round the weights to fewer digits",
            )),
        }
    }

    fn push(&mut self, cursor: &Cursor, weight: Weight, clause: &[Literal]) -> Result<(), ReadError> {
        self.clauses += 1;
        let literals = self.wcnf.hard.literals().len() + self.wcnf.soft.literals().len();
        dimacs::check_room(cursor, literals + clause.len())?;
        self.largest = clause.iter().map(|l| l.variable() + 1).fold(self.largest, u32::max);
        self.empty += usize::from(clause.is_empty());
        match weight {
            Weight::Hard => self.wcnf.hard.push(clause),
            Weight::Soft(0) => self.zero_weights += 1,
            Weight::Soft(weight) => {
                self.sum += i128::from(weight);
                self.wcnf.soft.push(clause);
                self.wcnf.weights.push(weight as u64);
            }
        }
        Ok(())
    }

    fn finish(
        mut self,
        offset: Option<Decimal>,
        unclosed: bool,
        format: Format,
    ) -> Result<Document, ReadError> {
        let too_large = |found: String| {
            ReadError::whole(
                found,
                "soft weights that sum to at most 2^62 when scaled to integers",
                "Divide the weights by a common factor, round them, or make clauses of such weight hard",
            )
        };
        if let Some(offset) = offset {
            let weights = &mut self.wcnf.weights;
            let sum = &mut self.sum;
            let joined = self.scale.join(offset, |factor| {
                *sum *= i128::from(factor);
                weights.iter_mut().try_for_each(|w| {
                    let mut signed = *w as i64;
                    rescale(&mut signed, factor)?;
                    *w = signed as u64;
                    Ok(())
                })
            });
            self.wcnf.offset =
                joined.map_err(|_| too_large("an offset that needs too many digits".into()))?;
        }
        let total = self.sum + i128::from(self.wcnf.offset.unsigned_abs());
        if total > i128::from(WEIGHT_SUM_MAX) {
            return Err(too_large(format!("soft weights that sum to {total}")));
        }
        let mut notes = dimacs::clause_notes(unclosed, self.empty);
        if self.zero_weights > 0 {
            notes.push(format!("{} soft clauses of weight 0 were left out.", self.zero_weights));
        }
        let problem = Problem::Wcnf(self.wcnf);
        let document = Document::clauses(format, Kind::Wcnf, problem, self.scale.decimals);
        Ok(Document { notes, ..document })
    }
}

/// Writes either form. Weights are in units of `10^-decimals`.
pub(crate) fn write(wcnf: &Wcnf, decimals: u32, format: Format, comments: &[String], out: &mut Vec<u8>) {
    dimacs::write_comments("c", comments, out);
    if wcnf.offset != 0 {
        out.extend_from_slice(b"c ObjectiveOffset ");
        push_decimal(wcnf.offset, decimals, out);
        out.push(b'\n');
    }
    // Old readers want an integer top, so it is rounded up; every soft weight is below it.
    let sum: u128 = wcnf.weights.iter().map(|&w| u128::from(w)).sum();
    let top = sum / 10u128.pow(decimals) + 1;
    if format == Format::WcnfOld {
        let count = wcnf.hard.len() + wcnf.soft.len();
        line(out, format_args!("p wcnf {} {count} {top}", wcnf.variables));
    }
    for clause in wcnf.hard.iter() {
        match format {
            Format::WcnfOld => out.extend_from_slice(top.to_string().as_bytes()),
            _ => out.push(b'h'),
        }
        out.push(b' ');
        dimacs::write_clause(clause, out);
    }
    for (clause, &weight) in wcnf.soft.iter().zip(&wcnf.weights) {
        push_decimal(weight as i64, decimals, out);
        out.push(b' ');
        dimacs::write_clause(clause, out);
    }
}
