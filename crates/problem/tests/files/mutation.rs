//! Damaged files: seeded mutations of valid ones of every format. A reader may refuse or accept
//! them, but never panics, and never builds more than the bytes can pay for.

use super::*;
use hysteron_problem::{Compression, Kind, Problem, write};

/// Mutations of each file.
const ROUNDS: u64 = 2000;

/// xorshift64*: enough for choosing places.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}

const WORDS: [&[u8]; 16] = [
    b"1000000000000",
    b"67108864",
    b"67108863",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"0",
    b"-1",
    b"1e18",
    b"0.000000000000000001",
    b"1e-400",
    b"nan",
    b"\xff\xfe\x00",
    b"p cnf 3 3",
    b"~x1 x1 x2",
    b"{}",
    b"99999999999999999999999",
];

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => {
                let word = WORDS[random.below(WORDS.len())];
                let end =
                    bytes[at..].iter().position(u8::is_ascii_whitespace).map_or(bytes.len(), |l| at + l);
                bytes.splice(at..end, word.iter().copied());
            }
            3 => {
                let mut lines: Vec<&[u8]> = bytes.split(|&b| b == b'\n').collect();
                let (i, j) = (random.below(lines.len()), random.below(lines.len()));
                lines.swap(i, j);
                *bytes = lines.join(&b'\n');
            }
            4 => {
                let length = random.below(12).min(bytes.len() - at);
                bytes.drain(at..at + length);
            }
            5 => {
                let copy = bytes[at..(at + 12).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes.insert(at, b" \n0x;{[\"-.e"[random.below(11)]),
        }
    }
}

/// A rough count of the memory of a document, in machine words.
fn size(document: &Document) -> usize {
    let canonical = match document.problem() {
        Problem::Cnf(cnf) => cnf.clauses.literals().len() + cnf.clauses.len(),
        Problem::Wcnf(wcnf) => {
            wcnf.hard.literals().len() + wcnf.soft.literals().len() + wcnf.hard.len() + 2 * wcnf.soft.len()
        }
        Problem::Ising(ising) => 2 * ising.couplings.len() + ising.fields.len(),
    };
    canonical + document.elements() as usize
}

fn samples() -> Vec<(Vec<u8>, ReadOptions)> {
    let qubo = detect("p qubo 0 4 2 3\n0 0 -1\n2 2 -1.5\n0 2 3\n1 3 -7\n0 1 2\n");
    let cnf = detect("c x\np cnf 4 3\n1 -2 0\n3 4 -1 0\n2 0\n");
    let wcnf = detect("h 1 -2 0\n5 3 4 -1 0\n2.5 2 0\n");
    let opb = detect("* #variable= 4\nmin: 3 x1 -2 ~x2 ;\n+2 x1 +3 x2 -1 ~x3 >= 2 ;\n1 x1 1 x4 = 1 ;\n");
    let mut samples = Vec::new();
    for format in Format::ALL {
        for document in [&qubo, &cnf, &wcnf, &opb] {
            let mut bytes = Vec::new();
            if write(document, format, &mut bytes).is_ok() {
                let options = |format| ReadOptions { format, instance: Some(1), ..ReadOptions::default() };
                samples.push((bytes.clone(), options(Some(format))));
                if document.kind() == Kind::Qubo {
                    samples.push((bytes, options(None)));
                }
            }
        }
    }
    for compression in [Compression::Gzip, Compression::Xz, Compression::Zstandard] {
        let bytes = compression.compress(b"p cnf 4 3\n1 -2 0\n3 4 -1 0\n2 0\n");
        samples
            .push((bytes, ReadOptions { decompressed_bytes_max: Some(1 << 20), ..ReadOptions::default() }));
    }
    samples
}

#[test]
fn no_damage_makes_a_reader_panic() {
    let seed = 0x9e37_79b9_7f4a_7c15;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let (mut accepted, mut refused) = (0, 0);
    for (bytes, options) in samples() {
        for _ in 0..ROUNDS {
            let mut bytes = bytes.clone();
            mutate(&mut bytes, &mut random);
            let read_it = || read(&bytes, None, &options);
            let result = std::panic::catch_unwind(read_it);
            let result = result.unwrap_or_else(|_| panic!("{options:?} of {}", bytes.escape_ascii()));
            match result {
                Ok(document) => {
                    accepted += 1;
                    // Constraints may grow; everything else is paid for by its bytes.
                    let encoded =
                        document.kind() == Kind::PseudoBoolean || options.decompressed_bytes_max.is_some();
                    let most = if encoded { 1 << 24 } else { (1 << 20) + 4 * bytes.len() };
                    assert!(size(&document) <= most, "{}", bytes.escape_ascii());
                }
                Err(error) => {
                    refused += 1;
                    let shown = error.to_string();
                    assert!(shown.contains("Found ") && shown.ends_with('.'), "{shown}");
                }
            }
        }
    }
    assert!(accepted > 100 && refused > 1000, "{accepted} accepted, {refused} refused");
}
