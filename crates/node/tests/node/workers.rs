//! The worker hub over real sockets: the three messages on both transports, what is refused, a thousand idle workers.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::common::worker::{Worker, base, ready};
use crate::common::{TestNode, account, wait_until};
use hysteron_api::Hex32;
use hysteron_api::worker::{Figures, FromNode, FromWorker, Ready, Work, WorkResult, read_frame, write_frame};
use hysteron_chain::testing::StubRunner;
use hysteron_work::{Meter, Proof, Table, Target};

fn prove(node: &TestNode, work: &Work) -> Proof {
    let bytes = node.client.table(Hex32(work.table)).expect("the table");
    assert_eq!((Work::table_id(&bytes), bytes.len()), (work.table, work.table_bytes as usize));
    let table = Table::decode(&bytes).expect("a table");
    let (stop, meter) = (AtomicBool::new(false), Meter::off());
    let target: Target = base(work).post_target;
    let runner = StubRunner::without_problems();
    let mut nonce = work.nonce_start;
    loop {
        let attempt =
            hysteron_work::attempt(&work.seed(), &table, &work.rules, &runner, nonce, &stop, &meter);
        let attempt = attempt.expect("a leg runs").expect("nobody stops it");
        if attempt.wins(&target) {
            return attempt.proof;
        }
        nonce = attempt.proof.nonce + 1;
    }
}

#[test]
fn a_worker_mines_over_tcp() {
    let node = TestNode::new();
    let mut worker = Worker::connect(&node);
    worker.send(&FromWorker::Ready(ready(&node)));
    let work = worker.work();
    let header = base(&work);
    assert_eq!((header.height, header.miner), (1, account("bob")), "the worker sees that it earns");
    assert_eq!(work.seed(), header.seed());
    let proof = prove(&node, &work);
    worker.send(&FromWorker::Result(WorkResult::Found { work: work.id, proof }));
    let mut work = worker.work();
    while base(&work).height < 2 || work.tally.blocks_accepted < 1 {
        work = worker.work();
    }
    assert_eq!((work.tally.blocks_accepted, work.tally.blocks_refused), (1, 0));
    assert_eq!(node.client.block(1).expect("the block").header.miner, crate::common::address("bob"));
    let figures = Figures { attempts: 7, legs: 28, ecu: 1000, hashing_ns: 50, computing_ns: 950 };
    worker.send(&FromWorker::Result(WorkResult::Progress(figures)));
    wait_until("the figures are counted", || node.client.mining().expect("figures").attempts == 7);
    let mining = node.client.mining().expect("figures");
    assert_eq!((mining.workers, mining.hashing_per_mille, mining.blocks_accepted), (1, Some(50), 1));
    // Something old is refused with a reason, and the connection goes on.
    worker.send(&FromWorker::Result(WorkResult::Found { work: 1, proof }));
    let mut work = worker.work();
    while work.tally.blocks_refused == 0 {
        work = worker.work();
    }
    assert!(!work.tally.reason.as_str().is_empty());
    drop(worker);
    wait_until("the place is free", || node.client.mining().expect("figures").workers == 0);
}

#[test]
fn two_workers_of_one_address_have_nonces_apart() {
    let node = TestNode::new();
    let (mut first, mut second) = (Worker::connect(&node), Worker::connect(&node));
    first.send(&FromWorker::Ready(ready(&node)));
    second.send(&FromWorker::Ready(Ready { network: None, ..ready(&node) }));
    assert_ne!(first.work().nonce_start, second.work().nonce_start);
}

#[test]
fn a_worker_mines_over_a_web_socket() {
    use tungstenite::Message;
    let node = TestNode::new();
    let url = format!("ws://{}/v1/worker", node.handle().http());
    let (mut socket, _) = tungstenite::connect(url).expect("a connection");
    socket.send(Message::Binary(FromWorker::Ready(ready(&node)).encode().into())).expect("it is sent");
    let mut work = || loop {
        if let Message::Binary(frame) = socket.read().expect("a message") {
            let FromNode::Work(work) = FromNode::decode(&frame).expect("work");
            break *work;
        }
    };
    let first = work();
    assert_eq!(base(&first).height, 1);
    let mined = node.mine("miner");
    let second = std::iter::repeat_with(&mut work).find(|work| base(work).height == 2).expect("new work");
    assert_eq!(base(&second).parent, mined.hash.0, "new work comes with a new tip");
    socket.send(Message::Text("hello".into())).expect("it is sent");
    let closed = std::iter::repeat_with(|| socket.read()).take(100).find_map(|message| match message {
        Ok(Message::Close(frame)) => Some(frame.map(|frame| frame.reason.to_string())),
        Err(_) => Some(None),
        Ok(_) => None,
    });
    let reason = closed.flatten().expect("it is closed with a reason");
    assert!(reason.contains("text message"), "{reason}");
}

