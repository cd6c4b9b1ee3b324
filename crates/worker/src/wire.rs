//! The connection to a node: frames over a WebSocket or a plain TCP connection, with short waits, so that one thread
//! can listen and speak.

use std::io::{self, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use hysteron_api::worker::{CLAIM_FRAME_BYTES_MAX, FRAME_HEAD_BYTES, length_of, write_frame};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Message, WebSocket};

/// How long one look for a frame takes when there is none.
const LOOK: Duration = Duration::from_millis(20);
/// How long connecting may take, for each of the host's addresses.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a frame may take to leave.
const WRITE: Duration = Duration::from_secs(10);
/// How long the WebSocket's handshake may take, for each read.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Where a node listens for workers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// A WebSocket beside the node's HTTP API: its URL with `ws:`.
    WebSocket {
        /// `host:port`.
        authority: String,
        /// `ws://host:port/v1/worker`.
        url: String,
    },
    /// A plain TCP port: `host:port`.
    Tcp(String),
}

impl Endpoint {
    /// The endpoint of a node's `http://` URL, or of `tcp://host:port`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        if let Some(authority) = url.strip_prefix("tcp://") {
            return Ok(Self::Tcp(authority.trim_end_matches('/').to_owned()));
        }
        if url.starts_with("https://") || url.starts_with("wss://") {
            return Err(format!(
                "{url} is encrypted, which workers do not speak. Give the node's http:// URL on your own network, or \
                 its worker port as tcp://host:port."
            ));
        }
        let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("ws://")) else {
            return Err(format!("{url} is no URL of a node. It looks like http://127.0.0.1:7341."));
        };
        let rest = rest.trim_end_matches('/');
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
        let slash = if path.is_empty() { "" } else { "/" };
        let host = if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") };
        Ok(Self::WebSocket { url: format!("ws://{authority}/{path}{slash}v1/worker"), authority: host })
    }
}

/// A connection.
pub struct Wire(Transport);

enum Transport {
    WebSocket(Box<WebSocket<TcpStream>>),
    Tcp { stream: TcpStream, received: Vec<u8> },
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// If nothing listens there, or not a node.
    pub fn connect(endpoint: &Endpoint) -> io::Result<Self> {
        let transport = match endpoint {
            Endpoint::Tcp(authority) => {
                let stream = connect(authority)?;
                stream.set_read_timeout(Some(LOOK))?;
                Transport::Tcp { stream, received: Vec::new() }
            }
            Endpoint::WebSocket { authority, url } => {
                let stream = connect(authority)?;
                stream.set_read_timeout(Some(HANDSHAKE))?;
                let limits = WebSocketConfig::default()
                    .max_message_size(Some(CLAIM_FRAME_BYTES_MAX))
                    .max_frame_size(Some(CLAIM_FRAME_BYTES_MAX));
                let (socket, _) = tungstenite::client::client_with_config(url.as_str(), stream, Some(limits))
                    .map_err(|error| io::Error::other(error.to_string()))?;
                socket.get_ref().set_read_timeout(Some(LOOK))?;
                Transport::WebSocket(Box::new(socket))
            }
        };
        Ok(Self(transport))
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn send(&mut self, frame: Vec<u8>) -> io::Result<()> {
        match &mut self.0 {
            Transport::WebSocket(socket) => socket.send(Message::Binary(Bytes::from(frame))).map_err(broken),
            Transport::Tcp { stream, .. } => write_frame(stream, &frame),
        }
    }

    /// Asks the other side for a sign of life, where the transport can; answers come by themselves.
    ///
    /// # Errors
    /// If the connection is broken.
    pub fn ping(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Transport::WebSocket(socket) => socket.send(Message::Ping(Bytes::new())).map_err(broken),
            Transport::Tcp { .. } => Ok(()),
        }
    }

    /// Waits a moment for a frame; nothing if none came.
    ///
    /// # Errors
    /// If the connection is broken or closed, or what came is no frame.
    pub fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        match &mut self.0 {
            Transport::WebSocket(socket) => match socket.read() {
                Ok(Message::Binary(frame)) => Ok(Some(frame.to_vec())),
                // Pings are answered by the library; text is not of this protocol.
                Ok(Message::Close(_)) => {
                    Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the node closed it"))
                }
                Ok(_) => Ok(None),
                Err(tungstenite::Error::Io(error)) if is_wait(&error) => Ok(None),
                Err(error) => Err(broken(error)),
            },
            Transport::Tcp { stream, received } => {
                if let Some(frame) = take_frame(received)? {
                    return Ok(Some(frame));
                }
                let mut chunk = [0; 4096];
                match stream.read(&mut chunk) {
                    Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the node closed it")),
                    Ok(count) => {
                        received.extend_from_slice(&chunk[..count]);
                        take_frame(received)
                    }
                    Err(error) if is_wait(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// The first frame in what a plain connection gave so far, taken out. What is no frame is an error as soon as its head
/// is seen, so at most one frame and a read are ever kept.
fn take_frame(received: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    const START: usize = 4 + FRAME_HEAD_BYTES;
    let Some(&[a, b, c, d, version, kind]) = received.first_chunk::<START>() else { return Ok(None) };
    let rest = length_of([a, b, c, d], [version, kind])?;
    if received.len() < START + rest {
        return Ok(None);
    }
    let frame = received[4..START + rest].to_vec();
    received.drain(..START + rest);
    Ok(Some(frame))
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn broken(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        error => io::Error::other(error.to_string()),
    }
}

fn connect(authority: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(WRITE))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_urls() {
        let socket = |url: &str| match Endpoint::parse(url) {
            Ok(Endpoint::WebSocket { authority, url }) => (authority, url),
            other => panic!("{other:?}"),
        };
        assert_eq!(socket("http://a:1"), ("a:1".into(), "ws://a:1/v1/worker".into()));
        assert_eq!(socket("http://a:1/"), ("a:1".into(), "ws://a:1/v1/worker".into()));
        assert_eq!(socket("http://a/pool/"), ("a:80".into(), "ws://a/pool/v1/worker".into()));
        assert_eq!(Endpoint::parse("tcp://h:5"), Ok(Endpoint::Tcp("h:5".into())));
        for bad in ["", "localhost:1", "ftp://x", "https://x", "wss://x"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn frames_in_pieces() {
        let frame = [1, 3, 9, 9, 9];
        let mut sent = Vec::new();
        write_frame(&mut sent, &frame).expect("memory");
        write_frame(&mut sent, &frame).expect("memory");
        let mut received = Vec::new();
        let mut frames = 0;
        for byte in sent {
            received.push(byte);
            if let Some(found) = take_frame(&mut received).expect("frames") {
                assert_eq!(found, frame);
                frames += 1;
            }
        }
        assert_eq!((frames, received.len()), (2, 0));
        let mut long = vec![0xff, 0xff, 0xff, 0x7f, 1, 3];
        assert!(take_frame(&mut long).is_err(), "refused at its head");
    }
}
