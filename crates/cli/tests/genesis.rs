//! Making a network from a file, and running it: node, worker, wallet.

mod common;
#[path = "common/processes.rs"]
#[allow(dead_code, reason = "these tests need a part of it")]
mod processes;

use std::path::{Path, PathBuf};

use common::hysteron;
use processes::{Customer, Program, poll};

fn directory(name: &str) -> PathBuf {
    let path = common::scratch(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("scratch is writable");
    path
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/private-network.toml")
}

fn new<'a>(config: &'a Path, output: &'a Path) -> [&'a str; 6] {
    let path = |path: &'a Path| path.to_str().expect("a plain path");
    ["network", "new", "--config", path(config), "--output", path(output)]
}

/// One line of a command's output, without its name.
fn field(printed: &str, name: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {printed}")).trim().to_owned()
}

#[test]
fn a_network_is_made_shown_and_never_overwritten() {
    let home = directory("genesis");
    let machine = Customer { home: &home, node: "http://127.0.0.1:1" };
    let genesis = home.join("private.genesis");
    let made = machine.succeeds(&new(&example(), &genesis));
    let bytes = std::fs::read(&genesis).expect("it is there");
    let message = machine.is_refused(&new(&example(), &genesis));
    assert!(message.contains("never overwritten") && message.contains("--output"), "{message}");
    assert_eq!(std::fs::read(&genesis).expect("it is there"), bytes);

    // What is shown makes the same network again.
    let path = genesis.to_str().expect("a plain path");
    let shown = machine.succeeds(&["network", "show", path]);
    assert_eq!(field(&shown, "# identity"), field(&made, "identity"));
    assert!(shown.contains("spacing_seconds = 5\n") && shown.contains("claim_bond = \"0.01\"\n"), "{shown}");
    let (again, copy) = (home.join("again.toml"), home.join("again.genesis"));
    std::fs::write(&again, &shown).expect("scratch is writable");
    machine.succeeds(&new(&again, &copy));
    assert_eq!(std::fs::read(&copy).expect("it is there"), bytes);
    let json = machine.json(&["network", "show", path, "--json"]);
    assert_eq!(json["identity"], field(&made, "identity"));
    assert_eq!(
        (&json["work"]["leg_work"], &json["time"]),
        (&10_000_000.into(), &"2026-01-01T00:00:00Z".into())
    );
    let devnet = machine.json(&["network", "show", "devnet", "--json"]);
    assert_eq!(devnet["network"], "hysteron-devnet");

    // A wallet for it keeps its name and prints its addresses.
    let created = machine.succeeds(&["wallet", "create", "--network", path]);
    let address = field(&created, "address");
    assert!(address.starts_with("hys1"), "{created}");
    assert_eq!(machine.succeeds(&["wallet", "address"]).trim(), address);
    assert_eq!(machine.succeeds(&["wallet", "address", "--network", path]).trim(), address);
    assert!(machine.is_refused(&["wallet", "address", "--network", "devnet"]).contains("my-private-network"));
    let key = machine.succeeds(&["wallet", "address", "--public-key"]);
    // And its key makes a committee.
    let own = std::fs::read_to_string(example())
        .expect("it is there")
        .replace("reviewers = [\"", &format!("reviewers = [\"{}\", \"", key.trim()));
    let config = home.join("own.toml");
    std::fs::write(&config, own).expect("scratch is writable");
    let other = machine.succeeds(&new(&config, &home.join("own.genesis")));
    assert_ne!(field(&other, "identity"), field(&made, "identity"));
}

