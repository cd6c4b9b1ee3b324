//! The report as aligned text.

use std::fmt;

use super::{ArithmeticClass, Distribution, Inspection, ProblemKind, WeightRange};
use crate::normalise::Decided;

/// Columns before the values.
const LABEL_WIDTH: usize = 22;

fn line(f: &mut fmt::Formatter<'_>, label: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{label:<LABEL_WIDTH$}{value}")
}

fn distribution(f: &mut fmt::Formatter<'_>, label: &str, d: &Distribution) -> fmt::Result {
    line(
        f,
        label,
        format_args!("{} to {}, mean {:.2}, dispersion {:.2}", d.least, d.most, d.mean, d.dispersion),
    )?;
    let mut buckets = String::new();
    for bucket in &d.histogram {
        let range = if bucket.from == bucket.to {
            bucket.from.to_string()
        } else {
            format!("{}-{}", bucket.from, bucket.to)
        };
        let separator = if buckets.is_empty() { "" } else { "  " };
        buckets.push_str(&format!("{separator}{range}: {}", bucket.count));
    }
    if d.histogram.len() > 1 { line(f, "", buckets) } else { Ok(()) }
}

fn weights(f: &mut fmt::Formatter<'_>, label: &str, range: Option<&WeightRange>) -> fmt::Result {
    match range {
        None => Ok(()),
        Some(r) if r.least == r.most => line(f, label, format_args!("all of magnitude {}", r.most)),
        Some(r) => {
            line(f, label, format_args!("magnitudes {} to {}, common divisor {}", r.least, r.most, r.divisor))
        }
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, variables, constraints) = match self.kind {
            ProblemKind::Cnf => ("CNF (satisfiability)", "variables", "clauses"),
            ProblemKind::Wcnf => ("WCNF (weighted partial MaxSAT)", "variables", "clauses"),
            ProblemKind::Ising => ("Ising (also QUBO, Max-Cut)", "spins", "couplings"),
        };
        line(f, "kind", kind)?;
        line(f, "content id", &self.content_id)?;
        line(f, variables, self.variables)?;
        match self.kind {
            ProblemKind::Wcnf => {
                let (hard, soft) = (self.hard, self.soft);
                line(f, constraints, format_args!("{} ({hard} hard, {soft} soft)", self.constraints))?;
            }
            ProblemKind::Ising => {
                let percent = 100.0 * self.structure.density;
                line(f, constraints, format_args!("{} (density {percent:.3} %)", self.constraints))?;
            }
            ProblemKind::Cnf => {
                line(
                    f,
                    constraints,
                    format_args!("{} ({:.3} a variable)", self.constraints, self.structure.ratio),
                )?;
            }
        }
        if let Some(lengths) = &self.clause_lengths {
            line(f, "literals", self.elements)?;
            distribution(f, "clause lengths", lengths)?;
        }
        distribution(f, "degrees", &self.degrees)?;
        weights(f, "weights", self.weights.as_ref())?;
        weights(f, "fields", self.fields.as_ref())?;
        if self.offset != 0 {
            line(f, "offset", self.offset)?;
        }
        if let Some(class) = self.arithmetic {
            let integers = match class {
                ArithmeticClass::I8 => "8-bit integers",
                ArithmeticClass::I16 => "16-bit integers",
                ArithmeticClass::I32 => "32-bit integers",
                ArithmeticClass::I64 => "64-bit integers",
            };
            line(f, "arithmetic class", integers)?;
        }
        line(f, "cost", format_args!("{} ECU a step of a chip", self.updates_per_step))?;
        if let Some(bytes) = self.memory_bytes {
            line(f, "memory", format_args!("{} MiB", bytes.div_ceil(1 << 20)))?;
        }
        line(f, "structure", self.words())?;
        self.reduction(f, variables, constraints)
    }
}

impl Inspection {
    /// The structure in words.
    fn words(&self) -> String {
        let structure = &self.structure;
        let mut words = Vec::new();
        if structure.looks_random() {
            words.push("like uniform random".to_string());
        }
        if structure.looks_like_lattice() {
            words.push("like a lattice".to_string());
        }
        if let Some(length) = structure.uniform_length.filter(|_| self.kind != ProblemKind::Ising) {
            words.push(format!("all clauses of length {length}"));
        }
        if let Some(degree) = structure.regular_degree {
            words.push(format!("all degrees {degree}"));
        }
        if self.kind != ProblemKind::Ising {
            words.push(format!("{:.0} % binary clauses", 100.0 * structure.binary_share));
            words.push(format!("{:.0} % positive literals", 100.0 * structure.positive_share));
        }
        if let Some(modularity) = structure.modularity {
            words.push(format!("modularity {modularity:.2}"));
        }
        words.join(", ")
    }

    fn reduction(&self, f: &mut fmt::Formatter<'_>, variables: &str, constraints: &str) -> fmt::Result {
        let s = &self.reduction.statistics;
        match self.reduction.decided {
            Some(Decided::Unsatisfiable) => {
                return line(f, "normalising", "proves the clauses unsatisfiable");
            }
            Some(Decided::Solved) => line(f, "normalising", "solves the problem")?,
            None => line(
                f,
                "normalising leaves",
                format_args!("{} {variables}, {} {constraints}", s.variables_after, s.constraints_after),
            )?,
        }
        if s.components > 0 {
            let largest = self.reduction.largest_component;
            line(f, "components", format_args!("{}, the largest of {largest} {variables}", s.components))?;
        }
        let counts = [
            ("implied", s.implied),
            ("pure", s.pure),
            ("unused", s.unused),
            ("equivalent", s.equivalent),
            ("sums modulo two", s.parities),
            ("implied by sums", s.parity_facts),
            ("fixed by field", s.spins_fixed),
            ("merged", s.spins_merged),
            ("eliminated", s.spins_eliminated),
            ("tautologies", s.tautologies),
            ("duplicate literals", s.duplicate_literals),
            ("duplicate clauses", s.duplicate_clauses),
            ("subsumed clauses", s.subsumed),
            ("soft clauses implied", s.soft_implied),
            ("opposite soft units", s.opposite_units),
        ];
        for (label, count) in counts.into_iter().filter(|c| c.1 > 0) {
            line(f, &format!("  {label}"), count)?;
        }
        if s.subsumption_cut || s.spins_cut {
            line(f, "", "normalising stopped at its work bound")?;
        }
        Ok(())
    }
}
