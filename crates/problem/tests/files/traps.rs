//! The conventions and oddities of each format, on files small enough to check by hand.

use super::*;
use hysteron_problem::{Compression, Kind, Objective, Problem, Sense};

#[test]
fn cnf_as_found_in_the_wild() {
    // Blanks in the header, a clause over lines, comments within, a missing last 0.
    let pret = detect("c made by hand\n  p  cnf   3   3 \n1 -2\n 3 0 -1\nc between\n2 0\n -3 2");
    assert_eq!((pret.variables(), pret.elements(), pret.format()), (3, 3, Format::DimacsCnf));
    assert_eq!(pret.sense(), Sense::Satisfy);
    assert_eq!(pret.notes(), ["The last clause had no closing 0; the end of the file closed it."]);
    assert_eq!(objective(&pret, "010"), "1");
    assert_eq!(pret.score(&[false, true, false]).hard_unsatisfied, 1);
    assert_eq!(objective(&pret, "110"), "0");
    assert_eq!(pret.assignment_values(&[true, false, true]), [1, -2, 3]);
    assert_eq!(pret.assignment_from_values(&[3, 1, -2]), Some(vec![true, false, true]));
    // SATLIB ends with a percent sign and a 0 that is no clause.
    let satlib = detect("p cnf 20  2 \n 4 -18 19 0\n3 18 -5 0\n%\n0\n\n");
    assert_eq!((satlib.elements(), satlib.notes().len()), (2, 0));
    // Carriage returns, a byte order mark, and Latin-1 in a comment.
    let windows =
        read(b"\xef\xbb\xbfc caf\xe9\r\np cnf 2 1\r\n1 -2 0\r\n", None, &ReadOptions::default()).unwrap();
    assert_eq!(windows.elements(), 1);
    let empty_clause = detect("p cnf 1 2\n1 0\n0\n");
    assert_eq!(empty_clause.notes(), ["1 clauses are empty: nothing satisfies them."]);
    assert_eq!(detect("p cnf 0 0\n").variables(), 0);
}

#[test]
fn cnf_as_maxsat_counts_unsatisfied_clauses() {
    let options = ReadOptions { maxsat: true, ..ReadOptions::default() };
    let document = read(b"p cnf 1 3\n1 0\n-1 0\n-1 0\n", None, &options).unwrap();
    assert_eq!((document.kind(), document.sense()), (Kind::MaxSat, Sense::Minimise));
    assert_eq!((objective(&document, "1"), objective(&document, "0")), ("2".into(), "1".into()));
    assert_eq!(document.score(&[true]).hard_unsatisfied, 0);
}

#[test]
fn both_forms_of_wcnf_are_one_problem() {
    let old =
        detect("c\np wcnf 3 4 18446744073709551615\n18446744073709551615 1 2 0\n5 -1 0\n7 -2\n3 0\n0 1 0\n");
    let new = detect("c no header\nh 1 2 0\n5 -1 0\n7 -2 3 0\n0 1 0\n");
    assert_eq!((old.format(), new.format()), (Format::WcnfOld, Format::WcnfNew));
    assert_eq!(old.problem(), new.problem());
    assert_eq!(old.notes(), ["1 soft clauses of weight 0 were left out."]);
    assert_eq!(objective(&old, "110"), "12");
    assert_eq!(new.score(&[false, false, false]).hard_unsatisfied, 1);
    // Without a top weight, every clause is soft.
    let soft = detect("p wcnf 1 1\n9 1 0\n");
    assert_eq!(objective(&soft, "0"), "9");
    // Decimal weights are exact, whichever comes first.
    let decimal = detect("p wcnf 2 3 10\n10 1 0\n3 -1 0\n0.125 2 0\n");
    assert_eq!(objective(&decimal, "10"), "3.125");
    let Problem::Wcnf(wcnf) = decimal.problem() else { panic!() };
    assert_eq!(wcnf.weights, [3000, 125]);
    assert_eq!(decimal.canonical().objective.to_energy_target(&"3.1259".parse().unwrap()), 3125);
}

#[test]
fn wcnf_without_a_header_may_begin_with_soft_clauses() {
    for text in ["3 0\nh 1 0\n", "0 1 0\nh 2 0\n", "7 1 0\nh -1 2 3 0\n", "3 -1 0\n5 2 0\n", "3 0\n2 -1 0\n"]
    {
        assert_eq!(detect(text).format(), Format::WcnfNew, "{text}");
    }
    for text in ["3 0\n", "0 1 0\n", "2 1\n1 2 -1\n"] {
        assert_ne!(detect(text).format(), Format::WcnfNew, "{text}");
    }
}

