//! Golden vectors: what nodes must agree on, as files. `HYSTERON_GOLDEN=write cargo test -p
//! hysteron-circuit` regenerates them; without it a difference fails the test.

use std::path::PathBuf;

use hysteron_circuit::run::{Cpu, Report};
use hysteron_circuit::simd::Level;
use serde_json::{Value, json};

/// The scalar reference and every level of this machine.
pub fn backends() -> Vec<Cpu> {
    std::iter::once(Cpu::Scalar).chain(Level::available().into_iter().map(Cpu::Lanes)).collect()
}

/// What a golden file keeps of a run.
pub fn entry(name: &str, report: &Report) -> Value {
    let hex: String = report.digest.iter().map(|b| format!("{b:02x}")).collect();
    let best = &report.lanes[report.best_lane()];
    json!({
        "name": name, "digest": hex, "trace": format!("{:016x}", report.trace),
        "steps": report.steps, "ecu": report.ecu,
        "best_energy": best.energy, "hard_unsatisfied": best.hard_unsatisfied,
    })
}

/// Compares with, or writes, `golden/FAMILY.json`.
pub fn check(family: &str, entries: &[Value]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{family}.json"));
    if std::env::var_os("HYSTERON_GOLDEN").is_some_and(|v| v == "write") {
        let text = serde_json::to_string_pretty(entries).expect("plain values") + "\n";
        std::fs::write(&path, text).expect("golden/ is writable");
        return;
    }
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; HYSTERON_GOLDEN=write makes it", path.display()));
    let golden: Vec<Value> = serde_json::from_str(&text).expect("a golden file is JSON");
    assert_eq!(golden.len(), entries.len(), "{family}: the number of vectors changed");
    for (golden, entry) in golden.iter().zip(entries) {
        assert_eq!(golden, entry, "{family}: a trajectory changed, so nodes of two versions would disagree");
    }
}
