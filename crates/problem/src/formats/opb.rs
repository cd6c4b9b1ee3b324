//! Pseudo-Boolean OPB: `min:` or `max:`, then `sum >= bound ;`, coefficients before literals `x1`
//! and `~x1`. Products of two literals are read in an objective without constraints, as a QUBO.

use super::Format;
use super::cursor::{Cursor, quote};
use super::dimacs::{line, push_integer, write_comments};
use super::grid::whole;
use super::grid_write::push_decimal;
use crate::canonical::{Literal, VARIABLES_MAX};
use crate::decimal::{Decimal, Scale, rescale};
use crate::document::Document;
use crate::document::Kind;
use crate::document::pseudo_boolean::{LinearObjective, PseudoBoolean, Relation};
use crate::document::quadratic::{Quadratic, Term};
use crate::error::ReadError;
use crate::read::check_variables;

/// A weighted product of literals.
struct Product {
    weight: Decimal,
    literals: Vec<Literal>,
    /// Where it begins.
    at: usize,
}

#[derive(Default)]
struct Body {
    largest: u32,
    objective: Option<(bool, Vec<Product>)>,
    constraints: PseudoBoolean,
}

/// Reads an OPB file.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let mut cursor = Cursor::new(bytes);
    let declared = declared_variables(bytes);
    let mut body = Body::default();
    let mut first_constraint = None;
    while skip(&mut cursor) {
        let start = cursor;
        if let Some(maximise) = objective_word(&mut cursor)? {
            if body.objective.is_some() || first_constraint.is_some() {
                return Err(start.error(
                    "one objective, before all constraints",
                    "Keep one `min:` and move it to the beginning",
                ));
            }
            let products = sum(&mut cursor, &mut body.largest)?;
            semicolon(&mut cursor)?;
            body.objective = Some((maximise, products));
        } else {
            first_constraint.get_or_insert(start.at);
            constraint(&mut cursor, &mut body)?;
        }
    }
    if body.objective.is_none() && first_constraint.is_none() && declared.is_none() {
        return Err(cursor.error("an objective or a constraint", "Write at least one `sum >= bound ;`"));
    }
    let variables = body.largest.max(declared.unwrap_or(0));
    check_variables(&cursor, variables)?;
    let mut notes = Vec::new();
    if let Some(declared) = declared.filter(|&d| d < body.largest) {
        notes.push(format!("The first line says {declared} variables, but x{} occurs.", body.largest));
    }
    let document = finish(body, variables, bytes, first_constraint.is_some())?;
    Ok(Document { notes, ..document })
}

/// `N` in the comment `* #variable= N #constraint= M` that the competitions ask for.
fn declared_variables(bytes: &[u8]) -> Option<u32> {
    let mut cursor = Cursor::new(bytes);
    let first = cursor.take_line();
    let mut words = first.split(|&b| b.is_ascii_whitespace() || b == b'=').filter(|w| !w.is_empty());
    words.find(|w| *w == b"#variable")?;
    let count: u32 = str::from_utf8(words.next()?).ok()?.parse().ok()?;
    (count <= VARIABLES_MAX).then_some(count)
}

/// Skips blanks and comment lines. Whether something follows.
fn skip(cursor: &mut Cursor) -> bool {
    loop {
        cursor.skip_space();
        match cursor.peek() {
            None => return false,
            Some(b'*') => {
                cursor.take_line();
            }
            Some(_) => return true,
        }
    }
}

/// Takes `min:` or `max:`.
fn objective_word(cursor: &mut Cursor) -> Result<Option<bool>, ReadError> {
    let start = *cursor;
    let maximise = match cursor.bytes[cursor.at..].get(..3) {
        Some(b"min") => false,
        Some(b"max") => true,
        Some(b"sof") => {
            return Err(start.error(
                "`min:`, `max:` or a constraint",
                "Soft constraints (WBO files) are not supported; translate the file to WCNF",
            ));
        }
        _ => return Ok(None),
    };
    cursor.at += 3;
    skip(cursor);
    if cursor.peek() != Some(b':') {
        return Err(cursor.error("`:` after `min` or `max`", "Write `min:` before the objective"));
    }
    cursor.at += 1;
    Ok(Some(maximise))
}

