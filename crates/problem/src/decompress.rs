//! Compressed files: gzip, xz and Zstandard, told by their first bytes, decompressed within a bound.

use std::borrow::Cow;
use std::io::{Read, Write};

use crate::error::ReadError;

/// The most bytes that a file may have after decompression, unless the options say less.
pub const DECOMPRESSED_BYTES_MAX: u64 = 2 << 30;
/// The most memory that the dictionary of an xz file may ask for.
const XZ_MEMORY_KIB_MAX: u32 = 256 << 10;

/// Bytes that are read at a time, at first and at most.
const CHUNK_BYTES_MIN: usize = 1 << 14;
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// gzip, `.gz`.
    Gzip,
    /// xz, `.xz`.
    Xz,
    /// Zstandard, `.zst`.
    Zstandard,
}

impl Compression {
    /// The compression that the first bytes of a file tell.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstandard),
            _ => None,
        }
    }
    /// The compression that a file name's ending asks for.
    pub fn from_file_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "gz" => Some(Self::Gzip),
            "xz" => Some(Self::Xz),
            "zst" => Some(Self::Zstandard),
            _ => None,
        }
    }
    /// The name in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstandard => "Zstandard",
        }
    }
    /// Compresses `bytes`.
    pub fn compress(self, bytes: &[u8]) -> Vec<u8> {
        const WRITES: &str = "writing to memory does not fail";
        match self {
            Self::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).expect(WRITES);
                encoder.finish().expect(WRITES)
            }
            Self::Xz => {
                let options = lzma_rust2::XzOptions::with_preset(4);
                let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect(WRITES);
                writer.write_all(bytes).expect(WRITES);
                writer.finish().expect(WRITES)
            }
            Self::Zstandard => {
                ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
            }
        }
    }
}

/// The bytes themselves, or what they decompress to, which must be at most `most` bytes.
pub(crate) fn decompress(bytes: &[u8], most: u64) -> Result<Cow<'_, [u8]>, ReadError> {
    let Some(compression) = Compression::detect(bytes) else {
        if bytes.len() as u64 > most {
            return Err(too_long(format!("{} bytes", bytes.len()), most));
        }
        return Ok(Cow::Borrowed(bytes));
    };
    let mut out = Vec::new();
    let read = match compression {
        Compression::Gzip => gzip_members(bytes, most + 1, &mut out),
        Compression::Xz => {
            let reader = lzma_rust2::XzReader::new_mem_limit(bytes, true, XZ_MEMORY_KIB_MAX);
            read_at_most(reader, most + 1, &mut out)
        }
        Compression::Zstandard => zstandard_frames(bytes, most, &mut out),
    };
    if out.len() as u64 > most {
        return Err(too_long(format!("more than {most} bytes after decompression"), most));
    }
    match read {
        Ok(()) => Ok(Cow::Owned(out)),
        Err(error) if error.kind() == std::io::ErrorKind::OutOfMemory => Err(ReadError::whole(
            format!(
                "more than {} bytes after decompression, for which the memory does not suffice",
                out.len()
            ),
            "a file that fits the memory",
            "Use a machine with more memory, or check what the file contains",
        )),
        Err(error) => Err(ReadError::whole(
            format!("damaged {} data ({error})", compression.name()),
            "a file that decompresses",
            "Fetch the file again, or decompress it by hand",
        )),
    }
}

/// Appends what `source` has, up to `most` bytes. Where the system refuses the memory that is an error, not
/// the end of the program.
///
/// # Errors
/// Those of `source`, and [`std::io::ErrorKind::OutOfMemory`].
pub fn read_at_most(mut source: impl Read, most: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let mut room = most;
    // Little for a small file; each read is as long as all before it, up to a bound.
    let mut length = CHUNK_BYTES_MIN;
    while room > 0 {
        let chunk = length.min(usize::try_from(room).unwrap_or(length));
        out.try_reserve(chunk).map_err(|_| std::io::ErrorKind::OutOfMemory)?;
        // Within what was reserved, so this does not allocate.
        let read = source.by_ref().take(chunk as u64).read_to_end(out)? as u64;
        if read < chunk as u64 {
            break;
        }
        room -= read;
        length = (2 * length).min(CHUNK_BYTES_MAX);
    }
    Ok(())
}

fn too_long(found: String, most: u64) -> ReadError {
    ReadError::whole(found, format!("at most {most} bytes"), "Larger files are not supported")
}

