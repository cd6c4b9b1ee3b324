//! Laws of every decoder of outside bytes: what is encoded comes back, damage never panics, the
//! bounds hold, and the encodings are the ones in `golden/messages.txt`
//! (`HYSTERON_GOLDEN=write cargo test -p hysteron-net --test codecs` writes it again).

use std::fmt::Write;

use hysteron_net::address_book::AddressBook;
use hysteron_net::bans::Bans;
use hysteron_net::limits::{HEADER_BYTES_MAX, HEADERS_PER_ANSWER_MAX, REQUEST_BYTES_MAX};
use hysteron_net::wire::bounded::{Bytes, List};
use hysteron_net::wire::codec::{read_frame, write_frame};
use hysteron_net::wire::message::PROTOCOL_VERSION;
use hysteron_net::{Answer, Banned, Keypair, PeerId, Request, Status, Tip};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn bytes<const MAX: usize>(length: usize) -> impl Strategy<Value = Bytes<MAX>> {
    vec(any::<u8>(), 0..=length).prop_map(|bytes| Bytes::new(bytes).unwrap())
}

fn list<T: std::fmt::Debug, const MAX: usize>(
    item: impl Strategy<Value = T>,
) -> impl Strategy<Value = List<T, MAX>> {
    vec(item, 0..=MAX.min(40)).prop_map(|items| List::new(items).unwrap())
}

prop_compose! {
    fn status()(version: u16, network in bytes(32), genesis: [u8; 32], height: u64, hash: [u8; 32], work: [u8; 32]) -> Status {
        Status { version, network, genesis, tip: Tip { height, hash, work } }
    }
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        status().prop_map(Request::Status),
        (list(any::<[u8; 32]>()), any::<u16>())
            .prop_map(|(locator, count_max)| Request::Headers { locator, count_max }),
        list(any::<[u8; 32]>()).prop_map(Request::Blocks),
        any::<[u8; 32]>().prop_map(Request::Problem),
        list(any::<[u8; 32]>()).prop_map(Request::Transactions),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        status().prop_map(Answer::Status),
        list(bytes(200)).prop_map(Answer::Headers),
        list(option::of(bytes(300))).prop_map(Answer::Blocks),
        option::of(bytes(3000)).prop_map(Answer::Problem),
        list(option::of(bytes(300))).prop_map(Answer::Transactions),
        Just(Answer::Busy),
    ]
}

fn peer(seed: [u8; 32]) -> PeerId {
    Keypair::ed25519_from_bytes(seed).unwrap().public().to_peer_id()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn requests_come_back(request in request()) {
        let bytes = borsh::to_vec(&request).unwrap();
        prop_assert!(bytes.len() <= REQUEST_BYTES_MAX);
        prop_assert_eq!(Request::decode(&bytes).unwrap(), request);
    }

    #[test]
    fn answers_come_back(answer in answer()) {
        let bytes = borsh::to_vec(&answer).unwrap();
        prop_assert_eq!(Answer::decode(&bytes).unwrap(), answer);
    }

    #[test]
    fn damage_is_refused_or_means_something_else(answer in answer(), at: usize, with: u8, cut: usize) {
        let mut bytes = borsh::to_vec(&answer).unwrap();
        let length = bytes.len();
        bytes[at % length] ^= with;
        for damaged in [&bytes[..], &bytes[..cut % length]] {
            if let Ok(other) = Answer::decode(damaged) {
                prop_assert_eq!(borsh::to_vec(&other).unwrap(), damaged);
            }
            if let Ok(other) = Request::decode(damaged) {
                prop_assert_eq!(borsh::to_vec(&other).unwrap(), damaged);
            }
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Request::decode(&bytes);
        let _ = Answer::decode(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = (Bans::from_text(&text), AddressBook::from_text(&text));
    }

    #[test]
    fn frames_come_back_and_their_bound_holds(request in request()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let length = borsh::to_vec(&request).unwrap().len();
            let mut stream = futures::io::Cursor::new(Vec::new());
            write_frame(&mut stream, &request, length).await.unwrap();
            stream.set_position(0);
            assert!(read_frame(&mut stream, length - 1).await.is_err());
            stream.set_position(0);
            let bytes = read_frame(&mut stream, length).await.unwrap();
            assert_eq!(Request::decode(&bytes).unwrap(), request);
            assert!(write_frame(&mut stream, &request, length - 1).await.is_err());
        });
    }

    #[test]
    fn ban_lists_come_back(entries in vec((any::<[u8; 32]>(), any::<u32>(), any::<u64>(), ".{0,200}"), 0..20)) {
        let mut bans = Bans::default();
        for (seed, address, until_s, reason) in entries {
            bans.insert(Banned::Peer(peer(seed)), until_s, &reason);
            let origin = std::net::Ipv4Addr::from_bits(address).to_string().parse().unwrap();
            bans.insert(Banned::Origin(origin), until_s, &reason);
        }
        prop_assert_eq!(Bans::from_text(&bans.to_text()), (bans, 0));
    }

    #[test]
    fn address_books_come_back(entries in vec((0u8..30, any::<u32>(), any::<u16>()), 0..100)) {
        let mut book = AddressBook::default();
        for (seed, address, port) in entries {
            let address = format!("/ip4/{}/tcp/{port}", std::net::Ipv4Addr::from_bits(address));
            book.insert(peer([seed + 1; 32]), address.parse().unwrap());
        }
        prop_assert_eq!(AddressBook::from_text(&book.to_text()), (book, 0));
    }
}