#[test]
fn biqmac_entries_off_the_diagonal_count_twice() {
    let document = detect("2 3\n1 1 -3\n1 2 5\n2 2 4\n");
    assert_eq!((document.format(), document.kind()), (Format::BiqMacSparse, Kind::Qubo));
    assert_eq!((objective(&document, "11"), objective(&document, "10")), ("11".into(), "-3".into()));
    assert_eq!(document.assignment_values(&[true, false]), [1, 0]);
    assert_eq!(document.assignment_from_values(&[1, 0]), Some(vec![true, false]));
    let halves = read_as("2 1\n1 2 0.5\n", Format::BiqMacSparse).unwrap();
    assert_eq!(objective(&halves, "11"), "1");
    let qoblib = detect("# ObjectiveOffset 7.5\n2 1\n1 2 1\n");
    assert_eq!((qoblib.format(), objective(&qoblib, "11")), (Format::BiqMacSparse, "9.5".into()));
    // A name decides where the content does not.
    let text = b"2 1\n1 2 5\n";
    let named = |name| read(text, Some(name), &ReadOptions::default()).unwrap();
    assert_eq!(named("a/b.sparse.gz").kind(), Kind::Qubo);
    assert_eq!((named("b.mc").kind(), named("b.mc").notes().len()), (Kind::MaxCut, 0));
    assert_eq!((named("b.txt").kind(), named("b.txt").notes().len()), (Kind::MaxCut, 1));
}

#[test]
fn or_library_files_hold_several_instances_to_be_maximised() {
    let text = b" 2\n 2 2\n 1 1 3\n 1 2 -1\n 3 1\n 2 3 10\n";
    let of = |instance| read(text, None, &ReadOptions { instance, ..ReadOptions::default() });
    let first = of(Some(1)).unwrap();
    assert_eq!((first.sense(), first.variables()), (Sense::Maximise, 2));
    assert_eq!((objective(&first, "11"), objective(&first, "10")), ("1".into(), "3".into()));
    let second = of(Some(2)).unwrap();
    assert_eq!((second.variables(), objective(&second, "011")), (3, "20".into()));
    let map = second.canonical().objective;
    let target = map.to_energy_target(&Objective::integer(20));
    let Problem::Ising(ising) = second.problem() else { panic!() };
    let reached = assignments(3).filter(|a| ising.energy(a) <= target).count();
    assert_eq!(reached, 2, "only x2 = x3 = 1 reaches 20");
    assert!(of(None).unwrap_err().to_string().contains("--instance K"));
    assert!(of(Some(3)).is_err() && of(Some(0)).is_err());
}

#[test]
fn qbsolv_terms_count_once_and_from_zero() {
    let document = detect("c comment\np qubo 0 3 2 1\n0 0 -1\n2 2 -1\n0 2 3.5\n");
    assert_eq!((document.format(), document.variables(), document.elements()), (Format::Qubo, 3, 3));
    assert_eq!((objective(&document, "101"), objective(&document, "100")), ("1.5".into(), "-1".into()));
    assert_eq!(document.sense(), Sense::Minimise);
}

#[test]
fn coo_is_of_the_type_that_its_comment_says() {
    let binary = detect("# vartype: BINARY\n\n0 4 0.000000\n0 5 2.000000\n5 5 -1\n");
    assert_eq!((binary.kind(), binary.variables(), binary.elements()), (Kind::Qubo, 6, 3));
    assert_eq!(objective(&binary, "100001"), "1");
    let spin = detect("# vartype=SPIN\n0 1 1.5\n1 1 -2\n1 0 1\n");
    assert_eq!((spin.kind(), spin.format()), (Kind::Ising, Format::Coo));
    assert_eq!(spin.notes(), ["1 terms repeat the variables of another; their weights were summed."]);
    assert_eq!((objective(&spin, "11"), objective(&spin, "01")), ("0.5".into(), "-4.5".into()));
    assert_eq!(spin.assignment_values(&[true, false]), [1, -1]);
    // Without the comment, terms of one variable suggest a QUBO; both guesses are announced.
    assert_eq!(detect("0 0 1\n0 1 -2\n").kind(), Kind::Qubo);
    let guessed = detect("0\t1\t-1\n1\t2\t1\n");
    assert_eq!((guessed.kind(), guessed.notes().len()), (Kind::Ising, 1));
    assert_eq!(read_as("0 1 -1\n", Format::Coo).unwrap().kind(), Kind::Qubo);
    assert_eq!(read_as("0 0 2\n0 1 -1\n", Format::IsingCoo).unwrap().kind(), Kind::Ising);
    assert!(read_as("# vartype: BINARY\n0 1 -1\n", Format::IsingCoo).is_err());
}

