//! Nodes over real sockets, on ports that the system chooses, with legs that cost nothing. Everything else is real.
#![allow(dead_code)]

pub mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use ed25519_dalek::{Signer, SigningKey};
use hysteron_api::types::{Header, QuoteQuery, Template};
use hysteron_api::{Client, ClientError, Hex32, Refusal};
use hysteron_chain::HeaderBase;
use hysteron_chain::testing::{StubRunner, easy_genesis};
use hysteron_ledger::{
    Address, Authorisation, Body, Genesis, JobTerms, Sender, Signature, SignedTransaction, Transaction,
    devnet_key, devnet_seed, fee_floor,
};
use hysteron_node::{Config, Node, NodeHandle, Options};
use hysteron_problem::Problem;
use hysteron_work::{LegRunner, Meter, ProblemId, Proof, Table, Target, WorkRules};
use tempfile::TempDir;

/// The name of a key whose account no genesis funds.
pub const NEWCOMER: &str = "newcomer";
/// The longest that any state is waited for, seconds.
pub const PATIENCE_S: u64 = 60;

/// Polls until `is_so`, within a bound.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(PATIENCE_S), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn genesis() -> Genesis {
    easy_genesis()
}

/// A node with a runtime of its own.
pub struct TestNode {
    pub runtime: Arc<tokio::runtime::Runtime>,
    handle: Option<NodeHandle>,
    pub client: Client,
    pub directory: PathBuf,
    _temporary: Option<TempDir>,
}

pub fn runtime() -> Arc<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    Arc::new(runtime.expect("a runtime"))
}

/// Legs that cost nothing, and a funded account for claims.
pub fn options(genesis: Genesis) -> Options {
    Options {
        genesis: Some(genesis),
        runner: Some(Box::new(|problems, _| Arc::new(StubRunner::new(problems)))),
        account_seed: Some(devnet_seed("miner")),
    }
}

impl TestNode {
    /// In a directory that goes away with it.
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    /// With a changed configuration.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let mut config = Config::loopback(temporary.path());
        change(&mut config);
        let mut node = Self::start(config);
        node._temporary = Some(temporary);
        node
    }

    /// Whose account has no coins.
    pub fn without_coins() -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let options = Options { account_seed: Some(devnet_seed(NEWCOMER)), ..options(genesis()) };
        let mut node = Self::start_with(Config::loopback(temporary.path()), options);
        node._temporary = Some(temporary);
        node
    }

    /// In a directory that stays.
    pub fn in_directory(directory: &Path) -> Self {
        Self::start(Config::loopback(directory))
    }

    /// With something else to run legs.
    pub fn with_runner(make: hysteron_node::MakeRunner) -> Self {
        let temporary = tempfile::tempdir().expect("a directory");
        let options = Options { runner: Some(make), ..options(genesis()) };
        let mut node = Self::start_with(Config::loopback(temporary.path()), options);
        node._temporary = Some(temporary);
        node
    }

    pub fn start(config: Config) -> Self {
        Self::start_with(config, options(genesis()))
    }

    fn start_with(mut config: Config, options: Options) -> Self {
        // Nobody waits long in a test.
        config.peers.timing.status_interval_ms = 500;
        let runtime = runtime();
        let directory = config.data.clone();
        let handle = runtime.block_on(Node::start_with(config, options)).expect("the node starts");
        let client = Client::new(&handle.url());
        Self { runtime, handle: Some(handle), client, directory, _temporary: None }
    }

    pub fn handle(&self) -> &NodeHandle {
        self.handle.as_ref().expect("the node runs")
    }

    pub fn height(&self) -> u64 {
        self.client.status().expect("a status").height
    }

    /// The handle, for who stops the node in another way.
    pub fn take(&mut self) -> NodeHandle {
        self.handle.take().expect("the node runs")
    }

    pub fn stop(&mut self) {
        if let Some(handle) = self.handle.take() {
            self.runtime.block_on(handle.shutdown());
        }
    }

    /// Mines a block over HTTP, for an account of the devnet.
    pub fn mine(&self, name: &str) -> Header {
        mine(&self.client, &address(name))
    }

    /// Sends coins between accounts of the devnet.
    pub fn send(&self, from: &str, to: &str, amount: u64) -> SignedTransaction {
        let nonce = self.client.account(&address(from)).expect("an account").next_nonce;
        let signed = transfer(from, to, amount, nonce);
        self.client.submit(&signed.encode()).expect("the transfer is taken");
        signed
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        self.stop();
    }
}

pub fn address(name: &str) -> String {
    devnet_key(name).address().encode(&genesis().address_prefix)
}

pub fn account(name: &str) -> Address {
    devnet_key(name).address()
}

pub fn sign(name: &str, nonce: u64, body: Body) -> SignedTransaction {
    sign_on(&genesis(), name, nonce, body)
}

/// The same for another network.
pub fn sign_on(genesis: &Genesis, name: &str, nonce: u64, body: Body) -> SignedTransaction {
    let key = SigningKey::from_bytes(&devnet_seed(name));
    let sender = Sender::Key(devnet_key(name));
    let mut transaction = Transaction { network: genesis.network_id(), sender, nonce, fee: 0, body };
    let signed = |transaction: Transaction| {
        let signature = Signature(key.sign(&transaction.id()).to_bytes());
        SignedTransaction { transaction, authorisation: Authorisation::Single(signature) }
    };
    transaction.fee = fee_floor(&genesis.fees, &signed(transaction.clone()));
    signed(transaction)
}

