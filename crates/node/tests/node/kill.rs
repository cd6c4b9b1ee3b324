//! A node that is killed (-9) while it works loses no block that it has told of, and goes on where it was.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::common::{TestNode, address, mine, mine_until_included, transfer, wait_until};
use hysteron_api::Client;

/// Names the data directory of the child process.
const VARIABLE: &str = "HYSTERON_TEST_NODE_DIRECTORY";

/// Set, the child does not mine.
const IDLE: &str = "HYSTERON_TEST_NODE_IDLE";

/// The child: a node that mines inside, prints its URL, and runs until it is told to stop. Without the variable there is
/// nothing to do.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(VARIABLE) else { return };
    let mut config = hysteron_node::Config::loopback(Path::new(&directory));
    config.mining.threads = u32::from(std::env::var_os(IDLE).is_none());
    let mut node = TestNode::start(config);
    println!("\nurl {}", node.client.url());
    let handle = node.take();
    node.runtime.block_on(handle.run_until_signal()).expect("signals are heard");
    // What the test program prints at its end has no reader.
    std::process::exit(0);
}

struct Process(Child);

impl Process {
    fn start(directory: &Path) -> (Self, Client) {
        Self::start_with(directory, &[])
    }

    fn start_with(directory: &Path, variables: &[(&str, &str)]) -> (Self, Client) {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["kill::child", "--exact", "--nocapture"])
            .env(VARIABLE, directory)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut lines = lines.map(|line| line.expect("text"));
        let url = lines.find_map(|line| line.strip_prefix("url ").map(str::to_owned)).expect("it starts");
        // What the test program of the child prints when it takes long must have a reader.
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), Client::new(&url))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL. It may have gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn killed_nodes_go_on_where_they_were() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut told = (0, None);
    for round in 0..4u64 {
        let (process, client) = Process::start(directory.path());
        let status = client.status().expect("a status");
        assert!(status.height >= told.0, "round {round}: it had told of block {}", told.0);
        if let Some(hash) = told.1 {
            assert_eq!(client.block(told.0).expect("the block is there").header.hash, hash, "round {round}");
        }
        // Each round dies at another moment.
        wait_until("some blocks are mined", || {
            client.status().expect("a status").height >= told.0 + 2 + round
        });
        let status = client.status().expect("a status");
        told = (status.height, Some(status.tip));
        drop(process);
    }
    let node = TestNode::in_directory(directory.path());
    assert!(node.height() >= told.0);
    assert_eq!(node.client.block(told.0).expect("the block").header.hash, told.1.expect("a hash"));
    mine(&node.client, &address("bob"));
}

#[test]
fn what_a_killed_node_had_taken_still_waits() {
    let directory = tempfile::tempdir().expect("a directory");
    let (process, client) = Process::start_with(directory.path(), &[(IDLE, "1")]);
    let id = client.submit(&transfer("customer", "bob", 5, 0).encode()).expect("it is taken").id;
    let again =
        client.submit(&transfer("customer", "bob", 5, 0).encode()).expect("handing in again is well").id;
    assert_eq!(again, id);
    assert_eq!(client.mempool().expect("the mempool").count, 1);
    drop(process);
    let node = TestNode::in_directory(directory.path());
    assert_eq!(node.client.mempool().expect("the mempool").count, 1, "it still waits");
    mine_until_included(&node, id);
    assert_eq!(node.client.mempool().expect("the mempool").count, 0);
}

#[test]
fn a_terminated_node_stops_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut process, client) = Process::start(directory.path());
    wait_until("some blocks are mined", || client.status().expect("a status").height >= 3);
    let mut events = client.events(None).expect("a stream");
    let pid = rustix::process::Pid::from_child(&process.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is told to stop");
    assert!(events.all(|event| event.is_ok()), "streams end in order");
    let status = process.0.wait().expect("it ends");
    assert!(status.success(), "exit with 0: {status}");
    let node = TestNode::in_directory(directory.path());
    assert!(node.height() >= 3);
}
