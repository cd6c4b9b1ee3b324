#![no_main]

use std::sync::LazyLock;

use hysteron_ledger::{Genesis, NoClaims, SignedTransaction, State};

static STATE: LazyLock<State> =
    LazyLock::new(|| State::genesis(&Genesis::devnet()).expect("devnet is a network"));

// The first two bytes say how long the transaction is, the rest is its problem.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [low, high, rest @ ..] = bytes else { return };
    let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
    let (transaction, problem) = rest.split_at(length);
    if let Ok(signed) = SignedTransaction::decode(transaction) {
        let _ = STATE.check_transaction(&signed, Some(problem), &NoClaims);
    }
    let _ = hysteron_ledger::decode_problem(problem, &STATE.rules().work);
});