#[test]
fn max_cut_is_the_weight_of_the_cut() {
    let graph = read_as("3 4 \n1 2 1\n2 3 -4\n2 1 2\n3 3 9\n", Format::Rudy).unwrap();
    assert_eq!((graph.sense(), graph.elements()), (Sense::Maximise, 4));
    assert_eq!((objective(&graph, "100"), objective(&graph, "010")), ("3".into(), "-1".into()));
    assert_eq!(graph.notes().len(), 2, "repeated edges, a loop");
    assert_eq!(graph.assignment_values(&[true, false, true]), [1, -1, 1]);
    let canonical = graph.canonical();
    let Problem::Ising(ising) = &canonical.problem else { panic!() };
    assert_eq!(ising.couplings, [(0, 1, 3), (1, 2, -4)]);
    let best = assignments(3).map(|a| ising.energy(&a)).min().unwrap();
    assert_eq!(canonical.objective.to_objective(best), Objective::integer(3));
    assert_eq!(canonical.objective.to_energy_target(&Objective::integer(3)), best);
    let unit = detect("3 2\n1 2\n2 3\n");
    assert_eq!(objective(&unit, "010"), "2");
}

#[test]
fn opb_constraints_become_clauses() {
    let text = "* #variable= 3 #constraint= 2\n* comment\nmin: +3 x1 -2 ~x2 +x3;\n\
                +2 x1 +1 x2\n -1 ~x3 >= 1 ;\n+1 x1 +1 x2 +1 x3 = 2;";
    let document = detect(text);
    assert_eq!((document.kind(), document.variables(), document.elements()), (Kind::PseudoBoolean, 3, 2));
    let canonical = document.canonical();
    let Problem::Wcnf(wcnf) = &canonical.problem else { panic!() };
    for assignment in assignments(3) {
        let score = document.score(&assignment);
        let mut extended = assignment.clone();
        extended.resize(wcnf.variables as usize, false);
        let cost = wcnf.cost(&extended);
        assert_eq!(
            canonical.objective.to_objective(cost),
            score.objective,
            "soft clauses have no auxiliaries"
        );
    }
    assert_eq!(document.score(&[true, true, false]).objective.to_string(), "3");
    assert_eq!(document.score(&[true, true, false]).hard_unsatisfied, 0);
    assert_eq!(document.score(&[false, true, false]).hard_unsatisfied, 2);
    let satisfy = detect("+1 x1 +1 x2 <= 1 ;\n");
    assert_eq!((satisfy.sense(), objective(&satisfy, "11")), (Sense::Satisfy, "1".into()));
    assert!(matches!(satisfy.problem(), Problem::Cnf(_)));
    let nothing = detect("* #variable= 2 #constraint= 0\n");
    assert_eq!((nothing.format(), nothing.variables(), nothing.elements()), (Format::Opb, 2, 0));
    let highest = detect("max: 1 x1 2 x2 ;\n-1 x1 -1 x2 >= -1 ;");
    assert_eq!((highest.sense(), objective(&highest, "01")), (Sense::Maximise, "2".into()));
}

#[test]
fn opb_products_without_constraints_are_a_qubo() {
    let document = detect("* #variable= 3 #product= 1\nmin: -2 x1 +3 x1 ~x3 +1 ~x1 ~x2 +5 ~x3 +7 x1 ~x1 ;\n");
    assert_eq!((document.kind(), document.format(), document.variables()), (Kind::Qubo, Format::Opb, 3));
    for a in assignments(3) {
        let [x1, x2, x3] = [0, 1, 2].map(|v| i128::from(a[v]));
        let value = -2 * x1 + 3 * x1 * (1 - x3) + (1 - x1) * (1 - x2) + 5 * (1 - x3);
        assert_eq!(document.score(&a).objective, Objective::integer(value));
    }
}

