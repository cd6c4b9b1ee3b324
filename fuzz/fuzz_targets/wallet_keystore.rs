#![no_main]

// A keystore from anywhere, with a passphrase that cannot be right; and words as somebody typed them.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // A recipient line of its own would make every run do megabytes of scrypt; the header's parser is what is looked at.
    if !bytes.windows(9).any(|part| part == b"-> scrypt") {
        let _ = hysteron_wallet::Wallet::decrypt(bytes, "passphrase");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = hysteron_wallet::Words::parse(text);
    }
});
