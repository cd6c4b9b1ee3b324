//! Server-sent events, read line by line.

use std::io::{BufRead, BufReader, Read};

use crate::ClientError;
use crate::limits::EVENT_LINE_BYTES_MAX;
use crate::types::Event;

/// A stream of events: blocks for the next. Ends when the node closes it; the last item is an error if it broke.
pub struct Events {
    url: String,
    reader: BufReader<Box<dyn Read + Send>>,
    is_over: bool,
}

impl Events {
    pub(crate) fn new(url: String, reader: Box<dyn Read + Send>) -> Self {
        Self { url, reader: BufReader::new(reader), is_over: false }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let mut line = Vec::new();
        let count = (&mut self.reader).take(EVENT_LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let count =
            count.map_err(|e| ClientError::Unreachable { url: self.url.clone(), reason: e.to_string() })?;
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            Some(_) if count as u64 == EVENT_LINE_BYTES_MAX => {
                Err(self.malformed(format!("a line has more than {EVENT_LINE_BYTES_MAX} bytes")))
            }
            // The node died within a line.
            Some(_) => Ok(None),
        }
    }

    fn malformed(&self, reason: String) -> ClientError {
        ClientError::Malformed { url: self.url.clone(), reason }
    }

    fn event(&mut self) -> Result<Option<Event>, ClientError> {
        // The event's name and id repeat what the data say, comments keep the connection alive, and our data have one line.
        while let Some(line) = self.line()? {
            if let Some(data) = line.strip_prefix(b"data:") {
                return serde_json::from_slice(data).map(Some).map_err(|e| self.malformed(e.to_string()));
            }
        }
        Ok(None)
    }
}

impl Iterator for Events {
    type Item = Result<Event, ClientError>;
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let event = self.event().transpose();
        self.is_over = !matches!(event, Some(Ok(_)));
        event
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Events({})", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<Result<Event, ClientError>> {
        let bytes = std::io::Cursor::new(text.as_bytes().to_vec());
        Events::new("http://test".into(), Box::new(bytes)).collect()
    }

    #[test]
    fn events_are_read() {
        let text = ": hello\n\nevent: lagged\ndata: {\"type\":\"lagged\",\"events\":3}\n\n\
                    data:{\"type\":\"reorganised\",\"fork_height\":7,\"left\":2}\r\n\nevent: cut";
        let found: Vec<_> = events(text).into_iter().map(Result::unwrap).collect();
        assert_eq!(found, [Event::Lagged { events: 3 }, Event::Reorganised { fork_height: 7, left: 2 }]);
    }

    #[test]
    fn what_is_no_event_ends_the_stream() {
        assert!(matches!(
            events("data: {}\n\ndata: {\"type\":\"lagged\",\"events\":3}\n").as_slice(),
            [Err(_)]
        ));
        let long = "x".repeat(EVENT_LINE_BYTES_MAX as usize + 1);
        assert!(matches!(events(&long).as_slice(), [Err(ClientError::Malformed { .. })]));
    }
}
