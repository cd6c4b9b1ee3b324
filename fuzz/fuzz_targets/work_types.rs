#![no_main]

use borsh::{BorshDeserialize, BorshSerialize};
use hysteron_work::{Assignment, Entry, Leg, Proof, Target, Tuning, WorkRules};

fn check<T: BorshSerialize + BorshDeserialize>(bytes: &[u8]) -> Option<T> {
    let value: T = borsh::from_slice(bytes).ok()?;
    assert_eq!(borsh::to_vec(&value).expect("it was decoded"), bytes);
    Some(value)
}

// The first byte chooses a type; what decodes has one encoding.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [choice, rest @ ..] = bytes else { return };
    match choice % 7 {
        0 => drop(check::<Assignment>(rest).map(|a| a.unpack())),
        1 => drop(check::<Entry>(rest)),
        2 => drop(check::<Leg>(rest)),
        3 => drop(check::<Proof>(rest)),
        4 => drop(check::<Target>(rest).map(|t| t.expected_tries())),
        5 => drop(check::<Tuning>(rest).map(|t| t.draw(hysteron_work::Class::ShortClauses, u64::MAX))),
        _ => drop(check::<WorkRules>(rest).map(|r| r.check())),
    }
});
