//! What the integration tests share: a network of cheap blocks, keys, transfers.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hysteron_chain::mempool::SelectionLimits;
use hysteron_chain::testing::{StubRunner, easy_genesis, mine};
use hysteron_chain::{
    Archive, Block, Chain, ChainOptions, MemoryStorage, Outcome, SubmitError, TemplateLimits,
};
use hysteron_ledger::{
    Address, Authorisation, Body, Genesis, JobTerms, LedgerError, Sender, Signature, SignedTransaction,
    Transaction, UNBONDED, devnet_key, devnet_seed, fee_floor,
};
use hysteron_problem::{ClauseList, Cnf, Literal, Problem};
use hysteron_work::types::{JobId, ProblemId};
use hysteron_work::{Claim, LEGS, Leg, LegOutput, LegRunner, Table, Task, WorkError};
use serde_json::Value;

/// No bound on what is selected.
pub const EVERYTHING: SelectionLimits = SelectionLimits {
    transaction_bytes_max: usize::MAX,
    transactions_max: usize::MAX,
    problem_bytes_max: usize::MAX,
    problems_max: usize::MAX,
    heavy_max: usize::MAX,
};

/// After every block of the tests.
pub const NOW: u64 = u64::MAX / 2;
/// More than any floor.
pub const FEE: u64 = 1_000_000_000;

pub type MemoryChain = Chain<MemoryStorage>;

/// A fresh chain of `genesis` with a stub runner that sees the chain's problems.
pub fn chain_of(genesis: &Genesis, options: ChainOptions) -> (MemoryChain, Arc<MemoryStorage>, StubRunner) {
    let storage = Arc::new(MemoryStorage::default());
    let runner = StubRunner::new(Arc::new(Archive::new(storage.clone())));
    let chain =
        Chain::open(genesis.clone(), storage.clone(), Arc::new(runner.clone()), options).expect("opens");
    (chain, storage, runner)
}

/// A fresh chain of the test network.
pub fn fresh() -> (MemoryChain, Arc<MemoryStorage>, StubRunner) {
    chain_of(&easy_genesis(), ChainOptions::default())
}

/// The next block on a chain's tip, `after_s` seconds after it, of the miner of this name.
pub fn next_block(chain: &mut MemoryChain, runner: &StubRunner, miner: &str, after_s: u64) -> Block {
    let now = chain.tip().time + after_s;
    let template =
        chain.template(devnet_key(miner).address(), now, TemplateLimits::default()).expect("a template");
    mine(template, &chain.rules().work.clone(), runner)
}

/// Signs with a devnet key.
pub fn sign(name: &str, transaction: Transaction) -> SignedTransaction {
    use ed25519_dalek::{Signer, SigningKey};
    let signature = SigningKey::from_bytes(&devnet_seed(name)).sign(&transaction.id());
    SignedTransaction { transaction, authorisation: Authorisation::Single(Signature(signature.to_bytes())) }
}

/// A signed transaction of a devnet account.
pub fn transaction(genesis: &Genesis, name: &str, nonce: u64, fee: u64, body: Body) -> SignedTransaction {
    let sender = Sender::Key(devnet_key(name));
    sign(name, Transaction { network: genesis.network_id(), sender, nonce, fee, body })
}

/// A transfer between devnet accounts.
pub fn transfer(
    genesis: &Genesis,
    from: &str,
    to: &str,
    amount: u64,
    nonce: u64,
    fee: u64,
) -> SignedTransaction {
    transaction(genesis, from, nonce, fee, Body::Transfer { to: address(to), amount, memo: Vec::new() })
}

/// Random 3-clauses at a ratio where nothing simplifies.
pub fn problem() -> Problem {
    let mut random = 7u64;
    let mut draw = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let variables = 80u32;
    let mut clauses = ClauseList::new();
    for _ in 0..variables * 42 / 10 {
        let mut chosen: Vec<u32> = Vec::new();
        while chosen.len() < 3 {
            let variable = draw(variables.into()) as u32;
            if !chosen.contains(&variable) {
                chosen.push(variable);
            }
        }
        chosen.sort_unstable();
        let literals: Vec<Literal> = chosen.iter().map(|&v| Literal::new(v, draw(2) == 1)).collect();
        clauses.push(&literals);
    }
    Problem::Cnf(Cnf { variables, clauses })
}

