//! The network as its users see it: nodes, workers, wallets and jobs, each a program of its own, over the loopback
//! address. Waits have bounds, and nothing sleeps for a fixed time.

mod common;
#[path = "common/processes.rs"]
mod processes;

use std::path::{Path, PathBuf};

use common::hysteron;
use processes::{Customer, Program, poll};

/// A directory of this test alone.
fn directory(name: &str) -> PathBuf {
    let path = common::scratch(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("scratch is writable");
    path
}

/// The path of a bundled example.
fn example(name: &str) -> String {
    format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Starts a node on this data directory, with an account that can pay for claims, looking for nobody.
fn start_node(data: &Path, http: &str) -> Program {
    std::fs::create_dir_all(data).expect("scratch is writable");
    let key = data.join("account.key");
    if !key.exists() {
        let seed = hysteron_api::Hex32(hysteron_ledger::devnet_seed("miner"));
        std::fs::write(key, format!("{seed}\n")).expect("scratch is writable");
        let config = "[peers]\nlisten = [\"/ip4/127.0.0.1/tcp/0\"]\nmdns = false\nkademlia = false\n\
                      [http]\nrequests_per_second = 100000\n";
        std::fs::write(data.join("node.toml"), config).expect("scratch is writable");
    }
    let mut command = hysteron();
    command
        .args(["node", "--network", "devnet", "--http", http, "--workers", "127.0.0.1:0", "--data"])
        .arg(data);
    Program::start("node", &mut command)
}

fn start_worker(node: &str, address: &str, more: &[&str]) -> Program {
    let mut command = hysteron();
    command
        .args(["worker", "--node", node, "--address", address, "--threads", "1", "--report", "1"])
        .args(more);
    Program::start("worker", &mut command)
}

/// The height of a node's chain.
fn height(url: &str) -> Option<u64> {
    hysteron_api::Client::new(url).status().ok().map(|status| status.height)
}

fn worker_address() -> String {
    hysteron_ledger::devnet_key("worker-of-a-test").address().encode("hysd")
}

/// One line of a command's output, without its name.
fn field(printed: &str, name: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {printed}")).trim().to_owned()
}

#[test]
fn the_demonstration_shows_the_whole_way() {
    let home = directory("demo");
    let receipt = home.join("receipt.bin");
    let mut command = hysteron();
    command.args(["devnet", "--demo", "--receipt"]).arg(&receipt);
    let mut program = Program::start("demo", &mut command);
    program.line("Done in", 0);
    assert_eq!(program.ended().code(), Some(0));
    let printed = program.printed().join("\n");
    for sign in [
        "[2]",
        "[3]",
        "best energy",
        "[4]",
        "s SATISFIABLE",
        "[5]",
        "improvements",
        "[6]",
        "came back",
        "[7]",
        "it holds",
    ] {
        assert!(printed.contains(sign), "{sign} is missing in {printed}");
    }
    // The receipt convinces without any network, and a damaged one does not.
    let customer = Customer { home: &home, node: "http://127.0.0.1:1" };
    let path = receipt.to_str().expect("a plain path");
    let proven = customer.json(&["receipt", "verify", path, "--json"]);
    assert_eq!((&proven["holds"], &proven["anchor_is_trusted"]), (&true.into(), &false.into()));
    let anchor = proven["anchor"].as_str().expect("a hash").to_owned();
    assert!(customer.succeeds(&["receipt", "verify", path, "--block", &anchor]).contains("holds"));
    let other = "00".repeat(32);
    assert!(customer.is_refused(&["receipt", "verify", path, "--block", &other]).contains("trusted"));
    let bytes = std::fs::read(&receipt).expect("it was kept");
    for at in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
        let mut forged = bytes.clone();
        forged[at] ^= 0x10;
        std::fs::write(&receipt, &forged).expect("scratch is writable");
        customer.is_refused(&["receipt", "verify", path, "--block", &anchor]);
    }
}

#[test]
fn a_job_from_the_wallet_to_the_answer() {
    let home = directory("job");
    let mut node = start_node(&home.join("node"), "127.0.0.1:0");
    let url = node.line("node ", 0);
    let mut worker = start_worker(&url, &worker_address(), &[]);
    worker.line("connected", 0);
    let customer = Customer { home: &home, node: &url };

    // A wallet of one's own, funded by an account that everybody knows.
    let created = customer.succeeds(&["wallet", "create"]);
    let address = field(&created, "address");
    assert_eq!(customer.succeeds(&["wallet", "address"]).trim(), address);
    assert!(customer.is_refused(&["wallet", "create"]).contains("never overwritten"));
    let send = [
        "wallet",
        "send",
        &address,
        "100",
        "--wallet",
        "devnet:customer",
        "--memo",
        "to begin with",
        "--yes",
    ];
    assert!(customer.succeeds(&send).contains("in block"));
    assert_eq!(customer.json(&["wallet", "balance", "--json"])["balance"], "100000000000");
    assert!(customer.succeeds(&["wallet", "history"]).contains("+100 HYS"));

    // What cannot be paid, or makes no sense, is refused here, and the balance stays.
    let file = example("random-250.qubo");
    let open = ["job", "open", file.as_str(), "--chips", "4096", "--yes", "--json"];
    assert!(customer.is_refused(&[&open[..], &["--blocks", "200000"]].concat()).contains("to spend"));
    assert!(customer.is_refused(&[&open[..], &["--max-price", "0.000001"]].concat()).contains("limit"));
    assert!(customer.is_refused(&[&open[..], &["--blocks", "300000"]].concat()).contains("blocks"));
    assert!(customer.is_refused(&["wallet", "send", &address, "1000", "--yes"]).contains("to spend"));
    assert!(customer.is_refused(&["wallet", "send", "hysd1qqqq", "1", "--yes"]).contains("not an address"));
    assert!(customer.is_refused(&["job", "open", &file, "--chips", "64"]).contains("--yes"));
    assert_eq!(customer.json(&["wallet", "balance", "--json"])["balance"], "100000000000");

    // Booked, searched, answered.
    let opened = customer.json(&[&open[..], &["--blocks", "6", "--bounty", "50"]].concat());
    let job = opened["job"].as_str().expect("an id").to_owned();
    assert!(customer.succeeds(&["job", "list"]).contains(&job));
    customer.succeeds(&["job", "watch", &job, "--settled", "--timeout", "200"]);
    let result = customer.json(&["job", "result", &job, "--json"]);
    assert_eq!((&result["status"], &result["state"]), (&"feasible".into(), &"settled".into()));
    let values = result["assignment"].as_array().expect("values");
    assert_eq!(values.len(), 250);
    assert!(result["objective"].as_i64().is_some_and(|objective| objective < 0), "{result}");
    // Another file is not taken for the job's.
    let other = example("lattice-8.ising");
    assert!(customer.is_refused(&["job", "result", &job, &other]).contains("not the one"));
    assert!(customer.succeeds(&["receipt", "show", &job]).contains("returned"));
    let earned = customer.json(&["wallet", "balance", &worker_address(), "--json"]);
    assert_ne!(earned["balance"], "0", "{earned}");

    // Cancelled: what was not used comes back.
    let opened = customer.json(&[&open[..], &["--blocks", "2000"]].concat());
    let job = opened["job"].as_str().expect("an id").to_owned();
    assert!(
        customer.is_refused(&["job", "cancel", &job, "--wallet", "devnet:bob", "--yes"]).contains("owner")
    );
    assert!(customer.succeeds(&["job", "cancel", &job, "--yes"]).contains("cancelled"));
    customer.succeeds(&["job", "watch", &job, "--settled", "--timeout", "200"]);
    let balance = customer.json(&["wallet", "balance", "--json"])["balance"].as_str().map(str::to_owned);
    let balance: u64 = balance.and_then(|text| text.parse().ok()).expect("atoms");
    // 4096 chips for 2000 blocks are 81.92 HYS, and few of these blocks were used.
    assert!(balance > 60_000_000_000, "{balance}");

    worker.signal("-INT");
    assert_eq!(worker.ended().code(), Some(0));
    node.signal("-TERM");
    assert_eq!(node.ended().code(), Some(0));
}

#[test]
fn a_worker_survives_its_node() {
    let home = directory("restart");
    let data = home.join("node");
    let mut node = start_node(&data, "127.0.0.1:0");
    let url = node.line("node ", 0);
    let authority = url.trim_start_matches("http://").to_owned();
    let mut worker = start_worker(&url, &worker_address(), &[]);
    poll("blocks are mined", || height(&url).filter(|&height| height >= 3));

    // Told to stop, it stops well, and the worker waits.
    let heard = worker.printed().len();
    node.signal("-TERM");
    assert_eq!(node.ended().code(), Some(0));
    worker.line("the node is away", heard);
    let mut node = start_node(&data, &authority);
    node.line("node ", 0);
    let before = height(&url).expect("it answers");
    assert!(before >= 3, "the chain is where it was");
    poll("mining goes on", || height(&url).filter(|&height| height >= before + 2));

    // Killed without a word, it comes back with all that it had accepted.
    for _ in 0..3 {
        let client = hysteron_api::Client::new(&url);
        let (tip, block) = poll("the node answers", || {
            let status = client.status().ok()?;
            Some((status.height, status.tip))
        });
        node.signal("-KILL");
        node.ended();
        node = start_node(&data, &authority);
        node.line("node ", 0);
        let now = poll("the node answers", || height(&url));
        assert!(now >= tip, "block {tip} was accepted, and {now} is the last one");
        assert_eq!(client.block(tip).expect("it is there").header.hash, block, "the same block {tip}");
        poll("mining goes on", || height(&url).filter(|&height| height > now));
    }
    worker.signal("-INT");
    assert_eq!(worker.ended().code(), Some(0));
}

#[test]
fn a_worker_over_plain_tcp() {
    let home = directory("tcp");
    let mut node = start_node(&home.join("node"), "127.0.0.1:0");
    let url = node.line("node ", 0);
    let tcp = node.line("workers tcp://", 0);
    let mut worker = start_worker(&url, &worker_address(), &["--tcp", &tcp]);
    worker.line("found block", 0);
    poll("the block is taken", || height(&url).filter(|&height| height >= 1));
}
