//! Byte strings and lists that know their bound: a length above it is refused before anything is
//! allocated, so a few bytes from a peer never cost more memory than a constant says.

use borsh::io::{Error, ErrorKind, Read, Result, Write};
use borsh::{BorshDeserialize, BorshSerialize};

/// Bytes that a decoder allocates ahead of what has arrived.
const AHEAD_BYTES_MAX: usize = 64 * 1024;

/// At most `MAX` bytes that this crate does not look into.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes<const MAX: usize>(Vec<u8>);

/// At most `MAX` items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T, const MAX: usize>(Vec<T>);

/// More bytes or items were given than the wire type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The message would hold {length} bytes or items where the protocol allows {length_max}.")]
pub struct TooLong {
    /// What was given.
    pub length: usize,
    /// What is allowed.
    pub length_max: usize,
}

impl<const MAX: usize> Bytes<MAX> {
    /// Wraps bytes, unless there are too many.
    pub fn new(bytes: Vec<u8>) -> std::result::Result<Self, TooLong> {
        if bytes.len() > MAX {
            return Err(TooLong { length: bytes.len(), length_max: MAX });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> std::fmt::Debug for Bytes<MAX> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// Wraps items, unless there are too many.
    pub fn new(items: Vec<T>) -> std::result::Result<Self, TooLong> {
        if items.len() > MAX {
            return Err(TooLong { length: items.len(), length_max: MAX });
        }
        Ok(Self(items))
    }

    /// The first `MAX` items.
    pub fn first(mut items: Vec<T>) -> Self {
        items.truncate(MAX);
        Self(items)
    }

    /// The items.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// The items, owned.
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

fn read_length(reader: &mut impl Read, length_max: usize) -> Result<usize> {
    let length = u32::deserialize_reader(reader)? as usize;
    if length > length_max {
        return Err(Error::new(ErrorKind::InvalidData, TooLong { length, length_max }.to_string()));
    }
    Ok(length)
}

fn write_length(writer: &mut impl Write, length: usize) -> Result<()> {
    let length =
        u32::try_from(length).map_err(|error| Error::new(ErrorKind::InvalidInput, error.to_string()))?;
    length.serialize(writer)
}

impl<const MAX: usize> BorshSerialize for Bytes<MAX> {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        write_length(writer, self.0.len())?;
        writer.write_all(&self.0)
    }
}

impl<const MAX: usize> BorshDeserialize for Bytes<MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let length = read_length(reader, MAX)?;
        let mut bytes = Vec::with_capacity(length.min(AHEAD_BYTES_MAX));
        while bytes.len() < length {
            let start = bytes.len();
            bytes.resize(length.min(start + AHEAD_BYTES_MAX), 0);
            reader.read_exact(&mut bytes[start..])?;
        }
        Ok(Self(bytes))
    }
}

impl<T: BorshSerialize, const MAX: usize> BorshSerialize for List<T, MAX> {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        write_length(writer, self.0.len())?;
        self.0.iter().try_for_each(|item| item.serialize(writer))
    }
}

impl<T: BorshDeserialize, const MAX: usize> BorshDeserialize for List<T, MAX> {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let length = read_length(reader, MAX)?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(T::deserialize_reader(reader)?);
        }
        Ok(Self(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_above_the_bound_are_refused() {
        let bytes = borsh::to_vec(&vec![7u8; 9]).unwrap();
        assert!(Bytes::<8>::try_from_slice(&bytes).is_err());
        assert_eq!(Bytes::<9>::try_from_slice(&bytes).unwrap().as_slice(), [7; 9]);
        assert!(List::<u8, 8>::try_from_slice(&bytes).is_err());
        assert_eq!(List::<u8, 9>::try_from_slice(&bytes).unwrap().as_slice(), [7; 9]);
    }

    #[test]
    fn a_length_without_its_bytes_is_refused_without_allocating_for_it() {
        let lie = (1u32 << 30).to_le_bytes();
        assert!(Bytes::<{ 1 << 30 }>::try_from_slice(&lie).is_err());
        assert!(List::<u64, { 1 << 30 }>::try_from_slice(&lie).is_err());
    }
}
