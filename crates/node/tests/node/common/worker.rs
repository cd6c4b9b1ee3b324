//! A worker on plain TCP, driven by hand.
#![allow(dead_code)]

use std::net::TcpStream;
use std::time::{Duration, Instant};

use hysteron_api::worker::{FromNode, FromWorker, Ready, Text, Work, read_frame, write_frame};
use hysteron_chain::HeaderBase;

use super::{PATIENCE_S, TestNode, account};

pub fn ready(node: &TestNode) -> Ready {
    ready_for(node, "bob")
}

/// The same for another miner.
pub fn ready_for(node: &TestNode, name: &str) -> Ready {
    Ready {
        network: Some(node.handle().genesis()),
        payee: account(name).0,
        threads: 1,
        agent: Text::cut("test"),
    }
}

/// A worker on plain TCP.
pub struct Worker(pub TcpStream);

impl Worker {
    pub fn connect(node: &TestNode) -> Self {
        let stream = TcpStream::connect(node.handle().workers().expect("a port")).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(PATIENCE_S))).expect("a socket");
        Self(stream)
    }
    pub fn send(&mut self, message: &FromWorker) {
        write_frame(&mut self.0, &message.encode()).expect("it is sent");
    }
    pub fn work(&mut self) -> Work {
        let frame = read_frame(&mut self.0).expect("a frame");
        let FromNode::Work(work) = FromNode::decode(&frame).expect("work");
        *work
    }
    /// The node closes the connection.
    pub fn is_sent_away(&mut self) -> bool {
        let begin = Instant::now();
        // Work that was on its way may come before the end.
        while read_frame(&mut self.0).is_ok() {
            assert!(begin.elapsed() < Duration::from_secs(PATIENCE_S));
        }
        true
    }
}

pub fn base(work: &Work) -> HeaderBase {
    HeaderBase::decode(&work.header).expect("a header")
}
