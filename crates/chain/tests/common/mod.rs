//! What the integration tests share: a network of cheap blocks, keys, transfers.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::PathBuf;
use std::sync::Arc;

use hysteron_chain::testing::{StubRunner, easy_genesis, mine};
use hysteron_chain::{Archive, Block, Chain, ChainOptions, MemoryStorage, TemplateLimits};
use hysteron_ledger::{
    Address, Authorisation, Body, Genesis, Sender, Signature, SignedTransaction, Transaction, devnet_key,
    devnet_seed,
};
use serde_json::Value;

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
