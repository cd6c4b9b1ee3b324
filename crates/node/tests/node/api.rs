//! Every endpoint over a real socket: what it gives, and how it refuses.

use crate::common::{
    TestNode, address, genesis, mine, mine_until_included, problem, refusal, sign, terms, transfer,
    wait_until,
};
use hysteron_api::types::{
    BlockQuery, HeaderQuery, HistoryQuery, JobQuery, JobState, QuoteQuery, TransactionStatus,
};
use hysteron_api::{Atoms, Client, Hex32};
use hysteron_ledger::{Body, Genesis, HeaderFacts, Receipt};
use hysteron_problem::{Cnf, Problem};

#[test]
fn an_empty_chain_answers_everything() {
    let node = TestNode::new();
    let client = &node.client;
    let status = client.status().expect("a status");
    assert_eq!((status.height, status.network.as_str(), status.is_synced), (0, "hysteron-test", true));
    let network = client.network().expect("the network");
    assert_eq!(
        (network.name, network.genesis, network.id),
        (status.network, status.genesis, genesis().network_id())
    );
    let bytes = client.genesis().expect("the genesis");
    assert_eq!(Genesis::decode(&bytes).expect("it decodes"), genesis());
    assert!(client.live().expect("alive").ok && client.ready().expect("ready").ok);
    assert_eq!(client.blocks(&BlockQuery::default()).expect("blocks").blocks.len(), 1);
    assert_eq!(client.headers(&HeaderQuery::default()).expect("headers").len(), 1);
    let block = client.block(0).expect("the first block");
    assert_eq!((block.header.hash, block.header.confirmations, block.reward), (status.genesis, 1, None));
    assert_eq!(client.block(block.header.hash).expect("by hash"), block);
    assert!(!client.block_bytes(0).expect("raw").is_empty());
    assert_eq!(client.mempool().expect("the mempool").count, 0);
    assert_eq!(client.jobs(&JobQuery::default()).expect("jobs").jobs, []);
    assert!(client.schedule().expect("the schedule").entries.is_empty());
    let peers = client.peers().expect("peers");
    assert!(peers.peers.is_empty() && peers.listening.iter().all(|a| a.contains("/p2p/")));
    assert_eq!(client.mining().expect("figures").workers, 0);
    let metrics = client.metrics().expect("metrics");
    assert!(metrics.contains("\nhysteron_height 0\n") && metrics.contains("# TYPE hysteron_workers gauge"));
}

#[test]
fn blocks_and_coins() {
    let node = TestNode::new();
    let client = &node.client;
    let alice = address("alice");
    let before = client.account(&alice).expect("an account");
    assert_eq!((before.nonce, before.next_nonce, before.immature), (0, 0, Atoms(0)));
    let sent = node.send("alice", "bob", 12_345);
    let id = Hex32(sent.id());
    let waiting = client.transaction(id).expect("it waits");
    assert_eq!(
        (waiting.status, waiting.confirmations, waiting.kind.as_str()),
        (TransactionStatus::Waiting, 0, "transfer")
    );
    assert_eq!(waiting.fields["amount"], "12345");
    assert_eq!(client.account(&alice).expect("an account").next_nonce, 1);
    assert_eq!(client.mempool().expect("the mempool").transactions, [waiting]);
    let header = mine_until_included(&node, id);
    let included = client.transaction(id).expect("it is in a block");
    assert_eq!((included.status, included.block), (TransactionStatus::Included, Some(header)));
    let block = client.block(header).expect("the block");
    assert_eq!(block.transactions[0].id, id);
    assert_eq!(block.header.miner, address("miner"));
    let reward = block.reward.expect("a reward");
    assert!(reward.0 > sent.transaction.fee);
    let after = client.account(&alice).expect("an account");
    assert_eq!(before.balance.0 - after.balance.0, 12_345 + sent.transaction.fee);
    assert!(client.account(&address("miner")).expect("an account").immature.0 >= reward.0);
    assert_eq!(client.mempool().expect("the mempool").count, 0);
    // The history follows on its own.
    let query = HistoryQuery::default();
    wait_until("the history has the transfer", || {
        client.history(&alice, &query).expect("a history").entries.len() == 1
    });
    let entry = &client.history(&alice, &query).expect("a history").entries[0];
    assert_eq!((entry.kind.as_str(), entry.spent.0), ("sent", 12_345 + sent.transaction.fee));
    assert_eq!(entry.other, Some(address("bob")));
    let entry = &client.history(&address("bob"), &query).expect("a history").entries[0];
    assert_eq!(
        (entry.kind.as_str(), entry.received, entry.transaction),
        ("received", Atoms(12_345), Some(id))
    );
    let entry = &client.history(&address("miner"), &query).expect("a history").entries[0];
    assert_eq!(entry.kind, "reward");
}