#[test]
fn the_largest_request_of_each_kind_fits() {
    let hash = [0xff; 32];
    let status = Status {
        version: 1,
        network: Bytes::new(vec![b'n'; 32]).unwrap(),
        genesis: hash,
        tip: Tip::default(),
    };
    let requests = [
        Request::Status(status),
        Request::Headers { locator: List::first(vec![hash; 1000]), count_max: u16::MAX },
        Request::Blocks(List::first(vec![hash; 1000])),
        Request::Transactions(List::first(vec![hash; 1000])),
    ];
    for request in requests {
        let bytes = borsh::to_vec(&request).unwrap();
        assert_eq!(Request::decode(&bytes).unwrap(), request);
    }
}

#[test]
fn answers_beside_the_request_are_told_apart() {
    let blocks = |count| Answer::Blocks(List::new(vec![None; count]).unwrap());
    let request = Request::Blocks(List::first(vec![[1; 32]; 3]));
    assert!(request.is_answered_by(&blocks(1)) && request.is_answered_by(&blocks(3)));
    assert!(!request.is_answered_by(&blocks(0)) && !request.is_answered_by(&blocks(4)));
    assert!(!request.is_answered_by(&Answer::Problem(None)) && request.is_answered_by(&Answer::Busy));
    assert!(List::<u8, HEADERS_PER_ANSWER_MAX>::new(vec![0; HEADERS_PER_ANSWER_MAX + 1]).is_err());
    assert!(Bytes::<HEADER_BYTES_MAX>::new(vec![0; HEADER_BYTES_MAX + 1]).is_err());
}

#[test]
fn encodings_are_frozen() {
    let tip = Tip { height: 7, hash: [2; 32], work: [3; 32] };
    let status = Status {
        version: PROTOCOL_VERSION,
        network: Bytes::new(b"main".to_vec()).unwrap(),
        genesis: [1; 32],
        tip,
    };
    let messages = [
        ("request status", borsh::to_vec(&Request::Status(status.clone()))),
        (
            "request headers",
            borsh::to_vec(&Request::Headers { locator: List::first(vec![[4; 32]; 2]), count_max: 512 }),
        ),
        ("request blocks", borsh::to_vec(&Request::Blocks(List::first(vec![[5; 32]])))),
        ("request problem", borsh::to_vec(&Request::Problem([6; 32]))),
        ("request transactions", borsh::to_vec(&Request::Transactions(List::first(vec![[7; 32]])))),
        ("answer status", borsh::to_vec(&Answer::Status(status))),
        (
            "answer headers",
            borsh::to_vec(&Answer::Headers(List::first(vec![Bytes::new(vec![8, 9]).unwrap()]))),
        ),
        (
            "answer blocks",
            borsh::to_vec(&Answer::Blocks(List::first(vec![Some(Bytes::new(vec![8]).unwrap()), None]))),
        ),
        ("answer problem", borsh::to_vec(&Answer::Problem(Some(Bytes::new(vec![8]).unwrap())))),
        ("answer transactions", borsh::to_vec(&Answer::Transactions(List::first(vec![None])))),
        ("answer busy", borsh::to_vec(&Answer::Busy)),
    ];
    let mut text = String::new();
    for (name, bytes) in messages {
        let hex: String = bytes.unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{name}: {hex}").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/messages.txt");
    if std::env::var("HYSTERON_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
}
