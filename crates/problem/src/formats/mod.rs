//! One module a file format: its reader and its writer.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub(crate) mod bqm_json;
pub(crate) mod cursor;
pub(crate) mod detect;
pub(crate) mod dimacs;
pub(crate) mod grid;
pub(crate) mod grid_write;
pub(crate) mod opb;
pub(crate) mod wcnf;

/// A file format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Format {
    /// DIMACS CNF: `p cnf V C`, clauses of 1-based literals, each closed by 0.
    DimacsCnf,
    /// WCNF before 2022: `p wcnf V C TOP`, a weight before each clause, hard from `TOP` on.
    WcnfOld,
    /// WCNF since 2022: no header, `h` before hard clauses and a weight before soft ones.
    WcnfNew,
    /// Pseudo-Boolean OPB: `min:` and linear constraints, or a quadratic objective alone.
    Opb,
    /// qbsolv's QUBO: `p qubo 0 N DIAGONALS COUPLERS`, 0-based `i j w`, each term counted once.
    Qubo,
    /// D-Wave's COO: 0-based `i j w`, each counted once, variables of 0 and 1 unless a
    /// `# vartype: SPIN` line says otherwise.
    Coo,
    /// BiqMac's sparse QUBO: `N M`, 1-based `i j q` with `i <= j`, off-diagonals counted twice.
    BiqMacSparse,
    /// OR-Library's bqp files: the number of instances, then each as in [`Self::BiqMacSparse`],
    /// to be maximised.
    OrLibrary,
    /// Ising COO: 0-based `i j J`, and fields `i i h`, over spins of -1 and +1.
    IsingCoo,
    /// Max-Cut in rudy's form (Gset, `.mc`): `N M`, 1-based `i j w`, to be maximised.
    Rudy,
    /// dimod's binary quadratic model as JSON (`to_serializable()`).
    BqmJson,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 11] = [
        Self::DimacsCnf,
        Self::WcnfOld,
        Self::WcnfNew,
        Self::Opb,
        Self::Qubo,
        Self::Coo,
        Self::BiqMacSparse,
        Self::OrLibrary,
        Self::IsingCoo,
        Self::Rudy,
        Self::BqmJson,
    ];
    /// The names that `--format` takes, the usual one first.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::DimacsCnf => &["cnf", "dimacs"],
            Self::WcnfOld => &["wcnf-old", "wcnf"],
            Self::WcnfNew => &["wcnf-new", "wcnf22"],
            Self::Opb => &["opb", "pb"],
            Self::Qubo => &["qubo", "qbsolv"],
            Self::Coo => &["coo", "qubo-coo"],
            Self::BiqMacSparse => &["sparse", "biqmac", "qs"],
            Self::OrLibrary => &["orlib", "or-library", "bqp"],
            Self::IsingCoo => &["ising", "ising-coo"],
            Self::Rudy => &["rudy", "gset", "mc", "maxcut"],
            Self::BqmJson => &["bqm", "bqm-json", "json"],
        }
    }
    /// The usual name.
    pub const fn name(self) -> &'static str {
        self.names()[0]
    }
    /// The format that a file name suggests by its ending, below any `.gz`, `.xz` or `.zst`.
    pub fn from_file_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let stem = [".gz", ".xz", ".zst"].iter().find_map(|e| lower.strip_suffix(e)).unwrap_or(&lower);
        match stem.rsplit_once('.')?.1 {
            "cnf" | "dimacs" => Some(Self::DimacsCnf),
            "wcnf" => Some(Self::WcnfNew),
            "opb" | "pbo" => Some(Self::Opb),
            "qubo" => Some(Self::Qubo),
            "coo" => Some(Self::Coo),
            "sparse" | "qs" => Some(Self::BiqMacSparse),
            "ising" => Some(Self::IsingCoo),
            "mc" | "rud" | "rudy" | "gset" => Some(Self::Rudy),
            "json" | "bqm" => Some(Self::BqmJson),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text names no format.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error(
    "`{0}` is no format; the formats are cnf, wcnf-old, wcnf-new, opb, qubo, coo, sparse, orlib, ising, rudy and bqm."
)]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let found = Self::ALL.into_iter().find(|f| f.names().contains(&lower.as_str()));
        found.ok_or_else(|| UnknownFormat(text.chars().take(40).collect()))
    }
}
