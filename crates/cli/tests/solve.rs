//! `hysteron solve` as its users see it: every kind of file in, a checked answer out.

mod common;

use common::{generate, hysteron, run, scratch, text};
use serde_json::Value;

fn json(arguments: &[&str], input: &[u8]) -> (i32, Value) {
    let mut all = vec!["solve", "-", "--json", "--no-progress", "--seed", "1"];
    all.extend(arguments);
    let output = run(&all, input);
    let code = output.status.code().expect("it ends by itself");
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {} {}", text(&output.stdout), text(&output.stderr)));
    (code, value)
}

/// The clauses of a DIMACS text.
fn clauses(cnf: &[u8]) -> Vec<Vec<i64>> {
    text(cnf)
        .lines()
        .filter(|l| !l.starts_with(['c', 'p']))
        .map(|l| l.split_whitespace().map(|w| w.parse().expect("a literal")).filter(|&v| v != 0).collect())
        .collect()
}

#[test]
fn satisfiable_cnf_gives_a_model_and_10() {
    let cnf = generate(&["planted-sat", "variables=200", "clauses=800", "--seed", "3"]);
    let (code, answer) = json(&["--time", "20s"], &cnf);
    assert_eq!(code, 10);
    assert_eq!(answer["status"], "satisfiable");
    assert_eq!(answer["objective"], 0);
    let model: Vec<i64> = serde_json::from_value(answer["assignment"].clone()).expect("literals");
    assert_eq!(model.len(), 200);
    for clause in clauses(&cnf) {
        assert!(clause.iter().any(|l| model[l.unsigned_abs() as usize - 1] == *l), "{clause:?}");
    }
}

#[test]
fn unsatisfiable_cnf_is_proven_and_20() {
    let cnf = generate(&["pigeonhole", "pigeons=6", "holes=5"]);
    let (code, answer) = json(&["--time", "30s"], &cnf);
    assert_eq!((code, &answer["status"]), (20, &Value::from("unsatisfiable")));
    assert_eq!(answer["assignment"], Value::Null);
}

#[test]
fn competition_output_has_its_lines() {
    let output = run(&["solve", "-", "--seed", "1", "--time", "10s"], b"p cnf 3 2\n1 -2 0\n2 3 0\n");
    assert_eq!(output.status.code(), Some(10));
    let lines = text(&output.stdout);
    assert!(lines.lines().any(|l| l == "s SATISFIABLE"), "{lines}");
    assert!(
        lines.lines().any(|l| l.starts_with("v ")) && lines.lines().any(|l| l.ends_with(" 0") || l == "v 0")
    );
    assert!(
        lines.lines().all(|l| ["c", "o", "s", "v"].contains(&l.split(' ').next().unwrap_or(""))),
        "{lines}"
    );
}

#[test]
fn max_cut_counts_the_cut() {
    // A ring of five: the best cut is four.
    let (code, answer) = json(&["--time", "5s"], b"5 5\n1 2 1\n2 3 1\n3 4 1\n4 5 1\n5 1 1\n");
    assert_eq!((code, answer["objective"].as_i64()), (0, Some(4)));
    let sides: Vec<i64> = serde_json::from_value(answer["assignment"].clone()).expect("spins");
    assert!(sides.iter().all(|s| s.abs() == 1));
    assert_eq!((0..5).filter(|&i| sides[i] != sides[(i + 1) % 5]).count(), 4);
}

#[test]
fn qubo_counts_the_energy() {
    let (_, answer) = json(&["--time", "5s"], b"p qubo 0 3 2 1\n0 0 -2\n1 1 -3\n0 1 4\n");
    assert_eq!(answer["objective"].as_i64(), Some(-3));
    assert_eq!(answer["assignment"].as_array().map(Vec::len), Some(3));
}

#[test]
fn weighted_maxsat_counts_the_cost() {
    let (code, answer) = json(&["--time", "5s"], b"h 1 2 0\n3 -1 0\n5 -2 0\n2 1 -2 0\n");
    assert_eq!(
        (code, answer["objective"].as_i64(), answer["status"].as_str()),
        (10, Some(3), Some("optimal"))
    );
}

#[test]
fn plain_cnf_as_maxsat() {
    let (_, answer) = json(&["--maxsat", "--time", "5s"], b"p cnf 1 3\n1 0\n-1 0\n-1 0\n");
    assert_eq!((answer["objective"].as_i64(), answer["status"].as_str()), (Some(1), Some("optimal")));
}

#[test]
fn no_time_still_gives_an_assignment() {
    for kind in
        [&["random-qubo", "variables=500"][..], &["toroidal-grid"], &["uniform-sat"], &["random-maxsat"]]
    {
        let file = generate(kind);
        let (_, answer) = json(&["--time", "1ms"], &file);
        assert!(answer["assignment"].is_array(), "{kind:?}: {answer}");
        let history = answer["history"].as_array().expect("a list");
        assert_eq!(history.last().map(|entry| &entry[1]), Some(&answer["objective"]), "{kind:?}");
    }
}

#[test]
fn a_target_ends_the_search() {
    let graph = generate(&["toroidal-grid", "rows=30", "columns=30", "--seed", "2"]);
    let begin = std::time::Instant::now();
    let (_, answer) = json(&["--time", "300s", "--target", "10"], &graph);
    assert!(answer["objective"].as_i64().is_some_and(|v| v >= 10));
    // Not a measurement: 300 s would mean that the target was ignored.
    assert!(begin.elapsed().as_secs() < 200);
}

