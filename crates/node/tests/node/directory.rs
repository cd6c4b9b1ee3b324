//! The data directory: whose it is, which version, and what a restart finds.

use crate::common::{TestNode, genesis, options, runtime};
use hysteron_node::{Config, Node};

fn start_error(directory: &std::path::Path) -> String {
    let runtime = runtime();
    let result = runtime.block_on(Node::start_with(Config::loopback(directory), options(genesis())));
    match result {
        Ok(handle) => {
            runtime.block_on(handle.shutdown());
            panic!("the node should not start");
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_newer_directory_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    TestNode::in_directory(directory.path()).stop();
    let version = directory.path().join("VERSION");
    let text = std::fs::read_to_string(&version).expect("a version");
    std::fs::write(&version, text.replace("version 1", "version 9")).expect("it is written");
    let error = start_error(directory.path());
    assert!(error.contains("version 9") && error.contains("version 1"), "{error}");
    std::fs::write(&version, text).expect("it is written");
    TestNode::in_directory(directory.path()).stop();
}

#[test]
fn a_second_node_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut node = TestNode::in_directory(directory.path());
    let error = start_error(directory.path());
    assert!(error.contains("Another node runs") && error.contains("--data"), "{error}");
    assert!(node.client.ready().is_ok(), "the first goes on");
    node.stop();
    TestNode::in_directory(directory.path()).stop();
}

#[test]
fn another_network_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    TestNode::in_directory(directory.path()).stop();
    let mut other = genesis();
    other.time += 1;
    let runtime = runtime();
    let result = runtime.block_on(Node::start_with(Config::loopback(directory.path()), options(other)));
    let error = result.err().expect("it is another network's").to_string();
    assert!(error.contains("another genesis"), "{error}");
}

#[test]
fn a_taken_port_is_refused() {
    let node = TestNode::new();
    let directory = tempfile::tempdir().expect("a directory");
    let mut config = Config::loopback(directory.path());
    config.http.listen = node.handle().http();
    let runtime = runtime();
    let error = runtime
        .block_on(Node::start_with(config, options(genesis())))
        .err()
        .expect("it is taken")
        .to_string();
    assert!(error.contains("HTTP API") && error.contains(&node.handle().http().to_string()), "{error}");
}

#[test]
fn a_restart_finds_everything_and_a_lost_history_is_built_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut node = TestNode::in_directory(directory.path());
    let peer = node.handle().peer();
    for _ in 0..3 {
        node.mine("alice");
    }
    let tip = node.client.status().expect("a status").tip;
    node.stop();
    std::fs::remove_file(directory.path().join("history.redb")).expect("the history is there");
    let node = TestNode::in_directory(directory.path());
    let status = node.client.status().expect("a status");
    assert_eq!((status.height, status.tip), (3, tip));
    assert_eq!(node.handle().peer(), peer, "a node keeps its identity");
    crate::common::wait_until("the history is built anew", || {
        let page =
            node.client.history(&crate::common::address("alice"), &Default::default()).expect("a history");
        page.entries.len() == 3
    });
    assert_eq!(node.mine("alice").height, 4);
}