pub fn transfer(from: &str, to: &str, amount: u64, nonce: u64) -> SignedTransaction {
    sign(from, nonce, Body::Transfer { to: account(to), amount, memo: b"test".to_vec() })
}

/// Finds a proof for a template, as a program that mines over HTTP does.
pub fn prove(client: &Client, template: &Template) -> Proof {
    prove_with(client, template, &StubRunner::without_problems())
}

fn prove_with(client: &Client, template: &Template, runner: &dyn LegRunner) -> Proof {
    let bytes = client.table(template.table).expect("the template's table");
    let table = Table::decode(&bytes).expect("a table");
    let rules: WorkRules = borsh::from_slice(&template.rules.0).expect("rules");
    let (stop, meter) = (AtomicBool::new(false), Meter::off());
    let target = Target(template.post_target.0);
    let mut nonce = 0;
    loop {
        let attempt = hysteron_work::attempt(&template.seed.0, &table, &rules, runner, nonce, &stop, &meter)
            .expect("a leg runs")
            .expect("nobody stops it");
        if attempt.wins(&target) {
            return attempt.proof;
        }
        nonce = attempt.proof.nonce + 1;
    }
}

/// Mines a block for an address: a template that is newer than the tip, a proof, a header.
pub fn mine(client: &Client, address: &str) -> Header {
    mine_by(client, address, &StubRunner::without_problems())
}

/// The same with another runner, for an account of the devnet.
pub fn mine_with(node: &TestNode, name: &str, runner: &dyn LegRunner) -> Header {
    mine_by(&node.client, &address(name), runner)
}

fn mine_by(client: &Client, address: &str, runner: &dyn LegRunner) -> Header {
    let height = client.status().expect("a status").height;
    let begin = Instant::now();
    loop {
        let template = client.template(address).expect("a template");
        if template.height > height {
            let proof = prove_with(client, &template, runner);
            let base = HeaderBase::decode(&template.header.0).expect("a header");
            let header = client.submit_header(&base.with(&proof).encode()).expect("the block is taken");
            wait_until("the block is told", || client.status().expect("a status").height >= header.height);
            return header;
        }
        assert!(begin.elapsed() < Duration::from_secs(PATIENCE_S), "no template for the new tip came");
    }
}

/// The refusal of an answer that must be one.
pub fn refusal<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Refusal {
    match result {
        Err(ClientError::Refused(refusal)) => {
            assert!(refusal.detail.ends_with(['.', ')', ':']), "a sentence: {refusal:?}");
            assert!(!refusal.mend.is_empty() && !refusal.title.is_empty() && !refusal.kind.is_empty());
            *refusal
        }
        other => panic!("a refusal was expected: {other:?}"),
    }
}

/// Mines until a transaction is in a block; gives the block.
pub fn mine_until_included(node: &TestNode, id: Hex32) -> Hex32 {
    let mut block = None;
    wait_until("the transaction is in a block", || {
        node.mine("miner");
        block = node.client.transaction(id).expect("the transaction").block;
        block.is_some()
    });
    block.expect("it is included")
}

/// Opens a job for [`problem`] and mines until it is in the schedule; gives its id.
pub fn open_job(node: &TestNode) -> Hex32 {
    open_job_with(node, 100)
}

/// The same with a bounty of so many thousandths of the fee.
pub fn open_job_with(node: &TestNode, bounty_per_mille: u16) -> Hex32 {
    let client = &node.client;
    let (problem, bytes) = problem();
    client.upload_problem(&bytes).expect("the problem is taken");
    let query = QuoteQuery { chips: 64, blocks: 50, bounty_per_mille: Some(bounty_per_mille) };
    let quote = client.quote(&query).expect("a price");
    let terms = JobTerms { bounty_per_mille, ..terms(&problem, &bytes, quote.quoted_at, quote.escrow.0) };
    let opening = sign("customer", 0, Body::JobOpen(terms));
    let id = client.submit(&opening.encode()).expect("the job is taken").id;
    mine_until_included(node, id);
    wait_until("the job is in the schedule", || {
        node.mine("miner");
        !client.schedule().expect("the schedule").entries.is_empty()
    });
    id
}

/// A problem with something to search: a random 3-SAT instance.
pub fn problem() -> (Problem, Vec<u8>) {
    let mut word = 1u64;
    let mut draw = |below: u64| {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (word >> 33) % below
    };
    let clauses: Vec<Vec<i32>> = (0..400)
        .map(|_| {
            let mut clause: Vec<i32> = Vec::new();
            while clause.len() < 3 {
                let variable = draw(100) as i32 + 1;
                if clause.iter().all(|l| l.abs() != variable) {
                    clause.push(if draw(2) == 0 { variable } else { -variable });
                }
            }
            clause
        })
        .collect();
    let text = clauses.iter().map(|c| format!("{} {} {} 0\n", c[0], c[1], c[2])).collect::<String>();
    let text = format!("p cnf 100 400\n{text}");
    let document = hysteron_problem::read(text.as_bytes(), None, &Default::default()).expect("a formula");
    let problem = document.canonical().problem.clone();
    let bytes = borsh::to_vec(&problem).expect("memory");
    (problem, bytes)
}

/// A booking of it.
pub fn terms(problem: &Problem, bytes: &[u8], quoted_at: u64, price_max: u64) -> JobTerms {
    JobTerms {
        problem: ProblemId::of(problem),
        data_bytes: bytes.len() as u32,
        chips: 64,
        blocks: 50,
        target: None,
        bounty_per_mille: 100,
        quoted_at,
        price_max,
        review_blocks: 10,
    }
}
