//! A little chain for tests: real transactions and states, claims that say themselves whether they are true.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use hysteron_ledger::{
    Address, Applied, Authorisation, BlockContext, BlockInput, Body, ClaimChecker, ClaimError, ClaimSite,
    ClaimVerdict, Delta, Genesis, JobTerms, LedgerError, PublicKey, Score, Sender, Signature,
    SignedTransaction, State, Transaction, UNBONDED, commitment, devnet_seed, fee_floor,
};
use hysteron_problem::{ClauseList, Cnf, Literal, Problem};
use hysteron_work::types::{Assignment, Hash, JobId, ProblemId, Target, hash};
use hysteron_work::{Claim, WorkRules};

pub const CUSTOMER: usize = 0;
pub const MINER: usize = 1;
pub const ALICE: usize = 2;
pub const BOB: usize = 3;
/// Its account has no coins.
pub const NEWCOMER: usize = 7;
pub const NAMES: [&str; 8] =
    ["customer", "miner", "alice", "bob", "reviewer-1", "reviewer-2", "reviewer-3", "newcomer"];

pub fn secret(who: usize) -> SigningKey {
    SigningKey::from_bytes(&devnet_seed(NAMES[who]))
}
pub fn public(who: usize) -> PublicKey {
    PublicKey(secret(who).verifying_key().to_bytes())
}
pub fn address(who: usize) -> Address {
    public(who).address()
}

/// A devnet whose reviewers have coins too, with short delays.
pub fn genesis() -> Genesis {
    let mut genesis = Genesis::devnet();
    genesis.network = "hysteron-ledger-test".into();
    for who in 4..7 {
        genesis.allocations.push((address(who), 100_000_000_000));
    }
    genesis.allocations.sort_unstable();
    genesis.market.reveal_within_blocks = 14;
    // Fixed here, so that golden states do not depend on what a network of today chooses.
    genesis.post_target = Target::from_expected_tries(60);
    genesis.work = WorkRules {
        leg_work: 10_000_000,
        pre_tries: 40_000,
        variables_max: 1 << 16,
        elements_max: 1 << 17,
        steps_min: 40,
        shrink_per_mille_max: 100,
        claim_age_blocks: 10,
        pool_age_blocks: 10,
        pool_period_blocks: 60,
        ..WorkRules::devnet()
    };
    genesis.market.claims_per_block = 3;
    genesis
}

/// A random 3-CNF that `hidden` satisfies.
pub fn planted(variables: u32, clauses: u32, seed: u64) -> (Problem, Vec<bool>) {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let hidden: Vec<bool> = (0..variables).map(|_| next() & 1 == 1).collect();
    let mut list = ClauseList::new();
    while list.len() < clauses as usize {
        let mut picked = [next() % variables, next() % variables, next() % variables];
        picked.sort_unstable();
        if picked[0] == picked[1] || picked[1] == picked[2] {
            continue;
        }
        let clause = picked.map(|variable| Literal::new(variable, next() & 1 == 1));
        if clause.iter().any(|l| l.holds(hidden[l.variable() as usize])) {
            list.push(&clause);
        }
    }
    (Problem::Cnf(Cnf { variables, clauses: list }), hidden)
}

pub fn bytes_of(problem: &Problem) -> Vec<u8> {
    borsh::to_vec(problem).unwrap()
}

/// Finds what claims say about themselves.
#[derive(Default)]
pub struct Checker {
    pub problems: BTreeMap<ProblemId, Problem>,
}

/// The header of a test's claim.
#[derive(borsh::BorshSerialize, borsh::BorshDeserialize)]
struct Site {
    parent: Hash,
    parent_height: u64,
    miner: Address,
    job: Option<JobId>,
    is_true: bool,
}