/// No stream of deflate unpacks to more than this many times its length.
const DEFLATE_FACTOR_MAX: usize = 1032;
/// The most bytes that are reserved because a file says that it has so many.
const RESERVED_BYTES_MAX: usize = 256 << 20;
/// Room beyond the end of what is unpacked: the fast loop of the decoder wants some.
const SLACK_BYTES: usize = 512;

/// Unpacks one member after the other to where the bytes shall lie, up to `most` of them.
fn gzip_members(mut source: &[u8], most: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
    use flate2::{Decompress, FlushDecompress, Status};
    use std::io::{Error, ErrorKind};
    const WINDOW_BITS: u8 = 15;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    // The last member says at its end how long it was before.
    let said = source.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    let believed = said.min(source.len().saturating_mul(DEFLATE_FACTOR_MAX)).min(RESERVED_BYTES_MAX);
    let mut room = believed.saturating_add(SLACK_BYTES);
    while !source.is_empty() && out.len() < most {
        let mut decoder = Decompress::new_gzip(WINDOW_BITS);
        loop {
            if out.len() == out.capacity() {
                let room = room.min(most - out.len());
                out.try_reserve_exact(room).map_err(|_| ErrorKind::OutOfMemory)?;
            }
            let (read, written) = (decoder.total_in(), out.len());
            let status = decoder.decompress_vec(source, out, FlushDecompress::None).map_err(Error::from)?;
            let read = (decoder.total_in() - read) as usize;
            source = &source[read..];
            if status == Status::StreamEnd || out.len() >= most {
                break;
            }
            if out.len() < out.capacity() && (source.is_empty() || read == 0 && out.len() == written) {
                return Err(Error::new(ErrorKind::UnexpectedEof, "it ends too early"));
            }
            room = out.len().clamp(CHUNK_BYTES_MIN, RESERVED_BYTES_MAX);
        }
    }
    Ok(())
}

/// The most memory that the window of a Zstandard frame may ask for.
const ZSTANDARD_WINDOW_BYTES_MAX: u64 = 128 << 20;

/// Decompresses one frame after the other, skipping those that say so.
fn zstandard_frames(mut source: &[u8], most: u64, out: &mut Vec<u8>) -> std::io::Result<()> {
    use std::io::{Error, ErrorKind};
    let damaged = |what: String| Error::new(ErrorKind::InvalidData, what);
    while !source.is_empty() && out.len() as u64 <= most {
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, rest @ ..] = source {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            source = rest.get(length..).ok_or_else(|| damaged("a skippable frame is cut off".into()))?;
            continue;
        }
        let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(
            &mut source,
            ZSTANDARD_WINDOW_BYTES_MAX,
        );
        let mut decoder = decoder.map_err(|error| damaged(error.to_string()))?;
        let room = most + 1 - out.len() as u64;
        read_at_most(&mut decoder, room, out)?;
        if out.len() as u64 > most {
            break;
        }
        let frame = &decoder.decoder;
        if frame.get_checksum_from_data().is_some()
            && frame.get_checksum_from_data() != frame.get_calculated_checksum()
        {
            return Err(damaged("the checksum does not match".into()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_whole_or_damaged() {
        let text: Vec<u8> =
            (0..40_000u32).flat_map(|n| format!("{} ", n * 7919 % 1000).into_bytes()).collect();
        let packed = Compression::Gzip.compress(&text);
        assert!(decompress(&packed, DECOMPRESSED_BYTES_MAX).expect("whole") == text);
        assert!(decompress(&packed, text.len() as u64).expect("as long as allowed") == text);
        assert!(decompress(&packed, text.len() as u64 - 1).is_err(), "too long");
        for cut in (2..packed.len()).step_by(61).chain(packed.len() - 9..packed.len()) {
            assert!(decompress(&packed[..cut], DECOMPRESSED_BYTES_MAX).is_err(), "cut off at {cut}");
        }
        // The sum, the length at the end, and bytes after it.
        for at in [packed.len() - 8, packed.len() - 1] {
            let mut wrong = packed.clone();
            wrong[at] ^= 1;
            assert!(decompress(&wrong, DECOMPRESSED_BYTES_MAX).is_err(), "a wrong byte at {at}");
        }
        assert!(decompress(&[&packed[..], b"x"].concat(), DECOMPRESSED_BYTES_MAX).is_err());
        let empty = Compression::Gzip.compress(b"");
        let three = [&packed[..], &empty, &packed].concat();
        assert!(
            decompress(&three, DECOMPRESSED_BYTES_MAX).expect("three members") == [&text[..], &text].concat()
        );
        assert!(decompress(&three, text.len() as u64 * 2 - 1).is_err());
    }
}
