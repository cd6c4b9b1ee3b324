"""Assignments in every form, the judging of claims, and the merging of copies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hbench import answers, parse, readers
from hbench.execute import Outcome
from hbench.runs import OURS, Setting, Store, judge
from hbench.suites import Instance

GRAPH = readers.read_rudy("3 3\n1 2 5\n2 3 -2\n1 3 1\n")
FORMULA = readers.read_cnf("p cnf 2 2\n1 2 0\n-1 -2 0\n")


@pytest.mark.parametrize("n", [1, 7, 8, 9, 64, 1001])
def test_pack_and_unpack_are_inverse(n: int) -> None:
    bits = np.random.default_rng(n).random(n) < 0.5
    assert (answers.unpack(answers.pack(bits), n) == bits).all()


def test_unpack_refuses_too_few_bits() -> None:
    with pytest.raises(answers.AnswerError):
        answers.unpack("ff", 9)


def test_literals_are_checked() -> None:
    assert list(answers.from_literals([-1, 2, 0], 3)) == [False, True, False]
    with pytest.raises(answers.AnswerError):
        answers.from_literals([1, -1], 2)
    with pytest.raises(answers.AnswerError):
        answers.from_literals([3], 2)


def test_our_assignments_by_kind() -> None:
    assert list(answers.from_ours([1, -1, 1], GRAPH)) == [True, False, True]
    with pytest.raises(answers.AnswerError):
        answers.from_ours([1, 0, 1], GRAPH)
    with pytest.raises(answers.AnswerError):
        answers.from_ours([1, -1], GRAPH)


def outcome(*lines: object, **fields: object) -> Outcome:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return Outcome(lines=[(0.1, text) for text in texts], exit_code=0, wall_s=0.5, **fields)  # type: ignore[arg-type]


def judged(problem: readers.Problem, answer: parse.Answer, kind: str, best: float | str | None = None):
    instance = Instance("x", Path("x"), best, "g", 1.0)
    setting = Setting(kind, True, 1, [0], Path("x"), {}, "c")
    target = float(best) if isinstance(best, int | float) else 0.0 if kind == "cnf" else None
    return judge(OURS, setting, instance, problem, 1, target, answer, 0.5)


def test_a_wrong_claim_is_an_error() -> None:
    record = {"status": "feasible", "objective": 7, "assignment": [1, -1, -1], "history": [[0.1, 7]]}
    wrong = judged(GRAPH, parse.ours(outcome(record), GRAPH, 1.0), "quadratic")
    assert wrong.objective == 6 and not wrong.verified and "claims 7" in str(wrong.error)
    record["objective"] = 6
    right = judged(GRAPH, parse.ours(outcome(record), GRAPH, 1.0), "quadratic", best=6)
    assert right.verified and right.error is None


def test_a_broken_model_and_a_false_unsat_are_errors() -> None:
    record = {"status": "satisfiable", "objective": 0, "assignment": [1, 2], "history": []}
    wrong = judged(FORMULA, parse.ours(outcome(record), FORMULA, 1.0), "cnf")
    assert not wrong.verified and wrong.error is not None
    false = judged(FORMULA, parse.ours(outcome({"status": "unsatisfiable"}), FORMULA, 1.0), "cnf", best="SAT")
    assert false.error == "claims UNSATISFIABLE for an instance with a known model"


def test_no_json_is_an_error() -> None:
    assert parse.ours(outcome("panic"), GRAPH, 1.0).error is not None


def test_late_improvements_do_not_count() -> None:
    early = {"t": 0.5, "objective": 5, "bits": "80"}
    late = {"t": 1.5, "objective": 6, "bits": "40"}
    answer = parse.worker(outcome(early, late), GRAPH, 1.0)
    assert answer.claimed == 5 and answer.history == [(0.5, 5.0)]


def test_competition_output() -> None:
    answer = parse.competition(outcome("c x", "s SATISFIABLE", "v 1 -2", "v 0"), FORMULA, 1.0)
    assert answer.status == "satisfiable" and list(answer.bits) == [True, False]
    assert parse.competition(outcome("s UNSATISFIABLE"), FORMULA, 1.0).status == "unsatisfiable"
    assert parse.competition(outcome("c killed"), FORMULA, 1.0).status == "unknown"


def test_merge_takes_the_best_copy_and_one_history() -> None:
    a = parse.worker(outcome({"t": 0.1, "objective": 3, "bits": "a0"}), GRAPH, 1.0)
    b = parse.worker(
        outcome({"t": 0.05, "objective": 1, "bits": "20"}, {"t": 0.3, "objective": 6, "bits": "80"}), GRAPH, 1.0
    )
    merged = parse.merge([a, b], maximise=True)
    assert merged.claimed == 6 and merged.history == [(0.05, 1.0), (0.1, 3.0), (0.3, 6.0)]
    assert GRAPH.score(merged.bits) == 6


def test_store_keeps_runs(tmp_path: Path) -> None:
    record = {"status": "feasible", "objective": 6, "assignment": [1, -1, -1], "history": [[0.1, 6]]}
    kept = judged(GRAPH, parse.ours(outcome(record), GRAPH, 1.0), "quadratic", best=6)
    store = Store(tmp_path / "s.json")
    store.head = {"suite": "s"}
    store.add(kept)
    again = Store(tmp_path / "s.json")
    assert again.head == {"suite": "s"} and list(again.records) == [kept.key()]
    again.forget({OURS})
    assert not again.records
