//! The parameter sets that legs draw from, as data: `parameters/work.toml`.

use std::sync::OnceLock;

use hysteron_circuit::{crossbar, dense, general, memcomputing, switching};
use serde::Deserialize;

use crate::table::Class;
use crate::tuning::SETS;

/// A family of chips and its parameters.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterSet {
    /// Switching chips, kernels T and W.
    Switching(switching::Parameters),
    /// Memcomputing chips side by side.
    Memcomputing(memcomputing::Parameters),
    /// Switching chips, kernel G.
    General(general::Parameters),
    /// Crossbar chips, mode A.
    Crossbar(crossbar::Parameters),
    /// Crossbar chips on dense circuits, mode D: annealing.
    Anneal(dense::Parameters),
    /// Crossbar chips on dense circuits, mode C: tabu.
    Tabu(dense::Parameters),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Sets {
    short_clauses: Vec<ParameterSet>,
    long_clauses: Vec<ParameterSet>,
    weighted_clauses: Vec<ParameterSet>,
    sparse_spins: Vec<ParameterSet>,
    dense_spins: Vec<ParameterSet>,
}

/// The text of the sets.
const TEXT: &str = include_str!("../parameters/work.toml");

/// The sets of a class: 32.
pub fn sets(class: Class) -> &'static [ParameterSet] {
    static SETS_OF: OnceLock<Sets> = OnceLock::new();
    let all = SETS_OF.get_or_init(|| toml::from_str(TEXT).expect("a test reads it"));
    let sets = match class {
        Class::ShortClauses => &all.short_clauses,
        Class::LongClauses => &all.long_clauses,
        Class::WeightedClauses => &all.weighted_clauses,
        Class::SparseSpins => &all.sparse_spins,
        Class::DenseSpins => &all.dense_spins,
    };
    assert_eq!(sets.len(), SETS, "a test counts them");
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_pinned_and_fixed_cost() {
        let hash = blake3::hash(TEXT.as_bytes()).to_hex().to_string();
        assert_eq!(&hash[..16], "928e8a622744809b", "the sets changed: nodes of two versions would disagree");
        for class in Class::ALL {
            let sets = sets(class);
            for (i, set) in sets.iter().enumerate() {
                assert!(!sets[..i].contains(set), "{class:?}: set {i} is there twice");
                match set {
                    // Kernel B may skip parts of its looks and has 512 chips.
                    ParameterSet::Switching(p) => {
                        p.check().unwrap();
                        assert_ne!(p.kernel, switching::Kernel::B);
                        assert!(p.frozen <= 2, "cold sweeps invite shortcuts");
                        assert!(p.record == 20 && p.patient, "solved chips would cost more");
                    }
                    ParameterSet::Memcomputing(p) => {
                        p.check().unwrap();
                        assert_eq!((p.chips, p.arrangement), (64, memcomputing::Arrangement::Lanes));
                    }
                    ParameterSet::General(p) => {
                        p.check().unwrap();
                        assert!(p.cold_sweeps <= 3 && p.interval == 20);
                    }
                    ParameterSet::Crossbar(p) => {
                        p.check().unwrap();
                        assert_eq!((p.mode, p.look_period, p.quench_sweeps), (crossbar::Mode::Anneal, 20, 2));
                    }
                    ParameterSet::Anneal(p) | ParameterSet::Tabu(p) => assert_eq!(p.chips, 1),
                }
            }
        }
    }
}
