//! What all nodes must agree on, byte for byte: transactions and their ids, state roots, a receipt. `HYSTERON_GOLDEN=write` regenerates
//! the files; a change breaks the network, and its commit says so.

mod common;

use std::sync::LazyLock;

use common::*;
use hysteron_ledger::{
    Body, Committee, Genesis, HeaderFacts, LedgerError, Multisig, Receipt, Sender, Signature,
    SignedTransaction, State, Transaction, UNBONDED,
};
use hysteron_work::types::{Assignment, Hash, JobId, ProblemId, hash};
use proptest::prelude::*;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn bytes_of_hexadecimal(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

/// Compares lines with a file, or writes it.
fn golden(name: &str, lines: &[(String, String)]) {
    let path = format!("{}/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let map: serde_json::Map<String, serde_json::Value> =
        lines.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
    if std::env::var("HYSTERON_GOLDEN").as_deref() == Ok("write") {
        std::fs::create_dir_all(format!("{}/golden", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let text = serde_json::to_string_pretty(&serde_json::Value::Object(map)).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
        return;
    }
    let file = std::fs::read_to_string(&path).expect("the golden file is in the repository");
    let expected: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&file).unwrap();
    assert_eq!(expected.len(), map.len());
    for (key, value) in &map {
        assert_eq!(expected.get(key), Some(value), "{key}");
    }
}

/// The constants of the main network, whoever founds it.
#[test]
fn networks() {
    let founding = hysteron_ledger::Founding {
        time: 1_800_000_000,
        committee: Committee {
            reviewers: vec![public(4), public(5), public(6)],
            threshold: 2,
            oracles: vec![public(MINER)],
        },
        allocations: vec![(address(BOB), 5), (address(ALICE), 7)],
        euro_cents_per_hys: 10,
    };
    let main = Genesis::main(founding.clone());
    main.check().unwrap();
    let mut turned = founding;
    turned.committee.reviewers.reverse();
    turned.allocations.reverse();
    assert_eq!(Genesis::main(turned), main, "the order in which people are named is nothing");
    let bytes = borsh::to_vec(&main).unwrap();
    assert_eq!(Genesis::decode(&bytes).unwrap(), main);
    let devnet = Genesis::devnet();
    assert_ne!(devnet.network_id(), main.network_id());
    golden(
        "networks",
        &[
            ("main".into(), hexadecimal(&bytes)),
            ("main-identity".into(), hexadecimal(&main.hash())),
            ("main-root".into(), hexadecimal(&State::genesis(&main).unwrap().root())),
            ("devnet-identity".into(), hexadecimal(&devnet.hash())),
        ],
    );
}

#[test]
fn a_genesis_says_which_number_is_wrong() {
    let wrong = |change: &dyn Fn(&mut Genesis)| {
        let mut genesis = Genesis::devnet();
        change(&mut genesis);
        genesis.check().unwrap_err().to_string()
    };
    let message = wrong(&|g| g.market.claim_bond = 0);
    assert_eq!(
        message,
        "The genesis is refused: market.claim_bond is 0; it must be 1 to 100000000000000000."
    );
    assert!(wrong(&|g| g.spacing_seconds = 3_601).contains("spacing_seconds is 3601"));
    assert!(wrong(&|g| g.market.reveal_within_blocks = 1).contains("it must be 2 to 1000"));
    assert!(wrong(&|g| g.market.euro_cents_per_hys = 0).contains("it must be 1 to 10000000000"));
    assert!(wrong(&|g| g.fees.atoms_per_leg = u64::MAX).contains("fees.atoms_per_leg"));
    assert!(wrong(&|g| g.work.leg_work = 0).contains("work.leg_work"));
    assert!(wrong(&|g| g.work.pool_age_blocks = 1).contains("work.pool_age_blocks"));
}

/// One transaction of each kind.
fn samples() -> Vec<(&'static str, Transaction)> {
    let job = JobId([5; 32]);
    let claim = hysteron_work::Claim {
        header: vec![1, 2, 3],
        nonce: 9,
        leg: 2,
        digests: vec![[6; 32], [7; 32]],
        lane: 63,
        assignment: Assignment::pack(&[true, false, true]),
    };
    let members = {
        let mut members = vec![public(ALICE), public(BOB)];
        members.sort_unstable();
        members
    };
    let committee = Committee { reviewers: members.clone(), threshold: 2, oracles: vec![public(MINER)] };
    let bodies = vec![
        ("transfer", Body::Transfer { to: address(BOB), amount: 5, memo: b"memo".to_vec() }),
        (
            "multi-transfer",
            Body::MultiTransfer { outputs: vec![(address(BOB), 1), (address(MINER), 2)], memo: vec![] },
        ),
        (
            "job-open",
            Body::JobOpen(hysteron_ledger::JobTerms {
                problem: ProblemId([3; 32]),
                data_bytes: 100,
                target: Some(-7),
                quoted_at: 12,
                ..terms(640, 10)
            }),
        ),
        ("job-top-up", Body::JobTopUp { job, blocks: 2, bounty: 3, quoted_at: 4, price_max: 5 }),
        ("job-cancel", Body::JobCancel { job }),
        ("claim", Body::Claim { claim: Box::new(claim.clone()), bond: 10 }),
        ("claim-commit", Body::ClaimCommit { commitment: [8; 32], bond: 10 }),
        ("claim-reveal", Body::ClaimReveal { job, assignment: Assignment::pack(&[true; 9]), salt: [9; 32] }),
        ("review-vote", Body::ReviewVote { job, approve: false, reason: "a cipher".into() }),
        ("oracle-quote", Body::OracleQuote { microcents_per_hys: 123_456 }),
        ("committee-change", Body::CommitteeChange { committee, signatures: vec![(0, Signature([4; 64]))] }),
        ("multisig-create", Body::MultisigCreate(Multisig { members, threshold: 1 })),
    ];
    let unbonded = Body::Claim { claim: Box::new(claim.clone()), bond: UNBONDED };
    let transaction =
        |body| Transaction { network: 7, sender: Sender::Key(public(ALICE)), nonce: 1, fee: 2, body };
    let mut samples: Vec<_> = bodies.into_iter().map(|(name, body)| (name, transaction(body))).collect();
    samples.push(("claim-without-bond", Transaction { nonce: 0, ..transaction(unbonded) }));
    samples
}

#[test]
fn transactions() {
    let mut lines = Vec::new();
    for (name, transaction) in samples() {
        let signed = sign_raw(ALICE, transaction);
        let bytes = signed.encode();
        assert_eq!(SignedTransaction::decode(&bytes).unwrap(), signed, "{name}");
        for length in 0..bytes.len() {
            assert!(SignedTransaction::decode(&bytes[..length]).is_err(), "{name} cut at {length}");
        }
        lines.push((name.to_string(), hexadecimal(&bytes)));
        lines.push((format!("{name}-id"), hexadecimal(&signed.id())));
    }
    lines.push(("address".into(), address(ALICE).encode("hys")));
    golden("transactions", &lines);
}

/// A job's whole life, with roots on the way.
fn life() -> (World, JobId, Vec<(String, String)>) {
    let mut world = World::new(&genesis());
    let mut lines = vec![
        ("genesis".to_string(), hexadecimal(&world.state.rules().hash())),
        ("root-0".to_string(), hexadecimal(&world.state.root())),
    ];
    let (problem, hidden) = planted(60, 250, 7);
    let (open, data) = world.open(CUSTOMER, &problem, terms(640, 10));
    let id = JobId(open.id());
    world.block(std::slice::from_ref(&open), &data);
    world.mine(4);
    lines.push(("root-5".into(), hexadecimal(&world.state.root())));
    let mut near = hidden.clone();
    (0..5).for_each(|i| near[i] = !near[i]);
    for found in [&near, &hidden] {
        let claim = world.sign(ALICE, world.claim_body(id, found, BOB, 1, true));
        world.block(std::slice::from_ref(&claim), &[]);
    }
    lines.push(("root-7".into(), hexadecimal(&world.state.root())));
    world.mine(5);
    lines.push(("root-12".into(), hexadecimal(&world.state.root())));
    lines.push(("records".into(), world.state.entries().len().to_string()));
    (world, id, lines)
}

#[test]
fn states() {
    let mut lines = life().2;
    // A claim without a bond, of an account without coins.
    let mut world = World::new(&genesis());
    let (problem, hidden) = planted(60, 250, 7);
    let (open, data) = world.open(CUSTOMER, &problem, terms(640, 10));
    world.block(std::slice::from_ref(&open), &data);
    world.mine(4);
    let body = world.unbonded_body(JobId(open.id()), &hidden, NEWCOMER, 1, true);
    let claim = world.sign(NEWCOMER, body);
    world.block(std::slice::from_ref(&claim), &[]);
    lines.push(("claim-without-bond".into(), hexadecimal(&world.state.root())));
    golden("states", &lines);
}

/// A stand-in for the chain's headers.
#[derive(borsh::BorshSerialize, borsh::BorshDeserialize)]
struct Header {
    height: u64,
    parent: Hash,
    state_root: Hash,
}

fn read(bytes: &[u8]) -> Option<HeaderFacts> {
    let header: Header = borsh::from_slice(bytes).ok()?;
    let Header { height, parent, state_root } = header;
    Some(HeaderFacts { hash: hash("test-header", &[bytes]), parent, height, state_root })
}

/// A receipt with two headers, and the hash of the second.
fn receipt(state: &State, id: JobId) -> (Receipt, Hash) {
    let encode = |header: Header| borsh::to_vec(&header).unwrap();
    let height = state.head().height;
    let first = encode(Header { height, parent: [1; 32], state_root: state.root() });
    let parent = read(&first).unwrap().hash;
    let second = encode(Header { height: height + 1, parent, state_root: [2; 32] });
    let trusted = read(&second).unwrap().hash;
    (Receipt::new(state, id, vec![first, second]).unwrap(), trusted)
}

#[test]
fn receipts() {
    let (world, id, _) = life();
    let (receipt, trusted) = receipt(&world.state, id);
    let bytes = receipt.encode();
    golden("receipt", &[("bytes".into(), hexadecimal(&bytes)), ("trusted".into(), hexadecimal(&trusted))]);

    // Offline, from the bytes alone.
    let receipt = Receipt::decode(&bytes_of_hexadecimal(&hexadecimal(&bytes))).unwrap();
    let proven = receipt.verify(&trusted, read).unwrap();
    assert_eq!(Some(&proven.job), world.state.job(&id).as_ref());
    assert_eq!(proven.height, 12);
    let (problem, hidden) = planted(60, 250, 7);
    assert_eq!(proven.check_result(&problem, &Assignment::pack(&hidden)).unwrap().energy, 0);
    assert!(proven.check_result(&problem, &Assignment::pack(&[true; 60])).is_err());
    assert!(proven.check_result(&planted(60, 250, 8).0, &Assignment::pack(&hidden)).is_err());
    assert!(matches!(receipt.verify(&[0; 32], read), Err(LedgerError::Receipt { .. })));
    let mut unlinked = receipt.clone();
    unlinked.headers.swap(0, 1);
    assert!(unlinked.verify(&trusted, read).is_err());
}

/// The receipt's bytes, and the block to trust.
static RECEIPT: LazyLock<(Vec<u8>, Hash)> = LazyLock::new(|| {
    let (world, id, _) = life();
    let (receipt, trusted) = receipt(&world.state, id);
    (receipt.encode(), trusted)
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_receipt_proves_nothing_else(at in any::<usize>(), bit in 0u8..8) {
        let (mut bytes, trusted) = RECEIPT.clone();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(receipt) = Receipt::decode(&bytes) {
            // Only the network's number is not part of what is proven; it is compared by who reads it.
            let is_network = (1..5).contains(&at);
            prop_assert_eq!(receipt.verify(&trusted, read).is_ok(), is_network);
        }
    }
}
