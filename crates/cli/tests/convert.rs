//! `hysteron convert` and the names of the files it writes.

mod common;

use common::{run, scratch, text};

#[test]
fn a_change_of_the_objective_is_told_where_the_format_has_no_comments() {
    for (format, note) in [
        ("orlib", Some("note: converted: original objective = -1 * objective of this file + 2.5")),
        ("coo", None),
    ] {
        let output = run(&["convert", "-", "--to", format], b"# ObjectiveOffset 2.5\n0 0 -3\n0 1 4\n");
        assert!(output.status.success());
        let told = text(&output.stderr);
        assert_eq!(told.lines().find(|l| l.contains("converted")), note, "{told}");
    }
}

#[test]
fn the_ending_of_the_output_packs_it() {
    let text = b"p cnf 2 1\n1 -2 0\n";
    for (ending, magic) in
        [("gz", &b"\x1f\x8b"[..]), ("xz", b"\xfd7zXZ"), ("zst", b"\x28\xb5\x2f\xfd"), ("cnf", b"p cnf")]
    {
        let file = scratch(&format!("packed.cnf.{ending}"));
        let name = file.to_str().expect("a plain path");
        assert!(run(&["convert", "-", "--to", "cnf", "--output", name], text).status.success());
        assert!(std::fs::read(&file).expect("written").starts_with(magic), "{ending}");
        assert_eq!(run(&["convert", name, "--to", "cnf"], b"").stdout, text, "{ending}");
    }
}