#[test]
fn a_step_limit_repeats_to_the_bit() {
    for kind in [
        &["toroidal-grid", "rows=20", "columns=20"][..],
        &["uniform-sat", "variables=300", "clauses=1400"],
        &["random-maxsat", "variables=100", "clauses=600", "weight_max=9", "hard_per_mille=100"],
        &["random-qubo", "variables=120"],
    ] {
        let file = generate(kind);
        let arguments = ["--steps", "3000", "--threads", "1"];
        let first = json(&arguments, &file).1;
        let second = json(&arguments, &file).1;
        for field in ["status", "objective", "assignment", "source", "ecu"] {
            assert_eq!(first[field], second[field], "{kind:?} {field}");
        }
        assert!(first["assignment"].is_array(), "{kind:?}");
    }
}

#[test]
fn an_interrupt_prints_the_best_so_far() {
    let file = scratch("interrupt.rudy");
    std::fs::write(&file, generate(&["random-graph", "vertices=2000", "edges=20000"]))
        .expect("scratch is writable");
    let child = hysteron()
        .args(["solve", "--time", "300s", "--json", "--seed", "1"])
        .arg(&file)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The handler is set before the search begins; until then the signal would end the program, so
    // wait for a sign of work: processor time used.
    let stat = format!("/proc/{}/stat", child.id());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while std::time::Instant::now() < deadline {
        let ticks: u64 = std::fs::read_to_string(&stat)
            .ok()
            .and_then(|s| s.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(11)?.parse().ok()))
            .unwrap_or(0);
        if ticks >= 50 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.is_ok_and(|s| s.success()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("an answer");
    assert_eq!(answer["status"], "feasible");
    assert!(answer["objective"].as_i64().is_some_and(|v| v > 10_000));
}

#[test]
fn an_output_file_is_written() {
    let file = scratch("answer.json");
    let path = file.to_str().expect("a plain path");
    let output = run(&["solve", "-", "--json", "--output", path, "--time", "5s"], b"p cnf 1 1\n1 0\n");
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    let answer: Value = serde_json::from_slice(&std::fs::read(&file).expect("written")).expect("JSON");
    assert_eq!(answer["assignment"], serde_json::json!([1]));
}

#[test]
fn an_output_that_cannot_be_opened_is_refused_before_the_search() {
    let graph = generate(&["random-graph", "vertices=2000", "edges=20000"]);
    let begin = std::time::Instant::now();
    let output = run(&["solve", "-", "--time", "300s", "--output", "/no/such/place"], &graph);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/no/such/place: No such file"), "{}", text(&output.stderr));
    // Not a measurement: 300 s would mean that the search came first.
    assert!(begin.elapsed().as_secs() < 200);
}

#[test]
fn an_output_replaces_what_the_file_held() {
    let file = scratch("replaced.txt");
    std::fs::write(&file, "x".repeat(10_000)).expect("scratch is writable");
    let path = file.to_str().expect("a plain path");
    run(&["solve", "-", "--output", path], b"p cnf 1 1\n1 0\n");
    let answer = std::fs::read_to_string(&file).expect("written");
    assert!(answer.ends_with("s SATISFIABLE\nv 1\nv 0\n"), "{answer}");
}

#[test]
#[cfg(target_os = "linux")]
fn an_answer_that_cannot_be_written_is_printed() {
    let output = run(&["solve", "-", "--json", "--output", "/dev/full"], b"p cnf 1 1\n1 0\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/dev/full: "), "{}", text(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["assignment"], serde_json::json!([1]));
}

#[test]
fn a_guessed_format_is_told_beside_json() {
    let output = run(&["solve", "-", "--json"], b"0 1 -1\n");
    assert!(text(&output.stderr).contains("note: Read as ising"), "{}", text(&output.stderr));
}

#[test]
fn constraints_that_stay_open_give_no_values() {
    // Hard and hopeless: the pigeons as hard clauses, stopped at the first step.
    let cnf = generate(&["pigeonhole", "pigeons=9", "holes=8"]);
    let hard = run(&["convert", "-", "--to", "wcnf-new"], &cnf).stdout;
    let output = run(&["solve", "-", "--steps", "1", "--seed", "1", "--threads", "1"], &hard);
    let lines = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{lines}");
    assert!(lines.contains("s UNKNOWN\n") && !lines.contains("\nv "), "{lines}");
    // Constraints of a file without an objective: no value counts the clauses of their encoding.
    let constraints = run(&["convert", "-", "--to", "opb"], &cnf).stdout;
    let output =
        run(&["solve", "-", "--json", "--steps", "1", "--seed", "1", "--threads", "1"], &constraints);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&answer["status"], &answer["history"]), (&Value::from("unknown"), &serde_json::json!([])));
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_may_be_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let mut file = scratch("name").into_os_string();
    file.push(std::ffi::OsStr::from_bytes(b"\xff.cnf"));
    std::fs::write(&file, "p cnf 1 1\n1 0\n").expect("scratch is writable");
    let output = hysteron().args(["solve", "--steps", "10"]).arg(&file).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(10), "{}", text(&output.stderr));
}