#[test]
fn bad_workers_are_sent_away() {
    let node = TestNode::new();
    let bad_ready = Ready { network: Some([7; 32]), ..ready(&node) };
    let found = FromWorker::Result(WorkResult::Found { work: 0, proof: Proof::default() });
    let mut wrong_version = FromWorker::Ready(ready(&node)).encode();
    wrong_version[0] = 9;
    for frame in [FromWorker::Ready(bad_ready).encode(), found.encode(), wrong_version] {
        let mut worker = Worker::connect(&node);
        write_frame(&mut worker.0, &frame).expect("it is sent");
        assert!(worker.is_sent_away());
    }
    let mut endless = Worker::connect(&node);
    endless.0.write_all(&[255, 255, 255, 255, 1, 1, 0, 0]).expect("it is sent");
    assert!(endless.is_sent_away());
    // A forger of proofs.
    let mut forger = Worker::connect(&node);
    forger.send(&FromWorker::Ready(ready(&node)));
    let work = forger.work();
    let proof = Proof { nonce: 0, digests: [[1; 32]; 4] };
    forger.send(&FromWorker::Result(WorkResult::Found { work: work.id, proof }));
    assert!(forger.is_sent_away());
    assert_eq!(node.height(), 0);
    wait_until("their places are free", || node.client.mining().expect("figures").workers == 0);
}

#[test]
fn no_more_workers_than_allowed() {
    let node = TestNode::with(|config| config.workers.connections_max = 2);
    let mut workers: Vec<Worker> = (0..2).map(|_| Worker::connect(&node)).collect();
    for worker in &mut workers {
        worker.send(&FromWorker::Ready(ready(&node)));
        worker.work();
    }
    assert!(Worker::connect(&node).is_sent_away());
    workers.pop();
    wait_until("a place is free", || {
        let mut worker = Worker::connect(&node);
        let sent = write_frame(&mut worker.0, &FromWorker::Ready(ready(&node)).encode());
        sent.is_ok() && read_frame(&mut worker.0).is_ok()
    });
}

#[test]
fn a_thousand_idle_workers_are_served() {
    const WORKERS: u32 = 1000;
    let node = TestNode::new();
    let connect = |i: u32| {
        let mut worker = Worker::connect(&node);
        // A hundred addresses, so templates are shared and yet many.
        let mut payee = [0; 32];
        payee[..4].copy_from_slice(&(i % 100).to_le_bytes());
        worker.send(&FromWorker::Ready(Ready { payee, ..ready(&node) }));
        worker
    };
    let mut workers: Vec<Worker> = (0..WORKERS).map(connect).collect();
    for worker in &mut workers {
        assert_eq!(base(&worker.work()).height, 1);
    }
    assert_eq!(node.client.status().expect("the API answers").workers, WORKERS);
    node.mine("miner");
    for worker in &mut workers {
        while base(&worker.work()).height != 2 {}
    }
    drop(workers);
    wait_until("all places are free", || node.client.status().expect("a status").workers == 0);
}

#[test]
fn a_stop_ends_the_connections() {
    let mut node = TestNode::new();
    let mut worker = Worker::connect(&node);
    worker.send(&FromWorker::Ready(ready(&node)));
    worker.work();
    let begin = Instant::now();
    node.stop();
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert!(worker.is_sent_away());
}

#[test]
fn the_node_mines_inside() {
    let node = TestNode::with(|config| {
        config.mining.threads = 1;
        config.mining.address = Some(crate::common::address("alice"));
    });
    wait_until("some blocks are mined", || node.height() >= 3);
    assert_eq!(node.client.block(1).expect("the block").header.miner, crate::common::address("alice"));
}