#[test]
fn lists_have_pages() {
    let node = TestNode::new();
    for _ in 0..5 {
        node.mine("miner");
    }
    let client = &node.client;
    let page = client.blocks(&BlockQuery { before: None, count: Some(4) }).expect("a page");
    assert_eq!(page.blocks.iter().map(|b| b.height).collect::<Vec<_>>(), [5, 4, 3, 2]);
    let page = client.blocks(&BlockQuery { before: page.next, count: Some(4) }).expect("a page");
    assert_eq!((page.blocks.len(), page.next), (2, None));
    let headers = client.headers(&HeaderQuery { from: Some(2), count: Some(2) }).expect("headers");
    assert_eq!(headers.iter().map(|h| (h.height, h.confirmations)).collect::<Vec<_>>(), [(2, 4), (3, 3)]);
    assert_eq!(headers[1].parent, headers[0].hash);
    let miner = address("miner");
    wait_until("the history has all", || {
        client.history(&miner, &HistoryQuery::default()).expect("a history").entries.len() == 5
    });
    let page = client.history(&miner, &HistoryQuery { before: None, count: Some(3) }).expect("a page");
    assert_eq!(page.entries.iter().map(|e| e.height).collect::<Vec<_>>(), [5, 4, 3]);
    let page = client.history(&miner, &HistoryQuery { before: page.next, count: Some(3) }).expect("a page");
    assert_eq!(page.entries.iter().map(|e| e.height).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(page.next, None);
}

#[test]
fn a_job_from_upload_to_receipt() {
    let node = TestNode::new();
    let client = &node.client;
    node.mine("miner");
    let (problem, bytes) = problem();
    let report = client.upload_problem(&bytes).expect("the problem is taken");
    assert_eq!(report.id.0, problem.content_id());
    assert_eq!((report.class.as_str(), report.variables, report.elements), ("short-clauses", 100, 1200));
    assert!(!report.is_on_chain && report.fee.0 > 0);
    assert_eq!(client.problem(report.id).expect("it waits here"), bytes);
    let quote =
        client.quote(&QuoteQuery { chips: 64, blocks: 50, bounty_per_mille: Some(100) }).expect("a price");
    assert_eq!((quote.chip_blocks, quote.escrow.0), (3200, quote.price.0 + quote.bounty.0));
    let body = Body::JobOpen(terms(&problem, &bytes, quote.quoted_at, quote.escrow.0));
    let opening = sign("customer", 0, body);
    let id = Hex32(opening.id());
    assert_eq!(client.submit(&opening.encode()).expect("the job is taken").id, id);
    mine_until_included(&node, id);
    let job = client.job(id).expect("the job");
    assert_eq!((job.owner.as_str(), job.escrowed), (address("customer").as_str(), quote.escrow));
    assert!(matches!(job.state, JobState::Waiting | JobState::Running), "{:?}", job.state);
    assert_eq!(
        client
            .jobs(&JobQuery { owner: Some(address("customer")), ..Default::default() })
            .expect("jobs")
            .jobs
            .len(),
        1
    );
    assert_eq!(
        client.jobs(&JobQuery { owner: Some(address("bob")), ..Default::default() }).expect("jobs").jobs,
        []
    );
    let query = JobQuery { state: Some("settled".into()), ..Default::default() };
    assert_eq!(client.jobs(&query).expect("jobs").jobs, []);
    wait_until("the job is in the schedule", || {
        node.mine("miner");
        !client.schedule().expect("the schedule").entries.is_empty()
    });
    let refused = refusal(client.job_assignment(id));
    assert_eq!(refused.status, 404);
    let cancel = sign("customer", 1, Body::JobCancel { job: hysteron_work::JobId(id.0) });
    client.submit(&cancel.encode()).expect("it is cancelled");
    wait_until("the job is settled", || {
        node.mine("miner");
        client.job(id).expect("the job").state == JobState::Settled
    });
    let job = client.job(id).expect("the job");
    assert_eq!(job.outcome, Some(JobState::Cancelled));
    assert_eq!(job.escrowed.0, job.spent.0 + job.refunded.0, "nothing is lost: {job:?}");
    let receipt = client.receipt(id).expect("a receipt");
    let decoded = Receipt::decode(&receipt.receipt.0).expect("it decodes");
    let read = |bytes: &[u8]| {
        let header = hysteron_chain::Header::decode(bytes).ok()?;
        Some(HeaderFacts {
            hash: header.hash(),
            parent: header.parent,
            height: header.height,
            state_root: header.state_root,
        })
    };
    let proven = decoded.verify(&receipt.block.0, read).expect("the receipt holds");
    assert_eq!((proven.height, proven.job.owner), (receipt.height, crate::common::account("customer")));
    wait_until("the history has the job", || {
        client.job_events(id).is_ok_and(|e| e.last().is_some_and(|e| e.kind == "settled"))
    });
    let kinds: Vec<String> = client.job_events(id).expect("events").into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds.first().map(String::as_str), Some("opened"));
    assert!(kinds.contains(&"started".to_owned()) && kinds.contains(&"cancelled".to_owned()), "{kinds:?}");
    let history = client.history(&address("customer"), &HistoryQuery::default()).expect("a history");
    assert!(history.entries.iter().any(|entry| entry.kind == "refund" && entry.job == Some(id)));
    assert!(client.upload_problem(&bytes).expect("known").is_on_chain);
}

