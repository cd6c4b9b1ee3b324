//! `hysteron solve`: search, follow, print as the SAT and MaxSAT competitions do, or as JSON.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hysteron_problem::{Document, Kind, Objective, ObjectiveMap, Score, Sense};
use hysteron_solve::{Answer, Improvement, Observer, Options, Progress, Status};

use crate::input::Input;
use crate::progress::Bar;

/// Improvements that are kept for the JSON history; later ones replace the last.
const HISTORY_MAX: usize = 100_000;
/// How long to search unless the user says.
const TIME_DEFAULT: Duration = Duration::from_secs(60);
/// The most values printed on one `v` line of a CNF.
const VALUES_PER_LINE: usize = 20;

/// Arguments of `hysteron solve`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    input: Input,
    /// How long to search, such as 500ms, 60s, 5m or 1h [default: 60s; with --steps, no limit].
    #[arg(long, value_name = "TIME", value_parser = parse_time, allow_hyphen_values = true)]
    time: Option<Duration>,
    /// Stop at this many chip-steps a thread; with --threads 1 and --seed the run can be repeated bit for bit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    steps: Option<u64>,
    /// Stop as soon as the objective is this good.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    target: Option<Objective>,
    /// Threads; all cores unless given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), allow_negative_numbers = true)]
    threads: Option<u16>,
    /// The seed of all randomness.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Print one JSON object instead of competition lines.
    #[arg(long)]
    json: bool,
    /// Write the answer to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// No progress bar.
    #[arg(long)]
    no_progress: bool,
}

/// A duration with its unit; a bare number is seconds.
fn parse_time(text: &str) -> Result<Duration, String> {
    const RANGE: &str = "a time lies between 1ms and a year";
    if text.starts_with('-') {
        return Err(RANGE.to_string());
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(format!("'{unit}' is no unit of time; use ms, s, m, h or d")),
    };
    let seconds = number.parse::<f64>().map_err(|_| format!("'{number}' is no number"))? * scale;
    if !(0.001..=3.2e7).contains(&seconds) {
        return Err(RANGE.to_string());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Follows the search: `o` lines, the bar, the history; and ends the process with the answer.
struct Follower<'a> {
    document: &'a Document,
    objective: &'a ObjectiveMap,
    is_json: bool,
    seed: u64,
    threads: usize,
    output: Mutex<Option<Output<'a>>>,
    bar: Bar,
    prints_improvements: bool,
    /// The energy counts clauses of an encoding, which the file does not have.
    counts_encoding: bool,
    state: Mutex<Following>,
}

#[derive(Default)]
struct Following {
    best: String,
    history: Vec<(f64, Objective)>,
}

impl Observer for Follower<'_> {
    fn improved(&self, improvement: &Improvement) {
        let objective = self.objective.to_objective(improvement.energy);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if improvement.hard_unsatisfied > 0 {
            state.best = format!("{} hard clauses open", improvement.hard_unsatisfied);
            return;
        }
        if self.counts_encoding && improvement.energy > 0 {
            state.best = format!("{} clauses of constraints open", improvement.energy);
            return;
        }
        state.best = objective.to_string();
        if state.history.len() >= HISTORY_MAX {
            state.history.pop();
        }
        state.history.push((improvement.elapsed.as_secs_f64(), objective));
        if self.prints_improvements {
            // Nobody may be reading any more; the search goes on for the file and the exit code.
            self.bar.suspend(|| {
                let mut out = std::io::stdout().lock();
                let _ = writeln!(out, "c {:.3} s: {}", improvement.elapsed.as_secs_f64(), improvement.source);
                let _ = writeln!(out, "o {objective}");
                let _ = out.flush();
            });
        }
    }

    fn progress(&self, progress: &Progress) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.bar.update(progress.elapsed, &state.best, progress.ecu);
    }

    fn answered(&self, answer: &Answer) {
        // Threads that would look up in a millisecond and memory that the system takes back at once are not waited for.
        let code = crate::exit_code(self.print(answer));
        std::process::exit(code.into());
    }
}

impl Follower<'_> {
    /// Prints the answer where it was asked for, and says which exit code it means.
    fn print(&self, answer: &Answer) -> Result<u8> {
        self.bar.finish();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Vec::new();
        let Self { document, is_json, seed, threads, .. } = *self;
        let code = print_answer(&mut text, is_json, document, answer, &state.history, seed, threads)?;
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner).take();
        let written = match output {
            Some(output) => output.write(&text),
            None => return print(&text).map(|()| code),
        };
        // An answer is not lost with the file that it was meant for.
        written.or_else(|error| print(&text).and(Err(error))).map(|()| code)
    }
}