/// The characters that end a word in OPB even without a blank.
fn word<'a>(cursor: &Cursor<'a>) -> &'a [u8] {
    let rest = &cursor.bytes[cursor.at..];
    let ends = |b: &u8| b.is_ascii_whitespace() || b";><=+*".contains(b);
    let length = rest.iter().position(ends).unwrap_or(rest.len());
    &rest[..length]
}

/// Takes weighted products up to a relation, `;` or the end.
fn sum(cursor: &mut Cursor, largest: &mut u32) -> Result<Vec<Product>, ReadError> {
    let mut products: Vec<Product> = Vec::new();
    while skip(cursor) && !matches!(cursor.peek(), Some(b';' | b'>' | b'<' | b'=')) {
        let at = cursor.at;
        let weight = coefficient(cursor)?;
        let mut literals = Vec::new();
        while skip(cursor) && matches!(cursor.peek(), Some(b'~' | b'x')) {
            literals.push(literal(cursor, largest)?);
        }
        if literals.is_empty() {
            return Err(cursor.error(
                "a literal such as `x1` or `~x1` after the coefficient",
                "Name variables x1, x2, ... and write constants on the right side only",
            ));
        }
        products.push(Product { weight, literals, at });
    }
    Ok(products)
}

/// Takes a sign and a number; a literal alone has the coefficient 1.
fn coefficient(cursor: &mut Cursor) -> Result<Decimal, ReadError> {
    let start = *cursor;
    let mut negative = false;
    if let Some(sign @ (b'+' | b'-')) = cursor.peek() {
        negative = sign == b'-';
        cursor.at += 1;
        skip(cursor);
    }
    let mut decimal = if matches!(cursor.peek(), Some(b'~' | b'x')) {
        Decimal { mantissa: 1, decimals: 0 }
    } else {
        let word = word(cursor);
        let unsigned = word.first().is_some_and(|b| b.is_ascii_digit() || *b == b'.');
        let parsed = if unsigned { Decimal::parse(word).ok() } else { None };
        let Some(decimal) = parsed else {
            return Err(start.error(
                "a coefficient that fits 64 bits, such as `+3`, before a literal such as `x1`",
                "Write `+3 x1 -2 ~x2 >= 1 ;`",
            ));
        };
        cursor.at += word.len();
        decimal
    };
    if negative {
        decimal.mantissa = -decimal.mantissa;
    }
    Ok(decimal)
}

/// Takes `x1` or `~x1`.
fn literal(cursor: &mut Cursor, largest: &mut u32) -> Result<Literal, ReadError> {
    let start = *cursor;
    let negative = cursor.peek() == Some(b'~');
    cursor.at += usize::from(negative);
    let name = word(cursor);
    cursor.at += name.len();
    let number = name.strip_prefix(b"x").filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let number = number.and_then(|digits| str::from_utf8(digits).ok()?.parse::<u32>().ok());
    match number {
        Some(number @ 1..=VARIABLES_MAX) => {
            *largest = number.max(*largest);
            Ok(Literal::new(number - 1, negative))
        }
        _ => Err(start.error_found(
            quote(name),
            format!("a variable from x1 to x{VARIABLES_MAX}"),
            "Name variables x1, x2, ...",
        )),
    }
}

fn semicolon(cursor: &mut Cursor) -> Result<(), ReadError> {
    skip(cursor);
    if cursor.peek() != Some(b';') {
        return Err(cursor.error("`;`", "End the objective and each constraint with `;`"));
    }
    cursor.at += 1;
    Ok(())
}

