//! Bad input gets exit code 2 and a message with the place and the mend, and nothing panics.

mod common;

use common::{run, text};

/// The message that `solve -` gives for a text.
fn refused(extra: &[&str], input: &[u8]) -> String {
    let mut arguments = vec!["solve", "-", "--time", "1s"];
    arguments.extend(extra);
    let output = run(&arguments, input);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{input:?}: {message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn places_are_named() {
    for (input, place) in [
        (&b"p cnf 2 1\n1 x 0\n"[..], "line 2"),
        (b"p cnf 2 1\n1 3 0\n", "line 2"),
        (b"p cnf 999999999999 1\n1 0\n", "line 1"),
        (b"p cnf 5 1000000000000\n", "line"),
        (b"h 1 0\n-4 2 0\n", "line 2"),
        (b"2 1\n1 5 3\n", "line 2"),
        (b"p qubo 0 2 1 0\n0 7 1\n", "line 2"),
    ] {
        let message = refused(&[], input);
        assert!(message.contains(place), "{:?}: {message}", text(input));
    }
}

#[test]
fn nonsense_is_refused() {
    refused(&[], b"");
    refused(&[], &[0xff; 100]);
    refused(&[], b"hello world\n");
    refused(&[], b"\x1f\x8b\x08\x00broken");
    refused(&["--format", "cnf"], b"{}");
}

#[test]
fn arguments_are_checked() {
    for arguments in [
        &["solve", "/no/such/file.cnf"][..],
        &["solve", "/"],
        &["solve", "-", "--time", "soon"],
        &["solve", "-", "--time", "0"],
        &["solve", "-", "--threads", "0"],
        &["solve", "-", "--output", "/no/such/place/answer"],
        &["solve", "-", "--output", "/"],
        &["solve", "-", "--format", "csv"],
        &["solve", "-", "--target", "good"],
        &["generate", "nothing"],
        &["generate", "uniform-sat", "variables=x"],
        &["generate", "uniform-sat", "colour=3"],
        &["generate", "uniform-sat", "variables=4000000000"],
        &["convert", "-"],
        &["solve"],
    ] {
        let output = run(arguments, b"p cnf 1 1\n1 0\n");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(!message.is_empty() && !message.contains("panicked"), "{arguments:?}: {message}");
    }
}

#[test]
fn negative_numbers_are_refused_as_values() {
    for (option, value, reason) in [
        ("--time", "-1s", "between 1ms and a year"),
        ("--seed", "-1", "invalid digit"),
        ("--threads", "-1", "not in 1..=1024"),
        ("--steps", "-1", "invalid digit"),
    ] {
        let output = run(&["solve", "-", option, value], b"");
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{option}: {message}");
        assert!(message.contains(&format!("invalid value '{value}'")), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}
