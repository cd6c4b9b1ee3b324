//! A cursor over the bytes of a file: blanks, words, numbers and errors with their place.

use crate::decimal::{Decimal, DecimalError};
use crate::error::ReadError;

/// The most bytes of a word that an error message quotes.
const QUOTED_BYTES_MAX: usize = 40;

/// Reads words and numbers; positions for messages are computed only when there is an error.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }
    /// Skips blanks within the line.
    pub fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }
    /// Skips blanks and line ends.
    pub fn skip_space(&mut self) {
        while self.peek().is_some_and(|b| is_blank(b) || b == b'\n') {
            self.at += 1;
        }
    }
    /// Skips what is left of the line, and its end; returns what was skipped without the end.
    pub fn take_line(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        self.at += (length + 1).min(rest.len());
        &rest[..length]
    }
    pub fn at_end(&self) -> bool {
        self.at == self.bytes.len()
    }
    /// Whether only blanks are left on the line; skips them.
    pub fn at_line_end(&mut self) -> bool {
        self.skip_blanks();
        matches!(self.peek(), None | Some(b'\n'))
    }
    /// The word under the cursor: bytes up to the next blank or line end. Does not move.
    pub fn word(&self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&b| is_blank(b) || b == b'\n').unwrap_or(rest.len());
        &rest[..length]
    }
    /// Skips blanks and takes the next word of the line; empty at the line's end.
    pub fn take_word(&mut self) -> &'a [u8] {
        self.skip_blanks();
        let word = self.word();
        self.at += word.len();
        word
    }
    /// What an error message says is under the cursor.
    pub fn describe(&self) -> String {
        let word = self.word();
        match self.peek() {
            None => "the end of the file".into(),
            Some(b'\n') => "the end of the line".into(),
            Some(_) if word.is_empty() => "a blank".into(),
            Some(0) => "a NUL byte".into(),
            Some(_) => quote(word),
        }
    }
    /// An error at the cursor about what is there.
    pub fn error(&self, expected: impl Into<String>, mend: impl Into<String>) -> ReadError {
        ReadError::whole(self.describe(), expected, mend).at(self.bytes, self.at)
    }
    /// An error at the cursor with its own words for what is there.
    pub fn error_found(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        mend: impl Into<String>,
    ) -> ReadError {
        ReadError::whole(found, expected, mend).at(self.bytes, self.at)
    }
    /// Takes an unsigned integer of at most `most` on this line, called `what` in messages.
    pub fn unsigned(&mut self, what: &str, most: u64) -> Result<u64, ReadError> {
        self.skip_blanks();
        let mut end = self.at;
        let mut value: u64 = 0;
        while let Some(digit) = self.bytes.get(end).map(|b| b.wrapping_sub(b'0')).filter(|&d| d < 10) {
            value = value.saturating_mul(10).saturating_add(digit.into());
            end += 1;
        }
        let ended = self.bytes.get(end).is_none_or(|&b| is_blank(b) || b == b'\n');
        if end == self.at || !ended {
            return Err(self.error(what, "Write a non-negative integer there"));
        }
        if value > most {
            return Err(self.error(
                format!("{what} of at most {most}"),
                "Check the number; larger problems are not supported",
            ));
        }
        self.at = end;
        Ok(value)
    }
    /// Takes a weight on this line: an integer or an exact decimal.
    pub fn decimal(&mut self, what: &str) -> Result<Decimal, ReadError> {
        self.skip_blanks();
        let word = self.word();
        match Decimal::parse(word) {
            Ok(decimal) => {
                self.at += word.len();
                Ok(decimal)
            }
            Err(DecimalError::NotANumber) => {
                Err(self.error(what, "Write an integer or a decimal number there"))
            }
            Err(DecimalError::TooPrecise) => Err(self.error(
                format!("{what} that fits 64 bits with at most 18 digits after the point"),
                "Round the weights, or divide all of them by a common factor",
            )),
        }
    }
    /// Takes the end of the line, with nothing before it but blanks.
    pub fn line_end(&mut self, after: &str) -> Result<(), ReadError> {
        if !self.at_line_end() {
            return Err(self.error(format!("the end of the line after {after}"), "Remove the extra text"));
        }
        self.at = (self.at + 1).min(self.bytes.len());
        Ok(())
    }
}

/// `bytes` in quotes for a message, shortened, with everything unprintable escaped.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(QUOTED_BYTES_MAX)];
    let text = match str::from_utf8(shown) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_string(),
        _ => shown.escape_ascii().to_string(),
    };
    if shown.len() < bytes.len() { format!("`{text}…`") } else { format!("`{text}`") }
}
