//! kill -9 at any moment loses no accepted block and never corrupts.
//!
//! A child process (this binary again) drives a chain on a data directory as fast as it can, with reorganisations, and says
//! after each block that it was accepted. The parent kills it after a random number of blocks and a random moment more, opens
//! the directory, and looks for every block that was reported. `HYSTERON_KILLS` sets the number of rounds.

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::TemporaryDirectory;
use hysteron_chain::storage::{Column, Storage};
use hysteron_chain::testing::{StubRunner, easy_genesis, mine};
use hysteron_chain::{Archive, Chain, ChainOptions};
use hysteron_ledger::devnet_key;
use hysteron_store::RedbStorage;
use hysteron_work::types::Hash;

const DIRECTORY: &str = "HYSTERON_KILL_DIRECTORY";
const SEED: &str = "HYSTERON_KILL_SEED";
/// Longest extra moment before a kill.
const MOMENT_US_MAX: u64 = 20_000;
/// A child that says nothing for so long is stuck.
const PATIENCE: Duration = Duration::from_secs(120);

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn open(directory: &Path) -> (Chain<RedbStorage>, Arc<RedbStorage>) {
    let storage = Arc::new(RedbStorage::open(directory).expect("the directory is whole"));
    let runner = StubRunner::new(Arc::new(Archive::new(storage.clone())));
    let chain = Chain::open(easy_genesis(), storage.clone(), Arc::new(runner), ChainOptions::default())
        .expect("the chain is whole");
    (chain, storage)
}

fn hexadecimal(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The child's life: never ends by itself.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let mut random = Random(std::env::var(SEED).expect("is set").parse().expect("is a number"));
    let (mut chain, storage) = open(Path::new(&directory));
    let runner = StubRunner::new(Arc::new(Archive::new(storage)));
    let rules = easy_genesis().work;
    let names = ["alice", "bob", "customer", "miner"];
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {}", chain.tip().total_work).expect("the parent reads");
    loop {
        // Every other block leaves the best chain up to six blocks below the tip.
        let back = if random.below(2) == 0 { random.below(6).min(chain.tip().height) } else { 0 };
        let mut parent =
            chain.archive().canonical(chain.tip().height - back).expect("reads").expect("is there");
        for _ in 0..=random.below(8).min(back + 1) {
            let time =
                chain.archive().header(&parent).expect("reads").expect("is there").time + 4 + random.below(3);
            let miner = devnet_key(names[random.below(4) as usize]).address();
            let template = chain.template_on(&parent, miner, time, vec![]).expect("a template");
            let block = mine(template, &rules, &runner);
            parent = block.hash();
            chain.submit_block(block, u64::MAX / 2).expect("is valid");
            writeln!(out, "accepted {} {}", hexadecimal(&parent), chain.tip().total_work)
                .expect("the parent reads");
            out.flush().expect("the parent reads");
        }
    }
}

fn start(directory: &Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("starts")
}

/// Reads reports until enough blocks were accepted, kills at a random moment, and reads what was still said.
fn run_and_kill(directory: &Path, random: &mut Random, accepted: &mut BTreeSet<String>, work: &mut u128) {
    let mut child = start(directory, random.below(1 << 30));
    let blocks = 1 + random.below(20);
    let moment = Duration::from_micros(random.below(MOMENT_US_MAX));
    let mut lines = BufReader::new(child.stdout.take().expect("is piped")).lines();
    let mut note = |line: &str| {
        let Some(at) = line.find("accepted ") else { return false };
        let mut words = line[at + "accepted ".len()..].split(' ');
        // The last line may be cut by the kill: only whole ones count.
        if let (Some(hash), Some(Ok(total))) = (words.next(), words.next().map(str::parse::<u128>)) {
            accepted.insert(hash.to_owned());
            *work = (*work).max(total);
        }
        true
    };
    let begun = Instant::now();
    let mut seen = 0;
    while seen < blocks {
        assert!(begun.elapsed() < PATIENCE, "the child is stuck");
        let line = lines.next().expect("the child lives").expect("is text");
        seen += u64::from(note(&line));
    }
    // A moment that no message of the child marks: inside of a write, as often as not.
    let spin = Instant::now();
    while spin.elapsed() < moment {
        std::hint::spin_loop();
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("is dead");
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    // A line without its end was not said.
    for line in &rest {
        note(line);
    }
}

/// Opens what the kill left and compares it with what was reported.
fn check(directory: &Path, accepted: &BTreeSet<String>, work: u128) {
    let (chain, storage) = open(directory);
    let total = chain.tip().total_work;
    assert!(total >= work, "the tip has {total}, but {work} was reported");
    let mut stored = BTreeSet::new();
    for (key, _) in storage.range(Column::Entries, b"", usize::MAX).expect("reads") {
        let hash: Hash = key.try_into().expect("a hash");
        stored.insert(hexadecimal(&hash));
        let block = chain.archive().block(&hash).expect("decodes").expect("has its body");
        assert_eq!(block.hash(), hash);
        let entry = chain.archive().entry(&hash).expect("decodes").expect("is there");
        assert!(entry.total_work <= total, "the best chain is the one of most work");
        assert!(chain.archive().delta(&hash).expect("decodes").is_some());
        assert!(block.header.height == 0 || chain.contains(&block.header.parent).expect("reads"));
    }
    let lost: Vec<&String> = accepted.iter().filter(|hash| !stored.contains(*hash)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    // The index of heights is the chain of parents, and nothing is above the tip.
    let mut hash = chain.tip().hash;
    for height in (0..=chain.tip().height).rev() {
        assert_eq!(chain.archive().canonical(height).expect("reads"), Some(hash));
        hash = chain.archive().header(&hash).expect("reads").expect("is there").parent;
    }
    assert_eq!(chain.archive().canonical(chain.tip().height + 1).expect("reads"), None);
}

#[test]
fn kills_lose_and_corrupt_nothing() {
    let rounds: u32 = std::env::var("HYSTERON_KILLS").map_or(12, |text| text.parse().expect("is a number"));
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random(seed);
    let directory = TemporaryDirectory::new("kill");
    let (mut accepted, mut work) = (BTreeSet::new(), 0);
    for _ in 0..rounds {
        run_and_kill(directory.path(), &mut random, &mut accepted, &mut work);
        check(directory.path(), &accepted, work);
    }
    println!("{rounds} kills, {} blocks accepted", accepted.len());
}