#[test]
fn dimod_models_keep_their_labels() {
    let text = r#"{"type": "BinaryQuadraticModel", "version": {"bqm_schema": "3.0.0"}, "use_bytes": false,
        "index_type": "int32", "bias_type": "float64", "num_variables": 3, "num_interactions": 1,
        "variable_labels": ["a", 5, ["x", 1]], "variable_type": "SPIN", "offset": 0.5, "info": {},
        "linear_biases": [1.0, 0.0, -2.0], "quadratic_biases": [3.0], "quadratic_head": [0], "quadratic_tail": [1]}"#;
    let document = detect(text);
    assert_eq!((document.kind(), document.format()), (Kind::Ising, Format::BqmJson));
    assert_eq!(objective(&document, "101"), "-3.5");
    let labels: Vec<String> = document.variable_labels().unwrap().iter().map(|l| l.to_string()).collect();
    assert_eq!(labels, ["\"a\"", "5", "[\"x\",1]"]);
    let binary = detect(&text.replace("SPIN", "BINARY"));
    assert_eq!((binary.kind(), objective(&binary, "110").as_str()), (Kind::Qubo, "4.5"));
}

#[test]
fn compressed_files_are_told_by_their_first_bytes() {
    let text = b"p cnf 2 1\n1 -2 0\n".to_vec();
    for compression in [Compression::Gzip, Compression::Xz, Compression::Zstandard] {
        let mut bytes = compression.compress(&text);
        assert_eq!(Compression::detect(&bytes), Some(compression));
        let document = read(&bytes, Some("misleading.opb"), &ReadOptions::default()).unwrap();
        assert_eq!(document.elements(), 1);
        let most = ReadOptions { decompressed_bytes_max: Some(10), ..ReadOptions::default() };
        let error = read(&bytes, None, &most).unwrap_err().to_string();
        assert!(error.contains("more than 10 bytes after decompression"), "{error}");
        bytes.truncate(bytes.len() - 5);
        let error = read(&bytes, None, &ReadOptions::default()).unwrap_err().to_string();
        assert!(error.contains(compression.name()), "{error}");
    }
    // Where the limit lies among the chunks in which a file is unpacked makes no difference.
    let long = [&b"p cnf 1 1\n1 0\n"[..], &vec![b'\n'; 200_000]].concat();
    for compression in [Compression::Gzip, Compression::Xz, Compression::Zstandard] {
        let bytes = compression.compress(&long);
        for (most, fits) in [(200_014, true), (200_013, false), (65_536, false)] {
            let options = ReadOptions { decompressed_bytes_max: Some(most), ..ReadOptions::default() };
            assert_eq!(read(&bytes, None, &options).is_ok(), fits, "{compression:?} {most}");
        }
    }
    // Several members one after the other are one file.
    let halves =
        [Compression::Gzip.compress(b"p cnf 2 1\n"), Compression::Gzip.compress(b"1 -2 0\n")].concat();
    assert_eq!(read(&halves, None, &ReadOptions::default()).unwrap().elements(), 1);
    let halves =
        [Compression::Zstandard.compress(b"p cnf 2 1\n"), Compression::Zstandard.compress(b"1 -2 0\n")];
    let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    let joined = [&halves[0][..], skippable, &halves[1][..]].concat();
    assert_eq!(read(&joined, None, &ReadOptions::default()).unwrap().elements(), 1);
}

#[test]
fn weights_are_scaled_together_and_divided_by_their_common_factor() {
    let document = detect("# vartype: SPIN\n0 1 0.5\n1 2 1e1\n0 0 -2.50\n");
    let canonical = document.canonical();
    let Problem::Ising(ising) = &canonical.problem else { panic!() };
    assert_eq!(ising.couplings, [(0, 1, 1), (1, 2, 20)]);
    assert_eq!(ising.fields, [-5, 0, 0]);
    for a in assignments(3) {
        assert_eq!(canonical.objective.to_objective(ising.energy(&a)), document.score(&a).objective);
    }
}

#[test]
fn format_names_are_unique_and_parse() {
    let mut names: Vec<&str> = Format::ALL.iter().flat_map(|f| f.names()).copied().collect();
    let count = names.len();
    for &name in &names {
        assert!(name.to_uppercase().parse::<Format>().unwrap().names().contains(&name));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let message = "lp".parse::<Format>().unwrap_err().to_string();
    assert!(Format::ALL.iter().all(|f| message.contains(f.name())), "{message}");
}
