#![no_main]

use hysteron_node::parcel::Parcel;

// Transactions as peers send them. What decodes has one encoding.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(parcel) = Parcel::decode(bytes) {
        assert_eq!(parcel.encode(), bytes);
    }
});
