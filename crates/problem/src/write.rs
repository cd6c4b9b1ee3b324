//! Writing a document in any format that can say what it says.

use crate::canonical::Problem;
use crate::document::{AffineMap, Body, Document};
use crate::error::WriteError;
use crate::formats::{self, Format};

/// Writes `document` as `format` to the end of `out`, converting it first where that is exact
/// ([`Document::convert`]). Returns how the objectives relate, which a comment in the file states
/// too where the format has comments: OR-Library's and JSON have none.
///
/// # Errors
/// If the format cannot say what the document says; nothing is written then.
pub fn write(document: &Document, format: Format, out: &mut Vec<u8>) -> Result<AffineMap, WriteError> {
    let (document, map) = document.convert(format)?;
    let comments: Vec<String> = map.describe().into_iter().collect();
    match (&document.body, &document.canonical.problem) {
        (Body::Clauses, Problem::Cnf(cnf)) => {
            formats::dimacs::write(cnf.variables, &cnf.clauses, &comments, out);
        }
        (Body::Clauses, Problem::Wcnf(wcnf)) if format == Format::DimacsCnf => {
            formats::dimacs::write(wcnf.variables, &wcnf.soft, &comments, out);
        }
        (Body::Clauses, Problem::Wcnf(wcnf)) => {
            let decimals = document.canonical.objective.decimals();
            formats::wcnf::write(wcnf, decimals, format, &comments, out);
        }
        (Body::Clauses, Problem::Ising(_)) => unreachable!("a document of clauses has a clausal problem"),
        (Body::PseudoBoolean(terms), _) => formats::opb::write(terms, &comments, out),
        (Body::Quadratic(terms), _) => match format {
            Format::Opb => formats::opb::write_quadratic(terms, document.maximise, &comments, out),
            Format::Rudy => formats::grid_write::write_rudy(terms, &comments, out),
            Format::Qubo => formats::grid_write::write_qubo(terms, &comments, out),
            Format::BiqMacSparse | Format::OrLibrary => {
                formats::grid_write::write_sparse(terms, format, &comments, out);
            }
            Format::BqmJson => {
                formats::bqm_json::write(terms, document.kind, document.variable_labels(), out);
            }
            _ => formats::grid_write::write_coo(terms, document.kind, &comments, out),
        },
    }
    Ok(map)
}
