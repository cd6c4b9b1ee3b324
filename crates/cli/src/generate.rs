//! `hysteron generate`: seeded instances of the kinds that the literature measures solvers on.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use hysteron_problem::generate::{Content, Kind, generate};
use hysteron_problem::{Document, Format, Problem};

use crate::convert;

/// Arguments of `hysteron generate`.
#[derive(clap::Args)]
pub struct Arguments {
    /// What to generate; --list shows the kinds and their parameters.
    #[arg(required_unless_present = "list")]
    kind: Option<String>,
    /// Parameters, as name=value.
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// List the kinds with their parameters' defaults.
    #[arg(long)]
    list: bool,
    /// The seed: the same seed gives the same instance, for ever.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The format; cnf, wcnf-new, rudy, ising or qubo by kind unless given or told from the output's name.
    #[arg(long, value_name = "FORMAT")]
    to: Option<Format>,
    /// The file to write, `-` for standard output; .gz, .xz and .zst are packed.
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<u8> {
    if arguments.list {
        for (name, description, kind) in Kind::catalogue() {
            println!("{name}: {description}");
            println!("    {}", parameters_of(&kind)?);
        }
        return Ok(0);
    }
    let name = arguments.kind.as_deref().unwrap_or_default();
    let kind = parse_kind(name, &arguments.parameters)?;
    let generated = generate(&kind, arguments.seed)?;
    eprintln!("{}", generated.comment);
    let (document, usual) = match generated.content {
        Content::Cnf(cnf) => (Document::from_problem(Problem::Cnf(cnf))?, Format::DimacsCnf),
        Content::Wcnf(wcnf) => (Document::from_problem(Problem::Wcnf(wcnf))?, Format::WcnfNew),
        Content::Ising(ising) => (Document::from_problem(Problem::Ising(ising))?, Format::IsingCoo),
        Content::Graph { vertices, edges } => (Document::max_cut(vertices, edges)?, Format::Rudy),
        Content::Qubo { variables, terms } => (Document::qubo(variables, terms, 0)?, Format::Qubo),
    };
    let by_name = arguments.output.to_str().and_then(Format::from_file_name);
    convert::write(&document, arguments.to.or(by_name).unwrap_or(usual), &arguments.output)?;
    Ok(0)
}

/// `name=value` pairs with the defaults of the catalogue, as `name=value name=value …`.
fn parameters_of(kind: &Kind) -> Result<String> {
    let value = serde_json::to_value(kind)?;
    let fields = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "kind");
    Ok(fields
        .map(|(name, value)| {
            format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_string))
        })
        .collect::<Vec<_>>()
        .join(" "))
}

fn parse_kind(name: &str, parameters: &[String]) -> Result<Kind> {
    let catalogue = Kind::catalogue();
    let Some((_, _, default)) = catalogue.iter().find(|(n, _, _)| *n == name) else {
        let names: Vec<&str> = catalogue.iter().map(|(n, _, _)| *n).collect();
        bail!("'{name}' is no kind; the kinds are {}", names.join(", "));
    };
    let mut object = serde_json::to_value(default)?;
    for parameter in parameters {
        let (key, text) = parameter
            .split_once('=')
            .with_context(|| format!("'{parameter}' is not of the form NAME=VALUE"))?;
        let known = object.as_object().is_some_and(|o| key != "kind" && o.contains_key(key));
        if !known {
            bail!("{name} has no parameter '{key}'; it has {}", parameters_of(default)?);
        }
        // Numbers and true/false are JSON as they stand, everything else is a word.
        object[key] = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    }
    serde_json::from_value(object)
        .with_context(|| format!("{name} takes {}", parameters_of(default).unwrap_or_default()))
}
