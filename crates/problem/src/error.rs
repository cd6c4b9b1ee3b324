//! What goes wrong when a file is read, converted or written, in sentences that a person can act on.

use thiserror::Error;

/// A place in a file, after decompression; both numbers count from 1, columns in characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl Position {
    /// The position of byte `offset` of `bytes`.
    pub(crate) fn of(bytes: &[u8], offset: usize) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let newlines = before.iter().filter(|&&b| b == b'\n').count();
        // Continuation bytes of UTF-8 are no columns of their own.
        let characters = before[line_start..].iter().filter(|&&b| b & 0xc0 != 0x80).count();
        Self { line: newlines as u64 + 1, column: characters as u64 + 1 }
    }
}

/// Why a file was refused. Its message has one sentence each for what was found, what was
/// expected and how to mend the file.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{}Found {found}. Expected {expected}. {mend}.", place(.position))]
pub struct ReadError {
    /// Where, unless the whole file is meant.
    pub position: Option<Position>,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
    /// What the owner of the file can do.
    pub mend: String,
}

fn place(position: &Option<Position>) -> String {
    match position {
        Some(Position { line, column }) => format!("line {line}, column {column}: "),
        None => String::new(),
    }
}

impl ReadError {
    /// An error about the file as a whole.
    pub(crate) fn whole(
        found: impl Into<String>,
        expected: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { position: None, found: found.into(), expected: expected.into(), mend: mend.into() }
    }
    /// The same error at byte `offset` of `bytes`.
    pub(crate) fn at(self, bytes: &[u8], offset: usize) -> Self {
        Self { position: Some(Position::of(bytes, offset)), ..self }
    }
    /// The line, 1-based, if the error has a place.
    pub fn line(&self) -> Option<u64> {
        self.position.map(|p| p.line)
    }
    /// The column, 1-based, if the error has a place.
    pub fn column(&self) -> Option<u64> {
        self.position.map(|p| p.column)
    }
}

/// Why a document cannot be written in a format.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum WriteError {
    /// The format cannot say what the document says.
    #[error("{} {from} document cannot be written as {to}: {reason}.", article(from))]
    NotExpressible {
        /// The kind of the document.
        from: &'static str,
        /// The name of the format.
        to: &'static str,
        /// Why not, and what to do instead.
        reason: String,
    },
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['A', 'E', 'I', 'O']) { "An" } else { "A" }
}

/// Why parts do not make a document.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum BuildError {
    /// A term names a variable that the document does not have.
    #[error("Variable {variable} is not below the number of variables, {variables}.")]
    VariableOutOfRange {
        /// The 0-based variable.
        variable: u32,
        /// The number of variables.
        variables: u32,
    },
    /// There are more variables or terms than the canonical form may have.
    #[error("There are {count} {what}, more than {most}.")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many there may be.
        most: u64,
    },
    /// Scaled to integers, the weights exceed the bound on their sum.
    #[error(
        "The absolute weights sum to {sum} when scaled to integers (by 10^{decimals}), more than 2^62. \
         Round the weights to fewer digits."
    )]
    WeightsTooLarge {
        /// The sum of absolute canonical weights, or `i128::MAX` if it is larger.
        sum: i128,
        /// The decimal digits after the point that the weights need.
        decimals: u32,
    },
    /// A pseudo-Boolean constraint would need too many clauses.
    #[error(
        "Constraint {constraint} (1-based) needs more than {most} partial sums or literals as clauses. \
         Give it fewer terms or smaller coefficients, or split it."
    )]
    ConstraintTooLarge {
        /// The 1-based number of the constraint in the file.
        constraint: usize,
        /// The bound.
        most: usize,
    },
    /// A canonical problem breaks an invariant of its type.
    #[error("The problem is not canonical: {0}.")]
    NotCanonical(String),
}
