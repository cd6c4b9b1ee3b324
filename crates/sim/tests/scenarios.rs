//! Small networks: the same seed gives the same table, and every scenario of the repository reads and runs.

use hysteron_sim::{Attack, Hopping, Scenario, simulate};

/// The scenario with a tenth of the nodes and few blocks.
fn small(text: &str) -> Scenario {
    let mut scenario = Scenario::parse(text).expect("scenarios of the repository are right");
    scenario.miners = 1000;
    scenario.nodes = 50;
    scenario.blocks = 100;
    scenario.warmup_blocks = 20;
    if let Some(exit) = &mut scenario.exit {
        exit.at_block = 40;
    }
    if let Some(partition) = &mut scenario.partition {
        partition.at_block = 40;
    }
    if let Some(adversary) = &mut scenario.adversary
        && let Attack::Selfish { peers } = &mut adversary.attack
    {
        *peers = 20;
    }
    scenario
}

const SCENARIOS: [&str; 9] = [
    include_str!("../scenarios/honest.toml"),
    include_str!("../scenarios/selfish.toml"),
    include_str!("../scenarios/skipping.toml"),
    include_str!("../scenarios/wash.toml"),
    include_str!("../scenarios/boycott.toml"),
    include_str!("../scenarios/timestamp.toml"),
    include_str!("../scenarios/exit.toml"),
    include_str!("../scenarios/partition.toml"),
    include_str!("../scenarios/verified.toml"),
];

#[test]
fn every_scenario_runs_and_a_seed_fixes_its_table() {
    for text in SCENARIOS {
        let scenario = small(text);
        let first = simulate(&scenario).unwrap();
        assert_eq!(first, simulate(&scenario).unwrap(), "{}", scenario.name);
        let spacing = first.value("mean spacing").unwrap();
        assert!((60.0..400.0).contains(&spacing), "{}: {spacing}", scenario.name);
        let other = simulate(&Scenario { seed: scenario.seed + 100, ..scenario.clone() }).unwrap();
        assert_ne!(first.value("mean spacing"), other.value("mean spacing"), "{}", scenario.name);
    }
}

#[test]
fn delays_make_stale_blocks() {
    let mut scenario = small(SCENARIOS[0]);
    scenario.hopping = None;
    scenario.blocks = 400;
    scenario.network.latency_ms = 4000.0;
    let slow = simulate(&scenario).unwrap().value("stale blocks").unwrap();
    scenario.network.latency_ms = 1.0;
    scenario.network.verify_ms = 1.0;
    let fast = simulate(&scenario).unwrap().value("stale blocks").unwrap();
    assert!(slow > 3.0 && fast < 2.0, "{slow} {fast}");
}

#[test]
fn passing_on_early_makes_fewer_stale_blocks() {
    let mut scenario = small(SCENARIOS[0]);
    scenario.hopping = None;
    scenario.blocks = 400;
    scenario.network.verify_ms = 4000.0;
    let early = simulate(&scenario).unwrap().value("stale blocks").unwrap();
    scenario.network.relay = hysteron_sim::Relay::Verified;
    let late = simulate(&scenario).unwrap().value("stale blocks").unwrap();
    assert!(early < 0.6 * late, "{early} {late}");
}

#[test]
fn wrong_scenarios_are_refused() {
    for text in ["miners = 1", "colour = 3", "nodes = 50000", "[adversary]\nshare = 0.3", "blocks"] {
        assert!(Scenario::parse(text).is_err(), "{text}");
    }
    let hopping = Some(Hopping { factor: 3.0, come_below: 2.0, leave_above: 1.0 });
    assert!(simulate(&Scenario { hopping, ..Scenario::default() }).is_err());
}
