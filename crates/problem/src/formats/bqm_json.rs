//! dimod's binary quadratic model as JSON: `json.dumps(bqm.to_serializable())`, schema 2 and 3.

use std::io::Write;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Format;
use super::cursor::{Cursor, quote};
use super::grid::whole;
use crate::canonical::VARIABLES_MAX;
use crate::decimal::{Decimal, DecimalError, Scale, rescale};
use crate::document::quadratic::{Quadratic, Term};
use crate::document::{Document, Kind};
use crate::error::ReadError;
use crate::objective::Objective;

const MEND: &str = "Write the file with `json.dump(bqm.to_serializable(), file)`";

/// The fields as they stand; parsed one by one so that errors have their place.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    use_bytes: Option<&'a RawValue>,
    #[serde(borrow)]
    num_variables: Option<&'a RawValue>,
    #[serde(borrow)]
    num_interactions: Option<&'a RawValue>,
    #[serde(borrow)]
    variable_labels: Option<&'a RawValue>,
    #[serde(borrow)]
    variable_type: Option<&'a RawValue>,
    #[serde(borrow)]
    offset: Option<&'a RawValue>,
    #[serde(borrow)]
    linear_biases: Option<&'a RawValue>,
    #[serde(borrow)]
    quadratic_biases: Option<&'a RawValue>,
    #[serde(borrow)]
    quadratic_head: Option<&'a RawValue>,
    #[serde(borrow)]
    quadratic_tail: Option<&'a RawValue>,
}

/// The file, to find the place of a borrowed part of it.
#[derive(Clone, Copy)]
struct File<'a>(&'a str);

impl<'a> File<'a> {
    /// A cursor at `part`, which must be borrowed from the file.
    fn at(self, part: &str) -> Cursor<'a> {
        let at = (part.as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize);
        Cursor { bytes: self.0.as_bytes(), at: at.min(self.0.len()) }
    }
    /// Parses `text`, a part of the file.
    fn parse<T: Deserialize<'a>>(self, text: &'a str, what: &str) -> Result<T, ReadError> {
        serde_json::from_str(text).map_err(|error| {
            let start = self.at(text);
            let line_at =
                text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
            let mut at = (start.at + line_at + error.column().saturating_sub(1)).min(self.0.len());
            while !self.0.is_char_boundary(at) {
                at -= 1;
            }
            let place = Cursor { at, ..start };
            // The parser adds its own line and column, which are those of the part.
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default();
            place.error_found(format!("something else ({reason})"), what, MEND)
        })
    }
    fn field<T: Deserialize<'a>>(self, field: Option<&'a RawValue>, name: &str) -> Result<T, ReadError> {
        let Some(raw) = field else {
            return Err(self.at(self.0).error_found(
                format!("an object without `{name}`"),
                format!("the field `{name}` of a binary quadratic model"),
                MEND,
            ));
        };
        self.parse(raw.get(), &format!("a `{name}` of the right type"))
    }
    fn decimal(self, raw: &RawValue) -> Result<Decimal, ReadError> {
        let word = raw.get();
        Decimal::parse(word.as_bytes()).map_err(|error| match error {
            DecimalError::NotANumber => self.at(word).error_found(quote(word.as_bytes()), "a number", MEND),
            DecimalError::TooPrecise => self.at(word).error_found(
                quote(word.as_bytes()),
                "a number that fits 64 bits with at most 18 digits after the point",
                "Round the biases, or divide all of them by a common factor",
            ),
        })
    }
}

struct Terms {
    terms: Vec<Term>,
    scale: Scale,
}

impl Terms {
    fn join(&mut self, file: File, raw: &RawValue) -> Result<i64, ReadError> {
        let decimal = file.decimal(raw)?;
        let Self { terms, scale } = self;
        scale.join(decimal, |factor| terms.iter_mut().try_for_each(|t| rescale(&mut t.2, factor))).map_err(
            |_| {
                file.at(raw.get()).error_found(
                    quote(raw.get().as_bytes()),
                    "biases that fit 64 bits when all are scaled to integers",
                    "Round the biases to fewer digits, or divide all of them by a common factor",
                )
            },
        )
    }
}

