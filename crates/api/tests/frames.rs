//! The worker protocol's frames: round trips, bounds, and the bytes that both sides must agree on.

use hysteron_api::worker::{
    CLAIM_FRAME_BYTES_MAX, FRAME_BYTES_MAX, Figures, FromNode, FromWorker, HEADER_BYTES_MAX, LegClaim, Ready,
    Tally, Text, Work, WorkResult, read_frame, write_frame,
};
use hysteron_work::types::Assignment;
use hysteron_work::{Proof, WorkRules};
use proptest::prelude::*;

fn figures() -> impl Strategy<Value = Figures> {
    any::<[u64; 5]>().prop_map(|[attempts, legs, ecu, hashing_ns, computing_ns]| Figures {
        attempts,
        legs,
        ecu,
        hashing_ns,
        computing_ns,
    })
}

fn from_worker() -> impl Strategy<Value = FromWorker> {
    let ready = (any::<Option<[u8; 32]>>(), any::<[u8; 32]>(), 1u16..=1024, ".{0,80}").prop_map(
        |(network, payee, threads, agent)| {
            FromWorker::Ready(Ready { network, payee, threads, agent: Text::cut(&agent) })
        },
    );
    let found = (any::<u64>(), any::<u64>(), any::<[[u8; 32]; 4]>()).prop_map(|(work, nonce, digests)| {
        FromWorker::Result(WorkResult::Found { work, proof: Proof { nonce, digests } })
    });
    let claim = (
        any::<[u64; 2]>(),
        1u8..=4,
        any::<[[u8; 32]; 4]>(),
        any::<u8>(),
        prop::collection::vec(any::<bool>(), 0..300),
    )
        .prop_map(|([work, nonce], leg, digests, lane, values)| {
            let digests = digests[..usize::from(leg)].to_vec();
            let claim = LegClaim { nonce, leg, digests, lane, assignment: Assignment::pack(&values) };
            FromWorker::Result(WorkResult::Claim { work, claim })
        });
    let progress = figures().prop_map(|figures| FromWorker::Result(WorkResult::Progress(figures)));
    prop_oneof![ready, found, claim, progress]
}

fn work() -> impl Strategy<Value = FromNode> {
    let header = prop::collection::vec(any::<u8>(), 0..=HEADER_BYTES_MAX);
    (any::<[u64; 2]>(), any::<[[u8; 32]; 2]>(), header, any::<[u32; 5]>(), ".{0,300}").prop_map(
        |([id, nonce_start], [network, table], header, [table_bytes, a, b, c, d], reason)| {
            let tally = Tally {
                blocks_accepted: a,
                blocks_refused: b,
                claims_accepted: c,
                claims_refused: d,
                reason: Text::cut(&reason),
            };
            FromNode::Work(Box::new(Work {
                id,
                network,
                header,
                rules: WorkRules::main(),
                nonce_start,
                table,
                table_bytes,
                tally,
            }))
        },
    )
}

proptest! {
    #[test]
    fn workers_messages_round_trip(message in from_worker()) {
        let frame = message.encode();
        prop_assert_eq!(FromWorker::decode(&frame).unwrap(), message.clone());
        prop_assert!(FromNode::decode(&frame).is_err(), "no node sends this");
        if !matches!(message, FromWorker::Result(WorkResult::Claim { .. })) {
            prop_assert!(frame.len() <= FRAME_BYTES_MAX);
        }
        let mut wire = Vec::new();
        write_frame(&mut wire, &frame).unwrap();
        prop_assert_eq!(read_frame(&mut wire.as_slice()).unwrap(), frame);
    }

    #[test]
    fn nodes_messages_round_trip(message in work()) {
        let frame = message.encode();
        prop_assert!(frame.len() <= FRAME_BYTES_MAX, "{} bytes", frame.len());
        prop_assert_eq!(FromNode::decode(&frame).unwrap(), message);
        prop_assert!(FromWorker::decode(&frame).is_err(), "no worker sends this");
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..6) {
        let mut frame = vec![1, kind];
        frame.extend_from_slice(&bytes);
        for bytes in [&bytes, &frame] {
            if let Ok(message) = FromWorker::decode(bytes) {
                prop_assert_eq!(&message.encode(), bytes, "one message, one encoding");
            }
            if let Ok(message) = FromNode::decode(bytes) {
                prop_assert_eq!(&message.encode(), bytes, "one message, one encoding");
            }
            let _ = read_frame(&mut bytes.as_slice());
        }
    }

    #[test]
    fn a_cut_frame_is_refused(message in from_worker(), cut in any::<prop::sample::Index>()) {
        let frame = message.encode();
        prop_assert!(FromWorker::decode(&frame[..cut.index(frame.len())]).is_err());
        let mut longer = frame;
        longer.push(0);
        prop_assert!(FromWorker::decode(&longer).is_err());
    }
}