/// Takes `sum >= bound ;`.
fn constraint(cursor: &mut Cursor, body: &mut Body) -> Result<(), ReadError> {
    let products = sum(cursor, &mut body.largest)?;
    let relation = match cursor.bytes[cursor.at..] {
        [b'>', b'=', ..] => Relation::AtLeast,
        [b'<', b'=', ..] => Relation::AtMost,
        [b'=', ..] => Relation::Equal,
        _ => {
            let mend = "Write the constraint as `+1 x1 +2 x2 >= 2 ;`";
            return Err(cursor.error("`>=`, `<=` or `=` after the sum", mend));
        }
    };
    cursor.at += relation.symbol().len();
    skip(cursor);
    let place = *cursor;
    let negative = match cursor.peek() {
        Some(sign @ (b'+' | b'-')) => {
            cursor.at += 1;
            sign == b'-'
        }
        _ => false,
    };
    let digits = word(cursor);
    let bound = Decimal::parse(digits).ok().filter(|d| d.decimals == 0 && digits[0].is_ascii_digit());
    let Some(bound) = bound else {
        return Err(place.error("an integer that fits 64 bits", "Write the bound as an integer"));
    };
    cursor.at += digits.len();
    semicolon(cursor)?;
    let mut terms = Vec::with_capacity(products.len());
    for product in products {
        let place = Cursor { at: product.at, ..*cursor };
        match (product.literals[..].len(), product.weight.decimals) {
            (1, 0) => terms.push((product.weight.mantissa, product.literals[0])),
            (1, _) => {
                return Err(place.error(
                    "an integer coefficient in a constraint",
                    "Multiply the constraint by a power of ten",
                ));
            }
            _ => {
                return Err(place.error_found(
                    "a product of literals in a constraint",
                    "linear constraints",
                    "Give the product a variable of its own and tie it by linear constraints",
                ));
            }
        }
    }
    body.constraints.push(&terms, relation, if negative { -bound.mantissa } else { bound.mantissa });
    Ok(())
}

fn finish(body: Body, variables: u32, bytes: &[u8], constrained: bool) -> Result<Document, ReadError> {
    let Body { objective, mut constraints, .. } = body;
    constraints.variables = variables;
    let Some((maximise, products)) = objective else {
        return Document::pseudo_boolean(constraints).map_err(whole);
    };
    let linear = products.iter().all(|p| p.literals.len() == 1);
    if !linear && constrained {
        let product = products.iter().find(|p| p.literals.len() > 1).expect("one is not linear");
        return Err(Cursor { bytes, at: product.at }.error_found(
            "a product of literals in the objective of a file with constraints",
            "a linear objective",
            "Give the product a variable of its own and tie it by linear constraints, or move the \
             constraints into the objective as penalties",
        ));
    }
    let too_precise = |at: usize| {
        Cursor { bytes, at }.error(
            "coefficients that fit 64 bits when all are scaled to integers",
            "Round them to fewer digits, or divide all of them by a common factor",
        )
    };
    let mut scale = Scale::default();
    if linear {
        let mut terms: Vec<(i64, Literal)> = Vec::with_capacity(products.len());
        for product in &products {
            let rescale_all = |factor| terms.iter_mut().try_for_each(|t| rescale(&mut t.0, factor));
            let weight = scale.join(product.weight, rescale_all).map_err(|_| too_precise(product.at))?;
            terms.push((weight, product.literals[0]));
        }
        constraints.objective = Some(LinearObjective { maximise, terms, decimals: scale.decimals });
        return Document::pseudo_boolean(constraints).map_err(whole);
    }
    let mut terms: Vec<Term> = Vec::with_capacity(products.len());
    let mut offset = 0i64;
    for product in &products {
        let rescale_all = |factor| {
            rescale(&mut offset, factor)?;
            terms.iter_mut().try_for_each(|t| rescale(&mut t.2, factor))
        };
        let weight = scale.join(product.weight, rescale_all).map_err(|_| too_precise(product.at))?;
        let place = Cursor { bytes, at: product.at };
        add_product(&product.literals, weight, &mut terms, &mut offset, place)?;
    }
    let quadratic = Quadratic { variables, terms, offset, decimals: scale.decimals };
    Document::quadratic(Format::Opb, Kind::Qubo, maximise, quadratic).map_err(whole)
}

