//! Building transactions from an account's state, with the checks that a node would make: what is built here is not refused,
//! unless the chain moved meanwhile.

use hysteron_ledger::limits::SIGNED_TRANSACTION_BYTES_MAX;
use hysteron_ledger::{
    Address, Authorisation, Body, Committee, Genesis, JobTerms, LedgerError, Multisig, Scale, Sender,
    Signature, SignedTransaction, Transaction, UNBONDED, commitment, committee_change_message,
    decode_problem, fee_floor,
};
use hysteron_problem::Problem;
use hysteron_work::types::{Assignment, Hash, JobId, ProblemId};
use hysteron_work::{Claim, normalisation_check};

use crate::WalletError;
use crate::key::Key;

/// What is known of the sending account.
#[derive(Copy, Clone, Debug)]
pub struct Account<'a> {
    /// The network's rules.
    pub genesis: &'a Genesis,
    /// The nonce to use: the account's next, or one more than that of its last transaction that waits.
    pub nonce: u64,
    /// Atoms that may be spent, less what transactions that wait will take.
    pub balance: u64,
}

/// What fee to offer.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
pub enum Fee {
    /// The network's floor.
    #[default]
    Floor,
    /// So many per cent of the floor, at least 100: to be preferred when blocks are full.
    PerCent(u32),
    /// So many atoms.
    Atoms(u64),
}

/// A job that is ready to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenedJob {
    /// The transaction; its id is the job's.
    pub transaction: SignedTransaction,
    /// The problem's canonical bytes, which must travel with it, if the chain does not have the problem.
    pub data: Option<Vec<u8>>,
}

impl OpenedJob {
    /// The job's id.
    pub fn id(&self) -> JobId {
        JobId(self.transaction.id())
    }
}

/// What a customer asks for; the rest of [`JobTerms`] follows.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Booking {
    /// Chips.
    pub chips: u64,
    /// Blocks.
    pub blocks: u32,
    /// The energy that ends it, canonical units.
    pub target: Option<i64>,
    /// Thousandths of the block fee.
    pub bounty_per_mille: u16,
    /// The height of the quote that the customer agreed to, and its total in atoms.
    pub quoted_at: u64,
    /// What was quoted, block fee and bounty, in atoms.
    pub price: u64,
    /// The most atoms that may be escrowed.
    pub price_max: u64,
    /// Blocks for a review, if there must be one.
    pub review_blocks: u32,
}