#[test]
fn bad_requests_get_reasons() {
    let node = TestNode::new();
    let client = &node.client;
    let nothing = Hex32([9; 32]);
    for refused in [
        refusal(client.block(77)),
        refusal(client.block(nothing)),
        refusal(client.block_bytes(nothing)),
        refusal(client.transaction(nothing)),
        refusal(client.job(nothing)),
        refusal(client.job_assignment(nothing)),
        refusal(client.job_events(nothing)),
        refusal(client.receipt(nothing)),
        refusal(client.problem(nothing)),
        refusal(client.table(nothing)),
    ] {
        assert_eq!((refused.status, refused.kind.as_str()), (404, "not-found"), "{refused:?}");
    }
    assert!(refusal(client.block(77)).detail.contains("no block 77"));
    for refused in [
        refusal(client.block("x")),
        refusal(client.account("hysd1nonsense")),
        refusal(client.account(&address("alice").replace("hysd1", "hys1"))),
        refusal(client.history("../../etc/passwd", &HistoryQuery::default())),
        refusal(client.history(&address("alice"), &HistoryQuery { before: Some("x".into()), count: None })),
        refusal(client.blocks(&BlockQuery { before: None, count: Some(0) })),
        refusal(client.headers(&HeaderQuery { from: None, count: Some(101) })),
        refusal(client.jobs(&JobQuery { state: Some("happy".into()), ..Default::default() })),
        refusal(client.template("nobody")),
        refusal(client.submit(&[1, 2, 3])),
        refusal(client.submit_header(&[0; 10])),
        refusal(client.submit_claim(&[0; 10])),
    ] {
        assert_eq!((refused.status, refused.kind.as_str()), (400, "bad-request"), "{refused:?}");
    }
    let refused = refusal(client.quote(&QuoteQuery { chips: 0, blocks: 1, bounty_per_mille: None }));
    assert_eq!((refused.status, refused.kind.as_str()), (422, "quote-refused"));
    let poor = transfer("alice", "bob", u64::MAX / 2, 0);
    let refused = refusal(client.submit(&poor.encode()));
    assert_eq!((refused.status, refused.kind.as_str()), (422, "transaction-refused"));
    assert!(refused.detail.contains("HYS"), "{}", refused.detail);
    let mut forged = transfer("alice", "bob", 5, 0);
    forged.transaction.fee += 1;
    assert!(refusal(client.submit(&forged.encode())).detail.contains("not authorised"));
}

