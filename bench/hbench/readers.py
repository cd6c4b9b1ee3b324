"""Small, independent readers of the benchmark formats; nothing here shares code with the solver under test."""

from __future__ import annotations

import gzip
import lzma
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class FormatError(ValueError):
    """The file is not what its form promises."""


@dataclass
class Quadratic:
    """A Max-Cut, QUBO or Ising instance.

    `kind` is "maxcut" (maximise the cut), "qubo" (x in {0,1}, minimise) or "ising" (s in {-1,+1}, minimise).
    Each pair is listed once with the factor that it has in the energy; coefficients are integers, or floats
    where the file holds decimals.
    """

    kind: str
    variables: int
    rows: IntArray
    columns: IntArray
    weights: NDArray[Any]
    linear: NDArray[Any]

    @property
    def maximise(self) -> bool:
        return self.kind == "maxcut"

    def score(self, bits: BoolArray) -> int | float:
        """Cut weight (maxcut) or energy; a set bit means x = 1, s = +1, or the second side of the cut."""
        left, right = bits[self.rows], bits[self.columns]
        if self.kind == "maxcut":
            total = self.weights[left != right].sum()
        elif self.kind == "qubo":
            total = self.weights[left & right].sum() + self.linear[bits].sum()
        else:
            differ = left != right
            total = self.weights[~differ].sum() - self.weights[differ].sum()
            total += self.linear[bits].sum() - self.linear[~bits].sum()
        value = total.item() if isinstance(total, np.generic) else total
        return int(value) if isinstance(value, int) or value.is_integer() else float(value)


@dataclass
class Clauses:
    """A CNF or weighted CNF; clause c holds literals[starts[c]:starts[c+1]]."""

    kind: str
    variables: int
    literals: IntArray
    starts: IntArray
    weights: list[int] = field(default_factory=list)
    hard: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    maximise = False

    def __len__(self) -> int:
        return len(self.starts) - 1

    def clause(self, index: int) -> list[int]:
        return [int(x) for x in self.literals[self.starts[index] : self.starts[index + 1]]]

    def unsatisfied(self, bits: BoolArray) -> BoolArray:
        """One flag per clause: no literal of it is true (an empty clause never is)."""
        holds = bits[np.abs(self.literals) - 1] == (self.literals > 0)
        counts = np.concatenate(([0], np.cumsum(holds)))
        return counts[self.starts[1:]] == counts[self.starts[:-1]]

    def score(self, bits: BoolArray) -> int | None:
        """Unsatisfied clauses (CNF) or unsatisfied soft weight (WCNF); None where a hard clause is broken."""
        broken = self.unsatisfied(bits)
        if self.kind == "cnf":
            return int(broken.sum())
        if bool((broken & self.hard).any()):
            return None
        return sum(self.weights[i] for i in np.flatnonzero(broken))


Problem = Quadratic | Clauses


def read_text(path: Path) -> str:
    """The file's text, unpacked where its name ends in .gz or .xz."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".xz":
        data = lzma.decompress(data)
    return data.decode("utf-8", errors="replace")


def plain_name(path: Path) -> str:
    """The file's name without a packing suffix."""
    return path.name.removesuffix(".gz").removesuffix(".xz")


def read(path: Path) -> Problem:
    """Reads an instance; its form follows from the suffix and, for .txt, from the first lines."""
    text = read_text(path)
    suffix = Path(plain_name(path)).suffix
    if suffix == ".cnf":
        return read_cnf(text)
    if suffix == ".wcnf":
        return read_wcnf(text)
    if suffix == ".sparse":
        return read_sparse(text)
    if suffix in (".mc", ".rud"):
        return read_rudy(text)
    if suffix in (".qubo", ".coo") or "vartype" in text[:400]:
        return read_coordinates(text)
    if len(text.lstrip().split("\n", 1)[0].split()) == 2:
        return read_rudy(text)
    return read_coordinates(text, vartype="SPIN")


def number_array(tokens: list[str]) -> NDArray[Any]:
    """Integers where every token is one (also as 2.0), else floats; exact integers where 64 bits might overflow."""
    try:
        exact = [int(token) for token in tokens]
    except ValueError:
        values = np.array(tokens, dtype=np.float64)
        return (
            values.astype(np.int64) if (values == np.rint(values)).all() and (np.abs(values) < 2**53).all() else values
        )
    if sum(map(abs, exact)) >= 2**60:
        return np.array(exact, dtype=object)
    return np.array(exact, dtype=np.int64)


def quadratic(kind: str, variables: int, i: IntArray, j: IntArray, w: NDArray[Any]) -> Quadratic:
    """Splits a triple list into pairs and diagonal and checks the indices (0-based)."""
    if i.size and (min(i.min(), j.min()) < 0 or max(i.max(), j.max()) >= variables):
        raise FormatError(f"index out of range: {variables} variables")
    linear = np.zeros(variables, dtype=w.dtype)
    diagonal = i == j
    if kind != "maxcut":
        np.add.at(linear, i[diagonal], w[diagonal])
    pair = ~diagonal
    return Quadratic(kind, variables, i[pair], j[pair], w[pair], linear)