/// Reads a model.
pub(crate) fn read(bytes: &[u8]) -> Result<Document, ReadError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        Cursor { bytes, at: error.valid_up_to() }.error_found("a byte that is not UTF-8", "JSON text", MEND)
    })?;
    let file = File(text);
    let fields: Fields = file.parse(text, "a JSON object that is a binary quadratic model")?;
    if let Some(raw) = fields.model {
        let model: String = file.parse(raw.get(), "the name of a type")?;
        if !model.ends_with("BinaryQuadraticModel") && !model.ends_with("BQM") {
            return Err(file.at(raw.get()).error_found(
                quote(model.as_bytes()),
                "a `BinaryQuadraticModel`",
                "Convert the model to a binary quadratic model first",
            ));
        }
    }
    if let Some(raw) = fields.use_bytes
        && file.parse(raw.get(), "`use_bytes` of true or false")?
    {
        return Err(file.at(raw.get()).error("`use_bytes` of false", MEND));
    }
    let vartype: String = file.field(fields.variable_type, "variable_type")?;
    let kind = match vartype.as_str() {
        "SPIN" => Kind::Ising,
        "BINARY" => Kind::Qubo,
        _ => {
            let place = file.at(fields.variable_type.map_or(text, RawValue::get));
            return Err(place.error_found(quote(vartype.as_bytes()), "SPIN or BINARY", MEND));
        }
    };
    let linear: Vec<&RawValue> = file.field(fields.linear_biases, "linear_biases")?;
    let quadratic: Vec<&RawValue> = file.field(fields.quadratic_biases, "quadratic_biases")?;
    let head: Vec<u32> = file.field(fields.quadratic_head, "quadratic_head")?;
    let tail: Vec<u32> = file.field(fields.quadratic_tail, "quadratic_tail")?;
    let labels: Vec<Value> = file.field(fields.variable_labels, "variable_labels")?;
    let variables = linear.len();
    let length = |raw: Option<&RawValue>, found: usize, expected: usize, what: &str| {
        if found == expected {
            return Ok(());
        }
        let place = file.at(raw.map_or(text, RawValue::get));
        Err(place.error_found(format!("{found} {what}"), format!("{expected}"), MEND))
    };
    length(fields.variable_labels, labels.len(), variables, "variable labels")?;
    length(fields.quadratic_head, head.len(), quadratic.len(), "quadratic heads")?;
    length(fields.quadratic_tail, tail.len(), quadratic.len(), "quadratic tails")?;
    let counts = [
        (fields.num_variables, variables, "variables"),
        (fields.num_interactions, quadratic.len(), "interactions"),
    ];
    for (raw, found, what) in counts {
        if let Some(promised) = raw {
            let promised: u64 = file.parse(promised.get(), "a count")?;
            length(raw, found, usize::try_from(promised).unwrap_or(usize::MAX), what)?;
        }
    }
    if variables > VARIABLES_MAX as usize {
        return Err(ReadError::whole(
            format!("{variables} variables"),
            format!("at most {VARIABLES_MAX}"),
            "Larger problems are not supported",
        ));
    }
    let mut terms = Terms { terms: Vec::new(), scale: Scale::default() };
    for (index, raw) in (0..).zip(&linear) {
        let weight = terms.join(file, raw)?;
        if weight != 0 {
            terms.terms.push((index, index, weight));
        }
    }
    for ((raw, &i), &j) in quadratic.iter().zip(&head).zip(&tail) {
        if i as usize >= variables || j as usize >= variables || i == j {
            return Err(file.at(raw.get()).error_found(
                format!("an interaction of variables {i} and {j}"),
                format!("two different variables below {variables}"),
                MEND,
            ));
        }
        let weight = terms.join(file, raw)?;
        terms.terms.push((i, j, weight));
    }
    let offset = match fields.offset {
        Some(raw) => terms.join(file, raw)?,
        None => 0,
    };
    let decimals = terms.scale.decimals;
    let quadratic = Quadratic { variables: variables as u32, terms: terms.terms, offset, decimals };
    let document = Document::quadratic(Format::BqmJson, kind, false, quadratic).map_err(whole)?;
    Ok(Document { labels: Some(labels), ..document })
}

/// Writes a model, its variables labelled 0, 1, ... unless it has labels.
pub(crate) fn write(terms: &Quadratic, kind: Kind, labels: Option<&[Value]>, out: &mut Vec<u8>) {
    let mut linear = vec![0i128; terms.variables as usize];
    for &(i, _, weight) in terms.terms.iter().filter(|t| t.0 == t.1) {
        linear[i as usize] += i128::from(weight);
    }
    let quadratic = || terms.terms.iter().filter(|t| t.0 != t.1);
    let list = |name: &str, values: &mut dyn Iterator<Item = String>, out: &mut Vec<u8>| {
        write!(out, ",\n\"{name}\": [").expect(WRITES);
        for (index, value) in values.enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(out, "{comma}{value}").expect(WRITES);
        }
        out.push(b']');
    };
    let bias = |weight: i128| Objective::new(weight, terms.decimals).to_string();
    let vartype = if kind == Kind::Ising { "SPIN" } else { "BINARY" };
    write!(
        out,
        "{{\"type\": \"BinaryQuadraticModel\", \"version\": {{\"bqm_schema\": \"3.0.0\"}}, \"use_bytes\": false,\n\
         \"index_type\": \"int32\", \"bias_type\": \"float64\", \"num_variables\": {}, \"num_interactions\": {},\n\
         \"variable_type\": \"{vartype}\", \"offset\": {}, \"info\": {{}}",
        terms.variables,
        quadratic().count(),
        bias(terms.offset.into()),
    )
    .expect(WRITES);
    match labels {
        Some(labels) => list("variable_labels", &mut labels.iter().map(Value::to_string), out),
        None => list("variable_labels", &mut (0..terms.variables).map(|v| v.to_string()), out),
    }
    list("linear_biases", &mut linear.iter().map(|&w| bias(w)), out);
    list("quadratic_biases", &mut quadratic().map(|t| bias(t.2.into())), out);
    list("quadratic_head", &mut quadratic().map(|t| t.0.to_string()), out);
    list("quadratic_tail", &mut quadratic().map(|t| t.1.to_string()), out);
    out.extend_from_slice(b"}\n");
}

const WRITES: &str = "writing to memory does not fail";
