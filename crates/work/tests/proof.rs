//! Attempts verify, and nothing else does.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use common::{Stub, small_rules, store, table};
use hysteron_circuit::rom::mix64;
use hysteron_work::{
    Attempt, Claim, CpuRunner, Hash, LEGS, Leg, LegOutput, LegRunner, Meter, Proof, Table, Target, WorkError,
    WorkRules, attempt, check_cheap, check_claim_cheap, hash, verify, verify_claim, verify_on,
};
use proptest::prelude::*;

fn mined(th: &Hash, rules: &WorkRules, runner: &dyn LegRunner, post_target: &Target) -> Attempt {
    let stop = AtomicBool::new(false);
    let mut nonce = 0;
    loop {
        let made = attempt(th, &table(), rules, runner, nonce, &stop, &Meter::off()).unwrap().unwrap();
        if made.wins(post_target) {
            return made;
        }
        nonce = made.proof.nonce + 1;
    }
}

#[test]
fn an_attempt_verifies() {
    let (rules, table) = (small_rules(), table());
    let runner = CpuRunner::new(store(), rules.clone(), 1 << 26);
    let target = Target::from_expected_tries(2);
    for k in 0..4u8 {
        let th = hash("test-header", &[&[k, 1]]);
        let made = mined(&th, &rules, &runner, &target);
        assert_eq!(verify(&th, &made.proof, &table, &rules, &target, &runner), Ok(made.outputs.clone()));
        for leg in 1..=LEGS as u8 {
            let claim = Claim::of_attempt(vec![k], &made, leg);
            let output = verify_claim(&th, &claim, &table, &rules, &runner).unwrap();
            assert_eq!(output, made.outputs[usize::from(leg) - 1]);
        }
    }
}

/// The bits of a header's hash and a proof, one after the other.
fn flip(th: &mut Hash, proof: &mut Proof, bit: usize) {
    match bit {
        0..256 => th[bit / 8] ^= 1 << (bit % 8),
        256..320 => proof.nonce ^= 1 << (bit - 256),
        _ => {
            let bit = bit - 320;
            proof.digests[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
        }
    }
}
const BITS: usize = 256 + 64 + 256 * LEGS;

/// Any bit of any field of a winning attempt, alone or with others: none is accepted. Where the cheap checks would
/// pass by luck, the legs are run again. `HYSTERON_MUTATIONS=100000` sets how many are tried.
#[test]
fn no_mutation_is_accepted() {
    let count: u64 =
        std::env::var("HYSTERON_MUTATIONS").map_or(3000, |text| text.parse().expect("a number of mutations"));
    // Targets that one try in two or four meets: much more than half of the forgeries come to be simulated
    // on a real network's targets nearly none would.
    let rules = WorkRules { leg_work: 1_000_000, pre_tries: 2, ..WorkRules::devnet() };
    let target = Target::from_expected_tries(2);
    let table = table();
    let runner = CpuRunner::new(store(), rules.clone(), 1 << 26);
    let mut simulated = 0u64;
    let per_attempt = (BITS as u64).max(1);
    let mut made: Option<(Hash, Attempt)> = None;
    for k in 0..count {
        if k % per_attempt == 0 {
            let th = hash("test-mutation", &[&k.to_le_bytes()]);
            made = Some((th, mined(&th, &rules, &runner, &target)));
        }
        let (th, original) = made.as_ref().expect("made at first");
        let (mut forged_th, mut proof) = (*th, original.proof);
        // Each bit once, then with one, two or three more.
        flip(&mut forged_th, &mut proof, (k % BITS as u64) as usize);
        for extra in 0..k / per_attempt % 4 {
            flip(&mut forged_th, &mut proof, (mix64(k << 2 | extra) % BITS as u64) as usize);
        }
        if (forged_th, proof) == (*th, original.proof) {
            continue;
        }
        let cheap = check_cheap(&forged_th, &proof, &rules, &target);
        simulated += u64::from(cheap.is_ok());
        let result = verify(&forged_th, &proof, &table, &rules, &target, &runner);
        let error = result.expect_err("a mutated attempt was accepted");
        assert!(error.is_forgery(), "{error}");
        if let Err(cheap) = cheap {
            assert_eq!(error, cheap);
        }
    }
    println!("{count} mutations, {simulated} of them simulated, 0 accepted");
    assert!(simulated * 10 > count, "the test would say little: {simulated} of {count} were simulated");
}

/// The same for claims: every bit of their encoding that decodes.
#[test]
fn no_mutated_claim_is_accepted() {
    let rules = WorkRules { leg_work: 1_000_000, pre_tries: 2, ..WorkRules::devnet() };
    let table = table();
    let runner = CpuRunner::new(store(), rules.clone(), 1 << 26);
    let header = vec![5u8; 40];
    let th = hash("test-claim", &[&header]);
    let made = mined(&th, &rules, &runner, &Target::easiest());
    for leg in [1, 3] {
        let bytes = borsh::to_vec(&Claim::of_attempt(header.clone(), &made, leg)).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let Ok(claim) = borsh::from_slice::<Claim>(&forged) else { continue };
            // The header's hash is the chain's to make.
            let th = hash("test-claim", &[&claim.header]);
            let result = verify_claim(&th, &claim, &table, &rules, &runner);
            // Earlier digests only lead to another leg, whose digest is then another one.
            assert!(result.is_err(), "leg {leg}, bit {bit}");
        }
    }
}