#[test]
fn bounds_hold_before_anything_is_allocated() {
    let refused = |bytes: &[u8]| read_frame(&mut &*bytes).unwrap_err().to_string();
    assert!(refused(&[0xff, 0xff, 0xff, 0xff, 1, 1]).contains("at most 1024"));
    assert!(refused(&[0xff, 0xff, 0xff, 0xff, 1, 4]).contains(&CLAIM_FRAME_BYTES_MAX.to_string()));
    assert!(refused(&[10, 0, 0, 0, 2, 1]).contains("version 2"));
    assert!(refused(&[10, 0, 0, 0, 1, 9]).contains("kind 9"));
    assert!(refused(&[1, 0, 0, 0, 1, 1]).contains("no head"));
    assert!(FromWorker::decode(&vec![1; CLAIM_FRAME_BYTES_MAX + 1]).is_err());
}

#[test]
fn the_largest_claim_fits() {
    let assignment = Assignment::pack(&vec![true; hysteron_work::types::VARIABLES_LIMIT as usize]);
    let claim = LegClaim { nonce: u64::MAX, leg: 4, digests: vec![[7; 32]; 4], lane: 63, assignment };
    let message = FromWorker::Result(WorkResult::Claim { work: u64::MAX, claim });
    assert_eq!(FromWorker::decode(&message.encode()).unwrap(), message);
}

/// The bytes of one message of each kind, which workers and nodes of different builds must agree on.
#[test]
fn frames_are_frozen() {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let numbered = |first: u8| std::array::from_fn::<u8, 32, _>(|i| first.wrapping_add(i as u8));
    let ready = Ready {
        network: Some(numbered(1)),
        payee: numbered(40),
        threads: 8,
        agent: Text::cut("hysteron 0.1.0"),
    };
    let proof =
        Proof { nonce: 0x0102_0304_0506_0708, digests: [numbered(1), numbered(2), numbered(3), numbered(4)] };
    let claim = LegClaim {
        nonce: 9,
        leg: 2,
        digests: vec![numbered(5), numbered(6)],
        lane: 17,
        assignment: Assignment::pack(&[true, false, true, true, false, false, false, true, true]),
    };
    let figures = Figures { attempts: 1, legs: 4, ecu: 1 << 40, hashing_ns: 50, computing_ns: 950 };
    let work = Work {
        id: 77,
        network: numbered(1),
        header: vec![0xab; 242],
        rules: WorkRules { cost_version: 1, ..WorkRules::main() },
        nonce_start: 3 << 40,
        table: numbered(90),
        table_bytes: 1000,
        tally: Tally {
            blocks_accepted: 1,
            reason: Text::cut("Another block came first."),
            ..Tally::default()
        },
    };
    let frames = [
        ("ready", FromWorker::Ready(ready).encode()),
        ("found", FromWorker::Result(WorkResult::Found { work: 77, proof }).encode()),
        ("claim", FromWorker::Result(WorkResult::Claim { work: 77, claim }).encode()),
        ("progress", FromWorker::Result(WorkResult::Progress(figures)).encode()),
        ("work", FromNode::Work(Box::new(work)).encode()),
    ];
    let text = frames.iter().map(|(name, frame)| format!("{name} {}\n", hex(frame))).collect::<String>();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/frames.txt");
    if std::env::var("HYSTERON_GOLDEN").as_deref() == Ok("write") {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/golden")).unwrap();
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap(), "frames changed: raise PROTOCOL_VERSION");
}
