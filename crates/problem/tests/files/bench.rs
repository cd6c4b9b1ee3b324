//! Reads every public benchmark file that is at hand and checks sizes against the recorded ones.
//! The files are no part of the repository: without them, the test says so and passes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hysteron_problem::{Document, Kind, ReadOptions, read};

/// `HYSTERON_BENCH`, or `../shared/bench` beside the repository.
fn directory() -> PathBuf {
    match std::env::var_os("HYSTERON_BENCH") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench"),
    }
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The kind that a file of the collection has, by its folder; `None` for unsupported ones.
fn expected_kind(relative: &str) -> Option<Kind> {
    if !relative.ends_with(".gz") {
        return None;
    }
    let stem = relative.trim_end_matches(".gz");
    match relative.split('/').next()? {
        "gset" => Some(Kind::MaxCut),
        "sat" => Some(Kind::Cnf),
        "maxsat" if stem.ends_with(".cnf") => Some(Kind::MaxSat),
        "maxsat" => Some(Kind::Wcnf),
        "qubo" if stem.ends_with(".mc") => Some(Kind::MaxCut),
        "qubo" if relative.contains("/dimacs_torus/") => Some(Kind::MaxCut),
        "qubo" if relative.contains("/ac3/") => Some(Kind::Ising),
        "qubo" => Some(Kind::Qubo),
        "misc" if stem.ends_with(".qs") => Some(Kind::Qubo),
        _ => None,
    }
}

fn check(relative: &str, known: Option<&serde_json::Value>, document: &Document) -> Result<(), String> {
    let expect = |what: &str, found: u64| match known.and_then(|k| k.get(what)?.as_u64()) {
        Some(expected) if expected != found => Err(format!("{relative}: {what} is {found}, not {expected}")),
        _ => Ok(()),
    };
    expect("n", document.variables().into())?;
    expect("m", document.elements())?;
    let zeros = vec![false; document.variables() as usize];
    let score = document.score(&zeros);
    let energies = document.canonical();
    let mut assignment = zeros;
    assignment.resize(energies.problem.variables() as usize, false);
    if document.kind() != Kind::PseudoBoolean {
        let energy = match &energies.problem {
            hysteron_problem::Problem::Cnf(cnf) => cnf.unsatisfied(&assignment) as i64,
            hysteron_problem::Problem::Wcnf(wcnf) => wcnf.cost(&assignment),
            hysteron_problem::Problem::Ising(ising) => ising.energy(&assignment),
        };
        if energies.objective.to_objective(energy) != score.objective {
            return Err(format!("{relative}: the energy map disagrees with the score"));
        }
    }
    Ok(())
}

#[test]
fn every_benchmark_file_is_read() {
    let root = directory();
    let Ok(known) = std::fs::read(root.join("best_known.json")) else {
        println!("skipped: no benchmark files at {}", root.display());
        return;
    };
    let known: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&known).unwrap();
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths.sort();
    let mut counts = BTreeMap::new();
    let mut failures = Vec::new();
    for path in paths {
        let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().to_string();
        let Some(kind) = expected_kind(&relative) else { continue };
        let options = ReadOptions { maxsat: kind == Kind::MaxSat, ..ReadOptions::default() };
        let bytes = std::fs::read(&path).unwrap();
        match read(&bytes, Some(&relative), &options) {
            Err(error) => failures.push(format!("{relative}: {error}")),
            Ok(document) if document.kind() != kind => {
                failures.push(format!("{relative}: read as {:?} {:?}", document.kind(), document.notes()));
            }
            Ok(document) => {
                failures
                    .extend(check(&relative, known.get(relative.trim_end_matches(".gz")), &document).err());
                *counts.entry(document.format().name()).or_insert(0) += 1;
            }
        }
    }
    println!("{counts:?}");
    assert!(failures.is_empty(), "{} files failed:\n{}", failures.len(), failures.join("\n"));
}
