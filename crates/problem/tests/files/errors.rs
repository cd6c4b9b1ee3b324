//! Refused files: the place, what was found and the mend.

use super::*;

#[track_caller]
fn refused(text: &[u8], expected: &str) {
    let error = read(text, None, &ReadOptions::default()).expect_err("the file is malformed");
    let shown = error.to_string();
    assert_eq!(shown, expected, "\nof {}", text.escape_ascii());
    assert_eq!(shown.starts_with("line "), error.line().is_some());
}

#[test]
fn clauses() {
    refused(
        b"p cnf 2 1\n1 x 0\n",
        "line 2, column 3: Found `x`. Expected a literal (an integer other than 0) or the 0 that ends the clause. \
         Write clauses as variable numbers, negative for negations, each clause closed by 0.",
    );
    refused(
        b"c\np cnf 2 1\n1\n  -3 0\n",
        "line 4, column 3: Found `-3`. Expected a variable of at most 2, the number in the header. \
         Correct the literal, or raise the number of variables in the header.",
    );
    refused(
        b"p cnf 9 1000000000000\n",
        "line 1, column 9: Found a promise of 1000000000000 clauses with 1 bytes after it. \
         Expected as many clauses as the header says. \
         Correct the header, or fetch the file again if it is cut off.",
    );
    refused(
        b"p cnf 3 3\n1 2 0\n-1 3 0\n",
        "line 4, column 1: Found 2 clauses. Expected 3, the number in the header. \
         Correct the header, or fetch the file again if it is cut off.",
    );
    refused(
        b"p cnf 3 1\n1 2 0\n-1 3 0\n",
        "line 4, column 1: Found 2 clauses. Expected 1, the number in the header. \
         Correct the number of clauses in the header.",
    );
    refused(
        b"p cnf 60000000 0\n",
        "line 1, column 15: Found 60000000 variables in a file of 17 bytes. \
         Expected at most 1048593 in a file of that length. Number the variables without gaps.",
    );
    refused(
        b"p cnf 3\n1 0\n",
        "line 1, column 8: Found the end of the line. Expected the number of clauses. \
         Write a non-negative integer there.",
    );
    refused(
        b"p edge 3 2\ne 1 2\n",
        "line 1, column 1: Found `p edge 3 2`. Expected `p cnf`, `p wcnf` or `p qubo`. \
         Convert the file; other problems with a `p` line are not supported.",
    );
    refused(
        b"p cnf 99999999999999999999 1\n1 0\n",
        "line 1, column 7: Found `99999999999999999999`. Expected the number of variables of at most 67108864. \
         Check the number; larger problems are not supported.",
    );
    refused(
        b"h 1 -2 0\n-5 1 0\n",
        "line 2, column 1: Found `-5`. Expected the weight of the clause, a positive number. \
         A soft clause of negative weight rewards its violation: replace it by clauses of positive weight for its negation.",
    );
    refused(
        b"p wcnf 2 1 10\nh 1 0\n",
        "line 2, column 1: Found `h`. Expected the weight of the clause, a positive number. \
         Write the top weight for hard clauses, or leave out the `p wcnf` line.",
    );
    refused(
        b"h 1 0\n4611686018427387904 1 0\n1 2 0\n",
        "line 4, column 1: Found soft weights that sum to 4611686018427387905. \
         Expected soft weights that sum to at most 2^62 when scaled to integers. \
         Divide the weights by a common factor, round them, or make clauses of such weight hard.",
    );
}