impl ClaimChecker for Checker {
    fn locate(&self, claim: &Claim) -> Result<ClaimSite, ClaimError> {
        let site: Site =
            borsh::from_slice(&claim.header).map_err(|_| ClaimError::Refused("no header".into()))?;
        let Site { parent, parent_height, miner, job, .. } = site;
        Ok(ClaimSite { parent, parent_height, miner, job, parameter_set: 3 })
    }
    fn score(&self, problem: &ProblemId, assignment: &Assignment) -> Result<Score, ClaimError> {
        let problem = self.problems.get(problem).ok_or(ClaimError::Unchecked("no problem".into()))?;
        Score::of(problem, &assignment.unpack()).ok_or(ClaimError::Refused("variables".into()))
    }
    fn rerun(&self, claim: &Claim) -> Result<ClaimVerdict, ClaimError> {
        let site: Site = borsh::from_slice(&claim.header).expect("located before");
        Ok(if site.is_true { ClaimVerdict::True } else { ClaimVerdict::False })
    }
}

/// A chain without forks: states, and what undoes them.
pub struct World {
    pub state: State,
    pub checker: Checker,
    /// Hash of the last block.
    pub tip: Hash,
    /// For each block: what it changed, the root and the tip before it.
    pub undo: Vec<(Delta, Hash, Hash)>,
    /// Makes blocks of different branches different.
    pub salt: u64,
    pub time_step: u64,
    pub legs: Vec<JobId>,
}

impl World {
    pub fn new(genesis: &Genesis) -> Self {
        Self {
            state: State::genesis(genesis).unwrap(),
            checker: Checker::default(),
            tip: hash("test-block", &[&[0]]),
            undo: Vec::new(),
            salt: 0,
            time_step: genesis.spacing_seconds,
            legs: Vec::new(),
        }
    }

    pub fn height(&self) -> u64 {
        self.state.head().height
    }

    /// Applies a block; checks that coins are conserved and that it can be undone and done again.
    pub fn try_block(
        &mut self,
        miner: usize,
        transactions: &[SignedTransaction],
        problems: &[Vec<u8>],
    ) -> Result<Applied, LedgerError> {
        let head = self.state.head();
        let before = self.state.root();
        let legs = std::mem::take(&mut self.legs);
        let context = BlockContext {
            height: head.height + 1,
            parent: self.tip,
            time: head.clock + self.time_step,
            miner: address(miner),
            post_target: self.state.rules().post_target,
            parent_legs: &legs,
            work: &self.checker,
        };
        let input = BlockInput { context, transactions, problems };
        let applied = match self.state.apply(&input) {
            Ok(applied) => applied,
            Err(error) => {
                assert_eq!(self.state.root(), before, "an error changes nothing");
                self.legs = legs;
                return Err(error);
            }
        };
        let after = self.state.root();
        self.state.revert(&applied.delta).unwrap();
        assert_eq!(self.state.root(), before, "undone");
        let again = self.state.apply(&input).unwrap();
        assert_eq!((self.state.root(), &again), (after, &applied), "the same block has the same effect");
        self.state.audit().unwrap();
        self.undo.push((applied.delta.clone(), before, self.tip));
        self.tip = hash("test-block", &[&self.tip, &head.height.to_le_bytes(), &self.salt.to_le_bytes()]);
        Ok(applied)
    }

    pub fn block(&mut self, transactions: &[SignedTransaction], problems: &[Vec<u8>]) -> Applied {
        self.try_block(MINER, transactions, problems).unwrap()
    }

    pub fn mine(&mut self, blocks: u64) {
        for _ in 0..blocks {
            self.block(&[], &[]);
        }
    }

    /// Takes the last block back.
    pub fn undo_block(&mut self) -> bool {
        let Some((delta, root, tip)) = self.undo.pop() else { return false };
        self.state.revert(&delta).unwrap();
        assert_eq!(self.state.root(), root);
        self.state.audit().unwrap();
        self.tip = tip;
        self.salt += 1;
        true
    }

    /// The refusal of a transaction that comes alone in a block.
    pub fn refusal(&mut self, transaction: &SignedTransaction, problems: &[Vec<u8>]) -> LedgerError {
        match self.try_block(MINER, std::slice::from_ref(transaction), problems) {
            Err(LedgerError::BlockTransaction { error, .. }) => *error,
            other => panic!("it should have been refused: {other:?}"),
        }
    }

