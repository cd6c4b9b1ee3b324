//! How numbers and bytes look in JSON.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The most bytes of a [`HexBytes`] that is read: a receipt, an assignment, a header.
const HEX_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Atoms of one HYS.
const ATOMS_PER_HYS: u64 = 1_000_000_000;

/// Why a text is no amount or hash.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("\"{text}\" is not {expected}.")]
pub struct ParseError {
    /// What was read, at most 80 characters of it.
    pub text: String,
    /// What was expected.
    pub expected: &'static str,
}

impl ParseError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), expected }
    }
}

/// An amount in atoms (10^9 = 1 HYS). In JSON a decimal string, `"1500000000"`.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, example = "1500000000"))]
pub struct Atoms(pub u64);

impl Atoms {
    /// The amount in HYS, without trailing zeros: `1.5`.
    pub fn hys(self) -> String {
        let (whole, rest) = (self.0 / ATOMS_PER_HYS, self.0 % ATOMS_PER_HYS);
        if rest == 0 {
            return whole.to_string();
        }
        let text = format!("{whole}.{rest:09}");
        text.trim_end_matches('0').to_owned()
    }
}

impl fmt::Display for Atoms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Atoms {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        // `parse` alone would take "+1" and "01".
        text.parse()
            .ok()
            .filter(|value: &u64| value.to_string() == text)
            .map(Self)
            .ok_or_else(|| ParseError::new(text, "a decimal number of atoms below 2^64"))
    }
}

/// 32 bytes: the hash of a block, a transaction, a job, a problem. In JSON 64 hexadecimal digits.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{64}$"))]
pub struct Hex32(pub [u8; 32]);

impl fmt::Display for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hex32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hex32 {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = (text.len() == 64).then(|| decode_hex(text)).flatten();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| ParseError::new(text, "a hash of 64 hexadecimal digits"))
    }
}

impl From<[u8; 32]> for Hex32 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Bytes. In JSON hexadecimal digits, two a byte.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^([0-9a-f]{2})*$"))]
pub struct HexBytes(pub Vec<u8>);

impl fmt::Display for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for HexBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl FromStr for HexBytes {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        (text.len() <= 2 * HEX_BYTES_MAX)
            .then(|| decode_hex(text))
            .flatten()
            .map(Self)
            .ok_or_else(|| ParseError::new(text, "an even number of hexadecimal digits within the limit"))
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Serde by way of the text.
macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
as_text!(Atoms, Hex32, HexBytes);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_read_well() {
        assert_eq!(Atoms(1_500_000_000).hys(), "1.5");
        assert_eq!(Atoms(2_000_000_000).hys(), "2");
        assert_eq!(Atoms(1).hys(), "0.000000001");
        for bad in ["", "+1", "01", "-1", "1.0", "18446744073709551616", " 1"] {
            assert!(bad.parse::<Atoms>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Atoms>("5").is_err(), "a number is no amount");
    }

    proptest! {
        #[test]
        fn amounts_round_trip(atoms in any::<u64>()) {
            let text = serde_json::to_string(&Atoms(atoms)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Atoms>(&text).unwrap(), Atoms(atoms));
        }

        #[test]
        fn hashes_and_bytes_round_trip(bytes in any::<[u8; 32]>(), more in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(Hex32(bytes).to_string().parse::<Hex32>().unwrap(), Hex32(bytes));
            let more = HexBytes(more);
            prop_assert_eq!(more.to_string().parse::<HexBytes>().unwrap(), more);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Hex32>();
            let _ = text.parse::<HexBytes>();
            let _ = text.parse::<Atoms>();
        }
    }
}