#[test]
fn bad_problems_get_reasons() {
    let node = TestNode::new();
    let client = &node.client;
    let refused = refusal(client.upload_problem(b"p cnf 1 1\n1 0\n"));
    assert_eq!((refused.status, refused.kind.as_str()), (422, "problem-refused"));
    let refused = refusal(client.upload_problem(&vec![0; (4 << 20) + 1]));
    assert_eq!((refused.status, refused.kind.as_str()), (413, "too-large"));
    let mut decided = Cnf { variables: 2, ..Cnf::default() };
    decided.clauses.push(&[hysteron_problem::Literal::new(0, true)]);
    decided.clauses.push(&[hysteron_problem::Literal::new(1, true)]);
    let bytes = borsh::to_vec(&Problem::Cnf(decided)).expect("memory");
    let refused = refusal(client.upload_problem(&bytes));
    assert_eq!(refused.kind, "problem-refused");
    // A job whose problem was not uploaded never reaches the chain.
    let (problem, bytes) = problem();
    let opening = sign("customer", 0, Body::JobOpen(terms(&problem, &bytes, 0, u64::MAX / 4)));
    let refused = refusal(client.submit(&opening.encode()));
    assert_eq!((refused.status, refused.kind.as_str()), (422, "problem-missing"));
}

/// What a plain HTTP client sees: status line, headers, body.
fn raw(node: &TestNode, request: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(node.handle().http()).expect("a connection");
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_framework_refuses_in_the_same_form() {
    let node = TestNode::new();
    let get =
        |path: &str| raw(&node, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    let answer = get("/v2/nothing");
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("application/problem+json"), "{answer}");
    assert!(answer.contains("There is no route /v2/nothing."));
    let answer = get("/v1/blocks?count=many");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("application/problem+json"), "{answer}");
    let answer = get("/v1/blocks?colour=red");
    assert!(answer.starts_with("HTTP/1.1 400"), "unknown parameters are refused: {answer}");
    let answer = raw(&node, "DELETE /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 405") && answer.contains("application/problem+json"), "{answer}");
    let answer = get("/v1/worker");
    assert!(answer.starts_with("HTTP/1.1 4") && answer.contains("application/problem+json"), "{answer}");
    // A body without end is refused by its stated length.
    let request =
        "POST /v1/transactions HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\nx";
    let answer = raw(&node, request);
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("too-large"), "{answer}");
}

#[test]
fn too_many_requests_are_told_to_wait() {
    let node = TestNode::with(|config| config.http.requests_per_second = 2);
    let client = Client::new(node.client.url());
    let refused = (0..100).find_map(|_| client.live().err()).expect("the burst ends");
    let refused = refusal::<()>(Err(refused));
    assert_eq!((refused.status, refused.kind.as_str()), (429, "too-many-requests"));
    // It comes back by itself.
    wait_until("the node answers again", || client.live().is_ok());
}

#[test]
fn late_headers_and_foreign_ones_are_refused() {
    let node = TestNode::new();
    let client = &node.client;
    let template = client.template(&address("miner")).expect("a template");
    let proof = crate::common::prove(client, &template);
    let base = hysteron_chain::HeaderBase::decode(&template.header.0).expect("a header");
    let mut forged = base.clone().with(&proof);
    forged.nonce += 1;
    assert_eq!(refusal(client.submit_header(&forged.encode())).status, 422);
    let mut foreign = base.clone();
    foreign.time += 1;
    let refused = refusal(client.submit_header(&foreign.with(&proof).encode()));
    assert_eq!(refused.kind, "result-refused");
    let taken = client.submit_header(&base.clone().with(&proof).encode()).expect("the block is taken");
    assert_eq!((taken.height, taken.confirmations), (1, 1));
    assert!(refusal(client.submit_header(&base.with(&proof).encode())).detail.contains("came first"));
    assert_eq!(mine(client, &address("bob")).height, 2);
}
