//! A connection with a worker: a WebSocket, or plain TCP. Receiving can be given up and taken up again at any moment.

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use hysteron_api::worker::{FRAME_HEAD_BYTES, REASON_BYTES_MAX, Text, length_of};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Length, version and kind of a frame on plain TCP.
const START_BYTES: usize = 4 + FRAME_HEAD_BYTES;

/// One connection.
pub(crate) enum Link {
    /// Plain TCP, with what was read of the next frame.
    Tcp { stream: TcpStream, buffer: Vec<u8> },
    /// A binary message is a frame.
    Web(Box<WebSocket>),
}

impl Link {
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        Self::Tcp { stream, buffer: Vec::new() }
    }

    /// The next frame; `None` when the other side has closed. Errors are sentences.
    pub(crate) async fn receive(&mut self) -> Result<Option<Vec<u8>>, String> {
        match self {
            Self::Web(socket) => loop {
                match socket.recv().await {
                    None | Some(Ok(Message::Close(_))) => return Ok(None),
                    Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes.to_vec())),
                    // Answered by the library.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Text(_))) => return Err("A text message is no frame.".into()),
                    Some(Err(error)) => return Err(format!("The connection broke: {error}.")),
                }
            },
            Self::Tcp { stream, buffer } => loop {
                if let Some(frame) = take_frame(buffer)? {
                    return Ok(Some(frame));
                }
                let wanted = START_BYTES.max(buffer.len() + 1);
                buffer.reserve(wanted);
                // At most what was reserved, so the buffer grows with what came and no faster.
                match stream.read_buf(buffer).await {
                    Ok(0) if buffer.is_empty() => return Ok(None),
                    Ok(0) => return Err("The connection ended within a frame.".into()),
                    Ok(_) => {}
                    Err(error) => return Err(format!("The connection broke: {error}.")),
                }
            },
        }
    }

    /// Sends a frame.
    pub(crate) async fn send(&mut self, frame: Vec<u8>) -> Result<(), String> {
        let sent = match self {
            Self::Web(socket) => {
                socket.send(Message::Binary(frame.into())).await.map_err(|error| error.to_string())
            }
            Self::Tcp { stream, .. } => {
                let length = (frame.len() as u32).to_le_bytes();
                let bytes = [length.as_slice(), &frame].concat();
                stream.write_all(&bytes).await.map_err(|error| error.to_string())
            }
        };
        sent.map_err(|error| format!("The connection broke: {error}."))
    }

    /// Closes, with the reason where the transport has a place for one.
    pub(crate) async fn close(mut self, reason: &str) {
        // Who has gone need not be told.
        match &mut self {
            Self::Web(socket) => {
                // A close frame's reason has at most 123 bytes.
                let reason = Text::<{ REASON_BYTES_MAX / 2 }>::cut(reason);
                let frame = CloseFrame { code: close_code::NORMAL, reason: reason.as_str().into() };
                let _ = socket.send(Message::Close(Some(frame))).await;
            }
            Self::Tcp { stream, .. } => {
                let _ = stream.shutdown().await;
            }
        }
    }
}

/// Takes a whole frame off the front, if there is one.
fn take_frame(buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, String> {
    let Some(&[a, b, c, d, version, kind]) = buffer.first_chunk::<START_BYTES>() else { return Ok(None) };
    let rest = length_of([a, b, c, d], [version, kind]).map_err(|error| error.to_string())?;
    let end = START_BYTES + rest;
    if buffer.len() < end {
        return Ok(None);
    }
    let frame = buffer[4..end].to_vec();
    buffer.drain(..end);
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use hysteron_api::worker::{Figures, FromWorker, WorkResult, write_frame};

    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let frame = FromWorker::Result(WorkResult::Progress(Figures::default())).encode();
        let mut wire = Vec::new();
        for _ in 0..3 {
            write_frame(&mut wire, &frame).expect("memory takes every byte");
        }
        let (mut buffer, mut frames) = (Vec::new(), Vec::new());
        for byte in wire {
            buffer.push(byte);
            frames.extend(take_frame(&mut buffer).expect("good frames"));
        }
        assert_eq!(frames, vec![frame; 3]);
        assert!(buffer.is_empty());
        assert!(take_frame(&mut vec![255, 255, 255, 255, 1, 1]).is_err(), "refused before it is read");
    }
}