/// Counts runs, and answers leg by leg as it is told.
struct Counting {
    runs: AtomicU32,
}

impl LegRunner for Counting {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        Stub.run(table, leg, stop)
    }
}

#[test]
fn cheap_checks_come_first_and_legs_stop_at_the_first_that_differs() {
    let rules = small_rules();
    let th = [3; 32];
    let target = Target::from_expected_tries(4);
    let made = mined(&th, &rules, &Stub, &target);
    let runner = Counting { runs: AtomicU32::new(0) };
    let try_proof = |proof: &Proof, post: &Target| {
        runner.runs.store(0, Ordering::Relaxed);
        let result = verify(&th, proof, &table(), &rules, post, &runner);
        (result.map(|_| ()), runner.runs.load(Ordering::Relaxed))
    };
    assert_eq!(try_proof(&made.proof, &target), (Ok(()), 4));
    assert_eq!(try_proof(&made.proof, &Target([0; 32])), (Err(WorkError::PostHash), 0));
    let mut nonce = made.proof;
    nonce.nonce += 1;
    assert_eq!(try_proof(&nonce, &Target::easiest()), (Err(WorkError::PreHash), 0));
    for leg in 1..=LEGS as u8 {
        let mut forged = made.proof;
        forged.digests[usize::from(leg) - 1][0] ^= 1;
        for cores in [0, 1, 2, 4, 9] {
            runner.runs.store(0, Ordering::Relaxed);
            let result = verify_on(cores, &th, &forged, &table(), &rules, &Target::easiest(), &runner);
            let runs = runner.runs.load(Ordering::Relaxed);
            // A changed digest changes the seeds of the legs behind it too, and any of them may be seen first.
            match result {
                Err(WorkError::Digest { leg: seen }) if seen >= leg => {}
                other => panic!("leg {leg} on {cores} cores: {other:?}"),
            }
            if cores <= 1 {
                assert_eq!(result, Err(WorkError::Digest { leg }));
                assert_eq!(runs, u32::from(leg), "one after the other, and none after the forged one");
            }
        }
    }
}

