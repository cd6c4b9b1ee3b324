//! Frames on a stream: a length of four bytes, little-endian, then so many bytes of borsh. The
//! length is checked before anything is allocated, and memory grows only as bytes arrive.

use std::io::{Error, ErrorKind, Result};

use borsh::BorshSerialize;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};

use super::message::{Answer, Request};
use crate::limits::{ANSWER_BYTES_MAX, REQUEST_BYTES_MAX};

/// Bytes that are read, and allocated for, at a time.
const READ_BYTES: usize = 64 * 1024;

/// Encodes and decodes the exchange protocol. A clone of it serves one stream, so that a clone that
/// wrote a request knows how long the answer may be.
#[derive(Clone, Debug)]
pub struct Codec {
    answer_bytes_max: usize,
}

impl Default for Codec {
    fn default() -> Self {
        Self { answer_bytes_max: ANSWER_BYTES_MAX }
    }
}

/// Reads one frame of at most `bytes_max` bytes and the end of the stream behind it is not awaited.
pub async fn read_frame<T: AsyncRead + Unpin + Send>(io: &mut T, bytes_max: usize) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_le_bytes(length) as usize;
    if length > bytes_max {
        return Err(Error::new(
            ErrorKind::InvalidData,
            format!("A frame of {length} bytes was announced where {bytes_max} are allowed."),
        ));
    }
    let mut bytes = Vec::with_capacity(length.min(READ_BYTES));
    while bytes.len() < length {
        let start = bytes.len();
        bytes.resize(length.min(start + READ_BYTES), 0);
        io.read_exact(&mut bytes[start..]).await?;
    }
    Ok(bytes)
}

/// Writes one frame, unless it is longer than `bytes_max`.
pub async fn write_frame<T: AsyncWrite + Unpin + Send>(
    io: &mut T,
    message: &impl BorshSerialize,
    bytes_max: usize,
) -> Result<()> {
    let bytes = borsh::to_vec(message)?;
    if bytes.len() > bytes_max {
        return Err(Error::new(ErrorKind::InvalidInput, "The message is longer than its kind allows."));
    }
    let length = u32::try_from(bytes.len()).map_err(|error| Error::new(ErrorKind::InvalidInput, error))?;
    io.write_all(&length.to_le_bytes()).await?;
    io.write_all(&bytes).await?;
    io.close().await
}

impl request_response::Codec for Codec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Answer;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> Result<Request> {
        Request::decode(&read_frame(io, REQUEST_BYTES_MAX).await?)
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> Result<Answer> {
        Answer::decode(&read_frame(io, self.answer_bytes_max).await?)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Request,
    ) -> Result<()> {
        self.answer_bytes_max = request.answer_bytes_max();
        write_frame(io, &request, REQUEST_BYTES_MAX).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: Answer,
    ) -> Result<()> {
        write_frame(io, &answer, ANSWER_BYTES_MAX).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_announced_length_above_the_bound_is_refused_before_a_byte_of_it_is_read() {
        let mut stream = futures::io::Cursor::new([u32::MAX.to_le_bytes().as_slice(), &[0; 8]].concat());
        let error = read_frame(&mut stream, ANSWER_BYTES_MAX).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert_eq!(stream.position(), 4);
    }

    #[tokio::test]
    async fn a_truncated_frame_is_refused() {
        let mut stream = futures::io::Cursor::new([100u32.to_le_bytes().as_slice(), &[0; 8]].concat());
        assert_eq!(read_frame(&mut stream, 100).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
