//! Starting the real binary.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The command, ready for arguments.
pub fn hysteron() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hysteron"))
}

/// Runs with arguments and text on standard input.
#[allow(dead_code, reason = "not every test file feeds standard input")]
pub fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = hysteron()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A child that refuses its arguments does not read.
    let _ = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("the binary ends")
}

/// What was printed.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Generates an instance and returns its text.
#[allow(dead_code, reason = "not every test file generates")]
pub fn generate(arguments: &[&str]) -> Vec<u8> {
    let output = hysteron().arg("generate").args(arguments).output().expect("the binary starts");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    output.stdout
}

/// A file of this test alone, removed by the operating system's rules for temporary files.
#[allow(dead_code, reason = "not every test file needs files")]
pub fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}
