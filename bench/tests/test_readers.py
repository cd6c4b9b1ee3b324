"""The readers against small files whose values are known by hand."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from hbench import readers
from hbench.readers import Clauses, FormatError, Quadratic


def bits(text: str) -> np.ndarray:
    return np.array([c == "1" for c in text], dtype=bool)


def test_rudy_scores_a_cut(tmp_path: Path) -> None:
    file = tmp_path / "g.mc"
    file.write_text("3 3\n1 2 5\n2 3 -2\n1 3 1\n")
    problem = readers.read(file)
    assert isinstance(problem, Quadratic) and problem.maximise
    assert problem.score(bits("100")) == 6
    assert problem.score(bits("010")) == 3
    assert problem.score(bits("111")) == 0


def test_gset_text_is_rudy_and_gzip_is_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "G1.txt.gz"
    file.write_bytes(gzip.compress(b"2 1\n1 2 1\n"))
    problem = readers.read(file)
    assert problem.kind == "maxcut" and problem.score(bits("01")) == 1


def test_rudy_refuses_a_short_file() -> None:
    with pytest.raises(FormatError):
        readers.read_rudy("2 2\n1 2 1\n")
    with pytest.raises(FormatError):
        readers.read_rudy("2 1\n1 3 1\n")


def test_sparse_counts_off_diagonal_entries_twice() -> None:
    problem = readers.read_sparse("2 3\n1 1 -3\n2 2 4\n1 2 -5\n")
    assert problem.score(bits("11")) == -3 + 4 - 10
    assert problem.score(bits("10")) == -3
    assert not problem.maximise


def test_qbsolv_counts_each_term_once() -> None:
    problem = readers.read_coordinates("c note\np qubo 0 3 1 1\n0 0 2\n0 2 -7\n")
    assert problem.variables == 3
    assert problem.score(bits("101")) == -5


def test_coordinates_with_spins_and_fields() -> None:
    problem = readers.read_coordinates("# vartype: SPIN\n0 0 0.5\n0 1 -1.0\n")
    assert problem.kind == "ising"
    assert problem.score(bits("11")) == pytest.approx(-0.5)
    assert problem.score(bits("01")) == pytest.approx(0.5)


def test_binary_vartype_is_a_qubo() -> None:
    problem = readers.read_coordinates("# vartype: BINARY\n\n0 1 2.0\n")
    assert problem.kind == "qubo" and problem.score(bits("11")) == 2


def test_cnf_with_quirks() -> None:
    text = "c x\n p  cnf 3 3\n1 -2\n0 2 3 0\n-1 -3 0\n%\n0\n"
    problem = readers.read_cnf(text)
    assert len(problem) == 3 and problem.clause(0) == [1, -2]
    assert problem.score(bits("110")) == 0
    assert problem.score(bits("101")) == 1


def test_cnf_without_last_zero_and_with_empty_clause() -> None:
    problem = readers.read_cnf("p cnf 1 2\n0\n1")
    assert [problem.clause(i) for i in range(2)] == [[], [1]]
    assert problem.score(bits("1")) == 1


OLD = "p wcnf 2 3 10\n10 1 2 0\n3 -1 0\n4 -2 0\n"
NEW = "c{ a header\nh 1 2 0\n3 -1 0\n4 -2 0\n"


@pytest.mark.parametrize("text", [OLD, NEW])
def test_wcnf_old_and_new_form_agree(text: str) -> None:
    problem = readers.read_wcnf(text)
    assert isinstance(problem, Clauses)
    assert list(problem.hard) == [True, False, False]
    assert problem.score(bits("10")) == 3
    assert problem.score(bits("01")) == 4
    assert problem.score(bits("11")) == 7
    assert problem.score(bits("00")) is None


def test_wcnf_without_top_has_no_hard_clause() -> None:
    problem = readers.read_wcnf("p wcnf 1 2\n10 1 0\n2 -1 0\n")
    assert not problem.hard.any() and problem.score(bits("0")) == 10


def test_large_weights_stay_exact() -> None:
    weight = 2**53 + 1
    problem = readers.read_rudy(f"2 1\n1 2 {weight}\n")
    assert problem.score(bits("10")) == weight
    soft = readers.read_wcnf(f"{2**62 + 1} 1 0\n{2**62 + 1} 1 0\n")
    assert soft.score(bits("0")) == 2 * (2**62 + 1)


@pytest.mark.parametrize("seed", range(20))
def test_scores_agree_with_a_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    rows = [(i, j, int(rng.integers(-9, 10))) for i in range(n) for j in range(i, n) if rng.random() < 0.6]
    body = "\n".join(f"{i + 1} {j + 1} {w}" for i, j, w in rows)
    problem = readers.read_sparse(f"{n} {len(rows)}\n{body}\n")
    x = rng.random(n) < 0.5
    expected = sum(w * (1 if i == j else 2) for i, j, w in rows if x[i] and x[j])
    assert problem.score(x) == expected