#[test]
fn lacks_are_no_forgeries() {
    let rules = WorkRules { pre_tries: 1, ..small_rules() };
    let runner = CpuRunner::new(store(), rules.clone(), 1 << 26);
    let target = Target::easiest();
    // Only jobs, so that a problem is missing for sure.
    let jobs = Table { capacity_chips: 0, ..table() };
    let th = [1; 32];
    let stop = AtomicBool::new(false);
    let made = attempt(&th, &jobs, &rules, &runner, 0, &stop, &Meter::off()).unwrap().unwrap();
    assert!(verify(&th, &made.proof, &jobs, &rules, &target, &runner).is_ok());
    let poor = CpuRunner::new(std::collections::BTreeMap::new(), rules.clone(), 1 << 26);
    let error = verify(&th, &made.proof, &jobs, &rules, &target, &poor).unwrap_err();
    assert!(matches!(error, WorkError::ProblemMissing(_)) && !error.is_forgery());
    // Another table is another schedule: here nearly all draws are the pool's.
    let idle = Table { capacity_chips: 1 << 50, ..table() };
    let error = verify(&th, &made.proof, &idle, &rules, &target, &runner).unwrap_err();
    assert!(error.is_forgery(), "{error}");
}

#[test]
fn a_set_flag_ends_an_attempt() {
    let rules = small_rules();
    let runner = CpuRunner::new(store(), rules.clone(), 1 << 26);
    let stop = AtomicBool::new(true);
    assert_eq!(attempt(&[0; 32], &table(), &rules, &runner, 0, &stop, &Meter::off()), Ok(None));
}

#[test]
fn malformed_claims_are_named() {
    let rules = small_rules();
    let made = mined(&[8; 32], &rules, &Stub, &Target::easiest());
    let good = Claim::of_attempt(vec![], &made, 2);
    let check = |claim: &Claim| check_claim_cheap(&[8; 32], claim, &table(), &rules);
    assert!(check(&good).is_ok());
    assert!(verify_claim(&[8; 32], &good, &table(), &rules, &Stub).is_ok());
    for bad in [
        Claim { leg: 0, ..good.clone() },
        Claim { leg: 5, ..good.clone() },
        Claim { leg: 3, ..good.clone() },
        Claim { digests: vec![], ..good.clone() },
        Claim { header: vec![0; 2000], ..good.clone() },
    ] {
        assert!(matches!(check(&bad), Err(WorkError::Malformed(_))), "{bad:?}");
        assert!(borsh::from_slice::<Claim>(&borsh::to_vec(&bad).unwrap()).is_err(), "{bad:?}");
    }
    let other_lane = Claim { lane: good.lane ^ 1, ..good.clone() };
    assert_eq!(
        verify_claim(&[8; 32], &other_lane, &table(), &rules, &Stub),
        Err(WorkError::Result { leg: 2 })
    );
    assert_eq!(
        verify_claim(&[9; 32], &Claim { digests: vec![[0; 32]; 2], ..good }, &table(), &rules, &Stub)
            .map_err(|e| e.is_forgery()),
        Err(true)
    );
}

proptest! {
    #[test]
    fn claims_round_trip(
        header in prop::collection::vec(any::<u8>(), 0..1024),
        nonce: u64,
        digests in prop::collection::vec(any::<Hash>(), 1..5),
        lane: u8,
        values in prop::collection::vec(any::<bool>(), 0..300),
    ) {
        let leg = digests.len() as u8;
        let assignment = hysteron_work::Assignment::pack(&values);
        let claim = Claim { header, nonce, leg, digests, lane, assignment };
        let bytes = borsh::to_vec(&claim).unwrap();
        prop_assert_eq!(borsh::from_slice::<Claim>(&bytes).unwrap(), claim);
        // Cut off anywhere, it is no claim.
        for cut in 0..bytes.len().min(200) {
            prop_assert!(borsh::from_slice::<Claim>(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn what_decodes_encodes_the_same(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(claim) = borsh::from_slice::<Claim>(&bytes) {
            prop_assert_eq!(borsh::to_vec(&claim).unwrap(), bytes);
        }
    }
}
