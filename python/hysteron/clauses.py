"""Satisfiability and MaxSAT."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hysteron import _native
from hysteron._search import Limits, Progress, exact_value, scale_factor, scaled_target, search

Clauses = Iterable[Iterable[int]]


@dataclass(frozen=True)
class ClauseResult:
    """What is known of a formula.

    Attributes:
        status: Of a CNF "satisfiable", "unsatisfiable" (proven) or "unknown"; of a MaxSAT "optimal" (proven), "feasible",
            "unsatisfiable" (the hard clauses contradict each other, proven) or "unknown".
        model: One DIMACS literal a variable, `model[v - 1]` is `v` or `-v`. None unless the (hard) clauses hold.
        cost: Weight of soft clauses that do not hold; None without a model; 0 for a CNF.
        unsatisfied: (Hard) clauses that the best assignment leaves open; None if unsatisfiable.
        source: Who found it.
        seconds: Wall time of the search.
        info: seed, threads, ecu, history ((seconds, cost) of every improvement), interrupted, scale, scale_error.
    """

    status: str
    model: list[int] | None
    cost: float | None
    unsatisfied: int | None
    source: str
    seconds: float
    info: dict[str, Any] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        """Whether there is a model."""
        return self.model is not None


def solve_cnf(
    clauses: Clauses | str | os.PathLike[str],
    *,
    variables: int | None = None,
    time: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    progress: bool | Progress = False,
) -> ClauseResult:
    """Searches for a model of a CNF, and for a proof that there is none.

    Args:
        clauses: Clauses of DIMACS literals (`[[1, -2], [2, 3]]`), an object with an attribute `clauses` (such as PySAT's
            CNF), or the path of a DIMACS file, which may be compressed (gz, xz, zst).
        variables: Number of variables; the largest that occurs unless given.
        time: Seconds; ends sooner when it is decided. By default 1 s and 10 µs a variable and clause, 60 s at most.
        steps: Limit of chip-steps a thread; see `hysteron.Sampler.sample`.
        seed: From 0 to 2**64 - 1; random unless given.
        threads: All cores this process may use unless given.
        progress: True for a tqdm bar, or a function of seconds, clauses open and circuit updates.

    Raises:
        ValueError: A malformed clause, file or argument.
    """
    limits = Limits(time, steps, seed, threads)
    if isinstance(clauses, str | os.PathLike):
        problem = _read(clauses)
        if problem.kind != "CNF":
            raise ValueError(f"{clauses}: is a {problem.kind} file; solve_wcnf takes MaxSAT files")
    else:
        flat, largest = _flatten(_attribute(clauses, "clauses"))
        problem = _native.Problem.cnf(_count(variables, largest), flat)
    return _result(problem, limits, None, progress)


def solve_wcnf(
    hard: Clauses | str | os.PathLike[str],
    soft: Clauses = (),
    weights: Sequence[float] | None = None,
    *,
    variables: int | None = None,
    time: float | None = None,
    steps: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    target: float | None = None,
    scale: str | float | None = None,
    progress: bool | Progress = False,
) -> ClauseResult:
    """Searches for a model of the hard clauses that leaves as little weight of soft clauses open as it can.

    Args:
        hard: Hard clauses of DIMACS literals; or an object with `hard`, `soft` and `wght` (such as PySAT's WCNF); or the
            path of a WCNF file, which may be compressed. The latter two come without `soft` and `weights`.
        soft: Soft clauses.
        weights: One weight, at least 0, for each soft clause; 1 unless given. They are scaled to integers exactly, or as
            `scale` says; see `hysteron.Sampler.sample`.
        target: Stop as soon as a cost is this low.
        variables, time, steps, seed, threads, progress: As in `solve_cnf`; progress tells the cost.

    Raises:
        ValueError: A malformed clause, file, weight or argument.
    """
    limits = Limits(time, steps, seed, threads)
    if isinstance(hard, str | os.PathLike):
        problem = _read(hard)
        if problem.kind not in ("WCNF", "MaxSAT"):
            raise ValueError(f"{hard}: is a {problem.kind} file, not a WCNF")
        return _result(problem, limits, target, progress)
    if hasattr(hard, "wght"):
        named: Any = hard
        hard, soft, weights = named.hard, named.soft, named.wght
    hard_flat, hard_largest = _flatten(_attribute(hard, "hard"))
    soft_flat, soft_largest = _flatten(soft)
    count = int(np.count_nonzero(soft_flat == 0))
    doubles = np.ones(count) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    if doubles.shape != (count,):
        raise ValueError(f"there are {count} soft clauses and {doubles.size} weights")
    problem = _native.Problem.wcnf(
        _count(variables, max(hard_largest, soft_largest)), hard_flat, soft_flat, doubles, scale=scale
    )
    return _result(problem, limits, target, progress)


def _attribute(clauses: Any, name: str) -> Clauses:
    found: Clauses = getattr(clauses, name, clauses)
    return found


def _flatten(clauses: Clauses) -> tuple[npt.NDArray[np.int64], int]:
    """Literals with a 0 after each clause, and the largest variable."""
    zero = (0,)
    chained = itertools.chain.from_iterable(itertools.chain(_checked(clause), zero) for clause in clauses)
    flat = np.fromiter(chained, dtype=np.int64)
    return flat, int(np.abs(flat).max(initial=0))


def _checked(clause: Iterable[int]) -> Iterable[int]:
    literals = tuple(clause)
    if 0 in literals:
        raise ValueError(f"the clause {literals} holds 0, which is no literal")
    if any(int(literal) != literal for literal in literals):
        raise ValueError(f"the clause {literals} holds what is no whole number")
    return literals


def _count(variables: int | None, largest: int) -> int:
    if variables is None:
        return largest
    if int(variables) != variables or variables < largest:
        raise ValueError(f"variables is {variables!r}, and the variable {largest} occurs")
    return int(variables)


def _read(path: str | os.PathLike[str]) -> _native.Problem:
    return _native.Problem.read(Path(path).read_bytes(), os.fspath(path))


def _result(
    problem: _native.Problem, limits: Limits, target: float | None, progress: bool | Progress
) -> ClauseResult:
    limits = limits.filled(problem.variables, problem.elements)
    factor = scale_factor(problem)
    scaled = None if target is None else scaled_target(problem, target, 0.0)
    found = search(problem, limits, target=scaled, progress=progress, factor=factor)
    is_cnf = problem.kind == "CNF"
    model = cost = unsatisfied = None
    if len(found["samples"]):
        numerator, decimals, hard = found["scores"][0]
        value = exact_value((numerator, decimals))
        unsatisfied = int(value) if is_cnf else hard
        if unsatisfied == 0:
            bits = found["samples"][0].astype(np.int64)
            model = ((2 * bits - 1) * np.arange(1, len(bits) + 1)).tolist()
            cost = value if factor == 1 else value / factor
    info = {
        "seed": limits.seed,
        "threads": limits.threads,
        "ecu": found["ecu"],
        "history": [(at, exact_value(best) / factor) for at, best in found["history"]],
        "interrupted": found["interrupted"],
        "scale": factor,
        "scale_error": problem.scale_error,
    }
    return ClauseResult(found["status"], model, cost, unsatisfied, found["source"], found["search_s"], info)