/// The JSON answer.
#[derive(serde::Serialize)]
struct JsonAnswer<'a> {
    status: Status,
    objective: Option<&'a Objective>,
    assignment: Option<Vec<i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [serde_json::Value]>,
    source: String,
    elapsed_s: f64,
    ecu: u64,
    seed: u64,
    threads: usize,
    hard_unsatisfied: Option<u64>,
    history: &'a [(f64, Objective)],
}

/// Memory that is taken without asking how much there is.
const MEMORY_UNASKED_BYTES: u64 = 64 << 20;

/// Runs the command; the exit code is 10 (satisfying or feasible clauses), 20 (unsatisfiable) or 0.
pub fn run(arguments: &Arguments) -> Result<u8> {
    let document = arguments.input.read()?;
    let canonical = document.canonical();
    let target = arguments.target.as_ref().map(|target| canonical.objective.to_energy_target(target));
    let threads = arguments.threads.map_or_else(default_threads, usize::from);
    let seed = arguments.seed.unwrap_or_else(random_seed);
    let estimate = hysteron_solve::memory_estimate(&canonical.problem, threads);
    // Asking the system takes a while beside the smallest searches, and anybody has that much.
    let limit = if estimate > MEMORY_UNASKED_BYTES { hysteron_solve::memory_limit() } else { u64::MAX };
    if estimate > limit {
        bail!(
            "solving would take about {} MiB with {threads} threads, and {} MiB are to be had; \
             use fewer threads or a smaller problem",
            estimate >> 20,
            limit >> 20
        );
    }

    let interrupt = crate::network::interrupt()?;

    // Before the search, which may be long and cannot be had again.
    let output = arguments.output.as_ref().map(|path| Output::open(path)).transpose()?;
    let prints_lines = !arguments.json && output.is_none();
    if prints_lines {
        print_preamble(&document, seed, threads)?;
    } else {
        document.notes().iter().for_each(|note| eprintln!("note: {note}"));
    }
    let options = Options {
        // A step limit alone makes a reproducible run, so the default time must not cut it short.
        time: arguments.time.or(arguments.steps.is_none().then_some(TIME_DEFAULT)),
        steps: arguments.steps,
        threads,
        seed,
        target,
    };
    let follower = Follower {
        document: &document,
        objective: &canonical.objective,
        is_json: arguments.json,
        seed,
        threads,
        output: Mutex::new(output),
        bar: Bar::new(!arguments.no_progress, options.time),
        prints_improvements: prints_lines,
        counts_encoding: document.kind() == Kind::PseudoBoolean && document.sense() == Sense::Satisfy,
        state: Mutex::new(Following { best: "none".to_string(), history: Vec::new() }),
    };
    let answer = hysteron_solve::solve(&canonical.problem, &options, &follower, &interrupt);
    follower.print(&answer)
}

fn print(text: &[u8]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text)?;
    Ok(out.flush()?)
}

/// The file that `--output` names. What it holds is replaced only by a whole answer.
struct Output<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Output<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = File::options().write(true).create(true).truncate(false).open(path);
        Ok(Self { path, file: file.with_context(|| path.display().to_string())? })
    }
    fn write(mut self, text: &[u8]) -> Result<()> {
        let mut write = || {
            // Devices and pipes have no length.
            if self.file.metadata()?.is_file() {
                self.file.set_len(0)?;
            }
            self.file.write_all(text)
        };
        write().with_context(|| self.path.display().to_string())
    }
}