#[test]
fn bad_networks_are_refused_with_place_and_mend() {
    let home = directory("bad-genesis");
    let machine = Customer { home: &home, node: "http://127.0.0.1:1" };
    let good = std::fs::read_to_string(example()).expect("it is there");
    let (config, output) = (home.join("bad.toml"), home.join("bad.genesis"));
    for (from, to, words) in [
        ("spacing_seconds = 5", "spacing_seconds = five", &["line 9"][..]),
        ("spacing_seconds = 5", "spacing_seconds = 0", &["spacing_seconds is 0", "1 to 3600"]),
        ("threshold = 1", "threshold = 3", &["keys"]),
        ("time = 2026", "tine = 2026", &["line 8", "tine"]),
        ("time = 2026-01-01T00:00:00Z", "", &["time is missing", "2027-01-01T00:00:00Z"]),
        ("reviewers = [\"", "reviewers = [\"x", &["64 hexadecimal digits", "--public-key"]),
    ] {
        std::fs::write(&config, good.replace(from, to)).expect("scratch is writable");
        let message = machine.is_refused(&new(&config, &output));
        assert!(
            message.contains("bad.toml") && words.iter().all(|word| message.contains(word)),
            "{words:?}: {message}"
        );
        assert!(!output.exists());
    }
    let nowhere = home.join("no.toml");
    assert!(machine.is_refused(&new(&nowhere, &output)).contains("no.toml"));
    assert!(machine.is_refused(&["network", "show", "nothing"]).contains("network new"));
    let junk = config.to_str().expect("a plain path");
    assert!(machine.is_refused(&["network", "show", junk]).contains("not one genesis"));
}

#[test]
fn a_made_network_is_mined_on() {
    let home = directory("made");
    let path = |name: &str| home.join(name).to_str().expect("a plain path").to_owned();
    // Smaller legs and easier blocks than in the example, as tests share their machines.
    let config = std::fs::read_to_string(example()).expect("it is there");
    let config = config
        .replace("leg_work = 10_000_000", "leg_work = 1_000_000")
        .replace("pre_tries = 188_000", "pre_tries = 1_000")
        .replace("first_block_attempts = 60", "first_block_attempts = 3")
        .replace("maturity_blocks = 5", "maturity_blocks = 1");
    std::fs::write(home.join("made.toml"), config).expect("scratch is writable");
    let offline = Customer { home: &home, node: "http://127.0.0.1:1" };
    let (config, genesis) = (home.join("made.toml"), path("made.genesis"));
    offline.succeeds(&new(&config, Path::new(&genesis)));
    let created = offline.succeeds(&["wallet", "create", "--network", &genesis]);
    let address = field(&created, "address");

    std::fs::create_dir_all(home.join("node")).expect("scratch is writable");
    let alone = "[peers]\nmdns = false\nkademlia = false\n[http]\nrequests_per_second = 100000\n";
    std::fs::write(home.join("node").join("node.toml"), alone).expect("scratch is writable");
    let mut command = hysteron();
    command.args(["node", "--network", &genesis, "--http", "127.0.0.1:0", "--workers", "127.0.0.1:0"]);
    command.args([
        "--listen",
        "/ip4/127.0.0.1/tcp/0",
        "--mine",
        "1",
        "--address",
        &address,
        "--data",
        &path("node"),
    ]);
    let mut node = Program::start("node", &mut command);
    let url = node.line("node ", 0);
    assert!(node.line("account ", 0).starts_with("hys1"));
    let customer = Customer { home: &home, node: &url };
    let balance = || {
        let balance = customer.json(&["wallet", "balance", "--json"]);
        assert_eq!(balance["address"], address.as_str());
        balance["balance"].as_str().and_then(|atoms| atoms.parse::<u64>().ok()).filter(|atoms| *atoms > 0)
    };
    poll("the miner is paid", balance);

    // A worker for the same address, and coins to somebody.
    let mut command = hysteron();
    command.args(["worker", "--node", &url, "--address", &address, "--threads", "1"]);
    let mut worker = Program::start("worker", &mut command);
    worker.line("connected", 0);
    let other = hysteron_ledger::devnet_key("somebody").address().encode("hys");
    assert!(customer.succeeds(&["wallet", "send", &other, "1.5", "--yes"]).contains("in block"));
    assert!(customer.succeeds(&["wallet", "balance", &other]).contains("1.5 HYS"));
    // Addresses and accounts of a devnet are strangers here.
    let devnet = hysteron_ledger::devnet_key("alice").address().encode("hysd");
    assert!(customer.is_refused(&["wallet", "send", &devnet, "1", "--yes"]).contains("another network"));
    assert!(
        customer
            .is_refused(&["wallet", "balance", "--wallet", "devnet:alice"])
            .contains("my-private-network")
    );
    node.signal("-TERM");
    assert_eq!(node.ended().code(), Some(0));
}