#[test]
fn terms() {
    refused(
        b"3 2\n1 2 1\n2 4 1\n",
        "line 3, column 3: Found `4`. Expected a variable of at most 3. \
         Correct the number, or raise the number of variables in the header.",
    );
    refused(
        b"3 2\n1 2 1\n0 1 1\n",
        "line 3, column 1: Found `0`. Expected a variable of at least 1. Count variables from 1 in this format.",
    );
    refused(
        b"3 2\n1 2 1\n2 3\n",
        "line 3, column 4: Found the end of the line. Expected a weight. \
         Write an integer or a decimal number there.",
    );
    refused(
        b"3 3\n1 2 1\n2 3 1\n",
        "line 4, column 1: Found 2 edges. Expected 3, the number in the header. \
         Correct the header, or fetch the file again if it is cut off.",
    );
    refused(
        b"3 1\n1 2 1\n2 3 1\n",
        "line 3, column 1: Found more edges. Expected 1, the number in the header. \
         Correct the header, or remove the extra lines.",
    );
    refused(
        b"3 1000000000000\n",
        "line 1, column 3: Found a promise of 1000000000000 edges with 1 bytes after it. \
         Expected as many as the header says. Correct the header, or fetch the file again if it is cut off.",
    );
    refused(
        b"3 1\n1 2 1 4\n",
        "line 2, column 7: Found `4`. Expected the end of the line after the weight. Remove the extra text.",
    );
    refused(
        b"# vartype: SPIN\n0 1 0.1234567890123456789\n",
        "line 2, column 5: Found `0.1234567890123456789`. \
         Expected a weight that fits 64 bits with at most 18 digits after the point. \
         Round the weights, or divide all of them by a common factor.",
    );
    refused(
        b"# vartype: SPIN\n0 1 1000\n0 2 0.00000000000000001\n",
        "line 3, column 5: Found `0.00000000000000001`. \
         Expected weights that fit 64 bits when all are scaled to integers. \
         Round the weights to fewer digits, or divide all of them by a common factor.",
    );
    refused(
        b"# vartype: SPIN\n0 1 nan\n",
        "line 2, column 5: Found `nan`. Expected a weight. Write an integer or a decimal number there.",
    );
    refused(
        b"# vartype: SPIN\n0 67108863 1\n",
        "line 3, column 1: Found 67108864 variables in a file of 29 bytes. \
         Expected at most 1048605 in a file of that length. Number the variables without gaps.",
    );
    refused(
        b"# vartype: INTEGER\n0 1 1\n",
        "line 1, column 1: Found `#`. Expected `vartype` of BINARY or SPIN. \
         Write `# vartype: SPIN` or `# vartype: BINARY`.",
    );
    refused(
        b"p qubo 0 2 1 1\n0 0 1\n1 1 1\n",
        "line 3, column 1: Found more diagonal terms. Expected 1, the number in the header. \
         Correct the header, or remove the extra lines.",
    );
    refused(
        b"p qubo 0 2 1 0\n2 2 1\n",
        "line 2, column 1: Found `2`. Expected a variable of at most 1. \
         Count variables from 0, or raise the number of variables in the header.",
    );
    refused(
        b"2 3\n1 1 4\n1 2 1\n2 1 1\n",
        "line 3, column 1: Found entries for both 1 2 and 2 1. Expected each pair of variables once, \
         since an off-diagonal entry counts for both of its places. \
         Keep the upper triangle only, or use `--format coo` for terms that count once.",
    );
    refused(
        b"2\n2 1\n1 2 1\n2 1\n1 2 1\n",
        "line 1, column 1: Found 2 instances. Expected a choice of one of them. \
         Add `--instance K` with K from 1 to 2.",
    );
    refused(
        b"# vartype: SPIN\n0 1 9223372036854775807\n0 2 1\n",
        "Found weights whose absolute sum exceeds 2^62. Expected weights with which energies fit 64 bits. \
         Divide all weights by a common factor.",
    );
    refused(
        b"# vartype: SPIN\n0 1 5.000000000000000001\n0 2 7\n",
        "Found weights whose absolute sum exceeds 2^62 when scaled to integers by 10^18. \
         Expected weights with which energies fit 64 bits. Round the weights to fewer digits.",
    );
}

#[test]
fn pseudo_boolean() {
    refused(
        b"min: 2 y1 ;\n",
        "line 1, column 8: Found `y1`. Expected a literal such as `x1` or `~x1` after the coefficient. \
         Name variables x1, x2, ... and write constants on the right side only.",
    );
    refused(
        b"min: 2 x1 ;\n1 x1 1 x2 > 2 ;\n",
        "line 2, column 11: Found `>`. Expected `>=`, `<=` or `=` after the sum. \
         Write the constraint as `+1 x1 +2 x2 >= 2 ;`.",
    );
    refused(
        b"1 x1 1 x2 >= 2\n",
        "line 2, column 1: Found the end of the file. Expected `;`. \
         End the objective and each constraint with `;`.",
    );
    refused(
        b"1 x0 >= 1 ;",
        "line 1, column 3: Found `x0`. Expected a variable from x1 to x67108864. Name variables x1, x2, ....",
    );
    refused(
        b"min: 1 x1 ;\n1 x1 x2 >= 1 ;",
        "line 2, column 1: Found a product of literals in a constraint. Expected linear constraints. \
         Give the product a variable of its own and tie it by linear constraints.",
    );
    refused(
        b"min: 1 x1 x2 ;\n1 x1 >= 1 ;",
        "line 1, column 6: Found a product of literals in the objective of a file with constraints. \
         Expected a linear objective. Give the product a variable of its own and tie it by linear \
         constraints, or move the constraints into the objective as penalties.",
    );
    refused(
        b"min: 1 x1 x2 x3 ;\n",
        "line 1, column 6: Found a product of 3 literals. Expected products of at most two literals. \
         Give pairs of literals variables of their own until every product has two.",
    );
    refused(
        b"min: 1 x1 ;\nmin: 1 x2 ;\n",
        "line 2, column 1: Found `min:`. Expected one objective, before all constraints. \
         Keep one `min:` and move it to the beginning.",
    );
    let mut large = String::from("* #variable= 60\n");
    for v in 1..=60u64 {
        large += &format!("+{} x{v} ", (1u64 << 40) + (1 << (v % 37)) + v);
    }
    large += ">= 32985348833280 ;\n";
    refused(
        large.as_bytes(),
        "Found constraint 1, which needs more than 2097152 partial sums or literals as clauses. \
         Expected constraints that become a bounded number of clauses. \
         Give it fewer terms or smaller coefficients, or split it.",
    );
}

