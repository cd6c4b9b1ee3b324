//! Programs that run beside a test: their output is read as it comes, and they end with the test.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::common::{hysteron, text};

/// The bound of every wait: generous, as machines are shared; what works takes seconds.
pub const PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// A program that runs.
pub struct Program {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Program {
    /// Starts it.
    pub fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().expect("piped"), &lines);
        collect(child.stderr.take().expect("piped"), &lines);
        Self { name: name.to_owned(), child, lines }
    }

    /// What it has printed.
    pub fn printed(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line that begins so, after the first `skip` lines, and gives the rest of it.
    pub fn line(&mut self, start: &str, skip: usize) -> String {
        let name = self.name.clone();
        let lines = self.lines.clone();
        let what = format!("{name} prints \"{start}…\"");
        let found = poll(&what, || {
            let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
            let rest = lines.iter().skip(skip).find_map(|line| line.strip_prefix(start).map(str::to_owned));
            let ended = self.child.try_wait().expect("it can be asked").is_some();
            assert!(rest.is_some() || !ended, "{name} ended: {lines:#?}");
            rest
        });
        found.trim().to_owned()
    }

    /// Sends a signal, such as `-TERM` or `-KILL`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{} is there to be told", self.name);
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> std::process::ExitStatus {
        let what = format!("{} ends", self.name);
        poll(&what, || self.child.try_wait().expect("it can be asked"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.name, self.printed().join("\n"));
        }
    }
}

/// Reads lines as they come, until the program closes them.
fn collect(from: impl std::io::Read + Send + 'static, lines: &Arc<Mutex<Vec<String>>>) {
    let lines = lines.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

/// Asks again and again until there is something; fails after [`PATIENCE`].
pub fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(LOOK);
    }
}

/// A customer's machine: a directory of its own, a node, a password.
pub struct Customer<'a> {
    pub home: &'a Path,
    pub node: &'a str,
}

impl Customer<'_> {
    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        hysteron()
            .args(arguments)
            .env("HYSTERON_HOME", self.home)
            .env("HYSTERON_NODE", self.node)
            .env("HYSTERON_PASSWORD", "a password of tests")
            .stdin(Stdio::null())
            .output()
            .expect("the binary starts")
    }

    /// What a command prints that succeeds.
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let code = output.status.code();
        let is_success = matches!(code, Some(0 | 10));
        assert!(is_success, "{arguments:?}: {code:?} {} {}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// What a command says that is refused.
    pub fn is_refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {} {message}", text(&output.stdout));
        assert!(message.starts_with("error: ") && !message.contains("panicked"), "{arguments:?}: {message}");
        message
    }

    /// What a command prints as JSON.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let printed = self.succeeds(arguments);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {printed}"))
    }
}
