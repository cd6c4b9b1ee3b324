//! Formats and rules that nodes must agree on, pinned by `golden/`.

mod common;

use common::{check_golden, hexadecimal, transfer};
use hysteron_chain::asert::Asert;
use hysteron_chain::testing::easy_genesis;
use hysteron_chain::{Block, HEADER_BASE_BYTES, HEADER_BYTES, Header, HeaderBase, merkle};
use hysteron_ledger::Address;
use hysteron_work::types::Target;
use proptest::prelude::*;
use serde_json::{Value, json};

fn header() -> Header {
    Header {
        version: 1,
        height: 0x0102_0304_0506_0708,
        parent: [0x11; 32],
        transaction_root: [0x22; 32],
        state_root: [0x33; 32],
        data_root: [0x44; 32],
        miner: Address([0x55; 32]),
        time: 1_764_547_205,
        post_target: Target::from_expected_tries(1_000_003),
        local_pool_root: [0; 32],
        nonce: 0x1122_3344_5566_7788,
        digests: [[0xa1; 32], [0xa2; 32], [0xa3; 32], [0xa4; 32]],
    }
}

#[test]
fn header_bytes() {
    let header = header();
    let base = header.base();
    assert_eq!(header.encode().len(), HEADER_BYTES);
    assert_eq!(HEADER_BYTES, 378);
    assert_eq!(base.encode().len(), HEADER_BASE_BYTES);
    assert!(header.encode().starts_with(&base.encode()), "what is bound is a prefix");
    let golden = json!({
        "header": hexadecimal(&header.encode()),
        "hash": hexadecimal(&header.hash()),
        "seed": hexadecimal(&header.seed()),
    });
    check_golden("header", &golden);
}

#[test]
fn block_bytes() {
    let mut genesis = easy_genesis();
    // Transactions carry the network's id, which depends on the ledger's constants; here one is fixed.
    genesis.network = "golden".into();
    let mut signed = transfer(&genesis, "alice", "bob", 5, 0, 7);
    signed.transaction.network = 0x0a0b_0c0d;
    let signed = common::sign("alice", signed.transaction);
    let transactions = vec![signed];
    let problems = vec![vec![1, 2, 3], vec![]];
    let block = Block {
        header: Header {
            transaction_root: Block::transaction_root(&transactions),
            data_root: Block::data_root(&problems),
            ..header()
        },
        transactions,
        problems,
    };
    assert_eq!(Block::decode(&block.encode()), Ok(block.clone()));
    let golden = json!({
        "block": hexadecimal(&block.encode()),
        "transaction_root": hexadecimal(&block.header.transaction_root),
        "data_root": hexadecimal(&block.header.data_root),
        "hash": hexadecimal(&block.hash()),
    });
    check_golden("block", &golden);
}

#[test]
fn merkle_roots() {
    let roots: Vec<Value> = [0usize, 1, 2, 3, 4, 5, 8, 13]
        .iter()
        .map(|&count| {
            let leaves: Vec<_> = (0..count).map(|i| merkle::leaf(&[i as u8])).collect();
            json!({ "leaves": count, "root": hexadecimal(&merkle::root(&leaves)) })
        })
        .collect();
    check_golden("merkle", &Value::Array(roots));
}

/// `golden/asert.json` comes from `golden/asert.py`, which shares no code with this crate.
#[test]
fn difficulty_vectors() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/asert.json");
    let vectors: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(path).expect("is committed")).expect("is JSON");
    assert_eq!(vectors.len(), 576);
    for vector in vectors {
        let target = |name: &str| {
            let text = vector[name].as_str().expect("a text");
            let byte = |i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hexadecimal");
            Target(std::array::from_fn(byte))
        };
        let rule = Asert {
            spacing_s: vector["spacing_s"].as_u64().expect("a number"),
            half_life_blocks: vector["half_life_blocks"].as_u64().expect("a number"),
        };
        let next = rule.next(target("target"), vector["solve_s"].as_i64().expect("a number"));
        assert_eq!(hexadecimal(&next.0), hexadecimal(&target("next").0), "{vector}");
    }
}

proptest! {
    #[test]
    fn headers_round_trip(bytes in prop::collection::vec(any::<u8>(), HEADER_BYTES)) {
        // Every string of the right length is a header, and of one encoding.
        let header = Header::decode(&bytes).unwrap();
        prop_assert_eq!(header.encode(), bytes.clone());
        prop_assert_eq!(header.base().with(&header.proof()), header.clone());
        let base = HeaderBase::decode(&bytes[..HEADER_BASE_BYTES]).unwrap();
        prop_assert_eq!(base.seed(), header.seed());
        prop_assert!(Header::decode(&bytes[1..]).is_err());
    }

    #[test]
    fn what_decodes_is_the_one_encoding(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(block) = Block::decode(&bytes) {
            prop_assert_eq!(block.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_another_block_or_none(at in 0usize..600, flip in 1u8..) {
        let genesis = easy_genesis();
        let transactions = vec![transfer(&genesis, "alice", "bob", 5, 0, 7)];
        let block = Block { header: header(), transactions, problems: vec![vec![9; 20]] };
        let mut bytes = block.encode();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok(other) = Block::decode(&bytes) {
            prop_assert_ne!(&other, &block);
            prop_assert_eq!(other.encode(), bytes);
        }
    }
}

#[test]
fn limits_are_checked_before_anything_is_decoded() {
    let problem = vec![0u8; hysteron_chain::PROBLEM_BYTES_MAX];
    let full = Block { header: header(), transactions: vec![], problems: vec![problem.clone()] };
    assert!(Block::decode(&full.encode()).is_ok());
    let more = Block { problems: vec![problem, vec![0]], ..full };
    assert!(Block::decode(&more.encode()).is_err());
    assert!(Block::decode(&vec![0; hysteron_chain::BLOCK_BYTES_MAX + 1]).is_err());
    let many = Block {
        header: header(),
        transactions: vec![],
        problems: vec![vec![]; hysteron_chain::PROBLEMS_MAX + 1],
    };
    assert!(Block::decode(&many.encode()).is_err());
    // A list that announces more than there is.
    let mut lying = header().encode();
    lying.extend(u32::MAX.to_le_bytes());
    assert!(Block::decode(&lying).is_err());
}
