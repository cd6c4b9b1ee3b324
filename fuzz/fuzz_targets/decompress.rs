#![no_main]

use hysteron_problem::Compression;

// The first byte chooses a container whose magic bytes are put before the rest, and whether the
// rest is compressed properly first, so that the layer below is reached too.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let [choice, rest @ ..] = bytes else { return };
    let (compression, magic): (_, &[u8]) = match choice % 3 {
        0 => (Compression::Gzip, b"\x1f\x8b"),
        1 => (Compression::Xz, b"\xfd7zXZ\0"),
        _ => (Compression::Zstandard, b"\x28\xb5\x2f\xfd"),
    };
    let bytes = if choice & 0x80 == 0 { [magic, rest].concat() } else { compression.compress(rest) };
    hysteron_fuzz::check(&bytes, None);
});
