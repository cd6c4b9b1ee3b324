"""Verdicts, ratios and the contradiction check."""

from __future__ import annotations

import math

import pytest

from hbench import compare, generate, readers, report
from hbench.prepare import dimacs, pairs
from hbench.runs import OURS, Record


def run(solver: str, seed: int, objective: float | None, /, **more: object) -> Record:
    fields: dict[str, object] = {
        "instance": "i", "group": "g", "solver": solver, "seed": seed, "limit_s": 1.0, "threads": 1,
        "status": "feasible", "objective": objective, "claimed": objective, "verified": objective is not None,
        "error": None, "wall_s": 0.5, "answered_s": 0.4, "best_s": 0.1, "target": None, "target_s": None,
    }  # fmt: skip
    return Record(**(fields | more))  # type: ignore[arg-type]


def row(*records: Record, maximise: bool = False) -> compare.Row:
    return compare.rows_of(records, {"i": maximise}, {"i": None})[0]


def test_medians_decide_in_both_senses() -> None:
    ours = [run(OURS, s, v) for s, v in ((1, 1), (2, 5), (3, 9))]
    theirs = [run("r", s, v) for s, v in ((1, 6), (2, 6), (3, 6))]
    assert compare.verdict(row(*ours, *theirs), "r", "quadratic") == "win"
    assert compare.verdict(row(*ours, *theirs, maximise=True), "r", "quadratic") == "loss"


def test_a_missing_answer_is_the_worst_value() -> None:
    table = row(run(OURS, 1, None), run("r", 1, 100.0))
    assert compare.verdict(table, "r", "maxsat") == "loss"
    assert math.isinf(table.cells[OURS].median)
    both = row(run(OURS, 1, None), run("r", 1, None))
    assert compare.verdict(both, "r", "maxsat") == "tie"


def test_a_wrong_claim_does_not_win() -> None:
    wrong = run(OURS, 1, 1.0, verified=False, error="claims 0, the assignment is worth 1")
    assert compare.verdict(row(wrong, run("r", 1, 5.0)), "r", "quadratic") == "loss"


def test_even_counts_take_the_worse_middle() -> None:
    assert row(run(OURS, 1, 1.0), run(OURS, 2, 3.0)).cells[OURS].median == 3
    assert row(run(OURS, 1, 1.0), run(OURS, 2, 3.0), maximise=True).cells[OURS].median == 1


def test_decisions_compare_counts_then_times() -> None:
    solved = {"status": "satisfiable"}
    slow = run(OURS, 1, 0, **(solved | {"wall_s": 2.0}))
    assert compare.verdict(row(slow, run("r", 1, None, status="unknown")), "r", "cnf") == "win"
    assert compare.verdict(row(slow, run("r", 1, 0, **(solved | {"answered_s": 0.1}))), "r", "cnf") == "loss"
    assert compare.verdict(row(slow, run("r", 1, 0, **(solved | {"answered_s": 1.95}))), "r", "cnf") == "tie"


def test_only_shared_seeds_are_compared() -> None:
    table = row(run(OURS, 1, 5.0), run(OURS, 2, 1.0), run("r", 1, 4.0))
    assert compare.verdict(table, "r", "quadratic") == "loss"


def test_contradicting_claims_are_marked() -> None:
    model = run("a", 1, 0, status="satisfiable")
    unsat = run("b", 1, None, status="unsatisfiable")
    report.mark_contradictions([model, unsat])
    assert unsat.error is not None and model.error is None
    best, optimum = run("a", 1, 3.0), run("b", 1, 4.0, status="optimal")
    report.mark_contradictions([best, optimum])
    assert optimum.error is not None


@pytest.mark.parametrize("seed", range(5))
def test_planted_instances_have_a_model(seed: int) -> None:
    import numpy as np

    rows = generate.barthel(300, 4.3, seed)
    rng = np.random.default_rng(seed)
    hidden = rng.choice(np.array([-1, 1]), size=301)
    assert len(rows) == 1290
    assert ((rows * hidden[np.abs(rows)]) > 0).any(axis=1).all()
    assert (np.sort(np.abs(rows), axis=1)[:, 1:] != np.sort(np.abs(rows), axis=1)[:, :-1]).all()


def test_prepared_files_read_back() -> None:
    formula = readers.read_cnf("c x\np cnf 3 2\n1 -2\n0 3 0\n%\n")
    again = readers.read_cnf(dimacs(formula))
    assert [again.clause(i) for i in range(2)] == [[1, -2], [3]]
    graph = readers.read_rudy("2 1\n1 2 7\n")
    assert pairs(graph) == "maxcut 2 1\n0 0\n0 1 7\n"
