#![no_main]

use hysteron_ledger::{Address, Delta, Genesis, HeaderFacts, Receipt, State};

// Everything else that the ledger decodes: receipts, genesis files, deltas and records from a disk, addresses and amounts as text.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [choice, rest @ ..] = bytes else { return };
    match choice % 4 {
        0 => {
            if let Ok(receipt) = Receipt::decode(rest) {
                let facts = HeaderFacts { hash: [0; 32], parent: [0; 32], height: 0, state_root: [0; 32] };
                let _ = receipt.verify(&[0; 32], |_| Some(facts));
            }
        }
        1 => {
            if let Ok(genesis) = Genesis::decode(rest) {
                let _ = State::genesis(&genesis).map(|state| state.table());
            }
        }
        2 => {
            if let Ok(delta) = borsh::from_slice::<Delta>(rest) {
                let mut state = State::genesis(&Genesis::devnet()).expect("devnet is a network");
                let root = state.root();
                if state.replay(&delta).is_ok() {
                    state.revert(&delta).expect("what was done can be undone");
                }
                assert_eq!(state.root(), root);
            }
        }
        _ => {
            if let Ok(text) = std::str::from_utf8(rest) {
                let _ = (Address::decode("hys", text), hysteron_ledger::parse_hys(text));
            }
        }
    }
});
