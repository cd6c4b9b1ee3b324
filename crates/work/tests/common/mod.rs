//! A small network's work: three jobs, a stub that is quick, and golden files.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hysteron_circuit::rom::mix64;
use hysteron_problem::Problem;
use hysteron_problem::generate::{
    Content, Kind, Lattice, PlantedSat, RandomMaxsat, SherringtonKirkpatrick, Weights, generate,
};
use hysteron_work::{
    Assignment, Class, Entry, JobId, Leg, LegOutput, LegRunner, ProblemId, PublicPool, Table, Tuning,
    WorkError, WorkRules, hash,
};
use serde_json::Value;

/// Rules of a network whose legs take about a millisecond.
pub fn small_rules() -> WorkRules {
    WorkRules { leg_work: 1_000_000, pre_tries: 64, ..WorkRules::devnet() }
}

/// A planted CNF, a weighted one, a lattice, a glass.
pub fn problems() -> Vec<(Class, Problem)> {
    let kinds = [
        (
            Class::ShortClauses,
            Kind::PlantedSat(PlantedSat { variables: 60, clauses: 258, all_true_per_mille: 80 }),
        ),
        (
            Class::WeightedClauses,
            Kind::RandomMaxsat(RandomMaxsat {
                variables: 40,
                clauses: 200,
                length: 3,
                weight_max: 9,
                hard_per_mille: 200,
            }),
        ),
        (Class::SparseSpins, Kind::Lattice(Lattice { side: 8, dimensions: 2, weights: Weights::Signs })),
        (Class::DenseSpins, Kind::SherringtonKirkpatrick(SherringtonKirkpatrick { spins: 400 })),
    ];
    kinds
        .into_iter()
        .map(|(class, kind)| {
            let problem = match generate(&kind, 5).expect("in range").content {
                Content::Cnf(cnf) => Problem::Cnf(cnf),
                Content::Wcnf(wcnf) => Problem::Wcnf(wcnf),
                Content::Ising(ising) => Problem::Ising(ising),
                _ => unreachable!("these kinds are canonical"),
            };
            (class, problem)
        })
        .collect()
}

/// The problems by id.
pub fn store() -> BTreeMap<ProblemId, Arc<Problem>> {
    problems().into_iter().map(|(_, p)| (ProblemId::of(&p), Arc::new(p))).collect()
}

/// A table of a job for each of [`problems`], with checkpoints, and a quarter of the capacity left to the pool.
pub fn table() -> Table {
    let mut entries: Vec<Entry> = problems()
        .into_iter()
        .enumerate()
        .map(|(index, (class, problem))| {
            let checkpoint = |salt: u64| {
                let values = (0..problem.variables()).map(|v| mix64(salt << 32 | u64::from(v)) & 1 == 1);
                Assignment::pack(&values.collect::<Vec<_>>())
            };
            Entry {
                job: JobId(hash("test-job", &[&[index as u8]])),
                problem: ProblemId::of(&problem),
                class,
                chips: 64 * (index as u64 + 1),
                target: None,
                checkpoints: (0..index as u64).map(checkpoint).collect(),
            }
        })
        .collect();
    entries.sort_by_key(|e| e.job);
    let mut tuning = Tuning::default();
    tuning.reward(Class::SparseSpins, 4);
    Table { capacity_chips: 800, pool: PublicPool { seed: [9; 32] }, tuning, entries }
}

/// A runner that gives digests of what it was asked for: a lottery without simulation.
pub struct Stub;

impl LegRunner for Stub {
    fn run(&self, table: &Table, leg: &Leg, stop: &AtomicBool) -> Result<LegOutput, WorkError> {
        if stop.load(Ordering::Relaxed) {
            return Err(WorkError::Interrupted);
        }
        let bytes = borsh::to_vec(leg).expect("plain data");
        let digest = hash("test-stub", &[&borsh::to_vec(&table.capacity_chips).expect("plain data"), &bytes]);
        let assignment = digest.iter().map(|b| b & 1 == 1).collect();
        Ok(LegOutput {
            digest,
            lane: digest[0] & 63,
            energy: digest[1].into(),
            hard_unsatisfied: 0,
            assignment,
            ecu: 1,
            task: leg.task,
        })
    }
}

/// Hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Compares with `golden/NAME.json`, or writes it (`HYSTERON_GOLDEN=write`).
pub fn check_golden(name: &str, value: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.json"));
    if std::env::var_os("HYSTERON_GOLDEN").is_some_and(|v| v == "write") {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("golden/ can be made");
        let text = serde_json::to_string_pretty(value).expect("plain values") + "\n";
        std::fs::write(&path, text).expect("golden/ is writable");
        return;
    }
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("{}: {e}; HYSTERON_GOLDEN=write makes it", path.display()));
    let golden: Value = serde_json::from_str(&text).expect("a golden file is JSON");
    assert_eq!(&golden, value, "{name}: nodes of two versions would disagree");
}
