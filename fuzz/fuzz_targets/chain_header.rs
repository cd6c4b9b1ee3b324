#![no_main]

use hysteron_chain::merkle::Proof;
use hysteron_chain::{Header, HeaderBase};

// Headers, what seeds bind of them, and Merkle proofs of any bytes.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(header.encode(), bytes);
        assert_eq!(header.base().with(&header.proof()), header);
        assert_eq!(HeaderBase::decode(&header.base().encode()).expect("was encoded").seed(), header.seed());
    }
    if let Ok(base) = HeaderBase::decode(bytes) {
        assert_eq!(base.encode(), bytes);
    }
    if let Ok(proof) = borsh::from_slice::<Proof>(bytes) {
        let _ = proof.root(&[0; 32]);
    }
});
