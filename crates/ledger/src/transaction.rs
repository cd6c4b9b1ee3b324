//! Transactions: what an account may ask of the chain.

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::Claim;
use hysteron_work::types::{Assignment, Hash, JobId, ProblemId, hash};

use crate::committee::Committee;
use crate::keys::{Address, Multisig, PublicKey, Signature};
use crate::limits::{MEMO_BYTES_MAX, OUTPUTS_MAX, REASON_BYTES_MAX, SIGNED_TRANSACTION_BYTES_MAX};
use crate::{JobTerms, LedgerError};

/// Who sends a transaction: whose coins it spends and whose nonce it uses.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub enum Sender {
    /// The account of one key.
    Key(PublicKey),
    /// A multisig account that a [`Body::MultisigCreate`] has described before.
    Multisig(Address),
}

impl Sender {
    /// The account.
    pub fn address(&self) -> Address {
        match self {
            Self::Key(key) => key.address(),
            Self::Multisig(address) => *address,
        }
    }
}

/// What authorises a transaction, over its [`Transaction::id`].
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub enum Authorisation {
    /// Of [`Sender::Key`].
    Single(Signature),
    /// Of [`Sender::Multisig`]: member's index and signature, indices strictly increasing.
    Multisig(Vec<(u8, Signature)>),
}

/// The bond of a claim that has none: see [`Body::Claim`].
pub const UNBONDED: u64 = 0;

/// What is asked for.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub enum Body {
    /// Coins to one account.
    Transfer {
        /// The recipient.
        to: Address,
        /// Atoms, at least 1.
        amount: u64,
        /// Any bytes, public, at most [`MEMO_BYTES_MAX`].
        memo: Vec<u8>,
    },
    /// Coins to several accounts, all or none.
    MultiTransfer {
        /// Recipient and atoms, each at least 1; 1 to [`OUTPUTS_MAX`].
        outputs: Vec<(Address, u64)>,
        /// Any bytes, public, at most [`MEMO_BYTES_MAX`].
        memo: Vec<u8>,
    },
    /// Books chips for a problem and escrows the whole price.
    JobOpen(JobTerms),
    /// Adds blocks, or bounty, to a job that has not ended.
    JobTopUp {
        /// The job; its owner must be the sender.
        job: JobId,
        /// Blocks to add.
        blocks: u32,
        /// Atoms to add to the bounty.
        bounty: u64,
        /// The height whose quote counts, see [`JobTerms::quoted_at`].
        quoted_at: u64,
        /// The most atoms that may be escrowed for this.
        price_max: u64,
    },
    /// Ends a job; what is not used of the escrow returns when it settles.
    JobCancel {
        /// The job; its owner must be the sender.
        job: JobId,
    },
    /// A leg found something: a bounty for the miner whose header it was.
    ///
    /// With a bond, the sender pays the fee, and a false claim burns the bond. Without one ([`UNBONDED`]) the claim must be true, its
    /// fee is exactly the floor and is taken out of the bounty, and the sender's account is neither needed nor touched: its nonce is
    /// 0, whatever the account's. It cannot be applied twice, since a claim must improve its job.
    Claim {
        /// What was found, re-runnable by anyone. Boxed, as it is much larger than the other bodies.
        claim: Box<Claim>,
        /// Atoms that burn if the claim is false: the network's [`crate::MarketRules::claim_bond`], or [`UNBONDED`].
        bond: u64,
    },
    /// Commits to an assignment that was found by other means.
    ClaimCommit {
        /// [`commitment`] of what [`Body::ClaimReveal`] will show.
        commitment: Hash,
        /// Atoms that are kept until the reveal, and burn if it does not come in time: the network's
        /// [`crate::MarketRules::claim_bond`].
        bond: u64,
    },
    /// Shows what was committed to; pays half the bounty if no claim comes before it.
    ClaimReveal {
        /// The job.
        job: JobId,
        /// The assignment.
        assignment: Assignment,
        /// The salt of the commitment.
        salt: Hash,
    },
    /// A vote of the ethics committee on a held job.
    ReviewVote {
        /// The job.
        job: JobId,
        /// Whether it may run.
        approve: bool,
        /// Why, public, UTF-8, 1 to [`REASON_BYTES_MAX`] bytes.
        reason: String,
    },
    /// A quote of the oracle.
    OracleQuote {
        /// Millionths of a euro cent for one HYS.
        microcents_per_hys: u64,
    },
    /// Replaces the committee, after a delay.
    CommitteeChange {
        /// The new committee.
        committee: Committee,
        /// Signatures of the present reviewers (index, signature; indices strictly increasing) over
        /// [`committee_change_message`]; at least the threshold.
        signatures: Vec<(u8, Signature)>,
    },
    /// Describes a multisig account, so that it can spend.
    MultisigCreate(Multisig),
}