def data_lines(text: str, comments: str) -> list[list[str]]:
    """The non-empty lines, split into words, without comment lines."""
    lines = (line.split() for line in text.splitlines())
    return [words for words in lines if words and words[0][0] not in comments]


def triples(rows: list[list[str]]) -> tuple[IntArray, IntArray, NDArray[Any]]:
    if any(len(row) != 3 for row in rows):
        raise FormatError("expected lines of three numbers")
    i = np.array([row[0] for row in rows], dtype=np.int64)
    j = np.array([row[1] for row in rows], dtype=np.int64)
    return i, j, number_array([row[2] for row in rows])


def read_rudy(text: str) -> Quadratic:
    """`n m`, then `i j w`, 1-based."""
    rows = data_lines(text, "#c%")
    variables, edges = int(rows[0][0]), int(rows[0][1])
    body = [row if len(row) > 2 else [*row, "1"] for row in rows[1:]]
    if len(body) != edges:
        raise FormatError(f"{edges} edges promised, {len(body)} found")
    i, j, w = triples(body)
    return quadratic("maxcut", variables, i - 1, j - 1, w)


def read_sparse(text: str) -> Quadratic:
    """BiqMac .sparse: minimise x'Qx, 1-based; an off-diagonal entry is listed once and counts twice."""
    rows = data_lines(text, "#c%")
    variables, entries = int(rows[0][0]), int(rows[0][1])
    if len(rows) - 1 != entries:
        raise FormatError(f"{entries} entries promised, {len(rows) - 1} found")
    i, j, w = triples(rows[1:])
    return quadratic("qubo", variables, i - 1, j - 1, np.where(i == j, w, 2 * w))


def read_coordinates(text: str, vartype: str | None = None) -> Quadratic:
    """`.qubo` of qbsolv (`p qubo 0 n diagonal pairs`) or COO `i j v`, 0-based, each term counted once."""
    head = next((line for line in text.splitlines() if "vartype" in line), "")
    kind = "ising" if "SPIN" in (head.upper() or vartype or "") else "qubo"
    rows = data_lines(text, "#c%")
    variables = 0
    if rows and rows[0][0] == "p":
        variables = int(rows[0][3])
        rows = rows[1:]
    i, j, w = triples(rows)
    if i.size:
        variables = max(variables, int(i.max()) + 1, int(j.max()) + 1)
    return quadratic(kind, variables, i, j, w)


def read_cnf(text: str) -> Clauses:
    """DIMACS CNF; clauses may span lines, SATLIB's closing `%` ends the file, a last 0 may be missing."""
    variables = 0
    words: list[str] = []
    for line in text.splitlines():
        head = line.lstrip()[:1]
        if head == "p":
            variables = int(line.split()[2])
        elif head == "%":
            break
        elif head != "c":
            words.extend(line.split())
    numbers = np.array(words, dtype=np.int64)
    if numbers.size and numbers[-1] != 0:
        numbers = np.append(numbers, 0)
    return clauses_from_numbers("cnf", variables, numbers)


def clauses_from_numbers(kind: str, variables: int, numbers: IntArray) -> Clauses:
    """Cuts a zero-terminated list of literals into clauses."""
    is_end = numbers == 0
    literals = numbers[~is_end]
    ends = np.flatnonzero(is_end) - np.arange(int(is_end.sum()))
    if literals.size and int(np.abs(literals).max()) > variables:
        variables = int(np.abs(literals).max())
    return Clauses(kind, variables, literals, np.concatenate(([0], ends)).astype(np.int64))


def read_wcnf(text: str) -> Clauses:
    """WCNF, old form (`p wcnf n m [top]`, weight >= top is hard) and new form (`h` marks a hard clause)."""
    variables, top = 0, None
    weights: list[int] = []
    hard: list[bool] = []
    numbers: list[int] = []
    at_weight = True
    for line in text.splitlines():
        words = line.split()
        if not words or words[0][0] == "c":
            continue
        if words[0] == "p":
            variables = int(words[2])
            top = int(words[4]) if len(words) > 4 else None
            continue
        for word in words:
            if at_weight:
                is_hard = word == "h" or (top is not None and int(word) >= top)
                hard.append(is_hard)
                weights.append(0 if is_hard else int(word))
                at_weight = False
            else:
                literal = int(word)
                numbers.append(literal)
                at_weight = literal == 0
    if not at_weight:
        numbers.append(0)
    result = clauses_from_numbers("wcnf", variables, np.array(numbers, dtype=np.int64))
    result.weights, result.hard = weights, np.array(hard, dtype=bool)
    return result
