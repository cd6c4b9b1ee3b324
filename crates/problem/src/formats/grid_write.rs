//! Writers of the formats that list one term `i j w` a line.

use super::Format;
use super::dimacs::{line, push_integer, write_comments};
use crate::document::Kind;
use crate::document::quadratic::{Quadratic, Term};
use crate::objective::Objective;

/// Writes a weight in units of `10^-decimals` with as few digits as it needs.
pub(super) fn push_decimal(value: i64, decimals: u32, out: &mut Vec<u8>) {
    if decimals == 0 {
        push_integer(value, out);
    } else {
        let exact = Objective::new(value.into(), decimals);
        out.extend_from_slice(exact.to_string().as_bytes());
    }
}

fn write_term(i: u32, j: u32, weight: i64, decimals: u32, out: &mut Vec<u8>) {
    push_integer(i.into(), out);
    out.push(b' ');
    push_integer(j.into(), out);
    out.push(b' ');
    push_decimal(weight, decimals, out);
    out.push(b'\n');
}

fn write_offset(mark: &str, terms: &Quadratic, out: &mut Vec<u8>) {
    if terms.offset != 0 {
        out.extend_from_slice(mark.as_bytes());
        out.extend_from_slice(b" ObjectiveOffset ");
        push_decimal(terms.offset, terms.decimals, out);
        out.push(b'\n');
    }
}

/// Writes rudy's form. A graph has no offset.
pub(crate) fn write_rudy(terms: &Quadratic, comments: &[String], out: &mut Vec<u8>) {
    write_comments("#", comments, out);
    line(out, format_args!("{} {}", terms.variables, terms.terms.len()));
    for &(i, j, weight) in &terms.terms {
        write_term(i + 1, j + 1, weight, terms.decimals, out);
    }
}

/// Writes BiqMac's sparse form, and OR-Library's with its one instance; off-diagonal weights are
/// halved, because they count twice.
pub(crate) fn write_sparse(terms: &Quadratic, format: Format, comments: &[String], out: &mut Vec<u8>) {
    if format == Format::OrLibrary {
        out.extend_from_slice(b"1\n");
    } else {
        write_comments("#", comments, out);
        write_offset("#", terms, out);
    }
    line(out, format_args!("{} {}", terms.variables, terms.terms.len()));
    for &(i, j, weight) in &terms.terms {
        let (i, j) = (i.min(j) + 1, i.max(j) + 1);
        if i == j {
            write_term(i, j, weight, terms.decimals, out);
        } else if weight % 2 == 0 {
            write_term(i, j, weight / 2, terms.decimals, out);
        } else {
            line(out, format_args!("{i} {j} {}", half(weight, terms.decimals)));
        }
    }
}

fn half(weight: i64, decimals: u32) -> Objective {
    Objective::new(i128::from(weight) * 5, decimals + 1)
}

/// Writes qbsolv's form, diagonal terms first.
pub(crate) fn write_qubo(terms: &Quadratic, comments: &[String], out: &mut Vec<u8>) {
    write_comments("c", comments, out);
    write_offset("c", terms, out);
    let diagonal = |t: &&Term| t.0 == t.1;
    let diagonals = terms.terms.iter().filter(diagonal).count();
    let couplers = terms.terms.len() - diagonals;
    line(out, format_args!("p qubo 0 {} {diagonals} {couplers}", terms.variables));
    let ordered = terms.terms.iter().filter(diagonal).chain(terms.terms.iter().filter(|t| !diagonal(t)));
    for &(i, j, weight) in ordered {
        write_term(i.min(j), i.max(j), weight, terms.decimals, out);
    }
}

/// Writes COO with the variable type in a comment that dimod understands.
pub(crate) fn write_coo(terms: &Quadratic, kind: Kind, comments: &[String], out: &mut Vec<u8>) {
    let vartype = if kind == Kind::Ising { "SPIN" } else { "BINARY" };
    line(out, format_args!("# vartype={vartype}"));
    write_comments("#", comments, out);
    write_offset("#", terms, out);
    for &(i, j, weight) in &terms.terms {
        write_term(i, j, weight, terms.decimals, out);
    }
    // The largest index is the only sign of how many variables there are.
    let largest = terms.terms.iter().map(|t| t.0.max(t.1) + 1).max().unwrap_or(0);
    if largest < terms.variables {
        write_term(terms.variables - 1, terms.variables - 1, 0, 0, out);
    }
}