/// Scores the answer again, from the file's own terms, and prints it.
fn print_answer(
    out: &mut Vec<u8>,
    is_json: bool,
    document: &Document,
    answer: &Answer,
    history: &[(f64, Objective)],
    seed: u64,
    threads: usize,
) -> Result<u8> {
    let assignment = answer.assignment.as_ref().map(|a| document.assignment_from_canonical(a));
    let score = assignment.as_ref().map(|a| document.score(a));
    let is_cnf = document.sense() == Sense::Satisfy;
    // Without feasibility the objective of a problem with hard clauses means nothing; that of a CNF
    // is the number of clauses still open.
    let is_meant = |s: &Score| is_cnf || s.hard_unsatisfied == 0;
    if let Some(score) = &score {
        let claims_feasible =
            matches!(answer.status, Status::Satisfiable | Status::Optimal | Status::Feasible);
        if claims_feasible && score.hard_unsatisfied > 0 {
            bail!(
                "the answer does not hold on the original file: this is a defect of hysteron, please report it"
            );
        }
    }
    let values = assignment.as_ref().map(|a| document.assignment_values(a));
    if is_json {
        let json = JsonAnswer {
            status: answer.status,
            objective: score.as_ref().filter(|s| is_meant(s)).map(|s| &s.objective),
            assignment: values,
            labels: document.variable_labels(),
            source: answer.source.to_string(),
            elapsed_s: answer.elapsed.as_secs_f64(),
            ecu: answer.ecu,
            seed,
            threads,
            hard_unsatisfied: score.as_ref().map(|s| s.hard_unsatisfied),
            history,
        };
        serde_json::to_writer(&mut *out, &json)?;
        writeln!(out)?;
    } else {
        writeln!(out, "c source: {}", answer.source)?;
        write!(out, "c {:.3} s, {} circuit updates", answer.elapsed.as_secs_f64(), answer.ecu)?;
        // To find out which chips this processor has takes longer than many a file.
        match answer.ecu {
            0 => writeln!(out)?,
            _ => writeln!(out, ", {} chips", hysteron_circuit::run::Cpu::detect().name())?,
        }
        if let Some(score) = score.as_ref().filter(|s| is_meant(s)) {
            writeln!(out, "o {}", score.objective)?;
        }
        let status = match answer.status {
            Status::Satisfiable | Status::Feasible => "SATISFIABLE",
            Status::Unsatisfiable => "UNSATISFIABLE",
            Status::Optimal => "OPTIMUM FOUND",
            Status::Unknown => "UNKNOWN",
        };
        writeln!(out, "s {status}")?;
        if let (Some(values), true) = (&values, answer.status != Status::Unknown) {
            write_values(out, document.kind(), values)?;
        }
    }
    Ok(match (document.kind(), answer.status) {
        (_, Status::Unsatisfiable) => 20,
        (_, Status::Satisfiable) => 10,
        (Kind::Wcnf | Kind::MaxSat | Kind::PseudoBoolean, Status::Optimal | Status::Feasible) => 10,
        _ => 0,
    })
}

/// The `v` lines: literals and a 0 for CNF, a string of bits for MaxSAT (the form of the evaluations
/// since 2020), the values themselves for the rest.
pub fn write_values(out: &mut dyn Write, kind: Kind, values: &[i64]) -> Result<()> {
    match kind {
        Kind::Cnf => {
            for line in values.chunks(VALUES_PER_LINE) {
                let words: Vec<String> = line.iter().map(i64::to_string).collect();
                writeln!(out, "v {}", words.join(" "))?;
            }
            writeln!(out, "v 0")?;
        }
        Kind::Wcnf | Kind::MaxSat => {
            let bits: String = values.iter().map(|&v| if v > 0 { '1' } else { '0' }).collect();
            writeln!(out, "v {bits}")?;
        }
        Kind::PseudoBoolean => {
            let words: Vec<String> =
                values.iter().map(|&v| if v > 0 { format!("x{v}") } else { format!("-x{}", -v) }).collect();
            writeln!(out, "v {}", words.join(" "))?;
        }
        Kind::Qubo | Kind::Ising | Kind::MaxCut => {
            let words: Vec<String> = values.iter().map(i64::to_string).collect();
            writeln!(out, "v {}", words.join(" "))?;
        }
    }
    Ok(())
}

fn print_preamble(document: &Document, seed: u64, threads: usize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "c hysteron {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "c {}: {} variables", document.kind().name(), document.variables())?;
    for note in document.notes() {
        writeln!(out, "c note: {note}")?;
    }
    writeln!(out, "c seed {seed}, {threads} threads")?;
    out.flush()?;
    Ok(())
}

/// All cores.
pub fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(1024)
}

/// A seed from the operating system's randomness, by way of the standard library's hash keys.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish() >> 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(parse_time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_time("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("7"), Ok(Duration::from_secs(7)));
        for bad in ["", "x", "5 parsecs", "-1s", "0s", "1e99s"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
