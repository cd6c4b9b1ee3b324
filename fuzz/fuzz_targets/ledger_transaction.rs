#![no_main]

use hysteron_ledger::SignedTransaction;

// What decodes is the one encoding, and its floor and its worst price are computed without overflow.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(signed) = SignedTransaction::decode(bytes) {
        assert_eq!(signed.encode(), bytes);
        let rules = hysteron_ledger::Genesis::devnet().fees;
        let _ =
            (hysteron_ledger::fee_floor(&rules, &signed), signed.transaction.spends_at_most(), signed.id());
    }
});
