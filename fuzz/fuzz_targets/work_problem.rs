#![no_main]

use hysteron_work::{WorkRules, decode_problem, normalisation_check};

// Problems as blocks carry them: what decodes is canonical, and is admitted or refused without a panic.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(problem) = decode_problem(bytes) else { return };
    assert_eq!(borsh::to_vec(&problem).expect("it was decoded"), bytes);
    let rules = WorkRules { variables_max: 256, elements_max: 4096, ..WorkRules::devnet() };
    let _ = normalisation_check(&problem, &rules);
});