/// What is signed.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// The network, [`crate::Genesis::network_id`]: a transaction counts nowhere else.
    pub network: u32,
    /// Whose account pays.
    pub sender: Sender,
    /// The number of transactions that the account has sent before.
    pub nonce: u64,
    /// Atoms for the miner.
    pub fee: u64,
    /// What is asked for.
    pub body: Body,
}

/// A transaction with its signatures: what travels and what blocks hold. It has one id whatever its signatures.
#[derive(BorshSerialize, BorshDeserialize, Clone, PartialEq, Eq, Debug)]
pub struct SignedTransaction {
    /// What was signed.
    pub transaction: Transaction,
    /// The signatures.
    pub authorisation: Authorisation,
}

/// The commitment of [`Body::ClaimCommit`]: who copies it cannot reveal it, since it binds the sender.
pub fn commitment(sender: &Address, job: &JobId, salt: &Hash, assignment: &Assignment) -> Hash {
    let bytes = borsh::to_vec(assignment).expect("writing to memory does not fail");
    hash("commitment", &[&sender.0, &job.0, salt, &bytes])
}

/// What reviewers sign to change the committee. `serial` is the number of changes before, so that no signature counts
/// twice.
pub fn committee_change_message(network: u32, serial: u64, committee: &Committee) -> Hash {
    let bytes = borsh::to_vec(committee).expect("writing to memory does not fail");
    hash("committee-change", &[&network.to_le_bytes(), &serial.to_le_bytes(), &bytes])
}

impl Transaction {
    /// The id: what is signed, and what a job that it opens is called.
    pub fn id(&self) -> Hash {
        hash("transaction", &[&borsh::to_vec(self).expect("writing to memory does not fail")])
    }

    /// Checks what the transaction alone can break: lengths, zero amounts, sums. Keys are looked at by
    /// [`SignedTransaction::decode`]'s callers through the state.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`], [`LedgerError::Members`].
    pub fn check_form(&self) -> Result<(), LedgerError> {
        let refuse = |reason| Err(LedgerError::Malformed { reason });
        match &self.body {
            Body::Transfer { amount, memo, .. } => {
                if *amount == 0 {
                    return refuse("a transfer must be of at least one atom");
                }
                if memo.len() > MEMO_BYTES_MAX {
                    return refuse("a memo may have at most 256 bytes");
                }
            }
            Body::MultiTransfer { outputs, memo } => {
                if outputs.is_empty() || outputs.len() > OUTPUTS_MAX {
                    return refuse("a multi-transfer must have 1 to 1024 outputs");
                }
                if outputs.iter().any(|&(_, amount)| amount == 0) {
                    return refuse("every output must be of at least one atom");
                }
                if memo.len() > MEMO_BYTES_MAX {
                    return refuse("a memo may have at most 256 bytes");
                }
            }
            Body::JobOpen(terms) => terms.check_form()?,
            Body::JobTopUp { blocks, bounty, .. } => {
                if *blocks == 0 && *bounty == 0 {
                    return refuse("a top-up must add blocks or bounty");
                }
            }
            Body::ReviewVote { reason, .. } => {
                if reason.trim().is_empty() || reason.len() > REASON_BYTES_MAX {
                    return refuse("a vote must give its reason in 1 to 1024 bytes");
                }
            }
            Body::OracleQuote { microcents_per_hys } => {
                if !crate::oracle::RATES.contains(microcents_per_hys) {
                    return refuse("a quote must be between 10^-4 and 10^10 euro cents for one HYS");
                }
            }
            Body::CommitteeChange { committee, .. } => committee.check()?,
            Body::MultisigCreate(descriptor) => descriptor.check()?,
            // The fee is the finder's to pay, so nothing that others may choose must change it, or make two of one.
            Body::Claim { bond: UNBONDED, .. } => {
                if self.nonce != 0 || !matches!(self.sender, Sender::Key(_)) {
                    return refuse("a claim without a bond has nonce 0 and is signed by a single key");
                }
            }
            Body::JobCancel { .. }
            | Body::Claim { .. }
            | Body::ClaimCommit { .. }
            | Body::ClaimReveal { .. } => {}
        }
        Ok(())
    }

