//! Simulates scenarios and prints their tables, without the rest of the `hysteron` command:
//! `simulate [seed=N] [blocks=N] SCENARIO.toml...`

fn main() {
    let (mut seed, mut blocks) = (None, None);
    for argument in std::env::args().skip(1) {
        if let Some(number) = argument.strip_prefix("seed=") {
            seed = number.parse::<u64>().ok();
            continue;
        }
        if let Some(number) = argument.strip_prefix("blocks=") {
            blocks = number.parse::<u64>().ok();
            continue;
        }
        let text = std::fs::read_to_string(&argument).expect("the scenario can be read");
        let report = hysteron_sim::Scenario::parse(&text).and_then(|mut scenario| {
            scenario.seed = seed.unwrap_or(scenario.seed);
            scenario.blocks = blocks.unwrap_or(scenario.blocks);
            hysteron_sim::simulate(&scenario)
        });
        match report {
            Ok(report) => println!("{}", report.markdown()),
            Err(error) => eprintln!("{argument}: {error}"),
        }
    }
}