/// Adds `weight` times the product of one or two literals; `~x` is `1 - x`.
fn add_product(
    literals: &[Literal],
    weight: i64,
    terms: &mut Vec<Term>,
    offset: &mut i64,
    place: Cursor,
) -> Result<(), ReadError> {
    let mut distinct = literals.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.windows(2).any(|w| w[0].variable() == w[1].variable()) {
        return Ok(());
    }
    let mut add_offset = |weight: i64| match offset.checked_add(weight).filter(|&o| o != i64::MIN) {
        Some(sum) => {
            *offset = sum;
            Ok(())
        }
        None => {
            Err(place.error("coefficients whose sum fits 64 bits", "Divide all of them by a common factor"))
        }
    };
    match distinct[..] {
        [a] => {
            let v = a.variable();
            terms.push((v, v, if a.is_negative() { -weight } else { weight }));
            if a.is_negative() {
                add_offset(weight)?;
            }
        }
        [a, b] => {
            let (i, j) = (a.variable(), b.variable());
            let sign = |negative: bool| if negative { -1 } else { 1 };
            terms.push((i, j, sign(a.is_negative() != b.is_negative()) * weight));
            // (1 - x)(1 - y) = 1 - x - y + xy, and x (1 - y) = x - xy.
            if b.is_negative() {
                terms.push((i, i, sign(a.is_negative()) * weight));
            }
            if a.is_negative() {
                terms.push((j, j, sign(b.is_negative()) * weight));
            }
            if a.is_negative() && b.is_negative() {
                add_offset(weight)?;
            }
        }
        _ => {
            return Err(place.error_found(
                format!("a product of {} literals", distinct.len()),
                "products of at most two literals",
                "Give pairs of literals variables of their own until every product has two",
            ));
        }
    }
    Ok(())
}

fn push_literal(literal: Literal, out: &mut Vec<u8>) {
    if literal.is_negative() {
        out.push(b'~');
    }
    out.push(b'x');
    push_integer(i64::from(literal.variable()) + 1, out);
}

fn push_weight(weight: i64, decimals: u32, out: &mut Vec<u8>) {
    if weight >= 0 {
        out.push(b'+');
    }
    push_decimal(weight, decimals, out);
    out.push(b' ');
}

/// Writes linear constraints and objective.
pub(crate) fn write(problem: &PseudoBoolean, comments: &[String], out: &mut Vec<u8>) {
    let constraints = problem.constraints();
    line(out, format_args!("* #variable= {} #constraint= {constraints}", problem.variables));
    write_comments("*", comments, out);
    if let Some(objective) = &problem.objective {
        out.extend_from_slice(if objective.maximise { b"max:" } else { b"min:" });
        for &(weight, literal) in &objective.terms {
            out.push(b' ');
            push_weight(weight, objective.decimals, out);
            push_literal(literal, out);
        }
        out.extend_from_slice(b" ;\n");
    }
    for (terms, relation, bound) in problem.iter() {
        for &(weight, literal) in terms {
            push_weight(weight, 0, out);
            push_literal(literal, out);
            out.push(b' ');
        }
        line(out, format_args!("{} {bound} ;", relation.symbol()));
    }
}

/// Writes a QUBO as an objective with products and no constraint. OPB has no place for an offset.
pub(crate) fn write_quadratic(terms: &Quadratic, maximise: bool, comments: &[String], out: &mut Vec<u8>) {
    line(out, format_args!("* #variable= {} #constraint= 0", terms.variables));
    write_comments("*", comments, out);
    out.extend_from_slice(if maximise { b"max:" } else { b"min:" });
    for &(i, j, weight) in &terms.terms {
        out.push(b' ');
        push_weight(weight, terms.decimals, out);
        push_literal(Literal::new(i.min(j), false), out);
        if i != j {
            out.push(b' ');
            push_literal(Literal::new(i.max(j), false), out);
        }
    }
    out.extend_from_slice(b" ;\n");
}
