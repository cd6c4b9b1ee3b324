//! Frames: a version byte, a kind byte, a message.

use std::io::{self, Read, Write};

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::types::VARIABLES_LIMIT;

use super::message::{FromNode, FromWorker, Ready, Work, WorkResult};

/// The version of the protocol.
pub const PROTOCOL_VERSION: u8 = 1;
/// Version and kind.
pub const FRAME_HEAD_BYTES: usize = 2;
/// The most bytes of a frame that is no claim.
pub const FRAME_BYTES_MAX: usize = 1024;
/// The most bytes of a claim's frame: the largest assignment fits.
pub const CLAIM_FRAME_BYTES_MAX: usize = FRAME_BYTES_MAX + VARIABLES_LIMIT as usize / 8;

const READY: u8 = 1;
const WORK: u8 = 2;
const FOUND_OR_PROGRESS: u8 = 3;
const CLAIM: u8 = 4;

/// Why bytes are no frame.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FrameError {
    /// Another protocol, or another version of it.
    #[error(
        "The frame is of version {found}; this program speaks version {PROTOCOL_VERSION}. Update the older of the two."
    )]
    Version {
        /// The version byte.
        found: u8,
    },
    /// No such kind, or none that this side sends.
    #[error("A frame of kind {kind} is not expected here.")]
    Kind {
        /// The kind byte.
        kind: u8,
    },
    /// Longer than its kind allows.
    #[error("The frame has {bytes} bytes; at most {most} are allowed.")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// Not one message.
    #[error("The frame is malformed: {0}.")]
    Malformed(String),
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// The most bytes that a frame with this head (its first [`FRAME_HEAD_BYTES`]) may have.
///
/// # Errors
/// [`FrameError::Version`], [`FrameError::Kind`].
pub fn frame_bytes_max(head: [u8; FRAME_HEAD_BYTES]) -> Result<usize, FrameError> {
    match head {
        [PROTOCOL_VERSION, READY | WORK | FOUND_OR_PROGRESS] => Ok(FRAME_BYTES_MAX),
        [PROTOCOL_VERSION, CLAIM] => Ok(CLAIM_FRAME_BYTES_MAX),
        [PROTOCOL_VERSION, kind] => Err(FrameError::Kind { kind }),
        [found, _] => Err(FrameError::Version { found }),
    }
}

/// Checks what stands before a message on a plain TCP connection: the frame's length and its head. Gives the bytes that
/// follow the head.
///
/// # Errors
/// As [`frame_bytes_max`]; [`FrameError::TooLong`]; [`FrameError::Malformed`] for frames shorter than a head.
pub fn length_of(length: [u8; 4], head: [u8; FRAME_HEAD_BYTES]) -> Result<usize, FrameError> {
    let bytes = u32::from_le_bytes(length) as usize;
    let most = frame_bytes_max(head)?;
    if bytes > most {
        return Err(FrameError::TooLong { bytes, most });
    }
    bytes.checked_sub(FRAME_HEAD_BYTES).ok_or_else(|| FrameError::Malformed("it has no head".into()))
}

fn encode(kind: u8, message: &impl BorshSerialize) -> Vec<u8> {
    let mut frame = vec![PROTOCOL_VERSION, kind];
    message.serialize(&mut frame).expect("writing to memory does not fail");
    frame
}

fn split(frame: &[u8]) -> Result<(u8, &[u8]), FrameError> {
    let Some((head, body)) = frame.split_first_chunk::<FRAME_HEAD_BYTES>() else {
        return Err(FrameError::Malformed("it has no head".into()));
    };
    let most = frame_bytes_max(*head)?;
    if frame.len() > most {
        return Err(FrameError::TooLong { bytes: frame.len(), most });
    }
    Ok((head[1], body))
}

fn decode<T: BorshDeserialize>(body: &[u8]) -> Result<T, FrameError> {
    T::try_from_slice(body).map_err(|error| FrameError::Malformed(error.to_string()))
}

impl FromWorker {
    /// The frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ready(ready) => encode(READY, ready),
            Self::Result(result @ WorkResult::Claim { .. }) => encode(CLAIM, result),
            Self::Result(result) => encode(FOUND_OR_PROGRESS, result),
        }
    }
    /// Reads a frame from outside.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(frame: &[u8]) -> Result<Self, FrameError> {
        let (kind, body) = split(frame)?;
        match kind {
            READY => {
                let ready: Ready = decode(body)?;
                if !(1..=super::THREADS_MAX).contains(&ready.threads) {
                    return Err(FrameError::Malformed("a worker has 1 to 1024 threads".into()));
                }
                Ok(Self::Ready(ready))
            }
            CLAIM => match decode(body)? {
                result @ WorkResult::Claim { .. } => Ok(Self::Result(result)),
                _ => Err(FrameError::Malformed("it is no claim".into())),
            },
            FOUND_OR_PROGRESS => match decode(body)? {
                WorkResult::Claim { .. } => {
                    Err(FrameError::Malformed("a claim has a kind of its own".into()))
                }
                result => Ok(Self::Result(result)),
            },
            kind => Err(FrameError::Kind { kind }),
        }
    }
}

impl FromNode {
    /// The frame.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Work(work) => encode(WORK, work.as_ref()),
        }
    }
    /// Reads a frame from outside.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn decode(frame: &[u8]) -> Result<Self, FrameError> {
        match split(frame)? {
            (WORK, body) => decode::<Work>(body).map(|work| Self::Work(Box::new(work))),
            (kind, _) => Err(FrameError::Kind { kind }),
        }
    }
}

/// Writes a frame on a plain TCP connection: its length, then it.
///
/// # Errors
/// Of the connection.
pub fn write_frame(writer: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(4 + frame.len());
    bytes.extend_from_slice(&(frame.len() as u32).to_le_bytes());
    bytes.extend_from_slice(frame);
    writer.write_all(&bytes)?;
    writer.flush()
}

/// Reads a frame from a plain TCP connection. Never allocates more than the frame's kind allows.
///
/// # Errors
/// Of the connection; [`io::ErrorKind::InvalidData`] with a [`FrameError`] for what is no frame.
pub fn read_frame(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = [0; 4 + FRAME_HEAD_BYTES];
    reader.read_exact(&mut start)?;
    let [a, b, c, d, version, kind] = start;
    let rest = length_of([a, b, c, d], [version, kind])?;
    let mut frame = vec![version, kind];
    frame.resize(FRAME_HEAD_BYTES + rest, 0);
    reader.read_exact(&mut frame[FRAME_HEAD_BYTES..])?;
    Ok(frame)
}
