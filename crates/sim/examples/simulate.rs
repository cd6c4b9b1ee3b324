//! Simulates the scenarios that are named and prints their tables.

fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).expect("the scenario can be read");
        let report = hysteron_sim::Scenario::parse(&text).and_then(|scenario| hysteron_sim::simulate(&scenario));
        match report {
            Ok(report) => println!("{}", report.markdown()),
            Err(error) => eprintln!("{path}: {error}"),
        }
    }
}