#[test]
fn models() {
    refused(
        b"{\"type\": \"BinaryQuadraticModel\"}",
        "line 1, column 1: Found an object without `variable_type`. \
         Expected the field `variable_type` of a binary quadratic model. \
         Write the file with `json.dump(bqm.to_serializable(), file)`.",
    );
    refused(
        b"{\"type\": \"ConstrainedQuadraticModel\"}",
        "line 1, column 10: Found `ConstrainedQuadraticModel`. Expected a `BinaryQuadraticModel`. \
         Convert the model to a binary quadratic model first.",
    );
    refused(
        b"{\n\"use_bytes\": true}",
        "line 2, column 14: Found `true}`. Expected `use_bytes` of false. \
         Write the file with `json.dump(bqm.to_serializable(), file)`.",
    );
    refused(
        b"{\n \"offset\": }",
        "line 2, column 12: Found something else (expected value). \
         Expected a JSON object that is a binary quadratic model. \
         Write the file with `json.dump(bqm.to_serializable(), file)`.",
    );
    let model = |linear: &str, head: &str| {
        format!(
            "{{\"variable_type\": \"SPIN\", \"variable_labels\": [0, 1],\n\"linear_biases\": {linear},\n\
             \"quadratic_biases\": [3], \"quadratic_head\": {head}, \"quadratic_tail\": [1]}}"
        )
    };
    refused(
        model("[1, \"2\"]", "[0]").as_bytes(),
        "line 2, column 22: Found `\"2\"`. Expected a number. \
         Write the file with `json.dump(bqm.to_serializable(), file)`.",
    );
    refused(
        model("[1, 2]", "[1]").as_bytes(),
        "line 3, column 22: Found an interaction of variables 1 and 1. Expected two different variables below 2. \
         Write the file with `json.dump(bqm.to_serializable(), file)`.",
    );
    refused(
        model("[1, 2]", "[-1]").as_bytes(),
        "line 3, column 46: Found something else (invalid value: integer `-1`, expected u32). \
         Expected a `quadratic_head` of the right type. \
         Write the file with `json.dump(bqm.to_serializable(), file)`.",
    );
}

#[test]
fn bytes_that_are_no_text() {
    refused(b"", "line 1, column 1: Found an empty file. Expected a problem. Check how the file was made.");
    refused(
        b" \n\t\n",
        "line 3, column 1: Found an empty file. Expected a problem. Check how the file was made.",
    );
    let utf_16: Vec<u8> = "p cnf 1 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let message = "line 1, column 1: Found text in UTF-16. Expected text in UTF-8 or ASCII. \
                   Convert it with `iconv -f UTF-16 -t UTF-8`.";
    refused(&utf_16, message);
    refused(&[b"\xff\xfe", &utf_16[..]].concat(), message);
    refused(
        b"p cnf 1 1\n1 \0 0\n",
        "line 2, column 3: Found a NUL byte. Expected text. \
         Check that this is a problem file; it may be binary or damaged.",
    );
    refused(
        b"p cnf 1 1\n1 \xc3\xa9\xff 0\n",
        "line 2, column 3: Found `\\xc3\\xa9\\xff`. \
         Expected a literal (an integer other than 0) or the 0 that ends the clause. \
         Write clauses as variable numbers, negative for negations, each clause closed by 0.",
    );
    refused(
        b"<html>\n",
        "line 1, column 1: Found `<html>`. Expected the beginning of a CNF, WCNF, OPB, QUBO, Ising, Max-Cut or BQM file. \
         Name the format with `--format`, or convert the file to one of these.",
    );
    refused(
        b"1 2 3 4\n",
        "line 1, column 1: Found `1`. Expected the beginning of a CNF, WCNF, OPB, QUBO, Ising, Max-Cut or BQM file. \
         Name the format with `--format`, or convert the file to one of these.",
    );
}

#[test]
fn a_chosen_format_is_enforced() {
    let error = read_as("1 -2 0\n", Format::DimacsCnf).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 1: Found `1`. Expected the header `p cnf`. \
         Begin the file with `p cnf VARIABLES CLAUSES` before the first clause."
    );
    for format in Format::ALL {
        assert!(read_as("utter nonsense\n", format).is_err(), "{format}");
    }
}
