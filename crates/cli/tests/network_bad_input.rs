//! Bad input to the commands of the network: exit code 2, a message with the mend, and nothing is sent. No node runs here.

mod common;
#[path = "common/processes.rs"]
#[allow(dead_code, reason = "nothing runs beside these tests")]
mod processes;

use std::path::PathBuf;

use common::{hysteron, text};
use processes::Customer;

/// Nobody listens on port 1.
const NOBODY: &str = "http://127.0.0.1:1";

fn home(name: &str) -> PathBuf {
    let path = common::scratch(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("scratch is writable");
    path
}

#[test]
fn a_node_that_is_not_there_is_named() {
    let home = home("nobody");
    let customer = Customer { home: &home, node: NOBODY };
    let id = "ab".repeat(32);
    for arguments in [
        &["wallet", "balance", "hysd1x"][..],
        &["wallet", "send", "hysd1x", "1", "--yes"],
        &["job", "list"],
        &["job", "watch", &id],
        &["job", "cancel", &id, "--yes"],
        &["receipt", "show", &id],
    ] {
        let message = customer.is_refused(arguments);
        assert!(message.contains(NOBODY) && message.contains("--node"), "{arguments:?}: {message}");
    }
    let message = customer.is_refused(&["job", "list", "--node", "localhost:7341"]);
    assert!(message.contains("http://"), "{message}");
}

#[test]
fn a_file_that_does_not_parse_never_leaves_the_machine() {
    let home = home("parse");
    let customer = Customer { home: &home, node: NOBODY };
    let file = home.join("bad.cnf");
    std::fs::write(&file, "p cnf 2 1\n1 x 0\n").expect("scratch is writable");
    // The file is looked at before the node is: its line is named, not the node.
    let message = customer.is_refused(&["job", "open", file.to_str().expect("a plain path"), "--yes"]);
    assert!(message.contains("line 2") && !message.contains(NOBODY), "{message}");
    let message = customer.is_refused(&["job", "open", "/no/such/file.cnf", "--yes"]);
    assert!(message.contains("/no/such/file.cnf"), "{message}");
}

#[test]
fn arguments_are_checked() {
    let home = home("arguments");
    for arguments in [
        &["wallet", "send", "hysd1x"][..],
        &["wallet", "send", "hysd1x", "-1"],
        &["wallet", "send", "hysd1x", "1e9"],
        &["wallet", "send", "hysd1x", "0.0000000001"],
        &["job", "open", "x.cnf", "--chips", "0"],
        &["job", "open", "x.cnf", "--blocks", "many"],
        &["job", "open", "x.cnf", "--max-price", "-2"],
        &["job", "watch", "abc"],
        &["job", "result", "xyz"],
        &["receipt", "verify", "/no/such/receipt"],
        &["worker", "--address", "nonsense"],
        &["worker", "--address", "hysd1qqqqqq"],
        &["worker"],
        &["node", "--http", "here"],
        &["node", "--mine", "x"],
        &["devnet", "--nodes", "0"],
        &["devnet", "--workers", "1000"],
        &["devnet", "--receipt", "x"],
    ] {
        let output = hysteron()
            .args(arguments)
            .env("HYSTERON_HOME", &home)
            .env("HYSTERON_NODE", NOBODY)
            .output()
            .expect("the binary starts");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(!message.is_empty() && !message.contains("panicked"), "{arguments:?}: {message}");
    }
}

#[test]
fn a_node_says_what_is_wrong_with_its_configuration() {
    let home = home("configuration");
    let file = home.join("node.toml");
    std::fs::write(&file, "[http]\nlissen = 3\n").expect("scratch is writable");
    let customer = Customer { home: &home, node: NOBODY };
    let message = customer.is_refused(&["node", "--config", file.to_str().expect("a plain path")]);
    assert!(message.contains("line 2") && message.contains("lissen"), "{message}");
    let message = customer.is_refused(&["node", "--network", "/no/such/genesis", "--data", "/no/such/data"]);
    assert!(message.contains("genesis"), "{message}");
}

#[test]
fn receipts_of_nonsense_are_refused() {
    let home = home("receipts");
    let customer = Customer { home: &home, node: NOBODY };
    let file = home.join("receipt");
    let path = file.to_str().expect("a plain path");
    for bytes in [&[][..], b"hello", &[0xff; 5000], &[1; 2_000_000]] {
        std::fs::write(&file, bytes).expect("scratch is writable");
        assert!(
            customer.is_refused(&["receipt", "verify", path]).contains("receipt"),
            "{} bytes",
            bytes.len()
        );
    }
}

#[test]
fn wallets_restore_and_refuse() {
    let home = home("wallets");
    let customer = Customer { home: &home, node: NOBODY };
    let created = customer.succeeds(&["wallet", "create"]);
    let address = |printed: &str| {
        printed.lines().find_map(|line| line.strip_prefix("address ").map(str::to_owned)).expect("an address")
    };
    // The words stand in a numbered table.
    let words: Vec<&str> = created
        .lines()
        .filter(|line| line.starts_with("  "))
        .flat_map(str::split_whitespace)
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect();
    assert_eq!(words.len(), 24, "{created}");
    let file = home.join("again.age");
    let restore = |words: &str, file: &str| {
        let mut child = hysteron()
            .args(["wallet", "restore", "--wallet", file])
            .env("HYSTERON_PASSWORD", "another password")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut input = child.stdin.take().expect("piped");
        std::io::Write::write_all(&mut input, words.as_bytes()).expect("it reads");
        drop(input);
        child.wait_with_output().expect("it ends")
    };
    let path = file.to_str().expect("a plain path");
    let restored = restore(&words.join(" "), path);
    assert_eq!(restored.status.code(), Some(0), "{}", text(&restored.stderr));
    assert_eq!(address(&text(&restored.stdout)), address(&created));
    let mut wrong = words.clone();
    wrong.swap(0, 1);
    for (words, sign) in
        [(wrong.join(" "), "words"), ("hello world".to_owned(), "words"), (String::new(), "words")]
    {
        let refused = restore(&words, home.join("wrong.age").to_str().expect("a plain path"));
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(sign), "{}", text(&refused.stderr));
        assert!(!home.join("wrong.age").exists());
    }
    // Another password does not open it, and says so.
    assert!(customer.is_refused(&["wallet", "address", "--wallet", path]).contains("wrong"));
    let none = home.join("none.age");
    let message =
        customer.is_refused(&["wallet", "address", "--wallet", none.to_str().expect("a plain path")]);
    assert!(message.contains("wallet create"), "{message}");
}