/// A job for [`problem`], waiting for a block.
pub fn open_job(chain: &mut MemoryChain) -> JobId {
    let bytes = borsh::to_vec(&problem()).expect("encodes");
    let terms = JobTerms {
        problem: ProblemId::of(&problem()),
        data_bytes: bytes.len() as u32,
        chips: 1 << 20,
        blocks: 100,
        target: None,
        bounty_per_mille: 500,
        quoted_at: chain.tip().height,
        price_max: 5_000_000_000_000,
        review_blocks: 10,
    };
    let open = transaction(&easy_genesis(), "customer", 0, FEE, Body::JobOpen(terms));
    let missing = chain.submit_transaction(open.clone(), None).expect_err("the data is nowhere");
    assert!(matches!(missing, SubmitError::Ledger(LedgerError::ProblemMissing(_))), "{missing}");
    let job = JobId(open.id());
    chain.submit_transaction(open, Some(bytes)).expect("is fine");
    job
}

/// Tries nonces on the tip until a leg of this miner finds what improves the job, and is below a bound.
pub fn find_claim(
    chain: &mut MemoryChain,
    runner: &dyn LegRunner,
    job: JobId,
    miner: &str,
    below: i64,
) -> Claim {
    let now = chain.tip().time + 5;
    let template = chain.template(address(miner), now, TemplateLimits::default()).expect("a template");
    let best = chain.state().job(&job).expect("is open").best.map(|best| best.score.energy);
    let Problem::Cnf(cnf) = problem() else { unreachable!("it is made above") };
    let baseline = cnf.unsatisfied(&vec![false; cnf.variables as usize]) as i64;
    let below = best.unwrap_or(baseline).min(baseline).min(below);
    let (stop, meter) = (AtomicBool::new(false), hysteron_work::Meter::off());
    let rules = chain.rules().work.clone();
    let mut start = 0;
    for _ in 0..100_000 {
        let attempt =
            hysteron_work::attempt(&template.seed(), &template.table, &rules, runner, start, &stop, &meter)
                .expect("runs")
                .expect("is not stopped");
        start = attempt.proof.nonce + 1;
        for leg in 1..=LEGS as u8 {
            let output = &attempt.outputs[usize::from(leg) - 1];
            // The stub's assignments are random: about an eighth of the clauses are unsatisfied, as with all false.
            if matches!(output.task, Task::Job(_)) && output.energy < below {
                return Claim::of_attempt(template.header.encode(), &attempt, leg);
            }
        }
    }
    panic!("no leg found anything");
}

/// A claim without a bond, signed with a key that need have no coins.
pub fn unbonded(name: &str, claim: Claim) -> SignedTransaction {
    let body = Body::Claim { claim: Box::new(claim), bond: UNBONDED };
    let genesis = easy_genesis();
    let fee = fee_floor(&genesis.fees, &transaction(&genesis, name, 0, 0, body.clone()));
    transaction(&genesis, name, 0, fee, body)
}

/// Mines the next block, and follows it.
pub fn mine_on(chain: &mut MemoryChain, runner: &StubRunner, miner: &str, after_s: u64) -> Block {
    let block = next_block(chain, runner, miner, after_s);
    let submission = chain.submit_block(block.clone(), NOW).expect("is valid");
    assert_eq!(submission.outcome, Outcome::Extended);
    block
}

/// Counts runs.
pub struct Counting {
    runner: StubRunner,
    pub runs: AtomicUsize,
}

impl Counting {
    pub fn new(runner: StubRunner) -> Self {
        Self { runner, runs: AtomicUsize::new(0) }
    }
}

impl LegRunner for Counting {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.runner.run(table, leg, stop)
    }
}

pub fn address(name: &str) -> Address {
    devnet_key(name).address()
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares with, or writes (`HYSTERON_GOLDEN=write`), `golden/NAME.json`.
pub fn check_golden(name: &str, value: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.json"));
    if std::env::var_os("HYSTERON_GOLDEN").is_some_and(|v| v == "write") {
        let text = serde_json::to_string_pretty(value).expect("plain values") + "\n";
        std::fs::write(&path, text).expect("golden/ is writable");
        return;
    }
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; HYSTERON_GOLDEN=write makes it", path.display()));
    let golden: Value = serde_json::from_str(&text).expect("a golden file is JSON");
    assert_eq!(&golden, value, "{name}: a format changed, so nodes of two versions would disagree");
}
