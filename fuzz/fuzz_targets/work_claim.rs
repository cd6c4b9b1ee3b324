#![no_main]

use hysteron_work::{Claim, Table, WorkRules, check_claim_cheap};

// Claims of any bytes: what decodes has one encoding, and is checked without a panic.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(claim) = borsh::from_slice::<Claim>(bytes) else { return };
    assert_eq!(borsh::to_vec(&claim).expect("it was decoded"), bytes);
    let _ = check_claim_cheap(&[0; 32], &claim, &Table::default(), &WorkRules { pre_tries: 1, ..WorkRules::main() });
});
