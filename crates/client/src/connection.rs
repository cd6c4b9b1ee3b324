//! A node and the network that it belongs to: what a wallet needs to know before it signs.

use std::time::{Duration, Instant};

use hysteron_api::types::TransactionStatus;
use hysteron_api::{Client, ClientError, Hex32};
use hysteron_ledger::limits::MEMO_BYTES_MAX;
use hysteron_ledger::{
    Address, Authorisation, Body, Genesis, LedgerError, PublicKey, Sender, Signature, SignedTransaction, Transaction,
};
use hysteron_work::types::Hash;

use crate::error::Failure;

/// How long the client keeps asking a node that is not there, in waits for something.
const PATIENCE: Duration = Duration::from_secs(60);

/// Signs. A keystore implements it, so that secrets stay where they are.
pub trait Signer {
    /// The key whose account pays.
    fn public_key(&self) -> PublicKey;
    /// The key's signature over a transaction's id.
    fn sign(&self, message: &Hash) -> Signature;
}

/// A network by way of one node.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The node.
    pub client: Client,
    /// The network's constants.
    pub genesis: Genesis,
}

/// A transaction that a node took.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// Its id; of a job's opening also the job's.
    pub id: Hex32,
    /// Atoms of fee.
    pub fee: u64,
}

impl Connection {
    /// Asks the node at `url` what network it belongs to.
    ///
    /// # Errors
    /// [`Failure::Node`]; [`Failure::Ledger`] if the network's constants make no sense.
    pub fn open(url: &str) -> Result<Self, Failure> {
        let url = check_url(url)?;
        let client = Client::new(url);
        let genesis = Genesis::decode(&client.genesis()?)?;
        Ok(Self { client, genesis })
    }

    /// The text of an address on this network.
    pub fn text(&self, address: &Address) -> String {
        address.encode(&self.genesis.address_prefix)
    }

    /// Reads an address of this network.
    ///
    /// # Errors
    /// [`LedgerError::AddressText`].
    pub fn address(&self, text: &str) -> Result<Address, Failure> {
        Ok(Address::decode(&self.genesis.address_prefix, text)?)
    }

    /// Builds, checks, signs and sends a transaction. `problem_bytes` is the length of the problem data that it brings.
    /// What a node would refuse is not sent; what a node refuses it does not pass on.
    ///
    /// # Errors
    /// [`Failure`]: nothing was broadcast.
    pub fn send(&self, signer: &dyn Signer, body: Body, problem_bytes: usize) -> Result<Sent, Failure> {
        let key = signer.public_key();
        let account = self.client.account(&self.text(&key.address()))?;
        let fee = self.fee(&body, problem_bytes);
        let transaction = Transaction {
            network: self.genesis.network_id(),
            sender: Sender::Key(key),
            nonce: account.next_nonce,
            fee,
            body,
        };
        transaction.check_form()?;
        let needed = transaction.spends_at_most();
        if needed > account.balance.0 {
            let what = "amount and fee".to_owned();
            return Err(Failure::Poor { balance: account.balance.0, needed, what });
        }
        let id = transaction.id();
        let signature = signer.sign(&id);
        if !key.verifies(&id, &signature) {
            return Err(LedgerError::Signature { reason: "the keystore's key does not verify its own signature" }.into());
        }
        let signed = SignedTransaction { transaction, authorisation: Authorisation::Single(signature) };
        let bytes = signed.encode();
        // What does not survive a decoder would be refused, so it is not sent.
        if SignedTransaction::decode(&bytes)? != signed {
            return Err(LedgerError::Malformed { reason: "it does not decode to itself" }.into());
        }
        let submitted = self.client.submit(&bytes)?;
        if submitted.id != Hex32(id) {
            return Err(self.contradiction("it gives the transaction another id than it has"));
        }
        Ok(Sent { id: Hex32(id), fee })
    }

    /// A transfer.
    ///
    /// # Errors
    /// [`Failure`]: nothing was broadcast.
    pub fn transfer(&self, signer: &dyn Signer, to: Address, amount: u64, memo: &str) -> Result<Sent, Failure> {
        if memo.len() > MEMO_BYTES_MAX {
            let what = format!("The memo has {} bytes; a transfer takes {MEMO_BYTES_MAX}.", memo.len());
            return Err(Failure::request(what, "Shorten it."));
        }
        self.send(signer, Body::Transfer { to, amount, memo: memo.as_bytes().to_vec() }, 0)
    }

    /// The fee that is offered for a transaction of one key: the network's floor, which counts bytes, the signature, and
    /// what nodes must score.
    pub fn fee(&self, body: &Body, problem_bytes: usize) -> u64 {
        let fees = &self.genesis.fees;
        let sample = SignedTransaction {
            transaction: Transaction {
                network: 0,
                sender: Sender::Key(PublicKey([0; 32])),
                nonce: u64::MAX,
                fee: u64::MAX,
                body: body.clone(),
            },
            authorisation: Authorisation::Single(Signature([0; 64])),
        };
        let bytes = (sample.encode().len() + problem_bytes) as u64;
        let scores = match body {
            Body::ClaimReveal { .. } => 1,
            _ => (problem_bytes as u64).div_ceil(1024),
        };
        let legs = u64::from(matches!(body, Body::Claim { .. }));
        bytes
            .saturating_mul(fees.atoms_per_byte)
            .saturating_add(fees.atoms_per_signature.saturating_mul(sample.signatures()))
            .saturating_add(fees.atoms_per_score.saturating_mul(scores))
            .saturating_add(fees.atoms_per_leg.saturating_mul(legs))
    }

    /// Waits until a transaction is in a block; gives its height.
    ///
    /// # Errors
    /// [`Failure::Late`]; [`Failure::Node`] if the node was away for a minute or forgot the transaction.
    pub fn wait_for(&self, id: Hex32, most: Duration) -> Result<u64, Failure> {
        let begin = Instant::now();
        let mut heard = Instant::now();
        loop {
            match self.client.transaction(id) {
                Ok(transaction) => {
                    heard = Instant::now();
                    if let (TransactionStatus::Included, Some(height)) = (transaction.status, transaction.height) {
                        return Ok(height);
                    }
                }
                Err(error) if is_passing(&error, heard.elapsed()) => {}
                Err(error) => return Err(error.into()),
            }
            if begin.elapsed() > most {
                return Err(Failure::Late {
                    what: format!("Transaction {id} was not in a block"),
                    seconds: most.as_secs(),
                    mend: "look at it again with `hysteron wallet history`".to_owned(),
                });
            }
            std::thread::sleep(self.pause());
        }
    }

    /// How long to wait before asking again: a fraction of the time between blocks.
    pub fn pause(&self) -> Duration {
        Duration::from_millis((self.genesis.spacing_seconds * 1000 / 20).clamp(100, 5_000))
    }

    pub(crate) fn contradiction(&self, what: impl Into<String>) -> Failure {
        Failure::Contradiction { url: self.client.url().to_owned(), what: what.into() }
    }
}

/// Whether an error may pass while the node has not been heard for `silence`.
pub fn is_passing(error: &ClientError, silence: Duration) -> bool {
    error.is_temporary() && silence < PATIENCE
}

/// A node's URL that the HTTP client can use.
fn check_url(url: &str) -> Result<&str, Failure> {
    let is_http = url.starts_with("http://") || url.starts_with("https://");
    if !is_http || url.len() > 2048 || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        let shown: String = url.chars().take(80).collect();
        let what = format!("\"{shown}\" is no URL of a node.");
        return Err(Failure::request(what, "It looks like http://127.0.0.1:7341."));
    }
    Ok(url)
}