    /// The claim, if it is one without a bond: it uses neither coins nor nonces of its sender.
    pub fn unbonded_claim(&self) -> Option<&Claim> {
        match &self.body {
            Body::Claim { claim, bond: UNBONDED } => Some(claim),
            _ => None,
        }
    }

    /// Atoms that leave the account's balance if the transaction is applied, without what is only known by looking at
    /// the state: for jobs the most that they may escrow. Saturates.
    pub fn spends_at_most(&self) -> u64 {
        let body = match &self.body {
            Body::Transfer { amount, .. } => *amount,
            Body::MultiTransfer { outputs, .. } => {
                outputs.iter().fold(0u64, |sum, &(_, amount)| sum.saturating_add(amount))
            }
            Body::JobOpen(terms) => terms.price_max,
            Body::JobTopUp { price_max, .. } => *price_max,
            // The bounty pays its fee.
            Body::Claim { bond: UNBONDED, .. } => return 0,
            Body::Claim { bond, .. } | Body::ClaimCommit { bond, .. } => *bond,
            _ => 0,
        };
        body.saturating_add(self.fee)
    }

    /// The problem whose data must come with the transaction, if the chain does not have it.
    pub fn problem(&self) -> Option<ProblemId> {
        match &self.body {
            Body::JobOpen(terms) if terms.data_bytes > 0 => Some(terms.problem),
            _ => None,
        }
    }
}

impl SignedTransaction {
    /// Decodes what came from outside, and checks its form.
    ///
    /// # Errors
    /// [`LedgerError::Malformed`] for anything that is not exactly one transaction of at most
    /// [`SIGNED_TRANSACTION_BYTES_MAX`] bytes; what [`Transaction::check_form`] finds.
    pub fn decode(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.len() > SIGNED_TRANSACTION_BYTES_MAX {
            return Err(LedgerError::Malformed { reason: "a transaction may have at most 192 KiB" });
        }
        let decoded: Self = borsh::from_slice(bytes)
            .map_err(|_| LedgerError::Malformed { reason: "the bytes are not one transaction" })?;
        decoded.transaction.check_form()?;
        Ok(decoded)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        borsh::to_vec(self).expect("writing to memory does not fail")
    }

    /// The transaction's id.
    pub fn id(&self) -> Hash {
        self.transaction.id()
    }

    /// How many ed25519 signatures a node checks for it.
    pub fn signatures(&self) -> u64 {
        let own = match &self.authorisation {
            Authorisation::Single(_) => 1,
            Authorisation::Multisig(signatures) => signatures.len() as u64,
        };
        match &self.transaction.body {
            Body::CommitteeChange { signatures, .. } => own + signatures.len() as u64,
            _ => own,
        }
    }
}