    pub fn sign(&self, who: usize, body: Body) -> SignedTransaction {
        self.sign_ahead(who, body, 0)
    }

    /// A transaction with the floor as its fee, `ahead` nonces after the account's next.
    pub fn sign_ahead(&self, who: usize, body: Body, ahead: u64) -> SignedTransaction {
        let nonce = match &body {
            Body::Claim { bond: UNBONDED, .. } => 0,
            _ => self.state.account(&address(who)).nonce + ahead,
        };
        let network = self.state.network_id();
        let mut transaction = Transaction { network, sender: Sender::Key(public(who)), nonce, fee: 0, body };
        let authorisation = Authorisation::Single(Signature([0; 64]));
        let model = SignedTransaction { transaction: transaction.clone(), authorisation };
        transaction.fee = fee_floor(&self.state.rules().fees, &model);
        sign_raw(who, transaction)
    }

    pub fn open(
        &mut self,
        who: usize,
        problem: &Problem,
        terms: JobTerms,
    ) -> (SignedTransaction, Vec<Vec<u8>>) {
        let id = ProblemId::of(problem);
        self.checker.problems.insert(id, problem.clone());
        let is_known = self.state.problem(&id).is_some();
        let bytes = bytes_of(problem);
        let data_bytes = if is_known { 0 } else { bytes.len() as u32 };
        let quoted_at = self.height();
        let terms = JobTerms { problem: id, data_bytes, quoted_at, ..terms };
        let transaction = self.sign(who, Body::JobOpen(terms));
        (transaction, if is_known { vec![] } else { vec![bytes] })
    }

    /// A claim of a leg that was drawn after the block `age - 1` blocks before the tip.
    pub fn claim(&self, job: JobId, assignment: &[bool], miner: usize, age: u64, is_true: bool) -> Claim {
        let height = self.height() + 1 - age;
        let back = self.undo.len() - (age as usize - 1);
        let parent = self.undo.get(back).map_or(self.tip, |block| block.2);
        let site = Site { parent, parent_height: height, miner: address(miner), job: Some(job), is_true };
        let header = borsh::to_vec(&site).unwrap();
        let assignment = Assignment::pack(assignment);
        Claim { header, nonce: 0, leg: 1, digests: vec![[0; 32]], lane: 0, assignment }
    }

    pub fn claim_body(&self, job: JobId, assignment: &[bool], miner: usize, age: u64, is_true: bool) -> Body {
        let claim = Box::new(self.claim(job, assignment, miner, age, is_true));
        Body::Claim { claim, bond: self.state.rules().market.claim_bond }
    }

    /// The same without a bond.
    pub fn unbonded_body(
        &self,
        job: JobId,
        assignment: &[bool],
        miner: usize,
        age: u64,
        is_true: bool,
    ) -> Body {
        let claim = Box::new(self.claim(job, assignment, miner, age, is_true));
        Body::Claim { claim, bond: UNBONDED }
    }

    pub fn commit_body(&self, who: usize, job: JobId, assignment: &[bool], salt: Hash) -> Body {
        let commitment = commitment(&address(who), &job, &salt, &Assignment::pack(assignment));
        Body::ClaimCommit { commitment, bond: self.state.rules().market.claim_bond }
    }

    pub fn balance(&self, who: usize) -> u64 {
        self.state.account(&address(who)).balance
    }
}

pub fn sign_raw(who: usize, transaction: Transaction) -> SignedTransaction {
    let signature = Signature(secret(who).sign(&transaction.id()).to_bytes());
    SignedTransaction { transaction, authorisation: Authorisation::Single(signature) }
}

pub fn terms(chips: u64, blocks: u32) -> JobTerms {
    JobTerms {
        problem: ProblemId([0; 32]),
        data_bytes: 0,
        chips,
        blocks,
        target: None,
        bounty_per_mille: 1000,
        quoted_at: 0,
        price_max: 1_000_000_000_000,
        review_blocks: 10,
    }
}
