//! Turns the tables of `parameters/*.toml` into Rust: a search that takes half a millisecond has none for reading text.
//!
//! A table `[class]`, or each of the tables `[[class]]`, becomes `("class", Parameters { … })`; text is a variant of the enum named as
//! its key, so `kernel = "W"` becomes `Kernel::W`. Whatever does not fit the chip's `Parameters` does not compile.

use std::fmt::Write as _;
use std::path::Path;

use toml::{Table, Value};

/// The chips. Where a set may leave fields out: those that it may not, and what stands for the others.
const CHIPS: [(&str, &[&str], &str); 5] = [
    ("crossbar", &[], ""),
    ("dense", &[], ""),
    ("general", &[], ""),
    ("memcomputing", &[], ""),
    ("switching", &["kernel", "hot", "cold"], "..Parameters::LEFT_OUT"),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let to = std::env::var("OUT_DIR").expect("Cargo sets it");
    for (chip, needed, rest) in CHIPS {
        let path = format!("parameters/{chip}.toml");
        println!("cargo::rerun-if-changed={path}");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let classes: Table = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut rust = String::from("&[\n");
        for (class, sets) in &classes {
            let sets = match sets {
                Value::Array(sets) => &sets[..],
                set => std::slice::from_ref(set),
            };
            for set in sets {
                let set = set.as_table().unwrap_or_else(|| panic!("{path}: {class} is no table"));
                for key in needed {
                    assert!(set.contains_key(*key), "{path}: {class} does not say {key}");
                }
                let fields: String = set.iter().map(|(key, value)| field(key, value)).collect();
                writeln!(rust, "    ({class:?}, Parameters {{ {fields}{rest} }}),").expect("memory");
            }
        }
        rust.push(']');
        std::fs::write(Path::new(&to).join(format!("{chip}.rs")), rust)
            .expect("Cargo's folder can be written");
    }
}

/// `key: value, `.
fn field(key: &str, value: &Value) -> String {
    let capital = |text: &str| text[..1].to_uppercase() + &text[1..];
    match value {
        Value::String(variant) => format!("{key}: {}::{}, ", capital(key), capital(variant)),
        number => format!("{key}: {number}, "),
    }
}