impl Account<'_> {
    /// A transaction with the network's id, the nonce, and the fee.
    ///
    /// # Errors
    /// [`WalletError::Refused`] for what breaks a rule, [`WalletError::Balance`] for what the account cannot pay.
    pub fn transaction(
        &self,
        sender: Sender,
        signatures: usize,
        body: Body,
        fee: Fee,
    ) -> Result<Transaction, WalletError> {
        let mut transaction =
            Transaction { network: self.genesis.network_id(), sender, nonce: self.nonce, fee: 0, body };
        transaction.check_form()?;
        let authorisation = match transaction.sender {
            Sender::Key(_) => Authorisation::Single(Signature([0; 64])),
            Sender::Multisig(_) => Authorisation::Multisig(vec![(0, Signature([0; 64])); signatures]),
        };
        // Signatures and fees have fixed widths, so the floor is known before they are.
        let model = SignedTransaction { transaction: transaction.clone(), authorisation };
        if model.encode().len() > SIGNED_TRANSACTION_BYTES_MAX {
            let reason = "a transaction may have at most 192 KiB";
            return Err(LedgerError::Malformed { reason }.into());
        }
        let floor = fee_floor(&self.genesis.fees, &model);
        let offered = match fee {
            Fee::Floor => floor,
            Fee::PerCent(per_cent) => {
                let raised = u128::from(floor) * u128::from(per_cent.max(100)) / 100;
                u64::try_from(raised).unwrap_or(u64::MAX)
            }
            Fee::Atoms(atoms) => atoms,
        };
        if offered < floor {
            return Err(LedgerError::Fee { found: offered, floor }.into());
        }
        transaction.fee = offered;
        let needed = transaction.spends_at_most();
        if needed > self.balance {
            return Err(WalletError::Balance { found: self.balance, needed, fee: offered });
        }
        Ok(transaction)
    }

    /// A signed transaction of the account of one key.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn sign(&self, key: &Key, body: Body, fee: Fee) -> Result<SignedTransaction, WalletError> {
        key.sign(self.transaction(Sender::Key(key.public()), 1, body, fee)?)
    }

    /// Coins to one account.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn transfer(
        &self,
        key: &Key,
        to: Address,
        amount: u64,
        memo: &str,
        fee: Fee,
    ) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::Transfer { to, amount, memo: memo.as_bytes().to_vec() }, fee)
    }

    /// The largest transfer with this memo that empties the account.
    ///
    /// # Errors
    /// As of [`Self::transaction`], if not even the fee can be paid.
    pub fn transfer_all(&self, key: &Key, to: Address, memo: &str) -> Result<SignedTransaction, WalletError> {
        let memo = memo.as_bytes().to_vec();
        let least = Body::Transfer { to, amount: 1, memo: memo.clone() };
        let fee = self.transaction(Sender::Key(key.public()), 1, least, Fee::Floor)?.fee;
        self.sign(key, Body::Transfer { to, amount: self.balance - fee, memo }, Fee::Floor)
    }

    /// Coins to several accounts.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn multi_transfer(
        &self,
        key: &Key,
        outputs: Vec<(Address, u64)>,
        memo: &str,
        fee: Fee,
    ) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::MultiTransfer { outputs, memo: memo.as_bytes().to_vec() }, fee)
    }

    /// A job for a problem that the client has normalised. `is_known` if the chain has the problem already.
    ///
    /// # Errors
    /// As of [`Self::transaction`]; [`LedgerError::ProblemRefused`] and [`LedgerError::NothingToSearch`] for problems that nodes
    /// would not take; [`LedgerError::Price`] if the quote is above the limit.
    pub fn open_job(
        &self,
        key: &Key,
        problem: &Problem,
        is_known: bool,
        booking: &Booking,
        fee: Fee,
    ) -> Result<OpenedJob, WalletError> {
        let bytes = borsh::to_vec(problem).expect("writing to memory does not fail");
        // Through the same decoder as in nodes: bounds, canonical form, normalisation.
        let problem = decode_problem(&bytes, &self.genesis.work)?;
        normalisation_check(&problem, &self.genesis.work).map_err(LedgerError::from)?;
        let scale = Scale::of(&problem);
        if scale.baseline <= scale.goal(booking.target) {
            return Err(LedgerError::NothingToSearch.into());
        }
        if booking.price > booking.price_max {
            return Err(LedgerError::Price { price: booking.price, limit: booking.price_max }.into());
        }
        let too_large = LedgerError::Malformed { reason: "a problem may have at most 4 MiB" };
        let terms = JobTerms {
            problem: ProblemId::of(&problem),
            data_bytes: if is_known { 0 } else { u32::try_from(bytes.len()).map_err(|_| too_large)? },
            chips: booking.chips,
            blocks: booking.blocks,
            target: booking.target,
            bounty_per_mille: booking.bounty_per_mille,
            quoted_at: booking.quoted_at,
            price_max: booking.price,
            review_blocks: booking.review_blocks,
        };
        let sender = Sender::Key(key.public());
        let least = self.transaction(sender, 1, Body::JobOpen(terms.clone()), fee)?;
        // The limit is lowered to what the account can pay, since a node counts with all of it.
        let price_max = booking.price_max.min(self.balance - least.fee);
        let transaction =
            self.sign(key, Body::JobOpen(JobTerms { price_max, ..terms }), Fee::Atoms(least.fee))?;
        Ok(OpenedJob { transaction, data: (!is_known).then_some(bytes) })
    }

    /// More blocks, or more bounty, for a job.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn top_up(
        &self,
        key: &Key,
        job: JobId,
        (blocks, bounty): (u32, u64),
        quoted_at: u64,
        price_max: u64,
    ) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::JobTopUp { job, blocks, bounty, quoted_at, price_max }, Fee::Floor)
    }

    /// Ends a job.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn cancel_job(&self, key: &Key, job: JobId) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::JobCancel { job }, Fee::Floor)
    }

    /// Claims what a leg found. The bounty goes to the miner whom the claim's header names. The account pays the fee, and puts a bond
    /// at stake.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn claim(&self, key: &Key, claim: Claim, fee: Fee) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::Claim { claim: Box::new(claim), bond: self.genesis.market.claim_bond }, fee)
    }

    /// The same without a bond: the fee comes out of the bounty, and the account may be empty. A false claim is refused, and costs nothing.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn claim_without_bond(&self, key: &Key, claim: Claim) -> Result<SignedTransaction, WalletError> {
        let body = Body::Claim { claim: Box::new(claim), bond: UNBONDED };
        // It is in no sequence.
        Account { nonce: 0, ..*self }.sign(key, body, Fee::Floor)
    }

    /// Commits to an assignment that was found by other means; keep the salt for [`Self::reveal`].
    ///
    /// # Errors
    /// As of [`Self::transaction`]; [`WalletError::Entropy`].
    pub fn commit(
        &self,
        key: &Key,
        job: JobId,
        assignment: &Assignment,
    ) -> Result<(SignedTransaction, Hash), WalletError> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|e| WalletError::Entropy(e.to_string()))?;
        let commitment = commitment(&key.address(), &job, &salt, assignment);
        let body = Body::ClaimCommit { commitment, bond: self.genesis.market.claim_bond };
        Ok((self.sign(key, body, Fee::Floor)?, salt))
    }

    /// Shows what was committed to.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn reveal(
        &self,
        key: &Key,
        job: JobId,
        assignment: Assignment,
        salt: Hash,
    ) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::ClaimReveal { job, assignment, salt }, Fee::Floor)
    }

    /// A reviewer's vote.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn vote(
        &self,
        key: &Key,
        job: JobId,
        approve: bool,
        reason: &str,
    ) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::ReviewVote { job, approve, reason: reason.into() }, Fee::Floor)
    }

    /// A quote of the oracle, in millionths of a euro cent for one HYS.
    ///
    /// # Errors
    /// As of [`Self::transaction`]; refused where the genesis fixes the rate.
    pub fn quote(&self, key: &Key, microcents_per_hys: u64) -> Result<SignedTransaction, WalletError> {
        if self.genesis.market.rate_is_fixed {
            let reason = "the genesis of this network fixes the rate";
            return Err(LedgerError::Forbidden { reason }.into());
        }
        self.sign(key, Body::OracleQuote { microcents_per_hys }, Fee::Floor)
    }

    /// A reviewer's signature for a change of the committee in office, whose changes so far are `serial`.
    ///
    /// # Errors
    /// [`WalletError::NotAMember`]; [`WalletError::Refused`] for a committee that breaks a rule.
    pub fn sign_committee_change(
        &self,
        key: &Key,
        present: &Committee,
        serial: u64,
        next: &Committee,
    ) -> Result<(u8, Signature), WalletError> {
        next.check()?;
        let place = present.reviewers.iter().position(|member| *member == key.public());
        let index = place
            .and_then(|i| u8::try_from(i).ok())
            .ok_or(WalletError::NotAMember { of: "the committee" })?;
        Ok((index, key.sign_message(&committee_change_message(self.genesis.network_id(), serial, next))))
    }

    /// Describes a multisig account on the chain, so that it can spend.
    ///
    /// # Errors
    /// As of [`Self::transaction`].
    pub fn create_multisig(&self, key: &Key, account: Multisig) -> Result<SignedTransaction, WalletError> {
        self.sign(key, Body::MultisigCreate(account), Fee::Floor)
    }
}
