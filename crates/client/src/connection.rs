//! A node and the network that it belongs to: what a wallet needs to know before it signs.

use std::time::{Duration, Instant};

use hysteron_api::types::TransactionStatus;
use hysteron_api::{Client, ClientError, Hex32};
use hysteron_ledger::{Address, Genesis, LedgerError, SignedTransaction};
use hysteron_wallet::{Account, Fee, Key};

use crate::error::Failure;

/// How long the client keeps asking a node that is not there, in waits for something.
const PATIENCE: Duration = Duration::from_secs(60);

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

    /// What the node knows of an account, as the wallet's builder needs it.
    ///
    /// # Errors
    /// [`Failure::Node`].
    pub fn account(&self, address: &Address) -> Result<Account<'_>, Failure> {
        let account = self.client.account(&self.text(address))?;
        Ok(Account { genesis: &self.genesis, nonce: account.next_nonce, balance: account.balance.0 })
    }

    /// Hands a signed transaction to the node, which passes it on if the chain can take it; the data of a problem that
    /// it brings must be there already.
    ///
    /// # Errors
    /// [`Failure`]: nothing was broadcast.
    pub fn submit(&self, signed: &SignedTransaction) -> Result<Sent, Failure> {
        let bytes = signed.encode();
        // What does not survive a decoder would be refused, so it is not sent.
        if SignedTransaction::decode(&bytes)? != *signed {
            return Err(LedgerError::Malformed { reason: "it does not decode to itself" }.into());
        }
        let submitted = self.client.submit(&bytes)?;
        if submitted.id != Hex32(signed.id()) {
            return Err(self.contradiction("it gives the transaction another id than it has"));
        }
        Ok(Sent { id: submitted.id, fee: signed.transaction.fee })
    }

    /// A transfer.
    ///
    /// # Errors
    /// [`Failure`]: nothing was broadcast.
    pub fn transfer(&self, key: &Key, to: Address, amount: u64, memo: &str) -> Result<Sent, Failure> {
        let account = self.account(&key.address())?;
        self.submit(&account.transfer(key, to, amount, memo, Fee::Floor)?)
    }

    /// Waits until a transaction is in a block; gives its height. Between leaving the mempool and entering the node's
    /// index, which follows the chain, a transaction is nowhere for a moment.
    ///
    /// # Errors
    /// [`Failure::Late`]; [`Failure::Node`] if the node was away, or did not know the transaction, for a minute.
    pub fn wait_for(&self, id: Hex32, most: Duration) -> Result<u64, Failure> {
        let begin = Instant::now();
        let mut seen = Instant::now();
        loop {
            match self.client.transaction(id) {
                Ok(transaction) => {
                    seen = Instant::now();
                    if let (TransactionStatus::Included, Some(height)) =
                        (transaction.status, transaction.height)
                    {
                        return Ok(height);
                    }
                }
                Err(error) if is_passing(&error, seen.elapsed()) => {}
                Err(error) if error.is_not_found() && seen.elapsed() < PATIENCE => {}
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
